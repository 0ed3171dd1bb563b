//! Changes of status, mostly what a bill's status invites.

use super::Players;
use crate::{
    model::Model,
    words::{Actor, Bill, Change, Item, Key, Lock as Held, Op, Status},
};
use rand::Rng;

/// What can be done about a bill.
#[derive(Clone, Copy)]
enum Deed {
    ConfirmNotice,
    VoidNotice,
    RedReverse,
    Confirm,
    Void,
    AdminLock,
    AdminUnlock,
    Expire,
    Unlock,
    Reimburse,
    ReverseUse,
    Lock,
}

use Deed::*;

const DEEDS: [Deed; 12] = [
    ConfirmNotice,
    VoidNotice,
    RedReverse,
    Confirm,
    Void,
    AdminLock,
    AdminUnlock,
    Expire,
    Unlock,
    Reimburse,
    ReverseUse,
    Lock,
];

fn invited(status: Option<Status>) -> &'static [Deed] {
    match status {
        Some(Status::PreIssued) => &[ConfirmNotice, VoidNotice, Confirm, Void],
        Some(Status::Normal) => &[Lock, Lock, Lock, Lock, Void, RedReverse, AdminLock],
        Some(Status::Locked) => {
            &[Unlock, Reimburse, Reimburse, Reimburse, Expire, Lock, AdminUnlock]
        }
        Some(Status::PartlyReimbursed) => &[Lock, Lock, Lock, ReverseUse, AdminLock],
        Some(Status::Reimbursed) => &[ReverseUse, Lock],
        _ => &[Lock, RedReverse],
    }
}

impl Players {
    pub(super) fn change(&mut self, model: &Model, key: Key) -> (Actor, Op) {
        let bill = model.bills.get(&key);
        let issuer = self.issuer(model, key);
        let deed = if self.rng.random_ratio(1, 4) {
            self.one_of(&DEEDS)
        } else {
            self.one_of(invited(bill.map(|bill| bill.status)))
        };
        let (natural, change) = match deed {
            ConfirmNotice => return (self.mostly(issuer), Op::ConfirmNotice(key)),
            VoidNotice => return (self.mostly(issuer), Op::VoidNotice(key)),
            RedReverse => return self.reversal(model, key),
            other => self.status_change(bill, issuer, other),
        };
        let expected = self.expected(model, key);
        (self.mostly(natural), Op::Change(Item { key, expected, change }))
    }

    /// The change, and who could ask for it.
    fn status_change(&mut self, bill: Option<&Bill>, issuer: Actor, deed: Deed) -> (Actor, Change) {
        let given = !self.rarely();
        let user = self.user();
        let holder = bill.and_then(|bill| bill.lock.as_ref()).map_or(user, |lock| lock.holder);
        let payer = bill.and_then(|bill| bill.claims.last()).map_or(user, |claim| claim.payer);
        match deed {
            Confirm => (issuer, Change::Confirm),
            Void => (issuer, Change::Void),
            AdminLock => (self.admin(), Change::AdminLock { evidence: given }),
            AdminUnlock => (self.admin(), Change::AdminUnlock { evidence: given }),
            Expire => (user, Change::Expire),
            Unlock => (holder, Change::Unlock),
            Reimburse => (holder, Change::Reimburse(self.rng.random_range(-1..16))),
            ReverseUse => (payer, Change::ReverseUse { approval: given }),
            ConfirmNotice | VoidNotice | RedReverse | Lock => {
                let drift = match self.rng.random_range(0..24) {
                    0 => self.one_of(&[-10_001, 30_001]),
                    1 => self.one_of(&[-10_000, 30_000]),
                    _ => 0,
                };
                match bill.and_then(|bill| bill.lock.as_ref()) {
                    Some(lock) if self.rng.random_ratio(2, 3) => self.lock_again(lock, drift),
                    _ => self.lock(user, drift),
                }
            }
        }
    }

    /// A lock for `user`, or for whom a platform may think of.
    pub(super) fn lock(&mut self, user: Actor, drift: i64) -> (Actor, Change) {
        let (who, for_user) = match self.rng.random_range(0..8) {
            0 => (Actor::Platform, Some(self.anyone())),
            1..3 => (Actor::Platform, Some(user)),
            3 => (user, Some(user)),
            _ => (user, None),
        };
        let (scene, claim) = (self.scene(), self.rng.random_range(0..3));
        (who, Change::Lock { scene, claim, for_user, drift })
    }

    /// A lock that stands once more, by its holder or by a platform, mostly as
    /// it was.
    fn lock_again(&mut self, lock: &Held, drift: i64) -> (Actor, Change) {
        let (scene, claim) = lock.claim.unwrap_or((1, 0));
        let claim = if self.rarely() { claim + 1 } else { claim };
        let platform = self.rng.random_ratio(1, 4);
        let (who, for_user) =
            if platform { (Actor::Platform, Some(lock.holder)) } else { (lock.holder, None) };
        (who, Change::Lock { scene, claim, for_user, drift })
    }

    /// A few bills of which `whose` names the same actor, and who that is.
    pub(super) fn keys_of_one(
        &mut self,
        model: &Model,
        whose: impl Fn(&Bill) -> Actor,
    ) -> (Actor, Vec<Key>) {
        let first = self.open_key(model);
        let who = model.bills.get(&first).map_or(Actor::Stranger, &whose);
        if self.rarely() {
            return (who, vec![]);
        }
        let mut keys = vec![first];
        for _ in 0..self.rng.random_range(1..6) {
            let key = self.open_key(model);
            let fits = model.bills.get(&key).is_some_and(|bill| whose(bill) == who);
            if fits || self.rarely() {
                keys.push(key);
            }
        }
        (who, keys)
    }

    /// A batch of changes by one who can ask for most of them.
    pub(super) fn changes(&mut self, model: &Model) -> (Actor, Op) {
        let user = self.user();
        let (who, keys) = self.keys_of_one(model, |bill| match bill.status {
            Status::PreIssued => bill.draft.issuer,
            Status::Locked => bill.lock.as_ref().map_or(user, |lock| lock.holder),
            Status::Normal | Status::PartlyReimbursed => user,
            _ => bill.claims.last().map_or(user, |claim| claim.payer),
        });
        let item = |key| {
            let bill = model.bills.get(&key);
            let deed = match bill.map(|bill| bill.status) {
                Some(Status::PreIssued) => self.one_of(&[Confirm, Void]),
                Some(Status::Normal | Status::PartlyReimbursed) => Lock,
                Some(Status::Locked) => self.one_of(&[Unlock, Reimburse, AdminUnlock, Lock]),
                _ => ReverseUse,
            };
            let issuer = self.issuer(model, key);
            let change = match deed {
                Lock => {
                    let (scene, claim) = (self.scene(), self.rng.random_range(0..3));
                    Change::Lock { scene, claim, for_user: None, drift: 0 }
                }
                deed => self.status_change(bill, issuer, deed).1,
            };
            Item { key, expected: self.expected(model, key), change }
        };
        let items = keys.into_iter().map(item).collect();
        (self.mostly(who), Op::ChangeBatch(items, self.mode()))
    }
}
