//! `billchain cold`: the cold segments (冷段) of a node, their files, and bringing lost ones
//! back.

use super::join;
use crate::{
    cold::{
        fetching::Fetcher,
        report::{ColdReport, Place, SegmentView},
        second::{Identity, Second},
    },
    config::Config,
    database::open_chain,
    door,
    state_sync::AskPeers,
};
use anyhow::{Context, Result, bail, ensure};
use billchain_cold::{LocalFile, Segment};
use billchain_executor::Chain;
use billchain_state_sync::Peers;
use billchain_storage::{ColdSegment, OpenMode};
use clap::{Args, Subcommand};
use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
    time::Duration,
};

/// Actions on cold segments.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the cold segments of a node, which may run.
    List {
        /// The node's configuration.
        #[arg(long)]
        config: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Read the files of a node, which may run, from their first byte to their last, and
    /// compute their roots again. Fails if one is lost, damaged or another.
    Verify {
        /// The node's configuration.
        #[arg(long)]
        config: PathBuf,
        /// Read those of the second path (storage.cold_second_path) instead.
        #[arg(long)]
        second: bool,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Bring lost files of a stopped node back from other members, each verified whole
    /// against the root in the state.
    Fetch {
        /// The node's configuration: its keys, and a member's address.
        #[arg(long)]
        config: PathBuf,
        /// Seconds in which a member must be reached.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        patience: u64,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Bring lost files of a stopped node back from the second path, or take one over that
    /// came by another way; each verified whole against the root in the state.
    Restore {
        /// The node's configuration.
        #[arg(long)]
        config: PathBuf,
        /// A segment's file, from another operator for instance. It is copied.
        #[arg(long, value_name = "FILE", conflicts_with = "segments")]
        from: Option<PathBuf>,
        #[command(flatten)]
        chosen: Chosen,
    },
}

/// Which segments.
#[derive(Args)]
pub(crate) struct Chosen {
    /// Segments as `list` names them, RUN/INDEX; all without it.
    #[arg(value_name = "RUN/INDEX")]
    segments: Vec<Name>,
}

/// How people name a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name {
    run: u64,
    index: u32,
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(run, index)| {
            Some(Self { run: run.parse().ok()?, index: index.parse().ok()? })
        });
        parsed.ok_or_else(|| format!("expected RUN/INDEX, such as 3/0, found {text}"))
    }
}

impl Chosen {
    fn has(&self, run: u64, index: u32) -> bool {
        self.segments.is_empty() || self.segments.contains(&Name { run, index })
    }

    /// That each segment that is named is among these.
    fn ensure_known(&self, known: &[Name], what: &str) -> Result<()> {
        let unknown = self.segments.iter().find(|name| !known.contains(name));
        if let Some(Name { run, index }) = unknown {
            bail!("{run}/{index} is no {what}: billchain cold list shows those there are");
        }
        Ok(())
    }
}

/// Runs `billchain cold …`.
pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::List { config, json } => {
            let report = report(&Config::load(&config)?)?;
            let text = match json {
                true => format!("{}\n", serde_json::to_string_pretty(&report)?),
                false => told(&report),
            };
            // Standard output may be a pipe that nobody reads any more.
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
        Command::Verify { config, second, chosen } => {
            verify(&Config::load(&config)?, second, &chosen)?;
        }
        Command::Fetch { config, patience, chosen } => {
            fetch(&Config::load(&config)?, Duration::from_secs(patience), &chosen)?;
        }
        Command::Restore { config, from, chosen } => {
            let config = Config::load(&config)?;
            match from {
                Some(file) => take_over(&config, &file)?,
                None => restore(&config, &chosen)?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the node tells if it runs, else what its database says.
fn report(config: &Config) -> Result<ColdReport> {
    if let Some(report) = door::ask_cold(config)? {
        return Ok(report);
    }
    let (_, chain) = open_chain(config, OpenMode::MustExist)?;
    Ok(ColdReport::of(chain.storage())?)
}

/// A line for each segment.
fn told(report: &ColdReport) -> String {
    let mut text = format!("block         {}\n", report.head);
    if report.left_out > 0 {
        let _ = writeln!(text, "{} older segments are left out", report.left_out);
    }
    for one in &report.segments {
        let SegmentView { groups, active, root, ended_at, place, file, .. } = one;
        let ended = ended_at.map_or_else(|| "-".to_owned(), |block| block.to_string());
        let file = file.as_ref().map_or_else(String::new, |file| format!(" {}", file.display()));
        let (name, place) = (one.name(), place.word());
        let _ = writeln!(
            text,
            "segment {name:<8} {place:<8} ended at {ended:<9} groups {groups:<9} active {active:<9} \
             root {root:?}{file}"
        );
    }
    let lost = report.at(Place::Lost).count();
    let _ = writeln!(text, "{} segments, {lost} lost", report.segments.len());
    if let Some(failing) = &report.failing {
        let _ = writeln!(text, "the node fails to keep them: {failing}");
    }
    text
}

fn verify(config: &Config, of_second: bool, chosen: &Chosen) -> Result<()> {
    let report = report(config)?;
    let has_file = |one: &&SegmentView| matches!(one.place, Place::File | Place::Lost);
    let segments: Vec<&SegmentView> = report.segments.iter().filter(has_file).collect();
    let known: Vec<Name> =
        segments.iter().map(|one| Name { run: one.run, index: one.index }).collect();
    chosen.ensure_known(&known, "segment with a file")?;
    let second = match of_second {
        true => {
            let second = Second::open(&config.storage.cold, &config.name)?;
            Some(second.context("storage.cold_second_path names no second path")?)
        }
        false => None,
    };
    let (mut sound, mut problems) = (0_u32, 0_u32);
    for one in segments.into_iter().filter(|one| chosen.has(one.run, one.index)) {
        match verified(one, second.as_ref()) {
            Ok(keys) => {
                sound += 1;
                println!("segment {:<8} sound: {} groups, {keys} keys", one.name(), one.groups);
            }
            Err(error) => {
                problems += 1;
                println!("PROBLEM segment {}: {error:#}", one.name());
            }
        }
    }
    ensure!(
        problems == 0,
        "{problems} of {} files are lost or not sound: stop the node and bring them back by their \
         names, billchain cold restore RUN/INDEX or fetch RUN/INDEX",
        sound + problems
    );
    println!("{sound} files, each whole and the one that the state stands for");
    Ok(())
}

/// Reads a file whole; its keys.
fn verified(one: &SegmentView, second: Option<&Second>) -> Result<u64> {
    if let Some(second) = second {
        let found = second.read(&Identity::from(one))?;
        let found = found.with_context(|| format!("{} does not hold it", second.shown()))?;
        found.verify()?;
        return Ok(found.keys());
    }
    let file = one.file.as_ref().context("its file is lost")?;
    let found = Segment::open(LocalFile::open(file)?)?;
    found.verify()?;
    ensure!(
        found.root() == one.root.as_fixed_bytes(),
        "{} has the root {}, expected {:?}",
        file.display(),
        hex::encode(found.root()),
        one.root
    );
    Ok(found.keys())
}

/// Sets files aside that were named and are damaged in their middle, which nobody sees until it
/// is read: then they are lost.
fn set_damaged_aside(chain: &Chain, chosen: &Chosen) -> Result<()> {
    for segment in chain.storage().cold_segments()? {
        let is_named = !chosen.segments.is_empty() && chosen.has(segment.run, segment.index);
        let Some(file) = segment.file.filter(|file| is_named && file.exists()) else { continue };
        let Err(error) = LocalFile::open(&file).and_then(Segment::open).and_then(|it| it.verify())
        else {
            continue;
        };
        let aside = file.with_extension("damaged");
        fs::rename(&file, &aside)
            .with_context(|| format!("cannot rename {} to {}", file.display(), aside.display()))?;
        println!("{error}; it is {} now", aside.display());
    }
    Ok(())
}

/// The lost segments of a stopped node, of those that are chosen.
fn lost(chain: &Chain, chosen: &Chosen) -> Result<Vec<ColdSegment>> {
    set_damaged_aside(chain, chosen)?;
    let mut lost = chain.storage().missing_segments()?;
    let known: Vec<Name> = lost.iter().map(|one| Name { run: one.run, index: one.index }).collect();
    chosen.ensure_known(&known, "lost segment")?;
    lost.retain(|one| chosen.has(one.run, one.index));
    Ok(lost)
}

fn fetch(config: &Config, patience: Duration, chosen: &Chosen) -> Result<()> {
    let (_, chain) = open_chain(config, OpenMode::MustExist)?;
    let lost = lost(&chain, chosen)?;
    if lost.is_empty() {
        println!("no file is lost");
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let asking = runtime.block_on(join::connect(config, chain.genesis_hash()))?;
    let peers = AskPeers::new(asking.asker());
    let fetched = runtime.block_on(fetch_all(config, &chain, &peers, patience, &lost));
    runtime.block_on(asking.stop());
    fetched
}

async fn fetch_all(
    config: &Config,
    chain: &Chain,
    peers: &dyn Peers,
    patience: Duration,
    lost: &[ColdSegment],
) -> Result<()> {
    join::reached(peers, config.network.peers.len(), patience).await?;
    let mut fetcher = Fetcher::new(config.cold_directory(), config)?;
    let mut missing = 0_u32;
    for segment in lost {
        let (run, index) = (segment.run, segment.index);
        match fetcher.bring_from_members(chain.storage(), peers, segment).await {
            Ok(peer) => println!("segment {run}/{index} came from {peer}, verified whole"),
            Err(error) => {
                missing += 1;
                println!("PROBLEM segment {run}/{index}: {error:#}");
            }
        }
    }
    ensure!(missing == 0, "{missing} of {} files are lost still", lost.len());
    Ok(())
}

fn restore(config: &Config, chosen: &Chosen) -> Result<()> {
    let (_, chain) = open_chain(config, OpenMode::MustExist)?;
    let lost = lost(&chain, chosen)?;
    if lost.is_empty() {
        println!("no file is lost");
        return Ok(());
    }
    let second = Second::open(&config.storage.cold, &config.name)?;
    let second = second.context(
        "storage.cold_second_path names no second path: get the file from another member with \
         billchain cold fetch, or name it with --from",
    )?;
    let fetcher = Fetcher::new(config.cold_directory(), config)?;
    let mut missing = 0_u32;
    for segment in &lost {
        let (run, index, from) = (segment.run, segment.index, second.shown());
        match fetcher.bring_from_second(chain.storage(), Some(&second), segment) {
            Ok(true) => println!("segment {run}/{index} came from {from}, verified whole"),
            Ok(false) => {
                missing += 1;
                println!("segment {run}/{index} is not at {from}");
            }
            Err(error) => {
                missing += 1;
                println!("PROBLEM {error:#}");
            }
        }
    }
    ensure!(missing == 0, "{missing} files are lost still: billchain cold fetch asks the members");
    Ok(())
}

/// Takes a file over that came by another way.
fn take_over(config: &Config, file: &Path) -> Result<()> {
    let (_, chain) = open_chain(config, OpenMode::MustExist)?;
    let ColdSegment { run, index, .. } = chain.storage().adopt_segment(file)?;
    println!("{} is segment {run}/{index}, verified whole", file.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_by_its_run_and_its_place() {
        assert_eq!("12/3".parse(), Ok(Name { run: 12, index: 3 }));
        for text in ["", "3", "3/", "/3", "3/x", "-1/2", "1/2/3", "1/4294967296"] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
        let chosen = Chosen { segments: vec![Name { run: 1, index: 0 }] };
        assert!(chosen.has(1, 0) && !chosen.has(1, 1));
        let error = chosen.ensure_known(&[], "lost segment").unwrap_err().to_string();
        assert!(error.starts_with("1/0 is no lost segment"), "{error}");
        assert!(Chosen { segments: Vec::new() }.has(7, 7));
    }
}
