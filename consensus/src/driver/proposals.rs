//! Which proposed blocks are collected, kept and checked, and in which order.
//! Pure: no ports, clock, lane or network; what it needs to know of the engine it
//! is told in a [`View`].
//!
//! Every bound belongs to a *turn* — height, round and the validator that
//! proposes in it — or to a proposer, so that what one validator sends takes
//! nothing from another:
//!
//! | what | bound | belongs to |
//! |---|---|---|
//! | blocks announced | [`PER_TURN`] | a turn |
//! | checks of one block | [`MAX_CHECKS`] | a block of a turn |
//! | blocks kept whole | [`KEPT_PER_PROPOSER`] | a proposer |
//! | compact blocks | one of each block | a publisher |
//!
//! For the next height only the round is judged, and that the proposer is a
//! validator now. The block being decided may change the validators, so that
//! height's proposer is unknown. A block of the next height takes only its own
//! proposer's room, and is judged by its turn before it is checked.
//!
//! The block that can be decided first is checked first: one that two thirds have
//! voted for, then those of the engine's round, then those of failed rounds. A
//! block of a later round waits until the engine is in that round: checked
//! before, it would cost the proposer whose turn it is the time of a check.

use std::collections::{BTreeMap, HashSet};

use malachitebft_app_channel::app::types::PeerId;
use thiserror::Error;

use crate::application::CheckMode;
use crate::lane::Received;
use crate::parts::Wanted;
use crate::support::Support;
use crate::types::{Address, Announcement, BlockHash, Height, Round, Validator, ValidatorSet};

/// Rounds ahead of the engine's for which blocks are collected.
const ROUNDS_AHEAD: u32 = 2;
/// Failed rounds whose blocks are still collected without a polka.
const ROUNDS_BEHIND: u32 = 64;
/// Different blocks a proposer may announce for one turn: its own, and one more
/// so that a double proposal is seen by all. Each costs an execution.
const PER_TURN: usize = 2;
/// Blocks of one proposer that are kept whole until they can be checked. The one
/// that can be decided last gives way.
const KEPT_PER_PROPOSER: usize = 3;
/// Checks of one block; the application may not always be able to answer.
const MAX_CHECKS: u8 = 4;

/// What the engine's state means for proposals.
pub(super) struct View<'a> {
    /// The height at hand.
    pub height: Height,
    /// The round the engine is in.
    pub round: Round,
    /// Whether blocks of the height are still of use.
    pub open: bool,
    /// The block that was decided and is not here.
    pub missing: Option<BlockHash>,
    /// The validators of the height.
    pub validators: &'a ValidatorSet,
    /// What two thirds have voted for.
    pub support: &'a Support,
}

impl View<'_> {
    /// Whether two thirds have voted for the block.
    fn is_supported(&self, block: &Announcement) -> bool {
        block.height == self.height
            && (self.missing == Some(block.block_hash) || self.support.has_polka(&block.block_hash))
    }

    /// How soon a block can be decided, least first; `None` if not before the
    /// engine is elsewhere.
    fn rank(&self, block: &Announcement) -> Option<(u8, u32)> {
        if block.height != self.height {
            return None;
        }
        if self.missing == Some(block.block_hash) {
            return Some((0, 0));
        }
        if !self.open {
            return None;
        }
        if self.is_supported(block) {
            return Some((1, 0));
        }
        let behind = self.round.since(block.round)?;
        Some(if behind == 0 { (2, 0) } else { (3, behind) })
    }

    /// Whose turn it is.
    fn proposer(&self, round: Round) -> &Address {
        self.validators.proposer(self.height, round).address()
    }
}

/// Why an announcement or a block is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Refused {
    #[error("round {found} while the engine is in {current}")]
    Round { found: Round, current: Round },
    #[error("{0} is not a validator")]
    NotValidator(Address),
    #[error("{found} proposes in the turn of {expected}")]
    NotItsTurn { found: Address, expected: Address },
    #[error("signature of {0} is not valid")]
    Signature(Address),
    #[error("{0} announces too many blocks")]
    TooMany(Address),
}

/// What became of a block that came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Kept for a check at this height.
    Now,
    /// Kept for the next height.
    Early,
    /// Known already, or of no use.
    Dropped,
}

/// What a check says about a block.
pub(super) enum Verdict<P> {
    /// It is in the store.
    Valid,
    /// It must not be voted for, whoever sends it again.
    Invalid,
    /// Only its time is wrong, so it can still become valid by a polka.
    Untimely(Box<Received<P>>),
    /// The application could not say.
    Unknown,
}

/// One block a proposer has announced. Two announcements of one hash with
/// different contents are different blocks: only one of them has that hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Id {
    hash: BlockHash,
    content: [u8; 32],
}

impl Id {
    fn of(announced: &Announcement) -> Self {
        Self { hash: announced.block_hash, content: announced.content }
    }
}

#[derive(Debug)]
enum State<P> {
    /// Its bytes may come.
    Announced,
    /// Waits for a check.
    Kept(Received<P>),
    /// Waits for a polka.
    Untimely(Received<P>),
    /// In the lane.
    Checking,
    /// Never again.
    Invalid,
}

impl<P> State<P> {
    fn kept(&self) -> Option<&Received<P>> {
        match self {
            Self::Kept(received) | Self::Untimely(received) => Some(received),
            Self::Announced | Self::Checking | Self::Invalid => None,
        }
    }
}

#[derive(Debug)]
struct Block<P> {
    id: Id,
    state: State<P>,
    checks: u8,
    /// Publishers whose compact block of it was taken: nobody needs to send one
    /// twice.
    compact_from: HashSet<PeerId>,
}

/// Height, round and proposer.
type Turn = (Height, Round, Address);

fn turn(announced: &Announcement) -> Turn {
    (announced.height, announced.round, announced.proposer)
}

/// See the module's documentation.
pub(super) struct Proposals<P> {
    turns: BTreeMap<Turn, Vec<Block<P>>>,
}

impl<P> Default for Proposals<P> {
    fn default() -> Self {
        Self { turns: BTreeMap::new() }
    }
}

impl<P> Proposals<P> {
    /// Whether an announced block is worth collecting: it is for this height or
    /// the next, from a validator whose turn it is, and not here yet.
    /// `authentic` verifies the signature and is asked last, because it is dear.
    pub(super) fn judge(
        &mut self,
        view: &View<'_>,
        announced: &Announcement,
        authentic: impl FnOnce(&Validator) -> bool,
    ) -> Result<Wanted, Refused> {
        let next = announced.height.get() == view.height.get() + 1;
        if announced.height != view.height && !next {
            // The one is over; for the other this node must first catch up.
            return Ok(Wanted::No);
        }
        if !next && !view.open && view.missing != Some(announced.block_hash) {
            return Ok(Wanted::No);
        }
        let validator = judge_turn(view, announced)?;
        let known = self.find(announced).map(|block| (&block.state, block.checks));
        match known {
            Some((State::Announced, checks)) if checks < MAX_CHECKS => {}
            Some(_) => return Ok(Wanted::No),
            None => self.ensure_room(view, announced)?,
        }
        if !authentic(validator) {
            return Err(Refused::Signature(announced.proposer));
        }
        self.record(announced);
        Ok(Wanted::Yes)
    }

    /// Notes that `publisher` sent a compact block; whether it is the first of
    /// this block.
    pub(super) fn first_compact(&mut self, publisher: PeerId, announced: &Announcement) -> bool {
        self.find_mut(announced).is_some_and(|block| block.compact_from.insert(publisher))
    }

    /// Takes a block that is here whole. Its announcement was judged when it came
    /// and is judged again, because the height may have moved on since.
    pub(super) fn complete(
        &mut self,
        view: &View<'_>,
        received: Received<P>,
    ) -> Result<Taken, Refused> {
        let announced = &received.announced.announcement;
        let early = announced.height.get() == view.height.get() + 1;
        if announced.height != view.height && !early {
            return Ok(Taken::Dropped);
        }
        judge_turn(view, announced)?;
        if self.find(announced).is_none() {
            self.ensure_room(view, announced)?;
        }
        let proposer = announced.proposer;
        let block = self.record(announced);
        if !matches!(block.state, State::Announced) {
            return Ok(Taken::Dropped);
        }
        block.state = State::Kept(received);
        self.give_way(view, &proposer);
        Ok(if early { Taken::Early } else { Taken::Now })
    }

    /// The block to check next, and how: the one that can be decided first.
    pub(super) fn next_check(&mut self, view: &View<'_>) -> Option<(Received<P>, CheckMode)> {
        let blocks = self.turns.values_mut().flatten();
        let ranked = blocks.filter_map(|block| {
            let announced = &block.state.kept()?.announced;
            let ready = matches!(block.state, State::Kept(_)) || view.is_supported(announced);
            let rank = view.rank(announced).filter(|_| ready)?;
            Some((rank, block))
        });
        let (_, block) = ranked.min_by_key(|(rank, _)| *rank)?;
        block.checks = block.checks.saturating_add(1);
        match std::mem::replace(&mut block.state, State::Checking) {
            State::Kept(received) | State::Untimely(received) => {
                let mode = if view.is_supported(&received.announced) {
                    CheckMode::Voted
                } else {
                    CheckMode::Proposal
                };
                Some((received, mode))
            }
            // Only these two are kept.
            other => {
                block.state = other;
                None
            }
        }
    }

    /// A check of this block is finished.
    pub(super) fn checked(
        &mut self,
        view: &View<'_>,
        announced: &Announcement,
        verdict: Verdict<P>,
    ) {
        let proposer = announced.proposer;
        // It is gone when its height was decided meanwhile.
        let Some(block) = self.find_mut(announced) else { return };
        block.state = match verdict {
            // The store knows it; should it leave the store, it may come again.
            Verdict::Valid | Verdict::Unknown => State::Announced,
            Verdict::Invalid => State::Invalid,
            Verdict::Untimely(received) => State::Untimely(*received),
        };
        if matches!(block.state, State::Announced) && block.checks >= MAX_CHECKS {
            block.state = State::Invalid;
        }
        self.give_way(view, &proposer);
    }

    /// The engine is in a later round: what was announced for rounds that are
    /// too far behind is forgotten.
    pub(super) fn round_began(&mut self, view: &View<'_>) {
        let oldest = view.round.before(ROUNDS_BEHIND);
        self.turns.retain(|(height, round, _), blocks| {
            *height != view.height
                || *round >= oldest
                || blocks.iter().any(|block| {
                    view.missing == Some(block.id.hash) || view.support.has_polka(&block.id.hash)
                })
        });
    }

    /// The height before `view`'s is committed. Blocks of it are forgotten, and
    /// those of proposers whose turn it is not after all, now that this is
    /// known; these are returned.
    pub(super) fn committed(&mut self, view: &View<'_>) -> Vec<Refused> {
        let mut refused = Vec::new();
        self.turns.retain(|(height, round, proposer), _| {
            if *height < view.height {
                return false;
            }
            let expected = view.proposer(*round);
            let keep = *height != view.height || proposer == expected;
            if !keep {
                refused.push(Refused::NotItsTurn { found: *proposer, expected: *expected });
            }
            keep
        });
        refused
    }

    /// Whether a proposal of the round at hand is here: then its proposer has
    /// begun the height.
    pub(super) fn has_current(&self, view: &View<'_>) -> bool {
        let turn = (view.height, view.round, *view.proposer(view.round));
        self.turns
            .get(&turn)
            .is_some_and(|blocks| blocks.iter().any(|block| block.state.kept().is_some()))
    }

    /// Blocks kept whole.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.turns.values().flatten().filter(|block| block.state.kept().is_some()).count()
    }

    fn find(&self, announced: &Announcement) -> Option<&Block<P>> {
        let id = Id::of(announced);
        self.turns.get(&turn(announced))?.iter().find(|block| block.id == id)
    }

    fn find_mut(&mut self, announced: &Announcement) -> Option<&mut Block<P>> {
        let id = Id::of(announced);
        self.turns.get_mut(&turn(announced))?.iter_mut().find(|block| block.id == id)
    }

    fn record(&mut self, announced: &Announcement) -> &mut Block<P> {
        let id = Id::of(announced);
        let blocks = self.turns.entry(turn(announced)).or_default();
        let at = blocks.iter().position(|block| block.id == id).unwrap_or_else(|| {
            let state = State::Announced;
            blocks.push(Block { id, state, checks: 0, compact_from: HashSet::new() });
            blocks.len() - 1
        });
        &mut blocks[at]
    }

    /// Makes room in the block's turn if there is to be any. A block with a polka
    /// is needed whatever its proposer announced beside it.
    fn ensure_room(&mut self, view: &View<'_>, announced: &Announcement) -> Result<(), Refused> {
        let Some(blocks) = self.turns.get_mut(&turn(announced)) else { return Ok(()) };
        if blocks.len() < PER_TURN {
            return Ok(());
        }
        if view.is_supported(announced) {
            let others = |block: &Block<P>| {
                !matches!(block.state, State::Checking) && !view.support.has_polka(&block.id.hash)
            };
            if let Some(at) = blocks.iter().position(others) {
                blocks.remove(at);
                return Ok(());
            }
        }
        Err(Refused::TooMany(announced.proposer))
    }

    /// Drops what a proposer has here beyond its room, its own last first.
    fn give_way(&mut self, view: &View<'_>, proposer: &Address) {
        loop {
            let own = self.turns.iter_mut().filter(|((_, _, other), _)| other == proposer);
            let kept = own.flat_map(|(_, blocks)| blocks.iter_mut());
            let mut kept: Vec<_> = kept.filter(|block| block.state.kept().is_some()).collect();
            if kept.len() <= KEPT_PER_PROPOSER {
                return;
            }
            let last = kept.iter_mut().max_by_key(|block| {
                let announced = block.state.kept().map(|received| &received.announced);
                announced.map(|announced| {
                    let rank = view.rank(announced).unwrap_or((u8::MAX, 0));
                    (rank, announced.height, announced.round)
                })
            });
            let Some(last) = last else { return };
            last.state = State::Announced;
        }
    }
}

/// Whether it may be the proposer's turn.
fn judge_turn<'a>(view: &'a View<'_>, announced: &Announcement) -> Result<&'a Validator, Refused> {
    let this = announced.height == view.height;
    let current = if this { view.round } else { Round::FIRST };
    let window = current.before(ROUNDS_BEHIND)..=current.after(ROUNDS_AHEAD);
    if !window.contains(&announced.round) && !view.is_supported(announced) {
        return Err(Refused::Round { found: announced.round, current });
    }
    let found = announced.proposer;
    let validator = view.validators.get(&found).ok_or(Refused::NotValidator(found))?;
    let expected = view.proposer(announced.round);
    if this && found != *expected {
        return Err(Refused::NotItsTurn { found, expected: *expected });
    }
    Ok(validator)
}

#[cfg(test)]
mod tests;
