//! From delivered bytes to text: what the byte order mark and the XML
//! declaration say (XML 1.0, section 4.3.3 and appendix F).
//!
//! Both must agree. Decoding is strict: a byte sequence that the encoding does
//! not have is an error, never a replacement character.

use super::error::{EInvoiceError, shortened};
use core::fmt;
use encoding_rs::{DecoderResult, Encoding, GB18030, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Encodings bills are delivered in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum XmlEncoding {
    /// UTF-8, also when the declaration names nothing.
    Utf8,
    /// GBK and its relatives GB2312 and GB18030, which read the same way.
    Gbk,
    /// UTF-16 of either byte order.
    Utf16,
}

impl fmt::Display for XmlEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Gbk => "GBK",
            Self::Utf16 => "UTF-16",
        })
    }
}

/// How far the declaration may reach, in characters.
const MAX_DECLARATION: usize = 512;

/// What the first bytes say.
struct Start {
    /// The encoding whose byte order mark begins the document.
    mark: Option<Mark>,
    /// Bytes of the mark.
    skip: usize,
    units: Units,
}

/// Encodings that have a byte order mark here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Utf8,
    Gb18030,
    Utf16,
}

/// How an ASCII character is written, which is what a declaration consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Units {
    Bytes,
    LittleEndian,
    BigEndian,
}

/// Text of the document without its byte order mark, and its encoding.
pub(super) fn decode(bytes: &[u8]) -> Result<(XmlEncoding, Cow<'_, str>), EInvoiceError> {
    let start = start(bytes)?;
    let body = &bytes[start.skip..];
    let declared = declared_encoding(&head(body, start.units))?;
    let decoder = decoder(&start, declared.as_deref())?;
    let (encoding, text) = match decoder {
        None => {
            let text = core::str::from_utf8(body).map_err(|e| (XmlEncoding::Utf8, e.valid_up_to()));
            (XmlEncoding::Utf8, text.map(Cow::Borrowed))
        }
        Some(decoder) => {
            let encoding = if decoder == GB18030 { XmlEncoding::Gbk } else { XmlEncoding::Utf16 };
            (encoding, strictly(body, decoder).map(Cow::Owned).map_err(|at| (encoding, at)))
        }
    };
    let text = text
        .map_err(|(expected, at)| EInvoiceError::NotInEncoding { expected, at: start.skip + at })?;
    if text.chars().all(is_space) {
        return Err(EInvoiceError::Empty);
    }
    Ok((encoding, text))
}

fn start(bytes: &[u8]) -> Result<Start, EInvoiceError> {
    let found = |mark, skip, units| Ok(Start { mark, skip, units });
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => found(Some(Mark::Utf8), 3, Units::Bytes),
        [0x84, 0x31, 0x95, 0x33, ..] => found(Some(Mark::Gb18030), 4, Units::Bytes),
        [0xFF, 0xFE, 0, 0, ..]
        | [0, 0, 0xFE, 0xFF, ..]
        | [b'<', 0, 0, 0, ..]
        | [0, 0, 0, b'<', ..] => {
            Err(EInvoiceError::UnsupportedEncoding { found: "UTF-32".to_owned() })
        }
        [0xFF, 0xFE, ..] => found(Some(Mark::Utf16), 2, Units::LittleEndian),
        [0xFE, 0xFF, ..] => found(Some(Mark::Utf16), 2, Units::BigEndian),
        [b'<', 0, ..] => found(None, 0, Units::LittleEndian),
        [0, b'<', ..] => found(None, 0, Units::BigEndian),
        _ => found(None, 0, Units::Bytes),
    }
}

/// The first characters; those beyond ASCII, which no declaration has, as U+FFFD.
fn head(body: &[u8], units: Units) -> String {
    let ascii = |unit: u16| match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => char::from(byte),
        _ => char::REPLACEMENT_CHARACTER,
    };
    let pairs = body.chunks_exact(2).take(MAX_DECLARATION);
    match units {
        Units::Bytes => body.iter().take(MAX_DECLARATION).map(|b| ascii((*b).into())).collect(),
        Units::LittleEndian => pairs.map(|b| ascii(u16::from_le_bytes([b[0], b[1]]))).collect(),
        Units::BigEndian => pairs.map(|b| ascii(u16::from_be_bytes([b[0], b[1]]))).collect(),
    }
}

const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Value of `encoding="…"` in the XML declaration, if there is one. The reader
/// checks the rest of the declaration.
fn declared_encoding(head: &str) -> Result<Option<String>, EInvoiceError> {
    let document = head.trim_start_matches(is_space);
    let Some(declaration) =
        document.strip_prefix("<?xml").filter(|rest| rest.starts_with(is_space))
    else {
        return Ok(None);
    };
    if document.len() != head.len() {
        return Err(EInvoiceError::DeclarationNotFirst { before: head.len() - document.len() });
    }
    let malformed = |reason| Err(EInvoiceError::Malformed { line: 1, column: 1, reason });
    let Some(end) = declaration.find("?>") else {
        return malformed(format!(
            "the XML declaration has no end within {MAX_DECLARATION} characters"
        ));
    };
    // The reader does not look at prefixes there.
    if declaration[..end].contains(':') {
        return malformed("the XML declaration has a colon in it".to_owned());
    }
    Ok(pseudo_attribute(&declaration[..end], "encoding").map(str::to_owned))
}

fn pseudo_attribute<'a>(declaration: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = declaration.split_once(name)?;
    let rest = rest.trim_start_matches(is_space).strip_prefix('=')?.trim_start_matches(is_space);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split_once(quote).map(|(value, _)| value)
}

/// What decodes the document, `None` for UTF-8, or how mark and declaration
/// contradict each other.
fn decoder(
    start: &Start,
    declared: Option<&str>,
) -> Result<Option<&'static Encoding>, EInvoiceError> {
    let contradiction = |evidence| {
        let declared = declared.map_or_else(|| "UTF-8, by default".to_owned(), shortened);
        Err(EInvoiceError::EncodingContradiction { declared, evidence })
    };
    let name = declared.map(str::to_ascii_uppercase);
    let name = name.as_deref();
    match (start.units, start.mark) {
        (Units::Bytes, mark) => match (name, mark) {
            (None | Some("UTF-8" | "UTF8"), Some(Mark::Gb18030)) => {
                contradiction("the document begins with the byte order mark of GB18030")
            }
            (None | Some("UTF-8" | "UTF8"), _) => Ok(None),
            (Some("UTF-16" | "UTF-16LE" | "UTF-16BE"), Some(Mark::Utf8)) => {
                contradiction("the document begins with the byte order mark of UTF-8")
            }
            (Some("UTF-16" | "UTF-16LE" | "UTF-16BE"), _) => {
                contradiction("the declaration itself is not in UTF-16")
            }
            (Some("GBK" | "GB2312" | "GB18030"), Some(Mark::Utf8)) => {
                contradiction("the document begins with the byte order mark of UTF-8")
            }
            (Some("GBK" | "GB2312" | "GB18030"), _) => Ok(Some(GB18030)),
            (Some(other), _) => Err(EInvoiceError::UnsupportedEncoding {
                found: shortened(declared.unwrap_or(other)),
            }),
        },
        (Units::LittleEndian, mark) => match (name, mark) {
            (None | Some("UTF-16"), None) => Err(EInvoiceError::NoByteOrderMark),
            (None | Some("UTF-16" | "UTF-16LE"), _) => Ok(Some(UTF_16LE)),
            _ => contradiction("the document is in UTF-16, little endian"),
        },
        (Units::BigEndian, mark) => match (name, mark) {
            (None | Some("UTF-16"), None) => Err(EInvoiceError::NoByteOrderMark),
            (None | Some("UTF-16" | "UTF-16BE"), _) => Ok(Some(UTF_16BE)),
            _ => contradiction("the document is in UTF-16, big endian"),
        },
    }
}

/// The text, or the offset of the first bytes that are none.
fn strictly(body: &[u8], encoding: &'static Encoding) -> Result<String, usize> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let length = decoder.max_utf8_buffer_length_without_replacement(body.len()).unwrap_or(0);
    let mut text = String::with_capacity(length);
    match decoder.decode_to_string_without_replacement(body, &mut text, true) {
        (DecoderResult::InputEmpty, _) => Ok(text),
        (DecoderResult::Malformed(bad, after), read) => {
            Err(read.saturating_sub(usize::from(bad) + usize::from(after)))
        }
        // The buffer has the length that the decoder asked for.
        (DecoderResult::OutputFull, read) => Err(read),
    }
}
