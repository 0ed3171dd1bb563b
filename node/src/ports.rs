//! The addresses a node listens on, tried before anything is started: every
//! one that is taken is reported at once, with its key.

use crate::config::Config;
use anyhow::{Result, bail};
use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
};

/// Fails with every address that cannot be listened on. Two keys with one
/// address are found too.
pub(crate) fn check(config: &Config) -> Result<()> {
    // Held to the end, so that the second of two equal addresses is taken.
    let mut tcp = Vec::new();
    let mut problems = Vec::new();
    let mut note = |key: &str, protocol: &str, address: SocketAddr, error: io::Error| {
        problems.push(format!("{key} {address} ({protocol}): {error}"));
    };
    for (key, address) in [
        ("network.listen", config.network.listen),
        ("rpc.listen", config.rpc.listen),
        ("metrics.listen", config.metrics_listen),
    ] {
        match TcpListener::bind(address) {
            Ok(listener) => tcp.push(listener),
            Err(error) => note(key, "TCP", address, error),
        }
    }
    if let Err(error) = UdpSocket::bind(config.network.listen) {
        note("network.listen", "UDP", config.network.listen, error);
    }
    if problems.is_empty() {
        return Ok(());
    }
    bail!("cannot listen on {}", problems.join("; "))
}
