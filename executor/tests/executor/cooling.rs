//! What becomes cold over a node's storage: the same everywhere, and read and changed as
//! before.

use super::kit::{NOW, Node, params};
use billchain_chain_spec::ChainSpec;
use billchain_executor::{BuildParams, OpaqueTx};
use billchain_primitives::{
    BatchMode, Bill, BillKey, BillKind, BillStatus, BillSummary, CoolingPolicy, Fen, IssueDate,
    IssueTime, PayerType, Reason, SceneId,
    cooling::DAY_MS,
    seams::{BillLedger, Census},
};
use billchain_runtime::{
    AllPalletsWithSystem, BillRegister, Cooling, RuntimeCall, System, Totals, limits::COLD_READ_US,
};
use frame_support::traits::{TryState, TryStateSelect};
use pallet_bill_update::{StatusChange, StatusItem};

/// Bills: a whole group, and a part of the next.
const BILLS: u32 = 12;

/// When what was registered at `NOW` is cold.
const LATER: u64 = NOW + 2 * DAY_MS;

fn key(number: u32) -> BillKey {
    BillKey { code: "31060125".parse().unwrap(), number: format!("{number:010}").parse().unwrap() }
}

fn summary(number: u32) -> BillSummary {
    BillSummary {
        key: key(number),
        check_code: "a1B2c3".parse().unwrap(),
        kind: BillKind::Blue,
        issue_date: IssueDate::new(20_261_124).unwrap(),
        issue_time: IssueTime::new(83_000).unwrap(),
        total: Fen::new(10_000).unwrap(),
        issuer: "did:bill:hospital".parse().unwrap(),
        issuer_uscc: "91350100M000100Y43".parse().unwrap(),
        payer_type: PayerType::Person,
        payer_ref: [7; 32],
        scene: SceneId(1),
        biz_no_hash: [8; 32],
        xml_hash: [9; 32],
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: None,
    }
}

/// Registers these bills, as the hospital's transaction of this nonce.
fn register(node: &Node, numbers: std::ops::Range<u32>, nonce: u32) -> OpaqueTx {
    let bills = numbers.map(summary).collect::<Vec<_>>().try_into().unwrap();
    let call = pallet_bill_register::Call::register_batch { bills, mode: BatchMode::AllOrNothing };
    node.signer("//hospital").sign(&RuntimeCall::BillRegister(call), nonce)
}

/// Locks a bill, as the insurer's transaction of this nonce.
fn lock(node: &Node, number: u32, nonce: u32) -> OpaqueTx {
    let change = StatusChange::Lock {
        scene: SceneId(1),
        claim_no: format!("claim {number}").parse().unwrap(),
        on_behalf_of: None,
        grant: None,
        signed_at: LATER,
    };
    self::change(node, number, change, nonce)
}

/// Changes a bill, as the insurer's transaction of this nonce.
fn change(node: &Node, number: u32, change: StatusChange, nonce: u32) -> OpaqueTx {
    let key = key(number);
    let call = pallet_bill_update::Call::change_status { key, expected_version: None, change };
    node.signer("//insurer-a").sign(&RuntimeCall::BillUpdate(call), nonce)
}

/// A chain on which bills are cold after a day.
fn node() -> Node {
    let cooling = CoolingPolicy { after_days: 1, lap_days: 1, ..CoolingPolicy::default() };
    Node::of(&ChainSpec { cooling, ..ChainSpec::development() })
}

/// Commits a block at this time, or right after the one before.
fn block(node: &Node, timestamp_ms: u64, txs: Vec<OpaqueTx>) -> OpaqueTx {
    let offered = txs.len();
    let params = BuildParams { timestamp_ms, ..params() };
    let built = node.chain.build(params, &mut txs.into_iter()).unwrap();
    assert_eq!(built.refused, []);
    assert_eq!(built.block.transaction_count(), offered);
    let bytes = built.block.bytes().clone();
    node.chain.commit(built.block, b"certificate".to_vec()).unwrap();
    bytes
}

fn hot(node: &Node) -> Vec<Bill> {
    node.chain.read(|| BillRegister::hot().collect()).unwrap()
}

fn bill(node: &Node, number: u32) -> Bill {
    node.chain.read(|| BillRegister::bill(&key(number))).unwrap().unwrap()
}

/// Every rule holds, of hot bills and of cold ones, and all are there.
fn check(node: &Node, bills: u32) {
    let number = node.chain.head().number;
    let rules = node.chain.read(|| AllPalletsWithSystem::try_state(number, TryStateSelect::All));
    assert_eq!(rules.unwrap(), Ok(()));
    let count = || {
        let mut found = Vec::new();
        Totals::for_each_bill(|bill| found.push(bill.summary.key));
        found
    };
    let expected: Vec<_> = (0..bills).map(key).collect();
    assert_eq!(node.chain.read(count).unwrap(), expected);
}

/// A chain whose bills cool with the block that comes next, and its blocks.
fn with_old_bills(node: &Node) -> Vec<OpaqueTx> {
    let first = block(node, NOW, vec![register(node, 0..BILLS, 0)]);
    let second = block(node, LATER, Vec::new());
    // The block before was at the time of the bills.
    assert_eq!(hot(node).len(), BILLS as usize);
    vec![first, second]
}

#[test]
fn old_bills_cool_are_read_as_before_and_come_back_when_they_change() {
    let node = node();
    let mut blocks = with_old_bills(&node);
    let before: Vec<_> = (0..BILLS).map(|number| bill(&node, number)).collect();
    let root = node.chain.head().state_root;

    blocks.push(block(&node, LATER, Vec::new()));
    assert_ne!(node.chain.head().state_root, root);
    assert_eq!(hot(&node), []);
    let after: Vec<_> = (0..BILLS).map(|number| bill(&node, number)).collect();
    assert_eq!(after, before);
    check(&node, BILLS);
    let orders = node.chain.read(Cooling::orders).unwrap().unwrap();
    assert_eq!((orders.groups.len(), orders.ends_lap), (2, true));

    // The whole group of the bill comes back.
    blocks.push(block(&node, LATER, vec![lock(&node, 3, 0)]));
    assert_eq!(node.chain.read(Cooling::orders).unwrap(), None);
    assert_eq!(hot(&node).len(), 10);
    assert_eq!(bill(&node, 3).state.status, BillStatus::Locked);
    check(&node, BILLS);

    // A new bill with a number of a group that is cold is one more of it.
    blocks.push(block(&node, LATER, vec![register(&node, BILLS..BILLS + 1, 1)]));
    assert_eq!(hot(&node).len(), BILLS as usize + 1);
    check(&node, BILLS + 1);

    // Whoever executes the blocks comes to the same states.
    let other = self::node();
    for bytes in blocks {
        other.follow(bytes);
    }
    assert_eq!(other.chain.head(), node.chain.head());
    assert_eq!(hot(&other), hot(&node));
    check(&other, BILLS + 1);
}

#[test]
fn a_group_that_its_block_writes_to_stays_hot() {
    let node = node();
    let mut blocks = with_old_bills(&node);
    blocks.push(block(&node, LATER, vec![lock(&node, 3, 0)]));
    let orders = node.chain.read(Cooling::orders).unwrap().unwrap();
    assert_eq!(orders.groups.len(), 2);
    let numbers: Vec<_> = hot(&node).iter().map(|bill| bill.summary.key).collect();
    assert_eq!(numbers, (0..10).map(key).collect::<Vec<_>>());
    check(&node, BILLS);
    let other = self::node();
    for bytes in blocks {
        other.follow(bytes);
    }
    assert_eq!(other.chain.head(), node.chain.head());
}

#[test]
fn a_registration_that_is_sent_again_finds_a_cold_bill() {
    let node = node();
    with_old_bills(&node);
    block(&node, LATER, Vec::new());
    let again = register(&node, 0..BILLS, 1);
    block(&node, LATER, vec![again]);
    assert_eq!(hot(&node), [], "nothing was written");
    check(&node, BILLS);
}

#[test]
fn who_reads_a_cold_bill_fills_the_block() {
    let node = node();
    with_old_bills(&node);
    block(&node, LATER, Vec::new());
    let weight = || node.chain.read(|| System::block_weight().total().ref_time()).unwrap();
    block(&node, LATER, vec![lock(&node, 3, 0)]);
    let cold = weight();
    // It is hot now.
    let reason = Reason::new("撤回").unwrap();
    block(&node, LATER, vec![change(&node, 3, StatusChange::Unlock { reason }, 1)]);
    let hot = weight();
    let read = COLD_READ_US * 1_000_000;
    assert!(cold > hot + read, "{cold} and {hot}");
}

#[test]
fn who_reads_cold_bills_in_vain_fills_the_block_too() {
    let node = node();
    with_old_bills(&node);
    block(&node, LATER, Vec::new());
    let weight = || node.chain.read(|| System::block_weight().total().ref_time()).unwrap();
    // None of them is locked.
    let unlock = || StatusChange::Unlock { reason: Reason::new("撤回").unwrap() };
    let one = |number, nonce| change(&node, number, unlock(), nonce);
    let items = |numbers: [u32; 3], nonce| {
        let item =
            |number| StatusItem { key: key(number), expected_version: None, change: unlock() };
        let changes = numbers.map(item).to_vec().try_into().unwrap();
        let mode = BatchMode::PerItem;
        let call = pallet_bill_update::Call::change_status_batch { changes, mode };
        node.signer("//insurer-a").sign(&RuntimeCall::BillUpdate(call), nonce)
    };
    block(&node, LATER, vec![one(3, 0), items([1, 2, 4], 1)]);
    let cold = weight();
    assert_eq!(hot(&node), [], "nothing was written");
    block(&node, LATER, vec![register(&node, BILLS..BILLS + 3, 1)]);
    block(&node, LATER, vec![one(BILLS, 2), items([BILLS, BILLS + 1, BILLS + 2], 3)]);
    let read = COLD_READ_US * 1_000_000;
    assert!(cold > weight() + 4 * read, "{cold} and {}", weight());
}

#[test]
fn who_adds_to_a_cold_group_fills_the_block() {
    let node = node();
    let mut blocks = with_old_bills(&node);
    blocks.push(block(&node, LATER, Vec::new()));
    let weight = || node.chain.read(|| System::block_weight().total().ref_time()).unwrap();
    // The number before is of an old bill.
    blocks.push(block(&node, LATER, vec![register(&node, BILLS..BILLS + 1, 1)]));
    let cold = weight();
    blocks.push(block(&node, LATER, vec![register(&node, BILLS + 1..BILLS + 2, 2)]));
    let read = COLD_READ_US * 1_000_000;
    assert!(cold > weight() + read, "{cold} and {}", weight());
    let other = self::node();
    for bytes in blocks {
        other.follow(bytes);
    }
    assert_eq!(other.chain.head(), node.chain.head());
}
