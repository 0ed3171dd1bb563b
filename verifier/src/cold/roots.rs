//! From segments to the state root: a run is segments whose ranges of keys follow one another;
//! the cold root is over the runs and over the records of the cold part, which say how runs go on;
//! the state root is over the hot and the cold root.

use super::{
    Digest, MAX_SHARED, Refused,
    reader::Reader,
    sm3,
    tree::{Frontier, Path, Tree},
};
use alloc::vec::Vec;

/// What begins the hash of a state root, and of a cold root.
const STATE: [u8; 2] = [0xC0, 0];
const COLD: [u8; 2] = [0xC0, 1];

/// Most runs, all of which a proof of absence goes through.
pub const MAX_RUNS: usize = 64;

/// A segment as its run commits to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where its range of keys begins; it ends where that of the next one begins.
    pub from: Vec<u8>,
    /// Root over its groups.
    pub groups: Digest,
    /// Root over their activity bits.
    pub bits: Digest,
}

impl Listed {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Refused> {
        let from = reader.shared()?.to_vec();
        Ok(Self { from, groups: reader.digest()?, bits: reader.digest()? })
    }

    /// Its bytes; none if `from` is longer than [`MAX_SHARED`].
    fn encode(&self) -> Option<Vec<u8>> {
        let length = u16::try_from(self.from.len()).ok();
        let length = length.filter(|_| self.from.len() <= MAX_SHARED)?;
        Some([&length.to_be_bytes()[..], &self.from, &self.groups, &self.bits].concat())
    }

    fn leaf(&self, index: u64) -> Option<Digest> {
        Some(Tree::Segments.leaf(index, &self.encode()?))
    }
}

/// Root over the segments of a run; none if their ranges are out of order, or one begins with
/// more than [`MAX_SHARED`] bytes.
pub fn run_root(segments: &[Listed]) -> Option<Digest> {
    if !segments.iter().zip(segments.iter().skip(1)).all(|(one, next)| one.from < next.from) {
        return None;
    }
    let mut tree = Frontier::new(Tree::Segments);
    for (index, segment) in (0..).zip(segments) {
        tree.push(segment.leaf(index)?);
    }
    Some(tree.root())
}

/// Root over the runs, the oldest first, and over SM3 of the records of the cold part; none if
/// there are more runs than [`MAX_RUNS`].
pub fn cold_root(runs: &[Digest], records: &Digest) -> Option<Digest> {
    let count = u8::try_from(runs.len()).ok().filter(|_| runs.len() <= MAX_RUNS)?;
    let parts = [&COLD[..], &[count]];
    let digests = runs.iter().chain([records]).map(|digest| &digest[..]);
    Some(sm3(&parts.into_iter().chain(digests).collect::<Vec<_>>()))
}

/// The state root over what is hot and what is cold.
pub fn state_root(hot: &Digest, cold: &Digest) -> Digest {
    sm3(&[&STATE, hot, cold])
}

/// Proof of the segment of a run whose range a key is in, or that the key is in none: that
/// segment and the next one; one of them at either end of the run; none in a run without
/// segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The segments, ascending; two at most.
    pub segments: Vec<Listed>,
    /// Their way to the root of the run.
    pub path: Path,
}

impl Coverage {
    /// The proof for `key` in a run of these segments; none where [`run_root`] gives none.
    pub fn of(segments: &[Listed], key: &[u8]) -> Option<Self> {
        run_root(segments)?;
        let above = segments.partition_point(|segment| segment.from.as_slice() <= key);
        let first = above.saturating_sub(1);
        let shown = segments.get(first..segments.len().min(above + 1))?;
        let leaves = (0..).zip(segments).map(|(index, segment)| segment.leaf(index));
        let leaves = leaves.collect::<Option<Vec<_>>>()?;
        let path = Path::of(Tree::Segments, &leaves, first, shown.len())?;
        Some(Self { segments: shown.to_vec(), path })
    }

    /// Reads a proof, and nothing behind it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        Reader::whole(bytes, Self::read)
    }

    /// Reads the number of segments (1), each of them, and their path.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refused> {
        let shown = reader.byte()?;
        if shown > 2 {
            return Err(Refused::Malformed("it shows more than two segments"));
        }
        let segments = (0..shown).map(|_| Listed::read(reader)).collect::<Result<_, _>>()?;
        let path = Path::read(reader, shown.into())?;
        if shown == 0 && (path.count, path.first) != (0, 0) {
            return Err(Refused::Malformed("it shows no segment of a run that has some"));
        }
        Ok(Self { segments, path })
    }

    /// Its bytes; none if there are more than two segments, or one begins with more than
    /// [`MAX_SHARED`] bytes.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let shown = u8::try_from(self.segments.len()).ok().filter(|shown| *shown <= 2)?;
        let mut bytes = [shown].to_vec();
        for segment in &self.segments {
            bytes.extend(segment.encode()?);
        }
        self.path.write(&mut bytes);
        Some(bytes)
    }

    /// The segment of the run with this root whose range `key` is in; none if it is below all.
    pub fn verify(&self, root: &Digest, key: &[u8]) -> Result<Option<&Listed>, Refused> {
        let Path { count, first, .. } = self.path;
        let covers = |segment: &Listed| segment.from.as_slice() <= key;
        let found = match self.segments.as_slice() {
            [] if count == 0 => None,
            [only] if covers(only) && first.checked_add(1) == Some(count) => Some(only),
            [only] if !covers(only) && first == 0 => None,
            [one, next] if covers(one) && !covers(next) => Some(one),
            _ => return Err(Refused::NotBetween),
        };
        let leaves = (first..).zip(&self.segments).map(|(index, segment)| segment.leaf(index));
        let leaves = leaves.collect::<Option<Vec<_>>>().ok_or(Refused::OtherRoot)?;
        let of_run = match leaves.is_empty() {
            true => Some(Tree::Segments.root(0, None)),
            false => self.path.root(Tree::Segments, leaves),
        };
        if of_run.as_ref() == Some(root) { Ok(found) } else { Err(Refused::OtherRoot) }
    }
}
