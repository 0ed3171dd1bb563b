//! # Anchors of logs of access (访问日志上链存证)
//!
//! Where each operator's log of access stood, once a day: the number and the hash of its
//! last line. The log itself stays with the node; who has its files and these anchors finds
//! a line that was changed, left out or cut off since (tender rows 22–24).
//!
//! ```
//! use pallet_access_log::{Anchor, DAY_MS};
//! let anchor = Anchor { day: 20_788, number: 7, hash: Default::default() };
//! assert_eq!(u64::from(anchor.day) * DAY_MS, 1_796_083_200_000);
//! ```
//!
//! ## What it promises
//! - An operator anchors at most once a day of block time (UTC), and never changes what it
//!   has anchored.
//! - The state keeps an operator's last [`MAX_ANCHORS`] anchors; older ones are in the
//!   events of their blocks for ever.
//! - A number may fall: a log was begun anew, which whoever reads the anchors sees.
//!
//! ## What it assumes
//! The electorate says who operates a validator. What an operator anchors is its own
//! statement; the chain holds it to that, and knows nothing of the log.

#![forbid(unsafe_code)]

mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Anchor, DAY_MS, MAX_ANCHORS};
pub use weights::WeightInfo;

use billchain_primitives::{AccountId, Hash, Moment, seams::Electorate};
use frame::{prelude::*, traits::Time, try_runtime::TryRuntimeError};

/// The anchors.
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
        /// Who operates a validator.
        type Electorate: Electorate;
        /// Time of the block, in milliseconds.
        type Time: Time<Moment = Moment>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The last anchors of each operator, oldest first, one a day at most.
    #[pallet::storage]
    pub type Anchors<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        AccountId,
        BoundedVec<Anchor, ConstU32<MAX_ANCHORS>>,
        ValueQuery,
    >;

    /// What was anchored.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An operator's log of access stood here.
        Anchored {
            /// Account of the operator.
            operator: AccountId,
            /// The day, and the last line.
            anchor: Anchor,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The sender operates no validator.
        NotAnOperator,
        /// The operator has anchored on this day already.
        AlreadyAnchored,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Anchors the last line of the sender's log of access: its number, from 1, and its
        /// hash.
        ///
        /// # Origin
        /// A validator's operator.
        ///
        /// # Errors
        /// `NotAnOperator`, `AlreadyAnchored`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::anchor())]
        pub fn anchor(origin: OriginFor<T>, number: u64, hash: Hash) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            let is_operator = T::Electorate::voters().iter().any(|(voter, _)| *voter == operator);
            ensure!(is_operator, Error::<T>::NotAnOperator);
            let day = u32::try_from(T::Time::now() / DAY_MS).unwrap_or(u32::MAX);
            let anchor = Anchor { day, number, hash };
            Anchors::<T>::try_mutate(&operator, |anchors| {
                let last = anchors.last().map(|last| last.day);
                ensure!(last.is_none_or(|last| last < day), Error::<T>::AlreadyAnchored);
                if anchors.is_full() {
                    anchors.remove(0);
                }
                // There is room for one.
                anchors.try_push(anchor).map_err(|_| Error::<T>::AlreadyAnchored)
            })?;
            Self::deposit_event(Event::Anchored { operator, anchor });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// The anchors of an operator that the state keeps, oldest first.
        pub fn anchors(operator: &AccountId) -> Vec<Anchor> {
            Anchors::<T>::get(operator).into_inner()
        }

        /// Checks what always holds: an operator's anchors stand in order, one a day.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            for (_, anchors) in Anchors::<T>::iter() {
                ensure!(!anchors.is_empty(), "an operator without an anchor is kept");
                ensure!(anchors.is_sorted_by(|a, b| a.day < b.day), "anchors are out of order");
            }
            Ok(())
        }
    }
}
