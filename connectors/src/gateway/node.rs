//! The chain through a node's JSON-RPC, for reading alone.

use async_trait::async_trait;
use billchain_primitives::{BillKey, Hash, Reason};
use billchain_rpc_types::BillVersionView;
use billchain_workers::{
    Chain, ChainProblem,
    tools::{Http, HttpSettings, Request},
};
use serde_json::{Value, json};

/// Longest answer of the node, in bytes.
const MAX_ANSWER: usize = 16 << 20;

/// A node.
pub struct Node {
    url: String,
    http: Http,
    genesis: Hash,
}

impl Node {
    /// The node at a URL, which has to answer.
    pub async fn connect(url: &str) -> Result<Self, ChainProblem> {
        let settings =
            HttpSettings { plain: true, max_answer_bytes: MAX_ANSWER, ..HttpSettings::default() };
        let http = Http::new(settings).map_err(|problem| ChainProblem(problem.to_string()))?;
        let mut node = Self { url: url.to_owned(), http, genesis: Hash::default() };
        let genesis = node.ask("archive_v1_genesisHash", Vec::new()).await?;
        node.genesis =
            serde_json::from_value(genesis).map_err(|error| ChainProblem(error.to_string()))?;
        Ok(node)
    }
}

#[async_trait]
impl Chain for Node {
    fn genesis(&self) -> Hash {
        self.genesis
    }

    async fn bill(&self, key: BillKey) -> Result<Option<BillVersionView>, ChainProblem> {
        let _ = key;
        Err(ChainProblem("the gateway asks for bills by their codes".to_owned()))
    }

    async fn ask(&self, method: &str, params: Vec<Value>) -> Result<Value, ChainProblem> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = Request::post(&self.url, "application/json", body.to_string().into_bytes());
        let answer = self.http.send(request).await;
        let answer = answer.map_err(|problem| ChainProblem(format!("{method}: {problem}")))?;
        let mut answer: Value = serde_json::from_slice(&answer.body)
            .map_err(|error| ChainProblem(format!("{method}: {error}")))?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(ChainProblem(format!("{method}: {}", answer["error"]))),
        }
    }

    async fn retell(&self, _: Vec<BillKey>, _: Reason) -> Result<(), ChainProblem> {
        Err(ChainProblem("the gateway writes nothing".to_owned()))
    }
}
