//! The development chain.

use crate::{
    Admin, ChainSpec, ChainType, Operator, Performance, Scene, TransitionRule, Whitelisted,
    dev::{self, NodeKeys},
};
use billchain_primitives::{AdminRole, CoolingPolicy, Did, Name, PublicKey, Role, RoleSet};
use billchain_runtime::VERSION;
use pallet_participant::{ParticipantKind, Registration};
use sp_keyring::Sr25519Keyring;

/// 2026-01-01T00:00:00+08:00: any fixed moment in the past will do.
const TIMESTAMP_MS: u64 = 1_767_196_800_000;

impl ChainSpec {
    /// The development chain: four nodes `//node-1` to `//node-4`, whose
    /// operators are the council; the participants of the main job
    /// (`//hospital`, `//insurer-a`, `//insurer-b`, `//platform`), 51 more
    /// issuers `//hospital-1` …, two system administrators `//admin` and
    /// `//admin-2`, a security administrator and an auditor, with SM2 keys; and //Alice (issuer), //Bob (user) and //Charlie (platform) with
    /// Substrate's sr25519 keys. Participant `//x` has the DID `did:bill:x`.
    pub fn development() -> Self {
        let operators: Vec<Operator> = (1..=dev::NODES).map(operator).collect();
        Self {
            name: name("BillChain Development"),
            id: "billchain-dev".into(),
            chain_type: ChainType::Development,
            timestamp_ms: TIMESTAMP_MS,
            rules: VERSION.spec_version,
            council: operators.iter().map(|operator| operator.account.clone()).collect(),
            operators,
            participants: participants(),
            scenes: Scene::standard(),
            transition_rules: TransitionRule::standard(),
            field_rules: Vec::new(),
            whitelist: whitelist(),
            admins: vec![
                admin("//admin", AdminRole::SystemAdmin),
                admin("//admin-2", AdminRole::SystemAdmin),
                admin("//security", AdminRole::SecurityAdmin),
                admin("//auditor", AdminRole::Auditor),
            ],
            observers: Vec::new(),
            performance: Performance::default(),
            cooling: CoolingPolicy::default(),
            connectors: Vec::new(),
        }
    }
}

fn operator(number: usize) -> Operator {
    let keys = NodeKeys::of(number);
    Operator {
        name: name(&format!("Node {number}")),
        peer_id: keys.peer_id(),
        account: PublicKey::Sm2(keys.account.public().to_compressed()),
        consensus_key: PublicKey::Sm2(keys.consensus.public().to_compressed()),
        power: 1,
    }
}

fn admin(seed: &str, role: AdminRole) -> Admin {
    Admin { account: dev::public(seed), role }
}

/// Everybody who claims may lock in every scene: grants come later.
fn whitelist() -> Vec<Whitelisted> {
    ["insurer-a", "insurer-b", "platform", "bob", "charlie"]
        .into_iter()
        .map(|id| Whitelisted {
            did: did(id),
            scenes: Scene::standard().into_iter().map(|scene| scene.id).collect(),
        })
        .collect()
}

fn participants() -> Vec<Registration> {
    let sm2 =
        |id: &str, shown: &str, role| participant(id, shown, dev::public(&format!("//{id}")), role);
    let substrate =
        |id: &str, shown: &str, who, role| participant(id, shown, dev::substrate(who), role);
    let mut list = vec![
        sm2("hospital", "上海市浦江示范医院（虚构）", Role::Issuer),
        sm2("insurer-a", "示范保险公司甲（虚构）", Role::User),
        sm2("insurer-b", "示范保险公司乙（虚构）", Role::User),
        sm2("platform", "示范服务平台（虚构）", Role::Platform),
        sm2("admin", "示范管理员（虚构）", Role::Admin),
        sm2("admin-2", "示范管理员乙（虚构）", Role::Admin),
        sm2("security", "示范安全管理员（虚构）", Role::Admin),
        sm2("auditor", "示范审计员（虚构）", Role::Auditor),
        substrate("alice", "Alice", Sr25519Keyring::Alice, Role::Issuer),
        substrate("bob", "Bob", Sr25519Keyring::Bob, Role::User),
        substrate("charlie", "Charlie", Sr25519Keyring::Charlie, Role::Platform),
    ];
    list.extend(
        (1..=dev::ISSUERS).map(|n| {
            sm2(&format!("hospital-{n}"), &format!("示范医院第{n}号（虚构）"), Role::Issuer)
        }),
    );
    list
}

fn participant(id: &str, shown: &str, public_key: PublicKey, role: Role) -> Registration {
    Registration {
        did: did(id),
        name: name(shown),
        kind: ParticipantKind::Organisation,
        public_key,
        roles: RoleSet::of(&[role]),
        uscc_hash: None,
    }
}

fn did(id: &str) -> Did {
    Did::new(format!("did:bill:{id}").as_bytes())
        .expect("the ids here are letters, digits and -; qed")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("the names here are short texts; qed")
}
