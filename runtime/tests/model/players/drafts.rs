//! New bills, and what issuers do about theirs.

use super::Players;
use crate::{
    model::{Model, Way},
    words::{self, Actor, Draft, Filling, Hashes, Key, Kind, Mode, Op, Reversal},
};
use rand::Rng;

impl Players {
    /// A bill that nothing is wrong with, unless the rules of today say so.
    fn sound(&mut self, model: &Model, issuer: Actor, kind: Kind, key: Key) -> Draft {
        Draft {
            key,
            kind,
            issuer,
            scene: self.rng.random_range(1..=4),
            total: self.rng.random_range(0..30),
            related: None,
            day: model.today() + self.one_of(&[0, 0, 1, 4]) - 3 * u64::from(self.rarely()),
            check: self.rng.random_range(0..2),
            uscc_fits: !self.rarely(),
            organisation: self.rng.random_ratio(1, 3),
            hashes: Hashes {
                xml: 1,
                pdf: self.one_of(&[0, 2]),
                location: self.one_of(&[0, 3]),
                payer: u8::from(!self.rarely()),
                biz_no: u8::from(!self.rarely()),
            },
        }
    }

    /// Puts one thing wrong.
    fn spoil(&mut self, model: &Model, draft: &mut Draft) {
        match self.rng.random_range(0..8) {
            0 => draft.key = self.known_key(),
            1 => draft.kind = Kind::Red,
            2 => draft.issuer = self.anyone(),
            3 => draft.scene = 9,
            4 => draft.total = -1,
            5 => draft.related = Some(self.known_key()),
            6 => draft.day = model.today() + 2,
            _ => draft.hashes.xml = 0,
        }
    }

    fn draft(&mut self, model: &Model, issuer: Actor, kind: Kind, key: Key) -> Draft {
        let mut draft = self.sound(model, issuer, kind, key);
        if self.rng.random_ratio(1, 6) {
            self.spoil(model, &mut draft);
        }
        draft
    }

    fn some_issuer(&mut self) -> Actor {
        match self.rng.random_range(0..8) {
            0 => self.anyone(),
            1 => Actor::Both,
            _ => Actor::Issuer(self.rng.random_range(0..words::ISSUERS)),
        }
    }

    pub(super) fn registration(&mut self, model: &Model) -> (Actor, Op) {
        let kind = self.one_of(&[Kind::Notice, Kind::Blue, Kind::Blue]);
        let who = self.some_issuer();
        let draft = self.draft(model, who, kind, self.newest + 1);
        match kind {
            Kind::Notice if !self.rarely() => (who, Op::PreIssue(draft)),
            _ => (who, Op::Register(draft)),
        }
    }

    /// A batch of new bills, and of some that were sent before.
    pub(super) fn registrations(&mut self, model: &Model) -> (Actor, Op) {
        let who = self.some_issuer();
        let count = if self.rarely() { 0 } else { self.rng.random_range(1..6) };
        let mut drafts = Vec::new();
        for n in 1..=count {
            let earlier = model.sent.get(&self.known_key()).map(|sent| sent.draft.clone());
            let earlier = earlier.filter(|draft| draft.issuer == who);
            drafts.push(match earlier {
                Some(draft) => draft,
                None => self.draft(model, who, Kind::Blue, self.newest + n),
            });
        }
        (who, Op::RegisterBatch(drafts, self.mode()))
    }

    pub(super) fn mode(&mut self) -> Mode {
        self.one_of(&[Mode::AllOrNothing, Mode::PerItem])
    }

    /// A registration once more, mostly as it was.
    pub(super) fn resend(&mut self, model: &Model) -> (Actor, Op) {
        let Some(sent) = model.sent.get(&self.known_key()) else {
            return self.registration(model);
        };
        let mut draft = sent.draft.clone();
        match self.rng.random_range(0..30) {
            0 => draft.total += 1,
            1 => draft.check = 1 - draft.check,
            2 => draft.hashes.pdf = 2 - draft.hashes.pdf,
            _ => {}
        }
        let who = self.mostly(draft.issuer);
        let pre_issued = (sent.way == Way::PreIssue) != self.rarely();
        (who, if pre_issued { Op::PreIssue(draft) } else { Op::Register(draft) })
    }

    fn fill(&mut self, model: &Model, key: Key) -> Filling {
        let mut hash = |missing: bool| match self.rng.random_range(0..12) {
            0 => Some(0),
            1 => Some(4),
            2..9 => missing.then_some(4),
            _ => None,
        };
        let hashes = model.bills.get(&key).map(|bill| &bill.draft.hashes);
        let pdf = hash(hashes.is_some_and(|hashes| hashes.pdf == 0));
        let location = hash(hashes.is_some_and(|hashes| hashes.location == 0));
        Filling { key, expected: self.expected(model, key), pdf, location }
    }

    pub(super) fn filling(&mut self, model: &Model) -> (Actor, Op) {
        let key = self.open_key(model);
        let issuer = self.issuer(model, key);
        (self.mostly(issuer), Op::Fill(self.fill(model, key)))
    }

    pub(super) fn fillings(&mut self, model: &Model) -> (Actor, Op) {
        let (who, keys) = self.keys_of_one(model, |bill| bill.draft.issuer);
        let fillings = keys.into_iter().map(|key| self.fill(model, key)).collect();
        (self.mostly(who), Op::FillBatch(fillings, self.mode()))
    }

    pub(super) fn reversal(&mut self, model: &Model, key: Key) -> (Actor, Op) {
        let issuer = self.issuer(model, key);
        let mut red = self.sound(model, issuer, Kind::Red, self.newest + 1);
        let mut balance = self.sound(model, issuer, Kind::Blue, self.newest + 2);
        if let Some(bill) = model.bills.get(&key) {
            for (draft, kind, total) in [
                (&mut red, Kind::Red, -bill.draft.total),
                (&mut balance, bill.draft.kind, bill.draft.total / 2),
            ] {
                draft.kind = kind;
                draft.total = total;
                draft.uscc_fits = bill.draft.uscc_fits;
                draft.scene = bill.draft.scene;
                draft.related = Some(key);
            }
            if self.rarely() {
                balance.total = bill.draft.total + 1;
            }
        }
        for draft in [&mut red, &mut balance] {
            match self.rng.random_range(0..30) {
                0 => draft.uscc_fits = !draft.uscc_fits,
                1..4 => self.spoil(model, draft),
                _ => {}
            }
        }
        let balance = self.rng.random_ratio(2, 5).then_some(balance);
        let expected = self.expected(model, key);
        let reversal = Reversal { key, expected, red, balance };
        (self.mostly(issuer), Op::RedReverse(Box::new(reversal)))
    }
}
