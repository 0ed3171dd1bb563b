//! The one private key among the blocks of a PEM file (RFC 7468).
//!
//! More lenient than the format: text may stand around the blocks, lines may
//! have any length and either line end. Tools write such files.

use super::error::ImportError;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// The most blocks a file may have.
const MAX_BLOCKS: usize = 32;

struct Block<'a> {
    label: &'a str,
    body: Vec<&'a str>,
}

/// Whether the bytes can only be text, although they may begin like DER.
pub(super) fn is_text(file: &[u8]) -> bool {
    file.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// The DER of the file's private key.
pub(super) fn private_key(file: &[u8]) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let text = core::str::from_utf8(file).map_err(|_| unknown("bytes that are no text"))?;
    let blocks = blocks(text)?;
    if blocks.is_empty() {
        return Err(unknown(describe(text)));
    }
    let keys: Vec<_> = blocks.iter().filter(|b| b.label.ends_with("PRIVATE KEY")).collect();
    match keys.as_slice() {
        [key] => decode(key),
        [] => {
            let labels: Vec<_> = blocks.iter().map(|block| block.label).collect();
            Err(ImportError::NoPrivateKey { found: format!("\"{}\"", labels.join("\", \"")) })
        }
        several => Err(ImportError::SeveralKeys { found: several.len() }),
    }
}

fn unknown(found: impl Into<String>) -> ImportError {
    ImportError::UnknownFormat { found: found.into() }
}

/// What a text without a block looks like; never what a secret says.
fn describe(text: &str) -> &'static str {
    let text = text.trim();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return "64 hex digits, which name no curve";
    }
    if text.starts_with("MI") {
        return "base64 without its PEM lines";
    }
    "text without a PEM block"
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>, ImportError> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in text.lines().map(str::trim) {
        let begun = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES));
        let ended = line.strip_prefix(END).and_then(|rest| rest.strip_suffix(DASHES));
        match (&mut open, begun, ended) {
            (None, Some(label), _) if blocks.len() < MAX_BLOCKS => {
                open = Some(Block { label, body: Vec::new() });
            }
            (None, Some(_), _) => {
                return Err(ImportError::malformed(format!("more than {MAX_BLOCKS} PEM blocks")));
            }
            (Some(block), None, Some(label)) if block.label == label => blocks.extend(open.take()),
            (Some(block), None, None) => block.body.push(line),
            (Some(block), ..) => return Err(unclosed(block)),
            (None, None, _) => {}
        }
    }
    match open {
        Some(block) => Err(unclosed(&block)),
        None => Ok(blocks),
    }
}

fn unclosed(block: &Block<'_>) -> ImportError {
    let label: String = block.label.chars().take(64).collect();
    ImportError::Truncated { what: format!("\"{END}{label}{DASHES}\" is missing") }
}

fn decode(block: &Block<'_>) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    // RFC 1421 headers, which OpenSSL's traditional encryption writes.
    if let Some(info) = block.body.iter().find_map(|line| line.strip_prefix("DEK-Info:")) {
        let cipher: String = info.trim().chars().take_while(|c| *c != ',').take(40).collect();
        return Err(ImportError::UnsupportedEncryption {
            what: "OpenSSL's traditional cipher",
            found: format!("{cipher} (DEK-Info, whose key is one round of MD5)"),
        });
    }
    if block.label == "OPENSSH PRIVATE KEY" {
        return Err(unknown("a key in OpenSSH's own format"));
    }
    // Written again in the one form that the strict decoder takes.
    let base64 = Zeroizing::new(block.body.concat());
    let mut strict = Zeroizing::new(format!("{BEGIN}KEY{DASHES}\n"));
    for line in base64.as_bytes().chunks(64) {
        let line = core::str::from_utf8(line)
            .map_err(|_| ImportError::malformed("base64 with other characters"))?;
        strict.push_str(line);
        strict.push('\n');
    }
    strict.push_str(&format!("{END}KEY{DASHES}\n"));
    let (_, der) = der::pem::decode_vec(strict.as_bytes())
        .map_err(|error| ImportError::malformed(format!("base64 of the PEM block: {error}")))?;
    Ok(Zeroizing::new(der))
}
