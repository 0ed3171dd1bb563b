//! What QMDB proves is what is verified here, and nothing else.

use super::*;
use crate::make;
use commonware_cryptography::sha256;
use commonware_parallel::{Sequential, Strategy};
use commonware_runtime::{
    Runner as _,
    buffer::paged::{CacheRef, page_size},
    deterministic::{self, Context},
};
use commonware_storage::{
    journal::contiguous::fixed::Config as JournalConfig,
    merkle::{self, mmr},
    qmdb::{
        current::{
            FixedConfig,
            ordered::{fixed::partitioned, proof::constant::ExclusionProof},
            proof::constant::OperationProof,
        },
        floor::Proportional,
    },
    translator::EightCap,
};
use std::{
    collections::BTreeMap,
    num::{NonZeroU16, NonZeroU64, NonZeroUsize},
};

const CHUNK: usize = 32;
const PAGE_SIZE: NonZeroU16 = page_size(4096);

/// SM3 in the form that QMDB asks for.
#[derive(Default)]
pub(crate) struct Sm3(sm3::Sm3);

impl commonware_cryptography::Hasher for Sm3 {
    type Digest = sha256::Digest;

    fn hash(parts: &[&[u8]]) -> sha256::Digest {
        sha256::Digest(crate::sm3(parts))
    }

    fn hash_pair(
        left: &[&[u8]],
        right: &[&[u8]],
        _: &impl Strategy,
    ) -> (sha256::Digest, sha256::Digest) {
        (Self::hash(left), Self::hash(right))
    }

    fn update(&mut self, bytes: &[u8]) -> &mut Self {
        sm3::Digest::update(&mut self.0, bytes);
        self
    }

    fn finalize(self) -> (Self, sha256::Digest) {
        (Self::default(), sha256::Digest(sm3::Digest::finalize(self.0).into()))
    }
}

pub(crate) type Db = partitioned::Db<
    mmr::Family,
    Context,
    sha256::Digest,
    sha256::Digest,
    Sm3,
    EightCap,
    1,
    CHUNK,
    Sequential,
>;

/// States after some blocks, each a set of writes; `look` sees each with its root.
pub(crate) fn with_states(
    blocks: Vec<Vec<(Digest, Option<Digest>)>>,
    mut look: impl AsyncFnMut(usize, Digest, &Db),
) {
    deterministic::Runner::default().start(|context| async move {
        let mut db = Db::init(context, config(), None).await.unwrap();
        for (number, writes) in blocks.into_iter().enumerate() {
            let mut batch = db.new_batch();
            for (key, value) in writes {
                batch = batch.write(sha256::Digest(key), value.map(sha256::Digest));
            }
            let batch = batch.merkleize(&db, None, &mut Proportional).await.unwrap();
            db = db.apply_batch(batch).await.unwrap();
            look(number, db.root().0, &db).await;
        }
    });
}

/// What the state says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Its value and the next key.
    Present { value: Digest, next: Digest },
    /// The key before, its value, and the next key.
    Absent { neighbour: [Digest; 3] },
}

/// What the state says of a key, and the proof.
pub(crate) async fn prove(db: &Db, key: Digest) -> (Known, make::OperationProof) {
    let asked = sha256::Digest(key);
    if let Some(value) = db.get(&asked).await.unwrap() {
        let proof = db.key_value_proof(asked).await.unwrap();
        let known = Known::Present { value: value.0, next: proof.next_key.0 };
        return (known, state_proof(proof.proof));
    }
    match db.exclusion_proof(&asked).await.unwrap() {
        ExclusionProof::KeyValue(proof, update) => {
            let neighbour = [update.key.0, update.value.0, update.next_key.0];
            (Known::Absent { neighbour }, state_proof(proof))
        }
        ExclusionProof::Commit(..) => panic!("the state is not empty"),
    }
}

/// QMDB has the digests beside the way in the order of a walk from the left.
fn state_proof(proof: OperationProof<mmr::Family, sha256::Digest, CHUNK>) -> make::OperationProof {
    let (location, range) = (*proof.loc, proof.range_proof);
    let leaves = *range.proof.leaves;
    let height = Peak::over(location, leaves).unwrap().height as usize;
    let digests: Vec<Digest> = range.proof.digests.iter().map(|digest| digest.0).collect();
    let (peaks, siblings) = digests.split_at(digests.len() - height);
    let rights = (0..height).filter(|level| (location >> level) & 1 == 0).count();
    let (left, right) = siblings.split_at(height - rights);
    let (mut left, mut right) = (left.iter().rev(), right.iter());
    let upwards = (0..height).map(|level| {
        let side = if (location >> level) & 1 == 1 { left.next() } else { right.next() };
        *side.unwrap()
    });
    make::OperationProof {
        location,
        leaves,
        inactive_peaks: range.proof.inactive_peaks.try_into().unwrap(),
        plain: range.ops_root.0,
        bits: proof.chunk,
        partial: range.partial_chunk_digest.map(|digest| digest.0),
        digests: upwards.chain(peaks.iter().copied()).collect(),
    }
}

fn config() -> FixedConfig<EightCap, Sequential, NonZeroUsize> {
    let cache = CacheRef::new(PAGE_SIZE, NonZeroUsize::new(64).unwrap());
    let buffer = NonZeroUsize::new(1 << 16).unwrap();
    FixedConfig {
        merkle_config: merkle::full::Config {
            journal_partition: "nodes".into(),
            metadata_partition: "pinned".into(),
            items_per_blob: NonZeroU64::new(1 << 12).unwrap(),
            write_buffer: buffer,
            replay_buffer: buffer,
            strategy: Sequential,
            page_cache: cache.clone(),
        },
        journal_config: JournalConfig {
            partition: "operations".into(),
            items_per_blob: NonZeroU64::new(1 << 12).unwrap(),
            page_cache: cache,
            write_buffer: buffer,
            replay_buffer: buffer,
        },
        grafted_metadata_partition: "grafted".into(),
        translator: EightCap,
        init_cache: NonZeroUsize::new(1 << 10),
        init_buffer: buffer,
        init_concurrency: NonZeroUsize::MIN,
    }
}

fn digest(number: u64) -> Digest {
    crate::sm3(&[&number.to_be_bytes()])
}

/// Blocks of 1 to 700 writes, half of them new keys, some deletions.
fn blocks() -> Vec<Vec<(Digest, Option<Digest>)>> {
    let (mut keys, mut count) = (0, 0);
    let sizes = [1, 2, 3, 40, 300, 7, 700, 250, 512, 5, 1, 256];
    let block = |size: &u64| {
        (0..*size)
            .map(|_| {
                count += 1;
                let key = if count % 2 == 1 {
                    keys += 1;
                    keys
                } else {
                    count * 7 % keys + 1
                };
                (digest(key), (count % 11 != 10).then(|| digest(count << 32)))
            })
            .collect()
    };
    sizes.iter().map(block).collect()
}

fn encoded(proof: &make::OperationProof) -> Vec<u8> {
    let mut bytes = Vec::new();
    proof.put(&mut bytes);
    bytes
}

/// Judges a proof of what is known.
fn judge(key: Digest, known: Known, proof: &[u8], root: &Digest) -> Result<(), Refusal> {
    let front = match known {
        Known::Present { value, next } => [key, value, next],
        Known::Absent { neighbour } => neighbour,
    };
    let bytes = [&front.concat(), proof].concat();
    let mut reader = Reader::new(&bytes, "proof");
    let operation = Operation::read(&mut reader)?;
    reader.end()?;
    operation.verify(root)?;
    let is_left_out = operation.leaves_out(&key);
    assert_eq!(is_left_out, matches!(known, Known::Absent { .. }), "key {key:x?}");
    Ok(())
}

#[test]
fn what_qmdb_proves_is_verified_at_every_size_of_the_log() {
    let blocks = blocks();
    let mut expected = BTreeMap::new();
    let (mut present, mut absent) = (0, 0);
    let writes = blocks.clone();
    with_states(blocks, async |number, root, db| {
        expected.extend(writes[number].iter().copied());
        for key in (1..1_200).map(digest) {
            let (known, proof) = prove(db, key).await;
            match (known, expected.get(&key).copied().flatten()) {
                (Known::Present { value, .. }, Some(written)) => {
                    assert_eq!(value, written);
                    present += 1;
                }
                (Known::Absent { .. }, None) => absent += 1,
                (known, written) => panic!("{known:?} of {written:?}"),
            }
            assert_eq!(judge(key, known, &encoded(&proof), &root), Ok(()), "block {number}");
            let counts = proof_digests(proof.location, proof.leaves, proof.inactive_peaks).unwrap();
            assert_eq!(proof.digests.len() as u64, counts.map(u64::from).iter().sum::<u64>());
        }
    });
    assert!(present > 2_000 && absent > 2_000, "{present} {absent}");
}

#[test]
fn nothing_else_is_verified() {
    let mut older: Vec<(Digest, Known, make::OperationProof, Digest)> = Vec::new();
    with_states(blocks(), async |number, root, db| {
        for (key, known, proof, _) in &older {
            // What was so before has another root now.
            assert_eq!(judge(*key, *known, &encoded(proof), &root), Err(Refusal::State));
        }
        for key in [1, 2, 700, 5_000].map(digest) {
            let (known, proof) = prove(db, key).await;
            let bytes = encoded(&proof);
            if number % 3 == 0 {
                for bit in 0..8 * bytes.len() {
                    let mut changed = bytes.clone();
                    changed[bit / 8] ^= 1 << (bit % 8);
                    assert!(judge(key, known, &changed, &root).is_err(), "bit {bit} of {number}");
                }
            }
            for end in 0..bytes.len() {
                assert!(judge(key, known, &bytes[..end], &root).is_err(), "{end} bytes");
            }
            let other = match known {
                Known::Present { next, .. } => Known::Present { value: [9; 32], next },
                Known::Absent { neighbour: [key, value, _] } => {
                    Known::Absent { neighbour: [key, value, [9; 32]] }
                }
            };
            assert!(judge_quietly(key, other, &bytes, &root).is_err(), "another value");
            older.push((key, known, proof, root));
        }
    });
}

/// As [`judge`], of what is not so.
fn judge_quietly(key: Digest, known: Known, proof: &[u8], root: &Digest) -> Result<(), Refusal> {
    let front = match known {
        Known::Present { value, next } => [key, value, next],
        Known::Absent { neighbour } => neighbour,
    };
    let bytes = [&front.concat(), proof].concat();
    Operation::read(&mut Reader::new(&bytes, "proof"))?.verify(root)
}

#[test]
fn a_key_is_left_out_between_two_neighbours_only() {
    let operation = |key, next| Operation {
        key: [key; 32],
        value: [0; 32],
        next: [next; 32],
        proof: Proof {
            location: 0,
            leaves: 1,
            inactive_peaks: 0,
            plain: [0; 32],
            bits: [1; 32],
            partial: None,
            siblings: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        },
    };
    let left_out = |key, next| {
        let operation = operation(key, next);
        (0..=9_u8).filter(|at| operation.leaves_out(&[*at; 32])).collect::<Vec<_>>()
    };
    assert_eq!(left_out(3, 6), [4, 5]);
    assert!(left_out(3, 4).is_empty());
    assert_eq!(left_out(8, 2), [0, 1, 9], "over the end");
    assert_eq!(left_out(4, 4), [0, 1, 2, 3, 5, 6, 7, 8, 9], "the only key");
}

#[test]
fn nodes_are_counted_as_a_growing_log_makes_them() {
    // Leaves 0 to 3, and the nodes over them: 0 1 (2) 3 4 (5) (6).
    let leaves: Vec<u64> = (0..4).map(|leaf| u64::from_be_bytes(position(leaf, 0))).collect();
    assert_eq!(leaves, [0, 1, 3, 4]);
    assert_eq!([position(0, 1), position(2, 1), position(0, 2)].map(u64::from_be_bytes), [2, 5, 6]);
    assert!(Peak::over(MAX_LEAVES - 1, MAX_LEAVES).is_some_and(|peak| peak.height == 62));
    position(MAX_LEAVES - 1, 62);
}

#[test]
fn a_proof_has_as_many_digests_as_the_log_asks_for() {
    // Of five leaves, the last is a peak behind one of height 2.
    assert_eq!(proof_digests(0, 5, 0), Some([2, 0, 1]));
    assert_eq!(proof_digests(4, 5, 1), Some([0, 1, 0]));
    for (location, leaves, inactive) in [(5, 5, 0), (0, 0, 0), (0, 4, 2), (0, MAX_LEAVES + 1, 0)] {
        assert_eq!(proof_digests(location, leaves, inactive), None, "{location} of {leaves}");
    }
}
