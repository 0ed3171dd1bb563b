//! `billchain release`: what a release consists of, and running the one that the
//! chain needs.

use super::rehearse;
use crate::{
    config::Config,
    release::{self, MANIFEST, Needed, OTHER_RULES, PROGRAM},
};
use anyhow::{Context, Result, ensure};
use billchain_primitives::Hash;
use billchain_runtime::VERSION;
use clap::Subcommand;
use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus},
};
use tokio::{
    process::{Child, Command as Process},
    signal::unix::{SignalKind, signal},
};

/// Actions on releases.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the rules of this release: the number that a motion names.
    Rules,
    /// Write the manifest of the files in a directory, and print its SM3, which a
    /// motion names.
    Manifest {
        /// The directory of the release.
        directory: PathBuf,
    },
    /// Check that the files in a directory are those of its manifest.
    Check {
        /// The directory of the release.
        directory: PathBuf,
        /// SM3 that the manifest must have: the one that the council scheduled.
        #[arg(long)]
        manifest: Option<Hash>,
    },
    /// Execute the last blocks of a node, which may run, with this release, on a copy
    /// of its data: does it come to the same, and what would its rules change?
    Rehearse(rehearse::Options),
    /// Run a node with the release that the chain needs, and go over to the next one
    /// at its height.
    Run {
        /// The node's configuration.
        #[arg(long)]
        config: PathBuf,
        /// Directory with a directory for each release, named by its rules.
        #[arg(long)]
        releases: PathBuf,
        /// More options of billchain run, behind --.
        #[arg(last = true)]
        options: Vec<String>,
    },
}

/// Runs `billchain release …`.
pub(crate) async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Rules => println!("{}", VERSION.spec_version),
        Command::Manifest { directory } => {
            let manifest = release::manifest(&directory)?;
            let path = directory.join(MANIFEST);
            fs::write(&path, &manifest)
                .with_context(|| format!("cannot write {}", path.display()))?;
            println!("{:?}", release::digest(&manifest));
        }
        Command::Check { directory, manifest } => {
            println!("{:?}", release::check(&directory, manifest)?);
        }
        Command::Rehearse(options) => {
            return tokio::task::spawn_blocking(move || rehearse::run(&options)).await?;
        }
        Command::Run { config, releases, options } => {
            return supervise(&config, &releases, &options).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one release after the other, until one ends for another reason than that the
/// chain needs the next.
async fn supervise(file: &Path, releases: &Path, options: &[String]) -> Result<ExitCode> {
    let config = Config::load(file)?;
    let mut last = None;
    loop {
        let needed = Needed::read(&config)?;
        let rules = match &needed {
            Some(needed) => needed.rules,
            None => newest(releases)?,
        };
        ensure!(
            last != Some(rules),
            "the release with rules {rules} says that the chain needs rules {rules}: it is not \
             the release that its directory in {} names",
            releases.display()
        );
        let directory = releases.join(rules.to_string());
        if !directory.join(PROGRAM).is_file() {
            eprintln!(
                "billchain: the chain needs the release with rules {rules}, and {} has no \
                 {rules}/{PROGRAM}: install it and start again",
                releases.display()
            );
            // Starting it again changes nothing, which service managers are told.
            return Ok(ExitCode::from(OTHER_RULES));
        }
        if let Some(Needed { manifest: Some(expected), .. }) = needed {
            release::check(&directory, Some(expected))?;
        }
        eprintln!("billchain: running the release with rules {rules}");
        let mut process = Process::new(directory.join(PROGRAM));
        process.arg("run").arg("--config").arg(file).args(options);
        let status = run_release(process).await?;
        if status.code() != Some(i32::from(OTHER_RULES)) {
            return Ok(exit_code(status));
        }
        last = Some(rules);
    }
}

/// The highest rules that there is a directory of.
fn newest(releases: &Path) -> Result<u32> {
    let entries =
        fs::read_dir(releases).with_context(|| format!("cannot read {}", releases.display()))?;
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.max().with_context(|| {
        format!("{} has no release: expected directories named by rules", releases.display())
    })
}

/// Runs a release's node until it ends, and tells it when to stop.
async fn run_release(mut process: Process) -> Result<ExitStatus> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let program = process.as_std().get_program().to_owned();
    let node = process.kill_on_drop(true).spawn();
    let mut node = node.with_context(|| format!("cannot start {}", program.display()))?;
    loop {
        tokio::select! {
            status = node.wait() => return Ok(status?),
            _ = terminate.recv() => stop(&node),
            _ = interrupt.recv() => stop(&node),
        }
    }
}

/// Asks a node to stop in order.
fn stop(node: &Child) {
    let id = node.id().and_then(|id| i32::try_from(id).ok());
    let Some(id) = id.and_then(rustix::process::Pid::from_raw) else { return };
    if let Err(error) = rustix::process::kill_process(id, rustix::process::Signal::TERM) {
        eprintln!("billchain: the node cannot be told to stop: {error}");
    }
}

/// A node's exit code; of one that a signal has ended, as shells give it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
