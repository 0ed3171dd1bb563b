//! The operator's worker file: which connectors this operator works for, with which key, and
//! where the systems outside are.

use crate::http::HttpSettings;
use billchain_crypto::{keyfile, sm2};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// The file, whole. Paths in it are relative to its directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerFile {
    /// The connectors.
    #[serde(default, rename = "connector")]
    pub connectors: Vec<WorkerSettings>,
    /// Directory of the file.
    #[serde(skip)]
    pub directory: PathBuf,
}

/// What the operator says of one connector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerSettings {
    /// Name of the endpoint, as the chain's registration has it.
    pub endpoint: String,
    /// SM2 key of the participant that acknowledges, encrypted PKCS#8 PEM.
    pub key: Option<PathBuf>,
    /// File with the key's password.
    pub password_file: Option<PathBuf>,
    /// Seed of a development key instead, such as `//worker-1`.
    pub development_key: Option<String>,
    /// What it must remember; `<endpoint>.redb` beside this file if left out.
    pub store: Option<PathBuf>,
    /// Most requests at once, 1 to 256.
    #[serde(default = "concurrency")]
    pub concurrency: usize,
    /// Most entries a second, 1 to 100,000.
    #[serde(default = "per_second")]
    pub per_second: u32,
    /// How long one delivery may take, in milliseconds, 100 to 600,000.
    #[serde(default = "deliver_ms")]
    pub deliver_ms: u64,
    /// The longest pause before an entry is tried again, in milliseconds.
    #[serde(default = "longest_pause_ms")]
    pub longest_pause_ms: u64,
    /// After how many failures in a row nothing is sent for a while.
    #[serde(default = "breaker_failures")]
    pub breaker_failures: u32,
    /// How often work is looked for that no entry asks for, in milliseconds.
    #[serde(default = "tend_ms")]
    pub tend_ms: u64,
    /// Most memory of the worker's process, in MiB, 64 to 65,536.
    #[serde(default = "memory_mib")]
    pub memory_mib: u64,
    /// How requests go out.
    #[serde(default)]
    pub http: HttpSettings,
    /// The connector's own settings.
    #[serde(default)]
    pub settings: toml::Table,
}

fn concurrency() -> usize {
    16
}

fn per_second() -> u32 {
    1_000
}

fn deliver_ms() -> u64 {
    30_000
}

fn longest_pause_ms() -> u64 {
    60_000
}

fn breaker_failures() -> u32 {
    5
}

fn tend_ms() -> u64 {
    60_000
}

fn memory_mib() -> u64 {
    512
}

/// Everything that is wrong with a worker file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem(pub Vec<String>);

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for SettingsProblem {}

impl WorkerFile {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, SettingsProblem> {
        let one = |problem: String| SettingsProblem(vec![format!("{}: {problem}", path.display())]);
        let text = fs::read_to_string(path).map_err(|error| one(error.to_string()))?;
        let directory = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, directory).map_err(|SettingsProblem(problems)| {
            let named = |problem| format!("{}: {problem}", path.display());
            SettingsProblem(problems.into_iter().map(named).collect())
        })
    }

    /// Checks a file's contents, with paths relative to `directory`. Fails with every problem.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, SettingsProblem> {
        let mut file: Self =
            toml::from_str(text).map_err(|error| SettingsProblem(vec![error.to_string()]))?;
        file.directory = directory.to_owned();
        let problems = file.problems();
        if problems.is_empty() { Ok(file) } else { Err(SettingsProblem(problems)) }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut endpoints = BTreeSet::new();
        for (at, worker) in self.connectors.iter().enumerate() {
            let mut wrong = |field: &str, expected: &str, found: &dyn fmt::Display| {
                problems
                    .push(format!("connector[{at}].{field}: expected {expected}, found {found}"));
            };
            if !endpoints.insert(worker.endpoint.as_str()) {
                wrong("endpoint", "each endpoint once", &worker.endpoint);
            }
            if worker.key.is_some() == worker.development_key.is_some() {
                wrong("key", "key or development_key", &"both or neither");
            }
            if worker.key.is_some() && worker.password_file.is_none() {
                wrong("password_file", "the file with the key's password", &"none");
            }
            if !(1..=256).contains(&worker.concurrency) {
                wrong("concurrency", "1 to 256", &worker.concurrency);
            }
            if !(1..=100_000).contains(&worker.per_second) {
                wrong("per_second", "1 to 100000", &worker.per_second);
            }
            if !(100..=600_000).contains(&worker.deliver_ms) {
                wrong("deliver_ms", "100 to 600000", &worker.deliver_ms);
            }
            if !(100..=3_600_000).contains(&worker.longest_pause_ms) {
                wrong("longest_pause_ms", "100 to 3600000", &worker.longest_pause_ms);
            }
            if !(1..=1_000).contains(&worker.breaker_failures) {
                wrong("breaker_failures", "1 to 1000", &worker.breaker_failures);
            }
            if !(100..=86_400_000).contains(&worker.tend_ms) {
                wrong("tend_ms", "100 to 86400000", &worker.tend_ms);
            }
            if !(64..=65_536).contains(&worker.memory_mib) {
                wrong("memory_mib", "64 to 65536", &worker.memory_mib);
            }
        }
        problems
    }

    /// What is said of the connector with this endpoint, its paths made whole.
    pub fn connector(&self, endpoint: &str) -> Option<WorkerSettings> {
        let found = self.connectors.iter().find(|worker| worker.endpoint == endpoint)?;
        let whole = |path: &PathBuf| self.directory.join(path);
        let mut worker = found.clone();
        worker.key = worker.key.as_ref().map(whole);
        worker.password_file = worker.password_file.as_ref().map(whole);
        worker.http.authorities = worker.http.authorities.as_ref().map(whole);
        worker.http.identity = worker.http.identity.as_ref().map(whole);
        let store = PathBuf::from(format!("{}.redb", endpoint.replace('/', "_")));
        worker.store = Some(whole(worker.store.as_ref().unwrap_or(&store)));
        Some(worker)
    }
}

impl WorkerSettings {
    /// The key of the participant that acknowledges.
    pub fn secret(&self) -> Result<sm2::SecretKey, SettingsProblem> {
        let one = |path: &Path, problem: String| {
            SettingsProblem(vec![format!("{}: {problem}", path.display())])
        };
        if let Some(seed) = &self.development_key {
            return Ok(sm2::SecretKey::from_seed(seed.as_bytes()));
        }
        let (Some(key), Some(password)) = (&self.key, &self.password_file) else {
            return Err(SettingsProblem(vec!["key: expected a key file and its password".into()]));
        };
        let secret = fs::read(password).map_err(|error| one(password, error.to_string()))?;
        let secret = secret.trim_ascii_end();
        let pem = fs::read_to_string(key).map_err(|error| one(key, error.to_string()))?;
        keyfile::decrypt_from_pem(&pem, secret).map_err(|error| one(key, error.to_string()))
    }

    /// How long one delivery may take.
    pub fn deliver_within(&self) -> Duration {
        Duration::from_millis(self.deliver_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<WorkerFile, SettingsProblem> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("workers.toml");
        fs::write(&path, text).unwrap();
        WorkerFile::load(&path)
    }

    #[test]
    fn a_file_says_where_everything_is() {
        let text = r#"
            [[connector]]
            endpoint = "old-system"
            key = "keys/worker.pem"
            password_file = "/etc/password"
            concurrency = 4
            [connector.http]
            authorities = "ca.pem"
            [connector.settings]
            url = "https://old.example/"
        "#;
        let file = file(text).unwrap();
        let worker = file.connector("old-system").unwrap();
        assert_eq!(worker.key, Some(file.directory.join("keys/worker.pem")));
        assert_eq!(worker.password_file, Some("/etc/password".into()));
        assert_eq!(worker.http.authorities, Some(file.directory.join("ca.pem")));
        assert_eq!(worker.store, Some(file.directory.join("old-system.redb")));
        assert_eq!((worker.concurrency, worker.per_second), (4, 1_000));
        assert_eq!(worker.settings["url"].as_str(), Some("https://old.example/"));
        assert!(file.connector("other").is_none());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = r#"
            [[connector]]
            endpoint = "a"
            development_key = "//worker-1"
            concurrency = 0
            memory_mib = 1
            [[connector]]
            endpoint = "a"
        "#;
        let problems = file(text).unwrap_err().to_string();
        for words in [
            "connector[0].concurrency: expected 1 to 256, found 0",
            "connector[0].memory_mib",
            "connector[1].endpoint: expected each endpoint once",
            "connector[1].key: expected key or development_key",
        ] {
            assert!(problems.contains(words), "{words} in {problems}");
        }
        let unknown = file("[[connector]]\nendpoint = \"a\"\nspeed = 1\n").unwrap_err().to_string();
        assert!(unknown.contains("unknown field `speed`"), "{unknown}");
    }
}
