//! # Scene contract (业务场景管理智能合约)
//!
//! The business scenes that bills are issued and claimed in: whether one claim
//! succeeds or several, how long a lock lasts, how heavily a scene weighs in
//! contention, whether its bills come through access nodes only. Tender rows
//! [217, 219, 223].
//!
//! A scene is registered active; a disabled one takes no new bills and locks.
//! Who administers is the runtime's choice ([`Config::AdminOrigin`]). Approval
//! by a second administrator and the required fields of a scene are not part of
//! this version.

#![forbid(unsafe_code)]

mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Scene, SceneStatus};
pub use weights::WeightInfo;

use billchain_primitives::{
    Name, SceneId,
    traits::{SceneProblem, SceneRules, Scenes as Seam},
};
use frame::{prelude::*, try_runtime::TryRuntimeError};

/// The scene contract.
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
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Who administers scenes.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Most scenes; not 0.
        #[pallet::constant]
        type MaxScenes: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Scenes by number.
    #[pallet::storage]
    pub type Scenes<T: Config> = CountedStorageMap<_, Twox64Concat, SceneId, Scene>;

    /// First scenes.
    #[pallet::genesis_config]
    #[derive(frame::prelude::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Number, name and rules of each; all active.
        pub scenes: Vec<(SceneId, Name, SceneRules)>,
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (id, name, rules) in &self.scenes {
                assert!(rules.lock_period_ms > 0, "scene {}: the lock period is 0", id.0);
                assert!(!Scenes::<T>::contains_key(id), "scene {} stands twice", id.0);
                let status = SceneStatus::Active;
                Scenes::<T>::insert(id, Scene { name: name.clone(), status, rules: *rules });
            }
            assert!(Scenes::<T>::count() <= T::MaxScenes::get(), "too many scenes");
        }
    }

    /// What happened to a scene.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A scene was registered; it is active.
        SceneRegistered {
            /// Its number.
            scene: SceneId,
            /// Its name.
            name: Name,
            /// Its rules.
            rules: SceneRules,
        },
        /// A scene got other rules. Locks that exist keep theirs.
        SceneConfigured {
            /// Its number.
            scene: SceneId,
            /// Its rules now.
            rules: SceneRules,
        },
        /// A scene's weight in contention changed.
        WeightSet {
            /// Its number.
            scene: SceneId,
            /// The weight before.
            from: u16,
            /// The weight now.
            to: u16,
        },
        /// A scene's status changed.
        StatusSet {
            /// Its number.
            scene: SceneId,
            /// The status now.
            status: SceneStatus,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// A scene has this number already.
        AlreadyRegistered,
        /// No scene has this number.
        NotFound,
        /// There are as many scenes as there may be.
        TooManyScenes,
        /// The lock period is 0.
        LockPeriodZero,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxScenes::get() > 0, "MaxScenes is 0");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers a scene, active.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(
            origin: OriginFor<T>,
            scene: SceneId,
            name: Name,
            rules: SceneRules,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            ensure!(rules.lock_period_ms > 0, Error::<T>::LockPeriodZero);
            ensure!(!Scenes::<T>::contains_key(scene), Error::<T>::AlreadyRegistered);
            ensure!(Scenes::<T>::count() < T::MaxScenes::get(), Error::<T>::TooManyScenes);
            let status = SceneStatus::Active;
            Scenes::<T>::insert(scene, Scene { name: name.clone(), status, rules });
            Self::deposit_event(Event::SceneRegistered { scene, name, rules });
            Ok(())
        }

        /// Gives a scene other rules.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::configure())]
        pub fn configure(
            origin: OriginFor<T>,
            scene: SceneId,
            rules: SceneRules,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            ensure!(rules.lock_period_ms > 0, Error::<T>::LockPeriodZero);
            Self::mutate(scene, |entry| entry.rules = rules)?;
            Self::deposit_event(Event::SceneConfigured { scene, rules });
            Ok(())
        }

        /// Sets a scene's weight in contention.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_weight())]
        pub fn set_weight(origin: OriginFor<T>, scene: SceneId, weight: u16) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let from =
                Self::mutate(scene, |entry| core::mem::replace(&mut entry.rules.weight, weight))?;
            Self::deposit_event(Event::WeightSet { scene, from, to: weight });
            Ok(())
        }

        /// Makes a scene active or disabled.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::set_status())]
        pub fn set_status(
            origin: OriginFor<T>,
            scene: SceneId,
            status: SceneStatus,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::mutate(scene, |entry| entry.status = status)?;
            Self::deposit_event(Event::StatusSet { scene, status });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        fn mutate<R>(scene: SceneId, f: impl FnOnce(&mut Scene) -> R) -> Result<R, Error<T>> {
            Scenes::<T>::try_mutate(scene, |entry| {
                entry.as_mut().map(f).ok_or(Error::<T>::NotFound)
            })
        }

        /// Checks what always holds: no lock period is 0, and there are no more
        /// scenes than there may be.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            ensure!(Scenes::<T>::count() <= T::MaxScenes::get(), "too many scenes");
            ensure!(
                Scenes::<T>::iter_values().all(|scene| scene.rules.lock_period_ms > 0),
                "a lock period is 0"
            );
            Ok(())
        }
    }
}

impl<T: Config> Seam for Pallet<T> {
    fn active(scene: SceneId) -> Result<SceneRules, SceneProblem> {
        match Scenes::<T>::get(scene) {
            None => Err(SceneProblem::NotFound),
            Some(Scene { status: SceneStatus::Disabled, .. }) => Err(SceneProblem::Inactive),
            Some(Scene { rules, .. }) => Ok(rules),
        }
    }
}
