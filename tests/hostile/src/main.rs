//! A validator that attacks the others, for tests: it takes the keys of a node of
//! a development network and its place, and speaks the networks' wire itself, so
//! that the product needs neither an attack nor a door for one.
//!
//! It runs until it is killed. `scripts/hostile` starts it and judges the others.

#![forbid(unsafe_code)]

mod attacks;
mod gossip;
mod member;
mod mesh;
mod network;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use attacks::{Attack, Follow, Mouth, Votes};
use member::Member;
use network::Network;

/// Interval of what is said without a cause.
const TICK: Duration = Duration::from_millis(20);
/// How long a connection lasts that is only made to be closed.
const VISIT: Duration = Duration::from_millis(300);

/// Attacks a development network as one of its validators.
#[derive(Parser)]
struct Options {
    /// Directory of the node whose place it takes.
    #[arg(long)]
    home: PathBuf,
    /// Hash of the genesis block.
    #[arg(long)]
    genesis: String,
    /// What it does.
    #[arg(long, value_enum)]
    attack: Attack,
    /// How many times as much it says of what it says without a cause.
    #[arg(long, default_value_t = 1)]
    intensity: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_ansi(false)
        .init();
    let Options { home, genesis, attack, intensity } = Options::parse();
    let member = Member::open(&home, &genesis)?;
    let turn = member.turn().context("its key is no validator's")?;
    println!("turn {turn} of {}", member.validators.as_slice().len());
    println!("attacking: {attack:?}");
    match attack {
        Attack::Gossip => {
            tokio::try_join!(
                misbehave(&member, attack, intensity),
                gossip::garbage_and_questions(&member)
            )?;
        }
        Attack::Mesh => mesh::disorder(&member, intensity).await?,
        Attack::Reconnect => {
            tokio::try_join!(come_and_go(&member), gossip::reconnect(&member))?;
        }
        _ => misbehave(&member, attack, intensity).await?,
    }
    Ok(())
}

/// On the consensus network, as long as that runs.
async fn misbehave(member: &Member, attack: Attack, intensity: u32) -> Result<()> {
    let votes = match attack {
        Attack::Equivocation => Votes::ItsOwn,
        _ => Votes::AsOthers,
    };
    let mut network = Network::join(member).await?;
    let (mut follow, mut conduct) = (Follow::new(votes), attack.conduct());
    let mut mouth = Mouth::default();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            heard = network.hear() => {
                let heard = heard.context("the network has ended")?;
                let new = follow.heard(member, &heard, &mut mouth);
                conduct.heard(member, follow.scene(), &heard, &mut mouth);
                if new {
                    conduct.round(member, follow.scene(), &mut mouth);
                }
            }
            _ = ticks.tick() => for _ in 0..intensity {
                conduct.tick(member, follow.scene(), &mut mouth);
            },
        }
        for said in mouth.take() {
            network.say(said);
        }
    }
}

/// Connects and disconnects on the consensus network.
async fn come_and_go(member: &Member) -> Result<()> {
    loop {
        let mut network = Network::join(member).await?;
        let listen = async { while network.hear().await.is_some() {} };
        let _ = timeout(VISIT, listen).await;
        network.leave().await;
        sleep(TICK).await;
    }
}
