//! Reading a fiscal electronic bill from its XML original (`EInvoice`).
//!
//! The bytes are hashed (SM3) as they were delivered, before any decoding;
//! then they are decoded as the byte order mark and the XML declaration say
//! (UTF-8, GBK or UTF-16) and every element the chain needs is checked. An error
//! names the element, or line and column, what was expected and what was found.
//!
//! A document must be well-formed by XML 1.0 and Namespaces in XML 1.0. Nothing
//! outside it is ever consulted: document types and entities other than the five
//! of XML are refused, and size, depth and the numbers of elements, attributes
//! and namespaces are bounded. Elements that this module does not know and those
//! of other namespaces are skipped, because provinces extend the form.

mod document;
mod encoding;
mod error;
mod fields;
mod reader;
mod signature;

pub use encoding::XmlEncoding;
pub use error::EInvoiceError;
pub use signature::{Seal, Signature, Signatures};

use billchain_crypto::sm3;
use billchain_primitives::{
    BillCode, BillKey, BillKind, BillNumber, BillSummary, CheckCode, Did, Fen, IssueDate,
    IssueTime, PayerType, SceneId, Uscc,
};
use core::fmt;
use fields::{Fields, element};

/// Largest document, in bytes. 2,000 lines take about 0.7 MB.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Deepest nesting of elements.
pub const MAX_DEPTH: usize = 16;
/// Longest text of one element that is read, in bytes of UTF-8.
pub const MAX_TEXT: usize = 4096;
/// Most charge items and most detail lines.
pub const MAX_LINES: usize = 10_000;
/// Most elements of a document, known or not.
pub const MAX_ELEMENTS: usize = 300_000;
/// Most attributes of an element.
pub const MAX_ATTRIBUTES: usize = 64;
/// Most namespaces that are declared around an element.
pub const MAX_NAMESPACES: usize = 16;
/// Longest name of an element, an attribute or a prefix, in bytes of UTF-8.
pub const MAX_NAME: usize = 256;

/// A bill as its XML original says it, every value checked.
#[derive(Clone, PartialEq, Eq)]
pub struct EInvoice {
    /// SM3 of the delivered bytes.
    pub xml_hash: [u8; 32],
    /// How the delivered bytes encode text.
    pub encoding: XmlEncoding,
    /// `Header/EInvoiceTag`: the region's tag, for instance `CZ-EI-31`.
    pub tag: String,
    /// `Main/EInvoiceName`: 票据名称.
    pub name: String,
    /// `Main/EInvoiceCode` and `Main/EInvoiceNumber`.
    pub key: BillKey,
    /// `Main/RandomNumber`: 校验码.
    pub check_code: CheckCode,
    /// `Main/IssueDate`.
    pub issue_date: IssueDate,
    /// `Main/IssueTime`.
    pub issue_time: IssueTime,
    /// `Main/TotalAmount`, equal to the sum of the items.
    pub total: Fen,
    /// `InvoicingParty/InvoicingPartyCode`: 统一社会信用代码 of the issuer.
    pub issuer_uscc: Uscc,
    /// `InvoicingParty/InvoicingPartyName`.
    pub issuer_name: String,
    /// Who paid. Personal data: it never goes on the chain.
    pub payer: Payer,
    /// `Main/BizCode`: the issuer's business number (业务流水号).
    pub biz_code: String,
    /// `RelatedInvoiceCode` and `RelatedInvoiceNumber`: the blue bill of a red
    /// or balance bill.
    pub related: Option<BillKey>,
    /// Number of charge items (`Details/Item`).
    pub items: usize,
    /// Number of detail lines (`AuxDetails/AuxItem`).
    pub lines: usize,
    /// `EInvoiceSignature`, if the bill is signed.
    pub signatures: Option<Signatures>,
    /// `Main/InvoicingPartySeal`.
    pub issuer_seal: Option<Seal>,
    /// `Main/SupervisorPartySeal`.
    pub supervisor_seal: Option<Seal>,
}

/// Who paid, as the original says it.
#[derive(Clone, PartialEq, Eq)]
pub struct Payer {
    /// `PayerPartyType`: 1 a person, 2 an organisation.
    pub kind: PayerType,
    /// `PayerPartyCode`: number of the identity document or 统一社会信用代码.
    pub code: String,
    /// `PayerPartyName`.
    pub name: String,
}

impl fmt::Debug for Payer {
    /// Without the personal data, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payer").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for EInvoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EInvoice")
            .field("key", &self.key)
            .field("total", &self.total)
            .field("issue_date", &self.issue_date)
            .field("issuer_uscc", &self.issuer_uscc)
            .field("payer", &self.payer)
            .field("xml_hash", &hex::encode(self.xml_hash))
            .finish_non_exhaustive()
    }
}

/// What a bill summary needs beyond the original.
#[derive(Clone)]
pub struct SummaryContext<'a> {
    /// DID of the issuer, who signs the registration.
    pub issuer: Did,
    /// Business scene of the bill.
    pub scene: SceneId,
    /// Reference of the payer, from the bureau's service (`billchain-refs`).
    pub payer_ref: [u8; 32],
    /// The PDF, if it is there already.
    pub pdf: Option<&'a [u8]>,
    /// Where the originals are stored, if it is known.
    pub location: Option<&'a str>,
}

impl EInvoice {
    /// Reads `bytes`, the original as it was delivered.
    pub fn parse(bytes: &[u8]) -> Result<Self, EInvoiceError> {
        if bytes.len() > MAX_BYTES {
            return Err(EInvoiceError::TooLarge { max: MAX_BYTES, found: bytes.len() });
        }
        let (encoding, text) = encoding::decode(bytes)?;
        let fields = reader::read(&document::with_line_feeds(text))?;
        Self::from_fields(sm3::sm3(bytes), encoding, &fields)
    }

    fn from_fields(
        xml_hash: [u8; 32],
        encoding: XmlEncoding,
        fields: &Fields,
    ) -> Result<Self, EInvoiceError> {
        let tag = fields.text(element::TAG)?;
        if !tag.starts_with("CZ-EI-") {
            return Err(EInvoiceError::invalid(element::TAG, "CZ-EI- and a region", tag));
        }
        let total: Fen = fields.parse(element::TOTAL)?;
        if fields.items == 0 {
            return Err(EInvoiceError::MissingElement { path: element::ITEM });
        }
        if fields.sum != i128::from(total.get()) {
            return Err(EInvoiceError::SumMismatch {
                total,
                items: fields.items,
                sum_fen: fields.sum,
            });
        }
        Ok(Self {
            xml_hash,
            encoding,
            tag: tag.to_owned(),
            name: fields.text(element::NAME)?.to_owned(),
            key: BillKey {
                code: fields.parse(element::CODE)?,
                number: fields.parse(element::NUMBER)?,
            },
            check_code: fields.parse(element::CHECK_CODE)?,
            issue_date: issue_date(fields.text(element::ISSUE_DATE)?)?,
            issue_time: issue_time(fields.text(element::ISSUE_TIME)?)?,
            total,
            issuer_uscc: fields.parse(element::ISSUER_CODE)?,
            issuer_name: fields.text(element::ISSUER_NAME)?.to_owned(),
            payer: Payer {
                kind: payer_type(fields.text(element::PAYER_TYPE)?)?,
                code: fields.text(element::PAYER_CODE)?.to_owned(),
                name: fields.text(element::PAYER_NAME)?.to_owned(),
            },
            biz_code: fields.text(element::BIZ_CODE)?.to_owned(),
            related: related(fields)?,
            items: fields.items,
            lines: fields.lines,
            signatures: fields.signatures()?,
            issuer_seal: fields.seal(signature::element::ISSUER_SEAL)?,
            supervisor_seal: fields.seal(signature::element::SUPERVISOR_SEAL)?,
        })
    }

    /// Blue, or red when the total is negative.
    pub fn kind(&self) -> BillKind {
        if self.total < Fen::ZERO { BillKind::Red } else { BillKind::Blue }
    }

    /// What goes on the chain.
    pub fn summary(&self, context: &SummaryContext<'_>) -> BillSummary {
        BillSummary {
            key: self.key,
            check_code: self.check_code,
            kind: self.kind(),
            issue_date: self.issue_date,
            issue_time: self.issue_time,
            total: self.total,
            issuer: context.issuer.clone(),
            issuer_uscc: self.issuer_uscc,
            payer_type: self.payer.kind,
            payer_ref: context.payer_ref,
            scene: context.scene,
            biz_no_hash: sm3::sm3(self.biz_code.as_bytes()),
            xml_hash: self.xml_hash,
            pdf_hash: context.pdf.map(sm3::sm3).unwrap_or_default(),
            location_hash: context.location.map(|l| sm3::sm3(l.as_bytes())).unwrap_or_default(),
            related: self.related,
        }
    }
}

fn issue_date(text: &str) -> Result<IssueDate, EInvoiceError> {
    const RULE: &str = "a real date as yyyyMMdd";
    let invalid = || EInvoiceError::invalid(element::ISSUE_DATE, RULE, text);
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid());
    }
    IssueDate::new(text.parse().map_err(|_| invalid())?).map_err(|_| invalid())
}

fn issue_time(text: &str) -> Result<IssueTime, EInvoiceError> {
    const RULE: &str = "a time of day as HH:mm:ss";
    let invalid = || EInvoiceError::invalid(element::ISSUE_TIME, RULE, text);
    let bytes = text.as_bytes();
    let well_formed = bytes.len() == 8
        && bytes.iter().enumerate().all(|(i, b)| match i {
            2 | 5 => *b == b':',
            _ => b.is_ascii_digit(),
        });
    if !well_formed {
        return Err(invalid());
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    IssueTime::new(digits.parse().map_err(|_| invalid())?).map_err(|_| invalid())
}

fn payer_type(text: &str) -> Result<PayerType, EInvoiceError> {
    match text {
        "1" => Ok(PayerType::Person),
        "2" => Ok(PayerType::Organisation),
        _ => Err(EInvoiceError::invalid(
            element::PAYER_TYPE,
            "1 (a person) or 2 (an organisation)",
            text,
        )),
    }
}

/// Both parts of the related bill's key or neither.
fn related(fields: &Fields) -> Result<Option<BillKey>, EInvoiceError> {
    let code = fields.optional::<BillCode>(element::RELATED_CODE)?;
    let number = fields.optional::<BillNumber>(element::RELATED_NUMBER)?;
    match (code, number) {
        (Some(code), Some(number)) => Ok(Some(BillKey { code, number })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(EInvoiceError::MissingElement { path: element::RELATED_NUMBER }),
        (None, Some(_)) => Err(EInvoiceError::MissingElement { path: element::RELATED_CODE }),
    }
}

#[cfg(test)]
mod tests;
