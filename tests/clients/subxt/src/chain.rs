//! The settings that subxt needs for this chain: the hash function, and a signature that may be SM2's.

use scale_decode::DecodeAsType;
use scale_encode::EncodeAsType;
use sm2::{
    dsa::{SigningKey, signature::Signer as _},
    elliptic_curve::sec1::ToSec1Point,
};
use sm3::Digest;
use subxt::{
    config::{
        Config, DefaultTransactionExtensions, HashFor, Hasher, SubstrateConfig, substrate::H256,
    },
    metadata::{ArcMetadata, Metadata},
    transactions::Signer,
    utils::{AccountId32, MultiAddress},
};
use subxt_signer::sr25519;

/// The chain.
#[derive(Clone, Debug, Default)]
pub struct BillChain(SubstrateConfig);

/// SM3.
#[derive(Clone, Copy, Debug)]
pub struct Sm3;

impl Hasher for Sm3 {
    type Hash = H256;

    fn new(_: &Metadata) -> Self {
        Self
    }

    fn hash(&self, bytes: &[u8]) -> H256 {
        H256(sm3(bytes))
    }
}

/// A signature, by the names of the chain's own type.
#[derive(Clone, Debug, EncodeAsType, DecodeAsType)]
pub enum Signature {
    /// Of wallets, on a development chain.
    Sr25519([u8; 64]),
    /// Of production chains.
    Sm2 {
        /// The compressed public key.
        public: [u8; 33],
        /// r ‖ s.
        signature: [u8; 64],
    },
}

impl From<sr25519::Signature> for Signature {
    fn from(signature: sr25519::Signature) -> Self {
        Self::Sr25519(signature.0)
    }
}

impl Config for BillChain {
    type AccountId = AccountId32;
    type Address = MultiAddress<AccountId32, ()>;
    type Signature = Signature;
    type Hasher = Sm3;
    type Header = <SubstrateConfig as Config>::Header;
    type AssetId = <SubstrateConfig as Config>::AssetId;
    type TransactionExtensions = DefaultTransactionExtensions<Self>;

    fn genesis_hash(&self) -> Option<HashFor<Self>> {
        self.0.genesis_hash()
    }

    fn metadata_for_spec_version(&self, version: u32) -> Option<ArcMetadata> {
        self.0.metadata_for_spec_version(version)
    }

    fn set_metadata_for_spec_version(&self, version: u32, metadata: ArcMetadata) {
        self.0.set_metadata_for_spec_version(version, metadata);
    }
}

fn sm3(bytes: &[u8]) -> [u8; 32] {
    sm3::Sm3::digest(bytes).into()
}

/// A well-known SM2 key: a 密码机 or a U-key stands behind the same trait.
pub struct Sm2Key(SigningKey);

impl Sm2Key {
    /// That of a text such as `//hospital-1`.
    pub fn development(seed: &str) -> Self {
        let domain = b"BillChain SM2 key from seed, version 1";
        let secret = sm3(&[&domain[..], &[0; 4], seed.as_bytes()].concat());
        Self(SigningKey::from_slice("1234567812345678", &secret).expect("a hash is a key"))
    }

    fn public(&self) -> [u8; 33] {
        let point = self.0.verifying_key().as_affine().to_sec1_point(true);
        point.as_bytes().try_into().expect("a compressed point has 33 bytes")
    }
}

impl Signer<BillChain> for Sm2Key {
    fn account_id(&self) -> AccountId32 {
        AccountId32(sm3(&self.public()))
    }

    fn sign(&self, payload: &[u8]) -> Signature {
        let signature: sm2::dsa::Signature = self.0.sign(payload);
        Signature::Sm2 { public: self.public(), signature: signature.to_bytes().into() }
    }
}
