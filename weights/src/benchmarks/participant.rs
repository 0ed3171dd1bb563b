//! The participant contract.

use crate::{benchmarks::Config, setup};
use billchain_primitives::{AdminRole, Hash, Role, RoleSet, seams::ParticipantStatus};
use billchain_runtime::{Participant, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use pallet_participant::{Call, Participants};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        setup::begin();
        let registration = setup::registration(1, RoleSet::of(&setup::ROLES));
        let did = registration.did.clone();
        #[extrinsic_call]
        _(setup::council(), registration);
        assert!(Participants::<Runtime>::contains_key(did));
        Ok(())
    }

    #[benchmark]
    fn set_status() -> Result<(), BenchmarkError> {
        setup::begin();
        let member = setup::member(1, &setup::ROLES);
        let did = member.did.clone();
        // To look up who administers security takes longer than the council's
        // cancellation, which gives the organisation's code back.
        let security = setup::signed(&setup::administrator(2, AdminRole::SecurityAdmin));
        #[extrinsic_call]
        _(security, did, ParticipantStatus::Frozen, setup::reason());
        let status = Participant::resolve(&member.did).map(|found| found.status);
        assert_eq!(status, Some(ParticipantStatus::Frozen));
        Ok(())
    }

    #[benchmark]
    fn rotate_key() -> Result<(), BenchmarkError> {
        setup::begin();
        let member = setup::member(1, &setup::ROLES);
        let did = member.did.clone();
        // By the participant itself, whose origin is looked at twice.
        #[extrinsic_call]
        _(setup::signed(&member), did, setup::key(2));
        let account = Participant::resolve(&member.did).map(|found| found.account);
        assert_eq!(account, Some(setup::key(2).account_id()));
        Ok(())
    }

    #[benchmark]
    fn update_info() -> Result<(), BenchmarkError> {
        setup::begin();
        let member = setup::member(1, &setup::ROLES);
        let (did, uscc) = (member.did.clone(), Some(Hash::from(setup::hash(2))));
        #[extrinsic_call]
        _(setup::council(), did, setup::name(2), uscc);
        let found = Participant::resolve(&member.did).map(|found| found.uscc_hash);
        assert_eq!(found, Some(uscc));
        Ok(())
    }

    #[benchmark]
    fn set_roles() -> Result<(), BenchmarkError> {
        setup::begin();
        let member = setup::member(1, &[Role::User]);
        let (did, all) = (member.did.clone(), RoleSet::of(&setup::ROLES));
        #[extrinsic_call]
        _(setup::council(), did, all);
        let roles = Participant::resolve(&member.did).map(|found| found.roles);
        assert_eq!(roles, Some(all));
        Ok(())
    }
}
