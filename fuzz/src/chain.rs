//! A development chain with one block, for targets that run the runtime.

use billchain_chain_spec::ChainSpec;
use billchain_client::{
    Signer,
    einvoice::{EInvoice, SummaryContext},
};
use billchain_executor::{BuildParams, Chain};
use billchain_primitives::{Bill, BillSummary, SceneId, history::VersionRecord, index};
use billchain_runtime::{Runtime, RuntimeCall};
use billchain_storage::{Storage, StorageOptions};
use codec::DecodeAll;
use frame_support::storage::storage_prefix;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// After the development chain's beginning.
pub(crate) const NOW: u64 = 1_800_000_000_000;

/// The chain, in a directory that goes with it.
pub(crate) struct Development {
    pub(crate) chain: Chain,
    _directory: tempfile::TempDir,
}

thread_local! {
    // Of the thread, so that the directory is removed at its end.
    static CHAIN: Development = Development::new();
}

/// Runs `f` on this thread's chain.
pub(crate) fn with<R>(f: impl FnOnce(&Chain) -> R) -> R {
    CHAIN.with(|development| f(&development.chain))
}

impl Development {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let options = StorageOptions {
            block_cache_bytes: 4 << 20,
            write_buffer_bytes: 4 << 20,
            commitment_cache_bytes: 1 << 20,
            ..StorageOptions::default()
        };
        let storage = Storage::open(directory.path(), options).expect("an empty directory");
        let genesis = ChainSpec::development().genesis_state().expect("a sound document");
        let chain = Chain::with_genesis(Arc::new(storage), &genesis).expect("an empty database");
        let built = chain.build(params(), &mut registration(&chain).into_iter());
        let block = built.expect("a bill registers").block;
        chain.commit(block, b"certificate".to_vec()).expect("its own block");
        Self { chain, _directory: directory }
    }
}

/// The signed registration of a bill, as the chain's first transaction.
fn registration(chain: &Chain) -> Option<bytes::Bytes> {
    let call = register(outpatient());
    Some(hospital().transaction(call, 0, chain.genesis_hash()).into())
}

pub(crate) fn params() -> BuildParams {
    BuildParams {
        timestamp_ms: NOW,
        max_block_bytes: usize::MAX,
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

/// Who issues bills on the chain.
pub(crate) fn hospital() -> Signer {
    Signer::development("//hospital")
}

/// The bill of a sample.
pub(crate) fn outpatient() -> BillSummary {
    summary(include_bytes!("../../samples/outpatient.xml"))
}

pub(crate) fn summary(xml: &[u8]) -> BillSummary {
    EInvoice::parse(xml).expect("a sample").summary(&SummaryContext {
        issuer: "did:bill:hospital".parse().expect("a DID"),
        scene: SceneId(1),
        payer_ref: [7; 32],
        pdf: None,
        location: None,
    })
}

pub(crate) fn register(summary: BillSummary) -> RuntimeCall {
    RuntimeCall::BillRegister(pallet_bill_register::Call::<Runtime>::register { summary })
}

/// The bills of the chain and their versions.
pub(crate) fn bills_and_versions() -> (Vec<Bill>, Vec<VersionRecord>) {
    with(|chain| {
        let prefix = storage_prefix(b"BillRegister", b"Bills");
        let bills = chain.storage().state().pairs_paged(&prefix, None, 10).expect("sound");
        let history = index::history_prefix(&outpatient().key);
        let versions = chain.storage().offchain_prefix(&history, None, 10).expect("sound");
        (
            bills.iter().map(|(_, value)| decode(value)).collect(),
            versions.iter().map(|(_, value)| decode(value)).collect(),
        )
    })
}

fn decode<T: DecodeAll>(mut bytes: &[u8]) -> T {
    T::decode_all(&mut bytes).expect("written by the runtime")
}
