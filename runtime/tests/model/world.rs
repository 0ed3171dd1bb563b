//! The runtime under the same operations as the model.

mod blocks;
mod calls;
mod cast;
mod reading;
mod writing;

pub use blocks::{Signed, begin, end};
pub use reading::{bill, case, has_field_rules, has_ranges, has_totals};

use crate::{
    model::{Model, SceneTerms},
    words::{Actor, Op, Place, Scene, Verdict},
};
use billchain_primitives::{
    AdminRole, Hash, Reason, SceneId, SignatureScheme, SummaryFields,
    seams::{
        self, AccessNodePolicy, ParticipantStatus, Participants as _, ReimbursementMode, VoidPolicy,
    },
};
use billchain_runtime::{
    AllPalletsWithSystem, Participant as Participants, ParticipantConfig, PermissionsConfig,
    Runtime, RuntimeCall, RuntimeGenesisConfig, RuntimeOrigin, Scene as Scenes, SceneConfig,
    System, genesis,
};
use cast::{did, key_of, roles};
use frame_support::traits::{TryState, TryStateSelect};
use pallet_participant::{ParticipantKind, Registration};
use pallet_scene::{Call as SceneCall, Decision, SceneStatus};
use sp_runtime::traits::Dispatchable;

/// Participants that hold the office of a system administrator beside their
/// roles.
const SYSTEM_ADMINS: [Actor; 2] = [Actor::Admin(0), Actor::Platform];

/// 2026-11-24 08:00 UTC+8.
pub const START: u64 = 1_795_478_400_000;

/// What one has to know of the chain beside its state.
#[derive(Default)]
pub struct World {
    /// Names of the adjustments, in the order in which they were proposed.
    proposals: Vec<Hash>,
}

fn rules(scene: SceneTerms) -> seams::SceneTerms {
    seams::SceneTerms {
        mode: if scene.cumulative {
            ReimbursementMode::Cumulative
        } else {
            ReimbursementMode::Exclusive
        },
        weight: scene.weight,
        lock_period_ms: scene.lock_ms,
        void: if scene.voidable { VoidPolicy::Allowed } else { VoidPolicy::Refused },
        access_node: AccessNodePolicy::NotRequired,
        required: SummaryFields::NONE,
    }
}

/// A chain with the model's actors, scenes and whitelist.
pub fn build(model: &Model) -> sp_io::TestExternalities {
    let registered = |actor: Actor| Registration {
        did: did(actor),
        name: "somebody".parse().expect("a plain name"),
        kind: ParticipantKind::Organisation,
        public_key: key_of(actor),
        roles: roles(actor),
        uscc_hash: None,
    };
    let participants = Actor::all().into_iter().filter(|actor| *actor != Actor::Stranger);
    let config = RuntimeGenesisConfig {
        participant: ParticipantConfig {
            participants: participants.map(registered).collect(),
            schemes: vec![SignatureScheme::Sm2],
            ..Default::default()
        },
        scene: SceneConfig {
            scenes: model
                .scenes
                .iter()
                .map(|(id, scene)| {
                    let name = "scene".parse().expect("a plain name");
                    (SceneId(*id), name, rules(*scene), Default::default())
                })
                .collect(),
            ..Default::default()
        },
        permissions: PermissionsConfig {
            whitelist: model
                .whitelist
                .iter()
                .map(|(scene, actor)| (SceneId(*scene), did(*actor)))
                .collect(),
            admins: SYSTEM_ADMINS
                .into_iter()
                .map(|actor| (did(actor), AdminRole::SystemAdmin))
                .collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let state = genesis::build_state(&config, START).expect("a sound genesis");
    sp_core::storage::Storage { top: state, children_default: Default::default() }.into()
}

/// A new block at this time, for calls that are dispatched without a
/// transaction.
pub fn next_block(number: u32, now: u64) {
    System::set_block_number(number);
    // No more: real blocks in between mind what else their time leaves behind.
    pallet_timestamp::Now::<Runtime>::put(now);
}

impl World {
    /// Does `op` on the chain, as the call of the transaction `at`.
    pub fn apply(&mut self, actor: Actor, op: &Op, now: u64, at: Place) -> Verdict {
        System::set_extrinsic_index(at.index);
        System::reset_events();
        let result = self.call(op, now).dispatch(cast::origin(actor));
        let result = result.map(|_| ()).map_err(|refusal| refusal.error);
        let events = System::read_events_no_consensus().map(|record| record.event);
        self.verdict(result, events.collect())
    }
}

fn send(origin: RuntimeOrigin, call: impl Into<RuntimeCall>) {
    call.into().dispatch(origin).expect("an administrator may");
}

pub fn set_frozen(actor: Actor, frozen: bool) {
    let status = if frozen { ParticipantStatus::Frozen } else { ParticipantStatus::Active };
    let (did, reason) = (did(actor), reason());
    send(
        cast::origin(Actor::Council),
        pallet_participant::Call::<Runtime>::set_status { did, status, reason },
    );
}

pub fn set_scene(scene: Scene, active: bool) {
    let status = if active { SceneStatus::Active } else { SceneStatus::Disabled };
    let scene = SceneId(scene);
    if Scenes::scene(scene).is_some_and(|known| known.status == status) {
        return;
    }
    let [proposer, approver] = SYSTEM_ADMINS;
    let reason = reason();
    administrate(proposer, SceneCall::set_status { scene, status, reason: reason.clone() });
    let proposal = Scenes::proposal(scene).expect("it was proposed").id;
    let decision = Decision::Approved;
    let approve = SceneCall::submit_approval { scene, proposal, decision, comment: reason };
    administrate(approver, approve);
}

/// Has an administrator do something, whether or not the model froze it.
fn administrate(actor: Actor, call: SceneCall<Runtime>) {
    let frozen = Participants::active_by_did(&did(actor)).is_err();
    if frozen {
        set_frozen(actor, false);
    }
    send(cast::origin(actor), call);
    if frozen {
        set_frozen(actor, true);
    }
}

pub fn set_whitelisted(scene: Scene, actor: Actor, listed: bool) {
    use pallet_permissions::Call;
    let (scene, did) = (SceneId(scene), did(actor));
    let council = cast::origin(Actor::Council);
    if listed {
        send(council, Call::<Runtime>::set_whitelist { scene, did });
    } else {
        send(council, Call::<Runtime>::remove_whitelist { scene, did });
    }
}

pub fn try_state(number: u32) {
    AllPalletsWithSystem::try_state(number, TryStateSelect::All).expect("every rule holds");
}

fn reason() -> Reason {
    Reason::new("开票有误").expect("a plain text")
}
