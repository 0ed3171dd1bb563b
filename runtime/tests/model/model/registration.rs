//! How bills come.

use super::{Model, Sent, ensure};
use crate::words::{Actor, Bill, Draft, Filling, Key, Kind, Place, Refusal, Reversal, Status};

/// How a bill is to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Register,
    PreIssue,
}

impl Model {
    /// Registers or pre-issues a bill. What the same sender sent in the same
    /// way before succeeds and names the first time, whatever happened since.
    pub(super) fn register(
        &mut self,
        who: Actor,
        draft: &Draft,
        way: Way,
    ) -> Result<Option<Place>, Refusal> {
        if let Some(first) = self.sent.get(&draft.key)
            && draft.issuer == who
            && (&first.draft, first.way) == (draft, way)
        {
            return Ok(Some(first.at));
        }
        ensure(who.is_issuer())?;
        self.keep_field_rules(draft)?;
        ensure(draft.related.is_none())?;
        let status = match way {
            Way::Register => {
                ensure(draft.kind != Kind::Red)?;
                Status::Normal
            }
            Way::PreIssue => {
                ensure(draft.kind == Kind::Notice)?;
                Status::PreIssued
            }
        };
        self.open(who, draft, status)?;
        self.sent.insert(draft.key, Sent { way, draft: draft.clone(), at: self.at });
        Ok(None)
    }

    fn open(&mut self, who: Actor, draft: &Draft, status: Status) -> Result<(), Refusal> {
        ensure(draft.issuer == who)?;
        ensure(if draft.kind == Kind::Red { draft.total <= 0 } else { draft.total >= 0 })?;
        ensure(draft.hashes.xml != 0)?;
        ensure(draft.day <= self.today() + 1)?;
        self.active_scene(draft.scene)?;
        ensure(!self.bills.contains_key(&draft.key))?;
        self.use_number(draft)?;
        let bill = Bill {
            draft: draft.clone(),
            status,
            version: 1,
            lock: None,
            claims: Vec::new(),
            links: Vec::new(),
        };
        self.bills.insert(draft.key, bill);
        Ok(())
    }

    /// Settles a pre-issued notice.
    pub(super) fn notice(&mut self, who: Actor, key: Key, to: Status) -> Result<(), Refusal> {
        let mut bill = self.bill(key)?;
        ensure(who.is_issuer() && bill.draft.issuer == who)?;
        ensure(bill.status == Status::PreIssued)?;
        bill.status = to;
        bill.version += 1;
        self.bills.insert(key, bill);
        Ok(())
    }

    /// Fills in hashes, each of which is filled in once.
    pub(super) fn fill(&mut self, who: Actor, filling: &Filling) -> Result<(), Refusal> {
        let mut bill = self.bill(filling.key)?;
        ensure(who.is_issuer() && bill.draft.issuer == who)?;
        ensure(!bill.status.is_final())?;
        ensure(filling.expected.is_none_or(|version| version == bill.version))?;
        ensure(filling.pdf.is_some() || filling.location.is_some())?;
        let hashes = &mut bill.draft.hashes;
        for (field, given) in
            [(&mut hashes.pdf, filling.pdf), (&mut hashes.location, filling.location)]
        {
            let Some(hash) = given else { continue };
            ensure(hash != 0 && *field == 0)?;
            *field = hash;
        }
        bill.version += 1;
        self.bills.insert(filling.key, bill);
        Ok(())
    }

    /// Reverses a bill in red: all of it happens or nothing.
    pub(super) fn red_reverse(&mut self, who: Actor, reversal: &Reversal) -> Result<(), Refusal> {
        let Reversal { key, expected, red, balance } = reversal;
        let (mut blue, released) = self.found(*key)?;
        let seen = blue.version - u32::from(released);
        ensure(who.is_issuer() && blue.draft.issuer == who)?;
        ensure(blue.status == Status::Normal && blue.draft.kind != Kind::Red)?;
        ensure(expected.is_none_or(|version| version == seen))?;
        let (kind, total) = (blue.draft.kind, blue.draft.total);
        for new in [Some(red), balance.as_ref()].into_iter().flatten() {
            ensure(new.related == Some(*key))?;
            ensure(new.issuer == blue.draft.issuer && new.uscc_fits == blue.draft.uscc_fits)?;
            ensure(new.scene == blue.draft.scene)?;
        }
        ensure(red.kind == Kind::Red && red.total == -total)?;
        if let Some(balance) = balance {
            ensure(balance.kind == kind && balance.total <= total)?;
        }
        blue.status = Status::RedReversed;
        blue.version += 1;
        self.open(who, red, Status::Normal)?;
        if let Some(balance) = balance {
            self.open(who, balance, Status::Normal)?;
        }
        self.bills.insert(*key, blue);
        Ok(())
    }
}
