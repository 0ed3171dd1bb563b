//! The operation that says what is in a group, or that nothing is between two groups, and
//! what proves it.

use super::{
    engine::{CHUNK, Engine, EngineContext, Failure, Family},
    hasher::Digest,
};
use commonware_storage::qmdb::current::{
    ordered::proof::constant::ExclusionProof, proof::constant::OperationProof as Proof,
};
use sp_core::H256;

/// An operation of the log that is active: its digests, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Active {
    /// SM3 of what the keys of its group share.
    pub(crate) key: H256,
    /// SM3 of what is in the group.
    pub(crate) value: H256,
    /// SM3 of what the keys of the next group share.
    pub(crate) next: H256,
    /// What proves it.
    pub(crate) proof: OperationProof,
}

/// Where an operation stands in the log, and what lies beside its way to the state root.
/// `docs/certificates.md` says how they come together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationProof {
    /// Its place in the log.
    pub location: u64,
    /// Operations of the log.
    pub leaves: u64,
    /// Peaks that are folded from the front.
    pub inactive_peaks: u8,
    /// Root of the log without activity bits.
    pub plain: H256,
    /// Activity bits of its 256 operations.
    pub bits: [u8; CHUNK],
    /// SM3 of the bits of the last chunk, if that is partial.
    pub partial: Option<H256>,
    /// Digests beside the way from the leaf to its peak, upwards; then what is before the
    /// peak, and after it.
    pub digests: Vec<H256>,
}

impl<E: EngineContext> Engine<E> {
    /// The operation about the group with this digest at the tip, or about the one before it.
    pub(super) async fn active(&self, key: Digest) -> Result<Active, Failure> {
        let db = self.database()?;
        let (key, value, next, proof) = match db.get(&key).await? {
            Some(value) => {
                let proof = db.key_value_proof(key).await?;
                (key, value, proof.next_key, proof.proof)
            }
            None => match db.exclusion_proof(&key).await? {
                ExclusionProof::KeyValue(proof, update) => {
                    (update.key, update.value, update.next_key, proof)
                }
                ExclusionProof::Commit(..) => {
                    return Err(Failure::Refused("the state is empty".into()));
                }
            },
        };
        let [key, value, next] = [key, value, next].map(hash);
        Ok(Active { key, value, next, proof: operation_proof(proof)? })
    }
}

fn hash(digest: Digest) -> H256 {
    H256(digest.0)
}

/// QMDB has the digests of the peaks in front, and those beside the way in the order of a
/// walk from the left: left ones from above, then right ones from below.
fn operation_proof(proof: Proof<Family, Digest, CHUNK>) -> Result<OperationProof, Failure> {
    let odd = || Failure::Damaged("an operation's proof has another form than expected".into());
    let (location, range) = (*proof.loc, proof.range_proof);
    let leaves = *range.proof.leaves;
    let height = peak_height(location, leaves).ok_or_else(odd)?;
    let digests: Vec<H256> = range.proof.digests.into_iter().map(hash).collect();
    let beside = digests.len().checked_sub(height).ok_or_else(odd)?;
    let (peaks, siblings) = digests.split_at(beside);
    let is_right = |level: &usize| (location >> level) & 1 == 1;
    let lefts = (0..height).filter(is_right).count();
    let (left, right) = siblings.split_at(lefts);
    let (mut left, mut right) = (left.iter().rev(), right.iter());
    let upwards =
        (0..height).map(|level| if is_right(&level) { left.next() } else { right.next() });
    let digests = upwards.flatten().chain(peaks).copied().collect();
    Ok(OperationProof {
        location,
        leaves,
        inactive_peaks: u8::try_from(range.proof.inactive_peaks).map_err(|_| odd())?,
        plain: hash(range.ops_root),
        bits: proof.chunk,
        partial: range.partial_chunk_digest.map(hash),
        digests,
    })
}

/// Height of the peak over a leaf.
fn peak_height(location: u64, leaves: u64) -> Option<usize> {
    let mut first = 0_u64;
    for height in (0..u64::BITS).rev() {
        let width = leaves & (1 << height);
        if width != 0 && location.checked_sub(first)? < width {
            return usize::try_from(height).ok();
        }
        first = first.checked_add(width)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_leaf_is_under_the_peak_that_holds_it() {
        // Peaks over 0 to 7, 8 and 9, and 10.
        let heights: Vec<_> = (0..12).map(|leaf| peak_height(leaf, 11)).collect();
        let expected = [3, 3, 3, 3, 3, 3, 3, 3, 1, 1, 0].map(Some);
        assert_eq!(heights[..11], expected);
        assert_eq!(heights[11], None);
    }
}
