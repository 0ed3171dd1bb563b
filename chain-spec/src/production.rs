//! A production chain from what its operators agreed on.

use crate::{
    Admin, ChainSpec, ChainType, Observer, Operator, Performance, Scene, SceneFieldRules,
    SpecError, TransitionRule, Whitelisted,
};
use billchain_primitives::{CoolingPolicy, Moment, Name};
use billchain_runtime::VERSION;
use pallet_bill_register::{AllottedCodes, FieldCheck, FieldRule, FieldRules};
use pallet_outbox::Terms;
use pallet_participant::Registration;
use serde::{Deserialize, Serialize};

/// What becomes of a bill whose number was not allotted (赋码) to its issuer.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnallottedNumbers {
    /// It is refused: the chain begins with a field rule of all scenes that says
    /// so.
    #[default]
    Refused,
    /// It is taken, until a motion of the council sets such a rule.
    Admitted,
}

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
    /// What becomes of bills whose number was not allotted; refused if left
    /// out.
    #[serde(default)]
    pub unallotted_numbers: UnallottedNumbers,
    /// The business scenes; the standard ones if left out.
    #[serde(default = "Scene::standard")]
    pub scenes: Vec<Scene>,
    /// Nodes that follow without a vote.
    #[serde(default)]
    pub observers: Vec<Observer>,
    /// What blocks are valid, and who may use how much of them.
    #[serde(default)]
    pub performance: Performance,
    /// What becomes cold, and how fast; nothing if left out.
    #[serde(default)]
    pub cooling: CoolingPolicy,
    /// Connectors to systems outside; none if left out.
    #[serde(default)]
    pub connectors: Vec<Terms>,
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
            rules: VERSION.spec_version,
            council: input.operators.iter().map(|operator| operator.account.clone()).collect(),
            operators: input.operators,
            participants: input.participants,
            scenes: input.scenes,
            transition_rules: TransitionRule::standard(),
            field_rules: match input.unallotted_numbers {
                UnallottedNumbers::Refused => with_allotted_numbers(input.field_rules)?,
                UnallottedNumbers::Admitted => input.field_rules,
            },
            whitelist: input.whitelist,
            admins: input.admins,
            observers: input.observers,
            performance: input.performance,
            cooling: input.cooling,
            connectors: input.connectors,
        };
        spec.check()?;
        Ok(spec)
    }
}

/// The rules, with one for all scenes and codes that numbers are allotted.
fn with_allotted_numbers(
    mut sets: Vec<SceneFieldRules>,
) -> Result<Vec<SceneFieldRules>, SpecError> {
    let rule = FieldRule { kind: None, check: FieldCheck::Allotted(AllottedCodes::All) };
    let general = match sets.iter().position(|set| set.scene.is_none()) {
        Some(at) => &mut sets[at],
        None => {
            sets.push(SceneFieldRules { scene: None, rules: FieldRules::default() });
            let last = sets.len() - 1;
            &mut sets[last]
        }
    };
    if !general.rules.contains(&rule) {
        general.rules.try_push(rule).map_err(|_| SpecError::Invalid {
            problems: vec![
                "fieldRules: the rules of all scenes are as many as may be, which leaves no room \
                 for the one that numbers are allotted"
                    .into(),
            ],
        })?;
    }
    Ok(sets)
}
