//! Users who sign in with a password and a one-time code.

use crate::{
    auth::{
        Role, User,
        password::{Passwords, Unhashed},
        totp,
    },
    random, time,
};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};
use zeroize::Zeroizing;

/// Users that there may be.
const MOST: i64 = 10_000;

/// The users.
#[derive(Clone)]
pub struct Users {
    pool: SqlitePool,
    passwords: Passwords,
}

/// A user as it signs in.
pub struct Account {
    /// Who it is.
    pub user: User,
    /// Hash of its password.
    pub password: String,
    /// Secret of its one-time codes.
    pub totp: Vec<u8>,
    /// Step of the code that was taken last.
    pub totp_last: u64,
    /// Whether it may not sign in.
    pub disabled: bool,
}

/// What a new user has to be told, once.
#[derive(Serialize, JsonSchema)]
pub struct NewUser {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// Secret of its one-time codes, base 32.
    pub totp_secret: String,
    /// The same for an authenticator app.
    pub totp_url: String,
}

/// A user as an administrator sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserView {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The participant that it acts for.
    pub did: Option<String>,
    /// Whether it has used a one-time code.
    pub totp: bool,
    /// Until when it waits after too many failures.
    pub locked_until: Option<u64>,
    /// Whether it may not sign in.
    pub disabled: bool,
    /// When it was made.
    pub created: u64,
    /// When it signed in last.
    pub last_login: Option<u64>,
}

/// Why a change of the users is refused.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The name is taken.
    #[error("there is a user {0} already")]
    Taken(String),
    /// There is no such user.
    #[error("there is no user {0}")]
    Missing(String),
    /// It is the last administrator.
    #[error("{0} is the last administrator that may sign in")]
    Last(String),
    /// There are as many as may be.
    #[error("there are {MOST} users, which is the most")]
    Full,
    /// A participant's user needs the participant.
    #[error("a user of the role participant needs the DID of its participant (did)")]
    NoDid,
    /// A name that cannot be one.
    #[error("{0:?} is no name: 1 to 64 letters, digits, '.', '_', '-' or '@', and not a DID")]
    Name(String),
    /// The hash cannot be made.
    #[error(transparent)]
    Unhashed(#[from] Unhashed),
    /// The file failed.
    #[error(transparent)]
    Store(#[from] sqlx::Error),
}

impl Users {
    /// Users in an open file.
    ///
    /// # Errors
    /// If passwords cannot be hashed.
    pub fn new(pool: SqlitePool) -> Result<Self, Unhashed> {
        Ok(Self { pool, passwords: Passwords::new()? })
    }

    /// How passwords are judged.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// A user as it signs in.
    ///
    /// # Errors
    /// If the file fails.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, sqlx::Error> {
        let row = sqlx::query(
            "SELECT name, role, did, password, totp, totp_last, disabled FROM users WHERE name = ?",
        )
        .bind(name)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(Account {
                user: User { name: row.try_get(0)?, role: role(&row, 1)?, did: row.try_get(2)? },
                password: row.try_get(3)?,
                totp: row.try_get(4)?,
                totp_last: unsigned(&row, 5)?,
                disabled: row.try_get::<i64, _>(6)? != 0,
            })
        })
        .transpose()
    }

    /// All users by name.
    ///
    /// # Errors
    /// If the file fails.
    pub async fn all(&self) -> Result<Vec<UserView>, sqlx::Error> {
        let rows = sqlx::query("SELECT name, role, did, totp_last, disabled, created, last_login FROM users ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        let view = |row: &SqliteRow| {
            let last: Option<i64> = row.try_get(6)?;
            Ok(UserView {
                name: row.try_get(0)?,
                role: role(row, 1)?,
                did: row.try_get(2)?,
                totp: row.try_get::<i64, _>(3)? > 0,
                locked_until: None,
                disabled: row.try_get::<i64, _>(4)? != 0,
                created: unsigned(row, 5)?,
                last_login: last.and_then(|last| u64::try_from(last).ok()),
            })
        };
        rows.iter().map(view).collect()
    }

    /// A new user, with what it has to be told.
    ///
    /// # Errors
    /// If it may not be.
    pub async fn add(
        &self,
        name: &str,
        role: Role,
        did: Option<&str>,
    ) -> Result<NewUser, UserError> {
        if !is_name(name) {
            return Err(UserError::Name(name.to_owned()));
        }
        if role == Role::Participant && did.is_none() {
            return Err(UserError::NoDid);
        }
        let (told, hash, secret) = self.secrets(name).await?;
        let made = sqlx::query(
            "INSERT INTO users (name, role, did, password, totp, created)
             SELECT ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM users) < ? ON CONFLICT DO NOTHING",
        )
        .bind(name)
        .bind(role.name())
        .bind(did)
        .bind(hash)
        .bind(secret)
        .bind(signed(time::now()))
        .bind(MOST)
        .execute(&self.pool)
        .await?;
        if made.rows_affected() == 1 {
            return Ok(told);
        }
        let taken = self.account(name).await?.is_some();
        Err(if taken { UserError::Taken(name.to_owned()) } else { UserError::Full })
    }

    /// A new password and a new secret.
    ///
    /// # Errors
    /// If there is no such user.
    pub async fn reset(&self, name: &str) -> Result<NewUser, UserError> {
        let (told, hash, secret) = self.secrets(name).await?;
        let query =
            sqlx::query("UPDATE users SET password = ?, totp = ?, totp_last = 0 WHERE name = ?");
        let done = query.bind(hash).bind(secret).bind(name).execute(&self.pool).await?;
        changed(done.rows_affected(), name)?;
        Ok(told)
    }

    async fn secrets(&self, name: &str) -> Result<(NewUser, String, Vec<u8>), UserError> {
        let password = random::password();
        let secret = random::bytes::<20>().to_vec();
        let told = NewUser {
            name: name.to_owned(),
            password: password.to_string(),
            totp_secret: totp::shown(&secret),
            totp_url: totp::address(&secret, name),
        };
        Ok((told, self.passwords.hash(password).await?, secret))
    }

    /// Sets the password that a user chose.
    ///
    /// # Errors
    /// If there is no such user.
    pub async fn set_password(
        &self,
        name: &str,
        password: Zeroizing<String>,
    ) -> Result<(), UserError> {
        let hash = self.passwords.hash(password).await?;
        let query = sqlx::query("UPDATE users SET password = ? WHERE name = ?");
        let done = query.bind(hash).bind(name).execute(&self.pool).await?;
        changed(done.rows_affected(), name)
    }

    /// Gives a user another role.
    ///
    /// # Errors
    /// If there is no such user, or it is the last administrator.
    pub async fn set_role(&self, name: &str, role: Role) -> Result<(), UserError> {
        let account =
            self.account(name).await?.ok_or_else(|| UserError::Missing(name.to_owned()))?;
        if role == Role::Participant && account.user.did.is_none() {
            return Err(UserError::NoDid);
        }
        let query = sqlx::query(
            "UPDATE users SET role = ?1 WHERE name = ?2 AND (?1 = 'administrator' OR role <> 'administrator'
             OR EXISTS (SELECT 1 FROM users WHERE role = 'administrator' AND disabled = 0 AND name <> ?2))",
        );
        let done = query.bind(role.name()).bind(name).execute(&self.pool).await?;
        self.not_last(done.rows_affected(), name).await
    }

    /// Lets a user sign in, or not.
    ///
    /// # Errors
    /// If there is no such user, or it is the last administrator.
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<(), UserError> {
        let query = sqlx::query(
            "UPDATE users SET disabled = ?1 WHERE name = ?2 AND (?1 = 0 OR role <> 'administrator'
             OR EXISTS (SELECT 1 FROM users WHERE role = 'administrator' AND disabled = 0 AND name <> ?2))",
        );
        let done = query.bind(i64::from(disabled)).bind(name).execute(&self.pool).await?;
        self.not_last(done.rows_affected(), name).await
    }

    /// Removes a user.
    ///
    /// # Errors
    /// If there is no such user, or it is the last administrator.
    pub async fn remove(&self, name: &str) -> Result<(), UserError> {
        let query = sqlx::query(
            "DELETE FROM users WHERE name = ?1 AND (role <> 'administrator'
             OR EXISTS (SELECT 1 FROM users WHERE role = 'administrator' AND disabled = 0 AND name <> ?1))",
        );
        let done = query.bind(name).execute(&self.pool).await?;
        self.not_last(done.rows_affected(), name).await
    }

    async fn not_last(&self, rows: u64, name: &str) -> Result<(), UserError> {
        if rows == 0 && self.account(name).await?.is_some() {
            return Err(UserError::Last(name.to_owned()));
        }
        changed(rows, name)
    }

    /// Somebody signed in with the code of this step; false if that code was taken already.
    ///
    /// # Errors
    /// If the file fails.
    pub async fn signed_in(&self, name: &str, step: u64) -> Result<bool, sqlx::Error> {
        let query = sqlx::query(
            "UPDATE users SET totp_last = ?1, last_login = ?2 WHERE name = ?3 AND totp_last < ?1",
        );
        let done = query.bind(signed(step)).bind(signed(time::now())).bind(name);
        Ok(done.execute(&self.pool).await?.rows_affected() == 1)
    }
}

/// Whether a name can be a user's: never one that a DID or an account could be.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b))
}

fn changed(rows: u64, name: &str) -> Result<(), UserError> {
    if rows == 0 { Err(UserError::Missing(name.to_owned())) } else { Ok(()) }
}

fn role(row: &SqliteRow, at: usize) -> Result<Role, sqlx::Error> {
    let name: String = row.try_get(at)?;
    Role::of(&name).ok_or_else(|| sqlx::Error::Decode(format!("there is no role {name}").into()))
}

fn unsigned(row: &SqliteRow, at: usize) -> Result<u64, sqlx::Error> {
    let value: i64 = row.try_get(at)?;
    u64::try_from(value).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn users() -> (tempfile::TempDir, Users) {
        let folder = tempfile::tempdir().unwrap();
        let pool = crate::store::open(&folder.path().join("own.db")).await.unwrap();
        (folder, Users::new(pool).unwrap())
    }

    #[tokio::test]
    async fn a_user_signs_in_with_what_it_was_told_and_each_code_once() {
        let (_folder, users) = users().await;
        let told = users.add("li", Role::Auditor, None).await.unwrap();
        let account = users.account("li").await.unwrap().unwrap();
        assert_eq!(account.user, User { name: "li".into(), role: Role::Auditor, did: None });
        let password = Zeroizing::new(told.password.clone());
        assert!(users.passwords().is_right(password, Some(&account.password)).await.unwrap());
        assert_eq!(totp::shown(&account.totp), told.totp_secret);
        assert!(users.signed_in("li", 7).await.unwrap());
        assert!(!users.signed_in("li", 7).await.unwrap());
        let again = users.reset("li").await.unwrap();
        assert_ne!(again.password, told.password);
    }

    #[tokio::test]
    async fn the_last_administrator_stays() {
        let (_folder, users) = users().await;
        users.add("a", Role::Administrator, None).await.unwrap();
        users.add("b", Role::Auditor, None).await.unwrap();
        assert!(matches!(users.remove("a").await, Err(UserError::Last(_))));
        assert!(matches!(users.set_disabled("a", true).await, Err(UserError::Last(_))));
        assert!(matches!(users.set_role("a", Role::Auditor).await, Err(UserError::Last(_))));
        users.set_role("b", Role::Administrator).await.unwrap();
        users.remove("a").await.unwrap();
        assert!(matches!(users.remove("a").await, Err(UserError::Missing(_))));
    }

    #[tokio::test]
    async fn a_name_is_one_users_and_never_a_did() {
        let (_folder, users) = users().await;
        users.add("a", Role::Operator, None).await.unwrap();
        assert!(matches!(users.add("a", Role::Auditor, None).await, Err(UserError::Taken(_))));
        assert!(matches!(users.add("p", Role::Participant, None).await, Err(UserError::NoDid)));
        for name in ["", "did:bill:a", "a b", "é", &"a".repeat(65)] {
            assert!(
                matches!(users.add(name, Role::Auditor, None).await, Err(UserError::Name(_))),
                "{name}"
            );
        }
    }
}
