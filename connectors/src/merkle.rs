//! Merkle trees over SM3 for evidence in batches: a leaf is SM3(0 ‖ digest), a node
//! SM3(1 ‖ left ‖ right); a last one without a neighbour goes up as it is.

use billchain_crypto::sm3::Sm3;
use serde::{Deserialize, Serialize};

/// Longest path: trees have at most 2^32 leaves.
pub const MAX_PATH: usize = 32;

/// Which side of the path a hash stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The hash stands left of what was reached so far.
    Left,
    /// It stands right.
    Right,
}

/// One step of a path.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Where the hash stands.
    pub side: Side,
    /// 64 digits of hex.
    #[serde(with = "hex::serde")]
    pub hash: [u8; 32],
}

fn hash(tag: u8, parts: &[&[u8; 32]]) -> [u8; 32] {
    let mut sm3 = Sm3::new();
    sm3.update(&[tag]);
    parts.iter().for_each(|part| sm3.update(*part));
    sm3.finalize()
}

/// The root over digests; none: there is no digest.
pub fn root(digests: &[[u8; 32]]) -> Option<[u8; 32]> {
    let mut level: Vec<[u8; 32]> = digests.iter().map(|digest| hash(0, &[digest])).collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => hash(1, &[left, right]),
                other => other[0],
            })
            .collect();
    }
    level.first().copied()
}

/// The root that a path leads to from a digest; none: the path is too long.
pub fn climb(digest: &[u8; 32], path: &[Step]) -> Option<[u8; 32]> {
    if path.len() > MAX_PATH {
        return None;
    }
    Some(path.iter().fold(hash(0, &[digest]), |reached, step| match step.side {
        Side::Left => hash(1, &[&step.hash, &reached]),
        Side::Right => hash(1, &[&reached, &step.hash]),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_crypto::sm3::sm3;

    #[test]
    fn a_path_leads_to_the_root_and_a_wrong_one_does_not() {
        let digests: Vec<[u8; 32]> = (0..3u8).map(|n| sm3(&[n])).collect();
        let leaf = |n: usize| sm3(&[&[0][..], &digests[n]].concat());
        let pair = sm3(&[&[1][..], &leaf(0), &leaf(1)].concat());
        let top = sm3(&[&[1][..], &pair, &leaf(2)].concat());
        assert_eq!(root(&digests), Some(top));
        let path =
            [Step { side: Side::Left, hash: leaf(0) }, Step { side: Side::Right, hash: leaf(2) }];
        assert_eq!(climb(&digests[1], &path), Some(top));
        assert_eq!(climb(&digests[2], &[Step { side: Side::Left, hash: pair }]), Some(top));
        assert_ne!(climb(&digests[0], &path), Some(top), "another digest");
        assert_ne!(climb(&digests[1], &path[..1]), Some(top), "a path cut short");
        assert_eq!(climb(&digests[1], &vec![path[0].clone(); 33]), None, "a path too long");
    }

    #[test]
    fn a_node_is_no_leaf() {
        let digests = [sm3(b"a"), sm3(b"b")];
        assert_ne!(root(&[root(&digests).unwrap()]), root(&digests));
        assert_eq!(root(&[]), None);
    }
}
