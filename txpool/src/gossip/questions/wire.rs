//! Questions and answers as they are sent: bytes that gossip does not read.

use crate::gossip::frame::{self, Content};
use billchain_primitives::Hash;
use bytes::Bytes;
use codec::{Decode, DecodeAll, Encode};

/// Bytes of a question at most.
pub const MAX_QUESTION_BYTES: usize = 4 << 10;

/// Bytes of an answer at most.
pub const MAX_ANSWER_BYTES: usize = 8 << 20;

/// Name of the protocol: nodes with another genesis block share none. Nodes of other
/// rules do, so that a node may ask peers of another release.
pub fn questions_protocol_name(genesis: &Hash) -> String {
    format!("/billchain/{genesis:x}/questions/1")
}

/// A question as it arrives.
pub(crate) type Request = frame::Received<Vec<u8>>;

/// The protocol on the wire.
pub(crate) type Codec = frame::Codec<Opaque>;

/// Answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Answer {
    /// What the node says.
    #[codec(index = 0)]
    Bytes(Bytes),
    /// As many questions are under way as may be.
    #[codec(index = 1)]
    Busy,
    /// The asker has had as much as it may for now.
    #[codec(index = 2)]
    Later {
        /// Milliseconds until it may ask again.
        after_ms: u32,
    },
    /// The node answers no questions.
    #[codec(index = 3)]
    Unserved,
    /// The node answers questions, but not this one.
    #[codec(index = 4)]
    Unanswered,
}

/// What the frames hold: bytes each way.
pub(crate) struct Opaque;

impl Content for Opaque {
    type Request = Vec<u8>;
    type Response = Answer;

    // The length of the longest takes two bytes.
    const MAX_REQUEST_BYTES: usize = 2 + MAX_QUESTION_BYTES;
    // A byte of the kind, and four of the length of the longest.
    const MAX_RESPONSE_BYTES: usize = 5 + MAX_ANSWER_BYTES;

    fn encode_request(question: &Vec<u8>) -> Vec<u8> {
        question.encode()
    }

    fn decode_request(frame: &[u8]) -> Result<Vec<u8>, String> {
        Vec::<u8>::decode_all(&mut &frame[..])
            .map_err(|error| format!("the question cannot be decoded: {error}"))
    }

    fn encode_response(answer: &Answer) -> Vec<u8> {
        answer.encode()
    }

    fn decode_response(frame: &[u8]) -> Result<Answer, String> {
        Answer::decode_all(&mut &frame[..])
            .map_err(|error| format!("the answer cannot be decoded: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gossip::frame::testing::{self, framed};
    use codec::Compact;
    use std::io;

    #[test]
    fn questions_and_answers_survive_the_way() {
        for length in [0, 1, 64, MAX_QUESTION_BYTES] {
            let question = vec![7; length];
            let wire = testing::written::<Opaque>(question.clone()).unwrap();
            assert_eq!(testing::read::<Opaque>(&wire), Request::Request(question), "{length}");
        }
        for answer in [
            Answer::Bytes(Bytes::new()),
            Answer::Bytes(Bytes::from(vec![1; MAX_ANSWER_BYTES])),
            Answer::Busy,
            Answer::Later { after_ms: 1_500 },
            Answer::Unserved,
            Answer::Unanswered,
        ] {
            let wire = testing::written_response::<Opaque>(answer.clone()).unwrap();
            assert_eq!(testing::read_response::<Opaque>(&wire).unwrap(), answer);
        }
    }

    #[test]
    fn the_wire_form_is_fixed() {
        let wire = testing::written::<Opaque>(vec![0xaa, 0xbb]).unwrap();
        assert_eq!(wire, [3, 0, 0, 0, 8, 0xaa, 0xbb]);
        for (answer, expected) in [
            (Answer::Bytes(Bytes::from_static(&[0xaa])), &[3, 0, 0, 0, 0, 4, 0xaa][..]),
            (Answer::Busy, &[1, 0, 0, 0, 1]),
            (Answer::Later { after_ms: 258 }, &[5, 0, 0, 0, 2, 2, 1, 0, 0]),
            (Answer::Unserved, &[1, 0, 0, 0, 3]),
            (Answer::Unanswered, &[1, 0, 0, 0, 4]),
        ] {
            assert_eq!(testing::written_response::<Opaque>(answer).unwrap(), expected);
        }
    }

    #[test]
    fn the_name_has_the_chain_and_no_rules() {
        let name = questions_protocol_name(&Hash::repeat_byte(0xab));
        assert_eq!(name, format!("/billchain/{}/questions/1", "ab".repeat(32)));
    }

    #[test]
    fn what_is_too_long_is_neither_sent_nor_read() {
        let long = vec![0; MAX_QUESTION_BYTES + 1];
        assert!(testing::written::<Opaque>(long.clone()).is_err());
        match testing::read::<Opaque>(&framed(&long.encode())) {
            Request::Malformed(reason) => assert!(reason.contains("at most 4098"), "{reason}"),
            Request::Request(_) => panic!("a question of {} bytes is taken", long.len()),
        }
        let long = Answer::Bytes(Bytes::from(vec![0; MAX_ANSWER_BYTES + 1]));
        assert!(testing::written_response::<Opaque>(long.clone()).is_err());
        let error = testing::read_response::<Opaque>(&framed(&long.encode())).unwrap_err();
        assert!(error.to_string().contains("at most 8388613"), "{error}");
    }

    #[test]
    fn what_is_no_question_is_told_apart() {
        for (bytes, expected) in [
            (vec![], "ended before a frame"),
            (vec![0xff; 8], "a frame of 4294967295 bytes"),
            (framed(&[8, 1, 2])[..6].to_vec(), "ended after 2 of 3 bytes"),
            (framed(&[]), "cannot be decoded"),
            (framed(&[8, 1]), "cannot be decoded"),
            (framed(&[4, 1, 2]), "cannot be decoded"),
            // A length that says more than memory has.
            (framed(&Compact(u32::MAX).encode()), "cannot be decoded"),
        ] {
            match testing::read::<Opaque>(&bytes) {
                Request::Malformed(reason) => {
                    assert!(reason.contains(expected), "{expected}: {reason}");
                }
                Request::Request(question) => panic!("{expected}: taken as {question:?}"),
            }
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_an_error() {
        let endless = [&[0][..], &Compact(u32::MAX).encode()].concat();
        for bytes in [
            vec![],
            vec![0xff; 4],
            framed(&[]),
            framed(&[0, 8, 1]),
            framed(&[1, 1]),
            framed(&[2, 1]),
            framed(&[5]),
            framed(&endless),
        ] {
            let error = testing::read_response::<Opaque>(&bytes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}
