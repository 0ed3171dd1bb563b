//! What nodes say to each other when they pass on transactions: a batch, and
//! what became of each of them.

use crate::gossip::frame::{self, Content, MAX_FRAME_BYTES};
use billchain_primitives::Hash;
use codec::{Compact, Decode, DecodeAll, Encode};

/// Transactions at most in one batch.
pub const MAX_BATCH_COUNT: usize = 4_096;

/// Name of the protocol: nodes with another genesis block or other rules share none.
pub fn protocol_name(genesis: &Hash, rules: u32) -> String {
    format!("/billchain/{genesis:x}/rules-{rules}/transactions/1")
}

/// Encoded transactions, at least one.
pub(crate) type Batch = Vec<Vec<u8>>;

/// A request as it arrives.
pub(crate) type Request = frame::Received<Batch>;

/// The protocol on the wire.
pub(crate) type Codec = frame::Codec<Batches>;

/// What the receiver did with one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Outcome {
    /// It is in the receiver's pool.
    #[codec(index = 0)]
    Taken,
    /// The receiver has it, or a block has.
    #[codec(index = 1)]
    Known,
    /// The receiver's rules refuse it, with the code of the reason.
    #[codec(index = 2)]
    Refused(i32),
    /// The receiver has no room for more of its sender's now.
    #[codec(index = 3)]
    Later,
    /// The receiver can take none, whoever sent it.
    #[codec(index = 4)]
    Full,
}

/// Answer to a batch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Reply {
    /// One outcome a transaction, in their order.
    #[codec(index = 0)]
    Outcomes(Vec<Outcome>),
    /// Nothing was looked at: too much is in work already.
    #[codec(index = 1)]
    Busy,
    /// The frame was not a batch.
    #[codec(index = 2)]
    Malformed,
}

/// What the frames hold: batches, and answers to them.
pub(crate) struct Batches;

impl Content for Batches {
    type Request = Batch;
    type Response = Reply;

    const MAX_REQUEST_BYTES: usize = MAX_FRAME_BYTES;
    // The longest outcome takes five bytes.
    const MAX_RESPONSE_BYTES: usize = 16 + 5 * MAX_BATCH_COUNT;

    fn encode_request(batch: &Batch) -> Vec<u8> {
        batch.encode()
    }

    fn decode_request(frame: &[u8]) -> Result<Batch, String> {
        let count = Compact::<u32>::decode(&mut &frame[..])
            .map_err(|error| format!("the count of transactions cannot be read: {error}"))?
            .0 as usize;
        if !(1..=MAX_BATCH_COUNT).contains(&count) {
            return Err(format!("{count} transactions, expected 1 to {MAX_BATCH_COUNT}"));
        }
        Vec::<Vec<u8>>::decode_all(&mut &frame[..])
            .map_err(|error| format!("the batch cannot be decoded: {error}"))
    }

    fn encode_response(reply: &Reply) -> Vec<u8> {
        reply.encode()
    }

    fn decode_response(frame: &[u8]) -> Result<Reply, String> {
        Reply::decode_all(&mut &frame[..])
            .map_err(|error| format!("the answer cannot be decoded: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gossip::frame::testing;
    use std::io;

    fn read(bytes: &[u8]) -> Request {
        testing::read::<Batches>(bytes)
    }

    #[test]
    fn a_batch_survives_the_way() {
        let batch = vec![vec![1; 300], vec![], vec![2]];
        let wire = testing::written::<Batches>(batch.clone()).unwrap();
        assert_eq!(read(&wire), Request::Request(batch));
    }

    #[test]
    fn an_answer_survives_the_way() {
        let outcomes =
            [Outcome::Taken, Outcome::Known, Outcome::Refused(2105), Outcome::Later, Outcome::Full];
        for reply in [Reply::Outcomes(outcomes.to_vec()), Reply::Busy, Reply::Malformed] {
            let wire = testing::written_response::<Batches>(reply.clone()).unwrap();
            assert_eq!(testing::read_response::<Batches>(&wire).unwrap(), reply);
        }
    }

    #[test]
    fn the_wire_form_is_fixed() {
        let wire = testing::written::<Batches>(vec![vec![0xaa, 0xbb], vec![0xcc]]).unwrap();
        assert_eq!(wire, [6, 0, 0, 0, 8, 8, 0xaa, 0xbb, 4, 0xcc]);
        let reply = Reply::Outcomes(vec![Outcome::Taken, Outcome::Refused(2100)]);
        assert_eq!(reply.encode(), [0, 8, 0, 2, 0x34, 8, 0, 0]);
    }

    #[test]
    fn what_is_not_a_batch_is_told_apart() {
        let framed = testing::framed;
        let too_many = vec![Vec::<u8>::new(); MAX_BATCH_COUNT + 1].encode();
        let mut trailing = vec![vec![1u8]].encode();
        trailing.push(0);
        for (bytes, expected) in [
            (vec![], "ended before a frame"),
            (vec![1, 0], "ended before a frame"),
            (vec![0xff; 8], "a frame of 4294967295 bytes"),
            (vec![9, 0, 0, 0, 1], "after 1 of 9 bytes"),
            (framed(&[]), "count of transactions cannot be read"),
            (framed(&[0]), "0 transactions, expected 1 to 4096"),
            (framed(&too_many), "4097 transactions"),
            (framed(&[4, 0xff, 0xff, 0xff]), "cannot be decoded"),
            (framed(&trailing), "cannot be decoded"),
        ] {
            match read(&bytes) {
                Request::Malformed(reason) => {
                    assert!(reason.contains(expected), "{expected}: {reason}");
                }
                Request::Request(batch) => panic!("{expected}: taken as {batch:?}"),
            }
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_an_error() {
        let framed = testing::framed;
        for bytes in [vec![], framed(&[9]), framed(&[0, 8, 0]), vec![0xff; 4]] {
            let error = testing::read_response::<Batches>(&bytes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn a_frame_beyond_the_bound_is_not_sent() {
        let error = testing::written::<Batches>(vec![vec![0; MAX_FRAME_BYTES]]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
