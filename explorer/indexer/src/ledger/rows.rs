//! The rows that a batch of blocks makes.

use super::rollups::Rollups;
use crate::{
    insert::{Rows, Statement, Target, Value},
    tables::Dialect,
};
use billchain_primitives::{Bill, BillKey, totals::Tally};
use sqlx::AnyConnection;
use std::collections::{BTreeMap, HashMap};

macro_rules! tables {
    ($($name:ident: $table:literal, $columns:literal, $conflict:literal;)*) => {
        /// Rows by table. They are written table by table, in this order.
        pub(crate) struct Tables { $(pub(crate) $name: Rows,)* }

        impl Default for Tables {
            fn default() -> Self {
                Self {
                    $($name: Rows::new(Target {
                        table: $table, columns: $columns, conflict: $conflict,
                    }),)*
                }
            }
        }

        impl Tables {
            async fn write(
                self,
                connection: &mut AnyConnection,
                dialect: Dialect,
            ) -> Result<(), sqlx::Error> {
                $(self.$name.write(connection, dialect).await?;)*
                Ok(())
            }
        }
    };
}

tables! {
    dids: "dids", "id, did", "";
    blocks: "blocks",
        "number, month, hash, hash_short, parent, state_root, extrinsics_root, time, day, rules, \
         bytes, transactions, failed, versions, registered, events, validator_set, round, signers, \
         turns, proposer", "";
    provenance: "provenance", "block, node, decided, events_hash, belief", "";
    transactions: "transactions",
        "id, month, hash, hash_short, time, signer, sender, roles, nonce, pallet, call, arguments, \
         success, error, error_words, versions, events, bytes, raw", "";
    events: "events", "id, month, tx, time, pallet, name, fields", "";
    subjects: "subjects", "subject, event", "";
    bills: "bills",
        "id, check_code, kind, status, issue_date, issue_time, total, reimbursed, issuer, \
         issuer_uscc, payer_type, payer_ref, payer_short, scene, biz_no_hash, xml_hash, pdf_hash, \
         location_hash, related, version, version_hash, holder, expires, registered_tx, \
         registered_time, registered_by, updated_tx, updated_time, detail",
        "ON CONFLICT (id) DO UPDATE SET status = excluded.status, \
         reimbursed = excluded.reimbursed, pdf_hash = excluded.pdf_hash, \
         location_hash = excluded.location_hash, version = excluded.version, \
         version_hash = excluded.version_hash, holder = excluded.holder, \
         expires = excluded.expires, updated_tx = excluded.updated_tx, \
         updated_time = excluded.updated_time, detail = excluded.detail";
    versions: "versions",
        "bill, version, month, tx, time, cause, operator, status, amount, hash, record", "";
    holdings: "holdings",
        "bill, version, holder, scene, claim, access_grant, since_tx, since, expires", "";
    reimbursements: "reimbursements", "bill, version, payer, scene, claim, amount, tx, time", "";
    refusals: "refusals", "bill, tx, item, error, error_words",
        "ON CONFLICT (bill, tx, item) DO NOTHING";
    rollup_bills: "rollup_bills",
        "day, issuer, region, class, sort, scene, kind, status, bills, total_high, total_low, \
         reimbursed_high, reimbursed_low",
        "ON CONFLICT (day, issuer, region, class, sort, scene, kind, status) DO UPDATE SET \
         bills = rollup_bills.bills + excluded.bills, \
         total_high = rollup_bills.total_high + excluded.total_high, \
         total_low = rollup_bills.total_low + excluded.total_low, \
         reimbursed_high = rollup_bills.reimbursed_high + excluded.reimbursed_high, \
         reimbursed_low = rollup_bills.reimbursed_low + excluded.reimbursed_low";
    rollup_operations: "rollup_operations",
        "day, cause, operator, region, class, scene, kind, operations, amount_high, amount_low",
        "ON CONFLICT (day, cause, operator, region, class, scene, kind) DO UPDATE SET \
         operations = rollup_operations.operations + excluded.operations, \
         amount_high = rollup_operations.amount_high + excluded.amount_high, \
         amount_low = rollup_operations.amount_low + excluded.amount_low";
    rollup_days: "rollup_days",
        "day, blocks, transactions, failed, versions, registered, bytes, first_block, last_block",
        "ON CONFLICT (day) DO UPDATE SET blocks = rollup_days.blocks + excluded.blocks, \
         transactions = rollup_days.transactions + excluded.transactions, \
         failed = rollup_days.failed + excluded.failed, \
         versions = rollup_days.versions + excluded.versions, \
         registered = rollup_days.registered + excluded.registered, \
         bytes = rollup_days.bytes + excluded.bytes, last_block = excluded.last_block";
    participation: "participation", "day, account, blocks, signed, proposed, last_signed",
        "ON CONFLICT (day, account) DO UPDATE SET blocks = participation.blocks + excluded.blocks, \
         signed = participation.signed + excluded.signed, \
         proposed = participation.proposed + excluded.proposed, \
         last_signed = CASE WHEN excluded.last_signed > participation.last_signed \
         THEN excluded.last_signed ELSE participation.last_signed END";
    tallies: "tallies", "sort, name, tally, changed, proved",
        "ON CONFLICT (sort, name) DO UPDATE SET tally = excluded.tally, changed = excluded.changed";
}

/// A bill that a batch reads or changes.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) bill: Bill,
    pub(crate) registered_tx: i64,
    pub(crate) registered_time: i64,
    pub(crate) updated_tx: i64,
    pub(crate) is_changed: bool,
}

/// What a block's commit was, as the next header has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) round: i64,
    pub(crate) signers: i64,
    pub(crate) turns: i64,
    pub(crate) proposer: Option<i64>,
}

/// Numbers of a block that are known when all of its transactions were taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) failed: i64,
    pub(crate) versions: i64,
    pub(crate) registered: i64,
    pub(crate) events: i64,
    pub(crate) bytes: i64,
}

/// What a batch of blocks adds.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) tables: Tables,
    /// Rows of blocks, which the next block completes.
    pub(crate) blocks: BTreeMap<u32, Vec<Value>>,
    /// What is done after the rows are there, in this order.
    pub(crate) statements: Vec<Statement>,
    pub(crate) bills: HashMap<BillKey, Kept>,
    pub(crate) rollups: Rollups,
    pub(crate) tallies: BTreeMap<super::TallyName, (Tally, Option<u32>)>,
    pub(crate) counts: Counts,
    /// Months of the blocks, for partitions.
    pub(crate) months: Vec<i64>,
}

impl Batch {
    /// Writes everything.
    pub(crate) async fn write(
        mut self,
        connection: &mut AnyConnection,
        dialect: Dialect,
    ) -> Result<(), sqlx::Error> {
        for row in std::mem::take(&mut self.blocks).into_values() {
            self.tables.blocks.push(row);
        }
        self.tables.write(connection, dialect).await?;
        for statement in self.statements {
            statement.run(connection).await?;
        }
        Ok(())
    }

    /// Adds a statement.
    pub(crate) fn then(&mut self, sql: &str, values: Vec<Value>) {
        self.statements.push(Statement::new(sql, values));
    }
}
