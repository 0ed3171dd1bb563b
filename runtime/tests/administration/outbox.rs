//! What systems outside have to hear of, over the contracts that decide it.

use super::{
    inactive::{bill_key, summary},
    *,
};
use billchain_primitives::{
    BatchMode, Did, GrantId,
    outbox::{ConnectorId, ConnectorKind, Label, Subject, Topic, Topics},
};
use billchain_runtime::{Outbox, Runtime};
use pallet_authorization::{Scope, Terms as GrantTerms};
use pallet_outbox::{SceneFilter, Terms};

const ONE: ConnectorId = ConnectorId(1);

fn label(text: &str) -> Label {
    text.parse().expect("a label")
}

fn register_connector(scenes: SceneFilter) {
    let terms = Terms {
        kind: ConnectorKind::EvidenceChain,
        endpoint: label("evidence"),
        topics: Topics::ALL,
        scenes,
        format: label("evidence/1"),
        acknowledgers: vec![did("platform")].try_into().expect("one"),
        max_refusals: 1,
        max_waiting: 1_000,
    };
    let call = pallet_outbox::Call::<Runtime>::register { terms };
    assert_eq!(send("admin", call.clone()), Err("BadOrigin".into()), "the council's alone");
    assert_eq!(council(call), Ok(()));
}

/// Topic and version of each entry, in order.
fn entries() -> Vec<(Topic, u32)> {
    Outbox::pending(ONE, None).map(|(_, entry)| (entry.topic, entry.version)).collect()
}

#[test]
fn each_contract_tells_what_it_decided_in_the_same_transaction() {
    run(|| {
        register_connector(SceneFilter::All);
        let register = pallet_bill_register::Call::<Runtime>::register { summary: summary() };
        assert_eq!(send("hospital", register), Ok(()));
        let fill_in = pallet_bill_update::Call::<Runtime>::update_summary {
            key: bill_key(),
            expected_version: None,
            pdf_hash: Some([5; 32]),
            location_hash: None,
        };
        assert_eq!(send("hospital", fill_in), Ok(()));
        let terms = GrantTerms {
            credential_hash: [1; 32].into(),
            holder: did("hospital"),
            subject: did("insurer"),
            scope: Scope::Bills(vec![bill_key()].try_into().unwrap()),
            scene: SCENE,
            valid_from: START,
            valid_until: u64::MAX,
        };
        let grant = pallet_authorization::Call::<Runtime>::register_grant { terms };
        assert_eq!(send("hospital", grant), Ok(()));
        let grant = GrantId([1; 32].into());
        let freeze = pallet_authorization::Call::<Runtime>::freeze { grant, reason: reason() };
        assert_eq!(send("hospital", freeze), Ok(()));
        let freeze = pallet_participant::Call::<Runtime>::set_status {
            did: did("clerk"),
            status: billchain_primitives::seams::ParticipantStatus::Frozen,
            reason: reason(),
        };
        assert_eq!(send("security", freeze), Ok(()));
        let expected = [
            (Topic::BillRegistered, 1),
            (Topic::BillFilledIn, 2),
            (Topic::GrantRegistered, 1),
            (Topic::GrantChanged, 2),
            (Topic::ParticipantChanged, 2),
        ];
        assert_eq!(entries(), expected);
        let bill = Outbox::entry(ONE, 2).expect("it waits");
        assert_eq!((bill.subject, bill.previous), (Subject::Bill(bill_key()), Some(1)));
        let stored = pallet_bill_register::Bills::<Runtime>::get(bill_key()).unwrap();
        assert_eq!(bill.digest, stored.state.version_hash);
        let who: Option<Did> = match Outbox::entry(ONE, 5).map(|entry| entry.subject) {
            Some(Subject::Participant(did)) => Some(did),
            _ => None,
        };
        assert_eq!(who, Some(did("clerk")));
    });
}

#[test]
fn what_a_transaction_takes_back_is_told_to_nobody_and_another_scene_neither() {
    run(|| {
        register_connector(SceneFilter::Only(vec![SCENE].try_into().unwrap()));
        let mut other = summary();
        other.xml_hash = [1; 32];
        let twice = pallet_bill_register::Call::<Runtime>::register_batch {
            bills: vec![summary(), other].try_into().expect("two bills"),
            mode: BatchMode::AllOrNothing,
        };
        assert!(send("hospital", twice).is_err());
        assert_eq!((entries(), Outbox::tally(ONE).last), (Vec::new(), 0));
    });
    run(|| {
        register_connector(SceneFilter::Only(vec![SceneId(9)].try_into().unwrap()));
        let register = pallet_bill_register::Call::<Runtime>::register { summary: summary() };
        assert_eq!(send("hospital", register), Ok(()));
        assert_eq!(entries(), Vec::new());
    });
}
