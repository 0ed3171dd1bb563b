//! Every business call of a participant that is not active is refused, and the
//! refusal names its state.

use super::*;
use billchain_primitives::{
    BatchMode, BillKey, BillKind, BillStatus, BillSummary, Elements, Fen, GrantId, IssueDate,
    IssueTime, PayerType, ThreeCodes,
    seams::{ParticipantStatus, PolicyId},
};
use billchain_runtime::Runtime;
use frame_support::traits::{GetCallMetadata, GetCallName};
use pallet_bill_update::types::{StatusChange, StatusItem, SummaryItem};

/// The contracts whose calls are business: any participant may make some.
const CONTRACTS: [&str; 8] = [
    "BillRegister",
    "BillUpdate",
    "BillVerify",
    "Allotment",
    "Authorization",
    "Policy",
    "Dispute",
    "Scene",
];

/// Calls of these contracts that no participant may make: the council does.
const COUNCIL_CALLS: [(&str, &str); 1] = [("BillRegister", "set_field_rules")];

pub(super) fn bill_key() -> BillKey {
    BillKey { code: "31060126".parse().unwrap(), number: "0000000001".parse().unwrap() }
}

pub(super) fn summary() -> BillSummary {
    BillSummary {
        key: bill_key(),
        check_code: "a1B2c3".parse().unwrap(),
        kind: BillKind::Blue,
        issue_date: IssueDate::new(20_261_124).unwrap(),
        issue_time: IssueTime::new(83_000).unwrap(),
        total: Fen::new(12_345).unwrap(),
        issuer: did("hospital"),
        issuer_uscc: "91350100M000100Y43".parse().unwrap(),
        payer_type: PayerType::Person,
        payer_ref: [7; 32],
        scene: SCENE,
        biz_no_hash: [8; 32],
        xml_hash: [9; 32],
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: None,
    }
}

fn bills() -> Vec<RuntimeCall> {
    use pallet_bill_register::{Call as Register, LinkChange, Relation};
    use pallet_bill_update::Call as Update;
    use pallet_bill_verify::{Call as Verify, Observation};
    let key = bill_key();
    let (party, relation) = (did("insurer"), Relation::Insurer);
    let (bills, mode) = (vec![summary()].try_into().expect("one bill"), BatchMode::PerItem);
    let change = StatusChange::Unlock { reason: reason() };
    let red = BillSummary { kind: BillKind::Red, ..summary() };
    let expected_version = None;
    vec![
        Register::<Runtime>::register { summary: summary() }.into(),
        Register::<Runtime>::register_batch { bills, mode }.into(),
        Register::<Runtime>::pre_issue { notice: summary() }.into(),
        Register::<Runtime>::confirm { key }.into(),
        Register::<Runtime>::void { key, reason: reason() }.into(),
        Register::<Runtime>::link_party { key, party: party.clone(), relation }.into(),
        Register::<Runtime>::update_link {
            key,
            party,
            relation,
            change: LinkChange::Ended,
            reason: reason(),
        }
        .into(),
        Update::<Runtime>::change_status { key, expected_version, change }.into(),
        Update::<Runtime>::red_reverse {
            key,
            expected_version,
            red,
            balance: None,
            reason: reason(),
        }
        .into(),
        Update::<Runtime>::update_summary {
            key,
            expected_version,
            pdf_hash: Some([1; 32]),
            location_hash: None,
        }
        .into(),
        Verify::<Runtime>::report_mismatch { key, found: Observation::XmlHash([1; 32]) }.into(),
    ]
}

fn batches_and_adjustments() -> Vec<RuntimeCall> {
    use pallet_bill_update::Call;
    let (key, expected_version, mode) = (bill_key(), None, BatchMode::PerItem);
    let change = StatusChange::Unlock { reason: reason() };
    let changes = vec![StatusItem { key, expected_version, change }];
    let update =
        SummaryItem { key, expected_version, pdf_hash: Some([1; 32]), location_hash: None };
    let elements = Elements {
        codes: ThreeCodes { key, check_code: summary().check_code },
        issue_date: summary().issue_date,
        total: summary().total,
    };
    let (to, evidence, proposal) = (BillStatus::Voided, [3; 32], [4; 32].into());
    vec![
        Call::<Runtime>::change_status_batch {
            changes: changes.try_into().expect("one change"),
            mode,
        }
        .into(),
        Call::<Runtime>::update_summary_batch {
            updates: vec![update].try_into().expect("one update"),
            mode,
        }
        .into(),
        Call::<Runtime>::propose_adjustment {
            elements,
            expected_version,
            to,
            reason: reason(),
            evidence,
        }
        .into(),
        Call::<Runtime>::approve_adjustment { key, proposal }.into(),
        Call::<Runtime>::withdraw_adjustment { key, proposal, reason: reason() }.into(),
    ]
}

fn numbers() -> Vec<RuntimeCall> {
    use pallet_allotment::Call;
    let (issuer, BillKey { code, number: first }) = (did("hospital"), bill_key());
    vec![
        Call::<Runtime>::allot { issuer: issuer.clone(), code, first, last: first }.into(),
        Call::<Runtime>::give_back { issuer: issuer.clone(), code, first }.into(),
        Call::<Runtime>::void { issuer, code, first, last: first, reason: reason() }.into(),
    ]
}

fn grants() -> Vec<RuntimeCall> {
    use pallet_authorization::{Call, Scope, Terms};
    let grant = GrantId([1; 32].into());
    let terms = Terms {
        credential_hash: [1; 32].into(),
        holder: did("hospital"),
        subject: did("insurer"),
        scope: Scope::Bills(vec![bill_key()].try_into().expect("one bill")),
        scene: SCENE,
        valid_from: START,
        valid_until: START + 1_000_000,
    };
    vec![
        Call::<Runtime>::register_grant { terms }.into(),
        Call::<Runtime>::revoke { grant, reason: reason() }.into(),
        Call::<Runtime>::freeze { grant, reason: reason() }.into(),
        Call::<Runtime>::activate { grant, reason: reason() }.into(),
        Call::<Runtime>::record_use { grant, bill: bill_key() }.into(),
        Call::<Runtime>::record_transfer { grant, hash: [2; 32].into() }.into(),
    ]
}

fn policies_and_cases() -> Vec<RuntimeCall> {
    use pallet_dispute::{Call as Dispute, Outcome};
    use pallet_policy::{Call as Policy, Decision, Format, PolicyStatus};
    let (policy, version) = (PolicyId(1), 1);
    let (decision, status) = (Decision::Approved, PolicyStatus::Effective);
    let parties = vec![did("insurer")].try_into().expect("one party");
    let evidence = [3; 32];
    vec![
        Policy::<Runtime>::submit { format: Format::Json, body: Default::default() }.into(),
        Policy::<Runtime>::submit_approval { policy, version, decision, comment_hash: [1; 32] }
            .into(),
        Policy::<Runtime>::finalize_approval { policy, version }.into(),
        Policy::<Runtime>::set_status { policy, version, status, reason: reason() }.into(),
        Dispute::<Runtime>::open_case { key: bill_key(), parties, reason: reason(), evidence }
            .into(),
        Dispute::<Runtime>::close_case {
            case: 1,
            outcome: Outcome::Dismissed,
            reason: reason(),
            evidence,
        }
        .into(),
        Dispute::<Runtime>::admin_lock { case: 1, reason: reason(), evidence }.into(),
        Dispute::<Runtime>::admin_unlock { case: 1, reason: reason(), evidence }.into(),
    ]
}

fn scenes() -> Vec<RuntimeCall> {
    use pallet_scene::{Call, Decision, SceneStatus};
    let (scene, related_data) = (SCENE, pallet_scene::RelatedData::default());
    let name = "教育".parse().unwrap();
    vec![
        Call::<Runtime>::register {
            scene,
            name,
            rules: rules(),
            related_data: related_data.clone(),
            reason: reason(),
        }
        .into(),
        Call::<Runtime>::configure { scene, rules: rules(), related_data, reason: reason() }.into(),
        Call::<Runtime>::set_weight { scene, weight: 2, reason: reason() }.into(),
        Call::<Runtime>::set_status { scene, status: SceneStatus::Disabled, reason: reason() }
            .into(),
        Call::<Runtime>::submit_approval {
            scene,
            proposal: 1,
            decision: Decision::Approved,
            comment: reason(),
        }
        .into(),
        Call::<Runtime>::withdraw { scene, proposal: 1, reason: reason() }.into(),
    ]
}

fn business_calls() -> Vec<RuntimeCall> {
    [bills(), batches_and_adjustments(), numbers(), grants(), policies_and_cases(), scenes()]
        .concat()
}

#[test]
fn every_business_call_is_made_here() {
    let made: Vec<(&str, &str)> = business_calls()
        .iter()
        .map(|call| {
            let metadata = call.get_call_metadata();
            (metadata.pallet_name, metadata.function_name)
        })
        .collect();
    for contract in CONTRACTS {
        for function in RuntimeCall::get_call_names(contract) {
            let call = (contract, *function);
            let known = made.contains(&call) || COUNCIL_CALLS.contains(&call);
            assert!(known, "{contract}.{function} is missing here");
        }
    }
    assert!(pallet_bill_query::Call::<Runtime>::get_call_names().is_empty(), "it only reads");
}

#[test]
fn every_business_call_of_an_inactive_participant_is_refused_with_its_state() {
    for (status, expected) in [
        (ParticipantStatus::Frozen, "Sender.Frozen"),
        (ParticipantStatus::Cancelled, "Sender.Cancelled"),
    ] {
        run(|| {
            for name in ["hospital", "insurer", "platform", "admin"] {
                let did = did(name);
                let call = pallet_participant::Call::<Runtime>::set_status {
                    did,
                    status,
                    reason: reason(),
                };
                assert_eq!(council(call), Ok(()));
                for call in business_calls() {
                    let metadata = call.get_call_metadata();
                    let refused = send(name, call);
                    assert_eq!(refused, Err(expected.into()), "{name}: {metadata:?}");
                }
            }
        });
    }
}

#[test]
fn a_stranger_is_refused_as_such() {
    run(|| {
        for call in business_calls() {
            let metadata = call.get_call_metadata();
            assert_eq!(send("nobody", call), Err("Sender.NotFound".into()), "{metadata:?}");
        }
    });
}

#[test]
fn a_participant_is_refused_what_the_council_decides() {
    run(|| {
        for (name, _) in PARTICIPANTS {
            let call = pallet_bill_register::Call::<Runtime>::set_field_rules {
                scene: Some(SCENE),
                expected_version: None,
                rules: Default::default(),
            };
            let metadata = RuntimeCall::from(call.clone()).get_call_metadata();
            assert_eq!(COUNCIL_CALLS, [(metadata.pallet_name, metadata.function_name)]);
            assert_eq!(send(name, call.clone()), Err("BadOrigin".into()), "{name}");
            assert_eq!(council(call), Ok(()));
        }
    });
}
