//! A development chain, and blocks of registrations on it.

use anyhow::{Context, Result, ensure};
use billchain_chain_spec::ChainSpec;
use billchain_client::{
    Signer,
    einvoice::{EInvoice, SummaryContext},
};
use billchain_executor::{BuildParams, Chain, ClockCheck, ExecutedBlock, OpaqueTx};
use billchain_primitives::SceneId;
use billchain_runtime::{Runtime, RuntimeCall};
use billchain_storage::{Storage, StorageOptions};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// After the development chain's beginning.
const NOW: u64 = 1_800_000_000_000;

/// A block as another node sends it.
pub(crate) struct Built(OpaqueTx);

/// A block that was executed and can be committed.
pub(crate) type Executed = ExecutedBlock;

/// The chain, in a directory that goes with it.
pub(crate) struct Development {
    chain: Chain,
    _directory: tempfile::TempDir,
}

impl Development {
    /// The chain, with the block that the issuer's first bill makes: it brings
    /// what is loaded and built once.
    pub(crate) fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        // Small, so that little time goes into memory that is not used.
        let options = StorageOptions {
            block_cache_bytes: 4 << 20,
            write_buffer_bytes: 4 << 20,
            commitment_cache_bytes: 1 << 20,
            ..StorageOptions::default()
        };
        let storage = Storage::open(directory.path(), options)?;
        let genesis = ChainSpec::development().genesis_state()?;
        let chain = Chain::with_genesis(Arc::new(storage), &genesis)?;
        let this = Self { chain, _directory: directory };
        let block = this.build(vec![this.registration(0)])?;
        this.commit(this.execute(block)?)?;
        Ok(this)
    }

    /// So many registrations, signed, for the next block.
    pub(crate) fn registrations(&self, count: u32) -> Vec<OpaqueTx> {
        (1..=count).map(|nonce| self.registration(nonce)).collect()
    }

    /// The sample's bill under a number of its own.
    fn registration(&self, nonce: u32) -> OpaqueTx {
        let xml = include_bytes!("../../../samples/outpatient.xml");
        let context = SummaryContext {
            issuer: "did:bill:hospital".parse().expect("a DID"),
            scene: SceneId(1),
            payer_ref: [7; 32],
            pdf: None,
            location: None,
        };
        let mut summary = EInvoice::parse(xml).expect("a sample").summary(&context);
        summary.key.number = format!("{nonce:010}").parse().expect("ten digits");
        let call = pallet_bill_register::Call::<Runtime>::register { summary };
        Signer::development("//hospital")
            .transaction(RuntimeCall::BillRegister(call), nonce, self.chain.genesis_hash())
            .into()
    }

    /// A block of these transactions, none of which may be refused.
    pub(crate) fn build(&self, transactions: Vec<OpaqueTx>) -> Result<Built> {
        let count = transactions.len();
        let params = BuildParams {
            timestamp_ms: NOW,
            max_block_bytes: usize::MAX,
            // Under Callgrind everything takes fifty times as long.
            deadline: Instant::now() + Duration::from_secs(3_600),
        };
        let built = self.chain.build(params, &mut transactions.into_iter())?;
        if let Some(refused) = built.refused.first() {
            anyhow::bail!("a registration is refused: {}", refused.reason);
        }
        ensure!(built.block.transaction_count() == count, "the block lacks a registration");
        Ok(Built(built.block.bytes().clone()))
    }

    /// Executes the block as another node's.
    pub(crate) fn execute(&self, block: Built) -> Result<Executed> {
        self.chain.execute(block.0, ClockCheck::Decided).context("executing the block")
    }

    /// Commits the block.
    pub(crate) fn commit(&self, block: Executed) -> Result<()> {
        self.chain.commit(block, b"certificate".to_vec()).context("committing the block")?;
        Ok(())
    }
}
