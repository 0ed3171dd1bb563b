use super::*;
use billchain_certificate::{Maker, state_key};
use billchain_chain_spec::ChainSpec;
use billchain_client::{
    Signer,
    einvoice::{EInvoice, SummaryContext},
};
use billchain_executor::{BuildParams, genesis_block};
use billchain_primitives::{
    BillKey, Fen, SceneId,
    totals::{NumberBlock, Tally},
};
use billchain_runtime::{Runtime, RuntimeCall};
use billchain_storage::{BlockCommit, EventGroup, StateDelta, Storage, StorageOptions};
use billchain_verifier::value_of;
use codec::Encode;
use frame_support::storage::storage_prefix;
use sp_core::H256;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

type BillRegisterCall = pallet_bill_register::Call<Runtime>;

const SAMPLES: [&[u8]; 2] = [
    include_bytes!("../../../../samples/outpatient.xml"),
    include_bytes!("../../../../samples/inpatient.xml"),
];

/// The development chain of a directory.
fn opened(directory: &tempfile::TempDir) -> Chain {
    let storage = Storage::open(directory.path(), StorageOptions::default()).unwrap();
    let genesis = ChainSpec::development().genesis_state().unwrap();
    Chain::with_genesis(Arc::new(storage), &genesis).unwrap()
}

/// A development chain with two bills, each linked to an insurer.
fn chain(directory: &tempfile::TempDir) -> (Chain, Vec<BillKey>) {
    let chain = opened(directory);
    let hospital = Signer::development("//hospital");
    let bills = SAMPLES.map(|xml| {
        let context = SummaryContext {
            issuer: "did:bill:hospital".parse().unwrap(),
            scene: SceneId(1),
            payer_ref: [7; 32],
            pdf: None,
            location: None,
        };
        EInvoice::parse(xml).unwrap().summary(&context)
    });
    let keys = bills.iter().map(|bill| bill.key).collect();
    let keys: Vec<BillKey> = keys;
    let links = keys.iter().map(|key| BillRegisterCall::link_party {
        key: *key,
        party: "did:bill:insurer-a".parse().unwrap(),
        relation: pallet_bill_register::Relation::Insurer,
    });
    let calls: Vec<_> = bills
        .into_iter()
        .map(|summary| BillRegisterCall::register { summary })
        .chain(links)
        .collect();
    let transactions: Vec<bytes::Bytes> = (0..)
        .zip(calls)
        .map(|(nonce, call)| {
            let call = RuntimeCall::BillRegister(call);
            hospital.transaction(call, nonce, chain.genesis_hash()).into()
        })
        .collect();
    let params = BuildParams {
        timestamp_ms: 1_800_000_000_000,
        max_block_bytes: 1 << 20,
        deadline: Instant::now() + Duration::from_secs(60),
    };
    let built = chain.build(params, &mut transactions.into_iter()).unwrap();
    assert!(built.refused.is_empty(), "{:?}", built.refused);
    chain.commit(built.block, Vec::new()).unwrap();
    (chain, keys)
}

/// What no block does: writes to state and index without their rules.
fn tamper(chain: &Chain, mut delta: StateDelta, offchain: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
    delta.insert(events_key().to_vec(), Some(no_events()));
    let index = vec![EventGroup { first: 0, records: no_events() }];
    commit(chain, delta, offchain, index);
}

/// An empty list.
fn no_events() -> Vec<u8> {
    vec![0]
}

/// A block without transactions, and whatever is said to come with it.
fn commit(
    chain: &Chain,
    delta: StateDelta,
    offchain: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    events: Vec<EventGroup>,
) {
    let head = chain.head();
    let state_root = chain.storage().speculate(&delta, &Default::default()).unwrap();
    let block = BlockCommit {
        number: head.number + 1,
        hash: H256::repeat_byte(7),
        parent_hash: head.hash,
        state_root,
        block: genesis_block(&Default::default()).unwrap().1,
        certificate: Vec::new(),
        delta,
        events,
        offchain,
        tx_hashes: Vec::new(),
        cooling: Default::default(),
    };
    chain.storage().commit(block).unwrap();
}

fn first_version(chain: &Chain, key: &BillKey) -> VersionRecord {
    let stored = chain.storage().offchain_get(&index::history_key(key, 1)).unwrap().unwrap();
    VersionRecord::decode(&mut &stored[..]).unwrap()
}

#[test]
fn a_sound_chain_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let (chain, _) = chain(&directory);
    let seen = check(&chain).unwrap();
    assert_eq!(seen.problems, Vec::<String>::new());
    assert_eq!((seen.bills, seen.versions), (2, 2));
    assert_eq!(seen.by_status, BTreeMap::from([(BillStatus::Normal, 2)]));
}

#[test]
fn a_version_that_was_altered_or_removed_is_found_with_its_bill() {
    let directory = tempfile::tempdir().unwrap();
    let (chain, keys) = chain(&directory);
    let mut altered = first_version(&chain, &keys[0]);
    altered.body.entry.operator = "did:bill:insurer-a".parse().unwrap();
    let edits = vec![
        (index::history_key(&keys[0], 1), Some(altered.encode())),
        (index::history_key(&keys[1], 1), None),
    ];
    tamper(&chain, StateDelta::default(), edits);
    let mut problems = check(&chain).unwrap().problems;
    problems.sort();
    let mut expected = vec![
        format!("bill {}: the last version is not the bill's present state", keys[0]),
        format!("bill {}: expected version 1, found None", keys[1]),
    ];
    expected.sort();
    assert_eq!(problems, expected);
}

#[test]
fn a_record_of_a_link_that_was_altered_or_removed_is_found_with_its_bill() {
    let directory = tempfile::tempdir().unwrap();
    let (chain, keys) = chain(&directory);
    let places = [0, 1].map(|bill: usize| pallet_bill_register::record_key(&keys[bill], 1));
    let stored = chain.storage().offchain_get(&places[0]).unwrap().unwrap();
    let mut altered = LinkRecord::decode(&mut &stored[..]).unwrap();
    altered.operator = "did:bill:insurer-b".parse().unwrap();
    let [first, second] = places;
    let edits = vec![(first, Some(altered.encode())), (second, None)];
    tamper(&chain, StateDelta::default(), edits);
    let mut problems = check(&chain).unwrap().problems;
    problems.sort();
    let mut expected = vec![
        format!("links of bill {}: a record is not what was written", keys[0]),
        format!("links of bill {}: expected 1 records, found 0", keys[1]),
    ];
    expected.sort();
    assert_eq!(problems, expected);
}

#[test]
fn a_state_that_no_call_makes_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let (chain, keys) = chain(&directory);
    let raw = pallet_bill_register::Bills::<Runtime>::hashed_key_for(keys[0]);
    let first = first_version(&chain, &keys[0]);
    let mut bill = first.bill(first.receipt().unwrap());
    // Reimbursed, and by nobody.
    bill.state.status = BillStatus::Reimbursed;
    tamper(&chain, StateDelta::from([(raw, Some(bill.encode()))]), Vec::new());
    let problems = check(&chain).unwrap().problems;
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("the contracts' rules"), "{problems:?}");
    assert!(problems[1].contains(&keys[0].to_string()), "{problems:?}");
    assert!(problems[2].contains(&keys[0].to_string()), "{problems:?}");
}

#[test]
fn a_bill_that_is_missing_from_a_list_or_in_two_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let (chain, keys) = chain(&directory);
    let first = first_version(&chain, &keys[0]);
    let bill = first.bill(first.receipt().unwrap());
    let missing = (lists::entries(&bill)[0].clone(), None);
    tamper(&chain, StateDelta::default(), vec![missing]);
    let problems = check(&chain).unwrap().problems;
    let expected = format!("bill {} is missing from a list: run billchain reindex", keys[0]);
    assert_eq!(problems, [expected]);

    let directory = tempfile::tempdir().unwrap();
    let (chain, _) = self::chain(&directory);
    let place = lists::place(bill.summary.issue_date, &bill.summary.key);
    let second = [lists::by_status(BillStatus::Locked), place.to_vec()].concat();
    tamper(&chain, StateDelta::default(), vec![(second, Some(Vec::new()))]);
    let problems = check(&chain).unwrap().problems;
    assert_eq!(problems, ["the lists by status hold 3 bills, the state 2: run billchain reindex"]);
}

#[test]
fn events_that_are_missing_or_are_not_the_states_are_found_with_their_block() {
    let group = |records: Vec<u8>| vec![EventGroup { first: 0, records }];
    let stray = RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess {
        dispatch_info: Default::default(),
    });
    let stray = BlockEvent { phase: Phase::ApplyExtrinsic(0), event: stray, topics: Vec::new() };
    let missing = "the events of block 2 are missing from the node's index; stop the node and run \
                   billchain reindex";
    let cases: [(&str, Vec<EventGroup>, &[&str]); 4] = [
        ("none at all", Vec::new(), &[missing]),
        ("no list", group(vec![4]), &["stored events of block 2 does not decode"]),
        (
            "an outcome of no transaction",
            group(vec![stray.clone()].encode()),
            &["the index does not say of each transaction", "other events of block 2"],
        ),
        (
            "another event",
            group(vec![BlockEvent { phase: Phase::Finalization, ..stray.clone() }].encode()),
            &["the index has other events of block 2 than the state: run billchain reindex"],
        ),
    ];
    for (what, events, expected) in cases {
        let directory = tempfile::tempdir().unwrap();
        let (chain, _) = chain(&directory);
        let delta = StateDelta::from([(events_key().to_vec(), Some(no_events()))]);
        commit(&chain, delta, Vec::new(), events);
        let problems = check(&chain).unwrap().problems;
        assert_eq!(problems.len(), expected.len(), "{what}: {problems:?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.contains(expected), "{what}: {problem}");
        }
    }
}

/// Writes to the state past the store, as somebody with the files can.
fn tamper_on_disk(directory: &tempfile::TempDir, rows: &StateDelta) {
    use rocksdb::{DB, Options};
    let path = directory.path().join("db");
    let names = DB::list_cf(&Options::default(), &path).unwrap();
    let database = DB::open_cf(&Options::default(), &path, &names).unwrap();
    let state = database.cf_handle("state").unwrap();
    for (key, value) in rows {
        match value {
            Some(value) => database.put_cf(state, key, value).unwrap(),
            None => database.delete_cf(state, key).unwrap(),
        }
    }
    database.flush_cf(state).unwrap();
}

/// What the head's state root proves of a key to whoever trusts no node; none if the proof does
/// not hold.
fn proved(chain: &Chain, key: &[u8]) -> Option<Option<Vec<u8>>> {
    let proved = Maker::new(chain.clone()).prove(&[key.to_vec()]).unwrap();
    let root = proved.head.state_root.to_fixed_bytes();
    value_of(&proved.proofs[0], key, &root).ok().map(|value| value.map(<[u8]>::to_vec))
}

/// What somebody makes of a bill.
type Forgery = fn(Bill) -> StateDelta;

/// A bill's row in the state.
fn row(bill: &Bill) -> (Vec<u8>, Option<Vec<u8>>) {
    (state_key(&bill.summary.key), Some(bill.encode()))
}

const FORGERIES: [(&str, Forgery); 4] = [
    ("a bill that is dropped", |bill| StateDelta::from([(state_key(&bill.summary.key), None)])),
    ("a bill that stands there twice", |mut bill| {
        bill.summary.key.number = "0000000109".parse().unwrap();
        StateDelta::from([row(&bill)])
    }),
    ("another amount", |mut bill| {
        bill.summary.total = Fen::new(bill.summary.total.get() + 1).unwrap();
        StateDelta::from([row(&bill)])
    }),
    ("another status", |mut bill| {
        bill.state.status = BillStatus::Voided;
        StateDelta::from([row(&bill)])
    }),
];

#[test]
fn what_bills_are_counted_as_tells_each_forgery_even_if_the_root_is_made_to_fit() {
    for (what, forge) in FORGERIES {
        let directory = tempfile::tempdir().unwrap();
        let (chain, keys) = chain(&directory);
        assert_eq!(chain.read(Totals::do_try_state).unwrap(), Ok(()));
        let first = first_version(&chain, &keys[0]);
        tamper(&chain, forge(first.bill(first.receipt().unwrap())), Vec::new());
        assert!(chain.read(Totals::do_try_state).unwrap().is_err(), "{what}");
        let problems = check(&chain).unwrap().problems;
        assert!(problems[0].starts_with("the contracts' rules"), "{what}: {problems:?}");
    }
}

#[test]
fn no_forgery_on_the_disk_is_proved_and_the_totals_tell_it() {
    for (what, forge) in FORGERIES {
        let directory = tempfile::tempdir().unwrap();
        let (chain, keys) = chain(&directory);
        let first = first_version(&chain, &keys[0]);
        let bill = first.bill(first.receipt().unwrap());
        let hundred = NumberBlock::around(&bill.summary.key)[0];
        let counted = [&storage_prefix(b"Totals", b"Numbers")[..], &hundred.encode()].concat();
        let mut tally = Tally::default();
        tally.add((&bill).into()).unwrap();
        assert_eq!(proved(&chain, &state_key(&bill.summary.key)), Some(Some(bill.encode())));
        assert_eq!(proved(&chain, &counted), Some(Some(tally.encode())));
        drop(chain);

        let forged = forge(bill);
        tamper_on_disk(&directory, &forged);
        let chain = opened(&directory);
        for key in forged.keys() {
            assert_eq!(proved(&chain, key), None, "{what}");
        }
        // How many bills there are, and over how much, is proved as it was.
        assert_eq!(proved(&chain, &counted), Some(Some(tally.encode())), "{what}");
        assert!(chain.read(Totals::do_try_state).unwrap().is_err(), "{what}");
        drop(chain);
        // Totals that are made to fit are not proved either.
        for totals in [None, Some(Tally::default().encode())] {
            tamper_on_disk(&directory, &StateDelta::from([(counted.clone(), totals)]));
            assert_eq!(proved(&opened(&directory), &counted), None, "{what}");
        }
    }
}
