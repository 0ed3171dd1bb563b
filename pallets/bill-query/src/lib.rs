//! # Bill query contract (票据链上查询智能合约)
//!
//! Reads of bills on the chain: by the three codes, by key, and whole histories, which are checked
//! against the chain. Which bills a transaction touched is node-local (see
//! [`billchain_primitives::index`]); their records are read here, by key.
//!
//! ```
//! use billchain_primitives::ThreeCodes;
//!
//! // A bill is found by code, number and check code; the check code is compared exactly.
//! let key = billchain_primitives::BillKey {
//!     code: "31060126".parse().unwrap(),
//!     number: "0000000001".parse().unwrap(),
//! };
//! let codes = |check: &str| ThreeCodes { key, check_code: check.parse().unwrap() };
//! assert_ne!(codes("aZ09bY"), codes("AZ09bY"));
//! ```
//!
//! # What it promises
//! It reads and never writes; the same state gives the same answer on every
//! node. The check code is compared exactly, and a wrong one is answered like
//! a bill that does not exist. A bill is shown as the next transaction finds
//! it: a lock whose time is over counts as released.
//!
//! # What it does not do
//! It has no calls, and compares nothing: that is the bill-verify contract's
//! work. The zero-knowledge answers of row 230 are to come.

#![forbid(unsafe_code)]

pub mod types;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{HistoryCheck, MAX_QUERIES, QueryProblem};

use frame::prelude::*;

#[frame::pallet]
pub mod pallet {
    use super::*;
    use billchain_primitives::{
        Bill, BillKey, BillState, ThreeCodes,
        history::{Verifier, VersionRecord},
        seams::{BillLedger, BillsInForce},
    };

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime provides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Where bills are kept.
        type Ledger: BillLedger;
        /// Bills with the locks that are in force.
        type InForce: BillsInForce;
    }

    impl<T: Config> Pallet<T> {
        /// The bill with this code and number.
        pub fn by_key(key: &BillKey) -> Result<Bill, QueryProblem> {
            T::InForce::bill_in_force(key).ok_or(QueryProblem::NotFound)
        }

        /// The bill with these three codes (票据三码).
        pub fn by_codes(codes: &ThreeCodes) -> Result<Bill, QueryProblem> {
            Self::by_key(&codes.key).and_then(|bill| {
                let right = bill.summary.check_code == codes.check_code;
                if right { Ok(bill) } else { Err(QueryProblem::NotFound) }
            })
        }

        /// The answers of [`Self::by_key`], in the order asked.
        pub fn by_keys(keys: &[BillKey]) -> Result<Vec<Result<Bill, QueryProblem>>, QueryProblem> {
            Self::batch(keys, Self::by_key)
        }

        /// The answers of [`Self::by_codes`], in the order asked.
        pub fn by_codes_batch(
            codes: &[ThreeCodes],
        ) -> Result<Vec<Result<Bill, QueryProblem>>, QueryProblem> {
            Self::batch(codes, Self::by_codes)
        }

        /// Whether `records`, ascending, are the history of the bill as it is
        /// stored: at most `most` of them from the first on, or from the one
        /// after `last`, the bill as a version left it that was checked
        /// before. None is taken after the first problem.
        pub fn verify_history(
            key: &BillKey,
            last: Option<Bill>,
            records: impl IntoIterator<Item = VersionRecord>,
            most: usize,
        ) -> Result<HistoryCheck, QueryProblem> {
            let bill = T::Ledger::bill(key).ok_or(QueryProblem::NotFound)?;
            let mut verifier = match last {
                None => Verifier::new(&bill),
                Some(last) => Verifier::after(&bill, last),
            };
            let mut taken = 0;
            let pushed = records.into_iter().take(most).try_for_each(|record| {
                taken += 1;
                verifier.push(&record)
            });
            let BillState { version: versions, version_hash, .. } = bill.state;
            let check = HistoryCheck { versions, version_hash, problem: None, checked: None };
            Ok(match pushed {
                Err(problem) => HistoryCheck { problem: Some(problem), ..check },
                Ok(()) if taken == most && verifier.versions() < versions => {
                    HistoryCheck { checked: verifier.last(), ..check }
                }
                Ok(()) => HistoryCheck { problem: verifier.finish().err(), ..check },
            })
        }

        fn batch<Q>(
            asked: &[Q],
            answer: impl Fn(&Q) -> Result<Bill, QueryProblem>,
        ) -> Result<Vec<Result<Bill, QueryProblem>>, QueryProblem> {
            if asked.len() > MAX_QUERIES {
                return Err(QueryProblem::TooMany { asked: asked.len() });
            }
            Ok(asked.iter().map(answer).collect())
        }
    }
}
