//! The ministry's signatures and seals in an original: kept and checked for
//! their structure (财综〔2017〕32号, annex on the form of the bill).
//!
//! Their mathematics is not checked. The form that is signed is not public and
//! the certificates are not in the document; see
//! `docs/decisions/0040-reading-xml.md`.

use super::error::EInvoiceError;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Serialize, Serializer};

/// Most bytes of one signature value's text.
pub(super) const MAX_VALUE_TEXT: usize = 64 * 1024;

/// `EInvoiceSignature`: both signatures of a bill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Signatures {
    /// 开票单位数字签名, over header and data.
    pub issuer: Signature,
    /// 财政部门监制数字签名, over the hash of the issuer's original and the
    /// issuer's signature.
    pub supervisor: Signature,
}

/// `EInvoiceSignature/Signature`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Signature {
    /// `SignedInfo/Reference`: what is signed, in the issuer's words.
    pub reference: String,
    /// `SignedInfo/SignatureAlgorithm`, for instance `1.2.156.10197.1.501`.
    pub algorithm: String,
    /// `SignatureTime`, as it stands there.
    pub time: String,
    /// `SignatureValue`, decoded; base64 when serialized.
    #[serde(serialize_with = "as_base64")]
    pub value: Vec<u8>,
    /// `KeyInfo/SerialNumber`: of the signer's certificate.
    pub serial_number: String,
    /// `KeyInfo/X509IssuerName`: who made the certificate.
    pub certificate_issuer: String,
}

/// `InvoicingPartySeal` or `SupervisorPartySeal`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Seal {
    /// `SealId`.
    pub id: String,
    /// `SealName`.
    pub name: String,
    /// `SealHash`, as it stands there.
    pub hash: String,
}

fn as_base64<S: Serializer>(value: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD.encode(value))
}

/// Paths of what is read here.
pub(super) mod element {
    macro_rules! signature {
        ($rest:literal) => {
            concat!("EInvoice/EInvoiceSignature/Signature", $rest)
        };
    }
    macro_rules! main {
        ($rest:literal) => {
            concat!("EInvoice/EInvoiceData/Main/", $rest)
        };
    }

    pub const SIGNATURES: &str = "EInvoice/EInvoiceSignature";
    pub const SIGNATURE: &str = signature!("");
    pub const REFERENCE: &str = signature!("/SignedInfo/Reference");
    pub const ALGORITHM: &str = signature!("/SignedInfo/SignatureAlgorithm");
    pub const FORMAT: &str = signature!("/SignedInfo/SignatureFormat");
    pub const TIME: &str = signature!("/SignatureTime");
    pub const VALUE: &str = signature!("/SignatureValue");
    /// As the ministry's annex spells it.
    pub const VALUE_OF_ANNEX: &str = signature!("/Signaturevalue");
    pub const SERIAL: &str = signature!("/KeyInfo/SerialNumber");
    pub const CERTIFICATE_ISSUER: &str = signature!("/KeyInfo/X509IssuerName");
    /// What one signature consists of.
    pub const OF_SIGNATURE: [&str; 7] =
        [REFERENCE, ALGORITHM, FORMAT, TIME, VALUE, SERIAL, CERTIFICATE_ISSUER];

    pub const ISSUER_SEAL: [&str; 3] = [
        main!("InvoicingPartySeal/SealId"),
        main!("InvoicingPartySeal/SealName"),
        main!("InvoicingPartySeal/SealHash"),
    ];
    pub const SUPERVISOR_SEAL: [&str; 3] = [
        main!("SupervisorPartySeal/SealId"),
        main!("SupervisorPartySeal/SealName"),
        main!("SupervisorPartySeal/SealHash"),
    ];
}

/// Texts of one signature while it is read, in the order of
/// [`element::OF_SIGNATURE`].
#[derive(Default)]
pub(super) struct Parts([Option<String>; 7]);

impl Parts {
    /// The known path that is `path`, if it belongs to a signature.
    pub(super) fn known(path: &str) -> Option<&'static str> {
        let path = if path == element::VALUE_OF_ANNEX { element::VALUE } else { path };
        element::OF_SIGNATURE.into_iter().find(|known| *known == path)
    }

    fn slot(&mut self, path: &str) -> Option<&mut Option<String>> {
        let place = element::OF_SIGNATURE.iter().position(|known| *known == path)?;
        self.0.get_mut(place)
    }

    pub(super) fn has(&mut self, path: &'static str) -> bool {
        self.slot(path).is_some_and(|slot| slot.is_some())
    }

    pub(super) fn set(&mut self, path: &'static str, text: String) {
        if let Some(slot) = self.slot(path) {
            *slot = Some(text);
        }
    }

    fn take(&mut self, path: &'static str) -> Result<String, EInvoiceError> {
        match self.slot(path).and_then(Option::take) {
            None => Err(EInvoiceError::MissingElement { path }),
            Some(text) if text.trim().is_empty() => Err(EInvoiceError::EmptyElement { path }),
            Some(text) => Ok(text.trim().to_owned()),
        }
    }

    /// The signature, every part of it there.
    pub(super) fn finish(mut self) -> Result<Signature, EInvoiceError> {
        let format = self.take(element::FORMAT)?;
        if format != "DETACH" {
            return Err(EInvoiceError::invalid(element::FORMAT, "DETACH", &format));
        }
        Ok(Signature {
            reference: self.take(element::REFERENCE)?,
            algorithm: self.take(element::ALGORITHM)?,
            time: time(self.take(element::TIME)?)?,
            value: value(&self.take(element::VALUE)?)?,
            serial_number: self.take(element::SERIAL)?,
            certificate_issuer: self.take(element::CERTIFICATE_ISSUER)?,
        })
    }
}

/// Both signatures of a bill that has any.
pub(super) fn both(found: Vec<Signature>) -> Result<Option<Signatures>, EInvoiceError> {
    let count = found.len();
    let mut found = found.into_iter();
    match (found.next(), found.next(), found.next()) {
        (None, ..) => Ok(None),
        (Some(issuer), Some(supervisor), None) => Ok(Some(Signatures { issuer, supervisor })),
        _ => Err(EInvoiceError::SignatureCount { found: count }),
    }
}

/// A seal by its three texts; none if all are empty or absent.
pub(super) fn seal(
    paths: [&'static str; 3],
    text: impl Fn(&'static str) -> Option<String>,
) -> Result<Option<Seal>, EInvoiceError> {
    let [id, name, hash] = paths.map(|path| text(path).filter(|text| !text.is_empty()).ok_or(path));
    match (id, name, hash) {
        (Err(_), Err(_), Err(_)) => Ok(None),
        (Ok(id), Ok(name), Ok(hash)) => {
            if !hash.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')) {
                let rule = "a hash in base64 or hexadecimal digits";
                return Err(EInvoiceError::invalid(paths[2], rule, &hash));
            }
            Ok(Some(Seal { id, name, hash }))
        }
        (Err(path), ..) | (_, Err(path), _) | (.., Err(path)) => {
            Err(EInvoiceError::EmptyElement { path })
        }
    }
}

/// The annex says UTC time and shows no form, so a date and a time is all that
/// is asked for.
fn time(text: String) -> Result<String, EInvoiceError> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let known =
        |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'.' | b'+' | b' ' | b'T' | b'Z');
    if digits < 12 || text.len() > 40 || !text.bytes().all(known) {
        return Err(EInvoiceError::invalid(element::TIME, "a date and a time", &text));
    }
    Ok(text)
}

/// Base64 may be broken into lines.
fn value(text: &str) -> Result<Vec<u8>, EInvoiceError> {
    let compact: String = text.split_ascii_whitespace().collect();
    BASE64_STANDARD
        .decode(&compact)
        .map_err(|_| EInvoiceError::invalid(element::VALUE, "base64", text))
}
