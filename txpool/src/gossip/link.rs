//! What gossip knows of one peer: where it is, when to dial it next, and how it
//! behaved. Pure; time is a parameter.

use crate::gossip::{config::GossipLimits, newcomers::Source, pace::Backoff};
use libp2p::Multiaddr;
use std::time::Instant;

/// State of one peer.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) addresses: Vec<Multiaddr>,
    /// Where it connected from last.
    seen_at: Option<Source>,
    /// Open connections.
    connections: u32,
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
            seen_at: None,
            connections: 0,
            dial_at: Some(now),
            dial_backoff: Backoff::new(limits.retry_min, limits.retry_max),
            garbage: 0.0,
            garbage_at: now,
            banned_until: None,
        }
    }

    /// A connection opened, from `remote`; whether that is a new place.
    pub(super) fn on_connected(&mut self, connections: u32, remote: Source) -> bool {
        self.connections = connections;
        self.dial_at = None;
        self.dial_backoff.reset();
        self.seen_at.replace(remote) != Some(remote)
    }

    /// A connection closed and `connections` are left.
    pub(super) fn on_disconnected(&mut self, connections: u32, now: Instant) {
        self.connections = connections;
        self.retry_dial(now);
    }

    /// Where its connections come from, as far as is known.
    pub(super) fn sources(&self) -> impl Iterator<Item = Source> {
        self.addresses.iter().map(Source::of).chain(self.seen_at)
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

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.dial_at.into_iter().chain(self.banned_until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
        link.on_connected(1, Source::Other);
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
    fn a_peer_is_known_where_the_list_says_and_where_it_was_seen() {
        let now = Instant::now();
        let at = |address: &str| Source::of(&address.parse().unwrap());
        let addresses = vec!["/ip4/10.0.0.1/udp/1/quic-v1".parse().unwrap()];
        let mut link = Link::new(addresses, &limits(), now);
        assert!(link.on_connected(1, at("/ip4/10.0.0.2/udp/9")));
        assert!(!link.on_connected(2, at("/ip4/10.0.0.2/udp/8")), "no new place");
        let known: Vec<Source> = link.sources().collect();
        assert_eq!(known, [at("/ip4/10.0.0.1"), at("/ip4/10.0.0.2")]);
        link.on_connected(1, at("/ip4/10.0.0.3/udp/9"));
        let known: Vec<Source> = link.sources().collect();
        assert_eq!(known, [at("/ip4/10.0.0.1"), at("/ip4/10.0.0.3")], "one place, the latest");
    }
}
