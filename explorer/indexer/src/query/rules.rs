//! Rules and their versions: transitions of the status machine, fields, whitelists, limits.

use super::{FieldChange, Queries, QueryError, RuleVersion, json_of};
use crate::insert::values;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use sqlx::Row;
use std::collections::BTreeMap;

/// Most changes of rules that are read.
const MAX_CHANGES: u32 = 100_000;

/// A rule of the status machine.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rule {
    /// The status before; none: no bill yet.
    pub from: Option<String>,
    /// The operation.
    pub operation: String,
    /// The scene whose own rule it is; none: the general one.
    pub scene: Option<u64>,
    /// Who may.
    pub roles: Vec<String>,
    /// Where it leads.
    pub to: String,
}

/// What made a version.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RuleChange {
    /// The rule before.
    pub before: Option<Rule>,
    /// The rule after; none: it was removed.
    pub after: Option<Rule>,
    /// When.
    pub time: i64,
    /// Hash of the transaction.
    pub transaction: Option<String>,
}

/// A version of the status machine.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rules {
    /// Which; 0 is the genesis'.
    pub version: i64,
    /// The newest.
    pub newest: i64,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// What made it; none for the genesis'.
    pub change: Option<RuleChange>,
}

fn rule_of(key: &Json, rule: &Json) -> Rule {
    let text = |value: &Json| match value {
        Json::String(text) => text.clone(),
        Json::Object(map) => map
            .values()
            .next()
            .map(|v| v.as_str().unwrap_or_default().to_owned())
            .unwrap_or_default(),
        _ => String::new(),
    };
    let roles = rule["roles"].as_array().map(|roles| roles.iter().map(text).collect());
    Rule {
        from: key["from"].as_str().map(str::to_owned),
        operation: text(&key["operation"]),
        scene: key["scene"].as_u64(),
        roles: roles.unwrap_or_default(),
        to: text(&rule["target"]),
    }
}

impl Queries {
    /// The status machine's rules at a version; none: the newest.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rules(&self, version: Option<u32>) -> Result<Rules, QueryError> {
        let sql = format!(
            "SELECT subject, rule, tx, time FROM rule_changes WHERE sort = 'transition' \
             ORDER BY id LIMIT {MAX_CHANGES}"
        );
        let rows = self.rows(sql, Vec::new()).await?;
        let (mut table, mut newest, mut change) = (BTreeMap::<String, Rule>::new(), 0, None);
        let mut shown = None;
        for row in &rows {
            let subject: String = row.try_get(0)?;
            let rule: Option<String> = row.try_get(1)?;
            let (tx, time): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
            let key = json_of(&subject);
            let after = rule.as_deref().map(|rule| rule_of(&key, &json_of(rule)));
            let name = key.to_string();
            if tx > 0 {
                if version.map(i64::from) == Some(newest) {
                    shown.get_or_insert((newest, table.clone(), change.clone()));
                }
                newest += 1;
                let before = table.get(&name).cloned();
                change = Some((
                    RuleChange { before, after: after.clone(), time, transaction: None },
                    tx,
                ));
            }
            match after {
                Some(rule) => table.insert(name, rule),
                None => table.remove(&name),
            };
        }
        let (version, table, change) = shown.unwrap_or((newest, table, change));
        let change = match change {
            Some((mut change, tx)) => {
                change.transaction = self.tx_hashes(vec![tx]).await?.remove(&tx);
                Some(change)
            }
            None => None,
        };
        Ok(Rules { version, newest, rules: table.into_values().collect(), change })
    }

    /// What was set of a sort of rules for a subject, the first first.
    pub(crate) async fn rule_versions(
        &self,
        sort: &'static str,
        subject: &Json,
    ) -> Result<Vec<RuleVersion>, QueryError> {
        let sql = "SELECT rule, tx, time FROM rule_changes WHERE sort = $1 AND subject = $2 \
                   ORDER BY id LIMIT 1000";
        let rows = self.rows(sql.into(), values![sort, subject.to_string()]).await?;
        let hashes =
            self.tx_hashes(rows.iter().filter_map(|row| row.try_get(1).ok()).collect()).await?;
        let mut before = Json::Null;
        let mut versions = Vec::new();
        for (version, row) in (1..).zip(&rows) {
            let rule: Option<String> = row.try_get(0)?;
            let after = rule.as_deref().map_or(Json::Null, json_of);
            let tx: i64 = row.try_get(1)?;
            versions.push(RuleVersion {
                version,
                time: row.try_get(2)?,
                transaction: hashes.get(&tx).cloned(),
                changes: vec![FieldChange {
                    field: "rule".into(),
                    before: std::mem::replace(&mut before, after.clone()),
                    after,
                }],
            });
        }
        Ok(versions)
    }
}
