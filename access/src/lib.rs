//! Who may ask a node for what: listeners, identities, limits, and the log of it (接入控制).
//!
//! A node without a configuration of access has one plain listener whose callers may do
//! everything; that is for a loopback address and for development. With one, each listener
//! takes the classes of methods that it names, and a caller is who its certificate, token,
//! key or signature proves it to be, bound to a participant of the chain.
//!
//! It promises that a configuration takes effect whole or not at all, that every refusal
//! has a code of its own ([`code`]), that what it keeps of callers is bounded, and that the
//! log of access cannot lose a line, or have one changed, without that being found.
//!
//! It knows nothing of JSON-RPC, bills or the chain: `rpc` asks it, and adds what a
//! participant is on the chain. SM2 stands in tokens and signed requests; TLS itself is
//! rustls with AWS-LC, which has no SM cipher suites.

#![forbid(unsafe_code)]

mod access;
mod calendar;
mod class;
pub mod code;
mod config;
mod denied;
#[doc(hidden)]
pub mod fuzzing;
mod guesses;
mod identity;
mod limits;
pub mod log;
mod mask;
mod metrics;
mod rules;
mod signing;
mod tls;
mod token;

pub use access::{Access, AccessError, Caller, Head, Proposed};
pub use class::{Class, Classes};
pub use config::{AccessConfig, ConfigError, GuessConfig, LimitConfig, ListenerConfig, LogConfig};
pub use denied::Denied;
pub use guesses::Guesses;
pub use identity::{Identity, Proof};
pub use limits::{Bucket, InUse};
pub use log::{AccessLog, Entry, LogError, Outcome, Ticket};
pub use mask::mask_reference;
pub use metrics::AccessMetrics;
pub use rules::Rules;
pub use signing::{SIGNATURE_DOMAIN, signature_base};
pub use tls::fingerprint;
