//! The structured document of a policy (结构化数据: JSON 或 protobuf), tender row
//! 218: "包含规则内容、适用场景、生效条件及版本号".
//!
//! What people read is what is enforced: the contract reads the rule, the
//! scenes and the version out of the document itself, so the two cannot
//! differ. Both formats say the same, [`Written`].
//!
//! # JSON
//! One object; an unknown key is refused. `conditions` is a
//! [`Form`](billchain_primitives::condition::form).
//!
//! ```json
//! {
//!   "id": 7, "version": 1, "name": "跨省报销限额", "keywords": ["限额"],
//!   "scenes": [2, 3], "operations": ["reimburse"],
//!   "effect": "deny", "priority": 100, "references": [],
//!   "description": "外省票据单笔报销不超过五千元",
//!   "conditions": {"and": [{"not": {"=": ["region", "31"]}}, {">": ["amount", 500000]}]}
//! }
//! ```
//!
//! `keywords`, `priority` (0), `references` and `description` may be left out.
//!
//! # Protobuf
//! The message `billchain.policy.v1.Policy` of `docs/policy.proto`, in the
//! encoding every library writes: fields ascending, defaults left out, nothing
//! the schema does not have. Other bytes are refused, so that one content has
//! one encoding.

use crate::types::{Effect, Format, MAX_KEYWORDS, MAX_OPERATIONS, MAX_REFERENCES, MAX_SCENES};
use billchain_primitives::{
    Keyword, Name, SceneId,
    condition::{ConditionError, Conditions, Form, Guarded},
    seams::PolicyId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::{
    deps::frame_support::PalletError,
    prelude::{BoundedVec, ConstU32, Get},
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

mod wire;

/// A document as it was written, not yet checked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Number of the policy.
    pub id: PolicyId,
    /// Number of the version.
    pub version: u32,
    /// Name to show.
    pub name: String,
    /// 关键词 to find it by.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// 适用场景.
    pub scenes: Vec<SceneId>,
    /// Operations it is for.
    pub operations: Vec<Guarded>,
    /// What it says when the conditions hold.
    pub effect: Effect,
    /// The higher is asked first.
    #[serde(default)]
    pub priority: u16,
    /// Policies it refers to.
    #[serde(default)]
    pub references: Vec<PolicyId>,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// 生效条件.
    pub conditions: Form,
}

/// A part of a document.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    PalletError,
)]
pub enum Part {
    /// `version`: from 1.
    Version,
    /// `name`: 1 to 128 bytes of text.
    Name,
    /// `keywords`: at most 8, each once, 1 to 48 bytes of text.
    Keywords,
    /// `scenes`: 1 to 32, each once.
    Scenes,
    /// `operations`: at least one, each once.
    Operations,
    /// `references`: at most 8, each once, not the policy itself.
    References,
}

impl Part {
    /// Its key and its rule in words.
    const fn words(self) -> &'static str {
        match self {
            Self::Version => "version: expected a number from 1",
            Self::Name => {
                "name: expected 1 to 128 bytes of text, no control characters, no white space at \
                 the ends"
            }
            Self::Keywords => {
                "keywords: expected at most 8, each once and 1 to 48 bytes of text, no control \
                 characters, no white space at the ends"
            }
            Self::Scenes => "scenes: expected 1 to 32, each once",
            Self::Operations => "operations: expected at least one, each once",
            Self::References => "references: expected at most 8, each once, not the policy itself",
        }
    }
}

/// Why bytes are no document of a policy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DocumentError {
    /// They are not of the format, or of another shape.
    #[error("document: {0}")]
    Unreadable(String),
    /// A part breaks its rule.
    #[error("{}", .0.words())]
    Part(Part),
    /// The conditions are no rule.
    #[error(transparent)]
    Conditions(#[from] ConditionError),
}

/// A document that is sound in itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Number of the policy.
    pub id: PolicyId,
    /// Number of the version.
    pub version: u32,
    /// Name to show.
    pub name: Name,
    /// Ascending.
    pub keywords: BoundedVec<Keyword, ConstU32<MAX_KEYWORDS>>,
    /// Ascending, not empty.
    pub scenes: BoundedVec<SceneId, ConstU32<MAX_SCENES>>,
    /// Ascending, not empty.
    pub operations: BoundedVec<Guarded, ConstU32<MAX_OPERATIONS>>,
    /// What it says when the conditions hold.
    pub effect: Effect,
    /// The higher is asked first.
    pub priority: u16,
    /// Ascending.
    pub references: BoundedVec<PolicyId, ConstU32<MAX_REFERENCES>>,
    /// Every operation has the fields it asks for.
    pub conditions: Conditions,
}

impl Document {
    /// Reads a document and checks all that the state is not needed for.
    pub fn read(format: Format, bytes: &[u8]) -> Result<Self, DocumentError> {
        Self::check(&Written::read(format, bytes)?)
    }

    /// Checks what was written.
    pub fn check(written: &Written) -> Result<Self, DocumentError> {
        let wrong = DocumentError::Part;
        if written.version == 0 {
            return Err(wrong(Part::Version));
        }
        let name = Name::new(&written.name).map_err(|_| wrong(Part::Name))?;
        let keywords = written
            .keywords
            .iter()
            .map(|text| Keyword::new(text).ok())
            .collect::<Option<Vec<_>>>()
            .and_then(ascending)
            .ok_or(wrong(Part::Keywords))?;
        let scenes = ascending(written.scenes.clone())
            .filter(|scenes: &BoundedVec<_, _>| !scenes.is_empty())
            .ok_or(wrong(Part::Scenes))?;
        let operations = ascending(written.operations.clone())
            .filter(|operations: &BoundedVec<_, _>| !operations.is_empty())
            .ok_or(wrong(Part::Operations))?;
        let references = ascending(written.references.clone())
            .filter(|references: &BoundedVec<_, _>| !references.contains(&written.id))
            .ok_or(wrong(Part::References))?;
        let conditions = Conditions::try_from(&written.conditions)?;
        if let Some(error) = operations.iter().find_map(|one| conditions.unavailable(*one)) {
            return Err(error.into());
        }
        let Written { id, version, effect, priority, .. } = *written;
        Ok(Self {
            id,
            version,
            name,
            keywords,
            scenes,
            operations,
            effect,
            priority,
            references,
            conditions,
        })
    }
}

/// The values in order, if each stands once and there is room.
fn ascending<T: Ord, S: Get<u32>>(mut values: Vec<T>) -> Option<BoundedVec<T, S>> {
    values.sort();
    if values.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    values.try_into().ok()
}

impl Written {
    /// Reads bytes.
    pub fn read(format: Format, bytes: &[u8]) -> Result<Self, DocumentError> {
        match format {
            Format::Json => serde_json::from_slice(bytes)
                .map_err(|error| DocumentError::Unreadable(error.to_string())),
            Format::Protobuf => wire::read(bytes).map_err(DocumentError::Unreadable),
        }
    }

    /// The document's bytes.
    pub fn to_bytes(&self, format: Format) -> Vec<u8> {
        match format {
            // Nothing of it can fail: the keys are texts.
            Format::Json => serde_json::to_vec(self).unwrap_or_default(),
            Format::Protobuf => wire::write(self),
        }
    }
}
