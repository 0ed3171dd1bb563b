//! The index, as the server asks it: lists by their rows in [`crate::lists`], single things by name,
//! always as JSON of the shapes in `API.md`.

use crate::{Refusal, given::Given, lists::Name, time};
use billchain_explorer_indexer::query::{
    BillFilter, BlockFilter, BlockId, DisputeFilter, GrantFilter, MotionFilter, Page, PageRequest,
    ParticipantFilter, PolicyFilter, Queries, QueryError, StatisticsAsk, StatisticsBy,
    StatisticsWhat, TransactionFilter,
};
use billchain_primitives::BillKey;
use parking_lot::RwLock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

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
        let text = |name: &str| given.text(name).map(str::to_owned);
        let upwards = given.text("sort").is_some_and(|sort| !sort.starts_with('-'));
        let page = PageRequest { cursor: part.cursor.clone(), limit: part.limit, upwards };
        let moments = || {
            Ok::<_, Refusal>((
                moment(given, "from", time::start_of)?,
                moment(given, "to", time::end_of)?,
            ))
        };
        match name {
            Name::Bills => rows(self.queries.bills(&bill_filter(given, scope)?, &page).await?),
            Name::Blocks => {
                let (from_time, to_time) = moments()?;
                rows(
                    self.queries
                        .blocks(&BlockFilter { from_time, to_time, validator: None }, &page)
                        .await?,
                )
            }
            Name::Transactions => {
                let (from, to) = moments()?;
                let call =
                    given.text("call").map(|call| call.split_once('.').unwrap_or((call, "")));
                let filter = TransactionFilter {
                    block: number(given, "block")?,
                    signer: scope.map(str::to_owned).or_else(|| text("signer")),
                    pallet: call.map(|(pallet, _)| pallet.to_owned()),
                    call: call.map(|(_, call)| call.to_owned()).filter(|call| !call.is_empty()),
                    success: given.flag("success"),
                    from,
                    to,
                };
                rows(self.queries.transactions(&filter, &page).await?)
            }
            Name::Participants => {
                let filter = ParticipantFilter {
                    role: text("role"),
                    status: text("status"),
                    text: text("name"),
                };
                rows(self.queries.participants(&filter, &page).await?)
            }
            Name::Nodes => rows(self.queries.access_nodes(&page).await?),
            Name::Scenes => {
                let mut scenes = values(self.queries.scenes().await?)?;
                if given.text("sort") == Some("-scene") {
                    scenes.reverse();
                }
                Ok(Rows { items: scenes, next: None })
            }
            Name::Policies => {
                let filter = PolicyFilter { status: text("status"), text: text("keyword") };
                rows(self.queries.policies(&filter, &page).await?)
            }
            Name::Grants => rows(self.queries.grants(&grant_filter(given, scope), &page).await?),
            Name::Disputes => {
                let filter = DisputeFilter {
                    open: given.flag("open"),
                    party: scope.map(str::to_owned),
                    bill: None,
                };
                rows(self.queries.disputes(&filter, &page).await?)
            }
            Name::Motions => {
                rows(self.queries.motions(&MotionFilter { status: text("status") }, &page).await?)
            }
            Name::AccessLog => Err(Refusal::internal("the access log is no list of the index")),
        }
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
            from: number(given, "from")?.unwrap_or(0),
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

fn bill_filter(given: &Given, scope: Option<&str>) -> Result<BillFilter, Refusal> {
    let text = |name: &str| given.text(name).map(str::to_owned);
    let mut filter = BillFilter {
        issuer: text("issuer"),
        holder: text("holder"),
        party: text("party"),
        payer: None,
        status: text("status"),
        kind: text("kind"),
        scene: number(given, "scene")?,
        region: text("region"),
        class: text("class"),
        code: text("code"),
        from: number(given, "from")?,
        to: number(given, "to")?,
        least_fen: given.number("min"),
        most_fen: given.number("max"),
        ..BillFilter::default()
    };
    if let Some(did) = scope {
        let own = [&filter.issuer, &filter.holder, &filter.party]
            .into_iter()
            .flatten()
            .any(|named| named == did);
        if !own {
            // What it issued, unless it says which of its own bills it wants.
            filter.concerns = Some(did.to_owned());
        }
    }
    Ok(filter)
}

fn grant_filter(given: &Given, scope: Option<&str>) -> GrantFilter {
    let text = |name: &str| given.text(name).map(str::to_owned);
    GrantFilter {
        holder: text("holder"),
        subject: text("subject"),
        status: text("status"),
        party: scope.map(str::to_owned),
    }
}

/// `0x` and 64 digits as bytes.
pub fn hash(text: &str) -> Option<[u8; 32]> {
    hex::decode(text.strip_prefix("0x")?).ok()?.try_into().ok()
}

fn moment(given: &Given, name: &str, of: fn(i64) -> i64) -> Result<Option<u64>, Refusal> {
    let outside = || Refusal::malformed(name, "a day after 1970");
    given.number(name).map(|day| u64::try_from(of(day).max(0)).map_err(|_| outside())).transpose()
}

/// A number that was checked, in the type that the index wants.
fn number<T: TryFrom<i64>>(given: &Given, name: &str) -> Result<Option<T>, Refusal> {
    given
        .number(name)
        .map(|number| T::try_from(number).map_err(|_| Refusal::malformed(name, "a smaller number")))
        .transpose()
}

fn value<T: Serialize>(answer: &T) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(Refusal::internal)
}

fn values<T: Serialize>(answers: Vec<T>) -> Result<Vec<Value>, Refusal> {
    answers.iter().map(value).collect()
}

fn one<T: Serialize>(answer: Option<T>) -> Result<Option<Value>, Refusal> {
    answer.as_ref().map(value).transpose()
}

fn rows<T: Serialize>(page: Page<T>) -> Result<Rows, Refusal> {
    Ok(Rows { items: values(page.items)?, next: page.next })
}
