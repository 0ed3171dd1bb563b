//! The lease as this process may rely on it, whose clock is not the chain's.

use billchain_primitives::Did;
use billchain_rpc_types::{ConnectorView, LeaseView};
use pallet_outbox::LEASE_MS;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Before the lease's end nothing is begun any more.
const MARGIN: Duration = Duration::from_millis(1_000);
/// After so long without a sign the lease is held longer.
const RENEW: Duration = Duration::from_millis(2_000);
/// By how much workers wait for those before them.
const TURN: Duration = Duration::from_millis(400);
/// After a claim that failed.
const AGAIN: Duration = Duration::from_millis(400);
/// How far this machine's clock may be ahead of the chain's.
const SKEW_MS: u64 = 200;

/// What is known of the lease.
pub(super) struct LeaseClock {
    did: Did,
    /// Place among those who acknowledge, another for each connector.
    rank: u32,
    /// The lease that is this worker's: its end, and from when on it may be relied on; not at
    /// all before this process has seen it change.
    own: Option<(u64, Option<Instant>)>,
    other: Option<LeaseView>,
    /// Since when nobody seems to have it.
    free_since: Option<Instant>,
    claimed: Option<Instant>,
}

/// What the lease is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// For nothing.
    No,
    /// For entries that wait.
    ForEntries,
    /// For work that no entry asks for. It goes on where it was done last; another worker takes
    /// it up if nobody has the lease for so long.
    ForTending {
        /// After how long another worker does.
        after: Duration,
    },
}

impl LeaseClock {
    pub(super) fn new(view: &ConnectorView, did: &Did) -> Self {
        let count = view.acknowledgers.len().max(1);
        let place = view.acknowledgers.iter().position(|known| known == did).unwrap_or(0);
        let rank = (place + count - usize::from(view.connector.0) % count) % count;
        Self {
            did: did.clone(),
            rank: u32::try_from(rank).unwrap_or(0),
            own: None,
            other: None,
            free_since: None,
            claimed: None,
        }
    }

    /// Takes note of the chain as it was when somebody asked at `began`.
    pub(super) fn looked(&mut self, view: &ConnectorView, began: Instant) {
        match &view.lease {
            Some(lease) if lease.holder == self.did => {
                self.other = None;
                self.free_since = None;
                match self.own {
                    Some((until, _)) if until == lease.until => {}
                    Some(_) => self.own = Some((lease.until, Some(began))),
                    // It may be of before this process; what this one claimed, it may rely on.
                    None => self.own = Some((lease.until, self.claimed)),
                }
            }
            lease => {
                self.own = None;
                self.other = lease.clone();
                if self.is_taken() {
                    self.free_since = None;
                } else {
                    self.free_since.get_or_insert(began);
                }
            }
        }
    }

    /// Whether another worker has it, as far as this machine's clock tells.
    fn is_taken(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.other.as_ref().is_some_and(|lease| now <= lease.until.saturating_add(SKEW_MS))
    }

    /// Whether this worker may begin something.
    pub(super) fn is_held(&self, now: Instant) -> bool {
        let holds = Duration::from_millis(LEASE_MS) - MARGIN;
        let since = self.own.and_then(|(_, since)| since);
        since.is_some_and(|since| now < since + holds)
    }

    /// Whether to claim: to hold it longer, or because nobody has it and those before this
    /// worker had their turn.
    pub(super) fn wants_claim(&self, wanted: Wanted, now: Instant) -> bool {
        if wanted == Wanted::No || self.claimed.is_some_and(|last| now < last + AGAIN) {
            return false;
        }
        if let Some((_, since)) = self.own {
            return since.is_none_or(|since| now >= since + RENEW);
        }
        let patience = match wanted {
            // Somebody else did it last.
            Wanted::ForTending { after } if self.other.is_some() => after,
            _ => Duration::ZERO,
        };
        self.free_since.is_some_and(|since| now >= since + patience + TURN * self.rank)
    }

    /// A claim is under way.
    pub(super) fn claiming(&mut self, now: Instant) {
        self.claimed = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::outbox::{ConnectorId, ConnectorKind};
    use billchain_rpc_types::{StampView, TallyView};

    fn did(number: u32) -> Did {
        format!("did:bill:worker-{number}").parse().unwrap()
    }

    fn view(holder: Option<u32>, until: u64) -> ConnectorView {
        let stamp = StampView { block: 1, extrinsic: Some(1), time: 0 };
        let lease = |number| LeaseView { holder: did(number), since: stamp, until, until_block: 3 };
        ConnectorView {
            connector: ConnectorId(1),
            kind: ConnectorKind::Webhook,
            endpoint: "a".into(),
            format: "b".into(),
            topics: Vec::new(),
            scenes: None,
            acknowledgers: (1..=4).map(did).collect(),
            max_refusals: 1,
            max_waiting: 1,
            status: "active".into(),
            registered: stamp,
            updated: stamp,
            entries: TallyView {
                last: 0,
                waiting: 0,
                dead: 0,
                acknowledged: 0,
                discarded: 0,
                omitted: 0,
                omitted_at: None,
            },
            oldest: None,
            lease: holder.map(lease),
            worker: None,
        }
    }

    #[test]
    fn workers_claim_one_after_another_when_nobody_has_the_lease() {
        let now = Instant::now();
        let waits: Vec<_> = (1..=4)
            .map(|number| {
                let mut clock = LeaseClock::new(&view(None, 0), &did(number));
                clock.looked(&view(None, 0), now);
                let wants = |turn: &u32| clock.wants_claim(Wanted::ForEntries, now + TURN * *turn);
                (0..10).find(wants).unwrap()
            })
            .collect();
        assert_eq!(waits, [3, 0, 1, 2], "the first is another for each connector");
    }

    #[test]
    fn a_lease_is_relied_on_for_less_than_the_chain_gives() {
        let now = Instant::now();
        let mut clock = LeaseClock::new(&view(None, 0), &did(1));
        let after = |ms| now + Duration::from_millis(ms);
        let wants = |clock: &LeaseClock, ms| clock.wants_claim(Wanted::ForEntries, after(ms));
        // One of before this process is not relied on, and is held longer at once.
        clock.looked(&view(Some(1), 76), now);
        assert!(!clock.is_held(now) && wants(&clock, 0));
        clock.claiming(now);
        assert!(!wants(&clock, 100));
        clock.looked(&view(Some(1), 77), now);
        assert!(clock.is_held(after(3_900)) && !clock.is_held(after(4_001)));
        assert!(!wants(&clock, 1_900) && wants(&clock, 2_000));
        assert!(!clock.wants_claim(Wanted::No, after(2_000)));
        // Seen again without a change: it is as old as it was.
        clock.looked(&view(Some(1), 77), after(3_000));
        assert!(!clock.is_held(after(4_001)));
        clock.looked(&view(Some(1), 78), after(3_000));
        assert!(clock.is_held(after(6_900)));
        // Another one has it: far in the future, and long ago.
        clock.looked(&view(Some(2), u64::MAX), after(4_000));
        assert!(!clock.is_held(after(4_000)) && !wants(&clock, 60_000));
        clock.looked(&view(Some(2), 1), after(5_000));
        assert!(wants(&clock, 5_000 + 3 * 400));
        let tending = Wanted::ForTending { after: Duration::from_secs(60) };
        assert!(!clock.wants_claim(tending, after(6_500)));
        assert!(clock.wants_claim(tending, after(66_500)));
        // What this process claimed, it relies on.
        clock.claiming(after(70_000));
        clock.looked(&view(Some(1), 80), after(70_100));
        assert!(clock.is_held(after(73_900)) && !clock.is_held(after(74_100)));
    }
}
