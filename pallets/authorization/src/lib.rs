//! # Authorization contract (用票授权登记智能合约)
//!
//! Grants: a holder of bills (持票人) lets a subject (被授权方), for instance an insurer, use them in
//! a scene for a time. The holder, or a platform in its name, registers the hash of a verifiable
//! credential with its terms ([`Pallet::register_grant`]), and revokes, freezes or activates it. A lock
//! uses a grant through the [`Grants`] seam; other uses and transfers of the credential are put on
//! record ([`Pallet::record_use`], [`Pallet::record_transfer`]).
//!
//! ```
//! use billchain_primitives::{BillKey, GrantId};
//! use pallet_authorization::{history_key, Scope};
//!
//! let key = BillKey { code: "31060126".parse().unwrap(), number: "0000000001".parse().unwrap() };
//! let Scope::Bills(keys) = Scope::Bills(vec![key].try_into().unwrap()) else { unreachable!() };
//! assert_eq!(keys.len(), 1);
//! // The records of a grant lie in the order of its versions.
//! let grant = GrantId([7; 32].into());
//! assert!(history_key(&grant, 1) < history_key(&grant, 2));
//! ```
//!
//! ## What it promises
//! - A grant is used only by its subject, within its time, for its bills, in its scene, and only
//!   while it is active, its holder is active and both act with the keys they had when it was
//!   registered. Keys never come back, so a grant that a rotation invalidated stays invalid.
//! - A credential is registered once. Revoked is final.
//! - What was done under a grant stands: a lock that used it is not touched by what becomes of it.
//! - Everything done to a grant or with it makes one [`HistoryRecord`] in the node-local index,
//!   chained by hash into the state. A grant takes [`Config::MaxRecords`] of them, and a revocation
//!   at any time.
//!
//! ## What it assumes
//! The credential itself, with the holder's signature, stays off the chain and is checked where it
//! is received (row 130, step 1). On the chain the holder's signature is that of the transaction;
//! where a platform registers a grant, the platform vouches for the holder's will.
//!
//! The chain does not know whose bills are whose, payers are pseudonyms to it. That a holder names
//! its own bills is checked where the credential is issued (以人查票), and answered for by holder
//! and subject, whose DIDs stand in every record.
//!
//! ## What it does not do
//! It holds nothing personal: hashes, DIDs, bill keys and payer pseudonyms.

#![forbid(unsafe_code)]

mod rules;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{
    BY_HOLDER, BY_SUBJECT, Change, Condition, Grant, GrantStatus, HISTORY, HistoryRecord,
    MAX_GRANT_BILLS, Scope, Terms, UseKind, history_key, history_prefix, party_key, party_prefix,
};
pub use weights::WeightInfo;

use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

// A call is decoded once and consumed at once: what its largest variant takes
// costs nothing, and clients build it without boxes.
#[allow(clippy::large_enum_variant)]
#[frame::pallet]
pub mod pallet {
    use super::*;
    use billchain_primitives::{
        AccountId, BillKey, Did, GrantId, Hash, Moment, Reason, SceneId,
        seams::{
            BillLedger, ColdReads, GrantProblem, Outbox, ParticipantProblem, Participants,
            SceneProblem, Scenes,
        },
    };

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
        /// Who acts on the chain.
        type Participants: Participants;
        /// The business scenes.
        type Scenes: Scenes;
        /// Where bills are kept.
        type Ledger: BillLedger;
        /// What reading a cold grant costs.
        type ColdReads: ColdReads;
        /// Who has to be told outside.
        type Outbox: Outbox;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = Moment>;
        /// Most grants, ended ones included; not 0.
        #[pallet::constant]
        type MaxGrants: Get<u32>;
        /// Most grants of one holder, ended ones included; not 0.
        #[pallet::constant]
        type MaxGrantsPerHolder: Get<u32>;
        /// Most records of one grant before nothing but a revocation is
        /// taken; not 0.
        #[pallet::constant]
        type MaxRecords: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Grants by id.
    #[pallet::storage]
    pub type GrantsById<T: Config> = CountedStorageMap<_, Blake2_128Concat, GrantId, Grant>;

    /// How many grants a holder has registered.
    #[pallet::storage]
    pub type GrantsOfHolder<T: Config> = StorageMap<_, Blake2_128Concat, Did, u32, ValueQuery>;

    /// What happened to a grant.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A grant was registered; it is active.
        GrantRegistered {
            /// Its id, the SM3 of the credential.
            grant: GrantId,
            /// The holder, who authorises.
            holder: Did,
            /// The subject, who is authorised.
            subject: Did,
            /// In which scene.
            scene: SceneId,
            /// First moment.
            valid_from: Moment,
            /// Last moment.
            valid_until: Moment,
            /// The participant that registered it: the holder, or a platform.
            operator: Did,
        },
        /// A grant was frozen: it cannot be used.
        GrantFrozen {
            /// Its id.
            grant: GrantId,
            /// Why.
            reason: Reason,
            /// The participant that froze it.
            operator: Did,
        },
        /// A frozen grant was activated.
        GrantActivated {
            /// Its id.
            grant: GrantId,
            /// Why.
            reason: Reason,
            /// The participant that activated it.
            operator: Did,
        },
        /// A grant was revoked for good.
        GrantRevoked {
            /// Its id.
            grant: GrantId,
            /// Why.
            reason: Reason,
            /// The participant that revoked it.
            operator: Did,
        },
        /// A grant was used.
        GrantUsed {
            /// Its id.
            grant: GrantId,
            /// Its subject, who used it.
            subject: Did,
            /// On which bill.
            bill: BillKey,
            /// Which version of the bill.
            version: u32,
            /// What for.
            kind: UseKind,
        },
        /// The passing on of a credential was put on record.
        TransferRecorded {
            /// The credential's grant.
            grant: GrantId,
            /// SM3 of the information on the transfer.
            hash: Hash,
            /// The participant that put it on record.
            operator: Did,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The sender may not act, for this reason.
        Sender(ParticipantProblem),
        /// The credential is registered already.
        AlreadyRegistered,
        /// The hash of the credential is zero.
        CredentialMissing,
        /// The holder would authorise itself.
        SubjectIsHolder,
        /// The sender is neither the holder nor a platform.
        NotHolder,
        /// The holder may not act, for this reason.
        Holder(ParticipantProblem),
        /// The subject may not act, for this reason.
        Subject(ParticipantProblem),
        /// The grant names no bills.
        NoBills,
        /// The grant names a bill twice.
        DuplicateBill,
        /// The condition of the grant can be met by no bill: its payer is
        /// zero, its last issue date is before its first, or its largest total
        /// is negative.
        ConditionEmpty,
        /// The grant's last moment is before its first.
        ValidityEmpty,
        /// The scene cannot be claimed in, for this reason.
        Scene(SceneProblem),
        /// There are as many grants as there may be.
        TooManyGrants,
        /// The holder has as many grants as a holder may.
        TooManyGrantsOfHolder,
        /// The sender is neither the grant's holder nor the platform that
        /// registered it.
        NotInCharge,
        /// The sender is neither a party of the grant nor a platform.
        NotParty,
        /// The grant is active already.
        NotFrozen,
        /// The hash of the transfer is zero.
        TransferHashMissing,
        /// No bill has this code and number.
        BillNotFound,
        /// The grant cannot be used or changed, for this reason.
        Grant(GrantProblem),
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxGrants::get() > 0, "MaxGrants must not be 0");
            assert!(T::MaxGrantsPerHolder::get() > 0, "MaxGrantsPerHolder must not be 0");
            assert!(T::MaxRecords::get() > 0, "MaxRecords must not be 0");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers a grant; it is active at once, and can be used within its
        /// time.
        ///
        /// The sender is the holder, or a platform (平台) in the holder's name.
        /// Holder and subject are active participants, the scene is active,
        /// and the grant's time is not over.
        ///
        /// # Origin
        /// The holder, or a platform (平台) in the holder's name.
        ///
        /// # Errors
        /// `Sender`, `NotHolder`, `CredentialMissing`, `SubjectIsHolder`,
        /// `ValidityEmpty`, `Grant`, `NoBills`, `DuplicateBill`, `ConditionEmpty`,
        /// `Scene`, `AlreadyRegistered`, `Holder`, `Subject`, `TooManyGrants`,
        /// `TooManyGrantsOfHolder`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_grant(match &terms.scope {
            Scope::Bills(keys) => keys.len() as u32,
            Scope::Matching(_) => 0,
        }))]
        pub fn register_grant(origin: OriginFor<T>, terms: Terms) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            Self::ensure_may_register(&sender, &terms)?;
            Self::ensure_sound(&terms)?;
            Self::insert(terms, sender.did)?;
            Ok(())
        }

        /// Revokes a grant for good (撤回).
        ///
        /// What was done under the grant stands.
        ///
        /// # Origin
        /// The holder, or the platform that registered the grant.
        ///
        /// # Errors
        /// `Sender`, `Grant`, `NotInCharge`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::revoke())]
        pub fn revoke(origin: OriginFor<T>, grant: GrantId, reason: Reason) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            let mut entry = Self::in_charge(&grant, &sender)?;
            entry.status = GrantStatus::Revoked;
            let change = Change::Revoked { reason: reason.clone() };
            Self::record(entry, sender.did.clone(), change);
            Self::deposit_event(Event::GrantRevoked { grant, reason, operator: sender.did });
            Ok(())
        }

        /// Freezes an active grant (冻结): it cannot be used until it is
        /// activated.
        ///
        /// # Origin
        /// The holder, or the platform that registered the grant.
        ///
        /// # Errors
        /// `Sender`, `Grant`, `NotInCharge`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::freeze())]
        pub fn freeze(origin: OriginFor<T>, grant: GrantId, reason: Reason) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            let mut entry = Self::in_charge(&grant, &sender)?;
            ensure!(entry.status == GrantStatus::Active, Error::<T>::Grant(GrantProblem::Frozen));
            Self::ensure_room(&entry)?;
            entry.status = GrantStatus::Frozen;
            let change = Change::Frozen { reason: reason.clone() };
            Self::record(entry, sender.did.clone(), change);
            Self::deposit_event(Event::GrantFrozen { grant, reason, operator: sender.did });
            Ok(())
        }

        /// Activates a frozen grant (激活).
        ///
        /// # Origin
        /// The holder, or the platform that registered the grant.
        ///
        /// # Errors
        /// `Sender`, `Grant`, `NotInCharge`, `NotFrozen`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::activate())]
        pub fn activate(origin: OriginFor<T>, grant: GrantId, reason: Reason) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            let mut entry = Self::in_charge(&grant, &sender)?;
            ensure!(entry.status == GrantStatus::Frozen, Error::<T>::NotFrozen);
            Self::ensure_room(&entry)?;
            entry.status = GrantStatus::Active;
            let change = Change::Activated { reason: reason.clone() };
            Self::record(entry, sender.did.clone(), change);
            Self::deposit_event(Event::GrantActivated { grant, reason, operator: sender.did });
            Ok(())
        }

        /// Puts on record that the subject used a grant to call for a bill's
        /// data (调用票据信息). A lock records its use by itself.
        ///
        /// The sender is the subject; the grant must allow the use now, and
        /// its scene be active.
        ///
        /// # Origin
        /// The subject.
        ///
        /// # Errors
        /// `Sender`, `Grant`, `BillNotFound`, `Scene`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::record_use())]
        pub fn record_use(origin: OriginFor<T>, grant: GrantId, bill: BillKey) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            let entry = Self::grant(&grant).ok_or(Error::<T>::Grant(GrantProblem::NotFound))?;
            let stored = T::Ledger::bill(&bill).ok_or(Error::<T>::BillNotFound)?;
            let scene = entry.terms.scene;
            Self::ensure_usable(&entry, &sender.did, &stored.summary, scene)
                .map_err(Error::<T>::from)?;
            Self::ensure_scene(scene)?;
            Self::record_use_of(entry, bill, stored.state.version, UseKind::Access);
            Ok(())
        }

        /// Puts the hash of the information on a transfer of the credential
        /// (凭证流转信息) on record, whatever the grant's state: what happened
        /// happened.
        ///
        /// The sender is the holder, the subject, or a platform.
        ///
        /// # Origin
        /// The holder, the subject, or a platform.
        ///
        /// # Errors
        /// `Sender`, `Grant`, `NotParty`, `TransferHashMissing`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::record_transfer())]
        pub fn record_transfer(origin: OriginFor<T>, grant: GrantId, hash: Hash) -> DispatchResult {
            let sender = T::Participants::signer::<Error<T>>(origin)?;
            let entry = Self::grant(&grant).ok_or(Error::<T>::Grant(GrantProblem::NotFound))?;
            Self::ensure_party(&entry, &sender)?;
            ensure!(!hash.is_zero(), Error::<T>::TransferHashMissing);
            Self::ensure_room(&entry)?;
            Self::record(entry, sender.did.clone(), Change::Transferred { hash });
            Self::deposit_event(Event::TransferRecorded { grant, hash, operator: sender.did });
            Ok(())
        }
    }
}

impl<T> From<billchain_primitives::seams::ParticipantProblem> for Error<T> {
    fn from(problem: billchain_primitives::seams::ParticipantProblem) -> Self {
        Self::Sender(problem)
    }
}
