//! Transactions signed ahead: signing is the clients' work on their own
//! machines, and would take the cores that the nodes under test share with the
//! generator.
//!
//! One thread plans and signs. It fills a bounded stock before the measurement
//! and refills it when it runs low. The result counts what was signed meanwhile.

use super::{
    kind::Kind,
    plan::{Action, Contest, Needs, Op, Planner},
    senders::Senders,
};
use crate::measure::thread_nanoseconds;
use billchain_client::Signer;
use billchain_primitives::{
    BillKey, BillStatus, CheckCode, Hash, Nonce, Reason, SceneId, transaction_hash,
};
use billchain_runtime::{Runtime, RuntimeCall};
use bytes::Bytes;
use pallet_bill_register::BatchMode;
use pallet_bill_update::StatusChange;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};
use tokio::sync::oneshot;

/// Operations planned and signed at a time.
const CHUNK: usize = 4_096;
/// Bytes of batches signed at a time, about.
const CHUNK_BILLS: usize = 20_000;

/// What is left of a stock when more is made, at most.
const LOW: u64 = 4_096;
/// Interval between checks of the stock.
const PAUSE: Duration = Duration::from_millis(2);

/// A signed transaction and what it is for.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    /// When it is meant to be sent, from the start.
    pub(crate) at: Duration,
    /// Index of its node.
    pub(crate) node: usize,
    pub(crate) kind: Kind,
    /// Bills that it brings onto the chain.
    pub(crate) bills: u32,
    pub(crate) hash: Hash,
    pub(crate) bytes: Bytes,
    /// What has to be true of a bill once it is in.
    pub(crate) effect: Option<Effect>,
}

/// What a transaction makes of a bill. Of a batch, which comes whole or not at
/// all, of its first bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) key: BillKey,
    pub(crate) check: CheckCode,
    pub(crate) status: BillStatus,
}

/// Something that is ready to be sent, or to be signed when it is sent.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// Signed.
    Signed(Transaction),
    /// To be signed.
    Later(Op),
}

impl Prepared {
    /// When it is meant to be sent.
    pub(crate) fn at(&self) -> Duration {
        match self {
            Self::Signed(transaction) => transaction.at,
            Self::Later(op) => op.at,
        }
    }

    /// After what.
    pub(crate) fn needs(&self) -> Needs {
        match self {
            Self::Signed(_) => Needs::Nothing,
            Self::Later(op) => op.needs,
        }
    }
}

/// What is in stock, in the order of its times.
pub(crate) struct Stock {
    receiver: Receiver<Prepared>,
    filled: Option<oneshot::Receiver<()>>,
    counts: Arc<Counts>,
    ahead: u64,
    /// Processor time of signing before the start, in nanoseconds.
    signing_ahead: u64,
    producer: Option<thread::JoinHandle<Planner>>,
    next: Option<Prepared>,
}

/// What the thread that signs and the one that sends know of each other.
#[derive(Default)]
struct Counts {
    made: AtomicU64,
    taken: AtomicU64,
    /// Nobody takes any more.
    ended: AtomicBool,
    /// Processor time of signing, in nanoseconds.
    signing: AtomicU64,
}

/// What was signed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signed {
    /// Transactions before the start.
    pub(crate) before: u64,
    /// Transactions after it.
    pub(crate) during: u64,
    /// Processor seconds of signing after it.
    pub(crate) seconds: f64,
}

impl Stock {
    /// Begins to plan and sign for the chain `genesis`; the stock holds at most
    /// `capacity`. What `until` is planned for or later is not made.
    pub(crate) fn start(
        planner: Planner,
        issuers: Senders,
        genesis: Hash,
        capacity: usize,
        until: Duration,
    ) -> Self {
        let (sender, receiver) = sync_channel(capacity.max(1));
        let (full, filled) = oneshot::channel();
        let counts = Arc::new(Counts::default());
        let shared = counts.clone();
        let low = (capacity as u64 / 4).min(LOW);
        let producer = thread::spawn(move || {
            let mut producer = Producer { sender, full: Some(full), counts: shared, low };
            producer.run(planner, issuers, genesis, until)
        });
        Self {
            receiver,
            filled: Some(filled),
            counts,
            ahead: 0,
            signing_ahead: 0,
            producer: Some(producer),
            next: None,
        }
    }

    /// Waits until the stock is full, or all that is to be made is in it.
    pub(crate) async fn filled(&mut self) {
        if let Some(filled) = self.filled.take() {
            // An end without a word: the producer failed, which `finish` tells.
            let _ = filled.await;
        }
        self.ahead = self.counts.made.load(Ordering::Relaxed);
        self.signing_ahead = self.counts.signing.load(Ordering::Relaxed);
    }

    /// What comes next; `None` if there is nothing (yet).
    pub(crate) fn peek(&mut self) -> Option<&Prepared> {
        if self.next.is_none() {
            self.next = match self.receiver.try_recv() {
                Ok(next) => {
                    self.counts.taken.fetch_add(1, Ordering::Relaxed);
                    Some(next)
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
            };
        }
        self.next.as_ref()
    }

    /// Takes what comes next.
    pub(crate) fn take(&mut self) -> Option<Prepared> {
        self.peek()?;
        self.next.take()
    }

    /// Takes the next signed transaction, and waits for it; `None` if there
    /// will be none.
    pub(crate) fn take_waiting(&mut self) -> Option<Transaction> {
        loop {
            let next = match self.next.take() {
                Some(next) => next,
                None => {
                    let next = self.receiver.recv().ok()?;
                    self.counts.taken.fetch_add(1, Ordering::Relaxed);
                    next
                }
            };
            match next {
                Prepared::Signed(transaction) => return Some(transaction),
                Prepared::Later(_) => {}
            }
        }
    }

    /// What was signed so far.
    pub(crate) fn signed(&self) -> Signed {
        let Counts { made, signing, .. } = &*self.counts;
        let signing = signing.load(Ordering::Relaxed).saturating_sub(self.signing_ahead);
        Signed {
            before: self.ahead,
            during: made.load(Ordering::Relaxed).saturating_sub(self.ahead),
            seconds: Duration::from_nanos(signing).as_secs_f64(),
        }
    }

    /// Ends the making; the planner, to go on with.
    pub(crate) fn finish(mut self) -> anyhow::Result<Planner> {
        let producer = self.producer.take().expect("taken here only; qed");
        // Whoever fills the stock sees that nobody takes from it.
        self.counts.ended.store(true, Ordering::Relaxed);
        drop(self.receiver);
        producer.join().map_err(|_| anyhow::anyhow!("the thread that signs failed"))
    }
}

struct Producer {
    sender: SyncSender<Prepared>,
    full: Option<oneshot::Sender<()>>,
    counts: Arc<Counts>,
    low: u64,
}

impl Producer {
    fn run(
        &mut self,
        mut planner: Planner,
        mut issuers: Senders,
        genesis: Hash,
        until: Duration,
    ) -> Planner {
        loop {
            let mut bills = 0;
            let mut ended = false;
            let mut ops = Vec::new();
            while ops.len() < CHUNK && bills < CHUNK_BILLS && !ended {
                // A planner always has more.
                let Some(op) = planner.next() else { break };
                ended = op.at >= until;
                if !ended {
                    bills += match &op.action {
                        Action::Batch(batch) => batch.len(),
                        _ => 1,
                    };
                    ops.push(op);
                }
            }
            for prepared in prepare(ops, &mut issuers, genesis, &self.counts.signing) {
                if !self.put(prepared) {
                    return planner;
                }
            }
            if ended {
                self.announce();
                return planner;
            }
        }
    }

    /// Whether somebody still wants it.
    fn put(&mut self, prepared: Prepared) -> bool {
        let taken = match self.sender.try_send(prepared) {
            Ok(()) => true,
            Err(TrySendError::Full(prepared)) => {
                self.announce();
                self.wait_until_low();
                self.sender.send(prepared).is_ok()
            }
            Err(TrySendError::Disconnected(_)) => false,
        };
        self.counts.made.fetch_add(u64::from(taken), Ordering::Relaxed);
        taken
    }

    /// A stock that is topped up all the time would take the cores of those
    /// who are measured.
    fn wait_until_low(&self) {
        let Counts { made, taken, ended, .. } = &*self.counts;
        let level = || made.load(Ordering::Relaxed).saturating_sub(taken.load(Ordering::Relaxed));
        while level() > self.low && !ended.load(Ordering::Relaxed) {
            thread::sleep(PAUSE);
        }
    }

    fn announce(&mut self) {
        if let Some(full) = self.full.take() {
            // Nobody waits: as good.
            let _ = full.send(());
        }
    }
}

/// Gives nonces in order and signs on every core; adds the processor time of it to
/// `signing`.
fn prepare(
    ops: Vec<Op>,
    issuers: &mut Senders,
    genesis: Hash,
    signing: &AtomicU64,
) -> Vec<Prepared> {
    let numbered: Vec<(Op, Option<Nonce>)> = ops
        .into_iter()
        .map(|op| {
            let early = !issuers.signs_late(op.sender);
            let nonce = early.then(|| issuers.take_nonce(op.sender));
            (op, nonce)
        })
        .collect();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let issuers = &*issuers;
    let share = numbered.len().div_ceil(workers).max(1);
    let mut parts: Vec<Vec<(Op, Option<Nonce>)>> = Vec::new();
    let mut rest = numbered.into_iter();
    loop {
        let part: Vec<_> = rest.by_ref().take(share).collect();
        if part.is_empty() {
            break;
        }
        parts.push(part);
    }
    thread::scope(|scope| {
        let working: Vec<_> = parts
            .into_iter()
            .map(|part| {
                scope.spawn(move || {
                    let before = thread_nanoseconds();
                    let made = part.into_iter().map(|(op, nonce)| match nonce {
                        Some(nonce) => {
                            let (node, signer) =
                                (issuers.node(op.sender), issuers.signer(op.sender));
                            Prepared::Signed(sign(op, signer, node, nonce, genesis, 0))
                        }
                        None => Prepared::Later(op),
                    });
                    let made = made.collect::<Vec<_>>();
                    let took = thread_nanoseconds().saturating_sub(before);
                    signing.fetch_add(took, Ordering::Relaxed);
                    made
                })
            })
            .collect();
        working
            .into_iter()
            .flat_map(|worker| worker.join().expect("signing panics nowhere; qed"))
            .collect()
    })
}

/// The transaction of an operation; `now_ms` is when it is signed, where the
/// call says so.
pub(crate) fn sign(
    op: Op,
    signer: &Signer,
    node: usize,
    nonce: Nonce,
    genesis: Hash,
    now_ms: u64,
) -> Transaction {
    let Op { at, action, .. } = op;
    let (kind, bills, effect) = describe(&action);
    let bytes = Bytes::from(signer.transaction(call(action, now_ms), nonce, genesis));
    Transaction { at, node, kind, bills, hash: transaction_hash(&bytes), bytes, effect }
}

fn describe(action: &Action) -> (Kind, u32, Option<Effect>) {
    use BillStatus::{Locked, Normal, RedReversed, Reimbursed};
    let effect = |key: &BillKey, check: &CheckCode, status| {
        Some(Effect { key: *key, check: *check, status })
    };
    match action {
        Action::Register(bill) => (Kind::Register, 1, effect(&bill.key, &bill.check_code, Normal)),
        Action::Batch(bills) => (
            Kind::Batch,
            bills.len() as u32,
            bills.first().and_then(|bill| effect(&bill.key, &bill.check_code, Normal)),
        ),
        Action::Duplicate(_) => (Kind::Duplicate, 0, None),
        Action::RedReverse { blue, check, balance, .. } => {
            (Kind::RedReverse, 1 + u32::from(balance.is_some()), effect(blue, check, RedReversed))
        }
        Action::Lock { key, check, contest: Contest::Alone } => {
            (Kind::Lock, 0, effect(key, check, Locked))
        }
        Action::Lock { key, check, contest: Contest::Contested } => {
            (Kind::ContestedLock, 0, effect(key, check, Locked))
        }
        Action::Unlock { key, check } => (Kind::Unlock, 0, effect(key, check, Normal)),
        Action::Reimburse { key, check, .. } => {
            (Kind::Reimburse, 0, effect(key, check, Reimbursed))
        }
    }
}

fn call(action: Action, now_ms: u64) -> RuntimeCall {
    use pallet_bill_register::Call as Registration;
    let reason = || Reason::new("退费（压测）").expect("a short text; qed");
    let change = |key, change| {
        RuntimeCall::BillUpdate(pallet_bill_update::Call::<Runtime>::change_status {
            key,
            expected_version: None,
            change,
        })
    };
    match action {
        Action::Register(bill) | Action::Duplicate(bill) => {
            RuntimeCall::BillRegister(Registration::<Runtime>::register { summary: *bill })
        }
        Action::Batch(bills) => {
            RuntimeCall::BillRegister(Registration::<Runtime>::register_batch {
                bills: bills.try_into().expect("a plan's batches are at most 500 bills; qed"),
                mode: BatchMode::AllOrNothing,
            })
        }
        Action::RedReverse { blue, red, balance, .. } => {
            RuntimeCall::BillUpdate(pallet_bill_update::Call::<Runtime>::red_reverse {
                key: blue,
                expected_version: None,
                red: *red,
                balance: balance.map(|balance| *balance),
                reason: reason(),
            })
        }
        Action::Lock { key, .. } => change(
            key,
            StatusChange::Lock {
                scene: SceneId(1),
                claim_no: format!("C-{}", key.number).parse().expect("a short text; qed"),
                on_behalf_of: None,
                grant: None,
                signed_at: now_ms,
            },
        ),
        Action::Unlock { key, .. } => change(key, StatusChange::Unlock { reason: reason() }),
        Action::Reimburse { key, amount, .. } => change(key, StatusChange::Reimburse { amount }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Maker, Mix, Pace};
    use billchain_runtime::{UncheckedExtrinsic, nonce_of};
    use codec::Decode;
    use std::collections::BTreeMap;

    const SEED: u64 = 3;

    fn planner(batch: usize) -> Planner {
        let mix = if batch > 1 { Mix::REGISTRATIONS } else { Mix::MODEL };
        let maker = Maker::new(SEED, 5, 0);
        Planner::new(SEED, 5, maker, (mix, Pace::Fixed(200.0)), batch)
    }

    async fn made(batch: usize, until: Duration) -> Vec<Prepared> {
        let genesis = Hash::repeat_byte(7);
        let mut stock = Stock::start(planner(batch), Senders::fresh(5), genesis, 10_000, until);
        stock.filled().await;
        let mut made = Vec::new();
        while let Some(prepared) = stock.take() {
            made.push(prepared);
        }
        let Signed { before, during, .. } = stock.signed();
        assert_eq!((before, during), (made.len() as u64, 0));
        stock.finish().unwrap();
        made
    }

    #[tokio::test]
    async fn what_is_signed_ahead_has_each_senders_nonces_without_a_gap() {
        let made = made(1, Duration::from_secs(20)).await;
        assert!(made.is_sorted_by_key(Prepared::at));
        let mut next: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        let (mut signed, mut later) = (0, 0);
        for prepared in made {
            let Prepared::Signed(transaction) = prepared else {
                later += 1;
                continue;
            };
            signed += 1;
            let decoded = UncheckedExtrinsic::decode(&mut &transaction.bytes[..]).unwrap();
            let (address, _, extension) = decoded.signed_parts().unwrap();
            let expected = next.entry(codec::Encode::encode(address)).or_default();
            assert_eq!(nonce_of(extension), *expected);
            *expected += 1;
            assert_eq!(transaction.hash, transaction_hash(&transaction.bytes));
        }
        // Claimants sign when they send.
        assert!(signed > 3_000 && later > 50, "{signed} signed, {later} later");
    }

    #[tokio::test]
    async fn a_batch_counts_its_bills() {
        let made = made(100, Duration::from_secs(1)).await;
        assert_eq!(made.len(), 200);
        for prepared in made {
            let Prepared::Signed(transaction) = prepared else { panic!("signed") };
            assert_eq!((transaction.kind, transaction.bills), (Kind::Batch, 100));
            assert_eq!(transaction.effect.unwrap().status, BillStatus::Normal);
        }
    }

    #[tokio::test]
    async fn a_full_stock_waits_and_says_what_was_signed_late() {
        let forever = Duration::MAX;
        let mut stock = Stock::start(planner(1), Senders::fresh(5), Hash::zero(), 100, forever);
        stock.filled().await;
        let Signed { before: ahead, during: late, .. } = stock.signed();
        assert!((100..=101).contains(&ahead) && late == 0, "{ahead} ahead, {late} late");
        for _ in 0..50 {
            assert!(stock.take().is_some());
        }
        thread::sleep(Duration::from_millis(50));
        // Half of it is left: nothing is added yet.
        assert!(stock.signed().during <= 1, "{:?}", stock.signed());
        let mut taken = 50;
        // Beyond what was signed with the first ones.
        while taken < CHUNK + 500 {
            match stock.take() {
                Some(_) => taken += 1,
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
        assert!(stock.signed().during >= CHUNK as u64 + 399, "{:?}", stock.signed());
        assert!(stock.signed().seconds > 0.0, "signing takes time");
        stock.finish().unwrap();
    }
}
