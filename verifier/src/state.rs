//! What a state root proves: that a group of keys holds some values, or that there is no such
//! group.
//!
//! The keys of the state that differ in their last byte alone are a group. The commitment to
//! the state is a log of operations; the last one about a group tells what is in it. A Merkle
//! mountain range is over the log, and bits say which operations are active, that is, not
//! overtaken by later ones. An operation also names the next group, in the order of digests,
//! and after the last the first one: what lies between two neighbours is absent.
//!
//! ```text
//! group     = for each of its keys with a value, ascending: last byte (1) ‖ SM3(value)
//! operation = 0xD2 ‖ SM3(shared bytes of the keys) ‖ SM3(group) ‖ SM3(shared bytes of the next)
//! leaf      = SM3(position (8) ‖ operation)
//! node      = SM3(position (8) ‖ left ‖ right)
//! grafted   = SM3(activity bits of 256 operations (32) ‖ node over those 256)
//! peaks     = folded as `fold` says
//! range     = SM3(0x00 ‖ 0x01 ‖ leaves (8) [‖ inactive peaks (8), if any] ‖ peaks)
//! root      = SM3(root of the plain log ‖ range
//!                 [‖ operations in the last, partial chunk (8) ‖ SM3(its bits)])
//! ```
//!
//! Numbers have their highest byte first. The node over 256 operations is replaced by the
//! grafted one before the next level is computed. The construction is that of
//! `commonware-storage`'s QMDB (`qmdb::current::ordered`), which the tests compare it with.

use crate::{Digest, Refusal, reader::Reader, sm3};
use alloc::vec::Vec;

/// Tag of an operation that sets a value.
const UPDATE: u8 = 0xD2;

/// Height of the node over a chunk of 256 operations.
const CHUNK_HEIGHT: u32 = 8;

/// Most operations of a log.
const MAX_LEAVES: u64 = 1 << 62;

/// What begins the hash of a range: a Merkle mountain range, folded from the back.
const RANGE: [u8; 2] = [0, 1];

/// Keys that differ in their last byte alone: that byte and SM3 of the value (33 each), for
/// those that have one.
pub(crate) struct Group<'a>(&'a [u8]);

impl<'a> Group<'a> {
    /// Reads the number of keys (1), and as many of them.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let count = usize::from(reader.byte()?);
        let group = Self(reader.take(33 * count)?);
        let lasts = || group.keys().filter_map(|key| key.first());
        if count == 0 || !lasts().zip(lasts().skip(1)).all(|(one, next)| one < next) {
            return Err(reader.refusal("the keys of a group are out of order, or there are none"));
        }
        Ok(group)
    }

    /// SM3 of the group.
    pub(crate) fn digest(&self) -> Digest {
        sm3(&[self.0])
    }

    /// SM3 of the value of the key with this last byte; none if it has no value.
    pub(crate) fn value(&self, last: u8) -> Option<Digest> {
        let key = self.keys().find(|key| key.first() == Some(&last))?;
        key.last_chunk().copied()
    }

    fn keys(&self) -> impl Iterator<Item = &'a [u8]> {
        self.0.chunks(33)
    }
}

/// An operation of the log that is active.
pub(crate) struct Operation<'a> {
    /// SM3 of what the keys of the group share.
    key: Digest,
    /// SM3 of the group.
    value: Digest,
    /// SM3 of what the keys of the next group share.
    next: Digest,
    proof: Proof<'a>,
}

/// Where an operation stands in the log, and what lies beside its way to the root.
struct Proof<'a> {
    location: u64,
    leaves: u64,
    inactive_peaks: u8,
    /// Root of the log without activity bits.
    plain: Digest,
    /// Activity bits of the operation's chunk.
    bits: [u8; 32],
    /// SM3 of the bits of the last chunk, if that is partial.
    partial: Option<Digest>,
    /// From the leaf upwards.
    siblings: Vec<&'a [u8]>,
    /// Before the operation's peak, and after it.
    before: Vec<&'a [u8]>,
    after: Vec<&'a [u8]>,
}

/// The peak over an operation, and how many stand beside it.
struct Peak {
    /// The first leaf under it.
    first: u64,
    height: u32,
    before: u32,
    after: u32,
}

impl<'a> Operation<'a> {
    /// Reads the digest of the next key (32), and a proof; key and value are known.
    pub(crate) fn read_of(
        key: Digest,
        value: Digest,
        reader: &mut Reader<'a>,
    ) -> Result<Self, Refusal> {
        let next = reader.digest()?;
        Ok(Self { key, value, next, proof: Proof::read(reader)? })
    }

    /// Reads the digests of key, value and next key (32 each), and a proof.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let (key, value) = (reader.digest()?, reader.digest()?);
        Self::read_of(key, value, reader)
    }

    /// Whether the state of this root holds the operation.
    pub(crate) fn verify(&self, root: &Digest) -> Result<(), Refusal> {
        let operation = [&[UPDATE][..], &self.key, &self.value, &self.next].concat();
        match self.proof.root(&operation) {
            Some(found) if found == *root => Ok(()),
            _ => Err(Refusal::State),
        }
    }

    /// Whether `key` lies between the operation's key and the next one, both excluded,
    /// in the order of digests, which after the last begins again.
    pub(crate) fn leaves_out(&self, key: &Digest) -> bool {
        if self.key < self.next {
            self.key < *key && *key < self.next
        } else {
            // From the last key over the end; a single key is its own next.
            self.key < *key || *key < self.next
        }
    }
}

impl<'a> Proof<'a> {
    /// Reads location (8), leaves (8), inactive peaks (1), root of the plain log (32), bits
    /// (32), SM3 of the partial chunk's bits (32, if leaves are no multiple of 256), the
    /// siblings from the leaf upwards (32 each, as many as the peak is high), digests of
    /// what is before the peak and after it (32 each, as many as there must be).
    fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let (location, leaves) = (reader.u64()?, reader.u64()?);
        if leaves > MAX_LEAVES {
            return Err(reader.refusal("the log is too long"));
        }
        let Some(peak) = Peak::over(location, leaves) else {
            return Err(reader.refusal("the operation stands behind the end of the log"));
        };
        let inactive_peaks = reader.byte()?;
        let (plain, bits) = (reader.digest()?, reader.digest()?);
        let partial =
            if leaves.is_multiple_of(1 << CHUNK_HEIGHT) { None } else { Some(reader.digest()?) };
        let siblings = digests(reader, peak.height)?;
        let inactive = u32::from(inactive_peaks);
        if inactive > peak.before + 1 + peak.after {
            return Err(reader.refusal("more peaks are inactive than there are"));
        }
        let (before, after) = peak.digests(inactive);
        let (before, after) = (digests(reader, before)?, digests(reader, after)?);
        Ok(Self { location, leaves, inactive_peaks, plain, bits, partial, siblings, before, after })
    }

    /// The state root that the operation leads to; none if its bit says that it is not
    /// active, or bits contradict each other.
    fn root(&self, operation: &[u8]) -> Option<Digest> {
        let peak = Peak::over(self.location, self.leaves)?;
        let bit = usize::try_from(self.location % 256).ok()?;
        if self.bits.get(bit / 8)? & (1 << (bit % 8)) == 0 {
            return None;
        }
        let complete = self.location / 256 < self.leaves / 256;
        if !complete && self.partial != Some(sm3(&[&self.bits])) {
            return None;
        }
        let top = self.climb(operation, &peak);
        let folded = self.fold(top, &peak);
        let leaves = self.leaves.to_be_bytes();
        let inactive = u64::from(self.inactive_peaks).to_be_bytes();
        let range = match self.inactive_peaks {
            0 => sm3(&[&RANGE, &leaves, &folded]),
            _ => sm3(&[&RANGE, &leaves, &inactive, &folded]),
        };
        Some(match &self.partial {
            None => sm3(&[&self.plain, &range]),
            Some(partial) => {
                let bits = (self.leaves % 256).to_be_bytes();
                sm3(&[&self.plain, &range, &bits, partial])
            }
        })
    }

    /// The digest of the peak over the operation.
    fn climb(&self, operation: &[u8], peak: &Peak) -> Digest {
        let mut digest = sm3(&[&position(self.location, 0), operation]);
        for (level, sibling) in (1..).zip(&self.siblings) {
            // The first leaf under the node, and whether the way comes from its right.
            let offset = self.location - peak.first;
            let first = peak.first + (offset >> level << level);
            let from_right = (offset >> (level - 1)) & 1 == 1;
            let position = position(first, level);
            digest = if from_right {
                sm3(&[&position, sibling, &digest])
            } else {
                sm3(&[&position, &digest, sibling])
            };
            if level == CHUNK_HEIGHT {
                digest = sm3(&[&self.bits, &digest]);
            }
        }
        digest
    }

    /// The peaks as one digest: the inactive ones from the front, each with what is before
    /// it; then the active ones from the back, each with what is behind it.
    fn fold(&self, top: Digest, peak: &Peak) -> Digest {
        let all: Vec<&[u8]> = self
            .before
            .iter()
            .copied()
            .chain([&top[..]])
            .chain(self.after.iter().copied())
            .collect();
        let inactive = u32::from(self.inactive_peaks);
        // Those before it that are folded already count as one.
        let folded = inactive.min(peak.before).saturating_sub(1);
        let inactive = usize::try_from(inactive - folded).unwrap_or(usize::MAX).min(all.len());
        let (front, back) = all.split_at(inactive);
        let front = fold_front(front);
        let mut back = back.iter().rev();
        let last = back.next().map(|last| owned(last));
        let back = last.map(|last| back.fold(last, |sum, peak| sm3(&[peak, &sum])));
        match (front, back) {
            (Some(front), Some(back)) => sm3(&[&front, &back]),
            (Some(all), None) | (None, Some(all)) => all,
            (None, None) => top,
        }
    }
}

/// How many digests the proof of an operation has: beside the way to its peak, of what is before
/// the peak, and of what is after it. None if the log is too long, or has no such operation, or
/// fewer peaks than are inactive.
pub fn proof_digests(location: u64, leaves: u64, inactive_peaks: u8) -> Option<[u32; 3]> {
    let peak = Peak::over(location, leaves).filter(|_| leaves <= MAX_LEAVES)?;
    let inactive = u32::from(inactive_peaks);
    if inactive > peak.before + 1 + peak.after {
        return None;
    }
    let (before, after) = peak.digests(inactive);
    Some([peak.height, before, after])
}

fn digests<'a>(reader: &mut Reader<'a>, count: u32) -> Result<Vec<&'a [u8]>, Refusal> {
    (0..count).map(|_| reader.take(32)).collect()
}

fn fold_front(peaks: &[&[u8]]) -> Option<Digest> {
    let (first, rest) = peaks.split_first()?;
    Some(rest.iter().fold(owned(first), |sum, peak| sm3(&[&sum, peak])))
}

/// A digest of its 32 bytes.
fn owned(bytes: &[u8]) -> Digest {
    let mut digest = [0; 32];
    digest.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    digest
}

impl Peak {
    /// The peak over the leaf at `location` of so many; `None` if there is no such leaf.
    fn over(location: u64, leaves: u64) -> Option<Self> {
        if location >= leaves {
            return None;
        }
        let mut first = 0_u64;
        let mut before = 0;
        for height in (0..u64::BITS).rev() {
            let width = 1_u64 << height;
            if leaves & width == 0 {
                continue;
            }
            if location - first < width {
                let after = (leaves & (width - 1)).count_ones();
                return Some(Self { first, height, before, after });
            }
            first += width;
            before += 1;
        }
        None
    }

    /// How many digests stand for the peaks before it and after it, if so many are inactive:
    /// inactive ones before it are folded to one, active ones after it as well.
    fn digests(&self, inactive: u32) -> (u32, u32) {
        let folded = inactive.min(self.before);
        let single = inactive.saturating_sub(self.before + 1).min(self.after);
        (self.before - folded + u32::from(folded > 0), single + u32::from(self.after > single))
    }
}

/// Position of the node of this height whose first leaf is `first`: nodes are counted in
/// the order in which a growing log makes them.
fn position(first: u64, height: u32) -> [u8; 8] {
    let leaf = 2 * first - u64::from(first.count_ones());
    (leaf + ((1_u64 << (height + 1)) - 2)).to_be_bytes()
}

#[cfg(test)]
pub(crate) mod tests;
