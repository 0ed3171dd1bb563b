//! The database: SQLite in a file, or PostgreSQL, by the same statements.

use crate::schema;
use sqlx::{
    AnyConnection, AnyPool, AssertSqlSafe, Executor,
    any::{AnyConnectOptions, AnyPoolOptions},
};
use std::{str::FromStr, time::Duration};

/// How long whoever asks waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a database speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// One file, no server.
    Sqlite,
    /// PostgreSQL and its family.
    Postgres,
}

impl Dialect {
    /// The type of byte strings.
    pub(crate) const fn blob(self) -> &'static str {
        match self {
            Self::Sqlite => "BLOB",
            Self::Postgres => "BYTEA",
        }
    }
}

/// Why the tables cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// The address is of no database that is known.
    #[error("{url}: expected sqlite://FILE or postgres://…")]
    Url {
        /// The address, without a password.
        url: String,
    },
    /// The tables were made by another release.
    #[error("migration {name} {what}: use another database, and index again")]
    Migration {
        /// Its name.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

/// The tables of a ledger. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tables {
    pool: AnyPool,
    dialect: Dialect,
}

impl Tables {
    /// Opens the tables for the one who writes them, and makes what is missing.
    ///
    /// # Errors
    /// The database cannot be opened, or was made by another release.
    pub async fn open(url: &str) -> Result<Self, TablesError> {
        let tables = Self::connect(url, Use::Write, 4).await?;
        let mut connection = tables.pool.acquire().await?;
        schema::migrate(&mut connection, tables.dialect).await?;
        drop(connection);
        Ok(tables)
    }

    /// Opens the tables for readers: at most so many questions at a time.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub async fn open_for_reading(url: &str, connections: u32) -> Result<Self, TablesError> {
        Self::connect(url, Use::Read, connections.max(1)).await
    }

    async fn connect(url: &str, purpose: Use, connections: u32) -> Result<Self, TablesError> {
        // Whoever installed them first installed the same.
        sqlx::any::install_default_drivers();
        let (dialect, address) = address(url, purpose)?;
        let options = AnyConnectOptions::from_str(&address)?;
        let settings = settings(dialect, purpose);
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    for statement in settings {
                        (&mut *connection).execute(*statement).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool, dialect })
    }

    /// The connections.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// What the database speaks.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Makes the partitions of a month.
    pub(crate) async fn make_month(
        &self,
        connection: &mut AnyConnection,
        month: i64,
    ) -> Result<(), sqlx::Error> {
        schema::make_month(connection, self.dialect, month).await
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Rows of a table, for tests and `verify`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn count(&self, table: &'static str) -> Result<i64, sqlx::Error> {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_one(&self.pool).await
    }
}

/// What the tables are opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Write,
    Read,
}

/// The dialect of an address, and the address as the library takes it.
fn address(url: &str, purpose: Use) -> Result<(Dialect, String), TablesError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok((Dialect::Postgres, url.to_owned()));
    }
    if let Some(rest) = url.strip_prefix("sqlite:") {
        let mode = if purpose == Use::Write { "rwc" } else { "rw" };
        let joint = if rest.contains('?') { '&' } else { '?' };
        return Ok((Dialect::Sqlite, format!("sqlite:{rest}{joint}mode={mode}")));
    }
    let url = url.split('@').next_back().unwrap_or_default().chars().take(200).collect();
    Err(TablesError::Url { url })
}

/// What each connection begins with.
fn settings(dialect: Dialect, purpose: Use) -> &'static [&'static str] {
    match (dialect, purpose) {
        // A transaction that the disk has not yet when the power fails is as if it was not: the
        // cursor goes with it, and the blocks are fetched again.
        (Dialect::Sqlite, Use::Write) => &[
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "PRAGMA busy_timeout = 10000",
            "PRAGMA cache_size = -131072",
            "PRAGMA wal_autocheckpoint = 4000",
            "PRAGMA temp_store = MEMORY",
        ],
        (Dialect::Sqlite, Use::Read) => &[
            "PRAGMA query_only = ON",
            "PRAGMA busy_timeout = 10000",
            "PRAGMA cache_size = -16384",
            "PRAGMA temp_store = MEMORY",
        ],
        (Dialect::Postgres, Use::Write) => &["SET synchronous_commit = off"],
        // No question of a reader runs longer.
        (Dialect::Postgres, Use::Read) => &["SET statement_timeout = 20000"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_the_dialect_and_hide_passwords() {
        let (dialect, url) = address("sqlite:///tmp/x.db", Use::Write).unwrap();
        assert_eq!((dialect, url.as_str()), (Dialect::Sqlite, "sqlite:///tmp/x.db?mode=rwc"));
        let (dialect, _) = address("postgres://a:b@h/d", Use::Read).unwrap();
        assert_eq!(dialect, Dialect::Postgres);
        let error = address("mysql://user:secret@host/db", Use::Read).unwrap_err().to_string();
        assert!(error.contains("host/db") && !error.contains("secret"), "{error}");
    }

    #[tokio::test]
    async fn tables_are_made_once_and_opened_again() {
        let place = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/ledger.db", place.path().display());
        for _ in 0..2 {
            let tables = Tables::open(&url).await.unwrap();
            assert_eq!(tables.count("bills").await.unwrap(), 0);
            tables.close().await;
        }
        // Another content of a migration is told.
        let tables = Tables::open(&url).await.unwrap();
        sqlx::query("UPDATE schema_migrations SET digest = x'00'")
            .execute(tables.pool())
            .await
            .unwrap();
        tables.close().await;
        let error = Tables::open(&url).await.unwrap_err().to_string();
        assert!(error.contains("0001_ledger is of another content"), "{error}");
    }
}
