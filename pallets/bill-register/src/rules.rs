//! Field rules (字段校验规则, tender row 220): what a new bill's fields must be,
//! as data that an administrator sets.
//!
//! A set of rules stands for one scene or for all of them and is replaced as a
//! whole, so that its version names all of it. A new bill keeps every rule of
//! both sets. What every bill must be is no rule here but code: see
//! `types::check_fields`.

use crate::{Config, Error, Event, FieldRuleSets, Pallet};
use billchain_primitives::{
    AccountId, BillCode, BillKind, BillSummary, CodePart, Fen, IssueDate, Moment, PayerType,
    SceneId, Stamp,
    seams::{SceneProblem, Scenes},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame::{
    arithmetic::ArithmeticError,
    deps::{frame_support::PalletError, sp_io::offchain_index},
    prelude::{BoundedVec, ConstU32, DispatchResult, ensure},
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Most rules of one set.
pub const MAX_FIELD_RULES: u32 = 32;
/// Most values that a rule on a part of the code lists.
pub const MAX_PARTS: u32 = 16;
/// Most codes that a rule on allotted numbers lists.
pub const MAX_ALLOTTED_CODES: u32 = 16;

/// A field of a bill that a rule speaks of.
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
    Serialize,
    Deserialize,
    PalletError,
)]
#[serde(rename_all = "snake_case")]
pub enum BillField {
    /// 票据代码.
    BillCode,
    /// 开票日期.
    IssueDate,
    /// 总金额.
    Total,
    /// 统一社会信用代码 of the issuer.
    IssuerUscc,
    /// Sort of payer.
    PayerType,
    /// HMAC of the payer's identity.
    PayerRef,
    /// SM3 of the issuer's business number.
    BizNoHash,
    /// SM3 of the PDF.
    PdfHash,
    /// SM3 of the place where the originals are stored.
    LocationHash,
}

/// A field that a bill may leave out, by 32 zero bytes.
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
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum OptionalField {
    /// [`BillSummary::payer_ref`].
    PayerRef,
    /// [`BillSummary::biz_no_hash`].
    BizNoHash,
    /// [`BillSummary::pdf_hash`].
    PdfHash,
    /// [`BillSummary::location_hash`].
    LocationHash,
}

/// Values that a part of the code may have.
pub type Parts = BoundedVec<CodePart, ConstU32<MAX_PARTS>>;

/// The codes (票据代码) whose numbers are allotted (赋码).
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum AllottedCodes {
    /// Every code: a chain with this rule takes no number that was not
    /// allotted.
    All,
    /// These; numbers of others are taken as they come.
    Only(BoundedVec<BillCode, ConstU32<MAX_ALLOTTED_CODES>>),
}

impl AllottedCodes {
    fn contain(&self, code: &BillCode) -> bool {
        match self {
            Self::All => true,
            Self::Only(codes) => codes.contains(code),
        }
    }
}

/// What a rule asks of a bill.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FieldCheck {
    /// The field is not left out.
    #[codec(index = 0)]
    Required(OptionalField),
    /// The total lies within these bounds, inclusive.
    #[codec(index = 1)]
    Total {
        /// Smallest total, in fen; not negative.
        least_fen: Fen,
        /// Largest total, in fen.
        most_fen: Fen,
    },
    /// The code's region (行政区划) is one of these.
    #[codec(index = 2)]
    Regions(Parts),
    /// The code's class (分类) is one of these.
    #[codec(index = 3)]
    Classes(Parts),
    /// The code's kind (种类) is one of these.
    #[codec(index = 4)]
    Kinds(Parts),
    /// The bill was issued at most so many days before its block, in UTC+8.
    #[codec(index = 5)]
    IssuedWithin {
        /// 0: on the day of the block, or on the next one.
        days: u16,
    },
    /// The payer is of this sort.
    #[codec(index = 6)]
    PayerType(PayerType),
    /// The issuer's code ends in the check digit of GB 32100.
    #[codec(index = 7)]
    UsccCheckDigit,
    /// The number is one that was allotted to the issuer. The only rule that
    /// red bills are asked about too: they have numbers of their own.
    #[codec(index = 8)]
    Allotted(AllottedCodes),
}

/// One rule.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// Only bills of this kind are asked; none: all. Red bills are asked for
    /// nothing but an allotted number: they take back what is there.
    #[serde(default)]
    pub kind: Option<BillKind>,
    /// What is asked.
    pub check: FieldCheck,
}

impl FieldRule {
    /// Whether there are bills that are asked and bills that keep the rule.
    pub fn is_sound(&self) -> bool {
        self.kind != Some(BillKind::Red)
            && match &self.check {
                FieldCheck::Total { least_fen, most_fen } => {
                    *least_fen >= Fen::ZERO && least_fen <= most_fen
                }
                FieldCheck::Regions(parts)
                | FieldCheck::Classes(parts)
                | FieldCheck::Kinds(parts) => !parts.is_empty(),
                FieldCheck::Allotted(AllottedCodes::Only(codes)) => !codes.is_empty(),
                FieldCheck::Allotted(AllottedCodes::All)
                | FieldCheck::Required(_)
                | FieldCheck::IssuedWithin { .. }
                | FieldCheck::PayerType(_)
                | FieldCheck::UsccCheckDigit => true,
            }
    }

    /// The field by which `bill`, coming at `now`, breaks the rule.
    pub fn broken_by(&self, bill: &BillSummary, now: Moment) -> Option<BillField> {
        if self.kind.is_some_and(|kind| kind != bill.kind) {
            return None;
        }
        let code = &bill.key.code;
        let (field, holds) = match &self.check {
            FieldCheck::Required(optional) => {
                let (field, hash) = match optional {
                    OptionalField::PayerRef => (BillField::PayerRef, &bill.payer_ref),
                    OptionalField::BizNoHash => (BillField::BizNoHash, &bill.biz_no_hash),
                    OptionalField::PdfHash => (BillField::PdfHash, &bill.pdf_hash),
                    OptionalField::LocationHash => (BillField::LocationHash, &bill.location_hash),
                };
                (field, *hash != [0; 32])
            }
            FieldCheck::Total { least_fen, most_fen } => {
                (BillField::Total, *least_fen <= bill.total && bill.total <= *most_fen)
            }
            FieldCheck::Regions(parts) => (BillField::BillCode, parts.contains(&code.region())),
            FieldCheck::Classes(parts) => (BillField::BillCode, parts.contains(&code.class())),
            FieldCheck::Kinds(parts) => (BillField::BillCode, parts.contains(&code.kind())),
            FieldCheck::IssuedWithin { days } => {
                let last = bill.issue_date.days().saturating_add(u64::from(*days));
                (BillField::IssueDate, last >= IssueDate::days_of_moment(now))
            }
            FieldCheck::PayerType(payer) => (BillField::PayerType, bill.payer_type == *payer),
            FieldCheck::UsccCheckDigit => {
                (BillField::IssuerUscc, bill.issuer_uscc.has_valid_check_digit())
            }
            // Whose a number is, the bill does not say: see
            // `FieldRuleSet::asks_for_allotted_number`.
            FieldCheck::Allotted(_) => return None,
        };
        (!holds).then_some(field)
    }

    /// Whether the number of `bill` must be one that was allotted.
    fn asks_for_allotted_number(&self, bill: &BillSummary) -> bool {
        self.kind.is_none_or(|kind| kind == bill.kind)
            && matches!(&self.check, FieldCheck::Allotted(codes) if codes.contain(&bill.key.code))
    }
}

/// Rules that are set together.
pub type FieldRules = BoundedVec<FieldRule, ConstU32<MAX_FIELD_RULES>>;

/// The rules in force for one scene or for all.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct FieldRuleSet {
    /// 1 when first set, one more with every change.
    pub version: u32,
    /// All of which a new bill keeps; perhaps none.
    pub rules: FieldRules,
    /// Account that set them; absent for the genesis and for a motion of the
    /// council.
    pub operator: Option<AccountId>,
    /// When they were set.
    pub at: Stamp,
}

impl FieldRuleSet {
    /// The first field by which `bill` breaks a rule.
    pub fn broken_by(&self, bill: &BillSummary, now: Moment) -> Option<BillField> {
        self.rules.iter().find_map(|rule| rule.broken_by(bill, now))
    }

    /// Whether the number of `bill` must be one that was allotted.
    pub fn asks_for_allotted_number(&self, bill: &BillSummary) -> bool {
        self.rules.iter().any(|rule| rule.asks_for_allotted_number(bill))
    }
}

/// Where the number of a new bill comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// The issuer chooses it.
    Free,
    /// The bureau allotted it.
    Allotted,
}

/// Place of the first rule that is not sound.
pub fn unsound(rules: &[FieldRule]) -> Option<usize> {
    rules.iter().position(|rule| !rule.is_sound())
}

/// Prefix of the rule sets, all versions but those of the genesis, in the
/// node-local index.
pub const RULE_SETS: &[u8] = b"fr/";

/// Where a version of the rules of `scene` (`None`: of all scenes) lies; the
/// value is the encoded [`FieldRuleSet`].
pub fn rule_set_key(scene: Option<SceneId>, version: u32) -> Vec<u8> {
    let mut key = RULE_SETS.to_vec();
    scene.encode_to(&mut key);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

impl<T: Config> Pallet<T> {
    /// Where the number of a red or balance bill comes from.
    pub(crate) fn numbering_of(summary: &BillSummary) -> Numbering {
        let asks = |scene| {
            FieldRuleSets::<T>::get(scene)
                .is_some_and(|rules| rules.asks_for_allotted_number(summary))
        };
        if asks(None) || asks(Some(summary.scene)) { Numbering::Allotted } else { Numbering::Free }
    }

    /// Sets all the field rules of a scene, or those of all scenes.
    pub(crate) fn replace_rules(
        operator: Option<AccountId>,
        scene: Option<SceneId>,
        expected_version: Option<u32>,
        rules: FieldRules,
    ) -> DispatchResult {
        if let Some(scene) = scene {
            let known = T::Scenes::active(scene) != Err(SceneProblem::NotFound);
            ensure!(known, Error::<T>::SceneNotFound);
        }
        if let Some(at) = unsound(&rules) {
            let index = u8::try_from(at).unwrap_or(u8::MAX);
            return Err(Error::<T>::UnsoundFieldRule { index }.into());
        }
        let current = FieldRuleSets::<T>::get(scene).map_or(0, |set| set.version);
        ensure!(expected_version.is_none_or(|v| v == current), Error::<T>::StaleFieldRules);
        let version = current.checked_add(1).ok_or(ArithmeticError::Overflow)?;

        let (at, by) = (Self::stamp(), operator.clone());
        let set = FieldRuleSet { version, rules: rules.clone(), operator: by, at };
        offchain_index::set(&rule_set_key(scene, version), &set.encode());
        FieldRuleSets::<T>::insert(scene, set);
        Self::deposit_event(Event::FieldRulesSet { scene, version, rules, operator });
        Ok(())
    }
}
