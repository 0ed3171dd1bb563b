//! Lines as they are written, and the chain over them.
//!
//! A segment is `access-NNNNNNNN.log`, text in UTF-8. Its first line is its header, JSON; each
//! other one is 64 hex digits, a blank, and an entry in JSON, ended by a line feed. The digits
//! are SM3 over `"billchain-access-log-1"`, the 32 bytes of the digits before (of the header's
//! `previous`, on a segment's first), and the bytes of the JSON.

use billchain_crypto::sm3::Sm3;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What the first line follows.
pub const GENESIS: [u8; 32] = [0; 32];
/// What a line's hash begins with.
const DOMAIN: &[u8] = b"billchain-access-log-1";
/// Longest line, in bytes.
pub(crate) const MAX_LINE: usize = 4 << 10;
pub(crate) const FORMAT: &str = "billchain-access-log";
pub(crate) const VERSION: u32 = 1;

/// The first line of a segment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) format: String,
    pub(crate) version: u32,
    /// Name of the node.
    pub(crate) node: String,
    /// Number of the first entry.
    pub(crate) first: u64,
    /// Hash of the entry before, hex.
    pub(crate) previous: String,
}

/// What was asked, by whom, and how it ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Number, from 1; the writer sets it.
    #[serde(default)]
    pub n: u64,
    /// Milliseconds since 1970 when it was asked.
    pub at: u64,
    /// Name of the identity; `-` without one.
    pub who: String,
    /// DID of its participant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did: Option<String>,
    /// Name of the listener.
    pub on: String,
    /// Address it came from.
    pub from: String,
    /// Method; `-` if there is none of the name that was asked for.
    pub method: String,
    /// What it was about: code and number of a bill; masked where it is personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// 0, or the code of the refusal; -1 when nobody waited for the answer any more.
    pub code: i32,
    /// Bytes of the answer.
    pub bytes: u64,
    /// Milliseconds that it took.
    pub ms: u64,
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// 0, or the code of the refusal; -1 when nobody waited for the answer any more.
    pub code: i32,
    /// Bytes of the answer.
    pub bytes: u64,
    /// Milliseconds that it took.
    pub ms: u64,
}

/// The hash of a line.
pub(crate) fn hash(previous: &[u8; 32], json: &[u8]) -> [u8; 32] {
    let mut sm3 = Sm3::new();
    sm3.update(DOMAIN);
    sm3.update(previous);
    sm3.update(json);
    sm3.finalize()
}

/// A line's hash and JSON, or what is wrong with it.
pub(crate) fn split(line: &[u8]) -> Result<([u8; 32], &[u8]), &'static str> {
    if line.len() > MAX_LINE {
        return Err("it is too long");
    }
    let (digits, rest) = line.split_at_checked(64).ok_or("it is too short")?;
    let mut hash = [0; 32];
    hex::decode_to_slice(digits, &mut hash).map_err(|_| "expected 64 hex digits first")?;
    match rest.split_first() {
        Some((b' ', json)) => Ok((hash, json)),
        _ => Err("expected a blank after the digits"),
    }
}

/// Reads a header.
pub(crate) fn header(line: &[u8]) -> Result<(Header, [u8; 32]), String> {
    if line.len() > MAX_LINE {
        return Err("the header is too long".into());
    }
    let header: Header =
        serde_json::from_slice(line).map_err(|error| format!("no header: {error}"))?;
    if header.format != FORMAT || header.version != VERSION {
        return Err(format!("expected {FORMAT} of version {VERSION}"));
    }
    let previous = hex::decode(&header.previous).ok().and_then(|bytes| bytes.try_into().ok());
    let previous = previous.ok_or("previous: expected 64 hex digits")?;
    Ok((header, previous))
}

/// The file of a segment.
pub(crate) fn file(directory: &Path, segment: u32) -> PathBuf {
    directory.join(format!("access-{segment:08}.log"))
}

/// The segments of a directory, in order.
pub(crate) fn segments(directory: &Path) -> std::io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(directory)? {
        let name = file?.file_name();
        let number =
            name.to_str().and_then(|name| name.strip_prefix("access-")?.strip_suffix(".log"));
        found.extend(
            number.filter(|text| text.len() == 8).and_then(|text| text.parse::<u32>().ok()),
        );
    }
    found.sort_unstable();
    Ok(found)
}

/// Shortens what would make a line too long.
pub(crate) fn shorten(entry: &mut Entry) {
    let cut = |text: &mut String, most: usize| {
        if text.len() > most {
            let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
        }
    };
    for text in [&mut entry.who, &mut entry.on, &mut entry.from, &mut entry.method] {
        cut(text, 256);
    }
    for text in [&mut entry.did, &mut entry.about].into_iter().flatten() {
        cut(text, 256);
    }
}
