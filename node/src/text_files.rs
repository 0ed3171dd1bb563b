//! Text files that operators wrote, on whatever system they wrote them.
//!
//! A byte order mark is taken off, and UTF-16 with a mark, which Windows tools
//! write, is decoded. Everything else must be UTF-8: no encoding is guessed.

use anyhow::{Context, Result, bail};
use std::{borrow::Cow, path::Path};
use zeroize::Zeroizing;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why bytes are no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotText {
    /// Bytes that UTF-8 does not have.
    #[error(
        "expected UTF-8 text (or UTF-16 with a byte order mark), found byte {byte:#04x} at {at}"
    )]
    Utf8 {
        /// Offset of the first such byte.
        at: usize,
        /// Its value.
        byte: u8,
    },
    /// A mark of UTF-16 before something else.
    #[error("the byte order mark says UTF-16, but what follows is not")]
    Utf16,
    /// UTF-16 that does not say so.
    #[error("UTF-16 without a byte order mark; save the file as UTF-8")]
    UnmarkedUtf16,
}

/// The text that the bytes are, without a byte order mark.
pub(crate) fn text_of(bytes: &[u8]) -> Result<Cow<'_, str>, NotText> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        [0, second, ..] if *second != 0 => return Err(NotText::UnmarkedUtf16),
        [first, 0, ..] if *first != 0 => return Err(NotText::UnmarkedUtf16),
        _ => {
            let body = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
            let text = core::str::from_utf8(body).map_err(|error| {
                let at = error.valid_up_to();
                NotText::Utf8 { at: bytes.len() - body.len() + at, byte: body[at] }
            })?;
            return Ok(Cow::Borrowed(text));
        }
    };
    let (pairs, rest) = bytes[2..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err(NotText::Utf16);
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map(Cow::Owned)
        .map_err(|_| NotText::Utf16)
}

/// Reads a text file; `what` names it in errors.
pub(crate) fn read_text(file: &Path, what: &str) -> Result<String> {
    let bytes = read(file, what)?;
    let text = text_of(&bytes).with_context(|| format!("{what} {}", file.display()))?;
    Ok(text.into_owned())
}

/// Reads a file that may hold a secret.
pub(crate) fn read(file: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    std::fs::read(file)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read {what} {}", file.display()))
}

/// The password that `text` is: its line end does not belong to it, and no
/// other control character can be meant.
pub(crate) fn password_of(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let text = Zeroizing::new(text_of(bytes)?.into_owned());
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        bail!("it is empty");
    }
    if line.contains(['\n', '\r']) {
        bail!("expected one line, found several");
    }
    if let Some(character) = line.chars().find(|c| c.is_control() || *c == '\u{feff}') {
        bail!("the character U+{:04X} is in it, which no password has", u32::from(character));
    }
    Ok(Zeroizing::new(line.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn text_of_windows_tools_is_read() {
        let text = "密码 🔑\r\nsecond";
        for bytes in [
            text.as_bytes().to_vec(),
            [UTF8_MARK, text.as_bytes()].concat(),
            utf16(&format!("\u{feff}{text}"), u16::to_le_bytes),
            utf16(&format!("\u{feff}{text}"), u16::to_be_bytes),
        ] {
            assert_eq!(text_of(&bytes).unwrap(), text, "{bytes:x?}");
        }
        assert_eq!(text_of(b"").unwrap(), "");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_by_their_reason() {
        for (bytes, expected) in [
            (b"ab\xC3\xDC".to_vec(), NotText::Utf8 { at: 2, byte: 0xC3 }),
            (b"\xEF\xBB\xBFa\xFF".to_vec(), NotText::Utf8 { at: 4, byte: 0xFF }),
            (utf16("secret", u16::to_le_bytes), NotText::UnmarkedUtf16),
            (utf16("secret", u16::to_be_bytes), NotText::UnmarkedUtf16),
            (b"\xFF\xFEa".to_vec(), NotText::Utf16),
            (b"\xFF\xFE\x00\xD8".to_vec(), NotText::Utf16),
        ] {
            assert_eq!(text_of(&bytes), Err(expected), "{bytes:x?}");
        }
    }

    #[test]
    fn a_password_is_its_line_however_the_file_was_saved() {
        let marked = format!("\u{feff}{}", "secret123\r\n");
        for bytes in [
            b"secret123".to_vec(),
            b"secret123\n".to_vec(),
            b"secret123\r\n".to_vec(),
            [UTF8_MARK, b"secret123"].concat(),
            marked.as_bytes().to_vec(),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
        ] {
            assert_eq!(*password_of(&bytes).unwrap(), b"secret123", "{bytes:x?}");
        }
        // Spaces belong to it.
        assert_eq!(*password_of(b" a b \n").unwrap(), b" a b ");
        for (bytes, words) in [
            (&b""[..], "it is empty"),
            (b"\r\n", "it is empty"),
            (b"\xEF\xBB\xBF\n", "it is empty"),
            (b"one\ntwo\n", "expected one line"),
            (b"secret\n\n", "expected one line"),
            (b"a\tb", "U+0009"),
            (b"\xC3\xDC\xC2\xEB", "expected UTF-8 text"),
        ] {
            let error = password_of(bytes).unwrap_err().to_string();
            assert!(error.contains(words), "{bytes:x?}: {error}");
        }
    }
}
