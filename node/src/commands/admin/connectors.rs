//! `billchain admin connectors`.

use super::{Act, options::Why};
use crate::commands::shell::word;
use anyhow::{Context, Result, ensure};
use billchain_client::Connection;
use billchain_primitives::{
    BillKey, Did, SceneId,
    outbox::{ConnectorId, ConnectorKind, Label, Topic, Topics},
};
use billchain_runtime::Runtime;
use clap::{Args, Subcommand};
use pallet_outbox::{Connector, ConnectorStatus, Connectors, SceneFilter, Terms};
use serde_json::json;

type Call = pallet_outbox::Call<Runtime>;

/// Actions on connectors and the outbox's entries.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Show all connectors: terms, entries, lease, and the node's own worker.
    List,
    /// Show one.
    Show {
        /// Its number.
        connector: u16,
    },
    /// Register one (a motion of the council).
    Register(Registration),
    /// Change one's terms (a motion of the council). What is left out stays as it is.
    Update {
        /// Its number.
        connector: u16,
        #[command(flatten)]
        changes: Changes,
    },
    /// Pause one: what is decided waits, nobody tells it (a security administrator, or --motion).
    Pause {
        /// Its number.
        connector: u16,
        #[command(flatten)]
        why: Why,
    },
    /// Let one go on (a security administrator, or --motion).
    Resume {
        /// Its number.
        connector: u16,
        #[command(flatten)]
        why: Why,
    },
    /// Retire one for good (a motion of the council).
    Retire {
        /// Its number.
        connector: u16,
        #[command(flatten)]
        why: Why,
    },
    /// Show an entry, or what became of it.
    Entry {
        /// Number of the connector.
        connector: u16,
        /// Number of the entry.
        seq: u64,
    },
    /// Prove what became of an entry.
    Prove {
        /// Number of the connector.
        connector: u16,
        /// Number of the entry.
        seq: u64,
    },
    /// Show entries that were not acknowledged.
    Pending {
        /// Number of the connector.
        connector: u16,
        /// Number of an entry: those after it.
        #[arg(long)]
        after: Option<u64>,
    },
    /// Show what became of entries.
    History {
        /// Number of the connector.
        connector: u16,
        /// Where to go on: `next` of the page before.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show who was told of a bill's changes, and who has to be.
    Bill {
        /// 票据代码.
        code: String,
        /// 票据号码.
        number: String,
    },
    /// Have a dead letter tried again (an acknowledger, or --motion).
    Revive {
        /// Number of the connector.
        connector: u16,
        /// Number of the entry.
        seq: u64,
    },
    /// Give up a dead letter (a motion of the council).
    Discard {
        /// Number of the connector.
        connector: u16,
        /// Number of the entry.
        seq: u64,
        #[command(flatten)]
        why: Why,
    },
    /// Have a bill told again (an acknowledger, or --motion).
    Retell {
        /// Number of the connector.
        connector: u16,
        /// 票据代码.
        code: String,
        /// 票据号码.
        number: String,
        #[command(flatten)]
        why: Why,
    },
}

/// Terms of a new connector.
#[derive(Args)]
pub(super) struct Registration {
    /// old_bill_system, evidence_chain, signing_chain, medical_insurance, insurer, webhook or
    /// kafka.
    #[arg(long, value_parser = word::<ConnectorKind>)]
    kind: ConnectorKind,
    /// Name of the endpoint, by which operators' worker files say where it is.
    #[arg(long)]
    endpoint: Label,
    /// In which form it is told: `billchain worker formats` lists them.
    #[arg(long)]
    format: Label,
    #[command(flatten)]
    changes: Changes,
}

/// Terms that may change.
#[derive(Args)]
pub(super) struct Changes {
    /// What it is told, with commas between, such as bill_reimbursed; or all.
    #[arg(long, value_delimiter = ',')]
    topics: Vec<String>,
    /// Of which scenes, with commas between; or all.
    #[arg(long, value_delimiter = ',')]
    scenes: Vec<String>,
    /// DIDs of those whose workers acknowledge, with commas between.
    #[arg(long, value_delimiter = ',')]
    acknowledgers: Vec<Did>,
    /// Refusals after which an entry is a dead letter, 1 to 100.
    #[arg(long)]
    max_refusals: Option<u32>,
    /// Most entries that wait, 1 to 2000000.
    #[arg(long)]
    max_waiting: Option<u32>,
}

impl Changes {
    fn topics(&self) -> Result<Option<Topics>> {
        match self.topics.as_slice() {
            [] => Ok(None),
            [all] if all == "all" => Ok(Some(Topics::ALL)),
            names => {
                let topic = |name: &String| {
                    word::<Topic>(name).map_err(|error| anyhow::anyhow!("--topics: {error}"))
                };
                let topics = names.iter().map(topic).collect::<Result<Vec<_>>>()?;
                Ok(Some(Topics::of(&topics)))
            }
        }
    }

    fn scenes(&self) -> Result<Option<SceneFilter>> {
        match self.scenes.as_slice() {
            [] => Ok(None),
            [all] if all == "all" => Ok(Some(SceneFilter::All)),
            numbers => {
                let scene = |number: &String| {
                    let number = number.parse().with_context(|| {
                        format!("--scenes: expected numbers or all, found {number:?}")
                    })?;
                    Ok(SceneId(number))
                };
                let scenes = numbers.iter().map(scene).collect::<Result<Vec<_>>>()?;
                let most = pallet_outbox::MAX_SCENES;
                let scenes = scenes.try_into();
                let scenes = scenes.ok().with_context(|| format!("--scenes: at most {most}"))?;
                Ok(Some(SceneFilter::Only(scenes)))
            }
        }
    }

    /// The terms with these changes.
    fn of(&self, mut terms: Terms) -> Result<Terms> {
        if let Some(topics) = self.topics()? {
            terms.topics = topics;
        }
        if let Some(scenes) = self.scenes()? {
            terms.scenes = scenes;
        }
        if !self.acknowledgers.is_empty() {
            let most = pallet_outbox::MAX_ACKNOWLEDGERS;
            let all = self.acknowledgers.clone().try_into();
            let all = all.ok().with_context(|| format!("--acknowledgers: at most {most}"))?;
            terms.acknowledgers = all;
        }
        terms.max_refusals = self.max_refusals.unwrap_or(terms.max_refusals);
        terms.max_waiting = self.max_waiting.unwrap_or(terms.max_waiting);
        Ok(terms)
    }
}

impl Registration {
    fn terms(&self) -> Result<Terms> {
        ensure!(!self.changes.acknowledgers.is_empty(), "give --acknowledgers DID,…");
        self.changes.of(Terms {
            kind: self.kind,
            endpoint: self.endpoint.clone(),
            topics: Topics::ALL,
            scenes: SceneFilter::All,
            format: self.format.clone(),
            acknowledgers: Default::default(),
            max_refusals: 5,
            max_waiting: 1_000_000,
        })
    }
}

fn status(connector: u16, status: ConnectorStatus, why: &Why) -> Call {
    let reason = why.reason.clone();
    Call::set_status { connector: ConnectorId(connector), status, reason }
}

impl Action {
    pub(super) async fn act(&self, node: &Connection) -> Result<Act> {
        match self {
            Self::List => Act::read("connector_status", []),
            Self::Show { connector } => Act::read("connector_status", [json!(connector)]),
            Self::Register(registration) => {
                Act::motion(Call::register { terms: registration.terms()? })
            }
            Self::Update { connector, changes } => {
                let connector = ConnectorId(*connector);
                let key = Connectors::<Runtime>::hashed_key_for(connector);
                let found: Option<Connector> = node.state(&key).await?;
                let found = found.with_context(|| format!("there is no connector {connector}"))?;
                let terms = changes.of(found.terms.clone())?;
                ensure!(terms != found.terms, "the terms are these already");
                Act::motion(Call::update { connector, terms })
            }
            Self::Pause { connector, why } => {
                Act::own_or_motion(status(*connector, ConnectorStatus::Paused, why))
            }
            Self::Resume { connector, why } => {
                Act::own_or_motion(status(*connector, ConnectorStatus::Active, why))
            }
            Self::Retire { connector, why } => {
                Act::motion(status(*connector, ConnectorStatus::Retired, why))
            }
            Self::Entry { connector, seq } => {
                Act::read("outbox_entry", [json!(connector), json!(seq)])
            }
            Self::Prove { connector, seq } => {
                Act::read("outbox_proof", [json!(connector), json!(seq)])
            }
            Self::Pending { connector, after } => {
                Act::read("outbox_pending", [json!(connector), json!(after)])
            }
            Self::History { connector, cursor } => {
                Act::read("outbox_history", [json!(connector), json!(cursor)])
            }
            Self::Bill { code, number } => Act::read("outbox_ofBill", [json!(code), json!(number)]),
            Self::Revive { connector, seq } => {
                Act::own_or_motion(Call::revive { connector: ConnectorId(*connector), seq: *seq })
            }
            Self::Discard { connector, seq, why } => Act::motion(Call::discard {
                connector: ConnectorId(*connector),
                seq: *seq,
                reason: why.reason.clone(),
            }),
            Self::Retell { connector, code, number, why } => {
                let bill = BillKey { code: code.parse()?, number: number.parse()? };
                Act::own_or_motion(Call::retell {
                    connector: ConnectorId(*connector),
                    bills: vec![bill].try_into().unwrap_or_default(),
                    reason: why.reason.clone(),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Changes = Changes {
        topics: Vec::new(),
        scenes: Vec::new(),
        acknowledgers: Vec::new(),
        max_refusals: None,
        max_waiting: None,
    };

    fn registration(changes: Changes) -> Registration {
        Registration {
            kind: ConnectorKind::Webhook,
            endpoint: Label::new("platform").unwrap(),
            format: Label::new("webhook/1").unwrap(),
            changes,
        }
    }

    fn words(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_registration_names_who_acknowledges_and_the_rest_has_defaults() {
        assert!(registration(NONE).terms().is_err());
        let worker: Did = "did:bill:worker-1".parse().unwrap();
        let changes = Changes { acknowledgers: vec![worker.clone()], ..NONE };
        let terms = registration(changes).terms().unwrap();
        assert_eq!((terms.topics, terms.scenes), (Topics::ALL, SceneFilter::All));
        assert_eq!(terms.acknowledgers.into_inner(), [worker]);
    }

    #[test]
    fn topics_and_scenes_are_names_and_numbers_or_all() {
        let worker: Did = "did:bill:worker-1".parse().unwrap();
        let with = |topics: &[&str], scenes: &[&str]| {
            let acknowledgers = vec![worker.clone()];
            let (topics, scenes) = (words(topics), words(scenes));
            registration(Changes { topics, scenes, acknowledgers, ..NONE }).terms()
        };
        let terms = with(&["bill_locked", "grant_used"], &["1", "7"]).unwrap();
        assert_eq!(terms.topics, Topics::of(&[Topic::BillLocked, Topic::GrantUsed]));
        let scenes = vec![SceneId(1), SceneId(7)].try_into().unwrap();
        assert_eq!(terms.scenes, SceneFilter::Only(scenes));
        assert_eq!(with(&["all"], &["all"]).unwrap().topics, Topics::ALL);
        assert!(with(&["bill_eaten"], &[]).unwrap_err().to_string().contains("--topics"));
        assert!(with(&[], &["seven"]).unwrap_err().to_string().contains("--scenes"));
    }
}
