//! How transactions are passed on: one stream a batch, a frame each way.
//!
//! A frame is its length in four bytes, least significant first, and that
//! many bytes of SCALE. Both are checked against bounds before anything is
//! allocated for them. What cannot be read is a value of its own, so that the
//! service can answer it and count it against the peer.

use async_trait::async_trait;
use billchain_primitives::Hash;
use codec::{Compact, Decode, DecodeAll, Encode};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};
use std::io;

/// Longest frame, in bytes: the largest block is 5 MiB, so each transaction
/// that a block may hold fits.
pub const MAX_FRAME_BYTES: usize = 6 << 20;

/// Transactions at most in one batch.
pub const MAX_BATCH_COUNT: usize = 4_096;

/// Bytes of a frame that are reserved before any of them has arrived.
const FIRST_ALLOCATION: usize = 64 << 10;

/// Name of the protocol: nodes with another genesis block share none.
pub fn protocol_name(genesis: &Hash) -> String {
    format!("/billchain/{genesis:x}/transactions/1")
}

/// A batch on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Encoded transactions, at least one.
    Batch(Vec<Vec<u8>>),
    /// What arrived is not a batch.
    Malformed(String),
}

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
    /// The receiver has no room for its sender's next ones now.
    #[codec(index = 3)]
    Later,
    /// The receiver has no room for any.
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

/// Reads a batch out of a frame.
fn decode_batch(frame: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let count = Compact::<u32>::decode(&mut &frame[..])
        .map_err(|error| format!("the count of transactions cannot be read: {error}"))?
        .0 as usize;
    if !(1..=MAX_BATCH_COUNT).contains(&count) {
        return Err(format!("{count} transactions, expected 1 to {MAX_BATCH_COUNT}"));
    }
    Vec::<Vec<u8>>::decode_all(&mut &frame[..])
        .map_err(|error| format!("the batch cannot be decoded: {error}"))
}

/// A frame, or why what arrived is none. An `Err` is the connection's.
pub(super) async fn read_frame<T>(io: &mut T, max: usize) -> io::Result<Result<Vec<u8>, String>>
where
    T: AsyncRead + Unpin + Send,
{
    let mut length = [0; 4];
    if let Err(error) = io.read_exact(&mut length).await {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => Ok(Err("the stream ended before a frame".into())),
            _ => Err(error),
        };
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > max {
        return Ok(Err(format!("a frame of {length} bytes, at most {max} are taken")));
    }
    let mut frame = Vec::with_capacity(length.min(FIRST_ALLOCATION));
    io.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() < length {
        let got = frame.len();
        return Ok(Err(format!("the stream ended after {got} of {length} bytes of a frame")));
    }
    Ok(Ok(frame))
}

pub(super) async fn write_frame<T>(io: &mut T, frame: &[u8]) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
{
    let length = u32::try_from(frame.len())
        .ok()
        .filter(|length| *length as usize <= MAX_FRAME_BYTES)
        .ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a frame of {} bytes, at most {MAX_FRAME_BYTES} are sent", frame.len()),
            )
        })?;
    io.write_all(&length.to_le_bytes()).await?;
    io.write_all(frame).await
}

/// The protocol as libp2p's request-response behaviour runs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Codec;

#[async_trait]
impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Reply;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        Ok(match read_frame(io, MAX_FRAME_BYTES).await?.and_then(|frame| decode_batch(&frame)) {
            Ok(batch) => Request::Batch(batch),
            Err(reason) => Request::Malformed(reason),
        })
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Reply>
    where
        T: AsyncRead + Unpin + Send,
    {
        // The longest outcome takes five bytes.
        read_frame(io, 16 + 5 * MAX_BATCH_COUNT)
            .await?
            .and_then(|frame| {
                Reply::decode_all(&mut &frame[..])
                    .map_err(|error| format!("the answer cannot be decoded: {error}"))
            })
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Request,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        match request {
            Request::Batch(batch) => write_frame(io, &batch.encode()).await,
            Request::Malformed(reason) => Err(io::Error::new(io::ErrorKind::InvalidInput, reason)),
        }
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        reply: Reply,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &reply.encode()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{executor::block_on, io::Cursor};
    use libp2p::request_response::Codec as _;

    fn protocol() -> StreamProtocol {
        StreamProtocol::new("/test")
    }

    fn read(bytes: &[u8]) -> Request {
        block_on(Codec.read_request(&protocol(), &mut Cursor::new(bytes.to_vec()))).unwrap()
    }

    fn framed(payload: &[u8]) -> Vec<u8> {
        [&(payload.len() as u32).to_le_bytes()[..], payload].concat()
    }

    #[test]
    fn a_batch_survives_the_way() {
        let batch = Request::Batch(vec![vec![1; 300], vec![], vec![2]]);
        let mut wire = Vec::new();
        block_on(Codec.write_request(&protocol(), &mut wire, batch.clone())).unwrap();
        assert_eq!(read(&wire), batch);
    }

    #[test]
    fn an_answer_survives_the_way() {
        let outcomes =
            [Outcome::Taken, Outcome::Known, Outcome::Refused(2105), Outcome::Later, Outcome::Full];
        for reply in [Reply::Outcomes(outcomes.to_vec()), Reply::Busy, Reply::Malformed] {
            let mut wire = Vec::new();
            block_on(Codec.write_response(&protocol(), &mut wire, reply.clone())).unwrap();
            let read = block_on(Codec.read_response(&protocol(), &mut Cursor::new(wire))).unwrap();
            assert_eq!(read, reply);
        }
    }

    #[test]
    fn the_wire_form_is_fixed() {
        let mut wire = Vec::new();
        let batch = Request::Batch(vec![vec![0xaa, 0xbb], vec![0xcc]]);
        block_on(Codec.write_request(&protocol(), &mut wire, batch)).unwrap();
        assert_eq!(wire, [6, 0, 0, 0, 8, 8, 0xaa, 0xbb, 4, 0xcc]);
        let reply = Reply::Outcomes(vec![Outcome::Taken, Outcome::Refused(2100)]);
        assert_eq!(reply.encode(), [0, 8, 0, 2, 0x34, 8, 0, 0]);
    }

    #[test]
    fn what_is_not_a_batch_is_told_apart() {
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
                Request::Batch(batch) => panic!("{expected}: taken as {batch:?}"),
            }
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_an_error() {
        for bytes in [vec![], framed(&[9]), framed(&[0, 8, 0]), vec![0xff; 4]] {
            let read = block_on(Codec.read_response(&protocol(), &mut Cursor::new(bytes)));
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn a_frame_beyond_the_bound_is_not_sent() {
        let mut wire = Vec::new();
        let batch = Request::Batch(vec![vec![0; MAX_FRAME_BYTES]]);
        let error = block_on(Codec.write_request(&protocol(), &mut wire, batch)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(wire.is_empty());
    }
}
