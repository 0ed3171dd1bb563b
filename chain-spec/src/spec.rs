//! What a chain spec says.

use crate::SpecError;
use billchain_primitives::{
    AdminRole, BillStatus, CoolingPolicy, Did, Moment, Name, Operation, PublicKey, RoleSet,
    SceneId, SignatureScheme, Target, seams::SceneTerms,
};
use billchain_runtime::limits::hard_limits;
use pallet_bill_register::FieldRules;
use pallet_outbox::Terms;
use pallet_participant::Registration;
use pallet_performance::{Limits, Quota, Quotas};
use pallet_permissions::TransitionRuleKey;
use pallet_scene::RelatedData;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Unexpected, Visitor},
};
use std::fmt;

/// What sort of chain it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainType {
    /// Well-known keys and Substrate's signature schemes are admitted.
    Development,
    /// SM2 alone; well-known keys are refused.
    Production,
}

impl ChainType {
    /// The signature schemes a chain of this type admits.
    pub fn schemes(self) -> Vec<SignatureScheme> {
        match self {
            Self::Production => vec![SignatureScheme::Sm2],
            Self::Development => vec![
                SignatureScheme::Sm2,
                SignatureScheme::Ed25519,
                SignatureScheme::Sr25519,
                SignatureScheme::Ecdsa,
            ],
        }
    }
}

/// The document. Where it speaks of accounts it gives the keys: an account is
/// derived from its key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChainSpec {
    /// Name to show.
    pub name: Name,
    /// Short name for directories and protocols: lower-case letters, digits and
    /// `-`, at most 32.
    pub id: String,
    /// Development or production.
    pub chain_type: ChainType,
    /// When the chain begins: the first block's time is later. Milliseconds
    /// since 1970-01-01T00:00:00Z.
    pub timestamp_ms: Moment,
    /// The rules of its first blocks: the `spec_version` of the release that makes
    /// the first state. Later ones come by motion.
    #[serde(default = "first_rules")]
    pub rules: u32,
    /// The validators.
    pub operators: Vec<Operator>,
    /// Keys of the council's members, who administer by motion.
    pub council: Vec<PublicKey>,
    /// Those who act from the first block on.
    pub participants: Vec<Registration>,
    /// The business scenes.
    pub scenes: Vec<Scene>,
    /// The status machine of bills.
    #[serde(default = "TransitionRule::standard")]
    pub transition_rules: Vec<TransitionRule>,
    /// What the fields of new bills must be, by scene.
    #[serde(default)]
    pub field_rules: Vec<SceneFieldRules>,
    /// Who may lock bills without a grant, and in which scenes.
    #[serde(default)]
    pub whitelist: Vec<Whitelisted>,
    /// The three administrators (三员), different participants: two system
    /// administrators at least, a security administrator and an auditor.
    #[serde(default)]
    pub admins: Vec<Admin>,
    /// Nodes that follow without a vote.
    #[serde(default)]
    pub observers: Vec<Observer>,
    /// What blocks are valid, and who may use how much of them.
    #[serde(default)]
    pub performance: Performance,
    /// What becomes cold, and how fast (冷热分层策略): nothing if left out.
    #[serde(default)]
    pub cooling: CoolingPolicy,
    /// Connectors (连接器) to systems outside, from number 1 on; none if left out.
    #[serde(default)]
    pub connectors: Vec<Terms>,
}

/// Rules of a document that does not name them: those of the first release that
/// another could follow.
fn first_rules() -> u32 {
    3
}

/// Limits and quotas a chain begins with; motions of the council change them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Performance {
    /// What is valid: the most that the code can bear if left out.
    #[serde(default = "hard_limits")]
    pub limits: Limits,
    /// Quotas of all senders; nobody is held back if left out.
    #[serde(default)]
    pub quotas: Quotas,
    /// Participants with a quota of their own.
    #[serde(default)]
    pub participants: Vec<ParticipantQuota>,
}

impl Default for Performance {
    fn default() -> Self {
        Self { limits: hard_limits(), quotas: Quotas::default(), participants: Vec::new() }
    }
}

/// A participant's own quota.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParticipantQuota {
    /// The participant.
    pub did: Did,
    /// What it may use.
    pub quota: Quota,
}

/// Who runs a validator and sits in the council.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operator {
    /// Name to show.
    pub name: Name,
    /// Public key of the operator's account, `scheme:hex`; the account follows from it.
    #[serde(deserialize_with = "account_key")]
    pub account: PublicKey,
    /// SM2 key its node votes with, `sm2:hex`; another than any account's.
    pub consensus_key: PublicKey,
    /// libp2p identity of its node, in base 58.
    pub peer_id: String,
    /// Voting power; not 0.
    pub power: u64,
}

/// A node that follows the chain and does not vote.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observer {
    /// Name to show.
    pub name: Name,
    /// libp2p identity of the node, in base 58.
    pub peer_id: String,
}

/// A business scene, active from the first block on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scene {
    /// Its number.
    pub id: SceneId,
    /// Name to show.
    pub name: Name,
    /// Its rules.
    pub rules: SceneTerms,
    /// Kinds of data that belong to its claims (关联数据类型).
    #[serde(default)]
    pub related_data: RelatedData,
}

/// One rule of the status machine, general or of a scene: what is not in it is refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransitionRule {
    /// Status of the bill; none if it does not exist yet.
    pub from: Option<BillStatus>,
    /// What is done.
    pub operation: Operation,
    /// The scene whose own rule it is; none: the general one, for every scene
    /// that has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<SceneId>,
    /// Any of these roles may; none in a scene's own rule: nobody may there.
    pub roles: RoleSet,
    /// Where it leads.
    pub to: Target,
}

impl TransitionRule {
    /// The status machine of fiscal electronic bills.
    pub fn standard() -> Vec<Self> {
        pallet_permissions::default_rules()
            .into_iter()
            .map(|(TransitionRuleKey { from, operation, scene }, roles, to)| Self {
                from,
                operation,
                scene,
                roles,
                to,
            })
            .collect()
    }
}

/// The field rules (字段校验规则) of a scene.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SceneFieldRules {
    /// The scene; none: the rules are for all scenes.
    #[serde(default)]
    pub scene: Option<SceneId>,
    /// The rules.
    pub rules: FieldRules,
}

/// A participant that may lock in some scenes without a grant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Whitelisted {
    /// The participant.
    pub did: Did,
    /// The scenes.
    pub scenes: Vec<SceneId>,
}

/// An administrator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Admin {
    /// Public key of the administrator's account, `scheme:hex`: that of a participant.
    #[serde(deserialize_with = "account_key")]
    pub account: PublicKey,
    /// The office.
    pub role: AdminRole,
}

/// Reads a field that is named for an account and holds the key, from which the account
/// follows. Whoever writes the account itself is told which form is expected.
fn account_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
    deserializer.deserialize_str(AccountKey)
}

struct AccountKey;

impl Visitor<'_> for AccountKey {
    type Value = PublicKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "in the field `account` a public key, sm2: and its point in hex, as `billchain keys \
             show` prints it (a development chain takes ed25519:, sr25519: and ecdsa:, too); the \
             account itself, 0x…, follows from the key and is not written here",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PublicKey, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl ChainSpec {
    /// The document in JSON, as [`Self::from_json`] reads it.
    pub fn to_json(&self) -> Result<String, SpecError> {
        serde_json::to_string_pretty(self).map_err(|error| SpecError::Json(error.to_string()))
    }

    /// Reads and checks a document.
    pub fn from_json(text: &str) -> Result<Self, SpecError> {
        let spec: Self =
            serde_json::from_str(text).map_err(|error| SpecError::Json(error.to_string()))?;
        spec.check()?;
        Ok(spec)
    }

    /// The participant that acts with this key.
    pub(crate) fn participant_with(&self, key: &PublicKey) -> Option<&Registration> {
        self.participants.iter().find(|participant| participant.public_key == *key)
    }

    /// Fails with every problem, if there is any.
    pub fn check(&self) -> Result<(), SpecError> {
        let problems = self.problems();
        if problems.is_empty() { Ok(()) } else { Err(SpecError::Invalid { problems }) }
    }
}
