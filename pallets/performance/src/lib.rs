//! # Performance contract (链上用票性能管理及配置)
//!
//! What blocks are valid, and who may use how much of them: the chain's largest
//! block and transaction, its work in a block, and the quotas of senders, by
//! role and by participant. All of it is the chain's data, the same on every
//! node, and changes by motion of the council; what a node is configured with
//! says only what it builds itself.
//!
//! ```
//! use pallet_performance::{Allowance, Usage};
//! let allowance = Allowance { transactions: 100, bytes: 65_536 };
//! let mut usage = Usage { interval: 7, transactions: 99, bytes: 10_000 };
//! assert!(!usage.exhausts(&allowance));
//! usage.transactions += 1;
//! assert!(usage.exhausts(&allowance));
//! ```
//!
//! ## What it promises
//! - A limit stays between what the code can bear and what the council needs to
//!   change it again, so that no motion can stop the chain.
//! - Limits and quotas count from the block after the one that changed them.
//! - What a participant with an allowance brings into blocks is counted by
//!   interval of block time. The transaction that uses the allowance up says so
//!   with [`Event::HeldBack`]; the next ones have no place in a block of this
//!   interval, and wait.
//! - Where nobody has an allowance nothing is counted and nothing is written.
//!
//! ## What it assumes
//! The runtime asks [`Pallet::charge`] for every transaction of a participant
//! before it runs, and lets those go that must always be heard.

#![forbid(unsafe_code)]

mod genesis;
mod quota;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use quota::HeldBack;
pub use types::{
    Allowance, INTERVAL_MS, Limits, MAX_POOL_BYTES, MAX_POOL_TRANSACTIONS, MAX_ROLES,
    MIN_BLOCK_BYTES, MIN_BLOCK_TIME_US, MIN_TRANSACTION_BYTES, PoolShare, Quota, Quotas, RoleQuota,
    Settings, Usage,
};
pub use weights::WeightInfo;

use billchain_primitives::{AccountId, Did, Moment, seams::Participants};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// The performance contract.
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
        /// Who changes limits and quotas.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who acts on the chain.
        type Participants: Participants;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = Moment>;
        /// The largest limits that the code can bear.
        #[pallet::constant]
        type HardLimits: Get<Limits>;
        /// Most participants with a quota of their own; not 0.
        #[pallet::constant]
        type MaxOwnQuotas: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// What holds from the next block on.
    #[pallet::storage]
    pub type Next<T: Config> = StorageValue<_, Settings, ValueQuery, DefaultSettings<T>>;

    /// What holds in the block under execution; empty between blocks.
    #[pallet::storage]
    pub type Now<T: Config> = StorageValue<_, Settings>;

    /// Quotas of single participants, in place of their roles'.
    #[pallet::storage]
    pub type OwnQuotas<T: Config> = StorageMap<_, Blake2_128Concat, Did, Quota>;

    /// What participants with an allowance used lately.
    #[pallet::storage]
    pub type Usages<T: Config> = StorageMap<_, Blake2_128Concat, Did, Usage>;

    /// The hard limits, and quotas that hold nobody back.
    #[pallet::type_value]
    pub fn DefaultSettings<T: Config>() -> Settings {
        Settings { limits: T::HardLimits::get(), quotas: Quotas::default(), own_quotas: 0 }
    }

    /// First limits and quotas.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// What is valid.
        pub limits: Limits,
        /// Who may use how much.
        pub quotas: Quotas,
        /// Participants with a quota of their own.
        pub own_quotas: Vec<(Did, Quota)>,
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            let Settings { limits, quotas, .. } = DefaultSettings::<T>::get();
            Self { limits, quotas, own_quotas: Vec::new(), phantom: PhantomData }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let problems = self.problems();
            assert!(problems.is_empty(), "performance genesis: {}", problems.join("; "));
            let (limits, quotas) = (self.limits, self.quotas.clone());
            let own_quotas = u32::try_from(self.own_quotas.len()).unwrap_or(u32::MAX);
            Next::<T>::put(Settings { limits, quotas, own_quotas });
            for (did, quota) in &self.own_quotas {
                OwnQuotas::<T>::insert(did, quota);
            }
        }
    }

    /// What changed, and who is held back.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Other blocks and transactions are valid from the next block on.
        LimitsChanged {
            /// The limits before.
            from: Limits,
            /// The limits from the next block on.
            to: Limits,
        },
        /// Senders may use the chain otherwise from the next block on.
        QuotasChanged {
            /// The quotas from the next block on.
            quotas: Quotas,
        },
        /// A participant has another quota of its own, or none any longer.
        ParticipantQuotaChanged {
            /// The participant.
            did: Did,
            /// Its own quota; none: that of its roles.
            quota: Option<Quota>,
        },
        /// A participant has used its allowance up: this transaction was the
        /// last one of the interval.
        HeldBack {
            /// The participant.
            did: Did,
            /// What it used.
            usage: Usage,
            /// Time of a block that takes its transactions again, in
            /// milliseconds.
            until: Moment,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The bound on a block's bytes is not from `MIN_BLOCK_BYTES` to the
        /// hard limit.
        BlockBytesOutOfBounds,
        /// The bound on a transaction's bytes is not from
        /// `MIN_TRANSACTION_BYTES` to the hard limit.
        TransactionBytesOutOfBounds,
        /// The bound on a block's work is not from `MIN_BLOCK_TIME_US` to the
        /// hard limit.
        BlockTimeOutOfBounds,
        /// The interval is not from a second to a day.
        IntervalOutOfBounds,
        /// An allowance of nothing would shut a participant out: freezing it is
        /// the security administrator's.
        AllowanceEmpty,
        /// A share of the pool is not from one transaction, and the bytes of
        /// the largest, to what a pool may hold.
        PoolShareOutOfBounds,
        /// A role has two quotas.
        RoleRepeated,
        /// No participant has this DID.
        ParticipantNotFound,
        /// The participant has no quota of its own.
        QuotaNotFound,
        /// As many participants have a quota of their own as may have one.
        TooManyQuotas,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::begin_block();
            T::DbWeight::get().reads(1)
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Now::<T>::kill();
        }

        fn integrity_test() {
            assert!(T::MaxOwnQuotas::get() > 0, "MaxOwnQuotas is 0");
            assert!(Self::check_limits(&T::HardLimits::get()).is_ok(), "HardLimits are too small");
            assert!(Self::check_quotas(&Quotas::default()).is_ok(), "default quotas are unsound");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Changes what blocks and transactions are valid, from the next block
        /// on.
        ///
        /// # Origin
        /// The administrators': a motion of the council.
        ///
        /// # Errors
        /// A limit is below what the council needs or above what the code can
        /// bear; the error names it.
        #[pallet::call_index(0)]
        #[pallet::weight((T::WeightInfo::set_limits(), DispatchClass::Operational))]
        pub fn set_limits(origin: OriginFor<T>, limits: Limits) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::check_limits(&limits)?;
            let from = Next::<T>::mutate(|next| core::mem::replace(&mut next.limits, limits));
            Self::deposit_event(Event::LimitsChanged { from, to: limits });
            Ok(())
        }

        /// Changes the quotas of all senders but those with one of their own,
        /// from the next block on.
        ///
        /// # Origin
        /// The administrators': a motion of the council.
        ///
        /// # Errors
        /// The interval or a share is out of bounds, an allowance is empty, or a
        /// role stands twice.
        #[pallet::call_index(1)]
        #[pallet::weight((T::WeightInfo::set_quotas(), DispatchClass::Operational))]
        pub fn set_quotas(origin: OriginFor<T>, quotas: Quotas) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::check_quotas(&quotas)?;
            Next::<T>::mutate(|next| next.quotas = quotas.clone());
            Self::deposit_event(Event::QuotasChanged { quotas });
            Ok(())
        }

        /// Gives a participant a quota of its own in place of its roles', or
        /// takes it away. It counts from the participant's next transaction on.
        ///
        /// # Origin
        /// The administrators': a motion of the council.
        ///
        /// # Errors
        /// There is no such participant or quota, the quota is out of bounds,
        /// or too many participants have one.
        #[pallet::call_index(2)]
        #[pallet::weight((T::WeightInfo::set_participant_quota(), DispatchClass::Operational))]
        pub fn set_participant_quota(
            origin: OriginFor<T>,
            did: Did,
            quota: Option<Quota>,
        ) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            match &quota {
                Some(quota) => Self::insert_own_quota(&did, quota)?,
                None => Self::remove_own_quota(&did)?,
            }
            Self::deposit_event(Event::ParticipantQuotaChanged { did, quota });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// Makes the settings of the block that begins those which hold in it.
        /// Whoever validates many transactions on one state asks once, too, so
        /// that each finds them at hand.
        pub fn begin_block() {
            Now::<T>::put(Next::<T>::get());
        }

        /// What holds in the block under execution; between blocks, in the next
        /// one.
        pub fn settings() -> Settings {
            Now::<T>::get().unwrap_or_else(Next::<T>::get)
        }

        pub(crate) fn check_limits(limits: &Limits) -> Result<(), Error<T>> {
            let hard = T::HardLimits::get();
            ensure!(
                (MIN_BLOCK_BYTES..=hard.max_block_bytes).contains(&limits.max_block_bytes),
                Error::<T>::BlockBytesOutOfBounds
            );
            ensure!(
                (MIN_TRANSACTION_BYTES..=hard.max_transaction_bytes)
                    .contains(&limits.max_transaction_bytes),
                Error::<T>::TransactionBytesOutOfBounds
            );
            ensure!(
                (MIN_BLOCK_TIME_US..=hard.max_block_time_us).contains(&limits.max_block_time_us),
                Error::<T>::BlockTimeOutOfBounds
            );
            Ok(())
        }

        pub(crate) fn check_quotas(quotas: &Quotas) -> Result<(), Error<T>> {
            ensure!(INTERVAL_MS.contains(&quotas.interval_ms), Error::<T>::IntervalOutOfBounds);
            Self::check_quota(&quotas.ordinary)?;
            Self::check_share(&quotas.reserved)?;
            for (at, of) in quotas.roles.iter().enumerate() {
                let earlier = &quotas.roles[..at];
                ensure!(
                    earlier.iter().all(|other| other.role != of.role),
                    Error::<T>::RoleRepeated
                );
                Self::check_quota(&of.quota)?;
            }
            Ok(())
        }

        pub(crate) fn check_quota(quota: &Quota) -> Result<(), Error<T>> {
            let is_empty =
                |allowance: Allowance| allowance.transactions == 0 || allowance.bytes == 0;
            ensure!(!quota.allowance.is_some_and(is_empty), Error::<T>::AllowanceEmpty);
            Self::check_share(&quota.pool)
        }

        fn check_share(share: &PoolShare) -> Result<(), Error<T>> {
            let fewest = T::HardLimits::get().max_transaction_bytes;
            ensure!(
                (1..=MAX_POOL_TRANSACTIONS).contains(&share.transactions)
                    && (fewest..=MAX_POOL_BYTES).contains(&share.bytes),
                Error::<T>::PoolShareOutOfBounds
            );
            Ok(())
        }

        fn insert_own_quota(did: &Did, quota: &Quota) -> Result<(), Error<T>> {
            ensure!(T::Participants::account_of(did).is_some(), Error::<T>::ParticipantNotFound);
            Self::check_quota(quota)?;
            if !OwnQuotas::<T>::contains_key(did) {
                let number = Next::<T>::get().own_quotas.saturating_add(1);
                ensure!(number <= T::MaxOwnQuotas::get(), Error::<T>::TooManyQuotas);
                Self::note_own_quotas(number);
            }
            OwnQuotas::<T>::insert(did, quota);
            Ok(())
        }

        fn remove_own_quota(did: &Did) -> Result<(), Error<T>> {
            ensure!(OwnQuotas::<T>::take(did).is_some(), Error::<T>::QuotaNotFound);
            Self::note_own_quotas(Next::<T>::get().own_quotas.saturating_sub(1));
            Ok(())
        }

        /// The number of own quotas, for this block, too: whether they are asked
        /// for depends on it.
        fn note_own_quotas(number: u32) {
            Next::<T>::mutate(|next| next.own_quotas = number);
            Now::<T>::mutate_extant(|now| now.own_quotas = number);
        }

        /// Checks what always holds between blocks: limits and quotas are within
        /// bounds, own quotas are counted and their participants known, and no
        /// block's settings are left over.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            ensure!(!Now::<T>::exists(), "the settings of a block are left over");
            let next = Next::<T>::get();
            ensure!(Self::check_limits(&next.limits).is_ok(), "a limit is out of bounds");
            ensure!(Self::check_quotas(&next.quotas).is_ok(), "a quota is out of bounds");
            let mut found = 0_u32;
            for (did, quota) in OwnQuotas::<T>::iter() {
                found = found.saturating_add(1);
                ensure!(Self::check_quota(&quota).is_ok(), "an own quota is out of bounds");
                ensure!(T::Participants::account_of(&did).is_some(), "a quota is nobody's");
            }
            ensure!(found == next.own_quotas, "own quotas are miscounted");
            ensure!(found <= T::MaxOwnQuotas::get(), "too many own quotas");
            Ok(())
        }
    }
}
