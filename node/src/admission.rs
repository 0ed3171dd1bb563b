//! The pool's door: asks the chain's runtime whether a transaction is valid
//! and puts the answer into the pool's words.

use billchain_executor::{Chain, TransactionError, Validated, transaction};
use billchain_primitives::{AccountId, Address, BlockNumber, Nonce};
use billchain_runtime::{System, quota, rejection};
use billchain_txpool::{Rejection, SenderClass, SenderQuota, TransactionValidator, TxInfo};
use bytes::Bytes;
use parking_lot::Mutex;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// Blocks for which a sender's quota is not asked again.
const QUOTA_BLOCKS: BlockNumber = 16;

/// Senders whose quotas are remembered, at most.
const MAX_QUOTAS: usize = 8_192;

/// Validates transactions on the head's state.
pub(crate) struct Admission {
    chain: Chain,
    quotas: Mutex<Quotas>,
}

/// What the chain granted senders in a period of [`QUOTA_BLOCKS`].
#[derive(Default)]
struct Quotas {
    period: BlockNumber,
    known: HashMap<AccountId, SenderQuota>,
    /// All for whom the reserve is; asked for when it is needed.
    reserved: Option<Arc<BTreeSet<AccountId>>>,
}

impl Admission {
    pub(crate) fn new(chain: Chain) -> Self {
        Self { chain, quotas: Mutex::default() }
    }

    /// The quota of a sender by the state of a head that is at most
    /// [`QUOTA_BLOCKS`] old.
    fn quota(&self, sender: &AccountId, head: BlockNumber) -> Result<SenderQuota, Rejection> {
        if let Some(known) = self.quotas.lock().of_period(head).known.get(sender) {
            return Ok(*known);
        }
        let granted = self
            .chain
            .read(|| quota::sender_quota(sender))
            .map_err(|error| Rejection::CheckFailed { detail: error.to_string() })?;
        let quota = SenderQuota {
            class: match granted.class {
                quota::SenderClass::Ordinary => SenderClass::Ordinary,
                quota::SenderClass::Reserved => SenderClass::Reserved,
            },
            max_transactions: granted.max_pool_transactions as usize,
            max_bytes: granted.max_pool_bytes as usize,
        };
        let mut quotas = self.quotas.lock();
        let known = &mut quotas.of_period(head).known;
        if known.len() >= MAX_QUOTAS {
            known.clear();
        }
        known.insert(sender.clone(), quota);
        Ok(quota)
    }

    /// All for whom the reserve is, by the state of a head that is at most
    /// [`QUOTA_BLOCKS`] old; nobody if the state cannot be read.
    fn reserved(&self) -> Arc<BTreeSet<AccountId>> {
        let head = self.chain.head().number;
        if let Some(known) = &self.quotas.lock().of_period(head).reserved {
            return Arc::clone(known);
        }
        // A state that cannot be read ends the node by the next block or check.
        let Ok(reserved) = self.chain.read(quota::reserved_accounts) else {
            return Arc::default();
        };
        let reserved = Arc::new(reserved);
        self.quotas.lock().of_period(head).reserved = Some(Arc::clone(&reserved));
        reserved
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
                quota: self.quota(&valid.sender, valid.head)?,
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

impl Quotas {
    /// Those of the period of `head`; earlier ones are forgotten.
    fn of_period(&mut self, head: BlockNumber) -> &mut Self {
        let period = head / QUOTA_BLOCKS;
        // One that judges on an older head asks the newer period's.
        if period > self.period {
            self.period = period;
            self.known.clear();
            self.reserved = None;
        }
        self
    }
}

/// Who signed, and with which nonce.
fn signer(bytes: &[u8]) -> Option<(AccountId, u32)> {
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

    fn account_nonce(&self, account: &AccountId) -> Option<Nonce> {
        self.chain.read(|| System::account_nonce(account)).ok()
    }

    fn claimed(&self, tx: &[u8]) -> Option<(AccountId, SenderClass)> {
        let account = transaction::claimed_signer(tx)?;
        let class = if self.reserved().contains(&account) {
            SenderClass::Reserved
        } else {
            SenderClass::Ordinary
        };
        Some((account, class))
    }
}

/// First block that may no longer hold a transaction which is valid for
/// `longevity` blocks after the head; `None` for an immortal one.
fn dies_at(head: BlockNumber, longevity: u64) -> Option<BlockNumber> {
    let last = u64::from(head).checked_add(longevity)?;
    BlockNumber::try_from(last.checked_add(1)?).ok()
}
