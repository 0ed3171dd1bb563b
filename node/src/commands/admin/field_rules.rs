//! `billchain admin field-rules`.

use super::Act;
use anyhow::{Context, Result};
use billchain_primitives::SceneId;
use billchain_runtime::Runtime;
use clap::Subcommand;
use pallet_bill_register::FieldRules;
use serde_json::{Value, json};

type Call = pallet_bill_register::Call<Runtime>;

/// Actions on the field rules (字段校验规则), which say what a new bill must be.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Replace the rules of a scene, or those of all scenes (a motion of the
    /// council).
    Set {
        /// The rules as docs/rpc.md has them: [{"check": {"allotted": "all"}}].
        #[arg(value_parser = rules)]
        rules: FieldRules,
        /// Number of the scene; left out: all scenes.
        #[arg(long)]
        scene: Option<u16>,
        /// Version of the rules that are replaced; 0: none were set.
        #[arg(long)]
        expected_version: Option<u32>,
    },
    /// Show the rules of a scene, or those of all scenes.
    Show {
        /// Number of the scene; left out: all scenes.
        #[arg(long)]
        scene: Option<u16>,
    },
}

impl Action {
    pub(super) fn act(&self) -> Result<Act> {
        match self {
            Self::Set { rules, scene, expected_version } => Act::motion(Call::set_field_rules {
                scene: scene.map(SceneId),
                expected_version: *expected_version,
                rules: rules.clone(),
            }),
            Self::Show { scene } => Act::read("bill_fieldRules", [json!(scene), Value::Null]),
        }
    }
}

fn rules(text: &str) -> Result<FieldRules> {
    serde_json::from_str(text).context("expected a list of field rules in JSON")
}
