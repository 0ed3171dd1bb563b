//! I/O faults for tests: a process in which the operating system refuses the
//! *n*th write, sync, creation or rename below a directory, and all later ones.
//!
//! A test that injects faults runs itself again as a child with a shim loaded
//! (`LD_PRELOAD`), so that everything in the child is reached, whatever opens
//! the files: RocksDB, QMDB's runtime, Rust's std. [`Child::run`] starts it,
//! [`in_child`] tells the test that it is the child.
//!
//! Linux with the GNU C library only, as the product.

#![forbid(unsafe_code)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Writing to a file, or changing its length.
    Write,
    /// Syncing a file or a directory.
    Sync,
    /// Making a file or a directory.
    Create,
    /// Renaming.
    Rename,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`: the disk fails.
    Failing,
    /// `ENOSPC`: the disk is full.
    Full,
    /// The first write is cut in half, and the disk is full from then on.
    Short,
    /// `EMFILE`: too many files are open.
    TooManyFiles,
}

impl Fault {
    /// The words of the operating system.
    pub fn words(self) -> &'static str {
        match self {
            Self::Failing => "Input/output error",
            Self::Full | Self::Short => "No space left on device",
            Self::TooManyFiles => "Too many open files",
        }
    }

    fn number(self) -> &'static str {
        match self {
            Self::Failing => "5",
            Self::Full | Self::Short => "28",
            Self::TooManyFiles => "24",
        }
    }
}

/// Faults of one child.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Paths that begin with this are affected; not resolved.
    pub under: &'a Path,
    /// What fails.
    pub operation: Operation,
    /// How it fails.
    pub fault: Fault,
    /// The first such call that fails, from 1.
    pub first: u32,
}

impl Plan<'_> {
    /// Has the faults happen in what `command` starts. The first one is noted
    /// in the file `report`, which must not exist: see [`struck`].
    pub fn inject(&self, command: &mut Command, report: &Path) {
        let operation = match self.operation {
            Operation::Write => "write",
            Operation::Sync => "sync",
            Operation::Create => "create",
            Operation::Rename => "rename",
        };
        command
            .env("LD_PRELOAD", env!("FAULTS_SHIM"))
            .env("FAULT_OPERATION", operation)
            .env("FAULT_UNDER", self.under)
            .env("FAULT_REPORT", report)
            .env("FAULT_FIRST", self.first.to_string())
            .env("FAULT_ERROR", self.fault.number());
        if self.fault == Fault::Short {
            command.env("FAULT_SHORT", "1");
        }
    }
}

/// The path of the first call that failed; `None` if there were fewer calls.
pub fn struck(report: &Path) -> Option<PathBuf> {
    fs::read_to_string(report).ok().map(PathBuf::from)
}

/// A child that has ended.
#[derive(Debug)]
pub struct Child {
    /// What it printed with [`say`].
    pub said: Vec<String>,
    /// The path of the first call that failed; `None` if there were fewer
    /// calls.
    pub struck: Option<PathBuf>,
    /// Exit status, and all of its output.
    pub output: Output,
}

const ROLE: &str = "FAULT_CHILD";
const SAYS: &str = "child: ";

/// The argument that [`Child::run`] was given, in its child; `None` elsewhere.
pub fn in_child() -> Option<String> {
    env::var(ROLE).ok()
}

/// Tells the parent something, in one line.
pub fn say(text: impl std::fmt::Display) {
    // The harness may print the test's name in front, without a line's end.
    println!("\n{SAYS}{text}");
}

impl Child {
    /// Runs the test `name` of this program again, by itself, with `plan`'s
    /// faults and with `argument` for [`in_child`].
    pub fn run(name: &str, argument: &str, plan: Option<Plan<'_>>) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let report = scratch.path().join("report");
        let program = env::current_exe().expect("a test knows its program");
        let mut command = Command::new(program);
        command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(ROLE, argument);
        if let Some(plan) = plan {
            plan.inject(&mut command, &report);
        }
        let output = command.output().expect("the child starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = text.lines().filter_map(|line| line.strip_prefix(SAYS)).map(str::to_owned);
        Self { said: said.collect(), struck: struck(&report), output }
    }
}
