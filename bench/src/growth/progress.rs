//! How far a ledger has grown, beside it in `growth.json`, so that it can be
//! grown further.

use super::record::{Milestone, Point};
use anyhow::{Context, Result, ensure};
use billchain_primitives::cooling::DAY_MS;
use serde::{Deserialize, Serialize};
use std::{fs, io, num::NonZeroU64, path::Path};

/// File in the ledger's directory.
const FILE: &str = "growth.json";

/// Days of so many bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Days {
    pub(super) bills: NonZeroU64,
    /// When the first one began, in milliseconds since 1970.
    pub(super) began_ms: u64,
}

impl Days {
    /// When there are so many bills.
    pub(super) fn time_of(&self, bills: u64) -> u64 {
        self.began_ms.saturating_add(span_ms(bills, self.bills))
    }
}

/// How long so many bills take, in milliseconds.
pub(super) fn span_ms(bills: u64, a_day: NonZeroU64) -> u64 {
    bills.saturating_mul(DAY_MS) / a_day
}

/// How far a ledger has grown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) seed: u64,
    /// Where the chain's days are of so many bills.
    #[serde(default)]
    pub(super) days: Option<Days>,
    /// Bills in the ledger.
    pub(super) bills: u64,
    /// Height when this was written.
    pub(super) height: u32,
    /// First bill number that is free.
    pub(super) next_number: u64,
    pub(super) milestones: Vec<Milestone>,
    pub(super) points: Vec<Point>,
}

impl Progress {
    /// What was written in `dir`; the beginning if nothing was.
    pub(super) fn load(dir: &Path, seed: u64) -> Result<Self> {
        let file = dir.join(FILE);
        match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("{}", file.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self { seed, ..Self::default() })
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Writes it, whole or not at all.
    pub(super) fn save(&self, dir: &Path) -> Result<()> {
        let (file, new) = (dir.join(FILE), dir.join(format!("{FILE}.new")));
        fs::write(&new, serde_json::to_string_pretty(self)?)
            .and_then(|()| fs::rename(&new, &file))
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// That a ledger at `height` is the one that was grown. A node may have
    /// added empty blocks to it.
    pub(super) fn ensure_of(&self, height: u32, dir: &Path) -> Result<()> {
        let expected = match self.bills {
            0 => height == 0,
            _ => height >= self.height,
        };
        ensure!(
            expected,
            "{} says {} bills at block {}, but the ledger is at block {height}: it was not grown \
             by this command, or the growing was interrupted; begin with an empty directory",
            dir.join(FILE).display(),
            self.bills,
            self.height
        );
        Ok(())
    }

    /// That the ledger's days are of so many bills.
    pub(super) fn ensure_days(&self, a_day: Option<NonZeroU64>) -> Result<()> {
        let found = self.days.map(|days| days.bills);
        let words = |days: Option<NonZeroU64>| {
            days.map_or("the machine's time".to_owned(), |bills| format!("{bills} bills a day"))
        };
        ensure!(
            found == a_day,
            "--bills-a-day: the ledger was grown with {}, expected the same, found {}",
            words(found),
            words(a_day)
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_kept_and_another_ledger_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let new = Progress::load(path, 5).unwrap();
        assert_eq!((new.seed, new.bills), (5, 0));
        new.ensure_of(0, path).unwrap();
        assert!(new.ensure_of(7, path).is_err());

        let grown = Progress { bills: 100, height: 9, next_number: 1_000, ..new };
        grown.save(path).unwrap();
        assert_eq!(Progress::load(path, 1).unwrap(), grown);
        grown.ensure_of(9, path).unwrap();
        grown.ensure_of(12, path).unwrap();
        let error = grown.ensure_of(8, path).unwrap_err().to_string();
        assert!(error.contains("at block 8"), "{error}");

        fs::write(path.join(FILE), "{").unwrap();
        assert!(Progress::load(path, 1).is_err());
    }
}
