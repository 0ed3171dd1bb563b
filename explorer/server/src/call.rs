//! A request that was checked, and the answer to it.

use crate::{
    App, Refusal,
    auth::{Role, User},
    given::Given,
    store::{Action, Looked, LookedAt},
};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use std::sync::Arc;

/// A request that its route admits, with parameters that are what they must be.
pub struct Call {
    /// What serves it.
    pub app: Arc<App>,
    /// Who asks; none: nobody is signed in.
    pub user: Option<User>,
    /// Parameters of path, query and body.
    pub given: Given,
    /// Value of the session's cookie.
    pub cookie: String,
    /// Address that asks.
    pub address: String,
}

impl Call {
    /// The role of who asks.
    pub fn role(&self) -> Option<Role> {
        self.user.as_ref().map(|user| user.role)
    }

    /// The user, on a route that needs one.
    ///
    /// # Errors
    /// If nobody is signed in.
    pub fn user(&self) -> Result<&User, Refusal> {
        self.user.as_ref().ok_or_else(Refusal::login_required)
    }

    /// The participant to whose concerns the asker is confined; none if it sees everything.
    ///
    /// # Errors
    /// If nobody is signed in.
    pub fn scope(&self) -> Result<Option<&str>, Refusal> {
        let user = self.user()?;
        match (user.role, &user.did) {
            (Role::Participant, Some(did)) => Ok(Some(did)),
            (Role::Participant, None) => Err(Refusal::forbidden("a participant with its DID")),
            _ => Ok(None),
        }
    }

    /// Writes into the access log what is about to be answered.
    ///
    /// # Errors
    /// If it cannot be written: then nothing is answered.
    pub async fn log(
        &self,
        action: Action,
        target: impl Into<String>,
        at: LookedAt,
    ) -> Result<(), Refusal> {
        let looked = Looked {
            who: self.user.as_ref().map_or_else(|| "public".to_owned(), |user| user.name.clone()),
            role: self.role().map_or("public", Role::name),
            address: self.address.clone(),
            action,
            target: target.into(),
            at,
        };
        self.app.log.record(looked).await.map_err(Refusal::internal)
    }
}

/// What a route answers.
pub type Answer = Result<Response, Refusal>;

/// A JSON answer.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn json<T: Serialize>(answer: &T) -> Answer {
    json_with(StatusCode::OK, answer)
}

/// A JSON answer with a status.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn json_with<T: Serialize>(status: StatusCode, answer: &T) -> Answer {
    let body = serde_json::to_vec(answer).map_err(Refusal::internal)?;
    Ok((status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
        .into_response())
}

/// An answer without content.
///
/// # Errors
/// Never.
pub fn nothing() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A redirection by GET.
///
/// # Errors
/// If the address is no header.
pub fn see(place: &str) -> Answer {
    let place = HeaderValue::from_str(place).map_err(Refusal::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response())
}

/// A file to be kept by the asker.
///
/// # Errors
/// If the name is no header.
pub fn file(kind: &'static str, name: &str, body: Body) -> Answer {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .map_err(Refusal::internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, body).into_response())
}
