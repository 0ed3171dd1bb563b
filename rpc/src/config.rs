//! Bounds of the server.

use std::{net::SocketAddr, time::Duration};

/// Bytes of small answers that a connection may hold beside a large one.
const BESIDE: u32 = 1 << 20;
/// Room that a WebSocket takes before a message is read, in bytes.
pub(crate) const AHEAD: usize = 1 << 10;

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
    /// Most messages of one WebSocket that are under way: read, and the answer
    /// not yet written.
    pub max_requests_under_way: u32,
    /// Most bytes of requests and answers that are held for all connections.
    pub max_bytes_held: u32,
    /// How long a client may take to send a message, and to take an answer,
    /// before its connection is closed.
    pub transfer_timeout: Duration,
    /// Interval between pings of a WebSocket; one that answered none of two is
    /// closed.
    pub ping_interval: Duration,
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9944)),
            max_request_bytes: 6 << 20,
            max_response_bytes: 16 << 20,
            max_connections: 1_000,
            max_batch: 512,
            max_subscriptions_per_connection: 1_024,
            max_requests_under_way: 64,
            max_bytes_held: 64 << 20,
            transfer_timeout: Duration::from_secs(30),
            ping_interval: Duration::from_secs(20),
        }
    }
}

impl RpcConfig {
    /// Most bytes that are held for one connection: a request, its answer and
    /// some small ones beside.
    pub(crate) fn max_connection_bytes(&self) -> usize {
        (self.max_request_bytes as usize) + (self.max_response_bytes as usize) + BESIDE as usize
    }

    /// Checks every bound.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        for (key, value, least) in [
            ("max_request_bytes", self.max_request_bytes, 1024),
            ("max_response_bytes", self.max_response_bytes, 1024),
            ("max_connections", self.max_connections, 1),
            ("max_batch", self.max_batch, 1),
            ("max_subscriptions_per_connection", self.max_subscriptions_per_connection, 1),
            ("max_requests_under_way", self.max_requests_under_way, 1),
        ] {
            if value < least {
                problems.push(format!("{key} is {value}, expected at least {least}"));
            }
        }
        let least =
            least_bytes_held(self.max_request_bytes, self.max_response_bytes, self.max_connections);
        if u64::from(self.max_bytes_held) < least {
            let found = self.max_bytes_held;
            problems.push(format!("max_bytes_held is {found}, expected at least {least}: {WHY}"));
        }
        for (key, value) in
            [("transfer_timeout", self.transfer_timeout), ("ping_interval", self.ping_interval)]
        {
            if value.is_zero() {
                problems.push(format!("{key} is 0 s, expected more"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}

/// Why `max_bytes_held` may not be less.
const WHY: &str = "a request of max_request_bytes and an answer of max_response_bytes, and 16 KiB \
    for each of max_connections";

/// The least that `max_bytes_held` may be: large answers have three quarters of
/// it, and what one connection may hold must find room there. The first bytes of
/// each connection have an eighth, of which next messages take at most half.
pub fn least_bytes_held(
    max_request_bytes: u32,
    max_response_bytes: u32,
    max_connections: u32,
) -> u64 {
    let one = u64::from(max_request_bytes) + u64::from(max_response_bytes) + u64::from(BESIDE);
    let ahead = u64::from(max_connections) * AHEAD as u64;
    (one.div_ceil(3) * 4).max(ahead * 16)
}

/// Everything that is wrong with a configuration, at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the RPC configuration is not usable: {}", problems.join("; "))]
pub struct ConfigError {
    /// One sentence a problem; each begins with the key to change.
    pub problems: Vec<String>,
}
