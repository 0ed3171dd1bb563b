//! Registrations and transactions that are sent again, and batches item by
//! item.

use super::*;
use billchain_primitives::{BillSummary, Hash};
use billchain_rpc_types::{ItemOutcome, TransactionView};
use codec::{Decode, Encode};
use pallet_bill_register::BatchMode;

type RegisterCall = pallet_bill_register::Call<Runtime>;

fn sample() -> BillSummary {
    let (RuntimeCall::BillRegister(RegisterCall::register { summary }), _) = register() else {
        panic!("not a registration")
    };
    summary
}

/// The sample bill under another number.
fn numbered(number: u32) -> BillSummary {
    let mut summary = sample();
    summary.key.number = format!("{number:010}").parse().unwrap();
    summary
}

/// Another bill with the number.
fn dearer(number: u32) -> BillSummary {
    BillSummary { total: Fen::new(99_999).unwrap(), ..numbered(number) }
}

fn registration(summary: BillSummary) -> RuntimeCall {
    RuntimeCall::BillRegister(RegisterCall::register { summary })
}

fn batch(bills: Vec<BillSummary>, mode: BatchMode) -> RuntimeCall {
    let bills = bills.try_into().unwrap();
    RuntimeCall::BillRegister(RegisterCall::register_batch { bills, mode })
}

fn outcomes(view: &TransactionView) -> Vec<ItemOutcome> {
    let places: Vec<_> = view.items.iter().map(|item| item.index).collect();
    assert_eq!(places, (0..).take(view.items.len()).collect::<Vec<u32>>());
    view.items.iter().map(|item| item.outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_sent_again_is_answered_with_the_first_ones_receipt() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let first = node.execute(&client, "//hospital", registration(sample())).await;
    assert_eq!(outcomes(&first), [ItemOutcome::Registered]);
    assert_eq!((first.items[0].recorded, &first.items[0].error), (None, &None));

    // A lost answer: the same registration, signed anew, at another node.
    let other = node.again().await;
    let elsewhere = Connection::open(&other.url()).await.unwrap();
    let second = other.execute(&elsewhere, "//hospital", registration(sample())).await;
    assert_eq!(second.success, Some(true), "{second:?}");
    assert_ne!(second.hash, first.hash);
    assert_eq!(outcomes(&second), [ItemOutcome::Repeated]);
    let receipt = second.items[0].recorded.expect("it names the first");
    assert_eq!((receipt.transaction, receipt.version), (first.hash, 1));
    assert_eq!((Some(receipt.block), Some(receipt.index)), (first.block, first.index));
    let content = Hash::from(sm3(&sample().encode()));
    assert_eq!((receipt.content_hash, second.items[0].content_hash), (content, content));
    let event = second.events.iter().find(|event| event.name == "RegistrationRepeated");
    assert!(event.is_some(), "{second:?}");

    // Other content under the key.
    let mut changed = sample();
    changed.xml_hash = [1; 32];
    let sent = Hash::from(sm3(&changed.encode()));
    let refused = other.execute(&elsewhere, "//hospital", registration(changed)).await;
    assert_eq!(refused.success, Some(false));
    assert_eq!(outcomes(&refused), [ItemOutcome::Refused]);
    let item = &refused.items[0];
    let recorded = item.recorded.expect("it names what is there");
    assert_eq!((recorded, item.content_hash), (receipt, sent));
    assert_eq!(item.error, refused.error);
    assert_eq!(item.error.as_ref().unwrap().name, "Bill.AlreadyExists");

    let (code, number) = (item.code.to_string(), item.number.to_string());
    let bill = client.bill(&code, &number).await.unwrap().unwrap();
    assert_eq!((bill.version, bill.registration.content_hash), (1, content));
    assert_eq!(client.history(&code, &number).await.unwrap().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_filled_in_later_does_not_change_what_was_registered() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let bill = BillSummary { pdf_hash: [0; 32], location_hash: [0; 32], ..sample() };
    let content = Hash::from(sm3(&bill.encode()));
    let first = node.execute(&client, "//hospital", registration(bill.clone())).await;
    for (pdf_hash, location_hash) in [(None, Some([4; 32])), (Some([3; 32]), None)] {
        let fill = pallet_bill_update::Call::<Runtime>::update_summary {
            key: bill.key,
            expected_version: None,
            pdf_hash,
            location_hash,
        };
        let filled = node.execute(&client, "//hospital", fill.into()).await;
        assert_eq!(filled.success, Some(true), "{:?}", filled.error);
    }
    let (code, number) = (bill.key.code.to_string(), bill.key.number.to_string());
    let history = client.history(&code, &number).await.unwrap().unwrap();
    let contents: Vec<_> = history.iter().map(|v| v.bill.registration.content_hash).collect();
    assert_eq!(contents, [content; 3]);
    let again = node.execute(&client, "//hospital", registration(bill)).await;
    assert_eq!(outcomes(&again), [ItemOutcome::Repeated]);
    let receipt = again.items[0].recorded.expect("it names the first");
    assert_eq!((receipt.transaction, receipt.content_hash), (first.hash, content));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_item_by_item_in_words() {
    use ItemOutcome::{NotApplied, Refused, Registered, Repeated};
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let first = node.execute(&client, "//hospital", registration(numbered(1))).await;

    let faulty = BillSummary { xml_hash: [0; 32], ..numbered(4) };
    let bills = || vec![numbered(2), numbered(1), dearer(1), faulty.clone(), numbered(3)];
    let call = batch(bills(), BatchMode::AllOrNothing);
    let whole = node.execute(&client, "//hospital", call).await;
    assert_eq!(whole.success, Some(false));
    assert_eq!(outcomes(&whole), [NotApplied, NotApplied, Refused, NotApplied, NotApplied]);
    assert_eq!(whole.items[2].error.as_ref().unwrap().name, "Bill.AlreadyExists");
    assert_eq!(whole.items[2].recorded.unwrap().transaction, first.hash);

    let call = batch(bills(), BatchMode::PerItem);
    let single = node.execute(&client, "//hospital", call).await;
    assert_eq!(single.success, Some(true), "{single:?}");
    assert_eq!(outcomes(&single), [Registered, Repeated, Refused, Refused, Registered]);
    assert_eq!(single.items[1].recorded.unwrap().transaction, first.hash);
    let error = single.items[3].error.as_ref().unwrap();
    assert_eq!(
        (error.pallet.as_str(), error.name.as_str()),
        ("BillRegister", "Bill.XmlHashMissing")
    );
    assert!(error.docs.contains("zero"), "{error:?}");
    assert_eq!(single.items[4].number.as_str(), "0000000003");

    // The rules of each bill's scene say who may register it.
    let call = batch(bills(), BatchMode::PerItem);
    let insurer = node.execute(&client, "//insurer-a", call).await;
    assert_eq!(outcomes(&insurer), [Refused; 5]);
    assert!(
        insurer.items.iter().all(|item| item.error.as_ref().unwrap().name == "Bill.RoleForbidden")
    );
    // Other transactions have no items.
    let remark = RuntimeCall::Utility(pallet_utility::Call::batch { calls: Vec::new() });
    assert!(node.execute(&client, "//hospital", remark).await.items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_500_bills_goes_in_and_one_of_501_is_refused_in_words() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let call = batch((0..500).map(numbered).collect(), BatchMode::AllOrNothing);
    let done = node.execute(&client, "//hospital", call).await;
    assert_eq!(done.success, Some(true), "{:?}", done.error);
    assert_eq!(outcomes(&done), [ItemOutcome::Registered; 500]);
    let again = batch((0..500).map(numbered).collect(), BatchMode::PerItem);
    let again = node.execute(&client, "//hospital", again).await;
    assert_eq!(outcomes(&again), [ItemOutcome::Repeated; 500]);
    let named = again.items.iter().all(|item| item.recorded.unwrap().transaction == done.hash);
    assert!(named, "each names the batch");

    // One more, in the place of the batch of a signed transaction.
    let hospital = Signer::development("//hospital");
    let most: Vec<_> = (1_000..1_500).map(numbered).collect();
    let more: Vec<_> = (1_000..1_501).map(numbered).collect();
    let nonce = client.nonce(&hospital.account()).await.unwrap();
    let call = batch(most.clone(), BatchMode::PerItem);
    let signed = hospital.transaction(call, nonce, client.genesis());
    let (from, to) = (most.encode(), more.encode());
    let body = signed.windows(from.len()).position(|window| window == from).unwrap();
    let prefix = codec::Compact::<u32>::decode(&mut &signed[..]).unwrap().encode().len();
    let mut bytes = signed[prefix..body].to_vec();
    bytes.extend(&to);
    bytes.extend(&signed[body + from.len()..]);
    let bytes = bytes.encode();
    let refused = client.submit(&bytes).await.unwrap_err().to_string();
    assert!(refused.contains("a batch: expected 1 to 500 bills"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_again_are_answered_as_they_were_the_first_time() {
    let node = Node::start(RpcConfig::default()).await;
    let client = Connection::open(&node.url()).await.unwrap();
    let hospital = Signer::development("//hospital");
    let call = registration(sample());
    let bytes = hospital.transaction(call.clone(), 0, client.genesis());
    let hash = client.submit(&bytes).await.unwrap();
    // In the pool.
    assert_eq!(client.submit(&bytes).await.unwrap(), hash);
    assert_eq!(node.pool.stats().ready, 1);
    let ws = node.ws().await;
    let mut waiting = watch(&ws, &bytes).await;
    assert_eq!(waiting.next().await.unwrap().unwrap(), "ready");
    node.make_block();
    let block = json!(node.chain.head().hash);
    assert_eq!(waiting.next().await.unwrap().unwrap(), json!({ "inBlock": block }));
    assert_eq!(waiting.next().await.unwrap().unwrap(), json!({ "finalized": block }));
    // In a block, at this node and at one whose pool knows nothing of it.
    for asked in [&node, &node.again().await] {
        let client = Connection::open(&asked.url()).await.unwrap();
        assert_eq!(client.submit(&bytes).await.unwrap(), hash);
        let ws = asked.ws().await;
        let mut done = watch(&ws, &bytes).await;
        assert_eq!(done.next().await.unwrap().unwrap(), json!({ "finalized": block }));
        assert_eq!(asked.pool.stats().ready, 0);
        // Another transaction with its nonce is none that was sent.
        let other = registration(numbered(7));
        let stale = hospital.transaction(other, 0, client.genesis());
        let refused = client.submit(&stale).await.unwrap_err().to_string();
        assert!(refused.contains("nonce"), "{refused}");
        let watched = ws.request::<Value, _>(
            "author_submitAndWatchExtrinsic",
            rpc_params![format!("0x{}", hex::encode(&stale))],
        );
        assert!(watched.await.is_err());
    }
}

async fn watch(client: &WsClient, bytes: &[u8]) -> Subscription<Value> {
    let params = rpc_params![format!("0x{}", hex::encode(bytes))];
    let method = "author_submitAndWatchExtrinsic";
    client.subscribe(method, params, "author_unwatchExtrinsic").await.unwrap()
}
