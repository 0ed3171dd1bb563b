//! Who has a part in a bill.

use super::{Model, ensure};
use crate::words::{Actor, Bill, Key, Link, Refusal, Relation};

/// Most links of one bill.
pub const MAX_LINKS: usize = 16;

impl Model {
    pub(super) fn link(
        &mut self,
        who: Actor,
        key: Key,
        party: Actor,
        relation: Relation,
    ) -> Result<(), Refusal> {
        let mut bill = self.linkable(who, key)?;
        ensure(!bill.status.is_final())?;
        ensure(self.may_act(party))?;
        ensure(!stands(&bill, party, relation))?;
        ensure(bill.links.len() < MAX_LINKS)?;
        bill.links.push(Link { party, relation, operator: who, since: self.at });
        self.bills.insert(key, bill);
        Ok(())
    }

    /// Changes or ends a link, whatever became of bill and party.
    pub(super) fn update_link(
        &mut self,
        who: Actor,
        key: Key,
        party: Actor,
        relation: Relation,
        to: Option<Relation>,
    ) -> Result<(), Refusal> {
        let mut bill = self.linkable(who, key)?;
        ensure(stands(&bill, party, relation))?;
        ensure(to.is_none_or(|to| !stands(&bill, party, to)))?;
        bill.links.retain(|link| (link.party, link.relation) != (party, relation));
        if let Some(relation) = to {
            bill.links.push(Link { party, relation, operator: who, since: self.at });
        }
        self.bills.insert(key, bill);
        Ok(())
    }

    /// The bill, if `who` may say who its parties are.
    fn linkable(&self, who: Actor, key: Key) -> Result<Bill, Refusal> {
        let bill = self.bill(key)?;
        ensure(bill.draft.issuer == who || who.is_admin())?;
        Ok(bill)
    }
}

fn stands(bill: &Bill, party: Actor, relation: Relation) -> bool {
    bill.links.iter().any(|link| (link.party, link.relation) == (party, relation))
}
