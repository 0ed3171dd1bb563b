//! Transactions that a run before accepted and that are not in the pool yet.

use crate::journal::KeptTransaction;
use billchain_primitives::{AccountId, Hash, Nonce};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Bound::{Excluded, Unbounded},
};

/// The order in which they are tried: senders take turns, each sender's by nonce.
pub(crate) type Turn = (u32, AccountId, Hash);

/// The transactions.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    by_turn: BTreeMap<Turn, KeptTransaction>,
    nonces: HashMap<AccountId, BTreeSet<Nonce>>,
}

impl Awaited {
    /// Those of `kept` whose nonces are not used by the state that `account_nonce`
    /// tells of, and the hashes of the others.
    pub(crate) fn new(
        kept: Vec<KeptTransaction>,
        account_nonce: impl Fn(&AccountId) -> Option<Nonce>,
    ) -> (Self, Vec<Hash>) {
        let mut next: HashMap<AccountId, Nonce> = HashMap::new();
        let (mut awaited, mut over) = (Self::default(), Vec::new());
        for one in kept {
            let first = *next
                .entry(one.sender.clone())
                .or_insert_with(|| account_nonce(&one.sender).unwrap_or(0));
            match one.nonce.checked_sub(first) {
                None => over.push(one.hash),
                Some(ahead) => {
                    awaited.nonces.entry(one.sender.clone()).or_default().insert(one.nonce);
                    awaited.by_turn.insert((ahead, one.sender.clone(), one.hash), one);
                }
            }
        }
        (awaited, over)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_turn.len()
    }

    /// Whether one of this account has this nonce.
    pub(crate) fn has(&self, account: &AccountId, nonce: Nonce) -> bool {
        self.nonces.get(account).is_some_and(|nonces| nonces.contains(&nonce))
    }

    /// Up to `count` to try after `last`, none of senders that are to be left out.
    pub(crate) fn page(
        &self,
        last: Option<&Turn>,
        count: usize,
        left_out: &HashSet<AccountId>,
    ) -> Vec<(Turn, KeptTransaction)> {
        self.by_turn
            .range((last.map_or(Unbounded, Excluded), Unbounded))
            .filter(|(_, one)| !left_out.contains(&one.sender))
            .take(count)
            .map(|(turn, one)| (turn.clone(), one.clone()))
            .collect()
    }

    /// One is not awaited any more.
    pub(crate) fn remove(&mut self, turn: &Turn) {
        let Some(one) = self.by_turn.remove(turn) else { return };
        let Some(nonces) = self.nonces.get_mut(&one.sender) else { return };
        nonces.remove(&one.nonce);
        if nonces.is_empty() {
            self.nonces.remove(&one.sender);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(sender: u8, nonce: Nonce) -> KeptTransaction {
        let hash = Hash::from_low_u64_be(u64::from(sender) << 32 | u64::from(nonce));
        KeptTransaction { sender: AccountId::new([sender; 32]), nonce, hash }
    }

    #[test]
    fn senders_take_turns_by_nonce_and_used_nonces_are_over() {
        let all = [(1, 7), (2, 0), (1, 5), (2, 1), (1, 4), (1, 6)].map(|(s, n)| kept(s, n));
        let five = |account: &AccountId| (*account == AccountId::new([1; 32])).then_some(5);
        let (mut awaited, over) = Awaited::new(all.to_vec(), five);
        assert_eq!(over, [kept(1, 4).hash]);
        assert_eq!(awaited.len(), 5);
        let page = |awaited: &Awaited, last: Option<&Turn>, left_out: &[u8]| {
            let left_out = left_out.iter().map(|one| AccountId::new([*one; 32])).collect();
            let page = awaited.page(last, 3, &left_out);
            let (turns, all): (Vec<Turn>, Vec<KeptTransaction>) = page.into_iter().unzip();
            (turns, all)
        };
        let (turns, first) = page(&awaited, None, &[]);
        assert_eq!(first, [kept(1, 5), kept(2, 0), kept(1, 6)]);
        assert_eq!(page(&awaited, turns.last(), &[]).1, [kept(2, 1), kept(1, 7)]);
        assert_eq!(page(&awaited, None, &[1]).1, [kept(2, 0), kept(2, 1)]);
        assert!(awaited.has(&first[0].sender, 5));
        awaited.remove(&turns[0]);
        awaited.remove(&turns[1]);
        assert!(!awaited.has(&first[0].sender, 5) && awaited.has(&first[0].sender, 6));
        assert_eq!(page(&awaited, None, &[]).1, [kept(1, 6), kept(2, 1), kept(1, 7)]);
        assert_eq!(awaited.len(), 3);
    }
}
