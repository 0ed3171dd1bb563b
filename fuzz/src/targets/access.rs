//! Targets of access: configurations, tokens, key sets, headers, and the log.

use crate::Verdict;
use billchain_access::fuzzing;
use std::{cell::RefCell, fmt::Write};

/// A configuration of access.
pub fn access_config(data: &[u8]) -> Verdict {
    fuzzing::config(data).into()
}

/// A token, taken apart; nobody's keys prove it.
pub fn access_token(data: &[u8]) -> Verdict {
    fuzzing::token(data).into()
}

/// A key set.
pub fn access_keys(data: &[u8]) -> Verdict {
    fuzzing::key_set(data).into()
}

/// Headers of a request, a line each, and its body after an empty line.
pub fn access_headers(data: &[u8]) -> Verdict {
    fuzzing::headers(data).into()
}

/// A segment of the log of access.
pub fn access_segment(data: &[u8]) -> Verdict {
    thread_local! {
        static DIRECTORY: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
    }
    DIRECTORY.with_borrow_mut(|directory| {
        let made = || tempfile::tempdir().expect("a directory can be made");
        fuzzing::log(directory.get_or_insert_with(made).path(), data).into()
    })
}

const CONFIG: &str = "[[listener]]\nname = \"members\"\nlisten = \"127.0.0.1:9443\"\n\
    classes = [\"verify\", \"read\"]\nallow = [\"10.0.0.0/8\"]\norigins = [\"https://a.example\"]\n\
    [[issuer]]\nname = \"sso\"\nissuer = \"https://a.example\"\naudience = \"billchain\"\n\
    algorithms = [\"RS256\"]\nkeys_file = \"keys.json\"\n\
    [[identity]]\nname = \"a\"\nparticipant = \"did:bill:a\"\nclasses = [\"read\"]\n\
    subjects = [{ issuer = \"sso\", sub = \"a\" }]\n[limits.read]\nburst = 7\n\
    [log]\ndirectory = \"log\"\n";

/// `{"alg":"RS256"}`, `{"iss":"a","exp":1}` and three bytes.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIiwiZXhwIjoxfQ.AAAA";

/// P-256's base point, as a key.
const KEYS: &str = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\
    \"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\",\
    \"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}]}";

/// Inputs of a target, the first of which it accepts.
pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    match target {
        "access_config" => vec![bytes(CONFIG)],
        "access_token" => vec![bytes(TOKEN)],
        "access_keys" => vec![bytes(KEYS)],
        "access_headers" => vec![
            bytes("host:node\nx-request-id:7\n\n{}"),
            bytes(&format!("authorization:Bearer {TOKEN}\n\n{{}}")),
            bytes(
                "host:a\nx-billchain-key:k\nx-billchain-timestamp:1\nx-billchain-nonce:\
                 000102030405060708090a0b0c0d0e0f\nx-billchain-signature:AAAA\n\n{}",
            ),
        ],
        "access_segment" => vec![bytes(&segment())],
        other => panic!("no seeds of {other}"),
    }
}

/// A header without lines.
fn segment() -> String {
    let mut text = String::new();
    let previous = "00".repeat(32);
    let _ = writeln!(
        text,
        "{{\"format\":\"billchain-access-log\",\"version\":1,\"node\":\"a\",\"first\":1,\
         \"previous\":\"{previous}\"}}"
    );
    text
}
