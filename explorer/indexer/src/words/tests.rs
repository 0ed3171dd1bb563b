use super::*;
use billchain_primitives::{BillKey, Did, Fen, GrantId, Hash, SceneId};
use codec::Encode;
use sp_runtime::ModuleError;

fn key() -> BillKey {
    BillKey { code: "31060126".parse().unwrap(), number: "0000000101".parse().unwrap() }
}

fn did() -> Did {
    "did:bill:insurer-a".parse().unwrap()
}

#[test]
fn an_event_is_told_by_the_names_of_its_fields_and_names_its_subjects() {
    let event = RuntimeEvent::BillUpdate(pallet_bill_update::Event::Locked {
        key: key(),
        operator: did(),
        holder: did(),
        scene: SceneId(3),
        claim_no: "CLAIM-1".parse().unwrap(),
        grant: Some(GrantId(Hash::repeat_byte(7))),
        expires: None,
        version: 2,
    });
    let words = super::event(&event.encode()).unwrap();
    assert_eq!((words.pallet.as_str(), words.name.as_str()), ("BillUpdate", "Locked"));
    assert_eq!(words.fields["key"], "31060126-0000000101");
    assert_eq!(words.fields["holder"], "did:bill:insurer-a");
    assert_eq!(words.fields["claim_no"], "CLAIM-1");
    assert_eq!(words.fields["scene"], 3);
    assert_eq!(words.fields["expires"], Value::Null);
    let grant = format!("grant:0x{}", "07".repeat(32));
    let expected = ["bill:31060126-0000000101", "did:bill:insurer-a", grant.as_str(), "scene:3"];
    assert_eq!(words.subjects, expected);
}

#[test]
fn a_call_is_told_with_its_enums_and_amounts() {
    let call = RuntimeCall::BillUpdate(pallet_bill_update::Call::change_status {
        key: key(),
        expected_version: Some(4),
        change: pallet_bill_update::StatusChange::Reimburse { amount: Fen::new(1_234).unwrap() },
    });
    let words = super::call(&call.encode()).unwrap();
    assert_eq!((words.pallet.as_str(), words.name.as_str()), ("BillUpdate", "change_status"));
    assert_eq!(words.fields["expected_version"], 4);
    assert_eq!(words.fields["change"]["Reimburse"]["amount"], 1_234);
}

#[test]
fn long_lists_are_cut_short_and_counted() {
    let call = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: 5 });
    let calls = vec![call; 30];
    let batch = RuntimeCall::Utility(pallet_utility::Call::batch { calls });
    let words = super::call(&batch.encode()).unwrap();
    assert_eq!(words.fields["calls"]["count"], 30);
    assert_eq!(words.fields["calls"]["first"].as_array().map(Vec::len), Some(MAX_ITEMS));
}

#[test]
fn an_error_within_another_is_named_by_both() {
    use pallet_bill_update::Error;
    type BillUpdateError = Error<billchain_runtime::Runtime>;
    use billchain_primitives::seams::TransitionProblem;
    let error: DispatchError = BillUpdateError::Transition(TransitionProblem::FinalStatus).into();
    let failure = super::failure(&error);
    assert_eq!(failure.pallet, "BillUpdate");
    assert_eq!(failure.name, "Transition.FinalStatus");
    assert!(!failure.docs.is_empty());
    let plain = super::failure(&BillUpdateError::LockedByOther.into());
    assert_eq!(plain.name, "LockedByOther");
    assert!(!plain.docs.is_empty());
    // Foreign numbers make words, no panic.
    let unknown = DispatchError::Module(ModuleError { index: 250, error: [1; 4], message: None });
    assert_eq!(super::failure(&unknown).pallet, "250");
    assert_eq!(super::failure(&DispatchError::BadOrigin).name, "BadOrigin");
}

#[test]
fn what_is_cut_off_or_goes_on_is_no_words() {
    let event = RuntimeEvent::Participation(pallet_participation::Event::TurnsResumed {
        validator: [3; 32].into(),
    });
    let encoded = event.encode();
    assert!(super::event(&encoded).is_some());
    for length in 0..encoded.len() {
        assert_eq!(super::event(&encoded[..length]), None);
    }
    assert_eq!(super::event(&[encoded, vec![0]].concat()), None);
}
