//! Whether there is a place for a transaction, and who makes room for it.

use super::State;
use crate::{
    PoolError, Rejection,
    rooms::SenderClass,
    transaction::{PoolTransaction, TxInfo},
};
use billchain_primitives::AccountId;
use std::{
    collections::{BinaryHeap, HashMap},
    sync::Arc,
};

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
        if tx.nonce > ready_end {
            self.check_future(tx, info)?;
        }
        Ok(())
    }

    /// Whether one more may wait for an earlier nonce: if its room has as many
    /// such as it may, somebody with a larger share must give way.
    fn check_future(&self, tx: &PoolTransaction, info: &TxInfo) -> Result<(), PoolError> {
        let sender = self.senders.get(&tx.sender);
        let class = sender.map_or(info.quota.class, |sender| sender.quota.class);
        let room = self.rooms.of(class);
        if room.future() < self.config.max_future {
            return Ok(());
        }
        let own = sender.map(|sender| sender.usage).unwrap_or_default().and(tx.bytes.len());
        let gives_way = self
            .last_future(class)
            .filter(|last| last.sender != tx.sender)
            .and_then(|last| self.senders.get(&last.sender))
            .is_some_and(|other| room.share(other.usage) > room.share(own));
        if gives_way {
            return Ok(());
        }
        Err(PoolError::FutureFull { limit: self.config.max_future })
    }

    /// The last transaction of whoever has the largest share of a room among
    /// those who have future ones: it is one of them.
    pub(super) fn last_future(&self, class: SenderClass) -> Option<&Arc<PoolTransaction>> {
        self.rooms.of(class).largest().find_map(|(_, account)| {
            let (_, hash) = self.senders.get(account)?.by_nonce.last_key_value()?;
            let entry = self.entries.get(hash)?;
            entry.future_since.map(|_| &entry.tx)
        })
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
        let mut used = room.used().and(size);
        if used.fits(room.limit()) {
            return Ok(Vec::new());
        }
        let own_share = room.share(sender.map(|sender| sender.usage).unwrap_or_default().and(size));
        let full = || PoolError::Full {
            account: tx.sender.clone(),
            transactions: room.limit().count,
            bytes: room.limit().bytes,
        };
        let mut gives_way = Vec::new();
        let mut untouched = room.largest().peekable();
        // Those who have given way already, by what they have left.
        let mut touched: BinaryHeap<(u64, &AccountId)> = BinaryHeap::new();
        let mut left = HashMap::new();
        while !used.fits(room.limit()) {
            let (share, account) = match (untouched.peek().copied(), touched.peek().copied()) {
                (Some(one), other) if other.is_none_or(|other| one > other) => {
                    untouched.next();
                    let sender = self.senders.get(one.1).ok_or_else(full)?;
                    left.insert(one.1, (sender.usage, sender.by_nonce.values().rev()));
                    one
                }
                _ => touched.pop().ok_or_else(full)?,
            };
            if share <= own_share || *account == tx.sender {
                return Err(full());
            }
            let (usage, last_first) = left.get_mut(account).ok_or_else(full)?;
            let last = last_first.next().and_then(|hash| self.entries.get(hash));
            let last = &last.ok_or_else(full)?.tx;
            *usage = usage.without(last.bytes.len());
            touched.push((room.share(*usage), account));
            used = used.without(last.bytes.len());
            gives_way.push(Arc::clone(last));
        }
        Ok(gives_way)
    }
}
