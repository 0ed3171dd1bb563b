//! Every call, its success and each of its refusals, and the counting.

use crate::{
    Allowance, Error, Event, GenesisConfig, HeldBack, Limits, MIN_BLOCK_BYTES, MIN_BLOCK_TIME_US,
    MIN_TRANSACTION_BYTES, Next, PoolShare, Quota, Quotas, RoleQuota, Usage, Usages, mock::*,
};
use billchain_primitives::{AccountId, Role, RoleSet};
use frame::{deps::sp_runtime::traits::BadOrigin, testing_prelude::*};

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

fn least() -> Limits {
    Limits {
        max_block_bytes: MIN_BLOCK_BYTES,
        max_transaction_bytes: MIN_TRANSACTION_BYTES,
        max_block_time_us: MIN_BLOCK_TIME_US,
    }
}

fn share() -> PoolShare {
    PoolShare { transactions: 10, bytes: 1 << 20 }
}

fn metered(transactions: u32, bytes: u32) -> Quota {
    Quota { allowance: Some(Allowance { transactions, bytes }), pool: share() }
}

fn with_role(role: Role, quota: Quota) -> Quotas {
    Quotas { roles: vec![RoleQuota { role, quota }].try_into().unwrap(), ..Quotas::default() }
}

fn charge(number: u8, roles: &[Role], bytes: u32) -> Result<(), HeldBack> {
    let settings = Performance::settings();
    let (did, roles) = (person(number), RoleSet::of(roles));
    match Performance::allowance_of(&settings, &did, roles) {
        Some(allowance) => Performance::charge(&settings, &did, &allowance, bytes),
        None => Ok(()),
    }
}

#[test]
fn limits_change_by_motion_and_count_from_the_next_block() {
    run(GenesisConfig::default(), || {
        let hard = HardLimits::get();
        assert_eq!(Performance::settings().limits, hard);
        assert_ok!(Performance::set_limits(root(), least()));
        System::assert_last_event(Event::LimitsChanged { from: hard, to: least() }.into());
        assert_eq!(Performance::settings().limits, hard, "this block began with the others");
        next_block();
        assert_eq!(Performance::settings().limits, least());
        assert_ok!(Performance::set_limits(root(), hard));
    });
}

#[test]
fn no_limit_leaves_what_the_code_bears_and_the_council_needs() {
    run(GenesisConfig::default(), || {
        let hard = HardLimits::get();
        for (limits, error) in [
            (
                Limits { max_block_bytes: MIN_BLOCK_BYTES - 1, ..hard },
                Error::<Test>::BlockBytesOutOfBounds,
            ),
            (
                Limits { max_block_bytes: hard.max_block_bytes + 1, ..hard },
                Error::<Test>::BlockBytesOutOfBounds,
            ),
            (
                Limits { max_transaction_bytes: MIN_TRANSACTION_BYTES - 1, ..hard },
                Error::<Test>::TransactionBytesOutOfBounds,
            ),
            (
                Limits { max_transaction_bytes: hard.max_transaction_bytes + 1, ..hard },
                Error::<Test>::TransactionBytesOutOfBounds,
            ),
            (
                Limits { max_block_time_us: MIN_BLOCK_TIME_US - 1, ..hard },
                Error::<Test>::BlockTimeOutOfBounds,
            ),
            (
                Limits { max_block_time_us: hard.max_block_time_us + 1, ..hard },
                Error::<Test>::BlockTimeOutOfBounds,
            ),
        ] {
            assert_noop!(Performance::set_limits(root(), limits), error);
        }
    });
}

#[test]
fn quotas_change_by_motion_and_count_from_the_next_block() {
    run(GenesisConfig::default(), || {
        let quotas = with_role(Role::Issuer, metered(1, 1_000));
        assert_ok!(Performance::set_quotas(root(), quotas.clone()));
        System::assert_last_event(Event::QuotasChanged { quotas }.into());
        for _ in 0..3 {
            assert_eq!(charge(1, &[Role::Issuer], 10), Ok(()));
        }
        next_block();
        assert_eq!(charge(1, &[Role::Issuer], 10), Ok(()));
        assert_eq!(charge(1, &[Role::Issuer], 10), Err(HeldBack));
    });
}

#[test]
fn each_unsound_quota_is_refused_by_name() {
    run(GenesisConfig::default(), || {
        let pool = |transactions, bytes| Quota {
            allowance: None,
            pool: PoolShare { transactions, bytes },
        };
        let of_all = |ordinary| Quotas { ordinary, ..Quotas::default() };
        let twice = RoleQuota { role: Role::User, quota: metered(1, 1) };
        for (quotas, error) in [
            (Quotas { interval_ms: 999, ..Quotas::default() }, Error::<Test>::IntervalOutOfBounds),
            (
                Quotas { interval_ms: 86_400_001, ..Quotas::default() },
                Error::<Test>::IntervalOutOfBounds,
            ),
            (of_all(metered(0, 1)), Error::<Test>::AllowanceEmpty),
            (of_all(metered(1, 0)), Error::<Test>::AllowanceEmpty),
            (of_all(pool(0, 1 << 20)), Error::<Test>::PoolShareOutOfBounds),
            (of_all(pool(1, 1 << 10)), Error::<Test>::PoolShareOutOfBounds),
            (of_all(pool(u32::MAX, 1 << 20)), Error::<Test>::PoolShareOutOfBounds),
            (with_role(Role::User, metered(0, 0)), Error::<Test>::AllowanceEmpty),
            (
                Quotas { reserved: PoolShare { transactions: 0, bytes: 0 }, ..Quotas::default() },
                Error::<Test>::PoolShareOutOfBounds,
            ),
            (
                Quotas { roles: vec![twice, twice].try_into().unwrap(), ..Quotas::default() },
                Error::<Test>::RoleRepeated,
            ),
        ] {
            assert_noop!(Performance::set_quotas(root(), quotas), error);
        }
    });
}

#[test]
fn a_participants_own_quota_goes_before_that_of_its_roles() {
    let config =
        GenesisConfig { quotas: with_role(Role::User, metered(1, 1_000)), ..Default::default() };
    run(config, || {
        assert_ok!(Performance::set_participant_quota(root(), person(1), Some(metered(3, 1_000))));
        System::assert_last_event(
            Event::ParticipantQuotaChanged { did: person(1), quota: Some(metered(3, 1_000)) }
                .into(),
        );
        for _ in 0..3 {
            assert_eq!(charge(1, &[Role::User], 10), Ok(()));
        }
        assert_eq!(charge(1, &[Role::User], 10), Err(HeldBack));
        assert_eq!(charge(2, &[Role::User], 10), Ok(()), "another participant's is its roles'");
        assert_eq!(charge(2, &[Role::User], 10), Err(HeldBack));
        assert_eq!(charge(3, &[Role::Issuer], 10), Ok(()), "another role has none");
        assert_ok!(Performance::set_participant_quota(root(), person(1), None));
        assert_eq!(charge(1, &[Role::User], 10), Err(HeldBack), "it used more than the role's");
    });
}

#[test]
fn own_quotas_are_bounded_and_of_participants() {
    run(GenesisConfig::default(), || {
        let quota = Some(metered(1, 1));
        let set = |number, quota| Performance::set_participant_quota(root(), person(number), quota);
        assert_noop!(set(10, quota), Error::<Test>::ParticipantNotFound);
        assert_noop!(set(1, Some(metered(0, 1))), Error::<Test>::AllowanceEmpty);
        assert_noop!(set(1, None), Error::<Test>::QuotaNotFound);
        assert_ok!(set(1, quota));
        assert_ok!(set(2, quota));
        assert_noop!(set(3, quota), Error::<Test>::TooManyQuotas);
        assert_ok!(set(2, Some(metered(2, 2))));
        assert_ok!(set(1, None));
        assert_ok!(set(3, quota));
        assert_eq!(Next::<Test>::get().own_quotas, 2);
    });
}

#[test]
fn the_transaction_that_uses_an_allowance_up_says_so_and_the_next_interval_begins_anew() {
    let quotas = Quotas { interval_ms: 10_000, ..with_role(Role::Issuer, metered(2, 500)) };
    run(GenesisConfig { quotas, ..Default::default() }, || {
        World::set_time(1_003_000);
        assert_eq!(charge(1, &[Role::Issuer], 100), Ok(()));
        assert!(System::events().is_empty());
        assert_eq!(charge(1, &[Role::Issuer], 200), Ok(()));
        let usage = Usage { interval: 100, transactions: 2, bytes: 300 };
        let held_back = Event::HeldBack { did: person(1), usage, until: 1_010_000 };
        System::assert_last_event(held_back.into());
        World::set_time(1_009_999);
        assert_noop!(charge(1, &[Role::Issuer], 1), HeldBack);
        World::set_time(1_010_000);
        // Bytes use it up as well; a transaction is not cut.
        assert_eq!(charge(1, &[Role::Issuer], 600), Ok(()));
        assert_noop!(charge(1, &[Role::Issuer], 1), HeldBack);
        assert_eq!(Usages::<Test>::get(person(1)).unwrap().interval, 101);
    });
}

#[test]
fn several_roles_may_use_what_any_of_them_may() {
    let mut quotas = with_role(Role::Issuer, metered(2, 100));
    quotas.roles.try_push(RoleQuota { role: Role::User, quota: metered(1, 900) }).unwrap();
    run(GenesisConfig { quotas, ..Default::default() }, || {
        let settings = Performance::settings();
        let of =
            |roles: &[Role]| Performance::allowance_of(&settings, &person(1), RoleSet::of(roles));
        let both = of(&[Role::Issuer, Role::User]);
        assert_eq!(both, Some(Allowance { transactions: 2, bytes: 900 }));
        assert_eq!(of(&[Role::Issuer, Role::Admin]), None, "an administrator's is not metered");
        assert_eq!(of(&[]), None);
    });
}

#[test]
fn nothing_is_written_where_nobody_has_an_allowance() {
    run(GenesisConfig::default(), || {
        assert!(Performance::settings().is_unmetered());
        assert_eq!(charge(1, &[Role::Issuer], 1 << 20), Ok(()));
        assert_eq!(Usages::<Test>::iter().count(), 0);
    });
}

#[test]
fn only_the_administrators_change_anything() {
    run(GenesisConfig::default(), || {
        let somebody = || RuntimeOrigin::signed(AccountId::new([1; 32]));
        assert_noop!(Performance::set_limits(somebody(), least()), BadOrigin);
        assert_noop!(Performance::set_quotas(somebody(), Quotas::default()), BadOrigin);
        assert_noop!(
            Performance::set_participant_quota(somebody(), person(1), Some(metered(1, 1))),
            BadOrigin
        );
    });
}

#[test]
fn a_genesis_is_refused_with_every_problem() {
    let limits = Limits { max_block_bytes: 1, max_block_time_us: u32::MAX, ..least() };
    let quotas = Quotas { interval_ms: 0, ..Quotas::default() };
    let own_quotas =
        vec![(person(1), metered(0, 0)), (person(1), metered(1, 1)), (person(2), metered(1, 1))];
    let config = GenesisConfig::<Test> { limits, quotas, own_quotas, ..Default::default() };
    let problems = config.problems();
    for expected in [
        "limits.maxBlockBytes: expected 2097152 to 5242880, found 1",
        "limits.maxBlockTimeUs",
        "performance.quotas: ",
        "participants[0] (did:bill:p1): ",
        "participants[1] (did:bill:p1): the DID stands twice",
        "expected at most 2, found 3",
    ] {
        assert!(problems.iter().any(|text| text.contains(expected)), "{expected}: {problems:?}");
    }
    assert_eq!(problems.len(), 6, "{problems:?}");
    assert_eq!(GenesisConfig::<Test>::default().problems(), Vec::<String>::new());
}
