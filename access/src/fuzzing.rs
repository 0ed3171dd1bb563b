//! Entry points for fuzzers: what others send or leave, in; a panic if and only if something
//! is wrong.

use crate::{
    access::{Access, Head},
    config::AccessConfig,
    log::{Query, search, verify},
    rules::Rules,
    token::{KeySet, Unproved},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::path::Path;

/// A configuration. Whether it can be used.
pub fn config(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    match AccessConfig::parse(text, Path::new("."), |_| Ok(())) {
        Ok(config) => {
            assert!(config.listeners.len() <= 16);
            true
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            false
        }
    }
}

/// A token. Whether it is one, proved or not.
pub fn token(data: &[u8]) -> bool {
    std::str::from_utf8(data).is_ok_and(|text| Unproved::read(text).is_ok())
}

/// A key set. Whether it is one.
pub fn key_set(data: &[u8]) -> bool {
    KeySet::read(data).is_ok()
}

/// Headers of a request, a line each, and its body after an empty line. Nobody is known, so
/// whether the caller may go on as nobody.
pub fn headers(data: &[u8]) -> bool {
    let (lines, body) = match data.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &[][..]),
    };
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(64) {
        let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..at]);
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&line[at + 1..])) else {
            continue;
        };
        headers.append(name, value);
    }
    static ACCESS: std::sync::OnceLock<Access> = std::sync::OnceLock::new();
    let access = ACCESS.get_or_init(|| Access::plain(([127, 0, 0, 1], 0).into(), 1));
    let rules: std::sync::Arc<Rules> = access.rules();
    let address = [127, 0, 0, 1].into();
    let head = Head { address, certificate: None, method: "POST", target: "/", headers: &headers };
    match access.identify(&rules.config.listeners[0], head, body) {
        Ok(caller) => caller.identity.is_none(),
        Err(denied) => {
            assert!(crate::code::ALL.contains(&denied.code) && !denied.words.is_empty());
            false
        }
    }
}

/// A segment of a log, in a directory of its own. Whether it is whole.
pub fn log(directory: &Path, data: &[u8]) -> bool {
    let file = directory.join("access-00000000.log");
    std::fs::write(&file, data).expect("the directory can be written");
    let verified = verify(directory, &[]).is_ok();
    let found = search(directory, &Query::default(), None, 10).expect("it can be read");
    assert!(found.is_ok_and(|found| found.entries.len() <= 10));
    verified
}
