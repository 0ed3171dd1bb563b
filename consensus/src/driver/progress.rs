//! Where this node stands: height, round and phase. Pure: no ports, clock or
//! lane, so that the order in which the engine asks, the lane finishes and the
//! others move on can be replayed in a table.
//!
//! ```text
//! Deciding ──decided──▶ Committing ──committed──▶ Committed ──asked──▶ Waiting ──begin──▶ Deciding
//!     └──decided, block missing──▶ Fetching ──found──▶ ▲
//! ```

use crate::types::{BlockHash, Height, Round};

/// Where the current height stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The engine is deciding.
    Deciding,
    /// Decided, but the block is not here: it is asked from the peers.
    Fetching(BlockHash),
    /// Decided; the lane commits.
    Committing,
    /// Committed; the engine has not asked yet what comes next.
    Committed,
    /// The engine waits to be told to begin the next height.
    Waiting,
}

/// What a decision leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decided {
    /// Commit the block.
    Commit,
    /// Get the block first.
    Fetch,
    /// Of another height, or a second one: ignore it.
    OutOfTurn,
}

/// What is to be done about the next height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing yet.
    Nothing,
    /// Begin to wait for work or for time.
    Wait,
    /// Begin the height at once.
    Begin,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Progress {
    /// The height at hand, or once it is committed the next.
    height: Height,
    /// The round the engine is in.
    round: Round,
    phase: Phase,
    /// Whether the engine asked for the next height before it was committed.
    asked: bool,
    /// Height of the last block that came from value sync.
    synced: Option<Height>,
    /// Whether a validator was heard of that has begun the height at hand.
    others_began: bool,
}

impl Progress {
    /// About to decide `height`.
    pub(super) fn new(height: Height) -> Self {
        Self {
            height,
            round: Round::FIRST,
            phase: Phase::Deciding,
            asked: false,
            synced: None,
            others_began: false,
        }
    }

    pub(super) fn height(&self) -> Height {
        self.height
    }

    pub(super) fn round(&self) -> Round {
        self.round
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether the height at hand is still to be decided, so that a block of it
    /// is worth a check.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Deciding | Phase::Waiting | Phase::Committed)
    }

    /// The block that was decided and is not here.
    pub(super) fn missing(&self) -> Option<BlockHash> {
        match self.phase {
            Phase::Fetching(hash) => Some(hash),
            _ => None,
        }
    }

    /// The engine is in this round of the height at hand.
    pub(super) fn started_round(&mut self, height: Height, round: Round) {
        if height == self.height {
            self.round = round;
        }
    }

    /// Two thirds have committed to a block, which is here or not.
    pub(super) fn decided(&mut self, height: Height, hash: BlockHash, here: bool) -> Decided {
        if height != self.height || self.phase != Phase::Deciding {
            return Decided::OutOfTurn;
        }
        if here {
            self.phase = Phase::Committing;
            Decided::Commit
        } else {
            self.phase = Phase::Fetching(hash);
            Decided::Fetch
        }
    }

    /// A block is here; whether it is the one that is missing and can now be
    /// committed.
    pub(super) fn found(&mut self, hash: &BlockHash) -> bool {
        let found = self.phase == Phase::Fetching(*hash);
        if found {
            self.phase = Phase::Committing;
        }
        found
    }

    /// A decided block of this height came from value sync.
    pub(super) fn synced(&mut self, height: Height) {
        self.synced = Some(height);
    }

    /// Whether the last block came from value sync.
    pub(super) fn is_catching_up(&self) -> bool {
        self.synced.is_some_and(|synced| synced.get() + 1 == self.height.get())
    }

    /// The block is final; `next` is the height after it. `early` says whether a
    /// proposal for that height is here already.
    pub(super) fn committed(&mut self, next: Height, early: bool) -> Next {
        self.height = next;
        self.round = Round::FIRST;
        self.phase = Phase::Committed;
        self.others_began = early;
        if std::mem::take(&mut self.asked) { self.wait() } else { Next::Nothing }
    }

    /// The engine asks what comes next.
    pub(super) fn asked(&mut self) -> Result<Next, Phase> {
        match self.phase {
            Phase::Committing | Phase::Fetching(_) => {
                self.asked = true;
                Ok(Next::Nothing)
            }
            Phase::Committed => Ok(self.wait()),
            phase @ (Phase::Deciding | Phase::Waiting) => Err(phase),
        }
    }

    /// A validator has begun the height at hand; whether this node should too.
    pub(super) fn others_began(&mut self) -> Next {
        self.others_began = true;
        if self.phase == Phase::Waiting { Next::Begin } else { Next::Nothing }
    }

    /// The wait is over; whether there was one.
    pub(super) fn begin(&mut self) -> bool {
        let waited = self.phase == Phase::Waiting;
        if waited {
            self.phase = Phase::Deciding;
        }
        waited
    }

    /// There is no wait while there is more to catch up with, or when others
    /// have begun.
    fn wait(&mut self) -> Next {
        self.phase = Phase::Waiting;
        if self.is_catching_up() || self.others_began { Next::Begin } else { Next::Wait }
    }
}

#[cfg(test)]
mod tests;
