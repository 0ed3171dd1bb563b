//! # Permissions contract (权限控制智能合约)
//!
//! The status machine of bills as versioned data ([`Pallet::set_transition_rule`]): which roles may
//! move a bill from which status to which. The whitelist of each scene names who locks
//! without a grant ([`Pallet::set_whitelist`]). The offices of the three administrators (三员), system
//! administrators, security administrators and auditors, are here too ([`Pallet::set_admin`]). What
//! participants may do to bills is the participant contract's `set_roles`.
//!
//! ```
//! use billchain_primitives::{BillStatus, Operation, Role, Target};
//! use pallet_permissions::{TransitionRuleKey, default_rules};
//!
//! let register = TransitionRuleKey::general(None, Operation::Register);
//! let (_, roles, target) = default_rules().into_iter().find(|(key, ..)| *key == register).unwrap();
//! assert!(roles.contains(Role::Issuer) && !roles.contains(Role::User));
//! assert_eq!(target, Target::Status(BillStatus::Normal));
//! // Nothing follows a final status.
//! let voided = Some(BillStatus::Voided);
//! assert!(default_rules().iter().all(|(key, ..)| key.from != voided));
//! ```
//!
//! ## What it promises
//! - A final status (red-reversed, voided) has no rule, whatever is asked.
//! - A scene's own rule decides in that scene, whatever the general one says; without one, the
//!   general one decides. A scene's rule that names no role closes the operation there.
//! - Every change of a rule makes a version of the whole table, and every
//!   version can be read: [`Pallet::rules_at`].
//! - A participant holds one office at most, whatever becomes of its keys, and
//!   none that its roles rule out: who administers does not audit. It uses the
//!   office with its current key, and only while it is active.
//!
//! ## What it assumes
//! Rules, whitelist and offices change by a motion of the council, or whatever
//! else the runtime chooses ([`Config::AdminOrigin`]). The contracts that ask
//! add their own conditions (amounts, holders). The participant contract asks
//! [`Administrators`] before it changes roles.

#![forbid(unsafe_code)]

mod checks;
mod origin;
mod reads;
mod rules;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use origin::{Auditor, EnsureAdministrator, SecurityAdmin, SystemAdmin};
pub use pallet::*;
pub use rules::default_rules;
pub use types::{CheckProblem, TransitionRule, TransitionRuleChange, TransitionRuleKey};
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, AdminRole, BillStatus, Did, Moment, Operation, RoleSet, SceneId, Target,
    seams::{
        Administrators, ParticipantProblem, Participants, Scenes, TransitionProblem,
        TransitionRules,
    },
};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// The permissions contract.
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
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId>
    {
        /// Who changes rules, whitelists and administrators.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who acts on the chain.
        type Participants: Participants;
        /// The business scenes.
        type Scenes: Scenes;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = Moment>;
        /// Most versions of the rules; not 0. Each stays readable.
        #[pallet::constant]
        type MaxRuleVersions: Get<u32>;
        /// Most rules, those of scenes among them; not 0.
        #[pallet::constant]
        type MaxRules: Get<u32>;
        /// Most entries of the whitelist; not 0.
        #[pallet::constant]
        type MaxWhitelist: Get<u32>;
        /// Most administrators; not 0.
        #[pallet::constant]
        type MaxAdmins: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The status machine: the general rules, and those of scenes.
    #[pallet::storage]
    pub type Rules<T: Config> =
        CountedStorageMap<_, Twox64Concat, TransitionRuleKey, TransitionRule>;

    /// Version of the rules; 1 at genesis, one more with every change.
    #[pallet::storage]
    pub type RulesVersion<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// What made each version of the rules, from 2.
    #[pallet::storage]
    pub type RuleChanges<T: Config> = StorageMap<_, Twox64Concat, u32, TransitionRuleChange>;

    /// Participants that lock in a scene without a grant.
    #[pallet::storage]
    pub type Whitelist<T: Config> = CountedStorageMap<_, Blake2_128Concat, (SceneId, Did), ()>;

    /// The administrators' offices.
    #[pallet::storage]
    pub type Admins<T: Config> = CountedStorageMap<_, Blake2_128Concat, Did, AdminRole>;

    /// First rules, whitelist and administrators.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// The status machine; [`default_rules`] by default.
        pub rules: Vec<(TransitionRuleKey, RoleSet, Target)>,
        /// Participants that lock without a grant, by scene.
        pub whitelist: Vec<(SceneId, Did)>,
        /// The administrators, active participants.
        pub admins: Vec<(Did, AdminRole)>,
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                rules: default_rules(),
                whitelist: Vec::new(),
                admins: Vec::new(),
                phantom: PhantomData,
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            RulesVersion::<T>::put(1);
            for (key, roles, target) in &self.rules {
                assert!(
                    !key.from.is_some_and(BillStatus::is_final),
                    "{key:?}: the status is final"
                );
                assert!(!Rules::<T>::contains_key(key), "{key:?} stands twice");
                Rules::<T>::insert(
                    key,
                    TransitionRule { roles: *roles, target: *target, version: 1 },
                );
            }
            assert!(Rules::<T>::count() <= T::MaxRules::get(), "too many rules");
            for entry in &self.whitelist {
                Whitelist::<T>::insert(entry, ());
            }
            assert!(Whitelist::<T>::count() <= T::MaxWhitelist::get(), "whitelist too long");
            for (did, role) in &self.admins {
                let refused = Pallet::<T>::ensure_may_hold(did, *role).err();
                assert!(refused.is_none(), "administrator {did}: {refused:?}");
                Admins::<T>::insert(did, role);
            }
            assert!(Admins::<T>::count() <= T::MaxAdmins::get(), "too many administrators");
        }
    }

    /// What changed about permissions.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A rule was set.
        RuleSet {
            /// Status, operation and scene it is for.
            key: TransitionRuleKey,
            /// Who may, and where it leads.
            rule: TransitionRule,
        },
        /// A rule was removed. A scene's: the general one decides there again;
        /// the general one: the operation is refused from that status in every
        /// scene that has no rule of its own.
        RuleRemoved {
            /// Status, operation and scene it was for.
            key: TransitionRuleKey,
            /// Version of the rules now.
            version: u32,
        },
        /// A participant may lock in a scene without a grant.
        WhitelistSet {
            /// The scene.
            scene: SceneId,
            /// The participant.
            did: Did,
        },
        /// A participant needs a grant again.
        WhitelistRemoved {
            /// The scene.
            scene: SceneId,
            /// The participant.
            did: Did,
        },
        /// A participant became an administrator.
        AdminSet {
            /// The participant.
            did: Did,
            /// Its office.
            role: AdminRole,
        },
        /// A participant is no administrator any longer.
        AdminRemoved {
            /// The participant.
            did: Did,
            /// The office it had.
            role: AdminRole,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// Nothing may follow a final status.
        FinalStatus,
        /// The general rule lets nobody do it; remove it instead.
        NoRoles,
        /// There is no such rule.
        RuleNotFound,
        /// The whitelist has the entry already.
        AlreadyWhitelisted,
        /// The whitelist has no such entry.
        NotWhitelisted,
        /// The whitelist is full.
        WhitelistFull,
        /// The participant holds an office; duties are separate.
        HoldsAnotherRole,
        /// The participant is no administrator.
        NotAdmin,
        /// There are as many administrators as there may be.
        TooManyAdmins,
        /// The participant may not act, for this reason.
        Participant(ParticipantProblem),
        /// The participant's roles rule the office out: who administers does
        /// not audit.
        RolesConflict,
        /// There is no such scene.
        SceneNotFound,
        /// The rule says this already.
        RuleUnchanged,
        /// The rules have as many versions as they may have.
        TooManyVersions,
        /// There are as many rules as there may be.
        TooManyRules,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxWhitelist::get() > 0, "MaxWhitelist is 0");
            assert!(T::MaxAdmins::get() > 0, "MaxAdmins is 0");
            assert!(T::MaxRuleVersions::get() > 0, "MaxRuleVersions is 0");
            assert!(T::MaxRules::get() > 0, "MaxRules is 0");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Sets who may do an operation from a status and where it leads: in a
        /// scene, if the key names one, or in every scene that has no rule of
        /// its own. A scene's rule without roles closes the operation there.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `FinalStatus`, `NoRoles`, `SceneNotFound`, `RuleUnchanged`, `TooManyRules`,
        /// `TooManyVersions`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::set_transition_rule())]
        pub fn set_transition_rule(
            origin: OriginFor<T>,
            key: TransitionRuleKey,
            roles: RoleSet,
            target: Target,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            ensure!(!key.from.is_some_and(BillStatus::is_final), Error::<T>::FinalStatus);
            ensure!(!roles.is_empty() || key.scene.is_some(), Error::<T>::NoRoles);
            if let Some(scene) = key.scene {
                Self::ensure_scene(scene)?;
            }
            let before = Rules::<T>::get(key);
            let same = before.is_some_and(|rule| rule.roles == roles && rule.target == target);
            ensure!(!same, Error::<T>::RuleUnchanged);
            let room = before.is_some() || Rules::<T>::count() < T::MaxRules::get();
            ensure!(room, Error::<T>::TooManyRules);
            let rule = TransitionRule { roles, target, version: Self::next_version()? };
            Rules::<T>::insert(key, rule);
            Self::record(rule.version, key, before, Some(rule));
            Self::deposit_event(Event::RuleSet { key, rule });
            Ok(())
        }

        /// Removes a rule, the general one or a scene's own.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `RuleNotFound`, `TooManyVersions`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::remove_transition_rule())]
        pub fn remove_transition_rule(
            origin: OriginFor<T>,
            key: TransitionRuleKey,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let before = Rules::<T>::get(key).ok_or(Error::<T>::RuleNotFound)?;
            let version = Self::next_version()?;
            Rules::<T>::remove(key);
            Self::record(version, key, Some(before), None);
            Self::deposit_event(Event::RuleRemoved { key, version });
            Ok(())
        }

        /// Makes an active participant an administrator. One that holds
        /// another office gives that up first.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `Participant`, `HoldsAnotherRole`, `RolesConflict`, `TooManyAdmins`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_admin())]
        pub fn set_admin(origin: OriginFor<T>, did: Did, role: AdminRole) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::ensure_may_hold(&did, role)?;
            ensure!(Admins::<T>::count() < T::MaxAdmins::get(), Error::<T>::TooManyAdmins);
            Admins::<T>::insert(&did, role);
            Self::deposit_event(Event::AdminSet { did, role });
            Ok(())
        }

        /// Takes an administrator's office away.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotAdmin`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::remove_admin())]
        pub fn remove_admin(origin: OriginFor<T>, did: Did) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let role = Admins::<T>::take(&did).ok_or(Error::<T>::NotAdmin)?;
            Self::deposit_event(Event::AdminRemoved { did, role });
            Ok(())
        }

        /// Lets a participant lock in a scene without a grant, whatever state
        /// it is in: it locks only while it is active.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `Participant`, `SceneNotFound`, `AlreadyWhitelisted`, `WhitelistFull`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_whitelist())]
        pub fn set_whitelist(origin: OriginFor<T>, scene: SceneId, did: Did) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let unknown = ParticipantProblem::NotFound;
            let known = T::Participants::active_by_did(&did) != Err(unknown);
            ensure!(known, Error::<T>::Participant(unknown));
            Self::ensure_scene(scene)?;
            let entry = (scene, did);
            ensure!(!Whitelist::<T>::contains_key(&entry), Error::<T>::AlreadyWhitelisted);
            ensure!(Whitelist::<T>::count() < T::MaxWhitelist::get(), Error::<T>::WhitelistFull);
            Whitelist::<T>::insert(&entry, ());
            let (scene, did) = entry;
            Self::deposit_event(Event::WhitelistSet { scene, did });
            Ok(())
        }

        /// Makes a participant need a grant again.
        ///
        /// # Origin
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// `NotWhitelisted`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::remove_whitelist())]
        pub fn remove_whitelist(origin: OriginFor<T>, scene: SceneId, did: Did) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let entry = (scene, did);
            ensure!(Whitelist::<T>::contains_key(&entry), Error::<T>::NotWhitelisted);
            Whitelist::<T>::remove(&entry);
            let (scene, did) = entry;
            Self::deposit_event(Event::WhitelistRemoved { scene, did });
            Ok(())
        }
    }
}

impl<T: Config> Administrators for Pallet<T> {
    fn office(did: &Did) -> Option<AdminRole> {
        Admins::<T>::get(did)
    }
}

impl<T: Config> TransitionRules for Pallet<T> {
    fn check(
        from: Option<BillStatus>,
        operation: Operation,
        roles: RoleSet,
        scene: SceneId,
    ) -> Result<Target, TransitionProblem> {
        if from.is_some_and(BillStatus::is_final) {
            return Err(TransitionProblem::FinalStatus);
        }
        let general = TransitionRuleKey::general(from, operation);
        let rule = Rules::<T>::get(general.in_scene(scene)).or_else(|| Rules::<T>::get(general));
        match rule {
            Some(rule) if rule.roles.intersects(roles) => Ok(rule.target),
            Some(rule) if !rule.roles.is_empty() => Err(TransitionProblem::RoleForbidden),
            _ => Err(TransitionProblem::IllegalTransition),
        }
    }

    fn is_whitelisted(scene: SceneId, did: &Did) -> bool {
        Whitelist::<T>::contains_key((scene, did))
    }
}
