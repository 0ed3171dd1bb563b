//! A node that is asked, of which nothing is believed.

use crate::{
    Failure, Lie, Update, Walk,
    knowledge::{last_change, last_change_key, read, time_key},
};
use billchain_client::{Asker, ClientError};
use billchain_primitives::Hash;
use billchain_rpc_types::{BillCertificateView, DecidedHeaderView, ReadProofView};
use billchain_verifier::Digest;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer, in bytes: a certificate of 1 MiB in hex, and more than a header's.
const MAX_ANSWER: u32 = 3 << 20;
/// How long a server that lied is asked last.
const SHUNNED: Duration = Duration::from_secs(600);
/// Most characters that are kept of what a server says.
const MAX_WORDS: usize = 400;

/// A server.
pub(crate) struct Server {
    asker: Asker,
    pub(crate) url: String,
    record: Mutex<Record>,
    /// Held while it is asked for its head or a certificate: however many ask for certificates,
    /// what it gives is in memory once.
    turn: tokio::sync::Mutex<()>,
}

/// What is remembered of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// Number of its newest block that was shown to be one.
    pub(crate) head: Option<u32>,
    /// Its last lie, and how many there were.
    pub(crate) lie: Option<String>,
    pub(crate) lies: u64,
    lied: Option<Instant>,
    /// What was wrong the last time; nothing if it was of use.
    pub(crate) failure: Option<String>,
}

impl Record {
    /// Whether it lied lately.
    pub(crate) fn is_shunned(&self) -> bool {
        self.lied.is_some_and(|lied| lied.elapsed() < SHUNNED)
    }
}

impl Server {
    pub(crate) fn new(url: &str) -> Result<Self, ClientError> {
        let asker = Asker::new(url, PATIENCE, MAX_ANSWER)?;
        let (record, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { asker, url: url.to_owned(), record, turn })
    }

    pub(crate) fn record(&self) -> Record {
        self.record.lock().clone()
    }

    /// Remembers that it showed its head.
    pub(crate) fn showed(&self, head: u32) {
        let mut record = self.record.lock();
        record.head = Some(head);
        record.failure = None;
    }

    /// Remembers what was wrong with an answer, and says so if it is a lie.
    pub(crate) fn failed(&self, failure: &Failure) {
        let words = clean(&failure.to_string());
        let mut record = self.record.lock();
        if let Failure::Lie(_) = failure {
            record.lies += 1;
            record.lied = Some(Instant::now());
            record.lie = Some(words.clone());
            tracing::error!(server = %clean(&self.url), "a server lies: {words}");
        } else {
            tracing::warn!(server = %clean(&self.url), "a server is of no use: {words}");
        }
        record.failure = Some(words);
    }

    /// The decided header of a block, by its hash.
    pub(crate) async fn header_of(&self, hash: &Digest) -> Result<Vec<u8>, Failure> {
        let name = format!("0x{}", hex::encode(hash));
        self.header(json!(name), &name).await
    }

    async fn header(&self, block: Value, name: &str) -> Result<Vec<u8>, Failure> {
        let view: Option<DecidedHeaderView> =
            self.asker.ask("chain_decidedHeader", vec![block]).await?;
        let view = view.ok_or_else(|| Failure::Lacks(format!("block {name}")))?;
        Ok(decoded("header", &view.decided)?)
    }

    /// Its head, with the way from the last change of the validators that is known.
    pub(crate) async fn update(&self, known: u32) -> Result<Update, Failure> {
        let _turn = self.turn.lock().await;
        let keys = [last_change_key(), time_key()].map(|key| format!("0x{}", hex::encode(key)));
        let proved: ReadProofView = self.asker.ask("state_getReadProof", vec![json!(keys)]).await?;
        let [last, time] = &proved.proof[..] else {
            let reason = format!("expected 2 proofs, found {}", proved.proof.len());
            return Err(Lie::Form { what: "proof", reason }.into());
        };
        let (last, time) = (decoded("proof", last)?, decoded("proof", time)?);
        let head = self.header_of(proved.at.as_fixed_bytes()).await?;
        let (hash, state_root) = {
            let header = read(&head)?;
            (Hash::from(header.block().hash), header.state_root())
        };
        if hash != proved.at {
            let (asked, given) = (format!("{:?}", proved.at), format!("{hash:?}"));
            return Err(Lie::OtherBlock { asked, given }.into());
        }
        // The header proves itself later; its state says where to look for changes.
        let mut walk = Walk::new(known, last_change(&last, &state_root)?);
        while let Some(number) = walk.wanted() {
            walk.take(self.header(json!(number), &number.to_string()).await?)?;
        }
        Ok(Update { changes: walk.forward(), head, last_change: last, time })
    }

    /// What it gives as the certificate of a bill that starts at the block with this hash.
    pub(crate) async fn certificate(
        &self,
        code: &str,
        number: &str,
        checkpoint: &Digest,
    ) -> Result<Vec<u8>, Failure> {
        let _turn = self.turn.lock().await;
        let from = format!("0x{}", hex::encode(checkpoint));
        let asked = vec![json!(code), json!(number), json!(from)];
        let view: BillCertificateView = self.asker.ask("bill_certificate", asked).await?;
        Ok(decoded("certificate", &view.certificate)?)
    }
}

fn decoded(what: &'static str, text: &str) -> Result<Vec<u8>, Lie> {
    let digits = text.strip_prefix("0x");
    let bytes = digits.and_then(|digits| hex::decode(digits).ok());
    bytes.ok_or_else(|| Lie::Form { what, reason: "expected bytes as 0x hex".into() })
}

/// Words of a server without what moves a cursor, turns the text or hides, and not too many.
fn clean(text: &str) -> String {
    let plain = |c: char| if c.is_control() || turns_or_hides(c) { ' ' } else { c };
    text.chars().take(MAX_WORDS).map(plain).collect()
}

/// Whether a sign makes others read otherwise, or is not seen itself.
const fn turns_or_hides(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_server_are_plain_and_few() {
        assert_eq!(clean("a\u{1b}[2J\r\nb\u{202e}"), "a [2J  b ");
        // Isolates and marks turn text as the old signs do; a line may be another one's.
        assert_eq!(clean("a\u{2066}b\u{2069}c\u{200f}d\u{2028}e\u{61c}f"), "a b c d e f");
        assert_eq!(clean("节点不可用：é"), "节点不可用：é");
        assert_eq!(clean(&"x".repeat(9_000)).len(), MAX_WORDS);
    }

    #[tokio::test]
    async fn a_server_that_lied_is_shunned_and_one_that_is_away_is_not() {
        let server = Server::new("http://127.0.0.1:1").unwrap();
        server.showed(7);
        server.failed(&Failure::Lacks("block 3".into()));
        assert!(!server.record().is_shunned());
        server.failed(&Lie::NoChange { number: 9 }.into());
        let record = server.record();
        assert!(record.is_shunned() && record.lies == 1 && record.head == Some(7), "{record:?}");
        assert!(record.lie.unwrap().contains("it lies: it says that block 9"));
        // It is of use again; what it did is not forgotten.
        server.showed(8);
        assert!(server.record().failure.is_none() && server.record().lies == 1);
    }

    #[test]
    fn what_is_no_hex_is_a_lie() {
        assert_eq!(decoded("header", "0x0aff"), Ok(vec![10, 255]));
        for text in ["", "0aff", "0x0", "0xzz"] {
            assert!(matches!(decoded("header", text), Err(Lie::Form { what: "header", .. })));
        }
    }
}
