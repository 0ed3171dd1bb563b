//! Every call, every refusal, the version chain and the node-local index.

mod links;
mod repeats;
mod required;
mod rules;

use crate::{BatchMode, Bills, Call, Error, Event, Touched, mock::*};
use billchain_primitives::{
    Bill, BillKey, BillKind, BillStatus, BillSummary, Fen, GrantId, IssueDate, Lock, LockPurpose,
    Operation, Reason, Reimbursement, Role, RoleSet, SceneId, Stamp, SummaryField, SummaryFields,
    Target,
    condition::Guarded,
    history::{self, Cause, NO_VERSION, VersionRecord},
    index,
    seams::{AccessProblem, BillLedger, ParticipantProblem, SummaryProblem, TransitionProblem},
    totals::{Line, Month},
};
use codec::{Decode, Encode};
use frame::{deps::sp_runtime::ArithmeticError, testing_prelude::*, traits::Hooks};

fn register(summary: BillSummary) -> Call<Test> {
    Call::register { summary }
}

fn batch(bills: Vec<BillSummary>, mode: BatchMode) -> Call<Test> {
    Call::register_batch { bills: bills.try_into().expect("at most 500"), mode }
}

fn reason() -> Reason {
    Reason::new("缴款人未缴款").expect("a plain text")
}

/// The bill with another total.
fn dearer(number: u32) -> BillSummary {
    BillSummary { total: fen(99_999), ..bill(number) }
}

fn date(number: u32) -> IssueDate {
    IssueDate::new(number).expect("a real date")
}

fn fen(amount: i64) -> Fen {
    Fen::new(amount).expect("in bounds")
}

fn indexed(state: &TestState, key: &[u8]) -> Option<Vec<u8>> {
    state.offchain_db().get(key)
}

#[test]
fn a_registered_bill_is_version_1_and_announced() {
    let state = run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        let stored = Bills::<Test>::get(key(1)).expect("it was registered");
        assert_eq!(stored.summary, bill(1));
        assert_eq!((stored.state.status, stored.state.version), (BillStatus::Normal, 1));
        assert_eq!(stored.state.updated, NOW);
        assert_eq!(
            events(),
            [Event::BillRegistered {
                key: key(1),
                kind: BillKind::Blue,
                status: BillStatus::Normal,
                issuer: did("hospital"),
                scene: OUTPATIENT,
                total: fen(12_345),
                related: None,
                version_hash: stored.state.version_hash,
            }]
        );
    });
    let record = indexed(&state, &index::history_key(&key(1), 1)).expect("it was indexed");
    let record = VersionRecord::decode(&mut &record[..]).expect("it is a record");
    assert_eq!(record.previous, NO_VERSION);
    assert_eq!(record.body.entry.cause, Cause::Operation(Operation::Register));
    assert_eq!((record.body.at.block, record.body.at.extrinsic), (1, Some(2)));
    assert_eq!(indexed(&state, &index::block_bills_key(1, 2, 0)), Some(key(1).encode()));
}

#[test]
fn a_new_bill_whose_group_may_be_cold_is_charged_for_it() {
    run(|| {
        let registered = |number| {
            with_world(|world| world.charged.clear());
            assert_ok!(send(HOSPITAL, register(bill(number))));
            with_world(|world| world.charged.clone())
        };
        let none: [u64; 0] = [];
        assert_eq!(registered(100), none, "nothing is cold");
        with_world(|world| world.cold_before = NOW);
        assert_eq!(registered(101), none, "the number before is at hand");
        assert_eq!(registered(200), none, "its hundred has no bills");
        assert_eq!(registered(150), [0_u64], "its hundred has some, and none is before it");
        assert_eq!(registered(151), none);
        assert_eq!(registered(5), none);
        assert_eq!(registered(0), [0_u64], "there is no number before");
        // The number before was not touched for long.
        with_world(|world| world.cold_before = NOW + 1);
        assert_eq!(registered(152), [NOW]);
    });
}

#[test]
fn who_reads_an_old_bill_is_charged_for_it() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(2) }));
        with_world(|world| world.cold_before = NOW + 1);
        // Sent again, it is read once and answered.
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_ok!(send(HOSPITAL, Call::confirm { key: key(2) }));
        assert_eq!(with_world(|world| world.charged.clone()), [NOW; 2]);
    });
}

#[test]
fn each_broken_rule_of_a_bill_is_refused_by_name() {
    let with = |change: fn(&mut BillSummary)| {
        let mut summary = bill(1);
        change(&mut summary);
        summary
    };
    let rows: [(&str, BillSummary, Error<Test>); 9] = [
        (
            "another issuer",
            with(|b| b.issuer = did("clinic")),
            Error::Bill(SummaryProblem::NotIssuer),
        ),
        (
            "a red bill",
            with(|b| b.kind = BillKind::Red),
            Error::Bill(SummaryProblem::KindNotAllowed),
        ),
        (
            "a negative total",
            with(|b| b.total = fen(-1)),
            Error::Bill(SummaryProblem::TotalOutOfRange),
        ),
        (
            "the day after tomorrow",
            with(|b| b.issue_date = date(20_261_127)),
            Error::Bill(SummaryProblem::DateInFuture),
        ),
        (
            "a related bill",
            with(|b| b.related = Some(key(2))),
            Error::Bill(SummaryProblem::RelatedNotAllowed),
        ),
        (
            "no XML hash",
            with(|b| b.xml_hash = [0; 32]),
            Error::Bill(SummaryProblem::XmlHashMissing),
        ),
        (
            "no such scene",
            with(|b| b.scene = SceneId(77)),
            Error::Bill(SummaryProblem::SceneNotFound),
        ),
        (
            "an inactive scene",
            with(|b| b.scene = CLOSED),
            Error::Bill(SummaryProblem::SceneInactive),
        ),
        ("a known key", dearer(5), Error::Bill(SummaryProblem::AlreadyExists)),
    ];
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(5))));
        for (row, summary, expected) in rows {
            let before = Bills::<Test>::iter().count();
            assert_eq!(send(HOSPITAL, register(summary)), Err(expected.into()), "{row}");
            assert_eq!(Bills::<Test>::iter().count(), before, "{row}");
        }
        assert_noop!(
            send(HOSPITAL, register(dearer(5))),
            Error::<Test>::Bill(SummaryProblem::AlreadyExists)
        );
    });
}

#[test]
fn bounds_of_total_and_date_are_inclusive() {
    run(|| {
        let tomorrow = date(20_261_126);
        let rows = [(1, Fen::ZERO, tomorrow), (2, fen(Fen::MAX), date(20_000_101))];
        for (number, total, issue_date) in rows {
            assert_ok!(send(HOSPITAL, register(BillSummary { total, issue_date, ..bill(number) })));
        }
    });
}

#[test]
fn senders_that_may_not_register_are_told_why() {
    let rows: [(u8, Error<Test>); 4] = [
        (STRANGER, Error::Sender(ParticipantProblem::NotFound)),
        (FROZEN, Error::Sender(ParticipantProblem::Frozen)),
        (CANCELLED, Error::Sender(ParticipantProblem::Cancelled)),
        (INSURER, Error::Bill(SummaryProblem::RoleForbidden)),
    ];
    run(|| {
        for (sender, expected) in rows {
            assert_eq!(send(sender, register(bill(1))), Err(expected.into()), "sender {sender}");
        }
        let unsigned = BillRegister::register(RuntimeOrigin::none(), bill(1));
        assert_noop!(unsigned, DispatchError::BadOrigin);
    });
}

#[test]
fn a_rule_that_is_missing_or_leads_nowhere_refuses() {
    run(|| {
        let rule = (None, Operation::Register);
        let (roles, _) = with_world(|world| world.rules.remove(&rule)).expect("it was there");
        assert_noop!(
            send(HOSPITAL, register(bill(1))),
            Error::<Test>::Bill(SummaryProblem::IllegalTransition)
        );
        with_world(|world| world.rules.insert(rule, (roles, Target::BeforeLock)));
        assert_noop!(
            send(HOSPITAL, register(bill(1))),
            Error::<Test>::Bill(SummaryProblem::RuleUnusable)
        );
    });
}

#[test]
fn each_bill_is_judged_by_the_rules_of_its_own_scene() {
    let guarded = |number| BillSummary { scene: GUARDED, ..bill(number) };
    let rule = (GUARDED, None, Operation::Register);
    let set = |roles: &[Role], target| {
        with_world(|world| world.scene_rules.insert(rule, (RoleSet::of(roles), target)));
    };
    let normal = Target::Status(BillStatus::Normal);
    run(|| {
        let rows: [(&[Role], Target, Error<Test>, SummaryProblem); 2] = [
            (
                &[Role::User],
                normal,
                Error::Bill(SummaryProblem::RoleForbidden),
                SummaryProblem::RoleForbidden,
            ),
            (
                &[Role::Issuer],
                Target::Named,
                Error::Bill(SummaryProblem::RuleUnusable),
                SummaryProblem::RuleUnusable,
            ),
        ];
        for (roles, target, refused, problem) in rows {
            set(roles, target);
            assert_noop!(send(HOSPITAL, register(guarded(1))), refused);
            let bills = || vec![bill(2), guarded(1)];
            let expected = Error::<Test>::BatchItem { index: 1, problem };
            assert_noop!(send(HOSPITAL, batch(bills(), BatchMode::AllOrNothing)), expected);
            assert_ok!(send(HOSPITAL, batch(bills(), BatchMode::PerItem)));
            let refused = Event::BatchItemRefused { index: 1, key: key(1), problem };
            assert!(events().contains(&refused));
        }
        // Nor do the general rules matter where a scene has its own.
        with_world(|world| world.rules.remove(&(None, Operation::Register)));
        set(&[Role::Issuer], normal);
        assert_ok!(send(HOSPITAL, register(guarded(1))));
        assert_noop!(
            send(HOSPITAL, register(bill(3))),
            Error::<Test>::Bill(SummaryProblem::IllegalTransition)
        );
        let one = batch(vec![bill(3)], BatchMode::AllOrNothing);
        let problem = SummaryProblem::IllegalTransition;
        assert_noop!(send(HOSPITAL, one), Error::<Test>::BatchItem { index: 0, problem });
    });
}

#[test]
fn a_notice_is_confirmed_by_the_rules_of_its_scene() {
    run(|| {
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(1) }));
        let rule = (notice(1).scene, Some(BillStatus::PreIssued), Operation::Confirm);
        let forbidden = (RoleSet::of(&[Role::Admin]), Target::Status(BillStatus::Normal));
        with_world(|world| world.scene_rules.insert(rule, forbidden));
        assert_noop!(
            send(HOSPITAL, Call::confirm { key: key(1) }),
            Error::<Test>::Transition(TransitionProblem::RoleForbidden)
        );
        with_world(|world| world.scene_rules.remove(&rule));
        assert_ok!(send(HOSPITAL, Call::confirm { key: key(1) }));
    });
}

#[test]
fn a_scene_that_asks_for_an_access_node_takes_no_bills_without_one() {
    let guarded = |number| BillSummary { scene: GUARDED, ..bill(number) };
    run(|| {
        assert_ok!(send(HOSPITAL, register(guarded(1))));
        for (problem, refused, item) in [
            (
                AccessProblem::NotLinked,
                Error::<Test>::Bill(SummaryProblem::AccessNodeNotLinked),
                SummaryProblem::AccessNodeNotLinked,
            ),
            (
                AccessProblem::NodeInactive,
                Error::Bill(SummaryProblem::AccessNodeInactive),
                SummaryProblem::AccessNodeInactive,
            ),
        ] {
            with_world(|world| world.access = Err(problem));
            assert_noop!(send(HOSPITAL, register(guarded(2))), refused);
            let whole = batch(vec![bill(3), guarded(4)], BatchMode::AllOrNothing);
            let expected = Error::<Test>::BatchItem { index: 1, problem: item };
            assert_noop!(send(HOSPITAL, whole), expected);
        }
        // Other scenes do not ask, nor is what was registered asked for again.
        assert_ok!(send(HOSPITAL, register(bill(2))));
        assert_ok!(send(HOSPITAL, register(guarded(1))));
    });
}

#[test]
fn a_policy_refuses_a_bill_a_notice_and_an_item() {
    let deny = |operation| {
        with_world(|world| world.denied = Some((operation, fen(7))));
    };
    let dear = |number| BillSummary { total: fen(7), ..bill(number) };
    run(|| {
        deny(Guarded::Register);
        let refused = Error::<Test>::PolicyDenied(REFUSAL.policy);
        assert_noop!(send(HOSPITAL, register(dear(1))), refused);
        let pre_issue = || Call::pre_issue { notice: BillSummary { total: fen(7), ..notice(9) } };
        deny(Guarded::PreIssue);
        let refused = Error::<Test>::PolicyDenied(REFUSAL.policy);
        assert_noop!(send(HOSPITAL, pre_issue()), refused);
        assert_ok!(send(HOSPITAL, register(dear(2))));
        deny(Guarded::Register);
        assert_ok!(send(HOSPITAL, pre_issue()));

        let bills = || vec![bill(3), dear(4), bill(5)];
        assert_noop!(
            send(HOSPITAL, batch(bills(), BatchMode::AllOrNothing)),
            Error::<Test>::BatchItemDenied { index: 1 }
        );
        assert_ok!(send(HOSPITAL, batch(bills(), BatchMode::PerItem)));
        assert!(!BillRegister::contains(&key(4)) && BillRegister::contains(&key(5)));
        let (policy, version) = (REFUSAL.policy, REFUSAL.version);
        let denied = Event::BatchItemDenied { index: 1, key: key(4), policy, version };
        let issuer = did("hospital");
        let seen = events();
        assert!(seen.contains(&denied));
        let completed = Event::BatchCompleted { issuer, registered: 2, refused: 1, repeated: 0 };
        assert_eq!(seen.last(), Some(&completed));
    });
}

#[test]
fn a_wrong_check_digit_of_the_issuer_is_a_warning() {
    run(|| {
        let uscc = "91350100M000100Y44".parse().expect("18 characters");
        assert_ok!(send(HOSPITAL, register(BillSummary { issuer_uscc: uscc, ..bill(1) })));
        assert!(events().contains(&Event::UsccCheckDigitMismatch { key: key(1), uscc }));
    });
}

#[test]
fn a_batch_by_item_registers_the_good_and_names_the_bad() {
    let state = run(|| {
        let bad = BillSummary { xml_hash: [0; 32], ..bill(2) };
        let bills = vec![bill(1), bad, dearer(1), bill(1), bill(3)];
        assert_ok!(send(HOSPITAL, batch(bills, BatchMode::PerItem)));
        assert!(BillRegister::contains(&key(1)) && BillRegister::contains(&key(3)));
        assert!(!BillRegister::contains(&key(2)));
        let refused =
            |index, number, problem| Event::BatchItemRefused { index, key: key(number), problem };
        let seen = events();
        assert!(seen.contains(&refused(1, 2, SummaryProblem::XmlHashMissing)));
        assert!(seen.contains(&refused(2, 1, SummaryProblem::AlreadyExists)));
        let issuer = did("hospital");
        let completed = Event::BatchCompleted { issuer, registered: 2, refused: 2, repeated: 1 };
        assert_eq!(seen.last(), Some(&completed));
    });
    let bills: Vec<_> =
        (0..3).map_while(|seq| indexed(&state, &index::block_bills_key(1, 2, seq))).collect();
    assert_eq!(bills, [key(1).encode(), key(3).encode()]);
}

#[test]
fn a_batch_of_all_or_nothing_is_taken_back_whole() {
    let state = run(|| {
        let bills = vec![bill(1), bill(2), dearer(1)];
        let problem = SummaryProblem::AlreadyExists;
        assert_noop!(
            send(HOSPITAL, batch(bills, BatchMode::AllOrNothing)),
            Error::<Test>::BatchItem { index: 2, problem }
        );
    });
    assert_eq!(indexed(&state, &index::history_key(&key(1), 1)), None);

    run(|| {
        let bills = (0..500).map(bill).collect();
        assert_ok!(send(HOSPITAL, batch(bills, BatchMode::AllOrNothing)));
        assert_eq!(Bills::<Test>::iter().count(), 500);
    });
}

#[test]
fn batches_are_bounded_and_not_empty() {
    run(|| {
        assert_noop!(send(HOSPITAL, batch(vec![], BatchMode::PerItem)), Error::<Test>::EmptyBatch);
        let encoded = |count| (1_u8, (0..count).map(bill).collect::<Vec<_>>(), BatchMode::PerItem);
        let decoded = |count| Call::<Test>::decode(&mut &encoded(count).encode()[..]);
        assert!(decoded(500).is_ok());
        let words = decoded(501).expect_err("one too many").to_string();
        assert!(words.contains("a batch: expected 1 to 500 bills"), "{words}");
    });
}

#[test]
fn a_notice_is_pre_issued_and_confirmed() {
    run(|| {
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(1) }));
        assert_ok!(send(HOSPITAL, Call::confirm { key: key(1) }));
        let state = Bills::<Test>::get(key(1)).expect("it was issued").state;
        assert_eq!((state.status, state.version), (BillStatus::Normal, 2));
        let (operator, status) = (did("hospital"), BillStatus::Normal);
        let event = Event::NoticeConfirmed { key: key(1), operator, status, version: 2 };
        assert_eq!(events().last(), Some(&event));
    });
}

#[test]
fn a_notice_that_was_not_paid_is_voided_for_good() {
    let state = run(|| {
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(1) }));
        assert_ok!(send(HOSPITAL, Call::void { key: key(1), reason: reason() }));
        assert!(matches!(
            events().last(),
            Some(Event::NoticeVoided { status: BillStatus::Voided, version: 2, .. })
        ));
        assert_noop!(
            send(HOSPITAL, Call::confirm { key: key(1) }),
            Error::<Test>::Transition(TransitionProblem::FinalStatus)
        );
    });
    let record = indexed(&state, &index::history_key(&key(1), 2)).expect("it was indexed");
    let record = VersionRecord::decode(&mut &record[..]).expect("it is a record");
    assert_eq!(record.body.entry.reason, Some(reason()));
}

#[test]
fn a_notice_paid_at_once_is_registered() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(notice(1))));
    });
}

#[test]
fn refusals_around_notices() {
    run(|| {
        let blue = Call::pre_issue { notice: bill(1) };
        assert_noop!(send(HOSPITAL, blue), Error::<Test>::Bill(SummaryProblem::KindNotAllowed));
        assert_noop!(send(HOSPITAL, Call::confirm { key: key(1) }), Error::<Test>::BillNotFound);
        assert_ok!(send(HOSPITAL, register(bill(1))));
        let void = Call::void { key: key(1), reason: reason() };
        assert_noop!(send(HOSPITAL, void), Error::<Test>::NotPreIssued);

        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(2) }));
        assert_noop!(send(CLINIC, Call::confirm { key: key(2) }), Error::<Test>::NotIssuer);

        let rule = (Some(BillStatus::PreIssued), Operation::Confirm);
        with_world(|world| {
            let rule = world.rules.get_mut(&rule).expect("it is there");
            rule.1 = Target::Status(BillStatus::Locked);
        });
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(3) }));
        assert_noop!(send(HOSPITAL, Call::confirm { key: key(3) }), Error::<Test>::RuleUnusable);
    });
}

#[test]
fn versions_are_chained_and_verify() {
    let mut head = None;
    let state = run(|| {
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(1) }));
        assert_ok!(send(HOSPITAL, Call::confirm { key: key(1) }));
        head = Bills::<Test>::get(key(1));
    });
    let head = head.expect("it was issued");
    let mut records: Vec<_> = (1..=2)
        .filter_map(|version| indexed(&state, &index::history_key(&key(1), version)))
        .map(|bytes| VersionRecord::decode(&mut &bytes[..]).expect("it is a record"))
        .collect();
    assert_eq!(history::verify(&head, &records), Ok(()));
    records[0].body.summary.total = fen(1);
    assert_eq!(
        history::verify(&head, &records),
        Err(history::HistoryProblem::BrokenLink { version: 2 })
    );
}

#[test]
fn bills_are_counted_as_they_come_and_what_is_refused_is_not() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        let all = batch(vec![bill(2), dearer(1)], BatchMode::AllOrNothing);
        assert!(send(HOSPITAL, all).is_err());
        assert_ok!(send(HOSPITAL, batch(vec![bill(3), dearer(1)], BatchMode::PerItem)));
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(4) }));
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(5) }));
        assert_ok!(send(HOSPITAL, Call::confirm { key: key(4) }));
        assert_ok!(send(HOSPITAL, Call::void { key: key(5), reason: reason() }));
        let month = Month::of(bill(1).issue_date);
        let tally = pallet_totals::Months::<Test>::get(did("hospital"), month).expect("bills came");
        let line = |line: &Line| (line.kind, line.status, line.bills, line.fen);
        let lines: Vec<_> = tally.lines().iter().map(line).collect();
        let expected = [
            (BillKind::Blue, BillStatus::Normal, 2, 24_690),
            (BillKind::PaymentNotice, BillStatus::Normal, 1, 12_345),
            (BillKind::PaymentNotice, BillStatus::Voided, 1, 12_345),
        ];
        assert_eq!(lines, expected);
    });
}

#[test]
fn the_last_version_number_refuses_another_version() {
    run(|| {
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(1) }));
        Bills::<Test>::mutate(key(1), |bill| {
            bill.as_mut().expect("just issued").state.version = u32::MAX;
        });
        assert_noop!(send(HOSPITAL, Call::confirm { key: key(1) }), ArithmeticError::Overflow);
    });
}

#[test]
fn the_index_numbers_each_transaction_anew_and_forgets_at_the_end_of_the_block() {
    let state = run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        System::set_extrinsic_index(3);
        assert_ok!(send(HOSPITAL, register(bill(2))));
        BillRegister::on_finalize(1);
        assert!(!Touched::<Test>::exists());
    });
    assert_eq!(indexed(&state, &index::block_bills_key(1, 3, 0)), Some(key(2).encode()));
    assert_eq!(indexed(&state, &index::block_bills_key(1, 3, 1)), None);
}

#[test]
fn a_typical_bill_takes_at_most_500_bytes_even_locked_and_partly_reimbursed() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        let mut bill: Bill = Bills::<Test>::get(key(1)).expect("it was registered");
        let (payer, scene) = (did("shanghai-medical-insurance"), SceneId(1));
        bill.summary.related = Some(key(2));
        // After fifty years of a block every 3 s.
        (bill.receipt.block, bill.receipt.extrinsic) = (525_600_000, 10_000);
        let before = BillStatus::PartlyReimbursed;
        bill.state.lock = Some(Lock {
            holder: payer.clone(),
            purpose: LockPurpose::Claim {
                scene,
                claim_no: "CLM-2026-00000001".parse().expect("a plain text"),
                grant: Some(GrantId([6; 32].into())),
            },
            version: 2,
            at: Stamp { block: 1, extrinsic: Some(1), moment: NOW },
            expires: Some(NOW),
            before,
        });
        let reimbursement = Reimbursement { payer, scene, amount: fen(1), before };
        bill.state.reimbursements = vec![reimbursement].try_into().expect("one");
        assert!(bill.encoded_size() <= 500, "{} bytes", bill.encoded_size());
    });
}

#[test]
fn try_state_finds_each_broken_invariant() {
    fn broken(change: impl FnOnce(&mut Bill)) -> bool {
        let mut found = false;
        run(|| {
            assert_ok!(send(HOSPITAL, register(bill(1))));
            assert_ok!(send(HOSPITAL, register(bill(2))));
            let sound = Bills::<Test>::get(key(1)).expect("it was registered");
            let mut bill = sound.clone();
            change(&mut bill);
            Bills::<Test>::insert(key(1), bill);
            found = BillRegister::do_try_state().is_err();
            Bills::<Test>::insert(key(1), sound);
        });
        found
    }
    type Breakage = fn(&mut Bill);
    let changes: [(&str, Breakage); 11] = [
        ("key", |b| b.summary.key = key(9)),
        ("version", |b| b.state.version = 0),
        ("lock", |b| b.state.status = BillStatus::Locked),
        ("reimbursements", |b| b.state.status = BillStatus::Reimbursed),
        ("sign", |b| b.summary.total = fen(-1)),
        ("red without blue", |b| (b.summary.kind, b.summary.total) = (BillKind::Red, fen(-1))),
        ("filled in at once", |b| {
            b.receipt.filled_in = SummaryFields::of(&[SummaryField::BizNoHash])
        }),
        ("filled in and missing", |b| {
            (b.state.version, b.receipt.filled_in) =
                (2, SummaryFields::of(&[SummaryField::PdfHash]))
        }),
        ("a block to come", |b| b.receipt.block = 2),
        ("related missing", |b| b.summary.related = Some(key(9))),
        ("related not reversed", |b| b.summary.related = Some(key(2))),
    ];
    for (name, change) in changes {
        assert!(broken(change), "{name}");
    }
    assert!(!broken(|_| ()));
}

#[test]
fn integrity_holds() {
    BillRegister::integrity_test();
}

/// The format of keys and hashes is durable: explorers and proofs rely on it.
#[test]
fn formats_are_fixed() {
    run(|| {
        let storage_key = Bills::<Test>::hashed_key_for(key(1));
        let encoded: BillKey = BillKey::decode(&mut &storage_key[32..]).expect("it ends so");
        assert_eq!((storage_key.len(), encoded), (50, key(1)));
        assert_ok!(send(HOSPITAL, register(bill(1))));
        let hash = Bills::<Test>::get(key(1)).expect("it was registered").state.version_hash;
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "153d2a4c59638006014b010519742ee154239b98c76fe97e1f49b29f6a7d6a30");
    });
}
