//! `system_*`: the node and its accounts.

use crate::{
    error::{Answer, call, chain},
    params::{Args, to_hex},
    server::{Context, Module, reading},
};
use billchain_chain_spec::ChainType;
use billchain_primitives::Nonce;
use jsonrpsee::core::RegisterMethodError;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Registers the methods.
pub(crate) fn register(module: &mut Module) -> Result<(), RegisterMethodError> {
    module.register_method("system_name", |_, _, _| "billchain")?;
    module.register_method("system_version", |_, _, _| env!("CARGO_PKG_VERSION"))?;
    module.register_method("system_chain", |_, c, _| c.deps.node.chain_name.clone())?;
    module.register_method("system_chainType", |_, c, _| match c.deps.node.chain_type {
        ChainType::Development => "Development",
        ChainType::Production => "Live",
    })?;
    // The chain has no token. Clients that ask find the hash function here.
    module.register_method(
        "system_properties",
        |_, _, _| json!({ "ss58Format": 42, "hashing": "SM3", "hasher": "SM3" }),
    )?;
    reading(module, "system_health", &[], |c, _| {
        Ok(json!({
            "peers": c.deps.node.peers.borrow().len(),
            "isSyncing": is_behind(c)?,
            "shouldHavePeers": true,
        }))
    })?;
    module.register_method("system_nodeName", |_, c, _| c.deps.node.name.clone())?;
    module.register_method("system_localPeerId", |_, c, _| c.deps.node.peer_id.clone())?;
    module.register_method("system_peers", |_, c, _| {
        let peers = c.deps.node.peers.borrow();
        // What a peer's best block is, gossip does not know.
        json!(peers.iter().map(|id| json!({ "peerId": id.to_string() })).collect::<Vec<_>>())
    })?;
    module.register_method("system_nodeRoles", |_, c, _| {
        json!([if c.deps.node.is_validator { "Authority" } else { "Full" }])
    })?;
    module.register_method("system_syncState", |_, c, _| sync_state(c))?;
    reading(module, "system_accountNextIndex", &["account_nextIndex"], next_index)?;
    reading(module, "system_dryRun", &["system_dryRunAt"], dry_run)
}

/// Whether the newest block is older than a chain that makes progress has it:
/// empty blocks come every few seconds.
fn is_behind(context: &Context) -> Answer<bool> {
    const FRESH_MS: u64 = 30_000;
    let newest = context.deps.chain.read(billchain_runtime::Timestamp::get).map_err(chain)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Ok(now > u128::from(newest.saturating_add(FRESH_MS)))
}

fn sync_state(context: &Context) -> Value {
    let head = context.deps.chain.head().number;
    json!({ "startingBlock": 0, "currentBlock": head, "highestBlock": head })
}

/// The next nonce, the account's transactions in the pool counted.
fn next_index(context: &Context, args: &Args) -> Answer<Nonce> {
    let account = args.account(0, "account")?;
    let in_state = context
        .deps
        .chain
        .read(|| billchain_runtime::System::account_nonce(&account))
        .map_err(chain)?;
    Ok(context.deps.pool.next_nonce(&account, in_state))
}

/// The SCALE-encoded result of applying a transaction to a state, in hex.
fn dry_run(context: &Context, args: &Args) -> Answer<String> {
    let extrinsic = args.bytes(0, "extrinsic")?;
    billchain_executor::transaction::decode(&extrinsic)
        .map_err(|error| crate::error::invalid("extrinsic", &error.to_string(), "0x…"))?;
    let at = args.optional_hash(1, "at")?;
    let result = context
        .deps
        .chain
        .call(at.as_ref(), "BlockBuilder_apply_extrinsic", &extrinsic)
        .map_err(call)?;
    Ok(to_hex(&result))
}
