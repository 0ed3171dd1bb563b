//! Every call, its success and each of its refusals.

use crate::{Error, Event, GenesisConfig, Scene, SceneStatus, Scenes, mock::*};
use billchain_primitives::{
    AccountId, Name, SceneId,
    traits::{
        AccessNodePolicy, ReimbursementMode, SceneProblem, SceneRules, Scenes as _, VoidPolicy,
    },
};
use frame::{deps::sp_runtime::traits::BadOrigin, testing_prelude::*};

const CLINIC: SceneId = SceneId(1);
const INSURANCE: SceneId = SceneId(2);

fn rules() -> SceneRules {
    SceneRules {
        mode: ReimbursementMode::Exclusive,
        weight: 10,
        lock_period_ms: 60_000,
        void: VoidPolicy::Refused,
        access_node: AccessNodePolicy::NotRequired,
    }
}

fn name() -> Name {
    Name::new("医疗").unwrap()
}

fn genesis(scenes: &[(SceneId, SceneRules)]) -> GenesisConfig<Test> {
    let scenes = scenes.iter().map(|(id, rules)| (*id, name(), *rules)).collect();
    GenesisConfig { scenes, ..Default::default() }
}

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

fn last_event() -> Event<Test> {
    match System::events().pop().expect("an event").event {
        RuntimeEvent::SceneRegistry(event) => event,
        other => panic!("another contract's event: {other:?}"),
    }
}

#[test]
fn a_registered_scene_is_active_with_its_rules() {
    run(genesis(&[]), || {
        assert_ok!(SceneRegistry::register(root(), CLINIC, name(), rules()));
        assert_eq!(SceneRegistry::active(CLINIC), Ok(rules()));
        let expected = Event::SceneRegistered { scene: CLINIC, name: name(), rules: rules() };
        assert_eq!(last_event(), expected);
    });
}

#[test]
fn registration_refuses_a_taken_number_a_zero_period_and_one_too_many() {
    run(genesis(&[(CLINIC, rules())]), || {
        let again = SceneRegistry::register(root(), CLINIC, name(), rules());
        assert_noop!(again, Error::<Test>::AlreadyRegistered);
        let instant = SceneRules { lock_period_ms: 0, ..rules() };
        let result = SceneRegistry::register(root(), INSURANCE, name(), instant);
        assert_noop!(result, Error::<Test>::LockPeriodZero);
        assert_ok!(SceneRegistry::register(root(), INSURANCE, name(), rules()));
        assert_ok!(SceneRegistry::register(root(), SceneId(3), name(), rules()));
        let result = SceneRegistry::register(root(), SceneId(4), name(), rules());
        assert_noop!(result, Error::<Test>::TooManyScenes);
    });
}

#[test]
fn configure_replaces_the_rules() {
    run(genesis(&[(CLINIC, rules())]), || {
        let cumulative = SceneRules {
            mode: ReimbursementMode::Cumulative,
            void: VoidPolicy::Allowed,
            access_node: AccessNodePolicy::Required,
            lock_period_ms: 1,
            ..rules()
        };
        assert_ok!(SceneRegistry::configure(root(), CLINIC, cumulative));
        assert_eq!(SceneRegistry::active(CLINIC), Ok(cumulative));
        assert_eq!(last_event(), Event::SceneConfigured { scene: CLINIC, rules: cumulative });
        let instant = SceneRules { lock_period_ms: 0, ..rules() };
        let result = SceneRegistry::configure(root(), CLINIC, instant);
        assert_noop!(result, Error::<Test>::LockPeriodZero);
        let result = SceneRegistry::configure(root(), INSURANCE, rules());
        assert_noop!(result, Error::<Test>::NotFound);
    });
}

#[test]
fn set_weight_changes_the_weight_alone() {
    run(genesis(&[(CLINIC, rules())]), || {
        assert_ok!(SceneRegistry::set_weight(root(), CLINIC, 99));
        assert_eq!(SceneRegistry::active(CLINIC), Ok(SceneRules { weight: 99, ..rules() }));
        assert_eq!(last_event(), Event::WeightSet { scene: CLINIC, from: 10, to: 99 });
        assert_noop!(SceneRegistry::set_weight(root(), INSURANCE, 1), Error::<Test>::NotFound);
    });
}

#[test]
fn a_disabled_scene_is_inactive_until_it_is_enabled() {
    run(genesis(&[(CLINIC, rules())]), || {
        assert_ok!(SceneRegistry::set_status(root(), CLINIC, SceneStatus::Disabled));
        let expected = Event::StatusSet { scene: CLINIC, status: SceneStatus::Disabled };
        assert_eq!(last_event(), expected);
        assert_eq!(SceneRegistry::active(CLINIC), Err(SceneProblem::Inactive));
        assert_ok!(SceneRegistry::set_status(root(), CLINIC, SceneStatus::Active));
        assert_eq!(SceneRegistry::active(CLINIC), Ok(rules()));
        assert_eq!(SceneRegistry::active(INSURANCE), Err(SceneProblem::NotFound));
        let result = SceneRegistry::set_status(root(), INSURANCE, SceneStatus::Active);
        assert_noop!(result, Error::<Test>::NotFound);
    });
}

#[test]
fn every_call_refuses_other_origins() {
    run(genesis(&[(CLINIC, rules())]), || {
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::signed(AccountId::new([1; 32]))] {
            let result = SceneRegistry::register(origin.clone(), INSURANCE, name(), rules());
            assert_noop!(result, BadOrigin);
            assert_noop!(SceneRegistry::configure(origin.clone(), CLINIC, rules()), BadOrigin);
            assert_noop!(SceneRegistry::set_weight(origin.clone(), CLINIC, 1), BadOrigin);
            let disabled = SceneStatus::Disabled;
            assert_noop!(SceneRegistry::set_status(origin, CLINIC, disabled), BadOrigin);
        }
    });
}

#[test]
#[should_panic(expected = "scene 1 stands twice")]
fn genesis_refuses_a_number_that_stands_twice() {
    run(genesis(&[(CLINIC, rules()), (CLINIC, rules())]), || ());
}

#[test]
#[should_panic(expected = "the lock period is 0")]
fn genesis_refuses_a_zero_period() {
    run(genesis(&[(CLINIC, SceneRules { lock_period_ms: 0, ..rules() })]), || ());
}

#[test]
#[should_panic(expected = "too many scenes")]
fn genesis_refuses_one_too_many() {
    let scenes: Vec<_> = (1..=4).map(|id| (SceneId(id), rules())).collect();
    run(genesis(&scenes), || ());
}

#[test]
fn broken_invariants_are_found() {
    run(genesis(&[]), || {
        hypothetically!({
            let broken = SceneRules { lock_period_ms: 0, ..rules() };
            let scene = Scene { name: name(), status: SceneStatus::Active, rules: broken };
            Scenes::<Test>::insert(CLINIC, scene);
            assert!(SceneRegistry::do_try_state().is_err());
        });
    });
}
