//! Why a transaction is refused before it runs, in numbers for clients and in
//! words for people.
//!
//! The numbers are `InvalidTransaction::Custom` codes. They are part of the
//! chain's interface: a number never changes its meaning.

use sp_runtime::transaction_validity::{
    InvalidTransaction, TransactionValidityError, UnknownTransaction,
};

/// The sender is no participant, no council member and no validator's
/// operator.
pub const SENDER_UNKNOWN: u8 = 1;
/// The sender's participant is frozen (冻结).
pub const SENDER_FROZEN: u8 = 2;
/// The sender's participant is cancelled (注销).
pub const SENDER_CANCELLED: u8 = 3;
/// The chain does not admit the signature's scheme: production chains admit
/// SM2 alone.
pub const SCHEME_NOT_ADMITTED: u8 = 4;
/// In its block the transaction stands after one that asks for the same bill's
/// lock and does not precede it; see the dispute contract. It may stand in
/// another block.
pub const LOCKS_OUT_OF_ORDER: u8 = 5;
/// The call, or one within it, is not the chain's business.
pub const CALL_NOT_ADMITTED: u8 = 6;
/// The transaction has more calls than one may have, those within others
/// counted.
pub const TOO_MANY_CALLS: u8 = 7;
/// The transaction is longer than the chain takes at present.
pub const TRANSACTION_TOO_LONG: u8 = 8;
/// The sender has used its allowance up; see the performance contract. A block
/// of the next interval takes the transaction.
pub const SENDER_HELD_BACK: u8 = 9;
/// The transaction's calls are about more bills than one may have, those of batches
/// counted.
pub const TOO_MANY_BILLS: u8 = 10;

/// The reason in words, without a full stop.
pub fn explain(error: &TransactionValidityError) -> String {
    match error {
        TransactionValidityError::Invalid(invalid) => explain_invalid(invalid),
        TransactionValidityError::Unknown(unknown) => match unknown {
            UnknownTransaction::CannotLookup => "the signer's address cannot be looked up".into(),
            UnknownTransaction::NoUnsignedValidator => {
                "unsigned transactions are not admitted".into()
            }
            UnknownTransaction::Custom(code) => format!("unknown validity, code {code}"),
        },
    }
}

fn explain_invalid(invalid: &InvalidTransaction) -> String {
    match invalid {
        InvalidTransaction::Call => "the call cannot be decoded or is not admitted".into(),
        InvalidTransaction::Payment => "the sender's account does not exist on this chain".into(),
        InvalidTransaction::Future => {
            "the nonce is ahead of the account's: an earlier transaction is missing".into()
        }
        InvalidTransaction::Stale => "the nonce was used already".into(),
        InvalidTransaction::BadProof => {
            "the signature does not match: wrong key, payload, genesis or version".into()
        }
        InvalidTransaction::AncientBirthBlock => "the transaction's era is over".into(),
        InvalidTransaction::ExhaustsResources => {
            "the transaction exceeds the length or weight a block can hold".into()
        }
        InvalidTransaction::Custom(SENDER_UNKNOWN) => {
            "the sender is no active participant, council member or validator's operator".into()
        }
        InvalidTransaction::Custom(SENDER_FROZEN) => "the sender's participant is frozen".into(),
        InvalidTransaction::Custom(SENDER_CANCELLED) => {
            "the sender's participant is cancelled".into()
        }
        InvalidTransaction::Custom(SCHEME_NOT_ADMITTED) => {
            "this chain admits SM2 signatures only".into()
        }
        InvalidTransaction::Custom(LOCKS_OUT_OF_ORDER) => {
            "in this block it stands after a lock of the same bill that it precedes by the rule"
                .into()
        }
        InvalidTransaction::Custom(CALL_NOT_ADMITTED) => {
            "the call, or one within it, is none that this chain admits".into()
        }
        InvalidTransaction::Custom(TOO_MANY_CALLS) => {
            let most = crate::calls::MAX_CALLS;
            format!("the transaction has more than {most} calls, those within others counted")
        }
        InvalidTransaction::Custom(TOO_MANY_BILLS) => {
            let most = crate::calls::MAX_BILLS;
            format!("the transaction is about more than {most} bills, those of batches counted")
        }
        InvalidTransaction::Custom(TRANSACTION_TOO_LONG) => {
            "the transaction is longer than the chain's own limit allows".into()
        }
        InvalidTransaction::Custom(SENDER_HELD_BACK) => {
            "the sender has used up what it may bring into blocks in this interval".into()
        }
        InvalidTransaction::Custom(code) => format!("refused with code {code}"),
        InvalidTransaction::BadMandatory => "an inherent of the block failed".into(),
        InvalidTransaction::MandatoryValidation => {
            "the call is reserved for the block's proposer".into()
        }
        InvalidTransaction::BadSigner => "the signer must not be the zero account".into(),
        InvalidTransaction::IndeterminateImplicit => {
            "the era's first block is not known to this chain".into()
        }
        InvalidTransaction::UnknownOrigin => "the transaction names no authorised sender".into(),
    }
}
