//! # Allotment contract (财政票据赋码)
//!
//! The finance bureau allots ranges of bill numbers to issuers, and an issuer registers bills under
//! its own numbers only: nobody takes another's code and number. An administrator allots a range of
//! a code ([`Pallet::allot`]); the issuer gives back the end of a range that it does not need
//! ([`Pallet::give_back`]); an administrator voids numbers that no bill will ever have
//! ([`Pallet::void`]). The bill-register contract asks through the [`Allotments`] seam where a field
//! rule (`allotted`) of its scene, or of all scenes, says so.
//!
//! ```
//! use pallet_allotment::{Holding, Range, Span, number_of, value_of};
//!
//! // Ten numbers; three are used, two of those left are voided.
//! let span = Span::new(1, 10).unwrap();
//! let range = Range {
//!     used: 3,
//!     highest: Some(4),
//!     voided: vec![Span::new(9, 10).unwrap()].try_into().unwrap(),
//!     ..Range::new(span)
//! };
//! assert_eq!((range.unused(), range.voided_count()), (5, 2));
//! // One of the numbers 1 to 4 is missing: no bill has it, and nobody voided it.
//! assert_eq!(range.missing(), 1);
//! assert_eq!(value_of(&number_of(4)), 4);
//! # let _ = Holding::default();
//! ```
//!
//! ## What it promises
//! - No two ranges of a code share a number, whoever has them.
//! - A number that was used or voided stays with its issuer; only the unused end of a range goes
//!   back, and can be allotted again.
//! - A [`Holding`] says how many numbers of each range bills on the chain have, which are voided, and
//!   so whether any is [missing](Range::missing): one entry of the state, an issuer and a code,
//!   proves that nothing is missing between a range's first and its highest used number.
//!
//! ## What it assumes
//! The ledger asks once for each bill that it takes, and takes none twice. A count is of bills that
//! came while the rule held: a bill that came before is not counted, so a range never seems complete
//! that is not.
//!
//! ## What it costs
//! A registration under the rule reads and writes one entry, which holds [`MAX_RANGES`] ranges at
//! most. `docs/decisions/0027-number-allotment.md` says what else was weighed.
//!
//! [`Allotments`]: billchain_primitives::seams::Allotments

#![forbid(unsafe_code)]

mod ranges;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{
    Holding, MAX_RANGES, MAX_RANGES_OF_CODE, MAX_VOIDED, MAX_VOIDED_AMONG_USED, Range, Span,
    number_of, value_of,
};
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, BillCode, BillNumber, Did, Reason, Role,
    seams::{BillLedger, ParticipantProblem, Participants},
};
use frame::{prelude::*, try_runtime::TryRuntimeError};

/// The allotment contract.
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
        /// Who, beside the administrators among the participants, allots and
        /// voids numbers.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Who acts on the chain.
        type Participants: Participants;
        /// Where bills are kept.
        type Ledger: BillLedger;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// What an issuer has of a code.
    #[pallet::storage]
    pub type Holdings<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, Did, Identity, BillCode, Holding, ValueQuery>;

    /// The ranges of a code, those of all issuers, in order.
    #[pallet::storage]
    pub type RangesOfCode<T: Config> = StorageMap<
        _,
        Identity,
        BillCode,
        BoundedVec<Span, ConstU32<MAX_RANGES_OF_CODE>>,
        ValueQuery,
    >;

    /// Whose a range is, by its first number.
    #[pallet::storage]
    pub type Owners<T: Config> = StorageDoubleMap<_, Identity, BillCode, Identity, BillNumber, Did>;

    /// What happened to numbers.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Numbers were allotted to an issuer.
        Allotted {
            /// The issuer.
            issuer: Did,
            /// 票据代码.
            code: BillCode,
            /// The first number.
            first: BillNumber,
            /// The last number.
            last: BillNumber,
            /// The administrator; absent for the council.
            operator: Option<Did>,
        },
        /// The unused end of a range went back to the bureau.
        GivenBack {
            /// The issuer that had it.
            issuer: Did,
            /// 票据代码.
            code: BillCode,
            /// The first number.
            first: BillNumber,
            /// The last number.
            last: BillNumber,
            /// The issuer itself, or the administrator that took it back;
            /// absent for the council.
            operator: Option<Did>,
        },
        /// Numbers were voided: no bill will ever have them.
        NumbersVoided {
            /// The issuer that has them.
            issuer: Did,
            /// 票据代码.
            code: BillCode,
            /// The first number.
            first: BillNumber,
            /// The last number.
            last: BillNumber,
            /// Why.
            reason: Reason,
            /// The administrator; absent for the council.
            operator: Option<Did>,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The sender may not act, for this reason.
        Sender(ParticipantProblem),
        /// The sender has not the role of an administrator.
        NotAdministrator,
        /// The issuer may not act, for this reason.
        Issuer(ParticipantProblem),
        /// The participant has not the role of an issuer.
        NotIssuer,
        /// The last number is below the first.
        RangeEmpty,
        /// Some of the numbers are allotted already; `allotment_ofNumber` says
        /// to whom.
        Overlapping,
        /// The issuer has as many ranges of the code as it may: allot numbers
        /// that follow one of them, or have one given back.
        TooManyRanges,
        /// The code has as many ranges as it may.
        TooManyRangesOfCode,
        /// The numbers lie in no range of the issuer.
        NotAllotted,
        /// A bill has one of the numbers, or a later one of the range.
        NumberUsed,
        /// One of the numbers is voided already.
        AlreadyVoided,
        /// The range has as many voided spans as it may.
        TooManyVoided,
        /// Among numbers that were used, at most 100 are voided at once.
        SpanTooLong,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(Holding::max_encoded_len() < 4_096, "a registration reads a small entry");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Allots the numbers from `first` to `last` of a code to an issuer
        /// (赋码). Numbers that follow a range of the issuer extend it.
        ///
        /// # Origin
        /// An active participant with the role of an administrator, or
        /// `AdminOrigin`.
        ///
        /// # Errors
        /// - `Sender`, `NotAdministrator`: the origin is another.
        /// - `RangeEmpty`: `last` is below `first`.
        /// - `Issuer`, `NotIssuer`: `issuer` is no active issuer.
        /// - `Overlapping`: one of the numbers is allotted.
        /// - `TooManyRanges`, `TooManyRangesOfCode`: there is no room.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::allot())]
        pub fn allot(
            origin: OriginFor<T>,
            issuer: Did,
            code: BillCode,
            first: BillNumber,
            last: BillNumber,
        ) -> DispatchResult {
            let operator = Self::administrator(origin)?;
            let span = Self::span(&first, &last)?;
            Self::ensure_issuer(&issuer)?;
            Self::add(&issuer, code, span)?;
            Self::deposit_event(Event::Allotted { issuer, code, first, last, operator });
            Ok(())
        }

        /// Gives the numbers from `first` to the end of its range back to the
        /// bureau (申退): no bill has one of them, and none is voided.
        ///
        /// # Origin
        /// The issuer itself, an active participant with the role of an
        /// administrator, or `AdminOrigin`.
        ///
        /// # Errors
        /// - `Sender`, `NotAdministrator`: the origin is another.
        /// - `NotAllotted`: `first` lies in no range of the issuer.
        /// - `NumberUsed`: a bill has `first` or a later number of the range.
        /// - `AlreadyVoided`: `first` or a later number is voided.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::give_back())]
        pub fn give_back(
            origin: OriginFor<T>,
            issuer: Did,
            code: BillCode,
            first: BillNumber,
        ) -> DispatchResult {
            let operator = Self::issuer_or_administrator(origin, &issuer)?;
            let span = Self::cut(&issuer, code, value_of(&first))?;
            let last = number_of(span.last);
            Self::deposit_event(Event::GivenBack { issuer, code, first, last, operator });
            Ok(())
        }

        /// Voids the numbers from `first` to `last` of one range (库存作废): no
        /// bill will ever have them. Numbers after the highest used one are
        /// voided in any quantity, those among used ones up to 100 at once.
        ///
        /// # Origin
        /// An active participant with the role of an administrator, or
        /// `AdminOrigin`: the issuer applies to the bureau.
        ///
        /// # Errors
        /// - `Sender`, `NotAdministrator`: the origin is another.
        /// - `RangeEmpty`: `last` is below `first`.
        /// - `NotAllotted`: not all of the numbers lie in one range of the
        ///   issuer.
        /// - `AlreadyVoided`, `NumberUsed`: one of the numbers is voided, or a
        ///   bill has it.
        /// - `SpanTooLong`: more than 100 of the numbers lie among used ones.
        /// - `TooManyVoided`: there is no room for another span.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::void(Pallet::<T>::looked_up(first, last)))]
        pub fn void(
            origin: OriginFor<T>,
            issuer: Did,
            code: BillCode,
            first: BillNumber,
            last: BillNumber,
            reason: Reason,
        ) -> DispatchResult {
            let operator = Self::administrator(origin)?;
            let span = Self::span(&first, &last)?;
            Self::void_span(&issuer, code, span)?;
            Self::deposit_event(Event::NumbersVoided {
                issuer,
                code,
                first,
                last,
                reason,
                operator,
            });
            Ok(())
        }
    }
}

impl<T> From<ParticipantProblem> for Error<T> {
    fn from(problem: ParticipantProblem) -> Self {
        Self::Sender(problem)
    }
}

/// Who sends a call.
impl<T: Config> Pallet<T> {
    /// The administrator that sends; `None` for the council.
    fn administrator(origin: OriginFor<T>) -> Result<Option<Did>, DispatchError> {
        if T::AdminOrigin::ensure_origin(origin.clone()).is_ok() {
            return Ok(None);
        }
        let sender = T::Participants::signer::<Error<T>>(origin)?;
        ensure!(sender.roles.contains(Role::Admin), Error::<T>::NotAdministrator);
        Ok(Some(sender.did))
    }

    /// The sender, if it is the issuer or an administrator; `None` for the
    /// council.
    fn issuer_or_administrator(
        origin: OriginFor<T>,
        issuer: &Did,
    ) -> Result<Option<Did>, DispatchError> {
        if T::AdminOrigin::ensure_origin(origin.clone()).is_ok() {
            return Ok(None);
        }
        let sender = T::Participants::signer::<Error<T>>(origin)?;
        let may = sender.did == *issuer || sender.roles.contains(Role::Admin);
        ensure!(may, Error::<T>::NotAdministrator);
        Ok(Some(sender.did))
    }

    fn ensure_issuer(issuer: &Did) -> Result<(), Error<T>> {
        let issuer = T::Participants::active_by_did(issuer).map_err(Error::Issuer)?;
        ensure!(issuer.roles.contains(Role::Issuer), Error::NotIssuer);
        Ok(())
    }

    fn span(first: &BillNumber, last: &BillNumber) -> Result<Span, Error<T>> {
        Span::new(value_of(first), value_of(last)).ok_or(Error::RangeEmpty)
    }

    /// How many numbers a call of [`Pallet::void`] looks up at most.
    fn looked_up(first: &BillNumber, last: &BillNumber) -> u32 {
        let len = Span::new(value_of(first), value_of(last)).map_or(1, Span::count);
        u32::try_from(len.min(MAX_VOIDED_AMONG_USED)).unwrap_or(u32::MAX)
    }
}
