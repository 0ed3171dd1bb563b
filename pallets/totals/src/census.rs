//! Every bill of the ledger, hot and cold, found by the tallies.

use crate::{Config, Numbers, Pallet};
use billchain_primitives::{
    Bill, BillKey, BillNumber,
    seams::Census,
    totals::{NumberBlock, NumberPrefix, Tally},
};
use core::iter::Peekable;

/// Where a bill lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Hot,
    Cold,
}

impl<T: Config> Pallet<T> {
    /// Shows each bill once, in the order of code and number.
    ///
    /// Iteration is over the hot state. A tally tells how many bills a hundred numbers
    /// have, so where fewer are hot, each number that is not is asked for. Takes as many
    /// reads as there are bills, and a hundred for each hundred numbers that has cold
    /// ones: for checks of a state, never for a block. A cold bill that no tally counts is
    /// not found.
    pub fn for_each_bill(mut visit: impl FnMut(&Bill)) {
        Self::visit_bills(|bill, _| visit(bill));
    }

    /// As [`Self::for_each_bill`], with the place of each.
    pub(crate) fn visit_bills(mut visit: impl FnMut(&Bill, Place)) {
        let mut hot = T::Bills::hot().peekable();
        let mut tallies = Numbers::<T>::iter().filter(|(block, _)| is_hundred(block)).peekable();
        while let Some(block) = next_block(&mut hot, &mut tallies) {
            let mut bills = Vec::new();
            while let Some(bill) = hot.next_if(|bill| hundred_of(&bill.summary.key) == block) {
                bills.push((bill, Place::Hot));
            }
            if let Some((_, tally)) = tallies.next_if(|(counted, _)| *counted == block) {
                add_cold::<T>(&block, &tally, &mut bills);
            }
            bills.iter().for_each(|(bill, place)| visit(bill, *place));
        }
    }
}

/// The next hundred numbers that have a hot bill or a tally.
fn next_block(
    hot: &mut Peekable<impl Iterator<Item = Bill>>,
    tallies: &mut Peekable<impl Iterator<Item = (NumberBlock, Tally)>>,
) -> Option<NumberBlock> {
    let of_bill = hot.peek().map(|bill| hundred_of(&bill.summary.key));
    let of_tally = tallies.peek().map(|(block, _)| *block);
    of_bill.into_iter().chain(of_tally).min()
}

/// Adds the cold bills of a hundred numbers to its hot ones, if the tally counts more.
fn add_cold<T: Config>(block: &NumberBlock, tally: &Tally, bills: &mut Vec<(Bill, Place)>) {
    let counted = tally.lines().iter().fold(0_u64, |sum, line| sum.saturating_add(line.bills));
    if counted <= bills.len() as u64 {
        return;
    }
    let is_hot =
        |key: &BillKey| bills.binary_search_by_key(key, |(bill, _)| bill.summary.key).is_ok();
    let absent = keys_of(block).filter(|key| !is_hot(key));
    let cold: Vec<_> = absent.filter_map(|key| T::Bills::find(&key)).collect();
    bills.extend(cold.into_iter().map(|bill| (bill, Place::Cold)));
    bills.sort_by_key(|(bill, _)| bill.summary.key);
}

fn is_hundred(block: &NumberBlock) -> bool {
    matches!(block.prefix, NumberPrefix::Hundred(_))
}

pub(crate) fn hundred_of(key: &BillKey) -> NumberBlock {
    let [hundred, ..] = NumberBlock::around(key);
    hundred
}

/// Codes and numbers of a block of a hundred numbers, ascending.
fn keys_of(block: &NumberBlock) -> impl Iterator<Item = BillKey> {
    let NumberBlock { code, prefix } = *block;
    (0..100_u32).filter_map(move |last| {
        let number: BillNumber = format!("{}{last:02}", prefix.as_str()).parse().ok()?;
        Some(BillKey { code, number })
    })
}
