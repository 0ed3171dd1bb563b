//! A new key, with the references of the old one carried over; and the program's own
//! commands for it.

use crate::kit::{Bureau, WIDE, file, key, li, zhang};
use billchain_oprf::keys;
use std::{path::Path, process::Command};

#[tokio::test]
async fn references_of_the_old_key_lead_to_those_of_the_new_one() {
    let (old_keys, old_shares) = keys::generate(1, 1).unwrap();
    let mut bureau =
        Bureau::of(old_keys.clone(), old_shares.clone(), &[("hospital-1", WIDE)]).await;
    let old = bureau.client("hospital-1").references(&[zhang(), li()]).await.unwrap();

    let rotation = keys::rotate(&old_keys, &old_shares, 1, 1).unwrap();
    bureau.add_key(0, rotation.keys.clone(), rotation.shares[0].clone(), "new");
    bureau.add_key(0, rotation.ratio.clone(), rotation.ratio_shares[0].clone(), "ratio");
    bureau.restart_with(0, &["new", "ratio"]).await;
    bureau.keys = rotation.keys;
    let mut client = bureau.client("hospital-1");
    let new = client.references(&[zhang(), li()]).await.unwrap();
    let (carried, _) = client.rotated(&rotation.ratio, &old).await.unwrap();
    assert_eq!(carried, new);
    assert_ne!(carried, old);

    // As the bureau does it: a file of references, line by line.
    let lines: String = old.iter().map(|reference| format!("{reference}\n")).collect();
    std::fs::write(file(&bureau, "old"), lines).unwrap();
    let ratio = hex::encode(rotation.ratio.to_bytes());
    std::fs::write(file(&bureau, "ratio.hex"), ratio).unwrap();
    let config = bureau.config("hospital-1");
    let text = format!(
        "public_keys = \"{}\"\nrequester = \"hospital-1\"\nkey_file = \"requester.key\"\n\
         operators = [\"{}\"]\n",
        hex::encode(config.keys.to_bytes()),
        config.operators[0]
    );
    std::fs::write(file(&bureau, "client.toml"), text).unwrap();
    let secret = hex::encode(&key("hospital-1")[..]);
    billchain_references::keyfile::write_private(
        &file(&bureau, "requester.key"),
        secret.as_bytes(),
    )
    .unwrap();
    let arguments = [
        "rotate".to_owned(),
        "--client".to_owned(),
        file(&bureau, "client.toml").display().to_string(),
        "--ratio".to_owned(),
        file(&bureau, "ratio.hex").display().to_string(),
        file(&bureau, "old").display().to_string(),
    ];
    let (ok, printed) = tokio::task::spawn_blocking(move || refs(&arguments)).await.unwrap();
    let expected: Vec<String> =
        old.iter().zip(&new).map(|(old, new)| format!("{old} {new}")).collect();
    assert!(ok, "{printed}");
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
}

/// Runs the program; whether it succeeded, and what it printed.
fn refs<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_billchain-refs")).args(arguments).output();
    let output = output.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn division(directory: &Path, out: &str, threshold: &str, operators: &str) -> Vec<String> {
    let path = |name: &str| directory.join(name).display().to_string();
    ["--threshold", threshold, "--operators", operators, "--out"]
        .map(str::to_owned)
        .into_iter()
        .chain([path(out), "--new-password-file".into(), path("password")])
        .collect()
}

#[test]
fn the_ceremonies_make_keys_that_belong_together() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    billchain_references::keyfile::write_private(&directory.path().join("password"), b"secret\n")
        .unwrap();
    let mut generate = words(&["keys", "generate"]);
    generate.extend(division(directory.path(), "first", "2", "3"));
    let (ok, printed) = refs(&generate);
    assert!(ok, "{printed}");
    let (ok, printed) = refs(&generate);
    assert!(!ok && printed.contains("operator-1.key"), "nothing is written over: {printed}");

    let old = |shares: &[&str]| {
        let mut words = words(&["--password-file", &path("password")]);
        shares.iter().for_each(|share| words.extend(["--share".into(), path(share)]));
        words
    };
    let two = old(&["first/operator-1.key", "first/operator-3.key"]);
    for (command, out) in [("reshare", "second"), ("rotate", "third")] {
        let mut command = words(&["keys", command]);
        command.extend(two.clone());
        command.extend(division(directory.path(), out, "1", "2"));
        let (ok, printed) = refs(&command);
        assert!(ok, "{printed}");
    }
    let mut one = words(&["keys", "rotate"]);
    one.extend(old(&["first/operator-1.key"]));
    one.extend(division(directory.path(), "fourth", "1", "1"));
    let (ok, printed) = refs(&one);
    assert!(!ok && printed.contains("2 different ones are needed"), "{printed}");

    let public = |name: &str| {
        let text = std::fs::read_to_string(directory.path().join(name)).unwrap();
        billchain_references::wire::public_keys(&text).unwrap()
    };
    assert_eq!(public("first/public.hex").group(), public("second/public.hex").group());
    assert_eq!(public("third/public.hex").group(), public("third/ratio.hex").group());
    let (share, secret) = (path("second/operator-2.key"), path("password"));
    let show = ["keys", "show", &share, "--password-file", &secret];
    let (ok, printed) = refs(&show);
    assert!(ok && printed.contains(&public("first/public.hex").id()), "{printed}");
}
