//! What the runtime's prices have to cover: reads and writes of the state, an
//! empty block, an empty transaction.

use crate::{Ledger, WeightsError, clock::Stopwatch, setup};
use billchain_crypto::sm2::{self, SecretKey};
use billchain_executor::{
    BuildParams, OpaqueTx,
    externalities::{StateDelta, StateExternalities, StateView},
};
use billchain_primitives::{Address, PublicKey, Role, Signature, clear_signature_cache};
use billchain_runtime::{
    Runtime, RuntimeCall, System, UncheckedExtrinsic, immortal_payload, tx_extension,
};
use codec::Encode;
use pallet_bill_register::Bills;
use sp_runtime::generic::Era;
use std::time::{Duration, Instant};

/// Bills read, and bills written, in one round.
const KEYS: u32 = 2_000;
/// Transactions of one round, each of a sender of its own.
const SENDERS: u32 = 200;

/// What the runtime's prices have to cover: medians over rounds.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    /// One read of a bill somewhere in the ledger.
    pub read: Duration,
    /// One write of a bill somewhere in the ledger: its share of a block's
    /// root, and of the durable commit of the block.
    pub write: Duration,
    /// An empty block: begun, ended, committed durably.
    pub block: Duration,
    /// A transaction whose call does nothing: decoding, an SM2 signature by a
    /// key that was not seen before, the checks of its sender.
    pub transaction: Duration,
}

/// Measures the prices on a ledger that holds bills. Adds participants to it.
pub fn measure_prices(ledger: &Ledger, rounds: u32) -> Result<Prices, WeightsError> {
    if ledger.bills() == 0 || rounds == 0 {
        let reason = "prices are measured on a ledger with bills, in one round at least";
        return Err(WeightsError::Ledger(reason.into()));
    }
    let mut numbers = Numbers::below(ledger.bills());
    let mut times = [const { Vec::new() }; 4];
    for round in 0..rounds {
        let (keys, bills) = (numbers.keys(), numbers.keys());
        times[0].push(read(ledger, &keys)?);
        times[1].push(write(ledger, &bills)?);
        let empty = block(ledger, Vec::new())?;
        let transactions = admit_senders(ledger, round)?;
        clear_signature_cache();
        let full = block(ledger, transactions)?;
        times[3].push(full.saturating_sub(empty) / SENDERS);
        let start = Instant::now();
        ledger.store.commit(StateDelta::new(), Vec::new())?;
        times[2].push(empty.saturating_add(start.elapsed()));
    }
    let [read, write, block, transaction] = times.map(median);
    Ok(Prices { read, write, block, transaction })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Numbers of bills in no order, the same ones each time.
struct Numbers {
    state: u64,
    end: u32,
}

impl Numbers {
    const fn below(end: u32) -> Self {
        Self { state: 1, end }
    }

    /// Keys of bills of the ledger.
    fn keys(&mut self) -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = (0..KEYS)
            .map(|_| {
                // Knuth's MMIX generator; its upper half is scattered well.
                self.state = self
                    .state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                // The remainder is below `end`, a u32.
                let number = ((self.state >> 32) % u64::from(self.end)) as u32;
                Bills::<Runtime>::hashed_key_for(crate::ledger::key(number))
            })
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

fn read(ledger: &Ledger, keys: &[Vec<u8>]) -> Result<Duration, WeightsError> {
    let view = ledger.store.view();
    let start = Stopwatch::start();
    for key in keys {
        std::hint::black_box(view.get(key)?);
    }
    Ok(start.elapsed() / keys.len() as u32)
}

/// Writes the bills with one byte changed, and what they were.
fn write(ledger: &Ledger, keys: &[Vec<u8>]) -> Result<Duration, WeightsError> {
    let (mut before, mut after) = (StateDelta::new(), StateDelta::new());
    for key in keys {
        let value = ledger.store.value(key)?;
        let mut changed = value.clone().unwrap_or_default();
        if let Some(last) = changed.last_mut() {
            *last ^= 1;
        }
        before.insert(key.clone(), value);
        after.insert(key.clone(), Some(changed));
    }
    let first = ledger.store.commit(StateDelta::new(), Vec::new())?;
    let there = ledger.store.commit(after, Vec::new())?;
    let second = ledger.store.commit(StateDelta::new(), Vec::new())?;
    let back = ledger.store.commit(before, Vec::new())?;
    let third = ledger.store.commit(StateDelta::new(), Vec::new())?;
    // A disk that was slow once made an empty commit longer than a full one.
    let nothing = first.min(second).min(third);
    Ok((there + back).saturating_sub(nothing * 2) / (2 * keys.len() as u32))
}

/// Builds a block and drops it.
fn block(ledger: &Ledger, transactions: Vec<OpaqueTx>) -> Result<Duration, WeightsError> {
    // The ledger's blocks did not go through the runtime, which has to know
    // the number of the last one.
    let number = ledger.chain.head().number.saturating_add(1);
    let mut externalities = StateExternalities::new(ledger.store.view());
    externalities.run(|| System::set_block_number(number));
    ledger.store.commit(externalities.finish()?.state, Vec::new())?;
    let offered = transactions.len();
    let start = Stopwatch::start();
    let params = BuildParams {
        timestamp_ms: setup::NOW,
        max_block_bytes: usize::MAX,
        deadline: Instant::now() + Duration::from_secs(600),
    };
    let built = ledger.chain.build(params, &mut transactions.into_iter())?;
    let elapsed = start.elapsed();
    let taken = built.block.transaction_count();
    if taken != offered {
        let reason = format!(
            "{taken} of {offered} transactions were taken; refused: {:?}",
            built.refused.first()
        );
        return Err(WeightsError::Ledger(reason));
    }
    Ok(elapsed)
}

/// Registers participants with new keys and returns a transaction of each.
fn admit_senders(ledger: &Ledger, round: u32) -> Result<Vec<OpaqueTx>, WeightsError> {
    let first = 1_000_000 + round * SENDERS;
    let mut externalities = StateExternalities::new(ledger.store.view());
    externalities.run(|| {
        setup::begin();
        for number in first..first + SENDERS {
            setup::member(number, &[Role::User]);
        }
        System::reset_events();
    });
    let changes = externalities.finish()?;
    ledger.store.commit(changes.state, changes.index)?;
    let call = RuntimeCall::Utility(pallet_utility::Call::batch { calls: Vec::new() });
    let payload = immortal_payload(&call, 0, ledger.chain.genesis_hash());
    Ok((first..first + SENDERS)
        .map(|number| transaction(&setup::secret(number), &call, &payload))
        .collect())
}

fn transaction(secret: &SecretKey, call: &RuntimeCall, payload: &[u8]) -> OpaqueTx {
    let public = secret.public().to_compressed();
    let signature = secret.sign(sm2::DEFAULT_ID, payload).to_bytes();
    let account = PublicKey::Sm2(public).account_id();
    let extension = tx_extension(0, Era::Immortal);
    let signature = Signature::Sm2 { public, signature };
    UncheckedExtrinsic::new_signed(call.clone(), Address::Id(account), signature, extension)
        .encode()
        .into()
}
