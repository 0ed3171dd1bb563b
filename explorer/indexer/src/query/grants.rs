//! Grants (用票授权).

use super::{
    Key, Page, PageRequest, Queries, QueryError, RecordRow, Where, json_of, page_of, refuse,
};
use crate::insert::{Value, values};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use sqlx::{Row, any::AnyRow};

/// Which grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantFilter {
    /// DID of the holder.
    pub holder: Option<String>,
    /// DID of who is authorised.
    pub subject: Option<String>,
    /// `active`, `frozen` or `revoked`.
    pub status: Option<String>,
}

/// A grant in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantRow {
    /// SM3 of the credential.
    pub grant: String,
    /// DID of the holder.
    pub holder: String,
    /// DID of who is authorised.
    pub subject: String,
    /// In which scene.
    pub scene: i64,
    /// First moment.
    pub valid_from: i64,
    /// Last moment.
    pub valid_until: i64,
    /// `active`, `frozen` or `revoked`.
    pub status: String,
    /// How often it was used.
    pub uses: i64,
    /// Time of the last change.
    pub updated: i64,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Grant {
    /// What lists show.
    #[serde(flatten)]
    pub row: GrantRow,
    /// DID of who registered it.
    pub registrar: String,
    /// The bills that it names; none if it has a condition.
    pub bills: Option<Vec<Key>>,
    /// Its condition on bills.
    pub condition: Json,
    /// What happened to it, the first first.
    pub history: Vec<RecordRow>,
}

const COLUMNS: &str = "g.id, g.holder, g.subject, g.scene, g.valid_from, g.valid_until, g.status, \
     g.uses, g.updated, g.registered_tx";

impl Queries {
    async fn grant_rows(&self, rows: &[AnyRow]) -> Result<Vec<GrantRow>, QueryError> {
        let mut ids = Vec::new();
        for row in rows {
            ids.extend([row.try_get::<i64, _>(1)?, row.try_get::<i64, _>(2)?]);
        }
        let people = self.people(ids).await?;
        rows.iter()
            .map(|row| {
                Ok(GrantRow {
                    grant: row.try_get(0)?,
                    holder: people.did(row.try_get(1)?),
                    subject: people.did(row.try_get(2)?),
                    scene: row.try_get(3)?,
                    valid_from: row.try_get(4)?,
                    valid_until: row.try_get(5)?,
                    status: row.try_get(6)?,
                    uses: row.try_get(7)?,
                    updated: row.try_get(8)?,
                })
            })
            .collect()
    }

    /// Grants in the order in which they were registered.
    ///
    /// # Errors
    /// A filter is not in its form, or the database fails.
    pub async fn grants(
        &self,
        filter: &GrantFilter,
        page: &PageRequest,
    ) -> Result<Page<GrantRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        let mut conditions = Where::default();
        for (column, did) in [("g.holder", &filter.holder), ("g.subject", &filter.subject)] {
            let Some(did) = did else { continue };
            let Some(id) = self.did_id(did).await? else {
                return Ok(Page { items: Vec::new(), next: None });
            };
            conditions.equal(column, Some(id));
        }
        if let Some(status) = &filter.status {
            if !["active", "frozen", "revoked"].contains(&status.as_str()) {
                return refuse("status", "`active`, `frozen` or `revoked`");
            }
            conditions.equal("g.status", Some(status.clone()));
        }
        // The cursor is the transaction and the grant, which is text.
        if let Some(cursor) = &page.cursor {
            let Some((tx, id)) = cursor.split_once('.') else {
                return refuse("cursor", "the `next` of the page before");
            };
            let Ok(tx) = tx.parse::<i64>() else {
                return refuse("cursor", "the `next` of the page before");
            };
            let condition = format!("(g.registered_tx, g.id) {beyond} (?, ?)");
            conditions.and(&condition, [Value::from(tx), Value::from(id)]);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM grants g WHERE {} ORDER BY g.registered_tx {order}, g.id {order} \
             LIMIT {}",
            conditions.text(),
            limit + 1
        );
        let rows = self.rows(sql, conditions.values).await?;
        let txs: Result<Vec<i64>, sqlx::Error> = rows.iter().map(|row| row.try_get(9)).collect();
        let shown = self.grant_rows(&rows).await?;
        let rows = shown.into_iter().zip(txs?).map(|(row, tx)| {
            let cursor = format!("{tx}.{}", row.grant);
            (row, cursor)
        });
        Ok(page_of(rows.collect(), limit))
    }

    /// A grant, or none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn grant(&self, id: &str) -> Result<Option<Grant>, QueryError> {
        let sql = format!("SELECT {COLUMNS}, g.operator, g.scope FROM grants g WHERE g.id = $1");
        let Some(row) = self.row(sql, values![id]).await? else { return Ok(None) };
        let Some(shown) = self.grant_rows(std::slice::from_ref(&row)).await?.pop() else {
            return Ok(None);
        };
        let operator: i64 = row.try_get(10)?;
        let scope: String = row.try_get(11)?;
        let scope = json_of(&scope);
        // A long list stands with its count beside it.
        let listed = scope.get("Bills").map(|list| list.get("first").unwrap_or(list).clone());
        let bills = listed.as_ref().and_then(Json::as_array).map(|list| {
            let key = |item: &Json| {
                let (code, number) = item.as_str()?.split_once('-')?;
                Some(Key { code: code.to_owned(), number: number.to_owned() })
            };
            list.iter().filter_map(key).collect()
        });
        Ok(Some(Grant {
            row: shown,
            registrar: self.people(vec![operator]).await?.did(operator),
            bills,
            condition: scope.get("Matching").cloned().unwrap_or(Json::Null),
            history: self.whole_history(&format!("grant:{id}")).await?,
        }))
    }
}
