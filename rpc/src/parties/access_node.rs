//! `node_*`: the access nodes of the domain, in plain JSON.

use crate::{
    context::Context,
    error::{Answer, chain},
    method::{Args, cut, decode, index_page, show},
};
use billchain_primitives::{Did, seams::AccessProblem};
use billchain_rpc_types::{
    AccessNodeChangeView, AccessNodeRecordView, AccessNodeView, LinkCheckView, LinkedNodeView, Page,
};
use billchain_runtime::Runtime;
use pallet_access_node::{AccessNode, Change, HistoryRecord, NodeStatus, history_prefix};

type Contract = pallet_access_node::Pallet<Runtime>;

/// The access node with a DID; `null` if there is none.
pub(super) fn get(context: &Context, args: &Args) -> Answer<Option<AccessNodeView>> {
    let did: Did = args.parsed(0, "node")?;
    let found = context.deps.chain.read(|| Contract::node(&did)).map_err(chain)?;
    Ok(found.map(|node| view((did, node))))
}

/// All access nodes, paged; the cursor is a DID.
pub(super) fn list(context: &Context, args: &Args) -> Answer<Page<AccessNodeView>> {
    let after: Option<Did> = args.optional(0, "cursor")?;
    let limit = args.limit(1)?;
    let read = || Contract::nodes(after.as_ref(), limit + 1);
    let found = context.deps.chain.read(read).map_err(chain)?;
    let page = cut(found, limit, |(did, _)| did.to_string());
    show(page, |entry| Ok(view(entry)))
}

/// The nodes that are linked to a participant, in the order of linking.
pub(super) fn by_participant(context: &Context, args: &Args) -> Answer<Vec<LinkedNodeView>> {
    let participant: Did = args.parsed(0, "participant")?;
    let found = context.deps.chain.read(|| Contract::nodes_of(&participant)).map_err(chain)?;
    let view = |linked: pallet_access_node::LinkedNode| LinkedNodeView {
        node: linked.node,
        status: status(linked.status),
    };
    Ok(found.into_iter().map(view).collect())
}

/// The participants that are linked to a node, paged; the cursor is a DID.
pub(super) fn participants(context: &Context, args: &Args) -> Answer<Page<Did>> {
    let node: Did = args.parsed(0, "node")?;
    let after: Option<Did> = args.optional(1, "cursor")?;
    let limit = args.limit(2)?;
    let read = || Contract::participants_of(&node, after.as_ref(), limit + 1);
    let found = context.deps.chain.read(read).map_err(chain)?;
    Ok(cut(found, limit, Did::to_string))
}

/// Whether a participant may act through a node.
pub(super) fn assert_link(context: &Context, args: &Args) -> Answer<LinkCheckView> {
    let node: Did = args.parsed(0, "node")?;
    let participant: Did = args.parsed(1, "participant")?;
    let read = || Contract::assert_link(&node, &participant);
    let problem =
        context.deps.chain.read(read).map_err(chain)?.err().map(|problem| match problem {
            AccessProblem::NotLinked => "not_linked".to_owned(),
            AccessProblem::NodeInactive => "node_inactive".to_owned(),
        });
    Ok(LinkCheckView { allowed: problem.is_none(), problem })
}

/// The records of a node, the first first, paged.
pub(super) fn history(context: &Context, args: &Args) -> Answer<Page<AccessNodeRecordView>> {
    let node: Did = args.parsed(0, "node")?;
    let page = index_page(context, &history_prefix(&node), args, 1)?;
    show(page, |bytes| Ok(record(decode("record", &bytes)?)))
}

fn status(status: NodeStatus) -> String {
    match status {
        NodeStatus::Normal => "normal",
        NodeStatus::Paused => "paused",
        NodeStatus::Disabled => "disabled",
    }
    .to_owned()
}

fn view((did, node): (Did, AccessNode)) -> AccessNodeView {
    AccessNodeView {
        node: did,
        operator_name: node.operator_name,
        credential_hash: node.credential_hash,
        public_key: node.public_key,
        status: status(node.status),
        participants: node.participants,
        version: node.version,
        history_hash: node.history_hash,
        registered: node.registered.into(),
        updated: node.updated.into(),
    }
}

fn record(record: HistoryRecord) -> AccessNodeRecordView {
    AccessNodeRecordView {
        version: record.version,
        at: record.stamp.into(),
        operator: record.operator.map(|account| <[u8; 32]>::from(account).into()),
        change: match record.change {
            Change::Registered(_) => AccessNodeChangeView::Registered,
            Change::Status { from, to, reason } => AccessNodeChangeView::Status {
                from: status(from),
                to: status(to),
                reason: reason.to_string(),
            },
            Change::Linked { participant } => AccessNodeChangeView::Linked { participant },
            Change::Unlinked { participant, reason } => {
                AccessNodeChangeView::Unlinked { participant, reason: reason.to_string() }
            }
        },
    }
}
