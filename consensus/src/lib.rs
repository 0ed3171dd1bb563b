//! Consensus for BillChain: Malachite (Tendermint) with SM2 signatures.
//!
//! [`spawn`] starts the engine — votes, write-ahead log, value sync, peer
//! network — and the driver that connects it to an [`Application`]: the node's
//! chain, which builds, checks, commits and serves blocks. What the crate
//! promises:
//!
//! * a block is voted for only after the application has executed and accepted
//!   it, and after its bytes are on disk, so that a decided block is never lost;
//! * a block is committed exactly once, in order, with the certificate that
//!   proves it; a commit that fails stops the component;
//! * a validator that is seen to sign two statements that exclude each other is
//!   reported to the application, with both;
//! * only peers on the allow-list stay connected, and what they send is bounded
//!   in size, number and time before it is acted upon;
//! * an idle chain makes a block every [`ConsensusConfig::empty_interval`], a
//!   busy one makes the next as soon as the last is committed.
//!
//! It assumes an application whose answers depend only on the chain's state
//! and the block, and a file system that honours `fsync`. It knows nothing of
//! transactions.

#![forbid(unsafe_code)]

mod application;
mod certificate;
mod codec;
mod config;
mod contacts;
mod driver;
mod early;
mod engine;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod guarded;
mod handle;
mod host;
mod keys;
mod lane;
mod memory;
pub mod metrics;
mod misbehavior;
mod network;
mod parts;
mod peers;
mod report;
mod sightings;
mod signing;
mod stage;
mod status;
mod supervisor;
mod support;
#[cfg(test)]
mod testing;
mod types;
mod undecided;

pub use application::{
    AllowedPeers, AppError, Application, BlockRequest, CheckMode, CheckOutcome, DecidedBlock,
    ProposedBlock,
};
pub use certificate::{CertificateError, CommitCertificate, CommitSignature};
pub use config::{ConsensusConfig, MOST_CONNECTIONS, NodeIdentity};
pub use contacts::Contact;
pub use error::{ConfigProblem, ConsensusError};
pub use handle::{ConsensusHandle, spawn};
pub use keys::HeldKeys;
pub use memory::{
    SigningMemoryError, Summary as SigningSummary, abstain as abstain_from_signing,
    path_in as signing_memory_path, summary as signing_summary,
};
pub use report::{Report, ReportReader, Step, Tally};
pub use sightings::Sighting;
pub use signing::ChainDomain;
pub use status::{PeerReader, PeerState, Phase, Status};
pub use types::{
    Address, BlockHash, Height, MAX_VALIDATORS, NilRound, Round, Validator, ValidatorSet,
    ValidatorSetError,
};

pub use malachitebft_app_channel::app::net::{Multiaddr, PeerId};
pub use malachitebft_app_channel::app::types::Keypair;
