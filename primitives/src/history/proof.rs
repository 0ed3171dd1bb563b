//! The proof that one field of a bill changed, for someone who knows nothing of
//! the bill but the hash of its present version.

use super::{
    BillField, FieldChange, Sibling, VersionHead, VersionRecord,
    difference::{self, MAX_DEPTH},
};
use crate::BillKey;
use codec::{Decode, Encode};
use sp_core::{ConstU32, bounded::BoundedVec};

/// Most versions between the change and the present version.
pub const MAX_LATER: u32 = 1_024;

/// That a version changed one field, and that the bill's present version comes
/// after it. Its SCALE encoding is what is handed on.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct FieldProof {
    /// The field with its values before and after.
    pub change: FieldChange,
    /// What hid the values in the tree.
    pub salt: [u8; 32],
    /// Hashes beside the way from the change to the root, from below.
    pub siblings: BoundedVec<Sibling, ConstU32<MAX_DEPTH>>,
    /// Hash of the version before the change.
    pub previous: [u8; 32],
    /// Head of the version that made the change.
    pub head: VersionHead,
    /// Heads of all versions since, ascending; the last is the present one's.
    pub later: BoundedVec<VersionHead, ConstU32<MAX_LATER>>,
}

/// Why there is no proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotProvable {
    /// The version did not change the field.
    #[error("version {version} did not change {field}")]
    Unchanged {
        /// The version.
        version: u32,
        /// The field.
        field: BillField,
    },
    /// The change is too old.
    #[error("{later} versions came after it, expected at most {MAX_LATER}")]
    TooOld {
        /// Versions since.
        later: usize,
    },
}

/// What is wrong with a proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofProblem {
    /// Both values are the same.
    #[error("the two values of the field are the same")]
    NoChange,
    /// The change is not in the version's difference.
    #[error("the change is not among those of version {version}")]
    NotInDifference {
        /// The version.
        version: u32,
    },
    /// The versions since do not follow one another, or are of another bill.
    #[error("version {expected} of bill {key} is missing in the chain of versions")]
    BrokenChain {
        /// The bill.
        key: BillKey,
        /// The version that should stand there.
        expected: u32,
    },
    /// The chain leads to another version than the one given.
    #[error("the proof leads to version hash 0x{}", hex::encode(found))]
    OtherHash {
        /// Where it leads to.
        found: [u8; 32],
    },
}

impl FieldProof {
    /// The proof that `record`, which came after `before`, changed `field`.
    /// `later` are the heads of all versions since, ascending.
    pub fn new(
        before: &VersionRecord,
        record: &VersionRecord,
        later: Vec<VersionHead>,
        field: BillField,
    ) -> Result<Self, NotProvable> {
        let secret = difference::secret(&record.body);
        let changes = difference::changes((&before.body).into(), (&record.body).into());
        let version = record.body.version;
        let unchanged = NotProvable::Unchanged { version, field };
        let index = changes.iter().position(|change| change.field == field).ok_or(unchanged)?;
        let leaves = difference::leaves(&changes, &secret);
        let siblings = difference::siblings(&leaves, index);
        let later = BoundedVec::try_from(later)
            .map_err(|later: Vec<_>| NotProvable::TooOld { later: later.len() })?;
        Ok(Self {
            change: changes[index].clone(),
            salt: difference::salt(&secret, field),
            // No more than the tree is deep, which has a leaf a field at most.
            siblings: BoundedVec::truncate_from(siblings),
            previous: record.previous,
            head: record.head(),
            later,
        })
    }

    /// Whether the proof holds for the bill whose present version has this
    /// hash. That it is the bill's, a proof of the state shows, or a node that
    /// one trusts.
    pub fn verify(&self, present: &[u8; 32]) -> Result<(), ProofProblem> {
        if self.change.old == self.change.new {
            return Err(ProofProblem::NoChange);
        }
        let leaf = difference::leaf(&self.change, &self.salt);
        if self.head.difference != Some(difference::climb(leaf, &self.siblings)) {
            return Err(ProofProblem::NotInDifference { version: self.head.version });
        }
        let found = self.leads_to()?;
        if found != *present { Err(ProofProblem::OtherHash { found }) } else { Ok(()) }
    }

    /// Hash of the last version that it names.
    pub fn leads_to(&self) -> Result<[u8; 32], ProofProblem> {
        let key = self.head.key;
        let mut hash = self.head.hash_after(&self.previous);
        let mut version = self.head.version;
        for next in &self.later {
            let expected = version.saturating_add(1);
            if (next.key, next.version) != (key, expected) || expected == version {
                return Err(ProofProblem::BrokenChain { key, expected });
            }
            hash = next.hash_after(&hash);
            version = expected;
        }
        Ok(hash)
    }
}
