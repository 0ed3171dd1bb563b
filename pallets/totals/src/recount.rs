//! The tallies counted again from the ledger's bills.

use crate::{Config, Months, Numbers, Pallet, account};
use billchain_primitives::{
    Bill, Did,
    totals::{Month, NumberBlock, Posting, Tally},
};
use core::fmt::Display;
use frame::{log, prelude::*, try_runtime::TryRuntimeError};
use std::collections::BTreeMap;

/// Most differences that one recount logs.
const MAX_LOGGED: u64 = 20;

impl<T: Config> Pallet<T> {
    /// Checks what always holds: each tally is that of the bills of its numbers or
    /// its month, and there is no other. Logs where that is not so, the first 20
    /// places.
    ///
    /// Reads every bill, the cold ones too, and holds the tallies of all months in memory, and of the
    /// blocks of numbers those of the bill at hand.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut recount = Recount::<T>::default();
        Self::for_each_bill(|bill| recount.count(bill));
        if recount.end() == 0 {
            Ok(())
        } else {
            Err("the totals are those of the ledger's bills".into())
        }
    }
}

/// A count of bills that come in the order of code and number, so that all bills of
/// a block come one after another.
#[derive(frame::prelude::DefaultNoBound)]
struct Recount<T: Config> {
    /// The blocks of the last bill, by their sizes.
    open: [Option<(NumberBlock, Tally)>; 3],
    /// Blocks that were compared.
    blocks: u64,
    months: BTreeMap<(Did, Month), Tally>,
    differences: u64,
    phantom: PhantomData<T>,
}

impl<T: Config> Recount<T> {
    fn count(&mut self, bill: &Bill) {
        let posting = Posting::from(bill);
        for (at, block) in NumberBlock::around(&bill.summary.key).into_iter().enumerate() {
            if self.open[at].as_ref().is_none_or(|(open, _)| *open != block) {
                let ended = self.open[at].replace((block, Tally::default()));
                self.compare_block(ended);
            }
            if let Some((_, tally)) = &mut self.open[at]
                && let Err(problem) = tally.add(posting)
            {
                self.differ(block, problem);
            }
        }
        let (issuer, month) = account(bill);
        let tally = self.months.entry((issuer.clone(), month)).or_default();
        if let Err(problem) = tally.add(posting) {
            self.differ(month, problem);
        }
    }

    fn compare_block(&mut self, counted: Option<(NumberBlock, Tally)>) {
        let Some((block, counted)) = counted else { return };
        self.blocks = self.blocks.saturating_add(1);
        let found = Numbers::<T>::get(block);
        if found.as_ref() != Some(&counted) {
            self.differ(block, format!("expected {counted:?}, found {found:?}"));
        }
    }

    /// Compares what was not compared yet; how many differences there are.
    fn end(mut self) -> u64 {
        for ended in core::mem::take(&mut self.open) {
            self.compare_block(ended);
        }
        let months = core::mem::take(&mut self.months);
        for ((issuer, month), counted) in &months {
            let found = Months::<T>::get(issuer, month);
            if found.as_ref() != Some(counted) {
                let what = format!("expected {counted:?}, found {found:?}");
                self.differ(format!("{issuer}, {month}"), what);
            }
        }
        let compared = (self.blocks, months.len() as u64);
        let kept = (Numbers::<T>::iter_keys().count(), Months::<T>::iter_keys().count());
        if compared != (kept.0 as u64, kept.1 as u64) {
            let what = format!("bills are in {compared:?} of them, entries are {kept:?}");
            self.differ("blocks of numbers and months", what);
        }
        self.differences
    }

    fn differ(&mut self, place: impl Display, what: impl Display) {
        self.differences = self.differences.saturating_add(1);
        if self.differences <= MAX_LOGGED {
            log::error!(target: "runtime::totals", "{place}: {what}");
        }
    }
}
