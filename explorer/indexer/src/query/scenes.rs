//! Scenes (场景) with their approvals.

use super::{Queries, QueryError, json_of};
use crate::{insert::values, names};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use sqlx::Row;

/// A scene in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SceneRow {
    /// Its number.
    pub scene: i64,
    /// Its name.
    pub name: String,
    /// `active` or `disabled`.
    pub status: String,
    /// `exclusive` or `cumulative`.
    pub mode: String,
    /// Its weight in contention.
    pub weight: i64,
    /// Its version.
    pub version: i64,
    /// When it changed last.
    pub updated: i64,
    /// Number of the proposal that waits.
    pub open_proposal: Option<i64>,
}

/// A proposal and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Approval {
    /// Its number.
    pub proposal: i64,
    /// What it does.
    pub change: Json,
    /// DID of who proposed it.
    pub proposer: String,
    /// When.
    pub proposed: i64,
    /// Why.
    pub reason: String,
    /// `open`, `approved`, `rejected` or `withdrawn`.
    pub result: String,
    /// DID of who decided.
    pub approver: Option<String>,
    /// With which words.
    pub comment: Option<String>,
    /// When it ended.
    pub ended: Option<i64>,
    /// Hash of the transaction that proposed it.
    pub transaction: Option<String>,
}

/// A version of rules.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RuleVersion {
    /// Its number.
    pub version: i64,
    /// When.
    pub time: i64,
    /// Hash of the transaction; none for the genesis.
    pub transaction: Option<String>,
    /// What holds from then on.
    pub changes: Vec<super::FieldChange>,
}

/// A scene.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Scene {
    /// What lists show.
    #[serde(flatten)]
    pub row: SceneRow,
    /// Its rules.
    pub rules: Json,
    /// Kinds of data that belong to its claims.
    pub related_data: Vec<String>,
    /// Its proposals, the newest first, at most 200.
    pub approvals: Vec<Approval>,
    /// Its versions, the first first.
    pub versions: Vec<RuleVersion>,
    /// DIDs that lock without a grant.
    pub whitelist: Vec<String>,
}

impl Queries {
    /// All scenes. The chain bounds their number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn scenes(&self) -> Result<Vec<SceneRow>, QueryError> {
        let sql = "SELECT id FROM scenes ORDER BY id LIMIT 1000";
        let mut scenes = Vec::new();
        for row in self.rows(sql.into(), Vec::new()).await? {
            scenes.extend(self.scene_row(row.try_get(0)?).await?.map(|(row, ..)| row));
        }
        Ok(scenes)
    }

    /// A scene's row, rules and related data. What changed one by one is put into the rules.
    async fn scene_row(
        &self,
        scene: i64,
    ) -> Result<Option<(SceneRow, Json, Vec<String>, Vec<RuleVersion>)>, QueryError> {
        let sql = "SELECT s.name, s.status, s.terms, s.related_data, s.version, s.updated, \
                   (SELECT MAX(id) FROM scene_proposals p \
                   WHERE p.scene = s.id AND p.outcome = 'open') FROM scenes s WHERE s.id = $1";
        let Some(row) = self.row(sql.into(), values![scene]).await? else { return Ok(None) };
        let terms: String = row.try_get(2)?;
        let mut rules = json_of(&terms);
        let versions = self.rule_versions("scene", &serde_json::json!({ "scene": scene })).await?;
        // The weight is the newest that was set since the rules were set as a whole.
        let mut weight = None;
        for version in &versions {
            for change in &version.changes {
                match (change.field.as_str(), change.after.get("weight")) {
                    ("rule", Some(value)) => weight = Some(value.clone()),
                    _ => continue,
                }
            }
        }
        if let (Some(weight), Some(map)) = (weight, rules.as_object_mut()) {
            map.insert("weight".into(), weight);
        }
        let related: String = row.try_get(3)?;
        let related: Vec<String> = serde_json::from_str(&related).unwrap_or_default();
        let shown = SceneRow {
            scene,
            name: row.try_get(0)?,
            status: names::scene_status(row.try_get(1)?),
            mode: rules["mode"].as_str().unwrap_or_default().to_owned(),
            weight: rules["weight"].as_i64().unwrap_or_default(),
            version: row.try_get(4)?,
            updated: row.try_get(5)?,
            open_proposal: row.try_get(6)?,
        };
        Ok(Some((shown, rules, related, versions)))
    }

    /// A scene, or none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn scene(&self, scene: u16) -> Result<Option<Scene>, QueryError> {
        let Some((row, rules, related_data, versions)) = self.scene_row(scene.into()).await? else {
            return Ok(None);
        };
        let approvals = self.approvals(scene.into()).await?;
        let whitelist = self.whitelist(scene).await?;
        Ok(Some(Scene { row, rules, related_data, approvals, versions, whitelist }))
    }

    async fn approvals(&self, scene: i64) -> Result<Vec<Approval>, QueryError> {
        let sql = "SELECT id, change, proposer, proposed, reason, outcome, approver, comment, ended, \
                   proposed_tx FROM scene_proposals WHERE scene = $1 ORDER BY id DESC LIMIT 200";
        let rows = self.rows(sql.into(), values![scene]).await?;
        let (mut ids, mut txs) = (Vec::new(), Vec::new());
        for row in &rows {
            ids.push(row.try_get(2)?);
            ids.extend(row.try_get::<Option<i64>, _>(6)?);
            txs.push(row.try_get(9)?);
        }
        let (people, hashes) = (self.people(ids).await?, self.tx_hashes(txs).await?);
        rows.iter()
            .map(|row| {
                let change: String = row.try_get(1)?;
                let approver: Option<i64> = row.try_get(6)?;
                Ok(Approval {
                    proposal: row.try_get(0)?,
                    change: json_of(&change),
                    proposer: people.did(row.try_get(2)?),
                    proposed: row.try_get(3)?,
                    reason: row.try_get(4)?,
                    result: row.try_get(5)?,
                    approver: approver.map(|approver| people.did(approver)),
                    comment: row.try_get(7)?,
                    ended: row.try_get(8)?,
                    transaction: hashes.get(&row.try_get(9)?).cloned(),
                })
            })
            .collect()
    }

    async fn whitelist(&self, scene: u16) -> Result<Vec<String>, QueryError> {
        let sql = "SELECT subject, rule FROM rule_changes WHERE sort = 'whitelist' \
                   ORDER BY id LIMIT 100000";
        let mut listed = std::collections::BTreeSet::new();
        for row in self.rows(sql.into(), Vec::new()).await? {
            let (subject, rule): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
            let subject = json_of(&subject);
            let (Some(of), Some(did)) = (subject["scene"].as_u64(), subject["did"].as_str()) else {
                continue;
            };
            if of != u64::from(scene) {
                continue;
            }
            if rule.is_some() {
                listed.insert(did.to_owned());
            } else {
                listed.remove(did);
            }
        }
        Ok(listed.into_iter().collect())
    }
}
