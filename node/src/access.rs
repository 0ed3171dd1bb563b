//! Access to this node's RPC, as its configuration has it.

use crate::config::Config;
use anyhow::{Context, Result};
use billchain_access::Access;
use billchain_primitives::Did;
use billchain_rpc::AccessReloader;
use tokio::signal::unix::{SignalKind, signal};

/// What is wrong with a DID of the configuration of access.
pub(crate) fn check_did(text: &str) -> Result<(), String> {
    text.parse::<Did>().map(drop).map_err(|error| error.to_string())
}

/// Opens access. Must be called on the runtime of clients.
pub(crate) fn open(config: &Config, connections: u32) -> Result<Access> {
    let listen = config.rpc.listen;
    let Some(file) = &config.access else {
        if !listen.ip().is_loopback() {
            tracing::warn!(
                rpc = %listen,
                "RPC is open to everybody who reaches it: name listeners in access.file"
            );
        }
        return Ok(Access::plain(listen, connections));
    };
    let opened = Access::open(file.clone(), check_did, (listen, connections), &config.name);
    opened.context("access.file")
}

/// Has RPC read its configuration of access again at each SIGHUP, for ever. What is wrong
/// with it, the log of the node says.
pub(crate) async fn follow_hangup(reloader: AccessReloader) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(error) => return tracing::error!(%error, "SIGHUP is not followed"),
    };
    while hangups.recv().await.is_some() {
        // The server has logged what came of it.
        let _ = reloader.reload().await;
    }
}
