//! Lists of bills.

use super::{Key, Page, PageRequest, Queries, QueryError, Where, hash_of, page_of, refuse};
use crate::{
    insert::Value,
    names,
    shape::{ids_of_code, short},
};
use billchain_primitives::BillCode;
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{Row, any::AnyRow};

/// Which bills.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillFilter {
    /// DID of the issuer (开票单位).
    pub issuer: Option<String>,
    /// DID of who has, or had, them locked or reimbursed (用票单位).
    pub holder: Option<String>,
    /// DID of a linked party (关联方).
    pub party: Option<String>,
    /// The payer reference, `0x` hex.
    pub payer: Option<String>,
    /// `normal`, `locked` …
    pub status: Option<String>,
    /// `blue`, `red` or `payment_notice`.
    pub kind: Option<String>,
    /// Number of the scene.
    pub scene: Option<u16>,
    /// 行政区划, two digits.
    pub region: Option<String>,
    /// 分类, two digits.
    pub class: Option<String>,
    /// 票据代码.
    pub code: Option<String>,
    /// First issue date, yyyymmdd.
    pub from: Option<u32>,
    /// Last issue date.
    pub to: Option<u32>,
    /// Least total.
    pub least_fen: Option<i64>,
    /// Largest total.
    pub most_fen: Option<i64>,
}

/// A bill in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BillRow {
    /// 票据代码.
    pub code: String,
    /// 票据号码.
    pub number: String,
    /// `blue`, `red` or `payment_notice`.
    pub kind: String,
    /// 开票日期.
    pub issue_date: i64,
    /// 总金额.
    pub total_fen: i64,
    /// DID of the issuer.
    pub issuer: String,
    /// Its name.
    pub issuer_name: Option<String>,
    /// Scene.
    pub scene: i64,
    /// Status.
    pub status: String,
    /// Version.
    pub version: i64,
    /// DID of who has it locked.
    pub holder: Option<String>,
    /// Sum of reimbursements that count.
    pub reimbursed_fen: i64,
    /// Time of the last change.
    pub updated: i64,
}

const COLUMNS: &str = "b.id, b.kind, b.issue_date, b.total, b.issuer, b.scene, b.status, b.version, \
     b.holder, b.reimbursed, b.updated_time";

fn digits(field: &'static str, text: &str) -> Result<i64, QueryError> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.parse().unwrap_or_default())
    } else {
        refuse(field, "two digits")
    }
}

impl Queries {
    /// Bills, in the order of issue date, code and number.
    ///
    /// # Errors
    /// A filter is not in its form, or the database fails.
    pub async fn bills(
        &self,
        filter: &BillFilter,
        page: &PageRequest,
    ) -> Result<Page<BillRow>, QueryError> {
        let limit = page.limit()?;
        let (order, beyond) = page.order();
        let mut conditions = Where::default();
        let Some(()) = self.narrow(filter, &mut conditions).await? else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        if let Some([date, id]) = page.after::<2>()? {
            let condition = format!("(b.issue_date, b.id) {beyond} (?, ?)");
            conditions.and(&condition, [Value::from(date), Value::from(id)]);
        }
        // What no index finds is looked for among so many rows of those that one finds.
        let (mut rest, mut looked) = (Where::default(), false);
        std::mem::swap(&mut rest.values, &mut conditions.values);
        looked |= self.sift(filter, &mut rest)?;
        let most = if looked { super::MAX_LOOKED as usize } else { limit + 1 };
        let sql = format!(
            "SELECT {COLUMNS} FROM bills b WHERE {} ORDER BY b.issue_date {order}, b.id {order} \
             LIMIT {most}",
            conditions.text()
        );
        if !looked {
            let rows = self.rows(sql, rest.values).await?;
            return self.page_of_bills(rows, limit).await;
        }
        let sql = format!(
            "SELECT {} FROM ({sql}) b WHERE {} ORDER BY b.issue_date {order}, b.id {order} LIMIT {}",
            "b.*",
            rest.text(),
            limit + 1
        );
        let looked_at = self.last_looked(&conditions, rest.values.clone(), page, most).await?;
        let rows = self.rows(sql, rest.values).await?;
        let mut found = self.page_of_bills(rows, limit).await?;
        if found.next.is_none() {
            found.next = looked_at;
        }
        Ok(found)
    }

    /// Conditions that an index meets; `None`: nobody is meant, so there are no bills.
    async fn narrow(
        &self,
        filter: &BillFilter,
        conditions: &mut Where,
    ) -> Result<Option<()>, QueryError> {
        if let Some(issuer) = &filter.issuer {
            let Some(id) = self.did_id(issuer).await? else { return Ok(None) };
            conditions.equal("b.issuer", Some(id));
        }
        if let Some(holder) = &filter.holder {
            let Some(id) = self.did_id(holder).await? else { return Ok(None) };
            let held = "b.id IN (SELECT bill FROM holdings WHERE holder = ?)";
            conditions.and(held, [Value::from(id)]);
        }
        if let Some(party) = &filter.party {
            let Some(id) = self.did_id(party).await? else { return Ok(None) };
            let linked = "b.id IN (SELECT bill FROM links WHERE party = ? AND until IS NULL)";
            conditions.and(linked, [Value::from(id)]);
        }
        if let Some(payer) = &filter.payer {
            let payer = hash_of("payer", payer)?;
            conditions.equal("b.payer_short", Some(short(&payer)));
            conditions.equal("b.payer_ref", Some(payer));
        }
        if let Some(status) = &filter.status {
            let Some(number) = names::status_number(status) else {
                return refuse("status", "a status of bills, as `normal` or `locked`");
            };
            // Written out, so that the index of those that are not Normal is taken.
            conditions.and(&format!("b.status = {number}"), []);
            if number != 1 {
                conditions.and("b.status <> 1", []);
            }
        }
        if let Some(code) = &filter.code {
            let Ok(code) = code.parse::<BillCode>() else { return refuse("code", "8 digits") };
            let (first, last) = ids_of_code(&code);
            conditions.and("b.id BETWEEN ? AND ?", [Value::from(first), Value::from(last)]);
        }
        if let Some(from) = filter.from {
            conditions.and("b.issue_date >= ?", [Value::from(from)]);
        }
        if let Some(to) = filter.to {
            conditions.and("b.issue_date <= ?", [Value::from(to)]);
        }
        Ok(Some(()))
    }

    /// Conditions that no index meets. Returns whether there is one.
    fn sift(&self, filter: &BillFilter, rest: &mut Where) -> Result<bool, QueryError> {
        if let Some(kind) = &filter.kind {
            let Some(number) = names::kind_number(kind) else {
                return refuse("kind", "`blue`, `red` or `payment_notice`");
            };
            rest.equal("b.kind", Some(number));
        }
        rest.equal("b.scene", filter.scene);
        if let Some(region) = &filter.region {
            let region = digits("region", region)?;
            rest.and("b.id / 10000000000000000 = ?", [Value::from(region)]);
        }
        if let Some(class) = &filter.class {
            let class = digits("class", class)?;
            rest.and("b.id / 100000000000000 % 100 = ?", [Value::from(class)]);
        }
        if let Some(least) = filter.least_fen {
            rest.and("b.total >= ?", [Value::from(least)]);
        }
        if let Some(most) = filter.most_fen {
            rest.and("b.total <= ?", [Value::from(most)]);
        }
        Ok(!rest.parts.is_empty())
    }

    /// The cursor of the last row that was looked at, if there may be more behind it.
    async fn last_looked(
        &self,
        conditions: &Where,
        values: Vec<Value>,
        page: &PageRequest,
        most: usize,
    ) -> Result<Option<String>, QueryError> {
        let (order, _) = page.order();
        // The values of the conditions stand before those of the rest.
        let used = conditions.parts.iter().map(|part| part.matches('$').count()).sum();
        let values: Vec<Value> = values.into_iter().take(used).collect();
        let sql = format!(
            "SELECT b.issue_date, b.id FROM bills b WHERE {} \
             ORDER BY b.issue_date {order}, b.id {order} LIMIT 1 OFFSET {}",
            conditions.text(),
            most - 1
        );
        let Some(row) = self.row(sql, values).await? else { return Ok(None) };
        let (date, id): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Some(format!("{date}.{id}")))
    }

    async fn page_of_bills(
        &self,
        rows: Vec<AnyRow>,
        limit: usize,
    ) -> Result<Page<BillRow>, QueryError> {
        let cursors: Result<Vec<String>, QueryError> = rows
            .iter()
            .map(|row| {
                let (id, date): (i64, i64) = (row.try_get(0)?, row.try_get(2)?);
                Ok(format!("{date}.{id}"))
            })
            .collect();
        let bills = self.bill_rows(rows).await?;
        Ok(page_of(bills.into_iter().zip(cursors?).collect(), limit))
    }

    /// Bills by their numbers, at most a page.
    pub(crate) async fn bills_of(&self, ids: &[i64]) -> Result<Vec<BillRow>, QueryError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let list: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let sql = format!(
            "SELECT {COLUMNS} FROM bills b WHERE b.id IN ({}) ORDER BY b.id",
            list.join(", ")
        );
        let rows = self.rows(sql, Vec::new()).await?;
        self.bill_rows(rows).await
    }

    pub(crate) async fn bill_rows(&self, rows: Vec<AnyRow>) -> Result<Vec<BillRow>, QueryError> {
        let mut ids = Vec::new();
        for row in &rows {
            ids.push(row.try_get(4)?);
            ids.extend(row.try_get::<Option<i64>, _>(8)?);
        }
        let people = self.people(ids).await?;
        rows.iter()
            .map(|row| {
                let Key { code, number } = Key::of(row.try_get(0)?);
                let issuer = row.try_get(4)?;
                let holder: Option<i64> = row.try_get(8)?;
                Ok(BillRow {
                    code,
                    number,
                    kind: names::kind(row.try_get(1)?),
                    issue_date: row.try_get(2)?,
                    total_fen: row.try_get(3)?,
                    issuer: people.did(issuer),
                    issuer_name: people.name(issuer),
                    scene: row.try_get(5)?,
                    status: names::status(row.try_get(6)?),
                    version: row.try_get(7)?,
                    holder: holder.map(|holder| people.did(holder)),
                    reimbursed_fen: row.try_get(9)?,
                    updated: row.try_get(10)?,
                })
            })
            .collect()
    }
}
