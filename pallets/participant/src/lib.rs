//! # Participant contract (参与方管理上链智能合约)
//!
//! Who acts on the chain, by decentralised identifier (DID). Tender row [216]:
//!
//! - *Registration*: "参与方通过分布式身份标识注册，提交名称、类型（机构/个人）、公钥等基础信息，
//!   同时记录注册时间戳并触发事件日志，支持链上唯一性校验，防止重复注册": [`Pallet::register`].
//! - *Resolution*: "输入分布式身份标识后返回其关联的公开信息，支持通过分布式身份标识或其他标识符查询
//!   参与方的登记信息及验证其身份真实性": [`Pallet::resolve`], [`Pallet::resolve_account`],
//!   [`Pallet::resolve_uscc`], [`Pallet::verify_identity`].
//! - *Status*: "状态分为“活跃/冻结/注销”三态，默认注册后为“活跃”；变更时记录操作者信息、时间戳及原因；
//!   合约强制校验状态有效性": [`Pallet::set_status`], and the [`Participants`] seam through which every
//!   business call asks.
//!
//! ## What it promises
//! - A DID, an account and a USCC hash each belong to one participant at most. A cancelled
//!   participant gives its USCC hash back, never its DID or its accounts.
//! - Cancelled is final. Only an active participant is found by [`Participants::active_by_account`],
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

mod genesis;
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
    AccountId, Did, Hash, Name, PublicKey, Reason, RoleSet, Signature, SignatureScheme, Stamp,
    seams::{
        ActiveParticipant, Administrators, ParticipantProblem, ParticipantStatus,
        Participants as Seam,
    },
    sm3,
};
use codec::Encode;
use frame::{deps::sp_io, prelude::*, traits::Time, try_runtime::TryRuntimeError};

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
        /// Origin: `AdminOrigin`. Refused if the DID, the account of the key or
        /// the USCC hash is taken, or the key is not one this chain admits.
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
        /// Origin: `AdminOrigin`, or `SecurityOrigin` unless it cancels.
        /// Cancelled is final: the DID and its accounts are never used again,
        /// the USCC hash is free again.
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
        /// Origin: `AdminOrigin`, for an active or frozen participant, or the
        /// account of the current key of an active one. The old key acts for
        /// nobody from the next transaction on.
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
        /// Origin: `AdminOrigin`.
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
        /// Origin: `AdminOrigin`.
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

/// What can be asked.
impl<T: Config> Pallet<T> {
    /// At most `limit` participants after `after` in the order of the state,
    /// from the first without it, whatever their status.
    pub fn participants(after: Option<&Did>, limit: usize) -> Vec<(Did, Participant)> {
        let participants = match after {
            Some(after) => Participants::<T>::iter_from(Participants::<T>::hashed_key_for(after)),
            None => Participants::<T>::iter(),
        };
        participants.take(limit).collect()
    }

    /// The participant `did`, whatever its status.
    pub fn resolve(did: &Did) -> Option<Participant> {
        Participants::<T>::get(did)
    }

    /// The participant whose current key belongs to `account`, whatever its
    /// status.
    pub fn resolve_account(account: &AccountId) -> Option<(Did, Participant)> {
        let did = AccountToDid::<T>::get(account)?;
        let participant = Participants::<T>::get(&did)?;
        (participant.account == *account).then_some((did, participant))
    }

    /// The participant with this SM3 of a 统一社会信用代码, if it is not cancelled.
    pub fn resolve_uscc(uscc_hash: &Hash) -> Option<(Did, Participant)> {
        let did = UsccToDid::<T>::get(uscc_hash)?;
        let participant = Participants::<T>::get(&did)?;
        Some((did, participant))
    }

    /// Whether the active participant `did` answered `challenge`: `signature`
    /// is by its current key over [`IDENTITY_CHALLENGE`] followed by the
    /// challenge.
    pub fn verify_identity(
        did: &Did,
        challenge: &[u8],
        signature: &Signature,
    ) -> Result<bool, ParticipantProblem> {
        let participant = Self::active(did)?;
        let message = [IDENTITY_CHALLENGE, challenge].concat();
        Ok(signature.verify_payload(&message, &participant.account))
    }

    /// Whether keys of `scheme` are admitted.
    pub fn is_scheme_admitted(scheme: SignatureScheme) -> bool {
        Schemes::<T>::get().contains(&scheme)
    }

    fn active(did: &Did) -> Result<Participant, ParticipantProblem> {
        let participant = Participants::<T>::get(did).ok_or(ParticipantProblem::NotFound)?;
        participant.status.admit().map(|()| participant)
    }
}

impl<T: Config> Seam for Pallet<T> {
    fn active_by_account(account: &AccountId) -> Result<ActiveParticipant, ParticipantProblem> {
        let did = AccountToDid::<T>::get(account).ok_or(ParticipantProblem::NotFound)?;
        let participant = Participants::<T>::get(&did).ok_or(ParticipantProblem::NotFound)?;
        if participant.account != *account {
            return Err(ParticipantProblem::NotFound);
        }
        participant.status.admit()?;
        Ok(ActiveParticipant { did, roles: participant.roles })
    }

    fn active_by_did(did: &Did) -> Result<ActiveParticipant, ParticipantProblem> {
        let participant = Self::active(did)?;
        Ok(ActiveParticipant { did: did.clone(), roles: participant.roles })
    }

    fn account_of(did: &Did) -> Option<AccountId> {
        Participants::<T>::get(did).map(|participant| participant.account)
    }
}

/// Checks and writes behind the calls.
impl<T: Config> Pallet<T> {
    /// The signer, if the administrator's origin has one.
    fn ensure_admin(origin: OriginFor<T>) -> Result<Option<AccountId>, DispatchError> {
        T::AdminOrigin::ensure_origin(origin.clone())?;
        Ok(ensure_signed(origin).ok())
    }

    /// As [`Self::ensure_admin`], for what may not wait.
    fn ensure_security(origin: OriginFor<T>) -> Result<Option<AccountId>, DispatchError> {
        if T::SecurityOrigin::ensure_origin(origin.clone()).is_ok() {
            return Ok(ensure_signed(origin).ok());
        }
        Self::ensure_admin(origin)
    }

    fn check_roles(did: &Did, roles: RoleSet) -> Result<(), Error<T>> {
        ensure!(roles.is_separate(), Error::<T>::RolesConflict);
        let office = T::Administrators::office(did);
        ensure!(office.is_none_or(|office| office.goes_with(roles)), Error::<T>::OfficeConflict);
        Ok(())
    }

    fn not_cancelled(did: &Did) -> Result<Participant, Error<T>> {
        let participant = Participants::<T>::get(did).ok_or(Error::<T>::NotFound)?;
        ensure!(participant.status != ParticipantStatus::Cancelled, Error::<T>::Cancelled);
        Ok(participant)
    }

    pub(crate) fn check_registration(registration: &Registration) -> Result<(), Error<T>> {
        let known = Participants::<T>::contains_key(&registration.did);
        ensure!(!known, Error::<T>::AlreadyRegistered);
        let room = Participants::<T>::count() < T::MaxParticipants::get();
        ensure!(room, Error::<T>::TooManyParticipants);
        ensure!(registration.roles.is_separate(), Error::<T>::RolesConflict);
        Self::check_key(&registration.public_key)?;
        Self::check_uscc(registration.kind, registration.uscc_hash)
    }

    fn check_key(key: &PublicKey) -> Result<(), Error<T>> {
        ensure!(Self::is_scheme_admitted(key.scheme()), Error::<T>::SchemeNotAdmitted);
        ensure!(key.is_well_formed(), Error::<T>::InvalidPublicKey);
        let account = key.account_id();
        let Some(owner) = AccountToDid::<T>::get(&account) else { return Ok(()) };
        let current = Participants::<T>::get(owner).is_some_and(|participant| {
            participant.account == account && participant.status != ParticipantStatus::Cancelled
        });
        Err(if current { Error::<T>::AccountInUse } else { Error::<T>::AccountRetired })
    }

    fn check_uscc(kind: ParticipantKind, uscc_hash: Option<Hash>) -> Result<(), Error<T>> {
        let Some(hash) = uscc_hash else { return Ok(()) };
        ensure!(kind == ParticipantKind::Organisation, Error::<T>::UsccOfPerson);
        ensure!(!hash.is_zero(), Error::<T>::ZeroUsccHash);
        ensure!(!UsccToDid::<T>::contains_key(hash), Error::<T>::UsccInUse);
        Ok(())
    }

    /// Writes a checked registration.
    pub(crate) fn insert(registration: Registration, operator: Option<AccountId>) {
        let Registration { did, name, kind, public_key, roles, uscc_hash } = registration.clone();
        let account = public_key.account_id();
        let participant = Participant {
            name,
            kind,
            public_key,
            account: account.clone(),
            roles,
            status: ParticipantStatus::Active,
            uscc_hash,
            rotations: 0,
            version: 0,
            history_hash: Hash::zero(),
            registered: Self::stamp(),
            updated: Self::stamp(),
        };
        Self::link(&account, &did);
        uscc_hash.into_iter().for_each(|hash| UsccToDid::<T>::insert(hash, &did));
        Self::store(&did, participant, operator.clone(), Change::Registered(registration));
        Self::deposit_event(Event::Registered { did, account, kind, roles, operator });
    }

    /// Gives a new account to a participant and lets it have a nonce. The
    /// reference is never dropped: the nonce must outlive the key.
    fn link(account: &AccountId, did: &Did) {
        AccountToDid::<T>::insert(account, did);
        frame_system::Pallet::<T>::inc_providers(account);
    }

    /// Writes a changed participant and the record of the change.
    fn store(did: &Did, mut participant: Participant, operator: Option<AccountId>, change: Change) {
        participant.version = participant.version.saturating_add(1);
        participant.updated = Self::stamp();
        let version = participant.version;
        let record = HistoryRecord { version, stamp: participant.updated, operator, change };
        let encoded = record.encode();
        let chained = [participant.history_hash.as_bytes(), &encoded].concat();
        participant.history_hash = sm3(&chained).into();
        sp_io::offchain_index::set(&history_key(did, version), &encoded);
        Participants::<T>::insert(did, participant);
    }

    fn stamp() -> Stamp {
        Stamp {
            block: frame_system::Pallet::<T>::block_number().saturated_into(),
            extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
            moment: T::Time::now(),
        }
    }

    /// Checks that
    /// 1. every participant's account is its key's and leads back to it, and
    ///    its system record is kept alive;
    /// 2. every account known belongs to a participant, and there is one for
    ///    every registration and rotation;
    /// 3. the USCC hashes known are exactly those of the organisations that are
    ///    not cancelled;
    /// 4. the bounds hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let (mut with_uscc, mut keys, mut count) = (0, 0u64, 0u32);
        for (did, participant) in Participants::<T>::iter() {
            count = count.saturating_add(1);
            keys = keys.saturating_add(1).saturating_add(participant.rotations.into());
            let account = &participant.account;
            ensure!(*account == participant.public_key.account_id(), "account is not the key's");
            let owner = AccountToDid::<T>::get(account);
            ensure!(owner.as_ref() == Some(&did), "account leads to another participant");
            ensure!(participant.version > 0, "participant without a version");
            ensure!(participant.roles.is_separate(), "a participant administers and audits");
            ensure!(participant.rotations <= T::MaxRotations::get(), "too many rotations");
            if let Some(hash) = participant.uscc_hash {
                let organisation = participant.kind == ParticipantKind::Organisation;
                ensure!(organisation, "person with a USCC");
                if participant.status != ParticipantStatus::Cancelled {
                    with_uscc += 1;
                    ensure!(UsccToDid::<T>::get(hash).as_ref() == Some(&did), "USCC hash lost");
                }
            }
        }
        ensure!(count == Participants::<T>::count(), "participant counter is wrong");
        ensure!(count <= T::MaxParticipants::get(), "too many participants");
        ensure!(UsccToDid::<T>::iter().count() == with_uscc, "USCC hash of nobody");
        let mut accounts = 0u64;
        for (account, did) in AccountToDid::<T>::iter() {
            accounts = accounts.saturating_add(1);
            ensure!(Participants::<T>::contains_key(did), "account of nobody");
            let alive = frame_system::Pallet::<T>::providers(&account) > 0;
            ensure!(alive, "account without a system record");
        }
        ensure!(accounts == keys, "accounts do not match registrations and rotations");
        Ok(())
    }
}
