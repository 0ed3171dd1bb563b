//! Access as a node has it: the rules of now, and what outlives them.

use crate::{
    class::{Class, Classes},
    code,
    config::{AccessConfig, CheckDid, ConfigError, KeySource, LimitConfig, ListenerConfig},
    denied::Denied,
    guesses::{Guesses, network},
    identity::{Identity, Proof},
    limits::{Bucket, Holder, Limits},
    log::{AccessLog, LogError},
    metrics::AccessMetrics,
    rules::Rules,
    signing::{Asked, Nonces, Signed},
};
use billchain_crypto::sm3::sm3;
use http::HeaderMap;
use parking_lot::{Mutex, RwLock};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::task::AbortHandle;

/// Longest API key, in bytes.
const MAX_KEY: usize = 128;
/// Longest value of a header of a signature.
const MAX_VALUE: usize = 128;

/// Proofs that an address may get wrong.
const TRIES: LimitConfig = LimitConfig {
    work_per_minute: 120,
    burst: 600,
    bytes_per_minute: u64::MAX >> 16,
    concurrent: u32::MAX,
};

/// Refusals of one address that are told at once.
const REFUSALS: LimitConfig = LimitConfig {
    work_per_minute: 600,
    burst: 1_000,
    bytes_per_minute: u64::MAX >> 16,
    concurrent: u32::MAX,
};
/// How long each further one waits.
const PENALTY: Duration = Duration::from_millis(100);

/// Access as a node has it. Clones share it.
#[derive(Clone, Debug)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The file, and who judges the DIDs in it.
    file: Option<(PathBuf, CheckDid)>,
    /// The node's own listener, which stands in no file.
    local: (SocketAddr, u32),
    rules: RwLock<Arc<Rules>>,
    generation: AtomicU64,
    limits: Limits,
    /// Proofs that did not hold, by where they came from.
    failures: Limits,
    /// Refusals that were told, by who was told.
    refusals: Limits,
    guesses: Guesses,
    nonces: Nonces,
    log: Option<AccessLog>,
    metrics: AccessMetrics,
    started: SystemTime,
    /// The tasks that fetch keys for the rules of now.
    followers: Mutex<Vec<AbortHandle>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.followers.lock().iter().for_each(AbortHandle::abort);
    }
}

/// Why access did not open.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log cannot be gone on with.
    #[error("the log of access: {0}")]
    Log(#[from] LogError),
}

/// Rules that were opened and do not hold yet.
#[derive(Debug)]
pub struct Proposed(Arc<Rules>);

impl Proposed {
    /// What they say.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.0
    }
}

/// What a request says of itself, beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Where it came from.
    pub address: IpAddr,
    /// SM3 of the certificate that the connection has shown.
    pub certificate: Option<[u8; 32]>,
    /// `POST` or `GET`.
    pub method: &'a str,
    /// Path and query as sent.
    pub target: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
}

/// Who asks. Clones are the same.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is, if it is somebody.
    pub identity: Option<Arc<Identity>>,
    /// Where it asks from.
    pub address: IpAddr,
    /// What it may call here.
    pub classes: Classes,
    /// Name of the listener.
    pub listener: Arc<str>,
    proof: Proof,
    until: Option<SystemTime>,
    generation: u64,
}

impl Access {
    /// One plain listener: a node without a configuration of access.
    pub fn plain(listen: SocketAddr, connections: u32) -> Self {
        let config = AccessConfig::plain(listen, connections);
        let rules = Rules::open(config, "none".as_ref()).expect("it names no file; qed");
        Self::of((listen, connections), None, rules, None)
    }

    /// Reads a file, and goes on with the log that it names. Must be called on a runtime of
    /// tokio, which then fetches keys.
    pub fn open(
        file: PathBuf,
        check_did: CheckDid,
        (listen, connections): (SocketAddr, u32),
        node: &str,
    ) -> Result<Self, AccessError> {
        let rules = read(&file, check_did, (listen, connections))?;
        let log = rules.config.log.as_ref().map(|log| AccessLog::open(log, node)).transpose()?;
        let access = Self::of((listen, connections), Some((file, check_did)), rules, log);
        access.follow_keys();
        Ok(access)
    }

    fn of(
        local: (SocketAddr, u32),
        file: Option<(PathBuf, CheckDid)>,
        rules: Rules,
        log: Option<AccessLog>,
    ) -> Self {
        Self(Arc::new(Inner {
            file,
            local,
            rules: RwLock::new(Arc::new(rules)),
            generation: AtomicU64::new(1),
            limits: Limits::default(),
            failures: Limits::default(),
            refusals: Limits::default(),
            guesses: Guesses::default(),
            nonces: Nonces::default(),
            log,
            metrics: AccessMetrics::default(),
            // Clocks of callers are as coarse as their libraries.
            started: SystemTime::now(),
            followers: Mutex::default(),
        }))
    }

    /// The rules of now.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.rules.read().clone()
    }

    /// Wrong codes that were tried.
    pub fn guesses(&self) -> &Guesses {
        &self.0.guesses
    }

    /// The log, if there is one.
    pub fn log(&self) -> Option<&AccessLog> {
        self.0.log.as_ref()
    }

    /// What it counts.
    pub fn metrics(&self) -> &AccessMetrics {
        &self.0.metrics
    }

    /// Reads the file again. What it says holds from [`Self::adopt`] on. The log's place
    /// stays what it was when the node started.
    pub fn propose(&self) -> Result<Proposed, ConfigError> {
        let Some((file, check_did)) = &self.0.file else {
            let problems = vec!["access.file: the node was started without one".into()];
            return Err(ConfigError { file: PathBuf::new(), problems });
        };
        let rules =
            read(file, *check_did, self.0.local).inspect_err(|_| self.0.metrics.reloaded(false))?;
        let before = self.rules();
        if rules.config.log != before.config.log {
            let problems =
                vec!["log: its place and size change with the node's restart alone".into()];
            self.0.metrics.reloaded(false);
            return Err(ConfigError { file: file.clone(), problems });
        }
        for (issuer, keys) in rules.config.issuers.iter().zip(&rules.keys) {
            let same = |other: &&crate::config::IssuerConfig| {
                other.issuer == issuer.issuer && other.keys == issuer.keys
            };
            let KeySource::Url { .. } = issuer.keys else { continue };
            if let Some(at) = before.config.issuers.iter().position(|other| same(&other)) {
                keys.take_over(&before.keys[at]);
            }
        }
        Ok(Proposed(Arc::new(rules)))
    }

    /// Has proposed rules hold.
    pub fn adopt(&self, proposed: Proposed) {
        *self.0.rules.write() = proposed.0;
        self.0.generation.fetch_add(1, Ordering::Release);
        let rules = self.rules();
        self.0.nonces.keep(|key| rules.config.signing.contains_key(key));
        self.follow_keys();
        self.0.metrics.reloaded(true);
    }

    fn follow_keys(&self) {
        let rules = self.rules();
        let mut followers = self.0.followers.lock();
        followers.drain(..).for_each(|follower| follower.abort());
        for (issuer, keys) in rules.config.issuers.iter().zip(&rules.keys) {
            if let KeySource::Url { .. } = issuer.keys {
                let follower = tokio::spawn(keys.clone().follow(issuer.clone()));
                followers.push(follower.abort_handle());
            }
        }
    }

    /// Who asks, by its headers and its connection; the body is looked at where the request
    /// is signed ([`is_signed`](Self::is_signed)).
    pub fn identify(
        &self,
        listener: &ListenerConfig,
        head: Head<'_>,
        body: &[u8],
    ) -> Result<Caller, Denied> {
        let found = self.caller(listener, head, body);
        if let Err(denied) = &found {
            self.0.metrics.denied(denied.code);
        }
        found
    }

    fn caller(
        &self,
        listener: &ListenerConfig,
        head: Head<'_>,
        body: &[u8],
    ) -> Result<Caller, Denied> {
        let (rules, now) = (self.rules(), SystemTime::now());
        let generation = self.0.generation.load(Ordering::Acquire);
        let tries = self.try_proof(&rules, head, now)?;
        let proof = self.proof(&rules, head, body, now)?;
        let (identity, until) = rules.whose(&proof, now)?;
        if let Some(tries) = tries {
            tries.give_back(1);
        }
        let classes = match &identity {
            Some(identity) => identity.classes.and(listener.classes),
            None => listener.anonymous,
        };
        let (address, listener) = (head.address, listener.name.as_str().into());
        Ok(Caller { identity, address, classes, listener, proof, until, generation })
    }

    /// Takes one of the tries that an address has for proofs that cost work and may not hold:
    /// tokens that were not seen before, and signatures.
    fn try_proof(
        &self,
        rules: &Rules,
        head: Head<'_>,
        now: SystemTime,
    ) -> Result<Option<Arc<Bucket>>, Denied> {
        let bearer = head.headers.get("authorization").and_then(|value| value.to_str().ok());
        let is_known = |bearer: &str| {
            let token = bearer.split_once(' ').map_or("", |(_, token)| token.trim());
            rules.is_proved(token, now)
        };
        if !Self::is_signed(head.headers) && bearer.is_none_or(is_known) {
            return Ok(None);
        }
        let holder = Holder::Network(network(head.address));
        let bucket = self.0.failures.bucket(holder, Class::Verify, &TRIES);
        bucket.take(&TRIES, 1, Instant::now()).map(drop)?;
        Ok(Some(bucket))
    }

    /// Whether a request is signed, so that its body is needed to know who asks.
    pub fn is_signed(headers: &HeaderMap) -> bool {
        headers.contains_key("x-billchain-signature")
    }

    /// What the request shows: at most one of a token, a key and a signature, and if none of
    /// them, the connection's certificate.
    fn proof(
        &self,
        rules: &Rules,
        head: Head<'_>,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Proof, Denied> {
        let one = |name: &str, most: usize, code: i32| once(head.headers, name, most, code);
        let most = crate::token::MAX_TOKEN + 16;
        let bearer = one("authorization", most, code::TOKEN_MALFORMED)?;
        let key = one("x-api-key", MAX_KEY, code::KEY_UNKNOWN)?;
        if Self::is_signed(head.headers) {
            if bearer.is_some() || key.is_some() {
                let words = "a request shows one of a token, an API key and a signature";
                return Err(Denied::new(code::SIGNATURE_INVALID, words));
            }
            let value = |name: &str| {
                let missing = || Denied::new(code::SIGNATURE_INVALID, format!("{name} is missing"));
                one(name, MAX_VALUE, code::SIGNATURE_INVALID)?.ok_or_else(missing)
            };
            let signed = Signed {
                key: value("x-billchain-key")?,
                timestamp: value("x-billchain-timestamp")?,
                nonce: value("x-billchain-nonce")?,
                signature: value("x-billchain-signature")?,
            };
            let asked =
                Asked { method: head.method, target: head.target, host: value("host")?, body };
            return self.signature(rules, signed, asked, now);
        }
        match (bearer, key) {
            (Some(_), Some(_)) => {
                let words = "a request shows one of a token, an API key and a signature";
                Err(Denied::new(code::TOKEN_MALFORMED, words))
            }
            (Some(bearer), None) => match bearer.split_once(' ') {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                    Ok(Proof::Token(token.trim().to_owned()))
                }
                _ => {
                    let words = "authorization: expected Bearer and a token";
                    Err(Denied::new(code::TOKEN_MALFORMED, words))
                }
            },
            (None, Some(key)) => Ok(Proof::Key(sm3(key.as_bytes()))),
            (None, None) => Ok(head.certificate.map_or(Proof::None, Proof::Certificate)),
        }
    }

    fn signature(
        &self,
        rules: &Rules,
        signed: Signed<'_>,
        asked: Asked<'_>,
        now: SystemTime,
    ) -> Result<Proof, Denied> {
        let unknown = || Denied::new(code::KEY_UNKNOWN, "the signing key is nobody's");
        let key = rules.config.signing.get(signed.key).ok_or_else(unknown)?;
        let window = rules.config.signing_window;
        let at = signed.prove(asked, key, window, (self.0.started, now))?;
        // After the signature: who has none uses up nobody's nonces.
        self.0.nonces.take(signed.key, signed.nonce, at, (now, window))?;
        Ok(Proof::Signed { key: signed.key.to_owned(), public: key.public.to_compressed() })
    }

    /// Whether a caller is still who it was: its time may be over, or the configuration have
    /// changed.
    /// Gives who it is now, if that is to be known anew.
    pub fn still(&self, caller: &Caller) -> Result<Option<Caller>, Denied> {
        let now = SystemTime::now();
        let generation = self.0.generation.load(Ordering::Acquire);
        let is_over = caller.until.is_some_and(|until| now >= until);
        if generation == caller.generation && !is_over {
            return Ok(None);
        }
        let rules = self.rules();
        let Some(listener) = rules.listener(&caller.listener) else {
            let words = "the listener is no more: the configuration was changed";
            return Err(Denied::new(code::LISTENER_CLOSED, words));
        };
        let known = rules.whose(&caller.proof, now);
        let (identity, until) = known.inspect_err(|denied| self.0.metrics.denied(denied.code))?;
        let classes = match &identity {
            Some(identity) => identity.classes.and(listener.classes),
            None => listener.anonymous,
        };
        Ok(Some(Caller { identity, classes, until, generation, ..caller.clone() }))
    }

    /// Whether a caller may do everything, and nothing of it is noted: at the plain loopback
    /// listener of a node without a log.
    pub fn is_open(&self, caller: &Caller) -> bool {
        self.0.log.is_none() && caller.identity.is_none() && caller.classes == Classes::ALL
    }

    /// Whether a caller may call methods of a class.
    pub fn permits(&self, caller: &Caller, class: Class) -> Result<(), Denied> {
        if caller.classes.has(class) {
            return Ok(());
        }
        let denied = match &caller.identity {
            None => {
                let words = format!(
                    "methods of class {class} want an identity here: a certificate, a token, an \
                     API key or a signature"
                );
                Denied::new(code::NO_IDENTITY, words)
            }
            Some(identity) => {
                let words =
                    format!("\"{}\" may not call methods of class {class} here", identity.name);
                Denied::new(code::CLASS_REFUSED, words)
            }
        };
        self.0.metrics.denied(denied.code);
        Err(denied)
    }

    /// What a caller may still ask of a class; none for the node's own plain listener, which
    /// is the machine's.
    pub fn bucket(&self, caller: &Caller, class: Class) -> Option<Arc<Bucket>> {
        if &*caller.listener == crate::config::LOCAL {
            return None;
        }
        let holder = match &caller.identity {
            Some(identity) => Holder::Named(identity.name.clone()),
            None => Holder::Network(network(caller.address)),
        };
        let limit = self.rules().limit(caller.identity.as_deref(), class);
        Some(self.0.limits.bucket(holder, class, &limit))
    }

    /// How long a refusal waits before this address is told: who is refused thousands of times
    /// learns it slowly, and takes the processors from nobody meanwhile.
    pub fn penalty(&self, address: IpAddr) -> Duration {
        let holder = Holder::Network(network(address));
        let bucket = self.0.refusals.bucket(holder, Class::Verify, &REFUSALS);
        match bucket.take(&REFUSALS, 1, Instant::now()) {
            Ok(_) => Duration::ZERO,
            Err(_) => PENALTY,
        }
    }

    /// Counts a refusal that was made elsewhere.
    pub fn count(&self, denied: &Denied) {
        self.0.metrics.denied(denied.code);
    }
}

/// The value of a header that may stand once, of at most so many bytes.
fn once<'a>(
    headers: &'a HeaderMap,
    name: &str,
    most: usize,
    code: i32,
) -> Result<Option<&'a str>, Denied> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| text.len() <= most && values.next().is_none());
    let words = || format!("{name}: expected once, at most {most} bytes of ASCII");
    text.map(Some).ok_or_else(|| Denied::new(code, words()))
}

/// The rules of a file, with the node's own listener before its.
fn read(
    file: &std::path::Path,
    check_did: CheckDid,
    (listen, connections): (SocketAddr, u32),
) -> Result<Rules, ConfigError> {
    let mut config = AccessConfig::load(file, check_did)?;
    config.listeners.insert(0, ListenerConfig::local(listen, connections));
    Rules::open(config, file)
}

#[cfg(test)]
mod tests;
