//! A chain in memory, stand-ins in this process, notices, and a worker that repeats.

use async_trait::async_trait;
use billchain_connectors::registry;
use billchain_crypto::sm2::SecretKey;
use billchain_mocks::{
    certificates,
    faults::Faults,
    server::{self, Options, Running},
    systems::{self, Kind, Knowledge},
};
use billchain_primitives::{
    BillKey, Hash, Reason,
    outbox::{ConnectorId, ConnectorKind, Entry, EntryStatus, Subject, Topic, idempotency_key},
};
use billchain_rpc_types::{BillVersionView, BillView, GrantView};
use billchain_workers::{
    Chain, ChainProblem, Connector, Content, Failure, Making, Notice, SystemClock, Told, Tools,
    tools::{Http, HttpSettings, Store},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};
use tempfile::TempDir;

pub(crate) const GENESIS: Hash = Hash::repeat_byte(0x5a);
pub(crate) const CONNECTOR: ConnectorId = ConnectorId(3);

/// What a test answers for a method of the node.
type Answers = Box<dyn Fn(&str, &[Value]) -> Option<Value> + Send + Sync>;

/// A chain whose bills are in memory.
#[derive(Default)]
pub(crate) struct MemoryChain {
    pub bills: Mutex<BTreeMap<String, BillView>>,
    pub retold: Mutex<Vec<(BillKey, String)>>,
    pub answers: Mutex<Option<Answers>>,
    /// Calls of the node after which it is away; none: it stays.
    pub calls_left: Mutex<Option<u64>>,
}

fn prefix() -> Vec<u8> {
    let part = |name: &[u8]| sp_crypto_hashing::twox_128(name);
    [part(b"BillRegister"), part(b"Bills")].concat()
}

#[async_trait]
impl Chain for MemoryChain {
    fn genesis(&self) -> Hash {
        GENESIS
    }

    async fn bill(&self, _: BillKey) -> Result<Option<BillVersionView>, ChainProblem> {
        Err(ChainProblem("not asked for here".to_owned()))
    }

    async fn ask(&self, method: &str, params: Vec<Value>) -> Result<Value, ChainProblem> {
        if let Some(left) = self.calls_left.lock().as_mut() {
            *left =
                left.checked_sub(1).ok_or_else(|| ChainProblem("the node is away".to_owned()))?;
        }
        if let Some(answer) =
            self.answers.lock().as_ref().and_then(|answers| answers(method, &params))
        {
            return Ok(answer);
        }
        let bills = self.bills.lock();
        match method {
            "state_getKeysPaged" => {
                let start = hex::decode(&params[2].as_str().unwrap()[2..]).unwrap();
                let limit = usize::try_from(params[1].as_u64().unwrap()).unwrap();
                let keys = bills.keys().map(|key| {
                    let (code, number) = key.split_once('-').unwrap();
                    [prefix(), code.as_bytes().to_vec(), number.as_bytes().to_vec()].concat()
                });
                let keys = keys.filter(|key| *key > start).take(limit);
                Ok(json!(keys.map(|key| format!("0x{}", hex::encode(key))).collect::<Vec<_>>()))
            }
            "bill_getBatch" => {
                let asked = params[0].as_array().unwrap().iter().map(|pair| {
                    let key =
                        format!("{}-{}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
                    bills.get(&key)
                });
                Ok(json!(asked.collect::<Vec<_>>()))
            }
            other => Err(ChainProblem(format!("{other} is not answered here"))),
        }
    }

    async fn retell(&self, bills: Vec<BillKey>, reason: Reason) -> Result<(), ChainProblem> {
        let reason = reason.as_str().to_owned();
        self.retold.lock().extend(bills.into_iter().map(|key| (key, reason.clone())));
        Ok(())
    }
}

/// A stand-in with TLS and a connector to it.
pub(crate) struct Bench {
    pub directory: TempDir,
    pub chain: Arc<MemoryChain>,
    pub running: Option<Running>,
    kind: Kind,
    knowledge: Knowledge,
    port: u16,
}

impl Bench {
    pub(crate) async fn new(kind: Kind) -> Self {
        let directory = TempDir::new().unwrap();
        certificates::write(directory.path()).unwrap();
        let caller = hex::encode(worker_key().public().to_compressed());
        let knowledge = Knowledge {
            app_id: "billchain".to_owned(),
            app_key: "a key of a test".to_owned(),
            callers: vec![caller],
            dids: vec!["did:bill:insurer-a".to_owned()],
            key_seed: "stand-in".to_owned(),
        };
        let mut bench =
            Self { directory, chain: Arc::default(), running: None, kind, knowledge, port: 0 };
        bench.start().await;
        bench
    }

    /// Starts the stand-in, at the port that it had.
    pub(crate) async fn start(&mut self) {
        let options = Options {
            listen: ([127, 0, 0, 1], self.port).into(),
            admin: ([127, 0, 0, 1], 0).into(),
            journal: Some(self.directory.path().join("journal")),
            tls: Some(self.directory.path().to_owned()),
            seed: seed(),
        };
        let system = systems::make(self.kind, self.knowledge.clone()).unwrap();
        let running = server::start(system, &options).await.unwrap();
        self.port = running.listen.port();
        self.running = Some(running);
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn faults(&self, faults: Faults) {
        self.running().set_faults(faults);
    }

    /// Tools of a worker whose store is called `name`.
    pub(crate) fn tools(&self, name: &str) -> Arc<Tools> {
        let settings = HttpSettings {
            authorities: Some(self.directory.path().join("ca.pem")),
            request_ms: 2_000,
            ..HttpSettings::default()
        };
        Arc::new(Tools {
            http: Http::new(settings).unwrap(),
            store: Store::open(&self.directory.path().join(name), "connector").unwrap(),
            chain: self.chain.clone(),
            key: worker_key(),
            clock: Arc::new(SystemClock),
        })
    }

    pub(crate) fn connector(
        &self,
        format: &str,
        kind: ConnectorKind,
        settings: &str,
        tools: Arc<Tools>,
    ) -> Box<dyn Connector> {
        let making = Making {
            connector: CONNECTOR,
            kind,
            endpoint: "test".to_owned(),
            settings: toml::from_str(settings).unwrap(),
            tools,
        };
        registry().get(format).unwrap()(making).unwrap()
    }

    /// A file that only its owner may read.
    pub(crate) fn secret(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The stand-in's own public key.
    pub(crate) fn public_key(&self) -> String {
        hex::encode(SecretKey::from_seed(b"stand-in").public().to_compressed())
    }
}

pub(crate) fn worker_key() -> SecretKey {
    SecretKey::from_seed(b"a worker of a test")
}

/// The seed of this run, printed so that it can be run again.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("BILLCHAIN_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(17);
    println!("BILLCHAIN_TEST_SEED={seed}");
    seed
}

/// Every fault at once, as often as a bad day has them.
pub(crate) fn bad_day() -> Faults {
    Faults {
        slow: 50,
        slow_ms: 60,
        error: 100,
        wrong: 150,
        lost: 150,
        duplicated: 150,
        out_of_order: 100,
        out_of_order_ms: 20,
        ..Faults::default()
    }
}

fn hash(byte: u8) -> String {
    format!("0x{}", hex::encode([byte; 32]))
}

/// `code-number` of the bill with this number.
pub(crate) fn bill_name(number: u64) -> String {
    format!("31060125-{number:010}")
}

pub(crate) fn bill_view(number: u64, status: &str, version: u32, reimbursed_fen: i64) -> BillView {
    serde_json::from_value(json!({
        "code": "31060125", "number": format!("{number:010}"), "check_code": "a1B2c3",
        "kind": "blue", "issue_date": 20_260_101, "issue_time": 93_000, "total_fen": 10_000,
        "issuer": "did:bill:hospital", "issuer_uscc": "12310000425006133D",
        "payer_type": "person", "payer_ref": hash(7), "scene": 1, "biz_no_hash": hash(8),
        "xml_hash": hash(9), "pdf_hash": null, "location_hash": null, "related": null,
        "status": status, "version": version, "version_hash": hash(10), "lock": null,
        "reimbursements": [], "reimbursed_fen": reimbursed_fen, "updated": 1_000,
        "registration": {"block": 1, "extrinsic": 1, "operation": "register", "content_hash": hash(11)},
    }))
    .unwrap()
}

/// Which operation made a version.
fn operation(topic: Topic) -> &'static str {
    match topic {
        Topic::BillLocked => "lock",
        Topic::BillUnlocked => "unlock",
        Topic::BillReimbursed => "reimburse",
        Topic::BillUseReversed => "reverse_use",
        _ => "register",
    }
}

pub(crate) fn bill_notice(
    seq: u64,
    number: u64,
    version: u32,
    topic: Topic,
    status: &str,
    fen: i64,
) -> Notice {
    let bill = bill_view(number, status, version, fen);
    let key = BillKey { code: bill.code, number: bill.number };
    let view: BillVersionView = serde_json::from_value(json!({
        "version": version, "hash": hash(10), "previous": hash(12), "content": hash(13),
        "difference": null, "cause": {"operation": operation(topic)}, "operator": "did:bill:insurer-a",
        "reason": null, "evidence": null, "proposer": null, "block": 40, "extrinsic": 2,
        "time": 1_000 + u64::from(version), "bill": bill,
    }))
    .unwrap();
    notice(seq, topic, Subject::Bill(key), version, Content::Bill(Box::new(view)))
}

pub(crate) fn grant_notice(
    seq: u64,
    grant: Hash,
    topic: Topic,
    version: u32,
    status: &str,
    subject: &str,
) -> Notice {
    let stamp = json!({"block": 40, "extrinsic": 2, "time": 1_000});
    let view: GrantView = serde_json::from_value(json!({
        "grant": grant, "holder": "did:bill:patient", "subject": subject,
        "registrar": "did:bill:platform", "bills": [{"code": "31060125", "number": "0000000001"}],
        "condition": null, "scene": 3, "valid_from": 0, "valid_until": u64::MAX, "status": status,
        "uses": 0, "version": version, "history_hash": hash(14), "registered": stamp, "updated": stamp,
    }))
    .unwrap();
    notice(seq, topic, Subject::Grant(grant), version, Content::Grant(Box::new(view)))
}

fn notice(seq: u64, topic: Topic, subject: Subject, version: u32, content: Content) -> Notice {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&seq.to_le_bytes());
    let entry = Entry {
        topic,
        subject,
        version,
        scene: None,
        digest,
        previous: None,
        block: u32::try_from(seq).unwrap() + 10,
        extrinsic: Some(1),
        moment: 1_767_196_800_000 + seq,
        status: EntryStatus::Waiting,
        attempts: 0,
        refusals: 0,
        refusal: [0; 32],
    };
    let idempotency_key = idempotency_key(&GENESIS, CONNECTOR, seq);
    Notice { seq, entry, idempotency_key, content, attempt: 1 }
}

/// Lock and reimbursement of `bills` bills, in the order of the chain.
pub(crate) fn life(bills: u64) -> Vec<Notice> {
    let mut notices = Vec::new();
    for number in 0..bills {
        notices.push(bill_notice(
            notices.len() as u64 + 1,
            number,
            2,
            Topic::BillLocked,
            "locked",
            0,
        ));
    }
    for number in 0..bills {
        let seq = notices.len() as u64 + 1;
        notices.push(bill_notice(seq, number, 3, Topic::BillReimbursed, "reimbursed", 10_000));
    }
    notices
}

/// Tells notices as a worker does: batches, nothing twice under way about one subject, what
/// fails comes again. Gives the answers, by number.
pub(crate) async fn tell_all(connector: &dyn Connector, notices: &[Notice]) -> BTreeMap<u64, Told> {
    let mut told = BTreeMap::new();
    let mut waiting: Vec<&Notice> = notices.iter().collect();
    for _ in 0..10_000 {
        if waiting.is_empty() {
            return told;
        }
        let mut subjects = BTreeSet::new();
        let batch: Vec<Notice> = if connector.keeps_order() {
            waiting.iter().take(connector.batch()).map(|notice| (*notice).clone()).collect()
        } else {
            let first =
                waiting.iter().filter(|notice| subjects.insert(notice.entry.subject.clone()));
            first.take(connector.batch()).map(|notice| (*notice).clone()).collect()
        };
        let outcomes = connector.deliver(&batch).await;
        assert_eq!(outcomes.len(), batch.len());
        let mut holds = true;
        for (notice, outcome) in batch.iter().zip(outcomes) {
            match outcome {
                Ok(answer) if holds => {
                    told.insert(notice.seq, answer);
                    waiting.retain(|other| other.seq != notice.seq);
                }
                Err(Failure::Refused { what, .. }) => {
                    panic!("entry {} was refused: {what}", notice.seq)
                }
                _ => holds = !connector.keeps_order(),
            }
        }
    }
    panic!("{} of {} notices were not told", waiting.len(), notices.len());
}
