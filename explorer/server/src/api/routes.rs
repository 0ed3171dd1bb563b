//! The table of the routes.

use super::{bills, chain, exports, figures, log, session, users};
use crate::{
    answers::{Challenged, Health, ListOf, Loose, Operations, SessionAnswer, UsersAnswer, Verdict},
    auth::Who,
    export::ExportJob,
    given::{Kind, Param, may, must},
    handler,
    index::Standing,
    lists::{self, LISTS, Name},
    route::{Gives, Handler, Method, Pace, Route, get, gives, post},
    store::{Entry, NewUser, Verified},
};
use billchain_explorer_indexer::query;
use std::sync::OnceLock;

const BILL: &[Param] = &[must("bill", Kind::Bill, "Code and number, joined by `-`")];
const ID: &[Param] = &[must("id", Kind::Text(80), "Its number, or its hash")];
const NUMBER: &[Param] =
    &[must("id", Kind::Number { least: 0, most: 4_294_967_295 }, "Its number")];
const DID: &[Param] = &[must("did", Kind::Party, "DID")];
const TOKEN: &[Param] = &[must("id", Kind::Text(64), "Name of the export")];
const NAME: &[Param] = &[must("name", Kind::Text(64), "Name of the user")];
const CHECK: Param =
    may("check_code", Kind::CheckCode, "Check code (校验码); who does not see the bill needs it");
const ROLE: Kind = Kind::Choice(&["participant", "operator", "auditor", "administrator"]);
const PDF: Gives = Gives::Bytes("application/pdf");

/// All routes.
pub fn routes() -> &'static [Route] {
    static ROUTES: OnceLock<Vec<Route>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        let tables = [SESSIONS, USERS, BILLS, CHAIN, FIGURES, EXPORTS];
        tables.concat().into_iter().chain(LISTS.iter().map(list)).collect()
    })
}

/// The route of a list.
fn list(listing: &'static lists::Listing) -> Route {
    let (path, who, handler, gives): (_, _, Handler, _) = match listing.name {
        Name::Bills => {
            ("/bills", Who::SignedIn, handler!(bills::list), gives::<ListOf<query::BillRow>>())
        }
        Name::Blocks => {
            ("/blocks", Who::Public, handler!(chain::blocks), gives::<ListOf<query::BlockRow>>())
        }
        Name::Transactions => (
            "/transactions",
            Who::SignedIn,
            handler!(chain::transactions),
            gives::<ListOf<query::TransactionRow>>(),
        ),
        Name::Participants => (
            "/participants",
            Who::SignedIn,
            handler!(chain::participants),
            gives::<ListOf<query::ParticipantRow>>(),
        ),
        Name::Nodes => (
            "/nodes",
            Who::SignedIn,
            handler!(chain::nodes),
            gives::<ListOf<query::AccessNodeRow>>(),
        ),
        Name::Scenes => {
            ("/scenes", Who::SignedIn, handler!(chain::scenes), gives::<ListOf<query::SceneRow>>())
        }
        Name::Policies => (
            "/policies",
            Who::SignedIn,
            handler!(chain::policies),
            gives::<ListOf<query::PolicyRow>>(),
        ),
        Name::Grants => {
            ("/grants", Who::SignedIn, handler!(chain::grants), gives::<ListOf<query::GrantRow>>())
        }
        Name::Disputes => (
            "/disputes",
            Who::SignedIn,
            handler!(chain::disputes),
            gives::<ListOf<query::CaseRow>>(),
        ),
        Name::Motions => (
            "/motions",
            Who::SignedIn,
            handler!(chain::motions),
            gives::<ListOf<query::MotionRow>>(),
        ),
        Name::AccessLog => (
            "/access-log",
            Who::AuditorsAndParticipants,
            handler!(log::list),
            gives::<ListOf<Entry>>(),
        ),
    };
    get(path, listing.title, who, gives, handler).query(listing.query)
}

const SESSION: Gives = gives::<SessionAnswer>();

static SESSIONS: &[Route] = &[
    get(
        "/session",
        "Who is signed in, and the token against forgery",
        Who::Public,
        SESSION,
        handler!(session::show),
    ),
    post(
        "/session/challenge",
        "A challenge to be signed with a participant's key",
        Who::Public,
        gives::<Challenged>(),
        handler!(session::challenge),
    )
    .body(&[
        may("did", Kind::Party, "DID of the participant; it is not looked up"),
        may("account", Kind::Hash, "Its account"),
    ])
    .at(Pace::Login),
    post(
        "/session/sm2",
        "Signs in by a signed challenge",
        Who::Public,
        SESSION,
        handler!(session::by_key),
    )
    .body(&[
        must("id", Kind::Text(64), "Name of the challenge"),
        must("public_key", Kind::Bytes(33), "The participant's present key, compressed"),
        must("signature", Kind::Bytes(64), "SM2 signature r ‖ s of the challenge's message"),
    ])
    .at(Pace::Login),
    post(
        "/session/password",
        "Signs in by password and one-time code",
        Who::Public,
        SESSION,
        handler!(session::by_password),
    )
    .body(&[
        must("name", Kind::Text(64), "Name of the user"),
        must("password", Kind::Password, "Its password"),
        may("totp", Kind::Digits(6, 6), "Its one-time code"),
    ])
    .at(Pace::Login),
    get(
        "/session/oidc",
        "To the single sign-on",
        Who::Public,
        Gives::Place,
        handler!(session::to_oidc),
    )
    .query(&[may("back", Kind::Text(512), "Path of the page to come back to")])
    .at(Pace::Login),
    get(
        "/session/oidc/callback",
        "Back from the single sign-on",
        Who::Public,
        Gives::Place,
        handler!(session::from_oidc),
    )
    .query(&[
        must("state", Kind::Text(256), "Which login it is"),
        may("code", Kind::Text(4096), "The code to be exchanged"),
        may("error", Kind::Text(256), "Why there is none"),
        may("error_description", Kind::Text(1024), "The same in words"),
        may("error_uri", Kind::Text(1024), "More about it"),
        may("iss", Kind::Text(512), "Who answers"),
        may("session_state", Kind::Text(512), "The session over there"),
        may("scope", Kind::Text(1024), "What was granted"),
    ])
    .at(Pace::Login),
    post("/session/logout", "Signs out", Who::Public, Gives::Nothing, handler!(session::logout)),
    post(
        "/session/password/change",
        "Another password",
        Who::SignedIn,
        Gives::Nothing,
        handler!(session::change),
    )
    .body(&[
        must("old", Kind::Password, "The present one"),
        must("new", Kind::Password, "12 to 128 characters"),
    ])
    .at(Pace::Login),
];

static USERS: &[Route] = &[
    get(
        "/users",
        "Users that sign in by password",
        Who::Administrators,
        gives::<UsersAnswer>(),
        handler!(users::all),
    ),
    post(
        "/users",
        "A new user, with what it has to be told",
        Who::Administrators,
        Gives::Json(201, schemars::SchemaGenerator::subschema_for::<NewUser>),
        handler!(users::add),
    )
    .body(&[
        must("name", Kind::Text(64), "Its name"),
        must("role", ROLE, "What it may do"),
        may("did", Kind::Party, "The participant that it acts for"),
    ]),
    post(
        "/users/{name}",
        "Changes a user",
        Who::Administrators,
        gives::<NewUser>(),
        handler!(users::change),
    )
    .by(Method::Put)
    .places(NAME)
    .body(&[
        may("role", ROLE, "What it may do"),
        may("disabled", Kind::Flag, "Whether it may not sign in"),
        may("unlock", Kind::Flag, "Forget its failures"),
        may("reset", Kind::Flag, "Give it a new password and secret"),
    ]),
    get(
        "/users/{name}",
        "Removes a user",
        Who::Administrators,
        Gives::Nothing,
        handler!(users::remove),
    )
    .by(Method::Delete)
    .places(NAME),
];

static BILLS: &[Route] = &[
    post(
        "/verify",
        "Whether a bill is real, and used",
        Who::Public,
        gives::<Verdict>(),
        handler!(bills::verify),
    )
    .body(&[
        must("code", Kind::Digits(8, 8), "票据代码"),
        must("number", Kind::Digits(10, 10), "票据号码"),
        CHECK,
        may("issue_date", Kind::Day, "开票日期"),
        may(
            "total_fen",
            Kind::Number { least: -99_999_999_999_999, most: 99_999_999_999_999 },
            "总金额 in fen",
        ),
        may("kind", Kind::Choice(&["xml", "pdf"]), "Which original the hash is of"),
        may("hash", Kind::Hash, "SM3 of the original as it was delivered"),
    ]),
    get(
        "/bills/{bill}",
        "A bill's life",
        Who::SignedIn,
        gives::<query::BillLife>(),
        handler!(bills::life),
    )
    .places(BILL),
    get(
        "/bills/{bill}/certificate",
        "Its certificate, which checks offline",
        Who::Public,
        Gives::Bytes("application/octet-stream"),
        handler!(bills::certificate),
    )
    .places(BILL)
    .query(&[
        CHECK,
        may("version", Kind::Number { least: 1, most: 4_294_967_295 }, "An earlier version"),
    ]),
    get(
        "/bills/{bill}/certificate.pdf",
        "Its printed certificate",
        Who::Public,
        PDF,
        handler!(bills::printed),
    )
    .places(BILL)
    .query(&[CHECK]),
    get(
        "/search",
        "What a text may mean",
        Who::Public,
        gives::<query::SearchAnswer>(),
        handler!(bills::search),
    )
    .query(&[must(
        "q",
        Kind::Text(512),
        "Height, hash, codes, DID, USCC, claim, policy, scene, motion",
    )]),
];

const DETAIL: Gives = gives::<Loose>();

/// A single thing of the chain, for whoever is signed in.
const fn of(path: &'static str, about: &'static str, gives: Gives, handler: Handler) -> Route {
    get(path, about, Who::SignedIn, gives, handler)
}

static CHAIN: &[Route] = &[
    get("/blocks/{id}", "A block", Who::Public, gives::<query::Block>(), handler!(chain::block))
        .places(ID),
    of(
        "/transactions/{id}",
        "A transaction",
        gives::<query::Transaction>(),
        handler!(chain::transaction),
    )
    .places(ID),
    of(
        "/participants/{did}",
        "A participant",
        gives::<query::Participant>(),
        handler!(chain::participant),
    )
    .places(DID),
    of("/nodes/{did}", "An access node", gives::<query::AccessNode>(), handler!(chain::node))
        .places(DID),
    of("/scenes/{id}", "A scene", gives::<query::Scene>(), handler!(chain::scene)).places(&[must(
        "id",
        Kind::Number { least: 0, most: 65_535 },
        "Its number",
    )]),
    of(
        "/policies/{id}",
        "A policy with its versions",
        gives::<query::Policy>(),
        handler!(chain::policy),
    )
    .places(NUMBER),
    of(
        "/rules",
        "A version of the status machine's rules",
        gives::<query::Rules>(),
        handler!(chain::rules),
    )
    .query(&[may(
        "version",
        Kind::Number { least: 1, most: 4_294_967_295 },
        "Which; none: the newest",
    )]),
    of("/grants/{id}", "A grant", gives::<query::Grant>(), handler!(chain::grant)).places(&[must(
        "id",
        Kind::Hash,
        "SM3 of its credential",
    )]),
    of("/disputes/{id}", "A case", gives::<query::Case>(), handler!(chain::dispute)).places(NUMBER),
    of("/motions/{id}", "A motion", gives::<query::Motion>(), handler!(chain::motion)).places(ID),
    get(
        "/validators",
        "Those who decide blocks",
        Who::Public,
        gives::<query::Validators>(),
        handler!(chain::validators),
    ),
];

static FIGURES: &[Route] = &[
    get(
        "/status",
        "How far the index is",
        Who::Public,
        gives::<Standing>(),
        handler!(figures::status),
    ),
    get(
        "/health",
        "Whether all is well",
        Who::Public,
        gives::<Health>(),
        handler!(figures::health),
    ),
    get("/openapi.json", "This document", Who::Public, DETAIL, handler!(figures::openapi)),
    get(
        "/events",
        "New blocks, as they come",
        Who::Public,
        Gives::Bytes("text/event-stream"),
        handler!(figures::events),
    ),
    get(
        "/summary",
        "What the chain holds",
        Who::Public,
        gives::<query::Summary>(),
        handler!(figures::summary),
    ),
    get(
        "/statistics",
        "Sums by time, region, class, issuer, scene",
        Who::SignedIn,
        gives::<query::Statistics>(),
        handler!(figures::statistics),
    )
    .query(figures::STATISTICS),
    get(
        "/reports/month.pdf",
        "The report of a month",
        Who::SignedIn,
        PDF,
        handler!(figures::report),
    )
    .query(&[must("month", Kind::Month, "Which")]),
    get(
        "/operations",
        "How the nodes are",
        Who::Operators,
        gives::<Operations>(),
        handler!(figures::operations),
    ),
    get(
        "/access-log/check",
        "Counts the log's hashes again",
        Who::Auditors,
        gives::<Verified>(),
        handler!(log::check),
    ),
];

static EXPORTS: &[Route] = &[
    post(
        "/exports",
        "Writes a list to a file",
        Who::SignedIn,
        Gives::Json(202, schemars::SchemaGenerator::subschema_for::<ExportJob>),
        handler!(exports::begin),
    )
    .body(&[
        must("what", Kind::Choice(exports::WHAT), "The list"),
        must("format", Kind::Choice(&["csv", "xlsx"]), "What kind of file"),
        may("query", Kind::Filters, "The list's filters and order"),
    ]),
    get(
        "/exports/{id}",
        "How far an export is",
        Who::SignedIn,
        gives::<ExportJob>(),
        handler!(exports::show),
    )
    .places(TOKEN),
    get(
        "/exports/{id}",
        "Drops an export",
        Who::SignedIn,
        Gives::Nothing,
        handler!(exports::remove),
    )
    .by(Method::Delete)
    .places(TOKEN),
    get(
        "/exports/{id}/file",
        "The file",
        Who::SignedIn,
        Gives::Bytes("application/octet-stream"),
        handler!(exports::file),
    )
    .places(TOKEN),
];
