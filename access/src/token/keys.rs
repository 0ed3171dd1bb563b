//! Where an issuer's keys come from: a file, read with the configuration, or a URL, asked
//! now and then.
//!
//! A URL that does not answer costs nobody anything for a day: the keys that were fetched
//! last are used. It is asked by a task of its own, never while a caller waits; a token whose
//! key is not known has it asked again, at most twice a minute.

use super::jwk::{KeySet, MAX_SET};
use crate::{
    code,
    config::{IssuerConfig, KeySource, read_bounded},
    denied::Denied,
};
use parking_lot::RwLock;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// How long keys are used when the URL does not answer.
const STALE: Duration = Duration::from_secs(86_400);
/// How long the URL may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Shortest time between two times that it is asked.
const PAUSE: Duration = Duration::from_secs(30);

/// An issuer's keys. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    held: Arc<RwLock<Option<(Arc<KeySet>, Option<Instant>)>>>,
    asks: Arc<Notify>,
}

impl Keys {
    /// Of an issuer; those of a file are read now.
    pub(crate) fn of(issuer: &IssuerConfig) -> Result<Self, String> {
        let held = match &issuer.keys {
            KeySource::File(file) => {
                let text = read_bounded(file, MAX_SET as u64)?;
                let set = KeySet::read(text.as_bytes())
                    .map_err(|problem| format!("{}: {problem}", file.display()))?;
                Some((Arc::new(set), None))
            }
            KeySource::Url { ca_file, .. } => {
                client(ca_file.as_deref())?;
                None
            }
        };
        Ok(Self { held: Arc::new(RwLock::new(held)), asks: Arc::default() })
    }

    /// The keys, if there are any that may be used; asks for them again if none has this id.
    pub(crate) fn get(&self, issuer: &str, kid: Option<&str>) -> Result<Arc<KeySet>, Denied> {
        let held = self.held.read().clone();
        let fresh = |since: &Option<Instant>| since.is_none_or(|since| since.elapsed() < STALE);
        match held {
            Some((set, since)) if fresh(&since) => {
                if since.is_some() && !set.knows(kid) {
                    self.asks.notify_one();
                }
                Ok(set)
            }
            _ => {
                self.asks.notify_one();
                let words = format!("the keys of \"{issuer}\" are not to be had now");
                Err(Denied::until(code::TOKEN_KEYS_MISSING, words, PAUSE))
            }
        }
    }

    /// Takes over what another had fetched from the same place.
    pub(crate) fn take_over(&self, other: &Self) {
        let held = other.held.read().clone();
        *self.held.write() = held;
    }

    /// Asks the URL now and then, for ever; ends at once for a file.
    pub(crate) async fn follow(self, issuer: IssuerConfig) {
        let KeySource::Url { url, ca_file, refresh } = issuer.keys else { return };
        let client = match client(ca_file.as_deref()) {
            Ok(client) => client,
            Err(problem) => return tracing::error!(issuer = %issuer.name, %problem, "no keys"),
        };
        loop {
            match fetch(&client, &url).await {
                Ok(set) => *self.held.write() = Some((Arc::new(set), Some(Instant::now()))),
                Err(problem) => {
                    tracing::warn!(issuer = %issuer.name, %url, %problem, "keys not fetched");
                }
            }
            tokio::time::sleep(PAUSE).await;
            let _ = tokio::time::timeout(refresh.saturating_sub(PAUSE), self.asks.notified()).await;
        }
    }
}

/// Asks nobody but the URL itself, and believes the certificates of `ca_file` alone, if there
/// is one.
fn client(ca_file: Option<&std::path::Path>) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    if let Some(file) = ca_file {
        let text = read_bounded(file, 1 << 20)?;
        let roots = reqwest::Certificate::from_pem_bundle(text.as_bytes())
            .map_err(|error| format!("{}: {error}", file.display()))?;
        builder = builder.tls_certs_only(roots);
    }
    builder.build().map_err(|error| format!("no client for key sets: {error}"))
}

async fn fetch(client: &reqwest::Client, url: &str) -> Result<KeySet, String> {
    let said = |error: reqwest::Error| error.without_url().to_string();
    let mut answer = client.get(url).send().await.map_err(said)?;
    if !answer.status().is_success() {
        return Err(format!("status {}", answer.status()));
    }
    let mut text = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(said)? {
        text.extend_from_slice(&part);
        if text.len() > MAX_SET {
            return Err(format!("longer than {MAX_SET} bytes"));
        }
    }
    KeySet::read(&text)
}
