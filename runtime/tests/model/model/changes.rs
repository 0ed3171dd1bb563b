//! Changes of status: the domain's table, row by row.

use super::{Model, ensure};
use crate::words::{
    Actor, Bill, Change, Claim, Item, Key, Kind, Lock, Place, Refusal, Scene, Status,
};

impl Model {
    /// The bill as the next operation finds it: without a lock whose time is
    /// over. The release is a version of its own.
    pub(super) fn found(&self, key: Key) -> Result<(Bill, bool), Refusal> {
        let mut bill = self.bill(key)?;
        let over = |lock: &Lock| lock.expires.is_some_and(|expires| self.now > expires);
        let released = bill.lock.take_if(|lock| over(lock));
        if let Some(lock) = &released {
            bill.status = lock.before;
            bill.version += 1;
        }
        Ok((bill, released.is_some()))
    }

    /// Changes a bill's status. A lock that its holder repeats succeeds,
    /// changes nothing and names the first time.
    pub(super) fn change(&mut self, who: Actor, item: &Item) -> Result<Option<Place>, Refusal> {
        let Item { key, expected, change } = item;
        let (mut bill, released) = self.found(*key)?;
        if let Change::Lock { for_user, drift, .. } = change {
            self.admit(*key, for_user.unwrap_or(who), *drift)?;
        }
        // The release does not count for who saw the version before it.
        let seen = bill.version - u32::from(released);
        if released && *change == Change::Expire {
            ensure(expected.is_none_or(|version| version == seen))?;
            self.bills.insert(*key, bill);
            return Ok(None);
        }
        ensure(bill.draft.kind != Kind::Red)?;
        if let (Change::Lock { scene, claim, for_user, .. }, Some(lock)) = (change, &bill.lock) {
            ensure(lock.holder == self.claimant(who, *for_user)?)?;
            ensure(lock.claim == Some((*scene, *claim)))?;
            return Ok(Some(lock.at));
        }
        ensure(expected.is_none_or(|version| version == bill.version || version == seen))?;
        self.transition(&mut bill, who, change)?;
        bill.version += 1;
        if let (Change::Lock { .. }, Some(lock)) = (change, &bill.lock) {
            self.won(*key, lock.holder);
        }
        self.bills.insert(*key, bill);
        Ok(None)
    }

    fn transition(&self, bill: &mut Bill, who: Actor, change: &Change) -> Result<(), Refusal> {
        match *change {
            Change::Confirm => {
                ensure(who.is_issuer() && bill.draft.issuer == who)?;
                ensure(bill.status == Status::PreIssued)?;
                bill.status = Status::Normal;
            }
            Change::Void => {
                ensure(who.is_issuer() && bill.draft.issuer == who)?;
                ensure(match bill.status {
                    Status::PreIssued => true,
                    Status::Normal => self.active_scene(bill.draft.scene)?.voidable,
                    _ => false,
                })?;
                bill.status = Status::Voided;
            }
            Change::Lock { scene, claim, for_user, .. } => {
                let holder = self.claimant(who, for_user)?;
                self.lock(bill, holder, scene, claim)?;
            }
            Change::Unlock => {
                Self::held_by(bill, who)?;
                Self::release(bill)?;
            }
            // One whose time is over was released already.
            Change::Expire => return Err(Refusal::Rule),
            Change::AdminLock { evidence } => {
                ensure(who.is_admin() && evidence && Self::is_lockable(bill))?;
                let (at, before) = (self.at, bill.status);
                bill.lock = Some(Lock { holder: who, claim: None, at, expires: None, before });
                bill.status = Status::Locked;
            }
            Change::AdminUnlock { evidence } => {
                ensure(who.is_admin() && evidence)?;
                Self::release(bill)?;
            }
            Change::Reimburse(amount) => self.reimburse(bill, who, amount)?,
            Change::ReverseUse { approval } => {
                ensure(who.is_claimant() && approval)?;
                ensure(matches!(bill.status, Status::Reimbursed | Status::PartlyReimbursed))?;
                let last = bill.claims.pop().ok_or(Refusal::Rule)?;
                ensure(last.payer == who)?;
                bill.status = last.before;
            }
        }
        Ok(())
    }

    fn lock(&self, bill: &mut Bill, holder: Actor, scene: Scene, claim: u8) -> Result<(), Refusal> {
        ensure(Self::is_lockable(bill))?;
        let rules = self.active_scene(scene)?;
        ensure(self.whitelist.contains(&(scene, holder)))?;
        ensure(bill.claims.iter().all(|claim| claim.scene != scene))?;
        ensure(bill.claims.is_empty() || rules.cumulative)?;
        bill.lock = Some(Lock {
            holder,
            claim: Some((scene, claim)),
            at: self.at,
            expires: Some(self.now + rules.lock_ms),
            before: bill.status,
        });
        bill.status = Status::Locked;
        Ok(())
    }

    fn reimburse(&self, bill: &mut Bill, who: Actor, amount: i64) -> Result<(), Refusal> {
        let scene = Self::held_by(bill, who)?;
        let rules = self.active_scene(scene)?;
        let before: i64 = bill.claims.iter().map(|claim| claim.amount).sum();
        let remaining = bill.draft.total - before;
        ensure(0 < amount && amount <= remaining)?;
        Self::release(bill)?;
        bill.claims.push(Claim { payer: who, scene, amount, before: bill.status });
        let some_remains = amount < remaining && rules.cumulative;
        bill.status = if some_remains { Status::PartlyReimbursed } else { Status::Reimbursed };
        Ok(())
    }

    fn is_lockable(bill: &Bill) -> bool {
        matches!(bill.status, Status::Normal | Status::PartlyReimbursed)
    }

    /// The scene of the claim for which `who` holds the lock.
    fn held_by(bill: &Bill, who: Actor) -> Result<Scene, Refusal> {
        let lock = bill.lock.as_ref().ok_or(Refusal::Rule)?;
        ensure(who.is_claimant() && lock.holder == who)?;
        lock.claim.map(|(scene, _)| scene).ok_or(Refusal::Rule)
    }

    fn release(bill: &mut Bill) -> Result<(), Refusal> {
        bill.status = bill.lock.take().ok_or(Refusal::Rule)?.before;
        Ok(())
    }

    /// For whom `who` locks.
    pub(super) fn claimant(&self, who: Actor, for_user: Option<Actor>) -> Result<Actor, Refusal> {
        match for_user {
            Some(user) if user != who => {
                ensure(who == Actor::Platform && self.may_act(user) && user.is_user())?;
                Ok(user)
            }
            _ => {
                ensure(who.is_user())?;
                Ok(who)
            }
        }
    }
}
