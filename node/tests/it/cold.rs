//! Bills that become cold, the files that they come to lie in, and what brings a lost one back.
//!
//! A bill is cold a day after it was touched for the last time, at the earliest. So the nodes
//! run two days ahead of the clock, by libfaketime, once the bills are registered.

use crate::{
    command::{Outcome, billchain},
    load::{Bills, Final, Load, assert_kept},
    network::{ALL, Network, edit, report},
};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Copies of the state are frequent, and blocks come as fast as four nodes on two processors can
/// make them: a file is written 256 blocks after its segment has ended. A devnet's configuration
/// ends with `[storage]`.
const SETTINGS: &str = "\ncopy_interval = 64\nmin_free_mib = 16\n\
                        [consensus]\nempty_block_interval_ms = 100\n";
/// How long all of it may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(400);
/// Where Debian's package `libfaketime` lies.
const FAKETIME: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];

/// A command that runs what follows two days later.
fn later() -> Vec<String> {
    let library = FAKETIME.into_iter().find(|path| Path::new(path).exists());
    let library = library.expect("libfaketime is missing: apt-get install libfaketime");
    let preload = format!("LD_PRELOAD={library}");
    let words = ["env", preload.as_str(), "FAKETIME=+2d", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
    words.into_iter().map(str::to_owned).collect()
}

/// Runs `billchain cold ACTION --config …`.
fn cold(network: &Network, node: usize, action: &str, more: &[&str]) -> Outcome {
    let config = network.config(node);
    let words = ["cold", action, "--config", config.to_str().unwrap()];
    billchain(words.iter().chain(more))
}

/// The segments of a node, as it or its database tells.
fn segments(network: &Network, node: usize) -> Vec<Value> {
    let told = cold(network, node, "list", &["--json"]).succeeded();
    let told: Value = serde_json::from_str(&told).unwrap();
    told["segments"].as_array().unwrap().clone()
}

/// The files of segments in a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_segment = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "segment" || ending == "cold")
    };
    let mut files: Vec<PathBuf> = entries.filter(is_segment).collect();
    files.sort();
    files
}

/// Where the files of a node lie. Node 1 has a disk of its own for them, and a second path.
fn cold_path(network: &Network, node: usize) -> PathBuf {
    match node {
        1 => network.home(1).join("cold"),
        _ => network.home(node).join("data/chain/cold"),
    }
}

fn start(network: &mut Network, nodes: &[usize]) {
    for &node in nodes {
        network.start_with(node, &later());
    }
}

/// A network whose bills are cold, and in files on every node.
async fn cooled() -> (Network, Vec<Final>) {
    let mut network = Network::new(SETTINGS).await;
    let spec = network.directory().join("chain.json");
    let mut document: Value = serde_json::from_slice(&fs::read(&spec).unwrap()).unwrap();
    document["cooling"] = json!({
        "afterDays": 1, "groupsPerBlock": 500, "lapDays": 1, "segmentGroups": 1024,
        "mergeGroups": 0,
    });
    fs::write(&spec, serde_json::to_vec_pretty(&document).unwrap()).unwrap();
    for directory in ["cold", "second"] {
        fs::create_dir(network.home(1).join(directory)).unwrap();
    }
    let paths = "\ncold_path = \"cold\"\ncold_second_path = \"second\"\ncopy_interval";
    edit(&network.config(1), "\ncopy_interval", paths);
    network.start(&ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    let load = Load::start(&network, 4, &Arc::new(Bills::new()));
    load.wait_finals(200, PATIENCE).await;
    let finals = load.end().await;
    assert_eq!(network.metric(1, "billchain_cold_segments").await, 0);
    network.stop(&ALL).await;

    let began = Instant::now();
    start(&mut network, &ALL);
    network.reach(&ALL, 1, PATIENCE).await;
    for node in ALL {
        network
            .until_metric(node, "billchain_cold_segments_written_total", PATIENCE, |files| {
                files > 0
            })
            .await;
    }
    report(&format!("bills were cold and in files after {:?}", began.elapsed()));
    network.agree(&ALL).await;
    (network, finals)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bills_become_cold_and_lost_files_come_back() {
    let (mut network, finals) = cooled().await;
    let client = network.client(2).await;
    assert_kept(&client, &finals, "node 2 with cold bills").await;
    assert!(network.metric(2, "billchain_cold_groups").await > 0);

    // What a node that runs tells, and its files.
    let told = segments(&network, 1);
    let in_files = |told: &[Value]| told.iter().filter(|one| one["place"] == "file").count();
    assert!(in_files(&told) > 0, "{told:?}");
    network.until_metric(1, "billchain_cold_files_uncopied", PATIENCE, |files| files == 0).await;
    let own = files(&cold_path(&network, 1));
    let second = files(&network.home(1).join("second"));
    assert_eq!((own.len(), second.len()), (in_files(&told), in_files(&told)));
    assert_eq!(fs::metadata(&own[0]).unwrap().permissions().mode() & 0o222, 0);
    let said = cold(&network, 1, "verify", &[]).succeeded();
    assert!(said.contains("each whole and the one that the state stands for"), "{said}");
    cold(&network, 1, "verify", &["--second"]).succeeded();
    cold(&network, 2, "verify", &["--second"]).refused(1, &["names no second path"]);

    // A damaged one is told, and comes back from other members.
    network.stop(&[2]).await;
    let lost = files(&cold_path(&network, 2)).remove(0);
    fs::set_permissions(&lost, fs::Permissions::from_mode(0o600)).unwrap();
    let whole = fs::read(&lost).unwrap();
    fs::write(&lost, &whole[..whole.len() / 2]).unwrap();
    let told = cold(&network, 2, "list", &[]).succeeded();
    assert!(told.contains("LOST") && told.contains(", 1 lost"), "{told}");
    let config = network.config(2);
    let doctor = billchain(["doctor", "--config", config.to_str().unwrap()]);
    assert_eq!(doctor.code, Some(5), "{doctor}");
    for words in ["[cold-lost]", "cold-segment-lost.md"] {
        assert!(doctor.stdout.contains(words), "{doctor}");
    }
    cold(&network, 2, "verify", &[]).refused(1, &["1 of", "are lost or not sound"]);
    cold(&network, 2, "restore", &[]).refused(1, &["names no second path"]);
    cold(&network, 2, "fetch", &["9999/0"]).refused(1, &["9999/0 is no lost segment"]);
    let said = cold(&network, 2, "fetch", &[]).succeeded();
    assert!(said.contains("verified whole"), "{said}");
    cold(&network, 2, "verify", &[]).succeeded();

    // Or as a file of another operator, if it is the one.
    fs::remove_file(&lost).unwrap();
    let other = network.directory().join("other");
    fs::write(&other, &whole[..whole.len() - 1]).unwrap();
    let refused = cold(&network, 2, "restore", &["--from", other.to_str().unwrap()]);
    assert_eq!(refused.code, Some(1), "{refused}");
    let from = files(&cold_path(&network, 3)).remove(0);
    let said = cold(&network, 2, "restore", &["--from", from.to_str().unwrap()]).succeeded();
    assert!(said.contains("verified whole"), "{said}");
    start(&mut network, &[2]);
    network.go_on(&ALL, 3, PATIENCE).await;

    // From the second path.
    network.stop(&[1]).await;
    files(&cold_path(&network, 1)).iter().for_each(|file| fs::remove_file(file).unwrap());
    let said = cold(&network, 1, "restore", &[]).succeeded();
    assert!(said.contains("second, verified whole"), "{said}");
    fs::rename(network.home(1).join("cold"), network.home(1).join("away")).unwrap();
    let config = network.config(1);
    billchain(["run", "--config", config.to_str().unwrap()]).refused(1, &["mount its disk"]);
    fs::rename(network.home(1).join("away"), network.home(1).join("cold")).unwrap();
    start(&mut network, &[1]);
    network.go_on(&ALL, 3, PATIENCE).await;

    // A node that starts without a file brings it back by itself.
    network.stop(&[3]).await;
    fs::remove_file(&from).unwrap();
    start(&mut network, &[3]);
    network
        .until_metric(3, "billchain_cold_segments_restored_total", PATIENCE, |files| files == 1)
        .await;
    network.until_metric(3, "billchain_cold_segments_lost", PATIENCE, |lost| lost == 0).await;
    let client = network.client(3).await;
    assert_kept(&client, &finals, "node 3 with its file back").await;
    network.agree(&ALL).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_begin_from_a_state_with_cold_bills() {
    let (mut network, finals) = cooled().await;
    let abstain = |above: u32| ["--abstain-up-to".to_owned(), above.to_string()];

    // One that joins has every key before it votes.
    network.stop(&[4]).await;
    let data = network.home(4).join("data");
    fs::remove_dir_all(&data).unwrap();
    let above = abstain(network.top(&[1, 2, 3]).await + 5);
    let config = network.config(4);
    let join = ["join", "--config", config.to_str().unwrap(), above[0].as_str(), above[1].as_str()];
    let said = billchain(join).succeeded();
    assert!(said.contains("cold segments") && said.contains("files fetched"), "{said}");
    assert!(segments(&network, 4).iter().all(|one| one["place"] != "lost"));
    start(&mut network, &[4]);
    network.go_on(&ALL, 12, PATIENCE).await;
    network.agree(&ALL).await;
    network.until_whole(4, PATIENCE).await;
    let client = network.client(4).await;
    assert_kept(&client, &finals, "node 4 after it joined").await;

    // A snapshot has the files, and is checked to the last group.
    let config = network.config(1);
    let create = |out: &Path, more: &[&str]| {
        let words = ["snapshot", "create", "--config", config.to_str().unwrap(), "--out"];
        billchain(words.into_iter().chain([out.to_str().unwrap()]).chain(more.iter().copied()))
            .succeeded()
    };
    let (whole, small) = (network.directory().join("whole"), network.directory().join("small"));
    create(&whole, &[]);
    create(&small, &["--without-cold-files"]);
    assert!(!files(&whole.join("cold")).is_empty() && !small.join("cold").exists());
    // The node removes the links when the command has gone.
    let (links, deadline) = (cold_path(&network, 1).join("staging"), Instant::now() + PATIENCE);
    while links.exists() {
        assert!(Instant::now() < deadline, "{} is left", links.display());
        sleep(Duration::from_millis(20)).await;
    }
    let spec = network.directory().join("chain.json");
    let scratch = network.directory().join("scratch");
    let verify = |snapshot: &Path| {
        let words = [
            "snapshot",
            "verify",
            snapshot.to_str().unwrap(),
            "--chain-spec",
            spec.to_str().unwrap(),
            "--deep",
            scratch.to_str().unwrap(),
        ];
        billchain(words).succeeded()
    };
    assert!(verify(&whole).contains("cold segments are whole"));
    assert!(verify(&small).contains("files of cold segments are not here"));

    // A node that begins from one, and one that gets the files from members.
    for (node, snapshot) in [(2, &whole), (3, &small)] {
        network.stop(&[node]).await;
        fs::remove_dir_all(network.home(node).join("data")).unwrap();
        let others: Vec<usize> = ALL.into_iter().filter(|other| *other != node).collect();
        let above = abstain(network.top(&others).await + 5);
        let config = network.config(node);
        let restore = ["snapshot", "restore", "--config", config.to_str().unwrap(), "--from"];
        let restore = restore.into_iter().chain([snapshot.to_str().unwrap()]);
        billchain(restore.chain([above[0].as_str(), above[1].as_str()])).succeeded();
        if node == 3 {
            assert!(segments(&network, 3).iter().any(|one| one["place"] == "lost"));
            cold(&network, 3, "fetch", &[]).succeeded();
        }
        cold(&network, node, "verify", &[]).succeeded();
        start(&mut network, &[node]);
        network.go_on(&ALL, 12, PATIENCE).await;
        network.until_whole(node, PATIENCE).await;
        let client = network.client(node).await;
        assert_kept(&client, &finals, "a node after it was restored").await;
    }
    network.agree(&ALL).await;
    network.stop(&[4]).await;
    let config = network.config(4);
    billchain(["check-state", "--config", config.to_str().unwrap()]).succeeded();
    network.finish().await;
}
