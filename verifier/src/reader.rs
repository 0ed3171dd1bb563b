//! Reads bytes that nobody vouches for, from front to back.

use crate::{Digest, Refusal, cold};

/// The rest of some bytes, and what they are.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, which are a `what`.
    pub(crate) const fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// A refusal of what is read.
    pub(crate) const fn refusal(&self, why: &'static str) -> Refusal {
        Refusal::Malformed { what: self.what, why }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or(self.refusal("it is cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (taken, rest) =
            self.rest.split_first_chunk::<N>().ok_or(self.refusal("it is cut short"))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn digest(&mut self) -> Result<Digest, Refusal> {
        self.array()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Refusal> {
        self.array().map(|[byte]| byte)
    }

    /// An unsigned number of two bytes, the highest first.
    pub(crate) fn u16(&mut self) -> Result<u16, Refusal> {
        self.array().map(u16::from_be_bytes)
    }

    /// An unsigned number of four bytes, the highest first.
    pub(crate) fn u32(&mut self) -> Result<u32, Refusal> {
        self.array().map(u32::from_be_bytes)
    }

    /// An unsigned number of eight bytes, the highest first.
    pub(crate) fn u64(&mut self) -> Result<u64, Refusal> {
        self.array().map(u64::from_be_bytes)
    }

    /// Bytes after their length in two bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// An unsigned number of four bytes as SCALE has it, the lowest first.
    pub(crate) fn scale_u32(&mut self) -> Result<u32, Refusal> {
        self.array().map(u32::from_le_bytes)
    }

    /// An unsigned number of eight bytes as SCALE has it, the lowest first.
    pub(crate) fn scale_u64(&mut self) -> Result<u64, Refusal> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number in SCALE's compact form, in the only form that it has; below 2^32.
    pub(crate) fn compact(&mut self) -> Result<u32, Refusal> {
        const OTHER: &str = "a compact number is not in its shortest form, or too large";
        let first = self.byte()?;
        let (value, least) = match first & 3 {
            0 => (u32::from(first >> 2), 0),
            1 => {
                let [second] = self.array()?;
                (u32::from(u16::from_le_bytes([first, second]) >> 2), 1 << 6)
            }
            2 => {
                let [a, b, c] = self.array()?;
                (u32::from_le_bytes([first, a, b, c]) >> 2, 1 << 14)
            }
            // Four bytes follow: block numbers from 2^30 on.
            _ if first == 3 => (self.scale_u32()?, 1 << 30),
            _ => return Err(self.refusal(OTHER)),
        };
        if value < least { Err(self.refusal(OTHER)) } else { Ok(value) }
    }

    /// A number in SCALE's compact form, in the only form that it has; below 2^64.
    pub(crate) fn compact_u64(&mut self) -> Result<u64, Refusal> {
        // From 2^32 on, 5 to 8 bytes follow.
        let more = match self.rest.first() {
            Some(7) => 5,
            Some(11) => 6,
            Some(15) => 7,
            Some(19) => 8,
            _ => return self.compact().map(u64::from),
        };
        let bytes = self.take(1 + more)?;
        let mut value = [0; 8];
        value.iter_mut().zip(bytes.iter().skip(1)).for_each(|(to, from)| *to = *from);
        if bytes.last() == Some(&0) {
            return Err(self.refusal("a compact number is not in its shortest form"));
        }
        Ok(u64::from_le_bytes(value))
    }

    /// Bytes after their length in SCALE's compact form, at most `most`.
    pub(crate) fn scale_bytes(&mut self, most: usize) -> Result<&'a [u8], Refusal> {
        let length = usize::try_from(self.compact()?).unwrap_or(usize::MAX);
        if length > most {
            return Err(self.refusal("a field is longer than it may be"));
        }
        self.take(length)
    }

    /// Whether SCALE's optional value follows.
    pub(crate) fn scale_option(&mut self) -> Result<bool, Refusal> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.refusal("an optional field is neither there nor absent")),
        }
    }

    /// Reads a proof of the cold part.
    pub(crate) fn cold<T>(
        &mut self,
        read: impl FnOnce(&mut cold::Reader<'a>) -> Result<T, cold::Refused>,
    ) -> Result<T, Refusal> {
        let mut proofs = cold::Reader::new(self.rest);
        let proof = read(&mut proofs)?;
        self.rest = proofs.rest();
        Ok(proof)
    }

    /// What is not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// That nothing is left.
    pub(crate) fn end(&self) -> Result<(), Refusal> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.refusal("bytes follow its end")) }
    }
}
