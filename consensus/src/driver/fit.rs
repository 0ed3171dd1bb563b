//! How large a block this node proposes: one that fits into its turn. Pure.
//!
//! Where a turn of its own fails, its next block is half as large; each that is
//! decided in its turn lets the next be a quarter larger. Others' turns say nothing of
//! this node's links.

use crate::types::Round;

/// Smallest bound of a block: 0.5 s at 1 Mbit/s.
const LEAST: usize = 64 * 1024;
/// Halvings for failed rounds of one height, at most.
const HALVINGS: u32 = 6;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Fit {
    most: usize,
    limit: usize,
}

impl Fit {
    /// Nothing has failed: blocks may have `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { most, limit: most }
    }

    /// Most bytes of a block for this round: half for each round that failed.
    pub(super) fn limit(&self, round: Round) -> usize {
        (self.limit >> round.get().min(HALVINGS)).max(LEAST).min(self.most)
    }

    /// A turn of this node's is over; whether its block was decided.
    pub(super) fn turn_over(&mut self, decided: bool) {
        self.limit = if decided {
            self.limit.saturating_add(self.limit / 4).min(self.most)
        } else {
            (self.limit / 2).max(LEAST).min(self.most)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 4 * 1024 * 1024;

    #[test]
    fn blocks_shrink_while_turns_fail_and_grow_again() {
        let mut fit = Fit::new(MOST);
        assert_eq!(fit.limit(Round::FIRST), MOST);
        fit.turn_over(false);
        assert_eq!(fit.limit(Round::FIRST), MOST / 2);
        for _ in 0..20 {
            fit.turn_over(false);
        }
        assert_eq!(fit.limit(Round::FIRST), LEAST);
        fit.turn_over(true);
        assert_eq!(fit.limit(Round::FIRST), LEAST + LEAST / 4);
        for _ in 0..20 {
            fit.turn_over(true);
        }
        assert_eq!(fit.limit(Round::FIRST), MOST);
    }

    #[test]
    fn later_rounds_of_a_height_have_smaller_blocks() {
        let fit = Fit::new(MOST);
        assert_eq!(fit.limit(Round::new(1)), MOST / 2);
        assert_eq!(fit.limit(Round::new(6)), LEAST);
        assert_eq!(fit.limit(Round::new(u32::MAX)), LEAST);
        assert_eq!(Fit::new(1000).limit(Round::FIRST), 1000, "never more than the settings say");
    }
}
