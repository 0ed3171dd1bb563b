//! Sessions over a real chain, and where what is long or costs a thread runs.

use super::{
    accept::Peer,
    answer::answer,
    answers::Reply,
    envelope::{Call, Entry},
    session::Session,
    shared::Methods,
    subscriptions::Subscriptions,
};
use crate::{
    access::Admitted,
    budget::Room,
    config::RpcConfig,
    context::{About, Context, NodeInfo, RpcContext},
    lanes::{LONG, Lane, Turn},
    method::Method,
    methods,
    outbox::Outbox,
};
use billchain_access::{Access, Head};
use billchain_chain_spec::ChainSpec;
use billchain_executor::Chain;
use billchain_storage::{Storage, StorageOptions};
use billchain_txpool::{Pool, PoolConfig, Rejection, TransactionValidator, TxInfo};
use bytes::Bytes;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{runtime::Handle, time::timeout};

pub(super) const SOON: Duration = Duration::from_millis(100);
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Refuses every transaction for its time.
struct RefusesAll;

impl TransactionValidator for RefusesAll {
    fn validate(&self, txs: &[Bytes]) -> Vec<Result<TxInfo, Rejection>> {
        let refused = || Rejection::Refused { code: 0, detail: "too late".into() };
        txs.iter().map(|_| Err(refused())).collect()
    }
}

/// A session of a server that has these methods, and the chain's directory.
pub(super) fn session(
    config: RpcConfig,
    methods: impl Iterator<Item = &'static Method>,
) -> (Session, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage::open(directory.path(), StorageOptions::default()).unwrap();
    let spec = ChainSpec::development();
    let chain = Chain::with_genesis(Arc::new(storage), &spec.genesis_state().unwrap()).unwrap();
    let pool = Pool::new(PoolConfig::default(), 0, Arc::new(RefusesAll)).unwrap();
    let node = NodeInfo {
        name: "test".into(),
        chain_name: spec.name.to_string(),
        chain_type: spec.chain_type,
        peer_id: "12D3KooW".into(),
        is_validator: true,
        peers: tokio::sync::watch::channel(Vec::new()).1,
        status: None,
        workers: None,
    };
    let deps = RpcContext { chain, pool, node, dear: Handle::current() };
    let about = About { names: Vec::new(), document: String::new() };
    let access = Access::plain(config.listen, 8);
    let (reloads, _) = tokio::sync::mpsc::channel(1);
    let context = Arc::new(Context::new(deps, config, about, (access, reloads)));
    let address = std::net::IpAddr::from([127, 0, 0, 1]);
    let peer = Peer { address, certificate: None, listener: "local".into() };
    let rules = context.access.rules();
    let headers = hyper::HeaderMap::new();
    let head = Head { address, certificate: None, method: "POST", target: "/", headers: &headers };
    let caller = context.access.identify(rules.listener("local").unwrap(), head, &[]).unwrap();
    let session = Session::of(Arc::new(Methods::new(context, methods)), peer).called_by(caller);
    let (outbox, _) = Outbox::new(1, session.share.clone(), session.methods.watched.clone());
    (session.subscribing(Arc::new(Subscriptions::new(outbox, 8))), directory)
}

/// Every light turn of the session's server.
async fn all_turns(session: &Session) -> Vec<Turn> {
    let mut held = Vec::new();
    loop {
        let turns = session.methods.lanes.of_one();
        let place = turns.place(Lane::Light).await;
        match timeout(SOON, turns.turn(&place)).await {
            Ok(turn) => held.push(turn),
            Err(_) => return held,
        }
    }
}

/// JSON with blanks behind it.
fn padded(json: &str, length: usize) -> Bytes {
    Bytes::from(json.to_owned() + &" ".repeat(length - json.len()))
}

fn text(reply: Option<Reply>) -> String {
    reply.expect("it wants an answer").text
}

#[tokio::test]
async fn a_long_message_is_taken_apart_in_a_turn_and_a_short_one_at_once() {
    let (session, _directory) = session(RpcConfig::default(), methods::all());
    let ask = |length: usize| {
        let message = r#"{"jsonrpc":"2.0","id":1,"method":"system_name"}"#;
        answer(&session, padded(message, length), Room::default())
    };
    let held = all_turns(&session).await;
    let short = timeout(PATIENCE, ask(LONG)).await.expect("nobody waits for a turn");
    assert!(text(short).contains("billchain"));
    let mut long = pin!(ask(LONG + 1));
    assert!(timeout(SOON, &mut long).await.is_err(), "it has no turn");
    drop(held);
    let long = timeout(PATIENCE, long).await.expect("it has a turn");
    assert!(text(long).contains("billchain"));
}

#[tokio::test]
async fn long_parameters_of_what_does_not_read_storage_are_read_in_a_turn() {
    let (session, _directory) = session(RpcConfig::default(), methods::all());
    let ask = |method: &str, params: &str, length: usize| {
        let params = Some(padded(params, length));
        let admitted = Admitted::whole();
        let entry = Entry::Call(Call { id: "1".into(), method: method.into(), params, admitted });
        let session = session.clone();
        async move { text(session.single(entry).await.unwrap_or_else(|_| panic!("no room"))) }
    };
    let held = all_turns(&session).await;
    for (method, params) in [
        ("author_submitExtrinsic", r#"["0xzz"]"#),
        ("author_submitAndWatchExtrinsic", r#"["0xzz"]"#),
        ("transaction_submitSigned", r#"["0xzz","0x"]"#),
        ("state_subscribeStorage", r#"[["0xzz"]]"#),
    ] {
        let short = timeout(PATIENCE, ask(method, params, LONG)).await;
        let short = short.unwrap_or_else(|_| panic!("{method}: short ones wait for no turn"));
        assert!(short.contains("bytes as 0x hex"), "{short}");
        let long = timeout(SOON, ask(method, params, LONG + 1)).await;
        assert!(long.is_err(), "{method}: it has no turn: {long:?}");
    }
    drop(held);
    let long = ask("author_submitExtrinsic", r#"["0xzz"]"#, LONG + 1);
    let long = timeout(PATIENCE, long).await.expect("it has a turn");
    assert!(long.contains("bytes as 0x hex"), "{long}");
}

#[tokio::test]
async fn refused_transactions_are_looked_for_in_the_blocks_a_few_at_a_time() {
    let (session, _directory) = session(RpcConfig::default(), methods::all());
    let refused = || {
        let params = Some(Bytes::from_static(br#"["0x00"]"#));
        let (method, admitted) = ("author_submitExtrinsic".into(), Admitted::whole());
        let call = Call { id: "1".into(), method, params, admitted };
        let session = session.clone();
        async move { session.single(Entry::Call(call)).await.unwrap_or_else(|_| panic!("no room")) }
    };
    let places = session.methods.context.look_ups.clone();
    let all = places.available_permits() as u32;
    assert!(all <= 4, "each is a blocking thread: {all}");
    let held = places.acquire_many(all).await.unwrap();
    let mut waits = pin!(refused());
    assert!(timeout(SOON, &mut waits).await.is_err(), "all places are taken");
    drop(held);
    let told = timeout(PATIENCE, waits).await.expect("it has a place");
    assert!(text(told).contains("too late"));
    assert_eq!(places.available_permits() as u32, all);
}
