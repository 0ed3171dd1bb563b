//! `billchain-explorer serve`: index and server in one program.

use crate::{App, config::Settings, follow, http::page, index::Standing, server};
use anyhow::{Context as _, Result};
use billchain_explorer_indexer::{Queries, Status, Tables};
use std::{process::ExitCode, sync::Arc};
use tokio::{net::TcpListener, sync::watch};
use tracing_subscriber::EnvFilter;

/// Connections to the index for reading.
const READERS: u32 = 16;

pub(super) async fn run(settings: Settings) -> Result<ExitCode> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    if !page::BUILT {
        tracing::warn!("the page was not built into this program: only the interface answers");
    }
    let indexer = super::index::open(&settings).await?;
    let statuses = indexer.status();
    let genesis =
        crate::index::hash(&statuses.borrow().genesis).context("the index names no genesis")?;
    let tables = Tables::open_for_reading(&super::index::url(&settings), READERS)
        .await
        .context("database (--database)")?;
    let app = App::open(settings, Queries::new(tables), genesis).await?;
    let listen = app.settings.listen;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("listen (--listen): {listen}"))?;
    let (stopping, stopped) = watch::channel(false);
    let stop = |mut stopped: watch::Receiver<bool>| async move {
        // Gone is stopped, too.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let indexing = tokio::spawn(indexer.run(stop(stopped.clone())));
    let (standing, standings) = watch::channel(standing(&statuses.borrow()));
    tokio::spawn(translate(statuses.clone(), standing));
    tokio::spawn(follow::follow(app.clone(), standings));
    metrics(&app, statuses).await?;
    println!("{}", app.settings.address());
    tracing::info!(address = app.settings.address(), "serving");
    let serving = tokio::spawn({
        let app = app.clone();
        async move { server::serve(&app, listener, stop(stopped)).await }
    });
    tokio::pin!(indexing);
    let ended = tokio::select! {
        () = server::asked_to_stop() => None,
        ended = &mut indexing => Some(ended),
    };
    // The server may have stopped by itself.
    let _ = stopping.send(true);
    let ended = match ended {
        Some(ended) => ended,
        None => indexing.await,
    };
    serving.await?;
    ended?.context("the index stopped")?;
    Ok(ExitCode::SUCCESS)
}

/// The index's status in the server's words.
fn standing(status: &Status) -> Standing {
    let told = serde_json::to_value(status).and_then(serde_json::from_value::<Standing>);
    told.unwrap_or_else(|error| Standing {
        problem: Some(format!("the index's status cannot be read: {error}")),
        ..Standing::default()
    })
}

async fn translate(mut statuses: watch::Receiver<Status>, standing: watch::Sender<Standing>) {
    while statuses.changed().await.is_ok() {
        let now = self::standing(&statuses.borrow_and_update());
        standing.send_replace(now);
    }
}

async fn metrics(app: &Arc<App>, statuses: watch::Receiver<Status>) -> Result<()> {
    let Some(address) = app.settings.metrics else { return Ok(()) };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("metrics (--metrics): {address}"))?;
    let router = server::metrics(app, Arc::new(move || statuses.borrow().metrics()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}
