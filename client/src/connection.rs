//! A node's JSON-RPC, typed.

use crate::Signer;
use billchain_primitives::{AccountId, Fen, Hash, IssueDate, Nonce, history::BillField};
use billchain_rpc_types::{
    AdjustmentView, BillCertificateView, BillVersionView, BillView, DifferenceView,
    ElementsVerificationView, FieldProofView, HashVerificationView, HistoryCheckView, Page,
    ParticipantView, PartyView, ResolutionView, TransactionState, TransactionView,
};
use billchain_runtime::{RuntimeCall, VERSION};
use codec::Decode;
use jsonrpsee::{
    core::{
        client::{ClientT, Error as RpcError},
        params::ArrayParams,
    },
    http_client::{HttpClient, HttpClientBuilder},
    rpc_params,
    types::ErrorObject,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Why a request to a node failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The node refused the request, for instance a transaction.
    #[error("{method}: {message} (code {code})")]
    Refused {
        /// The method.
        method: &'static str,
        /// The error's code; see [`billchain_rpc_types::code`].
        code: i32,
        /// Why.
        message: String,
    },
    /// The node could not be reached or its answer not understood.
    #[error("{url}: {method}: {source}")]
    Transport {
        /// The node's URL.
        url: String,
        /// The method.
        method: &'static str,
        /// Why.
        source: RpcError,
    },
    /// The URL cannot be used.
    #[error("node URL: expected http://<address>:<port>, found \"{url}\": {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The node follows other rules than this program knows how to sign for.
    #[error(
        "the node runs {found_name} spec {found}, transaction format {found_format}; this program \
         was built for {expected_name} spec {expected}, transaction format {expected_format}"
    )]
    OtherRules {
        /// Spec name of this program.
        expected_name: String,
        /// Spec version of this program.
        expected: u32,
        /// Transaction version of this program.
        expected_format: u32,
        /// Spec name of the node.
        found_name: String,
        /// Spec version of the node.
        found: u32,
        /// Transaction version of the node.
        found_format: u32,
    },
    /// An answer is not of the form that this program knows.
    #[error("{method} answered with bytes of another form: {found}")]
    Undecodable {
        /// The method.
        method: &'static str,
        /// What it answered.
        found: String,
    },
    /// A transaction did not become final in time. It may still.
    #[error("transaction {hash:?} is not final after {patience:?}: it is {state:?}")]
    NotFinal {
        /// The transaction.
        hash: Hash,
        /// How long was waited.
        patience: Duration,
        /// Where it is.
        state: TransactionState,
    },
}

/// A connection to one node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connection {
    client: HttpClient,
    url: String,
    genesis: Hash,
    version: NodeVersion,
}

/// How often a transaction's state is asked for.
const POLL: Duration = Duration::from_millis(50);
/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer, in bytes: a full block in hex fits.
const MAX_ANSWER: u32 = 64 << 20;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeVersion {
    spec_name: String,
    spec_version: u32,
    transaction_version: u32,
}

impl Connection {
    /// Connects to a node and checks that it follows this program's rules.
    pub async fn open(url: &str) -> Result<Self, ClientError> {
        let this = Self::open_any(url).await?;
        this.ensure_rules()?;
        Ok(this)
    }

    /// Connects to a node of any rules: to read what its JSON says. Whoever signs calls
    /// [`ensure_rules`](Self::ensure_rules) before.
    pub async fn open_any(url: &str) -> Result<Self, ClientError> {
        let client = HttpClientBuilder::default()
            .request_timeout(TIMEOUT)
            .max_response_size(MAX_ANSWER)
            .build(url)
            .map_err(|e| ClientError::Url { url: url.to_owned(), reason: e.to_string() })?;
        let version = ask(&client, url, "state_getRuntimeVersion", rpc_params![]).await?;
        let genesis = ask(&client, url, "chain_getBlockHash", rpc_params![0]).await?;
        Ok(Self { client, url: url.to_owned(), genesis, version })
    }

    /// Checks that the node follows this program's rules.
    pub fn ensure_rules(&self) -> Result<(), ClientError> {
        let found = &self.version;
        let same = found.spec_name == VERSION.spec_name
            && found.spec_version == VERSION.spec_version
            && found.transaction_version == VERSION.transaction_version;
        if same {
            return Ok(());
        }
        Err(ClientError::OtherRules {
            expected_name: VERSION.spec_name.to_string(),
            expected: VERSION.spec_version,
            expected_format: VERSION.transaction_version,
            found_name: found.spec_name.clone(),
            found: found.spec_version,
            found_format: found.transaction_version,
        })
    }

    /// Hash of the chain's first block.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The JSON-RPC client, for other methods.
    pub fn raw(&self) -> &HttpClient {
        &self.client
    }

    /// The account's next nonce, its transactions in the node's pool counted.
    pub async fn nonce(&self, account: &AccountId) -> Result<Nonce, ClientError> {
        let account = format!("0x{}", hex::encode(account));
        self.ask("system_accountNextIndex", rpc_params![account]).await
    }

    /// Submits a signed transaction; its hash. To submit the same bytes again,
    /// at this node or another, is safe and gives the same answer.
    pub async fn submit(&self, transaction: &[u8]) -> Result<Hash, ClientError> {
        let encoded = format!("0x{}", hex::encode(transaction));
        self.ask("author_submitExtrinsic", rpc_params![encoded]).await
    }

    /// What became of a transaction.
    pub async fn transaction(&self, hash: Hash) -> Result<TransactionView, ClientError> {
        self.ask("transaction_status", rpc_params![hash]).await
    }

    /// Waits until a transaction is in a block, which is final.
    pub async fn wait_final(
        &self,
        hash: Hash,
        patience: Duration,
    ) -> Result<TransactionView, ClientError> {
        let began = Instant::now();
        loop {
            let view = self.transaction(hash).await?;
            match view.state {
                TransactionState::Final => return Ok(view),
                state if began.elapsed() > patience => {
                    return Err(ClientError::NotFinal { hash, patience, state });
                }
                _ => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// Signs and submits a call and waits until it is final. Whether it
    /// succeeded, the answer says.
    pub async fn execute(
        &self,
        signer: &Signer,
        call: RuntimeCall,
        patience: Duration,
    ) -> Result<TransactionView, ClientError> {
        let nonce = self.nonce(&signer.account()).await?;
        let hash = self.submit(&signer.transaction(call, nonce, self.genesis)).await?;
        self.wait_final(hash, patience).await
    }

    /// A bill by code and number.
    pub async fn bill(&self, code: &str, number: &str) -> Result<Option<BillView>, ClientError> {
        self.ask("bill_get", rpc_params![code, number]).await
    }

    /// A bill by its three codes.
    pub async fn bill_by_codes(
        &self,
        code: &str,
        number: &str,
        check: &str,
    ) -> Result<Option<BillView>, ClientError> {
        self.ask("bill_byCodes", rpc_params![code, number, check]).await
    }

    /// The bills that a transaction touched.
    pub async fn bills_of(&self, hash: Hash) -> Result<Option<Vec<BillView>>, ClientError> {
        self.ask("bill_byTransaction", rpc_params![hash]).await
    }

    /// The bills of a payer (交款人), of all issuers, by issue date: all pages of them.
    pub async fn bills_of_payer(&self, payer_ref: Hash) -> Result<Vec<BillView>, ClientError> {
        let (mut bills, mut after): (Vec<BillView>, Option<String>) = (Vec::new(), None);
        loop {
            let none: Option<u32> = None;
            let params = rpc_params![payer_ref, none, none, after];
            let page: Page<BillView> = self.ask("bill_byPayer", params).await?;
            bills.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(bills),
            }
        }
    }

    /// Every version of a bill, the first first; `None` if there is no bill.
    pub async fn history(
        &self,
        code: &str,
        number: &str,
    ) -> Result<Option<Vec<BillVersionView>>, ClientError> {
        let mut versions: Vec<BillVersionView> = Vec::new();
        loop {
            let from = versions.last().map_or(1, |last| last.version.saturating_add(1));
            let page: Option<Vec<BillVersionView>> =
                self.ask("bill_history", rpc_params![code, number, from]).await?;
            match page {
                None => return Ok(None),
                Some(page) if page.is_empty() => return Ok(Some(versions)),
                Some(page) => versions.extend(page),
            }
        }
    }

    /// In what two versions of a bill differ; by default the present one and
    /// the one before it. `None` if there is no bill.
    pub async fn difference(
        &self,
        code: &str,
        number: &str,
        from: Option<u32>,
        to: Option<u32>,
    ) -> Result<Option<DifferenceView>, ClientError> {
        self.ask("bill_difference", rpc_params![code, number, from, to]).await
    }

    /// The proof that a version, by default the present one, changed `field`;
    /// `None` if there is no bill.
    pub async fn prove_field(
        &self,
        code: &str,
        number: &str,
        version: Option<u32>,
        field: BillField,
    ) -> Result<Option<FieldProofView>, ClientError> {
        let field = field.to_string();
        self.ask("bill_proveField", rpc_params![code, number, version, field]).await
    }

    /// Whether the node's records are a bill's history; `None` if there is no
    /// bill.
    pub async fn verify_history(
        &self,
        code: &str,
        number: &str,
    ) -> Result<Option<HistoryCheckView>, ClientError> {
        let mut cursor: Option<String> = None;
        loop {
            let params = rpc_params![code, number, &cursor];
            let check: Option<HistoryCheckView> = self.ask("bill_verifyHistory", params).await?;
            match check {
                Some(HistoryCheckView { next: Some(next), .. }) => cursor = Some(next),
                whole => return Ok(whole),
            }
        }
    }

    /// The certificate of a bill, or that there is no such bill. It starts at the genesis, or at
    /// the block with the hash `from`, which named validators.
    pub async fn certificate(
        &self,
        code: &str,
        number: &str,
        from: Option<Hash>,
    ) -> Result<Vec<u8>, ClientError> {
        self.certified("bill_certificate", rpc_params![code, number, from]).await
    }

    /// The certificate of what a bill was at a version.
    pub async fn version_certificate(
        &self,
        code: &str,
        number: &str,
        version: u32,
        from: Option<Hash>,
    ) -> Result<Vec<u8>, ClientError> {
        let params = rpc_params![code, number, version, from];
        self.certified("bill_versionCertificate", params).await
    }

    /// The certificate of a range of numbers.
    pub async fn numbers_certificate(
        &self,
        code: &str,
        first: &str,
        last: &str,
        from: Option<Hash>,
    ) -> Result<Vec<u8>, ClientError> {
        self.certified("bill_numbersCertificate", rpc_params![code, first, last, from]).await
    }

    /// The certificate of an issuer's month, yyyymm.
    pub async fn month_certificate(
        &self,
        issuer: &str,
        month: &str,
        from: Option<Hash>,
    ) -> Result<Vec<u8>, ClientError> {
        self.certified("bill_monthCertificate", rpc_params![issuer, month, from]).await
    }

    async fn certified(
        &self,
        method: &'static str,
        params: ArrayParams,
    ) -> Result<Vec<u8>, ClientError> {
        let view: BillCertificateView = self.ask(method, params).await?;
        hex::decode(view.certificate.trim_start_matches("0x"))
            .map_err(|_| ClientError::Undecodable { method, found: view.certificate })
    }

    /// The adjustment of a bill that waits for a second administrator.
    pub async fn adjustment(
        &self,
        code: &str,
        number: &str,
    ) -> Result<Option<AdjustmentView>, ClientError> {
        self.ask("bill_adjustment", rpc_params![code, number]).await
    }

    /// The parties of a bill and the bills that belong to it; `None` if there
    /// is no such bill.
    pub async fn parties(
        &self,
        code: &str,
        number: &str,
    ) -> Result<Option<Page<PartyView>>, ClientError> {
        self.ask("bill_parties", rpc_params![code, number]).await
    }

    /// Whether `hash` is the SM3 of a bill's XML, by the three codes.
    pub async fn verify_xml(
        &self,
        code: &str,
        number: &str,
        check: &str,
        hash: Hash,
    ) -> Result<HashVerificationView, ClientError> {
        self.ask("bill_verifyHash", rpc_params![code, number, check, "xml", hash]).await
    }

    /// Whether the five elements are a bill's.
    pub async fn verify_elements(
        &self,
        code: &str,
        number: &str,
        check: &str,
        issue_date: IssueDate,
        total: Fen,
    ) -> Result<ElementsVerificationView, ClientError> {
        self.ask("bill_verifyElements", rpc_params![code, number, check, issue_date, total]).await
    }

    /// How the last contention for a bill within one block ended; `None` if
    /// there was none.
    pub async fn resolution(
        &self,
        code: &str,
        number: &str,
    ) -> Result<Option<ResolutionView>, ClientError> {
        self.ask("dispute_resolution", rpc_params![code, number]).await
    }

    /// A participant by its DID.
    pub async fn participant(&self, did: &str) -> Result<Option<ParticipantView>, ClientError> {
        self.ask("participant_resolve", rpc_params![did]).await
    }

    /// What a method answers to these parameters, as plain JSON.
    pub async fn read(
        &self,
        method: &'static str,
        params: Vec<Value>,
    ) -> Result<Value, ClientError> {
        let mut all = ArrayParams::new();
        for param in params {
            // Any JSON value is JSON.
            let _ = all.insert(param);
        }
        self.ask(method, all).await
    }

    /// A value of the state at the head, by its raw key; `None` if there is
    /// none.
    pub async fn state<T: Decode>(&self, key: &[u8]) -> Result<Option<T>, ClientError> {
        let method = "state_getStorage";
        let key = format!("0x{}", hex::encode(key));
        let found: Option<String> = self.ask(method, rpc_params![key]).await?;
        let decode = |text: &str| {
            let bytes = hex::decode(text.trim_start_matches("0x")).ok()?;
            T::decode(&mut &bytes[..]).ok()
        };
        found
            .map(|text| decode(&text).ok_or(ClientError::Undecodable { method, found: text }))
            .transpose()
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: ArrayParams,
    ) -> Result<T, ClientError> {
        ask(&self.client, &self.url, method, params).await
    }

    /// The error of a request to this node.
    pub(crate) fn failed(&self, method: &'static str, error: RpcError) -> ClientError {
        failed(&self.url, method, error)
    }
}

async fn ask<T: DeserializeOwned>(
    client: &HttpClient,
    url: &str,
    method: &'static str,
    params: ArrayParams,
) -> Result<T, ClientError> {
    client.request(method, params).await.map_err(|error| failed(url, method, error))
}

fn failed(url: &str, method: &'static str, error: RpcError) -> ClientError {
    match error {
        RpcError::Call(refusal) => refused(method, &refusal),
        source => ClientError::Transport { url: url.to_owned(), method, source },
    }
}

/// The node's refusal of one request.
pub(crate) fn refused(method: &'static str, refusal: &ErrorObject<'_>) -> ClientError {
    ClientError::Refused { method, code: refusal.code(), message: refusal.message().to_owned() }
}
