//! Numbers, mostly those that come next.

use super::Players;
use crate::{
    model::Model,
    words::{Actor, ISSUERS, Key, Op},
};
use rand::{Rng, seq::IndexedRandom};

impl Players {
    /// Somebody allots, gives back or voids numbers.
    pub(super) fn numbers(&mut self, model: &Model) -> (Actor, Op) {
        let admin = self.admin();
        let natural = if self.rng.random_ratio(1, 4) { Actor::Council } else { admin };
        let who = self.mostly(natural);
        match self.rng.random_range(0..6) {
            0..3 => (who, self.allotment(model)),
            3 => {
                let (issuer, of, last) = self.some_range(model);
                let first = if self.rarely() { of } else { self.rng.random_range(of..=last) };
                let sender = if self.rng.random() { issuer } else { who };
                (sender, Op::GiveBack { issuer, of, first })
            }
            _ => {
                let (issuer, of, last) = self.some_range(model);
                let first = self.rng.random_range(of..=last);
                let last = first + self.rng.random_range(0..4);
                (who, Op::VoidNumbers { issuer, of, first, last })
            }
        }
    }

    /// Numbers after the last ones of an issuer, or some that nobody has yet.
    fn allotment(&mut self, model: &Model) -> Op {
        let issuer = self.mostly_an_issuer();
        let parity = self.rng.random_range(0..2);
        let of_code = || model.held.iter().filter(|held| held.first % 2 == parity);
        let own_end = of_code().filter(|held| held.issuer == issuer).map(|held| held.last).max();
        let end = of_code().map(|held| held.last).max().unwrap_or(0).max(self.newest);
        let first = match own_end {
            Some(own) if own % 2 != parity && self.rng.random() => own + 1,
            _ if self.rarely() => self.rng.random_range(0..=end + 1),
            _ => end + 1 + (end + 1) % 2 + parity,
        };
        let last = (first + self.rng.random_range(0..30)).saturating_sub(u32::from(self.rarely()));
        Op::Allot { issuer, first, last }
    }

    fn mostly_an_issuer(&mut self) -> Actor {
        let issuer = Actor::Issuer(self.rng.random_range(0..ISSUERS));
        self.mostly(issuer)
    }

    /// One of the ranges; of nobody's, if there is none.
    fn some_range(&mut self, model: &Model) -> (Actor, Key, Key) {
        match model.held.choose(&mut self.rng) {
            Some(held) if !self.rarely() => (held.issuer, held.first, held.last),
            _ => (Actor::Issuer(0), self.known_key(), self.newest + 10),
        }
    }
}
