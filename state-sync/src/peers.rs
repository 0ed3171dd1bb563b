//! Whom to ask, and whom no more.

use crate::wire::{self, Question, Refusal};
use billchain_consensus::PeerId;
use bytes::Bytes;
use codec::{Decode, Encode};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::HashMap;

/// Failures in a row after which a peer is asked no more in this run.
const MAX_FAILURES: u32 = 16;

/// The peers, and how they are asked.
pub trait Peers: Send + Sync + 'static {
    /// Those with a connection.
    fn connected(&self) -> Vec<PeerId>;

    /// Asks a peer; words on why there is no answer. It ends by itself. It may be awaited
    /// on any runtime.
    fn ask(&self, peer: PeerId, question: Vec<u8>) -> BoxFuture<'static, Result<Bytes, String>>;
}

/// Asks a peer, and takes the answer apart.
pub(crate) async fn ask<T: Decode>(
    peers: &dyn Peers,
    peer: PeerId,
    question: &Question,
) -> Result<T, Unanswered> {
    let bytes = peers.ask(peer, question.encode()).await.map_err(Unanswered::Failed)?;
    wire::answer(&bytes).map_err(Unanswered::Malformed)?.map_err(Unanswered::Refused)
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The peer was not reached, or did not answer in time.
    #[error("no answer: {0}")]
    Failed(String),
    /// It said why not.
    #[error("{0}")]
    Refused(Refusal),
    /// Its answer is none.
    #[error("its answer is none of the protocol: {0}")]
    Malformed(String),
}

/// Peers that are asked in turn, without those that were caught lying.
#[derive(Debug)]
pub(crate) struct Circle {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    peers: Vec<PeerId>,
    next: usize,
    failures: HashMap<PeerId, u32>,
    /// The last reason why one was left out.
    last: Option<String>,
}

impl Circle {
    pub(crate) fn new(peers: Vec<PeerId>) -> Self {
        Self { state: Mutex::new(State { peers, next: 0, failures: HashMap::new(), last: None }) }
    }

    /// The next to ask.
    pub(crate) fn next(&self) -> Result<PeerId, String> {
        let mut state = self.state.lock();
        if state.peers.is_empty() {
            let last = state.last.clone().unwrap_or_else(|| "there was none".into());
            return Err(format!("there is no peer left to ask; the last: {last}"));
        }
        let at = state.next % state.peers.len();
        state.next = at.wrapping_add(1);
        Ok(state.peers[at])
    }

    /// The peer gave what it was asked for.
    pub(crate) fn answered(&self, peer: PeerId) {
        self.state.lock().failures.remove(&peer);
    }

    /// The peer gave nothing; after some times it is left out.
    pub(crate) fn failed(&self, peer: PeerId, why: &Unanswered) {
        let mut state = self.state.lock();
        let failures = state.failures.entry(peer).or_default();
        *failures += 1;
        let is_final = matches!(why, Unanswered::Refused(_));
        if is_final || *failures >= MAX_FAILURES {
            state.leave_out(peer, why.to_string());
        }
    }

    /// The peer lies: it is asked no more.
    pub(crate) fn refuted(&self, peer: PeerId, what: &str) {
        tracing::warn!(%peer, what, "a peer's answer is not what the chain proves; it is asked no more");
        self.state.lock().leave_out(peer, format!("{peer} lied: {what}"));
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.state.lock().peers.len()
    }
}

impl State {
    fn leave_out(&mut self, peer: PeerId, why: String) {
        self.peers.retain(|known| *known != peer);
        self.last = Some(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_asked_in_turn_and_liars_no_more() {
        let [a, b, c] = [PeerId::random(), PeerId::random(), PeerId::random()];
        let circle = Circle::new(vec![a, b, c]);
        let asked: Vec<_> = (0..4).map(|_| circle.next().unwrap()).collect();
        assert_eq!(asked, [a, b, c, a]);
        circle.refuted(b, "an entry");
        let asked: Vec<_> = (0..4).map(|_| circle.next().unwrap()).collect();
        assert!(!asked.contains(&b) && asked.contains(&a) && asked.contains(&c));
        circle.failed(a, &Unanswered::Refused(Refusal::NotServed));
        let silent = Unanswered::Failed("silent".into());
        for _ in 1..MAX_FAILURES {
            circle.failed(c, &silent);
        }
        circle.answered(c);
        for _ in 1..MAX_FAILURES {
            circle.failed(c, &silent);
        }
        assert_eq!(circle.next(), Ok(c));
        circle.failed(c, &silent);
        assert_eq!(circle.len(), 0);
        let error = circle.next().unwrap_err();
        assert!(error.contains("no peer left") && error.contains("silent"), "{error}");
    }
}
