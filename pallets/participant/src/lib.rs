//! # Participant contract (参与方管理上链智能合约)
//!
//! Who acts on the chain. A participant (an organisation or a person) has a decentralised identifier
//! (DID), one key at a time and roles. The council registers it ([`Pallet::register`]); it is active,
//! frozen or cancelled ([`Pallet::set_status`]). Every business call asks through the
//! [`Participants`](billchain_primitives::seams::Participants) seam who sends it and whether it may act. Anybody can resolve a participant and
//! have it prove that it holds its key ([`Pallet::verify_identity`]).
//!
//! ```
//! use billchain_primitives::seams::{ParticipantProblem, ParticipantStatus};
//!
//! assert_eq!(ParticipantStatus::Active.admit(), Ok(()));
//! assert_eq!(ParticipantStatus::Frozen.admit(), Err(ParticipantProblem::Frozen));
//! // What a participant signs to prove who it is can be no transaction.
//! let signed = [pallet_participant::IDENTITY_CHALLENGE, b"3f1c"].concat();
//! assert!(signed.starts_with(b"billchain identity challenge:"));
//! ```
//!
//! ## What it promises
//! - A DID, an account and a USCC hash each belong to one participant at most. A cancelled
//!   participant gives its USCC hash back, never its DID or its accounts.
//! - Cancelled is final. Only an active participant is found by `active_by_account` of that seam,
//!   and only by the account of its current key.
//! - An account once used is never used for another key or participant, and its system record (with
//!   the nonce) is kept: were it reaped, the nonce would start at 0 again and old transactions could
//!   be replayed.
//! - Every change makes one [`HistoryRecord`] in the node-local index, chained by hash into the
//!   state.
//!
//! - Nobody administers and audits: roles that meet so, or that an administrator's office rules out,
//!   are refused.
//!
//! ## What it assumes
//! Who administers is the runtime's choice ([`Config::AdminOrigin`]); who freezes and thaws without
//! it, too ([`Config::SecurityOrigin`]). The operator in events and records is the signer where the
//! origin has one, and absent for a motion of the council.
//!
//! ## What it does not do
//! It holds no personal data: the name of a person is a pseudonym.

#![forbid(unsafe_code)]

mod checks;
mod genesis;
mod reads;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{
    Change, HISTORY, HistoryRecord, Participant, ParticipantKind, Registration, history_key,
    history_prefix,
};
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, Did, Hash, Name, PublicKey, Reason, RoleSet, SignatureScheme,
    seams::{Administrators, Outbox, ParticipantStatus},
};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// What a participant signs to prove that it holds its key begins with this,
/// so that nobody can make it sign a transaction in disguise.
pub const IDENTITY_CHALLENGE: &[u8] = b"billchain identity challenge:";

/// The participant contract.
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
        /// Who registers and administers participants.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who, beside [`Self::AdminOrigin`], freezes active participants and
        /// makes frozen ones active again: what cannot wait for a motion.
        type SecurityOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who holds an administrator's office.
        type Administrators: Administrators;
        /// Who has to be told outside.
        type Outbox: Outbox;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = u64>;
        /// Most participants, cancelled ones included; not 0.
        #[pallet::constant]
        type MaxParticipants: Get<u32>;
        /// Most key rotations of one participant; not 0. Each leaves an
        /// account behind for good.
        #[pallet::constant]
        type MaxRotations: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Participants by DID.
    #[pallet::storage]
    pub type Participants<T: Config> = CountedStorageMap<_, Blake2_128Concat, Did, Participant>;

    /// Whose account it is or was. The participant acts with it now if it is
    /// the account in its record.
    #[pallet::storage]
    pub type AccountToDid<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Did>;

    /// Organisations by the SM3 of their 统一社会信用代码, cancelled ones excepted.
    #[pallet::storage]
    pub type UsccToDid<T: Config> = StorageMap<_, Blake2_128Concat, Hash, Did>;

    /// Signature schemes whose keys are admitted; set by the genesis.
    #[pallet::storage]
    pub type Schemes<T: Config> =
        StorageValue<_, BoundedVec<SignatureScheme, ConstU32<4>>, ValueQuery>;

    /// First participants and admitted schemes.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Participants that exist from the first block on, all active.
        pub participants: Vec<Registration>,
        /// Admitted signature schemes; SM2 alone by default.
        pub schemes: Vec<SignatureScheme>,
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            self.write();
        }
    }

    /// What happened to a participant.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A participant was registered; it is active.
        Registered {
            /// Its identifier.
            did: Did,
            /// Account of its key.
            account: AccountId,
            /// Organisation or person.
            kind: ParticipantKind,
            /// What it may do.
            roles: RoleSet,
            /// Account that registered it; absent for the council.
            operator: Option<AccountId>,
        },
        /// A participant's status changed.
        StatusChanged {
            /// Its identifier.
            did: Did,
            /// The status before.
            from: ParticipantStatus,
            /// The status after.
            to: ParticipantStatus,
            /// Why.
            reason: Reason,
            /// Account that changed it; absent for the council.
            operator: Option<AccountId>,
        },
        /// A participant's key changed.
        KeyRotated {
            /// Its identifier, unchanged.
            did: Did,
            /// Account of the old key; it acts for nobody any more.
            old_account: AccountId,
            /// Account of the new key.
            new_account: AccountId,
            /// Account that changed it; absent for the council.
            operator: Option<AccountId>,
        },
        /// A participant's name or USCC hash changed.
        InfoUpdated {
            /// Its identifier.
            did: Did,
            /// The name after.
            name: Name,
            /// The USCC hash after.
            uscc_hash: Option<Hash>,
            /// Account that changed it; absent for the council.
            operator: Option<AccountId>,
        },
        /// A participant's roles changed.
        RolesChanged {
            /// Its identifier.
            did: Did,
            /// The roles before.
            from: RoleSet,
            /// The roles after.
            to: RoleSet,
            /// Account that changed them; absent for the council.
            operator: Option<AccountId>,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The DID is registered already, perhaps cancelled.
        AlreadyRegistered,
        /// The account of the key acts for a participant already.
        AccountInUse,
        /// The account of the key belonged to a key that was rotated away or to
        /// a cancelled participant. Use a new key.
        AccountRetired,
        /// Another participant has this USCC hash.
        UsccInUse,
        /// A person has no USCC: leave the hash out.
        UsccOfPerson,
        /// The USCC hash is all zero.
        ZeroUsccHash,
        /// The bytes are no public key of the scheme.
        InvalidPublicKey,
        /// This chain does not admit keys of the scheme.
        SchemeNotAdmitted,
        /// `MaxParticipants` are registered already.
        TooManyParticipants,
        /// The key was rotated `MaxRotations` times already.
        TooManyRotations,
        /// No participant has this DID.
        NotFound,
        /// The participant is frozen; an administrator can act on it.
        Frozen,
        /// The participant is cancelled, which is final.
        Cancelled,
        /// The participant has this status already.
        StatusUnchanged,
        /// The participant has this key already.
        KeyUnchanged,
        /// The participant has this name and USCC hash already.
        InfoUnchanged,
        /// The participant has these roles already.
        RolesUnchanged,
        /// The signer is neither an administrator nor the participant itself.
        NotTheParticipant,
        /// Who administers does not audit: the roles of an administrator and
        /// of an auditor do not go together.
        RolesConflict,
        /// The participant holds an administrator's office that the roles rule
        /// out; the council takes the office away first.
        OfficeConflict,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxParticipants::get() > 0, "MaxParticipants must not be 0");
            assert!(T::MaxRotations::get() > 0, "MaxRotations must not be 0");
        }

        fn try_state(_n: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers a participant; it is active at once.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `AlreadyRegistered`, `TooManyParticipants`, `RolesConflict`,
        /// `SchemeNotAdmitted`, `InvalidPublicKey`, `AccountInUse`, `AccountRetired`,
        /// `UsccOfPerson`, `ZeroUsccHash`, `UsccInUse`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(origin: OriginFor<T>, registration: Registration) -> DispatchResult {
            let operator = Self::ensure_admin(origin)?;
            Self::check_registration(&registration)?;
            Self::insert(registration, operator);
            Ok(())
        }

        /// Makes a participant active, frozen or cancelled, with a reason.
        ///
        /// Cancelled is final: the DID and its accounts are never used again,
        /// the USCC hash is free again.
        ///
        /// # Origin
        /// `AdminOrigin`; `SecurityOrigin` too, unless it cancels.
        ///
        /// # Errors
        /// `NotFound`, `Cancelled`, `StatusUnchanged`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_status())]
        pub fn set_status(
            origin: OriginFor<T>,
            did: Did,
            status: ParticipantStatus,
            reason: Reason,
        ) -> DispatchResult {
            let operator = match status {
                ParticipantStatus::Cancelled => Self::ensure_admin(origin)?,
                ParticipantStatus::Active | ParticipantStatus::Frozen => {
                    Self::ensure_security(origin)?
                }
            };
            let mut participant = Self::not_cancelled(&did)?;
            let from = participant.status;
            ensure!(from != status, Error::<T>::StatusUnchanged);
            participant.status = status;
            if let (ParticipantStatus::Cancelled, Some(hash)) = (status, participant.uscc_hash) {
                UsccToDid::<T>::remove(hash);
            }
            let change = Change::Status { from, to: status, reason: reason.clone() };
            Self::store(&did, participant, operator.clone(), change);
            Self::deposit_event(Event::StatusChanged { did, from, to: status, reason, operator });
            Ok(())
        }

        /// Replaces a participant's key; its DID stays.
        ///
        /// The old key acts for nobody from the next transaction on.
        ///
        /// # Origin
        /// `AdminOrigin`, for an active or frozen participant; or the account of the
        /// current key of an active one.
        ///
        /// # Errors
        /// `NotFound`, `Cancelled`, `NotTheParticipant`, `Frozen`, `KeyUnchanged`,
        /// `TooManyRotations`, `SchemeNotAdmitted`, `InvalidPublicKey`, `AccountInUse`,
        /// `AccountRetired`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::rotate_key())]
        pub fn rotate_key(
            origin: OriginFor<T>,
            did: Did,
            new_public_key: PublicKey,
        ) -> DispatchResult {
            let by_admin = Self::ensure_admin(origin.clone());
            let signer = match by_admin {
                Ok(_) => None,
                Err(_) => Some(ensure_signed(origin)?),
            };
            let mut participant = Self::not_cancelled(&did)?;
            let operator = match signer {
                None => by_admin?,
                Some(signer) => {
                    ensure!(participant.account == signer, Error::<T>::NotTheParticipant);
                    let active = participant.status == ParticipantStatus::Active;
                    ensure!(active, Error::<T>::Frozen);
                    Some(signer)
                }
            };
            ensure!(participant.public_key != new_public_key, Error::<T>::KeyUnchanged);
            let left = participant.rotations < T::MaxRotations::get();
            ensure!(left, Error::<T>::TooManyRotations);
            Self::check_key(&new_public_key)?;

            let new_account = new_public_key.account_id();
            let old_account = core::mem::replace(&mut participant.account, new_account.clone());
            let from = core::mem::replace(&mut participant.public_key, new_public_key.clone());
            participant.rotations = participant.rotations.saturating_add(1);
            Self::link(&new_account, &did);
            let change = Change::Key { from, to: new_public_key };
            Self::store(&did, participant, operator.clone(), change);
            Self::deposit_event(Event::KeyRotated { did, old_account, new_account, operator });
            Ok(())
        }

        /// Replaces a participant's name and USCC hash.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `Cancelled`, `InfoUnchanged`, `UsccOfPerson`, `ZeroUsccHash`,
        /// `UsccInUse`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::update_info())]
        pub fn update_info(
            origin: OriginFor<T>,
            did: Did,
            name: Name,
            uscc_hash: Option<Hash>,
        ) -> DispatchResult {
            let operator = Self::ensure_admin(origin)?;
            let mut participant = Self::not_cancelled(&did)?;
            let old_hash = participant.uscc_hash;
            let changed = participant.name != name || old_hash != uscc_hash;
            ensure!(changed, Error::<T>::InfoUnchanged);
            if old_hash != uscc_hash {
                Self::check_uscc(participant.kind, uscc_hash)?;
                old_hash.into_iter().for_each(UsccToDid::<T>::remove);
                uscc_hash.into_iter().for_each(|hash| UsccToDid::<T>::insert(hash, &did));
            }
            participant.name = name.clone();
            participant.uscc_hash = uscc_hash;
            let change = Change::Info { name: name.clone(), uscc_hash };
            Self::store(&did, participant, operator.clone(), change);
            Self::deposit_event(Event::InfoUpdated { did, name, uscc_hash, operator });
            Ok(())
        }

        /// Replaces a participant's roles [232].
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotFound`, `Cancelled`, `RolesUnchanged`, `RolesConflict`,
        /// `OfficeConflict`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_roles())]
        pub fn set_roles(origin: OriginFor<T>, did: Did, roles: RoleSet) -> DispatchResult {
            let operator = Self::ensure_admin(origin)?;
            let mut participant = Self::not_cancelled(&did)?;
            let from = participant.roles;
            ensure!(from != roles, Error::<T>::RolesUnchanged);
            Self::check_roles(&did, roles)?;
            participant.roles = roles;
            Self::store(&did, participant, operator.clone(), Change::Roles { from, to: roles });
            Self::deposit_event(Event::RolesChanged { did, from, to: roles, operator });
            Ok(())
        }
    }
}
