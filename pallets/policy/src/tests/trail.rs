//! The approval flow: its chain, and the node-local index over it.

use crate::{
    Act, BY_TIME, Decision, Flow, Flows, IndexedStep, NO_STEP, PolicyStatus, by_actor_key,
    by_actor_prefix, by_time_key, mock::*,
};
use billchain_primitives::{seams::PolicyId, sm3};
use codec::{Decode, Encode};
use frame::testing_prelude::*;

const ID: PolicyId = PolicyId(7);

/// A version from proposal to replacement, a second apart.
fn story() {
    assert_ok!(submit(&document(7, 1)));
    pass(1_000);
    assert_ok!(approve(ADMIN, 7, 1));
    pass(1_000);
    assert_ok!(approve(ADMIN + 1, 7, 1));
    pass(1_000);
    assert_ok!(finalize(PLATFORM, 7, 1));
    pass(1_000);
    assert_ok!(set_status(signed(ADMIN), 7, 1, PolicyStatus::Effective));
    pass(1_000);
    assert_ok!(set_status(RuntimeOrigin::root(), 7, 1, PolicyStatus::Revoked));
}

#[test]
fn a_flow_is_chained_step_by_step_and_bound_to_the_policy() {
    run(|| {
        story();
        let flow = Flows::<Test>::get(ID, 1);
        let policy = Policy::policy(ID, 1).expect("it was submitted");
        let acts: Vec<Act> = flow.steps.iter().map(|step| step.act.clone()).collect();
        let decided =
            |comment| Act::Decided { decision: Decision::Approved, comment_hash: [comment; 32] };
        let expected = [
            Act::Submitted { body_hash: policy.body_hash },
            decided(ADMIN),
            decided(ADMIN + 1),
            Act::Finalised,
            Act::MadeEffective { reason: reason() },
            Act::Revoked { reason: reason() },
        ];
        assert_eq!(acts, expected);
        let mut hash = NO_STEP;
        for (at, step) in flow.steps.iter().enumerate() {
            hash = sm3(&[&hash[..], &step.encode()].concat());
            assert_eq!(step.at.moment, NOW + 1_000 * at as u64);
            if step.act == Act::Finalised {
                assert_eq!(policy.approval_hash, Some(hash));
            }
        }
        assert_eq!(flow.hash, hash);
        assert_eq!(flow.steps[5].actor, None, "the council has no DID");
        assert_eq!(Policy::flow(ID, 1), Some(flow));
        assert_eq!(Policy::flow(ID, 2), None);
    });
}

#[test]
fn steps_are_found_by_time_and_by_actor() {
    let state = run(story);
    let index = state.offchain_db();
    let read = |key: &[u8]| {
        let bytes = index.get(key).unwrap_or_else(|| panic!("nothing under {key:?}"));
        IndexedStep::decode(&mut &bytes[..]).expect("a step")
    };
    let mut hash = NO_STEP;
    for step in 0..6_u32 {
        let at = NOW + 1_000 * u64::from(step);
        let key = by_time_key(at, ID, 1, step);
        assert!(key.starts_with(BY_TIME));
        let indexed = read(&key);
        assert_eq!((indexed.policy, indexed.version, indexed.index), (ID, 1, step));
        hash = Flow::chain(&hash, &indexed.step);
        assert_eq!(indexed.hash, hash);
        if let Some(actor) = indexed.step.actor.clone() {
            let key = by_actor_key(&actor, at, ID, 1, step);
            assert!(key.starts_with(&by_actor_prefix(&actor)));
            assert_eq!(read(&key), indexed);
        }
    }
    let mut keys: Vec<_> = (0..6).map(|n| by_time_key(NOW + 1_000 * n, ID, 1, 0)).collect();
    let sorted = keys.clone();
    keys.sort();
    assert_eq!(keys, sorted, "later steps have greater keys");
}
