//! Statistics [202] from the rollups, and the summary of the first page.

use super::{Queries, QueryError, Where, refuse};
use crate::{
    insert::Value,
    names,
    shape::{day_of, join},
    status::now_ms,
};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::Row;
use std::collections::BTreeMap;

/// Most groups of an answer.
const MAX_GROUPS: u32 = 4_000;

/// By what bills are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatisticsBy {
    /// Day, yyyymmdd.
    Day,
    /// Month, yyyymm.
    Month,
    /// Year.
    Year,
    /// 行政区划.
    Region,
    /// 分类.
    Class,
    /// 开票单位; of operations, who did them.
    Issuer,
    /// Scene.
    Scene,
    /// Status.
    Status,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatisticsWhat {
    /// Bills by their issue date, red ones left out: count and totals.
    Issued,
    /// Reversals in red, by the day on which they were done: count, and the totals reversed.
    Reversed,
    /// Reimbursements, by the day on which they were done: count and amounts.
    Reimbursed,
    /// Locks, by the day on which they were made: count.
    Locked,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatisticsAsk {
    /// By what.
    pub by: StatisticsBy,
    /// Of what.
    pub what: StatisticsWhat,
    /// First day, yyyymmdd.
    pub from: u32,
    /// Last day.
    pub to: u32,
    /// DID of the issuer, or of who operated.
    pub issuer: Option<String>,
    /// 行政区划, two digits.
    pub region: Option<String>,
    /// 分类, two digits.
    pub class: Option<String>,
    /// Scene.
    pub scene: Option<u16>,
    /// Whether the year before is asked, too.
    pub compare: bool,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatisticsRow {
    /// Its key: a day, a DID, a status …
    pub key: String,
    /// Its name, of issuers and scenes.
    pub name: Option<String>,
    /// How many.
    pub count: i64,
    /// Over how much, in fen. JavaScript's numbers are exact up to 90 trillion yuan.
    pub fen: i64,
}

/// A sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sum {
    /// How many.
    pub count: i64,
    /// Over how much, in fen.
    pub fen: i64,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Statistics {
    /// Groups in the order of their keys.
    pub rows: Vec<StatisticsRow>,
    /// The same a year before; keys of time are a year later, so that they meet.
    pub before: Option<Vec<StatisticsRow>>,
    /// All.
    pub total: Sum,
    /// All of the year before.
    pub total_before: Option<Sum>,
}

/// What the first page shows.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Bills, red ones too.
    pub bills: i64,
    /// Their totals.
    pub fen: i64,
    /// What was issued today.
    pub today: Sum,
    /// Bills by status.
    pub by_status: Vec<StatisticsRow>,
    /// Transactions of the last minute of blocks, a second on average.
    pub tps: f64,
    /// Participants.
    pub participants: i64,
    /// Transactions.
    pub transactions: i64,
}

fn fen(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}

fn sum_of(rows: &[StatisticsRow]) -> Sum {
    rows.iter().fold(Sum::default(), |sum, row| Sum {
        count: sum.count.saturating_add(row.count),
        fen: sum.fen.saturating_add(row.fen),
    })
}

fn two_digits(field: &'static str, text: &str) -> Result<i64, QueryError> {
    match text.parse::<i64>() {
        Ok(number) if text.len() == 2 && number >= 0 => Ok(number),
        _ => refuse(field, "two digits"),
    }
}

impl StatisticsAsk {
    fn key(&self) -> &'static str {
        match self.by {
            StatisticsBy::Day => "r.day",
            StatisticsBy::Month => "r.day / 100",
            StatisticsBy::Year => "r.day / 10000",
            StatisticsBy::Region => "r.region",
            StatisticsBy::Class => "r.class",
            StatisticsBy::Issuer => self.who(),
            StatisticsBy::Scene => "r.scene",
            StatisticsBy::Status => "r.status",
        }
    }

    const fn who(&self) -> &'static str {
        match self.what {
            StatisticsWhat::Issued => "r.issuer",
            _ => "r.operator",
        }
    }

    const fn source(&self) -> (&'static str, &'static str) {
        match self.what {
            StatisticsWhat::Issued => ("rollup_bills r", "r.bills, r.total_high, r.total_low"),
            _ => ("rollup_operations r", "r.operations, r.amount_high, r.amount_low"),
        }
    }

    fn is_time(&self) -> bool {
        matches!(self.by, StatisticsBy::Day | StatisticsBy::Month | StatisticsBy::Year)
    }

    /// How much later the keys of the year before are made.
    const fn year(&self) -> i64 {
        match self.by {
            StatisticsBy::Day => 10_000,
            StatisticsBy::Month => 100,
            StatisticsBy::Year => 1,
            _ => 0,
        }
    }
}

impl Queries {
    /// Bills or operations in groups.
    ///
    /// # Errors
    /// Something is not in its form, or the database fails.
    pub async fn statistics(&self, ask: &StatisticsAsk) -> Result<Statistics, QueryError> {
        if ask.from > ask.to || ask.from < 19_700_101 || ask.to > 99_991_231 {
            return refuse("from", "a day yyyymmdd that is not after `to`");
        }
        if ask.by == StatisticsBy::Status && ask.what != StatisticsWhat::Issued {
            return refuse("by", "no status, which operations do not have");
        }
        let rows = self.groups(ask, 0).await?;
        let before = if ask.compare { Some(self.groups(ask, 10_000).await?) } else { None };
        Ok(Statistics {
            total: sum_of(&rows),
            total_before: before.as_deref().map(sum_of),
            rows,
            before,
        })
    }

    async fn groups(
        &self,
        ask: &StatisticsAsk,
        earlier: u32,
    ) -> Result<Vec<StatisticsRow>, QueryError> {
        let mut conditions = Where::default();
        let days = [Value::from(ask.from - earlier), Value::from(ask.to - earlier)];
        conditions.and("r.day BETWEEN ? AND ?", days);
        match ask.what {
            StatisticsWhat::Issued => conditions.and("r.kind <> 1", []),
            what => {
                use billchain_primitives::Operation;
                let operation = match what {
                    StatisticsWhat::Reversed => Operation::RedReverse,
                    StatisticsWhat::Reimbursed => Operation::Reimburse,
                    _ => Operation::Lock,
                };
                conditions.equal("r.cause", Some(names::number(&operation)));
                if what == StatisticsWhat::Reversed {
                    // The red bill counts: the balance bill comes by the same operation.
                    conditions.and("r.kind = 1", []);
                }
            }
        }
        if let Some(issuer) = &ask.issuer {
            let Some(id) = self.did_id(issuer).await? else { return Ok(Vec::new()) };
            conditions.equal(ask.who(), Some(id));
        }
        if let Some(region) = &ask.region {
            conditions.equal("r.region", Some(two_digits("region", region)?));
        }
        if let Some(class) = &ask.class {
            conditions.equal("r.class", Some(two_digits("class", class)?));
        }
        conditions.equal("r.scene", ask.scene);
        let (table, columns) = ask.source();
        let sums: Vec<String> =
            columns.split(", ").map(|column| format!("CAST(SUM({column}) AS BIGINT)")).collect();
        let key = ask.key();
        let sql = format!(
            "SELECT CAST({key} AS BIGINT), {} FROM {table} WHERE {} GROUP BY {key} ORDER BY 1 \
             LIMIT {MAX_GROUPS}",
            sums.join(", "),
            conditions.text()
        );
        let rows = self.rows(sql, conditions.values).await?;
        let mut groups = BTreeMap::new();
        for row in &rows {
            let key: i64 = row.try_get(0)?;
            let amount = join(row.try_get(2)?, row.try_get(3)?);
            let shift = if earlier > 0 { ask.year() } else { 0 };
            // Bills that were of a status once, and are no more, leave a row of nothing.
            if (row.try_get::<i64, _>(1)?, amount) == (0, 0) {
                continue;
            }
            // What a red bill takes back is negative.
            let amount = if ask.what == StatisticsWhat::Reversed { amount.abs() } else { amount };
            groups.insert(key + shift, (row.try_get::<i64, _>(1)?, fen(amount)));
        }
        self.named(ask, groups).await
    }

    async fn named(
        &self,
        ask: &StatisticsAsk,
        groups: BTreeMap<i64, (i64, i64)>,
    ) -> Result<Vec<StatisticsRow>, QueryError> {
        let people = match ask.by {
            StatisticsBy::Issuer => self.people(groups.keys().copied().collect()).await?,
            _ => Default::default(),
        };
        let scenes: BTreeMap<i64, String> = match ask.by {
            StatisticsBy::Scene => {
                let rows =
                    self.rows("SELECT id, name FROM scenes LIMIT 1000".into(), Vec::new()).await?;
                let pairs: Result<_, sqlx::Error> =
                    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect();
                pairs?
            }
            _ => BTreeMap::new(),
        };
        let row = |(key, (count, fen)): (i64, (i64, i64))| {
            let (key, name) = match ask.by {
                _ if ask.is_time() => (key.to_string(), None),
                StatisticsBy::Region | StatisticsBy::Class => (format!("{key:02}"), None),
                StatisticsBy::Issuer => (people.did(key), people.name(key)),
                StatisticsBy::Status => (names::status(key), None),
                _ => (key.to_string(), scenes.get(&key).cloned()),
            };
            StatisticsRow { key, name, count, fen }
        };
        Ok(groups.into_iter().map(row).collect())
    }

    /// What the first page shows.
    ///
    /// # Errors
    /// The database fails.
    pub async fn summary(&self) -> Result<Summary, QueryError> {
        let sql = "SELECT status, CAST(SUM(bills) AS BIGINT), CAST(SUM(total_high) AS BIGINT), \
                   CAST(SUM(total_low) AS BIGINT) FROM rollup_bills GROUP BY status ORDER BY status";
        let mut by_status = Vec::new();
        for row in self.rows(sql.into(), Vec::new()).await? {
            let key = names::status(row.try_get(0)?);
            let amount = fen(join(row.try_get(2)?, row.try_get(3)?));
            if row.try_get::<i64, _>(1)? == 0 {
                continue;
            }
            by_status.push(StatisticsRow { key, name: None, count: row.try_get(1)?, fen: amount });
        }
        let now = u64::try_from(now_ms()).unwrap_or_default();
        let today = u32::try_from(day_of(now)).unwrap_or_default();
        let ask = StatisticsAsk {
            by: StatisticsBy::Day,
            what: StatisticsWhat::Issued,
            from: today,
            to: today,
            issuer: None,
            region: None,
            class: None,
            scene: None,
            compare: false,
        };
        let all = sum_of(&by_status);
        Ok(Summary {
            bills: all.count,
            fen: all.fen,
            today: self.statistics(&ask).await?.total,
            by_status,
            tps: self.tps().await?,
            participants: self.count("SELECT COUNT(*) FROM participants").await?,
            transactions: self
                .count("SELECT CAST(COALESCE(SUM(transactions), 0) AS BIGINT) FROM rollup_days")
                .await?,
        })
    }

    async fn count(&self, sql: &'static str) -> Result<i64, QueryError> {
        let row = self.row(sql.into(), Vec::new()).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
    }

    async fn tps(&self) -> Result<f64, QueryError> {
        let last = self.count("SELECT time FROM ledger").await?;
        let sql =
            "SELECT CAST(COALESCE(SUM(transactions), 0) AS BIGINT) FROM blocks WHERE time > $1";
        let row = self.row(sql.into(), vec![Value::from(last - 60_000)]).await?;
        let count: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        // A figure for people: no amount depends on it.
        Ok(count as f64 / 60.0)
    }
}
