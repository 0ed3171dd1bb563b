//! Reads of bills on the chain: 票据链上查询智能合约.
//!
//! Fulfils these rows of the tender's list:
//! - 228: 基于票据三码查询KV表，通过Key-value表查询对应票据记录，返回链上记录.
//! - 229: 基于交易ID查询 — which bills a transaction touched is node-local (see
//!   [`billchain_primitives::index`]); their records are read here.
//! - 103, 231: comparison of XML and PDF hashes and of the five elements.
//!
//! # What it promises
//! It reads and never writes; the same state gives the same answer on every
//! node. The check code is compared exactly, and a wrong one is answered like
//! a bill that does not exist.
//!
//! # What it does not do
//! It has no calls. The zero-knowledge answers of row 230 are to come.

#![forbid(unsafe_code)]

pub mod types;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Comparison, Element, Elements, HashKind, MAX_QUERIES, QueryProblem, ThreeCodes};

use frame::prelude::*;

#[frame::pallet]
pub mod pallet {
    use super::*;
    use billchain_primitives::{
        BillKey,
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

        /// Whether `hash` is the SM3 of the bill's XML or PDF as delivered.
        pub fn verify_hash(
            codes: &ThreeCodes,
            kind: HashKind,
            hash: &[u8; 32],
        ) -> Result<Comparison, QueryProblem> {
            let summary = Self::by_codes(codes)?.summary;
            let recorded = match kind {
                HashKind::Xml => summary.xml_hash,
                HashKind::Pdf => summary.pdf_hash,
            };
            Ok(if recorded == [0; 32] {
                Comparison::NotRecorded
            } else if recorded == *hash {
                Comparison::Match
            } else {
                Comparison::Mismatch { recorded }
            })
        }

        /// The elements (五要素) that differ from the bill's; empty if all
        /// agree. A wrong check code is a difference here, as is asked of a
        /// check of elements.
        pub fn verify_elements(elements: &Elements) -> Result<Vec<Element>, QueryProblem> {
            let bill = Self::by_key(&elements.codes.key)?;
            Ok(elements.differences(&bill.summary))
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
