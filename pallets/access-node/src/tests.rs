//! Every call, its success and each of its refusals.

use crate::{
    Change, Error, Event, HistoryRecord, KeyToNode, LinkedNode, Links, NodeStatus, Nodes, NodesOf,
    Registration, history_key, mock::*,
};
use billchain_primitives::{
    AccountId, Did, Hash, PublicKey,
    seams::{AccessNodes, AccessProblem, ParticipantProblem},
    sm3,
};
use codec::Decode;
use frame::{deps::sp_runtime::traits::BadOrigin, testing_prelude::*, traits::Hooks};

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

fn register(name: &str) {
    assert_ok!(AccessNode::register(root(), registration(name)));
}

fn link(node: &str, participant: &str) -> DispatchResult {
    AccessNode::link(root(), did(node), did(participant))
}

fn unlink(node: &str, participant: &str) -> DispatchResult {
    AccessNode::unlink(root(), did(node), did(participant), reason())
}

fn set_status(node: &str, status: NodeStatus) -> DispatchResult {
    AccessNode::set_status(root(), did(node), status, reason())
}

fn last_event() -> Event<Test> {
    match System::events().pop().expect("an event").event {
        RuntimeEvent::AccessNode(event) => event,
        other => panic!("another contract's event: {other:?}"),
    }
}

#[test]
fn a_registered_node_is_in_normal_operation_and_linked_to_nobody() {
    run(|| {
        let signed = RuntimeOrigin::signed(operator());
        assert_ok!(AccessNode::register(signed, registration("n-1")));
        let node = AccessNode::node(&did("n-1")).expect("it was registered");
        assert_eq!((node.status, node.participants, node.version), (NodeStatus::Normal, 0, 1));
        assert_eq!((node.registered.block, node.registered.moment), (1, 1_000));
        let Registration { operator_name, credential_hash, public_key, .. } = registration("n-1");
        assert_eq!((&node.operator_name, node.public_key), (&operator_name, public_key));
        let (node, operator) = (did("n-1"), Some(operator()));
        let expected = Event::Registered { node, operator_name, credential_hash, operator };
        assert_eq!(last_event(), expected);
        assert_eq!(AccessNode::node(&did("n-2")), None);
    });
}

#[test]
fn registration_refuses_what_is_taken_and_what_is_no_credential() {
    run(|| {
        register("n-1");
        let with = |change: fn(&mut Registration)| {
            let mut registration = registration("n-2");
            change(&mut registration);
            AccessNode::register(root(), registration)
        };
        assert_noop!(with(|r| r.node = did("n-1")), Error::<Test>::AlreadyRegistered);
        assert_noop!(with(|r| r.public_key = key("n-1")), Error::<Test>::KeyInUse);
        let missing = with(|r| r.credential_hash = Hash::zero());
        assert_noop!(missing, Error::<Test>::CredentialMissing);
        let no_point = with(|r| r.public_key = PublicKey::Sm2([2; 33]));
        assert_noop!(no_point, Error::<Test>::InvalidPublicKey);
        let other_scheme = with(|r| r.public_key = PublicKey::Sr25519([1; 32]));
        assert_noop!(other_scheme, Error::<Test>::InvalidPublicKey);
        // A disabled node keeps its DID and its key.
        assert_ok!(set_status("n-1", NodeStatus::Disabled));
        assert_noop!(with(|r| r.node = did("n-1")), Error::<Test>::AlreadyRegistered);
        assert_noop!(with(|r| r.public_key = key("n-1")), Error::<Test>::KeyInUse);
        for name in ["n-2", "n-3", "n-4"] {
            register(name);
        }
        let fifth = AccessNode::register(root(), registration("n-5"));
        assert_noop!(fifth, Error::<Test>::TooManyNodes);
    });
}

#[test]
fn links_are_many_to_many_and_seen_from_both_sides() {
    run(|| {
        register("n-1");
        register("n-2");
        assert_ok!(link("n-1", "p-1"));
        let (node, participant) = (did("n-1"), did("p-1"));
        assert_eq!(last_event(), Event::Linked { node, participant, operator: None });
        assert_ok!(link("n-1", "p-2"));
        assert_ok!(link("n-2", "p-1"));
        let names = |nodes: Vec<LinkedNode>| nodes.into_iter().map(|l| l.node).collect::<Vec<_>>();
        assert_eq!(names(AccessNode::nodes_of(&did("p-1"))), [did("n-1"), did("n-2")]);
        assert_eq!(names(AccessNode::nodes_of(&did("p-2"))), [did("n-1")]);
        assert_eq!(AccessNode::nodes_of(&did("p-3")), []);
        let mut participants = AccessNode::participants_of(&did("n-1"), None, 9);
        participants.sort();
        assert_eq!(participants, [did("p-1"), did("p-2")]);

        assert_ok!(unlink("n-1", "p-1"));
        let (node, participant) = (did("n-1"), did("p-1"));
        let reason = reason();
        assert_eq!(last_event(), Event::Unlinked { node, participant, reason, operator: None });
        assert_eq!(names(AccessNode::nodes_of(&did("p-1"))), [did("n-2")]);
        assert_eq!(AccessNode::participants_of(&did("n-1"), None, 9), [did("p-2")]);
        assert_ok!(unlink("n-2", "p-1"));
        assert!(!NodesOf::<Test>::contains_key(did("p-1")), "no empty list is kept");
        assert_ok!(link("n-1", "p-1"));
    });
}

#[test]
fn conditions_of_links() {
    run(|| {
        register("n-1");
        register("n-2");
        assert_noop!(link("n-9", "p-1"), Error::<Test>::NotFound);
        assert_noop!(unlink("n-9", "p-1"), Error::<Test>::NotFound);
        assert_noop!(
            link("n-1", "nobody"),
            Error::<Test>::Participant(ParticipantProblem::NotFound)
        );
        assert_noop!(unlink("n-1", "p-1"), Error::<Test>::NotLinked);
        freeze(&did("p-1"));
        assert_noop!(link("n-1", "p-1"), Error::<Test>::Participant(ParticipantProblem::Frozen));
        assert_ok!(link("n-1", "p-2"));
        assert_noop!(link("n-1", "p-2"), Error::<Test>::AlreadyLinked);
        // A participant that was frozen afterwards can be unlinked.
        freeze(&did("p-2"));
        assert_ok!(unlink("n-1", "p-2"));
        assert_ok!(set_status("n-2", NodeStatus::Paused));
        assert_ok!(link("n-2", "p-3"));
        assert_ok!(set_status("n-2", NodeStatus::Disabled));
        assert_noop!(link("n-2", "p-4"), Error::<Test>::Disabled);
        assert_ok!(unlink("n-2", "p-3"));
    });
}

#[test]
fn links_are_bounded_both_ways() {
    run(|| {
        for name in ["n-1", "n-2", "n-3"] {
            register(name);
        }
        for participant in ["p-1", "p-2", "p-3"] {
            assert_ok!(link("n-1", participant));
        }
        assert_noop!(link("n-1", "p-4"), Error::<Test>::TooManyParticipants);
        assert_ok!(link("n-2", "p-1"));
        assert_noop!(link("n-3", "p-1"), Error::<Test>::TooManyNodesOfParticipant);
        assert_ok!(unlink("n-1", "p-1"));
        assert_ok!(link("n-3", "p-1"));
        assert_ok!(link("n-1", "p-4"));
    });
}

#[test]
fn normal_and_paused_change_and_disabled_is_final() {
    use NodeStatus::{Disabled, Normal, Paused};
    run(|| {
        register("n-1");
        assert_noop!(set_status("n-9", Paused), Error::<Test>::NotFound);
        assert_noop!(set_status("n-1", Normal), Error::<Test>::StatusUnchanged);
        for (from, to) in [(Normal, Paused), (Paused, Normal), (Normal, Paused)] {
            assert_ok!(set_status("n-1", to));
            let (node, reason) = (did("n-1"), reason());
            let expected = Event::StatusChanged { node, from, to, reason, operator: None };
            assert_eq!(last_event(), expected);
        }
        assert_noop!(set_status("n-1", Paused), Error::<Test>::StatusUnchanged);
        assert_ok!(set_status("n-1", Disabled));
        for status in [Normal, Paused, Disabled] {
            assert_noop!(set_status("n-1", status), Error::<Test>::Disabled);
        }
        register("n-2");
        assert_ok!(set_status("n-2", Disabled));
    });
}

#[test]
fn a_participant_has_access_through_a_linked_node_in_normal_operation() {
    let access = || AccessNode::ensure_access(&did("p-1"));
    let asserted = |node: &str| AccessNode::assert_link(&did(node), &did("p-1"));
    run(|| {
        register("n-1");
        register("n-2");
        assert_ok!(link("n-2", "p-2"));
        assert_eq!(access(), Err(AccessProblem::NotLinked));
        assert_eq!(asserted("n-1"), Err(AccessProblem::NotLinked));
        assert_ok!(link("n-1", "p-1"));
        assert_eq!((access(), asserted("n-1")), (Ok(()), Ok(())));
        assert_eq!(asserted("n-2"), Err(AccessProblem::NotLinked));

        assert_ok!(set_status("n-1", NodeStatus::Paused));
        assert_eq!(access(), Err(AccessProblem::NodeInactive));
        assert_eq!(asserted("n-1"), Err(AccessProblem::NodeInactive));
        // The participant goes on through its other node.
        assert_ok!(link("n-2", "p-1"));
        assert_eq!((access(), asserted("n-2")), (Ok(()), Ok(())));
        assert_ok!(set_status("n-2", NodeStatus::Disabled));
        assert_eq!(access(), Err(AccessProblem::NodeInactive));
        assert_ok!(set_status("n-1", NodeStatus::Normal));
        assert_eq!(access(), Ok(()));
        assert_ok!(unlink("n-1", "p-1"));
        assert_ok!(unlink("n-2", "p-1"));
        assert_eq!(access(), Err(AccessProblem::NotLinked));
    });
}

#[test]
fn lists_are_read_page_by_page_without_a_gap() {
    run(|| {
        for name in ["n-1", "n-2", "n-3", "n-4"] {
            register(name);
        }
        for participant in ["p-1", "p-2", "p-3"] {
            assert_ok!(link("n-1", participant));
        }
        let (mut nodes, mut after) = (Vec::new(), None);
        loop {
            let page: Vec<Did> =
                AccessNode::nodes(after.as_ref(), 3).into_iter().map(|(did, _)| did).collect();
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            nodes.extend(page);
        }
        let whole: Vec<Did> = Nodes::<Test>::iter_keys().collect();
        assert_eq!((nodes.len(), nodes), (4, whole));

        let (mut participants, mut after) = (Vec::new(), None);
        loop {
            let page = AccessNode::participants_of(&did("n-1"), after.as_ref(), 2);
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            participants.extend(page);
        }
        let whole: Vec<Did> = Links::<Test>::iter_key_prefix(did("n-1")).collect();
        assert_eq!((participants.len(), participants), (3, whole));
    });
}

#[test]
fn every_change_is_recorded_and_chained() {
    let mut head = None;
    let state = run(|| {
        let signed = RuntimeOrigin::signed(operator());
        assert_ok!(AccessNode::register(signed, registration("n-1")));
        assert_ok!(link("n-1", "p-1"));
        assert_ok!(set_status("n-1", NodeStatus::Paused));
        assert_ok!(unlink("n-1", "p-1"));
        head = AccessNode::node(&did("n-1"));
    });
    let participant = did("p-1");
    let (from, to, reason) = (NodeStatus::Normal, NodeStatus::Paused, reason());
    let expected = [
        Change::Registered(registration("n-1")),
        Change::Linked { participant: participant.clone() },
        Change::Status { from, to, reason: reason.clone() },
        Change::Unlinked { participant, reason },
    ];
    let mut hash = Hash::zero();
    for (version, change) in (1..).zip(expected) {
        let bytes = state.offchain_db().get(&history_key(&did("n-1"), version)).expect("recorded");
        let record = HistoryRecord::decode(&mut &bytes[..]).expect("it is a record");
        let operator = (version == 1).then(operator);
        assert_eq!((record.version, record.operator, &record.change), (version, operator, &change));
        assert_eq!((record.stamp.block, record.stamp.extrinsic), (1, Some(2)));
        hash = sm3(&[hash.as_bytes(), &bytes].concat()).into();
    }
    let head = head.expect("it was registered");
    assert_eq!((head.version, head.history_hash), (4, hash));
}

#[test]
fn every_call_refuses_other_origins() {
    run(|| {
        register("n-1");
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::signed(AccountId::new([1; 32]))] {
            let (node, participant) = (did("n-1"), did("p-1"));
            let result = AccessNode::register(origin.clone(), registration("n-2"));
            assert_noop!(result, BadOrigin);
            let paused = NodeStatus::Paused;
            let result = AccessNode::set_status(origin.clone(), node.clone(), paused, reason());
            assert_noop!(result, BadOrigin);
            let result = AccessNode::link(origin.clone(), node.clone(), participant.clone());
            assert_noop!(result, BadOrigin);
            assert_noop!(AccessNode::unlink(origin, node, participant, reason()), BadOrigin);
        }
    });
}

#[test]
fn the_security_administrator_pauses_and_resumes_and_does_not_disable() {
    run(|| {
        register("n-1");
        let set = |status| {
            let origin = RuntimeOrigin::signed(security());
            AccessNode::set_status(origin, did("n-1"), status, reason())
        };
        assert_ok!(set(NodeStatus::Paused));
        let expected = Event::StatusChanged {
            node: did("n-1"),
            from: NodeStatus::Normal,
            to: NodeStatus::Paused,
            reason: reason(),
            operator: Some(security()),
        };
        assert_eq!(last_event(), expected);
        assert_noop!(set(NodeStatus::Disabled), BadOrigin);
        assert_ok!(set(NodeStatus::Normal));
        let origin = RuntimeOrigin::signed(security());
        assert_noop!(AccessNode::register(origin, registration("n-2")), BadOrigin);
    });
}

#[test]
fn broken_invariants_are_found() {
    fn broken(change: impl FnOnce()) -> bool {
        let mut found = false;
        run(|| {
            register("n-1");
            register("n-2");
            assert_ok!(link("n-1", "p-1"));
            hypothetically!({
                change();
                found = AccessNode::do_try_state().is_err();
            });
        });
        found
    }
    fn mutate(change: fn(&mut crate::AccessNode)) {
        Nodes::<Test>::mutate(did("n-1"), |node| change(node.as_mut().expect("it exists")));
    }
    let changes: [(&str, fn()); 8] = [
        ("a key that leads elsewhere", || {
            KeyToNode::<Test>::insert(key("n-1").account_id(), did("n-2"));
        }),
        ("a key of nobody", || KeyToNode::<Test>::insert(AccountId::new([1; 32]), did("n-1"))),
        ("no version", || mutate(|node| node.version = 0)),
        ("a wrong count of links", || mutate(|node| node.participants = 2)),
        ("a status that is not repeated", || mutate(|node| node.status = NodeStatus::Paused)),
        ("a link that the participant misses", || {
            Links::<Test>::insert(did("n-2"), did("p-2"), ());
        }),
        ("a link that the node misses", || {
            Links::<Test>::remove(did("n-1"), did("p-1"));
            mutate(|node| node.participants = 0);
        }),
        ("a link of no node", || Links::<Test>::insert(did("n-9"), did("p-1"), ())),
    ];
    for (name, change) in changes {
        assert!(broken(change), "{name}");
    }
    assert!(!broken(|| ()));
}

#[test]
fn integrity_holds() {
    AccessNode::integrity_test();
}

/// The format of keys and hashes is durable: explorers and proofs rely on it.
#[test]
fn formats_are_fixed() {
    run(|| {
        register("n-1");
        assert_ok!(link("n-1", "p-1"));
        assert_ok!(set_status("n-1", NodeStatus::Paused));
        let node = AccessNode::node(&did("n-1")).expect("it was registered");
        let hash = format!("{:?}", node.history_hash);
        assert_eq!(hash, "0x707e8c2d658bd6ac4bfd6cfb174e38fa7b0d6bc503f6ddce764e2d3565d3ea64");
    });
    let expected = [&b"n/"[..], &[12 << 2], b"did:bill:n-1", &[0, 0, 0, 3]].concat();
    assert_eq!(history_key(&did("n-1"), 3), expected);
}
