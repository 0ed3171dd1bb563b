//! Administrators, the council and the parties of bills.

use super::Players;
use crate::{
    model::Model,
    words::{Actor, CaseAct, Key, Op, Proposal, Relation, Scene, Status},
};
use rand::{Rng, seq::IteratorRandom};

/// What is different in the world.
pub enum Turn {
    Frozen(Actor, bool),
    SceneActive(Scene, bool),
    Whitelisted(Scene, Actor, bool),
}

impl Players {
    /// Something about the world changes. What is out of order is mended
    /// sooner than something else breaks.
    pub fn turn(&mut self, model: &Model) -> Option<Turn> {
        let mend = !self.rng.random_ratio(1, 4);
        match self.rng.random_range(0..3) {
            0 => {
                let broken = model.frozen.first().copied().filter(|_| mend);
                let who = broken.unwrap_or_else(|| self.anyone());
                let frozen = !model.frozen.contains(&who);
                (who != Actor::Stranger).then_some(Turn::Frozen(who, frozen))
            }
            1 => {
                let broken = model.scenes.iter().find(|(_, rules)| !rules.active && mend);
                let scene = broken.map_or(self.rng.random_range(1..=4), |(scene, _)| *scene);
                Some(Turn::SceneActive(scene, !model.scenes[&scene].active))
            }
            _ => {
                let (scene, user) = (self.rng.random_range(1..=4), self.user());
                let listed = !model.whitelist.contains(&(scene, user));
                (listed || !mend).then_some(Turn::Whitelisted(scene, user, listed))
            }
        }
    }

    pub(super) fn adjustment(&mut self, model: &Model) -> (Actor, Op) {
        let Some((key, number, proposer)) = self.waiting(model) else {
            return self.proposal(model);
        };
        let proposal = match self.rng.random_range(0..16) {
            0 => number.wrapping_sub(1),
            1 => model.proposed,
            _ => number,
        };
        if self.rng.random_ratio(1, 5) {
            let admin = self.admin();
            return (self.mostly(admin), Op::Withdraw { key, proposal });
        }
        let second = match proposer {
            Actor::Admin(0) if !self.rarely() => Actor::Admin(1),
            Actor::Admin(1) if !self.rarely() => Actor::Admin(0),
            proposer => proposer,
        };
        (self.mostly(second), Op::Approve { key, proposal })
    }

    /// One of the adjustments that wait, if not something is to be proposed.
    fn waiting(&mut self, model: &Model) -> Option<(Key, u32, Actor)> {
        let oldest = if self.rarely() { 0 } else { self.oldest() };
        let some = model.waiting.range(oldest..).choose(&mut self.rng);
        let some = some.map(|(key, (number, one))| (*key, *number, one.proposer));
        match self.rng.random_range(0..16) {
            // Of a bill of which nothing waits, perhaps.
            0 => Some((self.known_key(), 0, Actor::Admin(0))),
            1..9 => some,
            _ => None,
        }
    }

    fn proposal(&mut self, model: &Model) -> (Actor, Op) {
        let key = self.open_key(model);
        let (mut check, mut day, mut total) = (0, model.today(), 0);
        if let Some(bill) = model.bills.get(&key) {
            (check, day, total) = (bill.draft.check, bill.draft.day, bill.draft.total);
        }
        match self.rng.random_range(0..24) {
            0 => check = 1 - check,
            1 => day += 1,
            2 => total += 1,
            _ => {}
        }
        let to = self.one_of(&Status::ALL);
        let expected = self.expected(model, key);
        let evidence = !self.rarely();
        let proposal = Proposal { key, check, day, total, expected, to, evidence };
        let admin = self.admin();
        (self.mostly(admin), Op::Propose(proposal))
    }

    pub(super) fn case(&mut self, model: &Model) -> (Actor, Op) {
        let admin = self.admin();
        let (who, evidence) = (self.mostly(admin), !self.rarely());
        let cases = model.cases.len() as u32;
        if cases == 0 || self.rng.random_ratio(1, 3) {
            let count = if self.rarely() { 0 } else { self.rng.random_range(1..4) };
            let parties = (0..count).map(|_| self.anyone()).collect();
            return (who, Op::OpenCase { key: self.open_key(model), parties, evidence });
        }
        // One that is not, or one of the newest.
        let some = if self.rarely() { cases + 1 } else { cases };
        let case = self.rng.random_range(some.saturating_sub(4)..=some);
        let known = model.case(case);
        let key = known.map_or(1, |case| case.bill);
        let act = match self.rng.random_range(0..6) {
            0 | 1 => CaseAct::Lock,
            2 | 3 => CaseAct::Unlock,
            4 => CaseAct::Close(Some(self.anyone())),
            _ => CaseAct::Close(known.and_then(|case| case.parties.first().copied())),
        };
        (who, Op::OnCase { case, key, act, evidence })
    }

    pub(super) fn link(&mut self, model: &Model) -> (Actor, Op) {
        let key = self.well_linked(model);
        let natural =
            if self.rng.random_ratio(1, 3) { self.admin() } else { self.issuer(model, key) };
        let who = self.mostly(natural);
        let relation = self.one_of(&Relation::ALL);
        if !self.rng.random_ratio(1, 4) {
            return (who, Op::Link { key, party: self.anyone(), relation });
        }
        let links = model.bills.get(&key).map_or(&[][..], |bill| &bill.links);
        let (party, relation) = match links.iter().choose(&mut self.rng) {
            Some(link) if !self.rarely() => (link.party, link.relation),
            _ => (self.anyone(), relation),
        };
        let to = self.rng.random_ratio(2, 3).then(|| self.one_of(&Relation::ALL));
        (who, Op::UpdateLink { key, party, relation, to })
    }

    /// A bill, often the one with the most links, also if it is somewhat older,
    /// so that some have as many as they may.
    fn well_linked(&mut self, model: &Model) -> Key {
        if self.rng.random() {
            return self.open_key(model);
        }
        let live = model.bills.range(self.oldest().saturating_sub(5 * super::LIVE)..);
        let open = live.filter(|(_, bill)| !bill.status.is_final());
        let most = open.max_by_key(|(_, bill)| bill.links.len());
        most.map_or(1, |(key, _)| *key)
    }
}
