//! Questions and answers, in SCALE. Every length is checked before memory is taken for it.

use billchain_primitives::Hash;
use billchain_storage::{CopyTable, Entries, MAX_OPERATIONS_REQUEST_BYTES, SyncTarget};
use codec::{Compact, Decode, DecodeAll, Encode, Input};

/// Bytes of entries, or of blocks, in one answer; a longer one travels alone.
pub const PAGE_BYTES: usize = 1 << 20;

/// Most entries in one answer.
pub const MAX_ENTRIES: usize = 1 << 16;

/// Bytes of a piece of a segment's file.
pub const PIECE_BYTES: usize = 1 << 20;

/// Longest key of the state, the index or the cold part: a segment stands before what the keys
/// of a cold group share.
pub const MAX_KEY_BYTES: usize = (1 << 10) + 16;

/// Longest encoded question.
pub const MAX_QUESTION_BYTES: usize = 2 << 10;

/// Longest encoded answer: one entry or block of the largest kind, alone.
pub const MAX_ANSWER_BYTES: usize = 7 << 20;

/// Targets in one answer.
pub const MAX_TARGETS: usize = 4;

/// Blocks in one answer.
pub const MAX_BLOCKS: usize = 256;

/// Changes of the validators in one answer.
pub const MAX_CHANGES: usize = 64;

/// What a node asks of another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Question {
    /// The states that it serves. Answer: [`Targets`].
    Targets,
    /// Headers after block `after` that name other validators, ascending. Answer:
    /// [`Changes`].
    Changes {
        /// Number of a block.
        after: u32,
    },
    /// Blocks below this number, the newest first. Answer: [`Blocks`].
    Blocks {
        /// Number of a block.
        below: u32,
    },
    /// Operations of a state commitment. Answer: bytes in QMDB's encoding.
    Operations {
        /// The block of the state.
        block: u32,
        /// The request in QMDB's encoding.
        request: Request,
    },
    /// Entries of a table above a key. Answer: [`Page`].
    Page(PageOf),
    /// SM3 of the answer to [`Question::Page`] with the same contents.
    Digest(PageOf),
    /// A piece of the file of a cold segment. Answer: [`Piece`].
    Piece(PieceOf),
}

/// Which piece of which file: that of a segment of a run with this root.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PieceOf {
    /// The run.
    pub run: u64,
    /// The segment's place in the run.
    pub index: u32,
    /// Root over its groups.
    pub root: Hash,
    /// Where the piece begins.
    pub offset: u64,
}

/// A request of QMDB.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Request(pub Vec<u8>);

impl Decode for Request {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Ok(Self(bytes(input, MAX_OPERATIONS_REQUEST_BYTES)?))
    }
}

/// Which entries.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct PageOf {
    /// The block of the copy.
    pub block: u32,
    /// The table.
    pub table: CopyTable,
    /// Keys above this one.
    pub after: Vec<u8>,
}

impl Decode for PageOf {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let (block, table) = Decode::decode(input)?;
        Ok(Self { block, table, after: bytes(input, MAX_KEY_BYTES)? })
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum Refusal {
    /// It is no question.
    #[error("it does not understand the question")]
    Malformed,
    /// It does not serve this state, no more or not yet.
    #[error("it does not serve this state")]
    NotServed,
    /// It does not keep this block.
    #[error("it keeps blocks from {first} on")]
    NotKept {
        /// The oldest that it keeps.
        first: u32,
    },
    /// Its index lacks something itself.
    #[error("its own index is not whole")]
    IndexNotWhole,
    /// It failed.
    #[error("it failed; its log says why")]
    Failed,
}

/// The states that are served, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Targets(pub Vec<SyncTarget>);

impl Decode for Targets {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        list(input, MAX_TARGETS).map(Self)
    }
}

/// A block, or its header, and the certificate that it was decided by, all encoded.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Certified {
    /// The block or the header.
    pub bytes: Vec<u8>,
    /// The commit certificate.
    pub certificate: Vec<u8>,
}

impl Decode for Certified {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let block = bytes(input, MAX_ANSWER_BYTES)?;
        Ok(Self { bytes: block, certificate: bytes(input, MAX_CERTIFICATE_BYTES)? })
    }
}

/// Longest certificate: of 64 validators.
const MAX_CERTIFICATE_BYTES: usize = 8 << 10;

/// Headers that name other validators, ascending.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Changes(pub Vec<Certified>);

impl Decode for Changes {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        list(input, MAX_CHANGES).map(Self)
    }
}

/// Blocks, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Blocks(pub Vec<Certified>);

impl Decode for Blocks {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        list(input, MAX_BLOCKS).map(Self)
    }
}

/// Entries of a table, in the order of keys; none behind the last.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Page(pub Entries);

impl Decode for Page {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        struct Entry(Vec<u8>, Vec<u8>);
        impl Decode for Entry {
            fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
                Ok(Self(bytes(input, MAX_KEY_BYTES)?, bytes(input, MAX_ANSWER_BYTES)?))
            }
        }
        let entries: Vec<Entry> = list(input, MAX_ENTRIES)?;
        Ok(Self(entries.into_iter().map(|Entry(key, value)| (key, value)).collect()))
    }
}

/// A piece of a file, [`PIECE_BYTES`] at most, one byte at least.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Piece {
    /// Length of the whole file.
    pub length: u64,
    /// The piece.
    pub bytes: Vec<u8>,
}

impl Decode for Piece {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Ok(Self { length: Decode::decode(input)?, bytes: bytes(input, PIECE_BYTES)? })
    }
}

/// An encoded question taken apart.
pub fn question(bytes: &[u8]) -> Result<Question, Refusal> {
    if bytes.len() > MAX_QUESTION_BYTES {
        return Err(Refusal::Malformed);
    }
    Question::decode_all(&mut &bytes[..]).map_err(|_| Refusal::Malformed)
}

/// An answer as it travels.
pub fn encode_answer<T: Encode>(answer: Result<T, Refusal>) -> Vec<u8> {
    answer.encode()
}

/// An answer taken apart; words on what is wrong with it.
pub fn answer<T: Decode>(bytes: &[u8]) -> Result<Result<T, Refusal>, String> {
    if bytes.len() > MAX_ANSWER_BYTES {
        return Err(format!("{} bytes, at most {MAX_ANSWER_BYTES} may be", bytes.len()));
    }
    Result::decode_all(&mut &bytes[..]).map_err(|error| error.to_string())
}

/// Opaque bytes of an answer, for what is decoded elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct Opaque(pub Vec<u8>);

impl Decode for Opaque {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Ok(Self(bytes(input, MAX_ANSWER_BYTES)?))
    }
}

/// At most so many bytes, and no more than there are.
fn bytes<I: Input>(input: &mut I, most: usize) -> Result<Vec<u8>, codec::Error> {
    let Compact(length) = <Compact<u32>>::decode(input)?;
    let length = length as usize;
    let left = input.remaining_len()?.unwrap_or(most);
    if length > most.min(left) {
        return Err("longer than the protocol allows, or than the message".into());
    }
    let mut bytes = vec![0; length];
    input.read(&mut bytes)?;
    Ok(bytes)
}

/// At most so many items, for which memory is taken as they come.
fn list<T: Decode, I: Input>(input: &mut I, most: usize) -> Result<Vec<T>, codec::Error> {
    let Compact(count) = <Compact<u32>>::decode(input)?;
    if count as usize > most {
        return Err("more items than the protocol allows".into());
    }
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(T::decode(input)?);
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn page_of() -> PageOf {
        PageOf { block: 9, table: CopyTable::State, after: vec![1; MAX_KEY_BYTES] }
    }

    #[test]
    fn questions_read_back_and_what_is_cut_or_longer_does_not() {
        for known in [
            Question::Targets,
            Question::Changes { after: 7 },
            Question::Blocks { below: 7 },
            Question::Operations {
                block: 3,
                request: Request(vec![5; MAX_OPERATIONS_REQUEST_BYTES]),
            },
            Question::Page(page_of()),
            Question::Digest(page_of()),
            Question::Piece(PieceOf { run: 3, index: 1, root: Hash::repeat_byte(7), offset: 9 }),
        ] {
            let bytes = known.encode();
            assert_eq!(question(&bytes), Ok(known));
            for cut in 0..bytes.len() {
                assert_eq!(question(&bytes[..cut]), Err(Refusal::Malformed));
            }
            assert_eq!(question(&[&bytes[..], &[0]].concat()), Err(Refusal::Malformed));
        }
        let long = Question::Page(PageOf { after: vec![1; MAX_KEY_BYTES + 1], ..page_of() });
        assert_eq!(question(&long.encode()), Err(Refusal::Malformed));
        assert_eq!(question(&[0; MAX_QUESTION_BYTES + 1]), Err(Refusal::Malformed));
    }

    fn reads_back<T: Encode + Decode + PartialEq + Debug + Clone>(known: T) {
        let bytes = encode_answer(Ok(known.clone()));
        assert_eq!(answer::<T>(&bytes), Ok(Ok(known)));
        for cut in 0..bytes.len().min(64) {
            assert!(answer::<T>(&bytes[..cut]).is_err());
        }
        assert!(answer::<T>(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn answers_read_back() {
        let certified = Certified { bytes: vec![1; 9], certificate: vec![2; 9] };
        reads_back(Targets(Vec::new()));
        reads_back(Changes(vec![certified.clone(); MAX_CHANGES]));
        reads_back(Blocks(vec![certified; MAX_BLOCKS]));
        reads_back(Page(vec![(vec![1], vec![2; 99]), (vec![3], Vec::new())]));
        reads_back(Opaque(vec![7; 99]));
        reads_back(Piece { length: 1 << 40, bytes: vec![7; 99] });
        let long = Piece { length: 1 << 40, bytes: vec![7; PIECE_BYTES + 1] };
        assert!(answer::<Piece>(&encode_answer(Ok(long))).is_err());
        for refusal in [Refusal::NotServed, Refusal::NotKept { first: 9 }, Refusal::Failed] {
            let bytes = encode_answer::<Opaque>(Err(refusal));
            assert_eq!(answer::<Opaque>(&bytes), Ok(Err(refusal)));
        }
    }

    #[test]
    fn a_list_or_a_length_beyond_its_bound_is_refused_before_its_contents() {
        let claims = |count: usize| [vec![0], Compact(count as u32).encode()].concat();
        let longer = |bytes: &[u8]| {
            assert!(answer::<Targets>(bytes).is_err());
            assert!(answer::<Blocks>(bytes).is_err());
            assert!(answer::<Page>(bytes).is_err());
            assert!(answer::<Opaque>(bytes).is_err());
        };
        longer(&claims(MAX_ENTRIES + 1));
        longer(&claims(u32::MAX as usize));
        assert!(answer::<Blocks>(&claims(MAX_BLOCKS + 1)).is_err());
    }
}
