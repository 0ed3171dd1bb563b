//! Reads bytes that nobody vouches for, from front to back.

use super::{Digest, MAX_SHARED, Refused};

/// The rest of some bytes.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Reads what is all of `bytes`.
    pub(crate) fn whole<T>(
        bytes: &'a [u8],
        read: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let mut reader = Self::new(bytes);
        let found = read(&mut reader)?;
        reader.end()?;
        Ok(found)
    }

    /// What is not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Refused> {
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

    /// What the keys of a group share, after its length in two bytes.
    pub(crate) fn shared(&mut self) -> Result<&'a [u8], Refused> {
        let length = usize::from(self.array().map(u16::from_be_bytes)?);
        if length > MAX_SHARED {
            return Err(Refused::Malformed("the keys of a group share more than 1,024 bytes"));
        }
        self.take(length)
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
