//! The words of what stands in the tables as numbers.

use billchain_primitives::{BillKind, BillStatus, Operation, PayerType, Role, history::Cause};
use codec::{Decode, Encode};
use serde::Serialize;

/// The number of "the summary was filled in" among causes.
pub const CAUSE_SUMMARY: i64 = 100;

/// The number of a variant in the chain's encoding.
pub fn number<T: Encode>(variant: &T) -> i64 {
    variant.encode().first().map_or(0, |first| i64::from(*first))
}

/// The variant of a number.
fn variant<T: Decode>(number: i64) -> Option<T> {
    let number = u8::try_from(number).ok()?;
    T::decode(&mut &[number][..]).ok()
}

/// The name that serde gives a variant: snake case.
fn word<T: Serialize>(variant: &T) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn word_of<T: Decode + Serialize>(number: i64) -> String {
    variant::<T>(number).map_or_else(|| number.to_string(), |variant| word(&variant))
}

/// `blue`, `red` or `payment_notice`.
pub fn kind(number: i64) -> String {
    word_of::<BillKind>(number)
}

/// The number of a kind's name.
pub fn kind_number(name: &str) -> Option<i64> {
    BillKind::ALL.iter().find(|kind| word(*kind) == name).map(number)
}

/// `normal`, `locked` …
pub fn status(number: i64) -> String {
    word_of::<BillStatus>(number)
}

/// The number of a status' name.
pub fn status_number(name: &str) -> Option<i64> {
    BillStatus::ALL.iter().find(|status| word(*status) == name).map(number)
}

/// `person` or `organisation`.
pub fn payer_type(number: i64) -> String {
    word_of::<PayerType>(number)
}

/// The number of what made a version.
pub fn cause_number(cause: &Cause) -> i64 {
    match cause {
        Cause::Operation(operation) => number(operation),
        Cause::Summary => CAUSE_SUMMARY,
    }
}

/// `register`, `lock` … or `summary`.
pub fn cause(number: i64) -> String {
    if number == CAUSE_SUMMARY { "summary".into() } else { word_of::<Operation>(number) }
}

/// Names of roles, of one bit each.
pub fn roles(bits: i64) -> Vec<String> {
    let has = |at: usize| bits >> at & 1 == 1;
    Role::ALL.iter().enumerate().filter(|(at, _)| has(*at)).map(|(_, role)| word(role)).collect()
}

/// The bit of a role's name.
pub fn role_bit(name: &str) -> Option<i64> {
    Role::ALL.iter().position(|role| word(role) == name).map(|at| 1 << at)
}

/// `organisation` or `person`.
pub fn participant_kind(number: i64) -> String {
    word_of::<pallet_participant::ParticipantKind>(number)
}

/// `active`, `frozen` or `cancelled`.
pub fn participant_status(number: i64) -> String {
    word_of::<billchain_primitives::seams::ParticipantStatus>(number)
}

/// The number of such a word.
pub fn participant_status_number(name: &str) -> Option<i64> {
    (0..3).find(|number| participant_status(*number) == name)
}

/// `normal`, `paused` or `disabled`.
pub fn node_status(number: i64) -> String {
    word_of::<pallet_access_node::NodeStatus>(number)
}

/// `active` or `disabled`.
pub fn scene_status(number: i64) -> String {
    word_of::<pallet_scene::SceneStatus>(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_chains_words() {
        assert_eq!(kind(2), "payment_notice");
        assert_eq!(status(1), "normal");
        assert_eq!(status_number("partly_reimbursed"), Some(3));
        assert_eq!(cause(number(&Operation::RedReverse)), "red_reverse");
        assert_eq!(cause(CAUSE_SUMMARY), "summary");
        assert_eq!(roles(0b01001), ["issuer", "admin"]);
        assert_eq!(role_bit("user"), Some(2));
        assert_eq!(participant_status(1), "frozen");
        assert_eq!(node_status(0), "normal");
        assert_eq!(status(77), "77", "a number of no variant stays a number");
    }
}
