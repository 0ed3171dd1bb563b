//! The way in: checks what is submitted, outside the lock, and takes it.

use super::Pool;
use crate::{
    PoolError, PoolTransaction, Rejection, SenderClass, Source, TxInfo,
    door::{Imported, Submission, Taken},
    metrics::Code,
    state::Events,
};
use billchain_primitives::{AccountId, Hash, transaction_hashes};
use bytes::Bytes;
use std::{sync::Arc, time::Instant};
use tokio::sync::OwnedSemaphorePermit;

/// Times a transaction is checked again because a block was committed while
/// it was being checked. Blocks come slower than checks; the bound is for a
/// node that catches up.
const MAX_CHECKS: usize = 4;

/// A submission that is being checked.
struct Asking {
    /// Its place among those that came with it.
    place: usize,
    hash: Hash,
    submission: Submission,
}

impl Pool {
    pub(super) async fn import_async(
        self: &Arc<Self>,
        bytes: Bytes,
        source: Source,
        watch: Option<OwnedSemaphorePermit>,
    ) -> Imported {
        let room = self.reserve(bytes.len(), source)?;
        let submission = Submission { bytes, source, watch, room };
        let (answer, worker) = self.door.enter(submission, |bytes| self.claimed_reserve(bytes))?;
        if let Some(worker) = worker {
            let this = Arc::clone(self);
            tokio::task::spawn_blocking(move || worker.run(|submissions| this.import(submissions)));
        }
        // A worker that vanishes with its answers was stopped with the node.
        let mut imported = answer.await.unwrap_or(Err(PoolError::Stopping));
        let kept = match &mut imported {
            Ok(taken) => taken.kept.take(),
            Err(PoolError::AlreadyImported(hash)) if source == Source::Local => {
                self.begin_known(hash)?
            }
            Err(_) => None,
        };
        self.kept(kept).await?;
        imported
    }

    /// Who signed it by its own account, if the reserve is for that one.
    fn claimed_reserve(&self, tx: &[u8]) -> Option<AccountId> {
        match self.validator.claimed(tx)? {
            (account, SenderClass::Reserved) => Some(account),
            (_, SenderClass::Ordinary) => None,
        }
    }

    pub(super) fn import(&self, submissions: Vec<Submission>) -> Vec<Imported> {
        let sources: Vec<Source> = submissions.iter().map(|submission| submission.source).collect();
        let imported = self.try_import(submissions);
        for (imported, source) in imported.iter().zip(sources) {
            match (imported, source) {
                (Ok(_), Source::Local) => drop(self.metrics.taken_local.inc()),
                (Ok(_), Source::Peer) => drop(self.metrics.taken_peer.inc()),
                (Err(error), _) => {
                    tracing::debug!(%error, ?source, "transaction refused");
                    self.metrics.refused.get_or_create(&Code { code: error.code() }).inc();
                }
            }
        }
        imported
    }

    /// Checks submissions together, and takes those that are valid in their
    /// order.
    fn try_import(&self, submissions: Vec<Submission>) -> Vec<Imported> {
        let mut answers: Vec<Option<Imported>> = Vec::new();
        let mut asking = self.precheck(submissions, &mut answers);
        for attempt in 1..=MAX_CHECKS {
            if asking.is_empty() {
                break;
            }
            let checked = self.check(asking.iter().map(|asking| &asking.submission.bytes));
            let may_ask_again = attempt < MAX_CHECKS;
            asking = self.take(asking.into_iter().zip(checked), may_ask_again, &mut answers);
        }
        let unanswered = || {
            let detail = "the check gave no verdict".to_owned();
            Err(Rejection::CheckFailed { detail }.into())
        };
        answers.into_iter().map(|answer| answer.unwrap_or_else(unanswered)).collect()
    }

    /// Answers those that need no check, and gives back the others.
    fn precheck(
        &self,
        submissions: Vec<Submission>,
        answers: &mut Vec<Option<Imported>>,
    ) -> Vec<Asking> {
        let max = self.config.max_transaction_bytes;
        let encodings: Vec<&Bytes> = submissions.iter().map(|s| &s.bytes).collect();
        let hashes = transaction_hashes(&encodings);
        let inner = self.inner.lock();
        let (state, refusal) = (&inner.state, &inner.refusal);
        let mut asking = Vec::with_capacity(submissions.len());
        for (place, (submission, hash)) in submissions.into_iter().zip(hashes).enumerate() {
            let size = submission.bytes.len();
            let refused = if size > max {
                Some(PoolError::TooLarge { size, max })
            } else {
                state.precheck(&hash).err().or_else(|| refusal.clone())
            };
            if refused.is_none() {
                asking.push(Asking { place, hash, submission });
            }
            answers.push(refused.map(Err));
        }
        asking
    }

    /// Takes what was found valid and answers it, and what was not; gives back
    /// those whose check a block has overtaken, if they may ask again.
    fn take(
        &self,
        checked: impl Iterator<Item = (Asking, Result<TxInfo, Rejection>)>,
        may_ask_again: bool,
        answers: &mut [Option<Imported>],
    ) -> Vec<Asking> {
        let inner = &mut *self.inner.lock();
        let mut events = Events::new();
        let mut overtaken = Vec::new();
        let mut watches = Vec::new();
        for (asking, info) in checked {
            let info = match info {
                Ok(info) if info.at < inner.state.head() && may_ask_again => {
                    overtaken.push(asking);
                    continue;
                }
                Ok(info) => info,
                Err(rejection) => {
                    answers[asking.place] = Some(Err(rejection.into()));
                    continue;
                }
            };
            let Asking { place, hash, submission } = asking;
            let Submission { bytes, source, watch, room } = submission;
            let (sender, nonce) = (info.sender.clone(), info.nonce);
            let tx = Arc::new(PoolTransaction { hash, bytes, sender, nonce, source });
            let taken = inner.state.insert(tx.clone(), &info, Instant::now(), &mut events);
            if taken.is_ok() {
                watches.extend(watch.map(|permit| (place, hash, permit)));
            }
            let taken = taken.map(|()| Taken { hash, states: None, kept: self.begin(&tx, room) });
            answers[place] = Some(taken);
        }
        // First tells of the changes, so that new watchers are not told twice.
        self.settle(inner, &events);
        for (place, hash, permit) in watches {
            let current = inner.state.status(&hash);
            let stream = current.map(|current| inner.watchers.subscribe(hash, current, permit));
            if let Some(Ok(taken)) = &mut answers[place] {
                taken.states = stream;
            }
        }
        overtaken
    }

    /// The chain's verdicts on `txs`, in their order.
    pub(super) fn check<'a>(
        &self,
        txs: impl Iterator<Item = &'a Bytes>,
    ) -> Vec<Result<TxInfo, Rejection>> {
        let txs: Vec<Bytes> = txs.cloned().collect();
        let start = Instant::now();
        let outcomes = self.validator.validate(&txs);
        let each = start.elapsed().as_secs_f64() / txs.len().max(1) as f64;
        for _ in &txs {
            self.metrics.validation.observe(each);
        }
        outcomes
    }
}
