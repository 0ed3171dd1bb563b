//! Bounds of the server.

use std::{net::SocketAddr, time::Duration};

/// Where the server listens and what it bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcConfig {
    /// Address of the HTTP and WebSocket server; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Largest request, in bytes.
    pub max_request_bytes: u32,
    /// Largest response, in bytes.
    pub max_response_bytes: u32,
    /// Most connections.
    pub max_connections: u32,
    /// Most requests of one batch.
    pub max_batch: u32,
    /// Most subscriptions of one connection.
    pub max_subscriptions_per_connection: u32,
    /// Messages that may wait for one connection to read them.
    pub message_buffer: u32,
    /// How long a full buffer may stand still before the subscriber is
    /// dropped.
    pub slow_subscriber: Duration,
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9944)),
            max_request_bytes: 6 << 20,
            max_response_bytes: 16 << 20,
            max_connections: 2_000,
            max_batch: 512,
            max_subscriptions_per_connection: 1_024,
            message_buffer: 1_024,
            slow_subscriber: Duration::from_secs(10),
        }
    }
}

impl RpcConfig {
    /// Checks every bound.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        for (key, value, least) in [
            ("max_request_bytes", self.max_request_bytes, 1024),
            ("max_response_bytes", self.max_response_bytes, 1024),
            ("max_connections", self.max_connections, 1),
            ("max_batch", self.max_batch, 1),
            ("max_subscriptions_per_connection", self.max_subscriptions_per_connection, 1),
            ("message_buffer", self.message_buffer, 1),
        ] {
            if value < least {
                problems.push(format!("{key} is {value}, expected at least {least}"));
            }
        }
        if self.slow_subscriber.is_zero() {
            problems.push("slow_subscriber is 0 s, expected more".into());
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}

/// Everything that is wrong with a configuration, at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the RPC configuration is not usable: {}", problems.join("; "))]
pub struct ConfigError {
    /// One sentence a problem; each begins with the key to change.
    pub problems: Vec<String>,
}
