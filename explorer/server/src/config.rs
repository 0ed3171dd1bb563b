//! Settings: a TOML file, and flags that come before it. All that is wrong is said at once.

use crate::auth::{Role, oidc, sessions::Lasting};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Deserialize;
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

/// The settings file, with every key explained.
pub const SAMPLE: &str = include_str!("sample.toml");

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// JSON-RPC addresses of the nodes that are followed.
    pub nodes: Vec<String>,
    /// File of the index, or `postgres://…`.
    pub database: String,
    /// File of users and access log.
    pub own: PathBuf,
    /// Chain specification, from which the trusted genesis is made.
    pub chain: PathBuf,
    /// Hash that the genesis must have.
    pub genesis: Option<String>,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// How browsers reach it, if otherwise than by `listen`.
    pub public_url: Option<String>,
    /// Proxies whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where `/metrics` answers beside `listen`; none: it does not.
    pub metrics: Option<SocketAddr>,
    /// Font of PDFs.
    pub font: Option<PathBuf>,
    /// Lag in milliseconds above which `/health` says no.
    pub max_lag_ms: u64,
    /// How people sign in.
    pub login: Login,
    /// What may be asked.
    pub limits: Limits,
}

/// How people sign in.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Login {
    /// By a participant's key.
    pub sm2: bool,
    /// By name, password and one-time code.
    pub password: bool,
    /// By the single sign-on.
    pub oidc: Option<oidc::Settings>,
    /// Role of whoever is not signed in: for a demonstration on this machine alone.
    pub anyone: Option<Role>,
    /// Whether the chain's administrators administer the explorer, too.
    pub chain_administrators: bool,
    /// Minutes after which a session without a request ends.
    pub idle_minutes: u64,
    /// Hours after which it ends in any case.
    pub whole_hours: u64,
}

/// What may be asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests under way.
    pub requests: usize,
    /// Seconds that an answer may take.
    pub seconds: u64,
    /// Rows of an export.
    pub export_rows: u64,
    /// Exports under way.
    pub exports: usize,
    /// Lines of server-sent events.
    pub lines: usize,
    /// Requests a second of a session, and of an address without one.
    pub session_rate: u32,
    /// Of an address without a session.
    pub address_rate: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nodes: vec!["http://127.0.0.1:9944".to_owned()],
            database: "explorer.db".to_owned(),
            own: "explorer-own.db".into(),
            chain: "chain.json".into(),
            genesis: None,
            listen: ([127, 0, 0, 1], 9980).into(),
            public_url: None,
            trusted_proxies: Vec::new(),
            metrics: Some(([127, 0, 0, 1], 9981).into()),
            font: None,
            max_lag_ms: 10_000,
            login: Login::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Login {
    fn default() -> Self {
        Self {
            sm2: true,
            password: true,
            oidc: None,
            anyone: None,
            chain_administrators: false,
            idle_minutes: 30,
            whole_hours: 12,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 1024,
            seconds: 10,
            export_rows: 100_000,
            exports: 4,
            lines: 256,
            session_rate: 20,
            address_rate: 10,
        }
    }
}

/// Flags that come before the file.
#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// Settings file (TOML). `billchain-explorer config` prints one with every key explained.
    #[arg(long, value_name = "FILE", env = "BILLCHAIN_EXPLORER_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// JSON-RPC address of a node, once for each node that is followed.
    #[arg(long = "node", value_name = "URL", global = true)]
    pub nodes: Vec<String>,
    /// File of the index, or postgres://….
    #[arg(long, value_name = "FILE|URL", global = true)]
    pub database: Option<String>,
    /// File of users and access log.
    #[arg(long, value_name = "FILE", global = true)]
    pub own: Option<PathBuf>,
    /// Chain specification: the file that the nodes have, too. The genesis that it makes is trusted.
    #[arg(long, value_name = "FILE", global = true)]
    pub chain: Option<PathBuf>,
    /// Hash that the genesis must have, as the operators told it.
    #[arg(long, value_name = "HASH", global = true)]
    pub genesis: Option<String>,
    /// Where the server listens.
    #[arg(long, value_name = "ADDRESS:PORT", global = true)]
    pub listen: Option<SocketAddr>,
    /// Where /metrics answers.
    #[arg(long, value_name = "ADDRESS:PORT", global = true)]
    pub metrics: Option<SocketAddr>,
    /// Role of whoever is not signed in: for a demonstration on this machine alone.
    #[arg(long, value_name = "ROLE", value_parser = role, global = true)]
    pub anyone: Option<Role>,
    /// How browsers reach the server, if otherwise: behind a proxy with HTTPS, for instance.
    #[arg(long, value_name = "URL", global = true)]
    pub public_url: Option<String>,
}

impl Settings {
    /// The settings of a file with the flags before it.
    ///
    /// # Errors
    /// If the file cannot be read, or anything in it or in the flags is wrong.
    pub fn read(flags: Flags) -> Result<Self> {
        let mut settings = match &flags.config {
            Some(file) => Self::of_file(file)?,
            None => Self::default(),
        };
        if !flags.nodes.is_empty() {
            settings.nodes = flags.nodes;
        }
        take(&mut settings.database, flags.database);
        take(&mut settings.own, flags.own);
        take(&mut settings.chain, flags.chain);
        take(&mut settings.listen, flags.listen);
        settings.login.anyone = flags.anyone.or(settings.login.anyone);
        settings.genesis = flags.genesis.or(settings.genesis);
        settings.public_url = flags.public_url.or(settings.public_url);
        settings.metrics = flags.metrics.or(settings.metrics);
        settings.judged()
    }

    fn of_file(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", file.display()))
    }

    fn judged(self) -> Result<Self> {
        let mut wrong = Vec::new();
        if self.nodes.is_empty() || self.nodes.len() > 64 {
            wrong.push("nodes (--node): 1 to 64 addresses".to_owned());
        }
        for node in &self.nodes {
            if !is_url(node) {
                wrong.push(format!(
                    "nodes (--node): {node:?} does not begin with http:// or https://"
                ));
            }
        }
        let hash = |text: &String| {
            let digits = text.strip_prefix("0x").unwrap_or(text);
            digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())
        };
        if !self.genesis.as_ref().is_none_or(hash) {
            wrong.push("genesis (--genesis): 0x and 64 hexadecimal digits".to_owned());
        }
        if let Some(url) = &self.public_url
            && (!is_url(url) || url.ends_with('/'))
        {
            wrong.push(format!(
                "public_url (--public-url): {url:?} is no http(s):// address without a / at its end"
            ));
        }
        if let Some(oidc) = &self.login.oidc {
            if oidc.issuer.ends_with('/') || !is_url(&oidc.issuer) {
                wrong.push(
                    "login.oidc.issuer: an http(s):// address without a / at its end".to_owned(),
                );
            }
            if oidc.roles.is_empty() {
                wrong.push(
                    "login.oidc.roles: at least one value of the claim with its role".to_owned(),
                );
            }
        }
        if self.login.anyone.is_some()
            && (!self.listen.ip().is_loopback() || self.public_url.is_some())
        {
            let said = "login.anyone (--anyone): only where listen is this machine alone and there is no public_url";
            wrong.push(said.to_owned());
        }
        if self.login.anyone == Some(Role::Participant) {
            wrong.push(
                "login.anyone (--anyone): a participant has a DID, and not everybody the same"
                    .to_owned(),
            );
        }
        if !self.login.sm2 && !self.login.password && self.login.oidc.is_none() {
            wrong.push("login: at least one of sm2, password and oidc".to_owned());
        }
        for (name, value, least, most) in self.numbers() {
            if !(least..=most).contains(&value) {
                wrong.push(format!("{name}: {value} is not between {least} and {most}"));
            }
        }
        if !wrong.is_empty() {
            bail!("the settings are wrong:\n  {}", wrong.join("\n  "));
        }
        Ok(self)
    }

    fn numbers(&self) -> [(&'static str, u64, u64, u64); 10] {
        let Limits { requests, seconds, export_rows, exports, lines, session_rate, address_rate } =
            self.limits;
        [
            ("max_lag_ms", self.max_lag_ms, 1, 86_400_000),
            ("login.idle_minutes", self.login.idle_minutes, 1, 1440),
            ("login.whole_hours", self.login.whole_hours, 1, 720),
            ("limits.requests", requests as u64, 1, 65_536),
            ("limits.seconds", seconds, 1, 600),
            ("limits.export_rows", export_rows, 1, 1_048_575),
            ("limits.exports", exports as u64, 1, 64),
            ("limits.lines", lines as u64, 1, 65_536),
            ("limits.session_rate", session_rate.into(), 1, 100_000),
            ("limits.address_rate", address_rate.into(), 1, 100_000),
        ]
    }

    /// How browsers reach the server.
    pub fn address(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// Whether browsers reach it by HTTPS.
    pub fn is_secure(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }

    /// How long sessions last.
    pub fn lasting(&self) -> Lasting {
        let minute = 60_000;
        Lasting {
            idle: self.login.idle_minutes * minute,
            whole: self.login.whole_hours * 60 * minute,
        }
    }
}

fn role(text: &str) -> Result<Role, String> {
    Role::of(text).ok_or_else(|| "operator, auditor or administrator".to_owned())
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
}

fn take<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_what_holds_without_a_file() {
        let sample: Settings = toml::from_str(SAMPLE).unwrap();
        assert_eq!(format!("{sample:?}"), format!("{:?}", Settings::default()));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let settings = Settings {
            nodes: vec!["ftp://a".into()],
            genesis: Some("0x12".into()),
            max_lag_ms: 0,
            login: Login { anyone: Some(Role::Auditor), ..Login::default() },
            public_url: Some("https://a/".into()),
            ..Settings::default()
        };
        let said = format!("{:#}", settings.judged().unwrap_err());
        for part in ["ftp://a", "genesis", "max_lag_ms: 0", "public_url", "login.anyone"] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn flags_come_before_the_file_and_unknown_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("e.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\nmax_lag_ms = 5").unwrap();
        let flags = Flags {
            config: Some(file.clone()),
            nodes: vec!["http://b".into()],
            ..Flags::default()
        };
        let settings = Settings::read(flags.clone()).unwrap();
        assert_eq!((settings.listen.port(), settings.max_lag_ms), (1, 5));
        assert_eq!(settings.nodes, ["http://b"]);
        std::fs::write(&file, "lissten = 1").unwrap();
        assert!(format!("{:#}", Settings::read(flags).unwrap_err()).contains("lissten"));
    }
}
