//! Certificates of a node whose database somebody changed: none is accepted that says
//! otherwise than the chain.

use billchain_certificate::{Maker, state_key};
use billchain_chain_spec::{ChainSpec, dev};
use billchain_client::{
    Signer,
    einvoice::{EInvoice, SummaryContext},
};
use billchain_consensus::{Address, CommitCertificate, CommitSignature, Height, Round};
use billchain_crypto::sm2::DEFAULT_ID;
use billchain_executor::{BuildParams, Chain, ClockCheck, OpaqueTx};
use billchain_primitives::{
    Bill, BillKey, BillKind, BillStatus, BillSummary, ConsensusDomain, Did, Fen, Hash, SceneId,
    Statement as Signed, StatementContext,
    index::history_key,
    totals::{Month, NumberBlock, Posting, Tally},
};
use billchain_runtime::{Runtime, RuntimeCall};
use billchain_storage::{Storage, StorageOptions};
use billchain_verifier::{Refusal, Statement, verify};
use codec::{DecodeAll, Encode};
use frame_support::storage::storage_prefix;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// After the development chain's beginning.
const NOW: u64 = 1_800_000_000_000;

/// Bills with the numbers 100 to 219.
const BILLS: u32 = 120;

const ISSUER: &str = "did:bill:hospital";

fn options() -> StorageOptions {
    StorageOptions {
        block_cache_bytes: 4 << 20,
        write_buffer_bytes: 4 << 20,
        commitment_cache_bytes: 1 << 20,
        ..StorageOptions::default()
    }
}

fn chain(path: &Path) -> Chain {
    let storage = Storage::open(path, options()).unwrap();
    let genesis = ChainSpec::development().genesis_state().unwrap();
    Chain::with_genesis(Arc::new(storage), &genesis).unwrap()
}

fn summary(number: u32) -> BillSummary {
    let xml = include_bytes!("../../samples/outpatient.xml");
    let context = SummaryContext {
        issuer: ISSUER.parse().unwrap(),
        scene: SceneId(1),
        payer_ref: [7; 32],
        pdf: None,
        location: None,
    };
    let mut summary = EInvoice::parse(xml).unwrap().summary(&context);
    summary.key.number = format!("{number:010}").parse().unwrap();
    summary
}

fn key(number: u32) -> BillKey {
    summary(number).key
}

/// The pre-commits of three of four validators.
fn decision(genesis: Hash, number: u32, block: Hash) -> Vec<u8> {
    let domain = ConsensusDomain::new(genesis);
    let sign = |node: usize| {
        let key = dev::NodeKeys::of(node).consensus;
        let address = Address::from_public_key(&key.public());
        let context =
            StatementContext { height: number.into(), round: Some(0), signer: *address.as_bytes() };
        let bytes = domain.statement_bytes(&context, &Signed::Precommit { block: Some(block) });
        CommitSignature { address, signature: key.sign(DEFAULT_ID, &bytes) }
    };
    let certificate = CommitCertificate {
        height: Height::new(number.into()),
        round: Round::FIRST,
        block_hash: block.into(),
        signatures: (1..=3).map(sign).collect(),
    };
    certificate.to_bytes()
}

/// A chain with a block of registrations, closed; the hash of its genesis.
fn made(path: &Path) -> Hash {
    let chain = chain(path);
    let genesis = chain.genesis_hash();
    let register = |at: u32| -> OpaqueTx {
        let summary = summary(100 + at);
        let call = pallet_bill_register::Call::<Runtime>::register { summary };
        Signer::development("//hospital")
            .transaction(RuntimeCall::BillRegister(call), at, genesis)
            .into()
    };
    let params = BuildParams {
        timestamp_ms: NOW,
        max_block_bytes: usize::MAX,
        deadline: Instant::now() + Duration::from_secs(60),
    };
    let transactions: Vec<OpaqueTx> = (0..BILLS).map(register).collect();
    let built = chain.build(params, &mut transactions.into_iter()).unwrap();
    assert!(built.refused.is_empty(), "a registration is refused");
    let block = chain.execute(built.block.bytes().clone(), ClockCheck::Decided).unwrap();
    let certificate = decision(genesis, block.number(), block.hash());
    chain.commit(block, certificate).unwrap();
    genesis
}

/// Writes to the state past the store, as somebody with the files can.
fn tamper(path: &Path, writes: &[(Vec<u8>, Option<Vec<u8>>)]) {
    tamper_with(path, "state", writes);
}

fn tamper_with(path: &Path, table: &str, writes: &[(Vec<u8>, Option<Vec<u8>>)]) {
    use rocksdb::{DB, Options};
    let path = path.join("db");
    let names = DB::list_cf(&Options::default(), &path).unwrap();
    let database = DB::open_cf(&Options::default(), &path, &names).unwrap();
    let table = database.cf_handle(table).unwrap();
    for (key, value) in writes {
        match value {
            Some(value) => database.put_cf(table, key, value).unwrap(),
            None => database.delete_cf(table, key).unwrap(),
        }
    }
    database.flush_cf(table).unwrap();
}

/// What a maker's certificates say: of a bill, of the numbers 100 to 219, of the month.
struct Asked {
    bill: Result<String, Refusal>,
    numbers: Result<(u64, i128, u64), Refusal>,
    month: Result<(u64, i128), Refusal>,
}

fn asked(path: &Path, genesis: Hash, number: u32) -> Asked {
    let maker = Maker::new(chain(path));
    let trusted = genesis.as_fixed_bytes();
    let bill = maker.certificate(&key(number), None).unwrap();
    let bill = verify(&bill, trusted).map(|proved| match proved.statement {
        Statement::Present { bill, .. } => format!("{:?} {}", bill.status, bill.total),
        Statement::Absent { .. } => "absent".into(),
        other => panic!("{other:?}"),
    });
    let (first, last) = (key(100), key(219));
    let numbers = maker.numbers(first.code, first.number, last.number, None).unwrap();
    let numbers = verify(&numbers, trusted).map(|proved| match proved.statement {
        Statement::Numbers { tally, missing, .. } => (tally.bills(), tally.fen(), missing),
        other => panic!("{other:?}"),
    });
    let issuer: Did = ISSUER.parse().unwrap();
    let month = maker.month(&issuer, Month::of(summary(100).issue_date), None).unwrap();
    let month = verify(&month, trusted).map(|proved| match proved.statement {
        Statement::Month { tally, .. } => (tally.bills(), tally.fen()),
        other => panic!("{other:?}"),
    });
    Asked { bill, numbers, month }
}

fn total() -> i128 {
    summary(100).total.get().into()
}

#[test]
fn an_honest_node_says_what_the_chain_holds() {
    let place = tempfile::tempdir().unwrap();
    let genesis = made(place.path());
    let Asked { bill, numbers, month } = asked(place.path(), genesis, 100);
    assert_eq!(bill, Ok(format!("Normal {}", total())));
    let all = i128::from(BILLS) * total();
    assert_eq!(numbers, Ok((BILLS.into(), all, 0)));
    assert_eq!(month, Ok((BILLS.into(), all)));
    assert_eq!(asked(place.path(), genesis, 99).bill, Ok("absent".into()));
}

/// The stored bill with a change.
fn stored(path: &Path, number: u32, change: impl FnOnce(&mut Bill)) -> Vec<u8> {
    let storage = Storage::open(path, options()).unwrap();
    let bytes = storage.state().get(&state_key(&key(number))).unwrap().unwrap();
    let mut bill = Bill::decode_all(&mut &bytes[..]).unwrap();
    change(&mut bill);
    bill.encode()
}

#[test]
fn a_hidden_doubled_or_changed_bill_is_found_out() {
    // The bill 213 is one that a range of numbers shows whole.
    for number in [100, 213] {
        let state = state_key(&key(number));
        let changed = |change: fn(&mut Bill)| {
            move |path: &Path| vec![(state_key(&key(number)), Some(stored(path, number, change)))]
        };
        let hide_group = |_: &Path| {
            let tens = number / 10 * 10;
            (tens..tens + 10).map(|number| (state_key(&key(number)), None)).collect()
        };
        type Forger<'a> = &'a dyn Fn(&Path) -> Vec<(Vec<u8>, Option<Vec<u8>>)>;
        let forgers: [(&str, Forger<'_>); 6] = [
            ("hidden", &|_| vec![(state.clone(), None)]),
            ("hidden with its group", &hide_group),
            ("amount", &changed(|bill| bill.summary.total = Fen::new(1).unwrap())),
            ("status", &changed(|bill| bill.state.status = BillStatus::Reimbursed)),
            ("kind", &changed(|bill| bill.summary.kind = BillKind::Red)),
            ("under another's number", &|path| {
                vec![(state.clone(), Some(stored(path, number + 1, |_| ())))]
            }),
        ];
        for (name, forge) in forgers {
            let place = tempfile::tempdir().unwrap();
            let genesis = made(place.path());
            let writes = forge(place.path());
            tamper(place.path(), &writes);
            let found = asked(place.path(), genesis, number);
            assert!(found.bill.is_err(), "{name} {number}: {:?}", found.bill);
            if number == 213 {
                assert!(found.numbers.is_err(), "{name}: {:?}", found.numbers);
            }
        }
    }
    // A bill that the chain does not have, beside one and in a group of its own.
    for number in [220, 5_000] {
        let place = tempfile::tempdir().unwrap();
        let genesis = made(place.path());
        let doubled = stored(place.path(), 100, |bill| bill.summary.key = key(number));
        let storage = Storage::open(place.path(), options()).unwrap();
        let version = storage.offchain_get(&history_key(&key(100), 1)).unwrap();
        drop(storage);
        tamper(place.path(), &[(state_key(&key(number)), Some(doubled))]);
        tamper_with(place.path(), "offchain", &[(history_key(&key(number), 1), version)]);
        let found = asked(place.path(), genesis, number);
        assert!(found.bill.is_err(), "{number}: {:?}", found.bill);
    }
}

#[test]
fn a_tally_that_counts_otherwise_is_found_out() {
    let numbers = |number: u32| {
        let [hundred, ..] = NumberBlock::around(&key(number));
        [&storage_prefix(b"Totals", b"Numbers")[..], &hundred.encode()].concat()
    };
    let issuer: Did = ISSUER.parse().unwrap();
    let month = (issuer, Month::of(summary(100).issue_date)).encode();
    let month = [&storage_prefix(b"Totals", b"Months")[..], &month].concat();
    let (kind, status, total) = (BillKind::Blue, BillStatus::Normal, summary(100).total);
    let posting = Posting { kind, status, total, share: [7; 32] };
    let fewer = |tally: &mut Tally| tally.remove(posting).unwrap();
    let more = |tally: &mut Tally| tally.add(posting).unwrap();
    let dearer = |tally: &mut Tally| {
        tally.remove(posting).unwrap();
        tally.add(Posting { total: Fen::new(1).unwrap(), ..posting }).unwrap();
    };
    let otherwise = |tally: &mut Tally| {
        tally.remove(posting).unwrap();
        tally.add(Posting { status: BillStatus::Reimbursed, ..posting }).unwrap();
    };
    let gone = |tally: &mut Tally| *tally = Tally::default();
    let changes: [(&str, &dyn Fn(&mut Tally)); 5] = [
        ("fewer", &fewer),
        ("more", &more),
        ("dearer", &dearer),
        ("otherwise", &otherwise),
        ("gone", &gone),
    ];
    for (name, change) in changes {
        for (entry, is_month) in [(numbers(100), false), (month.clone(), true)] {
            let place = tempfile::tempdir().unwrap();
            let genesis = made(place.path());
            let storage = Storage::open(place.path(), options()).unwrap();
            let bytes = storage.state().get(&entry).unwrap().unwrap();
            drop(storage);
            let mut tally = Tally::decode_all(&mut &bytes[..]).unwrap();
            change(&mut tally);
            let value = (!tally.is_empty()).then(|| tally.encode());
            tamper(place.path(), &[(entry, value)]);
            let found = asked(place.path(), genesis, 100);
            assert!(found.bill.is_ok(), "{name}: {:?}", found.bill);
            assert_eq!(found.numbers.is_err(), !is_month, "{name}: {:?}", found.numbers);
            assert_eq!(found.month.is_err(), is_month, "{name}: {:?}", found.month);
        }
    }
}
