//! A production chain from what its operators agreed on.

use crate::{
    Admin, ChainSpec, ChainType, Observer, Operator, Scene, SceneFieldRules, SpecError,
    TransitionRule, Whitelisted,
};
use billchain_primitives::{Moment, Name};
use pallet_participant::Registration;
use serde::{Deserialize, Serialize};

/// What the operators of a production chain write down together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductionInput {
    /// Name to show.
    pub name: Name,
    /// See [`ChainSpec::id`].
    pub id: String,
    /// See [`ChainSpec::timestamp_ms`].
    pub timestamp_ms: Moment,
    /// The validators' operators, four or more; they are the council.
    pub operators: Vec<Operator>,
    /// First participants.
    #[serde(default)]
    pub participants: Vec<Registration>,
    /// Who may lock bills without a grant.
    #[serde(default)]
    pub whitelist: Vec<Whitelisted>,
    /// The three administrators (三员); see [`ChainSpec::admins`].
    #[serde(default)]
    pub admins: Vec<Admin>,
    /// What the fields of new bills must be, by scene.
    #[serde(default)]
    pub field_rules: Vec<SceneFieldRules>,
    /// The business scenes; the standard ones if left out.
    #[serde(default = "Scene::standard")]
    pub scenes: Vec<Scene>,
    /// Nodes that follow without a vote.
    #[serde(default)]
    pub observers: Vec<Observer>,
}

impl ChainSpec {
    /// The production chain of `input`: SM2 alone, the operators as its
    /// council, and the standard transition rules. Fails with every
    /// problem of the input.
    pub fn production(input: ProductionInput) -> Result<Self, SpecError> {
        let spec = Self {
            name: input.name,
            id: input.id,
            chain_type: ChainType::Production,
            timestamp_ms: input.timestamp_ms,
            council: input.operators.iter().map(|operator| operator.account.clone()).collect(),
            operators: input.operators,
            participants: input.participants,
            scenes: input.scenes,
            transition_rules: TransitionRule::standard(),
            field_rules: input.field_rules,
            whitelist: input.whitelist,
            admins: input.admins,
            observers: input.observers,
        };
        spec.check()?;
        Ok(spec)
    }
}
