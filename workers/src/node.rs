//! The operator's own node, as a worker sees it: reads, and one transaction at a time.

use crate::{
    connector::{Content, Notice},
    tools::{Chain, ChainProblem, MAX_RETOLD},
};
use async_trait::async_trait;
use billchain_client::{ClientError, Connection, Signer};
use billchain_crypto::sm2;
use billchain_primitives::{BillKey, Did, Hash, Reason, outbox::ConnectorId};
use billchain_rpc_types::{
    BillVersionView, ConnectorView, FailureView, NoticeView, OutboxEntryView, ParticipantView,
};
use billchain_runtime::{Runtime, RuntimeCall};
use jsonrpsee::core::{client::ClientT, params::ArrayParams};
use pallet_outbox::{Call, Outcome};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a transaction may take to become final before its state is looked at anew.
const PATIENCE: Duration = Duration::from_secs(15);
/// Entries that are asked for at once.
pub const PAGE: usize = 100;

/// A transaction that did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub enum NodeProblem {
    /// The node cannot be asked, or says nothing final.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The chain refuses the call.
    #[error("{name}: {docs}")]
    Refused {
        /// Name of the error.
        name: String,
        /// What it says.
        docs: String,
    },
    /// The node's answer is not what it should be.
    #[error("{0}")]
    Strange(String),
}

/// The node, one connector of it, and who acknowledges.
pub struct Node {
    connection: Connection,
    signer: Signer,
    connector: ConnectorId,
    /// One transaction at a time: nonces follow one another.
    sending: Mutex<()>,
}

impl Node {
    /// Connects to the node and finds the connector with this endpoint, and whose key it is.
    /// `None` if no connector that is not retired has it.
    pub async fn open(
        url: &str,
        endpoint: &str,
        key: &sm2::SecretKey,
    ) -> Result<Option<(Self, ConnectorView, Did)>, NodeProblem> {
        let connection = Connection::open(url).await?;
        let signer = Signer::Sm2(key.clone());
        let account = format!("0x{}", hex::encode(signer.account()));
        let found = connection.read("participant_byAccount", vec![json!(account)]).await?;
        let participant: Option<ParticipantView> = parsed(found)?;
        let participant = participant.ok_or_else(|| {
            let key = hex::encode(key.public().to_compressed());
            NodeProblem::Strange(format!("no participant has the worker's key sm2:{key}"))
        })?;
        let all: Vec<ConnectorView> =
            parsed(connection.read("connector_status", Vec::new()).await?)?;
        let is_its = |view: &ConnectorView| view.endpoint == endpoint && view.status != "retired";
        let Some(view) = all.into_iter().rev().find(is_its) else { return Ok(None) };
        let connector = view.connector;
        let node = Self { connection, signer, connector, sending: Mutex::new(()) };
        Ok(Some((node, view, participant.did)))
    }

    /// Where the connector stands, and up to which block.
    pub async fn status(&self) -> Result<ConnectorView, NodeProblem> {
        let params = vec![json!(self.connector)];
        let views: Vec<ConnectorView> =
            parsed(self.connection.read("connector_status", params).await?)?;
        views.into_iter().next().ok_or_else(|| NodeProblem::Strange("no such connector".into()))
    }

    /// Number of the last block, which is final.
    pub async fn head(&self) -> Result<u32, NodeProblem> {
        let header = self.connection.read("chain_getHeader", Vec::new()).await?;
        let number = header["number"].as_str().and_then(|text| text.strip_prefix("0x"));
        let number = number.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        number.ok_or_else(|| NodeProblem::Strange("chain_getHeader has no number".into()))
    }

    /// Entries after a number, at most [`PAGE`], by their numbers.
    pub async fn page(&self, after: Option<u64>) -> Result<Vec<Notice>, NodeProblem> {
        let params = vec![json!(self.connector), json!(after), json!(PAGE)];
        let views: Vec<NoticeView> = parsed(self.connection.read("outbox_pending", params).await?)?;
        views.into_iter().map(notice).collect()
    }

    /// An entry, or what became of it.
    pub async fn entry(&self, seq: u64) -> Result<Option<OutboxEntryView>, NodeProblem> {
        let params = vec![json!(self.connector), json!(seq)];
        parsed(self.connection.read("outbox_entry", params).await?)
    }

    /// Takes the lease, or holds it longer.
    pub async fn claim(&self) -> Result<(), NodeProblem> {
        self.send(Call::<Runtime>::claim { connector: self.connector }.into()).await
    }

    /// Gives the lease back.
    pub async fn release(&self) -> Result<(), NodeProblem> {
        self.send(Call::<Runtime>::release { connector: self.connector }.into()).await
    }

    /// Reports outcomes; returns when that is final.
    pub async fn report(&self, outcomes: Vec<Outcome>) -> Result<(), NodeProblem> {
        let outcomes = outcomes
            .try_into()
            .map_err(|_| NodeProblem::Strange("too many outcomes for one report".into()))?;
        self.send(Call::<Runtime>::report { connector: self.connector, outcomes }.into()).await
    }

    async fn send(&self, call: RuntimeCall) -> Result<(), NodeProblem> {
        let _one = self.sending.lock().await;
        let view = self.connection.execute(&self.signer, call, PATIENCE).await?;
        match view.error {
            None if view.success == Some(true) => Ok(()),
            Some(FailureView { name, docs, .. }) => Err(NodeProblem::Refused { name, docs }),
            None => {
                Err(NodeProblem::Strange(format!("transaction {:?} has no outcome", view.hash)))
            }
        }
    }
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, NodeProblem> {
    serde_json::from_value(value)
        .map_err(|error| NodeProblem::Strange(format!("the node's answer: {error}")))
}

fn notice(view: NoticeView) -> Result<Notice, NodeProblem> {
    let seq = view.entry.seq;
    let content = match (view.bill, view.grant, view.participant) {
        (Some(bill), ..) => Content::Bill(Box::new(bill)),
        (_, Some(grant), _) => Content::Grant(Box::new(grant)),
        (.., Some(participant)) => Content::Participant(Box::new(participant)),
        (None, None, None) => {
            let words = "the node has not what it is about; its index may be incomplete";
            return Err(NodeProblem::Strange(format!("entry {seq}: {words}")));
        }
    };
    let entry = view.entry.entry();
    let entry = entry.ok_or_else(|| NodeProblem::Strange(format!("entry {seq} has ended")))?;
    Ok(Notice { seq, entry, idempotency_key: view.idempotency_key.0, content, attempt: 0 })
}

fn problem(error: impl std::fmt::Display) -> ChainProblem {
    ChainProblem(error.to_string())
}

#[async_trait]
impl Chain for Node {
    fn genesis(&self) -> Hash {
        self.connection.genesis()
    }

    async fn bill(&self, key: BillKey) -> Result<Option<BillVersionView>, ChainProblem> {
        let (code, number) = (key.code.as_str(), key.number.as_str());
        let Some(bill) = self.connection.bill(code, number).await.map_err(problem)? else {
            return Ok(None);
        };
        let params = vec![json!(code), json!(number), json!(bill.version), json!(1)];
        let versions = self.connection.read("bill_history", params).await.map_err(problem)?;
        let versions: Option<Vec<BillVersionView>> = parsed(versions).map_err(problem)?;
        Ok(versions.unwrap_or_default().into_iter().next())
    }

    async fn ask(&self, method: &str, params: Vec<Value>) -> Result<Value, ChainProblem> {
        let mut all = ArrayParams::new();
        for param in params {
            all.insert(param).map_err(problem)?;
        }
        self.connection.raw().request(method, all).await.map_err(problem)
    }

    async fn retell(&self, bills: Vec<BillKey>, reason: Reason) -> Result<(), ChainProblem> {
        let count = bills.len();
        let bills = bills
            .try_into()
            .map_err(|_| problem(format!("at most {MAX_RETOLD} bills at once, found {count}")))?;
        let call = Call::<Runtime>::retell { connector: self.connector, bills, reason };
        self.send(call.into()).await.map_err(problem)
    }
}
