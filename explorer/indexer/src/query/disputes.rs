//! Disputes (争议): cases, and contentions within a block.

use super::{
    Key, Page, PageRequest, Queries, QueryError, RecordRow, Where, hex_of, json_of, maybe_hex,
    page_of, stamp_of,
};
use crate::{
    insert::{Value, values},
    shape::bill_id,
};
use billchain_primitives::BillKey;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use sqlx::{Row, any::AnyRow};

/// Which cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// Whether they are open.
    pub open: Option<bool>,
    /// The bill.
    pub bill: Option<BillKey>,
}

/// A case in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaseRow {
    /// Its number.
    pub case: i64,
    /// 票据代码.
    pub code: String,
    /// 票据号码.
    pub number: String,
    /// Whether it is open.
    pub open: bool,
    /// DID of who opened it.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// SM3 of the evidence.
    pub evidence: String,
    /// When it was opened.
    pub opened: i64,
    /// When it was closed.
    pub closed: Option<i64>,
}

/// How a case was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decision {
    /// DID of who is in the right; none: it was dismissed.
    pub in_favour_of: Option<String>,
    /// DID of who decided.
    pub operator: String,
    /// When.
    pub time: i64,
    /// Why.
    pub reason: String,
    /// SM3 of the evidence.
    pub evidence: String,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Case {
    /// What lists show.
    #[serde(flatten)]
    pub row: CaseRow,
    /// DIDs of the parties.
    pub parties: Vec<String>,
    /// How it was decided.
    pub decision: Option<Decision>,
    /// What was done, the first first.
    pub acts: Vec<RecordRow>,
}

/// A contention within a block.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Contention {
    /// Block.
    pub block: u32,
    /// Its time.
    pub time: i64,
    /// DID of who got the bill.
    pub winner: String,
    /// Who asked for it, in the order of precedence.
    pub contenders: Json,
    /// Contenders beyond those that are named.
    pub unnamed: i64,
}

const COLUMNS: &str = "c.id, c.bill, c.operator, c.reason, c.evidence, c.opened, c.closed";

impl Queries {
    async fn case_rows(&self, rows: &[AnyRow]) -> Result<Vec<CaseRow>, QueryError> {
        let people =
            self.people(rows.iter().filter_map(|row| row.try_get(2).ok()).collect()).await?;
        rows.iter()
            .map(|row| {
                let Key { code, number } = Key::of(row.try_get(1)?);
                let closed: Option<i64> = row.try_get(6)?;
                Ok(CaseRow {
                    case: row.try_get(0)?,
                    code,
                    number,
                    open: closed.is_none(),
                    operator: people.did(row.try_get(2)?),
                    reason: row.try_get(3)?,
                    evidence: hex_of(row, 4)?,
                    opened: row.try_get(5)?,
                    closed,
                })
            })
            .collect()
    }

    /// Cases by their numbers.
    ///
    /// # Errors
    /// A filter is not in its form, or the database fails.
    pub async fn disputes(
        &self,
        filter: &CaseFilter,
        page: &PageRequest,
    ) -> Result<Page<CaseRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        let mut conditions = Where::default();
        if let Some([id]) = page.after::<1>()? {
            conditions.and(&format!("c.id {beyond} ?"), [Value::from(id)]);
        }
        match filter.open {
            Some(true) => conditions.and("c.closed IS NULL", []),
            Some(false) => conditions.and("c.closed IS NOT NULL", []),
            None => {}
        }
        conditions.equal("c.bill", filter.bill.as_ref().map(bill_id));
        let sql = format!(
            "SELECT {COLUMNS} FROM cases c WHERE {} ORDER BY c.id {order} LIMIT {}",
            conditions.text(),
            limit + 1
        );
        let rows = self.rows(sql, conditions.values).await?;
        let shown = self.case_rows(&rows).await?.into_iter().map(|row| {
            let cursor = row.case.to_string();
            (row, cursor)
        });
        Ok(page_of(shown.collect(), limit))
    }

    pub(crate) async fn cases_of(&self, bill: i64) -> Result<Vec<CaseRow>, QueryError> {
        let sql =
            format!("SELECT {COLUMNS} FROM cases c WHERE c.bill = $1 ORDER BY c.id LIMIT 200");
        let rows = self.rows(sql, values![bill]).await?;
        self.case_rows(&rows).await
    }

    pub(crate) async fn contentions(&self, bill: i64) -> Result<Vec<Contention>, QueryError> {
        let sql = "SELECT tx, time, winner, contenders, unnamed FROM contentions WHERE bill = $1 \
                   ORDER BY event LIMIT 200";
        let rows = self.rows(sql.into(), values![bill]).await?;
        let people =
            self.people(rows.iter().filter_map(|row| row.try_get(2).ok()).collect()).await?;
        rows.iter()
            .map(|row| {
                let contenders: String = row.try_get(3)?;
                Ok(Contention {
                    block: stamp_of(row.try_get(0)?).0,
                    time: row.try_get(1)?,
                    winner: people.did(row.try_get(2)?),
                    contenders: json_of(&contenders),
                    unnamed: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// A case, or none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn dispute(&self, case: u32) -> Result<Option<Case>, QueryError> {
        let sql = format!(
            "SELECT {COLUMNS}, c.parties, c.outcome, c.closed_by, c.close_reason, c.close_evidence \
             FROM cases c WHERE c.id = $1"
        );
        let Some(row) = self.row(sql, values![case]).await? else { return Ok(None) };
        let Some(shown) = self.case_rows(std::slice::from_ref(&row)).await?.pop() else {
            return Ok(None);
        };
        let parties: String = row.try_get(7)?;
        let outcome: Option<String> = row.try_get(8)?;
        let decision = match (outcome, shown.closed) {
            (Some(outcome), Some(time)) => {
                let by: Option<i64> = row.try_get(9)?;
                let by = by.unwrap_or_default();
                Some(Decision {
                    in_favour_of: Some(outcome).filter(|outcome| outcome != "dismissed"),
                    operator: self.people(vec![by]).await?.did(by),
                    time,
                    reason: row.try_get::<Option<String>, _>(10)?.unwrap_or_default(),
                    evidence: maybe_hex(&row, 11)?.unwrap_or_default(),
                })
            }
            _ => None,
        };
        Ok(Some(Case {
            row: shown,
            parties: serde_json::from_str(&parties).unwrap_or_default(),
            decision,
            acts: self.whole_history(&format!("case:{case}")).await?,
        }))
    }
}
