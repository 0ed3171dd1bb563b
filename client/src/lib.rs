//! What a participant's side needs to use the chain: bills read from their XML
//! originals, transactions built and signed, a node asked.

#![forbid(unsafe_code)]

mod asker;
mod bulk;
mod connection;
pub mod einvoice;
mod extrinsic;
mod member;

pub use asker::Asker;
pub use bulk::MAX_BATCH;
pub use connection::{ClientError, Connection};
pub use extrinsic::Signer;
pub use member::{Certified, Device, Member, MemberError, Outcome, Prepared};
