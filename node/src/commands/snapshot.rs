//! `billchain snapshot`: a chain's data at one height, for backups and for nodes that
//! begin from them.

use super::keys::{Password, load_secret};
use crate::{
    config::Config,
    database::{load_spec, remove},
    restore::{self, Order},
    snapshot::{
        archive::{Reader, Writer, tree},
        manifest::{COLD, Manifest, Subject},
        stage::Stage,
        trust::Trust,
    },
};
use anyhow::{Context, Result, ensure};
use billchain_chain_spec::Document;
use billchain_crypto::container::Secret;
use billchain_primitives::Hash;
use clap::{Args, Subcommand};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Actions on snapshots.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a snapshot of a node, which may run.
    Create {
        /// The node's configuration.
        #[arg(long)]
        config: PathBuf,
        /// Directory to make; must not exist.
        #[arg(long)]
        out: PathBuf,
        /// Leave the files of cold segments out. They never change: the second path, another
        /// snapshot or a member gives them back after the restoring (billchain cold).
        #[arg(long)]
        without_cold_files: bool,
        #[command(flatten)]
        secret: SecretOptions,
    },
    /// Check a snapshot: every file, and that its block is one of the chain.
    Verify {
        /// The snapshot.
        directory: PathBuf,
        #[command(flatten)]
        judge: Judge,
        /// Compute the state root again, compare every entry of the state with it, and
        /// check that the blocks are one chain. Restores the snapshot in this directory
        /// for the while, which must not exist.
        #[arg(long, value_name = "DIRECTORY")]
        deep: Option<PathBuf>,
        #[command(flatten)]
        secret: SecretOptions,
    },
    /// Make the data of a new node from a snapshot.
    Restore {
        /// The node's configuration.
        #[arg(long)]
        config: PathBuf,
        /// The snapshot.
        #[arg(long)]
        from: PathBuf,
        /// Hash of the snapshot's block, as a member whom you trust has told it.
        #[arg(long, value_name = "HASH")]
        trusted_hash: Option<Hash>,
        /// Height up to which the validator signs nothing, where no memory says what
        /// its key has signed: one that the chain has not reached yet.
        #[arg(long, value_name = "HEIGHT")]
        abstain_up_to: Option<u64>,
        /// Compare the files with the manifest only, and compute no root again: for a
        /// snapshot that you made yourself and kept where nobody else can write.
        #[arg(long)]
        quick: bool,
        #[command(flatten)]
        secret: SecretOptions,
    },
}

/// What a snapshot's block is judged by.
#[derive(Args)]
pub(crate) struct Judge {
    /// The chain specification, whose validators signed the block.
    #[arg(long, value_name = "FILE", required_unless_present = "trusted_hash")]
    chain_spec: Option<PathBuf>,
    /// Hash of the block, as a member whom you trust has told it.
    #[arg(long, value_name = "HASH")]
    trusted_hash: Option<Hash>,
}

/// What a snapshot is encrypted with. Without any of it, it is in the clear.
#[derive(Args)]
pub(crate) struct SecretOptions {
    /// File with the password that the snapshot is encrypted with.
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    password_file: Option<PathBuf>,
    /// File with the key that it is encrypted with: 64 hex digits, of `openssl rand
    /// -hex 32` for instance.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl SecretOptions {
    fn read(&self) -> Result<Option<Secret>> {
        if let Some(file) = &self.key_file {
            let key = load_secret(file, "the snapshot's key")?;
            return Ok(Some(Secret::key(*key)));
        }
        let Some(file) = &self.password_file else { return Ok(None) };
        let password = Password { password_file: Some(file.clone()) };
        Ok(Some(Secret::password(&password.read("the snapshot")?)?))
    }
}

/// Runs `billchain snapshot …`.
pub(crate) fn run(command: Command) -> Result<()> {
    match command {
        Command::Create { config, out, without_cold_files, secret } => {
            let config = Config::load(&config)?;
            create(&config, &out, without_cold_files, secret.read()?.as_ref())
        }
        Command::Verify { directory, judge, deep, secret } => {
            let document = judge.chain_spec.as_deref().map(load_spec).transpose()?;
            let trust = Trust { document: document.as_ref(), hash: judge.trusted_hash };
            verify(&directory, &trust, deep.as_deref(), secret.read()?)
        }
        Command::Restore { config, from, trusted_hash, abstain_up_to, quick, secret } => {
            let config = Config::load(&config)?;
            let document = load_spec(&config.chain_spec)?;
            let order = Order { trusted_hash, abstain_up_to, quick };
            restored(&config, &from, &document, &order, secret.read()?)
        }
    }
}

fn create(config: &Config, out: &Path, without_cold: bool, secret: Option<&Secret>) -> Result<()> {
    let stage = Stage::take(config)?;
    let lost = if without_cold { 0 } else { stage.lost(config)? };
    let made = copy(&stage, out, without_cold, secret).and_then(|(files, sm3)| {
        stage.give_back(true)?;
        Ok((files, sm3))
    });
    let (manifest, sm3) = match made {
        Ok(made) => made,
        // What was made of it is worth nothing; a directory that was there stays.
        Err(error) if is_there_already(&error) => return Err(error),
        Err(error) => {
            remove(out)?;
            return Err(error);
        }
    };
    tell(&manifest, sm3);
    if lost > 0 {
        println!(
            "not whole     {lost} files of cold segments are lost on this node: bring them back \
             (billchain cold), or take another node's snapshot"
        );
    }
    Ok(())
}

/// Whether the making failed because the directory exists.
fn is_there_already(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::AlreadyExists)
    })
}

/// Copies the files of a stage into a new snapshot.
fn copy(
    stage: &Stage,
    out: &Path,
    without_cold: bool,
    secret: Option<&Secret>,
) -> Result<(Manifest, [u8; 32])> {
    let writer = Writer::new(out, secret)?;
    let mut files = Vec::new();
    for path in tree(stage.directory())?.0 {
        let name = path.strip_prefix(stage.directory())?;
        let name = name.to_str().context("a file's name is no text")?;
        if is_needed(name) {
            files.push(writer.copy(&path, name)?);
        }
    }
    if !without_cold {
        for path in stage.cold_files()? {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.context("the name of a segment's file is no text")?;
            files.push(writer.copy(&path, &format!("{COLD}/{name}"))?);
        }
    }
    let manifest = Manifest::new(stage.subject().clone(), files);
    let sm3 = writer.finish(&manifest)?;
    Ok((manifest, sm3))
}

/// Locks belong to a process, and RocksDB's log is for people.
fn is_needed(name: &str) -> bool {
    !matches!(name, "lock" | "db/LOCK") && !name.starts_with("db/LOG")
}

/// Prints what a snapshot is.
fn tell(manifest: &Manifest, sm3: [u8; 32]) {
    let Subject { height, hash, state_root, rules, genesis, .. } = &manifest.block;
    println!("chain         {genesis:?}, rules {rules}");
    println!("block         {height}, hash {hash:?}");
    println!("state root    {state_root:?}");
    println!("files         {}, {} bytes", manifest.files.len(), manifest.bytes());
    println!("manifest SM3  0x{}", hex::encode(sm3));
}

fn verify(
    directory: &Path,
    trust: &Trust<'_>,
    deep: Option<&Path>,
    secret: Option<Secret>,
) -> Result<()> {
    let mut reader = Reader::new(directory, secret)?;
    let (manifest, sm3) = reader.manifest()?;
    let by = trust.judge(&manifest.block)?;
    tell(&manifest, sm3);
    println!("judged by     {by}");
    let Some(scratch) = deep else {
        for entry in &manifest.files {
            reader.read(entry, &mut io::sink())?;
        }
        println!("every file is what the manifest says");
        return Ok(());
    };
    ensure!(!scratch.exists(), "{} exists: expected a directory to make", scratch.display());
    let checked = restore::unpack(&mut reader, &manifest, (scratch, &scratch.join(COLD)))
        .and_then(|()| restore::check((scratch, None), &manifest.block));
    remove(scratch)?;
    let checked = checked?;
    println!("every file is what the manifest says");
    println!("{checked}");
    Ok(())
}

fn restored(
    config: &Config,
    from: &Path,
    document: &Document,
    order: &Order,
    secret: Option<Secret>,
) -> Result<()> {
    let mut reader = Reader::new(from, secret)?;
    let (manifest, sm3) = reader.manifest()?;
    let trust = Trust { document: Some(document), hash: order.trusted_hash };
    let by = trust.judge(&manifest.block)?;
    tell(&manifest, sm3);
    println!("judged by     {by}");
    println!("{}", restore::restore(config, &mut reader, &manifest, order)?);
    Ok(())
}
