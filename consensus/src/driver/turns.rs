//! Shorter proposal timeout for a validator that missed its last turn. With one of
//! four down, every fourth height would otherwise wait the full timeout.

use std::collections::HashMap;
use std::time::Duration;

use crate::types::{Address, Round, ValidatorSet};

/// Turns with the shorter timeout; the next turn then gets the full one, in case
/// the shorter is too short.
const BRIEF_TURNS: u8 = 8;

/// Part of the full timeout that the shorter one is.
const BRIEF_PART: u32 = 3;

/// Validators that missed a turn, each with its remaining short turns. Timeouts
/// are a node's own: validators need not agree on this.
#[derive(Debug, Default)]
pub(super) struct Turns(HashMap<Address, u8>);

impl Turns {
    /// Books a height that began with `first`'s turn and was decided in `round`.
    pub(super) fn on_decided(&mut self, first: Address, round: Round) {
        if round == Round::FIRST {
            self.0.remove(&first);
            return;
        }
        match self.0.get_mut(&first) {
            Some(left) if *left > 0 => *left -= 1,
            _ => drop(self.0.insert(first, BRIEF_TURNS)),
        }
    }

    /// How long to wait for `first`'s proposal, if `whole` is the usual time.
    pub(super) fn patience(&self, first: &Address, whole: Duration) -> Duration {
        match self.0.get(first) {
            None | Some(0) => whole,
            Some(_) => whole / BRIEF_PART,
        }
    }

    /// Forgets those that are no validators.
    pub(super) fn retain(&mut self, validators: &ValidatorSet) {
        self.0.retain(|address, _| validators.get(address).is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Duration = Duration::from_millis(1_500);
    const BRIEF: Duration = Duration::from_millis(500);

    fn address(byte: u8) -> Address {
        Address::from([byte; 32])
    }

    #[test]
    fn one_that_let_its_turn_go_by_is_waited_for_briefly_until_it_proposes() {
        let (dead, alive) = (address(1), address(2));
        let mut turns = Turns::default();
        assert_eq!(turns.patience(&dead, WHOLE), WHOLE);
        turns.on_decided(dead, Round::new(1));
        turns.on_decided(alive, Round::FIRST);
        assert_eq!(turns.patience(&dead, WHOLE), BRIEF);
        assert_eq!(turns.patience(&alive, WHOLE), WHOLE);
        turns.on_decided(dead, Round::FIRST);
        assert_eq!(turns.patience(&dead, WHOLE), WHOLE);
    }

    #[test]
    fn one_that_stays_away_gets_the_whole_time_now_and_then() {
        let dead = address(1);
        let mut turns = Turns::default();
        let waits: Vec<bool> = (0..20)
            .map(|_| {
                let whole = turns.patience(&dead, WHOLE) == WHOLE;
                turns.on_decided(dead, Round::new(2));
                whole
            })
            .collect();
        let at: Vec<usize> = (0..20).filter(|turn| waits[*turn]).collect();
        assert_eq!(at, [0, 9, 18]);
    }
}
