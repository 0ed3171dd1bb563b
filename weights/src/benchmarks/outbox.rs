//! The outbox: connectors with as many scenes and acknowledgers as one may have, entries about
//! subjects of their own.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{
    BillKey, BillStatus, SceneId,
    outbox::{ConnectorId, ConnectorKind, Fact, Label, Subject, Topic, Topics},
    seams::Outbox as _,
};
use billchain_runtime::{Outbox, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::BoundedVec;
use pallet_outbox::{
    Answer, Call, ConnectorStatus, Leases, MAX_ACKNOWLEDGERS, MAX_OUTCOMES, MAX_ROUTES, MAX_SCENES,
    MAX_WAITING, Outcome, SceneFilter, Terms,
};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

const CONNECTOR: ConnectorId = ConnectorId(1);
const WORKER: u32 = 1;

fn label(number: u32) -> Label {
    Label::new(&format!("{number:x>48}")).expect("48 letters and digits; qed")
}

fn terms(number: u32) -> Terms {
    let others = 1_000..1_000 + MAX_ACKNOWLEDGERS - 1;
    let mut acknowledgers: Vec<_> = others.map(|other| setup::did("worker", other)).collect();
    acknowledgers.push(setup::did("member", WORKER));
    let scenes = (0..MAX_SCENES).map(|scene| SceneId(scene as u16)).collect();
    Terms {
        kind: ConnectorKind::Webhook,
        endpoint: label(number),
        topics: Topics::ALL,
        scenes: SceneFilter::Only(BoundedVec::truncate_from(scenes)),
        format: label(0),
        acknowledgers: BoundedVec::truncate_from(acknowledgers),
        max_refusals: 1,
        max_waiting: MAX_WAITING,
    }
}

/// So many connectors, and a worker that acknowledges for all.
fn connectors(count: u32) -> Member {
    setup::begin();
    for number in 1..=count {
        Outbox::register(setup::council(), terms(number)).expect("there is room; qed");
    }
    setup::member(WORKER, &setup::ROLES)
}

fn fact(number: u32) -> Fact {
    Fact {
        topic: Topic::BillReimbursed,
        subject: Subject::Bill(setup::bill_key(number)),
        version: 1,
        scene: Some(SceneId(MAX_SCENES as u16 - 1)),
        claim: None,
        digest: setup::hash(number),
    }
}

/// A worker that has the lease of a connector with so many entries. The worker is a participant,
/// about which entries come, too.
fn waiting(entries: u32) -> (Member, u64) {
    let worker = connectors(1);
    Outbox::claim(setup::signed(&worker), CONNECTOR).expect("nobody has it; qed");
    let before = Outbox::tally(CONNECTOR).last;
    (0..entries).for_each(|number| Outbox::tell(|| fact(number)));
    (worker, before)
}

fn outcomes(
    after: u64,
    count: u32,
    answer: Answer,
) -> BoundedVec<Outcome, frame_support::traits::ConstU32<MAX_OUTCOMES>> {
    let outcome = |number: u32| Outcome { seq: after + u64::from(number), attempts: 1, answer };
    BoundedVec::truncate_from((1..=count).map(outcome).collect())
}

/// An entry that is a dead letter.
fn dead() -> (Member, u64) {
    let (worker, before) = waiting(1);
    let refused = outcomes(before, 1, Answer::Refused { answer: setup::hash(1) });
    Outbox::report(setup::signed(&worker), CONNECTOR, refused).expect("it waits; qed");
    (worker, before + 1)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        connectors(MAX_ROUTES - 1);
        #[extrinsic_call]
        _(setup::council(), terms(MAX_ROUTES));
        assert_eq!(pallet_outbox::Connectors::<Runtime>::count(), MAX_ROUTES);
        Ok(())
    }

    #[benchmark]
    fn update() -> Result<(), BenchmarkError> {
        connectors(MAX_ROUTES);
        let other = terms(MAX_ROUTES + 1);
        #[extrinsic_call]
        _(setup::council(), CONNECTOR, other.clone());
        let found = pallet_outbox::Connectors::<Runtime>::get(CONNECTOR);
        assert_eq!(found.map(|found| found.terms), Some(other));
        Ok(())
    }

    #[benchmark]
    fn set_status() -> Result<(), BenchmarkError> {
        connectors(MAX_ROUTES);
        #[extrinsic_call]
        _(setup::council(), CONNECTOR, ConnectorStatus::Retired, setup::reason());
        assert_eq!(pallet_outbox::Routes::<Runtime>::get().len() as u32, MAX_ROUTES - 1);
        Ok(())
    }

    #[benchmark]
    fn claim() -> Result<(), BenchmarkError> {
        let worker = connectors(1);
        #[extrinsic_call]
        _(setup::signed(&worker), CONNECTOR);
        assert!(Outbox::lease(CONNECTOR).is_some());
        Ok(())
    }

    #[benchmark]
    fn release() -> Result<(), BenchmarkError> {
        let (worker, _) = waiting(0);
        #[extrinsic_call]
        _(setup::signed(&worker), CONNECTOR);
        assert!(!Leases::<Runtime>::contains_key(CONNECTOR));
        Ok(())
    }

    #[benchmark]
    fn report(n: Linear<1, MAX_OUTCOMES>) -> Result<(), BenchmarkError> {
        let (worker, before) = waiting(n);
        let told = outcomes(before, n, Answer::Told { answer: setup::hash(1) });
        #[extrinsic_call]
        _(setup::signed(&worker), CONNECTOR, told);
        assert_eq!(Outbox::tally(CONNECTOR).acknowledged, u64::from(n));
        Ok(())
    }

    #[benchmark]
    fn revive() -> Result<(), BenchmarkError> {
        let (worker, seq) = dead();
        #[extrinsic_call]
        _(setup::signed(&worker), CONNECTOR, seq);
        assert_eq!(Outbox::tally(CONNECTOR).dead, 0);
        Ok(())
    }

    #[benchmark]
    fn discard() -> Result<(), BenchmarkError> {
        let (_, seq) = dead();
        #[extrinsic_call]
        _(setup::council(), CONNECTOR, seq, setup::reason());
        assert_eq!(Outbox::tally(CONNECTOR).discarded, 1);
        Ok(())
    }

    #[benchmark]
    fn retell(n: Linear<1, MAX_OUTCOMES>) -> Result<(), BenchmarkError> {
        let worker = connectors(1);
        let (issuer, scene) = (setup::issuer(2), setup::scene());
        let bills = (0..n).map(|number| setup::bill(number, &issuer, scene, BillStatus::Normal));
        let bills: Vec<BillKey> = bills.collect();
        let before = Outbox::tally(CONNECTOR).last;
        #[extrinsic_call]
        _(setup::signed(&worker), CONNECTOR, BoundedVec::truncate_from(bills), setup::reason());
        assert_eq!(Outbox::tally(CONNECTOR).last - before, u64::from(n));
        Ok(())
    }

    #[benchmark]
    fn tell() -> Result<(), BenchmarkError> {
        let (_, before) = waiting(0);
        #[block]
        {
            Outbox::tell(|| fact(1));
        }
        assert_eq!(Outbox::tally(CONNECTOR).last, before + 1);
        Ok(())
    }
}
