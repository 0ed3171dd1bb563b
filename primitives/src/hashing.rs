//! SM3 as the chain's hash function.

use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{H256, Hasher, storage::StateVersion};
use sp_runtime::traits::Hash;
use sp_trie::{LayoutV0, LayoutV1, TrieConfiguration};

/// SM3 digest (GB/T 32905) of `data`, 32 bytes.
pub fn sm3(data: &[u8]) -> [u8; 32] {
    billchain_crypto::sm3::sm3(data)
}

/// SM3 in the form FRAME asks of a runtime's hash: block hashes, the
/// extrinsics root and proofs over it.
#[derive(PartialEq, Eq, Clone, Debug, TypeInfo, Serialize, Deserialize)]
pub struct Sm3Hasher;

impl Hasher for Sm3Hasher {
    type Out = H256;
    type StdHasher = hash256_std_hasher::Hash256StdHasher;
    const LENGTH: usize = 32;

    fn hash(data: &[u8]) -> H256 {
        H256(sm3(data))
    }
}

impl Hash for Sm3Hasher {
    type Output = H256;

    fn ordered_trie_root(input: Vec<Vec<u8>>, version: StateVersion) -> H256 {
        match version {
            StateVersion::V0 => LayoutV0::<Self>::ordered_trie_root(input),
            StateVersion::V1 => LayoutV1::<Self>::ordered_trie_root(input),
        }
    }

    fn trie_root(input: Vec<(Vec<u8>, Vec<u8>)>, version: StateVersion) -> H256 {
        match version {
            StateVersion::V0 => LayoutV0::<Self>::trie_root(input),
            StateVersion::V1 => LayoutV1::<Self>::trie_root(input),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hasher_is_sm3() {
        assert_eq!(
            hex::encode(<Sm3Hasher as Hasher>::hash(b"abc")),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
    }

    #[test]
    fn ordered_root_depends_on_order_and_content() {
        let root = |items: &[&[u8]]| {
            Sm3Hasher::ordered_trie_root(
                items.iter().map(|i| i.to_vec()).collect(),
                StateVersion::V1,
            )
        };
        assert_ne!(root(&[b"a", b"b"]), root(&[b"b", b"a"]));
        assert_ne!(root(&[b"a"]), root(&[b"a", b"b"]));
        assert_eq!(root(&[b"a", b"b"]), root(&[b"a", b"b"]));
    }
}
