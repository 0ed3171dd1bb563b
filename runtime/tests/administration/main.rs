//! Who administers what, over the contracts as the runtime puts them together.

mod cooling;
mod inactive;
mod motions;
mod offices;
mod outbox;

use billchain_crypto::sm2::SecretKey;
use billchain_primitives::{
    AdminRole, Did, PublicKey, Reason, Role, RoleSet, SceneId, SignatureScheme, SummaryFields,
    seams::{AccessNodePolicy, ParticipantProblem, ReimbursementMode, SceneTerms, VoidPolicy},
};
use billchain_runtime::{
    AccountId, AllPalletsWithSystem, CouncilMembershipConfig, ParticipantConfig, PermissionsConfig,
    RuntimeCall, RuntimeGenesisConfig, RuntimeOrigin, SceneConfig, System, Timestamp, genesis,
};
use codec::Decode;
use frame_support::traits::{TryState, TryStateSelect};
use pallet_participant::{ParticipantKind, Registration};
use sp_runtime::traits::Dispatchable;

/// 2026-11-24 08:00 UTC+8.
const START: u64 = 1_795_478_400_000;
const SCENE: SceneId = SceneId(1);

/// Everybody's name and role.
const PARTICIPANTS: [(&str, Role); 8] = [
    ("hospital", Role::Issuer),
    ("insurer", Role::User),
    ("platform", Role::Platform),
    ("admin", Role::Admin),
    ("admin-2", Role::Admin),
    ("clerk", Role::Admin),
    ("security", Role::Admin),
    ("auditor", Role::Auditor),
];

fn did(name: &str) -> Did {
    format!("did:bill:{name}").parse().expect("plain names")
}

fn key(name: &str) -> PublicKey {
    PublicKey::Sm2(SecretKey::from_seed(name.as_bytes()).public().to_compressed())
}

fn reason() -> Reason {
    Reason::new("例行检查").expect("a plain text")
}

fn rules() -> SceneTerms {
    SceneTerms {
        mode: ReimbursementMode::Exclusive,
        weight: 1,
        lock_period_ms: 60_000,
        void: VoidPolicy::Refused,
        access_node: AccessNodePolicy::NotRequired,
        required: SummaryFields::NONE,
    }
}

/// Runs `test` on a chain with [`PARTICIPANTS`], two system administrators, a
/// security administrator and an auditor, then checks every contract's rules.
fn run(test: impl FnOnce()) {
    run_with(Vec::new(), test);
}

/// As [`run`], with these members of the council.
fn run_with(mut members: Vec<AccountId>, test: impl FnOnce()) {
    members.sort();
    let registered = |(name, role): (&str, Role)| Registration {
        did: did(name),
        name: name.parse().expect("plain names"),
        kind: ParticipantKind::Organisation,
        public_key: key(name),
        roles: RoleSet::of(&[role]),
        uscc_hash: None,
    };
    let config = RuntimeGenesisConfig {
        council_membership: CouncilMembershipConfig {
            members: members.try_into().expect("a few members"),
            ..Default::default()
        },
        participant: ParticipantConfig {
            participants: PARTICIPANTS.into_iter().map(registered).collect(),
            schemes: vec![SignatureScheme::Sm2],
            ..Default::default()
        },
        scene: SceneConfig {
            scenes: vec![(
                SCENE,
                "医疗".parse().expect("a plain name"),
                rules(),
                Default::default(),
            )],
            ..Default::default()
        },
        permissions: PermissionsConfig {
            admins: vec![
                (did("admin"), AdminRole::SystemAdmin),
                (did("admin-2"), AdminRole::SystemAdmin),
                (did("security"), AdminRole::SecurityAdmin),
                (did("auditor"), AdminRole::Auditor),
            ],
            ..Default::default()
        },
        ..Default::default()
    };
    let state = genesis::build_state(&config, START).expect("a sound genesis");
    let storage = sp_core::storage::Storage { top: state, children_default: Default::default() };
    sp_io::TestExternalities::from(storage).execute_with(|| {
        System::set_block_number(1);
        System::set_extrinsic_index(1);
        Timestamp::set_timestamp(START + 1_000);
        test();
        AllPalletsWithSystem::try_state(1, TryStateSelect::All).expect("every rule holds");
    });
}

/// Sends a call; a refusal by its name.
fn send(name: &str, call: impl Into<RuntimeCall>) -> Result<(), String> {
    dispatch(RuntimeOrigin::signed(key(name).account_id()), call)
}

/// Has the council carry a call out.
fn council(call: impl Into<RuntimeCall>) -> Result<(), String> {
    dispatch(pallet_collective::RawOrigin::Members(3, 4).into(), call)
}

fn dispatch(origin: RuntimeOrigin, call: impl Into<RuntimeCall>) -> Result<(), String> {
    call.into().dispatch(origin).map(|_| ()).map_err(|refusal| match refusal.error {
        sp_runtime::DispatchError::Module(error) => {
            let name = error.message.expect("errors have names here");
            match name {
                "Sender" => {
                    let problem = ParticipantProblem::decode(&mut &error.error[1..]).unwrap();
                    format!("{name}.{problem:?}")
                }
                _ => name.to_owned(),
            }
        }
        other => format!("{other:?}"),
    })
}
