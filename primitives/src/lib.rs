//! Types every other crate speaks: blocks hashed with SM3, signatures that
//! admit SM2, decentralised identifiers, and fiscal electronic bills
//! (财政电子票据) whose newtypes cannot hold an invalid value.
//!
//! A type that decodes from foreign bytes validates while it decodes, so a
//! value of it is proof that the rule holds.

#![forbid(unsafe_code)]

pub mod batch;
pub mod bill;
mod codec_util;
mod commit;
pub mod condition;
pub mod cooling;
pub mod did;
mod elements;
mod equivocation;
mod extrinsic;
mod fields;
mod hashing;
pub mod history;
pub mod index;
pub mod lists;
pub mod operation;
pub mod outbox;
pub mod roles;
pub mod seams;
mod signature;
mod stamp;
mod statement;
mod text;
pub mod totals;

pub use batch::{BatchMode, ErrorIndex, MAX_BATCH};
pub use bill::{
    Bill, BillCode, BillKey, BillKind, BillNumber, BillState, BillStatus, BillSummary, CheckCode,
    CodePart, Fen, GrantId, IssueDate, IssueTime, Lock, LockPurpose, MAX_REIMBURSEMENTS, PayerType,
    Receipt, Reimbursement, SceneId, ThreeCodes, Uscc,
};
use billchain_crypto::sm3::sm3_many;
pub use commit::{
    LatePrecommit, MAX_LATE_BLOCKS, ParentCommit, Precommit, is_precommit, turn, turn_order,
};
pub use cooling::CoolingPolicy;
pub use did::Did;
pub use elements::{Element, Elements};
pub use equivocation::{Equivocation, EquivocationError, Offence};
pub use extrinsic::{
    MAX_DECODED_BYTES, MAX_EXTRINSIC_DEPTH, SignatureAdmission, UncheckedExtrinsic,
};
pub use fields::{SummaryField, SummaryFields};
pub use hashing::{Sm3Hasher, sm3};
pub use operation::{Operation, Target};
pub use roles::{AdminRole, Role, RoleSet};
pub use signature::{PublicKey, Signature, SignatureScheme, VerificationId, clear_signature_cache};
pub use stamp::Stamp;
pub use statement::{
    ConsensusDomain, Purpose, SignedStatement, Statement, StatementContext, StatementKind,
};
pub use text::{ClaimNo, ConditionText, Keyword, Name, Reason};

use sp_core::H256;
use sp_runtime::{AccountId32, MultiAddress, generic};

/// Number of a block; the genesis is 0.
pub type BlockNumber = u32;
/// Number of transactions an account has had included.
pub type Nonce = u32;
/// Hash of a block, a transaction or a state: SM3 (GB/T 32905), 32 bytes.
pub type Hash = H256;
/// Account identifier, 32 bytes. For SM2 it is the SM3 of the compressed
/// public key; for the development schemes it is what Substrate derives.
pub type AccountId = AccountId32;
/// How a transaction names an account; encodes like Substrate's `MultiAddress`.
pub type Address = MultiAddress<AccountId, ()>;
/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Moment = u64;
/// Header of a block; its hash is the SM3 of its SCALE encoding.
pub type Header = generic::Header<BlockNumber, Sm3Hasher>;
/// A block of `Extrinsic`s.
pub type Block<Extrinsic> = generic::Block<Header, Extrinsic>;
/// A block whose transactions are not decoded.
pub type OpaqueBlock = Block<sp_runtime::OpaqueExtrinsic>;

/// Most validators of a chain.
pub const MAX_VALIDATORS: u32 = 64;
/// Most observers of a chain.
pub const MAX_OBSERVERS: u32 = 256;
/// Most nodes that may connect to one another: whatever list of them the chain
/// has, consensus and gossip take it.
pub const MAX_PEERS: u32 = MAX_VALIDATORS + MAX_OBSERVERS;

/// Hash of a transaction: SM3 over its encoding with the length prefix, as it
/// stands in a block.
pub fn transaction_hash(encoded: &[u8]) -> Hash {
    sm3(encoded).into()
}

/// Hashes of many transactions, several times faster than one by one.
pub fn transaction_hashes<T: AsRef<[u8]>>(encoded: &[T]) -> Vec<Hash> {
    sm3_many(encoded).into_iter().map(Hash::from).collect()
}
