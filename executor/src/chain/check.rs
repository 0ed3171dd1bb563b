//! Judging a block that someone else made.

use crate::{
    BlockError, Chain, ClockCheck, ExecutedBlock, OpaqueTx,
    chain::{
        build::{is_bare, sender},
        parse::{self, Parsed},
        signatures,
    },
    run::{Outcome, Run, RunError},
    state::extrinsics_root,
    transaction,
};
use billchain_primitives::{Hash, Header, Moment, transaction_hashes};
use billchain_runtime::{Performance, RuntimeCall, Timestamp, UncheckedExtrinsic};
use bytes::Bytes;
use std::sync::Arc;

impl Chain {
    /// Executes a block on the head and checks it whole: size, encoding,
    /// parent, number, extrinsics root, every transaction's signature and
    /// validity, time, weight, digest, and the root of the state after it.
    ///
    /// What passes can be [committed](Chain::commit).
    pub fn execute(&self, bytes: Bytes, clock: ClockCheck) -> Result<ExecutedBlock, BlockError> {
        let Parsed { header, extrinsics } = parse::block(&bytes)?;
        let (head, view) = self.head_view();
        if header.parent_hash != head.hash {
            return Err(BlockError::WrongParent { expected: head.hash, found: header.parent_hash });
        }
        let number = head.number.saturating_add(1);
        if header.number != number {
            return Err(BlockError::WrongNumber { expected: number, found: header.number });
        }
        let root = extrinsics_root(extrinsics.iter().map(|bytes| bytes.to_vec()).collect());
        if header.extrinsics_root != root {
            return Err(BlockError::WrongExtrinsicsRoot {
                expected: root,
                found: header.extrinsics_root,
            });
        }

        let tx_hashes = transaction_hashes(&extrinsics);
        let known = self.inner.decoded.find(&tx_hashes);
        let is_cold: Vec<bool> = known.iter().map(Option::is_none).collect();
        let decoded = decode_all(&extrinsics, &tx_hashes, known)?;
        let timestamp_ms = timestamp(&decoded)?;
        let senders = decoded.iter().filter_map(|extrinsic| sender(extrinsic)).cloned().collect();

        let mut run = Run::begin(view, number, head.hash)?;
        let limit = run.ask(|| Performance::settings().limits.max_block_bytes) as usize;
        if bytes.len() > limit {
            return Err(BlockError::TooLarge { found: bytes.len(), limit });
        }
        check_time(timestamp_ms, run.ask(Timestamp::get), clock)?;
        let cold = decoded.iter().zip(is_cold).filter(|(_, is_cold)| *is_cold);
        signatures::check_ahead(&mut run, cold.map(|(extrinsic, _)| &**extrinsic));
        for (index, extrinsic) in decoded.into_iter().enumerate() {
            let extrinsic = Arc::unwrap_or_clone(extrinsic);
            if let Err(reason) = run.apply(extrinsic, &extrinsics[index]) {
                if let Some(error) = run.take_failure() {
                    return Err(error.into());
                }
                return Err(BlockError::Transaction { index, hash: tx_hashes[index], reason });
            }
        }
        let Outcome { header: computed, delta, index, events } = run.end()?;
        compare(&header, &computed)?;
        let hash = header.hash();
        Ok(ExecutedBlock {
            header,
            hash,
            bytes,
            timestamp_ms,
            delta,
            index,
            events,
            tx_hashes,
            senders,
        })
    }
}

impl From<RunError> for BlockError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Panicked(panicked) => Self::Panicked(panicked),
            RunError::Chain(error) => Self::Local(error),
        }
    }
}

/// The extrinsics, decoded unless they are known.
fn decode_all(
    extrinsics: &[OpaqueTx],
    hashes: &[Hash],
    known: Vec<Option<Arc<UncheckedExtrinsic>>>,
) -> Result<Vec<Arc<UncheckedExtrinsic>>, BlockError> {
    let decode = |(index, known): (usize, Option<Arc<UncheckedExtrinsic>>)| match known {
        Some(extrinsic) => Ok(extrinsic),
        None => transaction::decode(&extrinsics[index])
            .map(Arc::new)
            .map_err(|reason| BlockError::Transaction { index, hash: hashes[index], reason }),
    };
    known.into_iter().enumerate().map(decode).collect()
}

/// The time a block says, if its first extrinsic says one and no other is
/// unsigned.
fn timestamp(extrinsics: &[Arc<UncheckedExtrinsic>]) -> Result<Moment, BlockError> {
    let first = extrinsics.first().filter(|first| is_bare(first)).map(|first| first.function());
    let Some(RuntimeCall::Timestamp(pallet_timestamp::Call::set { now })) = first else {
        return Err(BlockError::NoTimestamp);
    };
    match extrinsics.iter().skip(1).position(|extrinsic| is_bare(extrinsic)) {
        Some(at) => Err(BlockError::Unsigned { index: at + 1 }),
        None => Ok(*now),
    }
}

fn check_time(found: Moment, parent: Moment, clock: ClockCheck) -> Result<(), BlockError> {
    if found <= parent {
        return Err(BlockError::TimeNotAfterParent { parent, found });
    }
    let ClockCheck::Proposal { now_ms: now, max_ahead_ms, max_behind_ms } = clock else {
        return Ok(());
    };
    if found > now.saturating_add(max_ahead_ms) {
        return Err(BlockError::TimeAhead { now, max_ahead_ms, found });
    }
    if found < now.saturating_sub(max_behind_ms) {
        return Err(BlockError::TimeBehind { now, max_behind_ms, found });
    }
    Ok(())
}

/// Compares a header with the one that executing its block gives. Parent,
/// number and extrinsics root are equal already.
fn compare(found: &Header, computed: &Header) -> Result<(), BlockError> {
    if found.digest != computed.digest {
        return Err(BlockError::WrongDigest {
            expected: computed.digest.logs.len(),
            found: found.digest.logs.len(),
        });
    }
    if found.state_root != computed.state_root {
        return Err(BlockError::WrongStateRoot {
            expected: computed.state_root,
            found: found.state_root,
        });
    }
    Ok(())
}
