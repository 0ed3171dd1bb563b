//! What a block replaced: values of the state, activity bits of cold segments, and records of
//! the table `cold`.
//!
//! ```text
//! stored = for each of the three: u32 length, little-endian ‖ changes
//! ```
//!
//! Bits have the key of their segment and position, and no value for 0.

use crate::changes::{Changes, ChangesError};

/// What a block replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// Values of the state.
    pub(crate) state: Changes,
    /// Activity bits.
    pub(crate) bits: Changes,
    /// Records of the table `cold`.
    pub(crate) records: Changes,
}

impl Replaced {
    /// A block that changes values alone.
    pub(crate) fn of_state(state: Changes) -> Self {
        Self { state, bits: Changes::empty(), records: Changes::empty() }
    }

    /// The stored form.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let parts = [&self.state, &self.bits, &self.records].map(Changes::as_bytes);
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
        for part in parts {
            // Changes are not longer: their offsets have as many bits.
            bytes.extend((part.len() as u32).to_le_bytes());
            bytes.extend(part);
        }
        bytes
    }

    /// Reads the stored form and checks it whole.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, ChangesError> {
        let mut rest = bytes;
        let mut part = || {
            let (length, behind) = rest.split_first_chunk::<4>().ok_or(ChangesError::Parts)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (part, behind) = behind.split_at_checked(length).ok_or(ChangesError::Parts)?;
            rest = behind;
            Changes::decode(part.to_vec())
        };
        let replaced = Self { state: part()?, bits: part()?, records: part()? };
        if rest.is_empty() { Ok(replaced) } else { Err(ChangesError::Parts) }
    }

    /// Bytes held in memory.
    pub(crate) fn memory(&self) -> usize {
        self.state.memory() + self.bits.memory() + self.records.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(key: &'static [u8]) -> Changes {
        Changes::from_sorted([(key, Some(&b"before"[..]))].into_iter()).unwrap()
    }

    #[test]
    fn three_parts_read_back_and_nothing_else_does() {
        let replaced =
            Replaced { state: changes(b"key"), bits: changes(b"bit"), records: changes(b"record") };
        let bytes = replaced.encode();
        assert_eq!(Replaced::decode(&bytes), Ok(replaced));
        for length in 0..bytes.len() {
            assert!(Replaced::decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        assert_eq!(Replaced::decode(&[&bytes[..], &[0]].concat()), Err(ChangesError::Parts));
        let empty = Replaced::of_state(Changes::empty());
        assert_eq!(empty.encode(), [0; 12]);
        assert_eq!(Replaced::decode(&[0; 12]), Ok(empty));
    }
}
