//! The keys under which the state holds bills and blocks of numbers.

use crate::{CertificateError, MAX_ITEMS};
use billchain_primitives::{BillCode, BillKey, BillNumber};
use billchain_verifier::make::{Cover, Item};
use codec::Encode;
use frame_support::storage::storage_prefix;

/// The key of a bill in the state.
pub fn state_key(key: &BillKey) -> Vec<u8> {
    let mut raw = bills().to_vec();
    // The map's hasher is the identity.
    key.encode_to(&mut raw);
    raw
}

/// What the keys of all bills begin with.
fn bills() -> [u8; 32] {
    storage_prefix(b"BillRegister", b"Bills")
}

/// The keys of what makes a range of numbers up.
pub(crate) fn item_keys(
    code: BillCode,
    first: BillNumber,
    last: BillNumber,
) -> Result<Vec<Vec<u8>>, CertificateError> {
    let [from, to] = [first, last].map(|number| value_of(&number));
    if from > to {
        return Err(CertificateError::NoNumbers { first, last });
    }
    let items: Vec<Item> = Cover::new(from, to).take(MAX_ITEMS + 1).collect();
    if items.len() > MAX_ITEMS {
        return Err(CertificateError::TooManyItems { first, last });
    }
    Ok(items.iter().map(|item| item_key(&code, item)).collect())
}

fn value_of(number: &BillNumber) -> u64 {
    // Ten digits: far below what a u64 holds.
    number.as_bytes().iter().fold(0, |value, digit| value * 10 + u64::from(*digit - b'0'))
}

/// The key of a bill or of a block of numbers in the state: as [`state_key`] has it, and as
/// `NumberBlock` is encoded.
fn item_key(code: &BillCode, item: &Item) -> Vec<u8> {
    let digits = item.prefix();
    let (map, count) = if item.size() == 1 {
        (bills(), Vec::new())
    } else {
        (storage_prefix(b"Totals", b"Numbers"), vec![digits.len() as u8])
    };
    // The maps' hasher is the identity.
    [&map[..], code.as_bytes(), &count, &digits].concat()
}
