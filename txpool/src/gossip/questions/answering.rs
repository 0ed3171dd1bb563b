//! Peers' questions: which are taken, and what becomes of them.

use super::{
    Behaviour, MAX_ANSWER_BYTES,
    wire::{Answer, Request},
};
use crate::{
    GossipMetrics,
    gossip::{
        garbage::Garbage,
        lines::{Lines, Topic},
        pace::Budget,
    },
};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture, stream::FuturesUnordered};
use libp2p::{
    PeerId,
    request_response::{InboundRequestId, ResponseChannel},
};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, mpsc::error::TrySendError, oneshot};

/// Questions of one peer under way.
const MAX_OF_PEER: usize = 4;

/// Bytes that one peer may be answered in a second, and at most at once.
const ANSWER_RATE: u64 = 16 << 20;
const ANSWER_BURST: u64 = 48 << 20;

/// What a question costs of that, however short its answer: a thousand a second.
const QUESTION_COST: usize = 16 << 10;

/// A question of a peer. If it is dropped, the peer is told that there is no answer.
pub struct Question {
    peer: PeerId,
    bytes: Vec<u8>,
    reply: oneshot::Sender<Bytes>,
    lines: Lines,
}

impl Question {
    /// Who asks.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// The question, at most [`MAX_QUESTION_BYTES`](super::MAX_QUESTION_BYTES) of
    /// whatever the peer sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Answers it. What is longer than [`MAX_ANSWER_BYTES`] is dropped, which the log
    /// says, and the peer is told that there is no answer.
    pub fn answer(self, bytes: Vec<u8>) {
        if bytes.len() > MAX_ANSWER_BYTES {
            if let Some(omitted) = self.lines.pass_peer(Topic::Question, self.peer) {
                tracing::error!(
                    peer = %self.peer, bytes = bytes.len(), most = MAX_ANSWER_BYTES, omitted,
                    "an answer to a peer's question is too long and was dropped"
                );
            }
            return;
        }
        // An error means that gossip has stopped.
        let _ = self.reply.send(bytes.into());
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("peer", &self.peer)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// A question as the protocol brings it.
pub(super) struct Arrived {
    pub(super) peer: PeerId,
    pub(super) id: InboundRequestId,
    pub(super) request: Request,
    pub(super) channel: ResponseChannel<Answer>,
}

/// A question that was answered, or dropped.
pub(in crate::gossip) struct Reply {
    peer: PeerId,
    id: InboundRequestId,
    channel: ResponseChannel<Answer>,
    answer: Option<Bytes>,
}

/// What one peer may be answered.
#[derive(Debug)]
struct Allowance(Budget);

impl Allowance {
    fn new(now: Instant) -> Self {
        Self(Budget::new(ANSWER_RATE, ANSWER_BURST, now))
    }

    /// Whether one more question may be taken beside `held` ones whose answers are not
    /// known yet, or how long until then. Those count as the longest, so that a peer
    /// never has more than its budget and one answer.
    fn check(&mut self, held: usize, now: Instant) -> Result<(), Duration> {
        let cost = (held.saturating_mul(MAX_ANSWER_BYTES).saturating_add(QUESTION_COST)) as u64;
        if self.0.available(now) < cost {
            return Err(self.0.time_until(cost, now));
        }
        Ok(())
    }
}

/// A question under way: it is as long as the node holds it or its stream is open,
/// so that neither a peer that goes away at once nor one that reads slowly has more
/// of them than it may.
#[derive(Debug)]
struct UnderWay {
    is_held: bool,
    is_open: bool,
}

/// One peer.
#[derive(Debug)]
struct Partner {
    allowance: Allowance,
    under_way: HashMap<InboundRequestId, UnderWay>,
}

impl Partner {
    fn new(now: Instant) -> Self {
        Self { allowance: Allowance::new(now), under_way: HashMap::new() }
    }

    /// Questions that the node has not answered or dropped.
    fn held(&self) -> usize {
        self.under_way.values().filter(|question| question.is_held).count()
    }

    /// Forgets a question that is over.
    fn tidy(&mut self, id: InboundRequestId) {
        let over = |question: &UnderWay| !question.is_held && !question.is_open;
        if self.under_way.get(&id).is_some_and(over) {
            self.under_way.remove(&id);
        }
    }
}

/// The questions under way.
pub(super) struct Answering {
    /// Who answers.
    to: Option<mpsc::Sender<Question>>,
    metrics: GossipMetrics,
    lines: Lines,
    partners: HashMap<PeerId, Partner>,
    replies: FuturesUnordered<BoxFuture<'static, Reply>>,
}

impl Answering {
    pub(super) fn new(
        to: Option<mpsc::Sender<Question>>,
        metrics: GossipMetrics,
        lines: Lines,
    ) -> Self {
        Self { to, metrics, lines, partners: HashMap::new(), replies: FuturesUnordered::new() }
    }

    /// Questions that were answered or dropped, as it happens; nothing while none is
    /// under way.
    pub(super) fn replies(&mut self) -> &mut FuturesUnordered<BoxFuture<'static, Reply>> {
        &mut self.replies
    }

    /// Forgets peers that are no longer on the list, once none of their questions is
    /// under way, and begins with new ones.
    pub(super) fn set_peers(&mut self, peers: &[PeerId], now: Instant) {
        let listed: HashSet<&PeerId> = peers.iter().collect();
        self.partners
            .retain(|peer, partner| !partner.under_way.is_empty() || listed.contains(peer));
        for peer in peers {
            self.partners.entry(*peer).or_insert_with(|| Partner::new(now));
        }
    }

    /// A question came; garbage if it was none.
    pub(super) fn on_question(
        &mut self,
        behaviour: &mut Behaviour,
        arrived: Arrived,
        now: Instant,
    ) -> Option<Garbage> {
        let Arrived { peer, id, request, channel } = arrived;
        let (refusal, garbage) = match request {
            Request::Request(bytes) => match self.take(peer, bytes, now) {
                Ok(answered) => {
                    self.begin(peer, id, channel, answered);
                    return None;
                }
                Err(refusal) => (refusal, None),
            },
            Request::Malformed(reason) => (Answer::Unanswered, Some(Garbage::frame(peer, reason))),
        };
        self.metrics.questions_refused.inc();
        // An error means that the connection has gone.
        let _ = behaviour.send_response(channel, refusal);
        garbage
    }

    /// Hands a question on to who answers, or says what the peer is told instead.
    fn take(
        &mut self,
        peer: PeerId,
        bytes: Vec<u8>,
        now: Instant,
    ) -> Result<oneshot::Receiver<Bytes>, Answer> {
        let total: usize = self.partners.values().map(|partner| partner.under_way.len()).sum();
        let (Some(to), Some(partner)) = (&self.to, self.partners.get_mut(&peer)) else {
            return Err(Answer::Unserved);
        };
        if partner.under_way.len() >= MAX_OF_PEER || total >= to.max_capacity() {
            let of_peer = partner.under_way.len();
            if let Some(omitted) = self.lines.pass_peer(Topic::Question, peer) {
                tracing::debug!(%peer, of_peer, total, omitted, "too many questions are under way");
            }
            return Err(Answer::Busy);
        }
        if let Err(wait) = partner.allowance.check(partner.held(), now) {
            if let Some(omitted) = self.lines.pass_peer(Topic::Question, peer) {
                tracing::warn!(
                    %peer, ?wait, omitted, "the peer asks for more than it may be answered"
                );
            }
            // Rounded up, so that it is not told the same again.
            let after_ms = u32::try_from(wait.as_millis() + 1).unwrap_or(u32::MAX);
            return Err(Answer::Later { after_ms });
        }
        let (reply, answered) = oneshot::channel();
        let question = Question { peer, bytes, reply, lines: self.lines.clone() };
        to.try_send(question).map_err(|error| match error {
            TrySendError::Full(_) => Answer::Busy,
            TrySendError::Closed(_) => Answer::Unserved,
        })?;
        partner.allowance.0.take(QUESTION_COST);
        Ok(answered)
    }

    /// A question is under way from now on.
    fn begin(
        &mut self,
        peer: PeerId,
        id: InboundRequestId,
        channel: ResponseChannel<Answer>,
        answered: oneshot::Receiver<Bytes>,
    ) {
        if let Some(partner) = self.partners.get_mut(&peer) {
            partner.under_way.insert(id, UnderWay { is_held: true, is_open: true });
        }
        // An error means that the question was dropped.
        let reply = answered.map(move |answer| Reply { peer, id, channel, answer: answer.ok() });
        self.replies.push(reply.boxed());
    }

    /// The node answered a question, or dropped it.
    pub(super) fn on_reply(&mut self, behaviour: &mut Behaviour, reply: Reply) {
        let Reply { peer, id, channel, answer } = reply;
        let Some(partner) = self.partners.get_mut(&peer) else { return };
        let Some(question) = partner.under_way.get_mut(&id) else { return };
        question.is_held = false;
        let bytes = answer.as_ref().map(Bytes::len);
        let answer = answer.map_or(Answer::Unanswered, Answer::Bytes);
        if behaviour.send_response(channel, answer).is_err() {
            // The connection has gone, or the time is over.
            question.is_open = false;
        } else if let Some(bytes) = bytes {
            partner.allowance.0.take(bytes);
            self.metrics.questions_answered.inc();
            self.metrics.answer_bytes_served.inc_by(bytes as u64);
        } else {
            self.metrics.questions_refused.inc();
        }
        partner.tidy(id);
    }

    /// The stream of a question ended: its answer was sent, or cannot be.
    pub(super) fn on_stream_ended(&mut self, peer: PeerId, id: InboundRequestId) {
        let Some(partner) = self.partners.get_mut(&peer) else { return };
        if let Some(question) = partner.under_way.get_mut(&id) {
            question.is_open = false;
            partner.tidy(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_budget_of_answers_is_each_peers_own() {
        let now = Instant::now();
        let (mut greedy, mut honest) = (Allowance::new(now), Allowance::new(now));
        let mut answered = 0;
        while greedy.check(0, now).is_ok() {
            greedy.0.take(MAX_ANSWER_BYTES);
            answered += MAX_ANSWER_BYTES as u64;
        }
        assert!(answered >= ANSWER_BURST, "{answered}");
        assert!(answered <= ANSWER_BURST + MAX_ANSWER_BYTES as u64, "{answered}");
        let wait = greedy.check(0, now).unwrap_err();
        assert!(greedy.check(0, now + wait / 2).is_err());
        assert_eq!(greedy.check(0, now + wait), Ok(()));
        assert_eq!(honest.check(MAX_OF_PEER - 1, now), Ok(()));
    }

    /// All of a peer's questions at once, each answered when the others were taken.
    #[test]
    fn answers_that_are_not_known_yet_take_no_more_than_the_budget() {
        let now = Instant::now();
        let mut greedy = Allowance::new(now);
        let (mut held, mut answered) = (0, 0);
        loop {
            while held < MAX_OF_PEER && greedy.check(held, now).is_ok() {
                held += 1;
            }
            if held == 0 {
                break;
            }
            held -= 1;
            greedy.0.take(MAX_ANSWER_BYTES);
            answered += MAX_ANSWER_BYTES as u64;
        }
        assert!(answered <= ANSWER_BURST + MAX_ANSWER_BYTES as u64, "{answered}");
        let wait = greedy.check(MAX_OF_PEER - 1, now).unwrap_err();
        assert!(wait <= 3 * SECOND, "no longer than an asker believes: {wait:?}");
        assert_eq!(greedy.check(MAX_OF_PEER - 1, now + wait), Ok(()));
    }

    #[test]
    fn questions_for_short_answers_are_bounded_as_well() {
        let now = Instant::now();
        let mut peer = Allowance::new(now);
        let mut ask = |now| {
            let taken = peer.check(0, now).is_ok();
            peer.0.take(if taken { QUESTION_COST } else { 0 });
            taken
        };
        let burst = (0..10_000).filter(|_| ask(now)).count();
        let later = (0..10_000).filter(|_| ask(now + SECOND)).count();
        assert_eq!((burst, later), (3 * 1_024, 1_024));
    }

    #[test]
    fn an_answer_that_is_too_long_is_dropped_and_few_lines_tell_of_it() {
        let omitted = prometheus_client::metrics::counter::Counter::default();
        let lines = Lines::new(omitted.clone());
        let peer = PeerId::random();
        let answer = |length| {
            let (reply, mut answered) = oneshot::channel();
            let question = Question { peer, bytes: vec![1], reply, lines: lines.clone() };
            assert_eq!((question.peer(), question.bytes()), (peer, &[1][..]));
            question.answer(vec![0; length]);
            answered.try_recv().ok().map(|bytes| bytes.len())
        };
        assert_eq!(answer(MAX_ANSWER_BYTES), Some(MAX_ANSWER_BYTES));
        for _ in 0..50 {
            assert_eq!(answer(MAX_ANSWER_BYTES + 1), None);
        }
        assert!((40..50).contains(&omitted.get()), "{}", omitted.get());
    }
}
