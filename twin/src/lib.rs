//! The JSON twin of a certificate (凭证的 JSON 形式): all that its bytes say, field by field, for
//! programs and people that read JSON, and back to the same bytes.
//!
//! [`to_json`] takes the bytes of a certificate apart, [`from_json`] puts them together again. A
//! certificate has one twin, but for white space and the order of fields: what says the same in
//! another way is refused. A twin proves nothing by itself; its bytes do, if
//! [`billchain_verifier::verify`] says so. `docs/certificates.md`, "JSON twin", names the fields.
//!
//! What is read has bounds: [`MAX_TEXT`], 2^20 values, 16 levels, and [`MAX_BYTES`] of the
//! certificate.

#![forbid(unsafe_code)]

mod bill;
mod form;
mod format;
mod json;
mod parts;
mod place;
mod proof;
mod wrong;

pub use billchain_verifier::MAX_BYTES;
pub use wrong::{TwinError, Wrong};

use form::Input;
use json::Json;

/// Longest twin, in bytes.
pub const MAX_TEXT: usize = 16 << 20;

/// The twin of a certificate, indented, with a line feed at its end.
///
/// # Errors
/// If the bytes are not in the form of a certificate, or the twin would be too long.
pub fn to_json(certificate: &[u8]) -> Result<String, TwinError> {
    let json = read(certificate)?;
    let text = serde_json::to_string_pretty(&json).map_err(TwinError::Json)? + "\n";
    if text.len() > MAX_TEXT {
        return Err(TwinError::TooLong { what: "twin", bytes: text.len(), most: MAX_TEXT });
    }
    Ok(text)
}

/// The bytes of the certificate whose twin this is.
///
/// # Errors
/// If it is no JSON, holds a field twice, or is no certificate's twin: the field is named.
pub fn from_json(text: &[u8]) -> Result<Vec<u8>, TwinError> {
    if text.len() > MAX_TEXT {
        return Err(TwinError::TooLong { what: "twin", bytes: text.len(), most: MAX_TEXT });
    }
    let json = Json::parse(text).map_err(TwinError::Json)?;
    let mut bytes = Vec::new();
    format::CERTIFICATE.write(&json, &mut bytes)?;
    // Whatever the text leaves open, the bytes say in one way.
    let twin = read(&bytes)?;
    json.same_as(&twin)?;
    Ok(bytes)
}

fn read(certificate: &[u8]) -> Result<Json, TwinError> {
    let bytes = certificate.len();
    if bytes > MAX_BYTES {
        return Err(TwinError::TooLong { what: "certificate", bytes, most: MAX_BYTES });
    }
    let mut input = Input::new(certificate);
    let json = format::CERTIFICATE.read(&mut input)?;
    input.end()?;
    Ok(json)
}

#[cfg(test)]
mod tests;
