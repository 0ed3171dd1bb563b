//! A part of a node fails, or the system has nothing more to give: the node says
//! which and why, and ends in order or goes on.

use crate::{
    command::BINARY,
    network::{ALL, FAST, Network, PATIENCE},
};
use billchain_faults::{Fault, Operation, Plan, struck};
use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, time::sleep};

/// A node that may open no more files than that.
fn limited(files: u32) -> Vec<String> {
    ["sh", "-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")].map(Into::into).to_vec()
}

/// A node that survives the signal of a file that grows beyond its limit, so that
/// the write fails as on a full disk. Its log is written by another process, which
/// has no limit.
fn without_file_size_signal() -> Vec<String> {
    let script = "trap '' XFSZ; exec \"$0\" \"$@\" > >(cat) 2>&1";
    ["bash", "-c", script].map(Into::into).to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_disk_fails_a_write_says_so_and_ends_in_order() {
    let mut network = Network::new(FAST).await;
    network.start_with(1, &without_file_size_signal());
    network.start(&[2, 3, 4]);
    network.reach(&ALL, 3, PATIENCE).await;
    // From now on no file of node 1 grows beyond some kilobytes.
    let process = network.process(1).to_string();
    let limited = Command::new("prlimit").args(["--fsize=6000", "--pid", &process]).status();
    assert!(limited.unwrap().success());
    let (code, log) = network.ended(1, PATIENCE).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    let last = log.lines().last().unwrap_or_default();
    assert!(last.starts_with("billchain: ") && last.contains("File too large"), "{last}");
    // The others go on, and so does it when there is room again.
    network.go_on(&[2, 3, 4], 2, PATIENCE).await;
    network.start(&[1]);
    network.go_on(&ALL, 2, PATIENCE).await;
    network.agree(&ALL).await;
    network.stop(&ALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_under_the_log_or_the_signing_memory_ends_a_validator_in_order() {
    let mut network = Network::new(FAST).await;
    network.start(&[2, 3, 4]);
    let scratch = tempfile::tempdir().unwrap();
    for (file, operation, fault) in [
        ("wal/consensus.wal", Operation::Write, Fault::Full),
        ("wal/consensus.wal", Operation::Write, Fault::Failing),
        ("wal/consensus.wal", Operation::Write, Fault::Short),
        ("wal/consensus.wal", Operation::Sync, Fault::Failing),
        ("signing-memory", Operation::Write, Fault::Short),
        ("signing-memory", Operation::Sync, Fault::Failing),
    ] {
        let what = format!("{file}, {operation:?}, {fault:?}");
        let under = network.home(1).join("data/consensus").join(file);
        let report = scratch.path().join("report");
        let _ = std::fs::remove_file(&report);
        let plan = Plan { under: &under, operation, fault, first: 12 };
        network.start_with_faults(1, plan, &report);
        let (code, log) = network.ended(1, PATIENCE).await;
        assert_eq!(struck(&report), Some(under.clone()), "{what}");
        assert_eq!(code, Some(1), "{what}: {log}");
        assert!(!log.contains("panicked"), "{what}: {log}");
        let last = log.lines().last().unwrap_or_default();
        assert!(last.starts_with("billchain: "), "{what}: {last}");
        for words in [fault.words(), under.to_str().unwrap()] {
            assert!(last.contains(words), "{what}: {last}");
        }
        // The others go on, and so does it when there is room again.
        network.go_on(&[2, 3, 4], 2, PATIENCE).await;
        network.start(&[1]);
        network.go_on(&ALL, 2, PATIENCE).await;
        network.stop(&[1]).await;
    }
    network.start(&[1]);
    network.go_on(&ALL, 1, PATIENCE).await;
    network.agree(&ALL).await;
    network.finish().await;
}

#[tokio::test]
async fn too_few_open_files_are_named_as_what_they_are() {
    let network = Network::new("").await;
    let arguments = limited(40);
    let output = Command::new(&arguments[0])
        .args(&arguments[1..])
        .arg(BINARY)
        .args(["run", "--config"])
        .arg(network.config(1))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for words in ["open 40 files at once", "needs 256", "LimitNOFILE="] {
        assert!(stderr.contains(words), "{stderr}");
    }
    assert!(!network.home(1).join("data").exists(), "the start has made something");
}

/// Connections that say nothing.
async fn idle_connections(port: u16, count: usize) -> Vec<TcpStream> {
    let mut idle = Vec::new();
    for _ in 0..count {
        idle.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    idle
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_to_rpc_do_not_stop_a_node_with_few_files() {
    let mut network = Network::new(FAST).await;
    network.start_with(1, &limited(1_024));
    network.start(&[2, 3, 4]);
    network.reach(&ALL, 2, PATIENCE).await;
    let taken = network.metric(1, "billchain_open_files_rpc").await;
    assert!(taken < 1_000, "{taken}");
    let idle = idle_connections(network.rpc_port(1), 1_000).await;
    let before = network.metric(1, "billchain_height").await;
    let deadline = Instant::now() + PATIENCE;
    while network.metric(1, "billchain_height").await < before + 6 {
        network.assert_running();
        assert!(Instant::now() < deadline, "node 1 makes no block beside idle connections");
        sleep(Duration::from_millis(200)).await;
    }
    let refused = network.metric(1, "billchain_rpc_rpc_refused_connections_total").await;
    assert!(refused >= 1_000 - taken, "{refused} of 1000 refused, {taken} may be open");
    drop(idle);
    // Their places are free again.
    network.go_on(&ALL, 2, PATIENCE).await;
    network.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_to_metrics_do_not_stop_a_node() {
    let mut network = Network::new(FAST).await;
    network.start(&ALL);
    network.reach(&ALL, 2, PATIENCE).await;
    let before = files(network.process(1));
    // 32 have a place, and as many as the system lets wait.
    let idle = idle_connections(network.metrics_port(1), 150).await;
    network.go_on(&ALL, 6, PATIENCE).await;
    let open = files(network.process(1));
    assert!(open < before + 64, "{before} files were open, {open} are with idle connections");
    drop(idle);
    // Their places are free again.
    assert!(network.metric(1, "billchain_height").await > 6);
    network.finish().await;
}

/// Files that a process has open.
fn files(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}
