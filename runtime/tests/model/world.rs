//! The runtime under the same operations as the model.

use crate::model::{self, Actor, Change, Draft, Kind, Op, Scene, Status};
use billchain_crypto::sm2::SecretKey;
use billchain_primitives::{
    AdminRole, BillKey, BillKind, BillStatus, BillSummary, Did, Fen, IssueDate, IssueTime,
    PayerType, PublicKey, Reason, Role, RoleSet, SceneId, SignatureScheme, SummaryFields,
    traits::{
        AccessNodePolicy, Bill, LockPurpose, ParticipantStatus, Participants as _,
        ReimbursementMode, SceneRules, VoidPolicy,
    },
};
use billchain_runtime::{
    AllPalletsWithSystem, Participant as Participants, ParticipantConfig, PermissionsConfig,
    Runtime, RuntimeCall, RuntimeGenesisConfig, RuntimeOrigin, Scene as Scenes, SceneConfig,
    System, Timestamp, genesis,
};
use frame_support::traits::{TryState, TryStateSelect};
use pallet_bill_update::StatusChange;
use pallet_participant::{ParticipantKind, Registration};
use pallet_scene::{Call as SceneCall, Decision, SceneStatus};
use sp_runtime::traits::Dispatchable;
use std::{collections::BTreeMap, sync::OnceLock};

/// Participants that hold the office of a system administrator beside their
/// roles.
const SYSTEM_ADMINS: [Actor; 2] = [Actor::Admin, Actor::Platform];

/// 2026-11-24 08:00 UTC+8.
pub const START: u64 = 1_795_478_400_000;

pub fn did(actor: Actor) -> Did {
    let name = match actor {
        Actor::Issuer(n) => format!("hospital-{n}"),
        Actor::User(n) => format!("insurer-{n}"),
        Actor::Platform => "platform".into(),
        Actor::Admin => "admin".into(),
        Actor::Both => "both".into(),
        Actor::Stranger => "nobody".into(),
    };
    format!("did:bill:{name}").parse().expect("plain names")
}

fn key_of(actor: Actor) -> PublicKey {
    let seed = did(actor);
    PublicKey::Sm2(SecretKey::from_seed(seed.as_bytes()).public().to_compressed())
}

fn origin(actor: Actor) -> RuntimeOrigin {
    RuntimeOrigin::signed(key_of(actor).account_id())
}

fn roles(actor: Actor) -> RoleSet {
    RoleSet::of(match actor {
        Actor::Issuer(_) => &[Role::Issuer],
        Actor::User(_) => &[Role::User],
        Actor::Platform => &[Role::Platform],
        Actor::Admin => &[Role::Admin],
        Actor::Both => &[Role::Issuer, Role::User],
        Actor::Stranger => &[],
    })
}

fn rules(scene: model::SceneRules) -> SceneRules {
    SceneRules {
        mode: if scene.cumulative {
            ReimbursementMode::Cumulative
        } else {
            ReimbursementMode::Exclusive
        },
        weight: 1,
        lock_period_ms: scene.lock_ms,
        void: if scene.voidable { VoidPolicy::Allowed } else { VoidPolicy::Refused },
        access_node: AccessNodePolicy::NotRequired,
        required: SummaryFields::NONE,
    }
}

/// A chain with the model's actors, scenes and whitelist.
pub fn build(model: &model::Model) -> sp_io::TestExternalities {
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

/// A new block at this time.
pub fn next_block(number: u32, now: u64) {
    System::set_block_number(number);
    System::set_extrinsic_index(0);
    System::reset_events();
    Timestamp::set_timestamp(now);
}

fn send(actor: Actor, call: impl Into<RuntimeCall>) -> Result<(), String> {
    call.into()
        .dispatch(origin(actor))
        .map(|_| ())
        .map_err(|refusal| format!("{:?}", refusal.error))
}

/// Does `op` on the chain.
pub fn apply(actor: Actor, op: &Op, now: u64) -> Result<(), String> {
    use pallet_bill_register::Call as Register;
    use pallet_bill_update::Call as Update;
    match op {
        Op::Register(draft) => {
            send(actor, Register::<Runtime>::register { summary: summary(draft, now) })
        }
        Op::PreIssue(draft) => {
            send(actor, Register::<Runtime>::pre_issue { notice: summary(draft, now) })
        }
        Op::ConfirmNotice(key) => send(actor, Register::<Runtime>::confirm { key: bill_key(*key) }),
        Op::VoidNotice(key) => {
            send(actor, Register::<Runtime>::void { key: bill_key(*key), reason: reason() })
        }
        Op::Change { key, expected, change } => send(
            actor,
            Update::<Runtime>::change_status {
                key: bill_key(*key),
                expected_version: *expected,
                change: status_change(change, now),
            },
        ),
        Op::RedReverse { key, expected, red, balance } => send(
            actor,
            Update::<Runtime>::red_reverse {
                key: bill_key(*key),
                expected_version: *expected,
                red: summary(red, now),
                balance: balance.as_ref().map(|draft| summary(draft, now)),
                reason: reason(),
            },
        ),
    }
}

fn council(call: impl Into<RuntimeCall>) {
    let origin = pallet_collective::RawOrigin::Members(3, 4).into();
    call.into().dispatch(origin).expect("the council may");
}

pub fn set_frozen(actor: Actor, frozen: bool) {
    let status = if frozen { ParticipantStatus::Frozen } else { ParticipantStatus::Active };
    let (did, reason) = (did(actor), reason());
    council(pallet_participant::Call::<Runtime>::set_status { did, status, reason });
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
    send(actor, call).expect("an administrator may");
    if frozen {
        set_frozen(actor, true);
    }
}

pub fn set_whitelisted(scene: Scene, actor: Actor, listed: bool) {
    let (scene, did) = (SceneId(scene), did(actor));
    if listed {
        council(pallet_permissions::Call::<Runtime>::set_whitelist { scene, did });
    } else {
        council(pallet_permissions::Call::<Runtime>::remove_whitelist { scene, did });
    }
}

pub fn try_state(number: u32) {
    AllPalletsWithSystem::try_state(number, TryStateSelect::All).expect("every rule holds");
}

/// The chain's bill in the model's words.
pub fn bill(key: model::Key, now: u64) -> Option<model::Bill> {
    let Bill { summary, state, .. } = pallet_bill_register::Bills::<Runtime>::get(bill_key(key))?;
    let actor = |did: &Did| {
        Actor::all().into_iter().find(|actor| self::did(*actor) == *did).expect("a known actor")
    };
    let number = |key: BillKey| key.number.as_str().parse().expect("ten digits");
    Some(model::Bill {
        draft: Draft {
            key: number(summary.key),
            kind: match summary.kind {
                BillKind::Blue => Kind::Blue,
                BillKind::Red => Kind::Red,
                BillKind::PaymentNotice => Kind::Notice,
            },
            issuer: actor(&summary.issuer),
            scene: summary.scene.0,
            total: summary.total.get(),
            related: summary.related.map(number),
            has_xml_hash: summary.xml_hash != [0; 32],
            days_ahead: summary.issue_date.days().saturating_sub(IssueDate::days_of_moment(now)),
        },
        status: status(state.status),
        version: state.version,
        lock: state.lock.map(|lock| model::Lock {
            holder: actor(&lock.holder),
            claim: match lock.purpose {
                LockPurpose::Claim { scene, claim_no, .. } => {
                    Some((scene.0, claim_no.as_str().parse().expect("a number")))
                }
                LockPurpose::Administrative { .. } => None,
            },
            expires: lock.expires,
            before: status(lock.before),
        }),
        claims: state
            .reimbursements
            .iter()
            .map(|claim| model::Claim {
                payer: actor(&claim.payer),
                scene: claim.scene.0,
                amount: claim.amount.get(),
                before: status(claim.before),
            })
            .collect(),
    })
}

fn status(status: BillStatus) -> Status {
    match status {
        BillStatus::PreIssued => Status::PreIssued,
        BillStatus::Normal => Status::Normal,
        BillStatus::Locked => Status::Locked,
        BillStatus::PartlyReimbursed => Status::PartlyReimbursed,
        BillStatus::Reimbursed => Status::Reimbursed,
        BillStatus::RedReversed => Status::RedReversed,
        BillStatus::Voided => Status::Voided,
    }
}

fn bill_key(key: model::Key) -> BillKey {
    BillKey {
        code: "31060126".parse().expect("8 digits"),
        number: format!("{key:010}").parse().expect("10 digits"),
    }
}

fn summary(draft: &Draft, now: u64) -> BillSummary {
    BillSummary {
        key: bill_key(draft.key),
        check_code: "a1B2c3".parse().expect("6 characters"),
        kind: match draft.kind {
            Kind::Blue => BillKind::Blue,
            Kind::Red => BillKind::Red,
            Kind::Notice => BillKind::PaymentNotice,
        },
        issue_date: date(IssueDate::days_of_moment(now) + draft.days_ahead),
        issue_time: IssueTime::new(83_000).expect("a real time"),
        total: Fen::new(draft.total).expect("in bounds"),
        issuer: did(draft.issuer),
        issuer_uscc: "91350100M000100Y43".parse().expect("18 characters"),
        payer_type: PayerType::Person,
        payer_ref: [7; 32],
        scene: SceneId(draft.scene),
        biz_no_hash: [8; 32],
        xml_hash: [u8::from(draft.has_xml_hash); 32],
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: draft.related.map(bill_key),
    }
}

/// The date that many days after 1970-01-01.
fn date(days: u64) -> IssueDate {
    static DATES: OnceLock<BTreeMap<u64, IssueDate>> = OnceLock::new();
    let dates = DATES.get_or_init(|| {
        let numbers = 20_261_101..20_280_101;
        let dates = numbers.filter_map(|number| IssueDate::new(number).ok());
        dates.map(|date| (date.days(), date)).collect()
    });
    *dates.get(&days).expect("the test plays within a year")
}

fn reason() -> Reason {
    Reason::new("开票有误").expect("a plain text")
}

fn status_change(change: &Change, now: u64) -> StatusChange {
    let evidence = |given: bool| [u8::from(given); 32];
    match change {
        Change::Confirm => StatusChange::Confirm,
        Change::Void => StatusChange::Void { reason: reason() },
        Change::Lock { scene, claim, for_user } => StatusChange::Lock {
            scene: SceneId(*scene),
            claim_no: claim.to_string().parse().expect("a plain number"),
            on_behalf_of: for_user.map(did),
            grant: None,
            signed_at: now,
        },
        Change::Unlock => StatusChange::Unlock { reason: reason() },
        Change::Expire => StatusChange::ExpireLock,
        Change::AdminLock { evidence: given } => {
            StatusChange::AdminLock { reason: reason(), evidence: evidence(*given) }
        }
        Change::AdminUnlock { evidence: given } => {
            StatusChange::AdminUnlock { reason: reason(), evidence: evidence(*given) }
        }
        Change::Reimburse(amount) => {
            StatusChange::Reimburse { amount: Fen::new(*amount).expect("in bounds") }
        }
        Change::ReverseUse { approval } => {
            StatusChange::ReverseUse { reason: reason(), approval: evidence(*approval) }
        }
    }
}
