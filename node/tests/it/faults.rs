//! A disk that refuses while the index is made again: the old database or the
//! new one is in its place, or the node says how to go on.

use crate::command::{BINARY, Outcome, billchain, finish};
use billchain_chain_spec::Document;
use billchain_consensus::{CommitCertificate, Height, Round};
use billchain_executor::{BuildParams, Chain, ChainError};
use billchain_faults::{Fault, Operation, Plan, struck};
use billchain_storage::{Storage, StorageOptions};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

/// Blocks of the chain that is made again.
const BLOCKS: u32 = 20;

/// A stopped node's directory, with a chain of some blocks; and a copy to run
/// on.
struct Home {
    scratch: tempfile::TempDir,
    original: PathBuf,
    copy: PathBuf,
}

impl Home {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().to_str().unwrap();
        billchain(["devnet", "--dir", place, "--base-port", "22000"]).succeeded();
        let original = scratch.path().join("node-1");
        let spec = fs::read_to_string(scratch.path().join("chain.json")).unwrap();
        let Document { spec, digest } = Document::from_json(&spec).unwrap();
        let directory = original.join("data/chain");
        fs::create_dir_all(&directory).unwrap();
        let storage = Storage::open(&directory, StorageOptions::default()).unwrap();
        let genesis = || Ok::<_, ChainError>(spec.genesis_state().unwrap());
        let chain = Chain::open(Arc::new(storage), digest, genesis).unwrap();
        for _ in 0..BLOCKS {
            let params = BuildParams {
                timestamp_ms: 1_800_000_000_000,
                max_block_bytes: 1 << 20,
                deadline: Instant::now() + Duration::from_secs(60),
            };
            let built = chain.build(params, &mut std::iter::empty()).unwrap();
            let certificate = CommitCertificate {
                height: Height::new(chain.head().number as u64 + 1),
                round: Round::FIRST,
                block_hash: built.block.hash().into(),
                signatures: Vec::new(),
            };
            chain.commit(built.block, certificate.to_bytes()).unwrap();
        }
        let copy = scratch.path().join("copy");
        Self { scratch, original, copy }
    }

    /// Brings the copy back to how the original is.
    fn renew(&self) {
        let _ = fs::remove_dir_all(&self.copy);
        copy(&self.original, &self.copy);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).arg("--config").arg(self.copy.join("node.toml"));
        command
    }

    fn reindex(&self, plan: Option<Plan<'_>>) -> (Outcome, Option<PathBuf>) {
        let mut command = self.command(&["reindex"]);
        let report = self.scratch.path().join("report");
        let _ = fs::remove_file(&report);
        if let Some(plan) = plan {
            plan.inject(&mut command, &report);
        }
        (finish(command), struck(&report))
    }

    /// The last block, as the database shows it.
    fn last(&self) -> Outcome {
        finish(self.command(&["blocks", "inspect", &BLOCKS.to_string()]))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_disk_that_refuses_while_the_index_is_made_again_costs_nothing() {
    const FAULTS: [Fault; 3] = [Fault::Failing, Fault::Full, Fault::Short];
    let home = Home::new();
    home.renew();
    let good = home.last().succeeded();
    let data = home.copy.join("data");
    // Every rename: there are few, and two of them are the replacement. Of the
    // others some, all along the way.
    for (operation, stride) in [
        (Operation::Rename, 1),
        (Operation::Create, 7),
        (Operation::Sync, 11),
        (Operation::Write, 17),
    ] {
        let (mut refused, mut cut_short) = (0, 0);
        for first in (1..).step_by(stride) {
            home.renew();
            let fault = FAULTS[first as usize % FAULTS.len()];
            let plan = Plan { under: &data, operation, fault, first };
            let (outcome, struck) = home.reindex(Some(plan));
            let what = format!("{operation:?} {first}, {fault:?}, {struck:?}: {outcome}");
            if struck.is_none() {
                assert_eq!(outcome.code, Some(0), "{what}");
                break;
            }
            if outcome.code != Some(0) {
                refused += 1;
                assert!(outcome.stderr.contains(fault.words()), "{what}");
                assert!(outcome.stderr.contains(data.to_str().unwrap()), "{what}");
                assert!(!outcome.stderr.contains("damaged database"), "{what}");
            }
            let found = home.last();
            if found.code == Some(0) {
                assert_eq!(found.stdout, good, "{what}");
            } else {
                cut_short += 1;
                found.refused(1, &["run billchain reindex again"]);
            }
            let (again, _) = home.reindex(None);
            assert_eq!(again.code, Some(0), "{what}, again: {again}");
            assert_eq!(home.last().succeeded(), good, "{what}");
            let left = fs::read_dir(&data).unwrap().count();
            assert_eq!(left, 1, "something is left beside the database: {what}");
        }
        assert!(refused > 0, "{operation:?}");
        assert!(cut_short > 0 || operation != Operation::Rename, "the replacement was never cut");
    }
    finish(home.command(&["check-state"])).succeeded();
}
