//! The access log (tender row 23): who looked at which bill, when, from where. Each entry has
//! the SM3 of itself and of the entry before, so that none is changed or taken out unseen; an
//! answer about a bill leaves the server when its entry is on the disk.

use crate::time;
use billchain_crypto::sm3::sm3;
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, sqlite::SqliteRow};
use tokio::sync::{mpsc, oneshot};

/// Entries that wait for the disk, and those that are written at once.
const WAITING: usize = 4096;
const AT_ONCE: usize = 512;
/// Longest text of a target.
const LONGEST: usize = 1024;

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Looked at a bill.
    Bill,
    /// Asked for a bill that is not there, or not to be seen.
    BillRefused,
    /// Looked at a list of bills.
    Bills,
    /// Asked whether a bill is real.
    Verify,
    /// Took a certificate.
    Certificate,
    /// Looked at a transaction with bills.
    Transaction,
    /// Took a list away.
    Export,
    /// Searched.
    Search,
    /// Looked at a grant or a case, which names bills.
    Grant,
    /// Looked at a case.
    Dispute,
    /// Looked at the access log.
    AccessLog,
    /// Signed in.
    Login,
    /// Failed to.
    LoginRefused,
    /// Changed the users.
    Users,
}

/// All actions.
pub const ACTIONS: [&str; 14] = [
    "bill",
    "bill_refused",
    "bills",
    "verify",
    "certificate",
    "transaction",
    "export",
    "search",
    "grant",
    "dispute",
    "access_log",
    "login",
    "login_refused",
    "users",
];

impl Action {
    /// Its name in the interface.
    pub fn name(self) -> &'static str {
        ACTIONS[self as usize]
    }
}

/// What is to be logged.
#[derive(Clone, Debug)]
pub struct Looked {
    /// User's name, participant's DID, or `public`.
    pub who: String,
    /// Its role.
    pub role: &'static str,
    /// From where.
    pub address: String,
    /// What it did.
    pub action: Action,
    /// With what.
    pub target: String,
    /// The bill that it was about, and whose it is.
    pub at: LookedAt,
}

/// The bill that somebody looked at.
#[derive(Clone, Debug, Default)]
pub struct LookedAt {
    /// Code and number.
    pub bill: Option<String>,
    /// DID of its issuer.
    pub issuer: Option<String>,
}

/// An entry, as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// Its number, from 1 on without a gap.
    pub id: i64,
    /// When.
    pub time: u64,
    /// User's name, participant's DID, or `public`.
    pub who: String,
    /// Its role.
    pub role: String,
    /// From where.
    pub address: String,
    /// What it did.
    pub action: String,
    /// With what.
    pub target: String,
    /// SM3 of this entry and the one before.
    pub hash: String,
}

/// Which entries are asked for.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// About this bill.
    pub bill: Option<String>,
    /// By this one.
    pub who: Option<String>,
    /// Of this kind.
    pub action: Option<String>,
    /// Not before, and before, in milliseconds.
    pub from: Option<i64>,
    /// Before this moment.
    pub to: Option<i64>,
    /// By this name, or about bills of this issuer.
    pub concerning: Option<(String, String)>,
    /// Beyond this entry, in the direction asked.
    pub beyond: Option<i64>,
    /// Oldest first.
    pub oldest_first: bool,
    /// At most so many.
    pub limit: i64,
}

/// What became of the chain of hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verified {
    /// Entries that there are.
    pub entries: i64,
    /// Hash of the newest: whoever notes it down can tell later whether entries were taken off the end.
    pub head: String,
    /// Whether each entry fits to the one before.
    pub intact: bool,
    /// The first that does not.
    pub broken_at: Option<i64>,
}

type Waiting = (Looked, oneshot::Sender<Result<(), String>>);

/// The log.
#[derive(Clone)]
pub struct Log {
    pool: SqlitePool,
    writer: mpsc::Sender<Waiting>,
}

impl Log {
    /// The log in an open file; its writer runs as long as the log is used.
    pub fn new(pool: SqlitePool) -> Self {
        let (writer, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(pool.clone(), waiting));
        Self { pool, writer }
    }

    /// Writes an entry; done when it is on the disk.
    ///
    /// # Errors
    /// If it cannot be written: then what it is about must not be shown.
    pub async fn record(&self, mut looked: Looked) -> Result<(), String> {
        bound(&mut looked.target);
        bound(&mut looked.who);
        let (done, told) = oneshot::channel();
        let gone = |_| "the access log's writer stopped".to_owned();
        self.writer.send((looked, done)).await.map_err(|error| gone(error.to_string()))?;
        told.await.map_err(|error| gone(error.to_string()))?
    }

    /// Entries, and whether there are more.
    ///
    /// # Errors
    /// If the file fails.
    pub async fn entries(&self, asked: &Line) -> Result<Vec<Entry>, sqlx::Error> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT id, time, who, role, address, action, target, hash FROM access_log WHERE 1 = 1",
        );
        for (clause, text) in [
            (" AND bill = ", &asked.bill),
            (" AND who = ", &asked.who),
            (" AND action = ", &asked.action),
        ] {
            if let Some(text) = text {
                query.push(clause).push_bind(text.clone());
            }
        }
        if let Some((who, issuer)) = &asked.concerning {
            query.push(" AND (who = ").push_bind(who.clone());
            query.push(" OR issuer = ").push_bind(issuer.clone()).push(")");
        }
        let beyond = if asked.oldest_first { " AND id > " } else { " AND id < " };
        for (clause, number) in
            [(" AND time >= ", asked.from), (" AND time < ", asked.to), (beyond, asked.beyond)]
        {
            if let Some(number) = number {
                query.push(clause).push_bind(number);
            }
        }
        query.push(if asked.oldest_first { " ORDER BY id" } else { " ORDER BY id DESC" });
        query.push(" LIMIT ").push_bind(asked.limit);
        let rows = query.build().fetch_all(&self.pool).await?;
        rows.iter().map(entry).collect()
    }

    /// Counts the chain of hashes again.
    ///
    /// # Errors
    /// If the file fails.
    pub async fn verify(&self) -> Result<Verified, sqlx::Error> {
        let (mut last, mut head, mut broken_at) = (0, [0; 32], None);
        loop {
            let rows = sqlx::query(
                "SELECT id, time, who, role, address, action, target, hash, bill, issuer FROM access_log
                 WHERE id > ? ORDER BY id LIMIT 10000",
            )
            .bind(last)
            .fetch_all(&self.pool)
            .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let id: i64 = row.try_get(0)?;
                let looked = Stored {
                    time: row.try_get(1)?,
                    texts: [
                        row.try_get(2)?,
                        row.try_get(3)?,
                        row.try_get(4)?,
                        row.try_get(5)?,
                        row.try_get(6)?,
                    ],
                    options: [row.try_get(8)?, row.try_get(9)?],
                };
                let hash: Vec<u8> = row.try_get(7)?;
                let fits = id == last + 1 && looked.hash(id, &head).as_slice() == hash.as_slice();
                if !fits && broken_at.is_none() {
                    broken_at = Some(id.min(last + 1));
                }
                head = hash.try_into().unwrap_or([0; 32]);
                last = id;
            }
        }
        let head = format!("0x{}", hex::encode(head));
        Ok(Verified { entries: last, head, intact: broken_at.is_none(), broken_at })
    }
}

fn bound(text: &mut String) {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}

/// An entry's content, as its hash covers it.
struct Stored {
    time: i64,
    texts: [String; 5],
    options: [Option<String>; 2],
}

impl Stored {
    fn hash(&self, id: i64, before: &[u8; 32]) -> [u8; 32] {
        let mut bytes = before.to_vec();
        bytes.extend(id.to_be_bytes());
        bytes.extend(self.time.to_be_bytes());
        let texts = self.texts.iter().map(|text| Some(text.as_str()));
        for text in texts.chain(self.options.iter().map(Option::as_deref)) {
            // Each text with its length, so that none can be taken for another.
            let length =
                text.map_or(u32::MAX, |text| u32::try_from(text.len()).unwrap_or(u32::MAX - 1));
            bytes.extend(length.to_be_bytes());
            bytes.extend(text.unwrap_or_default().as_bytes());
        }
        sm3(&bytes)
    }
}

async fn write(pool: SqlitePool, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut batch, AT_ONCE).await > 0 {
        let (entries, done): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let written = append(&pool, entries).await.map_err(|error| error.to_string());
        if let Err(error) = &written {
            tracing::error!(%error, "the access log cannot be written");
        }
        for done in done {
            // Who does not wait any longer needs no answer.
            let _ = done.send(written.clone());
        }
    }
}

async fn append(pool: &SqlitePool, entries: Vec<Looked>) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let newest = sqlx::query("SELECT id, hash FROM access_log ORDER BY id DESC LIMIT 1");
    let (mut id, mut head) = match newest.fetch_optional(&mut *transaction).await? {
        None => (0, [0; 32]),
        Some(row) => {
            let hash: Vec<u8> = row.try_get(1)?;
            let length = || sqlx::Error::Decode("a hash of the access log is not 32 bytes".into());
            (row.try_get::<i64, _>(0)?, hash.try_into().map_err(|_| length())?)
        }
    };
    for looked in entries {
        id += 1;
        let Looked { who, role, address, action, target, at } = looked;
        let stored = Stored {
            time: i64::try_from(time::now()).unwrap_or(i64::MAX),
            texts: [who, role.to_owned(), address, action.name().to_owned(), target],
            options: [at.bill, at.issuer],
        };
        head = stored.hash(id, &head);
        let Stored { time, texts: [who, role, address, action, target], options: [bill, issuer] } =
            stored;
        sqlx::query("INSERT INTO access_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(id)
            .bind(time)
            .bind(who)
            .bind(role)
            .bind(address)
            .bind(action)
            .bind(target)
            .bind(bill)
            .bind(issuer)
            .bind(head.to_vec())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

fn entry(row: &SqliteRow) -> Result<Entry, sqlx::Error> {
    let (time, hash): (i64, Vec<u8>) = (row.try_get(1)?, row.try_get(7)?);
    Ok(Entry {
        id: row.try_get(0)?,
        time: u64::try_from(time).unwrap_or(0),
        who: row.try_get(2)?,
        role: row.try_get(3)?,
        address: row.try_get(4)?,
        action: row.try_get(5)?,
        target: row.try_get(6)?,
        hash: format!("0x{}", hex::encode(hash)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(who: &str, bill: &str) -> Looked {
        Looked {
            who: who.to_owned(),
            role: "auditor",
            address: "127.0.0.1".to_owned(),
            action: Action::Bill,
            target: bill.to_owned(),
            at: LookedAt { bill: Some(bill.to_owned()), issuer: Some("did:bill:h".to_owned()) },
        }
    }

    async fn log() -> (tempfile::TempDir, SqlitePool, Log) {
        let folder = tempfile::tempdir().unwrap();
        let pool = crate::store::open(&folder.path().join("own.db")).await.unwrap();
        (folder, pool.clone(), Log::new(pool))
    }

    #[tokio::test]
    async fn what_is_written_is_found_by_whom_it_concerns() {
        let (_folder, _pool, log) = log().await;
        for at in 0..5 {
            log.record(looked(&format!("u{}", at % 2), &format!("{at}"))).await.unwrap();
        }
        let all = log.entries(&Line { limit: 10, ..Line::default() }).await.unwrap();
        assert_eq!(all.iter().map(|entry| entry.id).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
        let line = Line { limit: 1, beyond: Some(4), who: Some("u0".into()), ..Line::default() };
        assert_eq!(log.entries(&line).await.unwrap()[0].id, 3);
        let of = |who: &str, did: &str| Line {
            limit: 10,
            concerning: Some((who.to_owned(), did.to_owned())),
            ..Line::default()
        };
        assert_eq!(log.entries(&of("u1", "did:bill:x")).await.unwrap().len(), 2);
        assert_eq!(log.entries(&of("nobody", "did:bill:h")).await.unwrap().len(), 5);
    }

    #[tokio::test]
    async fn entries_that_come_at_once_make_one_chain() {
        let (_folder, pool, log) = log().await;
        let all = (0..300).map(|at| log.record(looked("a", &at.to_string())));
        for done in futures::future::join_all(all).await {
            done.unwrap();
        }
        let verified = log.verify().await.unwrap();
        assert_eq!((verified.entries, verified.intact), (300, true));
        // Another start goes on with it.
        Log::new(pool).record(looked("b", "x")).await.unwrap();
        assert_eq!(log.verify().await.unwrap().entries, 301);
    }

    #[tokio::test]
    async fn a_changed_or_missing_entry_is_found_out() {
        for (damage, at) in [
            ("UPDATE access_log SET who = 'x' WHERE id = 3", 3),
            ("UPDATE access_log SET issuer = NULL WHERE id = 4", 4),
            ("DELETE FROM access_log WHERE id = 2", 2),
        ] {
            let (_folder, pool, log) = log().await;
            for bill in ["1", "2", "3", "4", "5"] {
                log.record(looked("a", bill)).await.unwrap();
            }
            assert!(sqlx::query(damage).execute(&pool).await.is_err(), "{damage}");
            for trigger in
                ["DROP TRIGGER access_log_is_kept", "DROP TRIGGER access_log_is_as_written"]
            {
                sqlx::query(trigger).execute(&pool).await.unwrap();
            }
            sqlx::query(damage).execute(&pool).await.unwrap();
            let verified = log.verify().await.unwrap();
            assert_eq!((verified.intact, verified.broken_at), (false, Some(at)), "{damage}");
        }
    }

    #[tokio::test]
    async fn a_long_target_is_cut_at_a_character() {
        let (_folder, _pool, log) = log().await;
        log.record(looked("a", &"财".repeat(2000))).await.unwrap();
        let entry = &log.entries(&Line { limit: 1, ..Line::default() }).await.unwrap()[0];
        assert!(entry.target.len() <= LONGEST + 3 && entry.target.ends_with('…'));
    }
}
