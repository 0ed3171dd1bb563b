//! What belongs to the explorer itself, in a SQLite file of its own: users and the access log.
//! The index can be built again from the chain; this cannot, so it lies apart from it.

mod log;
mod users;

pub use log::{ACTIONS, Action, Entry, Line, Log, Looked, LookedAt, Verified};
pub use users::{Account, NewUser, UserError, UserView, Users};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// Opens the file, and makes it if there is none; only its owner can read it.
///
/// # Errors
/// If it cannot be opened, or is not such a file.
pub async fn open(file: &Path) -> Result<SqlitePool, sqlx::Error> {
    if !file.exists() {
        use std::os::unix::fs::OpenOptionsExt as _;
        std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(file)?;
    }
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(options)
        .await?;
    sqlx::raw_sql(include_str!("schema.sql")).execute(&pool).await?;
    Ok(pool)
}
