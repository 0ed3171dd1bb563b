use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_primitives::Hash;

use super::*;
use crate::testing::peer;
use crate::types::{Announcement, Height, Round};

const MAX_BLOCK: usize = 5 * 1024 * 1024;

fn announce(height: u64, block: &Bytes) -> SignedAnnouncement {
    let init = Announcement {
        height: Height::new(height),
        round: Round::FIRST,
        proposer: [1; 32].into(),
        block_hash: Hash::repeat_byte(9).into(),
        size: block.len() as u32,
        content: sm3(block),
    };
    SignedAnnouncement {
        announcement: init,
        signature: SecretKey::from_seed(b"parts").sign(DEFAULT_ID, b"init"),
    }
}

fn block(length: usize) -> Bytes {
    (0..length).map(|index| (index % 251) as u8).collect::<Vec<_>>().into()
}

fn id(byte: u8) -> StreamId {
    StreamId::new(vec![byte].into())
}

fn parts(stream: u8, height: u64, block: &Bytes) -> Vec<StreamMessage> {
    split(id(stream), &announce(height, block), Form::Whole, block)
}

/// The stream of a block of which this is the compact block.
fn compact_parts(block: &Bytes, compact: &Bytes) -> Vec<StreamMessage> {
    split(id(1), &announce(1, block), Form::Compact(compact.len() as u32), compact)
}

fn data(stream: u8, sequence: u64, bytes: Bytes) -> StreamMessage {
    StreamMessage::new(id(stream), sequence, StreamContent::Data(ProposalPart::Data(bytes)))
}

fn give(assembler: &mut Assembler, from: u8, part: StreamMessage) -> Result<Progress, PartError> {
    assembler.insert(peer(from), part, Instant::now(), |_| Ok(Wanted::Yes))
}

/// Gives all parts; the block must complete with the last and not before.
fn completes(assembler: &mut Assembler, parts: Vec<StreamMessage>) -> Bytes {
    let count = parts.len();
    for (index, part) in parts.into_iter().enumerate() {
        match give(assembler, 1, part).expect("a good part") {
            Progress::Complete(_, bytes) => {
                assert_eq!(index + 1, count, "complete too early");
                return bytes;
            }
            Progress::CompleteCompact(..) => panic!("a whole block was announced"),
            Progress::Pending => assert!(index + 1 < count, "all parts are there"),
        }
    }
    panic!("no parts");
}

#[test]
fn blocks_of_every_size_come_back_whole() {
    for length in [1, MAX_CHUNK_BYTES - 1, MAX_CHUNK_BYTES, MAX_CHUNK_BYTES + 1, 700_000, MAX_BLOCK]
    {
        let block = block(length);
        let mut assembler = Assembler::new(MAX_BLOCK);
        assert_eq!(completes(&mut assembler, parts(1, 1, &block)), block, "{length} bytes");
        assert_eq!(assembler.bytes(), 0, "a complete block is not kept");
    }
}

#[test]
fn order_and_repetition_do_not_matter() {
    let block = block(600_000);
    let mut reversed = parts(1, 1, &block);
    reversed.reverse();
    assert_eq!(completes(&mut Assembler::new(MAX_BLOCK), reversed), block);

    let mut assembler = Assembler::new(MAX_BLOCK);
    let mut all = parts(1, 1, &block);
    let last = all.pop().expect("parts");
    for part in &all {
        for _ in 0..3 {
            assert!(matches!(give(&mut assembler, 1, part.clone()), Ok(Progress::Pending)));
        }
    }
    assert!(matches!(give(&mut assembler, 1, last.clone()), Ok(Progress::Complete(..))));
    assert!(matches!(give(&mut assembler, 1, last), Ok(Progress::Pending)), "once is enough");
    assert_eq!(assembler.bytes(), 0);
}

#[test]
fn publishers_do_not_share_streams() {
    let block = block(300_000);
    let mut assembler = Assembler::new(MAX_BLOCK);
    let all = parts(1, 1, &block);
    for (index, part) in all.iter().enumerate() {
        let from = 1 + (index % 2) as u8;
        assert!(matches!(give(&mut assembler, from, part.clone()), Ok(Progress::Pending)));
    }
}

#[test]
fn bad_parts_are_refused_and_close_their_stream() {
    let block = block(300_000);
    let good = parts(1, 1, &block);
    let announced = announce(1, &block);
    let open = |part: SignedAnnouncement, form| {
        StreamMessage::new(id(1), 0, StreamContent::Data(ProposalPart::Init(Box::new(part), form)))
    };
    let init = |part| open(part, Form::Whole);
    let compact = |size| open(announced.clone(), Form::Compact(size));
    let sized = |size| {
        let mut part = announced.clone();
        part.announcement.size = size;
        init(part)
    };
    let mut misplaced = good[0].clone();
    misplaced.sequence = 1;
    let table: Vec<(&str, Vec<StreamMessage>)> = vec![
        ("an announcement in the middle", vec![misplaced]),
        ("data in front", vec![data(1, 0, block.slice(..10))]),
        ("a part beyond any block", vec![data(1, 41, block.slice(..10))]),
        ("a part without end", vec![data(1, u64::MAX, block.slice(..10))]),
        ("an empty block", vec![sized(0)]),
        ("an oversized block", vec![sized(MAX_BLOCK as u32 + 1)]),
        ("the largest number", vec![sized(u32::MAX)]),
        ("an empty compact block", vec![compact(0)]),
        ("a compact block as long as its block", vec![compact(300_000)]),
        ("a part beyond the compact block", vec![compact(40), data(1, 2, block.slice(..10))]),
        ("a compact block that goes on", vec![compact(40), data(1, 1, block.slice(..41))]),
        ("a part beyond this block", vec![good[0].clone(), data(1, 4, block.slice(..10))]),
        ("a compact part", vec![good[0].clone(), data(1, 1, block.slice(..10))]),
        ("a compact part first", vec![data(1, 1, block.slice(..10)), good[0].clone()]),
        ("a long last part", vec![good[0].clone(), data(1, 3, block.slice(..MAX_CHUNK_BYTES))]),
        (
            "other content",
            vec![
                good[0].clone(),
                good[1].clone(),
                good[2].clone(),
                data(1, 3, block.slice(..300_000 - 2 * MAX_CHUNK_BYTES)),
            ],
        ),
    ];
    for (what, messages) in table {
        let mut assembler = Assembler::new(MAX_BLOCK);
        let results: Vec<_> =
            messages.into_iter().map(|message| give(&mut assembler, 1, message)).collect();
        assert!(results.last().is_some_and(Result::is_err), "{what} was taken");
        assert_eq!(assembler.bytes(), 0, "{what} left bytes behind");
    }
}

#[test]
fn compact_blocks_of_every_size_come_back_as_such() {
    let block = block(700_000);
    for length in [1, MAX_CHUNK_BYTES, MAX_CHUNK_BYTES + 1, 699_999] {
        let compact = block.slice(..length);
        let mut assembler = Assembler::new(MAX_BLOCK);
        let mut parts = compact_parts(&block, &compact);
        let last = parts.pop().expect("parts");
        for part in parts {
            assert!(matches!(give(&mut assembler, 1, part), Ok(Progress::Pending)));
        }
        let Ok(Progress::CompleteCompact(init, found)) = give(&mut assembler, 1, last) else {
            panic!("{length} bytes did not complete");
        };
        assert_eq!((init, found), (announce(1, &block), compact));
        assert_eq!(assembler.bytes(), 0, "a complete compact block is not kept");
    }
}

#[test]
fn what_was_expanded_is_compared_with_what_was_signed() {
    let block = block(1000);
    let announced = announce(1, &block);
    assert!(is_announced(&announced, &block));
    let mut other = block.to_vec();
    other.swap(0, 1);
    assert!(!is_announced(&announced, &other));
    assert!(!is_announced(&announced, &block[..999]));
    assert!(!is_announced(&announced, &[]));
}

#[test]
fn a_refused_announcement_keeps_nothing_of_its_stream() {
    let block = block(300_000);
    for answer in [Err("not its turn".to_owned()), Ok(Wanted::No)] {
        let mut assembler = Assembler::new(MAX_BLOCK);
        for part in parts(1, 1, &block) {
            let answer = answer.clone();
            let result = assembler.insert(peer(1), part, Instant::now(), |_| answer);
            assert!(!matches!(result, Ok(Progress::Complete(..))));
        }
        assert_eq!(assembler.bytes(), 0);
    }
}

#[test]
fn one_publisher_cannot_fill_the_memory() {
    let mut assembler = Assembler::new(MAX_BLOCK);
    let chunk = block(MAX_CHUNK_BYTES);
    for stream in 0..200u8 {
        for sequence in 1..=40 {
            let _ = give(&mut assembler, 1, data(stream, sequence, chunk.clone()));
            assert!(assembler.bytes() <= BLOCKS_PER_PUBLISHER * MAX_BLOCK);
            assert!(assembler.streams[&peer(1)].len() <= MAX_STREAMS);
        }
    }
}

#[test]
fn what_publishers_have_under_way_takes_no_room_of_another() {
    let mut assembler = Assembler::new(MAX_BLOCK);
    let chunk = block(MAX_CHUNK_BYTES);
    for from in 0..127u8 {
        for sequence in 1..=40 {
            let _ = give(&mut assembler, from, data(1, sequence, chunk.clone()));
        }
    }
    let block = block(MAX_BLOCK);
    let mut last = None;
    for part in parts(1, 1, &block) {
        last = Some(give(&mut assembler, 200, part).expect("it has a room of its own"));
    }
    assert!(matches!(last, Some(Progress::Complete(..))));
}

#[test]
fn a_new_stream_pushes_out_its_publishers_oldest() {
    let mut assembler = Assembler::new(MAX_BLOCK);
    let chunk = block(MAX_CHUNK_BYTES);
    let full = (MAX_BLOCK / MAX_CHUNK_BYTES) as u64;
    for stream in 1..=2 {
        for sequence in 1..=full {
            give(&mut assembler, 1, data(stream, sequence, chunk.clone())).expect("room");
        }
    }
    let block = block(MAX_BLOCK);
    let mut last = None;
    for part in parts(3, 1, &block) {
        last = Some(give(&mut assembler, 1, part).expect("streams that do not complete give way"));
    }
    assert!(matches!(last, Some(Progress::Complete(..))));
}

#[test]
fn decided_heights_and_old_streams_are_forgotten() {
    let mut assembler = Assembler::new(MAX_BLOCK);
    let block = block(300_000);
    let now = Instant::now();
    for (stream, height) in [(1, 7), (2, 8)] {
        for part in parts(stream, height, &block).into_iter().take(2) {
            give(&mut assembler, 1, part).expect("a good part");
        }
    }
    assembler.prune(Height::new(8), now, |_| true);
    assert_eq!(assembler.bytes(), MAX_CHUNK_BYTES, "only height 8 is left");
    assembler.prune(Height::new(8), now + MAX_AGE + Duration::from_secs(1), |_| true);
    assert_eq!(assembler.bytes(), 0);
    assert!(assembler.streams.is_empty());
}
