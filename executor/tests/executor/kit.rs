//! Chains and transactions for the tests.

use billchain_chain_spec::{ChainSpec, dev};
use billchain_crypto::sm2;
use billchain_executor::{
    BuildParams, Built, Chain, ClockCheck, OpaqueTx, TransactionError, Validated,
};
use billchain_primitives::{Address, Hash, Nonce, PublicKey, Signature, sm3};
use billchain_runtime::{
    GenesisState, RuntimeCall, UncheckedExtrinsic, immortal_payload, tx_extension,
};
use billchain_storage::{Storage, StorageOptions};
use codec::Encode;
use sp_core::{Pair, sr25519};
use sp_runtime::generic::Era;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// After the development chain's beginning.
pub(crate) const NOW: u64 = 1_800_000_000_000;

/// A node's chain in a directory of its own.
pub(crate) struct Node {
    pub(crate) chain: Chain,
    pub(crate) directory: TempDir,
}

impl Node {
    pub(crate) fn development() -> Self {
        Self::of(&ChainSpec::development())
    }

    pub(crate) fn of(spec: &ChainSpec) -> Self {
        Self::with_state(&spec.genesis_state().unwrap())
    }

    pub(crate) fn with_state(state: &GenesisState) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let storage = Storage::open(directory.path(), StorageOptions::default()).unwrap();
        let chain = Chain::with_genesis(Arc::new(storage), state).unwrap();
        Self { chain, directory }
    }

    /// What the chain says of a single transaction.
    pub(crate) fn validate(&self, tx: &[u8]) -> Result<Validated, TransactionError> {
        self.chain.validate_transactions(&[tx]).unwrap().remove(0)
    }

    /// Builds a block at `NOW` and later.
    pub(crate) fn build(&self, txs: Vec<OpaqueTx>) -> Built {
        self.chain.build(params(), &mut txs.into_iter()).unwrap()
    }

    /// Builds and commits a block, all of whose transactions must be taken.
    pub(crate) fn advance(&self, txs: Vec<OpaqueTx>) -> OpaqueTx {
        let offered = txs.len();
        let built = self.build(txs);
        assert_eq!(built.refused, []);
        assert_eq!(built.block.transaction_count(), offered);
        let bytes = built.block.bytes().clone();
        self.chain.commit(built.block, b"certificate".to_vec()).unwrap();
        bytes
    }

    /// Checks and commits a block of another node.
    pub(crate) fn follow(&self, bytes: OpaqueTx) {
        let block = self.chain.execute(bytes, ClockCheck::Decided).unwrap();
        self.chain.commit(block, b"certificate".to_vec()).unwrap();
    }

    pub(crate) fn signer(&self, seed: &str) -> Signer {
        Signer { secret: dev::secret(seed), genesis: self.chain.genesis_hash() }
    }
}

pub(crate) fn params() -> BuildParams {
    BuildParams {
        timestamp_ms: NOW,
        max_block_bytes: usize::MAX,
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

/// Someone with an SM2 key on one chain.
pub(crate) struct Signer {
    pub secret: sm2::SecretKey,
    pub(crate) genesis: Hash,
}

impl Signer {
    pub(crate) fn sign(&self, call: &RuntimeCall, nonce: Nonce) -> OpaqueTx {
        let payload = immortal_payload(call, nonce, self.genesis);
        self.with_signature_over(&payload, call, nonce)
    }

    pub(crate) fn with_signature_over(
        &self,
        message: &[u8],
        call: &RuntimeCall,
        nonce: Nonce,
    ) -> OpaqueTx {
        let public = self.secret.public().to_compressed();
        let signature = self.secret.sign(sm2::DEFAULT_ID, message).to_bytes();
        assemble(PublicKey::Sm2(public), Signature::Sm2 { public, signature }, call, nonce)
    }

    pub(crate) fn remark(&self, nonce: Nonce) -> OpaqueTx {
        self.sign(&remark(16), nonce)
    }
}

/// A call of some length that any sender may make: a policy that is none, which
/// fails.
pub(crate) fn remark(length: usize) -> RuntimeCall {
    let submit = |length: usize| {
        let body = vec![7; length].try_into().expect("at most 16 KiB");
        RuntimeCall::Policy(pallet_policy::Call::submit {
            format: pallet_policy::Format::Json,
            body,
        })
    };
    const MOST: usize = pallet_policy::MAX_BODY as usize;
    if length <= MOST {
        return submit(length);
    }
    let chunks = length.div_ceil(MOST);
    let calls = (0..chunks).map(|_| submit(MOST)).collect();
    RuntimeCall::Utility(pallet_utility::Call::batch { calls })
}

/// A transaction of //Alice, whose client hashes long payloads with `hash`.
pub(crate) fn alice(
    node: &Node,
    call: &RuntimeCall,
    nonce: Nonce,
    hash: Option<fn(&[u8]) -> [u8; 32]>,
) -> OpaqueTx {
    let pair = sr25519::Pair::from_string("//Alice", None).unwrap();
    let payload = immortal_payload(call, nonce, node.chain.genesis_hash());
    let message = match hash {
        Some(hash) if payload.len() > 256 => hash(&payload).to_vec(),
        _ => payload,
    };
    let signature = Signature::Sr25519(pair.sign(&message));
    assemble(PublicKey::Sr25519(pair.public().0), signature, call, nonce)
}

fn assemble(key: PublicKey, signature: Signature, call: &RuntimeCall, nonce: Nonce) -> OpaqueTx {
    UncheckedExtrinsic::new_signed(
        call.clone(),
        Address::Id(key.account_id()),
        signature,
        tx_extension(nonce, Era::Immortal),
    )
    .encode()
    .into()
}

pub(crate) fn blake2(data: &[u8]) -> [u8; 32] {
    sp_crypto_hashing::blake2_256(data)
}

pub(crate) fn chain_hash(data: &[u8]) -> [u8; 32] {
    sm3(data)
}

pub(crate) fn proposal(now_ms: u64) -> ClockCheck {
    ClockCheck::Proposal { now_ms }
}
