//! Every call, its success and each of its refusals.

use crate::{
    Decision, Error, Event, GenesisConfig, Outcome, Proposal, ProposalCount, ProposalId, Proposals,
    RelatedData, Scene, SceneChange, SceneStatus, Scenes, Trail, TrailRecord, Trails, mock::*,
    trail_key,
};
use billchain_primitives::{
    Name, Reason, SceneId, Stamp, SummaryField, SummaryFields,
    seams::{
        AccessNodePolicy, ParticipantProblem, ReimbursementMode, SceneProblem, SceneTerms,
        Scenes as _, VoidPolicy,
    },
    sm3,
};
use codec::{Decode, Encode};
use frame::{arithmetic::ArithmeticError, deps::sp_runtime::traits::BadOrigin, testing_prelude::*};

type Fault = Error<Test>;

const CLINIC: SceneId = SceneId(1);
const INSURANCE: SceneId = SceneId(2);
const SUBSIDY: SceneId = SceneId(3);
const CHARITY: SceneId = SceneId(4);

fn rules() -> SceneTerms {
    SceneTerms {
        mode: ReimbursementMode::Exclusive,
        weight: 10,
        lock_period_ms: 60_000,
        void: VoidPolicy::Refused,
        access_node: AccessNodePolicy::NotRequired,
        required: SummaryFields::NONE,
    }
}

fn other_rules() -> SceneTerms {
    SceneTerms {
        mode: ReimbursementMode::Cumulative,
        void: VoidPolicy::Allowed,
        access_node: AccessNodePolicy::Required,
        lock_period_ms: 1,
        required: SummaryFields::of(&[SummaryField::PdfHash]),
        ..rules()
    }
}

fn related() -> RelatedData {
    kinds(&["病历", "诊疗记录"])
}

fn kinds(names: &[&str]) -> RelatedData {
    let kinds: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
    kinds.try_into().unwrap()
}

fn name() -> Name {
    Name::new("医疗").unwrap()
}

fn reason() -> Reason {
    Reason::new("新增业务").unwrap()
}

fn comment() -> Reason {
    Reason::new("同意").unwrap()
}

fn genesis(scenes: &[(SceneId, SceneTerms)]) -> GenesisConfig<Test> {
    let scenes = scenes.iter().map(|(id, rules)| (*id, name(), *rules, related())).collect();
    GenesisConfig { scenes, ..Default::default() }
}

fn register(who: u8, scene: SceneId) -> DispatchResult {
    SceneRegistry::register(signed(who), scene, name(), rules(), related(), reason())
}

fn configure(scene: SceneId, rules: SceneTerms) -> DispatchResult {
    SceneRegistry::configure(signed(ADMIN), scene, rules, related(), reason())
}

fn set_weight(scene: SceneId, weight: u16) -> DispatchResult {
    SceneRegistry::set_weight(signed(ADMIN), scene, weight, reason())
}

fn set_status(scene: SceneId, status: SceneStatus) -> DispatchResult {
    SceneRegistry::set_status(signed(ADMIN), scene, status, reason())
}

fn decide(who: u8, scene: SceneId, proposal: ProposalId, decision: Decision) -> DispatchResult {
    SceneRegistry::submit_approval(signed(who), scene, proposal, decision, comment())
}

/// Approves what the scene awaits.
fn approve(scene: SceneId) {
    let proposal = SceneRegistry::proposal(scene).expect("a proposal").id;
    assert_ok!(decide(SECOND, scene, proposal, Decision::Approved));
}

fn withdraw(who: u8, scene: SceneId, proposal: ProposalId) -> DispatchResult {
    SceneRegistry::withdraw(signed(who), scene, proposal, reason())
}

/// This contract's events since the last call.
fn events() -> Vec<Event<Test>> {
    let events = System::read_events_for_pallet::<Event<Test>>();
    System::reset_events();
    events
}

#[test]
fn a_scene_begins_when_a_second_administrator_approves_it() {
    run(genesis(&[]), || {
        assert_ok!(register(ADMIN, CLINIC));
        let change =
            SceneChange::Register { name: name(), rules: rules(), related_data: related() };
        let proposed = Event::ChangeProposed {
            proposal: 1,
            scene: CLINIC,
            change: change.clone(),
            proposer: did(ADMIN),
            reason: reason(),
            at: 1_000,
        };
        assert_eq!(events(), [proposed]);
        assert_eq!(SceneRegistry::active(CLINIC), Err(SceneProblem::NotFound));
        assert_eq!(SceneRegistry::scene(CLINIC), None);
        let open = SceneRegistry::proposals();
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].0, &open[0].1.change), (CLINIC, &change));

        System::set_block_number(2);
        assert_ok!(decide(SECOND, CLINIC, 1, Decision::Approved));
        assert_eq!(SceneRegistry::active(CLINIC), Ok(rules()));
        let scene = SceneRegistry::scene(CLINIC).unwrap();
        assert_eq!((scene.status, scene.version), (SceneStatus::Active, 1));
        assert_eq!((scene.related_data, scene.updated.moment), (related(), 2_000));
        let began = Event::SceneRegistered {
            scene: CLINIC,
            name: name(),
            rules: rules(),
            related_data: related(),
        };
        let decided = Event::ProposalDecided {
            proposal: 1,
            scene: CLINIC,
            proposer: did(ADMIN),
            approver: did(SECOND),
            decision: Decision::Approved,
            comment: comment(),
            at: 2_000,
        };
        assert_eq!(events(), [began, decided]);
        assert_noop!(decide(SECOND, CLINIC, 1, Decision::Approved), Fault::NoProposal);
    });
}

#[test]
fn a_rejected_scene_does_not_begin_and_may_be_proposed_again() {
    run(genesis(&[]), || {
        assert_ok!(register(ADMIN, CLINIC));
        events();
        assert_ok!(decide(SECOND, CLINIC, 1, Decision::Rejected));
        let decided = Event::ProposalDecided {
            proposal: 1,
            scene: CLINIC,
            proposer: did(ADMIN),
            approver: did(SECOND),
            decision: Decision::Rejected,
            comment: comment(),
            at: 1_000,
        };
        assert_eq!(events(), [decided]);
        assert_eq!(SceneRegistry::scene(CLINIC), None);
        assert_ok!(register(SECOND, CLINIC));
        assert_ok!(decide(ADMIN, CLINIC, 2, Decision::Approved));
        assert_eq!(SceneRegistry::active(CLINIC), Ok(rules()));
    });
}

#[test]
fn an_approved_change_takes_effect_and_no_earlier() {
    type Row = (&'static str, fn() -> DispatchResult, Event<Test>, fn(&mut Scene));
    let rows: [Row; 3] = [
        (
            "configure",
            || configure(CLINIC, other_rules()),
            Event::SceneConfigured { scene: CLINIC, rules: other_rules(), related_data: related() },
            |scene| scene.rules = other_rules(),
        ),
        (
            "set_weight",
            || set_weight(CLINIC, 99),
            Event::WeightSet { scene: CLINIC, from: 10, to: 99 },
            |scene| scene.rules.weight = 99,
        ),
        (
            "set_status",
            || set_status(CLINIC, SceneStatus::Disabled),
            Event::StatusSet { scene: CLINIC, status: SceneStatus::Disabled },
            |scene| scene.status = SceneStatus::Disabled,
        ),
    ];
    for (what, propose, effect, change) in rows {
        run(genesis(&[(CLINIC, rules())]), || {
            let before = SceneRegistry::scene(CLINIC).unwrap();
            assert_ok!(propose());
            assert_eq!(SceneRegistry::scene(CLINIC), Some(before.clone()), "{what}");
            assert_eq!(SceneRegistry::active(CLINIC), Ok(rules()), "{what}");
            events();
            System::set_block_number(2);
            approve(CLINIC);
            assert_eq!(events()[0], effect, "{what}");
            let mut after = Scene { version: 2, ..before };
            after.updated.block = 2;
            after.updated.moment = 2_000;
            after.updated.extrinsic = Some(0);
            change(&mut after);
            assert_eq!(SceneRegistry::scene(CLINIC), Some(after), "{what}");
        });
    }
}

#[test]
fn a_disabled_scene_is_inactive_until_it_is_enabled() {
    run(genesis(&[(CLINIC, rules())]), || {
        assert_ok!(set_status(CLINIC, SceneStatus::Disabled));
        approve(CLINIC);
        assert_eq!(SceneRegistry::active(CLINIC), Err(SceneProblem::Inactive));
        assert_noop!(set_weight(CLINIC, 99), Fault::SceneInactive);
        assert_ok!(configure(CLINIC, other_rules()));
        approve(CLINIC);
        assert_ok!(set_status(CLINIC, SceneStatus::Active));
        approve(CLINIC);
        assert_eq!(SceneRegistry::active(CLINIC), Ok(other_rules()));
        assert_eq!(SceneRegistry::active(INSURANCE), Err(SceneProblem::NotFound));
    });
}

#[test]
fn every_call_is_a_system_administrators() {
    let rows: [(u8, Fault); 6] = [
        (STRANGER, Fault::Sender(ParticipantProblem::NotFound)),
        (FROZEN, Fault::Sender(ParticipantProblem::Frozen)),
        (CANCELLED, Fault::Sender(ParticipantProblem::Cancelled)),
        (HOSPITAL, Fault::NotAdministrator),
        (SECURITY, Fault::NotAdministrator),
        (AUDITOR, Fault::NotAdministrator),
    ];
    run(genesis(&[(CLINIC, rules())]), || {
        assert_ok!(set_weight(CLINIC, 1));
        let calls = |origin: RuntimeOrigin| {
            let o = || origin.clone();
            let disabled = SceneStatus::Disabled;
            [
                SceneRegistry::register(o(), SUBSIDY, name(), rules(), related(), reason()),
                SceneRegistry::configure(o(), CLINIC, other_rules(), related(), reason()),
                SceneRegistry::set_weight(o(), CLINIC, 1, reason()),
                SceneRegistry::set_status(o(), CLINIC, disabled, reason()),
                SceneRegistry::submit_approval(o(), CLINIC, 1, Decision::Approved, comment()),
                SceneRegistry::withdraw(o(), CLINIC, 1, reason()),
            ]
        };
        for (who, refused) in rows {
            let refused = DispatchError::from(refused);
            let expected = [(); 6].map(|()| Err(refused));
            assert_storage_noop!(assert_eq!(calls(signed(who)), expected, "sender {who}"));
            assert_noop!(SceneRegistry::withdraw(signed(who), CLINIC, 1, reason()), refused);
        }
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
            let expected = [(); 6].map(|()| Err(BadOrigin.into()));
            assert_storage_noop!(assert_eq!(calls(origin), expected));
        }
    });
}

#[test]
fn nobody_decides_on_its_own_proposal_or_on_another_than_it_says() {
    run(genesis(&[(CLINIC, rules())]), || {
        assert_noop!(decide(SECOND, CLINIC, 1, Decision::Approved), Fault::NoProposal);
        assert_ok!(set_weight(CLINIC, 1));
        for decision in [Decision::Approved, Decision::Rejected] {
            assert_noop!(decide(ADMIN, CLINIC, 1, decision), Fault::OwnProposal);
        }
        assert_noop!(decide(SECOND, CLINIC, 2, Decision::Approved), Fault::OtherProposal);
        assert_noop!(withdraw(ADMIN, CLINIC, 2), Fault::OtherProposal);
        assert_noop!(withdraw(SECOND, CLINIC, 1), Fault::NotProposer);
        events();
        assert_ok!(withdraw(ADMIN, CLINIC, 1));
        let withdrawn = Event::ProposalWithdrawn {
            proposal: 1,
            scene: CLINIC,
            proposer: did(ADMIN),
            reason: reason(),
            at: 1_000,
        };
        assert_eq!(events(), [withdrawn]);
        assert_noop!(withdraw(ADMIN, CLINIC, 1), Fault::NoProposal);
        // What the second administrator saw was withdrawn and replaced.
        assert_ok!(set_weight(CLINIC, 2));
        assert_noop!(decide(SECOND, CLINIC, 1, Decision::Approved), Fault::OtherProposal);
        assert_eq!(SceneRegistry::active(CLINIC), Ok(rules()));
    });
}

#[test]
fn a_proposal_that_cannot_take_effect_is_refused() {
    let faulty = SceneTerms { lock_period_ms: 0, ..rules() };
    run(genesis(&[(CLINIC, rules())]), || {
        assert_noop!(register(ADMIN, CLINIC), Fault::AlreadyRegistered);
        let result =
            SceneRegistry::register(signed(ADMIN), SUBSIDY, name(), faulty, related(), reason());
        assert_noop!(result, Fault::LockPeriodZero);
        assert_noop!(configure(CLINIC, faulty), Fault::LockPeriodZero);
        let twice = kinds(&["病历", "病历"]);
        let (o, c) = (signed(ADMIN), CLINIC);
        let result = SceneRegistry::configure(o.clone(), c, rules(), twice.clone(), reason());
        assert_noop!(result, Fault::RelatedDataRepeated);
        let result = SceneRegistry::register(o, SUBSIDY, name(), rules(), twice, reason());
        assert_noop!(result, Fault::RelatedDataRepeated);
        assert_noop!(configure(CLINIC, rules()), Fault::Unchanged);
        assert_noop!(set_weight(CLINIC, 10), Fault::Unchanged);
        assert_noop!(set_status(CLINIC, SceneStatus::Active), Fault::Unchanged);
        assert_noop!(configure(INSURANCE, rules()), Fault::NotFound);
        assert_noop!(set_weight(INSURANCE, 1), Fault::NotFound);
        assert_noop!(set_status(INSURANCE, SceneStatus::Disabled), Fault::NotFound);
        // Related data alone is a change, too.
        let other = kinds(&["住院出院小结"]);
        assert_ok!(SceneRegistry::configure(signed(ADMIN), CLINIC, rules(), other, reason()));
    });
}

#[test]
fn a_scene_awaits_one_approval_at_a_time() {
    run(genesis(&[(CLINIC, rules())]), || {
        assert_ok!(register(ADMIN, INSURANCE));
        assert_noop!(register(SECOND, INSURANCE), Fault::NotApproved);
        assert_noop!(configure(INSURANCE, other_rules()), Fault::NotApproved);
        assert_noop!(set_weight(INSURANCE, 1), Fault::NotApproved);
        assert_noop!(set_status(INSURANCE, SceneStatus::Disabled), Fault::NotApproved);
        assert_ok!(set_weight(CLINIC, 1));
        assert_noop!(configure(CLINIC, other_rules()), Fault::ProposalOpen);
        assert_noop!(set_weight(CLINIC, 2), Fault::ProposalOpen);
        assert_noop!(set_status(CLINIC, SceneStatus::Disabled), Fault::ProposalOpen);
        assert_noop!(register(ADMIN, CLINIC), Fault::ProposalOpen);
    });
}

#[test]
fn scenes_and_open_proposals_are_bounded() {
    run(genesis(&[(CLINIC, rules()), (INSURANCE, rules())]), || {
        assert_ok!(register(ADMIN, SUBSIDY));
        assert_ok!(register(ADMIN, CHARITY));
        assert_noop!(set_weight(CLINIC, 1), Fault::TooManyProposals);
        approve(SUBSIDY);
        // There was room when it was proposed, and is none now.
        assert_noop!(decide(SECOND, CHARITY, 2, Decision::Approved), Fault::TooManyScenes);
        assert_ok!(decide(SECOND, CHARITY, 2, Decision::Rejected));
        assert_noop!(register(ADMIN, CHARITY), Fault::TooManyScenes);
        hypothetically!({
            ProposalCount::<Test>::put(ProposalId::MAX);
            let overflow = DispatchError::Arithmetic(ArithmeticError::Overflow);
            assert_noop!(set_weight(CLINIC, 1), overflow);
        });
        let page = SceneRegistry::scenes(None, 2);
        let rest = SceneRegistry::scenes(Some(page[1].0), 2);
        let mut ids: Vec<_> = page.iter().chain(&rest).map(|(id, _)| *id).collect();
        ids.sort();
        assert_eq!((page.len(), ids), (2, vec![CLINIC, INSURANCE, SUBSIDY]));
    });
}

#[test]
fn every_ended_proposal_is_on_the_trail_and_chained_into_the_state() {
    let mut state = run(genesis(&[]), || {
        assert_ok!(register(ADMIN, CLINIC));
        System::set_block_number(2);
        System::set_extrinsic_index(3);
        assert_ok!(decide(SECOND, CLINIC, 1, Decision::Approved));
        assert_ok!(set_weight(CLINIC, 7));
        assert_ok!(withdraw(ADMIN, CLINIC, 2));
    });
    let trail = state.execute_with(|| Trails::<Test>::get(CLINIC));
    let index = state.offchain_db();
    let mut hash = [0; 32];
    let records: Vec<TrailRecord> = (1..=2)
        .map(|number| {
            let encoded = index.get(&trail_key(CLINIC, number)).expect("a record");
            hash = sm3(&[&hash[..], &encoded].concat());
            TrailRecord::decode(&mut &encoded[..]).unwrap()
        })
        .collect();
    assert_eq!(trail, Trail { records: 2, hash: hash.into() });
    let at = |block, extrinsic| Stamp {
        block,
        extrinsic: Some(extrinsic),
        moment: u64::from(block) * 1_000,
    };
    let change = SceneChange::Register { name: name(), rules: rules(), related_data: related() };
    let first = TrailRecord {
        proposal: Proposal {
            id: 1,
            change,
            proposer: did(ADMIN),
            proposed: at(1, 0),
            reason: reason(),
        },
        outcome: Outcome::Decided {
            decision: Decision::Approved,
            approver: did(SECOND),
            comment: comment(),
        },
        ended: at(2, 3),
    };
    assert_eq!(records[0], first);
    assert_eq!(records[1].outcome, Outcome::Withdrawn { reason: reason() });
}

/// The form of the records is fixed: they outlive the program that wrote them.
#[test]
fn a_trail_record_keeps_its_form() {
    let record = TrailRecord {
        proposal: Proposal {
            id: 7,
            change: SceneChange::Configure { rules: other_rules(), related_data: related() },
            proposer: did(ADMIN),
            proposed: Stamp { block: 1, extrinsic: Some(2), moment: 3 },
            reason: reason(),
        },
        outcome: Outcome::Decided {
            decision: Decision::Rejected,
            approver: did(SECOND),
            comment: comment(),
        },
        ended: Stamp { block: 4, extrinsic: Some(5), moment: 6 },
    };
    let hash = format!("{:?}", billchain_primitives::Hash::from(sm3(&record.encode())));
    assert_eq!(hash, "0x72bc14c459405c2dc891a719abfd75e2fccd3d9cccb6b3eb7506f23caf9db18d");
    assert_eq!(trail_key(SceneId(0x0102), 3), b"sa/\x01\x02\0\0\0\x03");
}

#[test]
fn genesis_scenes_are_active_at_once() {
    run(genesis(&[(CLINIC, rules()), (INSURANCE, other_rules())]), || {
        assert_eq!(SceneRegistry::active(CLINIC), Ok(rules()));
        assert_eq!(SceneRegistry::active(INSURANCE), Ok(other_rules()));
        assert_eq!(SceneRegistry::scene(CLINIC).unwrap().updated, Stamp::default());
        assert!(SceneRegistry::proposals().is_empty());
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
    run(genesis(&[(CLINIC, SceneTerms { lock_period_ms: 0, ..rules() })]), || ());
}

#[test]
#[should_panic(expected = "related data repeated")]
fn genesis_refuses_related_data_that_stands_twice() {
    let scenes = vec![(CLINIC, name(), rules(), kinds(&["病历", "病历"]))];
    run(GenesisConfig { scenes, ..Default::default() }, || ());
}

#[test]
#[should_panic(expected = "too many scenes")]
fn genesis_refuses_one_too_many() {
    let scenes: Vec<_> = (1..=4).map(|id| (SceneId(id), rules())).collect();
    run(genesis(&scenes), || ());
}

#[test]
fn broken_invariants_are_found() {
    let scene = |rules, related_data, version| Scene {
        name: name(),
        status: SceneStatus::Active,
        rules,
        related_data,
        version,
        updated: Stamp::default(),
    };
    let proposal = |id, change| Proposal {
        id,
        change,
        proposer: did(ADMIN),
        proposed: Stamp::default(),
        reason: reason(),
    };
    run(genesis(&[(CLINIC, rules())]), || {
        for broken in [
            scene(SceneTerms { lock_period_ms: 0, ..rules() }, related(), 1),
            scene(rules(), kinds(&["病历", "病历"]), 1),
            scene(rules(), related(), 0),
        ] {
            hypothetically!({
                Scenes::<Test>::insert(CLINIC, &broken);
                assert!(SceneRegistry::do_try_state().is_err(), "{broken:?}");
            });
        }
        let begins =
            || SceneChange::Register { name: name(), rules: rules(), related_data: related() };
        for (scene, proposal) in [
            (CLINIC, proposal(1, begins())),
            (INSURANCE, proposal(1, SceneChange::Weight(1))),
            (CLINIC, proposal(2, SceneChange::Weight(1))),
        ] {
            hypothetically!({
                ProposalCount::<Test>::put(1);
                Proposals::<Test>::insert(scene, &proposal);
                assert!(SceneRegistry::do_try_state().is_err(), "{proposal:?}");
            });
        }
        hypothetically!({
            Trails::<Test>::insert(CLINIC, Trail { records: 1, hash: Default::default() });
            assert!(SceneRegistry::do_try_state().is_err());
        });
    });
}
