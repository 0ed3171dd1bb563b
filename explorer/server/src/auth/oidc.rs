//! The city's single sign-on: OpenID Connect, authorization code with PKCE (RFC 6749, RFC 7636,
//! OpenID Connect Core 1.0). The identity token's signature is checked with the provider's keys,
//! its issuer, audience, time and nonce against what was asked.

use super::{Role, User};
use crate::random;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};
use subtle::ConstantTimeEq as _;

/// How long somebody may take to sign in over there, in milliseconds.
const LASTS: u64 = 600_000;
/// Logins under way; the oldest gives way.
const MOST: usize = 4096;
/// Longest answer of the provider.
const LONGEST: usize = 1 << 20;
/// How long the provider may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long its description and keys are believed, and how soon they are asked again for an
/// unknown key.
const FRESH: Duration = Duration::from_secs(3600);
const AGAIN: Duration = Duration::from_secs(30);
/// Signatures that are taken: asymmetric ones alone.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The provider, as the settings name it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its address, which its tokens name too (`https://…`, without a `/` at the end).
    pub issuer: String,
    /// Name of the explorer there.
    pub client_id: String,
    /// Secret of the explorer there, in this file; none for a public client.
    pub client_secret_file: Option<std::path::PathBuf>,
    /// What is asked for beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Claim that says what somebody may do.
    #[serde(default = "role_claim")]
    pub role_claim: String,
    /// Role by the claim's value.
    pub roles: BTreeMap<String, Role>,
    /// Claim with the DID of the participant that somebody acts for.
    #[serde(default = "did_claim")]
    pub did_claim: String,
}

fn role_claim() -> String {
    "role".to_owned()
}

fn did_claim() -> String {
    "did".to_owned()
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The provider does not answer as it must.
    #[error("the single sign-on at {0}: {1}")]
    Provider(String, String),
    /// The login is not one that was begun here, by this session, lately.
    #[error("no login of this session waits for this answer")]
    Unknown,
    /// The provider said no.
    #[error("the single sign-on refused: {0}")]
    Refused(String),
    /// The token does not hold.
    #[error("the identity token does not hold: {0}")]
    Token(String),
    /// Nobody here by that token.
    #[error("the single sign-on gives no role here (claim {0})")]
    NoRole(String),
}

/// A login that is under way.
struct Pending {
    nonce: String,
    verifier: String,
    session: String,
    back: String,
    expires: u64,
}

/// What the provider says of itself.
#[derive(Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// What a token says.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    nonce: Option<String>,
    azp: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

type Known = Option<(Instant, Arc<(Description, JwkSet)>)>;

/// The provider, asked.
pub struct Oidc {
    settings: Settings,
    secret: Option<zeroize::Zeroizing<String>>,
    redirect: String,
    http: reqwest::Client,
    pending: Mutex<HashMap<String, Pending>>,
    known: tokio::sync::Mutex<Known>,
}

impl Oidc {
    /// Ready to ask; `redirect` is the address of the callback, as browsers reach it.
    ///
    /// # Errors
    /// If the secret cannot be read, or the client cannot be made.
    pub fn new(settings: Settings, redirect: String) -> anyhow::Result<Self> {
        use anyhow::Context as _;
        let secret = settings.client_secret_file.as_ref().map(|file| {
            std::fs::read_to_string(file).with_context(|| {
                format!("login.oidc.client_secret_file: cannot read {}", file.display())
            })
        });
        let secret =
            secret.transpose()?.map(|text| zeroize::Zeroizing::new(text.trim().to_owned()));
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("login.oidc")?;
        let known = tokio::sync::Mutex::new(None);
        Ok(Self { settings, secret, redirect, http, pending: Mutex::default(), known })
    }

    /// The address over there that a browser is sent to, for whoever has this session's cookie.
    ///
    /// # Errors
    /// If the provider does not describe itself.
    pub async fn begin(&self, session: &str, back: &str, now: u64) -> Result<String, OidcError> {
        let known = self.provider(Duration::ZERO).await?;
        let (state, nonce, verifier) = (random::token(), random::token(), random::token());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let scopes =
            std::iter::once("openid").chain(self.settings.scopes.iter().map(String::as_str));
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &scopes.collect::<Vec<_>>().join(" "))
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let (session, back) = (session.to_owned(), back.to_owned());
        self.wait(state, Pending { nonce, verifier, session, back, expires: now + LASTS }, now);
        let place = &known.0.authorization_endpoint;
        let with = if place.contains('?') { '&' } else { '?' };
        Ok(format!("{place}{with}{query}"))
    }

    fn wait(&self, state: String, pending: Pending, now: u64) {
        let mut waiting = self.pending.lock();
        if waiting.len() >= MOST {
            waiting.retain(|_, pending| pending.expires > now);
        }
        if waiting.len() >= MOST {
            let oldest = waiting.iter().min_by_key(|(_, pending)| pending.expires);
            let oldest = oldest.map(|(state, _)| state.clone());
            if let Some(state) = oldest {
                waiting.remove(&state);
            }
        }
        waiting.insert(state, pending);
    }

    /// Who came back, and to which path of the page; a state is taken once.
    ///
    /// # Errors
    /// If nobody is signed in by it.
    pub async fn finish(
        &self,
        session: &str,
        state: &str,
        answer: Result<&str, &str>,
        now: u64,
    ) -> Result<(User, String), OidcError> {
        let pending = self.pending.lock().remove(state).ok_or(OidcError::Unknown)?;
        let own: bool = pending.session.as_bytes().ct_eq(session.as_bytes()).into();
        if !own || pending.expires <= now {
            return Err(OidcError::Unknown);
        }
        let code = answer.map_err(|said| OidcError::Refused(said.to_owned()))?;
        let known = self.provider(Duration::ZERO).await?;
        let token = self.exchange(&known.0, code, &pending.verifier).await?;
        let claims = self.claims(&token).await?;
        let nonce = claims.nonce.clone().unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(pending.nonce.as_bytes())) {
            return Err(OidcError::Token("its nonce is another login's".to_owned()));
        }
        Ok((self.user(&claims)?, pending.back))
    }

    /// What is sent for the tokens. Its serializer may not wait with a future.
    fn form(&self, code: &str, verifier: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("code_verifier", verifier);
        if let Some(secret) = &self.secret {
            form.append_pair("client_secret", secret);
        }
        form.finish()
    }

    async fn exchange(
        &self,
        known: &Description,
        code: &str,
        verifier: &str,
    ) -> Result<String, OidcError> {
        let request = self
            .http
            .post(&known.token_endpoint)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(self.form(code, verifier));
        let tokens: Tokens = self.answer(request, &known.token_endpoint).await?;
        Ok(tokens.id_token)
    }

    async fn claims(&self, token: &str) -> Result<Claims, OidcError> {
        let bad = |error: &dyn std::fmt::Display| OidcError::Token(error.to_string());
        let header = decode_header(token).map_err(|error| bad(&error))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(bad(&format!("its signature is {:?}", header.alg)));
        }
        let mut known = self.provider(Duration::ZERO).await?;
        if key(&known.1, header.kid.as_deref()).is_none() {
            // Its keys may have changed.
            known = self.provider(FRESH.saturating_sub(AGAIN)).await?;
        }
        let key = key(&known.1, header.kid.as_deref())
            .ok_or_else(|| bad(&"its key is not one of the provider's"))?;
        let key = DecodingKey::from_jwk(key).map_err(|error| bad(&error))?;
        let mut rules = Validation::new(header.alg);
        rules.set_issuer(&[&known.0.issuer]);
        rules.set_audience(&[&self.settings.client_id]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.validate_nbf = true;
        let claims = decode::<Claims>(token, &key, &rules).map_err(|error| bad(&error))?.claims;
        if claims.azp.as_ref().is_some_and(|azp| *azp != self.settings.client_id) {
            return Err(bad(&"it is for another party (azp)"));
        }
        Ok(claims)
    }

    fn user(&self, claims: &Claims) -> Result<User, OidcError> {
        let text = |name: &str| match claims.others.get(name) {
            Some(Value::String(text)) => vec![text.as_str()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let none = || OidcError::NoRole(self.settings.role_claim.clone());
        let roles = text(&self.settings.role_claim);
        let role = self.settings.roles.iter().find(|(value, _)| roles.contains(&value.as_str()));
        let role = *role.ok_or_else(none)?.1;
        let did = text(&self.settings.did_claim).first().map(|did| (*did).to_owned());
        if role == Role::Participant && did.is_none() {
            return Err(OidcError::NoRole(self.settings.did_claim.clone()));
        }
        // A name that no local user and no participant can have.
        let name = format!(
            "oidc:{}",
            claims.sub.chars().take(128).filter(|c| !c.is_control()).collect::<String>()
        );
        Ok(User { name, role, did })
    }

    /// The provider's description and keys, at least so much younger than they may be.
    async fn provider(&self, younger: Duration) -> Result<Arc<(Description, JwkSet)>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some((since, known)) = &*known
            && since.elapsed() + younger < FRESH
        {
            return Ok(known.clone());
        }
        let place = format!("{}/.well-known/openid-configuration", self.settings.issuer);
        let description: Description = self.answer(self.http.get(&place), &place).await?;
        if description.issuer != self.settings.issuer {
            let said = format!("it says that it is {}", description.issuer);
            return Err(OidcError::Provider(place, said));
        }
        let keys = self.answer(self.http.get(&description.jwks_uri), &description.jwks_uri).await?;
        let found = Arc::new((description, keys));
        *known = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    /// What the provider answers, bounded.
    async fn answer<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        place: &str,
    ) -> Result<T, OidcError> {
        let failed = |error: &dyn std::fmt::Display| {
            OidcError::Provider(place.to_owned(), error.to_string())
        };
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| failed(&error))? {
            body.extend_from_slice(&part);
            if body.len() > LONGEST {
                return Err(failed(&format!("an answer of more than {LONGEST} bytes")));
            }
        }
        if !status.is_success() {
            return Err(failed(&format!("it answered {status}")));
        }
        serde_json::from_slice(&body).map_err(|error| failed(&error))
    }
}

/// The key of this name; without a name the only one.
fn key<'a>(keys: &'a JwkSet, name: Option<&str>) -> Option<&'a jsonwebtoken::jwk::Jwk> {
    match name {
        Some(name) => keys.find(name),
        None => match keys.keys.as_slice() {
            [only] => Some(only),
            _ => None,
        },
    }
}
