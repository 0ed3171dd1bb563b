//! Differences and their proofs: the form, what proves and what does not.

use super::{difference::root, *};
use crate::{
    BillKind, CheckCode, Fen, GrantId, IssueDate, IssueTime, LockPurpose, PayerType, SceneId, Uscc,
};
use proptest::{collection::vec, option, prelude::*};

fn did(name: &str) -> Did {
    format!("did:bill:{name}").parse().expect("test names are plain")
}

fn key(number: u32) -> BillKey {
    BillKey {
        code: "31060125".parse().expect("8 digits"),
        number: format!("{number:010}").parse().expect("10 digits"),
    }
}

fn summary() -> BillSummary {
    BillSummary {
        key: key(1),
        check_code: "a1B2c3".parse().expect("6 characters"),
        kind: BillKind::Blue,
        issue_date: IssueDate::new(20_261_124).expect("a real date"),
        issue_time: IssueTime::new(83_000).expect("a real time"),
        total: Fen::new(10_000).expect("in bounds"),
        issuer: did("hospital"),
        issuer_uscc: "91350100M000100Y43".parse().expect("18 characters"),
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

fn body(version: u32) -> VersionBody {
    VersionBody {
        version,
        entry: Entry::plain(Cause::Operation(Operation::Register), did("hospital")),
        at: Stamp { block: version, extrinsic: Some(1), moment: 1_000 * u64::from(version) },
        summary: summary(),
        status: BillStatus::Normal,
        lock: None,
        reimbursements: Default::default(),
    }
}

fn lock() -> Lock {
    Lock {
        holder: did("insurer-a"),
        purpose: LockPurpose::Claim {
            scene: SceneId(1),
            claim_no: "CLM-1".parse().expect("a plain text"),
            grant: None,
        },
        version: 2,
        at: Stamp { block: 2, extrinsic: Some(1), moment: 2_000 },
        expires: Some(62_000),
        before: BillStatus::Normal,
    }
}

/// The bill as a version of the history that begins with `first` left it.
fn left(record: &VersionRecord, first: &VersionRecord) -> Bill {
    record.bill(first.receipt().expect("registered by a transaction"))
}

/// Registered, locked, reimbursed.
fn history() -> Vec<VersionRecord> {
    let first = VersionRecord::first(body(1));
    let entry = Entry::plain(Cause::Operation(Operation::Lock), did("insurer-a"));
    let lock = Some(lock());
    let locked = VersionBody { entry, status: BillStatus::Locked, lock, ..body(2) };
    let locked = VersionRecord::after(&left(&first, &first), locked);
    let paid = Reimbursement {
        payer: did("insurer-a"),
        scene: SceneId(1),
        amount: Fen::new(6_000).expect("in bounds"),
        before: BillStatus::Normal,
    };
    let entry = Entry::plain(Cause::Operation(Operation::Reimburse), did("insurer-a"));
    let reimbursements = vec![paid].try_into().expect("one");
    let paid = VersionBody { entry, status: BillStatus::Reimbursed, reimbursements, ..body(3) };
    let paid = VersionRecord::after(&left(&locked, &first), paid);
    vec![first, locked, paid]
}

fn heads(records: &[VersionRecord]) -> Vec<VersionHead> {
    records.iter().map(VersionRecord::head).collect()
}

fn path(text: &str) -> BillField {
    text.parse().expect("the path of a field")
}

/// The forms are durable: whoever keeps a proof relies on them. The values were
/// computed by another program, from decision 0011 alone.
#[test]
fn formats_are_fixed() {
    let records = history();
    let hex = |hash: [u8; 32]| hex::encode(hash);
    assert_eq!(records[0].difference, None);
    assert_eq!(
        hex(records[0].hash()),
        "ea2332d4344b6267b9eaad4822a1ccccf04b3bdc9d8ca135eb5a450bfa483f16"
    );
    assert_eq!(
        hex(records[1].difference.expect("it changed")),
        "9b5a0c7592c22673b1f2cb466123ad52833b8829381f58ebb68f4bcb16c9bc4c"
    );
    assert_eq!(
        hex(records[1].hash()),
        "6d5fd0eae81a55740da909c36ebfbf3a4edd1f568365a293ea544a397b46c9ae"
    );
    assert_eq!(
        hex(records[2].hash()),
        "6c62cbb0525c71d857691116c6dd1afe7d855f094f4009cd5108d398f2b001c0"
    );
    let proof =
        FieldProof::new(&records[0], &records[1], heads(&records[2..]), path("lock.holder"))
            .expect("it changed");
    assert_eq!(
        hex(sm3(&proof.encode())),
        "233479a835d26e8d1eaf70ed08a96a1d77b36ff4b8ae1de49df8175adac9b98e"
    );
    assert_eq!(
        hex(sm3(&records[2].encode())),
        "a331fb3e81c4ddc63729eb7c856f527836661300ee19a400d897b974a03a1224"
    );
}

/// Decision 0011 with nothing but SM3.
#[test]
fn a_root_is_what_the_description_says() {
    let records = history();
    let hash = |tag: u8, parts: &[&[u8]]| sm3(&[&[tag][..], &parts.concat()].concat());
    let body = records[1].body.encode();
    let secret = hash(4, &[&body]);
    let leaf = |path: &str, old: &[u8], new: &[u8]| {
        let salt = hash(3, &[&secret, path.as_bytes()]);
        let value = |value: &[u8]| hash(2, &[&salt, value]);
        hash(0, &[&[path.len() as u8], path.as_bytes(), &value(old), &value(new)])
    };
    let none: &[u8] = &[0];
    let holder = [&[1][..], &did("insurer-a").encode()].concat();
    let claim_no = [&[1][..], &b"CLM-1".to_vec().encode()].concat();
    let leaves = [
        leaf("status", &[1, 1], &[1, 2]),
        leaf("lock.holder", none, &holder),
        leaf("lock.scene", none, &[1, 1, 0]),
        leaf("lock.claim_no", none, &claim_no),
        leaf("lock.version", none, &[1, 2, 0, 0, 0]),
        leaf("lock.at.block", none, &[1, 2, 0, 0, 0]),
        leaf("lock.at.extrinsic", none, &[1, 1, 0, 0, 0]),
        leaf("lock.at.time", none, &[&[1][..], &2_000_u64.to_le_bytes()].concat()),
        leaf("lock.expires", none, &[&[1][..], &62_000_u64.to_le_bytes()].concat()),
        leaf("lock.before", none, &[1, 1]),
    ];
    let node = |left: [u8; 32], right: [u8; 32]| hash(1, &[&left, &right]);
    let pair = |index: usize| node(leaves[index], leaves[index + 1]);
    // Eight on the left, the rest on the right.
    let left = node(node(pair(0), pair(2)), node(pair(4), pair(6)));
    let expected = node(left, pair(8));
    assert_eq!(records[1].difference, Some(expected));

    let head = [
        &key(1).encode()[..],
        &2_u32.to_le_bytes(),
        &records[1].body.at.encode(),
        &hash(5, &[&secret]),
        &[1],
        &expected,
    ]
    .concat();
    assert_eq!(records[1].hash(), sm3(&[&records[0].hash()[..], &head].concat()));
}

#[test]
fn trees_split_at_the_largest_power_of_two() {
    let leaf = |n: u8| [n; 32];
    let node = |left: &[u8; 32], right: &[u8; 32]| sm3(&[&[1][..], left, right].concat());
    assert_eq!(root(&[]), [0; 32]);
    assert_eq!(root(&[leaf(1)]), leaf(1));
    assert_eq!(root(&[leaf(1), leaf(2)]), node(&leaf(1), &leaf(2)));
    let three = node(&node(&leaf(1), &leaf(2)), &leaf(3));
    assert_eq!(root(&[leaf(1), leaf(2), leaf(3)]), three);
}

#[test]
fn numbers_and_paths_of_fields_are_fixed() {
    let fields: Vec<_> = BillField::all().collect();
    assert!(fields.len() <= 1 << MAX_DEPTH, "{} fields", fields.len());
    assert!(fields.is_sorted(), "the order of fields is that of their numbers");
    for field in &fields {
        assert_eq!(field.to_string().parse(), Ok(*field));
        assert_eq!(BillField::of_number(field.number()), Some(*field));
        assert_eq!(BillField::decode(&mut &field.encode()[..]).unwrap(), *field);
    }
    for (number, path) in [
        (0, "check_code"),
        (4, "total_fen"),
        (12, "pdf_hash"),
        (13, "location_hash"),
        (15, "status"),
        (16, "lock.holder"),
        (26, "lock.before"),
        (64, "reimbursements.0.payer"),
        (66, "reimbursements.0.amount_fen"),
        (95, "reimbursements.7.before"),
    ] {
        assert_eq!(BillField::of_number(number).map(|field| field.to_string()), Some(path.into()));
    }
    for number in [27, 63, 96, 255] {
        assert_eq!(BillField::of_number(number), None);
        assert!(BillField::decode(&mut &[number][..]).is_err());
    }
    for path in ["", "lock", "reimbursements.8.payer", "reimbursements.0", "Status"] {
        assert_eq!(path.parse::<BillField>(), Err(UnknownField), "{path}");
    }
}

#[test]
fn a_change_proves_up_to_the_present_version() {
    let records = history();
    let (holder, present) = (path("lock.holder"), records[2].hash());
    let proof = FieldProof::new(&records[0], &records[1], heads(&records[2..]), holder).unwrap();
    assert_eq!(proof.verify(&present), Ok(()));
    assert_eq!(proof.change.old, None);
    assert_eq!(proof.change.new, Some(FieldValue::Did(did("insurer-a"))));
    // Without what came later it proves for the version it is of.
    let early = FieldProof::new(&records[0], &records[1], vec![], holder).unwrap();
    assert_eq!(early.verify(&records[1].hash()), Ok(()));
    assert_eq!(early.verify(&present), Err(ProofProblem::OtherHash { found: records[1].hash() }));
    let decoded = FieldProof::decode(&mut &proof.encode()[..]).unwrap();
    assert_eq!(decoded, proof);
}

#[test]
fn a_proof_shows_nothing_of_the_other_fields() {
    let records = history();
    let proof =
        FieldProof::new(&records[0], &records[1], vec![], path("lock.scene")).unwrap().encode();
    let shows = |bytes: &[u8]| proof.windows(bytes.len()).any(|window| window == bytes);
    assert!(!shows(b"insurer-a") && !shows(b"CLM-1") && !shows(b"hospital"));
    // A guess of a sibling cannot be checked: its salt is not in the proof, and
    // the head does not tell the secret that the salts come from.
    let secret = difference::secret(&records[1].body);
    assert!(!shows(&secret));
    assert!(!shows(&difference::salt(&secret, BillField::Status)));
    assert!(shows(&difference::salt(&secret, BillField::LockScene)));
}

#[test]
fn what_did_not_change_or_is_too_old_has_no_proof() {
    let records = history();
    let total = path("total_fen");
    let unchanged = NotProvable::Unchanged { version: 2, field: total };
    assert_eq!(FieldProof::new(&records[0], &records[1], vec![], total), Err(unchanged));
    assert_eq!(unchanged.to_string(), "version 2 did not change total_fen");
    let later = vec![records[2].head(); MAX_LATER as usize + 1];
    let problem = FieldProof::new(&records[0], &records[1], later, path("status"));
    assert_eq!(problem, Err(NotProvable::TooOld { later: 1_025 }));
}

#[test]
fn a_proof_that_was_altered_says_what_is_wrong() {
    let records = history();
    let present = records[2].hash();
    let proof =
        FieldProof::new(&records[0], &records[1], heads(&records[2..]), path("status")).unwrap();
    let altered = |alter: fn(&mut FieldProof)| {
        let mut proof = proof.clone();
        alter(&mut proof);
        proof.verify(&present).expect_err("it was altered")
    };
    let outside = ProofProblem::NotInDifference { version: 2 };
    let status = |status| Some(FieldValue::Status(status));
    assert_eq!(proof.change.new, status(BillStatus::Locked));
    assert_eq!(altered(|p| p.change.new = p.change.old.clone()), ProofProblem::NoChange);
    assert_eq!(altered(|p| p.change.old = None), outside);
    assert_eq!(altered(|p| p.change.field = BillField::LockBefore), outside);
    assert_eq!(altered(|p| p.salt[0] ^= 1), outside);
    assert_eq!(altered(|p| p.siblings.clear()), outside);
    assert_eq!(altered(|p| p.head.difference = None), outside);
    let other = |problem| matches!(problem, ProofProblem::OtherHash { .. });
    assert!(other(altered(|p| p.head.content[0] ^= 1)));
    assert!(other(altered(|p| p.head.at.block += 1)));
    assert!(other(altered(|p| p.previous[0] ^= 1)));
    assert!(other(altered(|p| p.later.clear())));
    assert!(other(altered(|p| p.later[0].content[0] ^= 1)));
    let missing = ProofProblem::BrokenChain { key: key(1), expected: 3 };
    assert_eq!(altered(|p| p.later[0].version = 4), missing);
    assert_eq!(altered(|p| p.later[0].key = key(2)), missing);
    assert_eq!(
        altered(|p| p.head.version = u32::MAX),
        ProofProblem::BrokenChain { key: key(1), expected: u32::MAX }
    );
    assert!(missing.to_string().contains("version 3 of bill 31060125-0000000001"));
}

#[test]
fn a_history_without_its_differences_does_not_verify() {
    let records = history();
    let head = left(&records[2], &records[0]);
    assert_eq!(verify(&head, &records), Ok(()));
    for (index, difference) in [(0, Some([0; 32])), (1, None), (2, Some([0; 32]))] {
        let mut altered = records.clone();
        altered[index].difference = difference;
        // Chained anew, so that nothing but the difference is wrong.
        for next in index + 1..3 {
            altered[next].previous = altered[next - 1].hash();
        }
        let version = index as u32 + 1;
        let wrong = Err(HistoryProblem::WrongDifference { version });
        assert_eq!(verify(&left(&altered[2], &altered[0]), &altered), wrong);
    }
}

#[test]
fn what_was_registered_is_the_same_in_every_version_and_cannot_be_rewritten() {
    let cause = Cause::Summary;
    let later = |version, summary| VersionBody {
        entry: Entry::plain(cause, did("hospital")),
        summary,
        ..body(version)
    };
    let first = VersionRecord::first(body(1));
    let registered = left(&first, &first);
    let pdf = BillSummary { pdf_hash: [3; 32], ..summary() };
    let second = VersionRecord::after(&registered, later(2, pdf.clone()));
    let with_pdf = second.bill_after(&registered);
    let both = BillSummary { location_hash: [4; 32], ..pdf.clone() };
    let third = VersionRecord::after(&with_pdf, later(3, both));
    let head = third.bill_after(&with_pdf);
    assert_eq!(verify(&head, &[first.clone(), second.clone(), third.clone()]), Ok(()));
    for bill in [&registered, &with_pdf, &head, &second.bill(head.receipt)] {
        assert_eq!(bill.registered(), summary());
    }
    let mut unmarked = head;
    unmarked.receipt.filled_in = with_pdf.receipt.filled_in;
    assert_eq!(
        verify(&unmarked, &[first.clone(), second.clone(), third]),
        Err(HistoryProblem::OtherHead)
    );

    let cheaper = BillSummary { total: Fen::ZERO, ..pdf.clone() };
    let other = BillSummary { pdf_hash: [5; 32], ..pdf.clone() };
    for (rewritten, expected) in [
        (cheaper, Err(HistoryProblem::OtherContent { version: 3 })),
        (summary(), Ok(())),
        (other, Ok(())),
    ] {
        let record = VersionRecord::after(&with_pdf, later(3, rewritten));
        let head = record.bill_after(&with_pdf);
        assert_eq!(verify(&head, &[first.clone(), second.clone(), record]), expected);
    }
}

fn hash() -> impl Strategy<Value = [u8; 32]> {
    // Zero, which stands for "not known", is not rare.
    prop_oneof![Just([0; 32]), Just([1; 32]), any::<[u8; 32]>()]
}

fn status() -> impl Strategy<Value = BillStatus> {
    proptest::sample::select(BillStatus::ALL.to_vec())
}

fn name() -> impl Strategy<Value = Did> {
    proptest::sample::select(vec![did("a"), did("b"), did("c")])
}

fn scene() -> impl Strategy<Value = SceneId> {
    (0_u16..3).prop_map(SceneId)
}

fn any_summary() -> impl Strategy<Value = BillSummary> {
    let codes = ("[a-b]{6}", 20_261_101_u32..20_261_104, 0_u32..3, -3_i64..3, any::<bool>());
    let who = (name(), any::<bool>(), any::<bool>(), scene(), option::of(0_u32..3));
    let hashes = (hash(), hash(), hash(), hash(), hash());
    (codes, who, hashes).prop_map(|(codes, who, hashes)| {
        let (check_code, date, time, total, red) = codes;
        let (issuer, other_uscc, person, scene, related) = who;
        let (payer_ref, biz_no_hash, xml_hash, pdf_hash, location_hash) = hashes;
        let uscc = if other_uscc { "91350100M000100Y44" } else { "91350100M000100Y43" };
        BillSummary {
            key: key(1),
            check_code: check_code.parse::<CheckCode>().expect("6 characters"),
            kind: if red { BillKind::Red } else { BillKind::Blue },
            issue_date: IssueDate::new(date).expect("a real date"),
            issue_time: IssueTime::new(time).expect("a real time"),
            total: Fen::new(total).expect("in bounds"),
            issuer,
            issuer_uscc: uscc.parse::<Uscc>().expect("18 characters"),
            payer_type: if person { PayerType::Person } else { PayerType::Organisation },
            payer_ref,
            scene,
            biz_no_hash,
            xml_hash,
            pdf_hash,
            location_hash,
            related: related.map(key),
        }
    })
}

fn any_lock() -> impl Strategy<Value = Lock> {
    let claim = (scene(), 0_u8..3, option::of(hash())).prop_map(|(scene, claim, grant)| {
        let claim_no = claim.to_string().parse().expect("a plain number");
        LockPurpose::Claim { scene, claim_no, grant: grant.map(|hash| GrantId(hash.into())) }
    });
    let purpose = prop_oneof![
        4 => claim,
        1 => hash().prop_map(|evidence| LockPurpose::Administrative { evidence }),
    ];
    let at = (0_u32..3, option::of(0_u32..3), 0_u64..3)
        .prop_map(|(block, extrinsic, moment)| Stamp { block, extrinsic, moment });
    (name(), purpose, 0_u32..3, at, option::of(0_u64..3), status()).prop_map(
        |(holder, purpose, version, at, expires, before)| Lock {
            holder,
            purpose,
            version,
            at,
            expires,
            before,
        },
    )
}

fn any_body() -> impl Strategy<Value = VersionBody> {
    let reimbursement =
        (name(), scene(), 0_i64..3, status()).prop_map(|(payer, scene, amount, before)| {
            let amount = Fen::new(amount).expect("in bounds");
            Reimbursement { payer, scene, amount, before }
        });
    (any_summary(), status(), option::of(any_lock()), vec(reimbursement, 0..=8)).prop_map(
        |(summary, status, lock, reimbursements)| VersionBody {
            summary,
            status,
            lock,
            reimbursements: reimbursements.try_into().expect("at most 8"),
            ..body(1)
        },
    )
}

/// Two bodies of which the second often shares parts with the first.
fn two_bodies() -> impl Strategy<Value = (VersionBody, VersionBody)> {
    (any_body(), any_body(), any::<[bool; 4]>()).prop_map(|(first, mut second, shared)| {
        if shared[0] {
            second.summary = first.summary.clone();
        }
        if shared[1] {
            second.status = first.status;
        }
        if shared[2] {
            second.lock = first.lock.clone();
        }
        if shared[3] {
            second.reimbursements = first.reimbursements.clone();
        }
        second.version = 2;
        (first, second)
    })
}

proptest! {
    #[test]
    fn every_changed_field_proves_and_no_other_does((first, second) in two_bodies()) {
        let same = first.summary == second.summary
            && first.status == second.status
            && first.lock == second.lock
            && first.reimbursements == second.reimbursements;
        let first = VersionRecord::first(first);
        let second = VersionRecord::after(&left(&first, &first), second);
        let changed = changes((&first.body).into(), (&second.body).into());
        prop_assert_eq!(changed.is_empty(), same);
        for field in BillField::all() {
            let change = changed.iter().find(|change| change.field == field);
            let proof = FieldProof::new(&first, &second, vec![], field);
            match (proof, change) {
                (Ok(proof), Some(change)) => {
                    prop_assert_eq!(proof.verify(&second.hash()), Ok(()));
                    prop_assert_eq!(&proof.change, change);
                    prop_assert_eq!(FieldProof::decode(&mut &proof.encode()[..]).unwrap(), proof);
                }
                (Err(NotProvable::Unchanged { .. }), None) => {}
                (proof, change) => prop_assert!(false, "{field}: {proof:?}, {change:?}"),
            }
        }
        let head = second.bill_after(&left(&first, &first));
        let expected = if head.registered() == first.body.summary {
            Ok(())
        } else {
            Err(HistoryProblem::OtherContent { version: 2 })
        };
        prop_assert_eq!(verify(&head, &[first, second]), expected);
    }

    #[test]
    fn a_difference_taken_back_is_the_difference_reversed((first, second) in two_bodies()) {
        let there = changes((&first).into(), (&second).into());
        let back = changes((&second).into(), (&first).into());
        let turned: Vec<_> = back
            .into_iter()
            .map(|FieldChange { field, old, new }| FieldChange { field, old: new, new: old })
            .collect();
        prop_assert_eq!(there, turned);
    }

    #[test]
    fn one_flipped_bit_of_a_proof_is_noticed(
        (first, second) in two_bodies(),
        place in any::<proptest::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let first = VersionRecord::first(first);
        let second = VersionRecord::after(&left(&first, &first), second);
        let changed = changes((&first.body).into(), (&second.body).into());
        prop_assume!(!changed.is_empty());
        let field = changed[place.index(changed.len())].field;
        let proof = FieldProof::new(&first, &second, vec![], field).unwrap();
        let mut bytes = proof.encode();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Ok(other) = FieldProof::decode(&mut &bytes[..]) {
            prop_assert!(other.verify(&second.hash()).is_err(), "byte {place}, bit {bit}");
        }
    }
}
