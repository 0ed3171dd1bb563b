//! The asker's side: whom to ask for what.

use super::{FetchError, MAX_FETCH_COUNT};
use crate::gossip::lines::{Lines, Topic};
use billchain_primitives::{Hash, transaction_hashes};
use bytes::Bytes;
use libp2p::PeerId;
use std::collections::{HashMap, HashSet};
use tokio::sync::{mpsc, oneshot, watch};

/// Peers asked for one set of transactions.
const MAX_ASKED: usize = 3;

/// A request on its way to the service.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(super) peer: PeerId,
    /// In ascending order.
    pub(super) hashes: Vec<Hash>,
    pub(super) answer: oneshot::Sender<Result<Vec<Bytes>, FetchError>>,
}

/// Fetches transactions from peers.
#[derive(Clone, Debug)]
pub struct Fetcher {
    asks: mpsc::Sender<Ask>,
    connected: watch::Receiver<Vec<PeerId>>,
    lines: Lines,
}

impl Fetcher {
    pub(in crate::gossip) fn new(
        asks: mpsc::Sender<Ask>,
        connected: watch::Receiver<Vec<PeerId>>,
        lines: Lines,
    ) -> Self {
        Self { asks, connected, lines }
    }

    /// The transactions with these hashes, by hash, as far as peers have them:
    /// `first` is asked for all, and some others for what it does not give.
    /// Takes as long as they take; may be dropped at any time.
    pub async fn fetch(&self, first: PeerId, mut missing: HashSet<Hash>) -> HashMap<Hash, Bytes> {
        let mut found = HashMap::new();
        let mut asked = 0;
        for peer in self.candidates(first) {
            if missing.is_empty() || asked == MAX_ASKED {
                break;
            }
            match self.ask(peer, &missing).await {
                Ok(transactions) => {
                    asked += 1;
                    missing.retain(|hash| !transactions.contains_key(hash));
                    found.extend(transactions);
                }
                Err(reason) => {
                    asked += usize::from(reason.was_asked());
                    if let Some(omitted) = self.lines.pass_peer(Topic::Fetch, peer) {
                        tracing::warn!(
                            %peer, %reason, wanted = missing.len(), omitted,
                            "could not fetch transactions"
                        );
                    }
                }
            }
        }
        found
    }

    /// Whom to ask, in this order.
    fn candidates(&self, first: PeerId) -> Vec<PeerId> {
        let connected = self.connected.borrow();
        let others = connected.iter().copied().filter(|peer| *peer != first);
        std::iter::once(first).chain(others).collect()
    }

    async fn ask(
        &self,
        peer: PeerId,
        missing: &HashSet<Hash>,
    ) -> Result<HashMap<Hash, Bytes>, FetchError> {
        let mut hashes: Vec<Hash> = missing.iter().copied().take(MAX_FETCH_COUNT).collect();
        hashes.sort_unstable();
        let (answer, answered) = oneshot::channel();
        let ask = Ask { peer, hashes, answer };
        self.asks.send(ask).await.map_err(|_| FetchError::Stopped)?;
        let answer = answered.await.map_err(|_| FetchError::Stopped)??;
        by_hash(answer, missing)
    }
}

/// The transactions by their hashes, all of which must be `wanted`, once.
fn by_hash(answer: Vec<Bytes>, wanted: &HashSet<Hash>) -> Result<HashMap<Hash, Bytes>, FetchError> {
    let mut found = HashMap::with_capacity(answer.len());
    for (hash, bytes) in transaction_hashes(&answer).into_iter().zip(answer) {
        if !wanted.contains(&hash) {
            return Err(FetchError::Foreign(hash));
        }
        if found.insert(hash, bytes).is_some() {
            return Err(FetchError::Repeated(hash));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::transaction_hash;
    use prometheus_client::metrics::counter::Counter;
    use std::time::Duration;

    #[test]
    fn what_was_not_asked_for_spoils_the_answer() {
        let asked = Bytes::from_static(b"asked");
        let hash = transaction_hash(&asked);
        let wanted = HashSet::from([hash]);
        let found = by_hash(vec![asked.clone()], &wanted).unwrap();
        assert_eq!(found, HashMap::from([(hash, asked.clone())]));
        assert_eq!(by_hash(vec![], &wanted), Ok(HashMap::new()), "a peer may have nothing");
        let twice = vec![asked.clone(), asked.clone()];
        assert_eq!(by_hash(twice, &wanted), Err(FetchError::Repeated(hash)));
        let other = Bytes::from_static(b"other");
        let error = by_hash(vec![asked, other.clone()], &wanted).unwrap_err();
        assert_eq!(error, FetchError::Foreign(transaction_hash(&other)));
    }

    /// Asks ten peers of which each answers as `answer` says; who was asked.
    async fn asked(
        first: usize,
        answer: impl Fn(usize) -> Result<Vec<Bytes>, FetchError> + Send + 'static,
    ) -> Vec<usize> {
        let (asks, mut receiver) = mpsc::channel::<Ask>(1);
        let mut peers: Vec<PeerId> = (0..10).map(|_| PeerId::random()).collect();
        peers.sort_unstable();
        let (_sender, connected) = watch::channel(peers.clone());
        let fetcher = Fetcher::new(asks, connected, Lines::new(Counter::default()));
        let who = peers.clone();
        let answers = tokio::spawn(async move {
            let mut asked = Vec::new();
            while let Some(ask) = receiver.recv().await {
                assert!(ask.hashes.is_sorted());
                let at = who.iter().position(|peer| *peer == ask.peer).unwrap();
                asked.push(at);
                let _ = ask.answer.send(answer(at));
            }
            asked
        });
        let wanted = HashSet::from([Hash::repeat_byte(1), Hash::repeat_byte(2)]);
        assert!(fetcher.fetch(peers[first], wanted).await.is_empty());
        drop(fetcher);
        answers.await.unwrap()
    }

    #[tokio::test]
    async fn the_first_is_asked_first_and_few_others() {
        assert_eq!(asked(4, |_| Ok(Vec::new())).await, [4, 0, 1]);
    }

    #[tokio::test]
    async fn a_peer_that_gives_nothing_for_now_is_passed_over() {
        let later = FetchError::Later { after: Duration::from_secs(1) };
        let answer = move |at| match at {
            2 => Err(FetchError::OtherProtocol),
            0..5 => Err(later.clone()),
            _ => Ok(Vec::new()),
        };
        assert_eq!(asked(4, answer).await, [4, 0, 1, 2, 3, 5, 6, 7]);
    }
}
