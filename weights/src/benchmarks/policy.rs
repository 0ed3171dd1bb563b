//! The policy contract: the largest documents, for as many scenes and
//! operations as one may be for, with full lists wherever it is entered.

use crate::{
    benchmarks::Config,
    setup::{self, Member},
};
use billchain_primitives::{Keyword, Role, SceneId, condition::Guarded, seams::PolicyId};
use billchain_runtime::{Policy, Runtime};
use core::marker::PhantomData;
use frame_benchmarking::v2::*;
use frame_support::{BoundedVec, traits::Get};
use pallet_policy::{
    Act, Body, Call, Decision, Flow, Flows, Format, Head, Heads, Keywords, MAX_BODY, MAX_KEYWORDS,
    MAX_REFERENCES, MAX_SCENES, MAX_STEPS, PolicyStatus, RESERVED_STEPS, Step,
};
use pallet_scene::Scenes;
use serde_json::{Value, json};

/// The pallet, for the macro.
pub struct Pallet<T>(PhantomData<T>);

/// Bytes of the smallest document that is measured: one with all its lists.
const LEAST_BODY: u32 = 2_048;
/// The policy that calls are about.
const POLICY: PolicyId = PolicyId(1);
/// Most values of a list in a condition.
const LIST: usize = 32;
/// As many values of scenes as a rule has bytes for.
const VALUES: usize = 1_280;

/// A chain with as many scenes as there may be.
fn begin() {
    setup::begin();
    let rules = Scenes::<Runtime>::get(SceneId(1)).map(|scene| scene.rules);
    let rules = rules.expect("the development chain has scene 1; qed");
    let most: u32 = <Runtime as pallet_scene::Config>::MaxScenes::get();
    for id in 1..=most as u16 {
        Scenes::<Runtime>::insert(SceneId(id), setup::scene_with(rules));
    }
    // Policies to refer to.
    for id in 0..MAX_REFERENCES as u16 {
        let head = Head { newest: 1, effective: Some(1), newest_effective: 1 };
        Heads::<Runtime>::insert(PolicyId(1_000 + id), head);
    }
    // Keywords that have room for one version more, or two.
    let most: u32 = <Runtime as pallet_policy::Config>::MaxPerKeyword::get();
    for keyword in keywords() {
        let keyword = Keyword::new(&keyword).expect("48 letters and digits; qed");
        let versions = (2..most).map(|version| (PolicyId(9), version)).collect();
        Keywords::<Runtime>::insert(keyword, BoundedVec::truncate_from(versions));
    }
}

fn keywords() -> impl Iterator<Item = String> {
    (0..MAX_KEYWORDS).map(|number| format!("{number:k>48}"))
}

/// A document of `bytes` bytes that names as much as it has room for, with
/// `most` values in its conditions.
fn document(version: u32, bytes: u32, most: usize) -> Body {
    let mut document = json!({
        "id": POLICY.0,
        "version": version,
        "name": setup::name(1).as_str(),
        "keywords": keywords().collect::<Vec<_>>(),
        "scenes": (1..=MAX_SCENES).collect::<Vec<_>>(),
        "operations": Guarded::ALL,
        "effect": "deny",
        "references": (1_000..1_000 + MAX_REFERENCES).collect::<Vec<_>>(),
        "description": "",
        "conditions": {},
    });
    let written = |document: &Value| document.to_string().into_bytes();
    let bytes = bytes as usize;
    // At most 5 bytes a value and a list's frame every 32 values.
    let frames = written(&document).len() + 100;
    let values = (bytes.saturating_sub(frames) / 6).clamp(1, most);
    let named: Vec<usize> = (0..values).map(|at| at % 1_000 + 1).collect();
    let lists: Vec<Value> = named.chunks(LIST).map(|ids| json!({ "in": ["scene", ids] })).collect();
    document["conditions"] = match lists.as_slice() {
        [only] => only.clone(),
        _ => json!({ "or": lists }),
    };
    let room = bytes.saturating_sub(written(&document).len());
    document["description"] = "d".repeat(room).into();
    Body::truncate_from(written(&document))
}

fn member(number: u32, role: Role) -> Member {
    setup::member(number, &[role])
}

/// A version of the policy that is submitted, with the steps of one of as many
/// policies as may be in force.
fn draft(version: u32, submitter: &Member) {
    let body = document(version, MAX_BODY, setup::steps_of_one() as usize - 1);
    Policy::submit(setup::signed(submitter), Format::Json, body).expect("a sound document; qed");
}

/// The flow of a version with `free` steps left for decisions.
fn fill_flow(version: u32, free: u32) {
    let mut flow: Flow = Flows::<Runtime>::get(POLICY, version);
    let at = flow.steps.first().map(|step| step.at).expect("a submission; qed");
    for number in flow.steps.len() as u32..MAX_STEPS - RESERVED_STEPS - free {
        let act = Act::Decided { decision: Decision::Approved, comment_hash: setup::hash(number) };
        let actor = Some(setup::did("approver", number));
        let step = Step { at, actor, act };
        flow.hash = Flow::chain(&flow.hash, &step);
        flow.steps.try_push(step).expect("fewer than the most; qed");
    }
    Flows::<Runtime>::insert(POLICY, version, flow);
}

/// A version that may be made effective.
fn finalised(version: u32, submitter: &Member) {
    draft(version, submitter);
    fill_flow(version, 0);
    Policy::finalize_approval(setup::signed(submitter), POLICY, version)
        .expect("approved by many; qed");
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn submit(b: Linear<LEAST_BODY, MAX_BODY>) -> Result<(), BenchmarkError> {
        begin();
        let submitter = member(1, Role::Platform);
        let body = document(1, b, VALUES);
        assert_eq!(body.len(), b as usize);
        #[extrinsic_call]
        _(setup::signed(&submitter), Format::Json, body);
        assert!(Policy::policy(POLICY, 1).is_some());
        Ok(())
    }

    #[benchmark]
    fn submit_approval() -> Result<(), BenchmarkError> {
        begin();
        let approver = member(2, Role::Admin);
        draft(1, &member(1, Role::Platform));
        fill_flow(1, 1);
        let comment = setup::hash(7);
        #[extrinsic_call]
        _(setup::signed(&approver), POLICY, 1, Decision::Approved, comment);
        let flow = Policy::flow(POLICY, 1).map(|flow| flow.steps.len());
        assert_eq!(flow, Some((MAX_STEPS - RESERVED_STEPS) as usize));
        Ok(())
    }

    #[benchmark]
    fn finalize_approval() -> Result<(), BenchmarkError> {
        begin();
        let submitter = member(1, Role::Platform);
        draft(1, &submitter);
        fill_flow(1, 0);
        #[extrinsic_call]
        _(setup::signed(&submitter), POLICY, 1);
        let approved = Policy::policy(POLICY, 1).and_then(|policy| policy.approval_hash);
        assert!(approved.is_some());
        Ok(())
    }

    // A version replaces another one that stands last in full lists.
    #[benchmark]
    fn set_status() -> Result<(), BenchmarkError> {
        begin();
        let (submitter, admin) = (member(1, Role::Platform), member(2, Role::Admin));
        finalised(1, &submitter);
        let origin = setup::signed(&admin);
        Policy::set_status(origin, POLICY, 1, PolicyStatus::Effective, setup::reason())?;
        finalised(2, &submitter);
        for scene in 1..=MAX_SCENES as u16 {
            for operation in Guarded::ALL {
                setup::policies(SceneId(scene), operation);
            }
        }
        #[extrinsic_call]
        _(setup::signed(&admin), POLICY, 2, PolicyStatus::Effective, setup::reason());
        assert_eq!(Policy::head(POLICY).and_then(|head| head.effective), Some(2));
        Ok(())
    }
}
