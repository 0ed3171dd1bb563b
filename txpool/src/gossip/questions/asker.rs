//! This node's questions to its peers.

use super::{
    Behaviour, MAX_QUESTION_BYTES,
    wire::{Answer, Request},
};
use crate::GossipMetrics;
use bytes::Bytes;
use libp2p::{PeerId, request_response::OutboundRequestId};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot, watch};

/// Questions of this node that wait for one peer's answers.
pub(in crate::gossip) const MAX_WAITING: usize = 8;

/// Longest wait that a peer's word is taken for.
const MAX_LATER: Duration = Duration::from_secs(5);

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// There is no connection to the peer.
    #[error("no connection to the peer")]
    NotConnected,
    /// As many questions wait for the peer's answers, or are under way there, as may.
    #[error("too many questions are under way with the peer")]
    Busy,
    /// The question is longer than any peer would take. It was not sent.
    #[error("a question of {bytes} bytes, at most {MAX_QUESTION_BYTES} are sent")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The peer has answered as much as it does for now.
    #[error("the peer answers again in {after:?}")]
    Later {
        /// Until when it does not.
        after: Duration,
    },
    /// The peer did not answer, or not in the protocol.
    #[error("no answer: {0}")]
    Failed(String),
    /// What asks for this node has stopped.
    #[error("asking of peers has stopped")]
    Stopped,
}

/// A question on its way to the task that owns the swarm.
#[derive(Debug)]
pub(in crate::gossip) struct Ask {
    peer: PeerId,
    question: Vec<u8>,
    answer: oneshot::Sender<Result<Bytes, AskError>>,
}

/// Asks peers.
#[derive(Clone, Debug)]
pub struct Asker {
    asks: mpsc::Sender<Ask>,
    connected: watch::Receiver<Vec<PeerId>>,
}

impl Asker {
    pub(in crate::gossip) fn new(
        asks: mpsc::Sender<Ask>,
        connected: watch::Receiver<Vec<PeerId>>,
    ) -> Self {
        Self { asks, connected }
    }

    /// What `peer` says to `question`. The bytes are whatever it sent, at most
    /// [`MAX_ANSWER_BYTES`](super::MAX_ANSWER_BYTES) of them. May be dropped at any
    /// time; the question counts as waiting until the peer is done with it.
    pub async fn ask(&self, peer: PeerId, question: Vec<u8>) -> Result<Bytes, AskError> {
        let bytes = question.len();
        if bytes > MAX_QUESTION_BYTES {
            return Err(AskError::TooLong { bytes });
        }
        let (answer, answered) = oneshot::channel();
        let ask = Ask { peer, question, answer };
        self.asks.send(ask).await.map_err(|_| AskError::Stopped)?;
        answered.await.map_err(|_| AskError::Stopped)?
    }

    /// Peers with a connection, in ascending order. They may not answer questions.
    pub fn connected(&self) -> Vec<PeerId> {
        self.connected.borrow().clone()
    }
}

/// One peer.
#[derive(Debug, Default)]
struct Partner {
    /// Questions that wait for its answer.
    waiting: usize,
    /// It answers nothing before.
    not_before: Option<Instant>,
}

impl Partner {
    /// Whether it may be asked now.
    fn check(&self, now: Instant) -> Result<(), AskError> {
        if let Some(at) = self.not_before.filter(|at| *at > now) {
            return Err(AskError::Later { after: at - now });
        }
        if self.waiting >= MAX_WAITING {
            return Err(AskError::Busy);
        }
        Ok(())
    }
}

/// Who waits for an answer of a peer.
#[derive(Debug)]
struct Waiting {
    peer: PeerId,
    answer: oneshot::Sender<Result<Bytes, AskError>>,
}

/// The questions that wait for answers.
#[derive(Debug)]
pub(super) struct Asking {
    metrics: GossipMetrics,
    partners: HashMap<PeerId, Partner>,
    asked: HashMap<OutboundRequestId, Waiting>,
}

impl Asking {
    pub(super) fn new(metrics: GossipMetrics) -> Self {
        Self { metrics, partners: HashMap::new(), asked: HashMap::new() }
    }

    /// Forgets peers that are no longer on the list, once nothing waits for them.
    pub(super) fn set_peers(&mut self, peers: &[PeerId]) {
        let listed: HashSet<&PeerId> = peers.iter().collect();
        self.partners.retain(|peer, partner| partner.waiting > 0 || listed.contains(peer));
        for peer in peers {
            self.partners.entry(*peer).or_default();
        }
    }

    /// Asks a peer, if it can be asked.
    pub(super) fn ask(&mut self, behaviour: &mut Behaviour, ask: Ask, now: Instant) {
        let Ask { peer, question, answer } = ask;
        let partner = self.partners.get_mut(&peer).filter(|_| behaviour.is_connected(&peer));
        let partner = partner.ok_or(AskError::NotConnected);
        match partner.and_then(|partner| partner.check(now).map(|()| partner)) {
            Ok(partner) => {
                partner.waiting += 1;
                self.metrics.questions.inc();
                let id = behaviour.send_request(&peer, Request::Request(question));
                self.asked.insert(id, Waiting { peer, answer });
            }
            // An error below means that nobody waits any more.
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    /// A peer answered.
    pub(super) fn on_answer(&mut self, id: OutboundRequestId, answer: Answer, now: Instant) {
        let result = match answer {
            Answer::Bytes(bytes) => Ok(bytes),
            Answer::Busy => Err(AskError::Busy),
            Answer::Later { after_ms } => {
                let after = Duration::from_millis(after_ms.into()).min(MAX_LATER);
                let peer = self.asked.get(&id).map(|waiting| waiting.peer);
                if let Some(partner) = peer.and_then(|peer| self.partners.get_mut(&peer)) {
                    partner.not_before = Some(now + after);
                }
                Err(AskError::Later { after })
            }
            Answer::Unserved => Err(AskError::Failed("the peer answers no questions".into())),
            Answer::Unanswered => Err(AskError::Failed("the peer has no answer".into())),
        };
        self.finish(id, result);
    }

    /// Ends a question.
    pub(super) fn finish(&mut self, id: OutboundRequestId, result: Result<Bytes, AskError>) {
        let Some(waiting) = self.asked.remove(&id) else { return };
        if let Some(partner) = self.partners.get_mut(&waiting.peer) {
            partner.waiting = partner.waiting.saturating_sub(1);
        }
        if result.is_err() {
            self.metrics.questions_failed.inc();
        }
        // An error means that nobody waits any more.
        let _ = waiting.answer.send(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::{StreamProtocol, request_response::ProtocolSupport};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_peer_that_does_not_answer_is_not_asked_without_bound() {
        let now = Instant::now();
        let mut peer = Partner { waiting: MAX_WAITING - 1, not_before: None };
        assert_eq!(peer.check(now), Ok(()));
        peer.waiting += 1;
        assert_eq!(peer.check(now), Err(AskError::Busy));
        peer.not_before = Some(now + SECOND);
        assert_eq!(peer.check(now), Err(AskError::Later { after: SECOND }));
        assert_eq!(peer.check(now + SECOND), Err(AskError::Busy));
    }

    /// What comes to the asker of each of `answers`, one after the other.
    fn told(answers: Vec<Answer>, now: Instant) -> (Vec<Result<Bytes, AskError>>, Asking) {
        let mut asking = Asking::new(GossipMetrics::default());
        let peer = PeerId::random();
        asking.set_peers(&[peer]);
        // Gives numbers to requests; nothing is sent.
        let name = StreamProtocol::new("/test");
        let mut behaviour = super::super::behaviour(name, ProtocolSupport::Outbound);
        let results = answers.into_iter().map(|answer| {
            let id = behaviour.send_request(&peer, Request::Request(Vec::new()));
            let (sender, mut receiver) = oneshot::channel();
            asking.partners.get_mut(&peer).unwrap().waiting += 1;
            asking.asked.insert(id, Waiting { peer, answer: sender });
            asking.on_answer(id, answer, now);
            receiver.try_recv().unwrap()
        });
        (results.collect(), asking)
    }

    #[test]
    fn each_kind_of_answer_has_its_words() {
        let now = Instant::now();
        let (told, asking) = told(
            vec![
                Answer::Bytes(Bytes::from_static(b"so")),
                Answer::Busy,
                Answer::Unserved,
                Answer::Unanswered,
                Answer::Later { after_ms: 1_500 },
            ],
            now,
        );
        assert_eq!(
            told,
            [
                Ok(Bytes::from_static(b"so")),
                Err(AskError::Busy),
                Err(AskError::Failed("the peer answers no questions".into())),
                Err(AskError::Failed("the peer has no answer".into())),
                Err(AskError::Later { after: SECOND * 3 / 2 }),
            ]
        );
        let partner = asking.partners.values().next().unwrap();
        assert_eq!((partner.waiting, partner.not_before), (0, Some(now + SECOND * 3 / 2)));
        assert!(asking.asked.is_empty());
    }

    #[test]
    fn a_peer_that_puts_off_for_ever_is_asked_again_soon() {
        let now = Instant::now();
        let (told, asking) = told(vec![Answer::Later { after_ms: u32::MAX }], now);
        assert_eq!(told, [Err(AskError::Later { after: MAX_LATER })]);
        let partner = asking.partners.values().next().unwrap();
        assert_eq!(partner.check(now + MAX_LATER), Ok(()));
    }

    #[test]
    fn a_peer_that_left_the_list_is_forgotten_when_it_is_done() {
        let (gone, busy, stays) = (PeerId::random(), PeerId::random(), PeerId::random());
        let mut asking = Asking::new(GossipMetrics::default());
        asking.set_peers(&[gone, busy, stays]);
        asking.partners.get_mut(&busy).unwrap().waiting = 1;
        asking.set_peers(&[stays]);
        assert!(!asking.partners.contains_key(&gone));
        assert!(asking.partners.contains_key(&busy) && asking.partners.contains_key(&stays));
        asking.partners.get_mut(&busy).unwrap().waiting = 0;
        asking.set_peers(&[stays]);
        assert_eq!(asking.partners.len(), 1);
    }

    #[tokio::test]
    async fn a_question_that_is_too_long_is_not_sent() {
        let (asks, mut receiver) = mpsc::channel(1);
        let (_sender, connected) = watch::channel(Vec::new());
        let asker = Asker::new(asks, connected);
        let peer = PeerId::random();
        let bytes = MAX_QUESTION_BYTES + 1;
        let refused = asker.ask(peer, vec![0; bytes]).await;
        assert_eq!(refused, Err(AskError::TooLong { bytes }));
        assert!(receiver.try_recv().is_err());
        drop(receiver);
        assert_eq!(asker.ask(peer, vec![0; bytes - 1]).await, Err(AskError::Stopped));
    }
}
