//! The worst cases that benchmarks begin from: longest texts, fullest lists.
//! Whatever several benchmarks need is made here, in one place, through the
//! runtime's own storage.

use billchain_crypto::sm2::SecretKey;
use billchain_primitives::{
    AccountId, AdminRole, BillKey, BillKind, BillStatus, BillSummary, ClaimNo, CodePart, Did, Fen,
    GrantId, Hash, IssueDate, IssueTime, Keyword, Lock, LockPurpose, MAX_REIMBURSEMENTS, Moment,
    Name, Operation, PayerType, PublicKey, Reason, Reimbursement, Role, RoleSet, SceneId, Stamp,
    SummaryField, SummaryFields,
    condition::{Conditions, Guarded},
    history::{Cause, Entry},
    seams::{
        AccessNodePolicy, Allotments, BillLedger, PolicyId, ReimbursementMode, SceneTerms,
        VoidPolicy,
    },
    sm3,
};
use billchain_runtime::{
    Allotment, Authorization, BillRegister, CouncilCollective, Participant, Permissions, Runtime,
    RuntimeOrigin, System,
};
use frame_support::{BoundedVec, traits::Get};
use pallet_access_node::{LinkedNode, NodeStatus, NodesOf};
use pallet_allotment::{MAX_RANGES, MAX_VOIDED, number_of};
use pallet_authorization::{GrantStatus, GrantsById, Scope, Terms};
use pallet_bill_register::{
    AllottedCodes, FieldCheck, FieldRule, FieldRuleSet, FieldRuleSets, FieldRules, MAX_FIELD_RULES,
    MAX_PARTS,
};
use pallet_dispute::{Contender, Contest, Contests, Precedence};
use pallet_participant::{ParticipantKind, Registration};
use pallet_policy::{Compiled, Effect, InForce};
use pallet_scene::{RelatedData, Scene, SceneStatus, Scenes};

/// A fixed moment after the development chain's first: 2026-01-06.
pub(crate) const NOW: Moment = 1_767_628_800_000;

/// A hash that is not zero, one a number.
pub(crate) fn hash(number: u32) -> [u8; 32] {
    sm3(&number.to_le_bytes())
}

/// Begins a block and a transaction in it.
pub(crate) fn begin() {
    System::set_block_number(1);
    // The first is the block's time.
    System::set_extrinsic_index(1);
    // Without the mark that the block has a time: the next block gives its own.
    pallet_timestamp::Now::<Runtime>::put(NOW);
}

/// The origin of a call that the whole council approved.
pub(crate) fn council() -> RuntimeOrigin {
    pallet_collective::RawOrigin::<AccountId, CouncilCollective>::Members(4, 4).into()
}

/// The origin of a transaction of `who`.
pub(crate) fn signed(who: &Member) -> RuntimeOrigin {
    RuntimeOrigin::signed(who.account.clone())
}

/// A longest DID.
pub(crate) fn did(kind: &str, number: u32) -> Did {
    let start = format!("did:bill:{kind}:{number}:");
    Did::new(format!("{start:x<64}").as_bytes()).expect("64 letters, digits and colons; qed")
}

/// A longest name.
pub(crate) fn name(number: u32) -> Name {
    Name::new(&format!("{number:x>128}")).expect("128 letters and digits; qed")
}

/// A longest reason.
pub(crate) fn reason() -> Reason {
    Reason::new(&"r".repeat(Reason::MAX_LEN as usize)).expect("256 letters; qed")
}

/// A longest claim number.
pub(crate) fn claim_no() -> ClaimNo {
    ClaimNo::new(&"c".repeat(ClaimNo::MAX_LEN as usize)).expect("64 letters; qed")
}

/// An SM2 key, one a number.
pub(crate) fn secret(number: u32) -> SecretKey {
    SecretKey::from_seed(format!("benchmark {number}").as_bytes())
}

/// The public key of [`secret`].
pub(crate) fn key(number: u32) -> PublicKey {
    PublicKey::Sm2(secret(number).public().to_compressed())
}

/// As many roles as one participant may have: an auditor administers nothing.
pub(crate) const ROLES: [Role; 4] = [Role::Issuer, Role::User, Role::Platform, Role::Admin];

/// A participant.
pub(crate) struct Member {
    pub(crate) did: Did,
    pub(crate) account: AccountId,
}

/// A registration that is not on the chain, with the longest texts.
pub(crate) fn registration(number: u32, roles: RoleSet) -> Registration {
    Registration {
        did: did("member", number),
        name: name(number),
        kind: ParticipantKind::Organisation,
        public_key: key(number),
        roles,
        uscc_hash: Some(Hash::from(hash(number))),
    }
}

/// An active participant with these roles.
pub(crate) fn member(number: u32, roles: &[Role]) -> Member {
    let registration = registration(number, RoleSet::of(roles));
    let (did, account) = (registration.did.clone(), registration.public_key.account_id());
    Participant::register(council(), registration).expect("a fresh participant; qed");
    Member { did, account }
}

/// An active participant that holds an office.
pub(crate) fn administrator(number: u32, office: AdminRole) -> Member {
    let member = member(number, &[Role::User]);
    Permissions::set_admin(council(), member.did.clone(), office)
        .expect("the participant holds no office yet; qed");
    member
}

/// The transaction at hand.
pub(crate) fn stamp() -> Stamp {
    Stamp { block: 1, extrinsic: Some(1), moment: NOW }
}

/// An issuer with as many access nodes as it may have, of which the last alone
/// is in operation.
pub(crate) fn issuer(number: u32) -> Member {
    let issuer = member(number, &[Role::Issuer]);
    let most: u32 = <Runtime as pallet_access_node::Config>::MaxNodesPerParticipant::get();
    let nodes = (1..=most)
        .map(|node| LinkedNode {
            node: did("node", node),
            status: if node == most { NodeStatus::Normal } else { NodeStatus::Paused },
        })
        .collect::<Vec<_>>();
    NodesOf::<Runtime>::insert(&issuer.did, BoundedVec::truncate_from(nodes));
    issuer
}

/// A scene that several payers may claim in, and that asks for access nodes.
pub(crate) fn scene() -> SceneId {
    let id = SceneId(u16::MAX);
    let rules = SceneTerms {
        mode: ReimbursementMode::Cumulative,
        weight: 1,
        lock_period_ms: 1_000,
        void: VoidPolicy::Allowed,
        access_node: AccessNodePolicy::Required,
        required: SummaryFields::of(&[SummaryField::PayerRef, SummaryField::BizNoHash]),
    };
    Scenes::<Runtime>::insert(id, scene_with(rules));
    id
}

/// An active scene with these rules.
pub(crate) fn scene_with(rules: SceneTerms) -> Scene {
    Scene {
        name: name(1),
        status: SceneStatus::Active,
        rules,
        related_data: related_data(),
        version: 1,
        updated: stamp(),
    }
}

/// As many kinds of related data as a scene may have.
pub(crate) fn related_data() -> RelatedData {
    let most = pallet_scene::MAX_RELATED_DATA;
    let kind = |number| Keyword::new(&format!("{number:k>48}"));
    let kinds = (0..most).map(|number| kind(number).expect("48 letters and digits; qed"));
    RelatedData::truncate_from(kinds.collect())
}

/// `count` field rules that bills keep, each with as many values as one may
/// have.
pub(crate) fn field_rules(count: u32) -> FieldRules {
    let part = |number| format!("{number:02}").parse::<CodePart>().expect("2 digits; qed");
    // Of the bills' region, which is looked for last.
    let regions = (100 - MAX_PARTS..100).map(part).collect();
    let check = FieldCheck::Regions(BoundedVec::truncate_from(regions));
    let rule = FieldRule { kind: None, check };
    FieldRules::truncate_from(vec![rule; count as usize])
}

/// Fills the field rules of all scenes and those of `scene`; the last of them
/// asks for allotted numbers.
pub(crate) fn fill_field_rules(scene: SceneId) {
    let mut rules = field_rules(MAX_FIELD_RULES - 1);
    let allotted = FieldCheck::Allotted(AllottedCodes::All);
    rules.try_push(FieldRule { kind: None, check: allotted }).expect("room for one more; qed");
    for scene in [None, Some(scene)] {
        let set = FieldRuleSet { version: 1, rules: rules.clone(), operator: None, at: stamp() };
        FieldRuleSets::<Runtime>::insert(scene, set);
    }
}

/// Numbers of each range that [`allot`] gives.
pub(crate) const RANGE: u64 = 10_000;

/// Gives an issuer as many ranges of the bills' code as it may have but
/// `left`, the first from 0 on, each after a gap and with voided numbers at its
/// end.
pub(crate) fn allot(issuer: &Member, left: u32) {
    let code = bill_key(0).code;
    for range in 0..u64::from(MAX_RANGES - left) {
        let first = range * 2 * RANGE;
        Allotment::allot(
            council(),
            issuer.did.clone(),
            code,
            number_of(first),
            number_of(first + RANGE - 1),
        )
        .expect("numbers that nobody has; qed");
        let voided = if range == 0 { 0..0 } else { 1..u64::from(MAX_VOIDED) + 1 };
        for span in voided {
            let at = number_of(first + RANGE / 2 + 2 * span);
            Allotment::void(council(), issuer.did.clone(), code, at, at, reason())
                .expect("numbers of the range that nobody used; qed");
        }
    }
}

/// A number of those that [`allot`] gives, in another hundred for each place up to
/// 500: in one range after the other, then in all of them again.
pub(crate) fn apart(place: u32) -> u32 {
    let (range, hundred) = (place % MAX_RANGES, place / MAX_RANGES);
    // Ranges are as far apart as they are long, and 10,000 is far below u32.
    range * 2 * RANGE as u32 + hundred * 100 + 1
}

/// Notes that a bill has a number of the issuer's.
pub(crate) fn use_number(issuer: &Member, number: u32) {
    <Allotment as Allotments>::use_number(&issuer.did, &bill_key(number))
        .expect("a number of the issuer; qed");
}

/// Fills the policies in force: as many as may be, with as many steps as they
/// may take together, of which none objects, so that all are evaluated. Those
/// in force already stay, last.
pub(crate) fn policies(scene: SceneId, operation: Guarded) {
    let most: u32 = <Runtime as pallet_policy::Config>::MaxPoliciesPerScene::get();
    // One node, and its values: the longest there are, alike but for their ends.
    let listed: Vec<Did> = (1..steps_of_one()).map(|number| did("listed", number)).collect();
    let written = serde_json::json!({ "in": ["issuer", listed] });
    let conditions: Conditions =
        serde_json::from_value(written).expect("conditions within all bounds; qed");
    InForce::<Runtime>::mutate(scene, operation, |in_force| {
        let earlier = std::mem::take(in_force).into_inner();
        let others = (earlier.len() as u32..most).map(|policy| Compiled {
            policy: PolicyId(10_000 + policy as u16),
            version: 1,
            priority: 1,
            effect: Effect::Deny,
            conditions: conditions.clone(),
        });
        *in_force = BoundedVec::truncate_from(others.chain(earlier).collect());
    });
}

/// Steps of each of as many policies as may be in force.
pub(crate) fn steps_of_one() -> u32 {
    let most: u32 = <Runtime as pallet_policy::Config>::MaxPoliciesPerScene::get();
    let steps: u32 = <Runtime as pallet_policy::Config>::MaxStepsPerScene::get();
    steps / most
}

/// Code and number of a bill that nobody else has.
pub(crate) fn bill_key(number: u32) -> BillKey {
    BillKey {
        code: "99060126".parse().expect("8 digits; qed"),
        number: format!("{number:010}").parse().expect("10 digits; qed"),
    }
}

/// A bill that `issuer` may register in `scene`. Its issuer's code has a wrong
/// check digit, which is one event more.
pub(crate) fn summary(number: u32, issuer: &Member, scene: SceneId) -> BillSummary {
    BillSummary {
        key: bill_key(number),
        check_code: "aZ09bY".parse().expect("6 letters and digits; qed"),
        kind: BillKind::Blue,
        issue_date: IssueDate::new(20_260_105).expect("a real date; qed"),
        issue_time: IssueTime::new(93_015).expect("a time of day; qed"),
        total: Fen::new(100_000).expect("a small amount; qed"),
        issuer: issuer.did.clone(),
        issuer_uscc: "91350100M000100Y44".parse().expect("18 characters; qed"),
        payer_type: PayerType::Person,
        payer_ref: hash(1),
        scene,
        biz_no_hash: hash(2),
        xml_hash: hash(3),
        pdf_hash: [0; 32],
        location_hash: [0; 32],
        related: None,
    }
}

/// A bill on the chain.
pub(crate) fn bill(number: u32, issuer: &Member, scene: SceneId, status: BillStatus) -> BillKey {
    let summary = summary(number, issuer, scene);
    let key = summary.key;
    let cause = Cause::Operation(Operation::Register);
    BillRegister::open(summary, status, Entry::plain(cause, issuer.did.clone()))
        .expect("a bill that its issuer may register; qed");
    key
}

/// A bill on the chain that was claimed as often as leaves room for one more
/// claim.
pub(crate) fn claimed_bill(number: u32, issuer: &Member, scene: SceneId) -> BillKey {
    let key = bill(number, issuer, scene, BillStatus::Normal);
    let mut claimed = BillRegister::bill(&key).expect("the bill was just made; qed");
    for claim in 1..MAX_REIMBURSEMENTS as u16 {
        let before = if claim == 1 { BillStatus::Normal } else { BillStatus::PartlyReimbursed };
        let (payer, scene) = (did("payer", claim.into()), SceneId(60_000 + claim));
        let amount = Fen::new(1).expect("a small amount; qed");
        let reimbursement = Reimbursement { payer, scene, amount, before };
        claimed.state.reimbursements.try_push(reimbursement).expect("fewer than the most; qed");
    }
    claimed.state.status = BillStatus::PartlyReimbursed;
    let cause = Cause::Operation(Operation::Reimburse);
    BillRegister::advance(claimed, Entry::plain(cause, issuer.did.clone()))
        .expect("versions are far from their end; qed");
    key
}

/// Lets as many others contend for a bill as leave room for one more name.
pub(crate) fn contest(key: BillKey, winner: Option<&Did>) {
    let most: u32 = <Runtime as pallet_dispute::Config>::MaxContenders::get();
    let precedence = Precedence { signed_at: NOW - 1, weight: 1, transaction: Hash::zero() };
    let contenders = (1..most)
        .map(|number| Contender {
            claimant: did("contender", number),
            scene: SceneId(1),
            precedence,
        })
        .collect();
    let contenders = BoundedVec::truncate_from(contenders);
    let winner = winner.cloned();
    Contests::<Runtime>::insert(key, Contest { last: precedence, contenders, unnamed: 0, winner });
}

/// Locks a bill for `holder`.
pub(crate) fn lock(key: BillKey, holder: &Member, scene: SceneId, expires: Moment) {
    let mut bill = BillRegister::bill(&key).expect("the bill was just made; qed");
    bill.state.lock = Some(Lock {
        holder: holder.did.clone(),
        purpose: LockPurpose::Claim { scene, claim_no: claim_no(), grant: None },
        version: bill.state.version + 1,
        at: stamp(),
        expires: Some(expires),
        before: bill.state.status,
    });
    bill.state.status = BillStatus::Locked;
    let cause = Cause::Operation(Operation::Lock);
    BillRegister::advance(bill, Entry::plain(cause, holder.did.clone()))
        .expect("versions are far from their end; qed");
}

/// Terms of a grant of `holder` for `subject`, for `bills` bills of which the
/// last is `bill`.
pub(crate) fn terms(
    number: u32,
    holder: &Member,
    subject: &Member,
    scene: SceneId,
    bill: BillKey,
    bills: u32,
) -> Terms {
    let mut keys: Vec<BillKey> = (1..bills).map(|n| bill_key(1_000_000 + n)).collect();
    keys.push(bill);
    Terms {
        credential_hash: Hash::from(hash(number)),
        holder: holder.did.clone(),
        subject: subject.did.clone(),
        scope: Scope::Bills(BoundedVec::truncate_from(keys)),
        scene,
        valid_from: 0,
        valid_until: Moment::MAX,
    }
}

/// A grant on the chain, for as many bills as one may be for.
pub(crate) fn grant(
    holder: &Member,
    subject: &Member,
    scene: SceneId,
    bill: BillKey,
    status: GrantStatus,
) -> GrantId {
    let terms = terms(1, holder, subject, scene, bill, pallet_authorization::MAX_GRANT_BILLS);
    let id = GrantId(terms.credential_hash);
    Authorization::register_grant(signed(holder), terms).expect("a grant of its holder; qed");
    GrantsById::<Runtime>::mutate(id, |grant| {
        if let Some(grant) = grant {
            grant.status = status;
        }
    });
    id
}
