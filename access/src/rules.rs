//! A configuration with what it names: certificates opened, key sets read.

use crate::{
    class::Class,
    code,
    config::{
        AccessConfig, ConfigError, GuessConfig, IssuerConfig, LimitConfig, ListenerConfig,
        SubjectClaim,
    },
    denied::Denied,
    identity::{Identity, Life, Proof},
    tls,
    token::{Keys, Unproved},
};
use billchain_crypto::sm3::sm3;
use lru::LruCache;
use parking_lot::Mutex;
use std::{num::NonZeroUsize, path::Path, sync::Arc, time::SystemTime};
use tokio_rustls::rustls::ServerConfig;

/// Proved tokens that are remembered.
const PROVED: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");

/// What holds until the next configuration.
#[derive(Debug)]
pub struct Rules {
    /// As it was written.
    pub config: AccessConfig,
    /// TLS of each listener.
    pub(crate) tls: Vec<Option<Arc<ServerConfig>>>,
    /// Keys of each issuer.
    pub(crate) keys: Vec<Keys>,
    proved: Mutex<LruCache<[u8; 32], (Arc<Identity>, SystemTime)>>,
}

impl Rules {
    /// Opens what the configuration names. Fails with every problem.
    pub fn open(config: AccessConfig, file: &Path) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let tls = config.listeners.iter().map(|listener| {
            let opened = listener.tls.as_ref().map(tls::server).transpose();
            opened.unwrap_or_else(|problem| {
                problems.push(format!("listener \"{}\".tls: {problem}", listener.name));
                None
            })
        });
        let tls = tls.collect();
        let mut keys = Vec::new();
        for issuer in &config.issuers {
            match Keys::of(issuer) {
                Ok(read) => keys.push(read),
                Err(problem) => problems.push(format!("issuer \"{}\": {problem}", issuer.name)),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError { file: file.into(), problems });
        }
        Ok(Self { config, tls, keys, proved: Mutex::new(LruCache::new(PROVED)) })
    }

    /// A listener by its name.
    pub fn listener(&self, name: &str) -> Option<&ListenerConfig> {
        self.config.listeners.iter().find(|listener| listener.name == name)
    }

    /// The TLS of a listener.
    pub fn tls(&self, name: &str) -> Option<Arc<ServerConfig>> {
        let at = self.config.listeners.iter().position(|listener| listener.name == name)?;
        self.tls.get(at).cloned().flatten()
    }

    /// How guessing is slowed.
    pub fn guessing(&self) -> &GuessConfig {
        &self.config.guessing
    }

    /// What a caller may ask of a class.
    pub fn limit(&self, identity: Option<&Identity>, class: Class) -> LimitConfig {
        self.config.limits[class as usize].times(identity.map_or(100, |identity| identity.share))
    }

    /// Whose proof it is, and until when it holds.
    pub(crate) fn whose(
        &self,
        proof: &Proof,
        now: SystemTime,
    ) -> Result<(Option<Arc<Identity>>, Option<SystemTime>), Denied> {
        match proof {
            Proof::None => Ok((None, None)),
            Proof::Certificate(hash) => match self.config.certificates.get(hash) {
                Some(identity) => Ok((Some(identity.clone()), None)),
                None => {
                    let words = format!(
                        "the certificate (SM3 {}) is bound to no identity",
                        hex::encode(hash)
                    );
                    Err(Denied::new(code::NOT_BOUND, words))
                }
            },
            Proof::Token(token) => {
                let (identity, until) = self.token(token, now)?;
                Ok((Some(identity), Some(until)))
            }
            Proof::Key(hash) => {
                let unknown = || Denied::new(code::KEY_UNKNOWN, "the API key is nobody's");
                let key = self.config.keys.get(hash).ok_or_else(unknown)?;
                key.life.check("the API key", now)?;
                Ok((Some(key.identity.clone()), key.life.expires))
            }
            Proof::Signed { key, public } => {
                let known = self.config.signing.get(key);
                let known = known.filter(|known| known.public.to_compressed() == *public);
                let unknown = || Denied::new(code::KEY_UNKNOWN, "the signing key is nobody's");
                let known = known.ok_or_else(unknown)?;
                known.life.check("the signing key", now)?;
                Ok((Some(known.identity.clone()), known.life.expires))
            }
        }
    }

    /// Whether a token was proved before and still holds.
    pub(crate) fn is_proved(&self, token: &str, now: SystemTime) -> bool {
        let hash = sm3(token.as_bytes());
        self.proved.lock().peek(&hash).is_some_and(|(_, until)| now < *until)
    }

    fn token(&self, token: &str, now: SystemTime) -> Result<(Arc<Identity>, SystemTime), Denied> {
        // The hash of all of it, signature included, stands for its proof.
        let hash = sm3(token.as_bytes());
        if let Some((identity, until)) = self.proved.lock().get(&hash)
            && now < *until
        {
            return Ok((identity.clone(), *until));
        }
        let unproved = Unproved::read(token)?;
        let (issuer, keys) = self.issuer(unproved.claims.iss.as_deref())?;
        let set = keys.get(&issuer.name, unproved.header.kid.as_deref())?;
        let (claims, until) = unproved.prove(issuer, &set, now)?;
        let subject = |claim: SubjectClaim| {
            let value = claims.subject(claim)?.to_owned();
            self.config.subjects.get(&(issuer.name.clone(), claim, value)).cloned()
        };
        let identity = SubjectClaim::ALL.into_iter().find_map(subject).ok_or_else(|| {
            Denied::new(code::NOT_BOUND, "the token's subject is bound to no identity")
        })?;
        self.proved.lock().put(hash, (identity.clone(), until));
        Ok((identity, until))
    }

    fn issuer(&self, name: Option<&str>) -> Result<(&IssuerConfig, &Keys), Denied> {
        let mut all = self.config.issuers.iter().zip(&self.keys);
        all.find(|(issuer, _)| Some(issuer.issuer.as_str()) == name).ok_or_else(|| {
            let found: String = name.unwrap_or("nobody").chars().take(64).collect();
            let words = format!("nobody called \"{found}\" issues tokens for this node");
            Denied::new(code::TOKEN_ISSUER, words)
        })
    }
}

impl Life {
    fn check(&self, what: &str, now: SystemTime) -> Result<(), Denied> {
        if self.is_revoked {
            return Err(Denied::new(code::KEY_REVOKED, format!("{what} was revoked")));
        }
        if self.expires.is_some_and(|expires| now >= expires) {
            return Err(Denied::new(code::KEY_EXPIRED, format!("{what}'s time is over")));
        }
        Ok(())
    }
}
