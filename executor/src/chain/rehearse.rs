//! Executing a decided block under this release's rules, whatever rules it was
//! decided under: a rehearsal of an upgrade, on a copy of a chain.

use crate::{
    BlockError, Chain, ExecutedBlock, Inherents, TransactionError,
    chain::{build::sender, check::note_inherent, parse::Parsed},
    run::{Outcome, Run},
    transaction,
};
use billchain_primitives::{Header, transaction_hashes};
use billchain_runtime::{Timestamp, Upgrade};
use bytes::Bytes;
use std::collections::BTreeSet;

/// A block that was executed under other rules than it was decided under.
pub struct Rehearsed {
    /// The block as it was decided, with the state root that it has under these rules:
    /// committed, it is the head under its decided hash, so that the next one stands on
    /// it.
    pub block: ExecutedBlock,
    /// Extrinsics that these rules do not admit, by their index in the block. They are
    /// left out.
    pub refused: Vec<(u32, TransactionError)>,
    /// Index in the block of each extrinsic that was applied, in order.
    pub applied: Vec<u32>,
}

impl Chain {
    /// Executes the block after the head under this release's rules: its time and its
    /// transactions are what was decided, the state is what these rules make of them.
    /// Migrations run in the first block of a release, as they do on the chain.
    ///
    /// Transactions that were signed for the rules `former` are admitted, as they are
    /// after an upgrade. For a copy of a chain: no node accepts what comes of it.
    ///
    /// # Errors
    /// [`BlockError`] if the block does not stand on the head, or the block itself
    /// cannot be begun or ended: a transaction that fails is no error.
    pub fn rehearse(&self, bytes: Bytes, former: u32) -> Result<Rehearsed, BlockError> {
        let (Parsed { header, extrinsics }, view) = self.next_block(&bytes)?;
        let tx_hashes = transaction_hashes(&extrinsics);
        let mut run = Run::rehearse(view, header.number, header.parent_hash)?;
        run.ask(|| Upgrade::admit_for_rehearsal(former));
        let (mut refused, mut applied) = (Vec::new(), Vec::new());
        let (mut senders, mut inherents) = (BTreeSet::new(), Inherents::default());
        for ((index, encoded), hash) in (0_u32..).zip(&extrinsics).zip(&tx_hashes) {
            let extrinsic = match transaction::decode(encoded) {
                Ok(extrinsic) => extrinsic,
                Err(reason) => {
                    refused.push((index, reason));
                    continue;
                }
            };
            note_inherent(&mut inherents, index as usize, &extrinsic)?;
            let signer = sender(&extrinsic).cloned();
            match run.apply(extrinsic, encoded, *hash) {
                Ok(()) => {
                    applied.push(index);
                    senders.extend(signer);
                }
                Err(reason) => refused.push((index, reason)),
            }
        }
        if let Some(error) = run.take_failure() {
            return Err(error.into());
        }
        let timestamp_ms = run.ask(Timestamp::get);
        let Outcome { header: computed, delta, index, events, cooling } = run.end()?;
        let hash = header.hash();
        let header = Header { state_root: computed.state_root, ..header };
        let block = ExecutedBlock {
            header,
            hash,
            bytes,
            timestamp_ms,
            delta,
            index,
            events,
            cooling,
            tx_hashes,
            inherents,
            senders,
        };
        Ok(Rehearsed { block, refused, applied })
    }
}
