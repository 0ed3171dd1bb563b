//! The bill-register contract: an issuer with as many access nodes as may be,
//! in a scene with as many field rules, policies and steps as may be.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{BillKey, BillKind, BillStatus, Role, SceneId, condition::Guarded};
use billchain_runtime::{BillRegister, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::BoundedVec;
use pallet_bill_register::{
    Batch, BatchMode, BillLinks, Bills, Call, FieldRuleSets, Link, LinkChange, Links, MAX_BATCH,
    MAX_FIELD_RULES, MAX_LINKS, Relation,
};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

fn world() -> (Member, SceneId) {
    setup::begin();
    let (issuer, scene) = (setup::issuer(1), setup::scene());
    for operation in [Guarded::Register, Guarded::PreIssue] {
        setup::policies(scene, operation);
    }
    setup::fill_field_rules(scene);
    setup::allot(&issuer, 0);
    (issuer, scene)
}

fn status(number: u32) -> Option<BillStatus> {
    Bills::<Runtime>::get(setup::bill_key(number)).map(|bill| bill.state.status)
}

/// A bill with `count` links, all of other parties.
fn linked_bill(count: u32, issuer: &Member, scene: SceneId) -> BillKey {
    let key = setup::claimed_bill(1, issuer, scene);
    let links = (0..count).map(|number| Link {
        party: setup::did("party", number),
        relation: Relation::Other,
        since: setup::stamp(),
        operator: issuer.did.clone(),
    });
    let links = Links {
        links: BoundedVec::truncate_from(links.collect()),
        records: count,
        history_hash: setup::hash(1),
    };
    BillLinks::<Runtime>::insert(key, links);
    key
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let summary = setup::summary(1, &issuer, scene);
        #[extrinsic_call]
        _(setup::signed(&issuer), summary);
        assert_eq!(status(1), Some(BillStatus::Normal));
        Ok(())
    }

    // Each bill counts in another hundred numbers, in all ranges of the issuer.
    #[benchmark]
    fn register_batch(n: Linear<1, MAX_BATCH>) -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let summary = |place| setup::summary(setup::apart(place), &issuer, scene);
        let bills: Vec<_> = (1..=n).map(summary).collect();
        let batch = Batch::try_from(bills).expect("no more than a batch holds; qed");
        #[extrinsic_call]
        _(setup::signed(&issuer), batch, BatchMode::PerItem);
        let ends = (status(setup::apart(1)), status(setup::apart(n)));
        assert_eq!(ends, (Some(BillStatus::Normal), Some(BillStatus::Normal)));
        Ok(())
    }

    #[benchmark]
    fn pre_issue() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let mut notice = setup::summary(1, &issuer, scene);
        notice.kind = BillKind::PaymentNotice;
        #[extrinsic_call]
        _(setup::signed(&issuer), notice);
        assert_eq!(status(1), Some(BillStatus::PreIssued));
        Ok(())
    }

    #[benchmark]
    fn confirm() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let key = setup::bill(1, &issuer, scene, BillStatus::PreIssued);
        #[extrinsic_call]
        _(setup::signed(&issuer), key);
        assert_eq!(status(1), Some(BillStatus::Normal));
        Ok(())
    }

    #[benchmark]
    fn void() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let key = setup::bill(1, &issuer, scene, BillStatus::PreIssued);
        #[extrinsic_call]
        _(setup::signed(&issuer), key, setup::reason());
        assert_eq!(status(1), Some(BillStatus::Voided));
        Ok(())
    }

    // Over a full set.
    #[benchmark]
    fn set_field_rules(n: Linear<0, MAX_FIELD_RULES>) -> Result<(), BenchmarkError> {
        let (_, scene) = world();
        let rules = setup::field_rules(n);
        #[extrinsic_call]
        _(setup::council(), Some(scene), Some(1), rules);
        let set = FieldRuleSets::<Runtime>::get(Some(scene));
        let found = set.map(|set| (set.version, set.rules.len()));
        assert_eq!(found, Some((2, n as usize)));
        Ok(())
    }

    // The last for which there is room.
    #[benchmark]
    fn link_party() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let party = setup::member(2, &[Role::User]).did;
        let key = linked_bill(MAX_LINKS - 1, &issuer, scene);
        #[extrinsic_call]
        _(setup::signed(&issuer), key, party, Relation::Insurer);
        assert_eq!(BillRegister::links(&key).links.len(), MAX_LINKS as usize);
        Ok(())
    }

    // Of as many as there may be the first, which all others then follow up.
    #[benchmark]
    fn update_link() -> Result<(), BenchmarkError> {
        let (issuer, scene) = world();
        let key = linked_bill(MAX_LINKS, &issuer, scene);
        let (party, change) = (setup::did("party", 0), LinkChange::Relation(Relation::Insurer));
        let (reason, sender) = (setup::reason(), setup::signed(&issuer));
        #[extrinsic_call]
        _(sender, key, party.clone(), Relation::Other, change, reason);
        let links = BillRegister::links(&key).links;
        let last = links.last().map(|link| (link.party.clone(), link.relation));
        assert_eq!(last, Some((party, Relation::Insurer)));
        Ok(())
    }
}
