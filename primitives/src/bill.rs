//! What a fiscal electronic bill (财政电子票据) consists of on the chain.
//!
//! Amounts are whole fen (分); dates are the printed ones, in UTC+8. The
//! fields and their rules follow the `EInvoice` standard as far as it is
//! public.

mod amount;
mod code;
mod date;
mod state;
mod summary;

#[cfg(test)]
mod tests;

pub use amount::Fen;
pub use code::{BillCode, BillKey, BillNumber, CheckCode, CodePart, ThreeCodes, Uscc};
pub use date::{IssueDate, IssueTime};
pub use state::{
    Bill, BillState, BillStatus, GrantId, Lock, LockPurpose, MAX_REIMBURSEMENTS, Receipt,
    Reimbursement,
};
pub use summary::{BillKind, BillSummary, PayerType, SceneId};

/// A value that breaks the rule of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}, found \"{found}\"")]
pub struct InvalidField {
    /// The type, which names the field.
    pub field: &'static str,
    /// The rule in words.
    pub expected: &'static str,
    /// What was given, shortened and escaped.
    pub found: String,
}

pub(crate) fn printable(bytes: &[u8]) -> String {
    const SHOWN: usize = 80;
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let mut text = match core::str::from_utf8(shown) {
        Ok(text) => text.escape_debug().to_string(),
        Err(_) => shown.escape_ascii().to_string(),
    };
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}
