//! Who signs transactions, and how a signature is checked.
//!
//! SM2 (GB/T 32918) is the scheme of the chain: it covers the full payload
//! through SM3 alone. The three schemes of Substrate's `MultiSignature` keep
//! its encoding, so that existing wallets and libraries work on development
//! chains; those sign a payload of more than 256 bytes by its hash, which is
//! Blake2-256 with stock tools and SM3 with a client that was told the chain's
//! hasher. Both are accepted.

use crate::{AccountId, sm3};
use billchain_crypto::{sm2, sm3::Sm3};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use lru::LruCache;
use parking_lot::Mutex;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{H256, crypto::ByteArray, ecdsa, ed25519, sr25519};
use sp_runtime::{
    MultiSigner,
    traits::{IdentifyAccount, Verify},
};
use std::{convert::Infallible, num::NonZeroUsize, sync::LazyLock};

/// Payloads longer than this are signed by their hash, except with SM2.
const HASHED_PAYLOAD_THRESHOLD: usize = 256;

/// Names of the schemes, for policy and messages.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SignatureScheme {
    /// SM2 with SM3.
    Sm2,
    /// Ed25519; development chains.
    Ed25519,
    /// Schnorr over Ristretto; development chains.
    Sr25519,
    /// ECDSA over secp256k1; development chains.
    Ecdsa,
}

/// A signature over a transaction's payload.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Signature {
    /// As in `MultiSignature`.
    #[codec(index = 0)]
    Ed25519(ed25519::Signature),
    /// As in `MultiSignature`.
    #[codec(index = 1)]
    Sr25519(sr25519::Signature),
    /// As in `MultiSignature`.
    #[codec(index = 2)]
    Ecdsa(ecdsa::Signature),
    /// SM2 with the signer id `1234567812345678` (GM/T 0009).
    #[codec(index = 16)]
    Sm2 {
        /// Compressed public key; its SM3 is the account.
        public: [u8; 33],
        /// r ‖ s.
        signature: [u8; 64],
    },
}

impl Signature {
    /// The scheme.
    pub const fn scheme(&self) -> SignatureScheme {
        match self {
            Self::Ed25519(_) => SignatureScheme::Ed25519,
            Self::Sr25519(_) => SignatureScheme::Sr25519,
            Self::Ecdsa(_) => SignatureScheme::Ecdsa,
            Self::Sm2 { .. } => SignatureScheme::Sm2,
        }
    }

    /// Whether `signer` signed `payload`, which is the whole encoded payload,
    /// not a hash of it. A signature found valid is remembered (up to
    /// [`VERIFIED_CAPACITY`]).
    pub fn verify_payload(&self, payload: &[u8], signer: &AccountId) -> bool {
        let id = VerificationId::of_payload(self, payload, signer);
        self.verify_by(id, || payload, signer)
    }

    /// As [`Self::verify_payload`], for a signature whose verdict is remembered by
    /// `id`, so that the pool's check serves the block's. The payload is asked for
    /// unless the verdict is remembered.
    pub fn verify_by<P: AsRef<[u8]>>(
        &self,
        id: VerificationId,
        payload: impl FnOnce() -> P,
        signer: &AccountId,
    ) -> bool {
        let verdict: Result<bool, Infallible> =
            self.verify_admitted(id, payload, signer, || Ok(()));
        verdict.unwrap_or_else(|never| match never {})
    }

    /// As [`Self::verify_by`]; unless the signature is remembered, `admit` says
    /// first whether the signer is worth the check and a place in memory.
    pub fn verify_admitted<E, P: AsRef<[u8]>>(
        &self,
        id: VerificationId,
        payload: impl FnOnce() -> P,
        signer: &AccountId,
        admit: impl FnOnce() -> Result<(), E>,
    ) -> Result<bool, E> {
        if VERIFIED.lock().get(&id).is_some() {
            return Ok(true);
        }
        admit()?;
        let valid = self.verify_uncached(payload().as_ref(), signer);
        if valid {
            VERIFIED.lock().put(id, ());
        }
        Ok(valid)
    }

    fn verify_uncached(&self, payload: &[u8], signer: &AccountId) -> bool {
        if let Self::Sm2 { public, signature } = self {
            return sm3(public) == *AsRef::<[u8; 32]>::as_ref(signer)
                && sm2::verify(public, sm2::DEFAULT_ID, payload, signature).is_ok();
        }
        if payload.len() <= HASHED_PAYLOAD_THRESHOLD {
            return self.verify_message(payload, signer);
        }
        self.verify_message(&sp_crypto_hashing::blake2_256(payload), signer)
            || self.verify_message(&sm3(payload), signer)
    }

    fn verify_message(&self, message: &[u8], signer: &AccountId) -> bool {
        let who: &[u8; 32] = signer.as_ref();
        match self {
            Self::Ed25519(signature) => signature.verify(message, &ed25519::Public::from(*who)),
            Self::Sr25519(signature) => signature.verify(message, &sr25519::Public::from(*who)),
            Self::Ecdsa(signature) => signature
                .recover_prehashed(&sp_crypto_hashing::blake2_256(message))
                .is_some_and(|public| sp_crypto_hashing::blake2_256(public.as_ref()) == *who),
            Self::Sm2 { .. } => false,
        }
    }
}

/// What a verdict is remembered by. It binds everything that the verdict depends
/// on: equal ids mean equal verdicts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VerificationId([u8; 32]);

impl VerificationId {
    /// Of a transaction's signature: `hash` is the transaction's, which binds all
    /// that is written in it, and `implied` the encoding of what its payload has
    /// beside. Much shorter than the payload, so it is found sooner.
    pub fn of_transaction(hash: &H256, implied: &[u8]) -> Self {
        let mut hasher = Sm3::new();
        // No signature is as long: the two kinds of ids hash different bytes.
        hasher.update(&u64::MAX.to_le_bytes());
        hasher.update(hash.as_bytes());
        hasher.update(implied);
        Self(hasher.finalize())
    }

    /// Of a signature over any payload.
    pub fn of_payload(signature: &Signature, payload: &[u8], signer: &AccountId) -> Self {
        let mut hasher = Sm3::new();
        signature.using_encoded(|bytes| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        });
        hasher.update(signer.as_ref());
        hasher.update(payload);
        Self(hasher.finalize())
    }
}

/// How many signatures found valid are remembered: some blocks' worth.
pub const VERIFIED_CAPACITY: usize = 65_536;

/// Ids of signatures found valid. Only positive verdicts are kept, and an id
/// binds everything the verdict depends on, so the cache cannot change an
/// outcome, only its cost.
static VERIFIED: LazyLock<Mutex<LruCache<VerificationId, ()>>> = LazyLock::new(|| {
    Mutex::new(LruCache::new(NonZeroUsize::new(VERIFIED_CAPACITY).unwrap_or(NonZeroUsize::MIN)))
});

/// Forgets the signatures found valid, so that a measurement starts cold.
pub fn clear_signature_cache() {
    VERIFIED.lock().clear();
}

/// A public key a participant acts with.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum PublicKey {
    /// 32 bytes.
    #[codec(index = 0)]
    Ed25519([u8; 32]),
    /// 32 bytes.
    #[codec(index = 1)]
    Sr25519([u8; 32]),
    /// Compressed secp256k1 point.
    #[codec(index = 2)]
    Ecdsa([u8; 33]),
    /// Compressed SM2 point.
    #[codec(index = 16)]
    Sm2([u8; 33]),
}

impl PublicKey {
    /// The account the key acts for.
    pub fn account_id(&self) -> AccountId {
        match self {
            Self::Ed25519(key) => AccountId::new(*key),
            Self::Sr25519(key) => AccountId::new(*key),
            Self::Ecdsa(key) => MultiSigner::Ecdsa(ecdsa::Public::from_raw(*key)).into_account(),
            Self::Sm2(key) => AccountId::new(sm3(key)),
        }
    }

    /// The scheme.
    pub const fn scheme(&self) -> SignatureScheme {
        match self {
            Self::Ed25519(_) => SignatureScheme::Ed25519,
            Self::Sr25519(_) => SignatureScheme::Sr25519,
            Self::Ecdsa(_) => SignatureScheme::Ecdsa,
            Self::Sm2(_) => SignatureScheme::Sm2,
        }
    }

    /// Whether the bytes are a key of the scheme. Only SM2's are checked to be
    /// a point: the others fail when they are used.
    pub fn is_well_formed(&self) -> bool {
        match self {
            Self::Sm2(key) => sm2::PublicKey::from_compressed(key).is_ok(),
            Self::Ecdsa(key) => matches!(key[0], 2 | 3),
            Self::Ed25519(key) => ed25519::Public::from_slice(key).is_ok(),
            Self::Sr25519(key) => sr25519::Public::from_slice(key).is_ok(),
        }
    }
}

impl core::fmt::Display for PublicKey {
    /// `scheme:hex`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Ed25519(key) => write!(f, "ed25519:{}", hex::encode(key)),
            Self::Sr25519(key) => write!(f, "sr25519:{}", hex::encode(key)),
            Self::Ecdsa(key) => write!(f, "ecdsa:{}", hex::encode(key)),
            Self::Sm2(key) => write!(f, "sm2:{}", hex::encode(key)),
        }
    }
}

/// Text that is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "public key: expected sm2:, ed25519:, sr25519: or ecdsa: and the key in hex \
     (sm2: a compressed or uncompressed point on its curve), found \"{0}\""
)]
pub struct InvalidPublicKey(String);

impl core::str::FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        let invalid = || InvalidPublicKey(text.chars().take(120).collect());
        let (scheme, digits) = text.split_once(':').ok_or_else(invalid)?;
        let bytes = hex::decode(digits).map_err(|_| invalid())?;
        fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
            bytes.try_into().ok()
        }
        let key = match scheme {
            // Most tools print the uncompressed point (04 ‖ x ‖ y).
            "sm2" if bytes.len() == 65 => {
                sm2::PublicKey::from_sec1(&bytes).ok().map(|key| Self::Sm2(key.to_compressed()))
            }
            "sm2" => fixed(&bytes).map(Self::Sm2),
            "ed25519" => fixed(&bytes).map(Self::Ed25519),
            "sr25519" => fixed(&bytes).map(Self::Sr25519),
            "ecdsa" => fixed(&bytes).map(Self::Ecdsa),
            _ => None,
        };
        key.filter(Self::is_well_formed).ok_or_else(invalid)
    }
}

crate::codec_util::serde_as_string!(PublicKey);

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::Pair;

    fn sm2_signed(payload: &[u8]) -> (Signature, AccountId) {
        let secret = sm2::SecretKey::from_seed(b"//primitives");
        let public = secret.public().to_compressed();
        let signature = secret.sign(sm2::DEFAULT_ID, payload).to_bytes();
        (Signature::Sm2 { public, signature }, PublicKey::Sm2(public).account_id())
    }

    #[test]
    fn sm2_covers_the_whole_payload_whatever_its_length() {
        for length in [0, 1, 256, 257, 5_000] {
            let payload = vec![7; length];
            let (signature, signer) = sm2_signed(&payload);
            assert!(signature.verify_payload(&payload, &signer), "{length}");
            let mut other = payload.clone();
            other.push(7);
            assert!(!signature.verify_payload(&other, &signer), "{length}");
            assert!(!signature.verify_payload(&payload, &AccountId::new([1; 32])), "{length}");
        }
    }

    #[test]
    fn an_sm2_signature_over_a_prehash_is_refused() {
        let payload = vec![7; 300];
        for hash in [sp_crypto_hashing::blake2_256(&payload), sm3(&payload)] {
            let (signature, signer) = sm2_signed(&hash);
            assert!(!signature.verify_payload(&payload, &signer));
        }
    }

    #[test]
    fn sr25519_accepts_both_kinds_of_client_for_long_payloads() {
        let pair = sr25519::Pair::from_string("//Alice", None).unwrap();
        let signer = PublicKey::Sr25519(pair.public().0).account_id();
        let payload = vec![9; 300];
        for message in [sp_crypto_hashing::blake2_256(&payload), sm3(&payload)] {
            let signature = Signature::Sr25519(pair.sign(&message));
            assert!(signature.verify_payload(&payload, &signer));
        }
        let raw = Signature::Sr25519(pair.sign(&payload));
        assert!(!raw.verify_payload(&payload, &signer));
        let short = vec![9; 256];
        assert!(Signature::Sr25519(pair.sign(&short)).verify_payload(&short, &signer));
    }

    #[test]
    fn a_signer_that_is_not_admitted_costs_no_check_and_no_place_in_the_cache() {
        let payload = b"from nobody".to_vec();
        let (signature, signer) = sm2_signed(&payload);
        let id = VerificationId::of_payload(&signature, &payload, &signer);
        let verify = |admitted| signature.verify_admitted(id, || &payload, &signer, || admitted);
        for _ in 0..2 {
            let verdict = verify(Err("nobody"));
            assert_eq!(verdict, Err("nobody"), "asked again: nothing was remembered");
        }
        assert_eq!(verify(Ok(())), Ok(true));
        assert_eq!(verify(Err("nobody")), Ok(true));
    }

    #[test]
    fn an_id_binds_the_transaction_and_what_it_implies() {
        let (hash, implied) = (H256::repeat_byte(1), [2; 72]);
        let of = VerificationId::of_transaction;
        assert_eq!(of(&hash, &implied), of(&hash, &implied));
        assert_ne!(of(&hash, &implied), of(&H256::repeat_byte(3), &implied));
        for at in 0..implied.len() {
            let mut other = implied;
            other[at] ^= 1;
            assert_ne!(of(&hash, &implied), of(&hash, &other), "byte {at}");
        }
        assert_ne!(of(&hash, &implied), of(&hash, &implied[..71]));
    }

    #[test]
    fn the_cache_never_turns_a_refusal_into_an_acceptance() {
        let payload = b"payload".to_vec();
        let (signature, signer) = sm2_signed(&payload);
        assert!(signature.verify_payload(&payload, &signer));
        assert!(signature.verify_payload(&payload, &signer), "from the cache");
        let Signature::Sm2 { public, signature: mut bytes } = signature else { unreachable!() };
        bytes[63] ^= 1;
        assert!(!Signature::Sm2 { public, signature: bytes }.verify_payload(&payload, &signer));
    }

    #[test]
    fn multi_signature_encodes_alike() {
        let pair = sr25519::Pair::from_string("//Alice", None).unwrap();
        let signature = pair.sign(b"x");
        assert_eq!(
            Signature::Sr25519(signature).encode(),
            sp_runtime::MultiSignature::Sr25519(signature).encode()
        );
    }

    #[test]
    fn an_uncompressed_sm2_key_is_the_key_it_stands_for() {
        let public = sm2::SecretKey::from_seed(b"x").public();
        let uncompressed = public.to_uncompressed();
        let text = format!("sm2:{}", hex::encode(uncompressed));
        assert_eq!(text.parse(), Ok(PublicKey::Sm2(public.to_compressed())));
        let mut off_curve = uncompressed;
        off_curve[64] ^= 1;
        let mut hybrid = uncompressed;
        hybrid[0] = 6;
        for bad in [&off_curve[..], &hybrid[..], &uncompressed[1..], &uncompressed[..64]] {
            let error = format!("sm2:{}", hex::encode(bad)).parse::<PublicKey>().unwrap_err();
            assert!(error.to_string().contains("compressed or uncompressed"), "{error}");
        }
    }

    #[test]
    fn public_keys_are_read_back_from_their_text() {
        let key = PublicKey::Sm2(sm2::SecretKey::from_seed(b"x").public().to_compressed());
        assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key);
        for bad in ["", "sm2", "sm2:00", "sm3:00", "sm2:zz", &format!("sm2:{}", "00".repeat(33))] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
    }
}
