//! Events, and the history of whatever they are about.

use super::{
    ChainEvent, Page, PageRequest, Queries, QueryError, Where, json_of, page_of, refuse, stamp_of,
};
use crate::{
    insert::{Value, values},
    words::plain,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use sqlx::Row;

/// Most events that a transaction shows.
const MAX_EVENTS: u32 = 1_000;

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// The contract.
    pub pallet: Option<String>,
    /// Name of the event; only with the contract.
    pub name: Option<String>,
    /// What they are about: `did:…`, `bill:CODE-NUMBER`, `grant:0x…`, `policy:7`, `scene:3`,
    /// `case:9`, `motion:0x…`, `account:0x…`.
    pub subject: Option<String>,
}

/// An event in a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EventRow {
    /// Its block.
    pub block: u32,
    /// Its place among the block's events.
    pub number: u32,
    /// Place of its transaction; none for what the block did by itself.
    pub index: Option<u32>,
    /// Hash of its transaction.
    pub transaction: Option<String>,
    /// Time of the block.
    pub time: i64,
    /// The contract.
    pub pallet: String,
    /// Name.
    pub name: String,
    /// Fields.
    pub fields: Json,
}

/// An entry of a history.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecordRow {
    /// Its place in the history's page, from 1.
    pub number: u32,
    /// When.
    pub time: i64,
    /// Block.
    pub block: u32,
    /// Hash of the transaction.
    pub transaction: Option<String>,
    /// Who did it.
    pub operator: Option<String>,
    /// What was done: contract and event.
    pub act: String,
    /// Why.
    pub reason: Option<String>,
    /// SM3 of the evidence.
    pub evidence: Option<String>,
    /// What it says, by field.
    pub changes: Vec<super::FieldChange>,
}

impl Queries {
    pub(crate) async fn events_of(&self, tx: i64) -> Result<Vec<ChainEvent>, QueryError> {
        let sql = format!(
            "SELECT pallet, name, fields FROM events WHERE tx = $1 ORDER BY id LIMIT {MAX_EVENTS}"
        );
        let rows = self.rows(sql, values![tx]).await?;
        rows.iter()
            .map(|row| {
                let fields: String = row.try_get(2)?;
                let fields = json_of(&fields);
                let details = plain(&fields);
                Ok(ChainEvent { pallet: row.try_get(0)?, name: row.try_get(1)?, details, fields })
            })
            .collect()
    }

    /// Events in the order of the chain.
    ///
    /// # Errors
    /// A filter is not in its form, or the database fails.
    pub async fn events(
        &self,
        filter: &EventFilter,
        page: &PageRequest,
    ) -> Result<Page<EventRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        if filter.name.is_some() && filter.pallet.is_none() {
            return refuse("name", "the contract beside it");
        }
        let mut conditions = Where::default();
        let from = match &filter.subject {
            Some(subject) if subject.len() > super::MAX_TEXT => {
                return refuse("subject", "at most 256 characters");
            }
            Some(subject) => {
                conditions.equal("s.subject", Some(subject.clone()));
                if let Some([id]) = page.after::<1>()? {
                    conditions.and(&format!("s.event {beyond} ?"), [Value::from(id)]);
                }
                "subjects s JOIN events e ON e.id = s.event"
            }
            None => {
                if let Some([id]) = page.after::<1>()? {
                    conditions.and(&format!("e.id {beyond} ?"), [Value::from(id)]);
                }
                "events e"
            }
        };
        conditions.equal("e.pallet", filter.pallet.clone());
        conditions.equal("e.name", filter.name.clone());
        let key = if filter.subject.is_some() { "s.event" } else { "e.id" };
        let sql = format!(
            "SELECT e.id, e.tx, e.time, e.pallet, e.name, e.fields FROM {from} WHERE {} \
             ORDER BY {key} {order} LIMIT {}",
            conditions.text(),
            limit + 1
        );
        let rows = self.rows(sql, conditions.values).await?;
        let hashes =
            self.tx_hashes(rows.iter().filter_map(|row| row.try_get(1).ok()).collect()).await?;
        let mut shown = Vec::new();
        for row in &rows {
            let (id, tx): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let fields: String = row.try_get(5)?;
            let (block, number) = stamp_of(id);
            let event = EventRow {
                block,
                number: number.unwrap_or_default(),
                index: stamp_of(tx).1,
                transaction: hashes.get(&tx).cloned(),
                time: row.try_get(2)?,
                pallet: row.try_get(3)?,
                name: row.try_get(4)?,
                fields: json_of(&fields),
            };
            shown.push((event, id.to_string()));
        }
        Ok(page_of(shown, limit))
    }

    /// The history of something, in the order of the page.
    ///
    /// # Errors
    /// The subject is none, or the database fails.
    pub async fn history(
        &self,
        subject: &str,
        page: &PageRequest,
    ) -> Result<Page<RecordRow>, QueryError> {
        let filter = EventFilter { subject: Some(subject.to_owned()), ..EventFilter::default() };
        let Page { items, next } = self.events(&filter, page).await?;
        let items = (1..).zip(items).map(|(number, event)| record_of(number, event)).collect();
        Ok(Page { items, next })
    }

    /// The whole of a short history, the oldest first.
    pub(crate) async fn whole_history(&self, subject: &str) -> Result<Vec<RecordRow>, QueryError> {
        let page = PageRequest { cursor: None, limit: super::MAX_PARTS, upwards: true };
        Ok(self.history(subject, &page).await?.items)
    }
}

fn record_of(number: u32, event: EventRow) -> RecordRow {
    let text = |name: &str| event.fields.get(name).and_then(Json::as_str).map(str::to_owned);
    let operator = ["operator", "approver", "submitter", "proposer", "reporter", "account"]
        .iter()
        .find_map(|name| text(name));
    let told = ["reason", "evidence", "operator"];
    let changes = event.fields.as_object().map(|fields| {
        let rest = fields.iter().filter(|(name, _)| !told.contains(&name.as_str()));
        rest.map(|(name, value)| super::FieldChange {
            field: name.clone(),
            before: Json::Null,
            after: value.clone(),
        })
        .collect()
    });
    RecordRow {
        number,
        time: event.time,
        block: event.block,
        transaction: event.transaction.clone(),
        operator,
        act: format!("{}.{}", event.pallet, event.name),
        reason: text("reason").or_else(|| text("comment")),
        evidence: text("evidence"),
        changes: changes.unwrap_or_default(),
    }
}
