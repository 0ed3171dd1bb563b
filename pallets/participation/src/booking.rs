//! Books who took part in deciding a block. Pure: the same lists give the same records.

use crate::{Record, Seat, suspension};
use billchain_primitives::{AccountId, BlockNumber, ParentCommit, turn};

/// The records after `block` has brought the commit of its parent, which `seats` decided;
/// in the order of accounts, none that says nothing, and none but of `voters`, who decide
/// `block`.
pub fn booked(
    seats: &[Seat],
    before: Vec<Record>,
    commit: &ParentCommit,
    voters: &[AccountId],
    block: BlockNumber,
) -> Vec<Record> {
    let mut records = before;
    for seat in seats {
        if let Err(at) = find(&records, &seat.validator) {
            records.insert(at, Record::new(seat.validator.clone()));
        }
    }
    let parent = block.saturating_sub(1);
    for record in &mut records {
        book_votes(seats, record, commit, parent);
    }
    book_turns(seats, &mut records, commit.round, block);
    records.retain(|record| !record.is_blank() && voters.contains(&record.validator));
    records
}

fn book_votes(seats: &[Seat], record: &mut Record, commit: &ParentCommit, parent: BlockNumber) {
    let validator = &record.validator;
    if commit.precommits.iter().any(|one| one.signer == *validator) {
        record.missed = 0;
    } else if seats.iter().any(|seat| seat.validator == *validator) {
        record.missed = record.missed.saturating_add(1);
        record.missed_in_all = record.missed_in_all.saturating_add(1);
    }
    if let Some(late) = commit.late.iter().find(|one| one.signer == *validator) {
        record.missed = record.missed.min(parent.saturating_sub(late.height));
    }
}

/// Whose turns at the parent failed, and whose did not.
fn book_turns(seats: &[Seat], records: &mut [Record], round: u32, block: BlockNumber) {
    let order: Vec<&Seat> = seats.iter().filter(|seat| seat.takes_turns).collect();
    let height = u64::from(block.saturating_sub(1));
    let proposer = |round| order.get(turn(height, round, order.len()));
    // After that many rounds everybody has failed once.
    let failed = round.min(u32::try_from(order.len()).unwrap_or(u32::MAX));
    for round in 0..failed {
        if let Some(seat) = proposer(round)
            && let Ok(at) = find(records, &seat.validator)
        {
            let record = &mut records[at];
            record.failed = record.failed.saturating_add(1);
            let blocks = suspension(seats.len(), record.failed);
            record.out_until = block.saturating_add(blocks);
        }
    }
    if let Some(seat) = proposer(round)
        && let Ok(at) = find(records, &seat.validator)
    {
        records[at].failed = 0;
        records[at].out_until = 0;
    }
}

/// Where a validator's record is, or belongs.
pub(crate) fn find(records: &[Record], validator: &AccountId) -> Result<usize, usize> {
    records.binary_search_by(|record| record.validator.cmp(validator))
}
