//! Lists of bills in the node-local index: by issuer, payer, holder and status,
//! each in the order of issue date, code and number.
//!
//! Which entries a bill has follows from the bill alone ([`entries`]), so a
//! change of a bill moves exactly the entries that differ, and the lists can be
//! checked against the state. Entries have no value: what is listed is read
//! from the state. A list by date alone is the lists of all statuses together.
//!
//! An entry is short, because every bill has at least three: a list's name, then
//! the date in 4 bytes and code and number, which are 18 digits, in 8. Entries
//! of one list share what they begin with, which the database keeps once.

use crate::{Bill, BillCode, BillKey, BillNumber, BillStatus, Did, IssueDate};
use codec::Encode;

const ISSUER: &[u8] = b"li/";
const PAYER: &[u8] = b"lp/";
const HOLDER: &[u8] = b"lh/";
const STATUS: &[u8] = b"ls/";

/// Bytes of a payer reference in an entry. Whoever reads the list compares the
/// whole of it, so two payers that share these bytes cost a look and no more.
const PAYER_BYTES: usize = 8;
/// Length of what follows the name of a list.
pub const PLACE_LEN: usize = 12;
/// Numbers of one bill code.
const NUMBERS: u64 = 10_000_000_000;

/// Name of the list of an issuer's bills.
pub fn by_issuer(issuer: &Did) -> Vec<u8> {
    party(ISSUER, issuer)
}

/// Name of the list of the bills that a participant has locked or reimbursed.
pub fn by_holder(holder: &Did) -> Vec<u8> {
    party(HOLDER, holder)
}

/// Name of the list of a payer's bills, and of bills of payers whose references
/// begin like this one's.
pub fn by_payer(payer_ref: &[u8; 32]) -> Vec<u8> {
    [PAYER, &payer_ref[..PAYER_BYTES]].concat()
}

/// Name of the list of the bills of a status.
pub fn by_status(status: BillStatus) -> Vec<u8> {
    let mut list = STATUS.to_vec();
    status.encode_to(&mut list);
    list
}

fn party(list: &[u8], did: &Did) -> Vec<u8> {
    // The encoding begins with the length, so no DID is a prefix of another.
    let mut list = list.to_vec();
    did.encode_to(&mut list);
    list
}

/// Where bills of this date, code and number stand in a list.
pub fn place(date: IssueDate, key: &BillKey) -> [u8; PLACE_LEN] {
    // Both types hold digits only, and 18 of them are less than 2^63.
    let digits = key.code.as_bytes().iter().chain(key.number.as_bytes());
    let number = digits.fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    let mut place = [0; PLACE_LEN];
    place[..4].copy_from_slice(&date.get().to_be_bytes());
    place[4..].copy_from_slice(&number.to_be_bytes());
    place
}

/// The place before every bill of `date`.
pub fn start_of(date: IssueDate) -> [u8; 4] {
    date.get().to_be_bytes()
}

/// Issue date, code and number of the bill at `place`, if it is the place of one.
pub fn at(place: &[u8]) -> Option<(IssueDate, BillKey)> {
    let place: &[u8; PLACE_LEN] = place.try_into().ok()?;
    let (date, number) = place.split_at(4);
    let date = IssueDate::new(u32::from_be_bytes(date.try_into().ok()?)).ok()?;
    let digits = u64::from_be_bytes(number.try_into().ok()?);
    let code: BillCode = format!("{:08}", digits / NUMBERS).parse().ok()?;
    let number: BillNumber = format!("{:010}", digits % NUMBERS).parse().ok()?;
    Some((date, BillKey { code, number }))
}

/// Every entry of `bill`, sorted, each once.
pub fn entries(bill: &Bill) -> Vec<Vec<u8>> {
    let holder = bill.state.lock.iter().map(|lock| &lock.holder);
    let payers = bill.state.reimbursements.iter().map(|paid| &paid.payer);
    let mut entries: Vec<_> = holder.chain(payers).map(by_holder).collect();
    entries.push(by_issuer(&bill.summary.issuer));
    entries.push(by_payer(&bill.summary.payer_ref));
    entries.push(by_status(bill.state.status));
    let place = place(bill.summary.issue_date, &bill.summary.key);
    entries.iter_mut().for_each(|entry| entry.extend_from_slice(&place));
    entries.sort_unstable();
    entries.dedup();
    entries
}

#[cfg(test)]
mod tests;
