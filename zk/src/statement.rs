//! What is proved: a question, where the chain stood, whose bills, and the answer.
//!
//! Everything here is public. Its bytes are part of the transcript, so a proof is for one
//! statement, and a statement is for one asker and one challenge.

use crate::columns::{KINDS, SCENES, public};
use crate::table::MAX_ENTRIES;
use billchain_zk_accumulator::{
    Accumulator, Change, Digest, Entry, InvalidDigest, Kind, KoalaBear, LIMB_BITS, MAX_AMOUNT,
    MAX_DAYS,
};
use p3_field::PrimeCharacteristicRing;

/// Most scenes that a question may name.
pub const MAX_SCENES: usize = SCENES;
/// Version of the bytes of a statement.
pub const STATEMENT_VERSION: u8 = 1;
/// Bytes of a statement.
pub const STATEMENT_BYTES: usize = 228;

/// A set of kinds of bills.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kinds(u8);

impl Kinds {
    /// Bills that a payer has: ordinary ones and what is left of those partly taken back.
    pub const BILLS: Kinds = Kinds((1 << Kind::Normal as u8) | (1 << Kind::Balance as u8));

    /// These kinds.
    pub fn of(kinds: &[Kind]) -> Self {
        Self(kinds.iter().fold(0, |bits, &kind| bits | (1 << kind as u8)))
    }

    /// Whether the kind is one of them.
    pub const fn contains(self, kind: Kind) -> bool {
        (self.0 >> kind as u8) & 1 == 1
    }

    /// One bit a kind, that of `Kind::Normal` lowest.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// What an asker wants to know. All bounds are inclusive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// Earliest issue date, in days since 1970-01-01.
    pub from: u32,
    /// Latest issue date, in days since 1970-01-01.
    pub to: u32,
    /// Scenes, ascending, at most [`MAX_SCENES`]; none: any scene.
    pub scenes: Vec<u16>,
    /// Least magnitude of the total, in fen.
    pub least: u64,
    /// Largest magnitude of the total, in fen.
    pub most: u64,
    /// Kinds, at least one.
    pub kinds: Kinds,
    /// Who asks, in 32 bytes: the SM3 of its decentralised identifier.
    pub asker: [u8; 32],
    /// What the asker drew at random for this question.
    pub challenge: [u8; 32],
}

impl Question {
    /// Whether the entry is one that the question is about.
    pub fn matches(&self, entry: &Entry) -> bool {
        (self.from..=self.to).contains(&entry.days())
            && (self.scenes.is_empty() || self.scenes.contains(&entry.scene()))
            && (self.least..=self.most).contains(&entry.amount())
            && self.kinds.contains(entry.kind())
    }

    /// Number of bills in force that match: what came into force, less what was reversed.
    pub fn count(&self, entries: &[Entry]) -> i64 {
        entries
            .iter()
            .filter(|entry| self.matches(entry))
            .map(|entry| match entry.change() {
                Change::InForce => 1,
                Change::Reversed => -1,
            })
            .sum()
    }

    fn check(&self) -> Result<(), StatementError> {
        use StatementError::{Amounts, Dates, KindsOutOfRange, Scenes};
        if self.from > self.to || self.to > MAX_DAYS {
            return Err(Dates { from: self.from, to: self.to });
        }
        if self.least > self.most || self.most > MAX_AMOUNT {
            return Err(Amounts { least: self.least, most: self.most });
        }
        if self.scenes.len() > MAX_SCENES || !self.scenes.is_sorted_by(|a, b| a < b) {
            return Err(Scenes { found: self.scenes.len() });
        }
        if self.kinds.0 == 0 || self.kinds.0 >> KINDS != 0 {
            return Err(KindsOutOfRange { found: self.kinds.0 });
        }
        Ok(())
    }
}

/// Where the chain stood: from a certificate of the block, never from the holder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anchor {
    /// Number of the block.
    pub block: u32,
    /// Its hash.
    pub block_hash: [u8; 32],
    /// The payer's accumulator in the state of that block.
    pub accumulator: Accumulator,
}

/// What is claimed of the number of matching bills in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// There is none.
    Absent,
    /// There are at least so many, at least 1. With 1: a bill exists.
    AtLeast(u32),
}

/// What is proved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    question: Question,
    anchor: Anchor,
    holder: Digest,
    answer: Answer,
}

/// Why something is no statement.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StatementError {
    /// Dates out of order or range.
    #[error("dates: expected from ≤ to ≤ {MAX_DAYS} days since 1970-01-01, found {from} to {to}")]
    Dates {
        /// The first.
        from: u32,
        /// The last.
        to: u32,
    },
    /// Amounts out of order or range.
    #[error("amounts: expected least ≤ most ≤ {MAX_AMOUNT} fen, found {least} to {most}")]
    Amounts {
        /// The least.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// Too many scenes, or not ascending.
    #[error("scenes: expected at most {MAX_SCENES}, ascending, each once; found {found}")]
    Scenes {
        /// How many.
        found: usize,
    },
    /// No kind, or one that does not exist.
    #[error("kinds: expected one to four bits of 0b1111, found {found:#b}")]
    KindsOutOfRange {
        /// The bits.
        found: u8,
    },
    /// The minimum is out of range.
    #[error("minimum: expected 1 to {MAX_ENTRIES}, found {found}")]
    Minimum {
        /// What was given.
        found: u32,
    },
    /// Bytes of another length.
    #[error("statement: expected {STATEMENT_BYTES} bytes, found {found}")]
    Length {
        /// How many.
        found: usize,
    },
    /// A version that is not known here.
    #[error("statement: expected version {STATEMENT_VERSION}, found {found}")]
    Version {
        /// Which.
        found: u8,
    },
    /// An answer that does not exist.
    #[error("answer: expected 0 (absent) or 1 (at least), found {found}")]
    Answer {
        /// Which.
        found: u8,
    },
    /// Bytes that must be zero are not.
    #[error("{field}: unused bytes are not zero")]
    Unused {
        /// Of which field.
        field: &'static str,
    },
    /// The accumulator or the commitment is no digest.
    #[error("{field}: {source}")]
    Digest {
        /// Which.
        field: &'static str,
        /// Why.
        source: InvalidDigest,
    },
}

impl Statement {
    /// A statement, if everything in it is within its range.
    pub fn new(
        question: Question,
        anchor: Anchor,
        holder: Digest,
        answer: Answer,
    ) -> Result<Self, StatementError> {
        question.check()?;
        match answer {
            Answer::AtLeast(found) if found == 0 || found as usize > MAX_ENTRIES => {
                Err(StatementError::Minimum { found })
            }
            _ => Ok(Self { question, anchor, holder, answer }),
        }
    }

    /// What was asked.
    pub const fn question(&self) -> &Question {
        &self.question
    }

    /// Where the chain stood.
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Commitment of the holder.
    pub const fn holder(&self) -> Digest {
        self.holder
    }

    /// What is claimed.
    pub const fn answer(&self) -> Answer {
        self.answer
    }

    /// The bytes, as `docs/zk.md` lists them; a statement has one form.
    pub fn to_bytes(&self) -> [u8; STATEMENT_BYTES] {
        let Question { from, to, scenes, least, most, kinds, asker, challenge } = &self.question;
        let mut all_scenes = [0; 2 * MAX_SCENES];
        for (bytes, scene) in all_scenes.chunks_exact_mut(2).zip(scenes) {
            bytes.copy_from_slice(&scene.to_le_bytes());
        }
        let (answer, minimum) = match self.answer {
            Answer::Absent => (0, 0),
            Answer::AtLeast(minimum) => (1, minimum),
        };
        let parts: [&[u8]; 16] = [
            &[STATEMENT_VERSION],
            &self.anchor.block.to_le_bytes(),
            &self.anchor.block_hash,
            &self.anchor.accumulator.to_bytes(),
            &self.holder.to_bytes(),
            &from.to_le_bytes(),
            &to.to_le_bytes(),
            &least.to_le_bytes(),
            &most.to_le_bytes(),
            &[kinds.0],
            &[scenes.len() as u8],
            &all_scenes,
            &[answer],
            &minimum.to_le_bytes(),
            asker,
            challenge,
        ];
        let mut bytes = [0; STATEMENT_BYTES];
        let mut at = 0;
        for part in parts {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        bytes
    }

    /// Reads what [`Statement::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatementError> {
        let bytes: &[u8; STATEMENT_BYTES] =
            bytes.try_into().map_err(|_| StatementError::Length { found: bytes.len() })?;
        let mut reader = Reader(bytes);
        let [version] = reader.take();
        if version != STATEMENT_VERSION {
            return Err(StatementError::Version { found: version });
        }
        let block = u32::from_le_bytes(reader.take());
        let block_hash = reader.take();
        let digest = |field| move |source| StatementError::Digest { field, source };
        let accumulator = Accumulator::from_bytes(&reader.take()).map_err(digest("accumulator"))?;
        let holder = Digest::from_bytes(&reader.take()).map_err(digest("holder"))?;
        let (from, to) = (u32::from_le_bytes(reader.take()), u32::from_le_bytes(reader.take()));
        let (least, most) = (u64::from_le_bytes(reader.take()), u64::from_le_bytes(reader.take()));
        let [kinds, number] = reader.take();
        let scenes = scenes(usize::from(number), &reader.take())?;
        let [answer] = reader.take();
        let answer = match (answer, u32::from_le_bytes(reader.take())) {
            (0, 0) => Answer::Absent,
            (0, _) => return Err(StatementError::Unused { field: "minimum" }),
            (1, minimum) => Answer::AtLeast(minimum),
            (found, _) => return Err(StatementError::Answer { found }),
        };
        let (asker, challenge) = (reader.take(), reader.take());
        let kinds = Kinds(kinds);
        Self::new(
            Question { from, to, scenes, least, most, kinds, asker, challenge },
            Anchor { block, block_hash, accumulator },
            holder,
            answer,
        )
    }

    /// The numbers that the constraints speak of; see [`public`].
    pub(crate) fn public_values(&self) -> Vec<KoalaBear> {
        let question = &self.question;
        let mut values = KoalaBear::zero_vec(public::LENGTH);
        let number = KoalaBear::from_u64;
        let (low, high) = (|n: u64| number(n % (1 << LIMB_BITS)), |n: u64| number(n >> LIMB_BITS));
        values[public::ACCUMULATOR].copy_from_slice(&self.anchor.accumulator.digest().0);
        values[public::HOLDER].copy_from_slice(&self.holder.0);
        values[public::FROM] = number(question.from.into());
        values[public::TO] = number(question.to.into());
        values[public::LEAST_LOW] = low(question.least);
        values[public::LEAST_HIGH] = high(question.least);
        values[public::MOST_LOW] = low(question.most);
        values[public::MOST_HIGH] = high(question.most);
        for (value, kind) in values[public::KINDS].iter_mut().zip(Kind::ALL) {
            *value = KoalaBear::from_bool(question.kinds.contains(kind));
        }
        values[public::ANY_SCENE] = KoalaBear::from_bool(question.scenes.is_empty());
        // A scene that is named twice names it once.
        let first = question.scenes.first().copied().unwrap_or(0);
        let scenes = question.scenes.iter().copied().chain(core::iter::repeat(first));
        for (value, scene) in values[public::SCENES].iter_mut().zip(scenes) {
            *value = KoalaBear::from_u16(scene);
        }
        match self.answer {
            Answer::Absent => values[public::ABSENT] = KoalaBear::ONE,
            Answer::AtLeast(minimum) => values[public::MINIMUM] = KoalaBear::from_u32(minimum),
        }
        values
    }
}

fn scenes(number: usize, bytes: &[u8; 2 * MAX_SCENES]) -> Result<Vec<u16>, StatementError> {
    let used = bytes.get(..2 * number).ok_or(StatementError::Scenes { found: number })?;
    if bytes[used.len()..].iter().any(|&byte| byte != 0) {
        return Err(StatementError::Unused { field: "scenes" });
    }
    Ok(used.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
}

/// Fields of the fixed layout, one after another.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        // The fields together are exactly as long as the statement: 228 bytes.
        let (field, rest) = self.0.split_first_chunk().expect("fields within the statement");
        self.0 = rest;
        *field
    }
}
