//! The rules of a bill's life, written down a second time and plainly: from
//! the domain's tables of statuses and conditions, with nothing of the pallets.

mod adjustments;
mod cases;
mod changes;
mod contention;
mod field_rules;
mod links;
mod numbers;
mod registration;

pub use contention::{Asked, Contest, Criterion};
pub use field_rules::code_parts;
pub use links::MAX_LINKS;
pub use numbers::Held;
pub use registration::Way;

use crate::words::{
    Actor, Adjustment, Bill, Case, Done, Draft, Key, Mode, Op, Place, Refusal, RuleSet, Scene,
    Status, Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
pub struct SceneTerms {
    pub cumulative: bool,
    pub voidable: bool,
    pub lock_ms: u64,
    pub weight: u16,
    pub active: bool,
}

/// Everything the rules look at.
#[derive(Default)]
pub struct Model {
    pub now: u64,
    /// The transaction at hand.
    pub at: Place,
    pub bills: BTreeMap<Key, Bill>,
    pub scenes: BTreeMap<Scene, SceneTerms>,
    pub whitelist: BTreeSet<(Scene, Actor)>,
    pub frozen: BTreeSet<Actor>,
    /// What was registered or pre-issued, as it was sent.
    pub sent: BTreeMap<Key, Sent>,
    /// By scene; none: of all scenes.
    pub field_rules: BTreeMap<Option<Scene>, RuleSet>,
    /// Ranges of numbers.
    pub held: Vec<Held>,
    /// Numbers that were used while a rule asked for allotted ones.
    pub used: BTreeMap<Key, ()>,
    /// Adjustments that wait, with their numbers.
    pub waiting: BTreeMap<Key, (u32, Adjustment)>,
    /// Cases by number, from 1.
    pub cases: Vec<Case>,
    /// Adjustments proposed so far.
    pub proposed: u32,
    /// The locks that transactions of the block have asked for. Calls that are
    /// no transactions ask for none.
    pub contests: BTreeMap<Key, Contest>,
    /// Senders of whom the block left a transaction out.
    pub left_out: BTreeSet<Actor>,
}

/// A registration that was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub way: Way,
    pub draft: Draft,
    pub at: Place,
}

/// Refuses what breaks a rule.
fn ensure(holds: bool) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::Rule) }
}

impl Model {
    /// The day of now, counted from 1970-01-01 in UTC+8.
    pub fn today(&self) -> u64 {
        (self.now + 8 * 3_600_000) / 86_400_000
    }

    fn may_act(&self, actor: Actor) -> bool {
        !matches!(actor, Actor::Stranger | Actor::Council) && !self.frozen.contains(&actor)
    }

    fn active_scene(&self, scene: Scene) -> Result<SceneTerms, Refusal> {
        let rules = self.scenes.get(&scene).copied();
        rules.filter(|rules| rules.active).ok_or(Refusal::Rule)
    }

    fn bill(&self, key: Key) -> Result<Bill, Refusal> {
        self.bills.get(&key).cloned().ok_or(Refusal::Rule)
    }

    /// What comes of `op` by `who`; if it is accepted, it has happened.
    pub fn apply(&mut self, who: Actor, op: &Op) -> Verdict {
        self.atomically(&op.keys(), |model| model.decide(who, op))
    }

    /// What `act` refuses leaves nothing behind.
    fn atomically<T>(
        &mut self,
        keys: &[Key],
        act: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let bills: Vec<_> = keys.iter().map(|key| (*key, self.bills.get(key).cloned())).collect();
        let sent: Vec<_> = keys.iter().map(|key| (*key, self.sent.get(key).cloned())).collect();
        let used: Vec<_> = keys.iter().map(|key| (*key, self.used.get(key).copied())).collect();
        let contests = self.contests.clone();
        let done = act(self);
        if done.is_err() {
            restore(&mut self.bills, bills);
            restore(&mut self.sent, sent);
            restore(&mut self.used, used);
            self.contests = contests;
        }
        done
    }

    fn decide(&mut self, who: Actor, op: &Op) -> Verdict {
        if let Op::SetFieldRules { scene, expected, rules } = op {
            return self.set_field_rules(who, *scene, *expected, rules).map(plainly);
        }
        // The council is no participant, and does some of it all the same.
        ensure(self.may_act(who) || (who == Actor::Council && op.is_of_numbers()))?;
        match op {
            Op::Register(draft) => self.register(who, draft, Way::Register).map(once),
            Op::PreIssue(draft) => self.register(who, draft, Way::PreIssue).map(once),
            Op::RegisterBatch(drafts, mode) => self.batch(
                drafts,
                *mode,
                |draft| draft.key,
                |model, draft| model.register(who, draft, Way::Register),
            ),
            Op::ConfirmNotice(key) => self.notice(who, *key, Status::Normal).map(plainly),
            Op::VoidNotice(key) => self.notice(who, *key, Status::Voided).map(plainly),
            Op::Change(item) => self.change(who, item).map(once),
            Op::ChangeBatch(items, mode) => {
                self.batch(items, *mode, |item| item.key, |model, item| model.change(who, item))
            }
            Op::Fill(filling) => self.fill(who, filling).map(plainly),
            Op::FillBatch(fillings, mode) => self.batch(
                fillings,
                *mode,
                |filling| filling.key,
                |model, filling| model.fill(who, filling).map(|()| None),
            ),
            Op::RedReverse(reversal) => self.red_reverse(who, reversal).map(plainly),
            Op::Propose(proposal) => self.propose(who, proposal).map(plainly),
            Op::Approve { key, proposal } => self.approve(who, *key, *proposal).map(plainly),
            Op::Withdraw { key, proposal } => self.withdraw(who, *key, *proposal).map(plainly),
            Op::Allot { issuer, first, last } => {
                self.allot(who, *issuer, *first, *last).map(plainly)
            }
            Op::GiveBack { issuer, of, first } => {
                self.give_back(who, *issuer, *of, *first).map(plainly)
            }
            Op::VoidNumbers { issuer, of, first, last } => {
                self.void_numbers(who, *issuer, *of, (*first, *last)).map(plainly)
            }
            Op::Link { key, party, relation } => {
                self.link(who, *key, *party, *relation).map(plainly)
            }
            Op::UpdateLink { key, party, relation, to } => {
                self.update_link(who, *key, *party, *relation, *to).map(plainly)
            }
            Op::OpenCase { key, parties, evidence } => {
                self.open_case(who, *key, parties, *evidence).map(plainly)
            }
            Op::OnCase { case, act, evidence, .. } => {
                self.on_case(who, *case, act, *evidence).map(plainly)
            }
            Op::SetFieldRules { .. } => unreachable!("the council's affair, see above"),
        }
    }

    /// Works off items in their order. `act` gives the first transaction of
    /// what is only repeated.
    fn batch<I>(
        &mut self,
        items: &[I],
        mode: Mode,
        key: impl Fn(&I) -> Key,
        act: impl Fn(&mut Self, &I) -> Result<Option<Place>, Refusal>,
    ) -> Verdict {
        ensure(!items.is_empty())?;
        let mut done = Done::default();
        for (index, item) in (0..).zip(items) {
            match (self.atomically(&[key(item)], |model| act(model, item)), mode) {
                (Ok(again), _) => done.again.extend(again),
                (Err(_), Mode::AllOrNothing) => return Err(Refusal::Item(index)),
                (Err(refusal), Mode::PerItem) => done.refused.push((index, refusal)),
            }
        }
        Ok(done)
    }
}

fn restore<T>(map: &mut BTreeMap<Key, T>, before: Vec<(Key, Option<T>)>) {
    for (key, value) in before {
        match value {
            Some(value) => drop(map.insert(key, value)),
            None => drop(map.remove(&key)),
        }
    }
}

fn plainly((): ()) -> Done {
    Done::default()
}

fn once(again: Option<Place>) -> Done {
    Done { again: again.into_iter().collect(), refused: Vec::new() }
}
