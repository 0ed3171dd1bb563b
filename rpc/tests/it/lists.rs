//! Lists of bills, page by page, and the index rebuilt from the blocks.

use crate::{NOW, Node, ask, change, refusal, register};
use billchain_chain_spec::ChainSpec;
use billchain_client::{Connection, einvoice::EInvoice};
use billchain_executor::{Chain, ClockCheck};
use billchain_primitives::{
    Bill, BillKey, BillSummary, ClaimNo, Fen, IssueDate, Reason, SceneId, lists,
};
use billchain_rpc::RpcConfig;
use billchain_rpc_types::code;
use billchain_runtime::{Runtime, RuntimeCall};
use billchain_storage::{Storage, StorageOptions};
use jsonrpsee::{core::client::ClientT, rpc_params, ws_client::WsClient};
use pallet_bill_update::types::StatusChange;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

/// The sample bill with another number, date and payer.
fn bill(number: u32, date: u32, payer: [u8; 32]) -> (BillSummary, EInvoice) {
    let (call, mut invoice) = register();
    let RuntimeCall::BillRegister(pallet_bill_register::Call::register { mut summary }) = call
    else {
        panic!("the sample registers a bill")
    };
    summary.key.number = format!("{number:010}").parse().unwrap();
    summary.issue_date = IssueDate::new(date).unwrap();
    summary.payer_ref = payer;
    invoice.key = summary.key;
    (summary, invoice)
}

/// Two payers whose references begin alike.
const PAYER: [u8; 32] = [3; 32];
fn other_payer() -> [u8; 32] {
    let mut payer = PAYER;
    payer[31] = 4;
    payer
}

/// Seven bills, one locked, one reimbursed, one unlocked again.
async fn grow(node: &Node) -> Vec<EInvoice> {
    let client = Connection::open(&node.url()).await.unwrap();
    let mut invoices = Vec::new();
    for (number, date, payer) in [
        (1, 20_260_103, PAYER),
        (2, 20_260_101, PAYER),
        (3, 20_260_102, other_payer()),
        (4, 20_260_102, PAYER),
        (5, 20_260_104, PAYER),
        (6, 20_260_101, PAYER),
        (7, 20_260_105, PAYER),
    ] {
        let (summary, invoice) = bill(number, date, payer);
        let call = pallet_bill_register::Call::<Runtime>::register { summary };
        let done = node.execute(&client, "//hospital", RuntimeCall::BillRegister(call)).await;
        assert_eq!(done.success, Some(true), "{done:?}");
        invoices.push(invoice);
    }
    let lock = || StatusChange::Lock {
        scene: SceneId(1),
        claim_no: ClaimNo::new("A-1").unwrap(),
        on_behalf_of: None,
        grant: None,
        signed_at: NOW,
    };
    let reason = Reason::new("患者撤回").unwrap();
    for (who, bill, step) in [
        ("//insurer-a", 0, lock()),
        ("//insurer-a", 1, lock()),
        ("//insurer-a", 1, StatusChange::Reimburse { amount: Fen::new(11_050).unwrap() }),
        ("//insurer-a", 2, lock()),
        ("//insurer-a", 2, StatusChange::Unlock { reason }),
        ("//insurer-b", 3, lock()),
    ] {
        let done = node.execute(&client, who, change(&invoices[bill], step)).await;
        assert_eq!(done.success, Some(true), "{done:?}");
    }
    invoices
}

fn numbers(page: &Value) -> Vec<u32> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|bill| bill["number"].as_str().unwrap().parse().unwrap()).collect()
}

async fn list(ws: &WsClient, method: &str, params: Value) -> Vec<u32> {
    let page = ask(ws, method, params).await;
    assert_eq!(page["next"], Value::Null);
    numbers(&page)
}

#[tokio::test(flavor = "multi_thread")]
async fn bills_are_listed_by_issuer_holder_payer_status_and_date_in_order() {
    let node = Node::start(RpcConfig::default()).await;
    let ws = node.ws().await;
    grow(&node).await;
    let by_date = [2, 6, 3, 4, 1, 5, 7];
    assert_eq!(list(&ws, "bill_byDate", json!([])).await, by_date);
    assert_eq!(list(&ws, "bill_byIssuer", json!(["did:bill:hospital"])).await, by_date);
    assert_eq!(list(&ws, "bill_byIssuer", json!(["did:bill:insurer-a"])).await, [] as [u32; 0]);
    for (from, to, expected) in [
        (json!(20_260_102), json!(20_260_103), vec![3, 4, 1]),
        (json!(20_260_104), Value::Null, vec![5, 7]),
        (Value::Null, json!(20_260_101), vec![2, 6]),
        (json!(20_260_201), Value::Null, vec![]),
    ] {
        assert_eq!(list(&ws, "bill_byDate", json!([from, to])).await, expected, "{from} {to}");
        let params = json!(["did:bill:hospital", from, to]);
        assert_eq!(list(&ws, "bill_byIssuer", params).await, expected, "{from} {to}");
    }
    // What insurer A unlocked it no longer holds; what it reimbursed it does.
    assert_eq!(list(&ws, "bill_byHolder", json!(["did:bill:insurer-a"])).await, [2, 1]);
    assert_eq!(list(&ws, "bill_byHolder", json!(["did:bill:insurer-b"])).await, [4]);
    for (status, expected) in [
        ("normal", vec![6, 3, 5, 7]),
        ("locked", vec![4, 1]),
        ("reimbursed", vec![2]),
        ("voided", vec![]),
    ] {
        assert_eq!(list(&ws, "bill_byStatus", json!([status])).await, expected, "{status}");
    }
    let payer = |bytes: [u8; 32]| json!([format!("0x{}", hex::encode(bytes))]);
    assert_eq!(list(&ws, "bill_byPayer", payer(PAYER)).await, [2, 6, 4, 1, 5, 7]);
    assert_eq!(list(&ws, "bill_byPayer", payer(other_payer())).await, [3]);

    // Pages of two join without a gap, also over the lists of several statuses.
    for (method, mut params) in [
        ("bill_byDate", vec![Value::Null, Value::Null]),
        ("bill_byIssuer", vec![json!("did:bill:hospital"), Value::Null, Value::Null]),
    ] {
        let (mut found, mut after) = (Vec::new(), Value::Null);
        params.extend([Value::Null, json!(2)]);
        loop {
            let at = params.len() - 2;
            params[at] = after;
            let page = ask(&ws, method, Value::Array(params.clone())).await;
            assert!(page["items"].as_array().unwrap().len() <= 2);
            found.extend(numbers(&page));
            after = page["next"].clone();
            if after.is_null() {
                break;
            }
        }
        assert_eq!(found, by_date, "{method}");
    }
    for (method, params, words) in [
        ("bill_byIssuer", rpc_params!["hospital"], "did:"),
        ("bill_byPayer", rpc_params!["0x01"], "32 bytes"),
        ("bill_byStatus", rpc_params!["paid"], "\"normal\""),
        ("bill_byDate", rpc_params![20_261_301], "a real date"),
        ("bill_byDate", rpc_params![Value::Null, Value::Null, "0x01"], "`next` of the page before"),
        ("bill_byDate", rpc_params![Value::Null, Value::Null, Value::Null, 0], "1 to 100"),
    ] {
        let (found, message) = refusal(ws.request::<Value, _>(method, params).await.unwrap_err());
        assert_eq!(found, code::INVALID_PARAMS, "{method}: {message}");
        assert!(message.contains(words), "{method}: {message}");
    }
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn index(chain: &Chain) -> Entries {
    chain.storage().offchain_prefix(b"", None, usize::MAX).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_rebuilt_from_the_blocks_is_the_one_that_grew() {
    let node = Node::start(RpcConfig::default()).await;
    grow(&node).await;
    let grown = index(&node.chain);

    let directory = tempfile::tempdir().unwrap();
    let storage = Storage::open(directory.path(), StorageOptions::default()).unwrap();
    let genesis = ChainSpec::development().genesis_state().unwrap();
    let rebuilt = Chain::with_genesis(Arc::new(storage), &genesis).unwrap();
    for number in 1..=node.chain.head().number {
        let bytes = node.chain.storage().block(number).unwrap().unwrap();
        let block = rebuilt.execute(bytes.into(), ClockCheck::Decided).unwrap();
        rebuilt.commit(block, Vec::new()).unwrap();
    }
    assert_eq!(index(&rebuilt), grown);

    // And the lists are exactly what the bills of the state say.
    let bills: Vec<(BillKey, Bill)> =
        node.chain.read(|| pallet_bill_register::Bills::<Runtime>::iter().collect()).unwrap();
    assert_eq!(bills.len(), 7);
    let expected: BTreeSet<_> = bills.iter().flat_map(|(_, bill)| lists::entries(bill)).collect();
    let listed = grown.into_iter().filter(|(key, _)| key.starts_with(b"l"));
    let listed: BTreeSet<_> = listed
        .map(|(key, value)| {
            assert!(value.is_empty());
            key
        })
        .collect();
    assert_eq!(listed, expected);
}
