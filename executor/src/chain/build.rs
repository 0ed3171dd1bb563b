//! Proposing.

use crate::{
    Brought, BuildParams, Built, Chain, ChainError, ExecutedBlock, Inherents, OpaqueTx, Refused,
    TransactionError,
    block::Stopped,
    chain::{
        commit, evidence,
        order::{Entry, arrange},
    },
    decoded::Decoded,
    run::{Outcome, Run},
    transaction::{self, MAX_DECODED_AT_ONCE, transaction_hash},
};
use billchain_primitives::{AccountId, Address, Hash, Moment, transaction_hashes};
use billchain_runtime::{
    Dispute, Performance, RuntimeCall, Timestamp, UncheckedExtrinsic, contention::lock_requests,
};
use codec::{Compact, Encode};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Instant,
};

/// Bytes of a block beside its extrinsics, at most: a header with the digest item of
/// its parent's commit and the number of extrinsics.
const BLOCK_OVERHEAD: usize = 160;

/// Transactions that do not fit into the rest of the block are passed over;
/// after this many the block counts as full.
const MAX_PASSED_OVER: usize = 32;

impl Chain {
    /// Builds the next block on the head from `txs`, in their order, except
    /// that locks of one bill are put into the chain's order. A sender's
    /// transactions must come in the order of their nonces.
    ///
    /// Stops when there are no more, when the time is over, or when the block
    /// is full. Nothing is committed.
    pub fn build(
        &self,
        params: BuildParams,
        txs: &mut dyn Iterator<Item = OpaqueTx>,
    ) -> Result<Built, ChainError> {
        self.build_with(params, Brought::default(), txs)
    }

    /// As [`build`](Self::build), with what the proposer brings.
    pub fn build_with(
        &self,
        params: BuildParams,
        brought: Brought<'_>,
        txs: &mut dyn Iterator<Item = OpaqueTx>,
    ) -> Result<Built, ChainError> {
        let (head, view) = self.head_view();
        let number = head.number.saturating_add(1);
        let mut run = Run::begin(view, number, head.hash)
            .map_err(|error| error.during("beginning a block"))?;

        let limit = run.ask(|| Performance::settings().limits.max_block_bytes) as usize;
        let mut body = Body::new(params.max_block_bytes.min(limit));
        let timestamp_ms = run
            .ask(Timestamp::get)
            .checked_add(1)
            .map_or(Moment::MAX, |earliest| earliest.max(params.timestamp_ms));
        bring(&mut run, &mut body, timestamp_ms, brought)?;

        let offered = Offered {
            txs,
            decoded: &self.inner.decoded,
            read: VecDeque::new(),
            max_decoded: MAX_DECODED_AT_ONCE,
        };
        let (stopped, refused) = fill(&mut run, &mut body, params.deadline, offered);
        if let Some(error) = run.take_failure() {
            return Err(error);
        }
        let outcome = run.end().map_err(|error| error.during("ending a block"))?;
        Ok(Built { block: body.into_block(outcome, timestamp_ms), refused, stopped })
    }
}

/// Puts the inherents in front.
fn bring(
    run: &mut Run,
    body: &mut Body,
    timestamp_ms: Moment,
    brought: Brought<'_>,
) -> Result<(), ChainError> {
    body.bring(run, timestamp_inherent(timestamp_ms)).map_err(ChainError::Inherent)?;
    if let Some(commit) = brought.commit {
        let commit = commit::inherent(run, commit);
        body.bring(run, commit).map_err(ChainError::Inherent)?;
        body.inherents.commit = true;
    }
    // A block that is full of nothing else goes without a report, and so does one
    // whose rest of time does not suffice: another block will have it.
    if let Some(report) = evidence::report(run, brought.equivocations)
        && body.has_room_for(report.encoded_size())
        && body.bring(run, report).is_ok()
    {
        body.inherents.equivocations = true;
    }
    Ok(())
}

/// A transaction that was read for the block.
struct Candidate {
    bytes: OpaqueTx,
    hash: Hash,
    extrinsic: Arc<UncheckedExtrinsic>,
    sender: AccountId,
}

/// A transaction of the pool that is not decoded for the block yet.
struct Next {
    bytes: OpaqueTx,
    hash: Hash,
    /// As the pool's check has decoded it.
    known: Option<Arc<UncheckedExtrinsic>>,
}

/// What the pool offers for the block.
struct Offered<'a> {
    txs: &'a mut dyn Iterator<Item = OpaqueTx>,
    decoded: &'a Decoded,
    /// Read in one go, and not decoded for the block yet.
    read: VecDeque<Next>,
    /// Bytes of decoded transactions at once, beside those of the pool's check.
    max_decoded: usize,
}

/// Transactions that are read in one go.
const READ_AHEAD: usize = 256;

/// Fills the block: reads as many transactions as may fit, puts them into
/// order, applies them, and goes on while there is room.
fn fill(
    run: &mut Run,
    body: &mut Body,
    deadline: Instant,
    mut offered: Offered<'_>,
) -> (Stopped, Vec<Refused>) {
    let mut refused = Vec::new();
    let mut passed_over = 0;
    let mut held_back = BTreeSet::new();
    loop {
        let candidates = offered.gather(body.room(), deadline, &mut refused);
        if candidates.is_empty() {
            let stopped = if Instant::now() >= deadline {
                Stopped::Deadline
            } else if passed_over > 0 {
                Stopped::Full
            } else {
                Stopped::Exhausted
            };
            return (stopped, refused);
        }
        for Candidate { bytes, hash, extrinsic, sender } in ordered(run, candidates) {
            if Instant::now() >= deadline || run.has_failed() {
                return (Stopped::Deadline, refused);
            }
            // Nothing more of theirs is taken, and nobody waits until each of it
            // has been asked for.
            if held_back.contains(&sender) {
                continue;
            }
            let fits = body.has_room_for(bytes.len());
            let result = if fits {
                run.apply(Arc::unwrap_or_clone(extrinsic), &bytes, hash).map(|()| true)
            } else {
                Ok(false)
            };
            match result {
                Ok(true) => body.push_signed(hash, bytes, sender),
                Ok(false) => passed_over += 1,
                Err(reason) if reason.is_full_block() => passed_over += 1,
                Err(reason) if reason.is_held_back() => {
                    held_back.insert(sender);
                }
                // A gap in the nonces, because an earlier transaction was
                // passed over; or a lock that came too late for its place.
                Err(reason) if reason.is_temporary() => {}
                Err(reason) => refused.push(Refused { hash, reason }),
            }
            if passed_over >= MAX_PASSED_OVER {
                return (Stopped::Full, refused);
            }
        }
    }
}

impl Offered<'_> {
    /// Decodes transactions until their bytes exceed `room`, or those that had to
    /// be decoded exceed the bound. Takes half of the time at most, so that some
    /// is left to apply them.
    fn gather(
        &mut self,
        room: usize,
        deadline: Instant,
        refused: &mut Vec<Refused>,
    ) -> Vec<Candidate> {
        let now = Instant::now();
        let until = now + deadline.saturating_duration_since(now) / 2;
        let mut candidates = Vec::new();
        let (mut taken, mut decoded) = (0_usize, 0_usize);
        while taken <= room && decoded <= self.max_decoded && Instant::now() < until {
            if self.read.is_empty() {
                self.read_ahead(room.saturating_sub(taken));
            }
            let Some(Next { bytes, hash, known }) = self.read.pop_front() else { break };
            taken = taken.saturating_add(bytes.len());
            match signed(&bytes, known) {
                Ok((extrinsic, sender, size)) => {
                    decoded = decoded.saturating_add(size);
                    candidates.push(Candidate { bytes, hash, extrinsic, sender });
                }
                Err(reason) => refused.push(Refused { hash, reason }),
            }
        }
        candidates
    }

    /// Takes transactions from the pool until their bytes exceed `room`.
    fn read_ahead(&mut self, room: usize) {
        let mut bytes = Vec::new();
        let mut taken = 0_usize;
        while taken <= room
            && bytes.len() < READ_AHEAD
            && let Some(tx) = self.txs.next()
        {
            taken = taken.saturating_add(tx.len());
            bytes.push(tx);
        }
        let hashes = transaction_hashes(&bytes);
        let known = self.decoded.find(&hashes);
        let read = bytes.into_iter().zip(hashes).zip(known);
        self.read.extend(read.map(|((bytes, hash), known)| Next { bytes, hash, known }));
    }
}

/// A signed transaction, decoded unless it is `known`, who signed it, and the
/// bytes that decoding took.
fn signed(
    bytes: &[u8],
    known: Option<Arc<UncheckedExtrinsic>>,
) -> Result<(Arc<UncheckedExtrinsic>, AccountId, usize), TransactionError> {
    let (extrinsic, size) = match known {
        Some(extrinsic) => (extrinsic, 0),
        None => {
            let measured = transaction::decode_measured(bytes)?;
            (Arc::new(measured.extrinsic), measured.decoded_size)
        }
    };
    let no_account = || TransactionError::Malformed("no account has signed it".into());
    let sender = sender(&extrinsic).ok_or_else(no_account)?.clone();
    Ok((extrinsic, sender, size))
}

/// The account that signed an extrinsic, if one did.
pub(crate) fn sender(extrinsic: &UncheckedExtrinsic) -> Option<&AccountId> {
    match extrinsic.signed_parts()?.0 {
        Address::Id(account) => Some(account),
        _ => None,
    }
}

/// The candidates in the order for the block.
fn ordered(run: &mut Run, candidates: Vec<Candidate>) -> impl Iterator<Item = Candidate> + use<> {
    let entries: Vec<Entry> = candidates
        .iter()
        .map(|Candidate { hash, extrinsic, sender, .. }| {
            let requests = lock_requests(extrinsic.function());
            let locks = if requests.is_empty() {
                Vec::new()
            } else {
                run.ask(|| {
                    requests
                        .iter()
                        .filter_map(|request| {
                            Some((request.key, Dispute::precedence(request, *hash)?))
                        })
                        .collect()
                })
            };
            Entry { sender: sender.clone(), locks }
        })
        .collect();
    let mut candidates: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    arrange(&entries).into_iter().filter_map(move |index| candidates[index].take())
}

/// The inherent by which a block says its time.
pub(crate) fn timestamp_inherent(now: Moment) -> UncheckedExtrinsic {
    UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(pallet_timestamp::Call::set { now }))
}

/// Whether the extrinsic has no signer.
pub(crate) fn is_bare(extrinsic: &UncheckedExtrinsic) -> bool {
    extrinsic.signed_parts().is_none()
}

/// The extrinsics of a block that grows.
struct Body {
    extrinsics: Vec<OpaqueTx>,
    hashes: Vec<Hash>,
    inherents: Inherents,
    senders: BTreeSet<AccountId>,
    bytes: usize,
    limit: usize,
}

impl Body {
    fn new(limit: usize) -> Self {
        Self {
            extrinsics: Vec::new(),
            hashes: Vec::new(),
            inherents: Inherents::default(),
            senders: BTreeSet::new(),
            bytes: BLOCK_OVERHEAD,
            limit,
        }
    }

    fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes)
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        bytes <= self.room()
    }

    fn push(&mut self, hash: Hash, extrinsic: OpaqueTx) {
        self.bytes = self.bytes.saturating_add(extrinsic.len());
        self.hashes.push(hash);
        self.extrinsics.push(extrinsic);
    }

    /// Applies an inherent and adds it.
    fn bring(
        &mut self,
        run: &mut Run,
        inherent: UncheckedExtrinsic,
    ) -> Result<(), TransactionError> {
        let encoded = OpaqueTx::from(inherent.encode());
        let hash = transaction_hash(&encoded);
        run.apply(inherent, &encoded, hash)?;
        self.push(hash, encoded);
        self.inherents.count += 1;
        Ok(())
    }

    fn push_signed(&mut self, hash: Hash, extrinsic: OpaqueTx, sender: AccountId) {
        self.push(hash, extrinsic);
        self.senders.insert(sender);
    }

    fn into_block(self, outcome: Outcome, timestamp_ms: Moment) -> ExecutedBlock {
        let mut bytes = Vec::with_capacity(self.bytes);
        outcome.header.encode_to(&mut bytes);
        // The byte limit bounds the number far below `u32`.
        Compact(self.extrinsics.len() as u32).encode_to(&mut bytes);
        for extrinsic in &self.extrinsics {
            bytes.extend_from_slice(extrinsic);
        }
        ExecutedBlock {
            hash: outcome.header.hash(),
            header: outcome.header,
            bytes: bytes.into(),
            timestamp_ms,
            delta: outcome.delta,
            index: outcome.index,
            events: outcome.events,
            cooling: outcome.cooling,
            tx_hashes: self.hashes,
            inherents: self.inherents,
            senders: self.senders,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::Signature;
    use billchain_runtime::tx_extension;
    use sp_runtime::generic::Era;
    use std::time::Duration;

    /// A transaction with an empty batch; nobody has signed it.
    fn transaction(nonce: u32) -> OpaqueTx {
        let call = RuntimeCall::Utility(pallet_utility::Call::batch { calls: Vec::new() });
        let address = Address::Id(AccountId::new([1; 32]));
        let signature = Signature::Sm2 { public: [2; 33], signature: [0; 64] };
        let extension = tx_extension(nonce, Era::Immortal);
        UncheckedExtrinsic::new_signed(call, address, signature, extension).encode().into()
    }

    #[test]
    fn what_is_decoded_at_once_is_bounded_and_the_rest_comes_later() {
        let all: Vec<OpaqueTx> = (0..10).map(transaction).collect();
        let size = transaction::decode_measured(&all[0]).unwrap().decoded_size;
        let decoded = Decoded::default();
        let mut offered = Offered {
            txs: &mut all.iter().cloned(),
            decoded: &decoded,
            read: VecDeque::new(),
            max_decoded: 3 * size,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut refused = Vec::new();
        let mut gathered = Vec::new();
        for expected in [4, 4, 2, 0] {
            let candidates = offered.gather(usize::MAX, deadline, &mut refused);
            assert_eq!(candidates.len(), expected, "those within the bound and one more");
            gathered.extend(candidates.into_iter().map(|candidate| candidate.bytes));
        }
        assert_eq!((gathered, refused.len()), (all, 0), "each once, in order");
    }
}
