//! The file as it is written.

use super::{GuessConfig, LimitConfig, LogConfig, bounded};
use crate::class::Class;
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path, time::Duration};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default)]
    pub(super) listener: Vec<RawListener>,
    #[serde(default)]
    pub(super) identity: Vec<RawIdentity>,
    #[serde(default)]
    pub(super) issuer: Vec<RawIssuer>,
    #[serde(default)]
    pub(super) limits: BTreeMap<Class, RawLimit>,
    #[serde(default)]
    pub(super) signing: RawWindow,
    #[serde(default)]
    pub(super) guessing: RawGuessing,
    pub(super) log: Option<RawLog>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListener {
    pub(super) name: String,
    pub(super) listen: String,
    pub(super) classes: Vec<Class>,
    pub(super) anonymous: Option<Vec<Class>>,
    pub(super) tls: Option<RawTls>,
    #[serde(default)]
    pub(super) plain: bool,
    #[serde(default)]
    pub(super) allow: Vec<String>,
    #[serde(default)]
    pub(super) deny: Vec<String>,
    #[serde(default)]
    pub(super) origins: Vec<String>,
    pub(super) connections: Option<u32>,
    pub(super) connections_per_address: Option<u32>,
    #[serde(default)]
    pub(super) compress: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    pub(super) certificate: String,
    pub(super) key: String,
    pub(super) clients: Option<String>,
    #[serde(default)]
    pub(super) require_certificate: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIdentity {
    pub(super) name: String,
    pub(super) participant: Option<String>,
    pub(super) classes: Vec<Class>,
    pub(super) share_percent: Option<u32>,
    #[serde(default)]
    pub(super) certificates: Vec<String>,
    #[serde(default)]
    pub(super) keys: Vec<RawKey>,
    #[serde(default)]
    pub(super) signing: Vec<RawSigning>,
    #[serde(default)]
    pub(super) subjects: Vec<RawSubject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKey {
    pub(super) sm3: String,
    pub(super) expires: Option<toml::value::Datetime>,
    #[serde(default)]
    pub(super) revoked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSigning {
    pub(super) id: String,
    pub(super) sm2: String,
    pub(super) expires: Option<toml::value::Datetime>,
    #[serde(default)]
    pub(super) revoked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSubject {
    pub(super) issuer: String,
    pub(super) sub: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) azp: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIssuer {
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) algorithms: Vec<String>,
    pub(super) keys_file: Option<String>,
    pub(super) keys_url: Option<String>,
    pub(super) keys_ca_file: Option<String>,
    pub(super) refresh_s: Option<u64>,
    pub(super) max_age_s: Option<u64>,
    pub(super) skew_s: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimit {
    work_per_minute: Option<u32>,
    burst: Option<u32>,
    mib_per_minute: Option<u32>,
    concurrent: Option<u32>,
}

impl RawLimit {
    pub(super) fn over(
        self,
        usual: LimitConfig,
        class: Class,
        problems: &mut Vec<String>,
    ) -> LimitConfig {
        let limit = LimitConfig {
            work_per_minute: self.work_per_minute.unwrap_or(usual.work_per_minute),
            burst: self.burst.unwrap_or(usual.burst),
            bytes_per_minute: self
                .mib_per_minute
                .map_or(usual.bytes_per_minute, |mib| u64::from(mib) << 20),
            concurrent: self.concurrent.unwrap_or(usual.concurrent),
        };
        for (key, value, most) in [
            ("work_per_minute", u64::from(limit.work_per_minute), 1_000_000_000),
            ("burst", u64::from(limit.burst), 1_000_000_000),
            ("mib_per_minute", limit.bytes_per_minute >> 20, 1 << 20),
            ("concurrent", u64::from(limit.concurrent), 65_536),
        ] {
            bounded(&format!("limits.{class}.{key}"), value, 1, most, problems);
        }
        limit
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWindow {
    pub(super) window_s: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGuessing {
    free: Option<u32>,
    first_wait_s: Option<u64>,
    longest_wait_s: Option<u64>,
}

impl RawGuessing {
    pub(super) fn read(self, problems: &mut Vec<String>) -> GuessConfig {
        let usual = GuessConfig::default();
        let free = self.free.unwrap_or(usual.free);
        let first = self.first_wait_s.unwrap_or(usual.first.as_secs());
        let longest = self.longest_wait_s.unwrap_or(usual.longest.as_secs());
        bounded("guessing.free", u64::from(free), 1, 100, problems);
        bounded("guessing.first_wait_s", first, 1, 3_600, problems);
        bounded("guessing.longest_wait_s", longest, first, 86_400, problems);
        GuessConfig {
            free,
            first: Duration::from_secs(first),
            longest: Duration::from_secs(longest),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    directory: String,
    segment_mib: Option<u64>,
    keep_segments: Option<u32>,
}

impl RawLog {
    pub(super) fn read(self, base: &Path, problems: &mut Vec<String>) -> LogConfig {
        let mib = self.segment_mib.unwrap_or(64);
        bounded("log.segment_mib", mib, 1, 4_096, problems);
        if self.directory.trim().is_empty() {
            problems.push("log.directory: must not be empty".into());
        }
        LogConfig {
            directory: base.join(self.directory),
            segment_bytes: mib << 20,
            keep_segments: self.keep_segments.unwrap_or(0),
        }
    }
}
