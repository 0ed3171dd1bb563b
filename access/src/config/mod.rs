//! The configuration of access: a TOML file, read and judged whole.
//!
//! [`AccessConfig::parse`] gives everything that is wrong at once, each with the key to
//! change. What the file names (certificates, key sets) is opened by [`crate::Rules`].

mod identities;
mod listeners;
mod raw;

pub(crate) use listeners::LOCAL;
pub use listeners::{ListenerConfig, TlsConfig};

use crate::{
    class::Class,
    identity::{ApiKey, Identity, SigningKey},
};
use identities::Identities;
use raw::Raw;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Longest configuration, in bytes.
pub(crate) const MAX_FILE: u64 = 4 << 20;

/// Judges the DID of a participant: what is wrong with it.
pub type CheckDid = fn(&str) -> Result<(), String>;

/// A configuration of access.
#[derive(Debug)]
pub struct AccessConfig {
    /// Where callers are taken, and which.
    pub listeners: Vec<ListenerConfig>,
    /// Who issues tokens.
    pub(crate) issuers: Vec<IssuerConfig>,
    /// Whom a certificate belongs to, by its SM3.
    pub(crate) certificates: HashMap<[u8; 32], Arc<Identity>>,
    /// API keys by their SM3.
    pub(crate) keys: HashMap<[u8; 32], ApiKey>,
    /// Keys that sign requests, by their id.
    pub(crate) signing: HashMap<String, SigningKey>,
    /// Whom a token's subject belongs to: the issuer's name, the claim, its value.
    pub(crate) subjects: HashMap<(String, SubjectClaim, String), Arc<Identity>>,
    /// What one caller may ask of each class.
    pub(crate) limits: [LimitConfig; 5],
    /// How far the time of a signed request may be off.
    pub(crate) signing_window: Duration,
    /// How guessing of codes is slowed.
    pub(crate) guessing: GuessConfig,
    /// The log of access.
    pub log: Option<LogConfig>,
}

/// Who issues tokens.
#[derive(Clone, Debug)]
pub(crate) struct IssuerConfig {
    /// Its name in this file.
    pub(crate) name: String,
    /// Its `iss`.
    pub(crate) issuer: String,
    /// Who the tokens must be for.
    pub(crate) audience: String,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) keys: KeySource,
    /// Longest life of a token.
    pub(crate) max_age: Duration,
    /// How far its clock may be off.
    pub(crate) skew: Duration,
}

/// Where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    File(PathBuf),
    Url { url: String, ca_file: Option<PathBuf>, refresh: Duration },
}

/// How a token is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Algorithm {
    Sm2Sm3,
    Rs256,
    Es256,
}

impl Algorithm {
    /// As `alg` has it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "SM2-SM3" => Some(Self::Sm2Sm3),
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// The claim that names the caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum SubjectClaim {
    Sub,
    ClientId,
    Azp,
}

impl SubjectClaim {
    pub(crate) const ALL: [Self; 3] = [Self::Sub, Self::ClientId, Self::Azp];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sub => "sub",
            Self::ClientId => "client_id",
            Self::Azp => "azp",
        }
    }
}

/// What one caller may ask of a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitConfig {
    /// Units of work in a minute; a request has one, and more by the bound of its method.
    pub work_per_minute: u32,
    /// Units at once, after a pause.
    pub burst: u32,
    /// Bytes of requests and answers in a minute.
    pub bytes_per_minute: u64,
    /// Requests under way at once.
    pub concurrent: u32,
}

impl LimitConfig {
    /// What holds where the file says nothing.
    pub const fn usual(class: Class) -> Self {
        let (work_per_minute, burst, mib, concurrent) = match class {
            Class::Verify => (120, 60, 8, 16),
            Class::Read | Class::Operator => (120_000, 60_000, 1_024, 1_024),
            Class::Write => (600_000, 120_000, 4_096, 1_024),
            Class::Unsafe => (600, 60, 64, 4),
        };
        Self { work_per_minute, burst, bytes_per_minute: mib << 20, concurrent }
    }
}

/// How guessing of codes is slowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuessConfig {
    /// Wrong answers that cost nothing.
    pub free: u32,
    /// The first wait; each wrong answer after doubles it.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for GuessConfig {
    fn default() -> Self {
        Self { free: 5, first: Duration::from_secs(2), longest: Duration::from_secs(3_600) }
    }
}

impl GuessConfig {
    /// Most guesses that one key (a bill, or an address) bears in a day: those that are free,
    /// those of the growing waits, and one in each longest wait.
    pub fn most_in_a_day(&self) -> u64 {
        let (mut wait, mut spent, mut guesses) = (self.first, Duration::ZERO, u64::from(self.free));
        while wait < self.longest {
            spent += wait;
            wait *= 2;
            guesses += 1;
        }
        let day = Duration::from_secs(86_400).saturating_sub(spent);
        guesses + day.as_secs().div_ceil(self.longest.as_secs().max(1))
    }
}

/// Where the log of access lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Directory of its segments.
    pub directory: PathBuf,
    /// Bytes of a segment before the next begins.
    pub segment_bytes: u64,
    /// Segments that are kept; the oldest go. 0: all.
    pub keep_segments: u32,
}

/// Everything that is wrong with a configuration, at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration of access {}: {}", file.display(), problems.join("; "))]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// One sentence a problem; each begins with the key to change.
    pub problems: Vec<String>,
}

impl AccessConfig {
    /// The configuration that a node without one has: one plain listener. On a loopback
    /// address its callers may do everything, elsewhere all that is not unsafe.
    pub fn plain(listen: SocketAddr, connections: u32) -> Self {
        let listeners = vec![ListenerConfig::local(listen, connections)];
        Self::empty(listeners)
    }

    fn empty(listeners: Vec<ListenerConfig>) -> Self {
        Self {
            listeners,
            issuers: Vec::new(),
            certificates: HashMap::new(),
            keys: HashMap::new(),
            signing: HashMap::new(),
            subjects: HashMap::new(),
            limits: Class::ALL.map(LimitConfig::usual),
            signing_window: Duration::from_secs(300),
            guessing: GuessConfig::default(),
            log: None,
        }
    }

    /// Reads a configuration's text; relative paths begin at `base`. Fails with every
    /// problem.
    pub fn parse(text: &str, base: &Path, check_did: CheckDid) -> Result<Self, Vec<String>> {
        let raw: Raw =
            toml::from_str(text).map_err(|error| vec![format!("not usable: {error}")])?;
        let mut problems = Vec::new();
        let listeners = listeners::read(raw.listener, base, &mut problems);
        let issuers = identities::issuers(raw.issuer, base, &mut problems);
        let names: Vec<_> = issuers.iter().map(|issuer| issuer.name.clone()).collect();
        let read = identities::read(raw.identity, &names, check_did, &mut problems);
        let Identities { certificates, keys, signing, subjects } = read;
        let mut config =
            Self { issuers, certificates, keys, signing, subjects, ..Self::empty(listeners) };
        for (class, limit) in raw.limits {
            config.limits[class as usize] =
                limit.over(LimitConfig::usual(class), class, &mut problems);
        }
        if let Some(window) = raw.signing.window_s {
            bounded("signing.window_s", window, 10, 900, &mut problems);
            config.signing_window = Duration::from_secs(window);
        }
        config.guessing = raw.guessing.read(&mut problems);
        config.log = raw.log.map(|log| log.read(base, &mut problems));
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Reads a file.
    pub fn load(file: &Path, check_did: CheckDid) -> Result<Self, ConfigError> {
        let fail = |problems| ConfigError { file: file.into(), problems };
        let text = read_bounded(file, MAX_FILE).map_err(|problem| fail(vec![problem]))?;
        let base = file.parent().unwrap_or(Path::new("."));
        Self::parse(&text, base, check_did).map_err(fail)
    }
}

/// The text of a file of at most `most` bytes.
pub(crate) fn read_bounded(file: &Path, most: u64) -> Result<String, String> {
    use std::io::Read;
    let said = |error: std::io::Error| format!("cannot read {}: {error}", file.display());
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(said)?;
    opened.take(most + 1).read_to_string(&mut text).map_err(said)?;
    if text.len() as u64 > most {
        return Err(format!("{} is longer than {most} bytes", file.display()));
    }
    Ok(text)
}

/// Notes a number that is not within bounds.
fn bounded(key: &str, found: u64, least: u64, most: u64, problems: &mut Vec<String>) {
    if !(least..=most).contains(&found) {
        problems.push(format!("{key}: expected {least} to {most}, found {found}"));
    }
}

/// Whether an address is of this machine alone.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4: Ipv4Addr| v4.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests;
