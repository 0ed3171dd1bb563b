//! `system_*`: the node and its accounts.

use crate::{
    context::Context,
    error::{Answer, chain, dry_run as refusal},
    method::{Args, to_hex},
};
use billchain_chain_spec::ChainType;
use billchain_primitives::Nonce;
use billchain_runtime::{System, Timestamp, Validators};
use libp2p::PeerId;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{SystemTime, UNIX_EPOCH},
};

pub(super) fn name(_: &Context, _: &Args) -> Answer<&'static str> {
    Ok("billchain")
}

pub(super) fn version(_: &Context, _: &Args) -> Answer<&'static str> {
    Ok(env!("CARGO_PKG_VERSION"))
}

pub(super) fn chain_name(context: &Context, _: &Args) -> Answer<String> {
    Ok(context.deps.node.chain_name.clone())
}

pub(super) fn chain_type(context: &Context, _: &Args) -> Answer<&'static str> {
    Ok(match context.deps.node.chain_type {
        ChainType::Development => "Development",
        ChainType::Production => "Live",
    })
}

/// The chain has no token. Clients that ask find the hash function here.
pub(super) fn properties(_: &Context, _: &Args) -> Answer<Value> {
    Ok(json!({ "ss58Format": 42, "hashing": "SM3", "hasher": "SM3" }))
}

pub(super) fn health(context: &Context, _: &Args) -> Answer<Value> {
    Ok(json!({
        "peers": context.deps.node.peers.borrow().len(),
        "isSyncing": is_behind(context)?,
        "shouldHavePeers": true,
    }))
}

pub(super) fn node_name(context: &Context, _: &Args) -> Answer<String> {
    Ok(context.deps.node.name.clone())
}

pub(super) fn local_peer_id(context: &Context, _: &Args) -> Answer<String> {
    Ok(context.deps.node.peer_id.clone())
}

/// Substrate's `PeerInfo`. Gossip does not tell which block a peer has; each
/// of this chain has the genesis, which is the one known for certain.
pub(super) fn peers(context: &Context, _: &Args) -> Answer<Vec<Value>> {
    let voters = || Validators::validators().into_iter().map(|one| one.peer_id.to_vec());
    let voters: BTreeSet<Vec<u8>> =
        context.deps.chain.read(|| voters().collect()).map_err(chain)?;
    let genesis = context.deps.chain.genesis_hash();
    let view = |peer: &PeerId| {
        let votes = voters.contains(&peer.to_bytes());
        json!({
            "peerId": peer.to_string(),
            "roles": if votes { "AUTHORITY" } else { "FULL" },
            "bestHash": genesis,
            "bestNumber": 0,
        })
    };
    Ok(context.deps.node.peers.borrow().iter().map(view).collect())
}

pub(super) fn node_roles(context: &Context, _: &Args) -> Answer<[&'static str; 1]> {
    Ok([if context.deps.node.is_validator { "Authority" } else { "Full" }])
}

/// Whether the newest block is older than a chain that makes progress has it:
/// empty blocks come every few seconds.
fn is_behind(context: &Context) -> Answer<bool> {
    const FRESH_MS: u64 = 30_000;
    let newest = context.deps.chain.read(Timestamp::get).map_err(chain)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Ok(now > u128::from(newest.saturating_add(FRESH_MS)))
}

pub(super) fn sync_state(context: &Context, _: &Args) -> Answer<Value> {
    let head = context.deps.chain.head().number;
    Ok(json!({ "startingBlock": 0, "currentBlock": head, "highestBlock": head }))
}

/// The next nonce, the account's transactions in the pool counted.
pub(super) fn next_index(context: &Context, args: &Args) -> Answer<Nonce> {
    let account = args.account(0, "account")?;
    let in_state = context.deps.chain.read(|| System::account_nonce(&account)).map_err(chain)?;
    Ok(context.deps.pool.next_nonce(&account, in_state))
}

/// The SCALE-encoded result of applying a transaction in the block after a
/// state, in hex.
pub(super) fn dry_run(context: &Context, args: &Args) -> Answer<String> {
    let (extrinsic, at) = (args.bytes(0, "extrinsic")?, args.optional_hash(1, "at")?);
    let result = context.deps.chain.dry_run(at.as_ref(), &extrinsic).map_err(refusal)?;
    Ok(to_hex(&result))
}
