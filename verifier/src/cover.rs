//! How the numbers of a range (号段) are put together from blocks of numbers whose tallies the
//! state holds, and from single bills.

use crate::bill;
use alloc::vec::Vec;

/// What the keys of blocks of numbers begin with in the state: the pallet and its map.
const NUMBERS: [u8; 32] = [
    0xb6, 0xe8, 0xd3, 0x3e, 0x59, 0x70, 0x7e, 0x1e, 0x40, 0x1e, 0x3b, 0xec, 0xcb, 0x5f, 0x22, 0x3f,
    0x64, 0x2c, 0x4d, 0xd6, 0xc9, 0x82, 0x76, 0xf2, 0xb8, 0xf7, 0x65, 0x83, 0x61, 0xc2, 0x96, 0x56,
];

/// What the keys of issuers' months begin with.
const MONTHS: [u8; 32] = [
    0xb6, 0xe8, 0xd3, 0x3e, 0x59, 0x70, 0x7e, 0x1e, 0x40, 0x1e, 0x3b, 0xec, 0xcb, 0x5f, 0x22, 0x3f,
    0x72, 0x1e, 0x6b, 0xc5, 0x02, 0x32, 0xd0, 0xb6, 0x8c, 0xdc, 0xfa, 0x6e, 0x86, 0x6c, 0x44, 0xa2,
];

/// How many numbers a block has, and with how many digits they begin; a single bill comes last.
const SIZES: [(u64, u8); 4] = [(1_000_000, 4), (10_000, 6), (100, 8), (1, 10)];

/// A block of numbers, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The first number.
    first: u64,
    /// How many numbers.
    size: u64,
    /// Digits that they begin with.
    digits: u8,
}

impl Item {
    /// The first number of the item.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// How many numbers it has: 1 of a single bill, else 100, 10^4 or 10^6.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The digits with which all its numbers begin: 10 of a single bill, else 8, 6 or 4.
    pub fn prefix(&self) -> Vec<u8> {
        let number = digits(self.first);
        number.into_iter().take(self.digits.into()).collect()
    }

    /// Whether the keys of both differ in their last byte alone.
    pub const fn is_beside(&self, other: &Self) -> bool {
        // Ten blocks in a row share all digits but the last.
        let ten = 10 * self.size;
        self.size == other.size && self.first / ten == other.first / ten
    }

    /// What its key shares with those beside it, and the key's last byte.
    pub(crate) fn key(&self, code: &[u8]) -> (Vec<u8>, u8) {
        let mut digits = self.prefix();
        let last = digits.pop().unwrap_or_default();
        let shared = if self.size == 1 {
            [&bill::PREFIX[..], code, &digits].concat()
        } else {
            [&NUMBERS[..], code, &[self.digits], &digits].concat()
        };
        (shared, last)
    }
}

/// The items that make a range up, ascending, each as large as it may be.
#[derive(Clone, Debug)]
pub struct Cover {
    next: u64,
    last: u64,
}

impl Cover {
    /// The items of the numbers from `first` to `last`, both below 10^10; none if `first` is
    /// above `last`.
    pub const fn new(first: u64, last: u64) -> Self {
        Self { next: first, last }
    }
}

impl Iterator for Cover {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let first = self.next;
        let left = self.last.checked_add(1)?.checked_sub(first)?;
        let fits = |size: u64| size <= left && first.is_multiple_of(size);
        let (size, digits) = SIZES.into_iter().find(|(size, _)| fits(*size))?;
        self.next = first.checked_add(size)?;
        Some(Item { first, size, digits })
    }
}

/// The ten digits of a number.
pub(crate) fn digits(number: u64) -> [u8; 10] {
    let (mut digits, mut rest) = ([0; 10], number);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    digits
}

/// What the key of an issuer's month shares with those beside it, and the key's last byte.
pub(crate) fn month_key(issuer: &str, month: &[u8; 6]) -> (Vec<u8>, u8) {
    let [year @ .., last] = month;
    // A compact length: an issuer has at most 64 bytes.
    let length = u16::try_from(issuer.len()).unwrap_or(u16::MAX >> 2) << 2;
    let length = if issuer.len() < 64 {
        Vec::from([length.to_le_bytes()[0]])
    } else {
        Vec::from((length | 1).to_le_bytes())
    };
    ([&MONTHS[..], &length, issuer.as_bytes(), year].concat(), *last)
}

#[cfg(test)]
mod tests;
