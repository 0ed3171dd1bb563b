//! # Upgrade at height (按高度升级)
//!
//! When the chain goes over to the rules of another release. The council schedules
//! a release for a height by motion; operators say that their nodes are ready for
//! it; at the height all nodes alike go over to its rules, or stay with the old ones
//! if too few were ready.
//!
//! ```
//! use pallet_upgrade::is_enough;
//! assert!(is_enough(3, 4), "more than two thirds of the power");
//! assert!(!is_enough(2, 3));
//! ```
//!
//! ## What it promises
//! - Which rules a block is made under follows from its parent's state alone
//!   ([`Pallet::rules_of`]). A release executes only blocks under its own rules, so
//!   nodes of different releases never disagree about a block: one of them stops.
//! - The rules change at the scheduled height only if operators of more than two
//!   thirds of the voting power have confirmed. Otherwise the chain goes on under the
//!   old rules, and an event says so.
//! - What was signed for the rules before is still admitted for [`GRACE_MS`] after the
//!   change, unless the encoding of calls changed: what clients have sent is not lost.
//! - A confirmation names the release by its rules and the digest of its manifest. It
//!   counts for no other release.
//!
//! ## What it assumes
//! FRAME's system pallet holds the version of the rules in force, and the executive
//! changes it with the first block under new rules, before anything else of that
//! block. The executor asks [`Pallet::rules_of`] before it begins a block.

#![forbid(unsafe_code)]

mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Former, GRACE_MS, MIN_NOTICE, Plan, Release, is_enough};
pub use weights::WeightInfo;

use billchain_primitives::{AccountId, BlockNumber, Hash, Moment, seams::Electorate};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// The upgrade contract.
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
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId, Hash = Hash>
    {
        /// Who schedules releases.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Whose nodes have to be ready.
        type Electorate: Electorate;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = Moment>;
        /// Most operators that confirm: as many as there are validators.
        #[pallet::constant]
        type MaxVoters: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The release that is scheduled.
    #[pallet::storage]
    pub type Scheduled<T: Config> = StorageValue<_, Plan>;

    /// Operators whose nodes are ready for it, in ascending order.
    #[pallet::storage]
    pub type Ready<T: Config> = StorageValue<_, BoundedVec<AccountId, T::MaxVoters>, ValueQuery>;

    /// The rules before those in force, if what was signed for them is admitted.
    #[pallet::storage]
    pub type Before<T: Config> = StorageValue<_, Former>;

    /// What becomes of a release.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The council has scheduled a release.
        ReleaseScheduled {
            /// The release.
            release: Release,
        },
        /// The council has withdrawn the release that was scheduled.
        ReleaseCancelled {
            /// The release.
            release: Release,
        },
        /// An operator's node is ready for the scheduled release.
        ReadinessConfirmed {
            /// Account of the operator.
            operator: AccountId,
            /// Rules of the release.
            rules: u32,
        },
        /// An operator's node is not ready after all.
        ReadinessWithdrawn {
            /// Account of the operator.
            operator: AccountId,
            /// Rules of the release.
            rules: u32,
        },
        /// This block is the first under the rules of the release.
        RulesChanged {
            /// The release.
            release: Release,
        },
        /// The height has come and too few were ready: the old rules go on.
        ReleaseLapsed {
            /// The release.
            release: Release,
            /// Voting power that was ready.
            ready: u64,
            /// Voting power of all.
            of: u64,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The release's rules are not newer than those in force.
        RulesNotNewer,
        /// The height is less than `MIN_NOTICE` blocks ahead.
        HeightTooSoon,
        /// Another release is scheduled: cancel it first.
        AlreadyScheduled,
        /// No release is scheduled.
        NothingScheduled,
        /// The scheduled release has other rules or another manifest.
        AnotherRelease,
        /// The sender operates no validator.
        NotAnOperator,
        /// The operator has confirmed already.
        AlreadyConfirmed,
        /// The operator has not confirmed.
        NotConfirmed,
        /// More operators have confirmed than there may be validators.
        TooManyConfirmed,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(height: BlockNumberFor<T>) -> Weight {
            let height: BlockNumber = height.saturated_into();
            match Scheduled::<T>::get() {
                Some(plan) if plan.release.height <= height => {
                    Self::conclude(plan);
                    T::WeightInfo::conclude()
                }
                _ => T::DbWeight::get().reads(1),
            }
        }

        fn try_state(height: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state(height.saturated_into())
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Schedules a release. One at a time.
        ///
        /// # Origin
        /// The administrators': a motion of the council.
        ///
        /// # Errors
        /// `RulesNotNewer`, `HeightTooSoon`, `AlreadyScheduled`.
        #[pallet::call_index(0)]
        #[pallet::weight((T::WeightInfo::schedule(), DispatchClass::Operational))]
        pub fn schedule(origin: OriginFor<T>, release: Release) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            ensure!(!Scheduled::<T>::exists(), Error::<T>::AlreadyScheduled);
            ensure!(release.rules > Self::rules_in_force(), Error::<T>::RulesNotNewer);
            let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
            ensure!(release.height >= now.saturating_add(MIN_NOTICE), Error::<T>::HeightTooSoon);
            let version = T::Version::get();
            Scheduled::<T>::put(Plan {
                release,
                rules: version.spec_version,
                encoding: version.transaction_version,
            });
            Self::deposit_event(Event::ReleaseScheduled { release });
            Ok(())
        }

        /// Withdraws the release that is scheduled, and all confirmations of it.
        ///
        /// # Origin
        /// The administrators': a motion of the council.
        ///
        /// # Errors
        /// `NothingScheduled`.
        #[pallet::call_index(1)]
        #[pallet::weight((T::WeightInfo::cancel(), DispatchClass::Operational))]
        pub fn cancel(origin: OriginFor<T>) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            let release = Scheduled::<T>::take().ok_or(Error::<T>::NothingScheduled)?.release;
            Ready::<T>::kill();
            Self::deposit_event(Event::ReleaseCancelled { release });
            Ok(())
        }

        /// Says that the sender's node is ready: the release is installed and will
        /// take over at the height.
        ///
        /// # Origin
        /// A validator's operator.
        ///
        /// # Errors
        /// `NothingScheduled`, `AnotherRelease`, `NotAnOperator`, `AlreadyConfirmed`.
        #[pallet::call_index(2)]
        #[pallet::weight((T::WeightInfo::confirm(), DispatchClass::Operational))]
        pub fn confirm(origin: OriginFor<T>, rules: u32, manifest: Hash) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            let release = Self::scheduled().ok_or(Error::<T>::NothingScheduled)?;
            let is_this = release.rules == rules && release.manifest == manifest;
            ensure!(is_this, Error::<T>::AnotherRelease);
            let voters = T::Electorate::voters();
            let votes = |account: &AccountId| voters.iter().any(|(voter, _)| voter == account);
            ensure!(votes(&operator), Error::<T>::NotAnOperator);
            Ready::<T>::try_mutate(|ready| {
                // Those that operate a validator no more take nobody's place.
                ready.retain(|known| votes(known));
                let place = match ready.binary_search(&operator) {
                    Ok(_) => return Err(Error::<T>::AlreadyConfirmed),
                    Err(place) => place,
                };
                ready.try_insert(place, operator.clone()).map_err(|_| Error::<T>::TooManyConfirmed)
            })?;
            Self::deposit_event(Event::ReadinessConfirmed { operator, rules });
            Ok(())
        }

        /// Takes the sender's confirmation back.
        ///
        /// # Origin
        /// A validator's operator that has confirmed.
        ///
        /// # Errors
        /// `NothingScheduled`, `NotConfirmed`.
        #[pallet::call_index(3)]
        #[pallet::weight((T::WeightInfo::withdraw(), DispatchClass::Operational))]
        pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            let release = Self::scheduled().ok_or(Error::<T>::NothingScheduled)?;
            Ready::<T>::try_mutate(|ready| {
                let place = ready.binary_search(&operator).map_err(|_| Error::<T>::NotConfirmed)?;
                ready.remove(place);
                Ok::<_, Error<T>>(())
            })?;
            Self::deposit_event(Event::ReadinessWithdrawn { operator, rules: release.rules });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// Rules that the last block was made under.
        pub fn rules_in_force() -> u32 {
            frame_system::LastRuntimeUpgrade::<T>::get().map_or(0, |last| last.spec_version.0)
        }

        /// The release that is scheduled.
        pub fn scheduled() -> Option<Release> {
            Scheduled::<T>::get().map(|plan| plan.release)
        }

        /// Rules before those of this release that transactions may be signed for, at
        /// the time of the block. A release that waits for its first block admits what
        /// it will admit then.
        pub fn admitted_before() -> Option<u32> {
            let version = T::Version::get();
            if let Some(plan) = Scheduled::<T>::get()
                && plan.release.rules == version.spec_version
            {
                return (plan.encoding == version.transaction_version).then_some(plan.rules);
            }
            let former = Before::<T>::get()?;
            (T::Time::now() < former.until).then_some(former.rules)
        }

        /// Admits what was signed for `rules`, as going over from them does, without an
        /// end: for a rehearsal on a copy of the chain.
        pub fn admit_for_rehearsal(rules: u32) {
            Before::<T>::put(Former { rules, until: Moment::MAX });
        }

        /// Operators that have confirmed it.
        pub fn confirmed() -> Vec<AccountId> {
            Ready::<T>::get().into_inner()
        }

        /// Rules of block `height`, on the state of its parent.
        pub fn rules_of(height: BlockNumber) -> u32 {
            match Self::scheduled() {
                Some(release) if release.height == height && Self::is_ready() => release.rules,
                _ => Self::rules_in_force(),
            }
        }

        /// Voting power whose operators have confirmed, and that of all.
        pub fn readiness() -> (u64, u64) {
            let ready = Ready::<T>::get();
            let mut sums = (0_u64, 0_u64);
            for (operator, power) in T::Electorate::voters() {
                sums.1 = sums.1.saturating_add(power);
                if ready.binary_search(&operator).is_ok() {
                    sums.0 = sums.0.saturating_add(power);
                }
            }
            sums
        }

        /// Whether enough have confirmed.
        pub fn is_ready() -> bool {
            let (ready, of) = Self::readiness();
            is_enough(ready, of)
        }

        /// The height of the release has come.
        fn conclude(Plan { release, rules, encoding }: Plan) {
            Scheduled::<T>::kill();
            let (ready, of) = Self::readiness();
            Ready::<T>::kill();
            if Self::rules_in_force() != release.rules {
                return Self::deposit_event(Event::ReleaseLapsed { release, ready, of });
            }
            if T::Version::get().transaction_version == encoding {
                let until = T::Time::now().saturating_add(GRACE_MS);
                Before::<T>::put(Former { rules, until });
            } else {
                Before::<T>::kill();
            }
            Self::deposit_event(Event::RulesChanged { release });
        }

        /// Checks what always holds after block `height`: a scheduled release is
        /// ahead and newer, and those that confirmed stand once each, in order.
        pub fn do_try_state(height: BlockNumber) -> Result<(), TryRuntimeError> {
            let ready = Ready::<T>::get();
            match Self::scheduled() {
                Some(release) => {
                    ensure!(release.height > height, "a release is overdue");
                    ensure!(
                        release.rules > Self::rules_in_force(),
                        "rules in force are scheduled again"
                    );
                }
                None => ensure!(ready.is_empty(), "confirmations of no release are left over"),
            }
            let former = Before::<T>::get();
            ensure!(
                former.is_none_or(|former| former.rules < Self::rules_in_force()),
                "the rules before are none"
            );
            ensure!(ready.is_sorted_by(|a, b| a < b), "an operator stands twice or out of order");
            Ok(())
        }
    }
}
