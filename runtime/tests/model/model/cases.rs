//! Disputes that administrators settle by hand, always with evidence.

use super::{Model, ensure};
use crate::words::{Actor, Case, CaseAct, Change, Item, Key, Refusal};

impl Model {
    pub(super) fn open_case(
        &mut self,
        who: Actor,
        key: Key,
        parties: &[Actor],
        evidence: bool,
    ) -> Result<(), Refusal> {
        ensure(who.is_admin() && evidence)?;
        self.bill(key)?;
        ensure(!self.cases.iter().any(|case| case.bill == key && case.decision.is_none()))?;
        ensure(!parties.is_empty())?;
        for (at, party) in parties.iter().enumerate() {
            // In whatever state, but somebody.
            ensure(*party != Actor::Stranger && !parties[..at].contains(party))?;
        }
        self.cases.push(Case { bill: key, parties: parties.to_vec(), decision: None, acts: 1 });
        Ok(())
    }

    pub(super) fn on_case(
        &mut self,
        who: Actor,
        number: u32,
        act: &CaseAct,
        evidence: bool,
    ) -> Result<(), Refusal> {
        ensure(who.is_admin() && evidence)?;
        let mut case = self.case(number).ok_or(Refusal::Rule)?.clone();
        ensure(case.decision.is_none())?;
        let change = match act {
            CaseAct::Lock => Some(Change::AdminLock { evidence }),
            CaseAct::Unlock => Some(Change::AdminUnlock { evidence }),
            CaseAct::Close(favoured) => {
                ensure(favoured.is_none_or(|party| case.parties.contains(&party)))?;
                case.decision = Some(*favoured);
                None
            }
        };
        if let Some(change) = change {
            self.change(who, &Item { key: case.bill, expected: None, change })?;
        }
        case.acts += 1;
        self.cases[number as usize - 1] = case;
        Ok(())
    }

    pub fn case(&self, number: u32) -> Option<&Case> {
        self.cases.get(number.checked_sub(1)? as usize)
    }
}
