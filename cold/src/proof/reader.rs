//! Reads bytes that nobody vouches for, from front to back.

use super::{Digest, Refused};

/// The rest of some bytes.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Refused> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(CUT)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn digest(&mut self) -> Result<Digest, Refused> {
        self.array()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Refused> {
        self.array().map(|[byte]| byte)
    }

    /// A number of eight bytes, the highest first.
    pub(crate) fn u64(&mut self) -> Result<u64, Refused> {
        self.array().map(u64::from_be_bytes)
    }

    /// Bytes after their length in two bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Refused> {
        let length = self.array().map(u16::from_be_bytes)?;
        self.take(length.into())
    }

    /// Refuses if something is left.
    pub(crate) fn end(&self) -> Result<(), Refused> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Refused::Malformed("it goes on behind its end"))
        }
    }
}

const CUT: Refused = Refused::Malformed("it is cut short");
