//! What can go wrong for a member's client.

use super::Prepared;
use billchain_primitives::{BillKey, Hash, Nonce};
use billchain_rpc_types::{FailureView, TransactionState, TransactionView, code};
use jsonrpsee::types::ErrorObject;
use serde::Deserialize;

/// What can go wrong. [`Self::code`] is stable, words are not.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// A node refused the request.
    #[error("{method}: {message} (code {code})")]
    Refused {
        /// The method.
        method: &'static str,
        /// JSON-RPC's code; see [`billchain_rpc_types::code`].
        code: i32,
        /// The transaction pool's own code.
        pool: Option<i32>,
        /// Why.
        message: String,
        /// What the code means, in Chinese.
        zh: Option<String>,
        /// The bill that was asked about.
        bill: Option<BillKey>,
    },
    /// A transaction is final and its call failed: nothing was changed.
    #[error("{}", failed(.view))]
    CallFailed {
        /// What became of it.
        view: Box<TransactionView>,
        /// The bill that it was about.
        bill: Option<BillKey>,
    },
    /// A transaction is not final in time. It may still become so: send it again.
    #[error("transaction {:?} is not final in time: it is {state:?}", .prepared.hash())]
    NotFinal {
        /// The transaction.
        prepared: Box<Prepared>,
        /// Where it was last.
        state: TransactionState,
    },
    /// A transaction can never be executed: another one has its nonce.
    #[error("transaction {hash:?} can never be executed: another one has its nonce {nonce}")]
    Superseded {
        /// The transaction.
        hash: Hash,
        /// Its nonce.
        nonce: Nonce,
        /// The bill that it was about.
        bill: Option<BillKey>,
    },
    /// No node gave an answer in time.
    #[error("{method}: no node answers: {}", .causes.join("; "))]
    Unreachable {
        /// The method.
        method: &'static str,
        /// Of each node, why.
        causes: Vec<String>,
    },
    /// A node follows another chain, or other rules.
    #[error("{url}: {what} is {found}, expected {expected}")]
    WrongChain {
        /// The node.
        url: String,
        /// What of it is another.
        what: &'static str,
        /// What it has.
        found: String,
        /// What this client is made for.
        expected: String,
    },
    /// The URL cannot be used.
    #[error("node URL: expected http://<address>:<port>, found \"{url}\": {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An answer is not of the form that this program knows.
    #[error("{method} answered with bytes of another form: {found}")]
    Undecodable {
        /// The method.
        method: &'static str,
        /// What it answered.
        found: String,
    },
    /// A certificate proves nothing, or another thing than was asked for.
    #[error("{reason}")]
    Certificate {
        /// Why.
        reason: String,
        /// The bill that was asked for.
        bill: Option<BillKey>,
    },
    /// The device that signs failed.
    #[error("the signing device: {0}")]
    Device(String),
    /// The device's signature is not its key's.
    #[error(
        "the device's signature is not its key's: expected r and s in 64 bytes, signer id \
         1234567812345678"
    )]
    BadSignature,
    /// The client has no device: it reads only.
    #[error("this client has no signing device: it reads only")]
    NoDevice,
}

/// The pool's part of a refusal's data, and the words in Chinese.
#[derive(Default, Deserialize)]
struct Data {
    code: Option<i32>,
    zh: Option<String>,
}

impl MemberError {
    pub(super) fn refused(method: &'static str, refusal: &ErrorObject<'_>) -> Self {
        let data = refusal.data().and_then(|data| serde_json::from_str::<Data>(data.get()).ok());
        let Data { code: pool, zh } = data.unwrap_or_default();
        let message = refusal.message().to_owned();
        Self::Refused { method, code: refusal.code(), pool, message, zh, bill: None }
    }

    /// With the bill that it is about, if it does not say one.
    pub(super) fn about(mut self, key: Option<BillKey>) -> Self {
        if let Self::Refused { bill, .. } | Self::Certificate { bill, .. } = &mut self {
            *bill = bill.or(key);
        }
        self
    }

    fn failure(&self) -> Option<&FailureView> {
        match self {
            Self::CallFailed { view, .. } => view.error.as_ref(),
            _ => None,
        }
    }

    /// What went wrong: the contract and its error as `BillUpdate.LockedByOther`, JSON-RPC's code,
    /// or the kind.
    pub fn code(&self) -> String {
        match self {
            Self::Refused { code, .. } => code.to_string(),
            Self::CallFailed { .. } => self.failure().map(name).unwrap_or_default(),
            Self::NotFinal { .. } => "NotFinal".into(),
            Self::Superseded { .. } => "Superseded".into(),
            Self::Unreachable { .. } => "Unreachable".into(),
            Self::WrongChain { .. } => "WrongChain".into(),
            Self::Url { .. } => "Form".into(),
            Self::Undecodable { .. } => "Undecodable".into(),
            Self::Certificate { .. } => "CertificateRefused".into(),
            Self::Device(_) => "Device".into(),
            Self::BadSignature => "BadSignature".into(),
            Self::NoDevice => "NoSigner".into(),
        }
    }

    /// The place of what is wrong: a parameter, or the field that an error names.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Refused { code: code::INVALID_PARAMS, message, .. } => {
                let (place, _) = message.split_once(": expected ")?;
                Some(place)
            }
            Self::CallFailed { .. } => {
                let details = self.failure()?.details.as_deref()?;
                let (_, field) = ["SummaryField: ", "field: "]
                    .iter()
                    .find_map(|name| details.split_once(name))?;
                field.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
            }
            _ => None,
        }
    }

    /// The bill that it is about.
    pub fn bill(&self) -> Option<BillKey> {
        match self {
            Self::Refused { bill, .. }
            | Self::CallFailed { bill, .. }
            | Self::Superseded { bill, .. }
            | Self::Certificate { bill, .. } => *bill,
            Self::NotFinal { prepared, .. } => prepared.bill,
            _ => None,
        }
    }

    /// What it means, in Chinese, where the node says it.
    pub fn zh(&self) -> Option<&str> {
        match self {
            Self::Refused { zh, .. } => zh.as_deref(),
            _ => self.failure()?.zh.as_deref(),
        }
    }
}

fn name(failure: &FailureView) -> String {
    format!("{}.{}", failure.pallet, failure.name)
}

fn failed(view: &TransactionView) -> String {
    let Some(failure) = &view.error else { return "the transaction failed".into() };
    let details = failure.details.as_ref().map(|details| format!(" ({details})"));
    format!("{}{}: {}", name(failure), details.unwrap_or_default(), failure.docs)
}
