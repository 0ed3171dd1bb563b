//! How long to wait for a proposal and for votes: by what they took lately. Pure: it
//! is told what took how long.
//!
//! Each proposer is waited for by its own measure, so that one that is slow on purpose
//! buys no time in another's turn. How long it may be waited for at most depends on
//! the others: on the chain's usual time, or on what the middle one of all needs where
//! all links are slow. Only what has come is measured. A proposer that is silent is
//! waited for as long as it needed when it was there; the chain leaves it out of turns
//! (`pallet-participation`).
//!
//! Timeouts are a node's own: validators need not agree on them.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use malachitebft_app_channel::app::types::core::LinearTimeouts;
use tokio::time::Instant;

use crate::types::{Address, BlockHash, Round, ValidatorSet};

/// How many times as long as it took lately a proposal is waited for.
const PROPOSAL_MARGIN: u32 = 3;
/// The same of votes.
const VOTES_MARGIN: u32 = 2;
/// Votes are waited for so many times as long as usual at most.
const VOTES_MOST: u32 = 3;
/// The part of the usual time that every proposer has.
const LEAST_PART: u32 = 2;
/// How fast a measure forgets: an eighth with each shorter one.
const FORGETS: u32 = 8;

/// Rounds and blocks of the height at hand that are measured.
const MEASURED: usize = 64;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Timing {
    proposals: HashMap<Address, Duration>,
    votes: Duration,
    /// When the rounds of the height at hand began, the last ones.
    began: VecDeque<(Round, Instant)>,
    /// When others' blocks of the height were known to be valid.
    valid: HashMap<BlockHash, Instant>,
}

impl Timing {
    /// A round of the height at hand has begun.
    pub(super) fn round_began(&mut self, round: Round, now: Instant) {
        if self.began.len() == MEASURED {
            self.began.pop_front();
        }
        self.began.push_back((round, now));
    }

    /// Another's block of the height is known to be valid; its round may be over.
    pub(super) fn valid(
        &mut self,
        (proposer, round): (Address, Round),
        hash: BlockHash,
        now: Instant,
    ) {
        if let Some((_, began)) = self.began.iter().find(|(known, _)| *known == round) {
            self.proposal_took(proposer, now.saturating_duration_since(*began));
        }
        if self.valid.len() < MEASURED {
            self.valid.entry(hash).or_insert(now);
        }
    }

    /// The height is decided.
    pub(super) fn decided(&mut self, hash: BlockHash, now: Instant) {
        if let (Some(valid), Some((_, began))) = (self.valid.get(&hash), self.began.back()) {
            self.votes_took(now.saturating_duration_since(*valid.max(began)));
        }
        self.valid.clear();
        self.began.clear();
    }

    fn proposal_took(&mut self, proposer: Address, took: Duration) {
        let measure = self.proposals.entry(proposer).or_insert(took);
        *measure = remember(*measure, took);
    }

    fn votes_took(&mut self, took: Duration) {
        self.votes = remember(self.votes, took);
    }

    /// Forgets those that are no validators.
    pub(super) fn retain(&mut self, validators: &ValidatorSet) {
        self.proposals.retain(|address, _| validators.get(address).is_some());
    }

    /// The timeouts of a height that begins with the turn of `first`. `usual` are
    /// those of the settings.
    pub(super) fn timeouts(&self, first: &Address, usual: LinearTimeouts) -> LinearTimeouts {
        let all = self.middle().map_or(usual.propose, |middle| PROPOSAL_MARGIN * middle);
        let most = all.max(usual.propose).min(usual.max_timeout);
        let propose = match self.proposals.get(first) {
            Some(measure) => PROPOSAL_MARGIN * *measure,
            None => usual.propose,
        };
        // A partition makes votes late without making links slow.
        let votes = (VOTES_MARGIN * self.votes).min(VOTES_MOST * usual.prevote);
        // Rounds grow faster only where links are slow.
        let delta = if all > usual.propose { all / LEAST_PART } else { usual.propose_delta };
        LinearTimeouts {
            propose: propose.clamp(usual.propose / LEAST_PART, most),
            propose_delta: usual.propose_delta.max(delta).min(most),
            prevote: usual.prevote.max(votes),
            precommit: usual.precommit.max(votes),
            ..usual
        }
    }

    /// The measure of the proposer in the middle; none before half of those that are
    /// measured at all are.
    fn middle(&self) -> Option<Duration> {
        let mut all: Vec<Duration> = self.proposals.values().copied().collect();
        all.sort_unstable();
        all.get(all.len().saturating_sub(1) / 2).copied()
    }
}

/// A longer measure counts at once, a shorter one by and by.
fn remember(before: Duration, took: Duration) -> Duration {
    took.max(before - before / FORGETS + took / FORGETS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn usual() -> LinearTimeouts {
        LinearTimeouts {
            propose: millis(2000),
            propose_delta: millis(500),
            prevote: millis(750),
            prevote_delta: millis(250),
            precommit: millis(750),
            precommit_delta: millis(250),
            rebroadcast: millis(500),
            max_timeout: millis(8000),
        }
    }

    fn address(byte: u8) -> Address {
        Address::from([byte; 32])
    }

    /// Proposals of validators from 1 on took so long.
    fn measured(took: &[u64]) -> Timing {
        let mut timing = Timing::default();
        for (validator, took) in (1..).zip(took) {
            timing.proposal_took(address(validator), millis(*took));
        }
        timing
    }

    fn propose(timing: &Timing, validator: u8) -> Duration {
        timing.timeouts(&address(validator), usual()).propose
    }

    #[test]
    fn nothing_measured_is_the_usual_time() {
        let timeouts = Timing::default().timeouts(&address(1), usual());
        assert_eq!(timeouts.propose, millis(2000));
        assert_eq!(timeouts.propose_delta, millis(500));
        assert_eq!((timeouts.prevote, timeouts.precommit), (millis(750), millis(750)));
    }

    #[test]
    fn a_quick_proposer_that_falls_silent_costs_less() {
        let timing = measured(&[100, 100, 400, 100]);
        assert_eq!(propose(&timing, 1), millis(1000), "half of the usual time at least");
        assert_eq!(propose(&timing, 3), millis(1200));
    }

    #[test]
    fn one_that_is_slow_on_purpose_buys_no_more_than_the_usual_time() {
        let timing = measured(&[100, 100, 60_000, 100]);
        assert_eq!(propose(&timing, 3), millis(2000));
        assert_eq!(propose(&timing, 1), millis(1000));
        assert_eq!(timing.timeouts(&address(1), usual()).propose_delta, millis(500));
    }

    #[test]
    fn where_all_links_are_slow_all_have_more_time_up_to_the_bound() {
        let timing = measured(&[1500, 1500, 2000, 1500]);
        assert_eq!(propose(&timing, 1), millis(4500));
        assert_eq!(timing.timeouts(&address(1), usual()).propose_delta, millis(2250));
        let timing = measured(&[60_000; 4]);
        assert_eq!(propose(&timing, 1), millis(8000));
        assert_eq!(timing.timeouts(&address(1), usual()).propose_delta, millis(8000));
    }

    #[test]
    fn two_of_four_that_are_slow_do_not_make_the_middle_slow() {
        let timing = measured(&[100, 100, 60_000, 60_000]);
        assert_eq!(propose(&timing, 3), millis(2000));
    }

    #[test]
    fn a_block_that_comes_after_its_round_is_measured_from_the_rounds_beginning() {
        let (start, hash) = (Instant::now(), BlockHash::default());
        let at = |count| start + millis(count);
        let mut timing = Timing::default();
        timing.round_began(Round::FIRST, at(0));
        timing.round_began(Round::new(1), at(1000));
        timing.valid((address(1), Round::FIRST), hash, at(1500));
        assert_eq!(timing.proposals[&address(1)], millis(1500));
        timing.valid((address(2), Round::new(5)), hash, at(1600));
        assert_eq!(timing.proposals.len(), 1, "of a round that did not begin here");
        timing.decided(hash, at(1900));
        assert_eq!(timing.votes, millis(400));
        // Votes are measured from the beginning of the round that decided.
        timing.round_began(Round::FIRST, at(2000));
        timing.valid((address(1), Round::FIRST), hash, at(2100));
        timing.round_began(Round::new(1), at(4000));
        timing.decided(hash, at(4600));
        assert_eq!(timing.votes, millis(600));
    }

    #[test]
    fn what_is_measured_of_a_height_is_bounded() {
        let mut timing = Timing::default();
        for number in 0..1000_u32 {
            timing.round_began(Round::new(number), Instant::now());
            let hash = BlockHash::from(billchain_primitives::Hash::from_low_u64_be(number.into()));
            timing.valid((address(1), Round::new(number)), hash, Instant::now());
        }
        assert_eq!((timing.began.len(), timing.valid.len()), (MEASURED, MEASURED));
        timing.decided(BlockHash::default(), Instant::now());
        assert_eq!((timing.began.len(), timing.valid.len()), (0, 0));
    }

    #[test]
    fn a_measure_is_forgotten_by_and_by() {
        let mut timing = measured(&[600]);
        assert_eq!(propose(&timing, 1), millis(1800));
        timing.proposal_took(address(1), millis(100));
        assert!(propose(&timing, 1) > millis(1500), "one quick block says little");
        for _ in 0..20 {
            timing.proposal_took(address(1), millis(100));
        }
        assert_eq!(propose(&timing, 1), millis(1000));
    }

    #[test]
    fn votes_that_take_long_are_waited_for_up_to_the_bound() {
        let mut timing = Timing::default();
        timing.votes_took(millis(50));
        assert_eq!(timing.timeouts(&address(1), usual()).prevote, millis(750));
        timing.votes_took(millis(900));
        assert_eq!(timing.timeouts(&address(1), usual()).precommit, millis(1800));
        timing.votes_took(millis(60_000));
        assert_eq!(timing.timeouts(&address(1), usual()).prevote, millis(2250));
    }
}
