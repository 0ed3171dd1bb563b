//! Snapshots of nodes that run and that are stopped, and nodes that begin from them.

use crate::{
    command::{BINARY, Outcome, billchain},
    load::{Bills, Load, assert_kept},
    network::{ALL, FAST, Network, PATIENCE, report},
};
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// Runs `billchain snapshot ACTION …`.
fn snapshot<S: AsRef<OsStr>>(action: &str, arguments: impl IntoIterator<Item = S>) -> Outcome {
    let arguments: Vec<_> = arguments.into_iter().map(|one| one.as_ref().to_owned()).collect();
    billchain(
        [OsStr::new("snapshot"), OsStr::new(action)]
            .into_iter()
            .chain(arguments.iter().map(AsRef::as_ref)),
    )
}

fn words(parts: &[&dyn AsRef<OsStr>]) -> Vec<std::ffi::OsString> {
    parts.iter().map(|part| part.as_ref().to_owned()).collect()
}

fn create(network: &Network, node: usize, out: &Path, more: &[&dyn AsRef<OsStr>]) -> Outcome {
    let config = network.config(node);
    snapshot("create", [words(&[&"--config", &config, &"--out", &out]), words(more)].concat())
}

fn verify(network: &Network, directory: &Path, more: &[&dyn AsRef<OsStr>]) -> Outcome {
    let spec = network.directory().join("chain.json");
    snapshot("verify", [words(&[&directory, &"--chain-spec", &spec]), words(more)].concat())
}

fn restore(network: &Network, node: usize, from: &Path, more: &[&dyn AsRef<OsStr>]) -> Outcome {
    let config = network.config(node);
    snapshot("restore", [words(&[&"--config", &config, &"--from", &from]), words(more)].concat())
}

/// Height and hash that a command printed.
fn block(printed: &str) -> (u32, String) {
    let line = printed.lines().find(|line| line.starts_with("block ")).unwrap();
    let (height, hash) = line["block".len()..].trim().split_once(", hash ").unwrap();
    (height.parse().unwrap(), hash.to_owned())
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// A file with a key.
fn key_file(network: &Network) -> PathBuf {
    let file = network.directory().join("snapshot.key");
    fs::write(&file, "0f".repeat(32)).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_begins_from_a_snapshot_that_was_made_under_load() {
    let mut network = Network::started(FAST).await;
    let load = Load::start(&network, 4, &Arc::new(Bills::new()));
    load.wait_finals(40, PATIENCE).await;
    let clear = network.directory().join("clear");
    let began = Instant::now();
    let printed = create(&network, 1, &clear, &[]).succeeded();
    report(&format!("a snapshot of a running node took {:?}", began.elapsed()));
    let (height, hash) = block(&printed);
    let key = key_file(&network);
    let encrypted = network.directory().join("encrypted");
    create(&network, 2, &encrypted, &[&"--key-file", &key]).succeeded();
    load.wait_finals(80, PATIENCE).await;
    let finals = load.end().await;
    assert!(!network.home(1).join("data/staging").exists(), "the copies went with the command");

    // Both hold, to the last entry of the state.
    let scratch = network.directory().join("scratch");
    let checked = verify(&network, &clear, &[&"--deep", &scratch]).succeeded();
    assert_eq!(block(&checked), (height, hash.clone()));
    assert!(checked.contains("signatures of the chain's first validators"), "{checked}");
    assert!(checked.contains("the state root was computed again from"), "{checked}");
    assert!(!scratch.exists());
    verify(&network, &encrypted, &[&"--key-file", &key, &"--deep", &scratch]).succeeded();
    verify(&network, &encrypted, &[]).refused(1, &["is encrypted: give --password-file"]);
    verify(&network, &clear, &[&"--trusted-hash", &hash]).succeeded();
    let other = format!("0x{}", "11".repeat(32));
    verify(&network, &clear, &[&"--trusted-hash", &other]).refused(1, &["--trusted-hash says"]);

    // A validator that lost everything.
    network.stop(&[4]).await;
    let data = network.home(4).join("data");
    fs::remove_dir_all(&data).unwrap();
    restore(&network, 4, &clear, &[]).refused(1, &["signing-memory", "--abstain-up-to"]);
    assert!(!data.exists(), "nothing was begun");
    let low = (height - 1).to_string();
    restore(&network, 4, &clear, &[&"--abstain-up-to", &low]).refused(1, &["is below block"]);
    let above = (network.top(&[1, 2, 3]).await + 5).to_string();
    let said = restore(&network, 4, &clear, &[&"--abstain-up-to", &above]).succeeded();
    assert!(said.contains(&format!("signs nothing up to block {above}")), "{said}");
    restore(&network, 4, &clear, &[]).refused(1, &["exists", "where no database is"]);
    network.start(&[4]);
    network.go_on(&ALL, 12, PATIENCE).await;
    network.agree(&ALL).await;

    // One that lost its database and kept its memory.
    network.stop(&[3]).await;
    fs::remove_dir_all(network.home(3).join("data/chain")).unwrap();
    let quick: [&dyn AsRef<OsStr>; 3] = [&"--key-file", &key, &"--quick"];
    let said = restore(&network, 3, &encrypted, &quick).succeeded();
    assert!(said.contains("signing-memory was kept"), "{said}");
    network.go_on(&[1, 2, 4], 2, PATIENCE).await;
    network.start(&[3]);
    network.go_on(&ALL, 2, PATIENCE).await;

    // Without node 1 blocks come only if both vote.
    network.stop(&[1]).await;
    network.go_on(&[2, 3, 4], 3, PATIENCE).await;
    network.start(&[1]);
    network.go_on(&ALL, 1, PATIENCE).await;
    network.agree(&ALL).await;
    let client = network.client(4).await;
    assert_kept(&client, &finals, "node 4 after it was restored").await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_file_of_a_snapshot_is_guarded() {
    let mut network = Network::started(FAST).await;
    network.reach(&ALL, 3, PATIENCE).await;
    network.stop(&ALL).await;
    let key = key_file(&network);
    let clear = network.directory().join("clear");
    let encrypted = network.directory().join("encrypted");
    let (_, hash) = block(&create(&network, 1, &clear, &[]).succeeded());
    create(&network, 1, &encrypted, &[&"--key-file", &key]).succeeded();
    create(&network, 1, &clear, &[]).refused(1, &["it must not exist"]);
    assert!(clear.join("manifest.json").exists(), "what was there stays");
    assert!(!network.home(1).join("data/staging").exists());

    // Each is judged by the hash, which takes less time than many signatures.
    let check = |directory: &Path, is_encrypted: bool| {
        let mut arguments = words(&[&directory, &"--trusted-hash", &hash]);
        if is_encrypted {
            arguments.extend(words(&[&"--key-file", &key]));
        }
        snapshot("verify", arguments)
    };
    for (directory, is_encrypted) in [(&clear, false), (&encrypted, true)] {
        check(directory, is_encrypted).succeeded();
        let all = files(directory);
        assert!(all.len() > 20, "{all:?}");
        for path in &all {
            let name = path.file_name().unwrap().to_str().unwrap();
            // A changed manifest names other files, or other bytes of them.
            let is_manifest = name.starts_with("manifest");
            let named = if is_manifest { "manifest" } else { name };
            let told = if is_manifest { vec![] } else { vec![name] };
            let whole = fs::read(path).unwrap();
            let mut changed = whole.clone();
            // An empty file can only get longer.
            let mut damages = vec![[&whole[..], &[1]].concat()];
            if let Some(byte) = changed.get_mut(whole.len() / 2) {
                *byte ^= 1;
                damages.extend([whole[..whole.len() / 2].to_vec(), changed]);
            }
            for damaged in damages {
                fs::write(path, damaged).unwrap();
                check(directory, is_encrypted).refused(1, &told);
            }
            fs::remove_file(path).unwrap();
            check(directory, is_encrypted).refused(1, &[named]);
            fs::write(path, whole).unwrap();
        }
        check(directory, is_encrypted).succeeded();
    }
    network.start(&ALL);
    network.go_on(&ALL, 1, PATIENCE).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restoring_that_is_killed_leaves_nothing_that_a_node_takes() {
    let mut network = Network::started(FAST).await;
    let load = Load::start(&network, 4, &Arc::new(Bills::new()));
    load.wait_finals(40, PATIENCE).await;
    load.end().await;
    let from = network.directory().join("snapshot");
    create(&network, 1, &from, &[]).succeeded();
    network.stop(&[4]).await;
    let data = network.home(4).join("data");
    fs::remove_dir_all(data.join("chain")).unwrap();

    let (mut cut, mut done) = (0, 0);
    for step in 0..20_u64 {
        let _ = fs::remove_dir_all(data.join("chain"));
        let mut child = Command::new(BINARY)
            .args(["snapshot", "restore", "--config"])
            .arg(network.config(4))
            .arg("--from")
            .arg(&from)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(20 * step));
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
        let (is_there, is_begun) =
            (data.join("chain").exists(), data.join("chain.restoring").exists());
        assert!(!(is_there && is_begun), "step {step}");
        if is_there {
            done += 1;
            continue;
        }
        cut += 1;
        if is_begun {
            let run = billchain(words(&[&"run", &"--config", &network.config(4)]));
            run.refused(1, &["a billchain snapshot restore or join was cut short", "run it again"]);
        }
    }
    report(&format!("restoring was cut short {cut} times, and done {done} times"));
    assert!(cut > 0);
    let _ = fs::remove_dir_all(data.join("chain"));
    restore(&network, 4, &from, &[]).succeeded();
    network.start(&[4]);
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_with_the_same_rules_comes_to_the_decided_blocks() {
    let mut network = Network::started(FAST).await;
    let load = Load::start(&network, 4, &Arc::new(Bills::new()));
    load.wait_finals(40, PATIENCE).await;
    let config = network.config(1);
    let rehearse = |more: &[&dyn AsRef<OsStr>]| {
        let fixed = words(&[&"release", &"rehearse", &"--config", &config]);
        billchain([fixed, words(more)].concat())
    };
    let said = rehearse(&[&"--blocks", &"64"]).succeeded();
    assert!(said.contains("decided under the rules of this release"), "{said}");
    assert!(said.contains("differences   0"), "{said}");
    let said = rehearse(&[&"--height", &"4", &"--blocks", &"2"]).succeeded();
    assert!(said.contains("blocks 3 to 4"), "{said}");
    rehearse(&[&"--height", &"100000000"]).refused(1, &["there is no block 100000000 yet"]);
    rehearse(&[&"--blocks", &"257"]).refused(1, &["expected 1 to 256"]);
    load.end().await;
    assert!(!network.home(1).join("data/rehearsal").exists());
    // The node's own files were not touched: it starts again, and agrees.
    network.stop(&[1]).await;
    network.start(&[1]);
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}
