//! The ledger that calls are measured on.

use crate::{
    WeightsError,
    setup::{self, Member},
    store::Store,
};
use billchain_chain_spec::{ChainSpec, dev};
use billchain_executor::{BuildParams, Chain, externalities::StateExternalities};
use billchain_primitives::{BillKey, BillSummary, Did, SceneId, sm3};
use billchain_runtime::{BillRegister, System};
use billchain_storage::{Storage, StorageOptions};
use pallet_bill_register::{Batch, BatchMode, MAX_BATCH};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Bills of one block while the ledger is filled.
const BILLS_PER_BLOCK: u32 = 10 * MAX_BATCH;

/// A development chain with bills, in a directory that goes with it.
pub struct Ledger {
    // Closed before its directory goes.
    pub(crate) store: Store,
    pub(crate) chain: Chain,
    bills: u32,
    _directory: TempDir,
}

impl Ledger {
    /// Makes a chain in a new directory under `parent` and registers `bills`
    /// bills, through batches in blocks that are committed as a node commits
    /// them. `progress` hears how many there are.
    pub fn fill(
        parent: &Path,
        bills: u32,
        mut progress: impl FnMut(u32),
    ) -> Result<Self, WeightsError> {
        let directory = tempfile::Builder::new()
            .prefix("billchain-weights-")
            .tempdir_in(parent)
            .map_err(WeightsError::Directory)?;
        let storage = Arc::new(Storage::open(directory.path(), StorageOptions::default())?);
        let genesis = ChainSpec::development()
            .genesis_state()
            .map_err(|error| WeightsError::Ledger(error.to_string()))?;
        let chain = Chain::with_genesis(storage.clone(), &genesis)?;
        // The first block goes through the runtime, which notes the genesis hash
        // that signatures cover.
        let first = BuildParams {
            timestamp_ms: setup::NOW - 1,
            max_block_bytes: usize::MAX,
            deadline: Instant::now() + Duration::from_secs(60),
        };
        chain.commit(chain.build(first, &mut std::iter::empty())?.block, Vec::new())?;
        let ledger = Self { store: Store::new(storage), chain, bills, _directory: directory };
        let mut filled = 0;
        while filled < bills {
            let count = (bills - filled).min(BILLS_PER_BLOCK);
            ledger.add_block(filled, count)?;
            filled += count;
            progress(filled);
        }
        Ok(ledger)
    }

    /// Number of bills that it was filled with.
    pub fn bills(&self) -> u32 {
        self.bills
    }

    /// The whole state.
    pub fn state(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>, WeightsError> {
        Ok(self.chain.storage().state().pairs_paged(&[], None, usize::MAX)?)
    }

    /// One block of bills `from` to `from + count`, in batches.
    fn add_block(&self, from: u32, count: u32) -> Result<(), WeightsError> {
        let issuer = Member {
            did: Did::new(b"did:bill:hospital")
                .map_err(|error| WeightsError::Ledger(error.to_string()))?,
            account: dev::account("//hospital"),
        };
        let numbers: Vec<u32> = (from..from + count).collect();
        let mut externalities = StateExternalities::new(self.store.view());
        externalities.run(|| {
            setup::begin();
            numbers.chunks(MAX_BATCH as usize).try_for_each(|numbers| {
                let bills = numbers.iter().map(|number| ordinary(*number, &issuer)).collect();
                register(&issuer, bills)
            })?;
            // A block's events go when the next one begins.
            System::reset_events();
            Ok::<_, WeightsError>(())
        })?;
        let changes = externalities.finish()?;
        self.store.commit(changes.state, changes.index)?;
        Ok(())
    }
}

fn register(issuer: &Member, bills: Vec<BillSummary>) -> Result<(), WeightsError> {
    let bills = Batch::try_from(bills).expect("no more than a batch holds; qed");
    BillRegister::register_batch(setup::signed(issuer), bills, BatchMode::AllOrNothing)
        .map_err(|error| WeightsError::Ledger(format!("a batch was refused: {error:?}")))
}

/// Code and number of a bill of the ledger.
pub(crate) fn key(number: u32) -> BillKey {
    BillKey { code: "31060126".parse().expect("8 digits; qed"), ..setup::bill_key(number) }
}

/// An outpatient bill as there are millions.
fn ordinary(number: u32, issuer: &Member) -> BillSummary {
    let hash = |purpose: u8| sm3(&[&number.to_le_bytes()[..], &[purpose]].concat());
    BillSummary {
        key: key(number),
        payer_ref: hash(1),
        biz_no_hash: hash(2),
        xml_hash: hash(3),
        ..setup::summary(number, issuer, SceneId(1))
    }
}
