//! What the chain held of a range of numbers, and of an issuer's month.

use super::{Statement, digits};
use crate::{
    Bill, Line, Refusal, Tally,
    cover::{Cover, Item, digits as digits_of, month_key},
    place::Roots,
    reader::Reader,
    sm3,
};
use alloc::vec::Vec;
use core::str;

/// Most bytes of an issuer's DID.
const MAX_DID: usize = 64;

/// Reads code (8), first and last number (10 each), and what the state holds of the items
/// that make the range up: an entry for each of their groups, in their order.
pub(super) fn numbers<'a>(
    reader: &mut Reader<'a>,
    roots: &Roots,
) -> Result<Statement<'a>, Refusal> {
    let code = digits(reader, 8)?;
    let (first, last) = (digits(reader, 10)?, digits(reader, 10)?);
    let numbers = last.parse::<u64>().ok().zip(first.parse::<u64>().ok());
    let Some((from, size)) =
        numbers.and_then(|(last, first)| Some((first, last.checked_sub(first)?.checked_add(1)?)))
    else {
        return Err(reader.refusal("the first number is above the last"));
    };
    let mut tally = Tally::default();
    let mut cover = Cover::new(from, from.saturating_add(size - 1)).peekable();
    while let Some(item) = cover.next() {
        let mut run = Vec::from([item]);
        while let Some(next) = cover.next_if(|next| next.is_beside(&item)) {
            run.push(next);
        }
        let (shared, _) = item.key(code.as_bytes());
        let lasts: Vec<u8> = run.iter().map(|item| item.key(code.as_bytes()).1).collect();
        for (item, value) in run.iter().zip(values(reader, roots, &shared, &lasts)?) {
            if let Some(value) = value {
                count(&mut tally, code, item, value)?;
            }
        }
    }
    // No item counts more bills than it has numbers.
    let missing = size.saturating_sub(tally.bills());
    Ok(Statement::Numbers { code, first, last, tally, missing })
}

/// Adds the value of an item.
fn count(tally: &mut Tally, code: &str, item: &Item, value: &[u8]) -> Result<(), Refusal> {
    if item.size() == 1 {
        let bill = Bill::read(value)?;
        if bill.code != code || bill.number.as_bytes() != digits_of(item.first()) {
            return Err(Refusal::Contradiction { what: "a bill stands under another number" });
        }
        let (kind, status) = (bill.kind, bill.status);
        return tally.add(&Line { kind, status, bills: 1, fen: bill.total.into() });
    }
    let block = Tally::read(value)?;
    if block.bills() > item.size() {
        let what = "a block counts more bills than it has numbers";
        return Err(Refusal::Contradiction { what });
    }
    block.lines().iter().try_for_each(|line| tally.add(line))
}

/// Reads the issuer's DID (its length, 2, and its bytes), the month (6), and what the state
/// holds of it.
pub(super) fn month<'a>(reader: &mut Reader<'a>, roots: &Roots) -> Result<Statement<'a>, Refusal> {
    let issuer = reader.bytes()?;
    let issuer = str::from_utf8(issuer).ok().filter(|did| is_did(did));
    let Some(issuer) = issuer else {
        return Err(reader.refusal("the issuer is not named by a DID"));
    };
    let month = digits(reader, 6)?;
    let is_month = month.get(4..).is_some_and(|month| ("01"..="12").contains(&month));
    let (Some(bytes), true) = (month.as_bytes().first_chunk::<6>(), is_month) else {
        return Err(reader.refusal("the month is not one of twelve"));
    };
    let (shared, last) = month_key(issuer, bytes);
    let values = values(reader, roots, &shared, &[last])?;
    let value = values.into_iter().flatten().next();
    let tally = value.map(Tally::read).transpose()?.unwrap_or_default();
    Ok(Statement::Month { issuer, month, tally })
}

/// Characters that look the same are no other issuer's: a DID is visible ASCII.
fn is_did(text: &str) -> bool {
    text.len() <= MAX_DID && text.starts_with("did:") && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Reads what the state holds of the keys of a group that share these bytes and end with one of
/// `lasts`: where the group is, and the value (its length, 2, and its bytes) of each of them that
/// has one.
fn values<'a>(
    reader: &mut Reader<'a>,
    roots: &Roots,
    shared: &[u8],
    lasts: &[u8],
) -> Result<Vec<Option<&'a [u8]>>, Refusal> {
    let group = roots.group(reader, shared)?;
    let mut values = Vec::with_capacity(lasts.len());
    for last in lasts {
        let digest = group.as_ref().and_then(|group| group.value(*last));
        let value = digest.map(|_| reader.bytes()).transpose()?;
        if value.map(|value| sm3(&[value])) != digest {
            return Err(Refusal::Contradiction { what: "a value is not that of its group" });
        }
        values.push(value);
    }
    Ok(values)
}
