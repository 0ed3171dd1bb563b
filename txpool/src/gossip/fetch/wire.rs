//! What nodes ask each other for by hash, and answer.

use crate::gossip::frame::{self, Content, MAX_FRAME_BYTES};
use billchain_primitives::Hash;
use bytes::Bytes;
use codec::{Compact, Decode, DecodeAll, Encode};

/// Hashes at most in one request: more than a block has transactions.
pub const MAX_FETCH_COUNT: usize = 16_384;

/// Bytes of transactions at most in one answer: more than a block has. The rest
/// of the frame is for their number and lengths.
pub(super) const MAX_ANSWER_BYTES: usize = MAX_FRAME_BYTES - 5 - 4 * MAX_FETCH_COUNT;

/// Name of the protocol: nodes with another genesis block or other rules share none.
pub fn fetch_protocol_name(genesis: &Hash, rules: u32) -> String {
    format!("/billchain/{genesis:x}/rules-{rules}/transactions-by-hash/2")
}

/// Hashes of transactions, at least one, in ascending order and none twice.
pub(crate) type Hashes = Vec<Hash>;

/// A request as it arrives.
pub(crate) type Request = frame::Received<Hashes>;

/// The protocol on the wire.
pub(crate) type Codec = frame::Codec<ByHash>;

/// Answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Answer {
    /// Encoded transactions: those of the request that the peer has, in any
    /// order.
    #[codec(index = 0)]
    Transactions(Vec<Bytes>),
    /// The asker has had as much as it may for now.
    #[codec(index = 1)]
    Later {
        /// Milliseconds until it may ask again.
        after_ms: u32,
    },
}

/// What the frames hold: hashes, and transactions.
pub(crate) struct ByHash;

impl Content for ByHash {
    type Request = Hashes;
    type Response = Answer;

    const MAX_REQUEST_BYTES: usize = 4 + 32 * MAX_FETCH_COUNT;
    const MAX_RESPONSE_BYTES: usize = MAX_FRAME_BYTES;

    fn encode_request(hashes: &Hashes) -> Vec<u8> {
        hashes.encode()
    }

    fn decode_request(frame: &[u8]) -> Result<Hashes, String> {
        counted(frame, 1)?;
        let hashes = Hashes::decode_all(&mut &frame[..])
            .map_err(|error| format!("hashes cannot be decoded: {error}"))?;
        match hashes.windows(2).find(|pair| pair[0] >= pair[1]) {
            None => Ok(hashes),
            Some([one, other]) if one == other => Err(format!("hash {one:?} is asked for twice")),
            Some(_) => Err("hashes are not in ascending order".into()),
        }
    }

    fn encode_response(answer: &Answer) -> Vec<u8> {
        answer.encode()
    }

    fn decode_response(frame: &[u8]) -> Result<Answer, String> {
        if let [0, list @ ..] = frame {
            counted(list, 0)?;
        }
        Answer::decode_all(&mut &frame[..])
            .map_err(|error| format!("the answer cannot be decoded: {error}"))
    }
}

/// That a list has `least` to [`MAX_FETCH_COUNT`] members, before memory is
/// taken for them.
fn counted(list: &[u8], least: usize) -> Result<(), String> {
    let Compact(count) = Compact::<u32>::decode(&mut &list[..])
        .map_err(|error| format!("the count cannot be read: {error}"))?;
    if !(least..=MAX_FETCH_COUNT).contains(&(count as usize)) {
        return Err(format!("a list of {count}, expected {least} to {MAX_FETCH_COUNT}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gossip::frame::testing::{self, framed};
    use std::io;

    fn hashes(count: usize) -> Hashes {
        (0..count).map(|number| Hash::from_low_u64_be(number as u64)).collect()
    }

    #[test]
    fn requests_and_answers_survive_the_way() {
        for count in [1, 3, MAX_FETCH_COUNT] {
            let wire = testing::written::<ByHash>(hashes(count)).unwrap();
            assert_eq!(testing::read::<ByHash>(&wire), Request::Request(hashes(count)));
        }
        for answer in [
            Answer::Transactions(vec![]),
            Answer::Transactions(vec![Bytes::from(vec![1; 300]), Bytes::new()]),
            Answer::Later { after_ms: 1_500 },
        ] {
            let wire = testing::written_response::<ByHash>(answer.clone()).unwrap();
            assert_eq!(testing::read_response::<ByHash>(&wire).unwrap(), answer);
        }
    }

    #[test]
    fn the_wire_form_is_fixed() {
        let wire = testing::written::<ByHash>(vec![Hash::repeat_byte(7)]).unwrap();
        assert_eq!(wire, [&[33, 0, 0, 0, 4][..], &[7; 32]].concat());
        let answer = Answer::Transactions(vec![Bytes::from_static(&[0xaa, 0xbb])]);
        let wire = testing::written_response::<ByHash>(answer).unwrap();
        assert_eq!(wire, [5, 0, 0, 0, 0, 4, 8, 0xaa, 0xbb]);
        let wire = testing::written_response::<ByHash>(Answer::Later { after_ms: 258 }).unwrap();
        assert_eq!(wire, [5, 0, 0, 0, 1, 2, 1, 0, 0]);
    }

    #[test]
    fn what_is_no_request_is_told_apart() {
        let mut trailing = hashes(1).encode();
        trailing.push(0);
        let twice = vec![Hash::repeat_byte(7), Hash::repeat_byte(7)];
        let descending = vec![Hash::repeat_byte(7), Hash::repeat_byte(6)];
        for (bytes, expected) in [
            (vec![], "ended before a frame"),
            (vec![0xff; 8], "a frame of 4294967295 bytes"),
            (framed(&[]), "count cannot be read"),
            (framed(&[0]), "a list of 0, expected 1 to 16384"),
            (framed(&Compact(MAX_FETCH_COUNT as u32 + 1).encode()), "a list of 16385"),
            (framed(&[8; 40]), "cannot be decoded"),
            (framed(&trailing), "cannot be decoded"),
            (framed(&twice.encode()), "is asked for twice"),
            (framed(&descending.encode()), "not in ascending order"),
        ] {
            match testing::read::<ByHash>(&bytes) {
                Request::Malformed(reason) => {
                    assert!(reason.contains(expected), "{expected}: {reason}");
                }
                Request::Request(hashes) => panic!("{expected}: taken as {hashes:?}"),
            }
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_an_error() {
        // Millions of empty transactions would take many times their bytes.
        let many = [&[0][..], &Compact(MAX_FETCH_COUNT as u32 + 1).encode()].concat();
        for bytes in [
            vec![],
            framed(&[0, 4, 9]),
            framed(&[0, 0, 0]),
            framed(&many),
            framed(&[2]),
            vec![0xff; 4],
        ] {
            let error = testing::read_response::<ByHash>(&bytes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn the_longest_answer_fits_into_a_frame() {
        let each = MAX_ANSWER_BYTES / MAX_FETCH_COUNT;
        let answer = Answer::Transactions(vec![Bytes::from(vec![1; each]); MAX_FETCH_COUNT]);
        assert!(answer.encode().len() <= MAX_FRAME_BYTES);
    }
}
