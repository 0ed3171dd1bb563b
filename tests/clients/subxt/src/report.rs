//! How a client's test says what works: one line of JSON an operation, read by `suite.py`.

use serde_json::json;
use std::{fmt::Display, time::Duration};

/// Longest time of one operation.
const PATIENCE: Duration = Duration::from_secs(60);

/// Outcome of an operation, with a reason in words.
pub type Done = Result<(), String>;

/// Reports the operations of a client.
pub struct Report {
    failed: bool,
}

impl Report {
    /// Says which client this is.
    pub fn new(client: &str, version: &str) -> Self {
        println!("{}", json!({ "client": client, "version": version }));
        Self { failed: false }
    }

    /// An operation that works as the client comes.
    pub async fn works(&mut self, operation: &str, work: impl Future<Output = Done>) {
        self.run(operation, "works", None, work).await;
    }

    /// An operation that works with a setting of the client.
    pub async fn with(&mut self, operation: &str, setting: &str, work: impl Future<Output = Done>) {
        self.run(operation, "setting", Some(setting), work).await;
    }

    async fn run(
        &mut self,
        operation: &str,
        outcome: &str,
        note: Option<&str>,
        work: impl Future<Output = Done>,
    ) {
        let done = tokio::time::timeout(PATIENCE, work).await;
        let done = done.unwrap_or_else(|_| Err("nothing within 60 s".into()));
        let line = match done {
            Ok(()) => json!({ "operation": operation, "outcome": outcome, "note": note }),
            Err(reason) => {
                self.failed = true;
                json!({ "operation": operation, "outcome": "failed", "note": reason })
            }
        };
        println!("{line}");
    }

    /// Ends the process.
    pub fn end(self) -> ! {
        std::process::exit(i32::from(self.failed));
    }
}

/// Fails unless the two are equal.
pub fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T, what: &str) -> Done {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: found {found:?}, expected {expected:?}")),
    }
}

/// Fails unless this holds.
pub fn hold(condition: bool, what: &str) -> Done {
    condition.then_some(()).ok_or_else(|| what.to_owned())
}

/// An error in words.
pub fn words(error: impl Display) -> String {
    error.to_string()
}
