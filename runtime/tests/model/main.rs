//! Long random lives of bills: the contracts against a plain model of the
//! domain's rules. Both get the same operations of many actors; they must
//! accept and refuse the same, and hold the same bills afterwards.
//!
//! `MODEL_OPERATIONS` sets how many (50,000 by default; a million and more for
//! a long run), `MODEL_SEED` repeats a run: every run prints its seed.

mod model;
mod world;

use model::{Actor, Change, Draft, Kind, Model, Op, SceneRules, Status};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use std::collections::{BTreeMap, BTreeSet};

/// Bills that operations are about at a time; older ones are left alone.
const LIVE: u32 = 20;
/// Kinds of operations on a bill that exists.
const KINDS: u32 = 12;
const CONFIRM_NOTICE: u32 = 0;
const VOID_NOTICE: u32 = 1;
const RED_REVERSE: u32 = 2;
const CONFIRM: u32 = 3;
const VOID: u32 = 4;
const ADMIN_LOCK: u32 = 5;
const ADMIN_UNLOCK: u32 = 6;
const EXPIRE: u32 = 7;
const UNLOCK: u32 = 8;
const REIMBURSE: u32 = 9;
const REVERSE_USE: u32 = 10;
const LOCK: u32 = 11;

/// Operations between two blocks, at most.
const PER_BLOCK: u32 = 6;

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn start() -> Model {
    let scene =
        |cumulative, voidable, lock_ms| SceneRules { cumulative, voidable, lock_ms, active: true };
    let scenes = BTreeMap::from([
        (1, scene(false, false, 60_000)),
        (2, scene(true, false, 30_000)),
        (3, scene(true, true, 90_000)),
        (4, scene(true, false, 10_000)),
    ]);
    let mut whitelist = BTreeSet::new();
    for scene in 1..=4 {
        for user in 0..model::USERS {
            if (u16::from(user) + scene) % 4 != 0 {
                whitelist.insert((scene, Actor::User(user)));
            }
        }
        whitelist.insert((scene, Actor::Both));
    }
    Model {
        now: world::START,
        bills: BTreeMap::new(),
        scenes,
        whitelist,
        frozen: BTreeSet::new(),
        sent: BTreeMap::new(),
        repeats: 0,
    }
}

/// Mostly something sensible, now and then anything.
struct Players {
    rng: StdRng,
    actors: Vec<Actor>,
    /// The newest bill's key.
    newest: u32,
}

impl Players {
    fn anyone(&mut self) -> Actor {
        *self.actors.choose(&mut self.rng).expect("there are actors")
    }

    fn rarely(&mut self) -> bool {
        self.rng.random_ratio(1, 12)
    }

    fn scene(&mut self) -> u16 {
        if self.rarely() { 9 } else { self.rng.random_range(1..=4) }
    }

    fn known_key(&mut self) -> u32 {
        let newest = self.newest.max(1);
        let first = newest.saturating_sub(LIVE).max(1);
        self.rng.random_range(first..=newest)
    }

    /// A key that is free, mostly.
    fn new_key(&mut self) -> u32 {
        if self.rarely() { self.known_key() } else { self.newest + 1 }
    }

    fn draft(&mut self, kind: Kind) -> (Actor, Draft) {
        let who = match self.rng.random_range(0..8) {
            0 => self.anyone(),
            1 => Actor::Both,
            _ => Actor::Issuer(self.rng.random_range(0..model::ISSUERS)),
        };
        let rare = [(); 6].map(|()| self.rarely());
        let draft = Draft {
            key: self.new_key(),
            kind: if rare[0] { Kind::Red } else { kind },
            issuer: if rare[1] { self.anyone() } else { who },
            scene: self.scene(),
            total: if rare[2] { -1 } else { self.rng.random_range(0..30) },
            related: rare[3].then(|| self.known_key()),
            has_xml_hash: !rare[4],
            days_ahead: if rare[5] { 2 } else { self.rng.random_range(0..=1) },
        };
        (who, draft)
    }

    fn expected(&mut self, model: &Model, key: u32) -> Option<u32> {
        let version = model.bills.get(&key).map_or(1, |bill| bill.version);
        match self.rng.random_range(0..10) {
            0 => Some(version.wrapping_sub(1)),
            1 => Some(version + 1),
            2..5 => Some(version),
            _ => None,
        }
    }

    fn op(&mut self, model: &Model) -> (Actor, Op) {
        if self.rng.random_ratio(1, 10) || self.newest == 0 {
            let kind = if self.rng.random_ratio(1, 3) { Kind::Notice } else { Kind::Blue };
            let (who, draft) = self.draft(kind);
            return match kind {
                Kind::Notice if !self.rarely() => (who, Op::PreIssue(draft)),
                _ => (who, Op::Register(draft)),
            };
        }
        let key = self.known_key();
        if self.rng.random_ratio(1, 30)
            && let Some(op) = self.resend(model, key)
        {
            return op;
        }
        let expected = self.expected(model, key);
        let bill = model.bills.get(&key);
        let issuer = bill.map_or(Actor::Issuer(0), |bill| bill.draft.issuer);
        let holder = bill.and_then(|bill| bill.lock.as_ref()).map(|lock| lock.holder);
        let payer = bill.and_then(|bill| bill.claims.last()).map(|claim| claim.payer);
        let user = Actor::User(self.rng.random_range(0..model::USERS));
        let fits = !self.rarely();
        let given = !self.rarely();
        // Mostly what the bill's status invites; each arm below is one kind.
        let invited: &[u32] = match bill.map(|bill| bill.status) {
            Some(Status::PreIssued) => &[CONFIRM_NOTICE, VOID_NOTICE, CONFIRM, VOID],
            Some(Status::Normal) => &[LOCK, LOCK, LOCK, LOCK, VOID, RED_REVERSE, ADMIN_LOCK],
            Some(Status::Locked) => {
                &[UNLOCK, REIMBURSE, REIMBURSE, REIMBURSE, EXPIRE, LOCK, ADMIN_UNLOCK]
            }
            Some(Status::PartlyReimbursed) => &[LOCK, LOCK, LOCK, REVERSE_USE, ADMIN_LOCK],
            Some(Status::Reimbursed) => &[REVERSE_USE, LOCK],
            _ => &[LOCK, RED_REVERSE],
        };
        let kind = if self.rng.random_ratio(1, 4) {
            self.rng.random_range(0..KINDS)
        } else {
            *invited.choose(&mut self.rng).expect("there is a choice")
        };
        let (natural, change) = match kind {
            CONFIRM_NOTICE => return (issuer, Op::ConfirmNotice(key)),
            VOID_NOTICE => return (issuer, Op::VoidNotice(key)),
            RED_REVERSE => return self.reversal(model, key, expected, issuer),
            CONFIRM => (issuer, Change::Confirm),
            VOID => (issuer, Change::Void),
            ADMIN_LOCK => (Actor::Admin, Change::AdminLock { evidence: given }),
            ADMIN_UNLOCK => (Actor::Admin, Change::AdminUnlock { evidence: given }),
            EXPIRE => (user, Change::Expire),
            UNLOCK => (holder.unwrap_or(user), Change::Unlock),
            REIMBURSE => {
                let amount = self.rng.random_range(-1..16);
                (holder.unwrap_or(user), Change::Reimburse(amount))
            }
            REVERSE_USE => (payer.unwrap_or(user), Change::ReverseUse { approval: given }),
            _ => {
                let claim = self.rng.random_range(0..3);
                let for_user = match self.rng.random_range(0..4) {
                    0 => Some(self.anyone()),
                    1 => Some(user),
                    _ => None,
                };
                let who = if for_user.is_some() && fits { Actor::Platform } else { user };
                (who, Change::Lock { scene: self.scene(), claim, for_user })
            }
        };
        let who = if fits { natural } else { self.anyone() };
        (who, Op::Change { key, expected, change })
    }

    /// A registration once more, mostly as it was.
    fn resend(&mut self, model: &Model, key: u32) -> Option<(Actor, Op)> {
        let sent = model.sent.get(&key)?;
        let days_ahead = sent.day.checked_sub(model.today())?;
        let mut draft = Draft { days_ahead, ..sent.draft.clone() };
        if self.rarely() {
            draft.total += 1;
        }
        let who = if self.rarely() { self.anyone() } else { draft.issuer };
        let pre_issued = sent.pre_issued != self.rarely();
        Some((who, if pre_issued { Op::PreIssue(draft) } else { Op::Register(draft) }))
    }

    fn reversal(
        &mut self,
        model: &Model,
        key: u32,
        expected: Option<u32>,
        issuer: Actor,
    ) -> (Actor, Op) {
        let (_, mut red) = self.draft(Kind::Red);
        let (_, mut balance) = self.draft(Kind::Blue);
        balance.key += 1;
        if let Some(bill) = model.bills.get(&key).filter(|_| !self.rarely()) {
            for (draft, kind, total) in [
                (&mut red, Kind::Red, -bill.draft.total),
                (&mut balance, bill.draft.kind, bill.draft.total / 2),
            ] {
                draft.kind = kind;
                draft.total = total;
                draft.issuer = bill.draft.issuer;
                draft.scene = bill.draft.scene;
                draft.related = Some(key);
            }
            if self.rarely() {
                balance.total = bill.draft.total + 1;
            }
        }
        let balance = self.rng.random_ratio(2, 5).then_some(balance);
        let who = if self.rarely() { self.anyone() } else { issuer };
        (who, Op::RedReverse { key, expected, red, balance })
    }

    /// Something about the world changes, by the council.
    fn administer(&mut self, model: &mut Model) {
        // What is out of order is mended sooner than something else breaks.
        let mend = !self.rng.random_ratio(1, 4);
        match self.rng.random_range(0..3) {
            0 => {
                let broken = model.frozen.first().copied().filter(|_| mend);
                let who = broken.unwrap_or_else(|| self.anyone());
                if who == Actor::Stranger {
                    return;
                }
                let frozen = !model.frozen.remove(&who);
                if frozen {
                    model.frozen.insert(who);
                }
                world::set_frozen(who, frozen);
            }
            1 => {
                let broken = model.scenes.iter().find(|(_, rules)| !rules.active && mend);
                let scene = broken.map_or(self.rng.random_range(1..=4), |(scene, _)| *scene);
                let rules = model.scenes.get_mut(&scene).expect("four scenes");
                rules.active = !rules.active;
                world::set_scene(scene, rules.active);
            }
            _ => {
                let entry = (
                    self.rng.random_range(1..=4),
                    Actor::User(self.rng.random_range(0..model::USERS)),
                );
                let listed = !model.whitelist.contains(&entry);
                if !listed && mend {
                    return;
                }
                if listed {
                    model.whitelist.insert(entry);
                } else {
                    model.whitelist.remove(&entry);
                }
                world::set_whitelisted(entry.0, entry.1, listed);
            }
        }
    }
}

/// Bills an operation may have changed.
fn touched(op: &Op) -> Vec<u32> {
    match op {
        Op::Register(draft) | Op::PreIssue(draft) => vec![draft.key],
        Op::ConfirmNotice(key) | Op::VoidNotice(key) | Op::Change { key, .. } => vec![*key],
        Op::RedReverse { key, red, balance, .. } => {
            [Some(*key), Some(red.key), balance.as_ref().map(|balance| balance.key)]
                .into_iter()
                .flatten()
                .collect()
        }
    }
}

#[test]
fn the_contracts_agree_with_the_model() {
    let operations: u32 = setting("MODEL_OPERATIONS").unwrap_or(50_000);
    let seed: u64 = setting("MODEL_SEED").unwrap_or_else(rand::random);
    println!("MODEL_SEED={seed} MODEL_OPERATIONS={operations}");

    let mut model = start();
    let mut players = Players { rng: StdRng::seed_from_u64(seed), actors: Actor::all(), newest: 0 };
    let (mut accepted, mut block) = (BTreeMap::<String, u32>::new(), 1);
    let mut statuses = BTreeSet::new();
    let mut chain = world::build(&model);
    let mut done = 0;
    while done < operations {
        chain.execute_with(|| {
            world::next_block(block, model.now);
            if players.rng.random_ratio(1, 60) {
                players.administer(&mut model);
            }
            for _ in 0..players.rng.random_range(1..=PER_BLOCK) {
                let (who, op) = players.op(&model);
                let allowed = model.apply(who, &op);
                let answer = world::apply(who, &op, model.now);
                assert_eq!(
                    allowed,
                    answer.is_ok(),
                    "seed {seed}, operation {done}: {who:?} {op:?}: the chain says {answer:?}"
                );
                for key in touched(&op) {
                    if allowed {
                        players.newest = players.newest.max(key);
                    }
                    let mut expected = model.bills.get(&key).cloned();
                    let mut found = world::bill(key, model.now);
                    // Its date was checked when it came; days go by.
                    for bill in [&mut expected, &mut found].into_iter().flatten() {
                        bill.draft.days_ahead = 0;
                    }
                    assert_eq!(expected, found, "seed {seed}, operation {done}: {who:?} {op:?}");
                    statuses.extend(found.map(|bill| bill.status));
                }
                if allowed {
                    let name = format!("{op:?}");
                    let name = match &op {
                        Op::Change { change, .. } => format!("{change:?}"),
                        _ => name,
                    };
                    let end = name.find(|c: char| !c.is_alphanumeric()).unwrap_or(name.len());
                    *accepted.entry(name[..end].to_owned()).or_default() += 1;
                }
                done += 1;
            }
            if block % 1_000 == 0 {
                world::try_state(block);
            }
        });
        chain.commit_all().expect("the state is in memory");
        // Half a day at most in a run of the usual length.
        model.now += players.rng.random_range(1..6_000);
        block += 1;
    }
    chain.execute_with(|| world::try_state(block));
    assert!(model.repeats >= operations / 1_000, "{} registrations sent again", model.repeats);
    println!("{done} operations, {} bills, accepted: {accepted:?}", model.bills.len());

    let all = [
        Status::PreIssued,
        Status::Normal,
        Status::Locked,
        Status::PartlyReimbursed,
        Status::Reimbursed,
        Status::RedReversed,
        Status::Voided,
    ];
    assert_eq!(statuses, BTreeSet::from(all), "the run met every status");
    for kind in [
        "Register",
        "PreIssue",
        "ConfirmNotice",
        "VoidNotice",
        "Confirm",
        "Void",
        "Lock",
        "Unlock",
        "Expire",
        "AdminLock",
        "AdminUnlock",
        "Reimburse",
        "ReverseUse",
        "RedReverse",
    ] {
        assert!(accepted.get(kind).is_some_and(|n| *n >= operations / 5_000), "{kind} hardly met");
    }
}
