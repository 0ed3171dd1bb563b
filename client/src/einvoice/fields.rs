//! The elements of a bill that are read, and their texts.

use super::{
    error::EInvoiceError,
    signature::{self, Seal, Signature, Signatures},
};
use billchain_primitives::bill::InvalidField;
use core::str::FromStr;
use std::collections::HashMap;

/// Paths of the elements that are read.
pub(super) mod element {
    macro_rules! main {
        ($rest:literal) => {
            concat!("EInvoice/EInvoiceData/Main/", $rest)
        };
    }

    pub const ROOT: &str = "EInvoice";
    pub const TAG: &str = "EInvoice/Header/EInvoiceTag";
    pub const NAME: &str = main!("EInvoiceName");
    pub const CODE: &str = main!("EInvoiceCode");
    pub const NUMBER: &str = main!("EInvoiceNumber");
    pub const CHECK_CODE: &str = main!("RandomNumber");
    pub const TOTAL: &str = main!("TotalAmount");
    pub const ISSUE_DATE: &str = main!("IssueDate");
    pub const ISSUE_TIME: &str = main!("IssueTime");
    pub const ISSUER_CODE: &str = main!("InvoicingParty/InvoicingPartyCode");
    pub const ISSUER_NAME: &str = main!("InvoicingParty/InvoicingPartyName");
    pub const PAYER_TYPE: &str = main!("PayerParty/PayerPartyType");
    pub const PAYER_CODE: &str = main!("PayerParty/PayerPartyCode");
    pub const PAYER_NAME: &str = main!("PayerParty/PayerPartyName");
    pub const BIZ_CODE: &str = main!("BizCode");
    pub const RELATED_CODE: &str = main!("MainExt/RelatedInvoiceCode");
    pub const RELATED_NUMBER: &str = main!("MainExt/RelatedInvoiceNumber");
    pub const ITEM: &str = "EInvoice/EInvoiceData/Details/Item";
    pub const ITEM_AMOUNT: &str = "EInvoice/EInvoiceData/Details/Item/ItemAmount";
    pub const LINE: &str = "EInvoice/EInvoiceData/AuxDetails/AuxItem";
    pub const LINE_AMOUNT: &str = "EInvoice/EInvoiceData/AuxDetails/AuxItem/AuxItemAmount";

    /// Elements that may stand once, besides those of seals.
    pub const SINGLE: [&str; 16] = [
        TAG,
        NAME,
        CODE,
        NUMBER,
        CHECK_CODE,
        TOTAL,
        ISSUE_DATE,
        ISSUE_TIME,
        ISSUER_CODE,
        ISSUER_NAME,
        PAYER_TYPE,
        PAYER_CODE,
        PAYER_NAME,
        BIZ_CODE,
        RELATED_CODE,
        RELATED_NUMBER,
    ];
}

/// The known path that is `path`, of an element that may stand once.
pub(super) fn single(path: &str) -> Option<&'static str> {
    let seals = [signature::element::ISSUER_SEAL, signature::element::SUPERVISOR_SEAL];
    element::SINGLE.into_iter().chain(seals.into_iter().flatten()).find(|known| *known == path)
}

/// What was found.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) texts: HashMap<&'static str, String>,
    /// Number of charge items.
    pub items: usize,
    /// Number of detail lines.
    pub lines: usize,
    /// Sum of the items, in fen.
    pub sum: i128,
    /// `EInvoiceSignature/Signature`, in their order.
    pub signatures: Vec<Signature>,
}

impl Fields {
    /// Text of a required element, without surrounding white space.
    pub fn text(&self, path: &'static str) -> Result<&str, EInvoiceError> {
        match self.trimmed(path) {
            None => Err(EInvoiceError::MissingElement { path }),
            Some("") => Err(EInvoiceError::EmptyElement { path }),
            Some(text) => Ok(text),
        }
    }

    /// A required element as a checked value.
    pub fn parse<T: FromStr<Err = InvalidField>>(
        &self,
        path: &'static str,
    ) -> Result<T, EInvoiceError> {
        checked(path, self.text(path)?)
    }

    /// An element that may be absent or empty.
    pub fn optional<T: FromStr<Err = InvalidField>>(
        &self,
        path: &'static str,
    ) -> Result<Option<T>, EInvoiceError> {
        match self.trimmed(path) {
            None | Some("") => Ok(None),
            Some(text) => checked(path, text).map(Some),
        }
    }

    /// Both signatures, if the bill is signed.
    pub fn signatures(&self) -> Result<Option<Signatures>, EInvoiceError> {
        signature::both(self.signatures.clone())
    }

    /// A seal, if the bill has it.
    pub fn seal(&self, paths: [&'static str; 3]) -> Result<Option<Seal>, EInvoiceError> {
        signature::seal(paths, |path| self.trimmed(path).map(str::to_owned))
    }

    fn trimmed(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(|text| text.trim())
    }
}

/// A text as the value that its element stands for.
pub(super) fn checked<T: FromStr<Err = InvalidField>>(
    path: &'static str,
    text: &str,
) -> Result<T, EInvoiceError> {
    text.parse().map_err(|e: InvalidField| EInvoiceError::invalid(path, e.expected, text))
}
