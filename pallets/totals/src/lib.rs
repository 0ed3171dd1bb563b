//! # Totals (合计)
//!
//! How many bills there are and over how much, without reading each of them: among the numbers
//! of a block ([`Numbers`]), and in an issuer's month ([`Months`]). The state root commits to the
//! tallies, so an auditor checks by a few proofs that numbers are all issued, once each, what they
//! sum up to and how many stand in each status.
//!
//! ```
//! use billchain_primitives::{
//!     BillKey, BillKind, BillStatus, Fen,
//!     totals::{NumberBlock, Posting, Tally},
//! };
//!
//! // A number lies in a hundred, in ten thousand and in a million numbers.
//! let key = BillKey {
//!     code: "31060126".parse().unwrap(),
//!     number: "0000012345".parse().unwrap(),
//! };
//! let blocks = NumberBlock::around(&key).map(|block| block.to_string());
//! assert_eq!(blocks[0], "31060126-00000123xx");
//!
//! // A bill counts in each under its kind and status, a red one with its negative total.
//! let mut tally = Tally::default();
//! for (kind, fen) in [(BillKind::Blue, 500), (BillKind::Blue, 700), (BillKind::Red, -300)] {
//!     let total = Fen::new(fen).unwrap();
//!     // SM3 of code, number and XML original, which the mark is made of.
//!     let share = [7; 32];
//!     tally.add(Posting { kind, status: BillStatus::Normal, total, share }).unwrap();
//! }
//! let lines: Vec<_> = tally.lines().iter().map(|line| (line.bills, line.fen)).collect();
//! assert_eq!(lines, [(2, 1_200), (1, -300)]);
//! ```
//!
//! ## What it promises
//! - Every bill counts, blue, red and payment notice, under its kind and its present status: in
//!   the three blocks of numbers that its own lies in, and in its issuer's month of its issue date.
//! - A tally changes in the transaction that changes the bill, or not at all. A block or a month
//!   without bills has no entry.
//! - A tally's mark hides it from who sees its digest alone, beside a neighbour's tally. It is made
//!   of the XML originals' digests, which never change, so a recount finds it, too.
//! - A transaction is never refused for a tally. What would take a bill away that is not counted
//!   is logged as an error and left out; [`Pallet::do_try_state`] finds what came of it.
//!
//! ## What it assumes
//! The ledger tells it of every version that it writes, with the bill as it was before. The
//! keys of the state are hashed by the commitment, so nobody can unbalance it with chosen numbers.
//!
//! Its entries stay hot (`docs/decisions/0066-what-cools.md`), so a recount finds bills that are cold
//! by them.
//!
//! ## What it costs
//! A new bill reads and writes four entries of 52 to 92 bytes, at most 600; a change of the status
//! the same four; any other change none. Each bill that is looked at, as it was and as it is,
//! takes one block of SM3. There are no calls, so there are no weights: those of the
//! ledger's calls hold it, and of whoever changes bills through the ledger, which are measured over
//! the whole runtime. `docs/decisions/0057-totals.md` says what else was weighed.

#![forbid(unsafe_code)]

mod census;
mod recount;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;

use billchain_primitives::{
    Bill, BillKey, Did,
    seams::{Census, Totals},
    totals::{Month, NumberBlock, Posting, Tally},
};
use census::{Place, hundred_of};
use core::fmt::Display;
use frame::{log, prelude::*, try_runtime::TryRuntimeError};

/// The totals.
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
    pub trait Config: frame_system::Config {
        /// The bills that are counted.
        type Bills: Census;
    }

    /// The bills of the numbers of a block. A hundred numbers, ten thousand and a
    /// million have an entry each, if a bill has one of them.
    #[pallet::storage]
    pub type Numbers<T: Config> = StorageMap<_, Identity, NumberBlock, Tally>;

    /// The bills that an issuer issued in a month, by their issue date.
    #[pallet::storage]
    pub type Months<T: Config> = StorageDoubleMap<_, Identity, Did, Identity, Month, Tally>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(Tally::max_encoded_len() < 1_024, "a registration writes small entries");
        }

        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
    }
}

impl<T: Config> Totals for Pallet<T> {
    fn changed(before: Option<&Bill>, after: &Bill) {
        let (gone, new) = (before.map(Posting::from), Posting::from(after));
        let (issuer, month) = account(after);
        // The ledger lets neither the issuer nor the date change. Should a later one, the
        // bill moves to its month.
        let moved = before.map(account).filter(|earlier| *earlier != (issuer, month));
        if gone != Some(new) {
            for block in NumberBlock::around(&after.summary.key) {
                Numbers::<T>::mutate_exists(block, |entry| post(entry, gone, Some(new), block));
            }
        }
        if let Some((issuer, month)) = moved {
            Months::<T>::mutate_exists(issuer, month, |entry| post(entry, gone, None, month));
        }
        if gone != Some(new) || moved.is_some() {
            let gone = gone.filter(|_| moved.is_none());
            Months::<T>::mutate_exists(issuer, month, |entry| post(entry, gone, Some(new), month));
        }
    }

    fn has_near(key: &BillKey) -> bool {
        Numbers::<T>::contains_key(hundred_of(key))
    }

    fn for_each_cold(mut visit: impl FnMut(&Bill)) {
        Self::visit_bills(|bill, place| {
            if place == Place::Cold {
                visit(bill);
            }
        });
    }
}

/// Whose month a bill counts in.
const fn account(bill: &Bill) -> (&Did, Month) {
    (&bill.summary.issuer, Month::of(bill.summary.issue_date))
}

/// Takes what is `gone` out of the tally of a place, and puts what is `new` in.
fn post(
    entry: &mut Option<Tally>,
    gone: Option<Posting>,
    new: Option<Posting>,
    place: impl Display,
) {
    let mut tally = entry.take().unwrap_or_default();
    let out = gone.map_or(Ok(()), |gone| tally.remove(gone));
    let into = new.map_or(Ok(()), |new| tally.add(new));
    for problem in [out, into].into_iter().filter_map(Result::err) {
        // Not `defensive!`, which panics in builds with debug assertions.
        log::error!(target: "runtime::totals", "{place}: {problem}: from {gone:?} to {new:?}");
    }
    *entry = Some(tally).filter(|tally| !tally.is_empty());
}
