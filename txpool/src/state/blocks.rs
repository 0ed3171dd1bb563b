//! What a committed block changes.

use super::{Events, State};
use crate::{
    PoolError, Rejection,
    status::TxStatus,
    transaction::{CommittedBlock, PoolTransaction},
};
use billchain_primitives::{AccountId, Nonce};
use std::collections::BTreeMap;

impl State {
    /// Prunes what the block holds or outdates, and makes ready what follows.
    pub(crate) fn on_block(&mut self, block: &CommittedBlock, events: &mut Events) {
        self.head = self.head.max(block.number);
        let mut nonces: BTreeMap<AccountId, Nonce> = BTreeMap::new();
        for (account, nonce) in &block.nonces {
            let known = nonces.entry(account.clone()).or_insert(*nonce);
            *known = (*known).max(*nonce);
        }
        for hash in &block.included {
            self.included.insert(*hash, block.hash, self.config.remember_included);
            let Some(entry) = self.unlink(hash) else { continue };
            if let Some(place) = entry.ready {
                self.ready.on_taken(place);
            }
            let PoolTransaction { sender, nonce, .. } = entry.tx.as_ref();
            if let Some(known) = self.senders.get_mut(sender) {
                known.by_nonce.remove(nonce);
            }
            let next = nonces.entry(sender.clone()).or_insert(0);
            *next = (*next).max(nonce.saturating_add(1));
            events.push((*hash, TxStatus::InBlock(block.hash)));
            events.push((*hash, TxStatus::Finalized(block.hash)));
        }
        for (account, nonce) in nonces {
            self.advance(&account, nonce, events);
        }
        self.expire(events);
    }

    /// The account's next nonce is `nonce`: earlier ones are void.
    pub(super) fn advance(&mut self, account: &AccountId, nonce: Nonce, events: &mut Events) {
        let Some(sender) = self.senders.get_mut(account) else { return };
        if nonce > sender.nonce {
            let rest = sender.by_nonce.split_off(&nonce);
            let void = std::mem::replace(&mut sender.by_nonce, rest);
            sender.nonce = nonce;
            sender.ready_end = sender.ready_end.max(nonce);
            for (got, hash) in void {
                self.unlink(&hash);
                let stale = Rejection::Stale { expected: nonce, got };
                events.push((hash, TxStatus::Invalid(stale.into())));
            }
        }
        self.promote(account, events);
        if self.senders.get(account).is_some_and(|s| s.by_nonce.is_empty()) {
            self.senders.remove(account);
        }
    }

    /// Removes what died or waited too long.
    fn expire(&mut self, events: &mut Events) {
        let next = self.head.saturating_add(1);
        while let Some((dies_at, hash)) = self.dying.first().copied()
            && dies_at <= next
        {
            let reason = PoolError::Expired { dies_at, head: self.head };
            self.remove(&hash, TxStatus::Invalid(reason), events);
        }
        let blocks = self.config.future_lifetime;
        while let Some((since, hash)) = self.future.first().copied()
            && self.head.saturating_sub(since) >= blocks
        {
            let reason = PoolError::FutureTimedOut { blocks };
            self.remove(&hash, TxStatus::Dropped(reason), events);
        }
    }
}
