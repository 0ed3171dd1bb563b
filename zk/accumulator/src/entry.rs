//! What is said of a bill in its payer's accumulator.

use crate::hash::RATE;
use core::fmt;
use p3_field::PrimeCharacteristicRing;
use p3_koala_bear::KoalaBear;

/// Bits of each half of an amount.
pub const LIMB_BITS: u32 = 24;
/// Largest magnitude of an amount, in fen: that of `Fen`.
pub const MAX_AMOUNT: u64 = 99_999_999_999_999;
/// Most days since 1970-01-01: later than 2999-12-31, and below 2^20.
pub const MAX_DAYS: u32 = 400_000;
/// Place of the head in a block.
pub const HEAD: usize = 4;
/// Head of the block of a holder's secret; no entry has it.
pub const HOLDER_HEAD: u32 = 64;
/// Bits of each of the three elements of the salt.
const SALT_MASK: u32 = (1 << 30) - 1;

/// What sort of bill an entry is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// 蓝票: an ordinary bill.
    Normal = 0,
    /// 红票: takes a bill back; its total is negative or zero.
    Red = 1,
    /// 差额票: what is left of a bill that was partly taken back.
    Balance = 2,
    /// 电子缴款书: a payment notice.
    PaymentNotice = 3,
}

impl Kind {
    /// Every kind, by number.
    pub const ALL: [Kind; 4] = [Kind::Normal, Kind::Red, Kind::Balance, Kind::PaymentNotice];
}

/// What happened to the bill.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Change {
    /// It came into force: one more bill like this.
    InForce = 0,
    /// It stopped to be in force (冲红, 作废): one bill like this less. The entry repeats what the
    /// entry of the bill said.
    Reversed = 1,
}

/// One line of a payer's accumulator.
///
/// | element | value                                                         |
/// |---------|---------------------------------------------------------------|
/// | 0       | days of the issue date since 1970-01-01                       |
/// | 1       | number of the scene                                           |
/// | 2       | magnitude of the total in fen, lower 24 bits                  |
/// | 3       | magnitude of the total in fen, the bits above                 |
/// | 4       | head: `1 + 2 · change + 4 · kind`                             |
/// | 5, 6, 7 | salt: bytes 0–3, 4–7, 8–11 of the bill's content hash, lowest |
/// |         | first, 30 bits of each                                        |
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    days: u32,
    scene: u16,
    amount: u64,
    kind: Kind,
    change: Change,
    salt: [u32; 3],
}

/// Why something is no entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryError {
    /// The date is out of range.
    Days {
        /// What was given.
        found: u32,
    },
    /// The magnitude of the total is out of range.
    Amount {
        /// What was given.
        found: u64,
    },
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days { found } => {
                write!(f, "days: expected at most {MAX_DAYS} since 1970-01-01, found {found}")
            }
            Self::Amount { found } => {
                write!(f, "amount: expected a magnitude of at most {MAX_AMOUNT} fen, found {found}")
            }
        }
    }
}

impl core::error::Error for EntryError {}

impl Entry {
    /// The entry of a bill that comes into force: its issue date in days since 1970-01-01, its
    /// scene, the magnitude of its total in fen, its kind, and its content hash as salt.
    pub fn new(
        days: u32,
        scene: u16,
        amount: u64,
        kind: Kind,
        content_hash: &[u8; 32],
    ) -> Result<Self, EntryError> {
        if days > MAX_DAYS {
            return Err(EntryError::Days { found: days });
        }
        if amount > MAX_AMOUNT {
            return Err(EntryError::Amount { found: amount });
        }
        let salt = core::array::from_fn(|i| {
            let at = 4 * i;
            let word = [
                content_hash[at],
                content_hash[at + 1],
                content_hash[at + 2],
                content_hash[at + 3],
            ];
            u32::from_le_bytes(word) & SALT_MASK
        });
        Ok(Self { days, scene, amount, kind, change: Change::InForce, salt })
    }

    /// The entry that takes this one back.
    #[must_use]
    pub const fn reversed(mut self) -> Self {
        self.change = Change::Reversed;
        self
    }

    /// Issue date, in days since 1970-01-01.
    pub const fn days(&self) -> u32 {
        self.days
    }

    /// Scene.
    pub const fn scene(&self) -> u16 {
        self.scene
    }

    /// Magnitude of the total, in fen.
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// Kind.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What happened.
    pub const fn change(&self) -> Change {
        self.change
    }

    /// Block of the entry, as the chain takes it.
    pub fn block(&self) -> [KoalaBear; RATE] {
        let low = self.amount & ((1 << LIMB_BITS) - 1);
        let head = 1 + 2 * self.change as u32 + 4 * self.kind as u32;
        [
            KoalaBear::from_u32(self.days),
            KoalaBear::from_u16(self.scene),
            KoalaBear::from_u64(low),
            KoalaBear::from_u64(self.amount >> LIMB_BITS),
            KoalaBear::from_u32(head),
            KoalaBear::from_u32(self.salt[0]),
            KoalaBear::from_u32(self.salt[1]),
            KoalaBear::from_u32(self.salt[2]),
        ]
    }
}
