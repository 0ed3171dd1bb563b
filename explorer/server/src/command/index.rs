//! `billchain-explorer verify` and `rebuild`: the index alone.

use crate::config::Settings;
use anyhow::{Context as _, Result, bail};
use billchain_chain_spec::ChainSpec;
use billchain_explorer_indexer::{self as indexer, Indexer, recount::recount};
use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The address of the index: of a file its `sqlite://`.
pub(super) fn url(settings: &Settings) -> String {
    let database = &settings.database;
    if database.contains("://") {
        return database.clone();
    }
    let path = std::path::absolute(database).unwrap_or_else(|_| PathBuf::from(database));
    format!("sqlite://{}", path.display())
}

fn of(settings: &Settings) -> Result<indexer::Settings> {
    let file = &settings.chain;
    let text = fs::read_to_string(file).with_context(|| {
        format!(
            "chain (--chain): cannot read {}, the chain specification that the nodes have",
            file.display()
        )
    })?;
    let chain = ChainSpec::from_json(&text)
        .with_context(|| format!("chain (--chain): {}", file.display()))?;
    let genesis = settings.genesis.as_ref().map(|told| {
        let told = format!("0x{}", told.trim_start_matches("0x").to_ascii_lowercase());
        crate::index::hash(&told)
            .map(Into::into)
            .context("genesis (--genesis): 0x and 64 hexadecimal digits")
    });
    let genesis = genesis.transpose()?;
    Ok(indexer::Settings {
        tables: url(settings),
        nodes: settings.nodes.clone(),
        spec: chain,
        genesis,
    })
}

/// The index, made if there is none.
pub(super) async fn open(settings: &Settings) -> Result<Indexer> {
    Indexer::open(&of(settings)?).await.context("the index cannot be opened")
}

pub(super) async fn verify(settings: &Settings) -> Result<ExitCode> {
    let counted = recount(&of(settings)?).await.context("the index cannot be counted again")?;
    println!("{counted}");
    Ok(if counted.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) async fn rebuild(settings: &Settings, yes: bool) -> Result<ExitCode> {
    if settings.database.contains("://") {
        bail!(
            "database (--database): drop and create {} with the database's own tools, then serve",
            settings.database
        );
    }
    let file = Path::new(&settings.database);
    if !yes && !agreed(file)? {
        return Ok(ExitCode::FAILURE);
    }
    for ending in ["", "-wal", "-shm"] {
        let part = PathBuf::from(format!("{}{ending}", file.display()));
        match fs::remove_file(&part) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot remove {}", part.display()));
            }
        }
    }
    let indexer = open(settings).await?;
    let statuses = indexer.status();
    let whole = async {
        let mut statuses = statuses;
        // It ends when the index has what the nodes have.
        let _ = statuses.wait_for(|status| status.head > 0 && status.indexed >= status.head).await;
    };
    indexer.run(whole).await.context("the index stopped")?;
    println!("the index is whole");
    Ok(ExitCode::SUCCESS)
}

fn agreed(file: &Path) -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("--yes: say that {} is to be dropped", file.display());
    }
    print!("Drop {} and build it again? [y/N] ", file.display());
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
