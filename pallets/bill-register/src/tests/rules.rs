//! Field rules: what each asks, how they are set, how they are kept.

use super::*;
use crate::{
    AllottedCodes, BillField, FieldCheck, FieldRule, FieldRuleSet, FieldRuleSets, MAX_FIELD_RULES,
    OptionalField, rule_set_key,
};
use billchain_primitives::{
    PayerType, Stamp,
    history::Entry,
    seams::{AllotmentProblem, SummaryProblem},
};
use frame::traits::BuildGenesisConfig;

fn rule(check: FieldCheck) -> FieldRule {
    FieldRule { kind: None, check }
}

fn parts(parts: &[&str]) -> crate::rules::Parts {
    let parts: Vec<_> = parts.iter().map(|part| part.parse().expect("2 digits")).collect();
    parts.try_into().expect("few")
}

fn total(least: i64, most: i64) -> FieldCheck {
    FieldCheck::Total { least_fen: fen(least), most_fen: fen(most) }
}

#[test]
fn each_rule_refuses_what_breaks_it_by_the_fields_name() {
    let with = |change: fn(&mut BillSummary)| {
        let mut summary = BillSummary { pdf_hash: [4; 32], location_hash: [5; 32], ..bill(1) };
        change(&mut summary);
        summary
    };
    use BillField as F;
    use FieldCheck as C;
    use OptionalField as O;
    type Row = (FieldCheck, BillField, BillSummary);
    let rows: [Row; 12] = [
        (C::Required(O::PayerRef), F::PayerRef, with(|b| b.payer_ref = [0; 32])),
        (C::Required(O::BizNoHash), F::BizNoHash, with(|b| b.biz_no_hash = [0; 32])),
        (C::Required(O::PdfHash), F::PdfHash, with(|b| b.pdf_hash = [0; 32])),
        (C::Required(O::LocationHash), F::LocationHash, with(|b| b.location_hash = [0; 32])),
        (total(12_345, 12_345), F::Total, with(|b| b.total = fen(12_344))),
        (total(12_345, 12_345), F::Total, with(|b| b.total = fen(12_346))),
        (
            C::Regions(parts(&["11", "31"])),
            F::BillCode,
            with(|b| b.key.code = "32060125".parse().expect("8 digits")),
        ),
        (
            C::Classes(parts(&["06"])),
            F::BillCode,
            with(|b| b.key.code = "31050125".parse().expect("8 digits")),
        ),
        (
            C::Kinds(parts(&["01", "02"])),
            F::BillCode,
            with(|b| b.key.code = "31060325".parse().expect("8 digits")),
        ),
        // Half past midnight of the 25th.
        (C::IssuedWithin { days: 1 }, F::IssueDate, with(|b| b.issue_date = date(20_261_123))),
        (
            C::PayerType(PayerType::Person),
            F::PayerType,
            with(|b| b.payer_type = PayerType::Organisation),
        ),
        (
            C::UsccCheckDigit,
            F::IssuerUscc,
            with(|b| b.issuer_uscc = "91350100M000100Y44".parse().expect("18 characters")),
        ),
    ];
    for (check, field, breaking) in rows {
        run(|| {
            assert_ok!(set_rules(None, vec![rule(check.clone())]));
            let refused = Error::<Test>::FieldRule { field };
            assert_noop!(send(HOSPITAL, register(breaking)), refused);
            let kept = with(|_| ());
            assert_eq!(send(HOSPITAL, register(kept)), Ok(()), "{check:?}");
        });
    }
}

#[test]
fn rules_are_those_of_all_scenes_and_of_the_bills_for_its_kind() {
    let required = |field| rule(FieldCheck::Required(field));
    run(|| {
        let notices = FieldRule {
            kind: Some(BillKind::PaymentNotice),
            check: FieldCheck::Required(OptionalField::LocationHash),
        };
        assert_ok!(set_rules(None, vec![notices]));
        assert_ok!(set_rules(Some(GUARDED), vec![required(OptionalField::PdfHash)]));
        assert_ok!(send(HOSPITAL, register(bill(1))));
        let refused = |field| Error::<Test>::FieldRule { field };
        let pre_issue = Call::pre_issue { notice: notice(2) };
        assert_noop!(send(HOSPITAL, pre_issue), refused(BillField::LocationHash));
        let located = BillSummary { location_hash: [1; 32], ..notice(2) };
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: located }));
        let guarded = BillSummary { scene: GUARDED, ..bill(3) };
        assert_noop!(send(HOSPITAL, register(guarded.clone())), refused(BillField::PdfHash));
        assert_ok!(send(HOSPITAL, register(BillSummary { pdf_hash: [1; 32], ..guarded })));
    });
}

#[test]
fn a_batch_is_refused_whole_or_by_item_with_the_field() {
    run(|| {
        assert_ok!(set_rules(None, vec![rule(total(0, 20_000))]));
        let bills = || vec![bill(1), dearer(2), bill(3)];
        let field = BillField::Total;
        assert_noop!(
            send(HOSPITAL, batch(bills(), BatchMode::AllOrNothing)),
            Error::<Test>::BatchItemFieldRule { index: 1, field }
        );
        assert_ok!(send(HOSPITAL, batch(bills(), BatchMode::PerItem)));
        let refused = Event::BatchItemFieldRefused { index: 1, key: key(2), field };
        assert!(events().contains(&refused));
        let issuer = did("hospital");
        let completed = Event::BatchCompleted { issuer, registered: 2, refused: 1, repeated: 0 };
        assert_eq!(events().last(), Some(&completed));
    });
}

#[test]
fn a_red_bill_comes_whatever_the_rules() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        let kinds = FieldCheck::Kinds(parts(&["99"]));
        assert_ok!(set_rules(None, vec![rule(kinds), rule(total(1, 1))]));
        let mut blue = Bills::<Test>::get(key(1)).expect("it was registered");
        let entry = history::Entry::reasoned(Operation::RedReverse, did("hospital"), reason());
        let red = BillSummary {
            kind: BillKind::Red,
            total: bill(1).total.negated(),
            related: Some(key(1)),
            ..bill(2)
        };
        assert_eq!(BillRegister::open(red, BillStatus::Normal, entry.clone()), Ok(()));
        blue.state.status = BillStatus::RedReversed;
        assert_ok!(BillRegister::advance(blue, entry));
    });
}

#[test]
fn a_set_is_replaced_whole_and_every_version_is_kept() {
    let first = vec![rule(total(0, 1)), rule(FieldCheck::UsccCheckDigit)];
    let state = run(|| {
        assert_ok!(set_rules(Some(OUTPATIENT), first.clone()));
        assert_ok!(set_rules(Some(OUTPATIENT), vec![]));
        let set = FieldRuleSets::<Test>::get(Some(OUTPATIENT)).expect("it was set");
        assert_eq!((set.version, set.rules.len()), (2, 0));
        let scene = Some(OUTPATIENT);
        let rules = Default::default();
        let event = Event::FieldRulesSet { scene, version: 2, rules, operator: None };
        assert_eq!(events().last(), Some(&event));
        // Nothing more is asked now.
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert!(FieldRuleSets::<Test>::get(None::<SceneId>).is_none());
    });
    let stored = indexed(&state, &rule_set_key(Some(OUTPATIENT), 1)).expect("it was indexed");
    let set = FieldRuleSet::decode(&mut &stored[..]).expect("it is a rule set");
    assert_eq!((set.version, set.rules.to_vec()), (1, first));
    assert_eq!(set.at, Stamp { block: 1, extrinsic: Some(2), moment: NOW });
}

#[test]
fn who_may_not_set_rules_or_sets_wrong_ones_is_refused() {
    run(|| {
        let set = |scene, expected, rules: Vec<FieldRule>| {
            let rules = rules.try_into().expect("at most 32");
            BillRegister::set_field_rules(RuntimeOrigin::root(), scene, expected, rules)
        };
        let by_hospital = Call::set_field_rules {
            scene: None,
            expected_version: None,
            rules: Default::default(),
        };
        assert_noop!(send(HOSPITAL, by_hospital), DispatchError::BadOrigin);
        assert_noop!(set(Some(SceneId(77)), None, vec![]), Error::<Test>::SceneNotFound);
        // An inactive scene may be prepared.
        assert_ok!(set(Some(CLOSED), Some(0), vec![]));
        assert_noop!(set(Some(CLOSED), Some(0), vec![]), Error::<Test>::StaleFieldRules);
        assert_ok!(set(Some(CLOSED), Some(1), vec![]));

        let sound = || rule(FieldCheck::UsccCheckDigit);
        let red = FieldRule { kind: Some(BillKind::Red), ..sound() };
        for unsound in [
            rule(total(2, 1)),
            rule(total(-1, 1)),
            rule(FieldCheck::Regions(parts(&[]))),
            rule(FieldCheck::Classes(parts(&[]))),
            rule(FieldCheck::Kinds(parts(&[]))),
            red,
        ] {
            let refused = Error::<Test>::UnsoundFieldRule { index: 1 };
            assert_noop!(set(None, None, vec![sound(), unsound]), refused);
        }
        FieldRuleSets::<Test>::mutate(Some(CLOSED), |set| {
            set.as_mut().expect("it was set").version = u32::MAX;
        });
        assert_noop!(set(Some(CLOSED), None, vec![]), ArithmeticError::Overflow);

        assert_ok!(set(None, None, vec![sound(); MAX_FIELD_RULES as usize]));
        let many = (5_u8, None::<SceneId>, None::<u32>, vec![sound(); 33]).encode();
        assert!(Call::<Test>::decode(&mut &many[..]).is_err());
    });
}

#[test]
fn rules_stand_from_the_genesis_on() {
    let rules: crate::FieldRules = vec![rule(total(0, 1))].try_into().expect("one");
    run(|| {
        let field_rules = vec![(None, rules.clone()), (Some(OUTPATIENT), Default::default())];
        crate::GenesisConfig::<Test> { field_rules, ..Default::default() }.build();
        let field = BillField::Total;
        assert_noop!(send(HOSPITAL, register(bill(1))), Error::<Test>::FieldRule { field });
        let set = FieldRuleSets::<Test>::get(None::<SceneId>).expect("it was set");
        assert_eq!((set.version, set.at), (1, Stamp::default()));
    });
}

#[test]
fn try_state_finds_rules_without_version_and_unsound_ones() {
    run(|| {
        let set = |version, check| FieldRuleSet {
            version,
            rules: vec![rule(check)].try_into().expect("one"),
            operator: None,
            at: Stamp::default(),
        };
        for (broken, set) in [(true, set(0, total(0, 1))), (true, set(1, total(1, 0)))] {
            FieldRuleSets::<Test>::insert(None::<SceneId>, set);
            assert_eq!(BillRegister::do_try_state().is_err(), broken);
        }
        FieldRuleSets::<Test>::insert(None::<SceneId>, set(1, total(0, 1)));
    });
}

/// The state and the index hold rules in this form.
#[test]
fn the_form_of_rules_is_fixed() {
    let rules = vec![
        FieldRule { kind: Some(BillKind::Blue), check: total(1, 2) },
        rule(FieldCheck::Required(OptionalField::PdfHash)),
        rule(FieldCheck::Regions(parts(&["31"]))),
        rule(FieldCheck::IssuedWithin { days: 30 }),
        rule(FieldCheck::PayerType(PayerType::Person)),
        rule(FieldCheck::UsccCheckDigit),
    ];
    let hex: String = rules.encode().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "1801000101000000000000000200000000000000000002000204333100051e000006000007");
}

fn allotted(codes: AllottedCodes) -> FieldRule {
    rule(FieldCheck::Allotted(codes))
}

/// What the bureau allotted to the hospital.
fn allot(numbers: &[u32]) {
    with_world(|world| world.allotted.extend(numbers.iter().map(|n| (key(*n), Ok(())))));
}

#[test]
fn an_issuer_takes_no_number_that_was_not_allotted_to_it() {
    run(|| {
        // Without the rule numbers are taken as they come, and nothing is asked.
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_eq!(with_world(|world| world.used.len()), 0);

        assert_ok!(set_rules(None, vec![allotted(AllottedCodes::All)]));
        allot(&[2, 3, 4, 5]);
        let voided = Err(AllotmentProblem::Voided);
        with_world(|world| world.allotted.insert(key(6), voided));
        let squatter = BillSummary { issuer: did("clinic"), ..bill(2) };
        for (who, summary, problem) in [
            (CLINIC, squatter, SummaryProblem::NumberNotAllotted),
            (HOSPITAL, bill(9), SummaryProblem::NumberNotAllotted),
            (HOSPITAL, bill(6), SummaryProblem::NumberVoided),
        ] {
            let refused = Error::<Test>::Bill(problem);
            assert_noop!(send(who, register(summary.clone())), refused);
            let notice = BillSummary { kind: BillKind::PaymentNotice, ..summary.clone() };
            assert_noop!(send(who, Call::pre_issue { notice }), Error::<Test>::Bill(problem));
            let whole = send(who, batch(vec![summary.clone()], BatchMode::AllOrNothing));
            assert_noop!(whole, Error::<Test>::BatchItem { index: 0, problem });
            assert_ok!(send(who, batch(vec![summary.clone()], BatchMode::PerItem)));
            let key = summary.key;
            let event = Event::BatchItemRefused { index: 0, key, problem };
            assert!(events().contains(&event), "{problem:?}");
        }
        assert_ok!(send(HOSPITAL, register(bill(2))));
        assert_ok!(send(HOSPITAL, Call::pre_issue { notice: notice(3) }));
        let both = vec![bill(4), bill(9)];
        assert_ok!(send(HOSPITAL, batch(both, BatchMode::PerItem)));
        // A registration that is sent again uses no number.
        assert_ok!(send(HOSPITAL, register(bill(2))));
        assert_eq!(with_world(|world| world.used.clone()), [key(2), key(3), key(4)]);
    });
}

#[test]
fn red_and_balance_bills_need_allotted_numbers_too() {
    run(|| {
        assert_ok!(send(HOSPITAL, register(bill(1))));
        assert_ok!(set_rules(None, vec![allotted(AllottedCodes::All)]));
        let red = BillSummary {
            kind: BillKind::Red,
            total: bill(1).total.negated(),
            related: Some(key(1)),
            ..bill(2)
        };
        let balance = BillSummary { related: Some(key(1)), ..bill(3) };
        let entry = || Entry::plain(Cause::Operation(Operation::RedReverse), did("hospital"));
        let open = |summary| BillRegister::open(summary, BillStatus::Normal, entry());
        for summary in [&red, &balance] {
            let refused = Err(SummaryProblem::NumberNotAllotted);
            assert_storage_noop!(assert_eq!(open(summary.clone()), refused));
        }
        allot(&[2, 3]);
        let mut blue = BillRegister::bill(&key(1)).expect("it is registered");
        blue.state.status = BillStatus::RedReversed;
        assert_ok!(BillRegister::advance(blue, entry()));
        assert_eq!(open(red), Ok(()));
        assert_eq!(open(balance), Ok(()));
        assert_eq!(with_world(|world| world.used.clone()), [key(2), key(3)]);
    });
}

#[test]
fn a_rule_on_allotted_numbers_is_for_all_codes_or_for_some() {
    let other = || "31060225".parse().expect("8 digits");
    run(|| {
        let only = |codes: Vec<_>| AllottedCodes::Only(codes.try_into().expect("few"));
        let unsound = Error::<Test>::UnsoundFieldRule { index: 0 };
        assert_noop!(set_rules(None, vec![allotted(only(vec![]))]), unsound);
        assert_ok!(set_rules(Some(OUTPATIENT), vec![allotted(only(vec![other()]))]));
        assert_ok!(send(HOSPITAL, register(bill(1))));
        let mut listed = bill(2);
        listed.key.code = other();
        let refused = Error::<Test>::Bill(SummaryProblem::NumberNotAllotted);
        assert_noop!(send(HOSPITAL, register(listed.clone())), refused);
        with_world(|world| world.allotted.insert(listed.key, Ok(())));
        assert_ok!(send(HOSPITAL, register(listed)));
    });
}

#[test]
fn a_rule_on_allotted_numbers_is_written_in_plain_json() {
    let codes = || vec!["31060126".parse().expect("8 digits")].try_into().expect("few");
    for (text, codes) in [
        (r#"{"kind":null,"check":{"allotted":"all"}}"#, AllottedCodes::All),
        (
            r#"{"kind":null,"check":{"allotted":{"only":["31060126"]}}}"#,
            AllottedCodes::Only(codes()),
        ),
    ] {
        let written = serde_json::to_string(&allotted(codes.clone())).expect("JSON");
        assert_eq!(written, text);
        assert_eq!(serde_json::from_str::<FieldRule>(text).expect("a rule"), allotted(codes));
    }
}
