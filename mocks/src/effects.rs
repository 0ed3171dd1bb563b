//! Effects: what a system did, once for each idempotency key, in a journal that survives it.

use anyhow::{Context, Result};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::Path,
};

/// One thing that the system did.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Effect {
    /// Its number, from 1, without gaps.
    pub number: u64,
    /// The idempotency key of the request.
    pub key: String,
    /// What was done: the service's name.
    pub kind: String,
    /// To what: a bill's `code-number`, a grant, a DID.
    pub subject: String,
    /// Version of the subject; 0: it has none.
    pub version: u32,
    /// What was asked.
    pub body: Value,
}

/// What a count says about all effects.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Counts {
    /// Effects.
    pub effects: u64,
    /// Requests that arrived, repeated ones too.
    pub requests: u64,
    /// Requests with a key that had its effect before.
    pub repeated: u64,
    /// The same version of the same subject was told under two keys: work was done twice.
    pub twice: u64,
    /// A subject's effects did not come in the order of its versions.
    pub out_of_order: u64,
    /// Requests that were refused: malformed, or with a bad signature.
    pub refused: u64,
}

/// Whether an effect is new.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// It has just happened.
    First(u64),
    /// It happened before, with this number.
    Again(u64),
}

impl Seen {
    /// Number of the effect.
    pub const fn number(self) -> u64 {
        match self {
            Self::First(number) | Self::Again(number) => number,
        }
    }
}

#[derive(Default)]
struct State {
    all: Vec<Effect>,
    by_key: HashMap<String, u64>,
    by_version: HashMap<(String, String, u32), u64>,
    newest: HashMap<String, u32>,
    counts: Counts,
    journal: Option<File>,
}

/// All effects of a system.
#[derive(Default)]
pub struct Effects(Mutex<State>);

impl Effects {
    /// Effects that are kept in a journal; those of before are read. A last line that a kill
    /// cut short never had an answer, and is dropped.
    pub fn open(path: &Path) -> Result<Self> {
        let mut state = State::default();
        if path.exists() {
            let file = File::open(path).with_context(|| path.display().to_string())?;
            let mut whole = 0u64;
            let mut reader = BufReader::new(file);
            let mut line = String::new();
            while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
                let effect: Effect = serde_json::from_str(&line)
                    .with_context(|| format!("{}: line {}", path.display(), state.all.len() + 1))?;
                whole += line.len() as u64;
                state.take(effect);
                line.clear();
            }
            OpenOptions::new().write(true).open(path)?.set_len(whole)?;
        }
        let journal = OpenOptions::new().create(true).append(true).open(path);
        state.journal = Some(journal.with_context(|| path.display().to_string())?);
        Ok(Self(Mutex::new(state)))
    }

    /// Does a thing once: `number` of the effect is set here. `then` sees it while no other
    /// effect can happen, after it is in the journal.
    pub fn once(&self, mut effect: Effect, then: impl FnOnce(&Effect)) -> Result<Seen> {
        let mut state = self.0.lock();
        if let Some(number) = state.by_key.get(&effect.key) {
            let number = *number;
            state.counts.repeated += 1;
            return Ok(Seen::Again(number));
        }
        effect.number = state.all.len() as u64 + 1;
        if let Some(journal) = &mut state.journal {
            let mut line = serde_json::to_vec(&effect)?;
            line.push(b'\n');
            journal.write_all(&line).context("the journal")?;
        }
        then(&effect);
        let number = effect.number;
        state.take(effect);
        Ok(Seen::First(number))
    }

    /// The effect of a key.
    pub fn of_key(&self, key: &str) -> Option<Effect> {
        let state = self.0.lock();
        let number = *state.by_key.get(key)?;
        state.all.get(usize::try_from(number).ok()?.checked_sub(1)?).cloned()
    }

    /// Effects with numbers above `after`, at most `limit`.
    pub fn after(&self, after: u64, limit: usize) -> Vec<Effect> {
        let state = self.0.lock();
        let from = usize::try_from(after).unwrap_or(usize::MAX).min(state.all.len());
        state.all[from..].iter().take(limit).cloned().collect()
    }

    /// Every effect, for the state that a system builds when it starts.
    pub fn replay(&self, mut each: impl FnMut(&Effect)) {
        self.0.lock().all.iter().for_each(&mut each);
    }

    /// The counts.
    pub fn counts(&self) -> Counts {
        self.0.lock().counts.clone()
    }

    /// Counts a request.
    pub fn count_request(&self) {
        self.0.lock().counts.requests += 1;
    }

    /// Counts a request that was refused.
    pub fn count_refused(&self) {
        self.0.lock().counts.refused += 1;
    }
}

impl State {
    fn take(&mut self, effect: Effect) {
        self.counts.effects += 1;
        self.by_key.insert(effect.key.clone(), effect.number);
        if effect.version > 0 {
            // A present version that is told again has a kind of its own in `body`.
            let again = effect.body.get("retold").and_then(Value::as_bool) == Some(true);
            let told = (effect.kind.clone(), effect.subject.clone(), effect.version);
            if !again && self.by_version.insert(told, effect.number).is_some() {
                self.counts.twice += 1;
            }
            let newest = self.newest.entry(effect.subject.clone()).or_default();
            if effect.version < *newest {
                self.counts.out_of_order += 1;
            }
            *newest = effect.version.max(*newest);
        }
        self.all.push(effect);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn effect(key: &str, subject: &str, version: u32) -> Effect {
        Effect {
            number: 0,
            key: key.to_owned(),
            kind: "bill_status".to_owned(),
            subject: subject.to_owned(),
            version,
            body: json!({}),
        }
    }

    #[test]
    fn work_that_is_done_twice_or_out_of_order_is_counted() {
        let effects = Effects::default();
        let once = |effect: Effect| effects.once(effect, |_| {}).unwrap();
        assert_eq!(once(effect("a", "bill", 2)), Seen::First(1));
        assert_eq!(once(effect("a", "bill", 2)), Seen::Again(1));
        assert_eq!(effects.counts().twice, 0, "one key is one effect");
        assert_eq!(once(effect("b", "bill", 2)), Seen::First(2));
        assert_eq!(effects.counts().twice, 1, "another key for the same version");
        once(effect("c", "bill", 4));
        once(effect("d", "other", 1));
        assert_eq!(effects.counts().out_of_order, 0);
        once(effect("e", "bill", 3));
        let counts = effects.counts();
        assert_eq!((counts.effects, counts.repeated, counts.out_of_order), (5, 1, 1));
    }

    #[test]
    fn a_journal_is_read_back_wherever_a_kill_cut_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        {
            let effects = Effects::open(&path).unwrap();
            for (key, version) in [("a", 1), ("b", 2), ("c", 3)] {
                effects.once(effect(key, "票", version), |_| {}).unwrap();
            }
        }
        let whole = std::fs::read(&path).unwrap();
        for end in 0..=whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let lines = whole[..end].iter().filter(|byte| **byte == b'\n').count() as u64;
            let effects = Effects::open(&path).unwrap();
            assert_eq!(effects.counts().effects, lines, "{end} bytes");
            assert_eq!(effects.once(effect("z", "x", 1), |_| {}).unwrap(), Seen::First(lines + 1));
            drop(effects);
            assert_eq!(Effects::open(&path).unwrap().counts().effects, lines + 1, "{end} bytes");
        }
        let mut damaged = whole.clone();
        damaged[0] = b'x';
        std::fs::write(&path, &damaged).unwrap();
        assert!(Effects::open(&path).is_err(), "a damaged line is not passed over");
    }
}
