//! What is done on the chain, so that there is something to index.

use crate::network::{Network, PATIENCE};
use billchain_client::{
    Connection, Signer,
    einvoice::{EInvoice, SummaryContext},
};
use billchain_crypto::sm3::sm3;
use billchain_primitives::{BatchMode, BillKey, BillSummary, Fen, SceneId};
use billchain_runtime::{Runtime, RuntimeCall};
use pallet_bill_update::StatusChange;
use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

/// Bills of the story.
pub struct Story {
    /// Locked, reimbursed, and refused to another one.
    pub reimbursed: BillKey,
    /// Reversed in red, with a balance bill.
    pub reversed: BillKey,
    /// Its red bill.
    pub red: BillKey,
    /// Registered and never touched.
    pub plain: BillKey,
    /// How many there are.
    pub bills: usize,
}

/// Bills like `samples/outpatient.xml`, with numbers from one on.
pub fn bills(issuer: &str, first: u64, count: usize) -> Vec<BillSummary> {
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples/outpatient.xml");
    let bytes = std::fs::read(sample).unwrap();
    let template = EInvoice::parse(&bytes).unwrap().summary(&SummaryContext {
        issuer: format!("did:bill:{issuer}").parse().unwrap(),
        scene: SceneId(1),
        payer_key: b"key",
        id_type: None,
        pdf: None,
        location: None,
    });
    (first..first + count as u64)
        .map(|number| {
            let hash = |purpose: u8| sm3(&[&number.to_le_bytes()[..], &[purpose]].concat());
            let mut bill = template.clone();
            bill.key.number = format!("{number:010}").parse().unwrap();
            (bill.payer_ref, bill.biz_no_hash, bill.xml_hash) = (hash(1), hash(2), hash(3));
            bill
        })
        .collect()
}

/// The call that registers all of some bills, or none.
pub fn register(bills: Vec<BillSummary>) -> RuntimeCall {
    let bills = bills.try_into().expect("not more than a batch may have");
    let mode = BatchMode::AllOrNothing;
    RuntimeCall::BillRegister(pallet_bill_register::Call::<Runtime>::register_batch { bills, mode })
}

fn change(key: BillKey, change: StatusChange) -> RuntimeCall {
    let expected_version = None;
    RuntimeCall::BillUpdate(pallet_bill_update::Call::<Runtime>::change_status {
        key,
        expected_version,
        change,
    })
}

fn lock(key: BillKey) -> RuntimeCall {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let claim_no = format!("CLAIM-{}", key.number).parse().unwrap();
    let signed_at = u64::try_from(now).unwrap();
    let (scene, on_behalf_of, grant) = (SceneId(1), None, None);
    change(key, StatusChange::Lock { scene, claim_no, on_behalf_of, grant, signed_at })
}

async fn does(node: &Connection, who: &str, call: RuntimeCall) -> bool {
    let signer = Signer::development(&format!("//{who}"));
    let view = node.execute(&signer, call, PATIENCE).await.unwrap();
    view.success.expect("it is final")
}

impl Story {
    /// Plays it: a bill is locked and reimbursed, another insurer is refused, one is reversed in
    /// red, and what is in dispute is opened and closed.
    pub async fn play(network: &Network) -> Self {
        let node = network.client(1).await;
        let all = bills("hospital", 1_000, 60);
        let keys: Vec<BillKey> = all.iter().map(|bill| bill.key).collect();
        assert!(does(&node, "hospital", register(all.clone())).await);
        assert!(does(&node, "insurer-a", lock(keys[0])).await);
        assert!(!does(&node, "insurer-b", lock(keys[0])).await, "it is locked by another one");
        let amount = all[0].total;
        assert!(
            does(&node, "insurer-a", change(keys[0], StatusChange::Reimburse { amount })).await
        );
        assert!(!does(&node, "insurer-b", lock(keys[0])).await, "it is reimbursed");
        assert!(does(&node, "insurer-a", lock(keys[3])).await);
        let (red, balance) = reversal(&all[1]);
        let red_key = red.key;
        let reverse = RuntimeCall::BillUpdate(pallet_bill_update::Call::<Runtime>::red_reverse {
            key: keys[1],
            expected_version: None,
            red,
            balance: Some(balance),
            reason: "退费".parse().unwrap(),
        });
        assert!(does(&node, "hospital", reverse).await);
        let open = RuntimeCall::Dispute(pallet_dispute::Call::<Runtime>::open_case {
            key: keys[3],
            parties: vec!["did:bill:insurer-b".parse().unwrap()].try_into().unwrap(),
            reason: "两家同时主张".parse().unwrap(),
            evidence: [7; 32],
        });
        assert!(does(&node, "admin", open).await);
        Self {
            reimbursed: keys[0],
            reversed: keys[1],
            red: red_key,
            plain: keys[2],
            bills: all.len() + 2,
        }
    }
}

/// The red bill of a bill, and a balance bill over half of it.
fn reversal(blue: &BillSummary) -> (BillSummary, BillSummary) {
    use billchain_primitives::BillKind;
    let [mut red, mut balance] = [50_001, 50_002].map(|number| {
        let mut bill = blue.clone();
        bill.key.number = format!("{number:010}").parse().unwrap();
        bill.xml_hash = sm3(&u64::to_le_bytes(number));
        bill.related = Some(blue.key);
        bill
    });
    (red.kind, red.total) = (BillKind::Red, blue.total.negated());
    balance.total = Fen::new(blue.total.get() / 2).unwrap();
    (red, balance)
}
