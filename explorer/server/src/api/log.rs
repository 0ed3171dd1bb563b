//! The access log.

use crate::{
    Answer, App, Call, Refusal,
    given::Given,
    index::{Part, Rows},
    json,
    lists::Name,
    store::{Action, Line, LookedAt},
    time,
};

/// A page of entries.
///
/// # Errors
/// If a parameter is wrong, or the file fails.
pub async fn list(call: Call) -> Answer {
    let part = super::chain::part(&call.given)?;
    let scope = call.scope()?.map(str::to_owned);
    let user = call.user()?.name.clone();
    call.log(Action::AccessLog, call.given.told(), LookedAt::default()).await?;
    let rows =
        call.app.listed(Name::AccessLog, &call.given, scope.as_deref(), &user, &part).await?;
    super::chain::page(&rows)
}

/// Counts the log's hashes again.
///
/// # Errors
/// If the file fails.
pub async fn check(call: Call) -> Answer {
    json(&call.app.log.verify().await?)
}

/// Entries; of a participant its own looks, and others' at bills that it issued.
///
/// # Errors
/// If a parameter is wrong, or the file fails.
pub async fn rows(
    app: &App,
    given: &Given,
    scope: Option<&str>,
    asker: &str,
    part: &Part,
) -> Result<Rows, Refusal> {
    let text = |name: &str| given.text(name).map(str::to_owned);
    let beyond = part.cursor.as_deref().map(|cursor| {
        cursor
            .parse::<i64>()
            .map_err(|_| Refusal::malformed("cursor", "the `next` of the page before"))
    });
    let line = Line {
        bill: text("bill"),
        who: text("who"),
        action: text("action"),
        from: given.number("from").map(time::start_of),
        to: given.number("to").map(time::end_of),
        concerning: scope.map(|did| (asker.to_owned(), did.to_owned())),
        beyond: beyond.transpose()?,
        oldest_first: given.text("sort") == Some("id"),
        limit: i64::from(part.limit),
    };
    let entries = app.log.entries(&line).await?;
    let full = entries.len() >= part.limit as usize;
    let next = entries.last().filter(|_| full).map(|entry| entry.id.to_string());
    let hidden = scope.is_some();
    let items = entries.into_iter().map(|mut entry| {
        // Where others sit is none of a participant's business.
        if hidden && entry.who != asker {
            entry.address = "—".to_owned();
        }
        serde_json::to_value(entry).map_err(Refusal::internal)
    });
    Ok(Rows { items: items.collect::<Result<_, _>>()?, next })
}
