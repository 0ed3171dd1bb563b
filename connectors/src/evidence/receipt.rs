//! Receipts of the evidence chain.

use serde::{Deserialize, Serialize};

use crate::{
    answer::{is_signed, json, passing},
    merkle::{Step, climb},
};
use billchain_workers::Failure;

/// Most receipts of an answer.
const MAX_RECEIPTS: usize = 1_024;

/// How firm a receipt is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finality {
    /// The evidence chain has taken it, and its block is still to come.
    Accepted,
    /// It is in a block.
    Final,
}

impl Finality {
    const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Final => "final",
        }
    }
}

/// A receipt as it comes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// Key of the item.
    pub request_id: String,
    /// The evidence chain's own name of what was put down together.
    pub receipt_id: String,
    /// `hash`, `original` or `batch`.
    pub kind: String,
    /// What is put down: the item's digest, or the batch's root; 64 digits of hex.
    #[serde(with = "hex::serde")]
    pub digest: [u8; 32],
    /// Block of the evidence chain.
    pub block: u64,
    /// Its time, in milliseconds since 1970.
    pub time: u64,
    /// How firm it is.
    pub state: Finality,
    /// From the item's digest to the root.
    pub path: Vec<Step>,
    /// By the evidence chain's key over `evidence-receipt/1`, `receipt_id`, `kind`, `digest`,
    /// `block`, `time` and `state`, one a line.
    pub signature: String,
}

impl Receipt {
    fn text(&self) -> String {
        let Self { receipt_id, kind, block, time, .. } = self;
        let (digest, state) = (hex::encode(self.digest), self.state.word());
        format!("evidence-receipt/1\n{receipt_id}\n{kind}\n{digest}\n{block}\n{time}\n{state}")
    }

    /// Why it is no receipt of this digest by this key; none: it is one.
    fn problem(&self, digest: &[u8; 32], key: &[u8; 33]) -> Option<&'static str> {
        let holds = match self.kind.as_str() {
            "batch" => climb(digest, &self.path) == Some(self.digest),
            "hash" | "original" => self.path.is_empty() && self.digest == *digest,
            _ => return Some("kind: expected hash, original or batch"),
        };
        if !holds {
            return Some("digest: the receipt is about another one");
        }
        // A line break in a field would make another text of the same letters.
        if self.receipt_id.len() > 64 || self.receipt_id.contains('\n') {
            return Some("receipt_id: expected at most 64 characters on one line");
        }
        (!is_signed(key, &self.text(), &self.signature)).then_some("signature: does not fit")
    }
}

/// An answer with receipts.
#[derive(Deserialize)]
pub struct Answer {
    code: String,
    #[serde(default)]
    items: Vec<Receipt>,
}

/// The answer of a verification.
#[derive(Deserialize)]
struct Found {
    code: String,
    found: bool,
    receipt: Option<Receipt>,
}

/// A receipt that was verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Key of the item.
    pub request_id: String,
    /// Digest of the item.
    pub digest: [u8; 32],
    /// How firm the receipt is.
    pub finality: Finality,
    /// The receipt, as it is kept.
    pub bytes: Vec<u8>,
}

fn verified(
    receipt: &Receipt,
    digest: [u8; 32],
    key: &[u8; 33],
    body: &[u8],
) -> Result<Verified, Failure> {
    if let Some(problem) = receipt.problem(&digest, key) {
        return Err(passing(format!("the receipt does not hold: {problem}"), body));
    }
    let bytes = serde_json::to_vec(receipt).map_err(Failure::passing)?;
    Ok(Verified { request_id: receipt.request_id.clone(), digest, finality: receipt.state, bytes })
}

/// The receipts of an answer, one for each key and digest that is expected, in their order.
pub fn verify(
    body: &[u8],
    expected: &[(String, [u8; 32])],
    key: &[u8; 33],
) -> Result<Vec<Verified>, Failure> {
    let answer: Answer = json(body)?;
    if answer.code != "0" {
        return Err(passing("code: expected 0", body));
    }
    if answer.items.len() != expected.len() || expected.len() > MAX_RECEIPTS {
        let (found, wanted) = (answer.items.len(), expected.len());
        return Err(passing(format!("items: expected {wanted} receipts, found {found}"), body));
    }
    let pairs = answer.items.iter().zip(expected);
    let receipts = pairs.map(|(receipt, (id, digest))| {
        if receipt.request_id != *id {
            return Err(passing("request_id: the receipt is of another item", body));
        }
        verified(receipt, *digest, key, body)
    });
    receipts.collect()
}

/// The receipt that a verification found.
pub(super) fn verify_found(
    body: &[u8],
    digest: [u8; 32],
    key: &[u8; 33],
) -> Result<Option<Verified>, Failure> {
    let found: Found = json(body)?;
    match (found.code.as_str(), found.found, &found.receipt) {
        ("0", false, _) => Ok(None),
        ("0", true, Some(receipt)) => verified(receipt, digest, key, body).map(Some),
        _ => Err(passing("the answer says neither yes nor no", body)),
    }
}
