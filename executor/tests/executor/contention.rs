//! Several claimants want one bill in one block.

use super::{
    hostile::{refuse, reroot},
    kit::{NOW, Node, Signer, params, proposal},
};
use billchain_chain_spec::{ChainSpec, Whitelisted, dev};
use billchain_executor::{
    BlockError, BuildParams, OpaqueTx, Stopped, TransactionError, transaction_hash,
};
use billchain_primitives::{
    BatchMode, BillKey, BillKind, BillSummary, Did, Fen, Hash, IssueDate, IssueTime, Nonce,
    PayerType, Role, RoleSet, SceneId,
};
use billchain_runtime::{
    BillUpdate, Block, Dispute, Runtime, RuntimeCall, RuntimeEvent, System,
    limits::{MAX_AHEAD_MS, MAX_BEHIND_MS, SIGNER_SLACK_MS},
    rejection,
};
use codec::DecodeAll;
use frame_system::Phase;
use pallet_bill_update::{StatusChange, StatusItem};
use pallet_dispute::Error;
use pallet_participant::{ParticipantKind, Registration};
use sp_runtime::{
    DispatchError,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

/// Claimants `//user-1` and so on.
const USERS: usize = 4;

fn user(n: usize) -> Did {
    format!("did:bill:user-{n}").parse().unwrap()
}

/// The development chain with [`USERS`] more users, who may lock everywhere,
/// and scenes 1 and 2 of weights 10 and 20.
fn spec() -> ChainSpec {
    let mut spec = ChainSpec::development();
    (spec.scenes[0].rules.weight, spec.scenes[1].rules.weight) = (10, 20);
    let scenes: Vec<_> = spec.scenes.iter().map(|scene| scene.id).collect();
    assert_eq!(scenes[..2], [SceneId(1), SceneId(2)]);
    for n in 1..=USERS {
        spec.participants.push(Registration {
            did: user(n),
            name: format!("User {n}").parse().unwrap(),
            kind: ParticipantKind::Organisation,
            public_key: dev::public(&format!("//user-{n}")),
            roles: RoleSet::of(&[Role::User]),
            uscc_hash: None,
        });
        spec.whitelist.push(Whitelisted { did: user(n), scenes: scenes.clone() });
    }
    spec
}

fn key(number: u32) -> BillKey {
    BillKey { code: "31060125".parse().unwrap(), number: format!("{number:010}").parse().unwrap() }
}

fn register(number: u32) -> RuntimeCall {
    let summary = BillSummary {
        key: key(number),
        check_code: "a1B2c3".parse().unwrap(),
        kind: BillKind::Blue,
        issue_date: IssueDate::new(20_261_124).unwrap(),
        issue_time: IssueTime::new(83_000).unwrap(),
        total: Fen::new(10_000).unwrap(),
        issuer: "did:bill:hospital".parse().unwrap(),
        issuer_uscc: "91350100M000100Y43".parse().unwrap(),
        payer_type: PayerType::Person,
        payer_ref: [7; 32],
        scene: SceneId(1),
        biz_no_hash: [8; 32],
        xml_hash: [9; 32],
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: None,
    };
    RuntimeCall::BillRegister(pallet_bill_register::Call::register { summary })
}

/// A node on which bills `1..=count` are registered.
fn with_bills(count: u32) -> Node {
    let node = Node::of(&spec());
    let hospital = node.signer("//hospital");
    node.advance((1..=count).map(|n| hospital.sign(&register(n), n - 1)).collect());
    node
}

fn lock(number: u32, scene: u16, signed_at: u64) -> RuntimeCall {
    let change = StatusChange::Lock {
        scene: SceneId(scene),
        claim_no: "claim".parse().unwrap(),
        on_behalf_of: None,
        grant: None,
        signed_at,
    };
    let (key, expected_version) = (key(number), None);
    RuntimeCall::BillUpdate(pallet_bill_update::Call::change_status {
        key,
        expected_version,
        change,
    })
}

fn signer(node: &Node, n: usize) -> Signer {
    node.signer(&format!("//user-{n}"))
}

/// Commits the block of `txs` on the node and on its follower. Returns the
/// hashes of the transactions that failed in it, with their errors.
fn decide(node: &Node, follower: &Node, txs: Vec<OpaqueTx>) -> Vec<(Hash, DispatchError)> {
    let mut news = node.chain.subscribe();
    let bytes = node.advance(txs);
    follower.chain.execute(bytes.clone(), proposal(NOW)).unwrap();
    follower.follow(bytes);
    assert_eq!(node.chain.head(), follower.chain.head());
    let hashes = news.try_recv().unwrap().tx_hashes.clone();
    let failed = |record: Box<frame_system::EventRecord<RuntimeEvent, Hash>>| match (
        record.phase,
        record.event,
    ) {
        (
            Phase::ApplyExtrinsic(index),
            RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { dispatch_error, .. }),
        ) => Some((hashes[index as usize], dispatch_error)),
        _ => None,
    };
    follower.chain.read(|| System::read_events_no_consensus().filter_map(failed).collect()).unwrap()
}

fn holder(node: &Node, number: u32) -> Option<Did> {
    let bill = node.chain.read(|| BillUpdate::bill_in_force(&key(number))).unwrap().unwrap();
    bill.state.lock.map(|lock| lock.holder)
}

/// Every order of `0..count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    orders(count - 1)
        .into_iter()
        .flat_map(|order| {
            (0..count).map(move |place| {
                let mut order = order.clone();
                order.insert(place, count - 1);
                order
            })
        })
        .collect()
}

#[test]
fn the_same_claimant_wins_in_whatever_order_the_locks_arrive() {
    /// How contenders differ: their scenes and times, the best one's last.
    type Case = (&'static str, fn(usize) -> (u16, u64));
    let cases: [Case; 3] = [
        ("the earliest wins, whatever its scene", |n| (2 - (n as u16 % 2), NOW - n as u64)),
        ("at one time, the heavier scene wins", |n| (1 + u16::from(n == 1), NOW)),
        ("at one time and weight, the smaller hash wins", |_| (1, NOW)),
    ];
    let runs: Vec<_> = (2..=USERS)
        .flat_map(|count| orders(count).into_iter().map(move |order| (count, order)))
        .flat_map(|(count, order)| cases.iter().map(move |case| (count, order.clone(), case)))
        .collect();
    assert_eq!(runs.len(), (2 + 6 + 24) * 3);
    let bills = u32::try_from(runs.len()).unwrap();
    let (node, follower) = (with_bills(bills), with_bills(bills));
    let mut nonces = [0; USERS];
    for (number, (count, order, (why, differ))) in (1..).zip(runs) {
        let asked: Vec<_> = (0..count)
            .map(|n| {
                let (scene, signed_at) = differ(n);
                let tx = signer(&node, n + 1).sign(&lock(number, scene, signed_at), nonces[n]);
                nonces[n] += 1;
                (signed_at, u32::MAX - u32::from(scene), transaction_hash(&tx), n + 1, tx)
            })
            .collect();
        let mut ranked = asked.clone();
        ranked.sort_by_key(|(signed_at, lightness, hash, ..)| (*signed_at, *lightness, *hash));
        let winner = user(ranked[0].3);

        let txs = order.iter().map(|n| asked[*n].4.clone()).collect();
        let failed = decide(&node, &follower, txs);
        assert_eq!(holder(&follower, number), Some(winner.clone()), "{why}: {order:?}");
        let losers: Vec<_> = ranked[1..]
            .iter()
            .map(|(_, _, hash, ..)| (*hash, Error::<Runtime>::DisputeLost.into()))
            .collect();
        assert_eq!(failed, losers, "{why}: {order:?}");

        let found = follower.chain.read(|| Dispute::resolution(&key(number))).unwrap().unwrap();
        assert_eq!((found.winner, found.unnamed), (winner, 0));
        let named: Vec<_> = found
            .contenders
            .iter()
            .map(|c| (c.claimant.clone(), c.precedence.transaction))
            .collect();
        let expected: Vec<_> = ranked.iter().map(|(_, _, hash, n, _)| (user(*n), *hash)).collect();
        assert_eq!(named, expected, "{why}: {order:?}");
    }
}

#[test]
fn a_block_with_locks_in_another_order_is_refused() {
    let node = with_bills(1);
    let earlier = signer(&node, 1).sign(&lock(1, 1, NOW - 1), 0);
    let later = signer(&node, 2).sign(&lock(1, 1, NOW), 0);
    let built = node.build(vec![later.clone(), earlier.clone()]);
    assert_eq!((built.stopped, built.refused), (Stopped::Exhausted, vec![]));
    let good = Block::decode_all(&mut &built.block.bytes()[..]).unwrap();
    node.chain.execute(built.block.bytes().clone(), proposal(NOW)).unwrap();

    let mut bad = good.clone();
    bad.extrinsics.swap(1, 2);
    let error = refuse(&node, &reroot(bad));
    let BlockError::Transaction { index: 2, hash, reason } = &error else {
        panic!("{error}");
    };
    assert_eq!(*hash, transaction_hash(&earlier));
    let out_of_order = InvalidTransaction::Custom(rejection::LOCKS_OUT_OF_ORDER);
    let refused = TransactionError::Refused(TransactionValidityError::Invalid(out_of_order));
    assert_eq!(*reason, refused);
    assert!(reason.is_temporary(), "it may stand in another block");

    // To leave the better one out is no breach that anyone could see.
    let alone = node.build(vec![later]);
    node.chain.execute(alone.block.bytes().clone(), proposal(NOW)).unwrap();
}

#[test]
fn locks_within_batches_are_in_order_too() {
    let calls = vec![lock(1, 1, NOW - 9), lock(2, 1, NOW - 1)];
    let batch = |calls| RuntimeCall::Utility(pallet_utility::Call::force_batch { calls });
    let item = |call: &RuntimeCall| match call {
        RuntimeCall::BillUpdate(pallet_bill_update::Call::change_status {
            key,
            expected_version,
            change,
        }) => StatusItem { key: *key, expected_version: *expected_version, change: change.clone() },
        other => panic!("no lock: {other:?}"),
    };
    let changes = calls.iter().map(item).collect::<Vec<_>>().try_into().unwrap();
    let mode = BatchMode::PerItem;
    let of_changes = pallet_bill_update::Call::change_status_batch { changes, mode };
    for inner in [batch(calls), RuntimeCall::BillUpdate(of_changes)] {
        let (node, follower) = (with_bills(2), with_bills(2));
        let txs = vec![
            signer(&node, 1).sign(&lock(1, 1, NOW), 0),
            signer(&node, 2).sign(&lock(2, 1, NOW - 2), 0),
            signer(&node, 3).sign(&batch(vec![inner]), 0),
        ];
        let first = transaction_hash(&txs[0]);
        let failed = decide(&node, &follower, txs);
        // The batch itself does not fail with one of its calls.
        assert_eq!(failed, [(first, Error::<Runtime>::DisputeLost.into())]);
        assert_eq!((holder(&node, 1), holder(&node, 2)), (Some(user(3)), Some(user(2))));
        for (number, winner) in [(1, user(3)), (2, user(2))] {
            let found = node.chain.read(|| Dispute::resolution(&key(number))).unwrap().unwrap();
            assert_eq!((found.winner, found.contenders.len()), (winner, 2), "bill {number}");
        }
    }
}

#[test]
fn a_signed_time_out_of_bounds_has_its_own_error() {
    let (node, follower) = (with_bills(4), with_bills(4));
    // The clock stands: the block's time is one past the last one's.
    let time = NOW + 1;
    let times = [time - 10_001, time + 30_001, time - 10_000, time + 30_000];
    let txs: Vec<_> = (1..=4)
        .zip(times)
        .map(|(n, signed_at)| signer(&node, n).sign(&lock(n as u32, 1, signed_at), 0))
        .collect();
    let refused: DispatchError = Error::<Runtime>::SignedTimeOutOfBounds.into();
    let expected: Vec<_> = txs[..2].iter().map(|tx| (transaction_hash(tx), refused)).collect();
    assert_eq!(decide(&node, &follower, txs), expected);
    assert_eq!((holder(&node, 1), holder(&node, 2)), (None, None));
    assert_eq!((holder(&node, 3), holder(&node, 4)), (Some(user(3)), Some(user(4))));
}

#[test]
fn a_proposer_whose_clock_is_off_voids_no_lock() {
    let truth = NOW + 60_000;
    for (stamp, untimely) in [
        (truth + MAX_AHEAD_MS, truth - SIGNER_SLACK_MS - 1),
        (truth - MAX_BEHIND_MS, truth + SIGNER_SLACK_MS + 1),
    ] {
        let (node, follower) = (with_bills(3), with_bills(3));
        let stamped = |txs: Vec<OpaqueTx>, timestamp_ms, now| {
            let params = BuildParams { timestamp_ms, ..params() };
            let built = node.chain.build(params, &mut txs.into_iter()).unwrap();
            assert_eq!(built.refused, []);
            let bytes = built.block.bytes().clone();
            // A validator whose clock is right has to take it.
            follower.chain.execute(bytes.clone(), proposal(now)).unwrap();
            node.chain.commit(built.block, b"certificate".to_vec()).unwrap();
            follower.follow(bytes);
        };
        let sign =
            |n, signed_at, nonce| signer(&node, n).sign(&lock(n as u32, 1, signed_at), nonce);
        stamped(
            vec![
                sign(1, truth - SIGNER_SLACK_MS, 0),
                sign(2, truth + SIGNER_SLACK_MS, 0),
                sign(3, untimely, 0),
            ],
            stamp,
            truth,
        );
        let holders = || (1..=3).map(|number| holder(&follower, number)).collect::<Vec<_>>();
        assert_eq!(holders(), [Some(user(1)), Some(user(2)), None], "stamped {stamp}");
        // What was refused for its time changed nothing: sent again it succeeds.
        let later = truth + 1_000;
        stamped(vec![sign(3, later, 1)], later, later);
        assert_eq!(holders()[2], Some(user(3)), "stamped {stamp}");
    }
}

#[test]
fn the_untimely_precede_nobody() {
    let (node, follower) = (with_bills(1), with_bills(1));
    let txs = vec![
        signer(&node, 1).sign(&lock(1, 1, NOW), 0),
        signer(&node, 2).sign(&lock(1, 1, NOW - 11_000), 0),
    ];
    let late = transaction_hash(&txs[1]);
    let failed = decide(&node, &follower, txs);
    assert_eq!(failed, [(late, Error::<Runtime>::SignedTimeOutOfBounds.into())]);
    assert_eq!(holder(&node, 1), Some(user(1)));
    assert_eq!(node.chain.read(|| Dispute::resolution(&key(1))).unwrap(), None);
}

#[test]
fn across_blocks_the_first_committed_wins() {
    let (node, follower) = (with_bills(1), with_bills(1));
    let first = signer(&node, 1).sign(&lock(1, 1, NOW), 0);
    assert_eq!(decide(&node, &follower, vec![first]), []);
    let better = signer(&node, 2).sign(&lock(1, 1, NOW - 1_000), 0);
    let hash = transaction_hash(&better);
    let failed = decide(&node, &follower, vec![better]);
    let refused = pallet_bill_update::Error::<Runtime>::LockedByOther.into();
    assert_eq!(failed, [(hash, refused)]);
}

#[test]
fn what_cannot_be_put_in_order_waits_for_another_block() {
    let (node, follower) = (with_bills(2), with_bills(2));
    let sign = |n, number, signed_at, nonce: Nonce| {
        signer(&node, n).sign(&lock(number, 1, signed_at), nonce)
    };
    // Each one's second lock precedes the other's first.
    let txs = vec![
        sign(1, 1, NOW, 0),
        sign(1, 2, NOW - 5, 1),
        sign(2, 2, NOW, 0),
        sign(2, 1, NOW - 5, 1),
    ];
    let built = node.build(txs.clone());
    assert_eq!(built.refused, [], "nothing is dropped from the pool");
    assert_eq!(built.block.transaction_count(), 3);
    let bytes = built.block.bytes().clone();
    follower.chain.execute(bytes.clone(), proposal(NOW)).unwrap();
    node.chain.commit(built.block, b"certificate".to_vec()).unwrap();
    follower.follow(bytes);
    assert_eq!(holder(&node, 1), Some(user(1)));
    let failed = decide(&node, &follower, vec![txs[3].clone()]);
    assert_eq!(failed.len(), 1, "{failed:?}");
}
