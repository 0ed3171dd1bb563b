//! The call for success and for every error, what cools and when, and what it weighs.

use crate::{
    ColdBefore, CurrentLap, Error, Event, GenesisConfig, Known, KnownRuns, Lap, MOST_RUNS, Now,
    Policy, WeightInfo,
    mock::{
        Cooling, Missing, Prices, RuntimeEvent, RuntimeOrigin, System, Test, begin, block, groups,
        key, run, shared, touch, weigh,
    },
    weights::SubstrateWeight,
};
use billchain_primitives::{
    cooling::{CoolingField, CoolingPolicy, DAY_MS, Orders, SharedBytes},
    seams::ColdReads,
};
use codec::{Decode, Encode};
use frame::{
    deps::frame_support::{
        storage::{unhashed, with_storage_layer},
        weights::RuntimeDbWeight,
    },
    testing_prelude::*,
    traits::{Hooks, StorageInfoTrait},
};

const DAYS: u32 = 90;

fn policy() -> CoolingPolicy {
    CoolingPolicy { after_days: DAYS, ..CoolingPolicy::default() }
}

fn set(policy: CoolingPolicy) {
    assert_ok!(Cooling::set_policy(RuntimeOrigin::root(), policy));
}

fn events() -> Vec<Event<Test>> {
    let event = |event| match event {
        RuntimeEvent::Cooling(event) => Some(event),
        _ => None,
    };
    System::events().into_iter().filter_map(|record| event(record.event)).collect()
}

#[test]
fn the_council_sets_the_policy() {
    run(|| {
        set(policy());
        assert_eq!(Cooling::policy(), policy());
        let from = CoolingPolicy::default();
        assert_eq!(events(), [Event::PolicySet { from, to: policy() }]);
    });
}

#[test]
fn nobody_else_sets_it_and_every_field_has_its_bounds() {
    run(|| {
        let signed = RuntimeOrigin::signed([1; 32].into());
        assert_noop!(Cooling::set_policy(signed, policy()), DispatchError::BadOrigin);
        let bad = |field: CoolingField, value: u32| {
            let mut bad = policy();
            match field {
                CoolingField::AfterDays => bad.after_days = value,
                CoolingField::GroupsPerBlock => bad.groups_per_block = value,
                CoolingField::LapDays => bad.lap_days = value,
                CoolingField::SegmentGroups => bad.segment_groups = value,
                CoolingField::MergeGroups => bad.merge_groups = value,
            }
            bad
        };
        for (field, error) in [
            (CoolingField::AfterDays, Error::<Test>::AfterDaysOutOfBounds),
            (CoolingField::GroupsPerBlock, Error::<Test>::GroupsPerBlockOutOfBounds),
            (CoolingField::LapDays, Error::<Test>::LapDaysOutOfBounds),
            (CoolingField::SegmentGroups, Error::<Test>::SegmentGroupsOutOfBounds),
            (CoolingField::MergeGroups, Error::<Test>::MergeGroupsOutOfBounds),
        ] {
            let value = field.bounds().end() + 1;
            assert_noop!(Cooling::set_policy(RuntimeOrigin::root(), bad(field, value)), error);
        }
        assert_eq!(Cooling::policy(), CoolingPolicy::default());
    });
}

#[test]
fn nothing_cools_on_a_chain_that_was_not_told_so() {
    run(|| {
        touch(0, 1, 0, 1);
        assert_eq!(begin(1_000), Orders::default());
        assert!(!Now::<Test>::exists() && !CurrentLap::<Test>::exists());
        assert_eq!(weigh(1_001), 3, "three reads");
    });
}

#[test]
fn what_nobody_has_touched_cools_in_the_order_of_keys() {
    run(|| {
        set(policy());
        let old = 1_000 - u64::from(DAYS) - 1;
        // Untouched for longer; at that very moment; one of two touched; not what it should be.
        touch(1, 7, 3, old);
        touch(0, 9, 0, old);
        touch(0, 2, 0, old);
        touch(0, 2, 9, old);
        touch(0, 3, 0, old + 1);
        touch(0, 4, 0, old);
        touch(0, 4, 1, 1_000);
        unhashed::put_raw(&key(0, 5, 0), b"short");
        let orders = block(1_000);
        assert_eq!(groups(&orders), [(0, 2), (0, 9), (1, 7)]);
        let Orders { ends_lap, segment_groups, merge_groups, .. } = orders;
        assert_eq!((ends_lap, segment_groups, merge_groups), (true, 1 << 21, 0));
        let cold_before = (1_000 - u64::from(DAYS)) * DAY_MS;
        assert_eq!(
            events()[1..],
            [Event::LapBegan { lap: 1, cold_before }, Event::LapEnded { lap: 1, seen: 6, cold: 3 }]
        );
        assert_eq!(ColdBefore::<Test>::get(), cold_before);
        // Orders are those of one block.
        assert_eq!(block(1_000), Orders::default());
        assert!(!Now::<Test>::exists());
    });
}

#[test]
fn a_lap_goes_on_block_by_block() {
    run(|| {
        set(CoolingPolicy { groups_per_block: 2, ..policy() });
        for group in 0..5 {
            touch(0, group, 0, 1);
        }
        let first = block(1_000);
        assert_eq!((groups(&first), first.ends_lap), (vec![(0, 0), (0, 1)], false));
        let Lap { number, began, at, seen, cold } = Cooling::lap();
        assert_eq!((number, began, seen, cold), (1, 1_000 * DAY_MS, 2, 2));
        assert_eq!(at.map(|at| at.into_inner()), Some(shared(0, 1)));
        assert_eq!(Cooling::map_at(&Cooling::lap()).map(|map| map.name), Some(("Test", "First")));
        // What comes behind the walk waits for the next lap; what comes before it is met.
        touch(0, 0, 5, 1);
        touch(1, 200, 0, 1);
        assert_eq!(groups(&block(1_000)), [(0, 2), (0, 3)]);
        assert_eq!(groups(&block(1_000)), [(0, 4), (1, 200)]);
        let last = block(1_000);
        assert_eq!((groups(&last), last.ends_lap), (vec![], true));
        assert_eq!(Cooling::lap().at, None);
        assert_eq!(block(1_000), Orders::default());
        // The next one begins thirty days after this one did.
        assert_eq!(block(1_029), Orders::default());
        let second = block(1_030);
        assert_eq!((groups(&second), second.ends_lap), (vec![(0, 0)], true));
        assert_eq!(Cooling::lap().number, 2);
    });
}

#[test]
fn a_group_that_stayed_is_met_once_in_a_lap() {
    run(|| {
        set(CoolingPolicy { groups_per_block: 1, ..policy() });
        touch(0, 1, 0, 1);
        touch(0, 2, 0, 1);
        // Nobody carries the orders out, as if blocks wrote to the groups.
        assert_eq!(groups(&begin(1_000)), [(0, 1)]);
        assert_eq!(groups(&begin(1_000)), [(0, 2)]);
        assert!(begin(1_000).ends_lap);
        assert_eq!(begin(1_000), Orders::default());
    });
}

#[test]
fn a_lap_in_which_nothing_cools_orders_nothing() {
    run(|| {
        set(policy());
        touch(0, 1, 0, 999);
        assert_eq!(block(1_000), Orders::default());
        assert_eq!(events().pop(), Some(Event::LapEnded { lap: 1, seen: 1, cold: 0 }));
        assert_eq!(Cooling::runs(), KnownRuns::default());
        assert!(!ColdBefore::<Test>::exists());
    });
}

#[test]
fn a_policy_that_is_off_stops_a_lap_and_one_that_is_on_goes_on_with_it() {
    run(|| {
        set(CoolingPolicy { groups_per_block: 1, ..policy() });
        for group in 0..3 {
            touch(0, group, 0, 1);
        }
        assert_eq!(groups(&block(1_000)), [(0, 0)]);
        set(CoolingPolicy::default());
        assert_eq!(block(1_000), Orders::default());
        set(policy());
        let rest = block(1_000);
        assert_eq!((groups(&rest), rest.ends_lap), (vec![(0, 1), (0, 2)], true));
        assert_eq!(Cooling::lap().cold, 3);
    });
}

#[test]
fn a_block_looks_at_as_many_groups_as_the_policy_says_at_most() {
    run(|| {
        let most = *CoolingField::GroupsPerBlock.bounds().end();
        set(CoolingPolicy { groups_per_block: most, ..policy() });
        for group in 0..=u8::MAX {
            touch(0, group, 0, 1);
            touch(1, group, 0, 1);
        }
        let first = block(1_000);
        assert_eq!(first.groups.len(), most as usize);
        assert!(!first.ends_lap);
        assert_eq!(block(1_000).groups.len(), 512 - most as usize);
    });
}

#[test]
fn groups_of_many_keys_do_not_make_a_block_look_at_more() {
    run(|| {
        set(CoolingPolicy { groups_per_block: 2, ..policy() });
        (0..=u8::MAX).for_each(|last| touch(0, 1, last, 1));
        (0..20).for_each(|last| touch(0, 2, last, 1));
        (0..19).for_each(|last| touch(0, 3, last, 1));
        touch(0, 4, 0, 1);
        assert_eq!(groups(&block(1_000)), [(0, 1)], "256 keys");
        assert_eq!(groups(&block(1_000)), [(0, 2)], "as many as two groups of ten");
        assert_eq!(groups(&block(1_000)), [(0, 3), (0, 4)]);
        assert!(block(1_000).ends_lap);
    });
}

#[test]
fn a_block_weighs_what_it_looks_at_and_what_it_orders() {
    run(|| {
        set(policy());
        touch(0, 1, 0, 999);
        let walk = |groups| SubstrateWeight::<Test>::walk(groups).ref_time();
        let RuntimeDbWeight { read, write } = Prices::get();
        let fixed = 3 * read;
        assert_eq!(weigh(1_000), fixed + walk(1), "one group that stays");
        assert!(walk(2) > walk(1));
        // Two groups more, with three keys: each is deleted, and two entries a group are written;
        // so are the orders and the run.
        for (group, last) in [(2, 0), (2, 1), (3, 0)] {
            touch(0, group, last, 1);
        }
        assert_eq!(weigh(1_030), fixed + walk(3) + (3 + 2 * 2) * write + 2 * write);
        // The orders of the block before are taken back; nothing is due.
        assert_eq!(weigh(1_031), fixed + 2 * read + write);
    });
}

#[test]
fn runs_of_one_size_are_merged_until_none_are_left() {
    run(|| {
        set(CoolingPolicy { merge_groups: 3, ..policy() });
        for lap in 0..2_u64 {
            touch(0, 1, 0, 1);
            touch(0, 2, 0, 1);
            let orders = block(1_000 + 30 * lap);
            assert_eq!((orders.ends_lap, orders.merge_groups), (true, 0));
        }
        assert_eq!(Cooling::runs().count(), 3, "two, and the one that they become");
        // Four groups were ordered, and as many may have come on the way.
        for left in [8, 5, 2] {
            assert!(Cooling::runs().is_merging(), "{left}");
            assert_eq!(block(1_031).merge_groups, 3);
        }
        assert_eq!(block(1_031), Orders::default());
        let runs = Cooling::runs();
        assert_eq!((runs.count(), runs.list()[0].laps, runs.list()[0].groups), (1, 2, 4));
        // A merge that is ordered is weighed.
        touch(0, 1, 0, 1);
        touch(0, 2, 0, 1);
        block(1_060);
        touch(0, 1, 0, 1);
        block(1_090);
        let without = weigh_without_merge(1_091);
        assert_eq!(weigh(1_091), without + 3 * (3 + 3 * 1_000) + 1_000);
    });
}

/// What the block would weigh if nothing were merged.
fn weigh_without_merge(days: u64) -> u64 {
    hypothetically!({
        Policy::<Test>::mutate(|policy| policy.merge_groups = 0);
        weigh(days)
    })
}

#[test]
fn no_lap_begins_while_there_may_be_too_many_runs() {
    run(|| {
        set(CoolingPolicy { merge_groups: 0, lap_days: 1, ..policy() });
        let mut day = 1_000;
        while Cooling::runs().count() < MOST_RUNS {
            touch(0, 1, 0, 1);
            assert!(block(day).ends_lap, "{day}");
            day += 1;
        }
        let laps = Cooling::lap().number;
        assert_eq!(laps, MOST_RUNS - 1, "and one that two of them become");
        touch(0, 1, 0, 1);
        assert_eq!(block(day), Orders::default());
        // Once they are merged, laps go on.
        set(CoolingPolicy { merge_groups: 1_000, lap_days: 1, ..policy() });
        block(day);
        assert_eq!(Cooling::lap().number, laps + 1);
    });
}

#[test]
fn there_are_as_many_runs_as_laps_have_binary_ones() {
    let mut runs = KnownRuns::default();
    for lap in 1..=1_000_u32 {
        runs.push(100);
        assert_eq!(runs.check(), Ok(()));
        while runs.is_merging() {
            assert!(runs.count() <= 11, "{lap}");
            runs.merge(7);
            assert_eq!(runs.check(), Ok(()));
        }
        assert_eq!(runs.count(), lap.count_ones());
        assert_eq!(runs.list().iter().map(|run| run.laps).sum::<u32>(), lap);
        let groups: u64 = runs.list().iter().map(|run| run.groups).sum();
        assert_eq!(groups, 100 * u64::from(lap));
    }
}

/// Laps that end while runs are merged, at every pace.
#[test]
fn runs_stay_in_order_at_every_pace_of_merging() {
    for pace in [1, 10, 50, 100, 250] {
        let mut runs = KnownRuns::default();
        for step in 0..5_000_u32 {
            if step % 13 == 0 && runs.count() < MOST_RUNS {
                runs.push(u64::from(step % 7));
            }
            runs.merge(pace);
            assert_eq!(runs.check(), Ok(()), "{pace} {step}");
            assert!(runs.list().len() <= MOST_RUNS as usize);
        }
    }
}

#[test]
fn reads_of_what_may_be_cold_are_charged_and_others_are_not() {
    run(|| {
        let weight = || System::block_weight().total().ref_time();
        Cooling::charge(0);
        Cooling::charge_missing();
        assert_eq!(weight(), 0, "nothing is cold");
        set(policy());
        touch(0, 1, 0, 1);
        block(1_000);
        let cold_before = ColdBefore::<Test>::get();
        Cooling::charge(cold_before);
        assert_eq!(weight(), 0, "it is hot");
        Cooling::charge(cold_before - 1);
        assert_eq!(weight(), 1_000_000);
        Cooling::charge_missing();
        assert_eq!(weight(), 1_000_000 + Missing::get().ref_time());
        touch(0, 2, 0, 1);
        block(1_030);
        Cooling::charge_missing();
        let three = 3 * Missing::get().ref_time();
        assert_eq!(weight(), 1_000_000 + Missing::get().ref_time() + three, "two runs become one");
        // What is cold stays so when nothing more cools.
        set(CoolingPolicy::default());
        let before = weight();
        Cooling::charge(cold_before - 1);
        assert_eq!(weight(), before + 1_000_000);
    });
}

#[test]
fn what_a_transaction_read_weighs_when_its_calls_fail_too() {
    run(|| {
        set(policy());
        assert!(!Cooling::is_any());
        touch(0, 1, 0, 1);
        block(1_000);
        assert!(Cooling::is_any());
        let weight = || System::block_weight().total().ref_time();
        let read = |end: DispatchResult| {
            with_storage_layer(|| {
                Cooling::charge(0);
                end
            })
        };
        let failed = Err(DispatchError::CannotLookup);
        assert_eq!(Cooling::charging(|| read(failed)), failed);
        assert_eq!(weight(), 1_000_000);
        // Each of its calls counts, and the next transaction begins with none.
        let each = Cooling::charging(|| [read(Ok(())), read(failed), read(failed)]);
        assert_eq!(each, [Ok(()), failed, failed]);
        assert_eq!(weight(), 4_000_000);
        Cooling::charging(|| ());
        assert_eq!(weight(), 4_000_000);
    });
}

#[test]
fn a_genesis_has_a_policy_within_its_bounds() {
    let config = |policy| GenesisConfig::<Test> { policy, ..Default::default() };
    assert_eq!(config(policy()).problems(), Vec::<String>::new());
    let bad = CoolingPolicy { lap_days: 0, segment_groups: 0, ..policy() };
    let expected = [
        "cooling.lapDays: expected 1 to 3650, found 0",
        "cooling.segmentGroups: expected 1024 to 2097152, found 0",
    ];
    assert_eq!(config(bad).problems(), expected);
    run(|| {
        config(policy()).build();
        assert_eq!(Cooling::policy(), policy());
    });
}

#[test]
fn broken_invariants_are_found() {
    let orders = |groups: &[Vec<u8>]| Orders {
        groups: BoundedVec::truncate_from(
            groups.iter().map(|group| SharedBytes::truncate_from(group.clone())).collect(),
        ),
        ..Orders::default()
    };
    let at = |bytes: Vec<u8>| Lap { at: Some(SharedBytes::truncate_from(bytes)), ..Lap::default() };
    run(|| {
        set(policy());
        Now::<Test>::put(orders(&[shared(0, 1), shared(0, 2), shared(1, 0)]));
        CurrentLap::<Test>::put(at(shared(1, 0)));
        assert_ok!(Cooling::try_state(1));
        let found = |what: &str| {
            assert!(Cooling::do_try_state().is_err(), "{what}");
        };
        hypothetically!({
            Policy::<Test>::mutate(|policy| policy.lap_days = 0);
            found("policy");
        });
        hypothetically!({
            CurrentLap::<Test>::put(at(vec![0x11; 33]));
            found("lap");
        });
        for groups in [
            &[] as &[Vec<u8>],
            &[shared(0, 2), shared(0, 1)],
            &[shared(0, 1), shared(0, 1)],
            &[vec![0x15; 33]],
        ] {
            hypothetically!({
                Now::<Test>::put(orders(groups));
                found("orders");
            });
        }
        hypothetically!({
            ColdBefore::<Test>::put(u64::MAX);
            found("what is to come");
        });
        hypothetically!({
            let mut runs = KnownRuns::default();
            runs.push(1);
            runs.push(1);
            // The second run is of another size than the first one, which is merged with it.
            let mut bytes = runs.encode();
            bytes[1] = 4;
            let broken = KnownRuns::decode(&mut &bytes[..]).expect("the same form");
            Known::<Test>::put(broken);
            found("runs");
        });
        Now::<Test>::kill();
        CurrentLap::<Test>::kill();
    });
}

#[test]
fn integrity_holds_and_values_are_bounded() {
    Cooling::integrity_test();
    let is_bounded = Cooling::storage_info().iter().all(|info| info.max_size.is_some());
    assert!(is_bounded, "a value without a bound");
}
