//! What this node is on the chain: a validator, an observer, or neither.
//!
//! A node that is neither may be one that joins: the block that adds it lies ahead of
//! its head, and its peers let it fetch the blocks up to there. Or it was removed, and
//! its peers let it fetch no more. Both go on, and say what they are.

use crate::application::allowed_peer_ids;
use billchain_crypto::sm2::SecretKey;
use billchain_executor::{Chain, ChainError};
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
    /// Its consensus key votes; `None` if it has none.
    pub(crate) votes: Option<bool>,
}

/// Follows what this node is. Cheap to clone; clones are the same.
#[derive(Clone)]
pub(crate) struct Membership {
    inner: Arc<Inner>,
}

struct Inner {
    chain: Chain,
    id: PeerId,
    key: Option<[u8; 33]>,
    last: Mutex<Option<Standing>>,
    is_member: Gauge,
    is_validator: Gauge,
}

impl Membership {
    pub(crate) fn new(chain: Chain, id: PeerId, key: Option<&SecretKey>) -> Self {
        let key = key.map(|key| key.public().to_compressed());
        let (last, is_member, is_validator) = Default::default();
        Self { inner: Arc::new(Inner { chain, id, key, last, is_member, is_validator }) }
    }

    /// Registers both metrics.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "is_member",
            "Whether this node is a validator or an observer at its head",
            self.inner.is_member.clone(),
        );
        registry.register(
            "is_validator",
            "Whether this node's consensus key votes on the block after its head",
            self.inner.is_validator.clone(),
        );
    }

    /// What the node is at its head; a change is logged.
    pub(crate) fn look(&self) -> Result<Standing, ChainError> {
        let Inner { chain, id, key, last, is_member, is_validator } = &*self.inner;
        let votes = |key: &[u8; 33]| {
            chain.read(|| Validators::validators().iter().any(|one| one.consensus_key == *key))
        };
        let standing = Standing {
            is_member: allowed_peer_ids(chain)?.contains(id),
            votes: key.as_ref().map(votes).transpose()?,
        };
        is_member.set(standing.is_member.into());
        is_validator.set((standing.votes == Some(true)).into());
        let mut last = last.lock();
        if last.replace(standing) != Some(standing) {
            tell(standing, *id, chain.head().number);
        }
        Ok(standing)
    }
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
    match standing.votes {
        Some(true) => tracing::info!(height, "this node votes"),
        Some(false) => tracing::warn!(
            height,
            "this node's consensus key is no validator's at its head: it follows without a vote"
        ),
        None => tracing::info!(height, "this node has no consensus key and follows"),
    }
}
