//! Real processes that do what a worker must not.

use super::*;
use std::{fs, os::unix::fs::PermissionsExt};

/// A program of these lines of shell.
fn program(directory: &tempfile::TempDir, lines: &str) -> PathBuf {
    let path = directory.path().join("worker");
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn launch(program: PathBuf) -> Launch {
    Launch { program, file: "workers.toml".into(), node: "http://127.0.0.1:1".into() }
}

async fn until(workers: &Workers, what: impl Fn(&WorkerView) -> bool) -> WorkerView {
    for _ in 0..1_500 {
        if let Some(view) = workers.get("a").filter(|view| what(view)) {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never was so: {:?}", workers.get("a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulse_is_shown_and_what_is_none_is_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let pulse = PulseView { told: 7, holds_lease: true, ..PulseView::default() };
    let json = serde_json::to_string(&pulse).unwrap();
    let long =
        format!("head -c 100000 /dev/zero | tr '\\0' x; echo; echo nonsense; echo '{json}'; cat");
    let supervisor = Supervisor::start(&launch(program(&directory, &long)), vec!["a".into()]);
    let view = until(&supervisor.workers(), |view| view.pulse.is_some()).await;
    assert_eq!((view.state.as_str(), view.pulse), ("working", Some(pulse)));
    assert!(view.pid.is_some() && view.starts == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_is_counted_and_the_process_is_started_again() {
    for (line, kind) in [
        ("exit 71", "stuck"),
        ("exit 73", "changed"),
        ("kill -6 $$", "aborted"),
        ("kill -9 $$", "killed"),
        ("exit 5", "failed"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let supervisor = Supervisor::start(&launch(program(&directory, line)), vec!["a".into()]);
        let view = until(&supervisor.workers(), |view| view.starts >= 2).await;
        assert!(view.ends[kind] >= 1, "{line}: {view:?}");
        assert!(view.last_end.unwrap().starts_with(kind), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_is_told() {
    let supervisor = Supervisor::start(&launch("/nowhere/billchain".into()), vec!["a".into()]);
    let view = until(&supervisor.workers(), |view| view.last_end.is_some()).await;
    assert_eq!(view.ends["not started"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_does_not_outlive_its_supervisor() {
    let directory = tempfile::tempdir().unwrap();
    let supervisor = Supervisor::start(&launch(program(&directory, "cat")), vec!["a".into()]);
    let pid = until(&supervisor.workers(), |view| view.pid.is_some()).await.pid.unwrap();
    drop(supervisor);
    let process = PathBuf::from(format!("/proc/{pid}/cmdline"));
    for _ in 0..500 {
        if fs::read(&process).is_ok_and(|line| line.is_empty()) || !process.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("process {pid} is still there");
}
