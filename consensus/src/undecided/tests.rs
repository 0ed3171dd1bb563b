use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_primitives::Hash;

use super::*;
use crate::types::Height;

const MAX_BLOCK: usize = 1 << 20;

pub(super) fn block(height: u64, byte: u8) -> StoredBlock {
    let bytes = Bytes::from(vec![byte; 1000]);
    let init = Announcement {
        height: Height::new(height),
        round: Round::new(u32::from(byte)),
        proposer: [1; 32].into(),
        block_hash: Hash::repeat_byte(byte).into(),
        size: 1000,
        content: sm3(&bytes),
    };
    let signature = SecretKey::from_seed(b"store").sign(DEFAULT_ID, b"init");
    StoredBlock {
        height: Height::new(height),
        round: Round::new(u32::from(byte)),
        hash: Hash::repeat_byte(byte).into(),
        announced: (byte.is_multiple_of(2))
            .then_some(SignedAnnouncement { announcement: init, signature }),
        bytes,
    }
}

pub(super) fn open(directory: &Path, height: u64) -> UndecidedStore {
    UndecidedStore::open(directory.to_owned(), Height::new(height), MAX_BLOCK)
        .expect("the store opens")
}

pub(super) fn same(left: &StoredBlock, right: &StoredBlock) -> bool {
    left.height == right.height
        && left.round == right.round
        && left.hash == right.hash
        && left.announced == right.announced
        && left.bytes == right.bytes
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).expect("the directory is there").count()
}

#[test]
fn blocks_survive_a_restart_until_their_height_is_decided() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut store = open(directory.path(), 5);
    for (height, byte) in [(5, 1), (5, 2), (6, 4)] {
        let block = block(height, byte);
        store.writer().write(&block).expect("written");
        store.insert(Arc::new(block), &Support::default());
    }
    let again = open(directory.path(), 5);
    for (height, byte) in [(5, 1), (5, 2), (6, 4)] {
        let expected = block(height, byte);
        assert!(same(again.get(&expected.hash).expect("kept"), &expected));
    }
    assert_eq!(again.of_round(Height::new(5), Round::new(2)).len(), 1);
    assert_eq!(again.of_round(Height::new(5), Round::new(4)).len(), 0);

    let gone = store.forget_below(Height::new(6));
    assert_eq!(gone.len(), 2);
    store.writer().remove(&gone).expect("removed");
    store.writer().remove(&gone).expect("removing twice is fine");
    assert_eq!(files(directory.path()), 1);
    // Files that were not removed in time go when the store opens.
    assert!(open(directory.path(), 7).get(&block(6, 4).hash).is_none());
    assert_eq!(files(directory.path()), 0);
}

/// A proposed and a synced block with the bytes of their files.
fn written(directory: &Path) -> [(StoredBlock, Vec<u8>); 2] {
    let store = open(directory, 5);
    [2, 1].map(|byte| {
        let block = block(5, byte);
        store.writer().write(&block).expect("written");
        let bytes = fs::read(path_of(directory, &block)).expect("the file is there");
        (block, bytes)
    })
}

#[test]
fn damaged_and_foreign_files_are_removed_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let good = written(directory.path());
    let damaged = |name: &str, bytes: &[u8]| {
        fs::write(directory.path().join(name), bytes).expect("written");
    };
    for (block, bytes) in &good {
        let of = block.hash.get()[0];
        let front = bytes.len() - block.bytes.len();
        // Cut in each place before the block, and in some of the block.
        for length in (0..=front).chain((front..bytes.len()).step_by(37)).chain([bytes.len() - 1]) {
            damaged(&format!("{of}-{length}.block"), &bytes[..length]);
        }
        // Each byte of the name, the header and the checksum, and some of the block.
        let name = 0..NAME_BYTES;
        let rest = (MAGIC.len()..front).chain((front..bytes.len()).step_by(41));
        for at in name.chain(rest).chain([bytes.len() - 1]) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            damaged(&format!("{of}-d{at}.block"), &flipped);
        }
        damaged(&format!("{of}-longer.block"), &[bytes, &[0][..]].concat());
    }
    damaged("x.partial", &good[0].1);
    damaged("large.block", &vec![0; MAX_BLOCK + 2000]);

    let again = open(directory.path(), 5);
    for (block, _) in &good {
        assert!(same(again.get(&block.hash).expect("kept"), block));
    }
    assert_eq!(again.blocks.len(), 2);
    assert_eq!(files(directory.path()), 2);
}

/// What of a file is judged by the SM3 in its header, and that by the checksum.
#[test]
fn a_file_whose_parts_contradict_each_other_is_none() {
    for byte in [1, 2] {
        let good = block(5, byte);
        let file = |header: &[u8], block: &[u8]| Bytes::from([&sealed(header), block].concat());
        let whole = header(&good);
        assert!(same(&parse(file(&whole, &good.bytes)).expect("a file"), &good));
        // Another block as long, in a file whose header is in order.
        assert!(parse(file(&whole, &block(5, byte + 2).bytes)).is_none(), "block {byte}");
        // One byte more or less of the block, and the length in the header follows.
        for size in [999_u32, 1001] {
            let mut other = whole.clone();
            let at = other.len() - 4;
            other[at..].copy_from_slice(&size.to_le_bytes());
            let bytes = vec![byte; size as usize];
            assert!(parse(file(&other, &bytes)).is_none(), "block {byte} of {size} bytes");
        }
        // A header that goes on after its end.
        assert!(parse(file(&[&whole[..], &[0]].concat(), &good.bytes)).is_none());
    }
}

/// The SM3 of a proposal's bytes is in the file twice, and that of its announcement
/// is what the next file is written with.
#[test]
fn a_file_with_an_announcement_of_other_bytes_is_none() {
    let good = block(5, 2);
    let with = |content: [u8; 32], size: u32| {
        let mut header = Header::decode(&mut &header(&good)[..]).expect("a header");
        let (announcement, _) = header.announced.as_mut().expect("a proposal");
        (announcement.content, announcement.size) = (content, size);
        parse([&sealed(&header.encode()), &good.bytes[..]].concat().into())
    };
    assert!(with(sm3(&good.bytes), 1000).is_some());
    assert!(with(sm3(b"other"), 1000).is_none());
    assert!(with(sm3(&good.bytes), 999).is_none());
}

/// The block in it may be one that all nodes have voted for.
#[test]
fn a_file_of_another_version_keeps_the_store_shut_and_stays() {
    for version in [b'1', b'3'] {
        let directory = tempfile::tempdir().expect("a directory");
        let [(block, mut bytes), _] = written(directory.path());
        bytes[NAME_BYTES] = version;
        let path = path_of(directory.path(), &block);
        fs::write(&path, &bytes).expect("written");
        let error = UndecidedStore::open(directory.path().to_owned(), Height::new(5), MAX_BLOCK)
            .err()
            .expect("the store does not open");
        assert!(matches!(&error, ConsensusError::ProposalFormat { path: named } if *named == path));
        assert_eq!(fs::read(&path).expect("the file stays"), bytes);
        // As the message says.
        fs::remove_file(&path).expect("removed");
        assert_eq!(open(directory.path(), 5).blocks.len(), 1);
    }
}

/// Blocks 0 to `count` of one height, with the round as their byte.
fn filled(store: &mut UndecidedStore, count: u8, support: &Support) -> Vec<PathBuf> {
    (0..count).flat_map(|byte| store.insert(Arc::new(block(5, byte)), support)).collect()
}

#[test]
fn the_number_of_blocks_is_bounded() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut store = open(directory.path(), 5);
    let surplus = filled(&mut store, MAX_BLOCKS as u8 + 1, &Support::default());
    assert_eq!(surplus.len(), 1);
    assert_eq!(store.blocks.len(), MAX_BLOCKS);
    assert!(store.get(&block(5, 0).hash).is_none(), "the oldest round goes first");
}

#[test]
fn a_block_that_was_voted_for_outlives_those_nobody_voted_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut store = open(directory.path(), 5);
    // The oldest of all has a polka, the next was voted for here.
    let (locked, voted) = (block(5, 0).hash, block(5, 1).hash);
    let support = Support::of_rounds(&[(locked, Round::FIRST)], &[(voted, Round::new(1))]);
    filled(&mut store, 200, &support);
    assert_eq!(store.blocks.len(), MAX_BLOCKS);
    assert!(store.get(&locked).is_some());
    assert!(store.get(&voted).is_some());
    assert!(store.get(&block(5, 199).hash).is_some(), "the newest is about to be voted for");
}

#[test]
fn the_locked_block_stays_even_among_many_that_were_voted_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut store = open(directory.path(), 5);
    let locked = block(5, 0).hash;
    let voted: Vec<_> =
        (1..200).map(|byte| (block(5, byte).hash, Round::new(u32::from(byte)))).collect();
    // As many of them as are remembered.
    let mut support = Support::default();
    support.add(Support::of_rounds(&[(locked, Round::FIRST)], &voted));
    filled(&mut store, 200, &support);
    assert!(store.get(&locked).is_some());
    for (hash, round) in &voted[200 - 1 - MAX_BLOCKS..] {
        assert!(store.get(hash).is_some(), "the block of round {round} was voted for");
    }
    assert!(store.blocks.len() <= 2 * MAX_BLOCKS, "{} blocks are kept", store.blocks.len());
}

/// After a restart nothing is known of the votes until the engine has read its log.
#[test]
fn blocks_of_a_run_before_stay_while_nothing_is_known_of_votes() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), 5);
    for byte in 0..MAX_BLOCKS as u8 {
        store.writer().write(&block(5, byte)).expect("written");
    }
    let mut store = open(directory.path(), 5);
    let mut gone = Vec::new();
    for byte in MAX_BLOCKS as u8..200 {
        gone.extend(store.insert(Arc::new(block(5, byte)), &Support::default()));
        assert!(store.get(&block(5, byte).hash).is_some(), "the newest is about to be voted for");
    }
    for byte in 0..MAX_BLOCKS as u8 {
        let hash = block(5, byte).hash;
        assert!(store.get(&hash).is_some(), "block {byte} may be the one that is locked");
        assert!(!gone.contains(&path_of(directory.path(), &block(5, byte))));
    }
    assert_eq!(store.blocks.len(), MAX_BLOCKS + 1);
    // Decided: what was read has no right to stay any more.
    store.forget_below(Height::new(6));
    assert!(store.read.is_empty() && store.blocks.is_empty());
}

#[test]
fn opening_the_store_drops_no_block_of_the_height() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), 5);
    for byte in 0..=MAX_BLOCKS as u8 {
        store.writer().write(&block(5, byte)).expect("written");
    }
    assert_eq!(open(directory.path(), 5).blocks.len(), MAX_BLOCKS + 1);
}

/// The format is durable: a change must come with a new magic.
#[test]
fn the_format_is_what_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    for ((block, bytes), announced) in written(directory.path()).iter().zip([true, false]) {
        let byte = block.hash.get()[0];
        let mut expected = b"BCUNDEC2".to_vec();
        expected.extend(5u64.to_le_bytes());
        expected.extend(u32::from(byte).to_le_bytes());
        expected.extend([byte; 32]);
        expected.push(u8::from(announced));
        if let Some(signed) = &block.announced {
            expected.extend(5u64.to_le_bytes());
            expected.extend(u32::from(byte).to_le_bytes());
            expected.extend([1; 32]);
            expected.extend([byte; 32]);
            expected.extend(1000u32.to_le_bytes());
            expected.extend(sm3(&[byte; 1000]));
            expected.extend(signed.signature.to_bytes());
        }
        expected.extend(sm3(&[byte; 1000]));
        expected.extend(1000u32.to_le_bytes());
        let sum = sm3(&expected);
        expected.extend(sum);
        expected.extend([byte; 1000]);
        assert_eq!(*bytes, expected);
    }
}
