//! Field rules: what a new bill's fields must be, as data.

use super::{Model, ensure};
use crate::words::{Actor, Check, Draft, Field, FieldRule, Key, Kind, Optional, Refusal, Scene};

/// Region, class and kind in the code of a bill: Shanghai's medical bills,
/// outpatient and inpatient by turns.
pub fn code_parts(key: Key) -> [u8; 3] {
    [31, 6, if key % 2 == 1 { 1 } else { 2 }]
}

impl Model {
    pub(super) fn set_field_rules(
        &mut self,
        who: Actor,
        scene: Option<Scene>,
        expected: Option<u32>,
        rules: &[FieldRule],
    ) -> Result<(), Refusal> {
        ensure(who == Actor::Council)?;
        ensure(scene.is_none_or(|scene| self.scenes.contains_key(&scene)))?;
        for rule in rules {
            ensure(rule.kind != Some(Kind::Red))?;
            ensure(match &rule.check {
                Check::Total { least, most } => 0 <= *least && least <= most,
                Check::Regions(parts) | Check::Classes(parts) | Check::Kinds(parts) => {
                    !parts.is_empty()
                }
                _ => true,
            })?;
        }
        let set = self.field_rules.get(&scene).cloned().unwrap_or_default();
        ensure(expected.is_none_or(|version| version == set.version))?;
        let set = self.field_rules.entry(scene).or_default();
        set.version += 1;
        set.rules = rules.to_vec();
        Ok(())
    }

    /// Asks a new bill for what all scenes and its own scene ask.
    pub(super) fn keep_field_rules(&self, draft: &Draft) -> Result<(), Refusal> {
        for scene in [None, Some(draft.scene)] {
            for rule in self.field_rules.get(&scene).iter().flat_map(|set| &set.rules) {
                if rule.kind.is_none_or(|kind| kind == draft.kind) {
                    self.keep(&rule.check, draft).map_err(Refusal::Field)?;
                }
            }
        }
        Ok(())
    }

    fn keep(&self, check: &Check, draft: &Draft) -> Result<(), Field> {
        let [region, class, kind] = code_parts(draft.key);
        let hashes = &draft.hashes;
        let (field, holds) = match check {
            Check::Required(Optional::Payer) => (Field::Payer, hashes.payer != 0),
            Check::Required(Optional::BizNo) => (Field::BizNo, hashes.biz_no != 0),
            Check::Required(Optional::Pdf) => (Field::Pdf, hashes.pdf != 0),
            Check::Required(Optional::Location) => (Field::Location, hashes.location != 0),
            Check::Total { least, most } => {
                (Field::Total, *least <= draft.total && draft.total <= *most)
            }
            Check::Regions(parts) => (Field::Code, parts.contains(&region)),
            Check::Classes(parts) => (Field::Code, parts.contains(&class)),
            Check::Kinds(parts) => (Field::Code, parts.contains(&kind)),
            Check::IssuedWithin(days) => {
                (Field::Date, self.today() <= draft.day + u64::from(*days))
            }
            Check::Organisation(wanted) => (Field::PayerType, draft.organisation == *wanted),
            Check::UsccFits => (Field::Uscc, draft.uscc_fits),
            // Asked last of all, of red and balance bills too.
            Check::Allotted(_) => return Ok(()),
        };
        if holds { Ok(()) } else { Err(field) }
    }
}
