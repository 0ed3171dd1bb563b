//! Participants (参与方) and access nodes (业务接入节点).

use super::{
    Page, PageRequest, Queries, QueryError, RecordRow, Where, hex_of, json_of, maybe_hex, page_of,
    refuse,
};
use crate::{
    insert::{Value, values},
    names,
};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{Row, any::AnyRow};

/// Which participants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParticipantFilter {
    /// `issuer`, `user`, `platform`, `admin` or `auditor`.
    pub role: Option<String>,
    /// `active`, `frozen` or `cancelled`.
    pub status: Option<String>,
    /// Part of the name or of the DID.
    pub text: Option<String>,
}

/// A participant in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ParticipantRow {
    /// DID.
    pub did: String,
    /// Name.
    pub name: String,
    /// `organisation` or `person`.
    pub kind: String,
    /// Roles.
    pub roles: Vec<String>,
    /// `active`, `frozen` or `cancelled`.
    pub status: String,
    /// Since when.
    pub registered: i64,
}

/// A participant.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Participant {
    /// What lists show.
    #[serde(flatten)]
    pub row: ParticipantRow,
    /// Account of its key.
    pub account: String,
    /// Its key.
    pub public_key: String,
    /// SM3 of its 统一社会信用代码.
    pub uscc_hash: Option<String>,
    /// Offices that it holds.
    pub offices: Vec<String>,
    /// What happened to it, the first first.
    pub history: Vec<RecordRow>,
    /// Its access nodes.
    pub nodes: Vec<AccessNodeRow>,
    /// Bills that it issued.
    pub issued: i64,
    /// Bills that it has locked.
    pub held: i64,
}

/// An access node in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessNodeRow {
    /// DID.
    pub did: String,
    /// Name of who runs it.
    pub operator_name: String,
    /// `normal`, `paused` or `disabled`.
    pub status: String,
    /// Participants that are linked to it.
    pub participants: i64,
    /// Since when.
    pub registered: i64,
}

/// A link of an access node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessLink {
    /// DID of the participant.
    pub participant: String,
    /// Its name.
    pub name: Option<String>,
    /// Since when.
    pub since: i64,
    /// Until when; none while it lasts.
    pub until: Option<i64>,
}

/// An access node.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AccessNode {
    /// What lists show.
    #[serde(flatten)]
    pub row: AccessNodeRow,
    /// SM3 of its credential.
    pub credential_hash: String,
    /// Account of its key.
    pub account: String,
    /// Its participants, at most 1,000.
    pub links: Vec<AccessLink>,
    /// What happened to it, the first first.
    pub history: Vec<RecordRow>,
}

const PARTICIPANT: &str = "p.id, d.did, p.name, p.kind, p.roles, p.status, p.registered";
const NODE: &str = "n.id, d.did, n.operator_name, n.status, n.registered, \
     (SELECT COUNT(*) FROM access_links l WHERE l.node = n.id AND l.until IS NULL)";

fn participant_row(row: &AnyRow) -> Result<ParticipantRow, QueryError> {
    Ok(ParticipantRow {
        did: row.try_get(1)?,
        name: row.try_get(2)?,
        kind: names::participant_kind(row.try_get(3)?),
        roles: names::roles(row.try_get(4)?),
        status: names::participant_status(row.try_get(5)?),
        registered: row.try_get(6)?,
    })
}

fn node_row(row: &AnyRow) -> Result<AccessNodeRow, QueryError> {
    Ok(AccessNodeRow {
        did: row.try_get(1)?,
        operator_name: row.try_get(2)?,
        status: names::node_status(row.try_get(3)?),
        registered: row.try_get(4)?,
        participants: row.try_get(5)?,
    })
}

/// A text as a pattern that finds it anywhere.
pub(crate) fn pattern(text: &str) -> Result<String, QueryError> {
    if text.chars().count() > 64 {
        return refuse("text", "at most 64 characters");
    }
    Ok(format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")))
}

impl Queries {
    /// Participants in the order in which they came.
    ///
    /// # Errors
    /// A filter is not in its form, or the database fails.
    pub async fn participants(
        &self,
        filter: &ParticipantFilter,
        page: &PageRequest,
    ) -> Result<Page<ParticipantRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        let mut conditions = Where::default();
        if let Some([id]) = page.after::<1>()? {
            conditions.and(&format!("p.id {beyond} ?"), [Value::from(id)]);
        }
        if let Some(role) = &filter.role {
            let Some(bit) = names::role_bit(role) else {
                return refuse("role", "`issuer`, `user`, `platform`, `admin` or `auditor`");
            };
            conditions.and("p.roles / ? % 2 = 1", [Value::from(bit)]);
        }
        if let Some(status) = &filter.status {
            let Some(number) = names::participant_status_number(status) else {
                return refuse("status", "`active`, `frozen` or `cancelled`");
            };
            conditions.equal("p.status", Some(number));
        }
        if let Some(text) = &filter.text {
            let pattern = pattern(text)?;
            let like = "(p.name LIKE ? ESCAPE '\\' OR d.did LIKE ? ESCAPE '\\')";
            conditions.and(like, [Value::from(pattern.clone()), Value::from(pattern)]);
        }
        let sql = format!(
            "SELECT {PARTICIPANT} FROM participants p JOIN dids d ON d.id = p.id WHERE {} \
             ORDER BY p.id {order} LIMIT {}",
            conditions.text(),
            limit + 1
        );
        let rows = self.rows(sql, conditions.values).await?;
        let shown: Result<Vec<_>, QueryError> = rows
            .iter()
            .map(|row| Ok((participant_row(row)?, row.try_get::<i64, _>(0)?.to_string())))
            .collect();
        Ok(page_of(shown?, limit))
    }

    /// The participant that has an account now.
    ///
    /// # Errors
    /// The database fails.
    pub async fn participant_by_account(
        &self,
        account: &[u8; 32],
    ) -> Result<Option<ParticipantRow>, QueryError> {
        let sql = format!(
            "SELECT {PARTICIPANT} FROM participants p JOIN dids d ON d.id = p.id \
             WHERE p.account = $1 LIMIT 1"
        );
        self.row(sql, values![*account]).await?.map(|row| participant_row(&row)).transpose()
    }

    /// A participant, or none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn participant(&self, did: &str) -> Result<Option<Participant>, QueryError> {
        let Some(id) = self.did_id(did).await? else { return Ok(None) };
        let sql = format!(
            "SELECT {PARTICIPANT}, p.account, p.public_key, p.uscc_hash FROM participants p \
             JOIN dids d ON d.id = p.id WHERE p.id = $1"
        );
        let Some(row) = self.row(sql, values![id]).await? else { return Ok(None) };
        let nodes = self
            .rows(
                format!(
                    "SELECT {NODE} FROM access_nodes n JOIN dids d ON d.id = n.id \
                     WHERE n.id IN (SELECT node FROM access_links \
                     WHERE participant = $1 AND until IS NULL) ORDER BY n.id LIMIT 100"
                ),
                values![id],
            )
            .await?;
        let nodes: Result<Vec<_>, _> = nodes.iter().map(node_row).collect();
        Ok(Some(Participant {
            row: participant_row(&row)?,
            account: hex_of(&row, 7)?,
            public_key: row.try_get(8)?,
            uscc_hash: row.try_get(9)?,
            offices: self.offices(did).await?,
            history: self.whole_history(did).await?,
            nodes: nodes?,
            issued: self.issued(id).await?,
            held: self.held(id).await?,
        }))
    }

    async fn offices(&self, did: &str) -> Result<Vec<String>, QueryError> {
        let subject = serde_json::json!({ "did": did }).to_string();
        let sql = "SELECT rule FROM rule_changes WHERE sort = 'admin' AND subject = $1 \
                   ORDER BY id DESC LIMIT 1";
        let row = self.row(sql.into(), values![subject]).await?;
        let rule: Option<String> = row.map(|row| row.try_get(0)).transpose()?.flatten();
        Ok(rule.iter().filter_map(|rule| json_of(rule).as_str().map(str::to_owned)).collect())
    }

    async fn issued(&self, id: i64) -> Result<i64, QueryError> {
        let sql =
            "SELECT CAST(COALESCE(SUM(bills), 0) AS BIGINT) FROM rollup_bills WHERE issuer = $1";
        let row = self.row(sql.into(), values![id]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
    }

    /// Locks that last, counted up to 10,000.
    async fn held(&self, id: i64) -> Result<i64, QueryError> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM holdings \
                   WHERE holder = $1 AND until IS NULL LIMIT 10000) h";
        let row = self.row(sql.into(), values![id]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
    }

    /// Access nodes in the order in which they came.
    ///
    /// # Errors
    /// A cursor is not in its form, or the database fails.
    pub async fn access_nodes(
        &self,
        page: &PageRequest,
    ) -> Result<Page<AccessNodeRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        let mut conditions = Where::default();
        if let Some([id]) = page.after::<1>()? {
            conditions.and(&format!("n.id {beyond} ?"), [Value::from(id)]);
        }
        let sql = format!(
            "SELECT {NODE} FROM access_nodes n JOIN dids d ON d.id = n.id WHERE {} \
             ORDER BY n.id {order} LIMIT {}",
            conditions.text(),
            limit + 1
        );
        let rows = self.rows(sql, conditions.values).await?;
        let shown: Result<Vec<_>, QueryError> = rows
            .iter()
            .map(|row| Ok((node_row(row)?, row.try_get::<i64, _>(0)?.to_string())))
            .collect();
        Ok(page_of(shown?, limit))
    }

    /// An access node, or none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn access_node(&self, did: &str) -> Result<Option<AccessNode>, QueryError> {
        let Some(id) = self.did_id(did).await? else { return Ok(None) };
        let sql = format!(
            "SELECT {NODE}, n.credential_hash, n.account FROM access_nodes n \
             JOIN dids d ON d.id = n.id WHERE n.id = $1"
        );
        let Some(row) = self.row(sql, values![id]).await? else { return Ok(None) };
        let links = "SELECT participant, since, until FROM access_links WHERE node = $1 \
                     ORDER BY since_tx LIMIT 1000";
        let links = self.rows(links.into(), values![id]).await?;
        let people =
            self.people(links.iter().filter_map(|row| row.try_get(0).ok()).collect()).await?;
        let links: Result<Vec<AccessLink>, QueryError> = links
            .iter()
            .map(|row| {
                let participant = row.try_get(0)?;
                Ok(AccessLink {
                    participant: people.did(participant),
                    name: people.name(participant),
                    since: row.try_get(1)?,
                    until: row.try_get(2)?,
                })
            })
            .collect();
        Ok(Some(AccessNode {
            row: node_row(&row)?,
            credential_hash: hex_of(&row, 6)?,
            account: maybe_hex(&row, 7)?.unwrap_or_default(),
            links: links?,
            history: self.whole_history(did).await?,
        }))
    }
}
