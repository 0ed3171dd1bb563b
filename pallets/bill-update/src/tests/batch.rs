//! Many changes in one transaction.

use crate::{Call, Error, Event, StatusItem, SummaryItem, mock::*};
use billchain_primitives::{
    BatchMode, BillStatus, ErrorIndex, MAX_BATCH, index,
    seams::{GrantProblem, ParticipantProblem, TransitionProblem},
};
use codec::Encode;
use frame::testing_prelude::*;

fn item(number: u32, change: crate::StatusChange) -> StatusItem {
    StatusItem { key: key(number), expected_version: None, change }
}

fn changes(items: Vec<StatusItem>, mode: BatchMode) -> Call<Test> {
    Call::change_status_batch { changes: items.try_into().expect("at most 500"), mode }
}

fn updates(items: Vec<SummaryItem>, mode: BatchMode) -> Call<Test> {
    Call::update_summary_batch { updates: items.try_into().expect("at most 500"), mode }
}

fn hashes(number: u32, pdf: Option<u8>) -> SummaryItem {
    let pdf_hash = pdf.map(|byte| [byte; 32]);
    SummaryItem { key: key(number), expected_version: None, pdf_hash, location_hash: None }
}

/// What refused item `index` of an all-or-nothing batch for `error`.
fn refused(index: u16, error: Error<Test>) -> DispatchError {
    let error = ErrorIndex(error.encode()[0]);
    Error::<Test>::BatchItem { index, error }.into()
}

fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet::<Event<Test>>()
}

#[test]
fn a_batch_of_locks_locks_each_bill() {
    run(|| {
        (1..=3).for_each(|number| register(bill(number)));
        let items = (1..=3).map(|number| item(number, lock(SHARED, "c"))).collect();
        assert_ok!(send(INSURER_A, changes(items, BatchMode::AllOrNothing)));
        for number in 1..=3 {
            assert_eq!(status(number), BillStatus::Locked);
        }
        let operator = did("insurer-a");
        assert_eq!(last_event(), Event::BatchCompleted { operator, applied: 3, refused: 0 });
        let locked = events().into_iter().filter(|event| matches!(event, Event::Locked { .. }));
        assert_eq!(locked.count(), 3);
        // The dispute contract hears of each.
        assert_eq!(with_world(|world| world.won.len()), 3);
    });
}

#[test]
fn an_item_of_a_batch_may_build_on_one_before_it() {
    run(|| {
        register(bill(1));
        let expects =
            |version, change| StatusItem { key: key(1), expected_version: Some(version), change };
        let items = vec![
            expects(1, lock(SHARED, "c")),
            expects(2, reimburse(6_000)),
            expects(3, lock(SHARED_TOO, "d")),
            expects(4, unlock()),
        ];
        assert_ok!(send(INSURER_A, changes(items, BatchMode::AllOrNothing)));
        assert_eq!((status(1), stored(1).state.version), (BillStatus::PartlyReimbursed, 5));
    });
}

#[test]
fn one_refused_change_refuses_an_all_or_nothing_batch_and_is_named() {
    run(|| {
        (1..=3).for_each(|number| register(bill(number)));
        assert_ok!(change(INSURER_B, 2, lock(SHARED, "b")));
        let items = (1..=3).map(|number| item(number, lock(SHARED, "c"))).collect();
        let call = changes(items, BatchMode::AllOrNothing);
        assert_noop!(send(INSURER_A, call), refused(1, Error::LockedByOther));
        let items = vec![item(1, lock(SHARED, "c")), item(9, lock(SHARED, "c"))];
        let call = changes(items, BatchMode::AllOrNothing);
        let error = ErrorIndex(Error::<Test>::BillNotFound.encode()[0]);
        assert_noop!(send(INSURER_A, call), Error::<Test>::BatchItem { index: 1, error });
    });
}

#[test]
fn an_all_or_nothing_batch_names_why_rule_or_grant_refused_an_item() {
    run(|| {
        (1..=2).for_each(|number| register(bill(number)));
        let whole = |items| changes(items, BatchMode::AllOrNothing);
        let index = 1;
        let problem = TransitionProblem::IllegalTransition;
        let call = whole(vec![item(1, lock(SHARED, "c")), item(2, crate::StatusChange::Confirm)]);
        assert_noop!(send(INSURER_A, call), Error::<Test>::BatchItemTransition { index, problem });
        let problem = GrantProblem::Revoked;
        with_world(|world| world.grant = Err(problem));
        let call =
            whole(vec![item(1, lock(SHARED, "c")), item(2, lock_with(grant(), SHARED, "c"))]);
        assert_noop!(send(INSURER_A, call), Error::<Test>::BatchItemGrant { index, problem });
    });
}

#[test]
fn a_refused_change_of_a_per_item_batch_leaves_nothing_and_says_why() {
    let state = run(|| {
        (1..=4).for_each(|number| register(bill(number)));
        assert_ok!(change(INSURER_B, 2, lock(SHARED, "b")));
        // Of this bill the batch releases an expired lock before it is refused.
        assert_ok!(change(INSURER_B, 3, lock(SHARED, "b")));
        pass(PERIOD + 1);
        let before = stored(3);
        let mut items: Vec<_> = (1..=4).map(|number| item(number, lock(SHARED, "c"))).collect();
        items[2].change = reimburse(1);
        items[3].expected_version = Some(7);
        System::reset_events();
        System::set_extrinsic_index(9);
        assert_ok!(send(INSURER_A, changes(items, BatchMode::PerItem)));
        let statuses = [1, 2, 3, 4].map(status);
        let locked = BillStatus::Locked;
        assert_eq!(statuses, [locked, locked, locked, BillStatus::Normal]);
        assert_eq!(stored(3), before);
        let refusals: Vec<_> = events()
            .into_iter()
            .filter_map(|event| match event {
                Event::BatchItemRefused { index, key, error } => Some((index, key, error)),
                _ => None,
            })
            .collect();
        let expected = [
            (2, key(3), Error::<Test>::NotLocked.into()),
            (3, key(4), Error::<Test>::StaleVersion.into()),
        ];
        assert_eq!(refusals, expected);
        let operator = did("insurer-a");
        assert_eq!(last_event(), Event::BatchCompleted { operator, applied: 2, refused: 2 });
        let expired =
            events().into_iter().filter(|event| matches!(event, Event::LockExpired { .. }));
        assert_eq!(expired.count(), 1, "that of the bill that was locked anew");
    });
    // The index knows nothing of what was taken back: bill 1, and bill 2 twice.
    let touched: Vec<_> = (0..9)
        .map_while(|seq| state.offchain_db().get(&index::block_bills_key(1, 9, seq)))
        .collect();
    assert_eq!(touched, [key(1).encode(), key(2).encode(), key(2).encode()]);
    assert_eq!(state.offchain_db().get(&index::history_key(&key(3), 3)), None);
}

#[test]
fn contention_refuses_a_lock_of_a_batch() {
    run(|| {
        register(bill(1));
        register(bill(2));
        with_world(|world| world.beaten = Some(did("insurer-a")));
        let items = || vec![item(1, lock(SHARED, "c")), item(2, lock(SHARED, "c"))];
        // An error of no contract is handed on as it is.
        assert_noop!(send(INSURER_A, changes(items(), BatchMode::AllOrNothing)), BEATEN);
        with_world(|world| world.beaten_by_contract = true);
        let call = changes(items(), BatchMode::AllOrNothing);
        assert_noop!(send(INSURER_A, call), Error::<Test>::BatchItemContended { index: 0 });
        assert_ok!(send(INSURER_A, changes(items(), BatchMode::PerItem)));
        let operator = did("insurer-a");
        assert_eq!(last_event(), Event::BatchCompleted { operator, applied: 0, refused: 2 });
    });
}

#[test]
fn a_grant_that_is_refused_is_not_used() {
    run(|| {
        register(bill(1));
        let mut stale = item(1, lock_with(grant(), SHARED, "c"));
        stale.expected_version = Some(2);
        let good = item(1, lock_with(grant(), SHARED, "c"));
        assert_ok!(send(UNLISTED, changes(vec![stale, good], BatchMode::PerItem)));
        assert_eq!(with_world(|world| world.uses.len()), 1);
    });
}

#[test]
fn hashes_are_filled_in_by_the_batch() {
    run(|| {
        (1..=3).for_each(|number| register(bill(number)));
        let items = vec![hashes(1, Some(1)), hashes(2, None), hashes(3, Some(3))];
        let call = updates(items.clone(), BatchMode::AllOrNothing);
        assert_noop!(send(HOSPITAL, call), refused(1, Error::NothingToUpdate));
        assert_ok!(send(HOSPITAL, updates(items, BatchMode::PerItem)));
        let pdfs = [1, 2, 3].map(|number| stored(number).summary.pdf_hash);
        assert_eq!(pdfs, [[1; 32], [0; 32], [3; 32]]);
        let refusal = Event::BatchItemRefused {
            index: 1,
            key: key(2),
            error: Error::<Test>::NothingToUpdate.into(),
        };
        assert!(events().contains(&refusal));
        let again = updates(vec![hashes(1, Some(2))], BatchMode::AllOrNothing);
        assert_noop!(send(HOSPITAL, again), refused(0, Error::AlreadyFilled));
    });
}

#[test]
fn a_batch_holds_from_1_to_500_items() {
    run(|| {
        register(bill(1));
        for mode in [BatchMode::AllOrNothing, BatchMode::PerItem] {
            assert_noop!(send(INSURER_A, changes(vec![], mode)), Error::<Test>::EmptyBatch);
            assert_noop!(send(HOSPITAL, updates(vec![], mode)), Error::<Test>::EmptyBatch);
        }
        let most = vec![item(1, lock(SHARED, "c")); MAX_BATCH as usize];
        assert_ok!(send(INSURER_A, changes(most.clone(), BatchMode::AllOrNothing)));
        assert_eq!(stored(1).state.version, 2);
        let more = [&most[..], &most[..1]].concat().encode();
        assert!(crate::StatusBatch::decode(&mut &more[..]).is_err());
        let updates = vec![hashes(1, Some(1)); MAX_BATCH as usize + 1].encode();
        assert!(crate::SummaryBatch::decode(&mut &updates[..]).is_err());
    });
}

#[test]
fn a_batch_costs_what_its_items_cost() {
    use frame::deps::frame_support::dispatch::GetDispatchInfo;
    let weight = |call: Call<Test>| call.get_dispatch_info().call_weight;
    let alone =
        |change| weight(Call::change_status { key: key(1), expected_version: None, change });
    let (with, without) = (lock_with(grant(), SHARED, "c"), lock(SHARED, "c"));
    let both = vec![item(1, with.clone()), item(2, without.clone())];
    let batch = weight(changes(both, BatchMode::PerItem));
    assert_eq!(batch, alone(with).saturating_add(alone(without.clone())));
    // To refuse nothing is not for nothing.
    assert_eq!(weight(changes(vec![], BatchMode::PerItem)), alone(without));
    let one = weight(updates(vec![hashes(1, None)], BatchMode::PerItem));
    assert_eq!(weight(updates(vec![], BatchMode::PerItem)), one);
    assert_eq!(weight(updates(vec![hashes(1, None); 3], BatchMode::PerItem)), one * 3);
}

#[test]
fn senders_of_batches_that_may_not_act_are_told_why() {
    run(|| {
        register(bill(1));
        for (sender, expected) in [
            (STRANGER, Error::<Test>::Sender(ParticipantProblem::NotFound)),
            (FROZEN, Error::Sender(ParticipantProblem::Frozen)),
            (CANCELLED, Error::Sender(ParticipantProblem::Cancelled)),
        ] {
            let mode = BatchMode::PerItem;
            let call = changes(vec![item(1, lock(SHARED, "c"))], mode);
            assert_eq!(send(sender, call), Err(expected.into()));
            let call = updates(vec![hashes(1, Some(1))], mode);
            assert!(send(sender, call).is_err());
        }
    });
}
