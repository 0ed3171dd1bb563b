//! A transaction's way from a client's request into its block, in the log.
//!
//! Each request has an id: the client's own (`X-Request-Id`), or one that the node
//! makes; the answer carries it. On a WebSocket the connection has the id and each
//! message a number. Lines that are written for a request stand in its span, and so
//! does the line that says which block has its transaction. The node that took the
//! transaction writes that line; others know nothing of the request.
//!
//! Only who asks for it has these lines: [`TARGET`] at `debug`. Without that nothing
//! is remembered. With it there are as many transactions remembered as the pool may
//! hold, and the oldest gives way.

use billchain_executor::CommittedBlock;
use billchain_primitives::{Hash, transaction_hash};
use billchain_txpool::PoolError;
use hyper::header::HeaderValue;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tracing::Span;

/// Target of a transaction's two lines: accepted, and included. Each was admitted,
/// so that the chain's own quotas bound them.
const TARGET: &str = "billchain::transactions";
/// Of what clients can cause without end.
const OTHERS: &str = "billchain::transactions::others";
/// Longest id that is taken from a client.
const MAX_ID: usize = 64;

/// The id of a request, as a header's value.
pub(crate) fn request_id(given: Option<&HeaderValue>) -> HeaderValue {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    let given = given.filter(|given| {
        let bytes = given.as_bytes();
        (1..=MAX_ID).contains(&bytes.len()) && bytes.iter().all(is_plain)
    });
    given.cloned().unwrap_or_else(|| {
        let made = format!("{:016x}", rand::random::<u64>());
        HeaderValue::try_from(made).expect("digits may stand in a header; qed")
    })
}

/// The span of the request with this id.
pub(crate) fn request_span(id: &HeaderValue) -> Span {
    tracing::debug_span!(target: TARGET, "request", id = %id.to_str().unwrap_or_default())
}

/// The span of a WebSocket's message, within that of its connection.
pub(crate) fn message_span(number: u64) -> Span {
    tracing::debug_span!(target: TARGET, "message", number)
}

/// Transactions that clients submitted, with the spans of their requests.
#[derive(Debug)]
pub(crate) struct Traces {
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    places: HashMap<Hash, (u64, Span)>,
    /// The oldest first.
    order: BTreeMap<u64, Hash>,
}

impl Waiting {
    fn remove(&mut self, hash: &Hash) -> Option<Span> {
        let (place, span) = self.places.remove(hash)?;
        self.order.remove(&place);
        Some(span)
    }
}

/// A submission whose outcome is not known yet.
pub(crate) struct Submission<'a> {
    traces: &'a Traces,
    hash: Hash,
    /// Whether this request is the one that is remembered.
    is_first: bool,
}

impl Traces {
    /// Remembers at most so many transactions.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, waiting: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transaction is about to be submitted for the current request; nothing if
    /// nobody wants to know. It is remembered before it is accepted: a block may
    /// have it before the pool's answer is here. If a client submits it again, its
    /// first request is the one that counts.
    pub(crate) fn submission(&self, bytes: &[u8]) -> Option<Submission<'_>> {
        if !tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
            return None;
        }
        let hash = transaction_hash(bytes);
        let is_first = self.remember(hash, Span::current());
        Some(Submission { traces: self, hash, is_first })
    }

    /// Whether it was not remembered yet.
    fn remember(&self, hash: Hash, span: Span) -> bool {
        let mut waiting = self.lock();
        if waiting.places.contains_key(&hash) {
            return false;
        }
        if waiting.places.len() >= self.most
            && let Some((_, oldest)) = waiting.order.pop_first()
        {
            waiting.places.remove(&oldest);
        }
        let place = waiting.next;
        waiting.next += 1;
        waiting.places.insert(hash, (place, span));
        waiting.order.insert(place, hash);
        true
    }

    /// Says of the transactions of a block that were submitted here where they are.
    fn on_block(&self, block: &CommittedBlock) {
        let mut waiting = self.lock();
        if waiting.places.is_empty() {
            return;
        }
        let included: Vec<_> = (block.tx_hashes.iter())
            .filter_map(|hash| waiting.remove(hash).map(|span| (*hash, span)))
            .collect();
        drop(waiting);
        for (hash, span) in included {
            span.in_scope(|| {
                let (number, block) = (block.header.number, block.hash);
                tracing::debug!(target: TARGET, ?hash, number, ?block, "included");
            });
        }
    }

    /// Follows the chain until the future is dropped.
    pub(crate) async fn follow(&self, mut news: Receiver<Arc<CommittedBlock>>) {
        loop {
            match news.recv().await {
                Ok(block) => self.on_block(&block),
                Err(RecvError::Lagged(blocks)) => {
                    tracing::debug!(target: OTHERS, blocks, "not looked through for transactions");
                }
                // The chain ends with the node.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Submission<'_> {
    /// The pool took it, or not. A submission of which neither is told, because
    /// its client went away, stays remembered: the pool may have it.
    pub(crate) fn ended<T>(self, outcome: &Result<T, PoolError>) {
        let Self { traces, hash, is_first } = self;
        match outcome {
            Ok(_) => tracing::debug!(target: TARGET, ?hash, "accepted"),
            Err(PoolError::AlreadyImported(_)) => {
                tracing::debug!(target: OTHERS, ?hash, "sent again");
            }
            Err(reason) => {
                if is_first {
                    traces.lock().remove(&hash);
                }
                tracing::debug!(target: OTHERS, ?hash, %reason, "not taken");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u64) -> Hash {
        Hash::from_low_u64_be(number)
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_gives_way() {
        let traces = Traces::new(3);
        for number in 0..100 {
            assert!(traces.remember(hash(number), Span::none()));
            // A block takes some of them.
            if number % 10 == 0 {
                assert!(traces.lock().remove(&hash(number)).is_some());
            }
            let waiting = traces.lock();
            assert!(waiting.places.len() <= 3 && waiting.places.len() == waiting.order.len());
        }
        let kept: Vec<_> = traces.lock().order.values().copied().collect();
        assert_eq!(kept, [hash(97), hash(98), hash(99)]);
    }

    #[test]
    fn the_first_request_of_a_transaction_counts() {
        let traces = Traces::new(3);
        assert!(traces.remember(hash(1), Span::none()));
        let again = Submission { traces: &traces, hash: hash(1), is_first: false };
        assert!(!traces.remember(hash(1), Span::none()));
        again.ended::<()>(&Err(PoolError::Unknown(hash(1))));
        assert!(traces.lock().places.contains_key(&hash(1)), "the second one was refused");
        let first = Submission { traces: &traces, hash: hash(1), is_first: true };
        first.ended::<()>(&Err(PoolError::Unknown(hash(1))));
        assert!(traces.lock().places.is_empty() && traces.lock().order.is_empty());
    }

    #[test]
    fn an_id_of_a_client_is_taken_if_it_is_short_and_plain() {
        let given = |text: &[u8]| HeaderValue::from_bytes(text).unwrap();
        for taken in [&b"platform-42"[..], b"a", b"A.b_c:1", &[b'x'; MAX_ID]] {
            assert_eq!(request_id(Some(&given(taken))), given(taken));
        }
        for refused in [&b""[..], b"two words", b"\"", b"{x}", "票".as_bytes(), &[b'x'; 65]] {
            let made = request_id(Some(&given(refused)));
            assert_eq!(made.len(), 16, "{made:?}");
            assert_ne!(made, request_id(None));
        }
    }
}
