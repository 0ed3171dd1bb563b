//! `billchain benchmark-weights`: measures what the contracts' calls cost on
//! this machine, over the storage of a node, and writes the pallets' weights.
//!
//! For who changes a contract, not for who operates a node: nothing of it
//! touches a node's data.

use anyhow::{Context, Result, ensure};
use billchain_runtime::{Runtime, limits};
use billchain_weights::{
    Effort, Ledger, Measured, Origin, Pallet, measure, measure_prices, pallets, weights_rs,
};
use clap::{Args, Subcommand};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What is to be measured.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// The calls of the contracts; writes `weights.rs` of each.
    Pallets {
        /// The directory of the pallets, in the project's tree.
        #[arg(long)]
        dir: PathBuf,
        /// A pallet to measure, by its directory's name; may be given several
        /// times. Without it all are measured.
        #[arg(long = "pallet", value_name = "NAME")]
        names: Vec<String>,
        /// Values that each parameter of a call takes, from least to most.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..))]
        steps: u32,
        /// Runs for each value.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        repeats: u32,
        #[command(flatten)]
        place: Place,
    },
    /// A read and a write of the state, an empty block, an empty transaction:
    /// prints them beside the runtime's prices (`runtime/src/limits.rs`).
    Prices {
        /// Rounds, of which the middle one counts.
        #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
        #[command(flatten)]
        place: Place,
    },
}

/// The ledger to measure on.
#[derive(Args)]
pub(crate) struct Place {
    /// Bills of the ledger.
    #[arg(long, default_value_t = 1_000_000)]
    bills: u32,
    /// Where the ledger's temporary directory is made; on the kind of disk that
    /// nodes have. Without it the system's.
    #[arg(long)]
    work_dir: Option<PathBuf>,
}

impl Place {
    fn fill(&self) -> Result<Ledger> {
        let parent = self.work_dir.clone().unwrap_or_else(std::env::temp_dir);
        println!("filling a ledger with {} bills", self.bills);
        let tenth = (self.bills / 10).max(1);
        let mut next = tenth;
        let ledger = Ledger::fill(&parent, self.bills, |filled| {
            if filled >= next {
                println!("  {filled}");
                next = filled.saturating_add(tenth);
            }
        })?;
        Ok(ledger)
    }
}

/// Runs `billchain benchmark-weights …`.
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Pallets { dir, names, steps, repeats, place } => {
            let chosen = chosen(&names)?;
            for pallet in &chosen {
                let file = file(&dir, pallet);
                ensure!(file.exists(), "--dir: {} does not exist", file.display());
            }
            write_weights(&dir, &chosen, Effort { steps, repeats }, &place.fill()?)
        }
        Command::Prices { rounds, place } => {
            ensure!(place.bills > 0, "--bills: expected at least 1");
            print_prices(&place.fill()?, rounds)
        }
    }
}

fn chosen(names: &[String]) -> Result<Vec<Pallet>> {
    let all = pallets();
    for name in names {
        let known: Vec<&str> = all.iter().map(|pallet| pallet.directory).collect();
        ensure!(
            known.contains(&name.as_str()),
            "--pallet {name}: expected one of {}",
            known.join(", ")
        );
    }
    let wanted = |pallet: &Pallet| names.is_empty() || names.iter().any(|n| n == pallet.directory);
    Ok(all.into_iter().filter(wanted).collect())
}

fn file(dir: &Path, pallet: &Pallet) -> PathBuf {
    dir.join(pallet.directory).join("src/weights.rs")
}

fn write_weights(dir: &Path, pallets: &[Pallet], effort: Effort, ledger: &Ledger) -> Result<()> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let origin = Origin {
        command: "billchain benchmark-weights pallets".into(),
        date: date(since_epoch),
        machine: machine(),
        bills: ledger.bills(),
        effort,
    };
    for pallet in pallets {
        println!("{}", pallet.directory);
        let measured = measure(ledger, pallet, effort)?;
        measured.iter().for_each(print_measured);
        let path = file(dir, pallet);
        fs::write(&path, weights_rs(&origin, &measured)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn print_measured(measured: &Measured) {
    let Measured { name, samples, .. } = measured;
    let spread = |time: fn(&billchain_weights::Sample) -> Duration| {
        let mut times: Vec<Duration> = samples.iter().map(time).collect();
        times.sort();
        let at = |part: usize| times.get(times.len() * part / 10).copied().unwrap_or_default();
        format!("{:?} ({:?} to {:?})", at(5), at(1), at(9))
    };
    println!(
        "  {name}: call {}, reads {}, commit {}",
        spread(|sample| sample.time),
        spread(|sample| sample.read_time),
        spread(|sample| sample.commit_time)
    );
}

fn print_prices(ledger: &Ledger, rounds: u32) -> Result<()> {
    let found = measure_prices(ledger, rounds)?;
    let set = <<Runtime as frame_system::Config>::DbWeight as frame_support::traits::Get<_>>::get();
    let frame_support::weights::RuntimeDbWeight { read, write } = set;
    let block = limits::BASE_BLOCK_WEIGHT.ref_time();
    let transaction = limits::BASE_EXTRINSIC_WEIGHT.ref_time();
    println!("machine: {}; {} bills; median of {rounds}", machine(), ledger.bills());
    for (what, found, set) in [
        ("read", found.read, read),
        ("write", found.write, write),
        ("empty block", found.block, block),
        ("transaction", found.transaction, transaction),
    ] {
        let set = Duration::from_nanos(set / 1_000);
        println!("{what:>12}: measured {found:?}, price {set:?}");
    }
    Ok(())
}

/// Processor and system, as far as they say what they are.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("model name")?.split_once(':').map(|(_, n)| n.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // The version alone: the rest of the release is the builder's affair.
    let release = read("/proc/sys/kernel/osrelease");
    let version: Vec<_> = release.trim().split(['.', '-']).take(2).collect();
    format!("{cpu}, {cores} cores, {} {}", std::env::consts::OS, version.join("."))
}

/// The day of a moment, UTC, as `yyyy-mm-dd`.
fn date(since_epoch: Duration) -> String {
    // Howard Hinnant's `civil_from_days`, for days after 1970 only.
    let days = since_epoch.as_secs() / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_gives_its_day() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_675_199, "2026-12-30"),
            (4_102_444_800, "2100-01-01"),
        ] {
            assert_eq!(date(Duration::from_secs(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn an_unknown_pallet_is_refused_with_the_known_ones() {
        let error = chosen(&["bill".into()]).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.starts_with("--pallet bill: expected one of access-node, "), "{error}");
        let two = chosen(&["scene".into(), "policy".into()]).unwrap();
        let names: Vec<&str> = two.iter().map(|pallet| pallet.directory).collect();
        assert_eq!(names, ["policy", "scene"]);
        assert_eq!(chosen(&[]).unwrap().len(), pallets().len());
    }

    #[test]
    fn weights_are_written_where_the_pallet_lies() {
        let directory = tempfile::tempdir().unwrap();
        let place = || Place { bills: 10, work_dir: Some(directory.path().to_owned()) };
        let pallets = |dir: PathBuf| {
            run(Command::Pallets {
                dir,
                names: vec!["scene".into()],
                steps: 2,
                repeats: 1,
                place: place(),
            })
        };
        let missing = pallets(directory.path().join("nowhere")).unwrap_err().to_string();
        assert!(missing.starts_with("--dir: ") && missing.ends_with("does not exist"), "{missing}");
        let source = directory.path().join("scene/src");
        fs::create_dir_all(&source).unwrap();
        fs::write(source.join("weights.rs"), "").unwrap();
        pallets(directory.path().to_owned()).unwrap();
        let text = fs::read_to_string(source.join("weights.rs")).unwrap();
        assert!(text.contains("fn set_weight() -> Weight {"), "{text}");
        run(Command::Prices { rounds: 1, place: place() }).unwrap();
    }
}
