//! Checks of transactions that wait, and their outcomes.

use super::{Events, State};
use crate::{
    PoolError, Rejection,
    status::TxStatus,
    transaction::{PoolTransaction, TxInfo},
};
use billchain_primitives::Hash;
use std::sync::Arc;

impl State {
    /// Oldest checks that are due, and when each was.
    pub(crate) fn due_checks(&self) -> Vec<Arc<PoolTransaction>> {
        self.checks
            .iter()
            .take_while(|(at, _)| self.head.saturating_sub(*at) >= self.config.revalidate_after)
            .take(self.config.revalidate_batch)
            .filter_map(|(_, hash)| self.entries.get(hash).map(|e| Arc::clone(&e.tx)))
            .collect()
    }

    /// Books the outcome of a later check.
    pub(crate) fn on_checked(
        &mut self,
        hash: &Hash,
        outcome: Result<TxInfo, Rejection>,
        events: &mut Events,
    ) {
        let head = self.head;
        let Some(entry) = self.entries.get_mut(hash) else { return };
        let removal = match &outcome {
            Ok(_) => {
                entry.suspect = false;
                None
            }
            // This node failed, not the transaction.
            Err(Rejection::CheckFailed { .. }) => None,
            // The state may be one block ahead of what the pool was told;
            // that block then says what became of the transaction.
            Err(Rejection::Stale { .. }) if !entry.suspect => {
                entry.suspect = true;
                None
            }
            Err(rejection) => Some(rejection.clone()),
        };
        if let Some(rejection) = removal {
            self.remove(hash, TxStatus::Invalid(rejection.into()), events);
            return;
        }
        self.checks.remove(&(entry.validated_at, *hash));
        entry.validated_at = head;
        self.checks.insert((head, *hash));
        // Blocks tell of nonces; this catches one that did not.
        if let Ok(info) = outcome
            && info.at <= head
        {
            self.advance(&info.sender, info.account_nonce, events);
        }
    }

    /// Books that a builder could not use a transaction. `outcome` is what
    /// the validator says of it now.
    pub(crate) fn on_unusable(
        &mut self,
        hash: &Hash,
        outcome: Result<TxInfo, Rejection>,
        events: &mut Events,
    ) {
        // One that became future because an earlier one went is only early.
        let is_ready = self.entries.get(hash).is_some_and(|e| e.ready.is_some());
        if outcome.is_ok() && is_ready {
            self.remove(hash, TxStatus::Invalid(PoolError::NotIncludable), events);
        } else {
            self.on_checked(hash, outcome, events);
        }
    }
}
