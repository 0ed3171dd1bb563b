//! One block on the real path, and what it cost.

use crate::measure::rounded;
use anyhow::{Context, Result, ensure};
use billchain_chain_spec::{ChainSpec, dev::NodeKeys};
use billchain_consensus::{
    Address, ChainDomain, CommitCertificate, CommitSignature, Height, Round,
};
use billchain_crypto::sm2::{DEFAULT_ID, SecretKey};
use billchain_executor::{BuildParams, Chain};
use billchain_primitives::{Hash, PublicKey};
use billchain_runtime::limits::MAX_BLOCK_BYTES;
use bytes::Bytes;
use codec::Encode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Longer than any block takes: a block ends when its transactions do.
const NO_DEADLINE: Duration = Duration::from_secs(600);

/// The only validator.
pub(super) struct Certifier {
    key: SecretKey,
    address: Address,
}

impl Certifier {
    /// The validator of a chain that has `//node-1` and no other.
    pub(super) fn of(spec: &ChainSpec) -> Result<Self> {
        let key = NodeKeys::of(1).consensus;
        let public = PublicKey::Sm2(key.public().to_compressed());
        ensure!(
            spec.operators.len() == 1 && spec.operators[0].consensus_key == public,
            "chain specification: expected one operator, with the consensus key of \
             //node-1//consensus, found {} operators",
            spec.operators.len()
        );
        let address = Address::from_public_key(&key.public());
        Ok(Self { key, address })
    }

    /// The commit certificate of a block.
    pub(super) fn certify(&self, genesis: Hash, height: u64, block: Hash) -> CommitCertificate {
        let domain = ChainDomain::new(genesis);
        let (height, round) = (Height::new(height), Round::FIRST);
        let message = domain.precommit_bytes(height, round, block.into(), self.address);
        let signature = self.key.sign(DEFAULT_ID, &message);
        let signatures = vec![CommitSignature { address: self.address, signature }];
        CommitCertificate { height, round, block_hash: block.into(), signatures }
    }
}

/// What one block cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) bills: u64,
    /// Decoding, verifying and executing its transactions, and the state root.
    pub(super) build: Duration,
    /// Writing and syncing it.
    pub(super) commit: Duration,
}

/// What blocks cost together.
#[derive(Clone, Debug, Default)]
pub(super) struct Costs {
    pub(super) bills: u64,
    build: Duration,
    commit: Duration,
    /// Whole cost of each, in milliseconds.
    pub(super) block_ms: Vec<f64>,
}

impl Costs {
    pub(super) fn add(&mut self, cost: Cost) {
        self.bills += cost.bills;
        self.build += cost.build;
        self.commit += cost.commit;
        let whole = cost.build + cost.commit;
        self.block_ms.push(rounded(whole.as_secs_f64() * 1_000.0, 2));
    }

    /// Microseconds a bill to build.
    pub(super) fn build_us(&self) -> f64 {
        self.per_bill(self.build)
    }

    /// Microseconds a bill to commit.
    pub(super) fn commit_us(&self) -> f64 {
        self.per_bill(self.commit)
    }

    fn per_bill(&self, total: Duration) -> f64 {
        rounded(total.as_secs_f64() * 1e6 / self.bills.max(1) as f64, 2)
    }
}

/// Milliseconds since 1970, by the machine's clock.
pub(super) fn now_ms() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(u64::try_from(now.as_millis())?)
}

/// Makes the block of this time and these transactions, which hold so many bills.
pub(super) fn add(
    chain: &Chain,
    certifier: &Certifier,
    timestamp_ms: u64,
    transactions: Vec<Bytes>,
    bills: u64,
) -> Result<Cost> {
    let count = transactions.len();
    let began = Instant::now();
    let params = BuildParams {
        timestamp_ms,
        max_block_bytes: MAX_BLOCK_BYTES as usize,
        deadline: began + NO_DEADLINE,
    };
    let built = chain.build(params, &mut transactions.into_iter())?;
    let build = began.elapsed();
    let block = built.block;
    ensure!(
        block.transaction_count() == count,
        "block {} took {} of {count} transactions ({:?}, refused: {:?}): lower --block-bills",
        block.number(),
        block.transaction_count(),
        built.stopped,
        built.refused.first()
    );
    // A batch that fails as a whole changes no bill.
    ensure!(
        block.changed_keys() as u64 >= bills,
        "block {} changed {} keys, expected one for each of {bills} bills",
        block.number(),
        block.changed_keys()
    );
    let (height, hash) = (u64::from(block.number()), block.hash());
    let certificate = certifier.certify(chain.genesis_hash(), height, hash).encode();
    let began = Instant::now();
    chain.commit(block, certificate)?;
    Ok(Cost { bills, build, commit: began.elapsed() })
}
