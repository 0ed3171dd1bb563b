//! # Bill verify contract (票据核验智能合约)
//!
//! Comparison of bills with the chain. Anybody can ask whether the SM3 of an original is the one that
//! was registered ([`Pallet::verify_hash`]) and whether the five elements (五要素) are the bill's
//! ([`Pallet::verify_elements`]). Who finds a difference puts it on record
//! ([`Pallet::report_mismatch`]), which deposits the audit event.
//!
//! ```
//! use pallet_bill_verify::Observation;
//!
//! // The SM3 of no file is zero, so a zero hash is no observation.
//! assert!(Observation::XmlHash([0; 32]).is_zero_hash());
//! assert!(!Observation::PdfHash([1; 32]).is_zero_hash());
//! ```
//!
//! # What it promises
//! - The reads write nothing, and answer alike on every node with the same state.
//! - A report says something that really differs from the chain at that moment; what agrees, or
//!   has nothing to be compared with, is refused.
//! - Every report makes one [`Report`] in the node-local index, numbered by bill without gaps; how
//!   many there are is in the state.
//!
//! # What it does not do
//! It does not judge who is right: a report changes no bill. It keeps no bill and nothing
//! personal: hashes, codes, dates and amounts alone.

#![forbid(unsafe_code)]

pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{
    Element, Elements, HashKind, Observation, REPORTS, Report, VerifyProblem, report_key,
    reports_prefix,
};
pub use weights::WeightInfo;

use billchain_primitives::{
    AccountId, Bill, BillKey, Did, Moment, Stamp, ThreeCodes,
    seams::{BillLedger, ParticipantProblem, Participants},
};
use codec::Encode;
use frame::{
    arithmetic::ArithmeticError, deps::sp_io::offchain_index, prelude::*, traits::Time,
    try_runtime::TryRuntimeError,
};

/// The verification contract.
#[frame::pallet]
pub mod pallet {
    use super::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The contract.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime provides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId>
    {
        /// Where bills are kept.
        type Ledger: BillLedger;
        /// Who acts on the chain.
        type Participants: Participants;
        /// Time of the block.
        type Time: Time<Moment = Moment>;
        /// Cost of the calls.
        type WeightInfo: WeightInfo;
    }

    /// How many mismatches were reported of a bill. The reports lie in the
    /// node-local index.
    #[pallet::storage]
    pub type Reports<T: Config> = StorageMap<_, Identity, BillKey, u32, ValueQuery>;

    /// What this pallet tells the world.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The audit event (审计事件): a participant holds an original, or data
        /// of one, that differs from the chain.
        MismatchReported {
            /// Code and number of the bill.
            key: BillKey,
            /// The participant that reports.
            reporter: Did,
            /// What the chain says.
            expected: Observation,
            /// What the reporter found; of the same kind, and different.
            found: Observation,
            /// Number of the report among those of this bill, from 1.
            report: u32,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The sender may not act, for this reason.
        Sender(ParticipantProblem),
        /// No bill has this code and number.
        BillNotFound,
        /// What was found is what the chain says.
        NothingDiffers,
        /// The chain does not hold this hash yet, so nothing can differ from
        /// it.
        NotRecorded,
        /// The hash found is zero, which is the SM3 of no file.
        HashZero,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(Report::max_encoded_len() < 512, "a report is small");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Reports that an original differs from the chain, in one respect.
        ///
        /// The sender is an active participant. What it `found` differs from
        /// what the chain says when the transaction runs.
        ///
        /// # Origin
        /// An active participant.
        ///
        /// # Errors
        /// `Sender`, `BillNotFound`, `HashZero`, `NotRecorded`, `NothingDiffers`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::report_mismatch())]
        pub fn report_mismatch(
            origin: OriginFor<T>,
            key: BillKey,
            found: Observation,
        ) -> DispatchResult {
            let reporter = Self::participant(origin)?;
            let bill = T::Ledger::bill(&key).ok_or(Error::<T>::BillNotFound)?;
            ensure!(!found.is_zero_hash(), Error::<T>::HashZero);
            let expected = found.recorded(&bill.summary);
            ensure!(!expected.is_zero_hash(), Error::<T>::NotRecorded);
            ensure!(expected != found, Error::<T>::NothingDiffers);

            let number = Reports::<T>::get(key).checked_add(1).ok_or(ArithmeticError::Overflow)?;
            Reports::<T>::insert(key, number);
            let record = Report { number, reporter, at: Self::stamp(), expected, found };
            offchain_index::set(&report_key(&key, number), &record.encode());
            let Report { reporter, .. } = record;
            Self::deposit_event(Event::MismatchReported {
                key,
                reporter,
                expected,
                found,
                report: number,
            });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// Whether `hash` is the SM3 of the XML or PDF of the bill with these
        /// three codes, as delivered. A wrong check code is answered like a
        /// bill that does not exist.
        pub fn verify_hash(
            codes: &ThreeCodes,
            kind: HashKind,
            hash: &[u8; 32],
        ) -> Result<(), VerifyProblem> {
            let bill = T::Ledger::bill(&codes.key)
                .filter(|bill| bill.summary.check_code == codes.check_code)
                .ok_or(VerifyProblem::NotFound)?;
            compare(&bill, kind, hash)
        }

        /// As [`Self::verify_hash`], of the bill with this code and number:
        /// for bills found by their transaction.
        pub fn verify_hash_of(
            key: &BillKey,
            kind: HashKind,
            hash: &[u8; 32],
        ) -> Result<(), VerifyProblem> {
            compare(&T::Ledger::bill(key).ok_or(VerifyProblem::NotFound)?, kind, hash)
        }

        /// Whether the five elements (五要素) are the bill's; if not, the
        /// answer names those that differ. Code and number find the bill, so a
        /// wrong check code is a difference here.
        pub fn verify_elements(elements: &Elements) -> Result<(), VerifyProblem> {
            let bill = T::Ledger::bill(&elements.codes.key).ok_or(VerifyProblem::NotFound)?;
            let differing = elements.differences(&bill.summary);
            if differing.is_empty() {
                Ok(())
            } else {
                Err(VerifyProblem::ElementMismatch(differing))
            }
        }

        fn participant(origin: OriginFor<T>) -> Result<Did, DispatchError> {
            Ok(T::Participants::signer::<Error<T>>(origin)?.did)
        }

        fn stamp() -> Stamp {
            Stamp {
                block: frame_system::Pallet::<T>::block_number().saturated_into(),
                extrinsic: frame_system::Pallet::<T>::extrinsic_index(),
                moment: T::Time::now(),
            }
        }

        /// Checks what always holds: only bills that exist are reported, and a
        /// count stands where there is a report.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            for (key, count) in Reports::<T>::iter() {
                ensure!(T::Ledger::contains(&key), "a reported bill exists");
                ensure!(count > 0, "a count stands where there is a report");
            }
            Ok(())
        }
    }
}

fn compare(bill: &Bill, kind: HashKind, hash: &[u8; 32]) -> Result<(), VerifyProblem> {
    let recorded = match kind {
        HashKind::Xml => bill.summary.xml_hash,
        HashKind::Pdf => bill.summary.pdf_hash,
    };
    if recorded == [0; 32] {
        Err(VerifyProblem::NotRecorded)
    } else if recorded == *hash {
        Ok(())
    } else {
        Err(VerifyProblem::HashMismatch { recorded })
    }
}

impl<T> From<ParticipantProblem> for Error<T> {
    fn from(problem: ParticipantProblem) -> Self {
        Self::Sender(problem)
    }
}
