//! Allotted numbers: whose a number is, which are used, which voided.

use super::{Model, code_parts, ensure};
use crate::words::{Actor, Check, Draft, Key, Kind, Refusal};
use std::collections::BTreeSet;

/// Most ranges of an issuer and a code, ranges of a code, voided spans of a
/// range, and numbers among used ones that are voided at once.
const MOST_RANGES: usize = 16;
const MOST_OF_CODE: usize = 4_096;
const MOST_VOIDED: usize = 8;
const MOST_AMONG_USED: u32 = 100;

/// A range of numbers of the code that its first number's bill has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    pub issuer: Actor,
    pub first: Key,
    pub last: Key,
    pub voided: BTreeSet<Key>,
}

impl Held {
    fn has(&self, number: Key) -> bool {
        (self.first..=self.last).contains(&number)
    }

    fn is_of_code(&self, number: Key) -> bool {
        code_parts(self.first) == code_parts(number)
    }
}

impl Model {
    /// Numbers of the range that bills have, in order. A bill's number is of
    /// one code only.
    pub fn used_in(&self, held: &Held) -> Vec<Key> {
        let all = self.used.range(held.first..=held.last).map(|(key, ())| *key);
        all.filter(|key| held.is_of_code(*key)).collect()
    }

    /// The range of the issuer that has the number of the code of `of`.
    fn place_of(&self, issuer: Actor, of: Key, number: Key) -> Result<usize, Refusal> {
        let is_it = |held: &Held| held.issuer == issuer && held.is_of_code(of) && held.has(number);
        self.held.iter().position(is_it).ok_or(Refusal::Rule)
    }

    pub(super) fn allot(
        &mut self,
        who: Actor,
        issuer: Actor,
        first: Key,
        last: Key,
    ) -> Result<(), Refusal> {
        ensure(who == Actor::Council || who.is_admin())?;
        ensure(first <= last && issuer.is_issuer() && self.may_act(issuer))?;
        let of_code: Vec<_> = self.held.iter().filter(|held| held.is_of_code(first)).collect();
        ensure(of_code.iter().all(|held| held.last < first || last < held.first))?;
        let own = of_code.iter().filter(|held| held.issuer == issuer).count();
        let count = of_code.len();
        let before = self
            .held
            .iter_mut()
            .find(|held| held.issuer == issuer && held.is_of_code(first) && held.last + 1 == first);
        if let Some(before) = before {
            // The code is the first number's, as the bill of that number has it.
            before.last = last;
            return Ok(());
        }
        ensure(own < MOST_RANGES && count < MOST_OF_CODE)?;
        self.held.push(Held { issuer, first, last, voided: BTreeSet::new() });
        Ok(())
    }

    pub(super) fn give_back(
        &mut self,
        who: Actor,
        issuer: Actor,
        of: Key,
        first: Key,
    ) -> Result<(), Refusal> {
        ensure(who == Actor::Council || who == issuer || who.is_admin())?;
        let at = self.place_of(issuer, of, first)?;
        let held = &self.held[at];
        ensure(self.used_in(held).last().is_none_or(|highest| *highest < first))?;
        ensure(held.voided.last().is_none_or(|voided| *voided < first))?;
        if held.first == first {
            self.held.remove(at);
        } else {
            self.held[at].last = first - 1;
        }
        Ok(())
    }

    pub(super) fn void_numbers(
        &mut self,
        who: Actor,
        issuer: Actor,
        of: Key,
        (first, last): (Key, Key),
    ) -> Result<(), Refusal> {
        ensure(who == Actor::Council || who.is_admin())?;
        ensure(first <= last)?;
        let at = self.place_of(issuer, of, first)?;
        let held = &self.held[at];
        ensure(last <= held.last && held.voided.range(first..=last).next().is_none())?;
        if let Some(highest) = self.used_in(held).last().filter(|highest| first <= **highest) {
            let end = last.min(*highest);
            ensure(end - first < MOST_AMONG_USED)?;
            let has_bill =
                |number: &Key| held.is_of_code(*number) && self.bills.contains_key(number);
            ensure(!(first..=end).any(|number| has_bill(&number)))?;
        }
        let mut voided = held.voided.clone();
        voided.extend(first..=last);
        let begins = |number: &&Key| **number == 0 || !voided.contains(&(**number - 1));
        ensure(voided.iter().filter(begins).count() <= MOST_VOIDED)?;
        self.held[at].voided = voided;
        Ok(())
    }

    /// Uses the number of a new bill, if a rule asks for an allotted one.
    pub(super) fn use_number(&mut self, draft: &Draft) -> Result<(), Refusal> {
        let odd = draft.key % 2 == 1;
        let asks = [None, Some(draft.scene)].iter().any(|scene| {
            self.field_rules.get(scene).iter().flat_map(|set| &set.rules).any(|rule| {
                let of_kind = rule.kind.is_none_or(|kind: Kind| kind == draft.kind);
                of_kind
                    && matches!(&rule.check, Check::Allotted(only) if only.is_none_or(|of| of == odd))
            })
        });
        if !asks {
            return Ok(());
        }
        let at = self.place_of(draft.issuer, draft.key, draft.key)?;
        ensure(!self.held[at].voided.contains(&draft.key))?;
        self.used.insert(draft.key, ());
        Ok(())
    }
}
