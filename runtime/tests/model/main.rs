//! Long random lives of bills: the contracts against a plain model of the
//! domain's rules. Both get the same operations of many actors; they must
//! accept and refuse the same, for the same reasons where the domain names
//! them, and hold the same bills afterwards.
//!
//! Most blocks hold calls that are dispatched one by one. Some are real ones,
//! of signed transactions, in which several claimants contend for a bill.
//!
//! `MODEL_OPERATIONS` sets how many (50,000 by default; a million and more for
//! a long run), `MODEL_SEED` repeats a run: every run prints its seed.

mod model;
mod players;
mod tally;
mod words;
mod world;

use model::{Contest, Criterion, MAX_LINKS, Model, SceneTerms};
use players::{Players, Turn};
use rand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use tally::Tally;
use words::{Actor, Entry, Op, Place, Verdict};
use world::World;

/// Operations between two blocks without transactions, at most.
const PER_BLOCK: u32 = 6;

/// What every long run meets beside the operations themselves.
const NOTES: [&str; 13] = [
    "as many links as may be",
    "batch refused for an item",
    "decided by hash",
    "decided by time",
    "decided by weight",
    "dispute lost",
    "field rule broken",
    "lock repeated",
    "lock untimely",
    "registration repeated",
    "transaction not admitted",
    "transaction out of order",
    "transaction waits",
];

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn start() -> Model {
    let scene = |cumulative, voidable, lock_ms, weight| SceneTerms {
        cumulative,
        voidable,
        lock_ms,
        weight,
        active: true,
    };
    let scenes = BTreeMap::from([
        (1, scene(false, false, 60_000, 1)),
        (2, scene(true, false, 30_000, 3)),
        (3, scene(true, true, 90_000, 3)),
        (4, scene(true, false, 10_000, 2)),
    ]);
    let mut whitelist = BTreeSet::new();
    for scene in 1..=4 {
        for user in 0..words::USERS {
            if (u16::from(user) + scene) % 4 != 0 {
                whitelist.insert((scene, Actor::User(user)));
            }
        }
        whitelist.insert((scene, Actor::Both));
    }
    Model { now: world::START, scenes, whitelist, ..Default::default() }
}

/// The model and the chain, side by side.
struct Both {
    seed: u64,
    model: Model,
    world: World,
    players: Players,
    tally: Tally,
    block: u32,
    done: u32,
}

impl Both {
    /// What to say of `op` if the two disagree.
    fn context(&self, who: Actor, op: &Op) -> String {
        let Self { seed, done, block, .. } = self;
        format!("seed {seed}, operation {done}, block {block}: {who:?} {op:?}")
    }

    fn turn(&mut self) {
        match self.players.turn(&self.model) {
            Some(Turn::Frozen(who, frozen)) => {
                if frozen {
                    self.model.frozen.insert(who);
                } else {
                    self.model.frozen.remove(&who);
                }
                world::set_frozen(who, frozen);
            }
            Some(Turn::SceneActive(scene, active)) => {
                self.model.scenes.get_mut(&scene).expect("a scene").active = active;
                world::set_scene(scene, active);
            }
            Some(Turn::Whitelisted(scene, user, listed)) => {
                if listed {
                    self.model.whitelist.insert((scene, user));
                } else {
                    self.model.whitelist.remove(&(scene, user));
                }
                world::set_whitelisted(scene, user, listed);
            }
            None => {}
        }
    }

    /// A block of calls that are dispatched one by one.
    fn calls(&mut self) {
        world::next_block(self.block, self.model.now);
        if self.players.rng.random_ratio(1, 60) {
            self.turn();
        }
        for index in 1..=self.players.rng.random_range(1..=PER_BLOCK) {
            let (who, op) = self.players.op(&self.model);
            self.model.at = Place { block: self.block, index };
            let expected = self.model.apply(who, &op);
            let found = self.world.apply(who, &op, self.model.now, self.model.at);
            assert_eq!(expected, found, "{}", self.context(who, &op));
            self.after(who, &op, &expected);
        }
    }

    /// A real block, in which several want the same bills.
    fn crowd(&mut self) {
        let asked = self.players.crowd(&self.model);
        world::begin(self.block, self.model.now);
        self.model.at = Place { block: self.block, index: 0 };
        let signed = self.world.sign(asked, self.model.now);
        for one in self.players.line_up(&self.model, signed) {
            let expected = self.model.enter(one.who, &one.op, one.hash);
            let found = self.world.enter(&one);
            assert_eq!(expected, found, "{}", self.context(one.who, &one.op));
            match expected {
                Entry::In(verdict) => self.after(one.who, &one.op, &verdict),
                Entry::NotAdmitted => self.tally.note("transaction not admitted"),
                Entry::Waits => self.tally.note("transaction waits"),
                Entry::OutOfOrder => self.tally.note("transaction out of order"),
            }
        }
        for criterion in self.model.contests.values().filter_map(Contest::decided_by) {
            self.tally.note(match criterion {
                Criterion::Time => "decided by time",
                Criterion::Weight => "decided by weight",
                Criterion::Hash => "decided by hash",
            });
        }
        let (expected, found) = (self.model.end_block(), world::end());
        assert_eq!(expected, found, "seed {}, block {}", self.seed, self.block);
    }

    /// Compares what an operation that was done the same could have changed.
    fn after(&mut self, who: Actor, op: &Op, verdict: &Verdict) {
        for key in op.keys() {
            let context = || self.context(who, op);
            let bill = self.model.bills.get(&key);
            assert_eq!(bill, world::bill(key).as_ref(), "{}", context());
            let waiting = self.model.waiting.get(&key).cloned();
            assert_eq!(waiting, self.world.waiting(key), "{}", context());
            if let Some(bill) = bill {
                self.players.newest = self.players.newest.max(key);
                self.tally.statuses.insert(bill.status);
                if bill.links.len() == MAX_LINKS {
                    self.tally.note("as many links as may be");
                }
            }
        }
        match op {
            Op::SetFieldRules { scene, .. } => self.compare_field_rules(*scene),
            Op::OpenCase { .. } => self.compare_case(self.model.cases.len() as u32),
            Op::OnCase { case, .. } => self.compare_case(*case),
            Op::Allot { .. } | Op::GiveBack { .. } | Op::VoidNumbers { .. } => {
                assert!(world::has_ranges(&self.model), "{}", self.context(who, op));
            }
            _ => {}
        }
        self.tally.op(op, verdict);
        self.done += 1;
    }

    fn compare_field_rules(&self, scene: Option<words::Scene>) {
        if let Some(rules) = self.model.field_rules.get(&scene) {
            assert!(world::has_field_rules(scene, rules), "seed {}: {scene:?}", self.seed);
        }
    }

    fn compare_case(&self, number: u32) {
        let expected = self.model.case(number);
        assert_eq!(expected, world::case(number).as_ref(), "seed {}, case {number}", self.seed);
    }

    /// Compares everything.
    fn end(&self) {
        world::try_state(self.block);
        for (key, bill) in &self.model.bills {
            assert_eq!(Some(bill), world::bill(*key).as_ref(), "seed {}", self.seed);
            let waiting = self.model.waiting.get(key).cloned();
            assert_eq!(waiting, self.world.waiting(*key), "seed {}, bill {key}", self.seed);
        }
        assert!(world::has_ranges(&self.model), "seed {}", self.seed);
        assert!(world::has_totals(&self.model), "seed {}", self.seed);
        // And that there is no case more.
        (0..=self.model.cases.len() as u32 + 1).for_each(|number| self.compare_case(number));
        self.model.field_rules.keys().for_each(|scene| self.compare_field_rules(*scene));
    }
}

#[test]
fn the_contracts_agree_with_the_model() {
    let operations: u32 = setting("MODEL_OPERATIONS").unwrap_or(50_000);
    let seed: u64 = setting("MODEL_SEED").unwrap_or_else(rand::random);
    println!("MODEL_SEED={seed} MODEL_OPERATIONS={operations}");

    let model = start();
    let mut chain = world::build(&model);
    let mut both = Both {
        seed,
        model,
        world: World::default(),
        players: Players::new(seed),
        tally: Tally::default(),
        block: 1,
        done: 0,
    };
    while both.done < operations {
        chain.execute_with(|| {
            if both.players.newest > 0 && both.players.rng.random_ratio(1, 10) {
                both.crowd();
            } else {
                both.calls();
            }
            if both.block.is_multiple_of(1_000) {
                world::try_state(both.block);
            }
        });
        chain.commit_all().expect("the state is in memory");
        // Half a day at most in a run of the usual length.
        both.model.now += both.players.rng.random_range(1..6_000);
        both.block += 1;
    }
    chain.execute_with(|| both.end());
    println!("{} operations, {} bills", both.done, both.model.bills.len());
    both.tally.check(operations, &NOTES);
}
