//! What a batch of blocks needs of the tables: the bills that its events change, and the chain's
//! totals that they count in.

use super::{Ledger, TallyName, calls, rows::Kept};
use crate::{
    block::Block,
    shape::bill_id,
    stored::{COLUMNS, StoredError, bill_of},
};
use billchain_primitives::{Bill, BillKey, totals::Tally};
use billchain_runtime::RuntimeEvent;
use codec::DecodeAll;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::{BTreeSet, HashMap};

/// Rows that one question asks for.
const AT_ONCE: usize = 500;

/// Keys of what is needed.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    bills: BTreeSet<BillKey>,
    tallies: BTreeSet<TallyName>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    bills: Vec<Kept>,
    tallies: HashMap<TallyName, Tally>,
}

impl Needs {
    /// What these blocks need.
    pub(crate) fn of(blocks: &[Block], ledger: &Ledger) -> Self {
        let mut needs = Self::default();
        for block in blocks {
            for (place, transaction) in block.transactions.iter().enumerate() {
                let events = block.events_of(place);
                events.iter().for_each(|(_, event)| needs.note(event));
                if !events.iter().any(|(_, event)| matches!(event, RuntimeEvent::BillRegister(_)))
                    && !events.iter().any(|(_, event)| matches!(event, RuntimeEvent::BillUpdate(_)))
                {
                    continue;
                }
                let motions = &ledger.state.motions;
                let calls = calls::flatten(transaction.extrinsic.function(), motions);
                for brought in calls::brought(&calls).into_values().flatten() {
                    needs.tallies.extend(TallyName::of_summary(brought.summary));
                }
            }
        }
        needs
    }

    fn note(&mut self, event: &RuntimeEvent) {
        use pallet_bill_register::Event as Register;
        use pallet_bill_update::Event as Update;
        match event {
            RuntimeEvent::BillRegister(
                Register::NoticeConfirmed { key, .. } | Register::NoticeVoided { key, .. },
            )
            | RuntimeEvent::BillUpdate(
                Update::Confirmed { key, .. }
                | Update::Voided { key, .. }
                | Update::Locked { key, .. }
                | Update::Unlocked { key, .. }
                | Update::LockExpired { key, .. }
                | Update::AdminLocked { key, .. }
                | Update::AdminUnlocked { key, .. }
                | Update::Reimbursed { key, .. }
                | Update::UseReversed { key, .. }
                | Update::RedReversed { key, .. }
                | Update::SummaryUpdated { key, .. }
                | Update::Adjusted { key, .. },
            ) => {
                self.bills.insert(*key);
            }
            _ => {}
        }
    }

    /// Asks the tables for it.
    pub(crate) async fn load(
        mut self,
        connection: &mut AnyConnection,
    ) -> Result<Loaded, StoredError> {
        let mut loaded = Loaded::default();
        let ids: Vec<i64> = self.bills.iter().map(bill_id).collect();
        for some in ids.chunks(AT_ONCE) {
            let list: Vec<String> = some.iter().map(ToString::to_string).collect();
            let sql = format!(
                "SELECT {COLUMNS} FROM bills b JOIN dids d ON d.id = b.issuer WHERE b.id IN ({})",
                list.join(", ")
            );
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            for row in query.fetch_all(&mut *connection).await? {
                let bill = bill_of(&row)?;
                self.tallies.extend(TallyName::of(&bill));
                loaded.bills.push(Kept {
                    bill,
                    registered_tx: row.try_get(19)?,
                    registered_time: row.try_get(23)?,
                    updated_tx: row.try_get(24)?,
                    is_changed: false,
                });
            }
        }
        for name in self.tallies {
            let row = sqlx::query("SELECT tally FROM tallies WHERE sort = $1 AND name = $2")
                .bind(name.sort)
                .bind(name.name.clone())
                .fetch_optional(&mut *connection)
                .await?;
            let Some(row) = row else { continue };
            let bytes: Vec<u8> = row.try_get(0)?;
            let tally = Tally::decode_all(&mut &bytes[..]).map_err(|error| {
                StoredError::Damaged { id: 0, what: format!("totals of {}: {error}", name.name) }
            })?;
            loaded.tallies.insert(name, tally);
        }
        Ok(loaded)
    }
}

impl Ledger {
    /// Has at hand what was loaded.
    pub(crate) fn take(&mut self, loaded: Loaded) {
        let bills = loaded.bills.into_iter().map(|kept| (kept.bill.summary.key, kept));
        self.batch.bills.extend(bills);
        let tallies = loaded.tallies.into_iter().map(|(name, tally)| (name, (tally, None)));
        self.batch.tallies.extend(tallies);
    }
}

impl TallyName {
    /// Those that a bill counts in.
    pub(crate) fn of(bill: &Bill) -> [Self; 2] {
        Self::of_summary(&bill.summary)
    }
}
