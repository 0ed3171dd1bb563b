//! What may be asked of the tables. Answers have the fields, by name, that the explorer's page
//! uses (`explorer/web/src/api/types.ts`).
//!
//! Every question is bounded: a page has [`MAX_LIMIT`] rows at most and goes on after a cursor,
//! and where a filter fits no index, [`MAX_LOOKED`] rows are looked at for one page. So a page may
//! hold fewer rows than its limit and still have a next one.

mod bill;
mod bills;
mod blocks;
mod council;
mod disputes;
mod events;
mod grants;
mod life;
mod parties;
mod policies;
mod rules;
mod scenes;
mod search;
mod statistics;
mod transactions;

pub use bill::*;
pub use bills::*;
pub use blocks::*;
pub use council::*;
pub use disputes::*;
pub use events::*;
pub use grants::*;
pub use life::*;
pub use parties::*;
pub use policies::*;
pub use rules::*;
pub use scenes::*;
pub use search::*;
pub use statistics::*;
pub use transactions::*;

use crate::{
    insert::{Value, bind},
    shape::{bill_key, block_of, place_of},
    stored::StoredError,
    tables::Tables,
};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};
use std::collections::HashMap;

/// Most rows of a page.
pub const MAX_LIMIT: u32 = 1_000;
/// Most rows that are looked at for a page.
pub const MAX_LOOKED: u32 = 20_000;
/// Longest text of a filter.
pub const MAX_TEXT: usize = 256;

/// Asks the tables. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queries {
    tables: Tables,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Something that was given is not in its form.
    #[error("{field}: expected {expected}")]
    Argument {
        /// Which one.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The database failed, or a row is damaged.
    #[error(transparent)]
    Stored(#[from] StoredError),
}

impl From<sqlx::Error> for QueryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Stored(error.into())
    }
}

pub(crate) fn refuse<T>(field: &'static str, expected: &'static str) -> Result<T, QueryError> {
    Err(QueryError::Argument { field, expected })
}

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the last page ended; none: from the beginning.
    pub cursor: Option<String>,
    /// Rows, 1 to [`MAX_LIMIT`].
    pub limit: u32,
    /// Oldest first instead of newest first.
    pub upwards: bool,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { cursor: None, limit: 50, upwards: false }
    }
}

impl PageRequest {
    fn limit(&self) -> Result<usize, QueryError> {
        if (1..=MAX_LIMIT).contains(&self.limit) {
            Ok(usize::try_from(self.limit).unwrap_or(1))
        } else {
            refuse("limit", "1 to 1000")
        }
    }

    /// The cursor's numbers.
    fn after<const N: usize>(&self) -> Result<Option<[i64; N]>, QueryError> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let numbers: Option<Vec<i64>> =
            text.split('.').take(N + 1).map(|part| part.parse().ok()).collect();
        match numbers.and_then(|numbers| numbers.try_into().ok()) {
            Some(numbers) => Ok(Some(numbers)),
            None => refuse("cursor", "the `next` of the page before"),
        }
    }

    const fn order(&self) -> (&'static str, &'static str) {
        if self.upwards { ("ASC", ">") } else { ("DESC", "<") }
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Page<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// The cursor of the next page; none: this is the last one.
    pub next: Option<String>,
}

/// Code and number of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Key {
    /// 票据代码.
    pub code: String,
    /// 票据号码.
    pub number: String,
}

impl Key {
    pub(crate) fn of(id: i64) -> Self {
        bill_key(id).map_or_else(
            || Self { code: String::new(), number: String::new() },
            |key| Self { code: key.code.to_string(), number: key.number.to_string() },
        )
    }
}

/// What all of the conditions are that rows must meet.
#[derive(Debug, Default)]
pub(crate) struct Where {
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Where {
    /// Adds a condition; each `?` stands for the next value.
    pub(crate) fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        let mut values = values.into_iter();
        let mut text = String::new();
        for part in condition.split_inclusive('?') {
            match part.strip_suffix('?') {
                Some(before) => {
                    self.values.extend(values.next());
                    text.push_str(before);
                    text.push_str(&format!("${}", self.values.len()));
                }
                None => text.push_str(part),
            }
        }
        self.parts.push(text);
    }

    /// Adds `column = value` if there is one.
    pub(crate) fn equal<T: Into<Value>>(&mut self, column: &str, value: Option<T>) {
        if let Some(value) = value {
            self.and(&format!("{column} = ?"), [value.into()]);
        }
    }

    pub(crate) fn text(&self) -> String {
        if self.parts.is_empty() { "1 = 1".into() } else { self.parts.join(" AND ") }
    }
}

impl Queries {
    /// Asks these tables.
    pub const fn new(tables: Tables) -> Self {
        Self { tables }
    }

    /// The tables.
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) async fn rows(
        &self,
        sql: String,
        values: Vec<Value>,
    ) -> Result<Vec<AnyRow>, QueryError> {
        let query = sqlx::query(AssertSqlSafe(sql));
        Ok(values.into_iter().fold(query, bind).fetch_all(self.tables.pool()).await?)
    }

    pub(crate) async fn row(
        &self,
        sql: String,
        values: Vec<Value>,
    ) -> Result<Option<AnyRow>, QueryError> {
        let query = sqlx::query(AssertSqlSafe(sql));
        Ok(values.into_iter().fold(query, bind).fetch_optional(self.tables.pool()).await?)
    }

    /// The number of a DID; `None`: nobody has it.
    pub(crate) async fn did_id(&self, did: &str) -> Result<Option<i64>, QueryError> {
        if did.len() > MAX_TEXT {
            return refuse("did", "a DID of at most 64 characters");
        }
        let row = self.row("SELECT id FROM dids WHERE did = $1".into(), vec![did.into()]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// DIDs and names of people by their numbers, for the rows of a page.
    pub(crate) async fn people(&self, ids: Vec<i64>) -> Result<People, QueryError> {
        let mut ids = ids;
        ids.sort_unstable();
        ids.dedup();
        let mut people = People::default();
        for some in ids.chunks(500) {
            let list: Vec<String> = some.iter().map(ToString::to_string).collect();
            let sql = format!(
                "SELECT d.id, d.did, p.name FROM dids d LEFT JOIN participants p ON p.id = d.id \
                 WHERE d.id IN ({})",
                list.join(", ")
            );
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            for row in query.fetch_all(self.tables.pool()).await? {
                let person = (row.try_get(1)?, row.try_get(2)?);
                people.0.insert(row.try_get(0)?, person);
            }
        }
        Ok(people)
    }

    /// `0x` hashes of transactions by their numbers.
    pub(crate) async fn tx_hashes(
        &self,
        ids: Vec<i64>,
    ) -> Result<HashMap<i64, String>, QueryError> {
        let mut ids = ids;
        ids.sort_unstable();
        ids.dedup();
        let mut hashes = HashMap::new();
        for some in ids.chunks(500) {
            let list: Vec<String> = some.iter().map(ToString::to_string).collect();
            let sql =
                format!("SELECT id, hash FROM transactions WHERE id IN ({})", list.join(", "));
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            for row in query.fetch_all(self.tables.pool()).await? {
                hashes.insert(row.try_get(0)?, hex_of(&row, 1)?);
            }
        }
        Ok(hashes)
    }
}

/// DIDs and names by number.
#[derive(Debug, Default)]
pub(crate) struct People(HashMap<i64, (String, Option<String>)>);

impl People {
    pub(crate) fn did(&self, id: i64) -> String {
        self.0.get(&id).map(|person| person.0.clone()).unwrap_or_default()
    }

    pub(crate) fn name(&self, id: i64) -> Option<String> {
        self.0.get(&id).and_then(|person| person.1.clone()).filter(|name| !name.is_empty())
    }
}

/// A byte string of a row as `0x` hex.
pub(crate) fn hex_of(row: &AnyRow, at: usize) -> Result<String, QueryError> {
    let bytes: Vec<u8> = row.try_get(at)?;
    Ok(format!("0x{}", hex::encode(bytes)))
}

/// The same, where it may be absent.
pub(crate) fn maybe_hex(row: &AnyRow, at: usize) -> Result<Option<String>, QueryError> {
    let bytes: Option<Vec<u8>> = row.try_get(at)?;
    Ok(bytes.map(|bytes| format!("0x{}", hex::encode(bytes))))
}

/// 32 bytes of `0x` hex.
pub(crate) fn hash_of(field: &'static str, text: &str) -> Result<[u8; 32], QueryError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let bytes = hex::decode(digits).ok().and_then(|bytes| bytes.try_into().ok());
    match bytes {
        Some(bytes) => Ok(bytes),
        None => refuse(field, "32 bytes as 0x hex"),
    }
}

/// JSON of a column; what is no JSON is text.
pub(crate) fn json_of(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()))
}

/// A page of rows that were asked for one more than its limit.
pub(crate) fn page_of<T>(rows: Vec<(T, String)>, limit: usize) -> Page<T> {
    let more = rows.len() > limit;
    let mut next = None;
    let mut items = Vec::new();
    for (item, cursor) in rows.into_iter().take(limit) {
        next = Some(cursor);
        items.push(item);
    }
    Page { items, next: next.filter(|_| more) }
}

/// Block and place of a transaction's number.
pub(crate) fn stamp_of(tx: i64) -> (u32, Option<u32>) {
    (block_of(tx), place_of(tx))
}

#[cfg(test)]
mod tests;
