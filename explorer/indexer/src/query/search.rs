//! One text, whatever it may be: height, hash, bill, DID, USCC, claim number, policy, scene, motion.

use super::{BlockId, Key, Queries, QueryError};
use crate::{
    insert::values,
    shape::{bill_id, ids_of_code, short},
};
use billchain_primitives::{BillCode, BillKey, BillNumber, Did, Uscc, sm3};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::Row;

/// Most hits of one kind.
const MAX_HITS: usize = 20;
/// Longest text that is looked at: what a bill's QR code holds, and more.
const MAX_SEARCH: usize = 1_024;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SearchHit {
    /// `bill`, `block`, `transaction`, `participant`, `node`, `scene`, `policy`, `grant`,
    /// `dispute`, `motion` or `validator`.
    pub kind: &'static str,
    /// How its page is named.
    pub id: String,
    /// What to show.
    pub title: String,
    /// And beside it.
    pub detail: Option<String>,
}

/// What was looked for, and how many were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Looked {
    /// As in [`SearchHit`]; `claim` is a bill by its claim number.
    pub kind: &'static str,
    /// How many were found.
    pub found: usize,
}

/// What a search gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SearchAnswer {
    /// What was found.
    pub hits: Vec<SearchHit>,
    /// What was looked for.
    pub looked: Vec<Looked>,
    /// The newest block of the tables: what came later is not found.
    pub indexed: i64,
}

impl SearchAnswer {
    fn add(&mut self, kind: &'static str, hits: Vec<SearchHit>) {
        self.looked.push(Looked { kind, found: hits.len() });
        self.hits.extend(hits);
    }
}

/// Code and number, and what of the other codes stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes {
    /// Code and number.
    pub key: BillKey,
    /// Check code, issue date and total, as they stand there.
    pub rest: Vec<String>,
}

/// The bill that a text names by two, three or five codes: with any signs between them, as they
/// are printed or stand in the QR code (`01,31060126,0000000101,aZ09bY,…`).
pub fn codes_of(text: &str) -> Option<Codes> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let parts: Vec<&str> = text.split(|c| !is_part(c)).filter(|part| !part.is_empty()).collect();
    // Eighteen digits in one are both.
    if let [one] = parts[..]
        && one.len() == 18
        && let (Ok(code), Ok(number)) = (one[..8].parse(), one[8..].parse())
    {
        return Some(Codes { key: BillKey { code, number }, rest: Vec::new() });
    }
    let (code, number): (usize, BillNumber) = parts
        .iter()
        .enumerate()
        .find_map(|(at, part)| Some((at, part.parse::<BillNumber>().ok()?)))?;
    let at = parts[..code].iter().rposition(|part| part.parse::<BillCode>().is_ok())?;
    let rest = parts[code + 1..].iter().map(|part| (*part).to_owned()).collect();
    Some(Codes { key: BillKey { code: parts[at].parse().ok()?, number }, rest })
}

impl Queries {
    /// Finds whatever a text may name.
    ///
    /// # Errors
    /// The text is empty or too long, or the database fails.
    pub async fn search(&self, text: &str) -> Result<SearchAnswer, QueryError> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_SEARCH {
            return super::refuse("q", "1 to 1024 bytes");
        }
        let row = self.row("SELECT block FROM ledger".into(), Vec::new()).await?;
        let indexed = row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        let mut answer = SearchAnswer { hits: Vec::new(), looked: Vec::new(), indexed };
        if let Some(codes) = codes_of(text) {
            answer.add("bill", self.find_bill(&codes.key).await?);
        }
        if let Ok(number) = text.parse::<BillNumber>() {
            answer.add("bill", self.find_number(&number).await?);
        }
        if let Ok(height) = text.parse::<u32>() {
            answer.add("block", self.find_block(&BlockId::Number(height)).await?);
            self.find_numbered(height, &mut answer).await?;
        }
        if let Ok(hash) = super::hash_of("q", text) {
            self.find_hash(&hash, &mut answer).await?;
        }
        if let Ok(did) = text.parse::<Did>() {
            self.find_did(did.as_str(), &mut answer).await?;
        }
        if let Ok(uscc) = text.parse::<Uscc>() {
            answer.add("participant", self.find_uscc(&uscc).await?);
        }
        if text.len() <= super::MAX_TEXT {
            answer.add("claim", self.find_claim(text).await?);
            self.find_names(text, &mut answer).await?;
        }
        Ok(answer)
    }

    async fn find_bill(&self, key: &BillKey) -> Result<Vec<SearchHit>, QueryError> {
        let bills = self.bills_of(&[bill_id(key)]).await?;
        Ok(bills.into_iter().map(bill_hit).collect())
    }

    /// Bills of a number, whatever their code: codes are few.
    async fn find_number(&self, number: &BillNumber) -> Result<Vec<SearchHit>, QueryError> {
        let sql =
            "SELECT DISTINCT name FROM tallies WHERE sort = 'number' ORDER BY name LIMIT 2000";
        let mut ids = Vec::new();
        for row in self.rows(sql.into(), Vec::new()).await? {
            let name: String = row.try_get(0)?;
            // CODE-PREFIX: the millions that hold bills.
            let Some((code, prefix)) = name.split_once('-') else { continue };
            if let (true, Ok(code)) = (number.as_str().starts_with(prefix), code.parse()) {
                let (first, _) = ids_of_code(&code);
                ids.push(first + number.as_str().parse::<i64>().unwrap_or_default());
            }
        }
        ids.truncate(500);
        let bills = self.bills_of(&ids).await?;
        Ok(bills.into_iter().take(MAX_HITS).map(bill_hit).collect())
    }

    async fn find_block(&self, id: &BlockId) -> Result<Vec<SearchHit>, QueryError> {
        let block = self.block(id).await?;
        let hit = |block: super::Block| SearchHit {
            kind: "block",
            id: block.row.number.to_string(),
            title: format!("#{}", block.row.number),
            detail: Some(block.row.hash),
        };
        Ok(block.into_iter().map(hit).collect())
    }

    /// Scene, policy and case of a number.
    async fn find_numbered(
        &self,
        number: u32,
        answer: &mut SearchAnswer,
    ) -> Result<(), QueryError> {
        for (kind, sql) in [
            ("scene", "SELECT name FROM scenes WHERE id = $1"),
            ("policy", "SELECT name FROM policies WHERE policy = $1 ORDER BY version DESC LIMIT 1"),
            ("dispute", "SELECT reason FROM cases WHERE id = $1"),
            ("motion", "SELECT call FROM motions WHERE id = $1"),
        ] {
            let rows = self.rows(sql.into(), values![number]).await?;
            let mut hits = Vec::new();
            for row in rows {
                let (id, title) = (number.to_string(), row.try_get(0)?);
                hits.push(SearchHit { kind, id, title, detail: None });
            }
            answer.add(kind, hits);
        }
        Ok(())
    }

    async fn find_hash(
        &self,
        hash: &[u8; 32],
        answer: &mut SearchAnswer,
    ) -> Result<(), QueryError> {
        let text = format!("0x{}", hex::encode(hash));
        answer.add("block", self.find_block(&BlockId::Hash(*hash)).await?);
        let found = self.transaction(hash).await?;
        let hit = |found: super::Transaction| SearchHit {
            kind: "transaction",
            id: text.clone(),
            title: format!("{}.{}", found.row.pallet, found.row.call),
            detail: Some(text.clone()),
        };
        answer.add("transaction", found.into_iter().map(hit).collect());
        let sql = "SELECT id, status FROM grants WHERE id = $1";
        let rows = self.rows(sql.into(), values![text.as_str()]).await?;
        let mut hits = Vec::new();
        for row in rows {
            let (id, status): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            hits.push(SearchHit { kind: "grant", title: id.clone(), id, detail: Some(status) });
        }
        answer.add("grant", hits);
        let sql =
            "SELECT id, pallet, call FROM motions WHERE hash_short = $1 AND hash = $2 LIMIT 20";
        let mut hits = Vec::new();
        for row in self.rows(sql.into(), values![short(hash), *hash]).await? {
            let (pallet, call): (String, String) = (row.try_get(1)?, row.try_get(2)?);
            let id = row.try_get::<i64, _>(0)?.to_string();
            hits.push(SearchHit {
                kind: "motion",
                id,
                title: format!("{pallet}.{call}"),
                detail: None,
            });
        }
        answer.add("motion", hits);
        let found = self.participant_by_account(hash).await?;
        answer.add("participant", found.into_iter().map(participant_hit).collect());
        let sql = "SELECT name FROM validators WHERE (account = $1 OR operator = $1) LIMIT 1";
        let mut hits = Vec::new();
        for row in self.rows(sql.into(), values![*hash]).await? {
            let title = row.try_get(0)?;
            hits.push(SearchHit { kind: "validator", id: text.clone(), title, detail: None });
        }
        answer.add("validator", hits);
        Ok(())
    }

    async fn find_did(&self, did: &str, answer: &mut SearchAnswer) -> Result<(), QueryError> {
        let found = self.participant(did).await?;
        let hits = found.into_iter().map(|found| participant_hit(found.row)).collect();
        answer.add("participant", hits);
        let found = self.access_node(did).await?;
        let hit = |found: super::AccessNode| SearchHit {
            kind: "node",
            id: found.row.did,
            title: found.row.operator_name,
            detail: Some(found.row.status),
        };
        answer.add("node", found.into_iter().map(hit).collect());
        Ok(())
    }

    async fn find_uscc(&self, uscc: &Uscc) -> Result<Vec<SearchHit>, QueryError> {
        let hash = format!("0x{}", hex::encode(sm3(uscc.as_str().as_bytes())));
        let sql = "SELECT d.did FROM participants p JOIN dids d ON d.id = p.id \
                   WHERE p.uscc_hash = $1 LIMIT 20";
        let mut hits = Vec::new();
        for row in self.rows(sql.into(), values![hash]).await? {
            let did: String = row.try_get(0)?;
            let found = self.participant(&did).await?;
            hits.extend(found.map(|found| participant_hit(found.row)));
        }
        Ok(hits)
    }

    async fn find_claim(&self, claim: &str) -> Result<Vec<SearchHit>, QueryError> {
        let sql = "SELECT DISTINCT bill FROM holdings WHERE claim = $1 ORDER BY bill LIMIT 20";
        let rows = self.rows(sql.into(), values![claim]).await?;
        let ids: Result<Vec<i64>, sqlx::Error> = rows.iter().map(|row| row.try_get(0)).collect();
        Ok(self.bills_of(&ids?).await?.into_iter().map(bill_hit).collect())
    }

    /// Names of participants, scenes and policies.
    async fn find_names(&self, text: &str, answer: &mut SearchAnswer) -> Result<(), QueryError> {
        let Ok(pattern) = super::parties::pattern(text) else { return Ok(()) };
        for (kind, sql) in [
            (
                "participant",
                "SELECT d.did, p.name FROM participants p JOIN dids d ON d.id = p.id \
                 WHERE p.name LIKE $1 ESCAPE '\\' ORDER BY p.id LIMIT 20",
            ),
            (
                "scene",
                "SELECT CAST(id AS TEXT), name FROM scenes WHERE name LIKE $1 ESCAPE '\\' \
                 ORDER BY id LIMIT 20",
            ),
            (
                "policy",
                "SELECT DISTINCT CAST(policy AS TEXT), name FROM policies \
                 WHERE name LIKE $1 ESCAPE '\\' LIMIT 20",
            ),
        ] {
            let mut hits = Vec::new();
            for row in self.rows(sql.into(), values![pattern.as_str()]).await? {
                let (id, title) = (row.try_get(0)?, row.try_get(1)?);
                hits.push(SearchHit { kind, id, title, detail: None });
            }
            answer.add(kind, hits);
        }
        Ok(())
    }
}

fn bill_hit(bill: super::BillRow) -> SearchHit {
    let Key { code, number } = Key { code: bill.code, number: bill.number };
    SearchHit {
        kind: "bill",
        id: format!("{code}-{number}"),
        title: format!("{code} {number}"),
        detail: Some(bill.status),
    }
}

fn participant_hit(found: super::ParticipantRow) -> SearchHit {
    SearchHit {
        kind: "participant",
        id: found.did.clone(),
        title: found.name,
        detail: Some(found.did),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_found_however_its_codes_are_written() {
        for text in [
            "31060126 0000000101",
            "31060126-0000000101",
            "310601260000000101",
            "票据代码：31060126 票据号码：0000000101 校验码：aZ09bY",
            "01,31060126,0000000101,aZ09bY,20261130,123.45",
            "31060126/0000000101/aZ09bY",
        ] {
            let codes = codes_of(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(codes.key.to_string(), "31060126-0000000101", "{text}");
        }
        let codes = codes_of("31060126,0000000101,aZ09bY,20261130,123.45").unwrap();
        assert_eq!(codes.rest, ["aZ09bY", "20261130", "123.45"]);
        for text in ["", "31060126", "0000000101", "x", "31060126 12", "￥１２"] {
            assert_eq!(codes_of(text), None, "{text}");
        }
    }
}
