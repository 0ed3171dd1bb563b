//! Everything that serves requests, in one place.

use crate::{
    auth::{challenge::Challenges, lockout::Lockouts, oidc::Oidc, sessions::Sessions},
    config::Settings,
    events::Events,
    export::Exports,
    follow::Pace,
    http::rates::Rates,
    index::Index,
    metrics::Metrics,
    nodes::Nodes,
    store::{self, Log, Users},
};
use anyhow::{Context as _, Result};
use billchain_explorer_indexer::query::Queries;
use billchain_print::Font;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What serves requests.
pub struct App {
    /// The settings.
    pub settings: Settings,
    /// The index.
    pub index: Index,
    /// The nodes.
    pub nodes: Nodes,
    /// Users with passwords.
    pub users: Users,
    /// The access log.
    pub log: Log,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Challenges that wait for a signature.
    pub challenges: Challenges,
    /// Who failed too often.
    pub lockouts: Lockouts,
    /// The single sign-on.
    pub oidc: Option<Oidc>,
    /// Who asks how often.
    pub rates: Rates,
    /// Lists that are written to files.
    pub exports: Exports,
    /// What happens now.
    pub events: Events,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How fast the index goes.
    pub pace: Pace,
    /// Places for requests under way.
    pub places: Semaphore,
}

impl App {
    /// Opens the own file and everything else that serves requests about the chain of this genesis.
    ///
    /// # Errors
    /// If a setting cannot be followed.
    pub async fn open(
        settings: Settings,
        queries: Queries,
        genesis: [u8; 32],
    ) -> Result<Arc<Self>> {
        let pool = store::open(&settings.own)
            .await
            .with_context(|| format!("own (--own): cannot open {}", settings.own.display()))?;
        let metrics = Arc::new(Metrics::default());
        let font = match &settings.font {
            Some(file) => Some(Font::read(file).context("font")?),
            None => Font::find()
                .inspect_err(|error| tracing::warn!(%error, "there will be no PDFs"))
                .ok(),
        };
        let redirect = format!("{}/api/v1/session/oidc/callback", settings.address());
        let oidc = settings.login.oidc.clone().map(|oidc| Oidc::new(oidc, redirect)).transpose()?;
        let nodes = Nodes::new(&settings.nodes, genesis, font, metrics.clone())
            .context("nodes (--node)")?;
        let limits = settings.limits.clone();
        Ok(Arc::new(Self {
            index: Index::new(queries),
            nodes,
            users: Users::new(pool.clone())?,
            log: Log::new(pool),
            sessions: Sessions::new(settings.lasting()),
            challenges: Challenges::default(),
            lockouts: Lockouts::default(),
            oidc,
            rates: Rates::new(limits.session_rate, limits.address_rate),
            exports: Exports::new(limits.exports, limits.export_rows)
                .context("a folder for exports")?,
            events: Events::new(limits.lines),
            metrics,
            pace: Pace::default(),
            places: Semaphore::new(limits.requests),
            settings,
        }))
    }
}
