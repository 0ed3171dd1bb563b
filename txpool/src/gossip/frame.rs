//! Frames: how every protocol of gossip puts a message on a stream of its own.
//!
//! A frame is its length in four bytes, least significant first, and that
//! many bytes of SCALE. Both are checked against bounds before anything is
//! allocated for them. What cannot be read is a value of its own, so that the
//! service can answer it and count it against the peer.

use async_trait::async_trait;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};
use std::{fmt, io, marker::PhantomData};

/// Longest frame, in bytes: the largest block is 5 MiB, so each transaction
/// that a block may hold fits.
pub const MAX_FRAME_BYTES: usize = 6 << 20;

/// Bytes of a frame that are reserved before any of them has arrived.
const FIRST_ALLOCATION: usize = 64 << 10;

/// What the frames of one protocol hold.
pub(crate) trait Content: Send + 'static {
    type Request: Send;
    type Response: Send;

    /// Longest frame of a request, in bytes.
    const MAX_REQUEST_BYTES: usize;
    /// Longest frame of an answer, in bytes.
    const MAX_RESPONSE_BYTES: usize;

    fn encode_request(request: &Self::Request) -> Vec<u8>;
    /// A request, or what is wrong with the bytes.
    fn decode_request(frame: &[u8]) -> Result<Self::Request, String>;
    fn encode_response(response: &Self::Response) -> Vec<u8>;
    /// An answer, or what is wrong with the bytes.
    fn decode_response(frame: &[u8]) -> Result<Self::Response, String>;
}

/// A request as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received<R> {
    /// One of the protocol.
    Request(R),
    /// What arrived is none, and why.
    Malformed(String),
}

/// A protocol as libp2p's request-response behaviour runs it.
pub(crate) struct Codec<C>(PhantomData<fn() -> C>);

impl<C> Default for Codec<C> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<C> Clone for Codec<C> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<C> fmt::Debug for Codec<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codec")
    }
}

#[async_trait]
impl<C: Content> request_response::Codec for Codec<C> {
    type Protocol = StreamProtocol;
    type Request = Received<C::Request>;
    type Response = C::Response;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Self::Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let frame = read_frame(io, C::MAX_REQUEST_BYTES).await?;
        Ok(match frame.and_then(|frame| C::decode_request(&frame)) {
            Ok(request) => Received::Request(request),
            Err(reason) => Received::Malformed(reason),
        })
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<C::Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_frame(io, C::MAX_RESPONSE_BYTES)
            .await?
            .and_then(|frame| C::decode_response(&frame))
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Self::Request,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        match request {
            Received::Request(request) => {
                write_frame(io, &C::encode_request(&request), C::MAX_REQUEST_BYTES).await
            }
            Received::Malformed(reason) => Err(io::Error::new(io::ErrorKind::InvalidInput, reason)),
        }
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: C::Response,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &C::encode_response(&response), C::MAX_RESPONSE_BYTES).await
    }
}

/// A frame, or why what arrived is none. An `Err` is the connection's.
async fn read_frame<T>(io: &mut T, max: usize) -> io::Result<Result<Vec<u8>, String>>
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

async fn write_frame<T>(io: &mut T, frame: &[u8], max: usize) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
{
    let length = u32::try_from(frame.len())
        .ok()
        .filter(|length| *length as usize <= max)
        .ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a frame of {} bytes, at most {max} are sent", frame.len()),
            )
        })?;
    io.write_all(&length.to_le_bytes()).await?;
    io.write_all(frame).await
}

#[cfg(test)]
pub(super) mod testing {
    //! The ways of one protocol's messages, without a network.

    use super::*;
    use futures::{executor::block_on, io::Cursor};
    use request_response::Codec as _;

    fn protocol() -> StreamProtocol {
        StreamProtocol::new("/test")
    }

    pub(crate) fn read<C: Content>(bytes: &[u8]) -> Received<C::Request> {
        let mut codec = Codec::<C>::default();
        block_on(codec.read_request(&protocol(), &mut Cursor::new(bytes))).unwrap()
    }

    pub(crate) fn read_response<C: Content>(bytes: &[u8]) -> io::Result<C::Response> {
        let mut codec = Codec::<C>::default();
        block_on(codec.read_response(&protocol(), &mut Cursor::new(bytes)))
    }

    pub(crate) fn written<C: Content>(request: C::Request) -> io::Result<Vec<u8>> {
        let (mut codec, mut wire) = (Codec::<C>::default(), Vec::new());
        let request = Received::Request(request);
        block_on(codec.write_request(&protocol(), &mut wire, request)).map(|()| wire)
    }

    pub(crate) fn written_response<C: Content>(response: C::Response) -> io::Result<Vec<u8>> {
        let (mut codec, mut wire) = (Codec::<C>::default(), Vec::new());
        block_on(codec.write_response(&protocol(), &mut wire, response)).map(|()| wire)
    }

    pub(crate) fn framed(payload: &[u8]) -> Vec<u8> {
        [&(payload.len() as u32).to_le_bytes()[..], payload].concat()
    }
}
