//! Links between bills and parties (“票据-参与方”关联, tender row 222).
//!
//! A bill without links costs nothing here; one with links has one entry. Each
//! change is a record in the node-local index, chained by hash into that entry,
//! so that the state vouches for the whole history.

use crate::{BillLinks, Bills, Config, Error, Event, Pallet};
use billchain_primitives::{
    Bill, BillKey, Did, Reason, Role, Stamp, index,
    seams::{ActiveParticipant, BillLedger, Participants, TransitionProblem},
    sm3,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::{
    arithmetic::ArithmeticError, deps::sp_io::offchain_index, prelude::*,
    try_runtime::TryRuntimeError,
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Most links of one bill.
pub const MAX_LINKS: u32 = 16;

/// What a party is to a bill. That its issuer issued it needs no link.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// 交款人代理: acts for who paid.
    PayerAgent,
    /// 申请人: claims a reimbursement by the bill.
    Claimant,
    /// 承保方: insures who paid.
    Insurer,
    /// Something else.
    Other,
}

/// A party of a bill.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Link {
    /// Who.
    pub party: Did,
    /// What it is to the bill.
    pub relation: Relation,
    /// Since when, by which transaction.
    pub since: Stamp,
    /// The participant that said so.
    pub operator: Did,
}

/// The links of one bill.
#[derive(
    Clone,
    Default,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Links {
    /// Those that stand, oldest first. A party stands in a relation once.
    pub links: BoundedVec<Link, ConstU32<MAX_LINKS>>,
    /// Number of changes so far.
    pub records: u32,
    /// `SM3(previous hash ‖ encoded LinkRecord)`; the first record follows 32
    /// zero bytes.
    pub history_hash: [u8; 32],
}

/// How a link changes.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum LinkChange {
    /// The party is something else to the bill from now on.
    Relation(Relation),
    /// The party has nothing to do with the bill any longer.
    Ended,
}

/// What was done about the links of a bill.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum LinkAct {
    /// A party was linked.
    #[codec(index = 0)]
    Linked {
        /// Who.
        party: Did,
        /// As what.
        relation: Relation,
    },
    /// A link was changed or ended.
    #[codec(index = 1)]
    Updated {
        /// Whose.
        party: Did,
        /// What the party was to the bill.
        relation: Relation,
        /// What became of it.
        change: LinkChange,
        /// Why.
        reason: Reason,
    },
}

/// One record in the life of a bill's links, kept in each node's index under
/// [`record_key`].
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct LinkRecord {
    /// Number among the records of its bill, from 1.
    pub number: u32,
    /// When, and in which transaction.
    pub at: Stamp,
    /// The participant that sent it.
    pub operator: Did,
    /// What was done.
    pub act: LinkAct,
}

/// Why records are not the history of a bill's links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkHistoryProblem {
    /// There are more or fewer of them, or they are out of order.
    Numbers,
    /// They are not what the state vouches for.
    OtherHash,
}

impl Links {
    /// Whether `records`, ascending, are the complete history of these links.
    pub fn verify(&self, records: &[LinkRecord]) -> Result<(), LinkHistoryProblem> {
        let numbers = records.iter().map(|record| record.number);
        if !numbers.eq(1..=self.records) {
            return Err(LinkHistoryProblem::Numbers);
        }
        let hash = records.iter().fold([0; 32], chained);
        if hash == self.history_hash { Ok(()) } else { Err(LinkHistoryProblem::OtherHash) }
    }

    fn position(&self, party: &Did, relation: Relation) -> Option<usize> {
        self.links.iter().position(|link| link.party == *party && link.relation == relation)
    }
}

fn chained(previous: [u8; 32], record: &LinkRecord) -> [u8; 32] {
    sm3(&(previous, record).encode())
}

/// A bill that a party is linked to, as the node-local index has it. What a
/// participant issued stands in a list of its own
/// ([`lists::by_issuer`](billchain_primitives::lists::by_issuer)).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct PartyBill {
    /// The bill.
    pub bill: BillKey,
    /// What the party is to it.
    pub relation: Relation,
    /// Since when.
    pub since: Stamp,
}

impl PartyBill {
    fn key(&self, party: &Did) -> Vec<u8> {
        index::party_bill_key(party, &self.since, &self.bill, self.relation as u8)
    }

    pub(crate) fn note(&self, party: &Did) {
        offchain_index::set(&self.key(party), &self.encode());
    }

    fn forget(&self, party: &Did) {
        offchain_index::clear(&self.key(party));
    }
}

/// Prefix of the link records in the node-local index.
pub const RECORDS: &[u8] = b"bl/";

/// Where a record lies: those of a bill sort together, ascending.
pub fn record_key(bill: &BillKey, number: u32) -> Vec<u8> {
    let mut key = records_prefix(bill);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// What the keys of all link records of `bill` begin with.
pub fn records_prefix(bill: &BillKey) -> Vec<u8> {
    let mut key = RECORDS.to_vec();
    bill.encode_to(&mut key);
    key
}

/// A link that somebody wants changed.
pub(crate) struct Revision {
    pub(crate) key: BillKey,
    pub(crate) party: Did,
    pub(crate) relation: Relation,
    pub(crate) change: LinkChange,
    pub(crate) reason: Reason,
}

impl<T: Config> Pallet<T> {
    /// The links of a bill; none if it has none.
    pub fn links(bill: &BillKey) -> Links {
        BillLinks::<T>::get(bill)
    }

    pub(crate) fn link(
        sender: ActiveParticipant,
        key: BillKey,
        party: Did,
        relation: Relation,
    ) -> DispatchResult {
        let bill = Self::linkable(&sender, &key)?;
        ensure!(
            !bill.state.status.is_final(),
            Error::<T>::Transition(TransitionProblem::FinalStatus)
        );
        T::Participants::active_by_did(&party).map_err(Error::<T>::Party)?;
        let mut entry = BillLinks::<T>::get(key);
        ensure!(entry.position(&party, relation).is_none(), Error::<T>::AlreadyLinked);
        let (since, operator) = (Self::stamp(), sender.did);
        let link = Link { party: party.clone(), relation, since, operator: operator.clone() };
        entry.links.try_push(link).map_err(|_| Error::<T>::TooManyLinks)?;
        let act = LinkAct::Linked { party: party.clone(), relation };
        Self::store_links(key, entry, operator.clone(), act)?;
        PartyBill { bill: key, relation, since }.note(&party);
        Self::deposit_event(Event::PartyLinked { key, party, relation, operator });
        Ok(())
    }

    pub(crate) fn revise_link(sender: ActiveParticipant, revision: Revision) -> DispatchResult {
        let Revision { key, party, relation, change, reason } = revision;
        Self::linkable(&sender, &key)?;
        let mut entry = BillLinks::<T>::get(key);
        let at = entry.position(&party, relation).ok_or(Error::<T>::LinkNotFound)?;
        if let LinkChange::Relation(to) = change {
            ensure!(entry.position(&party, to).is_none(), Error::<T>::AlreadyLinked);
        }
        let (since, operator) = (Self::stamp(), sender.did);
        let before = entry.links.remove(at);
        PartyBill { bill: key, relation, since: before.since }.forget(&party);
        if let LinkChange::Relation(to) = change {
            let operator = operator.clone();
            let link = Link { party: party.clone(), relation: to, since, operator };
            // There is room: one was removed just now.
            entry.links.try_push(link).map_err(|_| Error::<T>::TooManyLinks)?;
            PartyBill { bill: key, relation: to, since }.note(&party);
        }
        let (whose, why) = (party.clone(), reason.clone());
        let act = LinkAct::Updated { party: whose, relation, change, reason: why };
        Self::store_links(key, entry, operator.clone(), act)?;
        Self::deposit_event(Event::LinkUpdated { key, party, relation, change, reason, operator });
        Ok(())
    }

    /// The bill, if `sender` may say who its parties are.
    fn linkable(sender: &ActiveParticipant, key: &BillKey) -> Result<Bill, Error<T>> {
        let bill = Self::bill(key).ok_or(Error::<T>::BillNotFound)?;
        let may = bill.summary.issuer == sender.did || sender.roles.contains(Role::Admin);
        ensure!(may, Error::<T>::LinkForbidden);
        Ok(bill)
    }

    fn store_links(
        key: BillKey,
        mut entry: Links,
        operator: Did,
        act: LinkAct,
    ) -> Result<(), ArithmeticError> {
        let number = entry.records.checked_add(1).ok_or(ArithmeticError::Overflow)?;
        let record = LinkRecord { number, at: Self::stamp(), operator, act };
        entry.records = number;
        entry.history_hash = chained(entry.history_hash, &record);
        offchain_index::set(&record_key(&key, number), &record.encode());
        BillLinks::<T>::insert(key, entry);
        Ok(())
    }

    /// Checks that links are of bills that exist, that no party stands in one
    /// relation twice, and that each link has a record.
    pub(crate) fn try_links() -> Result<(), TryRuntimeError> {
        for (key, entry) in BillLinks::<T>::iter() {
            ensure!(Bills::<T>::contains_key(key), "links are of a bill");
            let repeated = entry
                .links
                .iter()
                .enumerate()
                .any(|(at, link)| entry.position(&link.party, link.relation) != Some(at));
            ensure!(!repeated, "a party stands in a relation to a bill once");
            let many = u32::try_from(entry.links.len()).unwrap_or(u32::MAX);
            ensure!(entry.records >= many.max(1), "each link has a record");
        }
        Ok(())
    }
}
