//! The pool's door: asks the chain's runtime whether a transaction is valid
//! and puts the answer into the pool's words.

use billchain_executor::{Chain, TransactionError, Validated, transaction};
use billchain_primitives::{Address, BlockNumber};
use billchain_runtime::{System, rejection};
use billchain_txpool::{Rejection, TransactionValidator, TxInfo};
use bytes::Bytes;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// Validates transactions on the head's state.
pub(crate) struct Admission {
    chain: Chain,
}

impl Admission {
    pub(crate) fn new(chain: Chain) -> Self {
        Self { chain }
    }

    /// What the runtime's refusal means to the sender.
    fn refusal(&self, bytes: &[u8], error: &TransactionValidityError) -> Rejection {
        let detail = rejection::explain(error);
        let invalid = match error {
            TransactionValidityError::Invalid(invalid) => invalid,
            TransactionValidityError::Unknown(_) => return Rejection::Refused { code: 0, detail },
        };
        match invalid {
            InvalidTransaction::BadProof => Rejection::BadSignature,
            InvalidTransaction::UnknownOrigin => Rejection::Unsigned,
            InvalidTransaction::AncientBirthBlock | InvalidTransaction::IndeterminateImplicit => {
                Rejection::Mortality { detail }
            }
            InvalidTransaction::ExhaustsResources => Rejection::TooHeavy { detail },
            InvalidTransaction::Stale => {
                self.stale(bytes).unwrap_or(Rejection::Refused { code: 0, detail })
            }
            InvalidTransaction::Custom(
                code @ (rejection::SENDER_UNKNOWN
                | rejection::SENDER_FROZEN
                | rejection::SENDER_CANCELLED),
            ) => match signer(bytes) {
                Some((account, _)) => Rejection::NotAParticipant { account, reason: detail },
                None => Rejection::Refused { code: *code, detail },
            },
            InvalidTransaction::Payment => match signer(bytes) {
                Some((account, _)) => Rejection::NotAParticipant { account, reason: detail },
                None => Rejection::Refused { code: 0, detail },
            },
            InvalidTransaction::Custom(code) => Rejection::Refused { code: *code, detail },
            _ => Rejection::Refused { code: 0, detail },
        }
    }

    fn answer(
        &self,
        bytes: &[u8],
        judged: Result<Validated, TransactionError>,
    ) -> Result<TxInfo, Rejection> {
        match judged {
            Ok(valid) => Ok(TxInfo {
                sender: valid.sender,
                nonce: valid.nonce,
                account_nonce: valid.account_nonce,
                dies_at: dies_at(valid.head, valid.validity.longevity),
                at: valid.head,
            }),
            Err(TransactionError::Refused(refused)) => Err(self.refusal(bytes, &refused)),
            Err(error @ TransactionError::Panicked(_)) => {
                Err(Rejection::Refused { code: 0, detail: error.to_string() })
            }
            Err(error) => Err(Rejection::Undecodable { reason: error.to_string() }),
        }
    }

    fn stale(&self, bytes: &[u8]) -> Option<Rejection> {
        let (account, got) = signer(bytes)?;
        let expected = self.chain.read(|| System::account_nonce(&account)).ok()?;
        Some(Rejection::Stale { expected, got })
    }
}

/// Who signed, and with which nonce.
fn signer(bytes: &[u8]) -> Option<(billchain_primitives::AccountId, u32)> {
    let extrinsic = transaction::decode(bytes).ok()?;
    let (address, _, extension) = extrinsic.signed_parts()?;
    match address {
        Address::Id(account) => Some((account.clone(), billchain_runtime::nonce_of(extension))),
        _ => None,
    }
}

impl TransactionValidator for Admission {
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>> {
        match self.chain.validate_transactions(txs) {
            Ok(judged) => {
                txs.iter().zip(judged).map(|(tx, judged)| self.answer(tx, judged)).collect()
            }
            Err(error) => {
                let failed = Rejection::CheckFailed { detail: error.to_string() };
                vec![Err(failed); txs.len()]
            }
        }
    }
}

/// First block that may no longer hold a transaction which is valid for
/// `longevity` blocks after the head; `None` for an immortal one.
fn dies_at(head: BlockNumber, longevity: u64) -> Option<BlockNumber> {
    let last = u64::from(head).checked_add(longevity)?;
    BlockNumber::try_from(last.checked_add(1)?).ok()
}
