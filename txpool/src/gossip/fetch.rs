//! Fetching transactions by their hashes: what a node needs to put together a
//! block that refers to transactions it does not hold.
//!
//! A protocol of its own beside the batches: one stream a request, a frame each
//! way. The request is a list of hashes, the answer the transactions among them
//! that the peer holds or held a short time ago, in any order. Who asks checks
//! that each is one it asked for.

use super::wire::{MAX_FRAME_BYTES, read_frame, write_frame};
use async_trait::async_trait;
use billchain_primitives::{Hash, transaction_hash};
use bytes::Bytes;
use codec::{Compact, Decode, DecodeAll, Encode};
use futures::{AsyncRead, AsyncWrite};
use libp2p::{PeerId, StreamProtocol, request_response};
use std::{
    collections::{HashMap, HashSet},
    io,
};
use tokio::sync::{mpsc, oneshot, watch};

/// Hashes at most in one request: more than a block has transactions.
pub const MAX_FETCH_COUNT: usize = 16_384;

/// Bytes of transactions at most in one answer: more than a block has. The rest
/// of the frame is for their number and lengths.
pub(super) const MAX_ANSWER_BYTES: usize = MAX_FRAME_BYTES - 4 - 4 * MAX_FETCH_COUNT;

/// Peers asked for one set of transactions.
const MAX_ASKED: usize = 3;

/// Name of the protocol: nodes with another genesis block share none.
pub fn fetch_protocol_name(genesis: &Hash) -> String {
    format!("/billchain/{genesis:x}/transactions-by-hash/1")
}

/// A request as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Hashes of transactions, at least one.
    Hashes(Vec<Hash>),
    /// What arrived is no request.
    Malformed(String),
}

/// Encoded transactions.
pub(crate) type Answer = Vec<Bytes>;

fn decode_request(frame: &[u8]) -> Result<Vec<Hash>, String> {
    counted(frame, 1)?;
    Vec::decode_all(&mut &frame[..]).map_err(|error| format!("hashes cannot be decoded: {error}"))
}

fn decode_answer(frame: &[u8]) -> Result<Answer, String> {
    counted(frame, 0)?;
    let transactions = Vec::<Vec<u8>>::decode_all(&mut &frame[..])
        .map_err(|error| format!("transactions cannot be decoded: {error}"))?;
    Ok(transactions.into_iter().map(Bytes::from).collect())
}

/// That the list in the frame has `least` to [`MAX_FETCH_COUNT`] members, before
/// memory is taken for them.
fn counted(frame: &[u8], least: usize) -> Result<(), String> {
    let Compact(count) = Compact::<u32>::decode(&mut &frame[..])
        .map_err(|error| format!("the count cannot be read: {error}"))?;
    if !(least..=MAX_FETCH_COUNT).contains(&(count as usize)) {
        return Err(format!("a list of {count}, expected {least} to {MAX_FETCH_COUNT}"));
    }
    Ok(())
}

/// The protocol as libp2p's request-response behaviour runs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Codec;

#[async_trait]
impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Answer;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let frame = read_frame(io, 4 + 32 * MAX_FETCH_COUNT).await?;
        Ok(match frame.and_then(|frame| decode_request(&frame)) {
            Ok(hashes) => Request::Hashes(hashes),
            Err(reason) => Request::Malformed(reason),
        })
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Answer>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_frame(io, MAX_FRAME_BYTES)
            .await?
            .and_then(|frame| decode_answer(&frame))
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
            Request::Hashes(hashes) => write_frame(io, &hashes.encode()).await,
            Request::Malformed(reason) => Err(io::Error::new(io::ErrorKind::InvalidInput, reason)),
        }
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        answer: Answer,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &answer.encode()).await
    }
}

/// Why a peer's answer is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// There is no connection to it.
    #[error("no connection to the peer")]
    NotConnected,
    /// Too many requests wait for answers.
    #[error("too many requests for transactions are under way")]
    Busy,
    /// It did not answer, or not in the protocol.
    #[error("no answer: {0}")]
    Failed(String),
    /// It sent something else.
    #[error("the peer sent transaction {0:?}, which was not asked for")]
    Foreign(Hash),
    /// Gossip has stopped.
    #[error("transaction gossip has stopped")]
    Stopped,
}

/// A request on its way to the service.
pub(super) struct Ask {
    pub(super) peer: PeerId,
    pub(super) hashes: Vec<Hash>,
    pub(super) answer: oneshot::Sender<Result<Answer, FetchError>>,
}

/// Fetches transactions from peers.
#[derive(Clone, Debug)]
pub struct Fetcher {
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) connected: watch::Receiver<Vec<PeerId>>,
}

impl Fetcher {
    /// The transactions with these hashes, by hash, as far as peers have them:
    /// `first` is asked for all, and some others for what it does not give.
    /// Takes as long as they take; may be dropped at any time.
    pub async fn fetch(&self, first: PeerId, mut missing: HashSet<Hash>) -> HashMap<Hash, Bytes> {
        let mut found = HashMap::new();
        for peer in self.candidates(first) {
            if missing.is_empty() {
                break;
            }
            match self.ask(peer, &missing).await {
                Ok(transactions) => {
                    missing.retain(|hash| !transactions.contains_key(hash));
                    found.extend(transactions);
                }
                Err(reason) => tracing::warn!(
                    %peer, %reason, wanted = missing.len(), "could not fetch transactions"
                ),
            }
        }
        found
    }

    /// Whom to ask, in this order.
    fn candidates(&self, first: PeerId) -> Vec<PeerId> {
        let connected = self.connected.borrow();
        let others = connected.iter().copied().filter(|peer| *peer != first);
        std::iter::once(first).chain(others).take(MAX_ASKED).collect()
    }

    async fn ask(
        &self,
        peer: PeerId,
        missing: &HashSet<Hash>,
    ) -> Result<HashMap<Hash, Bytes>, FetchError> {
        let hashes = missing.iter().copied().take(MAX_FETCH_COUNT).collect();
        let (answer, answered) = oneshot::channel();
        let ask = Ask { peer, hashes, answer };
        self.asks.send(ask).await.map_err(|_| FetchError::Stopped)?;
        let answer = answered.await.map_err(|_| FetchError::Stopped)??;
        by_hash(answer, missing)
    }
}

/// The transactions by their hashes, all of which must be `wanted`.
fn by_hash(answer: Answer, wanted: &HashSet<Hash>) -> Result<HashMap<Hash, Bytes>, FetchError> {
    let keyed = answer.into_iter().map(|bytes| {
        let hash = transaction_hash(&bytes);
        if wanted.contains(&hash) { Ok((hash, bytes)) } else { Err(FetchError::Foreign(hash)) }
    });
    keyed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{executor::block_on, io::Cursor};
    use libp2p::request_response::Codec as _;

    fn protocol() -> StreamProtocol {
        StreamProtocol::new("/test")
    }

    fn read(bytes: Vec<u8>) -> Request {
        block_on(Codec.read_request(&protocol(), &mut Cursor::new(bytes))).unwrap()
    }

    fn read_answer(bytes: Vec<u8>) -> io::Result<Answer> {
        block_on(Codec.read_response(&protocol(), &mut Cursor::new(bytes)))
    }

    fn framed(payload: &[u8]) -> Vec<u8> {
        [&(payload.len() as u32).to_le_bytes()[..], payload].concat()
    }

    fn hashes(count: usize) -> Vec<Hash> {
        (0..count).map(|number| Hash::from_low_u64_be(number as u64)).collect()
    }

    #[test]
    fn requests_and_answers_survive_the_way() {
        for count in [1, 3, MAX_FETCH_COUNT] {
            let request = Request::Hashes(hashes(count));
            let mut wire = Vec::new();
            block_on(Codec.write_request(&protocol(), &mut wire, request.clone())).unwrap();
            assert_eq!(read(wire), request);
        }
        for answer in [vec![], vec![Bytes::from(vec![1; 300]), Bytes::new()]] {
            let mut wire = Vec::new();
            block_on(Codec.write_response(&protocol(), &mut wire, answer.clone())).unwrap();
            assert_eq!(read_answer(wire).unwrap(), answer);
        }
    }

    #[test]
    fn the_wire_form_is_fixed() {
        let mut wire = Vec::new();
        let request = Request::Hashes(vec![Hash::repeat_byte(7)]);
        block_on(Codec.write_request(&protocol(), &mut wire, request)).unwrap();
        assert_eq!(wire, [&[33, 0, 0, 0, 4][..], &[7; 32]].concat());
        let mut wire = Vec::new();
        let answer = vec![Bytes::from_static(&[0xaa, 0xbb])];
        block_on(Codec.write_response(&protocol(), &mut wire, answer)).unwrap();
        assert_eq!(wire, [4, 0, 0, 0, 4, 8, 0xaa, 0xbb]);
    }

    #[test]
    fn what_is_no_request_is_told_apart() {
        let mut trailing = hashes(1).encode();
        trailing.push(0);
        for (bytes, expected) in [
            (vec![], "ended before a frame"),
            (vec![0xff; 8], "a frame of 4294967295 bytes"),
            (framed(&[]), "count cannot be read"),
            (framed(&[0]), "a list of 0, expected 1 to 16384"),
            (framed(&Compact(MAX_FETCH_COUNT as u32 + 1).encode()), "a list of 16385"),
            (framed(&[8; 40]), "cannot be decoded"),
            (framed(&trailing), "cannot be decoded"),
        ] {
            match read(bytes) {
                Request::Malformed(reason) => {
                    assert!(reason.contains(expected), "{expected}: {reason}");
                }
                Request::Hashes(hashes) => panic!("{expected}: taken as {hashes:?}"),
            }
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_an_error() {
        // Millions of empty transactions would take many times their bytes.
        let many = framed(&Compact(MAX_FETCH_COUNT as u32 + 1).encode());
        for bytes in [vec![], framed(&[4, 9]), framed(&[0, 0]), many, vec![0xff; 4]] {
            assert_eq!(read_answer(bytes).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn the_longest_answer_fits_into_a_frame() {
        let each = MAX_ANSWER_BYTES / MAX_FETCH_COUNT;
        let answer = vec![Bytes::from(vec![1; each]); MAX_FETCH_COUNT];
        assert!(answer.encode().len() <= MAX_FRAME_BYTES);
    }

    #[test]
    fn what_was_not_asked_for_spoils_the_answer() {
        let asked = Bytes::from_static(b"asked");
        let wanted = HashSet::from([transaction_hash(&asked)]);
        let found = by_hash(vec![asked.clone()], &wanted).unwrap();
        assert_eq!(found, HashMap::from([(transaction_hash(&asked), asked.clone())]));
        assert_eq!(by_hash(vec![], &wanted), Ok(HashMap::new()), "a peer may have nothing");
        let other = Bytes::from_static(b"other");
        let error = by_hash(vec![asked, other.clone()], &wanted).unwrap_err();
        assert_eq!(error, FetchError::Foreign(transaction_hash(&other)));
    }

    #[test]
    fn the_first_is_asked_first_and_few_others() {
        let (asks, _receiver) = mpsc::channel(1);
        let peers: Vec<PeerId> = (0..10).map(|_| PeerId::random()).collect();
        let (_sender, connected) = watch::channel(peers.clone());
        let fetcher = Fetcher { asks, connected };
        assert_eq!(fetcher.candidates(peers[4]), [peers[4], peers[0], peers[1]]);
        let stranger = PeerId::random();
        assert_eq!(fetcher.candidates(stranger), [stranger, peers[0], peers[1]]);
    }
}
