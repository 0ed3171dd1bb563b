//! What is sent when: registrations at the pace asked for, and what becomes of
//! each bill some seconds later.

use super::{
    bills::Maker,
    random::{Chance, Zipf},
    senders::INSURERS,
};
use billchain_primitives::{BillKey, BillSummary, CheckCode, Fen};
use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    time::Duration,
};

/// Shares of bills that something becomes of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mix {
    /// Locked, and then unlocked or reimbursed.
    pub(crate) lock: f64,
    /// Of all bills: locked and unlocked.
    pub(crate) unlock: f64,
    /// Reversed in red.
    pub(crate) red_reverse: f64,
    /// Of the reversed: with a balance bill.
    pub(crate) balance: f64,
    /// Locked by two claimants at the same time.
    pub(crate) contested: f64,
    /// Registered twice.
    pub(crate) duplicate: f64,
}

impl Mix {
    /// Registrations and nothing else.
    pub(crate) const REGISTRATIONS: Self = Self {
        lock: 0.0,
        unlock: 0.0,
        red_reverse: 0.0,
        balance: 0.0,
        contested: 0.0,
        duplicate: 0.0,
    };
    /// The load model.
    pub(crate) const MODEL: Self = Self {
        lock: 0.03,
        unlock: 0.005,
        red_reverse: 0.02,
        balance: 0.4,
        contested: 0.0005,
        duplicate: 0.001,
    };

    /// Transactions that a bill causes, in the mean.
    pub(crate) fn transactions_per_bill(&self) -> f64 {
        1.0 + 2.0 * self.lock + self.red_reverse + 2.0 * self.contested + self.duplicate
    }
}

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// Transactions a second.
    Fixed(f64),
    /// Transactions a second that grow: `first`, and `step` more after every
    /// `seconds`.
    Steps {
        /// The first rate.
        first: f64,
        /// How much more each time.
        step: f64,
        /// How long one rate lasts.
        seconds: f64,
    },
    /// As fast as the network takes them.
    Saturate,
}

impl Pace {
    /// Transactions a second at a moment. Under [`Pace::Saturate`] a nominal
    /// rate that only orders what is sent.
    pub(crate) fn rate_at(&self, seconds: f64) -> f64 {
        match *self {
            Self::Fixed(rate) => rate,
            Self::Steps { first, step, seconds: length } => {
                first + step * (seconds / length).floor()
            }
            Self::Saturate => 2_000.0,
        }
    }
}

/// What has to have happened before an operation can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing that its sender's earlier transactions do not bring about.
    Nothing,
    /// The bill's registration, by somebody else, is final.
    Final(BillKey),
    /// The sender's own lock was sent.
    Locked(BillKey),
}

/// Something to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    /// When, from the start.
    pub(crate) at: Duration,
    /// By whom: an issuer's number, or the number of issuers and more for a
    /// claimant.
    pub(crate) sender: usize,
    /// What.
    pub(crate) action: Action,
    /// After what.
    pub(crate) needs: Needs,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Registers a bill.
    Register(Box<BillSummary>),
    /// Registers bills in one transaction.
    Batch(Vec<BillSummary>),
    /// Registers a bill again.
    Duplicate(Box<BillSummary>),
    /// Reverses a bill.
    RedReverse {
        /// The bill.
        blue: BillKey,
        /// Its check code.
        check: CheckCode,
        /// The red bill.
        red: Box<BillSummary>,
        /// The balance bill.
        balance: Option<Box<BillSummary>>,
    },
    /// Locks a bill.
    Lock {
        /// The bill.
        key: BillKey,
        /// Its check code.
        check: CheckCode,
        /// Whether somebody else wants it at the same time.
        contest: Contest,
    },
    /// Gives a lock back.
    Unlock {
        /// The bill.
        key: BillKey,
        /// Its check code.
        check: CheckCode,
    },
    /// Reimburses a bill.
    Reimburse {
        /// The bill.
        key: BillKey,
        /// Its check code.
        check: CheckCode,
        /// How much.
        amount: Fen,
    },
}

/// Whether several want a bill at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contest {
    /// One does.
    Alone,
    /// Two do.
    Contested,
}

/// Makes the operations of a run, in the order of their times.
pub(crate) struct Planner {
    chance: Chance,
    issuers: Zipf,
    issuer_count: usize,
    maker: Maker,
    mix: Mix,
    pace: Pace,
    batch: usize,
    /// Time of the next registration, in seconds.
    clock: f64,
    later: BinaryHeap<Reverse<Later>>,
    sequence: u64,
}

/// An operation that was decided on and comes later.
struct Later {
    op: Op,
    sequence: u64,
}

impl Planner {
    /// Bills of `maker`, `batch` in a transaction, issued by Zipf's law among
    /// `issuers`.
    pub(crate) fn new(
        seed: u64,
        issuers: usize,
        maker: Maker,
        (mix, pace): (Mix, Pace),
        batch: usize,
    ) -> Self {
        Self {
            chance: Chance::new(seed, "plan"),
            issuers: Zipf::new(issuers),
            issuer_count: issuers,
            maker,
            mix,
            pace,
            batch,
            clock: 0.0,
            later: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// The maker, to go on with.
    pub(crate) fn into_maker(self) -> Maker {
        self.maker
    }

    fn registration(&mut self) -> Op {
        let at = seconds(self.clock);
        let registrations = self.pace.rate_at(self.clock) / self.mix.transactions_per_bill();
        self.clock += 1.0 / registrations.max(f64::MIN_POSITIVE);
        let sender = self.issuers.draw(&mut self.chance);
        let action = if self.batch > 1 {
            Action::Batch((0..self.batch).map(|_| self.maker.bill(sender)).collect())
        } else {
            let bill = self.maker.bill(sender);
            self.decide(at, sender, &bill);
            Action::Register(Box::new(bill))
        };
        Op { at, sender, action, needs: Needs::Nothing }
    }

    /// What becomes of a bill that is registered at `at`.
    fn decide(&mut self, at: Duration, issuer: usize, bill: &BillSummary) {
        let Mix { lock, unlock, red_reverse, balance, contested, duplicate } = self.mix;
        let (key, check) = (bill.key, bill.check_code);
        let mut draw = self.chance.unit();
        let mut is = |share: f64| {
            let found = (0.0..share).contains(&draw);
            draw -= share;
            found
        };
        if is(lock) {
            let first = at + self.wait(3.0, 2.0);
            let second = first + self.wait(2.0, 2.0);
            let insurer = self.issuer_count + self.chance.below(INSURERS.len());
            let ask = Action::Lock { key, check, contest: Contest::Alone };
            self.add(first, insurer, ask, Needs::Final(key));
            // Nothing can be reimbursed of a bill over nothing.
            let released = bill.total == Fen::ZERO || self.chance.happens(unlock / lock);
            let end = match released {
                true => Action::Unlock { key, check },
                false => Action::Reimburse { key, check, amount: bill.total },
            };
            self.add(second, insurer, end, Needs::Locked(key));
        } else if is(red_reverse) {
            let when = at + self.wait(1.0, 3.0);
            let red = Box::new(self.maker.red(issuer, bill));
            let balance =
                self.chance.happens(balance).then(|| Box::new(self.maker.balance(issuer, bill)));
            let reverse = Action::RedReverse { blue: key, check, red, balance };
            self.add(when, issuer, reverse, Needs::Nothing);
        } else if is(contested) {
            let when = at + self.wait(3.0, 2.0);
            for insurer in 0..2 {
                let lock = Action::Lock { key, check, contest: Contest::Contested };
                self.add(when, self.issuer_count + insurer, lock, Needs::Final(key));
            }
        } else if is(duplicate) {
            let when = at + self.wait(1.0, 3.0);
            let again = Action::Duplicate(Box::new(bill.clone()));
            self.add(when, issuer, again, Needs::Nothing);
        }
    }

    /// At least so many seconds, and exponentially more.
    fn wait(&mut self, least: f64, more: f64) -> Duration {
        seconds(least + self.chance.exponential(more))
    }

    fn add(&mut self, at: Duration, sender: usize, action: Action, needs: Needs) {
        self.sequence += 1;
        let op = Op { at, sender, action, needs };
        self.later.push(Reverse(Later { op, sequence: self.sequence }));
    }
}

impl Iterator for Planner {
    type Item = Op;

    /// There is always more.
    fn next(&mut self) -> Option<Op> {
        let next = seconds(self.clock);
        if self.later.peek().is_some_and(|Reverse(later)| later.op.at <= next) {
            return self.later.pop().map(|Reverse(later)| later.op);
        }
        Some(self.registration())
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

impl Ord for Later {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.op.at, self.sequence).cmp(&(other.op.at, other.sequence))
    }
}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Later {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Later {}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::BillKind;
    use std::collections::HashMap;

    const SEED: u64 = 11;
    const ISSUERS: usize = 51;

    fn planner(seed: u64, mix: Mix, pace: Pace, batch: usize) -> Planner {
        Planner::new(seed, ISSUERS, Maker::new(seed, ISSUERS, 0), (mix, pace), batch)
    }

    fn until(planner: Planner, end: f64) -> Vec<Op> {
        planner.take_while(|op| op.at.as_secs_f64() < end).collect()
    }

    #[test]
    fn a_seed_gives_the_same_plan() {
        let plan = |seed| {
            let ops = planner(seed, Mix::MODEL, Pace::Fixed(1_000.0), 1).take(5_000);
            ops.map(|op| format!("{op:?}")).collect::<Vec<_>>()
        };
        assert_eq!(plan(SEED), plan(SEED));
        assert_ne!(plan(SEED), plan(SEED + 1));
    }

    #[test]
    fn the_rate_counts_every_transaction_once_it_is_steady() {
        let ops = until(planner(SEED, Mix::MODEL, Pace::Fixed(1_200.0), 1), 160.0);
        let steady = ops.iter().filter(|op| op.at.as_secs_f64() >= 40.0).count();
        assert!((steady as f64 / (1_200.0 * 120.0) - 1.0).abs() < 0.01, "{steady}");
        assert!(ops.is_sorted_by_key(|op| op.at));
    }

    #[test]
    fn shares_are_the_load_models() {
        let ops: Vec<Op> =
            planner(SEED, Mix::MODEL, Pace::Fixed(1_000.0), 1).take(400_000).collect();
        let count = |is: fn(&Action) -> bool| ops.iter().filter(|op| is(&op.action)).count() as f64;
        let bills = count(|action| matches!(action, Action::Register(_)));
        for (what, share, found) in [
            ("reimburse", 0.025, count(|a| matches!(a, Action::Reimburse { .. }))),
            ("unlock", 0.005, count(|a| matches!(a, Action::Unlock { .. }))),
            ("red reverse", 0.02, count(|a| matches!(a, Action::RedReverse { .. }))),
            ("balance", 0.008, count(|a| matches!(a, Action::RedReverse { balance: Some(_), .. }))),
            ("duplicate", 0.001, count(|a| matches!(a, Action::Duplicate(_)))),
            ("lock", 0.031, count(|a| matches!(a, Action::Lock { .. }))),
            (
                "contested",
                0.001,
                count(|a| matches!(a, Action::Lock { contest: Contest::Contested, .. })),
            ),
        ] {
            let found = found / bills;
            // Three deviations, and what is still to come at the end.
            let allowed = 3.0 * (share / bills).sqrt() + 0.1 * share;
            assert!((found - share).abs() < allowed, "{what}: {found}, expected {share}");
        }
    }

    #[test]
    fn what_becomes_of_a_bill_comes_after_it_in_its_senders_order() {
        let ops: Vec<Op> =
            planner(SEED, Mix::MODEL, Pace::Fixed(5_000.0), 1).take(200_000).collect();
        let mut registered: HashMap<BillKey, (usize, &BillSummary)> = HashMap::new();
        let mut locked: HashMap<BillKey, usize> = HashMap::new();
        for op in &ops {
            match &op.action {
                Action::Register(bill) => {
                    assert!(registered.insert(bill.key, (op.sender, bill)).is_none());
                }
                Action::Duplicate(bill) => {
                    assert_eq!(registered[&bill.key], (op.sender, &**bill));
                }
                Action::RedReverse { blue, red, .. } => {
                    let (issuer, original) = registered[blue];
                    assert_eq!((issuer, red.kind), (op.sender, BillKind::Red));
                    assert_eq!(red.total, original.total.negated());
                }
                Action::Lock { key, .. } => {
                    assert_eq!(op.needs, Needs::Final(*key));
                    assert!(registered.contains_key(key) && op.sender >= ISSUERS);
                    locked.insert(*key, op.sender);
                }
                Action::Unlock { key, .. } => {
                    assert_eq!((op.needs, locked[key]), (Needs::Locked(*key), op.sender));
                }
                Action::Reimburse { key, amount, .. } => {
                    assert_eq!((op.needs, locked[key]), (Needs::Locked(*key), op.sender));
                    assert!(*amount > Fen::ZERO && *amount == registered[key].1.total);
                }
                Action::Batch(_) => panic!("no batches were asked for"),
            }
        }
        assert!(locked.len() > 1_000);
    }

    #[test]
    fn batches_are_one_issuers() {
        let pace = Pace::Fixed(100.0);
        for op in planner(SEED, Mix::REGISTRATIONS, pace, 500).take(20) {
            let Action::Batch(bills) = op.action else { panic!("a batch") };
            assert_eq!(bills.len(), 500);
            assert!(
                bills
                    .iter()
                    .all(|bill| bill.issuer == crate::workload::bills::issuer_did(op.sender))
            );
        }
    }

    #[test]
    fn steps_raise_the_rate() {
        let pace = Pace::Steps { first: 100.0, step: 50.0, seconds: 10.0 };
        let ops = until(planner(SEED, Mix::REGISTRATIONS, pace, 1), 30.0);
        let within = |from: f64| {
            let of = |op: &&Op| (from..from + 10.0).contains(&op.at.as_secs_f64());
            ops.iter().filter(of).count() as i64
        };
        for (from, expected) in [(0.0, 1_000), (10.0, 1_500), (20.0, 2_000)] {
            assert!((within(from) - expected).abs() <= 2, "{from}: {}", within(from));
        }
    }
}
