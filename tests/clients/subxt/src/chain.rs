//! The settings that subxt needs for this chain: the hash function, and a signature that may be SM2's.

use billchain_crypto::{sm2, sm3};
use scale_decode::DecodeAsType;
use scale_encode::EncodeAsType;
use subxt::{
    config::{Config, DefaultTransactionExtensions, HashFor, Hasher, SubstrateConfig, substrate::H256},
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
        H256(sm3::sm3(bytes))
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

/// A well-known SM2 key: a 密码机 or a U-key stands behind the same trait.
pub struct Sm2Key(sm2::SecretKey);

impl Sm2Key {
    /// That of a text such as `//hospital-1`.
    pub fn development(seed: &str) -> Self {
        Self(sm2::SecretKey::from_seed(seed.as_bytes()))
    }
}

impl Signer<BillChain> for Sm2Key {
    fn account_id(&self) -> AccountId32 {
        AccountId32(sm3::sm3(&self.0.public().to_compressed()))
    }

    fn sign(&self, payload: &[u8]) -> Signature {
        let signature = self.0.sign(sm2::DEFAULT_ID, payload).to_bytes();
        Signature::Sm2 { public: self.0.public().to_compressed(), signature }
    }
}
