//! Whether there is a place for a transaction, and who makes room for it.

use super::State;
use crate::{
    PoolError, Rejection,
    rooms::Usage,
    transaction::{PoolTransaction, TxInfo},
};
use billchain_primitives::AccountId;
use std::{collections::BTreeMap, sync::Arc};

impl State {
    /// Whether the sender's transactions leave a place for this one.
    pub(super) fn check_place(&self, tx: &PoolTransaction, info: &TxInfo) -> Result<(), PoolError> {
        if let Some(dies_at) = info.dies_at
            && dies_at <= self.head.saturating_add(1)
        {
            return Err(PoolError::Expired { dies_at, head: self.head });
        }
        let sender = self.senders.get(&tx.sender);
        let next = sender.map_or(info.account_nonce, |s| s.nonce.max(info.account_nonce));
        if tx.nonce < next {
            return Err(Rejection::Stale { expected: next, got: tx.nonce }.into());
        }
        if let Some(by) = sender.and_then(|s| s.by_nonce.get(&tx.nonce)) {
            return Err(PoolError::NonceTaken { nonce: tx.nonce, by: *by });
        }
        self.check_share(tx, info)?;
        let ready_end = sender.map_or(info.account_nonce, |s| s.ready_end);
        let max_ahead = self.config.max_nonce_gap;
        if tx.nonce.saturating_sub(ready_end) > max_ahead {
            return Err(PoolError::FutureTooFar { next: ready_end, got: tx.nonce, max_ahead });
        }
        if tx.nonce > ready_end && self.future.len() >= self.config.max_future {
            return Err(PoolError::FutureFull { limit: self.config.max_future });
        }
        Ok(())
    }

    /// Whether the sender's own bounds leave room for this one.
    fn check_share(&self, tx: &PoolTransaction, info: &TxInfo) -> Result<(), PoolError> {
        let used = self.senders.get(&tx.sender).map(|sender| sender.usage).unwrap_or_default();
        let count = self.config.max_per_sender.min(info.quota.max_transactions);
        let bytes = self.config.max_sender_bytes.min(info.quota.max_bytes);
        let account = || tx.sender.clone();
        if used.count >= count {
            return Err(PoolError::SenderFull { account: account(), limit: count });
        }
        if used.and(tx.bytes.len()).bytes > bytes {
            let held = used.bytes;
            return Err(PoolError::SenderFullBytes { account: account(), held, limit: bytes });
        }
        Ok(())
    }

    /// The transactions that make room for this one: the last of whoever has
    /// the largest share of its room, again and again until it fits. Refuses it
    /// if its sender would have the largest share itself.
    pub(super) fn who_gives_way(
        &self,
        tx: &PoolTransaction,
        info: &TxInfo,
    ) -> Result<Vec<Arc<PoolTransaction>>, PoolError> {
        let sender = self.senders.get(&tx.sender);
        let class = sender.map_or(info.quota.class, |sender| sender.quota.class);
        let (room, size) = (self.rooms.of(class), tx.bytes.len());
        let own = sender.map(|sender| sender.usage).unwrap_or_default().and(size);
        let own_share = room.share(own);
        let full = || PoolError::Full {
            account: tx.sender.clone(),
            transactions: room.limit().count,
            bytes: room.limit().bytes,
        };
        let mut used = room.used().and(size);
        let mut gives_way = Vec::new();
        // What those who give way have left.
        let mut left: BTreeMap<&AccountId, Usage> = BTreeMap::new();
        while !used.fits(room.limit()) {
            let untouched = room.largest().find(|(_, account)| !left.contains_key(account));
            let touched = left.iter().map(|(account, usage)| (room.share(*usage), *account));
            let largest = touched.chain(untouched).max();
            let larger = largest
                .filter(|(share, account)| *share > own_share && **account != tx.sender)
                .and_then(|(_, account)| Some((account, self.senders.get(account)?)));
            let (account, largest) = larger.ok_or_else(full)?;
            let usage = left.entry(account).or_insert(largest.usage);
            let last = largest.by_nonce.values().nth_back(largest.usage.count - usage.count);
            let last = last.and_then(|hash| self.entries.get(hash)).ok_or_else(full)?;
            *usage = usage.without(last.tx.bytes.len());
            used = used.without(last.tx.bytes.len());
            gives_way.push(Arc::clone(&last.tx));
        }
        Ok(gives_way)
    }
}
