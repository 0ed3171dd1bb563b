//! A node that is asked, of which nothing is believed: bounded answers, and what is remembered of
//! it.

use crate::{
    block::Told,
    lie::{Failure, Lie, clean},
};
use billchain_client::{Asker, ClientError};
use billchain_primitives::Hash;
use billchain_rpc_types::{BillCertificateView, DecidedHeaderView, ReadProofView};
use frame_support::storage::storage_prefix;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest answer, in bytes: a block of 5 MiB in hex, and more.
const MAX_ANSWER: u32 = 17 << 20;
/// How long a node that lied is asked last.
const SHUNNED: Duration = Duration::from_secs(600);
/// How long a node that was of no use is asked after others.
const RESTS: Duration = Duration::from_secs(5);
/// Most transactions of a block that are taken.
const MAX_BODY: usize = 1 << 20;

/// The raw key of `System.Events`, as `0x` hex.
static EVENTS_KEY: LazyLock<String> =
    LazyLock::new(|| format!("0x{}", hex::encode(storage_prefix(b"System", b"Events"))));

/// The raw key of `System.Events`.
pub fn events_key() -> [u8; 32] {
    storage_prefix(b"System", b"Events")
}

/// A node.
pub struct Node {
    asker: Asker,
    url: String,
    record: Mutex<Record>,
}

/// What is remembered of a node.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Its newest block, as it said last.
    pub head: Option<u32>,
    /// How often it lied, and its last lie.
    pub lies: u64,
    /// Its last lie in words.
    pub lie: Option<String>,
    lied: Option<Instant>,
    /// What was wrong the last time; nothing if it was of use.
    pub failure: Option<String>,
    failed: Option<Instant>,
    /// Blocks that it gave.
    pub blocks: u64,
}

impl Record {
    /// Whether it lied lately.
    pub fn is_shunned(&self) -> bool {
        self.lied.is_some_and(|lied| lied.elapsed() < SHUNNED)
    }

    fn rests(&self) -> bool {
        self.failed.is_some_and(|failed| failed.elapsed() < RESTS)
    }

    /// The smaller, the sooner it is asked.
    pub fn rank(&self) -> (bool, bool) {
        (self.is_shunned(), self.rests())
    }
}

impl Node {
    /// A node at an address.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let asker = Asker::new(url, PATIENCE, MAX_ANSWER)?;
        Ok(Self { asker, url: url.to_owned(), record: Mutex::default() })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What is remembered of it.
    pub fn record(&self) -> Record {
        self.record.lock().clone()
    }

    /// Remembers its head.
    pub fn showed(&self, head: u32) {
        let mut record = self.record.lock();
        record.head = Some(head);
        record.failure = None;
    }

    /// Remembers that it gave a block.
    pub fn gave(&self) {
        let mut record = self.record.lock();
        record.blocks = record.blocks.saturating_add(1);
        record.failure = None;
    }

    /// Remembers what was wrong, and says so. Returns the words.
    pub fn failed(&self, failure: &Failure) -> String {
        let words = clean(&failure.to_string());
        let mut record = self.record.lock();
        if let Failure::Lie(_) = failure {
            record.lies = record.lies.saturating_add(1);
            record.lied = Some(Instant::now());
            record.lie = Some(words.clone());
            tracing::error!(node = %clean(&self.url), "a node lies: {words}");
        } else {
            record.failed = Some(Instant::now());
            tracing::debug!(node = %clean(&self.url), "a node is of no use: {words}");
        }
        record.failure = Some(words.clone());
        words
    }

    /// The number of its newest block.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn head(&self) -> Result<u32, Failure> {
        let head: u32 = self.asker.ask("archive_v1_finalizedHeight", vec![]).await?;
        self.showed(head);
        Ok(head)
    }

    /// The decided header of a block, by its number or `0x` hash.
    ///
    /// # Errors
    /// It cannot be asked, or has no such block.
    pub async fn decided(&self, block: Value) -> Result<Vec<u8>, Failure> {
        let name = block.to_string();
        let view: Option<DecidedHeaderView> =
            self.asker.ask("chain_decidedHeader", vec![block]).await?;
        let view = view.ok_or_else(|| Failure::Lacks(format!("block {name}")))?;
        Ok(bytes_of("header", 0, &view.decided)?)
    }

    /// All of a block.
    ///
    /// # Errors
    /// It cannot be asked, or does not have all of it.
    pub async fn block(&self, number: u32) -> Result<Told, Failure> {
        let decided = self.decided(json!(number)).await?;
        let hash = hash_in(&decided, number)?;
        let (body, events) =
            tokio::try_join!(self.body(number, &hash), self.events(number, &hash))?;
        Ok(Told { number, decided, body, events, node: self.url.clone() })
    }

    async fn body(&self, number: u32, hash: &Hash) -> Result<Vec<Vec<u8>>, Failure> {
        let body: Option<Vec<String>> =
            self.asker.ask("archive_v1_body", vec![json!(hash)]).await?;
        let body = body.ok_or_else(|| Failure::Lacks(format!("the body of block {number}")))?;
        if body.len() > MAX_BODY {
            let reason = format!("expected at most {MAX_BODY} transactions, found {}", body.len());
            return Err(Lie::Form { what: "body", block: number, reason }.into());
        }
        let body: Result<Vec<_>, _> =
            body.iter().map(|text| bytes_of("body", number, text)).collect();
        Ok(body?)
    }

    async fn events(&self, number: u32, hash: &Hash) -> Result<Vec<u8>, Failure> {
        let asked = vec![json!(*EVENTS_KEY), json!(hash)];
        let events: Option<String> = self.asker.ask("state_getStorage", asked).await?;
        match events {
            Some(events) => Ok(bytes_of("events", number, &events)?),
            // No value is an empty list.
            None => Ok(vec![0]),
        }
    }

    /// SM3 of a block's events.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn events_hash(&self, hash: &Hash) -> Result<Option<Hash>, Failure> {
        let asked = vec![json!(*EVENTS_KEY), json!(hash)];
        Ok(self.asker.ask("state_getStorageHash", asked).await?)
    }

    /// Proofs of keys in the state after its head.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn proof(&self, keys: &[Vec<u8>]) -> Result<(Hash, Vec<Vec<u8>>), Failure> {
        let keys: Vec<String> = keys.iter().map(|key| format!("0x{}", hex::encode(key))).collect();
        let view: ReadProofView = self.asker.ask("state_getReadProof", vec![json!(keys)]).await?;
        if view.proof.len() != keys.len() {
            let reason = format!("expected {} proofs, found {}", keys.len(), view.proof.len());
            return Err(Lie::Form { what: "proof", block: 0, reason }.into());
        }
        let proofs: Result<Vec<_>, _> =
            view.proof.iter().map(|text| bytes_of("proof", 0, text)).collect();
        Ok((view.at, proofs?))
    }

    /// A certificate: `bill_certificate` and its kin.
    ///
    /// # Errors
    /// It cannot be asked, or has none.
    pub async fn certificate(
        &self,
        method: &'static str,
        asked: Vec<Value>,
    ) -> Result<Vec<u8>, Failure> {
        let view: BillCertificateView = self.asker.ask(method, asked).await?;
        Ok(bytes_of("certificate", 0, &view.certificate)?)
    }
}

fn hash_in(decided: &[u8], number: u32) -> Result<Hash, Lie> {
    let read = billchain_verifier::DecidedHeader::read(decided).map_err(|refusal| Lie::Form {
        what: "header",
        block: number,
        reason: refusal.to_string(),
    })?;
    Ok(Hash::from(read.block().hash))
}

fn bytes_of(what: &'static str, block: u32, text: &str) -> Result<Vec<u8>, Lie> {
    let digits = text.strip_prefix("0x");
    let bytes = digits.and_then(|digits| hex::decode(digits).ok());
    let reason = "expected bytes as 0x hex".to_owned();
    bytes.ok_or(Lie::Form { what, block, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_lied_is_asked_last_and_one_that_failed_later() {
        let node = Node::new("http://127.0.0.1:1").unwrap();
        assert_eq!(node.record().rank(), (false, false));
        node.failed(&Failure::Lacks("block 3".into()));
        assert_eq!(node.record().rank(), (false, true));
        node.failed(&Lie::OtherBlock { asked: 3, given: 4 }.into());
        let record = node.record();
        assert!(record.is_shunned() && record.lies == 1, "{record:?}");
        assert!(record.lie.unwrap().contains("asked for block 3, it gave block 4"));
        // What it did is not forgotten when it is of use again.
        node.showed(8);
        assert!(node.record().failure.is_none() && node.record().lies == 1);
    }

    #[test]
    fn what_is_no_hex_is_a_lie() {
        assert_eq!(bytes_of("body", 1, "0x0aff"), Ok(vec![10, 255]));
        for text in ["", "0aff", "0x0", "0xzz"] {
            assert!(matches!(bytes_of("body", 1, text), Err(Lie::Form { what: "body", .. })));
        }
    }
}
