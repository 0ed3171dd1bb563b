//! Building and signing transactions with the chain's own types.

use billchain_crypto::sm2;
use billchain_primitives::{AccountId, Address, Hash, Nonce, PublicKey, Signature};
use billchain_runtime::{
    CheckContention, CheckSender, Runtime, RuntimeCall, TxExtension, UncheckedExtrinsic, VERSION,
};
use codec::Encode;
use sp_core::{Pair, sr25519};
use sp_runtime::generic::Era;

/// A key that signs transactions.
#[derive(Clone)]
pub enum Signer {
    /// SM2, the scheme of the chain.
    Sm2(sm2::SecretKey),
    /// Sr25519, on development chains.
    Sr25519(Box<sr25519::Pair>),
}

impl Signer {
    /// The SM2 key of a development seed such as `//hospital`.
    pub fn development(seed: &str) -> Self {
        Self::Sm2(sm2::SecretKey::from_seed(seed.as_bytes()))
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Sm2(key) => PublicKey::Sm2(key.public().to_compressed()),
            Self::Sr25519(pair) => PublicKey::Sr25519(pair.public().0),
        }
    }

    /// The account the key acts for.
    pub fn account(&self) -> AccountId {
        self.public().account_id()
    }

    fn sign(&self, payload: &[u8]) -> Signature {
        match self {
            Self::Sm2(key) => Signature::Sm2 {
                public: key.public().to_compressed(),
                signature: key.sign(sm2::DEFAULT_ID, payload).to_bytes(),
            },
            Self::Sr25519(pair) if payload.len() > 256 => {
                Signature::Sr25519(pair.sign(&billchain_primitives::sm3(payload)))
            }
            Self::Sr25519(pair) => Signature::Sr25519(pair.sign(payload)),
        }
    }

    /// A signed, immortal transaction for the chain that begins with
    /// `genesis`, encoded as it is submitted.
    pub fn transaction(&self, call: RuntimeCall, nonce: Nonce, genesis: Hash) -> Vec<u8> {
        let extension: TxExtension = (
            frame_system::CheckNonZeroSender::<Runtime>::new(),
            CheckSender,
            frame_system::CheckSpecVersion::<Runtime>::new(),
            frame_system::CheckTxVersion::<Runtime>::new(),
            frame_system::CheckGenesis::<Runtime>::new(),
            frame_system::CheckMortality::<Runtime>::from(Era::Immortal),
            frame_system::CheckNonce::<Runtime>::from(nonce),
            frame_system::CheckWeight::<Runtime>::new(),
            CheckContention,
        );
        // What the extensions add to the payload without being sent: versions,
        // the genesis, and the era's first block, which is the genesis too.
        let implicit =
            (VERSION.spec_version, VERSION.transaction_version, genesis, genesis).encode();
        let mut payload = call.encode();
        extension.encode_to(&mut payload);
        payload.extend(implicit);
        let signature = self.sign(&payload);
        UncheckedExtrinsic::new_signed(call, Address::Id(self.account()), signature, extension)
            .encode()
    }
}
