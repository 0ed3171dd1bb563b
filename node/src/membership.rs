//! What this node is on the chain: a validator, an observer, or neither.
//!
//! A node that is neither may be one that joins: the block that adds it lies ahead of
//! its head, and its peers let it fetch the blocks up to there. Or it was removed, and
//! its peers let it fetch no more. Both go on, and say what they are.

use crate::peers::allowed_peer_ids;
use billchain_consensus::HeldKeys;
use billchain_executor::{Chain, ChainError};
use billchain_primitives::PublicKey;
use billchain_runtime::Validators;
use libp2p::PeerId;
use parking_lot::Mutex;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use std::sync::Arc;

/// What a node is at a head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    /// Its identity is a validator's or an observer's.
    pub(crate) is_member: bool,
    pub(crate) vote: Vote,
}

/// Whether a node votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Vote {
    /// It holds no consensus key.
    NoKey,
    /// None of its keys is a validator's.
    NoValidator,
    /// With this key.
    With([u8; 33]),
}

/// Follows what this node is. Cheap to clone; clones are the same.
#[derive(Clone)]
pub(crate) struct Membership {
    inner: Arc<Inner>,
}

struct Inner {
    chain: Chain,
    id: PeerId,
    keys: HeldKeys,
    last: Mutex<Option<Standing>>,
    is_member: Gauge,
    is_validator: Gauge,
    keys_held: Gauge,
}

impl Membership {
    pub(crate) fn new(chain: Chain, id: PeerId, keys: HeldKeys) -> Self {
        let last = Mutex::default();
        let (is_member, is_validator, keys_held) = Default::default();
        let inner = Inner { chain, id, keys, last, is_member, is_validator, keys_held };
        Self { inner: Arc::new(inner) }
    }

    /// Registers the metrics.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "is_member",
            "Whether this node is a validator or an observer at its head",
            self.inner.is_member.clone(),
        );
        registry.register(
            "is_validator",
            "Whether a consensus key of this node votes on the block after its head",
            self.inner.is_validator.clone(),
        );
        registry.register(
            "consensus_keys_held",
            "Consensus keys that this node holds, whether they vote or not",
            self.inner.keys_held.clone(),
        );
    }

    /// What the node is at its head; a change is logged.
    pub(crate) fn look(&self) -> Result<Standing, ChainError> {
        let Inner { chain, id, keys, last, is_member, is_validator, keys_held } = &*self.inner;
        let held = keys.public_keys();
        let standing = Standing {
            is_member: allowed_peer_ids(chain)?.contains(id),
            vote: chain.read(|| vote(&held))?,
        };
        is_member.set(standing.is_member.into());
        is_validator.set(matches!(standing.vote, Vote::With(_)).into());
        keys_held.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
        let mut last = last.lock();
        if last.replace(standing) != Some(standing) {
            tell(standing, *id, chain.head().number);
        }
        Ok(standing)
    }
}

/// Reads the state: which of the keys votes.
fn vote(held: &[[u8; 33]]) -> Vote {
    if held.is_empty() {
        return Vote::NoKey;
    }
    let validators = Validators::validators();
    let votes = |key: &&[u8; 33]| validators.iter().any(|one| one.consensus_key == **key);
    held.iter().find(votes).map_or(Vote::NoValidator, |key| Vote::With(*key))
}

/// Says what the node is from now on.
fn tell(standing: Standing, peer: PeerId, height: u32) {
    if !standing.is_member {
        tracing::warn!(
            %peer, height,
            "this node's network key is of no validator or observer at its head: it joins, or \
             was removed; it goes on as far as its peers let it"
        );
    }
    match standing.vote {
        Vote::With(key) => {
            tracing::info!(height, key = %PublicKey::Sm2(key), "this node votes");
        }
        Vote::NoValidator => tracing::warn!(
            height,
            "this node's consensus key is no validator's at its head: it follows without a vote"
        ),
        Vote::NoKey => tracing::info!(height, "this node has no consensus key and follows"),
    }
}
