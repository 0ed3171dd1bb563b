//! # Dispute contract (票据智能合约争议解决)
//!
//! Decides which of several claimants gets a bill. The locks of one bill that a block asks for stand in it in the
//! order of their [`Precedence`] ([`Pallet::announce`]): the first one that can have the bill gets it,
//! the others get [`Error::DisputeLost`]. What cannot be settled so, administrators settle under a case
//! ([`Pallet::open_case`], [`Pallet::admin_lock`], [`Pallet::admin_unlock`], [`Pallet::close_case`]).
//!
//! ```
//! use pallet_dispute::Precedence;
//!
//! let of = |signed_at, weight, hash| Precedence { signed_at, weight, transaction: [hash; 32].into() };
//! // Who signed earlier comes first, then the heavier scene, then the smaller hash.
//! assert!(of(1, 1, 9) < of(2, 9, 1));
//! assert!(of(1, 2, 9) < of(1, 1, 1));
//! assert!(of(1, 1, 1) < of(1, 1, 2));
//! ```
//!
//! ## What it promises
//! - A block in which a lock stands before one that precedes it by the rule is not valid. Whoever
//!   builds a block can leave a lock out, but cannot prefer a later one to it.
//! - One claimant at most gets the lock of a bill in a block, also if it gives the lock back in the
//!   same block.
//! - A bill that several claimants wanted in a block, and one got, has an
//!   [`Event::DisputeResolved`] and a [`Resolution`]: the last one in the state, all in the
//!   node-local index.
//! - A bill has one open case at most. Every act of an administrator has a reason and an evidence
//!   hash, and makes one [`ActRecord`], chained by hash into the state.
//!
//! ## What it assumes
//! The runtime announces the locks of every transaction before it runs the transaction. Across
//! blocks the first committed wins: the bill-update contract refuses the second.
//!
//! ## What it does not do
//! Locks themselves are the bill-update contract's, and so are the rules for administrative ones;
//! a lock outlives the case under which it was made.

// Over 500 lines: the macro wants storage, events, errors and calls in one module,
// and their documentation is what clients read in the metadata.

#![forbid(unsafe_code)]

mod contention;
pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use contention::OutOfOrder;
pub use pallet::*;
pub use types::{
    Act, ActRecord, Case, CaseId, Contender, Contest, Decision, LockRequest, Outcome, Precedence,
    Resolution,
};
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, BillKey, Did, Moment, Reason, Role, Stamp,
    seams::{
        ActiveParticipant, BillLedger, BillLocks, ColdReads, ParticipantProblem, Participants,
        Scenes,
    },
    sm3,
};
use codec::Encode;
use frame::{
    arithmetic::ArithmeticError, deps::sp_io::offchain_index, prelude::*, traits::Time,
    try_runtime::TryRuntimeError,
};
use types::{act_key, bill_case_key};

/// The dispute contract.
#[frame::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The contract.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, RuntimeEvent: From<Event<Self>>>
    {
        /// Where bills are kept.
        type Ledger: BillLedger;
        /// What reading a cold case costs.
        type ColdReads: ColdReads;
        /// The rules of locks.
        type Locks: BillLocks;
        /// Who acts on the chain.
        type Participants: Participants;
        /// The business scenes, for their weights.
        type Scenes: Scenes;
        /// Time of the block.
        type Time: Time<Moment = Moment>;
        /// How long before the block's time a lock may have been signed, in
        /// milliseconds: what its signer's clock and its way to the block may
        /// take, and how far the proposer can set the block's time ahead.
        #[pallet::constant]
        type MaxSignedBefore: Get<Moment>;
        /// How long after the block's time a lock may have been signed, by its
        /// signer's clock, in milliseconds: that clock's error, and how far the
        /// proposer can leave the block's time behind. Who signs late precedes
        /// nobody.
        #[pallet::constant]
        type MaxSignedAfter: Get<Moment>;
        /// Most claimants that a resolution names; at least 2.
        #[pallet::constant]
        type MaxContenders: Get<u32>;
        /// Most parties of a case; not 0.
        #[pallet::constant]
        type MaxParties: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Locks that the block under execution asks for, by bill; empty between
    /// blocks.
    #[pallet::storage]
    pub type Contests<T: Config> = StorageMap<_, Identity, BillKey, Contest<T::MaxContenders>>;

    /// How the last contention for a bill ended.
    #[pallet::storage]
    pub type Resolutions<T: Config> =
        StorageMap<_, Identity, BillKey, Resolution<T::MaxContenders>>;

    /// Cases by number.
    #[pallet::storage]
    pub type Cases<T: Config> = StorageMap<_, Identity, CaseId, Case<T::MaxParties>>;

    /// Number of cases so far, which is the number of the last one.
    #[pallet::storage]
    pub type CaseCount<T: Config> = StorageValue<_, CaseId, ValueQuery>;

    /// The open case of a bill.
    #[pallet::storage]
    pub type OpenCases<T: Config> = StorageMap<_, Identity, BillKey, CaseId>;

    /// What this pallet tells the world.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Several claimants asked for a bill's lock in this block.
        DisputeResolved {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that got the lock.
            winner: Did,
            /// All claimants by their first request, in order of precedence,
            /// the winner among them.
            contenders: BoundedVec<Contender, T::MaxContenders>,
            /// Requests by further claimants, for whom there was no place.
            unnamed: u32,
        },
        /// A case was opened (立案).
        CaseOpened {
            /// Its number.
            case: CaseId,
            /// Code and number of the bill.
            key: BillKey,
            /// Who has a part in it.
            parties: BoundedVec<Did, T::MaxParties>,
            /// The administrator.
            operator: Did,
            /// Why.
            reason: Reason,
            /// SM3 of the evidence.
            evidence: [u8; 32],
        },
        /// A case was closed (结案).
        CaseClosed {
            /// Its number.
            case: CaseId,
            /// Code and number of the bill.
            key: BillKey,
            /// What was decided.
            outcome: Outcome,
            /// The administrator.
            operator: Did,
            /// Why.
            reason: Reason,
            /// SM3 of the evidence.
            evidence: [u8; 32],
        },
        /// A bill was locked under a case; reason and evidence stand in the
        /// bill-update contract's event.
        LockedUnderCase {
            /// Number of the case.
            case: CaseId,
            /// Code and number of the bill.
            key: BillKey,
            /// The administrator.
            operator: Did,
        },
        /// A bill was unlocked under a case; reason and evidence stand in the
        /// bill-update contract's event.
        UnlockedUnderCase {
            /// Number of the case.
            case: CaseId,
            /// Code and number of the bill.
            key: BillKey,
            /// The administrator.
            operator: Did,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// Another claimant got the bill in this block: it signed earlier, or
        /// at the same time in a scene with a higher weight, or its transaction
        /// hash is smaller. `dispute_resolution` names it.
        DisputeLost,
        /// The time at which the lock was signed is too far from the block's:
        /// sign again, with a clock that is right.
        SignedTimeOutOfBounds,
        /// The sender may not act, for this reason.
        Sender(ParticipantProblem),
        /// The sender has not the role of an administrator.
        NotAdministrator,
        /// No bill has this code and number.
        BillNotFound,
        /// No case has this number.
        CaseNotFound,
        /// The case is closed.
        NotOpen,
        /// The bill has an open case.
        AlreadyOpen,
        /// A case needs a party.
        PartiesMissing,
        /// A party stands twice.
        PartyRepeated,
        /// A party is no participant.
        PartyUnknown,
        /// The case was decided in favour of somebody who has no part in it.
        NotParty,
        /// The hash of the evidence is zero.
        EvidenceMissing,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            // `on_finalize` looks for contests; what one costs was paid for
            // when its locks were announced.
            T::DbWeight::get().reads(1)
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Self::resolve_all();
        }

        fn integrity_test() {
            assert!(T::MaxContenders::get() >= 2, "a contention has two contenders");
            assert!(T::MaxParties::get() > 0, "MaxParties is 0");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Opens a case over a bill that has no open one.
        ///
        /// The parties are participants, in whatever state they are.
        ///
        /// # Origin
        /// An active participant with the role of an administrator.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `EvidenceMissing`, `BillNotFound`,
        /// `AlreadyOpen`, `PartiesMissing`, `PartyRepeated`, `PartyUnknown`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::open_case(parties.len() as u32))]
        pub fn open_case(
            origin: OriginFor<T>,
            key: BillKey,
            parties: BoundedVec<Did, T::MaxParties>,
            reason: Reason,
            evidence: [u8; 32],
        ) -> DispatchResult {
            let sender = Self::administrator(origin)?;
            ensure!(evidence != [0; 32], Error::<T>::EvidenceMissing);
            ensure!(T::Ledger::contains(&key), Error::<T>::BillNotFound);
            ensure!(!OpenCases::<T>::contains_key(key), Error::<T>::AlreadyOpen);
            ensure!(!parties.is_empty(), Error::<T>::PartiesMissing);
            for (index, party) in parties.iter().enumerate() {
                ensure!(!parties[..index].contains(party), Error::<T>::PartyRepeated);
                ensure!(T::Participants::account_of(party).is_some(), Error::<T>::PartyUnknown);
            }
            let id = CaseCount::<T>::get().checked_add(1).ok_or(ArithmeticError::Overflow)?;
            CaseCount::<T>::put(id);
            OpenCases::<T>::insert(key, id);
            offchain_index::set(&bill_case_key(&key, id), &id.encode());
            let operator = sender.did;
            let case = Case {
                bill: key,
                parties: parties.clone(),
                operator: operator.clone(),
                opened: Self::stamp(),
                reason: reason.clone(),
                evidence,
                decision: None,
                acts: 0,
                history_hash: [0; 32],
            };
            Self::record(id, case, Act::Opened, operator.clone(), reason.clone(), evidence)?;
            Self::deposit_event(Event::CaseOpened {
                case: id,
                key,
                parties,
                operator,
                reason,
                evidence,
            });
            Ok(())
        }

        /// Closes an open case with a decision.
        ///
        /// The bill's lock, if it has one, stays.
        ///
        /// # Origin
        /// An active participant with the role of an administrator.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `EvidenceMissing`, `CaseNotFound`, `NotOpen`,
        /// `NotParty`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::close_case())]
        pub fn close_case(
            origin: OriginFor<T>,
            case: CaseId,
            outcome: Outcome,
            reason: Reason,
            evidence: [u8; 32],
        ) -> DispatchResult {
            let (sender, mut closed) = Self::acting(origin, case, evidence)?;
            if let Outcome::InFavourOf(party) = &outcome {
                ensure!(closed.parties.contains(party), Error::<T>::NotParty);
            }
            let (key, operator) = (closed.bill, sender.did);
            closed.decision = Some(Decision {
                outcome: outcome.clone(),
                operator: operator.clone(),
                at: Self::stamp(),
                reason: reason.clone(),
                evidence,
            });
            OpenCases::<T>::remove(key);
            let act = Act::Closed(outcome.clone());
            Self::record(case, closed, act, operator.clone(), reason.clone(), evidence)?;
            Self::deposit_event(Event::CaseClosed {
                case,
                key,
                outcome,
                operator,
                reason,
                evidence,
            });
            Ok(())
        }

        /// Locks the bill of an open case until an administrator unlocks it.
        ///
        /// Conditions are the bill-update contract's, and so are the errors.
        ///
        /// # Origin
        /// An active participant with the role of an administrator.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `EvidenceMissing`, `CaseNotFound`, `NotOpen`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::admin_lock())]
        pub fn admin_lock(
            origin: OriginFor<T>,
            case: CaseId,
            reason: Reason,
            evidence: [u8; 32],
        ) -> DispatchResult {
            let (sender, open) = Self::acting(origin, case, evidence)?;
            let (key, operator) = (open.bill, sender.did.clone());
            T::Locks::admin_lock(sender, key, reason.clone(), evidence)?;
            Self::record(case, open, Act::Locked, operator.clone(), reason, evidence)?;
            Self::deposit_event(Event::LockedUnderCase { case, key, operator });
            Ok(())
        }

        /// Releases whatever lock the bill of an open case has.
        ///
        /// Conditions are the bill-update contract's, and so are the errors.
        ///
        /// # Origin
        /// An active participant with the role of an administrator.
        ///
        /// # Errors
        /// `Sender`, `NotAdministrator`, `EvidenceMissing`, `CaseNotFound`, `NotOpen`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::admin_unlock())]
        pub fn admin_unlock(
            origin: OriginFor<T>,
            case: CaseId,
            reason: Reason,
            evidence: [u8; 32],
        ) -> DispatchResult {
            let (sender, open) = Self::acting(origin, case, evidence)?;
            let (key, operator) = (open.bill, sender.did.clone());
            T::Locks::admin_unlock(sender, key, reason.clone(), evidence)?;
            Self::record(case, open, Act::Unlocked, operator.clone(), reason, evidence)?;
            Self::deposit_event(Event::UnlockedUnderCase { case, key, operator });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// The case with this number.
        pub fn case(id: CaseId) -> Option<Case<T::MaxParties>> {
            let case = Cases::<T>::get(id)?;
            // An open one is never cold.
            if let Some(decision) = &case.decision {
                T::ColdReads::charge(decision.at.moment);
            }
            Some(case)
        }

        /// What was decided of a case; `None` if it is open or does not exist.
        pub fn decision(id: CaseId) -> Option<Decision> {
            Self::case(id)?.decision
        }

        /// How the last contention for a bill ended, with all contenders.
        pub fn resolution(key: &BillKey) -> Option<Resolution<T::MaxContenders>> {
            Resolutions::<T>::get(key)
        }

        fn administrator(origin: OriginFor<T>) -> Result<ActiveParticipant, DispatchError> {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            ensure!(sender.roles.contains(Role::Admin), Error::<T>::NotAdministrator);
            Ok(sender)
        }

        /// An administrator that acts on evidence, and the open case.
        fn acting(
            origin: OriginFor<T>,
            case: CaseId,
            evidence: [u8; 32],
        ) -> Result<(ActiveParticipant, Case<T::MaxParties>), DispatchError> {
            let sender = Self::administrator(origin)?;
            ensure!(evidence != [0; 32], Error::<T>::EvidenceMissing);
            let case = Self::case(case).ok_or(Error::<T>::CaseNotFound)?;
            ensure!(case.decision.is_none(), Error::<T>::NotOpen);
            Ok((sender, case))
        }

        /// Writes the case with one more act in its history.
        fn record(
            id: CaseId,
            mut case: Case<T::MaxParties>,
            act: Act,
            operator: Did,
            reason: Reason,
            evidence: [u8; 32],
        ) -> DispatchResult {
            case.acts = case.acts.checked_add(1).ok_or(ArithmeticError::Overflow)?;
            let number = case.acts;
            let at = Self::stamp();
            let record = ActRecord { number, act, operator, at, reason, evidence }.encode();
            case.history_hash = sm3(&[&case.history_hash[..], &record].concat());
            offchain_index::set(&act_key(id, number), &record);
            Cases::<T>::insert(id, case);
            Ok(())
        }

        fn stamp() -> Stamp {
            Stamp {
                block: frame_system::Pallet::<T>::block_number().saturated_into(),
                extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
                moment: T::Time::now(),
            }
        }

        /// Checks what always holds between blocks:
        /// - no contest is left over;
        /// - a resolution is of a bill that exists and names two claimants or
        ///   more, each once, in order of precedence, and the winner unless
        ///   there was no place;
        /// - cases are numbered from 1 without gaps, are of bills that exist,
        ///   have parties, each once, and at least one act; a decision favours
        ///   a party;
        /// - the open cases are exactly those without a decision, one a bill.
        ///
        /// Cases are asked for by their numbers, so cold ones are among them; resolutions
        /// are gone through, which shows the hot ones.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            ensure!(Contests::<T>::iter_keys().next().is_none(), "a contest is left over");
            for (key, resolution) in Resolutions::<T>::iter() {
                ensure!(T::Ledger::contains(&key), "a contended bill exists");
                if let Some(broken) = resolution.inconsistency() {
                    return Err(TryRuntimeError::Other(broken));
                }
            }
            let count = CaseCount::<T>::get();
            for id in Cases::<T>::iter_keys() {
                ensure!((1..=count).contains(&id), "cases are numbered from 1");
            }
            let mut open = 0_u32;
            for id in 1..=count {
                let case = Cases::<T>::get(id).ok_or("cases are numbered without gaps")?;
                ensure!(T::Ledger::contains(&case.bill), "the bill of a case exists");
                if let Some(broken) = case.inconsistency() {
                    return Err(TryRuntimeError::Other(broken));
                }
                if case.decision.is_none() {
                    open = open.saturating_add(1);
                    ensure!(
                        OpenCases::<T>::get(case.bill) == Some(id),
                        "a case without a decision is the open one of its bill"
                    );
                }
            }
            let noted = OpenCases::<T>::iter_keys().count();
            ensure!(u32::try_from(noted) == Ok(open), "an open case has no decision");
            Ok(())
        }
    }
}

impl<S: Get<u32>> Case<S> {
    /// The first rule of a case's inner consistency that does not hold.
    fn inconsistency(&self) -> Option<&'static str> {
        let decided_for = self.decision.as_ref().map(|decision| &decision.outcome);
        if self.parties.is_empty() {
            Some("a case has parties")
        } else if self.parties.iter().enumerate().any(|(i, p)| self.parties[..i].contains(p)) {
            Some("a party stands once")
        } else if self.acts == 0 {
            Some("a case has an act at least")
        } else if matches!(decided_for, Some(Outcome::InFavourOf(p)) if !self.parties.contains(p)) {
            Some("a decision favours a party")
        } else {
            None
        }
    }
}

impl<S: Get<u32>> Resolution<S> {
    /// The first rule of a resolution's inner consistency that does not hold.
    fn inconsistency(&self) -> Option<&'static str> {
        let named = &self.contenders;
        if named.len() < 2 {
            Some("a contention has two contenders")
        } else if named.windows(2).any(|two| two[0].precedence > two[1].precedence) {
            Some("contenders stand in order of precedence")
        } else if named
            .iter()
            .enumerate()
            .any(|(i, c)| named[..i].iter().any(|earlier| earlier.claimant == c.claimant))
        {
            Some("a contender stands once")
        } else if self.unnamed == 0 && named.iter().all(|c| c.claimant != self.winner) {
            Some("the winner is a contender")
        } else {
            None
        }
    }
}

impl<T> From<ParticipantProblem> for Error<T> {
    fn from(problem: ParticipantProblem) -> Self {
        Self::Sender(problem)
    }
}
