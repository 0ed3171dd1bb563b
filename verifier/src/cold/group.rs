//! That a segment has a group, or none of these keys.

use super::{
    Digest, MAX_SHARED, Refused,
    reader::Reader,
    sm3,
    tree::{Path, Tree},
};
use alloc::vec::Vec;

/// The leaf of a group: `shared` is what its keys share, `group` SM3 of what is in it.
pub fn leaf(position: u64, shared: &[u8], group: &Digest) -> Digest {
    let mut content = [0; 64];
    let (key, value) = content.split_at_mut(32);
    key.copy_from_slice(&sm3(&[shared]));
    value.copy_from_slice(group);
    Tree::Groups.leaf(position, &content)
}

/// Proof that a segment has a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion(pub Path);

impl Inclusion {
    /// Reads a proof, and nothing behind it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        Reader::whole(bytes, Self::read)
    }

    /// Reads the path of the group.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refused> {
        Path::read(reader, 1).map(Self)
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.write(&mut bytes);
        bytes
    }

    /// Place of the group, which is that of its activity bit.
    pub const fn position(&self) -> u64 {
        self.0.first
    }

    /// Whether the segment of this root has the group whose keys share `shared`, and `group`
    /// is SM3 of what is in it.
    pub fn verify(&self, root: &Digest, shared: &[u8], group: &Digest) -> Result<(), Refused> {
        let leaf = leaf(self.0.first, shared, group);
        let found = self.0.root(Tree::Groups, [leaf].into());
        if found.as_ref() == Some(root) { Ok(()) } else { Err(Refused::OtherRoot) }
    }
}

/// A group beside a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// What its keys share.
    pub shared: Vec<u8>,
    /// SM3 of what is in it.
    pub group: Digest,
}

/// Proof that a segment has no group of these keys: the groups before and behind, which follow
/// one another; one of them at either end of the segment; none in a segment without groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The neighbours, ascending; two at most.
    pub neighbours: Vec<Neighbour>,
    /// Their way to the root.
    pub path: Path,
}

impl Exclusion {
    /// Reads a proof, and nothing behind it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        Reader::whole(bytes, Self::read)
    }

    /// Reads the number of neighbours (1), what the keys of each share and SM3 of what is in it,
    /// and their path.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refused> {
        let shown = reader.byte()?;
        if shown > 2 {
            return Err(Refused::Malformed("it shows more than two neighbours"));
        }
        let neighbours = (0..shown)
            .map(|_| {
                let shared = reader.shared()?.to_vec();
                Ok(Neighbour { shared, group: reader.digest()? })
            })
            .collect::<Result<Vec<_>, Refused>>()?;
        let path = Path::read(reader, shown.into())?;
        if shown == 0 && (path.count, path.first) != (0, 0) {
            return Err(Refused::Malformed("it shows no neighbour of a segment that has groups"));
        }
        Ok(Self { neighbours, path })
    }

    /// Its bytes; none if there are more than two neighbours, or the keys of one share more than
    /// [`MAX_SHARED`] bytes.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let shown = u8::try_from(self.neighbours.len()).ok().filter(|shown| *shown <= 2)?;
        let mut bytes = [shown].to_vec();
        for Neighbour { shared, group } in &self.neighbours {
            let length = u16::try_from(shared.len()).ok()?;
            bytes.extend((shared.len() <= MAX_SHARED).then_some(length)?.to_be_bytes());
            bytes.extend(shared);
            bytes.extend(group);
        }
        self.path.write(&mut bytes);
        Some(bytes)
    }

    /// Whether the segment of this root has no group whose keys share `shared`.
    pub fn verify(&self, root: &Digest, shared: &[u8]) -> Result<(), Refused> {
        let Path { count, first, .. } = self.path;
        let is_between = match self.neighbours.as_slice() {
            [] => count == 0,
            [only] if only.shared.as_slice() < shared => first.checked_add(1) == Some(count),
            [only] => first == 0 && shared < only.shared.as_slice(),
            [left, right] => left.shared.as_slice() < shared && shared < right.shared.as_slice(),
            _ => false,
        };
        if !is_between {
            return Err(Refused::NotBetween);
        }
        let leaves: Vec<Digest> = (first..)
            .zip(&self.neighbours)
            .map(|(position, neighbour)| leaf(position, &neighbour.shared, &neighbour.group))
            .collect();
        let found = match leaves.is_empty() {
            true => Some(Tree::Groups.root(0, None)),
            false => self.path.root(Tree::Groups, leaves),
        };
        if found.as_ref() == Some(root) { Ok(()) } else { Err(Refused::OtherRoot) }
    }
}
