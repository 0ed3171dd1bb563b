//! Who a caller may be, and what proves it.

use crate::class::Classes;
use billchain_crypto::sm2::PublicKey;
use std::{sync::Arc, time::SystemTime};

/// A caller that the configuration knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its name in the configuration, the log and the metrics.
    pub name: Arc<str>,
    /// DID of the participant that it is bound to; none for a person or program of the
    /// node's operator.
    pub participant: Option<String>,
    /// What it may call, as far as the listener takes it.
    pub classes: Classes,
    /// Limits beyond the usual ones: a factor, in per cent.
    pub share: u32,
}

/// An API key, of which only the SM3 is kept.
#[derive(Clone, Debug)]
pub(crate) struct ApiKey {
    pub(crate) identity: Arc<Identity>,
    pub(crate) life: Life,
}

/// A key that signs requests.
#[derive(Clone, Debug)]
pub(crate) struct SigningKey {
    pub(crate) identity: Arc<Identity>,
    pub(crate) public: PublicKey,
    pub(crate) life: Life,
}

/// How long a key is good.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Life {
    pub(crate) expires: Option<SystemTime>,
    pub(crate) is_revoked: bool,
}

/// What a caller has shown; kept for as long as its connection, to be looked at again when
/// the configuration changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    None,
    /// A certificate, whose SM3 is this.
    Certificate([u8; 32]),
    /// A token, as it was sent.
    Token(String),
    /// An API key, whose SM3 is this.
    Key([u8; 32]),
    /// A signature by the key of this id and these bytes.
    Signed {
        /// Id of the key.
        key: String,
        /// The compressed public key.
        public: [u8; 33],
    },
}
