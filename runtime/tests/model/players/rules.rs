//! Field rules, mostly such as most bills keep.

use super::Players;
use crate::{
    model::Model,
    words::{Actor, Check, FieldRule, Kind, Op, Optional},
};
use rand::Rng;

impl Players {
    pub(super) fn field_rules(&mut self, model: &Model) -> (Actor, Op) {
        let scene = (!self.rng.random_ratio(1, 6)).then(|| self.scene());
        let version = model.field_rules.get(&scene).map_or(0, |set| set.version);
        let expected = match self.rng.random_range(0..8) {
            0 => Some(version + 1),
            1..5 => Some(version),
            _ => None,
        };
        let count = if self.rng.random_ratio(2, 3) { 0 } else { self.rng.random_range(1..4) };
        let rules = (0..count).map(|_| self.field_rule()).collect();
        (self.mostly(Actor::Council), Op::SetFieldRules { scene, expected, rules })
    }

    fn field_rule(&mut self) -> FieldRule {
        let kind = match self.rng.random_range(0..24) {
            0 => Some(Kind::Red),
            1..6 => Some(Kind::Blue),
            6..10 => Some(Kind::Notice),
            _ => None,
        };
        let check = match self.rng.random_range(0..9) {
            0 | 1 => Check::Required(self.one_of(&[
                Optional::Payer,
                Optional::BizNo,
                Optional::Pdf,
                Optional::Location,
            ])),
            2 => Check::Total {
                least: self.rng.random_range(-1..4),
                most: if self.rarely() { 0 } else { self.rng.random_range(20..30) },
            },
            3 => Check::Kinds(self.parts(&[1, 2])),
            4 => self.region_or_class(),
            5 => Check::IssuedWithin(self.rng.random_range(0..4)),
            6 => Check::Organisation(self.rng.random_ratio(1, 3)),
            7 => Check::Allotted(self.rng.random_ratio(1, 2).then(|| self.rng.random())),
            _ => Check::UsccFits,
        };
        FieldRule { kind, check }
    }

    fn region_or_class(&mut self) -> Check {
        if self.rng.random() {
            Check::Regions(self.parts(&[31, 11]))
        } else {
            Check::Classes(self.parts(&[6, 5]))
        }
    }

    fn parts(&mut self, parts: &[u8]) -> Vec<u8> {
        parts.iter().copied().filter(|_| !self.rng.random_ratio(1, 4)).collect()
    }
}
