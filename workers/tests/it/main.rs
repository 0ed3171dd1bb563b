//! Workers as processes, over a node that this test plays: what a connector must not do ends
//! its process, is counted, and comes again; what it was about to do is not lost.

#![forbid(unsafe_code)]

mod node;

use billchain_rpc_types::WorkerView;
use billchain_workers::supervisor::{Launch, Supervisor, Workers};
use node::FakeNode;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(120);

/// The program of `examples/misbehaving.rs`, which is built with the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    let program = target.join("examples/misbehaving");
    assert!(program.exists(), "{} is not built", program.display());
    program
}

/// A worker with this habit, and its node.
fn start(habit: &str, directory: &tempfile::TempDir) -> (Supervisor, FakeNode) {
    let node = FakeNode::start(habit);
    let file = directory.path().join("workers.toml");
    let text = "[[connector]]\nendpoint = \"platform\"\ndevelopment_key = \"//worker-1\"\n\
                deliver_ms = 300\nmemory_mib = 256\nlongest_pause_ms = 500\n";
    fs::write(&file, text).unwrap();
    let launch = Launch { program: program(), file, node: node.url() };
    (Supervisor::start(&launch, vec!["platform".into()]), node)
}

async fn until(workers: &Workers, what: impl Fn(&WorkerView) -> bool) -> WorkerView {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let view = workers.get("platform").unwrap();
        if what(&view) {
            return view;
        }
        assert!(Instant::now() < deadline, "it never was so: {view:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn ends(view: &WorkerView, reason: &str) -> u64 {
    view.ends.get(reason).copied().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_is_reported_once_with_the_answers_digest() {
    let directory = tempfile::tempdir().unwrap();
    let (supervisor, node) = start("tells", &directory);
    let view = until(&supervisor.workers(), |view| {
        view.pulse.as_ref().is_some_and(|pulse| pulse.told == 3 && pulse.unreported == 0)
    })
    .await;
    assert_eq!((view.state.as_str(), view.starts), ("working", 1));
    assert_eq!(node.reported(), [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_refusal_and_the_process_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (supervisor, node) = start("panics", &directory);
    let view = until(&supervisor.workers(), |view| {
        view.pulse.as_ref().is_some_and(|pulse| pulse.refused >= 3)
    })
    .await;
    assert_eq!((view.starts, view.ends.len()), (1, 0));
    let words = view.pulse.and_then(|pulse| pulse.last_error).unwrap_or_default();
    assert!(words.contains("panicked"), "{words}");
    let deadline = Instant::now() + PATIENCE;
    while node.refused().len() < 3 {
        assert!(Instant::now() < deadline, "{:?}", node.refused());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(node.reported().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_blocks_or_loops_ends_its_process_and_is_started_again() {
    for habit in ["blocks", "loops"] {
        let directory = tempfile::tempdir().unwrap();
        let (supervisor, node) = start(habit, &directory);
        let view = until(&supervisor.workers(), |view| view.starts >= 2).await;
        assert!(ends(&view, "stuck") >= 1, "{habit}: {view:?}");
        assert!(node.reported().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_all_memory_ends_its_process_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let (supervisor, _node) = start("allocates", &directory);
    let view = until(&supervisor.workers(), |view| view.starts >= 2).await;
    assert!(ends(&view, "aborted") >= 1, "{view:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_comes_back_and_the_rest_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (supervisor, node) = start("tells", &directory);
    let workers = supervisor.workers();
    let pid = until(&workers, |view| view.pid.is_some()).await.pid.unwrap();
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
    let view = until(&workers, |view| {
        view.starts >= 2 && view.pulse.as_ref().is_some_and(|pulse| pulse.holds_lease)
    })
    .await;
    assert_eq!(ends(&view, "killed"), 1, "{view:?}");
    let deadline = Instant::now() + PATIENCE;
    while node.reported() != [1, 2, 3] {
        assert!(Instant::now() < deadline, "{:?}", node.reported());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_used_are_an_end_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let (supervisor, _node) = start("no such format", &directory);
    let view = until(&supervisor.workers(), |view| view.last_end.is_some()).await;
    assert_eq!(ends(&view, "unusable"), 1, "{view:?}");
}
