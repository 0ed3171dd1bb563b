//! A node whose blocks are made by hand, and what tests ask of it.

use super::*;
use billchain_primitives::{BatchMode, BillKey, BillSummary};
use jsonrpsee::core::params::ArrayParams;

/// Time of the first block; each is a millisecond after the one before.
pub(crate) const NOW: u64 = 1_800_000_000_000;

pub(crate) struct Node {
    pub(crate) chain: Chain,
    pub(crate) pool: Arc<Pool>,
    pub(crate) server: RpcServer,
    pub(crate) _directory: tempfile::TempDir,
}

/// The chain's own rules, as the node's pool asks them.
struct Rules(Chain);

impl TransactionValidator for Rules {
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>> {
        self.0.validate_transactions(txs).unwrap().into_iter().map(info).collect()
    }
}

pub(crate) fn info(judged: Result<Validated, TransactionError>) -> Result<TxInfo, Rejection> {
    let valid = judged.map_err(|error| match error {
        TransactionError::Refused(_) => Rejection::Refused { code: 0, detail: error.to_string() },
        _ => Rejection::Undecodable { reason: error.to_string() },
    })?;
    Ok(TxInfo {
        sender: valid.sender,
        nonce: valid.nonce,
        account_nonce: valid.account_nonce,
        dies_at: None,
        at: valid.head,
        quota: SenderQuota::default(),
    })
}

impl Node {
    pub(crate) async fn start(config: RpcConfig) -> Self {
        Self::with_storage(StorageOptions::default(), config).await
    }

    pub(crate) async fn with_storage(options: StorageOptions, config: RpcConfig) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::over(Self::chain(&directory, options), config, directory).await
    }

    pub(crate) fn chain(directory: &tempfile::TempDir, options: StorageOptions) -> Chain {
        let storage = Storage::open(directory.path(), options).unwrap();
        let spec = ChainSpec::development();
        Chain::with_genesis(Arc::new(storage), &spec.genesis_state().unwrap()).unwrap()
    }

    /// Another server over the same chain, with an empty pool: as a node has
    /// when it was started again.
    pub(crate) async fn again(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::over(self.chain.clone(), RpcConfig::default(), directory).await
    }

    pub(crate) async fn over(
        chain: Chain,
        config: RpcConfig,
        directory: tempfile::TempDir,
    ) -> Self {
        let (_, peers) = tokio::sync::watch::channel(Vec::new());
        Self::among(peers, chain, config, directory).await
    }

    /// A node that has these peers.
    pub(crate) async fn with_peers(
        peers: tokio::sync::watch::Receiver<Vec<libp2p::PeerId>>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let chain = Self::chain(&directory, StorageOptions::default());
        Self::among(peers, chain, RpcConfig::default(), directory).await
    }

    pub(crate) async fn among(
        peers: tokio::sync::watch::Receiver<Vec<libp2p::PeerId>>,
        chain: Chain,
        config: RpcConfig,
        directory: tempfile::TempDir,
    ) -> Self {
        let spec = ChainSpec::development();
        let head = chain.head().number;
        let pool = Pool::new(PoolConfig::default(), head, Arc::new(Rules(chain.clone()))).unwrap();
        let node = NodeInfo {
            name: "test".into(),
            chain_name: spec.name.to_string(),
            chain_type: spec.chain_type,
            peer_id: "12D3KooW".into(),
            is_validator: true,
            peers,
            status: None,
        };
        let dear = tokio::runtime::Handle::current();
        let context = RpcContext { chain: chain.clone(), pool: pool.clone(), node, dear };
        let config = RpcConfig { listen: ([127, 0, 0, 1], 0).into(), ..config };
        let server = serve(config, context).await.unwrap();
        Self { chain, pool, server, _directory: directory }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    pub(crate) async fn ws(&self) -> WsClient {
        WsClientBuilder::default()
            .request_timeout(Duration::from_secs(5))
            .build(format!("ws://{}", self.server.address()))
            .await
            .unwrap()
    }

    /// Puts what is ready into a block.
    pub(crate) fn make_block(&self) {
        self.make_block_at(NOW);
    }

    /// The same, at this time or a millisecond after the block before.
    pub(crate) fn make_block_at(&self, timestamp_ms: u64) {
        let transactions = self.pool.pending();
        let params = BuildParams {
            timestamp_ms,
            max_block_bytes: 5 << 20,
            deadline: Instant::now() + Duration::from_secs(10),
        };
        let mut bytes = transactions.iter().map(|transaction| transaction.bytes.clone());
        let built = self.chain.build(params, &mut bytes).unwrap();
        assert!(built.refused.is_empty());
        let block = self.chain.commit(built.block, b"certificate".to_vec()).unwrap();
        let nonces = transactions.iter().map(|t| (t.sender.clone(), t.nonce + 1)).collect();
        self.pool.on_block_committed(&CommittedBlock {
            number: block.header.number,
            hash: block.hash,
            included: block.tx_hashes.clone(),
            nonces,
        });
    }

    /// Sends a call and puts it into a block.
    pub(crate) async fn execute(
        &self,
        client: &Connection,
        who: &str,
        call: RuntimeCall,
    ) -> billchain_rpc_types::TransactionView {
        let signer = Signer::development(who);
        let nonce = client.nonce(&signer.account()).await.unwrap();
        let bytes = signer.transaction(call, nonce, client.genesis());
        let hash = client.submit(&bytes).await.unwrap();
        let waiting = client.transaction(hash).await.unwrap();
        assert_eq!(waiting.state, TransactionState::Ready);
        self.make_block();
        client.wait_final(hash, Duration::from_secs(5)).await.unwrap()
    }
}

pub(crate) fn register() -> (RuntimeCall, EInvoice) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/outpatient.xml");
    let invoice = EInvoice::parse(&std::fs::read(path).unwrap()).unwrap();
    let summary = invoice.summary(&SummaryContext {
        issuer: "did:bill:hospital".parse().unwrap(),
        scene: SceneId(1),
        payer_ref: [7; 32],
        pdf: None,
        location: None,
    });
    let call = pallet_bill_register::Call::<Runtime>::register { summary };
    (RuntimeCall::BillRegister(call), invoice)
}

/// Bills with these numbers, registered by one transaction.
pub(crate) fn register_many(numbers: std::ops::Range<u32>) -> RuntimeCall {
    let (RuntimeCall::BillRegister(pallet_bill_register::Call::register { summary }), _) =
        register()
    else {
        panic!("not a registration")
    };
    let numbered = |number: u32| BillSummary {
        key: BillKey { number: format!("{number:010}").parse().unwrap(), ..summary.key },
        ..summary.clone()
    };
    let bills: Vec<_> = numbers.map(numbered).collect();
    let call = pallet_bill_register::Call::<Runtime>::register_batch {
        bills: bills.try_into().unwrap(),
        mode: BatchMode::PerItem,
    };
    call.into()
}

pub(crate) fn change(invoice: &EInvoice, change: StatusChange) -> RuntimeCall {
    RuntimeCall::BillUpdate(pallet_bill_update::Call::<Runtime>::change_status {
        key: invoice.key,
        expected_version: None,
        change,
    })
}

/// Parameters by their place.
pub(crate) fn array(params: &Value) -> ArrayParams {
    let mut all = ArrayParams::new();
    params.as_array().unwrap().iter().for_each(|one| all.insert(one).unwrap());
    all
}

pub(crate) async fn ask(client: &WsClient, method: &str, params: Value) -> Value {
    client.request(method, array(&params)).await.unwrap_or_else(|error| panic!("{method}: {error}"))
}

pub(crate) fn refusal(error: Error) -> (i32, String) {
    match error {
        Error::Call(object) => (object.code(), object.message().to_owned()),
        other => panic!("expected a refusal, found {other}"),
    }
}
