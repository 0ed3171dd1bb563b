//! How far the index is, how the nodes are, what the chain holds in numbers.

use super::routes;
use crate::{
    Answer, App, Call, Refusal,
    answers::{Health, IndexHealth, Operations},
    call::{file, json_with},
    given::{Given, Kind, Param, may, must},
    index::Standing,
    json, openapi, report,
};
use axum::http::StatusCode;
use serde_json::Value;
use std::sync::OnceLock;

/// What statistics may be asked for.
pub const STATISTICS: &[Param] = &[
    must(
        "by",
        Kind::Choice(&["day", "month", "year", "region", "class", "issuer", "scene", "status"]),
        "By what",
    ),
    may(
        "measure",
        Kind::Choice(&["issued", "red", "reimbursed", "locked"]),
        "What is counted (issued)",
    ),
    may("from", Kind::Day, "First day"),
    may("to", Kind::Day, "Last day"),
    may("issuer", Kind::Party, "Of this issuer"),
    may("region", Kind::Digits(2, 2), "Of this region"),
    may("class", Kind::Digits(2, 2), "Of this class"),
    may("scene", Kind::Number { least: 0, most: 65_535 }, "Of this scene"),
    may("compare", Kind::Flag, "With the same a year before"),
];

/// How far the index is, with the nodes that this server itself refuted.
fn standing(app: &App) -> Standing {
    let mut standing = (*app.index.standing()).clone();
    for liar in app.nodes.liars() {
        if !standing.liars.contains(&liar) {
            standing.liars.push(liar);
        }
    }
    standing
}

/// How far the index is.
///
/// # Errors
/// Never.
pub async fn status(call: Call) -> Answer {
    json(&standing(&call.app))
}

/// Whether all is well.
///
/// # Errors
/// Never.
pub async fn health(call: Call) -> Answer {
    let health = healthy(&call.app);
    let status = if health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_with(status, &health)
}

/// What is well and what is not.
pub fn healthy(app: &App) -> Health {
    let Standing { indexed, head, lag_ms, gaps, problem, liars, .. } = standing(app);
    let mut problems: Vec<String> = problem.into_iter().collect();
    if lag_ms > app.settings.max_lag_ms {
        problems.push(format!(
            "the index is {lag_ms} ms behind, more than {} (max_lag_ms)",
            app.settings.max_lag_ms
        ));
    }
    if gaps > 0 {
        problems.push(format!("the index lacks {gaps} blocks"));
    }
    problems
        .extend(liars.iter().map(|liar| format!("the node {liar} said what the chain refutes")));
    Health { healthy: problems.is_empty(), problems, indexed, head, lag_ms, gaps }
}

/// The OpenAPI document.
///
/// # Errors
/// Never.
pub async fn openapi(_call: Call) -> Answer {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    json(DOCUMENT.get_or_init(|| openapi::document(routes())))
}

/// New blocks, as they come.
///
/// # Errors
/// If there are as many lines as may be.
pub async fn events(call: Call) -> Answer {
    let whose = call.user.as_ref().map_or_else(|| call.address.clone(), |user| user.name.clone());
    call.app.events.open(&call.app, whose)
}

/// What the chain holds.
///
/// # Errors
/// If the index fails.
pub async fn summary(call: Call) -> Answer {
    json(&call.app.index.summary().await?)
}

/// Sums; of a participant what it issued.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn statistics(call: Call) -> Answer {
    let scope = call.scope()?;
    json(&call.app.index.statistics(&call.given, scope).await?)
}

/// The report of a month.
///
/// # Errors
/// If the index fails, or this machine has no font.
pub async fn report(call: Call) -> Answer {
    let month = call.given.number("month").unwrap_or_default();
    let scope = call.scope()?;
    let pdf = report::of_month(&call.app, month, scope).await?;
    file("application/pdf", &format!("billchain-{month}.pdf"), pdf.into())
}

/// How the nodes are.
///
/// # Errors
/// Never.
pub async fn operations(call: Call) -> Answer {
    let app = &call.app;
    let mut seen = app.nodes.seen().await;
    let standing = standing(app);
    for node in &mut seen.nodes {
        let Some(known) = standing.nodes.iter().find(|known| known.url == node.address) else {
            continue;
        };
        node.following = known.head.is_some() && known.failure.is_none() && known.lie.is_none();
        let lie = known.lie.as_ref().map(|lie| format!("it lied: {lie}"));
        for problem in lie.iter().chain(&known.failure) {
            let before =
                node.problem.take().map_or_else(String::new, |before| format!("{before}; "));
            node.problem = Some(format!("{before}{problem}"));
        }
    }
    // A file's size; a database's is the database's business.
    let size = std::fs::metadata(&app.settings.database).map_or(0, |file| file.len());
    let errors = standing.problem.iter().cloned().collect();
    let index = IndexHealth {
        height: standing.indexed,
        blocks_per_second: app.pace.blocks_per_second(),
        size,
        errors,
    };
    json(&Operations { nodes: seen.nodes, upgrade: seen.upgrade, index })
}

/// Statistics with fixed parameters, for reports.
///
/// # Errors
/// If the index fails.
pub async fn sums(
    app: &App,
    by: &str,
    measure: &str,
    (from, to): (i64, i64),
    scope: Option<&str>,
) -> Result<Value, Refusal> {
    let texts = [
        ("by", by.to_owned()),
        ("measure", measure.to_owned()),
        ("from", from.to_string()),
        ("to", to.to_string()),
        ("compare", "true".to_owned()),
    ];
    let texts = texts.into_iter().map(|(name, text)| (name.to_owned(), text));
    let given = Given::of_texts(texts, STATISTICS)?;
    app.index.statistics(&given, scope).await
}
