//! What is kept in memory between batches: names, accounts, open motions, who decides.

use billchain_primitives::AccountId;
use billchain_runtime::RuntimeCall;
use std::{collections::HashMap, sync::Arc};

/// A seat of the set that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) account: [u8; 32],
    pub(crate) key: [u8; 33],
    pub(crate) power: u64,
}

/// A motion that is open.
#[derive(Clone, Debug)]
pub(crate) struct Motion {
    pub(crate) id: i64,
    pub(crate) call: RuntimeCall,
}

/// What every block may need. It grows with participants and access nodes, which the
/// administrators admit one by one, and with open motions, of which the chain bounds the number.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// DIDs by their numbers.
    dids: HashMap<String, i64>,
    last_did: i64,
    /// Who has an account now.
    accounts: HashMap<[u8; 32], i64>,
    /// Roles of participants.
    roles: HashMap<i64, i64>,
    pub(crate) motions: Arc<HashMap<[u8; 32], Motion>>,
    pub(crate) set: i64,
    pub(crate) seats: Vec<Seat>,
    pub(crate) last_rule: i64,
    pub(crate) rules: u32,
    /// Set and seats of the block before, whose commit the next header has.
    pub(crate) before: Option<(i64, Vec<Seat>)>,
}

impl State {
    /// Knows a DID by a number, as the tables do.
    pub(crate) fn know(&mut self, did: &str, number: i64) {
        self.last_did = self.last_did.max(number);
        self.dids.insert(did.to_owned(), number);
    }

    /// The number of a DID, and whether it is new.
    pub(crate) fn number(&mut self, did: &str) -> (i64, bool) {
        if let Some(number) = self.dids.get(did) {
            return (*number, false);
        }
        self.last_did += 1;
        self.dids.insert(did.to_owned(), self.last_did);
        (self.last_did, true)
    }

    /// Somebody has an account from now on.
    pub(crate) fn set_account(&mut self, account: &AccountId, who: i64) {
        self.accounts.insert(*AsRef::<[u8; 32]>::as_ref(account), who);
    }

    /// Nobody has it any longer.
    pub(crate) fn drop_account(&mut self, account: &AccountId) {
        self.accounts.remove(AsRef::<[u8; 32]>::as_ref(account));
    }

    /// Who has an account, and with which roles.
    pub(crate) fn holder_of(&self, account: &AccountId) -> Option<(i64, i64)> {
        let who = self.accounts.get(AsRef::<[u8; 32]>::as_ref(account))?;
        Some((*who, self.roles.get(who).copied().unwrap_or_default()))
    }

    /// A participant has these roles.
    pub(crate) fn set_roles(&mut self, who: i64, roles: i64) {
        self.roles.insert(who, roles);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_numbers_in_the_order_in_which_they_come() {
        let mut state = State::default();
        state.know("did:x:a", 7);
        assert_eq!(state.number("did:x:b"), (8, true));
        assert_eq!(state.number("did:x:a"), (7, false));
        assert_eq!(state.number("did:x:b"), (8, false));
    }
}
