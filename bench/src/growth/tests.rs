//! A small ledger on the real path.

use super::*;
use billchain_consensus::{CommitCertificate, Validator, ValidatorSet};
use billchain_crypto::sm2::PublicKey as Sm2PublicKey;
use billchain_primitives::PublicKey;
use codec::Decode;

fn options(dir: &Path, bills: &[u64]) -> Options {
    Options {
        dir: dir.to_owned(),
        bills: bills.to_vec(),
        spec: None,
        batch: 50,
        block_bills: 500,
        window: 1_000,
        issuers: 5,
        cache_mib: 16,
        compact: true,
        bills_a_day: None,
        seed: 9,
        case: "growth".into(),
        side: "this".into(),
        commit: String::new(),
        json: false,
        out: None,
    }
}

fn bills_of(dir: &Path) -> u64 {
    let chain = open_chain(dir, 16, &Document::of(&alone()).unwrap()).unwrap();
    chain
        .read(|| pallet_bill_register::Bills::<billchain_runtime::Runtime>::iter_keys().count())
        .unwrap() as u64
}

#[test]
fn a_ledger_grows_to_its_milestones_and_then_further() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let first = run(&options(path, &[1_000, 2_000])).unwrap();
    assert_eq!(bills_of(path), 2_000);
    let reached: Vec<(u64, u32)> =
        first.milestones.iter().map(|one| (one.bills, one.height)).collect();
    assert_eq!(reached, [(1_000, 2), (2_000, 4)]);
    for milestone in &first.milestones {
        assert!(milestone.build_us > 0.0 && milestone.commit_us > 0.0, "{milestone:?}");
        assert!(milestone.disk_bytes > 0 && milestone.compacted_bytes.unwrap() > 0);
    }
    // Milestones that were reached are not measured again.
    let further = run(&options(path, &[2_000, 2_750])).unwrap();
    assert_eq!(bills_of(path), 2_750);
    assert_eq!(further.milestones.len(), 3);
    assert_eq!(further.milestones[..2], first.milestones[..]);
    assert!(further.figures().iter().any(|figure| figure.name == "cost a bill, last over first"));
}

#[test]
fn every_block_has_a_certificate_that_proves_it() {
    let directory = tempfile::tempdir().unwrap();
    run(&options(directory.path(), &[1_000])).unwrap();
    let spec = alone();
    let document = Document::of(&spec).unwrap();
    let chain = open_chain(directory.path(), 16, &document).unwrap();
    let PublicKey::Sm2(key) = spec.operators[0].consensus_key else { panic!("an SM2 key") };
    let validator = Validator::new(Sm2PublicKey::from_compressed(&key).unwrap(), 1);
    let validators = ValidatorSet::new([validator]).unwrap();
    let domain = billchain_consensus::ChainDomain::new(chain.genesis_hash());
    for number in 1..=chain.head().number {
        let bytes = chain.storage().certificate(number).unwrap().unwrap();
        let certificate = CommitCertificate::decode(&mut &bytes[..]).unwrap();
        let hash = chain.storage().hash_of(number).unwrap().unwrap();
        assert_eq!(certificate.block_hash.get(), hash);
        certificate.verify(&domain, &validators).unwrap();
    }
}

#[test]
fn with_few_bills_a_day_old_ones_become_cold_and_the_last_block_is_of_now() {
    let directory = tempfile::tempdir().unwrap();
    let mut spec = alone();
    spec.cooling.after_days = 2;
    spec.cooling.groups_per_block = 500;
    spec.cooling.lap_days = 1;
    let file = directory.path().join("chain.json");
    fs::write(&file, spec.to_json().unwrap()).unwrap();
    let begin = blocks::now_ms().unwrap();
    let slow = Options {
        spec: Some(file),
        bills_a_day: NonZeroU64::new(500),
        ..options(&directory.path().join("data"), &[2_000, 5_000])
    };
    let record = run(&slow).unwrap();
    let [first, last] = &record.milestones[..] else { panic!("two milestones: {record:?}") };
    assert!(last.cold_groups > first.cold_groups && last.hot_keys > 0, "{record:?}");
    assert!(
        record.figures().iter().any(|figure| figure.name == "files a cold group, at 5 k bills")
    );
    let chain = open_chain(&slow.dir, 16, &Document::of(&spec).unwrap()).unwrap();
    let time: u64 = chain.read(billchain_runtime::Timestamp::get).unwrap();
    assert!((begin - DAY_MS / 500..=blocks::now_ms().unwrap()).contains(&time), "{time}");
    // It goes on with the days that it has.
    drop(chain);
    let other = Options { bills_a_day: None, bills: vec![6_000], ..slow };
    let error = run(&other).unwrap_err().to_string();
    assert!(error.contains("500 bills a day") && error.contains("the machine's time"), "{error}");
    // Registered before the day that is on them.
    let early = Options { bills_a_day: NonZeroU64::new(1), ..options(directory.path(), &[5_000]) };
    let error = run(&early).unwrap_err().to_string();
    assert!(error.contains("expected more bills a day"), "{error}");
}

#[test]
fn another_chain_or_wrong_numbers_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let spec = directory.path().join("chain.json");
    fs::write(&spec, ChainSpec::development().to_json().unwrap()).unwrap();
    let four = Options { spec: Some(spec), ..options(directory.path(), &[100]) };
    let error = run(&four).unwrap_err().to_string();
    assert!(error.contains("expected one operator") && error.contains("found 4"), "{error}");
    for wrong in [
        options(directory.path(), &[200, 100]),
        Options { batch: 501, ..options(directory.path(), &[100]) },
        Options { block_bills: 10, ..options(directory.path(), &[100]) },
    ] {
        assert!(run(&wrong).is_err());
    }
    let full = Options { batch: 500, block_bills: 30_000, ..options(directory.path(), &[30_000]) };
    let error = run(&full).unwrap_err().to_string();
    assert!(error.contains("lower --block-bills"), "{error}");
}
