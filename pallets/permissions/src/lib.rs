//! # Permissions contract (权限控制智能合约)
//!
//! Which operation leads from which status to which, and for whom: the status
//! machine of bills as data, versioned. Tender row [232]. Also the whitelist of
//! participants that lock without a grant [76], and the three administrators
//! (三员), who are different accounts.
//!
//! ## What it promises
//! - A final status (red-reversed, voided) has no rule, whatever is asked.
//! - Every change of a rule raises [`RulesVersion`] and deposits an event.
//! - An account holds one administrator's role at most.
//!
//! ## What it assumes
//! Who administers is the runtime's choice ([`Config::AdminOrigin`]); the
//! contracts that ask add their own conditions (amounts, holders, scenes).

#![forbid(unsafe_code)]

mod origin;
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
pub use types::{Rule, RuleKey};
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, AdminRole, BillStatus, Did, Operation, RoleSet, SceneId, Target,
    traits::{RuleProblem, TransitionRules},
};
use frame::{prelude::*, try_runtime::TryRuntimeError};

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
        /// Most entries of the whitelist; not 0.
        #[pallet::constant]
        type MaxWhitelist: Get<u32>;
        /// Most administrators; not 0.
        #[pallet::constant]
        type MaxAdmins: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The status machine. Bounded by the product of statuses and operations.
    #[pallet::storage]
    pub type Rules<T: Config> = StorageMap<_, Twox64Concat, RuleKey, Rule>;

    /// How often the rules were changed; 1 at genesis.
    #[pallet::storage]
    pub type RulesVersion<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// Participants that lock in a scene without a grant.
    #[pallet::storage]
    pub type Whitelist<T: Config> = CountedStorageMap<_, Blake2_128Concat, (SceneId, Did), ()>;

    /// The administrators.
    #[pallet::storage]
    pub type Admins<T: Config> = CountedStorageMap<_, Blake2_128Concat, AccountId, AdminRole>;

    /// First rules, whitelist and administrators.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// The status machine; [`default_rules`] by default.
        pub rules: Vec<(RuleKey, RoleSet, Target)>,
        /// Participants that lock without a grant, by scene.
        pub whitelist: Vec<(SceneId, Did)>,
        /// The administrators.
        pub admins: Vec<(AccountId, AdminRole)>,
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
                Rules::<T>::insert(key, Rule { roles: *roles, target: *target, version: 1 });
            }
            for entry in &self.whitelist {
                Whitelist::<T>::insert(entry, ());
            }
            assert!(Whitelist::<T>::count() <= T::MaxWhitelist::get(), "whitelist too long");
            for (account, role) in &self.admins {
                assert!(!Admins::<T>::contains_key(account), "{account} holds two roles");
                Admins::<T>::insert(account, role);
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
            /// Status and operation it is for.
            key: RuleKey,
            /// Who may, and where it leads.
            rule: Rule,
        },
        /// A rule was removed: the operation is refused from that status.
        RuleRemoved {
            /// Status and operation it was for.
            key: RuleKey,
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
        /// An account became an administrator.
        AdminSet {
            /// The account.
            account: AccountId,
            /// Its role.
            role: AdminRole,
        },
        /// An account is no administrator any longer.
        AdminRemoved {
            /// The account.
            account: AccountId,
            /// The role it had.
            role: AdminRole,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// Nothing may follow a final status.
        FinalStatus,
        /// The rule lets nobody do it; remove it instead.
        NoRoles,
        /// There is no such rule.
        RuleNotFound,
        /// The whitelist has the entry already.
        AlreadyWhitelisted,
        /// The whitelist has no such entry.
        NotWhitelisted,
        /// The whitelist is full.
        WhitelistFull,
        /// The account holds an administrator's role; duties are separate.
        HoldsAnotherRole,
        /// The account is no administrator.
        NotAdmin,
        /// There are as many administrators as there may be.
        TooManyAdmins,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxWhitelist::get() > 0, "MaxWhitelist is 0");
            assert!(T::MaxAdmins::get() > 0, "MaxAdmins is 0");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Sets who may do an operation from a status and where it leads.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::set_transition_rule())]
        pub fn set_transition_rule(
            origin: OriginFor<T>,
            key: RuleKey,
            roles: RoleSet,
            target: Target,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            ensure!(!key.from.is_some_and(BillStatus::is_final), Error::<T>::FinalStatus);
            ensure!(!roles.is_empty(), Error::<T>::NoRoles);
            let rule = Rule { roles, target, version: Self::next_version()? };
            Rules::<T>::insert(key, rule);
            Self::deposit_event(Event::RuleSet { key, rule });
            Ok(())
        }

        /// Removes a rule.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::remove_transition_rule())]
        pub fn remove_transition_rule(origin: OriginFor<T>, key: RuleKey) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            ensure!(Rules::<T>::contains_key(key), Error::<T>::RuleNotFound);
            Rules::<T>::remove(key);
            Self::deposit_event(Event::RuleRemoved { key, version: Self::next_version()? });
            Ok(())
        }

        /// Makes an account an administrator.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_admin())]
        pub fn set_admin(
            origin: OriginFor<T>,
            account: AccountId,
            role: AdminRole,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            ensure!(!Admins::<T>::contains_key(&account), Error::<T>::HoldsAnotherRole);
            ensure!(Admins::<T>::count() < T::MaxAdmins::get(), Error::<T>::TooManyAdmins);
            Admins::<T>::insert(&account, role);
            Self::deposit_event(Event::AdminSet { account, role });
            Ok(())
        }

        /// Takes an administrator's role away.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::remove_admin())]
        pub fn remove_admin(origin: OriginFor<T>, account: AccountId) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let role = Admins::<T>::take(&account).ok_or(Error::<T>::NotAdmin)?;
            Self::deposit_event(Event::AdminRemoved { account, role });
            Ok(())
        }

        /// Lets a participant lock in a scene without a grant.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_whitelist())]
        pub fn set_whitelist(origin: OriginFor<T>, scene: SceneId, did: Did) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let entry = (scene, did);
            ensure!(!Whitelist::<T>::contains_key(&entry), Error::<T>::AlreadyWhitelisted);
            ensure!(Whitelist::<T>::count() < T::MaxWhitelist::get(), Error::<T>::WhitelistFull);
            Whitelist::<T>::insert(&entry, ());
            let (scene, did) = entry;
            Self::deposit_event(Event::WhitelistSet { scene, did });
            Ok(())
        }

        /// Makes a participant need a grant again.
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

    impl<T: Config> Pallet<T> {
        /// The role of `account` among the administrators.
        pub fn admin_role(account: &AccountId) -> Option<AdminRole> {
            Admins::<T>::get(account)
        }

        fn next_version() -> Result<u32, DispatchError> {
            let version =
                RulesVersion::<T>::get().checked_add(1).ok_or(ArithmeticError::Overflow)?;
            RulesVersion::<T>::put(version);
            Ok(version)
        }

        /// Checks what always holds: no final status has a rule, every rule
        /// lets somebody and is no newer than the rules.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            let newest = RulesVersion::<T>::get();
            for (key, rule) in Rules::<T>::iter() {
                ensure!(!key.from.is_some_and(BillStatus::is_final), "a final status has a rule");
                ensure!(!rule.roles.is_empty(), "a rule lets nobody");
                ensure!(rule.version <= newest, "a rule is newer than the rules");
            }
            ensure!(Admins::<T>::count() <= T::MaxAdmins::get(), "too many administrators");
            ensure!(Whitelist::<T>::count() <= T::MaxWhitelist::get(), "whitelist too long");
            Ok(())
        }
    }
}

impl<T: Config> TransitionRules for Pallet<T> {
    fn check(
        from: Option<BillStatus>,
        operation: Operation,
        roles: RoleSet,
    ) -> Result<Target, RuleProblem> {
        if from.is_some_and(BillStatus::is_final) {
            return Err(RuleProblem::FinalStatus);
        }
        let rule =
            Rules::<T>::get(RuleKey { from, operation }).ok_or(RuleProblem::IllegalTransition)?;
        if rule.roles.intersects(roles) { Ok(rule.target) } else { Err(RuleProblem::RoleForbidden) }
    }

    fn is_whitelisted(scene: SceneId, did: &Did) -> bool {
        Whitelist::<T>::contains_key((scene, did))
    }
}
