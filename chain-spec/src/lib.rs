//! The document a chain begins with: who operates it, who takes part, by which
//! rules. Equal documents give equal genesis hashes on every machine.
//!
//! A [`ChainSpec`] is JSON. It is checked whole, with every problem reported at
//! once ([`ChainSpec::problems`]), and turned into the first state
//! ([`ChainSpec::genesis_state`]). [`ChainSpec::development`] has well-known
//! keys and admits Substrate's signature schemes; [`ChainSpec::production`]
//! admits SM2 alone and no well-known key.

#![forbid(unsafe_code)]

pub mod dev;
mod development;
mod document;
mod genesis;
mod problems;
mod production;
mod scenes;
mod spec;

pub use document::Document;
pub use problems::SpecError;
pub use production::{ProductionInput, UnallottedNumbers};
pub use spec::{
    Admin, ChainSpec, ChainType, Observer, Operator, ParticipantQuota, Performance, Scene,
    SceneFieldRules, TransitionRule, Whitelisted,
};
