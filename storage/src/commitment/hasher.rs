//! SM3 as QMDB's hash.

use billchain_crypto::sm3::{sm3_many, sm3_pair};
use commonware_cryptography::{Hasher, sha256};
use commonware_parallel::Strategy;

/// Thirty-two bytes with the codecs that QMDB asks of a digest. The name is
/// upstream's; nothing here computes SHA-256.
pub(crate) type Digest = sha256::Digest;

/// The SM3 hash for QMDB.
#[derive(Default)]
pub(crate) struct Sm3(billchain_crypto::sm3::Sm3);

impl Hasher for Sm3 {
    type Digest = Digest;

    fn hash(parts: &[&[u8]]) -> Digest {
        let mut hash = billchain_crypto::sm3::Sm3::new();
        for part in parts {
            hash.update(part);
        }
        sha256::Digest(hash.finalize())
    }

    fn hash_pair(left: &[&[u8]], right: &[&[u8]], _: &impl Strategy) -> (Digest, Digest) {
        let (left, right) = sm3_pair(left, right);
        (sha256::Digest(left), sha256::Digest(right))
    }

    fn hash_many<M: AsRef<[u8]> + Sync>(messages: &[M], _: &impl Strategy) -> Vec<Digest> {
        sm3_many(messages).into_iter().map(sha256::Digest).collect()
    }

    fn update(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    fn finalize(self) -> (Self, Digest) {
        (Self::default(), sha256::Digest(self.0.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_parallel::Sequential;

    /// GB/T 32905-2016, A.1: SM3("abc").
    const ABC: [u8; 32] = [
        0x66, 0xc7, 0xf0, 0xf4, 0x62, 0xee, 0xed, 0xd9, 0xd1, 0xf2, 0xd4, 0x6b, 0xdc, 0x10, 0xe4,
        0xe2, 0x41, 0x67, 0xc4, 0x87, 0x5c, 0xf2, 0xf7, 0xa2, 0x29, 0x7d, 0xa0, 0x2b, 0x8f, 0x4b,
        0xa8, 0xe0,
    ];

    #[test]
    fn one_shot_and_streamed_hashes_are_sm3() {
        assert_eq!(Sm3::hash(&[b"a", b"", b"bc"]).0, ABC);
        let (left, right) = Sm3::hash_pair(&[b"ab", b"c"], &[b"abc"], &Sequential);
        assert_eq!([left.0, right.0], [ABC; 2]);
        assert_eq!(Sm3::hash_many(&[b"abc"; 9], &Sequential), [sha256::Digest(ABC); 9]);
        let mut hasher = Sm3::default();
        hasher.update(b"ab").update(b"c");
        let (mut hasher, digest) = hasher.finalize();
        assert_eq!(digest.0, ABC);
        hasher.update(b"abc");
        assert_eq!(hasher.finalize().1.0, ABC, "finalize resets");
    }
}
