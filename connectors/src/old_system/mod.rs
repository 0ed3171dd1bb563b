//! The old fiscal bill system (原财政电子票据系统), while both are in use: every change of a status
//! is written back to it (状态回写), older bills are asked of it (以票查票), and each night both
//! sides are compared (一致性比对) [76, 86, 89–91].
//!
//! | service | for | message | done |
//! | --- | --- | --- | --- |
//! | `bill_status` | lock, unlock and every other change | the bill's state and version | `serial` |
//! | `bill_account` (入账反馈) | reimburse, and its reversal | the same, with `account_type` | `serial` |
//! | `bill_query` | 以票查票 | three codes | the bill |
//! | `bill_download` | its original | three codes | a ZIP |
//! | `bill_compare`, `bill_list` | the comparison | a range of `code-number` | count and SM3, or bills |
//!
//! `request_id` is the entry's idempotency key: the other side does a request once. A version
//! that is older than the one it has changes nothing there.

mod compare;
mod query;
mod write_back;

pub use compare::{Difference, Progress, Verdict, judge};
pub use query::{Codes, Download, checked_zip};

use async_trait::async_trait;
use billchain_primitives::Moment;
use billchain_workers::{Connector, Failure, Making, Notice, Tended, Told, Tools, tools::Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};

use crate::{
    answer::unanswered,
    form::{Caller, Outcome},
    settings::{self, Problems},
    signed,
};

/// Name of the format.
pub const FORMAT: &str = "mof-public-service/1";

/// The operator's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Base of the interface's URLs, such as `https://host/public`.
    pub url: String,
    /// What the platform gave.
    pub app_id: String,
    /// File with the key that it gave.
    pub app_key_file: PathBuf,
    /// The nightly comparison; none: this worker does none.
    pub compare: Option<CompareSettings>,
}

/// When the sides are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompareSettings {
    /// Minute of the day, in UTC+8, at which a round begins.
    pub at_minute: u32,
    /// Seconds from round to round.
    pub every_s: u64,
    /// For how many seconds after its last change a bill may differ, because the change is
    /// still on its way.
    pub grace_s: u64,
}

impl Default for CompareSettings {
    fn default() -> Self {
        Self { at_minute: 120, every_s: 86_400, grace_s: 600 }
    }
}

/// A bill as the old system has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OldBill {
    /// 票据代码.
    pub bill_code: String,
    /// 票据号码.
    pub bill_number: String,
    /// Its status, in the chain's words.
    pub status: String,
    /// Version on the chain that was written back last; 0: none was.
    #[serde(default)]
    pub version: u32,
    /// Total, in fen.
    #[serde(default)]
    pub total_fen: i64,
    /// Reimbursed so far, in fen.
    #[serde(default)]
    pub reimbursed_fen: i64,
    /// Issue date, `yyyymmdd`.
    #[serde(default)]
    pub issue_date: String,
    /// When it was changed there, in milliseconds since 1970.
    #[serde(default)]
    pub changed: Moment,
}

impl OldBill {
    /// `code-number`.
    pub fn key(&self) -> String {
        format!("{}-{}", self.bill_code, self.bill_number)
    }
}

/// The old system, as a client of it.
#[derive(Clone)]
pub struct OldSystem {
    url: String,
    caller: Caller,
    tools: Arc<Tools>,
}

impl OldSystem {
    /// A client, and what of its settings the connector alone needs.
    pub fn new(settings: &Settings, tools: Arc<Tools>) -> Result<Self, String> {
        let mut problems = Problems::default();
        let is_url = settings::is_base_url(&settings.url);
        problems.expect(is_url, "url", "a URL without / at its end", &settings.url);
        let is_id = (1..=64).contains(&settings.app_id.len());
        problems.expect(is_id, "app_id", "1 to 64 characters", &settings.app_id);
        let app_key = problems.take(settings::secret("app_key_file", &settings.app_key_file));
        problems.end()?;
        let caller =
            Caller { app_id: settings.app_id.clone(), app_key: app_key.unwrap_or_default() };
        Ok(Self { url: settings.url.clone(), caller, tools })
    }

    fn request(&self, service: &str, request_id: &str, message: &Value) -> Request {
        let body = self.caller.request(request_id, &local_time(self.tools.clock.now()), message);
        let url = format!("{}/{service}", self.url);
        Request::post(url, "application/x-www-form-urlencoded; charset=utf-8", body)
    }

    /// Asks a service that has no effect.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        service: &str,
        message: Value,
    ) -> Result<Outcome<T>, Failure> {
        let id = signed::question_id(&format!("{service} {message} {}", self.tools.clock.now()));
        let answer = self.tools.http.send(self.request(service, &id, &message)).await;
        self.caller.read(&id, &answer.map_err(unanswered)?)
    }
}

/// The connector.
struct OldSystemConnector {
    system: OldSystem,
    compare: Option<compare::Comparison>,
}

/// Builds the connector.
pub fn build(making: Making) -> Result<Box<dyn Connector>, String> {
    let settings: Settings = settings::read(making.settings)?;
    let system = OldSystem::new(&settings, making.tools)?;
    let mut problems = Problems::default();
    if let Some(compare) = settings.compare {
        let at = compare.at_minute.to_string();
        problems.expect(compare.at_minute < 1_440, "compare.at_minute", "0 to 1439", &at);
        let every = compare.every_s.to_string();
        problems.expect(
            (1..=31 * 86_400).contains(&compare.every_s),
            "compare.every_s",
            "1 to 2678400",
            &every,
        );
    }
    problems.end()?;
    let compare =
        settings.compare.map(|settings| compare::Comparison::new(settings, system.clone()));
    Ok(Box::new(OldSystemConnector { system, compare }))
}

#[async_trait]
impl Connector for OldSystemConnector {
    async fn deliver(&self, notices: &[Notice]) -> Vec<Result<Told, Failure>> {
        let mut outcomes = Vec::with_capacity(notices.len());
        for notice in notices {
            outcomes.push(self.system.write_back(notice).await);
        }
        outcomes
    }

    async fn probe(&self) -> Result<(), Failure> {
        self.system.ask::<Value>("ping", json!({})).await.map(|_| ())
    }

    async fn tend(&self, now: Moment) -> Result<Tended, Failure> {
        match &self.compare {
            Some(compare) => compare.step(now).await,
            None => Ok(Tended::Rested),
        }
    }
}

/// `yyyyMMddHHmmss` in UTC+8, as the interface wants it.
fn local_time(moment: Moment) -> String {
    let seconds = moment / 1_000 + 8 * 3_600;
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

/// Year, month and day of a number of days since 1970-01-01 (Gregorian).
fn date(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01, in eras of 400 years: the leap day is a year's last.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_wall_in_shanghai() {
        for (moment, expected) in [
            (0, "19700101080000"),
            (1_767_196_800_000, "20260101000000"),
            (1_709_164_799_000, "20240229075959"),
            (951_782_400_000, "20000229080000"),
            (4_102_444_799_999, "21000101075959"),
        ] {
            assert_eq!(local_time(moment), expected, "{moment}");
        }
    }
}
