//! The performance contract. What it asks for each transaction is one value, so
//! its calls are at their worst when each role has a quota of its own.

use crate::{benchmarks::Config, setup};
use billchain_primitives::Role;
use billchain_runtime::{Performance, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use pallet_performance::{
    Allowance, Call, Limits, MIN_BLOCK_BYTES, MIN_BLOCK_TIME_US, MIN_TRANSACTION_BYTES, Next,
    OwnQuotas, PoolShare, Quota, Quotas, RoleQuota, Usages,
};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

fn quota() -> Quota {
    Quota {
        allowance: Some(Allowance { transactions: 1, bytes: u32::MAX }),
        pool: PoolShare { transactions: 1, bytes: 1 << 20 },
    }
}

fn quotas() -> Quotas {
    let roles: Vec<_> =
        Role::ALL.into_iter().map(|role| RoleQuota { role, quota: quota() }).collect();
    Quotas { roles: roles.try_into().expect("each role once; qed"), ..Quotas::default() }
}

/// A participant, each role's quota in force.
fn fill() -> setup::Member {
    setup::begin();
    let member = setup::member(1, &setup::ROLES);
    Performance::set_quotas(setup::council(), quotas()).expect("sound quotas; qed");
    member
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_limits() -> Result<(), BenchmarkError> {
        fill();
        let limits = Limits {
            max_block_bytes: MIN_BLOCK_BYTES,
            max_transaction_bytes: MIN_TRANSACTION_BYTES,
            max_block_time_us: MIN_BLOCK_TIME_US,
        };
        #[extrinsic_call]
        _(setup::council(), limits);
        assert_eq!(Next::<Runtime>::get().limits, limits);
        Ok(())
    }

    #[benchmark]
    fn set_quotas() -> Result<(), BenchmarkError> {
        fill();
        let other = Quotas { interval_ms: 1_000, ..quotas() };
        #[extrinsic_call]
        _(setup::council(), other.clone());
        assert_eq!(Next::<Runtime>::get().quotas, other);
        Ok(())
    }

    #[benchmark]
    fn set_participant_quota() -> Result<(), BenchmarkError> {
        let member = fill();
        #[extrinsic_call]
        _(setup::council(), member.did.clone(), Some(quota()));
        assert_eq!(OwnQuotas::<Runtime>::get(&member.did), Some(quota()));
        Ok(())
    }

    // With an own quota, and used up, which deposits the event.
    #[benchmark]
    fn charge() -> Result<(), BenchmarkError> {
        let member = fill();
        Performance::set_participant_quota(setup::council(), member.did.clone(), Some(quota()))
            .expect("a sound quota; qed");
        let settings = Next::<Runtime>::get();
        let roles = billchain_primitives::RoleSet::of(&setup::ROLES);
        #[block]
        {
            let allowance =
                Performance::allowance_of(&settings, &member.did, roles).expect("it has one; qed");
            Performance::charge(&settings, &member.did, &allowance, 1).expect("the first; qed");
        }
        assert!(Usages::<Runtime>::contains_key(&member.did));
        Ok(())
    }
}
