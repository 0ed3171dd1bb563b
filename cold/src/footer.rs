//! The first and the last bytes of a segment.
//!
//! ```text
//! header = "BILLCOLD" ‖ u32 format
//! footer = u64 groups ‖ u64 keys ‖ u64 bytes of values ‖ root over the groups
//!          ‖ u8 level of the topmost page ‖ u64 its offset ‖ u32 its length ‖ its SM3
//!          ‖ u64 offset of the nodes
//!          ‖ u16 length ‖ first shared bytes ‖ u16 length ‖ last shared bytes
//!          ‖ SM3 of the header and the footer so far
//!          ‖ u32 length of the footer ‖ "DLOCLLIB"
//! ```

use crate::{
    ColdError,
    group::MAX_SHARED,
    index::{Extent, MAX_LEVEL, MAX_PAGE},
    nodes,
    proof::{Digest, MAX_LEAVES},
    source::Source,
};
use billchain_crypto::sm3::sm3;

/// Format of segments that this program writes and reads.
pub const FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"BILLCOLD";
const END: &[u8; 8] = b"DLOCLLIB";

/// Bytes before the first block.
pub(crate) const HEADER: u64 = 12;

/// Bytes behind SM3 of the footer.
const TAIL: usize = 12;

/// Most bytes of a footer.
const MAX_FOOTER: u64 = 4096;

/// What a segment is, as its last bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) groups: u64,
    pub(crate) keys: u64,
    pub(crate) value_bytes: u64,
    pub(crate) root: Digest,
    /// Level and place of the topmost page; level 0 without groups.
    pub(crate) level: u8,
    pub(crate) top: Extent,
    /// Where the nodes begin, and the index ends.
    pub(crate) nodes: u64,
    pub(crate) first: Vec<u8>,
    pub(crate) last: Vec<u8>,
}

/// The header.
pub(crate) fn header() -> Vec<u8> {
    [&MAGIC[..], &FORMAT.to_be_bytes()].concat()
}

impl Footer {
    /// Its bytes. `first` and `last` were checked.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [self.groups, self.keys, self.value_bytes] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(self.root);
        bytes.push(self.level);
        bytes.extend(self.top.offset.to_be_bytes());
        bytes.extend(self.top.length.to_be_bytes());
        bytes.extend(self.top.digest);
        bytes.extend(self.nodes.to_be_bytes());
        for shared in [&self.first, &self.last] {
            bytes.extend((shared.len() as u16).to_be_bytes());
            bytes.extend(shared);
        }
        bytes.extend(checksum(&bytes));
        let length = (bytes.len() + TAIL) as u32;
        bytes.extend(length.to_be_bytes());
        bytes.extend(END);
        bytes
    }

    /// Reads header and footer of a segment, and compares them with each other and with its
    /// length.
    pub(crate) fn read(source: &impl Source) -> Result<Self, ColdError> {
        let name = source.name();
        let failed = |error| ColdError::Io { action: "read", name: source.name(), source: error };
        let damaged =
            |offset, what: String| ColdError::Damaged { name: source.name(), offset, what };
        let length = source.length().map_err(failed)?;
        if length < HEADER + TAIL as u64 {
            return Err(damaged(0, format!("it has {length} bytes, fewer than any segment")));
        }
        let mut header = [0; HEADER as usize];
        source.read_exact_at(0, &mut header).map_err(failed)?;
        let (magic, format) = header.split_at(MAGIC.len());
        if magic != MAGIC {
            let found = hex::encode(magic);
            return Err(damaged(0, format!("it begins with {found}, expected BILLCOLD")));
        }
        let format = format.first_chunk().copied().map_or(0, u32::from_be_bytes);
        if format != FORMAT {
            return Err(ColdError::Format { name, found: format, expected: FORMAT });
        }
        let mut tail = vec![0; length.min(MAX_FOOTER) as usize];
        let start = length - tail.len() as u64;
        source.read_exact_at(start, &mut tail).map_err(failed)?;
        let footer = of_tail(&tail).map_err(|what| damaged(length - TAIL as u64, what))?;
        let offset = length - footer.len() as u64;
        let read = Self::decode(footer).map_err(|what| damaged(offset, what))?;
        read.check(offset).map_err(|what| damaged(offset, what))?;
        Ok(read)
    }

    /// Reads a footer of the right SM3, without its tail.
    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (body, _) = bytes.split_at_checked(bytes.len() - TAIL).ok_or(CUT)?;
        let (body, found) = body.split_last_chunk::<32>().ok_or(CUT)?;
        if checksum(body) != *found {
            return Err(format!(
                "SM3 of header and footer is {}, expected {}",
                hex::encode(checksum(body)),
                hex::encode(found)
            ));
        }
        let mut fields = Fields(body);
        let footer = Self {
            groups: fields.u64()?,
            keys: fields.u64()?,
            value_bytes: fields.u64()?,
            root: fields.array()?,
            level: fields.array().map(|[level]| level)?,
            top: Extent {
                offset: fields.u64()?,
                length: fields.array().map(u32::from_be_bytes)?,
                digest: fields.array()?,
            },
            nodes: fields.u64()?,
            first: fields.shared()?,
            last: fields.shared()?,
        };
        if fields.0.is_empty() {
            Ok(footer)
        } else {
            Err("the footer goes on behind its end".into())
        }
    }

    /// Whether what it says can be so, if it begins at `offset`.
    fn check(&self, offset: u64) -> Result<(), String> {
        if self.groups > MAX_LEAVES {
            return Err(format!("it says {} groups, expected {MAX_LEAVES} at most", self.groups));
        }
        let nodes = nodes::bytes(self.groups);
        if self.nodes < HEADER || self.nodes.checked_add(nodes) != Some(offset) {
            return Err(format!(
                "nodes of {} groups begin at {}, expected {nodes} bytes of them before {offset}",
                self.groups, self.nodes
            ));
        }
        let end = self.top.offset.checked_add(self.top.length.into());
        let is_empty = self.groups == 0;
        let is_placed = match is_empty {
            true => self.level == 0 && end == Some(HEADER) && self.nodes == HEADER,
            false => {
                (1..=MAX_LEVEL).contains(&self.level)
                    && self.top.offset >= HEADER
                    && end == Some(self.nodes)
                    && self.top.length <= MAX_PAGE as u32
            }
        };
        if !is_placed {
            return Err("the topmost page is not where it must be".into());
        }
        let is_ordered = if is_empty {
            self.first.is_empty() && self.last.is_empty() && (self.keys, self.value_bytes) == (0, 0)
        } else {
            (self.first < self.last) == (self.groups > 1) && self.first <= self.last
        };
        let longest = self.first.len().max(self.last.len());
        if !is_ordered || longest > MAX_SHARED {
            return Err("its first and its last group are not in order".into());
        }
        Ok(())
    }
}

const CUT: &str = "the footer is cut short";

fn checksum(footer: &[u8]) -> Digest {
    sm3(&[&header()[..], footer].concat())
}

/// The footer at the end of these bytes.
fn of_tail(tail: &[u8]) -> Result<&[u8], String> {
    let (rest, end) = tail.split_last_chunk::<8>().ok_or(CUT)?;
    if end != END {
        return Err(format!("it ends with {}, expected DLOCLLIB", hex::encode(end)));
    }
    let (_, length) = rest.split_last_chunk::<4>().ok_or(CUT)?;
    let length = u32::from_be_bytes(*length) as usize;
    let start = tail.len().checked_sub(length).filter(|_| length >= TAIL);
    start
        .and_then(|start| tail.get(start..))
        .ok_or_else(|| format!("its footer has {length} bytes, expected {MAX_FOOTER} at most"))
}

/// Fields of a footer, one behind the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or(CUT)?;
        self.0 = rest;
        Ok(*field)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_be_bytes)
    }

    fn shared(&mut self) -> Result<Vec<u8>, String> {
        let length = self.array().map(u16::from_be_bytes)?;
        let (shared, rest) = self.0.split_at_checked(length.into()).ok_or(CUT)?;
        self.0 = rest;
        Ok(shared.to_vec())
    }
}
