//! The index, as the server asks it: lists by their rows in [`crate::lists`], single things by name,
//! always as JSON of the shapes in `API.md`.

mod filters;

use crate::{Refusal, given::Given, lists::Name};
use billchain_explorer_indexer::query::{
    BlockFilter, BlockId, CaseFilter, Page, PageRequest, ParticipantFilter, PolicyFilter, Queries,
    QueryError, StatisticsAsk, StatisticsBy, StatisticsWhat,
};
use billchain_primitives::BillKey;
use filters::{
    bill_filter, grant_filter, moments, next_stage, number, page, sliced, staged,
    transaction_filter,
};
use parking_lot::RwLock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Participants that are put into the order of their names.
const MOST_NAMES: usize = 10_000;

/// How far the index is, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// Name of the chain.
    pub chain: String,
    /// Hash of its genesis.
    pub genesis: String,
    /// Newest block that the index holds.
    pub indexed: u64,
    /// Newest final block of the nodes.
    pub head: u64,
    /// Milliseconds that the index is behind.
    pub lag_ms: u64,
    /// Blocks that it skipped.
    pub gaps: u64,
    /// What is wrong, in words.
    pub problem: Option<String>,
    /// Nodes that said what the chain refutes.
    pub liars: Vec<String>,
    /// What the index knows of each node; operators see it.
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    pub nodes: Vec<Followed>,
}

/// What the index knows of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Followed {
    /// Where it is asked.
    pub url: String,
    /// Its newest block, as it said.
    pub head: Option<u64>,
    /// Its last lie.
    pub lie: Option<String>,
    /// What was wrong the last time; none if it was of use.
    pub failure: Option<String>,
}

/// A page's worth of a list.
pub struct Rows {
    /// The rows.
    pub items: Vec<Value>,
    /// Where the next ones begin.
    pub next: Option<String>,
}

/// Which rows.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where they begin.
    pub cursor: Option<String>,
    /// How many at most, up to 1,000.
    pub limit: u32,
}

/// The index.
pub struct Index {
    queries: Queries,
    standing: RwLock<Arc<Standing>>,
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Argument { field, expected } => Self::malformed(field, expected),
            error => Self::internal(error),
        }
    }
}

impl Index {
    /// The index that these queries ask.
    pub fn new(queries: Queries) -> Self {
        Self { queries, standing: RwLock::default() }
    }

    /// How far it is.
    pub fn standing(&self) -> Arc<Standing> {
        self.standing.read().clone()
    }

    /// It stands there now.
    pub fn stands(&self, standing: Standing) {
        *self.standing.write() = Arc::new(standing);
    }

    /// Rows of a list; `scope` is the participant to whose concerns they are confined.
    ///
    /// # Errors
    /// If a filter or the cursor is not what it must be, or the database fails.
    pub async fn rows(
        &self,
        name: Name,
        given: &Given,
        scope: Option<&str>,
        part: &Part,
    ) -> Result<Rows, Refusal> {
        let page = page(given, part);
        match (name, scope) {
            (Name::Bills, None) => rows(self.queries.bills(&bill_filter(given)?, &page).await?),
            (Name::Bills, Some(did)) => self.own_bills(given, did, part).await,
            (Name::Blocks, _) => {
                let (from, to) = moments(given);
                rows(self.queries.blocks(&BlockFilter { from, to }, &page).await?)
            }
            (Name::Transactions, _) => {
                let filter = transaction_filter(given, scope)?;
                rows(self.queries.transactions(&filter, &page).await?)
            }
            (Name::Participants, _) => self.participants(given, part).await,
            (Name::Nodes, _) => {
                let mut found = rows(self.queries.access_nodes(&page).await?)?;
                let status = given.text("status");
                found.items.retain(|row| status.is_none_or(|status| row["status"] == status));
                Ok(found)
            }
            (Name::Scenes, _) => {
                let mut scenes = values(&self.queries.scenes().await?)?;
                if given.text("sort") == Some("-scene") {
                    scenes.reverse();
                }
                sliced(scenes, part)
            }
            (Name::Policies, _) => {
                let text = |name: &str| given.text(name).map(str::to_owned);
                let filter = PolicyFilter { status: text("status"), text: text("keyword") };
                rows(self.queries.policies(&filter, &page).await?)
            }
            (Name::Grants, None) => rows(self.queries.grants(&grant_filter(given), &page).await?),
            (Name::Grants, Some(did)) => self.own_grants(given, did, part).await,
            (Name::Disputes, _) => self.disputes(given, scope, &page).await,
            (Name::Motions, _) => rows(self.queries.motions(given.text("status"), &page).await?),
            (Name::AccessLog, _) => {
                Err(Refusal::internal("the access log is no list of the index"))
            }
        }
    }

    /// Bills of a participant: those that it issued, then those that it had, then those that it is
    /// linked to; one of these alone if it is asked for.
    async fn own_bills(&self, given: &Given, did: &str, part: &Part) -> Result<Rows, Refusal> {
        let filter = bill_filter(given)?;
        let named = [&filter.issuer, &filter.holder, &filter.party];
        if named.iter().any(|name| name.as_deref() == Some(did)) {
            return rows(self.queries.bills(&filter, &page(given, part)).await?);
        }
        let (stage, own) = staged(part)?;
        let mut filter = filter;
        // What another one issued may be held, and so on: each stage asks for one thing more.
        let place = match stage {
            0 => &mut filter.issuer,
            1 => &mut filter.holder,
            _ => &mut filter.party,
        };
        if place.is_some() {
            return Ok(next_stage(Vec::new(), None, stage, 2));
        }
        *place = Some(did.to_owned());
        let mut found = rows(self.queries.bills(&filter, &page(given, &own)).await?)?;
        // What it issued was listed before.
        found.items.retain(|row| stage == 0 || row["issuer"] != did);
        Ok(next_stage(found.items, found.next, stage, 2))
    }

    /// Grants of a participant: those that it gave, then those that it got.
    async fn own_grants(&self, given: &Given, did: &str, part: &Part) -> Result<Rows, Refusal> {
        let mut filter = grant_filter(given);
        if [&filter.holder, &filter.subject].iter().any(|name| name.as_deref() == Some(did)) {
            return rows(self.queries.grants(&filter, &page(given, part)).await?);
        }
        let (stage, own) = staged(part)?;
        let place = if stage == 0 { &mut filter.holder } else { &mut filter.subject };
        if place.is_some() {
            return Ok(next_stage(Vec::new(), None, stage, 1));
        }
        *place = Some(did.to_owned());
        let found = rows(self.queries.grants(&filter, &page(given, &own)).await?)?;
        Ok(next_stage(found.items, found.next, stage, 1))
    }

    /// Cases; of a participant those of bills that concern it: a page may hold fewer.
    async fn disputes(
        &self,
        given: &Given,
        scope: Option<&str>,
        page: &PageRequest,
    ) -> Result<Rows, Refusal> {
        let filter = CaseFilter { open: given.flag("open"), bill: None };
        let mut found = rows(self.queries.disputes(&filter, page).await?)?;
        if let Some(did) = scope {
            let mut own = Vec::new();
            for row in found.items {
                let key = crate::api::bills::key_text(&row);
                let Some(key) = key.map(|key| crate::api::bills::key(&key)).transpose()? else {
                    continue;
                };
                if self.concerns(&key, did).await? {
                    own.push(row);
                }
            }
            found.items = own;
        }
        Ok(found)
    }

    /// Participants, in the order of their registration or of their names.
    async fn participants(&self, given: &Given, part: &Part) -> Result<Rows, Refusal> {
        let text = |name: &str| given.text(name).map(str::to_owned);
        let filter =
            ParticipantFilter { role: text("role"), status: text("status"), text: text("name") };
        let sort = given.text("sort").unwrap_or("name");
        if sort.ends_with("registered") {
            return rows(self.queries.participants(&filter, &page(given, part)).await?);
        }
        let mut all = Vec::new();
        let mut ask = PageRequest { cursor: None, limit: 1000, upwards: true };
        loop {
            let found = rows(self.queries.participants(&filter, &ask).await?)?;
            all.extend(found.items);
            if all.len() > MOST_NAMES {
                return Err(Refusal::malformed(
                    "sort",
                    "registered or -registered: there are too many for their names",
                ));
            }
            match found.next {
                Some(next) => ask.cursor = Some(next),
                None => break,
            }
        }
        all.sort_by(|one, other| one["name"].as_str().cmp(&other["name"].as_str()));
        if sort == "-name" {
            all.reverse();
        }
        sliced(all, part)
    }

    /// All that is told of a bill.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn bill_life(&self, key: &BillKey) -> Result<Option<Value>, Refusal> {
        one(self.queries.bill_life(key).await?)
    }

    /// A bill as it is.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn bill(&self, key: &BillKey) -> Result<Option<Value>, Refusal> {
        one(self.queries.bill(key).await?)
    }

    /// Whether a bill concerns a participant.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn concerns(&self, key: &BillKey, did: &str) -> Result<bool, Refusal> {
        Ok(self.queries.concerns(key, did).await?)
    }

    /// A block by number or hash.
    ///
    /// # Errors
    /// If it is neither, or the database fails.
    pub async fn block(&self, id: &str) -> Result<Option<Value>, Refusal> {
        let id = match (hash(id), id.parse()) {
            (Some(hash), _) => BlockId::Hash(hash),
            (None, Ok(number)) => BlockId::Number(number),
            (None, Err(_)) => {
                return Err(Refusal::malformed("id", "a number, or 0x and 64 digits"));
            }
        };
        one(self.queries.block(&id).await?)
    }

    /// A transaction by its hash.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn transaction(&self, hash: &[u8; 32]) -> Result<Option<Value>, Refusal> {
        one(self.queries.transaction(hash).await?)
    }

    /// A participant.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn participant(&self, did: &str) -> Result<Option<Value>, Refusal> {
        one(self.queries.participant(did).await?)
    }

    /// The participant whose present key an account belongs to.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn participant_by_account(
        &self,
        account: &[u8; 32],
    ) -> Result<Option<Value>, Refusal> {
        one(self.queries.participant_by_account(account).await?)
    }

    /// An access node.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn access_node(&self, did: &str) -> Result<Option<Value>, Refusal> {
        one(self.queries.access_node(did).await?)
    }

    /// A scene.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn scene(&self, id: u16) -> Result<Option<Value>, Refusal> {
        one(self.queries.scene(id).await?)
    }

    /// A policy with its versions.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn policy(&self, id: u32) -> Result<Option<Value>, Refusal> {
        one(self.queries.policy(id).await?)
    }

    /// A version of the rules.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn rules(&self, version: Option<u32>) -> Result<Value, Refusal> {
        value(&self.queries.rules(version).await?)
    }

    /// A grant.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn grant(&self, id: &str) -> Result<Option<Value>, Refusal> {
        one(self.queries.grant(id).await?)
    }

    /// A case.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn dispute(&self, id: u32) -> Result<Option<Value>, Refusal> {
        one(self.queries.dispute(id).await?)
    }

    /// A motion by hash or number.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn motion(&self, id: &str) -> Result<Option<Value>, Refusal> {
        one(self.queries.motion(id).await?)
    }

    /// Those who decide blocks.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn validators(&self) -> Result<Value, Refusal> {
        value(&self.queries.validators().await?)
    }

    /// What a text may mean.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn search(&self, text: &str) -> Result<Value, Refusal> {
        value(&self.queries.search(text).await?)
    }

    /// What the chain holds, in a few numbers.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn summary(&self) -> Result<Value, Refusal> {
        value(&self.queries.summary().await?)
    }

    /// Sums of the rollups; `scope` confines them to what that participant issued.
    ///
    /// # Errors
    /// If a filter is not what it must be, or the database fails.
    pub async fn statistics(&self, given: &Given, scope: Option<&str>) -> Result<Value, Refusal> {
        let text = |name: &str| given.text(name).map(str::to_owned);
        let ask = StatisticsAsk {
            by: match given.needed("by") {
                "day" => StatisticsBy::Day,
                "month" => StatisticsBy::Month,
                "year" => StatisticsBy::Year,
                "region" => StatisticsBy::Region,
                "class" => StatisticsBy::Class,
                "issuer" => StatisticsBy::Issuer,
                "scene" => StatisticsBy::Scene,
                _ => StatisticsBy::Status,
            },
            what: match given.text("measure") {
                Some("red") => StatisticsWhat::Reversed,
                Some("reimbursed") => StatisticsWhat::Reimbursed,
                Some("locked") => StatisticsWhat::Locked,
                _ => StatisticsWhat::Issued,
            },
            from: number(given, "from")?.unwrap_or(19_700_101),
            to: number(given, "to")?.unwrap_or(99_991_231),
            issuer: scope.map(str::to_owned).or_else(|| text("issuer")),
            region: text("region"),
            class: text("class"),
            scene: number(given, "scene")?,
            compare: given.flag("compare").unwrap_or(false),
        };
        value(&self.queries.statistics(&ask).await?)
    }
}

/// `0x` and 64 digits as bytes.
pub fn hash(text: &str) -> Option<[u8; 32]> {
    hex::decode(text.strip_prefix("0x")?).ok()?.try_into().ok()
}

fn value<T: Serialize>(answer: &T) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(Refusal::internal)
}

fn values<T: Serialize>(answers: &[T]) -> Result<Vec<Value>, Refusal> {
    answers.iter().map(value).collect()
}

fn one<T: Serialize>(answer: Option<T>) -> Result<Option<Value>, Refusal> {
    answer.as_ref().map(value).transpose()
}

fn rows<T: Serialize>(page: Page<T>) -> Result<Rows, Refusal> {
    Ok(Rows { items: values(&page.items)?, next: page.next })
}
