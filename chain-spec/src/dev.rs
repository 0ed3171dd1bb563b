//! Well-known keys for development chains. Everybody has them: a production
//! chain refuses them.
//!
//! An SM2 key comes from a text such as `//hospital` through
//! [`SecretKey::from_seed`], and so can be remade anywhere, for instance by
//! `billchain keys generate --development-seed //hospital`.

use billchain_crypto::sm2::SecretKey;
use billchain_primitives::{AccountId, PublicKey, sm3};
use libp2p_identity::{Keypair, PeerId};
use sp_keyring::Sr25519Keyring;

/// Number of validators of the development chain.
pub const NODES: usize = 4;

/// Number of issuers `//hospital-1`, `//hospital-2`, … beside `//hospital`: as
/// many as the load model has.
pub const ISSUERS: usize = 51;

/// Seeds of the other participants with SM2 keys.
pub const PARTICIPANTS: [&str; 8] = [
    "//hospital",
    "//insurer-a",
    "//insurer-b",
    "//platform",
    "//admin",
    "//admin-2",
    "//security",
    "//auditor",
];

/// The SM2 key of a seed such as `//hospital`.
pub fn secret(seed: &str) -> SecretKey {
    SecretKey::from_seed(seed.as_bytes())
}

/// The SM2 public key of a seed.
pub fn public(seed: &str) -> PublicKey {
    PublicKey::Sm2(secret(seed).public().to_compressed())
}

/// The account of a seed's SM2 key.
pub fn account(seed: &str) -> AccountId {
    public(seed).account_id()
}

/// Substrate's well-known sr25519 key, for instance of //Alice.
pub fn substrate(who: Sr25519Keyring) -> PublicKey {
    PublicKey::Sr25519(who.public().0)
}

/// Keys of one development node.
pub struct NodeKeys {
    /// Key of the operator's account: seed `//node-<n>`.
    pub account: SecretKey,
    /// Key the node votes with: seed `//node-<n>//consensus`.
    pub consensus: SecretKey,
    /// Secret of the node's Ed25519 network identity.
    pub peer: [u8; 32],
}

impl NodeKeys {
    /// Keys of node `number`, counted from 1.
    pub fn of(number: usize) -> Self {
        Self {
            account: secret(&format!("//node-{number}")),
            consensus: secret(&format!("//node-{number}//consensus")),
            peer: peer_secret(&format!("//node-{number}//peer")),
        }
    }

    /// The node's libp2p identity, in base 58.
    pub fn peer_id(&self) -> String {
        peer_id(self.peer).to_base58()
    }
}

/// The Ed25519 secret of a seed: its SM3.
pub fn peer_secret(seed: &str) -> [u8; 32] {
    sm3(seed.as_bytes())
}

fn peer_id(mut secret: [u8; 32]) -> PeerId {
    Keypair::ed25519_from_bytes(&mut secret)
        .expect("any 32 bytes are an Ed25519 secret; qed")
        .public()
        .to_peer_id()
}

/// Whether `key` is one of this module's, or Substrate's.
pub fn is_well_known(key: &PublicKey) -> bool {
    let seeds = PARTICIPANTS
        .into_iter()
        .map(str::to_owned)
        .chain((1..=ISSUERS).map(|n| format!("//hospital-{n}")))
        .chain((1..=NODES).flat_map(|n| [format!("//node-{n}"), format!("//node-{n}//consensus")]));
    let substrate_keys = Sr25519Keyring::iter().map(substrate);
    seeds.map(|seed| public(&seed)).chain(substrate_keys).any(|known| known == *key)
}
