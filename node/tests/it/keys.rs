//! Keys of other tools, imported by the command.

use crate::{
    command::{BINARY, billchain, finish},
    network::PASSWORD_ENV,
};
use billchain_faults::{Fault, Operation, Plan, struck};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn text(path: &Path) -> &str {
    path.to_str().expect("the paths here are UTF-8")
}

fn fixture(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crypto/tests/fixtures/keys");
    fixtures.join(name)
}

/// The line of the output that begins so.
fn line<'a>(output: &'a str, start: &str) -> &'a str {
    output.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{output}"))
}

#[test]
fn an_imported_key_signs_with_the_account_it_always_had() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    // As Windows saves them: a mark before the new password, UTF-16 around the old one.
    fs::write(path("new"), b"\xEF\xBB\xBFnew password\r\n").unwrap();
    let utf16: Vec<u8> =
        "\u{feff}secret123\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(path("old"), utf16).unwrap();
    let import = |name: &str, out: &str| {
        let outcome = billchain([
            "keys",
            "import",
            text(&fixture(name)),
            "--import-password-file",
            text(&path("old")),
            "--out",
            text(&path(out)),
            "--password-file",
            text(&path("new")),
        ]);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        line(&outcome.stdout, "public key:").to_owned()
    };
    let plain = import("gmssl-plain.pem", "1.pem");
    assert_eq!(import("gmssl-pbes2-sm3-sm4-cbc.pem", "2.pem"), plain);
    // The new file opens with the new password, from the environment as well.
    let shown = Command::new(crate::command::BINARY)
        .args(["keys", "show", text(&path("2.pem"))])
        .env(PASSWORD_ENV, "new password")
        .output()
        .unwrap();
    assert_eq!(line(&String::from_utf8(shown.stdout).unwrap(), "public key:"), plain);
    // Nothing is written over.
    let (from, to, password) = (fixture("gmssl-plain.pem"), path("1.pem"), path("new"));
    let again = ["keys", "import", text(&from), "--out", text(&to)];
    billchain([&again[..], &["--password-file", text(&password)]].concat())
        .refused(1, &["cannot create", "it must not exist"]);
}

#[test]
fn a_key_that_cannot_be_imported_is_refused_by_its_reason_and_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let out = path("out.pem");
    fs::write(path("right"), "secret123").unwrap();
    fs::write(path("wrong"), "secret124").unwrap();
    fs::write(path("gbk"), b"\xC3\xDC\xC2\xEB").unwrap();
    for (name, password, words) in [
        ("gmssl-pbes2-sm3-sm4-cbc.pem", "wrong", "wrong password for the key"),
        ("gmssl-pbes2-sm3-sm4-cbc.pem", "gbk", "expected UTF-8 text"),
        ("bc-pbes2-des3.pem", "right", "DES-EDE3-CBC (1.2.840.113549.3.7)"),
        ("bc-public.pem", "right", "no private key"),
        ("README.md", "right", "text without a PEM block"),
        ("none.pem", "right", "cannot read the key file"),
    ] {
        let (file, password) = (fixture(name), path(password));
        billchain([
            "keys",
            "import",
            text(&file),
            "--import-password-file",
            text(&password),
            "--out",
            text(&out),
            "--password-file",
            text(&path("right")),
        ])
        .refused(1, &[words]);
        assert!(!out.exists(), "{name}");
    }
    // A node does not take the file itself, and says what to do.
    billchain([
        "keys",
        "show",
        text(&fixture("gmssl-plain.pem")),
        "--password-file",
        text(&path("right")),
    ])
    .refused(1, &["labelled `PRIVATE KEY`", "billchain keys import"]);
}

#[test]
fn a_key_that_a_full_disk_takes_half_of_is_not_left_there() {
    let directory = tempfile::tempdir().unwrap();
    let (password, report) = (directory.path().join("password"), directory.path().join("report"));
    fs::write(&password, "a password").unwrap();
    for (operation, fault) in [
        (Operation::Write, Fault::Full),
        (Operation::Write, Fault::Short),
        (Operation::Sync, Fault::Full),
        (Operation::Sync, Fault::Failing),
    ] {
        for what in ["generate", "network"] {
            let key = directory.path().join(what);
            let _ = fs::remove_file(&report);
            let mut command = Command::new(BINARY);
            command.args(["keys", what, "--out", text(&key)]);
            if what == "generate" {
                command.args(["--password-file", text(&password)]);
            }
            Plan { under: &key, operation, fault, first: 1 }.inject(&mut command, &report);
            let outcome = finish(command);
            assert_eq!(struck(&report), Some(key.clone()), "{operation:?}, {fault:?}: {outcome}");
            outcome.refused(1, &["cannot write", text(&key), fault.words()]);
            assert!(!key.exists(), "{operation:?}, {fault:?}: half a key is left");
        }
    }
    // With room the same command makes it.
    let key = directory.path().join("generate");
    let make = ["keys", "generate", "--out", text(&key), "--password-file", text(&password)];
    billchain(make).succeeded();
    billchain(["keys", "show", text(&key), "--password-file", text(&password)]).succeeded();
}
