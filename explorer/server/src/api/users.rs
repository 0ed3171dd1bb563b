//! Users that sign in by password, administered.

use crate::{
    Answer, Call, Refusal,
    answers::UsersAnswer,
    auth::{Role, lockout::Whose},
    call::{json_with, nothing},
    json,
    store::{Action, LookedAt, UserError},
    time,
};
use axum::http::StatusCode;

/// A change of the users that is refused.
pub fn refusal(error: UserError) -> Refusal {
    match error {
        UserError::Missing(_) => Refusal::not_found("user"),
        UserError::Taken(_) | UserError::Last(_) | UserError::Full => {
            Refusal::conflict(error.to_string())
        }
        UserError::NoDid => {
            Refusal::malformed("did", "the DID of the participant that the user acts for")
        }
        UserError::Name(_) => {
            Refusal::malformed("name", "1 to 64 letters, digits, '.', '_', '-' or '@'")
        }
        UserError::Unhashed(error) => Refusal::internal(error),
        UserError::Store(error) => error.into(),
    }
}

fn role(call: &Call) -> Option<Role> {
    call.given.text("role").and_then(Role::of)
}

/// The users.
///
/// # Errors
/// If the file fails.
pub async fn all(call: Call) -> Answer {
    let mut items = call.app.users.all().await?;
    let now = time::now();
    for user in &mut items {
        user.locked_until = call.app.lockouts.until(&Whose::Name(user.name.clone()), now);
    }
    json(&UsersAnswer { items })
}

/// A new user.
///
/// # Errors
/// If it may not be.
pub async fn add(call: Call) -> Answer {
    let name = call.given.needed("name");
    let role = role(&call).ok_or_else(|| Refusal::malformed("role", "a role"))?;
    let told = call.app.users.add(name, role, call.given.text("did")).await.map_err(refusal)?;
    call.log(Action::Users, format!("{name}: new, {}", role.name()), LookedAt::default()).await?;
    json_with(StatusCode::CREATED, &told)
}

/// Changes a user, whose sessions end.
///
/// # Errors
/// If there is none, or it may not be so.
pub async fn change(call: Call) -> Answer {
    let (app, name) = (&call.app, call.given.needed("name"));
    let mut done = Vec::new();
    if let Some(role) = role(&call) {
        app.users.set_role(name, role).await.map_err(refusal)?;
        done.push(role.name());
    }
    if let Some(disabled) = call.given.flag("disabled") {
        app.users.set_disabled(name, disabled).await.map_err(refusal)?;
        done.push(if disabled { "disabled" } else { "enabled" });
    }
    if call.given.flag("unlock") == Some(true) {
        app.lockouts.succeeded(&Whose::Name(name.to_owned()));
        done.push("unlocked");
    }
    let told = match call.given.flag("reset") {
        Some(true) => {
            done.push("reset");
            Some(app.users.reset(name).await.map_err(refusal)?)
        }
        _ => None,
    };
    if done.is_empty() {
        return Err(Refusal::malformed("body", "at least one of role, disabled, unlock, reset"));
    }
    if app.users.account(name).await?.is_none() {
        return Err(Refusal::not_found("user"));
    }
    if done != ["unlocked"] {
        app.sessions.end_all(name, None);
    }
    call.log(Action::Users, format!("{name}: {}", done.join(", ")), LookedAt::default()).await?;
    match told {
        Some(told) => json(&told),
        None => nothing(),
    }
}

/// Removes a user, whose sessions end.
///
/// # Errors
/// If there is none, or it is the last administrator.
pub async fn remove(call: Call) -> Answer {
    let name = call.given.needed("name");
    call.app.users.remove(name).await.map_err(refusal)?;
    call.app.sessions.end_all(name, None);
    call.log(Action::Users, format!("{name}: removed"), LookedAt::default()).await?;
    nothing()
}
