//! Rules of another release: what is not executed, and what was signed before.

use super::kit::{Node, params, remark};
use billchain_chain_spec::{ChainSpec, dev};
use billchain_executor::{ChainError, OpaqueTx, OtherRules, TransactionError};
use billchain_primitives::Hash;
use billchain_runtime::{GenesisState, Runtime, VERSION, immortal_payload};
use codec::Encode;
use frame_system::{LastRuntimeUpgrade, LastRuntimeUpgradeInfo};
use pallet_upgrade::{Before, Former, Plan, Ready, Release, Scheduled};
use sp_runtime::transaction_validity::InvalidTransaction;

const OWN: u32 = VERSION.spec_version;
const MANIFEST: Hash = Hash::repeat_byte(9);

/// A node of the development chain whose first state is changed.
fn node(change: impl FnOnce(&mut GenesisState)) -> Node {
    let mut state = ChainSpec::development().genesis_state().unwrap();
    change(&mut state);
    Node::with_state(&state)
}

/// A chain that goes over to the next release at block 2 if these have confirmed it.
fn scheduled(confirmed: &[&str]) -> Node {
    node(|state| {
        let release = Release { rules: OWN + 1, height: 2, manifest: MANIFEST };
        let plan = Plan { release, rules: OWN, encoding: VERSION.transaction_version };
        state.insert(Scheduled::<Runtime>::hashed_key().to_vec(), plan.encode());
        let mut ready: Vec<_> = confirmed.iter().map(|seed| dev::account(seed)).collect();
        ready.sort();
        state.insert(Ready::<Runtime>::hashed_key().to_vec(), ready.encode());
    })
}

fn other(node: &Node) -> OtherRules {
    let built = node.chain.build(params(), &mut std::iter::empty()).unwrap_err();
    let asked = node.chain.ensure_rules().unwrap_err();
    match (built, asked) {
        (ChainError::OtherRules(built), ChainError::OtherRules(asked)) => {
            assert_eq!(built, asked);
            built
        }
        (built, asked) => panic!("{built}; {asked}"),
    }
}

#[test]
fn a_release_makes_no_block_under_rules_that_it_does_not_have() {
    for needed in [OWN - 1, OWN + 1] {
        let node = node(|state| {
            let spec_name = VERSION.spec_name.clone();
            let last = LastRuntimeUpgradeInfo { spec_version: needed.into(), spec_name };
            state.insert(LastRuntimeUpgrade::<Runtime>::hashed_key().to_vec(), last.encode());
        });
        let expected = OtherRules { height: 1, needed, own: OWN, manifest: None };
        assert_eq!(other(&node), expected);
    }
}

#[test]
fn a_release_ends_before_the_height_that_enough_operators_are_ready_for() {
    let node = scheduled(&["//node-1", "//node-2", "//node-3"]);
    node.advance(vec![]);
    let found = other(&node);
    let manifest = Some(MANIFEST);
    assert_eq!(found, OtherRules { height: 2, needed: OWN + 1, own: OWN, manifest });
    assert!(found.to_string().contains(&format!("{MANIFEST:?}")), "{found}");
}

#[test]
fn too_few_operators_end_nothing() {
    let node = scheduled(&["//node-1", "//node-2", "//hospital"]);
    for _ in 0..3 {
        node.advance(vec![]);
    }
    node.chain.ensure_rules().unwrap();
}

/// The hospital's first transaction, signed for these rules.
fn signed_for(node: &Node, rules: u32) -> OpaqueTx {
    let call = remark(16);
    let mut payload = immortal_payload(&call, 0, node.chain.genesis_hash());
    // Two versions and two hashes come last.
    let at = payload.len() - 72;
    payload[at..at + 4].copy_from_slice(&rules.to_le_bytes());
    node.signer("//hospital").with_signature_over(&payload, &call, 0)
}

#[test]
fn what_was_signed_for_the_rules_before_is_admitted_until_its_time_is_over() {
    let bad_proof = TransactionError::Refused(InvalidTransaction::BadProof.into());
    for (rules, until, admitted) in
        [(OWN - 1, u64::MAX, true), (OWN - 1, 1, false), (OWN - 2, u64::MAX, false), (OWN, 1, true)]
    {
        let node = node(|state| {
            let former = Former { rules: OWN - 1, until };
            state.insert(Before::<Runtime>::hashed_key().to_vec(), former.encode());
        });
        let tx = signed_for(&node, rules);
        if admitted {
            node.validate(&tx).unwrap();
            node.advance(vec![tx]);
        } else {
            assert_eq!(node.validate(&tx).unwrap_err(), bad_proof, "{rules} until {until}");
            let refused = node.build(vec![tx]).refused;
            assert_eq!(refused[0].reason, bad_proof, "{rules} until {until}");
        }
    }
}
