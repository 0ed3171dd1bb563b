//! The rules of a bill's life, written down a second time and plainly: from
//! the domain's tables of statuses and conditions, with nothing of the pallets.

use std::collections::{BTreeMap, BTreeSet};

pub type Key = u32;
pub type Scene = u16;

/// The actors, by what they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Actor {
    Issuer(u8),
    User(u8),
    Platform,
    Admin,
    /// Has roles of an issuer and of a user.
    Both,
    /// An account that belongs to no participant.
    Stranger,
}

pub const ISSUERS: u8 = 3;
pub const USERS: u8 = 4;

impl Actor {
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Platform, Self::Admin, Self::Both, Self::Stranger];
        all.extend((0..ISSUERS).map(Self::Issuer));
        all.extend((0..USERS).map(Self::User));
        all
    }

    fn is_issuer(self) -> bool {
        matches!(self, Self::Issuer(_) | Self::Both)
    }

    fn is_user(self) -> bool {
        matches!(self, Self::User(_) | Self::Both)
    }

    fn is_claimant(self) -> bool {
        self.is_user() || self == Self::Platform
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Blue,
    Red,
    Notice,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    PreIssued,
    Normal,
    Locked,
    PartlyReimbursed,
    Reimbursed,
    RedReversed,
    Voided,
}

/// What an issuer says of a bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    pub key: Key,
    pub kind: Kind,
    pub issuer: Actor,
    pub scene: Scene,
    pub total: i64,
    pub related: Option<Key>,
    pub has_xml_hash: bool,
    /// Issue date in days after the block's.
    pub days_ahead: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lock {
    pub holder: Actor,
    /// Scene and number of the claim; none for an administrator's lock.
    pub claim: Option<(Scene, u8)>,
    /// Valid up to and including this time; none: until it is unlocked.
    pub expires: Option<u64>,
    pub before: Status,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    pub payer: Actor,
    pub scene: Scene,
    pub amount: i64,
    pub before: Status,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bill {
    pub draft: Draft,
    pub status: Status,
    pub version: u32,
    pub lock: Option<Lock>,
    pub claims: Vec<Claim>,
}

/// What somebody asks for.
#[derive(Clone, Debug)]
pub enum Op {
    Register(Draft),
    PreIssue(Draft),
    /// By the register contract, for notices only.
    ConfirmNotice(Key),
    VoidNotice(Key),
    Change {
        key: Key,
        expected: Option<u32>,
        change: Change,
    },
    RedReverse {
        key: Key,
        expected: Option<u32>,
        red: Draft,
        balance: Option<Draft>,
    },
}

#[derive(Clone, Debug)]
pub enum Change {
    Confirm,
    Void,
    Lock { scene: Scene, claim: u8, for_user: Option<Actor> },
    Unlock,
    Expire,
    AdminLock { evidence: bool },
    AdminUnlock { evidence: bool },
    Reimburse(i64),
    ReverseUse { approval: bool },
}

#[derive(Clone, Copy, Debug)]
pub struct SceneRules {
    pub cumulative: bool,
    pub voidable: bool,
    pub lock_ms: u64,
    pub active: bool,
}

/// Everything the rules look at.
pub struct Model {
    pub now: u64,
    pub bills: BTreeMap<Key, Bill>,
    pub scenes: BTreeMap<Scene, SceneRules>,
    pub whitelist: BTreeSet<(Scene, Actor)>,
    pub frozen: BTreeSet<Actor>,
    /// What was registered or pre-issued, as it was sent.
    pub sent: BTreeMap<Key, Sent>,
    /// Registrations that were sent again.
    pub repeats: u32,
}

/// A registration that was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub pre_issued: bool,
    /// With no days ahead: the day is below.
    pub draft: Draft,
    /// Day of issue, counted from 1970 in UTC+8.
    pub day: u64,
}

impl Model {
    /// The day of now, counted from 1970 in UTC+8.
    pub fn today(&self) -> u64 {
        (self.now + 8 * 3_600_000) / 86_400_000
    }

    fn may_act(&self, actor: Actor) -> bool {
        actor != Actor::Stranger && !self.frozen.contains(&actor)
    }

    fn active_scene(&self, scene: Scene) -> Option<SceneRules> {
        self.scenes.get(&scene).copied().filter(|rules| rules.active)
    }

    /// Whether `op` by `who` is accepted; if it is, it has happened.
    pub fn apply(&mut self, who: Actor, op: &Op) -> bool {
        self.decide(who, op).is_some()
    }

    fn decide(&mut self, who: Actor, op: &Op) -> Option<()> {
        self.may_act(who).then_some(())?;
        match op {
            Op::Register(draft) if self.repeats(who, draft, false) => Some(()),
            Op::PreIssue(draft) if self.repeats(who, draft, true) => Some(()),
            Op::Register(draft) => {
                (who.is_issuer() && draft.kind != Kind::Red && draft.related.is_none())
                    .then_some(())?;
                self.open(who, draft, Status::Normal)?;
                self.sent.insert(draft.key, self.sending(draft, false));
                Some(())
            }
            Op::PreIssue(draft) => {
                (who.is_issuer() && draft.kind == Kind::Notice && draft.related.is_none())
                    .then_some(())?;
                self.open(who, draft, Status::PreIssued)?;
                self.sent.insert(draft.key, self.sending(draft, true));
                Some(())
            }
            Op::ConfirmNotice(key) => self.notice(who, *key, Status::Normal),
            Op::VoidNotice(key) => self.notice(who, *key, Status::Voided),
            Op::Change { key, expected, change } => self.change(who, *key, *expected, change),
            Op::RedReverse { key, expected, red, balance } => {
                self.red_reverse(who, *key, *expected, red, balance.as_ref())
            }
        }
    }

    fn sending(&self, draft: &Draft, pre_issued: bool) -> Sent {
        let day = self.today() + draft.days_ahead;
        Sent { pre_issued, draft: Draft { days_ahead: 0, ..draft.clone() }, day }
    }

    /// Whether who sent this very registration sends it again, which succeeds
    /// whatever has happened since.
    fn repeats(&mut self, who: Actor, draft: &Draft, pre_issued: bool) -> bool {
        let again = draft.issuer == who
            && self.sent.get(&draft.key) == Some(&self.sending(draft, pre_issued));
        self.repeats += u32::from(again);
        again
    }

    fn open(&mut self, who: Actor, draft: &Draft, status: Status) -> Option<()> {
        let total_fits = if draft.kind == Kind::Red { draft.total <= 0 } else { draft.total >= 0 };
        let fits = draft.issuer == who
            && total_fits
            && draft.has_xml_hash
            && draft.days_ahead <= 1
            && self.active_scene(draft.scene).is_some()
            && !self.bills.contains_key(&draft.key);
        fits.then_some(())?;
        let bill =
            Bill { draft: draft.clone(), status, version: 1, lock: None, claims: Vec::new() };
        self.bills.insert(draft.key, bill);
        Some(())
    }

    fn notice(&mut self, who: Actor, key: Key, to: Status) -> Option<()> {
        let bill = self.bills.get_mut(&key)?;
        let fits = who.is_issuer() && bill.status == Status::PreIssued && bill.draft.issuer == who;
        fits.then_some(())?;
        bill.status = to;
        bill.version += 1;
        Some(())
    }

    /// The bill as the next operation finds it: without a lock whose time is
    /// over. The release is a version of its own.
    fn found(&self, key: Key) -> Option<(Bill, bool)> {
        let mut bill = self.bills.get(&key)?.clone();
        let over = |lock: &Lock| lock.expires.is_some_and(|expires| self.now > expires);
        let released = bill.lock.take_if(|lock| over(lock));
        if let Some(lock) = &released {
            bill.status = lock.before;
            bill.version += 1;
        }
        Some((bill, released.is_some()))
    }

    fn change(
        &mut self,
        who: Actor,
        key: Key,
        expected: Option<u32>,
        change: &Change,
    ) -> Option<()> {
        let (mut bill, released) = self.found(key)?;
        // The release does not count for who saw the version before it.
        let seen = bill.version - u32::from(released);
        let current = expected.is_none_or(|v| v == bill.version || (released && v == seen));
        if released && matches!(change, Change::Expire) {
            expected.is_none_or(|v| v == seen).then_some(())?;
            self.bills.insert(key, bill);
            return Some(());
        }
        (bill.draft.kind != Kind::Red).then_some(())?;
        if let (Change::Lock { scene, claim, for_user }, Some(lock)) = (change, &bill.lock) {
            // Repeating one's own lock succeeds and changes nothing.
            let holder = self.claimant(who, *for_user)?;
            (lock.holder == holder && lock.claim == Some((*scene, *claim))).then_some(())?;
            return Some(());
        }
        current.then_some(())?;
        match change {
            Change::Confirm => {
                (bill.status == Status::PreIssued && who.is_issuer() && bill.draft.issuer == who)
                    .then_some(())?;
                bill.status = Status::Normal;
            }
            Change::Void => {
                (who.is_issuer() && bill.draft.issuer == who).then_some(())?;
                let allowed = match bill.status {
                    Status::PreIssued => true,
                    Status::Normal => self.active_scene(bill.draft.scene)?.voidable,
                    _ => false,
                };
                allowed.then_some(())?;
                bill.status = Status::Voided;
            }
            Change::Lock { scene, claim, for_user } => {
                matches!(bill.status, Status::Normal | Status::PartlyReimbursed).then_some(())?;
                let holder = self.claimant(who, *for_user)?;
                let rules = self.active_scene(*scene)?;
                let fits = self.whitelist.contains(&(*scene, holder))
                    && bill.claims.iter().all(|claim| claim.scene != *scene)
                    && (bill.claims.is_empty() || rules.cumulative);
                fits.then_some(())?;
                bill.lock = Some(Lock {
                    holder,
                    claim: Some((*scene, *claim)),
                    expires: Some(self.now + rules.lock_ms),
                    before: bill.status,
                });
                bill.status = Status::Locked;
            }
            Change::Unlock => {
                (who.is_claimant() && Self::holds(&bill, who)).then_some(())?;
                bill.status = bill.lock.take()?.before;
            }
            // One whose time is over was released above.
            Change::Expire => return None,
            Change::AdminLock { evidence } => {
                let fits = who == Actor::Admin
                    && *evidence
                    && matches!(bill.status, Status::Normal | Status::PartlyReimbursed);
                fits.then_some(())?;
                bill.lock =
                    Some(Lock { holder: who, claim: None, expires: None, before: bill.status });
                bill.status = Status::Locked;
            }
            Change::AdminUnlock { evidence } => {
                (who == Actor::Admin && *evidence).then_some(())?;
                bill.status = bill.lock.take()?.before;
            }
            Change::Reimburse(amount) => {
                (who.is_claimant() && Self::holds(&bill, who)).then_some(())?;
                let lock = bill.lock.take()?;
                let (scene, _) = lock.claim?;
                let rules = self.active_scene(scene)?;
                let before: i64 = bill.claims.iter().map(|claim| claim.amount).sum();
                let remaining = bill.draft.total - before;
                (0 < *amount && *amount <= remaining).then_some(())?;
                bill.claims.push(Claim { payer: who, scene, amount: *amount, before: lock.before });
                let some_remains = *amount < remaining && rules.cumulative;
                bill.status =
                    if some_remains { Status::PartlyReimbursed } else { Status::Reimbursed };
            }
            Change::ReverseUse { approval } => {
                let fits = who.is_claimant()
                    && *approval
                    && matches!(bill.status, Status::Reimbursed | Status::PartlyReimbursed);
                fits.then_some(())?;
                let last = bill.claims.pop()?;
                (last.payer == who).then_some(())?;
                bill.status = last.before;
            }
        }
        bill.version += 1;
        self.bills.insert(key, bill);
        Some(())
    }

    fn holds(bill: &Bill, who: Actor) -> bool {
        bill.lock.as_ref().is_some_and(|lock| lock.claim.is_some() && lock.holder == who)
    }

    /// For whom `who` locks.
    fn claimant(&self, who: Actor, for_user: Option<Actor>) -> Option<Actor> {
        match for_user {
            Some(user) if user != who => {
                (who == Actor::Platform && self.may_act(user) && user.is_user()).then_some(user)
            }
            _ => who.is_user().then_some(who),
        }
    }

    fn red_reverse(
        &mut self,
        who: Actor,
        key: Key,
        expected: Option<u32>,
        red: &Draft,
        balance: Option<&Draft>,
    ) -> Option<()> {
        let (mut blue, released) = self.found(key)?;
        let seen = blue.version - u32::from(released);
        let fits = who.is_issuer()
            && blue.status == Status::Normal
            && blue.draft.kind != Kind::Red
            && blue.draft.issuer == who
            && expected.is_none_or(|v| v == seen);
        fits.then_some(())?;
        let same = |draft: &Draft| {
            draft.related == Some(key)
                && draft.issuer == blue.draft.issuer
                && draft.scene == blue.draft.scene
        };
        let red_fits = same(red) && red.kind == Kind::Red && red.total == -blue.draft.total;
        let balance_fits = balance.is_none_or(|balance| {
            same(balance) && balance.kind == blue.draft.kind && balance.total <= blue.draft.total
        });
        (red_fits && balance_fits).then_some(())?;
        // All or nothing: the red bill is not kept without its balance bill.
        let red_was_there = self.bills.contains_key(&red.key);
        blue.status = Status::RedReversed;
        blue.version += 1;
        let done = self
            .open(who, red, Status::Normal)
            .and_then(|()| balance.map_or(Some(()), |b| self.open(who, b, Status::Normal)));
        match done {
            Some(()) => {
                self.bills.insert(key, blue);
            }
            None if red_was_there => {}
            None => {
                self.bills.remove(&red.key);
            }
        }
        done
    }
}
