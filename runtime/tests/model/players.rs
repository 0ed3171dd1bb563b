//! Who asks for what: mostly something sensible, now and then anything.

mod administration;
mod changes;
mod contention;
mod drafts;
mod numbers;
mod rules;

pub use administration::Turn;

use crate::{
    model::Model,
    words::{self, Actor, Key, Op, Scene},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// Bills that operations are about at a time; older ones are left alone.
const LIVE: u32 = 20;

pub struct Players {
    pub rng: StdRng,
    actors: Vec<Actor>,
    /// The newest bill's key.
    pub newest: Key,
}

impl Players {
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), actors: Actor::all(), newest: 0 }
    }

    pub fn op(&mut self, model: &Model) -> (Actor, Op) {
        if self.newest == 0 {
            return self.registration(model);
        }
        match self.rng.random_range(0..100) {
            0..10 => self.registration(model),
            10..12 => self.registrations(model),
            12..15 => self.resend(model),
            15..21 => self.adjustment(model),
            21..26 => self.link(model),
            26..28 => self.filling(model),
            28..30 => self.fillings(model),
            30..34 => self.changes(model),
            34 => self.field_rules(model),
            35..39 => self.case(model),
            39 => self.numbers(model),
            _ => {
                let key = self.open_key(model);
                self.change(model, key)
            }
        }
    }

    fn one_of<T: Copy>(&mut self, choice: &[T]) -> T {
        *choice.choose(&mut self.rng).expect("there is a choice")
    }

    fn anyone(&mut self) -> Actor {
        *self.actors.choose(&mut self.rng).expect("there are actors")
    }

    /// `natural`, or now and then anyone.
    fn mostly(&mut self, natural: Actor) -> Actor {
        if self.rarely() { self.anyone() } else { natural }
    }

    fn user(&mut self) -> Actor {
        Actor::User(self.rng.random_range(0..words::USERS))
    }

    fn admin(&mut self) -> Actor {
        Actor::Admin(self.rng.random_range(0..words::ADMINS))
    }

    fn rarely(&mut self) -> bool {
        self.rng.random_ratio(1, 12)
    }

    fn scene(&mut self) -> Scene {
        if self.rarely() { 9 } else { self.rng.random_range(1..=4) }
    }

    fn known_key(&mut self) -> Key {
        let newest = self.newest.max(1);
        self.rng.random_range(self.oldest()..=newest)
    }

    /// One that something may follow on, if chance does not forbid it.
    fn open_key(&mut self, model: &Model) -> Key {
        let tries = [(); 3].map(|()| self.known_key());
        let is_open = |key: &Key| model.bills.get(key).is_some_and(|bill| !bill.status.is_final());
        tries.into_iter().find(is_open).unwrap_or(tries[0])
    }

    /// The oldest bill that operations are about.
    fn oldest(&self) -> Key {
        self.newest.saturating_sub(LIVE).max(1)
    }

    /// A version to expect of a bill, or none.
    fn expected(&mut self, model: &Model, key: Key) -> Option<u32> {
        let version = model.bills.get(&key).map_or(1, |bill| bill.version);
        match self.rng.random_range(0..10) {
            0 => Some(version.wrapping_sub(1)),
            1 => Some(version + 1),
            2..5 => Some(version),
            _ => None,
        }
    }

    fn issuer(&self, model: &Model, key: Key) -> Actor {
        model.bills.get(&key).map_or(Actor::Issuer(0), |bill| bill.draft.issuer)
    }
}
