//! Allotted numbers (赋码).

use crate::schema;
use billchain_primitives::{BillCode, BillNumber, Did};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an issuer has of a code.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HoldingView {
    /// 票据代码.
    #[schemars(with = "schema::BillCode")]
    pub code: BillCode,
    /// Its ranges, in order.
    pub ranges: Vec<NumberRangeView>,
}

/// Numbers that follow one another, both ends included.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NumberSpanView {
    /// The first number.
    #[schemars(with = "schema::BillNumber")]
    pub first: BillNumber,
    /// The last number.
    #[schemars(with = "schema::BillNumber")]
    pub last: BillNumber,
}

/// A range of numbers and what became of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NumberRangeView {
    /// The first number.
    #[schemars(with = "schema::BillNumber")]
    pub first: BillNumber,
    /// The last number.
    #[schemars(with = "schema::BillNumber")]
    pub last: BillNumber,
    /// How many numbers bills on the chain have.
    pub used: u64,
    /// The highest number that a bill has; none: no bill has one.
    #[schemars(with = "Option<schema::BillNumber>")]
    pub highest: Option<BillNumber>,
    /// Numbers that no bill will ever have.
    pub voided: Vec<NumberSpanView>,
    /// How many numbers a bill may still have.
    pub unused: u64,
    /// How many numbers up to the highest are neither on the chain nor voided.
    pub missing: u64,
}

/// Whose a number is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NumberOwnerView {
    /// The issuer.
    #[schemars(with = "schema::Did")]
    pub issuer: Did,
    /// The range that has the number.
    pub range: NumberRangeView,
}
