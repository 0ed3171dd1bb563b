//! # Participation (共识参与情况)
//!
//! Which validators take part in consensus, and who of them takes turns to propose.
//! Each block brings the commit of its parent: the pre-commits of validators with more
//! than two thirds of the power. Who is missing from them is absent, and a proposer
//! whose turn went by has failed it.
//!
//! ```
//! use billchain_primitives::AccountId;
//! use pallet_participation::{Record, left_out};
//!
//! let four: Vec<_> = (1..=4).map(|n| (AccountId::new([n; 32]), 1)).collect();
//! let away = Record { missed: 4, ..Record::new(AccountId::new([3; 32])) };
//! assert_eq!(left_out(&four, &[away], 100), [AccountId::new([3; 32])]);
//! ```
//!
//! ## What it promises
//! - A commit counts only with valid pre-commits of more than two thirds of the power
//!   that decided the parent.
//! - Who takes turns in a block follows from its parent's state ([`Pallet::left_out`]).
//!   Validators with more than a third of the power are never left out together.
//! - A header says when others decide the next block, and names them ([`SetChange`]).
//! - Whoever is left out votes as before, and takes turns again when one of its
//!   pre-commits is in a block, or when its time without turns is over.
//!
//! ## Absence and failed turns
//! A validator is absent when the commits of [`absent_after`] blocks in a row lack its
//! pre-commit. A proposer brings its own, so one that proposes is never absent. A
//! pre-commit that came after its block was decided may be brought up to
//! [`MAX_LATE_BLOCKS`](billchain_primitives::MAX_LATE_BLOCKS) blocks later: a slow validator that returns is seen.
//!
//! A validator whose turn fails proposes nothing for a while, which doubles with each
//! failed turn in a row ([`suspension`]): one that votes and never proposes would
//! otherwise cost a timeout in each of its turns.
//!
//! ## What it assumes
//! The inherent comes before every call that changes the validators, so that the keys
//! of the seam are those that decide the block at hand. Consensus orders proposers by
//! [`turn_order`] and [`turn`](billchain_primitives::turn).

#![forbid(unsafe_code)]

mod booking;
mod commit;
mod sets;
mod turns;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use booking::booked;
pub use pallet::*;
pub use turns::{absent_after, left_out, suspension};
pub use types::{
    ABSENT_AFTER, COMMIT_DIGEST, CommitDigest, MAX_DOUBLINGS, Record, SET_DIGEST, Seat, SetChange,
    Standing,
};
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, BlockNumber, Hash, MAX_VALIDATORS, ParentCommit, seams::ConsensusKeys, sm3,
    turn_order,
};
use frame::{
    deps::frame_support::inherent::{
        InherentData, InherentIdentifier, MakeFatalError, ProvideInherent,
    },
    prelude::*,
    try_runtime::TryRuntimeError,
};

/// The participation pallet.
#[frame::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId, Hash = Hash>
    {
        /// The validators' keys.
        type Keys: ConsensusKeys;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The validators that decide the last block that brought a commit, in the order
    /// of their turns. They judge the commit that the next block brings.
    #[pallet::storage]
    pub type Seats<T: Config> =
        StorageValue<_, BoundedVec<Seat, ConstU32<MAX_VALIDATORS>>, ValueQuery>;

    /// How validators take part: those of which there is something to remember.
    #[pallet::storage]
    pub type Records<T: Config> =
        StorageValue<_, BoundedVec<Record, ConstU32<MAX_VALIDATORS>>, ValueQuery>;

    /// The last block whose header names other validators for the next one; 0 if there
    /// is none.
    #[pallet::storage]
    pub type LastSetChange<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

    /// The first block's validators are those of the genesis, which the pallet of the
    /// seam has built before.
    #[pallet::genesis_config]
    #[derive(frame::prelude::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// No data.
        #[serde(skip)]
        pub phantom: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            Seats::<T>::put(Pallet::<T>::seats_of(&T::Keys::keys(), &[]));
        }
    }

    /// Who takes turns.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A validator takes no turns to propose from the next block on.
        TurnsSuspended {
            /// Account of its consensus key.
            validator: AccountId,
            /// Last blocks in a row whose commits lack its pre-commit.
            missed: u32,
            /// Its last turns in a row that failed.
            failed: u32,
        },
        /// A validator takes turns again from the next block on.
        TurnsResumed {
            /// Account of its consensus key.
            validator: AccountId,
        },
    }

    /// Why a commit is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The first block's parent is the genesis, which nobody decided.
        NothingToCommit,
        /// The pre-commits are not in ascending order of their signers.
        OutOfOrder,
        /// The signer is no validator of the block, or was none then.
        NotValidator,
        /// The signature is not the signer's under a pre-commit to the block.
        NotSigned,
        /// The signers have two thirds of the power or less.
        TooFew,
        /// A late pre-commit is to the parent, to a later block, or more than
        /// `MAX_LATE_BLOCKS` back.
        NotLate,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// What the end of the block takes.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            T::DbWeight::get().reads(2)
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Self::tell_set_change();
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Brings the commit of the parent. An inherent, the second of a block.
        ///
        /// # Origin
        /// None: the proposer, in its own block.
        ///
        /// # Errors
        /// `NothingToCommit`, `OutOfOrder`, `NotValidator`, `NotSigned`, `TooFew`,
        /// `NotLate`.
        #[pallet::call_index(0)]
        #[pallet::weight((
            T::WeightInfo::note_commit(
                commit.precommits.len() as u32,
                commit.late.len() as u32,
            ),
            DispatchClass::Mandatory,
        ))]
        pub fn note_commit(origin: OriginFor<T>, commit: ParentCommit) -> DispatchResult {
            ensure_none(origin)?;
            Self::note(&commit)?;
            Ok(())
        }
    }

    #[pallet::inherent]
    impl<T: Config> ProvideInherent for Pallet<T> {
        type Call = Call<T>;
        // A commit is judged when it runs, by every node alike.
        type Error = MakeFatalError<()>;
        const INHERENT_IDENTIFIER: InherentIdentifier = *b"commits_";

        fn create_inherent(data: &InherentData) -> Option<Self::Call> {
            let commit = data.get_data::<ParentCommit>(&Self::INHERENT_IDENTIFIER).ok()??;
            Some(Call::note_commit { commit })
        }

        fn is_inherent(call: &Self::Call) -> bool {
            matches!(call, Call::note_commit { .. })
        }
    }

    impl<T: Config> Pallet<T> {
        /// Accounts of the keys that take no turn to propose in the next block.
        pub fn left_out() -> Vec<AccountId> {
            let records = Records::<T>::get();
            if records.is_empty() {
                return Vec::new();
            }
            let next = Self::block().saturating_add(1);
            left_out(&Self::powers(&T::Keys::keys()), &records, next)
        }

        /// How each validator of the next block takes part, in the order of turns.
        pub fn standings() -> Vec<Standing> {
            let (records, left_out) = (Records::<T>::get(), Self::left_out());
            // The last block holds the commit of the one before.
            let parent = Self::block().saturating_sub(1);
            let standing = |seat: Seat| {
                let known = records.iter().find(|record| record.validator == seat.validator);
                let takes_turns = !left_out.contains(&seat.validator);
                let record = known.cloned().unwrap_or_else(|| Record::new(seat.validator));
                let last_seen = parent.saturating_sub(record.missed);
                Standing { record, last_seen, takes_turns }
            };
            Self::seats_of(&T::Keys::keys(), &[]).into_iter().map(standing).collect()
        }

        pub(crate) fn block() -> BlockNumber {
            frame_system::Pallet::<T>::block_number().saturated_into()
        }

        pub(crate) fn powers(keys: &[([u8; 33], u64)]) -> Vec<(AccountId, u64)> {
            keys.iter().map(|(key, power)| (account_of(key), *power)).collect()
        }

        /// The seats of these keys in the order of turns; `left_out` take none.
        pub(crate) fn seats_of(
            keys: &[([u8; 33], u64)],
            left_out: &[AccountId],
        ) -> BoundedVec<Seat, ConstU32<MAX_VALIDATORS>> {
            let seat = |(key, power): &([u8; 33], u64)| {
                let validator = account_of(key);
                let takes_turns = !left_out.contains(&validator);
                Seat { validator, key: *key, power: *power, takes_turns }
            };
            let mut seats: Vec<Seat> = keys.iter().map(seat).collect();
            seats.sort_by(|a, b| {
                turn_order((a.power, a.validator.as_ref()), (b.power, b.validator.as_ref()))
            });
            BoundedVec::truncate_from(seats)
        }

        /// Checks what always holds: seats stand in order, once each; a record is of
        /// one validator, and says something.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            let seats = Seats::<T>::get();
            let in_order = seats.is_sorted_by(|a, b| {
                let (a, b) = ((a.power, a.validator.as_ref()), (b.power, b.validator.as_ref()));
                turn_order(a, b).is_lt()
            });
            ensure!(in_order, "a seat stands twice or out of order");
            let fits = |seat: &Seat| seat.validator == account_of(&seat.key) && seat.power > 0;
            ensure!(seats.iter().all(fits), "a seat has another key's account, or no power");
            let records = Records::<T>::get();
            ensure!(
                records.is_sorted_by(|a, b| a.validator < b.validator),
                "a record stands twice or out of order"
            );
            ensure!(!records.iter().any(Record::is_blank), "a record says nothing");
            ensure!(LastSetChange::<T>::get() <= Self::block(), "a set changed in a later block");
            Ok(())
        }
    }
}

/// The account of a consensus key.
pub(crate) fn account_of(key: &[u8; 33]) -> AccountId {
    AccountId::new(sm3(key))
}
