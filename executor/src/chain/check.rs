//! Judging a block that someone else made.

use crate::{
    BlockError, Chain, ClockCheck, ExecutedBlock, OpaqueTx,
    chain::{
        build::{is_bare, sender},
        signatures,
    },
    run::{Outcome, Run, RunError},
    state::extrinsics_root,
    transaction,
};
use billchain_primitives::{Hash, Header, Moment, transaction_hashes};
use billchain_runtime::{
    RuntimeCall, Timestamp, UncheckedExtrinsic,
    limits::{BASE_EXTRINSIC_WEIGHT, MAX_BLOCK_BYTES, MAX_BLOCK_WEIGHT},
};
use bytes::Bytes;
use codec::{Compact, Decode, Encode};
use std::sync::Arc;

/// Most extrinsics that the weight of a block admits, inherents included.
const MAX_EXTRINSICS: u64 = MAX_BLOCK_WEIGHT.ref_time() / BASE_EXTRINSIC_WEIGHT.ref_time() + 1;

impl Chain {
    /// Executes a block on the head and checks it whole: size, encoding,
    /// parent, number, extrinsics root, every transaction's signature and
    /// validity, time, weight, digest, and the root of the state after it.
    ///
    /// What passes can be [committed](Chain::commit).
    pub fn execute(&self, bytes: Bytes, clock: ClockCheck) -> Result<ExecutedBlock, BlockError> {
        let Parsed { header, extrinsics } = parse(&bytes)?;
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
        let Outcome { header: computed, delta, index } = run.end()?;
        compare(&header, &computed)?;
        let hash = header.hash();
        Ok(ExecutedBlock { header, hash, bytes, timestamp_ms, delta, index, tx_hashes, senders })
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

struct Parsed {
    header: Header,
    /// Each with its length in front.
    extrinsics: Vec<OpaqueTx>,
}

/// Takes a block apart without copying its extrinsics. The number of these is
/// bounded before any is looked at, so that a block of empty ones cannot cost
/// much memory.
fn parse(bytes: &Bytes) -> Result<Parsed, BlockError> {
    let limit = MAX_BLOCK_BYTES as usize;
    if bytes.len() > limit {
        return Err(BlockError::TooLarge { found: bytes.len(), limit });
    }
    let malformed = |part: &str| {
        let part = part.to_owned();
        move |error: codec::Error| BlockError::Malformed(format!("{part}: {error}"))
    };
    let mut rest: &[u8] = bytes;
    let header = Header::decode(&mut rest).map_err(malformed("header"))?;
    if header.encode() != bytes[..bytes.len() - rest.len()] {
        return Err(BlockError::NotCanonical);
    }
    let Compact(count) =
        Compact::<u32>::decode(&mut rest).map_err(malformed("number of extrinsics"))?;
    if u64::from(count) > MAX_EXTRINSICS {
        return Err(BlockError::Malformed(format!(
            "{count} extrinsics, expected at most {MAX_EXTRINSICS}"
        )));
    }
    let mut extrinsics = Vec::with_capacity(count as usize);
    for index in 0..count {
        let start = bytes.len() - rest.len();
        let Compact(length) = Compact::<u32>::decode(&mut rest)
            .map_err(malformed(&format!("length of extrinsic {index}")))?;
        let length = length as usize;
        if length > rest.len() {
            return Err(BlockError::Malformed(format!(
                "extrinsic {index}: {length} bytes announced, {} left",
                rest.len()
            )));
        }
        rest = &rest[length..];
        extrinsics.push(bytes.slice(start..bytes.len() - rest.len()));
    }
    if !rest.is_empty() {
        return Err(BlockError::Malformed(format!("{} bytes after the end", rest.len())));
    }
    Ok(Parsed { header, extrinsics })
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
