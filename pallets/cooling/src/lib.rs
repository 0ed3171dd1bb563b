//! # Cooling (冷热分层)
//!
//! What nobody has touched for long becomes cold: it moves from the hot state into segments that are
//! immutable, while the state root goes on committing to it. What is cold and how fast that goes is
//! the chain's data, which the council sets ([`Pallet::set_policy`]). At the beginning of each block
//! the pallet walks on over the hot state, in the order of keys, and leaves what is cold as orders for
//! the storage ([`Now`]).
//!
//! ```
//! use billchain_primitives::cooling::{CoolingPolicy, DAY_MS};
//! use pallet_cooling::Lap;
//!
//! let policy = CoolingPolicy { after_days: 90, ..CoolingPolicy::default() };
//! assert_eq!(policy.problems().next(), None);
//! assert_eq!(policy.cold_before(100 * DAY_MS), 10 * DAY_MS);
//! // Nothing becomes cold on a chain that was not told so.
//! assert!(!CoolingPolicy::default().is_on());
//! assert!(Lap::default().at.is_none());
//! ```
//!
//! ## What it promises
//! - A group of keys is ordered to cool only if a map of the runtime says that it may
//!   ([`Config::Maps`]) and that nobody has touched any of its keys for as long as the policy says.
//! - The groups of a lap are ordered in ascending order of their shared bytes, each once.
//! - What it does follows from the hot state, the policy and the time of the block before: it is the
//!   same on all nodes, whatever files they have written.
//! - A block looks at as many groups as the policy says at most, and at no more keys than so many
//!   groups of ten have and one group more; its weight holds what it looked at and what it ordered.
//! - What a transaction reads of cold data, and other work beside the weights of its calls, weighs in
//!   its block, whether they succeed or fail ([`Pallet::charging`]).
//! - No lap begins while there may be 32 runs, so that the state never has more than 64.
//!
//! ## What it assumes
//! The state is iterated hot. The executor takes the orders from the changes of the block, leaves
//! groups out that the block writes to, and gives them to the storage. Keys of a map that may cool
//! have one length, so that the keys of a group follow one another.
//!
//! ## What it does not do
//! It does not know what is cold: a group that was ordered and written to, or that came back, is the
//! storage's matter. `docs/decisions/0063-cold-segments.md` says how it goes on there, and
//! `docs/decisions/0066-what-cools.md` which maps cool.

#![forbid(unsafe_code)]

mod lap;
mod runs;
mod walk;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use lap::Lap;
pub use pallet::*;
pub use runs::{KnownRuns, MOST_RUNS, Run};
pub use walk::{Group, Map, Maps};
pub use weights::WeightInfo;

use billchain_primitives::{
    Moment,
    cooling::{CoolingField, CoolingPolicy, Orders, OutOfBounds},
    seams::{ColdReads, ExtraWork},
};
use frame::{
    deps::frame_support::dispatch_context::{run_in_context, with_context},
    prelude::*,
    traits::Time,
    try_runtime::TryRuntimeError,
};

/// The cooling contract.
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
        /// Who sets the policy.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// The maps that may cool.
        type Maps: Maps;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = Moment>;
        /// What it takes to read an entry that is cold, and to put its group back.
        type ColdRead: Get<Weight>;
        /// What it takes to ask one run for an entry that it does not have.
        type Missing: Get<Weight>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// What becomes cold, and how fast.
    #[pallet::storage]
    pub type Policy<T: Config> = StorageValue<_, CoolingPolicy, ValueQuery>;

    /// The lap, and where it is.
    #[pallet::storage]
    pub type CurrentLap<T: Config> = StorageValue<_, Lap, ValueQuery>;

    /// The runs of cold segments, as far as follows from what was ordered.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Known<T: Config> = StorageValue<_, KnownRuns, ValueQuery>;

    /// What was touched for the last time before this moment may be cold.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type ColdBefore<T: Config> = StorageValue<_, Moment, ValueQuery>;

    /// What this block orders of the storage; absent if that is nothing.
    #[pallet::storage]
    pub type Now<T: Config> = StorageValue<_, Orders>;

    /// The policy that the chain begins with: nothing becomes cold if it is left out.
    #[pallet::genesis_config]
    #[derive(frame::prelude::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The policy.
        pub policy: CoolingPolicy,
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    impl<T: Config> GenesisConfig<T> {
        /// Everything that is wrong with the configuration; empty if it can be built.
        pub fn problems(&self) -> Vec<String> {
            self.policy.problems().map(|problem| format!("cooling.{problem}")).collect()
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let problems = self.problems();
            assert!(problems.is_empty(), "cooling genesis: {}", problems.join("; "));
            Policy::<T>::put(self.policy);
        }
    }

    /// What the council decides, and how laps go.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The council has set the policy.
        PolicySet {
            /// The policy before.
            from: CoolingPolicy,
            /// The policy from the next block on.
            to: CoolingPolicy,
        },
        /// A lap over the hot state has begun.
        LapBegan {
            /// Its number, from 1.
            lap: u32,
            /// What was touched for the last time before this moment is cold, in
            /// milliseconds. It grows with the time of the blocks.
            cold_before: Moment,
        },
        /// A lap is over.
        LapEnded {
            /// Its number, from 1.
            lap: u32,
            /// Groups that it looked at.
            seen: u64,
            /// Groups of these that were ordered to cool.
            cold: u64,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// `after_days` is more than 36,500.
        AfterDaysOutOfBounds,
        /// `groups_per_block` is not within 1 and 500.
        GroupsPerBlockOutOfBounds,
        /// `lap_days` is not within 1 and 3,650.
        LapDaysOutOfBounds,
        /// `segment_groups` is not within 1,024 and 2,097,152.
        SegmentGroupsOutOfBounds,
        /// `merge_groups` is more than 1,000.
        MergeGroupsOutOfBounds,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::begin_block()
        }

        fn integrity_test() {
            assert!(!T::Maps::maps().is_empty(), "no map may cool");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Sets what becomes cold, and how fast (冷热分层策略), from the next block on.
        ///
        /// With `after_days` 0 nothing becomes cold any more; what is cold stays so until it
        /// changes. A lap that is under way goes on under the new policy.
        ///
        /// # Origin
        /// The administrators': a motion of the council.
        ///
        /// # Errors
        /// `AfterDaysOutOfBounds`, `GroupsPerBlockOutOfBounds`, `LapDaysOutOfBounds`,
        /// `SegmentGroupsOutOfBounds`, `MergeGroupsOutOfBounds`.
        #[pallet::call_index(0)]
        #[pallet::weight((T::WeightInfo::set_policy(), DispatchClass::Operational))]
        pub fn set_policy(origin: OriginFor<T>, policy: CoolingPolicy) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            if let Some(problem) = policy.problems().next() {
                return Err(Error::<T>::from(problem).into());
            }
            let from = Policy::<T>::get();
            Policy::<T>::put(policy);
            Self::deposit_event(Event::PolicySet { from, to: policy });
            Ok(())
        }
    }
}

impl<T> From<OutOfBounds> for Error<T> {
    fn from(problem: OutOfBounds) -> Self {
        match problem.field {
            CoolingField::AfterDays => Self::AfterDaysOutOfBounds,
            CoolingField::GroupsPerBlock => Self::GroupsPerBlockOutOfBounds,
            CoolingField::LapDays => Self::LapDaysOutOfBounds,
            CoolingField::SegmentGroups => Self::SegmentGroupsOutOfBounds,
            CoolingField::MergeGroups => Self::MergeGroupsOutOfBounds,
        }
    }
}

/// What can be asked.
impl<T: Config> Pallet<T> {
    /// The policy in force.
    pub fn policy() -> CoolingPolicy {
        Policy::<T>::get()
    }

    /// The lap, and where it is.
    pub fn lap() -> Lap {
        CurrentLap::<T>::get()
    }

    /// The runs, as far as follows from what was ordered: there are no more of them.
    pub fn runs() -> KnownRuns {
        Known::<T>::get()
    }

    /// What the last block ordered of the storage; none: nothing.
    pub fn orders() -> Option<Orders> {
        Now::<T>::get()
    }

    /// What was touched for the last time before this moment may be cold; 0: nothing is.
    pub fn cold_before() -> Moment {
        ColdBefore::<T>::get()
    }

    /// Runs a transaction, and adds what its reads of cold data weigh to the work of the block.
    ///
    /// What a call writes is taken back when it fails, the block's work too. What it read was read
    /// all the same: so that is noted in the transaction's dispatch context, and written when the
    /// transaction is over.
    pub fn charging<R>(transaction: impl FnOnce() -> R) -> R {
        run_in_context(|| {
            let result = transaction();
            let charged =
                with_context::<Charged, _>(|charged| core::mem::take(charged.or_default()));
            let Charged(weight) = charged.unwrap_or_default();
            if weight != Weight::zero() {
                register::<T>(weight);
            }
            result
        })
    }

    /// The map that a lap is in; none: it is before the first, or no lap is under way.
    pub fn map_at(lap: &Lap) -> Option<Map> {
        let at = lap.at.as_ref()?;
        T::Maps::maps().into_iter().find(|map| at.starts_with(&map.prefix))
    }
}

/// What the reads of the transaction under execution weigh.
#[derive(Default)]
struct Charged(Weight);

impl<T: Config> ColdReads for Pallet<T> {
    fn is_any() -> bool {
        ColdBefore::<T>::get() > 0
    }

    fn charge(written: Moment) {
        if written < ColdBefore::<T>::get() {
            note::<T>(T::ColdRead::get());
        }
    }

    fn charge_missing() {
        match Known::<T>::get().count() {
            0 => {}
            runs => note::<T>(T::Missing::get().saturating_mul(runs.into())),
        }
    }
}

impl<T: Config> ExtraWork for Pallet<T> {
    fn add(weight: Weight) {
        note::<T>(weight);
    }
}

/// Notes what a read, or other work beside the weights of calls, weighs; outside of a transaction it is the block's at once.
fn note<T: Config>(weight: Weight) {
    let noted = with_context::<Charged, _>(|charged| {
        charged.or_default().0.saturating_accrue(weight);
    });
    if noted.is_none() {
        register::<T>(weight);
    }
}

/// Adds to the work of the block under execution.
fn register<T: Config>(weight: Weight) {
    frame_system::Pallet::<T>::register_extra_weight_unchecked(weight, DispatchClass::Normal);
}
