//! Exports.

use crate::{
    Answer, Call, Refusal,
    auth::Who,
    call::{self, json_with, nothing},
    export::{Format, Order},
    given::{Given, Param},
    json, lists,
    lists::Name,
    store::{Action, LookedAt},
};
use axum::{body::Body, http::StatusCode};
use futures::stream;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

/// What can be exported: the lists by their paths.
pub const WHAT: &[&str] = &[
    "bills",
    "blocks",
    "transactions",
    "participants",
    "nodes",
    "scenes",
    "policies",
    "grants",
    "disputes",
    "motions",
    "access-log",
];
/// Bytes of a file that are read at once.
const CHUNK: usize = 64 * 1024;

/// Begins an export.
///
/// # Errors
/// If a filter is wrong, the asker may not see the list, or as many are under way as may be.
pub async fn begin(call: Call) -> Answer {
    let what = call.given.needed("what");
    let listing = lists::of(what).ok_or_else(|| Refusal::malformed("what", WHAT.join(", ")))?;
    if listing.name == Name::AccessLog && !Who::AuditorsAndParticipants.admits(call.role()) {
        return Err(Refusal::forbidden(Who::AuditorsAndParticipants.told()));
    }
    let given = filters(&call, listing.query)?;
    let format = if call.given.text("format") == Some("csv") { Format::Csv } else { Format::Xlsx };
    call.log(
        Action::Export,
        format!("{what} {} {}", call.given.needed("format"), given.told()),
        LookedAt::default(),
    )
    .await?;
    let confined = matches!(
        listing.name,
        Name::Bills | Name::Transactions | Name::Grants | Name::Disputes | Name::AccessLog
    );
    let scope = call.scope()?.filter(|_| confined).map(str::to_owned);
    let order = Order { listing, given, scope, owner: call.user()?.name.clone(), format };
    json_with(StatusCode::ACCEPTED, &call.app.exports.begin(&call.app, order)?)
}

/// The filters, checked as the list's own; texts are taken as they stand in the page's address.
fn filters(call: &Call, params: &'static [Param]) -> Result<Given, Refusal> {
    let Some(map) = call.given.map("query") else { return Ok(Given::default()) };
    let texts = map
        .iter()
        .filter(|(name, value)| !value.is_null() && *name != "limit" && *name != "cursor");
    let texts = texts.map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => {
                return Err(Refusal::malformed(
                    format!("query.{name}"),
                    "a text, a number, true or false",
                ));
            }
        };
        Ok((name.clone(), text))
    });
    Given::of_texts(texts.collect::<Result<Vec<_>, _>>()?, params)
}

/// How far an export is.
///
/// # Errors
/// If the asker has none of this name.
pub async fn show(call: Call) -> Answer {
    let shown = call.app.exports.shown(call.given.needed("id"), &call.user()?.name);
    json(&shown.ok_or_else(|| Refusal::not_found("export"))?)
}

/// Drops an export.
///
/// # Errors
/// If the asker has none of this name.
pub async fn remove(call: Call) -> Answer {
    if !call.app.exports.drop(call.given.needed("id"), &call.user()?.name) {
        return Err(Refusal::not_found("export"));
    }
    nothing()
}

/// The file, piece by piece.
///
/// # Errors
/// If the asker has none of this name that is done.
pub async fn file(call: Call) -> Answer {
    let ready = call.app.exports.ready(call.given.needed("id"), &call.user()?.name);
    let ready = ready.ok_or_else(|| Refusal::not_found("export that is done"))?;
    let file = tokio::fs::File::open(&ready.file).await.map_err(Refusal::internal)?;
    let body = stream::unfold(Some(file), |file| async move {
        let mut file = file?;
        let mut chunk = vec![0; CHUNK];
        match file.read(&mut chunk).await {
            Ok(0) => None,
            Ok(read) => {
                chunk.truncate(read);
                Some((Ok(chunk), Some(file)))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    call::file(ready.kind, &ready.name, Body::from_stream(body))
}
