//! The commands of `billchain-refs`.

use anyhow::{Context, Result, bail, ensure};
use billchain_crypto::container::Secret as Password;
use billchain_oprf::{KeyShare, MAX_BATCH, PublicKeys, Purpose, Reference, keys};
use billchain_references::{
    auth::is_id,
    client::{Client, ClientConfig},
    journal,
    keyfile::{Held, password, write_private},
    service::{Config, Service},
    setup,
    wire::public_keys,
};
use clap::{Args, Parser, Subcommand};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The bureau's service for payer references: one person, one reference.
#[derive(Parser)]
#[command(name = "billchain-refs", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer questions until SIGTERM or Ctrl-C.
    Run {
        /// The operator's configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Make keys, share them anew, rotate them: on a machine without a network.
    #[command(subcommand)]
    Keys(Keys),
    /// Print a new requester's entry for the operators' files, and write its key.
    NewRequester {
        /// Its id.
        id: String,
        /// File for its key, which the requester gets.
        #[arg(long)]
        key_file: PathBuf,
    },
    /// Check the log of questions, and print where it ends.
    VerifyLog {
        /// The service's log_dir.
        directory: PathBuf,
    },
    /// Print for each reference of an old key the one of the new key.
    Rotate {
        /// Configuration of whoever asks; its public keys are the new ones.
        #[arg(long)]
        client: PathBuf,
        /// The rotation's public keys, as `keys rotate` wrote them.
        #[arg(long)]
        ratio: PathBuf,
        /// File with a reference a line, 64 digits of hex with or without 0x.
        references: PathBuf,
    },
    /// Make the files of a development network. Their keys are well known.
    Devnet {
        /// Directory to make.
        #[arg(long)]
        dir: PathBuf,
        /// Where the service will listen.
        #[arg(long, default_value = "127.0.0.1:9650")]
        listen: SocketAddr,
    },
}

#[derive(Subcommand)]
enum Keys {
    /// Make a key of which any THRESHOLD of OPERATORS have enough.
    Generate(Division),
    /// Share the same key anew: references stay, the old shares are worthless.
    Reshare {
        #[command(flatten)]
        old: Old,
        #[command(flatten)]
        division: Division,
    },
    /// Make a new key, and the rotation that turns old references into new ones.
    Rotate {
        #[command(flatten)]
        old: Old,
        #[command(flatten)]
        division: Division,
    },
    /// Print what is public of a key file.
    Show {
        /// The key file.
        file: PathBuf,
        /// File with its password.
        #[arg(long)]
        password_file: PathBuf,
    },
}

/// Who gets what.
#[derive(Args)]
struct Division {
    /// How many operators have to answer.
    #[arg(long)]
    threshold: u8,
    /// How many operators there are.
    #[arg(long)]
    operators: u8,
    /// Directory to make, with `operator-N.key` for each and `public.hex`.
    #[arg(long)]
    out: PathBuf,
    /// File with the password of the new key files; each operator changes nothing but
    /// the file's place.
    #[arg(long)]
    new_password_file: PathBuf,
}

/// Enough of the old key files.
#[derive(Args)]
struct Old {
    /// An operator's key file; as many as the threshold says.
    #[arg(long = "share", required = true)]
    shares: Vec<PathBuf>,
    /// File with their password.
    #[arg(long)]
    password_file: PathBuf,
}

/// Runs a command.
pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Run { config } => serve(&Config::read(&config)?),
        Command::Keys(keys) => ceremony(keys),
        Command::NewRequester { id, key_file } => new_requester(&id, &key_file),
        Command::VerifyLog { directory } => {
            let (first, head) = journal::verify(&directory)?;
            println!("entries {first} to {}, newest hash {}", head.number, head.hash);
            Ok(())
        }
        Command::Rotate { client, ratio, references } => rotate(&client, &ratio, &references),
        Command::Devnet { dir, listen } => setup::development(&dir, listen),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn serve(config: &Config) -> Result<()> {
    runtime()?.block_on(async {
        let service = Service::open(config).await?;
        eprintln!("billchain-refs: answers at http://{}", service.address);
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .context("cannot wait for SIGTERM")?;
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        };
        service.run(stop).await
    })
}

fn new_requester(id: &str, key_file: &Path) -> Result<()> {
    ensure!(is_id(id), "id: expected 1 to 64 letters, digits, - _ . :");
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    let key = hex::encode(key);
    write_private(key_file, key.as_bytes())?;
    println!(
        "[[requester]]\nid = \"{id}\"\nkey = \"{key}\"\nper_second = 200\nburst = 2000\n\
         per_day = 50000"
    );
    Ok(())
}

fn ceremony(command: Keys) -> Result<()> {
    match command {
        Keys::Generate(division) => {
            let (keys, shares) = keys::generate(division.threshold, division.operators)?;
            division.write("", "public.hex", keys, shares)
        }
        Keys::Reshare { old, division } => {
            let (keys, shares) = old.read()?;
            let Division { threshold, operators, .. } = division;
            let (keys, shares) = keys::reshare(&keys, &shares, threshold, operators)?;
            division.write("", "public.hex", keys, shares)
        }
        Keys::Rotate { old, division } => {
            let (keys, shares) = old.read()?;
            let Division { threshold, operators, .. } = division;
            let new = keys::rotate(&keys, &shares, threshold, operators)?;
            division.write("", "public.hex", new.keys, new.shares)?;
            division.write("ratio-", "ratio.hex", new.ratio, new.ratio_shares)
        }
        Keys::Show { file, password_file } => {
            let held = Held::read(&file, &password(&password_file)?)?;
            let Held { keys, share } = &held;
            println!("key         {}", keys.id());
            println!("purpose     {}", keys.purpose().name());
            println!("operator    {} of {}", share.index, keys.operators());
            println!("threshold   {}", keys.threshold());
            println!("public keys {}", hex::encode(keys.to_bytes()));
            Ok(())
        }
    }
}

impl Old {
    fn read(&self) -> Result<(PublicKeys, Vec<KeyShare>)> {
        let password = password(&self.password_file)?;
        let mut held = self.shares.iter().map(|file| Held::read(file, &password));
        let first = held.next().context("--share: give one at least")??;
        let mut shares = vec![first.share];
        for other in held {
            let other = other?;
            ensure!(other.keys == first.keys, "--share: these are shares of different keys");
            shares.push(other.share);
        }
        Ok((first.keys, shares))
    }
}

impl Division {
    fn write(
        &self,
        prefix: &str,
        public: &str,
        keys: PublicKeys,
        shares: Vec<KeyShare>,
    ) -> Result<()> {
        fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot make {}", self.out.display()))?;
        let password: Password = password(&self.new_password_file)?;
        for share in shares {
            let file = self.out.join(format!("{prefix}operator-{}.key", share.index));
            Held::new(keys.clone(), share)?.write(&file, &password)?;
        }
        let file = self.out.join(public);
        ensure!(!file.exists(), "{} exists", file.display());
        fs::write(&file, format!("{}\n", hex::encode(keys.to_bytes())))?;
        println!("{}: key {} for {}", file.display(), keys.id(), keys.purpose().name());
        Ok(())
    }
}

fn rotate(client: &Path, ratio: &Path, references: &Path) -> Result<()> {
    let config = ClientConfig::read(client)?;
    let text = fs::read_to_string(ratio).with_context(|| ratio.display().to_string())?;
    let ratio = public_keys(&text).map_err(|problem| anyhow::anyhow!("--ratio: {problem}"))?;
    if !matches!(ratio.purpose(), Purpose::Rotate { .. }) {
        bail!("--ratio: these keys are for {}", ratio.purpose().name());
    }
    ensure!(
        ratio.group() == config.keys.group(),
        "--ratio: it does not lead to the public keys of the client's configuration"
    );
    let text = fs::read_to_string(references).with_context(|| references.display().to_string())?;
    let old = text.lines().filter(|line| !line.trim().is_empty()).zip(1..).map(|(line, number)| {
        let mut bytes = [0; 32];
        let digits = line.trim().trim_start_matches("0x");
        hex::decode_to_slice(digits, &mut bytes)
            .with_context(|| format!("reference {number}: expected 64 digits of hex"))?;
        Reference::from_bytes(bytes).with_context(|| format!("reference {number}"))
    });
    let old: Vec<Reference> = old.collect::<Result<_>>()?;
    let client = Client::new(config)?;
    runtime()?.block_on(async {
        for batch in old.chunks(MAX_BATCH) {
            let (new, _) = client.rotated(&ratio, batch).await?;
            batch.iter().zip(new).for_each(|(old, new)| println!("{old} {new}"));
        }
        Ok(())
    })
}
