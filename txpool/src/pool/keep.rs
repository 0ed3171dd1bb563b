//! The journal's part in the pool: what clients submit is kept before they are
//! answered, and what a run before accepted is taken in again.

use super::Pool;
use crate::{
    PoolError, PoolTransaction, Source,
    awaited::Turn,
    journal::{Journal, JournalError, Kept, KeptTransaction, Reservation},
    metrics::Code,
};
use billchain_primitives::{AccountId, Hash};
use std::{collections::HashSet, sync::Arc};

/// Transactions of a run before that are checked together.
const PAGE: usize = 64;
/// Such pages of which nothing finds room before the rest waits for the next block.
const MOST_IN_VAIN: usize = 4;

impl Pool {
    /// Room in the journal for what is submitted; none is needed for a peer's.
    pub(super) fn reserve(
        &self,
        bytes: usize,
        source: Source,
    ) -> Result<Option<Reservation>, PoolError> {
        match (&self.journal, source) {
            (Some(journal), Source::Local) => self.reserve_in(journal, bytes).map(Some),
            _ => Ok(None),
        }
    }

    fn reserve_in(&self, journal: &Journal, bytes: usize) -> Result<Reservation, PoolError> {
        journal.reserve(bytes).map_err(|full| {
            let refused = PoolError::from(full);
            self.metrics.refused.get_or_create(&Code { code: refused.code() }).inc();
            refused
        })
    }

    /// Has one that was taken written, if there is room for it. Under the pool's lock,
    /// so that it begins before it can end.
    pub(super) fn begin(
        &self,
        tx: &Arc<PoolTransaction>,
        room: Option<Reservation>,
    ) -> Option<Kept> {
        Some(self.journal.as_ref()?.begin(tx, room?))
    }

    /// As [`begin`](Self::begin), for one that was in the pool already: a peer's, or one
    /// that waits to be written. A client that sends it here is promised it, too.
    pub(super) fn begin_known(&self, hash: &Hash) -> Result<Option<Kept>, PoolError> {
        let Some(journal) = &self.journal else { return Ok(None) };
        if journal.holds(hash) {
            return Ok(None);
        }
        // A block has taken it meanwhile, if it is unknown.
        let Some(known) = self.get(hash) else { return Ok(None) };
        let room = self.reserve_in(journal, known.bytes.len())?;
        let inner = self.inner.lock();
        Ok(inner.state.get(hash).map(|tx| journal.begin(&tx, room)))
    }

    /// Waits until a transaction is on disk, or was forgotten.
    pub(super) async fn kept(&self, kept: Option<Kept>) -> Result<(), PoolError> {
        let Some(kept) = kept else { return Ok(()) };
        Ok(kept.await.unwrap_or(Err(JournalError::Closed))?)
    }

    /// Tries to take in what a run before accepted; how many are left for later, because
    /// they find no room. Those that are over are forgotten.
    pub fn restore(&self) -> usize {
        let Some(journal) = &self.journal else { return 0 };
        let (mut last, mut in_vain) = (None, 0);
        // Whoever finds no room for one finds none for the next.
        let mut left_out = HashSet::new();
        while in_vain < MOST_IN_VAIN {
            let page = self.awaited.lock().page(last.as_ref(), PAGE, &left_out);
            let Some((turn, _)) = page.last() else { break };
            last = Some(turn.clone());
            let over = self.restore_page(journal, page, &mut left_out);
            in_vain += usize::from(over.is_empty());
            let mut awaited = self.awaited.lock();
            over.iter().for_each(|turn| awaited.remove(turn));
            journal.metrics().awaited.set(awaited.len() as i64);
        }
        self.awaited.lock().len()
    }

    /// Tries some: those that need not be tried again. Senders of the others are to be
    /// left out.
    fn restore_page(
        &self,
        journal: &Journal,
        page: Vec<(Turn, KeptTransaction)>,
        left_out: &mut HashSet<AccountId>,
    ) -> Vec<Turn> {
        let (mut over, mut readable, mut encodings) = (Vec::new(), Vec::new(), Vec::new());
        for (turn, one) in page {
            match journal.read(&one.hash) {
                Ok(Some(bytes)) => {
                    readable.push((turn, one));
                    encodings.push(bytes);
                }
                Ok(None) => over.push(turn),
                Err(error) => {
                    tracing::error!(hash = %one.hash, "an accepted transaction is lost: {error}");
                    journal.metrics().damaged.inc();
                    self.forget([&one.hash].into_iter());
                    over.push(turn);
                }
            }
        }
        let taken = self.submit_all(encodings, Source::Local);
        for ((turn, one), taken) in readable.into_iter().zip(taken) {
            match taken {
                Ok(_) => drop(journal.metrics().restored.inc()),
                Err(PoolError::AlreadyImported(_)) => {}
                // Of two with one nonce a block decides.
                Err(error)
                    if error.is_temporary() || matches!(error, PoolError::NonceTaken { .. }) =>
                {
                    left_out.insert(one.sender);
                    continue;
                }
                Err(error) => {
                    tracing::debug!(hash = %one.hash, %error, "accepted once, and over");
                    self.forget([&one.hash].into_iter());
                }
            }
            over.push(turn);
        }
        over
    }

    /// These are final or given up: the journal needs them no more.
    pub(super) fn forget<'a>(&self, hashes: impl Iterator<Item = &'a Hash>) {
        let mut hashes = hashes.peekable();
        if let Some(journal) = &self.journal
            && hashes.peek().is_some()
        {
            journal.forget(hashes);
        }
    }
}
