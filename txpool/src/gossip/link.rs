//! What gossip knows of one peer: how far it was served, when to send and to
//! dial next, and how it behaved. Pure; time is a parameter.

use crate::gossip::GossipLimits;
use billchain_primitives::Hash;
use libp2p::{Multiaddr, request_response::OutboundRequestId};
use std::time::{Duration, Instant};

/// A delay that doubles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, next: min }
    }

    /// The next delay, up to a quarter longer so that two nodes that lost
    /// each other do not meet in the same instant again and again.
    fn advance(&mut self) -> Duration {
        let delay = self.next;
        self.next = (self.next * 2).min(self.max);
        delay + delay.mul_f64(rand::random_range(0.0..0.25))
    }

    fn reset(&mut self) {
        self.next = self.min;
    }
}

/// A batch that waits for its answer.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) id: OutboundRequestId,
    /// Place in the log and hash of each transaction.
    pub(super) items: Vec<(u64, Hash)>,
    pub(super) sent_at: Instant,
    generation: u64,
}

/// State of one peer.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) addresses: Vec<Multiaddr>,
    /// Open connections.
    pub(super) connections: u32,
    /// Batches of the peer that are being checked.
    pub(super) inbound: usize,
    /// Log place up to which the peer was served.
    cursor: u64,
    /// Counts the starts from the beginning: an answer to a batch from
    /// before one must not move the cursor.
    generation: u64,
    in_flight: Option<InFlight>,
    send_at: Option<Instant>,
    send_backoff: Backoff,
    dial_at: Option<Instant>,
    dial_backoff: Backoff,
    garbage: f64,
    garbage_at: Instant,
    banned_until: Option<Instant>,
}

impl Link {
    pub(super) fn new(addresses: Vec<Multiaddr>, limits: &GossipLimits, now: Instant) -> Self {
        Self {
            addresses,
            connections: 0,
            inbound: 0,
            cursor: 0,
            generation: 0,
            in_flight: None,
            send_at: None,
            send_backoff: Backoff::new(limits.retry_min, limits.retry_max),
            dial_at: Some(now),
            dial_backoff: Backoff::new(limits.retry_min, limits.retry_max),
            garbage: 0.0,
            garbage_at: now,
            banned_until: None,
        }
    }

    /// A connection opened: the peer may have been restarted and know nothing.
    pub(super) fn on_connected(&mut self, connections: u32, now: Instant) {
        self.connections = connections;
        self.dial_at = None;
        self.dial_backoff.reset();
        self.send_backoff.reset();
        self.cursor = 0;
        self.generation += 1;
        self.send_at = Some(now);
    }

    /// A connection closed and `connections` are left.
    pub(super) fn on_disconnected(&mut self, connections: u32, now: Instant) {
        self.connections = connections;
        if connections == 0 {
            self.in_flight = None;
            self.send_at = None;
            self.retry_dial(now);
        }
    }

    /// An attempt to connect failed, or a connection was lost.
    pub(super) fn retry_dial(&mut self, now: Instant) {
        if self.connections == 0 && self.banned_until.is_none() {
            self.dial_at = Some(now + self.dial_backoff.advance());
        }
    }

    /// Whether to dial now; if so the next attempt is scheduled, for an
    /// attempt whose failure nobody reports.
    pub(super) fn take_dial(&mut self, now: Instant) -> bool {
        let due = self.dial_at.is_some_and(|at| at <= now);
        if due {
            self.dial_at = Some(now + self.dial_backoff.advance());
        }
        due
    }

    /// The log has entries up to `end`: see to it that they are sent.
    pub(super) fn want_send(&mut self, end: u64, linger: Duration, now: Instant) {
        if self.connections > 0
            && self.in_flight.is_none()
            && self.send_at.is_none()
            && self.cursor < end
        {
            self.send_at = Some(now + linger);
        }
    }

    /// Where to go on sending, if it is time to.
    pub(super) fn take_send(&mut self, now: Instant) -> Option<u64> {
        if self.connections == 0 || self.in_flight.is_some() {
            return None;
        }
        self.send_at.take_if(|at| *at <= now)?;
        Some(self.cursor)
    }

    /// Nothing follows the cursor but what left the pool.
    pub(super) fn skip_to(&mut self, end: u64) {
        self.cursor = self.cursor.max(end);
    }

    pub(super) fn on_sent(&mut self, id: OutboundRequestId, items: Vec<(u64, Hash)>, now: Instant) {
        self.in_flight = Some(InFlight { id, items, sent_at: now, generation: self.generation });
    }

    /// The batch that `id` names, if it is still awaited.
    pub(super) fn take_in_flight(&mut self, id: OutboundRequestId) -> Option<InFlight> {
        self.in_flight.take_if(|batch| batch.id == id)
    }

    /// The peer dealt with a batch up to `place`.
    pub(super) fn on_served(&mut self, batch: &InFlight, place: u64) {
        self.send_backoff.reset();
        if batch.generation == self.generation {
            self.cursor = place;
        }
    }

    /// The peer could not take a batch, or not whole: go on later.
    pub(super) fn hold_back(&mut self, now: Instant) {
        self.send_at = Some(now + self.send_backoff.advance());
    }

    /// Whether it was served everything up to `end`.
    pub(super) fn is_served(&self, end: u64) -> bool {
        self.connections == 0 || (self.in_flight.is_none() && self.cursor >= end)
    }

    /// Counts garbage; whether it is now too much.
    pub(super) fn on_garbage(&mut self, points: u32, limit: u32, now: Instant) -> bool {
        let forgiven = now.saturating_duration_since(self.garbage_at).as_secs_f64();
        self.garbage = (self.garbage - forgiven).max(0.0) + f64::from(points);
        self.garbage_at = now;
        self.garbage >= f64::from(limit)
    }

    pub(super) fn ban(&mut self, until: Instant) {
        self.banned_until = Some(until);
        self.dial_at = None;
        self.garbage = 0.0;
    }

    pub(super) fn is_banned(&self) -> bool {
        self.banned_until.is_some()
    }

    /// Whether a ban ended now.
    pub(super) fn take_unban(&mut self, now: Instant) -> bool {
        let ended = self.banned_until.take_if(|until| *until <= now).is_some();
        if ended {
            self.dial_backoff.reset();
            self.dial_at = Some(now);
        }
        ended
    }

    /// When something is due next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let send_at = self.send_at.filter(|_| self.connections > 0 && self.in_flight.is_none());
        [send_at, self.dial_at, self.banned_until].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> GossipLimits {
        GossipLimits {
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(4),
            ..GossipLimits::default()
        }
    }

    fn link(now: Instant) -> Link {
        Link::new(Vec::new(), &limits(), now)
    }

    #[test]
    fn dialling_backs_off_to_the_maximum_and_stops_when_connected() {
        let mut now = Instant::now();
        let mut link = link(now);
        for expected in [1.0, 2.0, 4.0, 4.0] {
            assert!(link.take_dial(now));
            assert!(!link.take_dial(now));
            let delay = (link.deadline().unwrap() - now).as_secs_f64();
            assert!((expected..expected * 1.25).contains(&delay), "{delay}");
            now += Duration::from_secs(6);
        }
        link.on_connected(1, now);
        assert!(!link.take_dial(now + Duration::from_secs(60)));
        link.on_disconnected(0, now);
        let delay = (link.deadline().unwrap() - now).as_secs_f64();
        assert!((1.0..1.25).contains(&delay), "starts again at the minimum: {delay}");
    }

    #[test]
    fn garbage_is_forgiven_with_time_and_counted_without() {
        let now = Instant::now();
        let mut link = link(now);
        assert!(!link.on_garbage(60, 100, now));
        assert!(!link.on_garbage(60, 100, now + Duration::from_secs(50)));
        assert!(link.on_garbage(60, 100, now + Duration::from_secs(51)));
        link.ban(now + Duration::from_secs(100));
        assert!(link.is_banned());
        assert!(!link.take_dial(now + Duration::from_secs(99)));
        assert!(!link.take_unban(now + Duration::from_secs(99)));
        assert!(link.take_unban(now + Duration::from_secs(100)));
        assert!(link.take_dial(now + Duration::from_secs(100)));
    }

    #[test]
    fn a_new_connection_starts_from_the_first_transaction() {
        let now = Instant::now();
        let mut link = link(now);
        link.on_connected(1, now);
        assert_eq!(link.take_send(now), Some(0));
        link.skip_to(7);
        assert!(link.is_served(7));
        link.on_connected(2, now);
        assert_eq!(link.take_send(now), Some(0));
    }

    #[test]
    fn nothing_is_sent_without_need_or_connection() {
        let now = Instant::now();
        let mut link = link(now);
        link.want_send(5, Duration::ZERO, now);
        assert_eq!(link.take_send(now), None, "not connected");
        link.on_connected(1, now);
        assert_eq!(link.take_send(now), Some(0));
        link.skip_to(5);
        link.want_send(5, Duration::ZERO, now);
        assert_eq!(link.take_send(now), None, "all sent");
        link.want_send(6, Duration::from_millis(20), now);
        assert_eq!(link.take_send(now), None, "lingers");
        assert_eq!(link.take_send(now + Duration::from_millis(20)), Some(5));
    }
}
