//! Policies (用票策略) with their approval flows.

use super::{
    FieldChange, Page, PageRequest, Queries, QueryError, Where, hex_of, maybe_hex, page_of, refuse,
};
use crate::insert::{Value, values};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use sqlx::{Row, any::AnyRow};

/// Which policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFilter {
    /// `draft`, `effective` or `revoked`.
    pub status: Option<String>,
    /// Part of the name.
    pub text: Option<String>,
}

/// A version of a policy in a list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PolicyRow {
    /// Number of the policy.
    pub policy: i64,
    /// Number of the version.
    pub version: i64,
    /// Its newest version.
    pub newest: i64,
    /// The version that is effective.
    pub effective: Option<i64>,
    /// Name.
    pub name: String,
    /// `draft`, `effective` or `revoked`.
    pub status: String,
    /// `deny`, `require` or `permit`, as the document says.
    pub effect: String,
    /// Priority.
    pub priority: i64,
    /// Scenes.
    pub scenes: Vec<i64>,
    /// Operations.
    pub operations: Vec<String>,
    /// Keywords.
    pub keywords: Vec<String>,
    /// DID of who submitted it.
    pub submitter: String,
    /// When it changed last.
    pub updated: i64,
}

/// A step of an approval flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyStep {
    /// Its place, from 1.
    pub index: i64,
    /// What was done.
    pub act: String,
    /// DID of who did it.
    pub actor: Option<String>,
    /// When.
    pub time: i64,
    /// Block.
    pub block: u32,
    /// Hash of the transaction.
    pub transaction: Option<String>,
    /// SM3 of the comment or of the document.
    pub hash: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Hash of the flow with this step, where the event tells it.
    pub flow_hash: String,
}

/// A version of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PolicyVersion {
    /// What lists show.
    #[serde(flatten)]
    pub row: PolicyRow,
    /// Its conditions, as the document says.
    pub conditions: Json,
    /// `json` or `protobuf`.
    pub format: String,
    /// SM3 of the document.
    pub body_hash: String,
    /// The document.
    pub document: Option<String>,
    /// Hash of the flow that finalised it.
    pub approval_hash: Option<String>,
    /// Its flow.
    pub steps: Vec<PolicyStep>,
    /// In what it differs from the version before.
    pub changes: Vec<FieldChange>,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Policy {
    /// Its number.
    pub policy: i64,
    /// Its versions, the first first, at most 200.
    pub versions: Vec<PolicyVersion>,
}

const COLUMNS: &str = "p.policy, p.version, p.name, p.status, p.submitter, p.updated, p.document, \
     p.format, p.body_hash, p.approval_hash, \
     (SELECT MAX(n.version) FROM policies n WHERE n.policy = p.policy), \
     (SELECT MAX(n.version) FROM policies n WHERE n.policy = p.policy AND n.status = 'effective')";

fn document_json(row: &AnyRow) -> Result<Json, QueryError> {
    let document: Option<String> = row.try_get(6)?;
    Ok(document.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Json::Null))
}

fn list(document: &Json, field: &str) -> Vec<String> {
    let items = document.get(field).and_then(Json::as_array);
    let text = |item: &Json| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
    items.map(|items| items.iter().map(text).collect()).unwrap_or_default()
}

impl Queries {
    async fn policy_rows(&self, rows: &[AnyRow]) -> Result<Vec<PolicyRow>, QueryError> {
        let people =
            self.people(rows.iter().filter_map(|row| row.try_get(4).ok()).collect()).await?;
        rows.iter()
            .map(|row| {
                let document = document_json(row)?;
                let scenes = list(&document, "scenes");
                Ok(PolicyRow {
                    policy: row.try_get(0)?,
                    version: row.try_get(1)?,
                    newest: row.try_get(10)?,
                    effective: row.try_get(11)?,
                    name: row.try_get(2)?,
                    status: row.try_get(3)?,
                    effect: document["effect"].as_str().unwrap_or_default().to_owned(),
                    priority: document["priority"].as_i64().unwrap_or_default(),
                    scenes: scenes.iter().filter_map(|scene| scene.parse().ok()).collect(),
                    operations: list(&document, "operations"),
                    keywords: list(&document, "keywords"),
                    submitter: people.did(row.try_get(4)?),
                    updated: row.try_get(5)?,
                })
            })
            .collect()
    }

    /// Versions of policies, by policy and version.
    ///
    /// # Errors
    /// A filter is not in its form, or the database fails.
    pub async fn policies(
        &self,
        filter: &PolicyFilter,
        page: &PageRequest,
    ) -> Result<Page<PolicyRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        let mut conditions = Where::default();
        if let Some([policy, version]) = page.after::<2>()? {
            let condition = format!("(p.policy, p.version) {beyond} (?, ?)");
            conditions.and(&condition, [Value::from(policy), Value::from(version)]);
        }
        if let Some(status) = &filter.status {
            if !["draft", "effective", "revoked"].contains(&status.as_str()) {
                return refuse("status", "`draft`, `effective` or `revoked`");
            }
            conditions.equal("p.status", Some(status.clone()));
        }
        if let Some(text) = &filter.text {
            let pattern = super::parties::pattern(text)?;
            conditions.and("p.name LIKE ? ESCAPE '\\'", [Value::from(pattern)]);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM policies p WHERE {} ORDER BY p.policy {order}, p.version {order} \
             LIMIT {}",
            conditions.text(),
            limit + 1
        );
        let rows = self.rows(sql, conditions.values).await?;
        let shown = self.policy_rows(&rows).await?.into_iter().map(|row| {
            let cursor = format!("{}.{}", row.policy, row.version);
            (row, cursor)
        });
        Ok(page_of(shown.collect(), limit))
    }

    /// A policy with its versions, or none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn policy(&self, policy: u32) -> Result<Option<Policy>, QueryError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM policies p WHERE p.policy = $1 ORDER BY p.version LIMIT 200"
        );
        let rows = self.rows(sql, values![policy]).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let shown = self.policy_rows(&rows).await?;
        let history = self.whole_history(&format!("policy:{policy}")).await?;
        let (mut versions, mut before) = (Vec::new(), Json::Null);
        for (row, shown) in rows.iter().zip(shown) {
            let document = document_json(row)?;
            let of_this = |step: &&super::RecordRow| {
                let version = step.changes.iter().find(|change| change.field == "version");
                version.and_then(|change| change.after.as_i64()) == Some(shown.version)
            };
            let steps = history.iter().filter(of_this).zip(1..).map(step_of).collect();
            let changes = difference(&before, &document);
            before.clone_from(&document);
            versions.push(PolicyVersion {
                row: shown.clone(),
                conditions: document.get("conditions").cloned().unwrap_or(Json::Null),
                format: row.try_get(7)?,
                body_hash: hex_of(row, 8)?,
                document: row.try_get(6)?,
                approval_hash: maybe_hex(row, 9)?,
                steps,
                changes,
            });
        }
        Ok(Some(Policy { policy: policy.into(), versions }))
    }
}

fn step_of((record, index): (&super::RecordRow, i64)) -> PolicyStep {
    let text = |name: &str| {
        let change = record.changes.iter().find(|change| change.field == name)?;
        change.after.as_str().map(str::to_owned)
    };
    PolicyStep {
        index,
        act: record.act.clone(),
        actor: record.operator.clone().or_else(|| text("approver")).or_else(|| text("submitter")),
        time: record.time,
        block: record.block,
        transaction: record.transaction.clone(),
        hash: text("comment_hash").or_else(|| text("body_hash")),
        reason: record.reason.clone(),
        flow_hash: text("flow_hash").or_else(|| text("approval_hash")).unwrap_or_default(),
    }
}

/// The fields in which two documents differ.
fn difference(before: &Json, after: &Json) -> Vec<FieldChange> {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        return Vec::new();
    };
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let value = |map: &serde_json::Map<String, Json>, name: &String| {
        map.get(name).cloned().unwrap_or(Json::Null)
    };
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| FieldChange {
            field: name.clone(),
            before: value(old, name),
            after: value(new, name),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::json_of, *};

    #[test]
    fn documents_differ_in_fields() {
        let (old, new) = (json_of(r#"{"a":1,"b":2}"#), json_of(r#"{"b":3,"c":4}"#));
        let fields: Vec<String> =
            difference(&old, &new).into_iter().map(|change| change.field).collect();
        assert_eq!(fields, ["a", "b", "c"]);
        assert_eq!(difference(&Json::Null, &new), []);
    }
}
