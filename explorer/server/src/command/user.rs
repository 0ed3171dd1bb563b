//! `billchain-explorer user`: users, also while the server runs.

use crate::{
    auth::Role,
    config::Settings,
    store::{self, NewUser, Users},
    time,
};
use anyhow::{Context as _, Result};
use clap::ValueEnum;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Add a user; its password and the secret of its one-time codes are printed once.
    Add {
        /// Its name.
        name: String,
        /// What it may do.
        #[arg(long)]
        role: RoleName,
        /// The participant that it acts for.
        #[arg(long)]
        did: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the users.
    List,
    /// Give a user a new password and a new secret.
    Reset {
        /// Its name.
        name: String,
    },
    /// Give a user another role.
    Role {
        /// Its name.
        name: String,
        /// What it may do.
        role: RoleName,
    },
    /// Let a user no longer sign in.
    Disable {
        /// Its name.
        name: String,
    },
    /// Let a user sign in again.
    Enable {
        /// Its name.
        name: String,
    },
    /// Remove a user.
    Remove {
        /// Its name.
        name: String,
    },
}

/// A role, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleName {
    Participant,
    Operator,
    Auditor,
    Administrator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Participant => Self::Participant,
            RoleName::Operator => Self::Operator,
            RoleName::Auditor => Self::Auditor,
            RoleName::Administrator => Self::Administrator,
        }
    }
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<ExitCode> {
    let pool = store::open(&settings.own)
        .await
        .with_context(|| format!("own (--own): cannot open {}", settings.own.display()))?;
    let users = Users::new(pool)?;
    match command {
        Command::Add { name, role, did, json } => {
            let told = users.add(&name, role.into(), did.as_deref()).await?;
            if json { println!("{}", serde_json::to_string(&told)?) } else { tell(&told) }
        }
        Command::List => list(&users).await?,
        Command::Reset { name } => tell(&users.reset(&name).await?),
        Command::Role { name, role } => users.set_role(&name, role.into()).await?,
        Command::Disable { name } => users.set_disabled(&name, true).await?,
        Command::Enable { name } => users.set_disabled(&name, false).await?,
        Command::Remove { name } => users.remove(&name).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(told: &NewUser) {
    println!("name      {}", told.name);
    println!("password  {}", told.password);
    println!("secret    {}", told.totp_secret);
    println!("          {}", told.totp_url);
    println!("Both are shown this once. The secret goes into an authenticator app.");
}

async fn list(users: &Users) -> Result<()> {
    for user in users.all().await? {
        let last = user.last_login.map_or_else(|| "never".to_owned(), time::beijing);
        let state = if user.disabled { "disabled" } else { "" };
        let did = user.did.unwrap_or_default();
        println!("{:<24} {:<14} {:<20} {state} {did}", user.name, user.role.name(), last);
    }
    Ok(())
}
