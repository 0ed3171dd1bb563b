//! The tables as they are made: one text for SQLite and for PostgreSQL.

use crate::tables::{Dialect, TablesError};
use billchain_primitives::sm3;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

/// The migrations, in their order. One that was released never changes.
const MIGRATIONS: [(&str, &str); 2] = [
    ("0001_ledger", include_str!("../migrations/0001_ledger.sql")),
    ("0002_governance", include_str!("../migrations/0002_governance.sql")),
];

/// Tables that PostgreSQL keeps in one partition a month.
pub(crate) const MONTHLY: [&str; 4] = ["blocks", "transactions", "events", "versions"];

/// Makes what is missing.
///
/// # Errors
/// The database fails, or was made by another version of a migration.
pub(crate) async fn migrate(
    connection: &mut AnyConnection,
    dialect: Dialect,
) -> Result<(), TablesError> {
    let own = format!(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, digest {} NOT NULL)",
        dialect.blob()
    );
    sqlx::query(AssertSqlSafe(own)).execute(&mut *connection).await?;
    let known = sqlx::query("SELECT name, digest FROM schema_migrations ORDER BY name")
        .fetch_all(&mut *connection)
        .await?;
    for (row, (name, _)) in known.iter().zip(MIGRATIONS.iter().chain([&("", ""); 1])) {
        let found: String = row.try_get(0)?;
        if found != *name {
            return Err(TablesError::Migration { name: found, what: "is unknown to this release" });
        }
    }
    for (at, (name, text)) in MIGRATIONS.iter().enumerate() {
        let digest = sm3(text.as_bytes()).to_vec();
        if let Some(row) = known.get(at) {
            let found: Vec<u8> = row.try_get(1)?;
            if found != digest {
                let what = "is of another content than this release has";
                return Err(TablesError::Migration { name: (*name).to_owned(), what });
            }
            continue;
        }
        let mut transaction = connection.begin().await?;
        for statement in statements(text, dialect) {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
        sqlx::query("INSERT INTO schema_migrations (name, digest) VALUES ($1, $2)")
            .bind(*name)
            .bind(digest)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// The statements of a migration, with its marks replaced and its comments gone.
fn statements(text: &str, dialect: Dialect) -> Vec<String> {
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(code, _)| code).trim_end())
        .filter(|line| !line.trim().is_empty())
        .map(|line| replaced(line, dialect))
        .collect();
    let mut statements = vec![String::new()];
    for line in lines {
        let current = statements.last_mut().expect("there is one; qed");
        current.push_str(line.strip_suffix(';').unwrap_or(&line));
        current.push('\n');
        if line.ends_with(';') {
            statements.push(String::new());
        }
    }
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

fn replaced(line: &str, dialect: Dialect) -> String {
    let postgres = dialect == Dialect::Postgres;
    let choose = |sqlite: &'static str, other: &'static str| if postgres { other } else { sqlite };
    let mut line = line
        .replace("@BLOB@", dialect.blob())
        .replace("@ROW@", choose("INTEGER", "BIGINT"))
        .replace("@KEY@", choose("INTEGER PRIMARY KEY", "BIGINT PRIMARY KEY"))
        .replace("@PARTITIONED@", choose("", "PARTITION BY RANGE (month)"))
        .replace("@CLUSTERED@", choose("WITHOUT ROWID", ""));
    if let Some((before, columns)) = line.split_once("@MONTHLY ")
        && let Some((columns, after)) = columns.split_once('@')
    {
        // The last column is before it.
        let month = if postgres { ", month" } else { "" };
        line = format!("{before}, PRIMARY KEY ({columns}{month}){after}");
    }
    line
}

/// Makes the partitions of a month.
pub(crate) async fn make_month(
    connection: &mut AnyConnection,
    dialect: Dialect,
    month: i64,
) -> Result<(), sqlx::Error> {
    if dialect == Dialect::Sqlite {
        return Ok(());
    }
    for table in MONTHLY {
        let next = if month % 100 == 12 { month + 89 } else { month + 1 };
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {table}_{month} PARTITION OF {table} \
             FOR VALUES FROM ({month}) TO ({next})"
        );
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_is_left_and_comments_are_gone() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            for (name, text) in MIGRATIONS {
                let statements = statements(text, dialect);
                assert!(statements.len() > 20, "{name}: {}", statements.len());
                for statement in statements {
                    assert!(!statement.contains('@') && !statement.contains("--"), "{statement}");
                    assert!(statement.starts_with("CREATE "), "{statement}");
                }
            }
        }
    }

    #[test]
    fn monthly_tables_have_the_month_in_the_key_where_they_have_partitions() {
        let versions = |dialect| {
            statements(MIGRATIONS[0].1, dialect)
                .into_iter()
                .find(|statement| statement.starts_with("CREATE TABLE versions"))
                .unwrap()
        };
        assert!(versions(Dialect::Sqlite).contains("PRIMARY KEY (bill, version)"));
        let partitioned = versions(Dialect::Postgres);
        assert!(partitioned.contains("PRIMARY KEY (bill, version, month)"), "{partitioned}");
        assert!(partitioned.contains("PARTITION BY RANGE (month)"), "{partitioned}");
    }
}
