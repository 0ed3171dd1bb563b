use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_primitives::Hash;

use super::*;
use crate::types::Height;

const MAX_BLOCK: usize = 1 << 20;

pub(super) fn block(height: u64, byte: u8) -> StoredBlock {
    let init = Announcement {
        height: Height::new(height),
        round: Round::new(u32::from(byte)),
        proposer: [1; 32].into(),
        block_hash: Hash::repeat_byte(byte).into(),
        size: 3,
        content: [4; 32],
    };
    let signature = SecretKey::from_seed(b"store").sign(DEFAULT_ID, b"init");
    StoredBlock {
        height: Height::new(height),
        round: Round::new(u32::from(byte)),
        hash: Hash::repeat_byte(byte).into(),
        announced: (byte.is_multiple_of(2))
            .then_some(SignedAnnouncement { announcement: init, signature }),
        bytes: vec![byte; 1000].into(),
    }
}

pub(super) fn open(directory: &Path, height: u64) -> UndecidedStore {
    UndecidedStore::open(directory.to_owned(), Height::new(height), MAX_BLOCK)
        .expect("the store opens")
}

pub(super) fn same(left: &StoredBlock, right: &StoredBlock) -> bool {
    left.height == right.height
        && left.round == right.round
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

#[test]
fn damaged_and_foreign_files_are_removed_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), 5);
    let good = block(5, 2);
    store.writer().write(&good).expect("written");
    let path = path_of(directory.path(), &good);
    let bytes = fs::read(&path).expect("the file is there");
    for length in (0..bytes.len()).step_by(37) {
        fs::write(directory.path().join(format!("{length}.block")), &bytes[..length])
            .expect("written");
    }
    for at in (0..bytes.len()).step_by(41) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        fs::write(directory.path().join(format!("d{at}.block")), &damaged).expect("written");
    }
    fs::write(directory.path().join("x.partial"), &bytes).expect("written");
    fs::write(directory.path().join("large.block"), vec![0; MAX_BLOCK + 2000]).expect("written");

    let again = open(directory.path(), 5);
    assert!(same(again.get(&good.hash).expect("kept"), &good));
    assert_eq!(again.blocks.len(), 1);
    assert_eq!(files(directory.path()), 1);
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
    let mut block = block(5, 1);
    block.bytes = Bytes::from_static(b"block");
    open(directory.path(), 5).writer().write(&block).expect("written");
    let bytes = fs::read(path_of(directory.path(), &block)).expect("the file is there");
    let mut expected = b"BCUNDEC1".to_vec();
    expected.extend(5u64.to_le_bytes());
    expected.extend(1u32.to_le_bytes());
    expected.extend([1; 32]);
    expected.push(0);
    expected.push(5 << 2);
    expected.extend(b"block");
    assert_eq!(bytes[..bytes.len() - 32], expected);
}
