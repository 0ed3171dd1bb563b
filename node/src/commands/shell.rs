//! What the commands that speak to a node share: where it is, who signs, how
//! an answer is printed.
//!
//! Exit code 0: done; 3: refused by the chain, with the reason; 1: anything
//! else.

use super::keys::{Password, load_sm2};
use crate::words;
use anyhow::{Result, bail};
use billchain_client::{Connection, Signer};
use billchain_primitives::{AccountId, Did, Hash};
use billchain_rpc_types::{FailureView, TransactionView};
use billchain_runtime::RuntimeCall;
use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// How long a transaction may take to become final.
const PATIENCE: Duration = Duration::from_secs(30);
/// Exit code of a refusal.
const REFUSED: u8 = 3;

/// Options of every command that speaks to a node.
#[derive(Args)]
pub(crate) struct Shell {
    /// A node's JSON-RPC.
    #[arg(long, default_value = "http://127.0.0.1:9944", global = true)]
    pub(crate) rpc: String,
    /// SM2 key that signs, encrypted PKCS#8 PEM.
    #[arg(long, value_name = "FILE", global = true)]
    key: Option<PathBuf>,
    /// File with the password of --key.
    #[arg(long, value_name = "FILE", global = true)]
    password_file: Option<PathBuf>,
    /// Sign with the SM2 key of this development seed, such as //hospital.
    #[arg(long, value_name = "SEED", conflicts_with = "key", global = true)]
    pub(crate) development_key: Option<String>,
    /// DID that acts; with --development-key //x it is did:bill:x.
    #[arg(long, global = true)]
    did: Option<Did>,
    /// Print one JSON object.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Shell {
    /// Connects to the node.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        Ok(Connection::open(&self.rpc).await?)
    }

    /// Connects to a node of any rules.
    pub(crate) async fn connect_any(&self) -> Result<Connection> {
        Ok(Connection::open_any(&self.rpc).await?)
    }

    /// The key that signs.
    pub(crate) fn signer(&self) -> Result<Signer> {
        match (&self.key, &self.development_key) {
            (Some(file), _) => {
                let password = Password { password_file: self.password_file.clone() };
                let password = password.read(&file.display().to_string())?;
                Ok(Signer::Sm2(load_sm2(file, &password)?))
            }
            (None, Some(seed)) => Ok(Signer::development(seed)),
            (None, None) => bail!("give --key FILE (or --development-key SEED) to sign"),
        }
    }

    /// The identifier that acts.
    pub(crate) fn did(&self) -> Result<Did> {
        match (&self.did, &self.development_key) {
            (Some(did), _) => Ok(did.clone()),
            (None, Some(seed)) => Ok(format!("did:bill:{}", seed.trim_start_matches('/')).parse()?),
            (None, None) => bail!("give --did, the identifier that acts"),
        }
    }

    /// Signs and sends a call and waits for its outcome.
    pub(crate) async fn send(
        &self,
        node: &Connection,
        call: RuntimeCall,
    ) -> Result<TransactionView> {
        Ok(node.execute(&self.signer()?, call, PATIENCE).await?)
    }

    /// As [`Self::send`] with another key.
    pub(crate) async fn send_as(
        &self,
        node: &Connection,
        signer: &Signer,
        call: RuntimeCall,
    ) -> Result<TransactionView> {
        Ok(node.execute(signer, call, PATIENCE).await?)
    }

    /// Prints an answer: one JSON value, or a line for each of its fields.
    pub(crate) fn print(&self, value: &Value) {
        match value {
            _ if self.json => println!("{value}"),
            Value::Object(fields) => {
                for (name, value) in fields {
                    let shown = value.as_str().map_or(value.to_string(), str::to_owned);
                    println!("{name:16} {shown}");
                }
            }
            Value::Array(items) => items.iter().for_each(|item| println!("{item}")),
            other => println!("{other}"),
        }
    }

    /// Prints a refusal.
    pub(crate) fn refuse(&self, reason: &str, error: Value) -> ExitCode {
        if self.json {
            println!("{}", json!({ "refused": reason, "error": error }));
        }
        eprintln!("billchain: {}: {reason}", words::either("refused", "Refusal"));
        ExitCode::from(REFUSED)
    }

    /// Prints a transaction that failed.
    pub(crate) fn refused(&self, view: &TransactionView) -> Result<ExitCode> {
        let error = serde_json::to_value(&view.error)?;
        Ok(self.refuse(&failure(view.error.as_ref()), error))
    }
}

/// Why a call failed, in one line.
pub(crate) fn failure(error: Option<&FailureView>) -> String {
    let Some(FailureView { pallet, name, docs, details, zh }) = error else {
        return words::either("the transaction failed", "TransactionFailed");
    };
    let details = details.as_ref().map(|details| format!(" ({details})")).unwrap_or_default();
    let docs = zh.as_ref().filter(|_| words::is_chinese()).unwrap_or(docs);
    format!("{pallet}.{name}{details}: {docs}")
}

/// A value by the word that JSON has for it.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|error| error.to_string())
}

/// The account in `0x` hex.
pub(crate) fn hex_account(account: &AccountId) -> String {
    format!("{:?}", Hash::from(<[u8; 32]>::from(account.clone())))
}
