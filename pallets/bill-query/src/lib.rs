//! Reads of bills on the chain: 票据链上查询智能合约.
//!
//! Fulfils these rows of the tender's list:
//! - 228: 基于票据三码查询KV表，通过Key-value表查询对应票据记录，返回链上记录.
//! - 229: 基于交易ID查询 — which bills a transaction touched is node-local (see
//!   [`billchain_primitives::index`]); their records are read here.
//!
//! # What it promises
//! It reads and never writes; the same state gives the same answer on every
//! node. The check code is compared exactly, and a wrong one is answered like
//! a bill that does not exist.
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
pub use types::{MAX_QUERIES, QueryProblem};

use frame::prelude::*;

#[frame::pallet]
pub mod pallet {
    use super::*;
    use billchain_primitives::{
        BillKey, ThreeCodes,
        history::{self, HistoryProblem, VersionRecord},
        traits::{Bill, BillLedger},
    };

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// What the runtime provides.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Where bills are kept.
        type Ledger: BillLedger;
    }

    impl<T: Config> Pallet<T> {
        /// The bill with this code and number, as stored.
        pub fn by_key(key: &BillKey) -> Result<Bill, QueryProblem> {
            T::Ledger::bill(key).ok_or(QueryProblem::NotFound)
        }

        /// The bill with these three codes (票据三码).
        pub fn by_codes(codes: &ThreeCodes) -> Result<Bill, QueryProblem> {
            T::Ledger::bill(&codes.key)
                .filter(|bill| bill.summary.check_code == codes.check_code)
                .ok_or(QueryProblem::NotFound)
        }

        /// The answers of [`Self::by_codes`], in the order asked.
        pub fn by_codes_batch(
            codes: &[ThreeCodes],
        ) -> Result<Vec<Result<Bill, QueryProblem>>, QueryProblem> {
            if codes.len() > MAX_QUERIES {
                return Err(QueryProblem::TooMany { asked: codes.len() });
            }
            Ok(codes.iter().map(Self::by_codes).collect())
        }

        /// Whether `records`, ascending, are the complete history of the bill.
        pub fn verify_history(
            key: &BillKey,
            records: &[VersionRecord],
        ) -> Result<Result<(), HistoryProblem>, QueryProblem> {
            Ok(history::verify(&Self::by_key(key)?, records))
        }
    }
}
