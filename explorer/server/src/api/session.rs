//! Signing in and out.

use crate::{
    Answer, Call, Refusal,
    answers::{Challenged, SessionAnswer},
    auth::{
        Role, User, challenge::signer, lockout::Whose, oidc::OidcError, password::LENGTHS, totp,
    },
    call::{nothing, see},
    http::pipeline::cookie_header,
    json,
    store::{Action, LookedAt},
    time,
};
use axum::http::{StatusCode, header};
use zeroize::Zeroizing;

/// Who is signed in; whoever has no cookie gets one.
///
/// # Errors
/// Never.
pub async fn show(call: Call) -> Answer {
    session(&call, call.user.clone(), &call.cookie)
}

fn session(call: &Call, user: Option<User>, cookie: &str) -> Answer {
    let login = &call.app.settings.login;
    let offered =
        [("sm2", login.sm2), ("password", login.password), ("oidc", login.oidc.is_some())];
    let methods =
        offered.into_iter().filter(|(_, offered)| *offered).map(|(name, _)| name).collect();
    let mut response =
        json(&SessionAnswer { user, csrf: call.app.sessions.token(cookie), methods })?;
    response.headers_mut().insert(header::SET_COOKIE, cookie_header(&call.app, cookie)?);
    Ok(response)
}

/// Begins the user's session, with another cookie than before.
async fn begin(call: &Call, user: User, how: &str) -> Answer {
    let cookie = begun(call, user.clone(), how).await?;
    session(call, Some(user), &cookie)
}

async fn begun(call: &Call, user: User, how: &str) -> Result<String, Refusal> {
    call.app.sessions.end(&call.cookie);
    let cookie = call.app.sessions.begin(user.clone(), time::now());
    let as_user = Call {
        app: call.app.clone(),
        user: Some(user),
        given: call.given.clone(),
        cookie: cookie.clone(),
        address: call.address.clone(),
    };
    as_user.log(Action::Login, how, LookedAt::default()).await?;
    Ok(cookie)
}

fn offered(is: bool, what: &str) -> Result<(), Refusal> {
    let said = || {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            format!("this explorer offers no login by {what}"),
        )
    };
    if is { Ok(()) } else { Err(said()) }
}

/// Refuses whoever failed too often.
fn may_try(call: &Call, name: &Whose) -> Result<(), Refusal> {
    let both = [name.clone(), Whose::Address(call.address.clone())];
    match call.app.lockouts.waits(&both, time::now()) {
        0 => Ok(()),
        waits => Err(Refusal::locked(waits.div_ceil(1000))),
    }
}

/// Counts and logs a failure.
async fn failed(call: &Call, name: &Whose, told: &str) -> Refusal {
    let now = time::now();
    call.app.lockouts.failed(name, now);
    call.app.lockouts.failed(&Whose::Address(call.address.clone()), now);
    match call.log(Action::LoginRefused, told, LookedAt::default()).await {
        Ok(()) => Refusal::wrong_credentials(),
        Err(refusal) => refusal,
    }
}

/// A challenge for whoever asks: it tells nothing of participants.
///
/// # Errors
/// If login by key is not offered.
pub async fn challenge(call: Call) -> Answer {
    offered(call.app.settings.login.sm2, "SM2 key")?;
    let made = call.app.challenges.make(&call.cookie, time::now());
    let answer = Challenged {
        id: made.id.clone(),
        challenge: format!("0x{}", hex::encode(made.bytes)),
        message: format!("0x{}", hex::encode(made.message())),
        expires: made.expires,
    };
    json(&answer)
}

/// Signs in by a challenge that a participant's present key signed.
///
/// # Errors
/// If it did not.
pub async fn by_key(call: Call) -> Answer {
    offered(call.app.settings.login.sm2, "SM2 key")?;
    let key: [u8; 33] = bytes(&call, "public_key")?;
    let signature: [u8; 64] = bytes(&call, "signature")?;
    let account = billchain_crypto::sm3::sm3(&key);
    let name = Whose::Name(hex::encode(account));
    may_try(&call, &name)?;
    let challenge = call.app.challenges.take(call.given.needed("id"), &call.cookie, time::now());
    let signed = challenge.and_then(|challenge| signer(&challenge, &key, &signature));
    let participant = match signed {
        Some(account) => call.app.index.participant_by_account(&account).await?,
        None => None,
    };
    let active = participant.as_ref().filter(|participant| participant["status"] == "active");
    let Some(did) = active.and_then(|participant| participant["did"].as_str()) else {
        return Err(failed(
            &call,
            &name,
            &format!("SM2 key of the account 0x{}", hex::encode(account)),
        )
        .await);
    };
    call.app.lockouts.succeeded(&name);
    let role = role_of(&call, did).await?;
    begin(&call, User { name: did.to_owned(), role, did: Some(did.to_owned()) }, "SM2 key").await
}

/// What a participant may do here, by what it is on the chain.
async fn role_of(call: &Call, did: &str) -> Result<Role, Refusal> {
    let participant = call.app.index.participant(did).await?.unwrap_or_default();
    let has = |field: &str, word: &str| {
        participant[field]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one.as_str() == Some(word)))
    };
    let office = participant["offices"].as_array().is_some_and(|all| !all.is_empty());
    Ok(if call.app.settings.login.chain_administrators && (office || has("roles", "admin")) {
        Role::Administrator
    } else if has("roles", "auditor") {
        Role::Auditor
    } else {
        Role::Participant
    })
}

fn bytes<const N: usize>(call: &Call, name: &str) -> Result<[u8; N], Refusal> {
    let text = call.given.needed(name).strip_prefix("0x").unwrap_or_default();
    let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Refusal::malformed(name, format!("0x and {} hexadecimal digits", 2 * N)))
}

/// Signs in by password and one-time code.
///
/// # Errors
/// If they do not fit; which does not, is not said, but that a code is needed if the password is right.
pub async fn by_password(call: Call) -> Answer {
    offered(call.app.settings.login.password, "password")?;
    let name = call.given.needed("name").to_owned();
    let whose = Whose::Name(name.clone());
    may_try(&call, &whose)?;
    let account = call.app.users.account(&name).await?;
    let password = Zeroizing::new(call.given.needed("password").to_owned());
    let kept = account.as_ref().map(|account| account.password.as_str());
    let right =
        call.app.users.passwords().is_right(password, kept).await.map_err(Refusal::internal)?;
    let Some(account) = account.filter(|account| right && !account.disabled) else {
        return Err(failed(&call, &whose, &name).await);
    };
    let Some(code) = call.given.text("totp") else {
        let said = "the one-time code must be sent too";
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, "totp_required", said)
            .at("totp")
            .expecting("6 digits"));
    };
    let step = totp::accepted(&account.totp, code, time::now(), account.totp_last);
    let taken = match step {
        Some(step) => call.app.users.signed_in(&name, step).await?,
        None => false,
    };
    if !taken {
        return Err(failed(&call, &whose, &name).await);
    }
    call.app.lockouts.succeeded(&whose);
    begin(&call, account.user, "password and one-time code").await
}

/// To the single sign-on.
///
/// # Errors
/// If it is not offered, or does not answer.
pub async fn to_oidc(call: Call) -> Answer {
    let oidc = call.app.oidc.as_ref();
    offered(oidc.is_some(), "single sign-on")?;
    let oidc = oidc.ok_or_else(Refusal::login_required)?;
    let back = call.given.text("back").filter(|back| is_own(back)).unwrap_or("/");
    let place = oidc
        .begin(&call.cookie, back, time::now())
        .await
        .map_err(|error| Refusal::node(error.to_string()))?;
    let mut response = see(&place)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie_header(&call.app, &call.cookie)?);
    Ok(response)
}

/// Whether a path is one of this page: nobody is sent elsewhere.
fn is_own(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// Back from the single sign-on.
///
/// # Errors
/// If it is not offered. Whoever is not signed in sees why on the page.
pub async fn from_oidc(call: Call) -> Answer {
    let oidc = call.app.oidc.as_ref();
    offered(oidc.is_some(), "single sign-on")?;
    let oidc = oidc.ok_or_else(Refusal::login_required)?;
    let answer = match (call.given.text("code"), call.given.text("error")) {
        (Some(code), None) => Ok(code),
        (_, error) => Err(error.unwrap_or("no code")),
    };
    match oidc.finish(&call.cookie, call.given.needed("state"), answer, time::now()).await {
        Ok((user, back)) => {
            let cookie = begun(&call, user, "single sign-on").await?;
            let mut response = see(&back)?;
            response.headers_mut().insert(header::SET_COOKIE, cookie_header(&call.app, &cookie)?);
            Ok(response)
        }
        Err(error) => {
            tracing::warn!(%error, "a login by single sign-on failed");
            call.log(Action::LoginRefused, format!("single sign-on: {error}"), LookedAt::default())
                .await?;
            let code = match error {
                OidcError::Provider(..) => "provider",
                OidcError::Unknown => "unknown",
                OidcError::Refused(_) => "refused",
                OidcError::Token(_) => "token",
                OidcError::NoRole(_) => "no_role",
            };
            see(&format!("/login?problem={code}"))
        }
    }
}

/// Signs out.
///
/// # Errors
/// Never.
pub async fn logout(call: Call) -> Answer {
    call.app.sessions.end(&call.cookie);
    let mut response = nothing()?;
    let fresh = crate::auth::sessions::Sessions::anonymous();
    response.headers_mut().insert(header::SET_COOKIE, cookie_header(&call.app, &fresh)?);
    Ok(response)
}

/// Another password; the user's other sessions end.
///
/// # Errors
/// If the present one is not right, or the new one cannot be one.
pub async fn change(call: Call) -> Answer {
    let name = call.user()?.name.clone();
    let whose = Whose::Name(name.clone());
    may_try(&call, &whose)?;
    let account = call.app.users.account(&name).await?;
    let account = account.ok_or_else(|| Refusal::forbidden("a user that signs in by password"))?;
    let old = Zeroizing::new(call.given.needed("old").to_owned());
    let right = call
        .app
        .users
        .passwords()
        .is_right(old, Some(&account.password))
        .await
        .map_err(Refusal::internal)?;
    if !right {
        return Err(failed(&call, &whose, &name).await);
    }
    let new = Zeroizing::new(call.given.needed("new").to_owned());
    if !LENGTHS.contains(&new.chars().count()) || new.contains(name.as_str()) {
        return Err(Refusal::malformed("new", "12 to 128 characters without the user's name"));
    }
    call.app.users.set_password(&name, new).await.map_err(super::users::refusal)?;
    call.app.sessions.end_all(&name, Some(&call.cookie));
    call.log(Action::Users, format!("{name}: another password"), LookedAt::default()).await?;
    nothing()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for path in ["/", "/bills?x=1", "/bills/31060125-0000000101"] {
            assert!(is_own(path), "{path}");
        }
        for path in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/\u{e9}"]
        {
            assert!(!is_own(path), "{path}");
        }
    }
}
