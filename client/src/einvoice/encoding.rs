//! From delivered bytes to text, as the XML declaration says.

use super::error::{EInvoiceError, shortened};
use core::fmt;
use std::borrow::Cow;

/// Encodings bills are delivered in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum XmlEncoding {
    /// UTF-8, also when the declaration names nothing.
    Utf8,
    /// GBK and its relatives GB2312 and GB18030, which read the same way.
    Gbk,
}

impl fmt::Display for XmlEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Gbk => "GBK",
        })
    }
}

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";
/// How far the declaration may reach.
const MAX_DECLARATION: usize = 256;

/// Decodes strictly: a byte sequence the encoding does not have is an error,
/// never a replacement character.
pub(super) fn decode(bytes: &[u8]) -> Result<(XmlEncoding, Cow<'_, str>), EInvoiceError> {
    let (has_bom, body) = match bytes.strip_prefix(UTF8_BOM) {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(EInvoiceError::Empty);
    }
    let declared = declared_encoding(body);
    let encoding = match declared.as_deref() {
        None => XmlEncoding::Utf8,
        Some(name) => match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => XmlEncoding::Utf8,
            "GBK" | "GB2312" | "GB18030" if !has_bom => XmlEncoding::Gbk,
            _ => return Err(EInvoiceError::UnsupportedEncoding { found: shortened(name) }),
        },
    };
    let text = match encoding {
        XmlEncoding::Utf8 => core::str::from_utf8(body).ok().map(Cow::Borrowed),
        XmlEncoding::Gbk => {
            encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(body)
        }
    };
    Ok((encoding, text.ok_or(EInvoiceError::NotInEncoding { expected: encoding })?))
}

/// Value of `encoding="…"` in the XML declaration. All accepted encodings
/// write the declaration in ASCII.
fn declared_encoding(body: &[u8]) -> Option<String> {
    let window = &body[..body.len().min(MAX_DECLARATION)];
    let end = window.windows(2).position(|w| w == b"?>")?;
    let declaration = core::str::from_utf8(&window[..end]).ok()?.strip_prefix("<?xml")?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split_once(quote).map(|(name, _)| name.to_owned())
}
