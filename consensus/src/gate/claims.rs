//! Which heights peers claim to have, and what value sync is told of it. Pure.
//!
//! Value sync believes a status, asks the peer that claims most for everything it
//! lacks, and waits [`sync_timeout`](crate::ConsensusConfig::sync_timeout) for each
//! answer. So here a claim is cut before it is passed on:
//!
//! * to the highest height that the peers of more than a third of the validators
//!   claim, of which one at least is honest where powers are equal. Validators count,
//!   not their power: the list says which peers are validators', not whose. Where
//!   powers differ, fewer may hold a third of the power, and a claim waits a little
//!   longer; or more may hold less, and a lie costs a silent peer's second;
//! * if no height was begun for [`STILL`], at the first height of a run for
//!   [`STILL_AT_START`], to the height at hand. A peer that keeps
//!   its word with it is told of further ahead at once, twice as far each time; so a
//!   node whose only other peers are dead, behind or hostile catches up.
//!
//! A peer that does not answer, while another can be asked, is given up after its
//! *patience*, which follows how long its answers take, and is asked again only
//! after a while, or if nobody else has what is needed.
//!
//! What is remembered is one entry an allowed peer, and one a request of value sync.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use malachitebft_app_channel::app::engine::network::Status as EngineStatus;
use malachitebft_app_channel::app::types::PeerId;
use malachitebft_app_channel::app::types::core::Height as _;
use malachitebft_sync::OutboundRequestId;

use crate::peers::AllowList;
use crate::types::{BillContext, Height};

pub(super) type Status = EngineStatus<BillContext>;

/// A height that lasts longer has lost something, or this node has: an idle chain
/// begins one every three seconds, and a round that fails costs two.
const STILL: Duration = Duration::from_secs(5);
/// The same at the first height of a run: of validators that were all down, one may
/// have decided it before, and the others wait for nobody else.
const STILL_AT_START: Duration = Duration::from_secs(1);
/// Blocks beyond the height at hand that a peer is told of alone at most.
const MOST_AHEAD: u64 = 127;

/// How long an answer may take at least: the largest, 10 MiB, takes 0.84 seconds at
/// 100 Mbit/s. What a slower line needs its late answers tell.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);
/// An answer may take this many times as long as the last one did.
const SLOWER: u32 = 4;
/// And at most: below the time after which value sync itself gives up, so that
/// silence after a slow answer is a failure, too.
const MOST_PATIENCE: Duration = Duration::from_secs(8);
/// How long a peer that did not answer is left alone: at first, and at most. It
/// doubles with each failure in a row.
const SHUNNED: Duration = Duration::from_secs(10);
const SHUNNED_AT_MOST: Duration = Duration::from_secs(320);
/// A request that neither ended nor was cancelled is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// See the module's documentation. After each change, [`news`](Self::news) says
/// what value sync is to be told.
pub(super) struct Claims {
    allowed: AllowList,
    peers: BTreeMap<PeerId, Known>,
    asked: HashMap<OutboundRequestId, Asked>,
    /// How many validators' peers must claim a height.
    needed: usize,
    at_hand: Height,
    begun: Instant,
    /// The height that the run began with.
    first: Height,
}

/// A peer.
struct Known {
    claim: Option<Status>,
    /// The height that value sync has been told.
    told: Option<Height>,
    is_validator: bool,
    /// Blocks beyond the height at hand that it may be asked for alone.
    ahead: u64,
    /// First height of an answer that nobody else's claim supported.
    answered_alone: Option<Height>,
    patience: Duration,
    /// In a row.
    failures: u32,
    shunned_until: Option<Instant>,
}

/// A request of value sync.
struct Asked {
    peer: PeerId,
    first: Height,
    at: Instant,
    given_up: bool,
}

/// What is to be done about a request that is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nothing: it has ended.
    Ended,
    /// Nobody else can be asked: look again later.
    After(Duration),
    /// Its peer has failed.
    GivenUp(PeerId),
}

impl Claims {
    /// Of these peers; the height at hand has so many validators.
    pub(super) fn new(
        allowed: AllowList,
        at_hand: Height,
        validators: usize,
        now: Instant,
    ) -> Self {
        let (peers, asked, needed) = (BTreeMap::new(), HashMap::new(), needed(validators));
        Self { allowed, peers, asked, needed, at_hand, begun: now, first: at_hand }
    }

    /// From now on these peers count.
    pub(super) fn follow(&mut self, allowed: AllowList) {
        self.peers.retain(|peer, known| {
            known.is_validator = allowed.is_validator(peer);
            allowed.contains(peer)
        });
        self.allowed = allowed;
    }

    /// The engine has begun a height.
    pub(super) fn begun(&mut self, height: Height, validators: usize, now: Instant) {
        (self.at_hand, self.begun, self.needed) = (height, now, needed(validators));
        for known in self.peers.values_mut() {
            if known.answered_alone.take_if(|answered| *answered < height).is_some() {
                known.ahead = (2 * known.ahead + 1).min(MOST_AHEAD);
            }
        }
    }

    /// A peer says what it has.
    pub(super) fn status(&mut self, peer: PeerId, status: Status) {
        if !self.allowed.contains(&peer) {
            return;
        }
        let known = self.peers.entry(peer).or_insert_with(|| Known {
            claim: None,
            told: None,
            is_validator: self.allowed.is_validator(&peer),
            ahead: 0,
            answered_alone: None,
            patience: LEAST_PATIENCE,
            failures: 0,
            shunned_until: None,
        });
        known.claim = Some(status);
        // Value sync is told in any case: it asks again when it hears a status.
        known.told = None;
    }

    /// A peer has disconnected. That it did not answer is remembered.
    pub(super) fn gone(&mut self, peer: &PeerId) {
        if let Some(known) = self.peers.get_mut(peer) {
            (known.claim, known.told) = (None, None);
        }
    }

    /// Value sync has asked a peer for blocks from `first` on. Says after which time
    /// the request is [`overdue`](Self::overdue).
    pub(super) fn asked(
        &mut self,
        id: OutboundRequestId,
        peer: PeerId,
        first: Height,
        now: Instant,
    ) -> Duration {
        self.asked.retain(|_, asked| now.saturating_duration_since(asked.at) < FORGOTTEN);
        // What is asked for again was no good.
        let liars = self.peers.iter().filter(|(_, known)| known.answered_alone == Some(first));
        for liar in liars.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.fail(&liar, now);
        }
        self.asked.insert(id, Asked { peer, first, at: now, given_up: false });
        self.patience(&peer)
    }

    /// Whether the peer asked is given up.
    pub(super) fn overdue(&mut self, id: &OutboundRequestId, now: Instant) -> Overdue {
        let Some(asked) = self.asked.get_mut(id).filter(|asked| !asked.given_up) else {
            return Overdue::Ended;
        };
        let (peer, first) = (asked.peer, asked.first);
        let others = self.peers.iter().any(|(other, known)| {
            *other != peer && !known.is_shunned(now) && known.told >= Some(first)
        });
        if !others {
            return Overdue::After(self.patience(&peer));
        }
        asked.given_up = true;
        self.fail(&peer, now);
        Overdue::GivenUp(peer)
    }

    /// A peer has answered with blocks, possibly too late.
    pub(super) fn answered(&mut self, id: &OutboundRequestId, now: Instant) {
        let Some(asked) = self.asked.remove(id) else { return };
        let supported = self.supported();
        let Some(known) = self.peers.get_mut(&asked.peer) else { return };
        let took = now.saturating_duration_since(asked.at);
        let patience = (SLOWER * took).max(known.patience / 2);
        known.patience = patience.clamp(LEAST_PATIENCE, MOST_PATIENCE);
        // Its claim leads beyond what others bear out.
        let alone = supported <= self.at_hand
            && known.claim.as_ref().is_some_and(|claim| claim.tip_height > supported);
        if !asked.given_up {
            (known.failures, known.shunned_until) = (0, None);
            known.answered_alone = alone.then_some(asked.first);
        }
    }

    /// A request has failed, or was answered with nothing.
    pub(super) fn failed(&mut self, id: &OutboundRequestId, now: Instant) {
        if let Some(asked) = self.asked.remove(id).filter(|asked| !asked.given_up) {
            self.fail(&asked.peer, now);
        }
    }

    /// Value sync waits no longer: the block is here, or it has lost its patience.
    pub(super) fn cancelled(&mut self, id: &OutboundRequestId, now: Instant) {
        let Some(asked) = self.asked.remove(id) else { return };
        let waited = now.saturating_duration_since(asked.at);
        if !asked.given_up && waited >= self.patience(&asked.peer) {
            self.fail(&asked.peer, now);
        }
    }

    /// What value sync is to be told now.
    pub(super) fn news(&mut self, now: Instant) -> Vec<(PeerId, Status)> {
        let last = self.at_hand.decrement().unwrap_or_default();
        let supported = self.supported();
        let still_after = if self.at_hand == self.first { STILL_AT_START } else { STILL };
        let still = now.saturating_duration_since(self.begun) >= still_after;
        let at_hand = self.at_hand;
        let offer = |known: &Known| {
            let alone = (still || known.ahead > 0).then(|| at_hand.increment_by(known.ahead));
            let limit = supported.max(alone.unwrap_or(last));
            known.claim.as_ref().map(|claim| claim.tip_height.min(limit))
        };
        let others = (self.peers.values())
            .any(|known| !known.is_shunned(now) && offer(known) >= Some(at_hand));
        let mut news = Vec::new();
        for (peer, known) in &mut self.peers {
            let (Some(tip), Some(claim)) = (offer(known), &known.claim) else { continue };
            let tip = if others && known.is_shunned(now) { tip.min(last) } else { tip };
            if known.told != Some(tip) {
                known.told = Some(tip);
                news.push((*peer, Status::new(tip, claim.history_min_height)));
            }
        }
        news
    }

    /// The highest height that enough validators' peers claim.
    fn supported(&self) -> Height {
        let validators = self.peers.values().filter(|known| known.is_validator);
        let claims = validators.filter_map(|known| known.claim.as_ref());
        let mut tips: Vec<Height> = claims.map(|claim| claim.tip_height).collect();
        tips.sort_unstable_by(|left, right| right.cmp(left));
        tips.get(self.needed - 1).copied().unwrap_or_default()
    }

    fn patience(&self, peer: &PeerId) -> Duration {
        self.peers.get(peer).map_or(LEAST_PATIENCE, |known| known.patience)
    }

    fn fail(&mut self, peer: &PeerId, now: Instant) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        let time = SHUNNED.saturating_mul(1 << known.failures.min(10)).min(SHUNNED_AT_MOST);
        known.failures = known.failures.saturating_add(1);
        known.shunned_until = Some(now + time);
        (known.ahead, known.answered_alone) = (0, None);
    }
}

impl Known {
    fn is_shunned(&self, now: Instant) -> bool {
        self.shunned_until.is_some_and(|until| now < until)
    }
}

/// Of so many validators, how many are more than can be hostile.
fn needed(validators: usize) -> usize {
    validators.saturating_sub(1) / 3 + 1
}

#[cfg(test)]
mod tests;
