//! What access costs, and what attacks on it cost others.
//!
//! `access` asks one node by two of its listeners in turn, the plain one and one with TLS and
//! a token, with the same question from as many connections, and compares their rates.
//! `attacks` asks as a well-behaved caller while an attack goes on at the same listener, and
//! compares the times of its answers with those before.

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

/// The listener with TLS, and who asks there.
#[derive(Args, Clone)]
pub struct Guarded {
    /// URL of the listener, such as `https://localhost:9443`.
    #[arg(long)]
    guarded: String,
    /// Certificate that signs the listener's, PEM.
    #[arg(long)]
    ca: PathBuf,
    /// File with the caller's token.
    #[arg(long)]
    token_file: PathBuf,
    /// What is asked.
    #[arg(long, default_value = "scene_list")]
    method: String,
    /// Connections that ask, one request after the other each.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Seconds of each part.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Parts of each sort, in turn; the medians count.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write it to this file, too.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

/// Options of `access`.
#[derive(Args)]
pub struct Options {
    /// URL of the plain listener.
    #[arg(long, default_value = "http://127.0.0.1:9944")]
    plain: String,
    #[command(flatten)]
    pub(crate) guarded: Guarded,
}

/// Options of `attacks`.
#[derive(Args)]
pub struct AttackOptions {
    #[command(flatten)]
    pub(crate) guarded: Guarded,
    /// File with a token of another caller, which floods.
    #[arg(long)]
    flood_token_file: PathBuf,
    /// Attacks, all by default.
    #[arg(long, value_enum)]
    attack: Vec<Attack>,
}

/// What an attacker does.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attack {
    /// One caller asks as fast as it can, far beyond its limit.
    Flood,
    /// Nobody asks as fast as it can.
    Strangers,
    /// Tokens that nobody signed.
    Forged,
    /// Connections that say nothing, and TLS handshakes that never end.
    Slow,
}

/// Rates and times of one listener.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    /// Answers a second.
    pub rate: f64,
    /// Median time of an answer, in microseconds.
    pub p50_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
}

/// What `access` found.
#[derive(Debug, Serialize)]
pub struct AccessRecord {
    plain: Figures,
    guarded: Figures,
    /// Rate with TLS and tokens, of that without.
    ratio: f64,
}

/// What `attacks` found.
#[derive(Debug, Serialize)]
pub struct AttackRecord {
    calm: Figures,
    attacks: Vec<Attacked>,
}

/// What one attack did to others.
#[derive(Debug, Serialize)]
struct Attacked {
    attack: Attack,
    /// Of the well-behaved caller.
    others: Figures,
    /// The 99th percentile, of that without the attack.
    p99_ratio: f64,
    /// What the attacker sent.
    sent: u64,
    /// What of it was done.
    done: u64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s, p50 {} µs, p99 {} µs", self.rate, self.p50_us, self.p99_us)
    }
}

impl fmt::Display for AccessRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plain    {}", self.plain)?;
        writeln!(f, "guarded  {}", self.guarded)?;
        writeln!(f, "ratio    {:.3}", self.ratio)
    }
}

impl fmt::Display for AttackRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "calm       {}", self.calm)?;
        for one in &self.attacks {
            let name = format!("{:?}", one.attack).to_lowercase();
            writeln!(
                f,
                "{name:<10} {}, p99 × {:.2}; {} sent, {} done",
                one.others, one.p99_ratio, one.sent, one.done
            )?;
        }
        Ok(())
    }
}

/// Who asks.
#[derive(Clone)]
struct Asker {
    client: reqwest::Client,
    url: String,
    token: Option<String>,
    body: String,
}

impl Guarded {
    fn client(&self) -> Result<reqwest::Client> {
        let ca = fs::read(&self.ca).with_context(|| self.ca.display().to_string())?;
        let roots = reqwest::Certificate::from_pem_bundle(&ca)?;
        Ok(reqwest::Client::builder().no_proxy().tls_certs_only(roots).build()?)
    }

    fn asker(&self, url: &str, token: Option<String>) -> Result<Asker> {
        ensure!(self.connections > 0 && self.rounds > 0, "expected a connection and a round");
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": self.method, "params": [] });
        Ok(Asker { client: self.client()?, url: url.into(), token, body: body.to_string() })
    }

    fn own(&self) -> Result<Asker> {
        self.asker(&self.guarded, Some(token(&self.token_file)?))
    }
}

fn token(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(text.trim().to_owned())
}

impl Asker {
    /// Asks once: whether it was answered with a result.
    async fn ask(&self) -> Result<bool> {
        let mut request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .body(self.body.clone());
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let text = request.send().await?.bytes().await?;
        let answer: Value = serde_json::from_slice(&text)?;
        Ok(answer.get("result").is_some())
    }

    /// Asks with so many at once for a time; every answer must be one.
    async fn measure(&self, connections: usize, span: Duration) -> Result<Figures> {
        let (began, mut tasks) = (Instant::now(), JoinSet::new());
        for _ in 0..connections {
            let asker = self.clone();
            tasks.spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < span {
                    let asked = Instant::now();
                    if !asker.ask().await? {
                        bail!("{} refuses the question", asker.url);
                    }
                    times.push(asked.elapsed());
                }
                Ok(times)
            });
        }
        let mut times = Vec::new();
        while let Some(done) = tasks.join_next().await {
            times.extend(done??);
        }
        let rate = times.len() as f64 / began.elapsed().as_secs_f64();
        times.sort_unstable();
        let at = |part: usize| {
            let place = (times.len() * part / 100).min(times.len().saturating_sub(1));
            times.get(place).map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
        };
        Ok(Figures { rate, p50_us: at(50), p99_us: at(99) })
    }
}

/// The figures of the middle of several rounds, each by itself.
fn median(mut rounds: Vec<Figures>) -> Figures {
    let middle = rounds.len() / 2;
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let rate = rounds[middle].rate;
    let of = |mut values: Vec<u64>| {
        values.sort_unstable();
        values[middle]
    };
    let p50_us = of(rounds.iter().map(|one| one.p50_us).collect());
    let p99_us = of(rounds.iter().map(|one| one.p99_us).collect());
    Figures { rate, p50_us, p99_us }
}

/// Measures both listeners in turn.
pub async fn run(options: &Options) -> Result<AccessRecord> {
    let guarded = &options.guarded;
    let (own, plain) = (guarded.own()?, guarded.asker(&options.plain, None)?);
    let span = Duration::from_secs(guarded.seconds);
    let (mut of_plain, mut of_guarded) = (Vec::new(), Vec::new());
    for _ in 0..guarded.rounds {
        of_plain.push(plain.measure(guarded.connections, span).await?);
        of_guarded.push(own.measure(guarded.connections, span).await?);
    }
    let (plain, guarded) = (median(of_plain), median(of_guarded));
    Ok(AccessRecord { plain, guarded, ratio: guarded.rate / plain.rate })
}

/// Measures a well-behaved caller without an attack and with each.
pub async fn run_attacks(options: &AttackOptions) -> Result<AttackRecord> {
    let guarded = &options.guarded;
    let own = guarded.own()?;
    let span = Duration::from_secs(guarded.seconds);
    let all = [Attack::Flood, Attack::Strangers, Attack::Forged, Attack::Slow];
    let attacks = if options.attack.is_empty() { all.to_vec() } else { options.attack.clone() };
    let (mut calm, mut found) = (Vec::new(), vec![Vec::new(); attacks.len()]);
    let mut counts = vec![(0, 0); attacks.len()];
    for _ in 0..guarded.rounds {
        calm.push(own.measure(1, span).await?);
        for (at, attack) in attacks.iter().enumerate() {
            let attacker = Attacker::start(*attack, options)?;
            let measured = own.measure(1, span).await;
            let (sent, done) = attacker.stop().await;
            found[at].push(measured?);
            counts[at] = (counts[at].0 + sent, counts[at].1 + done);
        }
    }
    let calm = median(calm);
    let attacks = attacks.into_iter().zip(found).zip(counts);
    let attacks = attacks.map(|((attack, rounds), (sent, done))| {
        let others = median(rounds);
        let p99_ratio = others.p99_us as f64 / calm.p99_us.max(1) as f64;
        Attacked { attack, others, p99_ratio, sent, done }
    });
    Ok(AttackRecord { calm, attacks: attacks.collect() })
}

/// An attack that goes on.
struct Attacker {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    done: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Attacker {
    fn start(attack: Attack, options: &AttackOptions) -> Result<Self> {
        let guarded = &options.guarded;
        let token = match attack {
            Attack::Flood => Some(token(&options.flood_token_file)?),
            Attack::Strangers | Attack::Slow => None,
            // Whole, and signed by nobody.
            Attack::Forged => Some(format!("{}A", token(&guarded.token_file)?)),
        };
        let asker = guarded.asker(&guarded.guarded, token)?;
        let place = guarded.guarded.trim_start_matches("https://").to_owned();
        let mut all = Self {
            stop: Arc::default(),
            sent: Arc::default(),
            done: Arc::default(),
            tasks: JoinSet::new(),
        };
        for _ in 0..guarded.connections {
            let (stop, sent, done) = (all.stop.clone(), all.sent.clone(), all.done.clone());
            let (asker, place) = (asker.clone(), place.clone());
            all.tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    sent.fetch_add(1, Ordering::Relaxed);
                    if attack == Attack::Slow {
                        dawdle(&place).await;
                    } else if asker.ask().await.unwrap_or(false) {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        Ok(all)
    }

    async fn stop(mut self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        (self.sent.load(Ordering::Relaxed), self.done.load(Ordering::Relaxed))
    }
}

/// Begins a handshake and says no more for a while.
async fn dawdle(place: &str) {
    let Ok(mut stream) = TcpStream::connect(place).await else { return };
    // The first bytes of a ClientHello that never ends.
    let _ = stream.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
}
