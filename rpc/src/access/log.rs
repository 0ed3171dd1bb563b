//! `access_*`: the log of access, and reading the configuration again.

use crate::{
    context::Context,
    error::{Answer, busy, chain, internal, invalid},
    method::{
        Args, Bound, Failure, LIMIT, Method, list, method, of, optional, read, required, wait,
    },
};
use billchain_access::log::{Query, search};
use billchain_rpc_types::{
    AccessAnchorView, AccessLogHeadView, AccessLogQuery, AccessLogView, AccessReloadView, schema,
};
use billchain_runtime::AccessLog;
use bytes::Bytes;
use pallet_access_log::Anchor;
use std::sync::Arc;
use tokio::sync::oneshot;

const RELOAD: &[Failure] = &[Failure::InvalidParams, Failure::Internal];

/// The rows.
pub(crate) const METHODS: &[Method] = &[
    method(
        "access_log",
        "Lines of this node's log of access (访问日志), oldest first, a part at a time",
        &[
            required(
                "query",
                "What is looked for: `from`, `to` (milliseconds since 1970), `who`, `did`, \
                 `method` (its beginning), `about`, `address`, `code`; all that is given holds",
                of::<AccessLogQuery>,
            ),
            optional("cursor", "`next` of the part before", of::<String>),
            LIMIT,
        ],
        of::<AccessLogView>,
        read!(lines),
    )
    .within(Bound::PAGE.of(1 << 16, "lines").heavy()),
    method(
        "access_logHead",
        "Number and hash of the last line of this node's log of access; null without a log",
        &[],
        crate::method::maybe::<AccessLogHeadView>,
        read!(head),
    )
    .within(Bound::MEMORY),
    method(
        "access_anchors",
        "Where the log of access of an operator's node stood, by day (访问日志上链存证), oldest first",
        &[required("operator", "Account of the operator", of::<schema::Account>)],
        list::<AccessAnchorView>,
        read!(anchors),
    )
    .within(Bound::ONE.of(pallet_access_log::MAX_ANCHORS, "anchors")),
    method(
        "access_reload",
        "Reads the configuration of access again, whole or not at all (热加载)",
        &[],
        of::<AccessReloadView>,
        wait!(nothing, reload),
    )
    .within(Bound::MEMORY)
    .fails(RELOAD),
];

fn lines(context: &Context, args: &Args) -> Answer<AccessLogView> {
    let query: AccessLogQuery = args.json(0, "query", "an object of what is looked for")?;
    let cursor = args.optional::<String>(1, "cursor")?;
    let limit = args.limit(2)?;
    let no_log = || invalid("access", "a node with [log] in access.file", "no log");
    let log = context.access.log().ok_or_else(no_log)?;
    let AccessLogQuery { from, to, who, did, method, about, address, code } = query;
    let query = Query { from, to, who, did, method, about, address, code };
    let found = search(log.directory(), &query, cursor.as_deref(), limit).map_err(internal)?;
    let found =
        found.map_err(|expected| invalid("cursor", expected, cursor.as_deref().unwrap_or("")))?;
    let items = found.entries.iter().map(serde_json::to_value).collect::<Result<_, _>>();
    Ok(AccessLogView { items: items.map_err(internal)?, next: found.next })
}

fn head(context: &Context, _: &Args) -> Answer<Option<AccessLogHeadView>> {
    let head = context.access.log().map(|log| log.head());
    Ok(head.map(|head| AccessLogHeadView { number: head.number, hash: head.hash.into() }))
}

fn anchors(context: &Context, args: &Args) -> Answer<Vec<AccessAnchorView>> {
    let operator = args.account(0, "operator")?;
    let found = context.deps.chain.read(|| AccessLog::anchors(&operator)).map_err(chain)?;
    let view = |anchor: Anchor| AccessAnchorView {
        day: anchor.day,
        number: anchor.number,
        hash: anchor.hash,
    };
    Ok(found.into_iter().map(view).collect())
}

fn nothing(_: &Args) -> Answer<Bytes> {
    Ok(Bytes::new())
}

async fn reload(context: &Arc<Context>, _: Bytes) -> Answer<AccessReloadView> {
    let (tell, told) = oneshot::channel();
    context.reloads.try_send(tell).map_err(|error| busy(&error))?;
    let problems = match told.await.map_err(internal)? {
        Ok(()) => Vec::new(),
        Err(error) => error.problems,
    };
    Ok(AccessReloadView { taken: problems.is_empty(), problems })
}
