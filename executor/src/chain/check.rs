//! Judging a block that someone else made.

use crate::{
    BlockError, Chain, ClockCheck, ExecutedBlock, Inherents, OpaqueTx, TransactionError,
    chain::{
        build::{is_bare, sender},
        commit, evidence,
        parse::{self, Parsed},
        signatures,
    },
    run::{Outcome, Run, RunError},
    state::{HeadView, extrinsics_root},
    transaction::{self, MAX_DECODED_AT_ONCE},
};
use billchain_primitives::{Hash, Header, Moment, transaction_hashes};
use billchain_runtime::{
    Performance, RuntimeCall, Timestamp, UncheckedExtrinsic,
    limits::{MAX_AHEAD_MS, MAX_BEHIND_MS, MAX_CLOCK_BACK_MS},
};
use bytes::Bytes;
use std::{collections::BTreeSet, sync::Arc};

impl Chain {
    /// Executes a block on the head and checks it whole: size, encoding,
    /// parent, number, extrinsics root, every transaction's signature and
    /// validity, time, weight, digest, and the root of the state after it.
    ///
    /// What passes can be [committed](Chain::commit).
    pub fn execute(&self, bytes: Bytes, clock: ClockCheck) -> Result<ExecutedBlock, BlockError> {
        let (Parsed { header, extrinsics }, view) = self.next_block(&bytes)?;
        // Anybody can put another body under a decided header: that is told before it
        // is executed. A proposal's body is its proposer's word as its header is, and
        // executing it gives the root anyway.
        if let ClockCheck::Decided = clock {
            let root = extrinsics_root(extrinsics.iter().map(|bytes| bytes.to_vec()).collect());
            compare_bodies(header.extrinsics_root, root)?;
        }

        let tx_hashes = transaction_hashes(&extrinsics);
        let known = self.inner.decoded.take(&tx_hashes);
        let mut parts = Parts {
            extrinsics: &extrinsics,
            hashes: &tx_hashes,
            known,
            next: 0,
            inherents: Inherents::default(),
        };
        let mut part = parts.read()?;
        let timestamp_ms = timestamp(&part)?;

        let mut run = Run::begin(view, header.number, header.parent_hash)?;
        let limit = run.ask(|| Performance::settings().limits.max_block_bytes) as usize;
        if bytes.len() > limit {
            return Err(BlockError::TooLarge { found: bytes.len(), limit });
        }
        check_time(timestamp_ms, run.ask(Timestamp::get), clock)?;
        let mut senders = BTreeSet::new();
        while !part.is_empty() {
            senders.extend(part.iter().filter_map(|tx| sender(&tx.extrinsic)).cloned());
            let cold = part.iter().filter(|tx| tx.is_cold);
            let cold = cold.map(|tx| (parts.hashes[tx.index], &*tx.extrinsic));
            signatures::check_ahead(&mut run, cold);
            apply(&mut run, part, parts.extrinsics, parts.hashes)?;
            part = parts.read()?;
        }
        let inherents = parts.inherents;
        let Outcome { header: computed, delta, index, events, cooling } = run.end()?;
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
            cooling,
            tx_hashes,
            inherents,
            senders,
        })
    }
}

impl Chain {
    /// Takes a block apart that claims to follow the head; with the head's state.
    pub(super) fn next_block(&self, bytes: &Bytes) -> Result<(Parsed, HeadView), BlockError> {
        let parsed = parse::block(bytes)?;
        let (head, view) = self.head_view();
        let Header { parent_hash: found, number, .. } = parsed.header;
        if found != head.hash {
            return Err(BlockError::WrongParent { expected: head.hash, found });
        }
        let expected = head.number.saturating_add(1);
        if number != expected {
            return Err(BlockError::WrongNumber { expected, found: number });
        }
        Ok((parsed, view))
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

/// An extrinsic of the block, decoded.
struct Read {
    index: usize,
    extrinsic: Arc<UncheckedExtrinsic>,
    /// Whether this node's pool has not seen it.
    is_cold: bool,
}

/// The extrinsics of a block, decoded part by part.
struct Parts<'a> {
    extrinsics: &'a [OpaqueTx],
    hashes: &'a [Hash],
    /// Those that the pool has decoded.
    known: Vec<Option<Arc<UncheckedExtrinsic>>>,
    /// Index of the first that is not read.
    next: usize,
    /// Inherents among those that are read.
    inherents: Inherents,
}

impl Parts<'_> {
    /// The next extrinsics, at most [`MAX_DECODED_AT_ONCE`] bytes of them and
    /// one more; none at the end.
    fn read(&mut self) -> Result<Vec<Read>, BlockError> {
        let mut part = Vec::new();
        let mut decoded = 0_usize;
        while self.next < self.extrinsics.len() && decoded <= MAX_DECODED_AT_ONCE {
            let index = self.next;
            let (extrinsic, is_cold) = match self.known[index].take() {
                Some(known) => (known, false),
                None => {
                    let measured = transaction::decode_measured(&self.extrinsics[index])
                        .map_err(|reason| self.refused(index, reason))?;
                    decoded = decoded.saturating_add(measured.decoded_size);
                    (Arc::new(measured.extrinsic), true)
                }
            };
            note_inherent(&mut self.inherents, index, &extrinsic)?;
            part.push(Read { index, extrinsic, is_cold });
            self.next += 1;
        }
        Ok(part)
    }

    fn refused(&self, index: usize, reason: TransactionError) -> BlockError {
        BlockError::Transaction { index, hash: self.hashes[index], reason }
    }
}

/// Notes the extrinsic at `index` if it is an inherent that may stand there: first the
/// block's time, then the commit of its parent and a report of equivocations, each or
/// none.
pub(super) fn note_inherent(
    inherents: &mut Inherents,
    index: usize,
    extrinsic: &UncheckedExtrinsic,
) -> Result<(), BlockError> {
    let call = is_bare(extrinsic).then(|| extrinsic.function());
    let is_next = index == inherents.count;
    match (index, call) {
        (0, Some(RuntimeCall::Timestamp(_))) => {}
        (0, _) => return Err(BlockError::NoTimestamp),
        (_, None) => return Ok(()),
        (1, Some(call)) if commit::is_commit(call) => inherents.commit = true,
        (1 | 2, Some(call)) if is_next && !inherents.equivocations && evidence::is_report(call) => {
            inherents.equivocations = true;
        }
        _ => return Err(BlockError::Unsigned { index }),
    }
    inherents.count += 1;
    Ok(())
}

/// The time that a block says, which its first extrinsic must do.
fn timestamp(part: &[Read]) -> Result<Moment, BlockError> {
    match part.first().map(|first| first.extrinsic.function()) {
        Some(RuntimeCall::Timestamp(pallet_timestamp::Call::set { now })) => Ok(*now),
        _ => Err(BlockError::NoTimestamp),
    }
}

/// Applies extrinsics, each of which must be valid where it stands.
fn apply(
    run: &mut Run,
    part: Vec<Read>,
    bytes: &[OpaqueTx],
    hashes: &[Hash],
) -> Result<(), BlockError> {
    for Read { index, extrinsic, .. } in part {
        let hash = hashes[index];
        if let Err(reason) = run.apply(Arc::unwrap_or_clone(extrinsic), &bytes[index], hash) {
            return Err(match run.take_failure() {
                Some(error) => error.into(),
                None => BlockError::Transaction { index, hash, reason },
            });
        }
    }
    Ok(())
}

fn check_time(found: Moment, parent: Moment, clock: ClockCheck) -> Result<(), BlockError> {
    if found <= parent {
        return Err(BlockError::TimeNotAfterParent { parent, found });
    }
    let ClockCheck::Proposal { now_ms: now } = clock else {
        return Ok(());
    };
    // The least that a block can say after a parent that is ahead of this clock.
    let is_least = found == parent.saturating_add(1);
    let ahead = if is_least { MAX_CLOCK_BACK_MS } else { MAX_AHEAD_MS };
    if found > now.saturating_add(ahead) {
        return Err(BlockError::TimeAhead { now, found });
    }
    if found < now.saturating_sub(MAX_BEHIND_MS) {
        return Err(BlockError::TimeBehind { now, found });
    }
    Ok(())
}

fn compare_bodies(found: Hash, expected: Hash) -> Result<(), BlockError> {
    if found != expected {
        return Err(BlockError::WrongExtrinsicsRoot { expected, found });
    }
    Ok(())
}

/// Compares a header with the one that executing its block gives. Parent and
/// number are equal already.
fn compare(found: &Header, computed: &Header) -> Result<(), BlockError> {
    compare_bodies(found.extrinsics_root, computed.extrinsics_root)?;
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
