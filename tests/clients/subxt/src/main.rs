//! subxt, which we did not write, against a development network. `generated.rs` is what subxt's own
//! command line made of the node's metadata.

mod chain;
#[path = "generated.rs"]
#[allow(dead_code, clippy::all)]
mod generated;
mod report;

use chain::{BillChain, Sm2Key};
use generated::api;
use report::{Done, Report, hold, same, words};
use std::{env, process::Command};
use subxt::{
    OnlineClient,
    config::DefaultExtrinsicParamsBuilder as Params,
    dynamic::{self, Value},
    error::{DispatchError, TransactionEventsError, TransactionFinalizedSuccessError},
    ext::scale_value::Composite,
    transactions::{DynamicPayload, Payload, TransactionStatus},
};
use subxt_rpcs::client::ReconnectingRpcClient;
use subxt_signer::sr25519::dev;

type Client = OnlineClient<BillChain>;

fn base() -> u64 {
    env::var("BILLCHAIN_BASE").ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn bytes(bytes: impl AsRef<[u8]>) -> Value {
    Value::from_bytes(bytes)
}

fn key(n: u64) -> Value {
    let number = bytes(format!("{:010}", base() + n));
    Value::named_composite([("code", bytes("31060126")), ("number", number)])
}

fn variant(name: &str) -> Value {
    Value::unnamed_variant(name, [])
}

/// A bill of Alice's; `n` makes it new.
fn bill(n: u64, total: u64) -> Value {
    Value::named_composite([
        ("key", key(n)),
        ("check_code", bytes("aZ09bY")),
        ("kind", variant("Blue")),
        ("issue_date", Value::u128(20_260_301)),
        ("issue_time", Value::u128(93_015)),
        ("total", Value::u128(total.into())),
        ("issuer", bytes("did:bill:alice")),
        ("issuer_uscc", bytes("91350100M000100Y43")),
        ("payer_type", variant("Person")),
        ("payer_ref", bytes([1; 32])),
        ("scene", Value::u128(1)),
        ("biz_no_hash", bytes([2; 32])),
        ("xml_hash", bytes([3; 32])),
        ("pdf_hash", bytes([0; 32])),
        ("location_hash", bytes([0; 32])),
        ("related", variant("None")),
    ])
}

type Dynamic = DynamicPayload<Composite<()>>;

fn call(pallet: &str, name: &str, argument: &str, value: Value) -> Dynamic {
    dynamic::transaction(pallet, name, Composite::named([(argument, value)]))
}

fn register(n: u64) -> Dynamic {
    register_over(n, 12_345)
}

fn register_over(n: u64, total: u64) -> Dynamic {
    call("BillRegister", "register", "summary", bill(n, total))
}

/// Names of the events of a transaction that succeeds.
async fn send(client: &Client, call: &impl Payload) -> Result<Vec<String>, String> {
    send_with(client, call, Params::new().build()).await
}

async fn send_with(
    client: &Client,
    call: &impl Payload,
    params: subxt::config::DefaultExtrinsicParams<BillChain>,
) -> Result<Vec<String>, String> {
    let mut transactions = client.transactions().await.map_err(words)?;
    let alice = dev::alice();
    let sent = transactions.sign_and_submit_then_watch(call, &alice, params).await;
    let done = sent.map_err(words)?.wait_for_finalized_success().await;
    let events = done.map_err(|error| format!("{error:?}"))?;
    events
        .iter()
        .map(|event| event.map(|event| event.event_name().to_owned()).map_err(words))
        .collect()
}

/// Fails unless the work fails with these words.
async fn refused<T>(work: impl Future<Output = Result<T, String>>, expected: &str) -> Done {
    match work.await {
        Err(found) if found.contains(expected) => Ok(()),
        Err(found) => Err(format!("expected {expected}, found {found}")),
        Ok(_) => Err(format!("it is not refused, expected {expected}")),
    }
}

fn has(events: &[String], name: &str) -> Done {
    hold(events.iter().any(|event| event == name), &format!("no {name} in {events:?}"))
}

#[tokio::main]
async fn main() {
    let url =
        env::var("BILLCHAIN_WS").expect("set BILLCHAIN_WS to the WebSocket of a development node");
    let mut report = Report::new("subxt", env!("SUBXT_VERSION"));
    let client = match Client::from_insecure_url(&url).await {
        Ok(client) => client,
        Err(error) => {
            report.works("connect", async { Err(words(error)) }).await;
            report.end()
        }
    };
    report.works("connect", async { hold(client.genesis_hash().0 != [0; 32], "a genesis") }).await;
    reads(&mut report, &client).await;
    transactions(&mut report, &client).await;
    failures(&mut report, &client).await;
    others(&mut report, &client).await;
    restart(&mut report, &url).await;
    report.end();
}

async fn reads(report: &mut Report, client: &Client) {
    let work = async {
        let at = client.at_current_block().await.map_err(words)?;
        hold(at.metadata_ref().pallet_by_name("BillRegister").is_some(), "a contract")
    };
    report.works("metadata", work).await;
    let work = async {
        let at = client.at_current_block().await.map_err(words)?;
        let header = at.block_header().await.map_err(words)?;
        let hash =
            subxt::config::Hasher::hash(at.hasher(), &subxt::ext::codec::Encode::encode(&header));
        same(hash, at.block_hash(), "hash of the header")
    };
    report.with("block hashes", "Hasher", work).await;
    let work = async {
        let at = client.at_current_block().await.map_err(words)?;
        let prefix =
            at.constants().entry(api::constants().system().ss58_prefix()).map_err(words)?;
        same(prefix, 42, "the prefix of addresses")
    };
    report.works("constants", work).await;
    let work = async {
        let at = client.at_current_block().await.map_err(words)?;
        let address = api::storage().participant().participants();
        let mut all = at.storage().iter(address, ()).await.map_err(words)?;
        let mut count = 0;
        while let Some(entry) = all.next().await {
            entry.map_err(words)?;
            count += 1;
        }
        hold(count > 40, &format!("{count} participants"))
    };
    report.works("a map's pages", work).await;
    let work = async {
        let mut blocks = client.stream_blocks().await.map_err(words)?;
        let mut heights = Vec::new();
        while heights.len() < 3 {
            let block = blocks.next().await.ok_or("the stream ended")?.map_err(words)?;
            heights.push(block.number());
        }
        same(heights.clone(), (heights[0]..heights[0] + 3).collect(), "heights")
    };
    report.works("three blocks in order", work).await;
    let work = async {
        let at = client.at_current_block().await.map_err(words)?;
        let number = at.block_number() - 3;
        let old = client.at_block(number).await.map_err(words)?;
        let address = api::storage().system().number();
        let found =
            old.storage().fetch(address, ()).await.map_err(words)?.decode().map_err(words)?;
        same(u64::from(found), number, "the number in the old state")
    };
    report.works("old state", work).await;
    let work = async {
        let at = client.at_current_block().await.map_err(words)?;
        let extrinsics = at.extrinsics().fetch().await.map_err(words)?;
        hold(!extrinsics.is_empty(), "the timestamp")
    };
    report.works("bodies of blocks", work).await;
}

async fn transactions(report: &mut Report, client: &Client) {
    let work = async { has(&send(client, &register(1)).await?, "BillRegistered") };
    report.with("a long payload", "Hasher", work).await;
    let work = async {
        let call = api::transactions().utility().batch(Vec::new());
        has(&send(client, &call).await?, "BatchCompleted")
    };
    report.works("a short payload", work).await;
    report
        .works("generated code", async {
            let at = client.at_current_block().await.map_err(words)?;
            let call = api::transactions().utility().batch(Vec::new());
            at.transactions().validate(&call).map_err(words)
        })
        .await;
    let work = async {
        let at = client.at_current_block().await.map_err(words)?;
        let address = dynamic::storage::<(Value,), Value>("BillRegister", "Bills");
        let stored = at.storage().fetch(address, (key(1),)).await.map_err(words)?;
        let bill = stored.decode().map_err(words)?.to_string();
        hold(bill.contains("total: (12345)"), &bill)
    };
    report.works("storage", work).await;
    let work = async {
        let events = send(client, &register(2)).await?;
        has(&events, "BillRegistered")?;
        has(&events, "ExtrinsicSuccess")
    };
    report.works("events of a success", work).await;
    let work = async {
        let params = Params::new().mortal(64).build();
        has(&send_with(client, &register(4), params).await?, "BillRegistered")
    };
    report.with("a mortal transaction", "Hasher", work).await;
    let work = async {
        let params = Params::new().immortal().build();
        has(&send_with(client, &register(5), params).await?, "BillRegistered")
    };
    report.works("an immortal transaction", work).await;
    let work = async {
        let calls = Value::unnamed_composite([6, 7].map(|n| register(n).into_value()));
        let batch = call("Utility", "batch_all", "calls", calls);
        let events = send(client, &batch).await?;
        same(
            events.iter().filter(|name| *name == "BillRegistered").count(),
            2,
            "events of the contract",
        )
    };
    report.works("a batch", work).await;
}

async fn failures(report: &mut Report, client: &Client) {
    let work = async {
        let mut transactions = client.transactions().await.map_err(words)?;
        let call = register_over(1, 54_321);
        let sent = transactions.sign_and_submit_then_watch_default(&call, &dev::alice()).await;
        let done = sent.map_err(words)?.wait_for_finalized_success().await;
        let found = match done {
            Err(TransactionFinalizedSuccessError::SuccessError(
                TransactionEventsError::ExtrinsicFailed(DispatchError::Module(error)),
            )) => format!("{:?}", error.as_root_error::<api::Error>().map_err(words)?),
            Err(other) => format!("{other:?}"),
            Ok(_) => "a success".to_owned(),
        };
        hold(found.contains("BillRegister(Bill(AlreadyExists))"), &found)
    };
    report.works("a contract's error, and the one within", work).await;
    let who = Value::unnamed_variant("Id", [bytes(dev::alice().public_key().0)]);
    let added = call("CouncilMembership", "add_member", "who", who);
    report.works("an error of the origin", refused(send(client, &added), "BadOrigin")).await;
    let stored = call("System", "set_storage", "items", Value::unnamed_composite([]));
    let work = refused(send(client, &stored), "none that this chain admits");
    report.works("a call that the chain has not", work).await;
    let work = async {
        let params = Params::new().nonce(0).build();
        refused(send_with(client, &register(3), params), "nonce").await
    };
    report.works("a refusal of the pool", work).await;
}

async fn others(report: &mut Report, client: &Client) {
    let work = async {
        let mut transactions = client.transactions().await.map_err(words)?;
        let call = register(8);
        let sent = transactions.sign_and_submit_then_watch_default(&call, &dev::alice()).await;
        let mut progress = sent.map_err(words)?;
        let mut seen = Vec::new();
        while let Some(status) = progress.next().await {
            seen.push(match status.map_err(words)? {
                TransactionStatus::Validated => "validated",
                TransactionStatus::Broadcasted => continue,
                TransactionStatus::InBestBlock(_) => "in a block",
                TransactionStatus::InFinalizedBlock(_) => "final",
                other => return Err(format!("{other:?}")),
            });
        }
        same(seen, vec!["validated", "in a block", "final"], "states")
    };
    report.works("watching", work).await;
    let work = async {
        let mut transactions = client.transactions().await.map_err(words)?;
        let params = Params::new().build();
        let signed =
            transactions.create_signed(&register(9), &dev::alice(), params).await.map_err(words)?;
        let first = signed.submit().await.map_err(words)?;
        same(signed.submit().await.map_err(words)?, first, "the hash of the same bytes")
    };
    report.with("a duplicate", "Hasher", work).await;
    let work = async {
        let mut transactions = client.transactions().await.map_err(words)?;
        let params = Params::new().build();
        let signed = transactions
            .create_signed(&register(10), &dev::alice(), params)
            .await
            .map_err(words)?;
        same(signed.partial_fee_estimate().await.map_err(words)?, 0, "the fee")
    };
    report.works("fees", work).await;
    let work = async {
        let mut transactions = client.transactions().await.map_err(words)?;
        let call = api::transactions().utility().batch(Vec::new());
        let key = Sm2Key::development("//hospital-4");
        let sent = transactions.sign_and_submit_then_watch_default(&call, &key).await;
        sent.map_err(words)?.wait_for_finalized_success().await.map_err(words)?;
        Ok(())
    };
    report.with("an SM2 signature", "Signature", work).await;
}

/// Goes on with a client that opens its connection again.
async fn restart(report: &mut Report, url: &str) {
    let work = async {
        let rpc = ReconnectingRpcClient::builder().build(url).await.map_err(words)?;
        let client = Client::from_rpc_client(rpc).await.map_err(words)?;
        has(&send(&client, &register(11)).await?, "BillRegistered")?;
        let command = env::var("BILLCHAIN_RESTART").map_err(words)?;
        let ended = tokio::task::spawn_blocking(|| Command::new(command).status()).await;
        hold(ended.map_err(words)?.map_err(words)?.success(), "the node starts again")?;
        has(&send(&client, &register(12)).await?, "BillRegistered")
    };
    report.with("a restart of the node", "reconnecting-rpc-client", work).await;
}
