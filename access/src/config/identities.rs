//! `[[identity]]` and `[[issuer]]`: who callers are, and who vouches for them.

use super::{
    Algorithm, CheckDid, IssuerConfig, KeySource, SubjectClaim, bounded,
    listeners::is_name,
    raw::{RawIdentity, RawIssuer, RawKey, RawSigning, RawSubject},
};
use crate::{
    calendar,
    class::{Class, Classes},
    identity::{ApiKey, Identity, Life, SigningKey},
};
use billchain_crypto::sm2::PublicKey;
use std::{collections::HashMap, collections::HashSet, path::Path, sync::Arc, time::Duration};

const MAX_IDENTITIES: usize = 10_000;
const MAX_ISSUERS: usize = 16;
/// Most proofs of one sort that an identity has.
const MAX_PROOFS: usize = 16;
/// Longest issuer, audience or subject, in bytes.
const MAX_CLAIM: usize = 256;

/// What proves which identity.
#[derive(Default)]
pub(super) struct Identities {
    pub(super) certificates: HashMap<[u8; 32], Arc<Identity>>,
    pub(super) keys: HashMap<[u8; 32], ApiKey>,
    pub(super) signing: HashMap<String, SigningKey>,
    pub(super) subjects: HashMap<(String, SubjectClaim, String), Arc<Identity>>,
}

pub(super) fn read(
    raw: Vec<RawIdentity>,
    issuers: &[String],
    check_did: CheckDid,
    problems: &mut Vec<String>,
) -> Identities {
    if raw.len() > MAX_IDENTITIES {
        problems.push(format!("identity: at most {MAX_IDENTITIES}, found {}", raw.len()));
    }
    let (mut all, mut names) = (Identities::default(), HashSet::new());
    for one in raw.into_iter().take(MAX_IDENTITIES) {
        let key = format!("identity \"{}\"", one.name.chars().take(32).collect::<String>());
        if !is_name(&one.name) {
            problems.push(format!("{key}.name: expected 1 to 32 letters, digits, '-' and '_'"));
        }
        if !names.insert(one.name.clone()) {
            problems.push(format!("{key}: another has this name"));
        }
        identity(&key, one, issuers, check_did, &mut all, problems);
    }
    all
}

fn identity(
    key: &str,
    raw: RawIdentity,
    issuers: &[String],
    check_did: CheckDid,
    all: &mut Identities,
    problems: &mut Vec<String>,
) {
    let classes: Classes = raw.classes.into_iter().collect();
    if classes.has(Class::Unsafe) {
        problems.push(format!("{key}.classes: unsafe has no identity: it is the machine's own"));
    }
    if let Some(did) = &raw.participant
        && let Err(problem) = check_did(did)
    {
        problems.push(format!("{key}.participant: {problem}"));
    }
    let share = raw.share_percent.unwrap_or(100);
    bounded(&format!("{key}.share_percent"), u64::from(share), 1, 10_000, problems);
    for (sort, count) in [
        ("certificates", raw.certificates.len()),
        ("keys", raw.keys.len()),
        ("signing", raw.signing.len()),
        ("subjects", raw.subjects.len()),
    ] {
        bounded(&format!("{key}.{sort}"), count as u64, 0, MAX_PROOFS as u64, problems);
    }
    let identity =
        Arc::new(Identity { name: raw.name.into(), participant: raw.participant, classes, share });
    for certificate in raw.certificates {
        match digest(&certificate) {
            Some(hash) => {
                if all.certificates.insert(hash, identity.clone()).is_some() {
                    problems.push(format!("{key}.certificates: another identity has one of them"));
                }
            }
            None => problems.push(format!(
                "{key}.certificates: expected 64 hex digits (SM3 of the certificate's DER)"
            )),
        }
    }
    raw.keys.into_iter().for_each(|one| api_key(key, one, &identity, all, problems));
    raw.signing.into_iter().for_each(|one| signing_key(key, one, &identity, all, problems));
    raw.subjects.into_iter().for_each(|one| subject(key, one, issuers, &identity, all, problems));
}

fn api_key(
    key: &str,
    raw: RawKey,
    identity: &Arc<Identity>,
    all: &mut Identities,
    problems: &mut Vec<String>,
) {
    let life = life(&format!("{key}.keys"), raw.expires, raw.revoked, problems);
    match digest(&raw.sm3) {
        Some(hash) => {
            let one = ApiKey { identity: identity.clone(), life };
            if all.keys.insert(hash, one).is_some() {
                problems.push(format!("{key}.keys: another identity has one of them"));
            }
        }
        None => problems.push(format!("{key}.keys.sm3: expected 64 hex digits")),
    }
}

fn signing_key(
    key: &str,
    raw: RawSigning,
    identity: &Arc<Identity>,
    all: &mut Identities,
    problems: &mut Vec<String>,
) {
    let life = life(&format!("{key}.signing"), raw.expires, raw.revoked, problems);
    if !is_name(&raw.id) {
        problems.push(format!("{key}.signing.id: expected 1 to 32 letters, digits, '-' and '_'"));
    }
    let digits = raw.sm2.strip_prefix("sm2:").unwrap_or(&raw.sm2);
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let public = hex::decode(digits).ok().and_then(|bytes| PublicKey::from_sec1(&bytes).ok());
    let Some(public) = public else {
        let expected = "an SM2 public key, sm2: and its compressed point in hex";
        return problems.push(format!("{key}.signing.sm2: expected {expected}"));
    };
    let one = SigningKey { identity: identity.clone(), public, life };
    if all.signing.insert(raw.id, one).is_some() {
        problems.push(format!("{key}.signing.id: another key has one of them"));
    }
}

fn subject(
    key: &str,
    raw: RawSubject,
    issuers: &[String],
    identity: &Arc<Identity>,
    all: &mut Identities,
    problems: &mut Vec<String>,
) {
    if !issuers.contains(&raw.issuer) {
        problems.push(format!("{key}.subjects.issuer: expected the name of an [[issuer]]"));
    }
    let claims = [
        (SubjectClaim::Sub, raw.sub),
        (SubjectClaim::ClientId, raw.client_id),
        (SubjectClaim::Azp, raw.azp),
    ];
    let mut named = claims.into_iter().filter_map(|(claim, value)| Some((claim, value?)));
    let (Some((claim, value)), None) = (named.next(), named.next()) else {
        return problems.push(format!("{key}.subjects: expected one of sub, client_id and azp"));
    };
    if !(1..=MAX_CLAIM).contains(&value.len()) {
        problems.push(format!("{key}.subjects.{}: expected 1 to {MAX_CLAIM} bytes", claim.name()));
    }
    if all.subjects.insert((raw.issuer, claim, value), identity.clone()).is_some() {
        problems.push(format!("{key}.subjects: another identity has one of them"));
    }
}

fn life(
    key: &str,
    expires: Option<toml::value::Datetime>,
    is_revoked: bool,
    problems: &mut Vec<String>,
) -> Life {
    let moment = expires.as_ref().and_then(calendar::moment);
    if expires.is_some() && moment.is_none() {
        problems.push(format!(
            "{key}.expires: expected a time with an offset, such as 2027-01-01T00:00:00+08:00"
        ));
    }
    Life { expires: moment, is_revoked }
}

/// 64 hex digits, after `sm3:` or not.
fn digest(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("sm3:").unwrap_or(text);
    hex::decode(digits).ok()?.try_into().ok()
}

pub(super) fn issuers(
    raw: Vec<RawIssuer>,
    base: &Path,
    problems: &mut Vec<String>,
) -> Vec<IssuerConfig> {
    if raw.len() > MAX_ISSUERS {
        problems.push(format!("issuer: at most {MAX_ISSUERS}, found {}", raw.len()));
    }
    let mut all: Vec<IssuerConfig> = Vec::new();
    for one in raw.into_iter().take(MAX_ISSUERS) {
        let key = format!("issuer \"{}\"", one.name.chars().take(32).collect::<String>());
        if !is_name(&one.name) || all.iter().any(|other| other.name == one.name) {
            problems
                .push(format!("{key}.name: expected 1 to 32 letters, digits, '-' and '_', once"));
        }
        if all.iter().any(|other| other.issuer == one.issuer) {
            problems.push(format!("{key}.issuer: another has it"));
        }
        all.extend(issuer(&key, one, base, problems));
    }
    all
}

fn issuer(
    key: &str,
    raw: RawIssuer,
    base: &Path,
    problems: &mut Vec<String>,
) -> Option<IssuerConfig> {
    for (name, text) in [("issuer", &raw.issuer), ("audience", &raw.audience)] {
        if !(1..=MAX_CLAIM).contains(&text.len()) {
            problems.push(format!("{key}.{name}: expected 1 to {MAX_CLAIM} bytes"));
        }
    }
    let algorithms: Vec<_> =
        raw.algorithms.iter().filter_map(|name| Algorithm::named(name)).collect();
    if algorithms.is_empty() || algorithms.len() != raw.algorithms.len() {
        problems.push(format!("{key}.algorithms: expected some of SM2-SM3, RS256 and ES256"));
    }
    let refresh = raw.refresh_s.unwrap_or(600);
    let max_age = raw.max_age_s.unwrap_or(3_600);
    let skew = raw.skew_s.unwrap_or(30);
    bounded(&format!("{key}.refresh_s"), refresh, 60, 86_400, problems);
    bounded(&format!("{key}.max_age_s"), max_age, 60, 604_800, problems);
    bounded(&format!("{key}.skew_s"), skew, 0, 300, problems);
    let keys = match (raw.keys_file, raw.keys_url) {
        (Some(file), None) => Some(KeySource::File(base.join(file))),
        (None, Some(url)) if is_safe(&url) => Some(KeySource::Url {
            url,
            ca_file: raw.keys_ca_file.map(|file| base.join(file)),
            refresh: Duration::from_secs(refresh),
        }),
        (None, Some(_)) => {
            problems.push(format!("{key}.keys_url: expected https://…, or http:// of 127.0.0.1"));
            None
        }
        _ => {
            problems.push(format!("{key}: expected one of keys_file and keys_url"));
            None
        }
    };
    Some(IssuerConfig {
        name: raw.name,
        issuer: raw.issuer,
        audience: raw.audience,
        algorithms,
        keys: keys?,
        max_age: Duration::from_secs(max_age),
        skew: Duration::from_secs(skew),
    })
}

/// Whether keys that come from there are the issuer's.
fn is_safe(url: &str) -> bool {
    url.len() <= 1_024
        && (url.starts_with("https://")
            || ["http://127.0.0.1:", "http://127.0.0.1/"]
                .iter()
                .any(|local| url.starts_with(local)))
}
