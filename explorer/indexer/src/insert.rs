//! Rows on their way into a table: many in one statement.

use crate::tables::Dialect;
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyArguments, query::Query};

/// Rows of one statement.
const SIZES: [usize; 4] = [512, 64, 8, 1];
/// Most values of one statement; SQLite takes 32,766.
const MOST_VALUES: usize = 16_384;

/// A value of a column. What is absent says of which type it would be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
    NoInt,
    NoText,
    NoBlob,
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}
impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Int(value.into())
    }
}
impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Self::Int(value.into())
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        // What is beyond is the end of time.
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}
impl From<[u8; 32]> for Value {
    fn from(value: [u8; 32]) -> Self {
        Self::Blob(value.to_vec())
    }
}
impl From<sp_core::H256> for Value {
    fn from(value: sp_core::H256) -> Self {
        Self::Blob(value.as_bytes().to_vec())
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::NoInt, Self::Int)
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::NoText, Self::Text)
    }
}
impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        value.map_or(Self::NoBlob, Self::Blob)
    }
}

/// A list of values: `values![1_i64, "two", hash]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::insert::Value::from($value)),*] };
}
pub(crate) use values;

pub(crate) type Bound<'q> = Query<'q, sqlx::Any, AnyArguments>;

/// Binds a value.
pub(crate) fn bind<'q>(query: Bound<'q>, value: Value) -> Bound<'q> {
    match value {
        Value::Int(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
        Value::Blob(value) => query.bind(value),
        Value::NoInt => query.bind(None::<i64>),
        Value::NoText => query.bind(None::<String>),
        Value::NoBlob => query.bind(None::<Vec<u8>>),
    }
}

/// One statement with its values, `$1` the first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Statement {
    pub(crate) fn new(sql: impl Into<String>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values }
    }

    pub(crate) async fn run(self, connection: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(self.sql));
        let done = self.values.into_iter().fold(query, bind).execute(connection).await?;
        Ok(done.rows_affected())
    }
}

/// A table that takes rows by the hundred.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) table: &'static str,
    /// Its columns, with commas between.
    pub(crate) columns: &'static str,
    /// What follows the values, as `ON CONFLICT …`.
    pub(crate) conflict: &'static str,
}

impl Target {
    fn width(&self) -> usize {
        self.columns.split(',').count()
    }

    /// The statement that takes so many rows. SQLite looks for each named value among all of
    /// them, whenever the statement runs: there values have no names.
    fn sql(&self, rows: usize, dialect: Dialect) -> String {
        let width = self.width();
        let mut sql = format!("INSERT INTO {} ({}) VALUES ", self.table, self.columns);
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..width {
                sql.push_str(if column == 0 { "" } else { ", " });
                match dialect {
                    Dialect::Sqlite => sql.push('?'),
                    Dialect::Postgres => {
                        sql.push_str(&format!("${}", row * width + column + 1));
                    }
                }
            }
            sql.push(')');
        }
        sql.push(' ');
        sql.push_str(self.conflict);
        sql
    }
}

/// Rows of a table, one behind the other.
#[derive(Debug)]
pub(crate) struct Rows {
    target: Target,
    values: Vec<Value>,
}

impl Rows {
    pub(crate) const fn new(target: Target) -> Self {
        Self { target, values: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.target.width(), "{}", self.target.table);
        self.values.extend(row);
    }

    /// Writes all rows. Statements are of few sizes, so that few are prepared.
    pub(crate) async fn write(
        self,
        connection: &mut AnyConnection,
        dialect: Dialect,
    ) -> Result<(), sqlx::Error> {
        let width = self.target.width();
        let mut left = self.values.len() / width;
        let mut values = self.values.into_iter();
        while left > 0 {
            let fits = |rows: &&usize| **rows <= left && **rows * width <= MOST_VALUES;
            let rows = SIZES.iter().find(fits).copied().unwrap_or(1);
            let query = sqlx::query(AssertSqlSafe(self.target.sql(rows, dialect)));
            let query = values.by_ref().take(rows * width).fold(query, bind);
            query.execute(&mut *connection).await?;
            left -= rows;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tables;

    const DIDS: Target = Target {
        table: "dids",
        columns: "id, did",
        conflict: "ON CONFLICT (id) DO UPDATE SET did = excluded.did",
    };

    #[test]
    fn a_statement_numbers_its_values() {
        let sql = DIDS.sql(2, Dialect::Postgres);
        assert!(
            sql.starts_with("INSERT INTO dids (id, did) VALUES ($1, $2), ($3, $4) ON CONFLICT")
        );
        let sql = DIDS.sql(2, Dialect::Sqlite);
        assert!(sql.starts_with("INSERT INTO dids (id, did) VALUES (?, ?), (?, ?) ON CONFLICT"));
    }

    #[tokio::test]
    async fn any_number_of_rows_is_written_and_the_last_wins() {
        let place = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/ledger.db", place.path().display());
        let tables = Tables::open(&url).await.unwrap();
        let mut connection = tables.pool().acquire().await.unwrap();
        let mut rows = Rows::new(DIDS);
        for id in 0..1_237_i64 {
            rows.push(values![id, format!("did:x:{id}")]);
        }
        rows.write(&mut connection, Dialect::Sqlite).await.unwrap();
        let mut rows = Rows::new(DIDS);
        rows.push(values![7_i64, "did:x:other"]);
        rows.write(&mut connection, Dialect::Sqlite).await.unwrap();
        drop(connection);
        assert_eq!(tables.count("dids").await.unwrap(), 1_237);
        let name: String = sqlx::query_scalar("SELECT did FROM dids WHERE id = 7")
            .fetch_one(tables.pool())
            .await
            .unwrap();
        assert_eq!(name, "did:x:other");
    }
}
