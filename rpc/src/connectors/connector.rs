//! `connector_status`.

use crate::{
    context::Context,
    error::{Answer, chain, invalid},
    method::Args,
};
use billchain_primitives::outbox::ConnectorId;
use billchain_rpc_types::{ConnectorView, LeaseView, OldestView, TallyView};
use billchain_runtime::{Outbox, Runtime};
use pallet_outbox::{Connector, ConnectorStatus, Connectors, Lease, Leases, SceneFilter, Tally};
use serde_json::Value;

/// The number of a connector, the parameter at `index`.
pub(super) fn id(args: &Args, index: usize) -> Answer<ConnectorId> {
    let number = args.number(index, "connector")?;
    u16::try_from(number)
        .map(ConnectorId)
        .map_err(|_| invalid("connector", "a number from 1 to 65535", &number.to_string()))
}

/// All connectors, or one: an empty list if there is no such one.
pub(super) fn status(context: &Context, args: &Args) -> Answer<Vec<ConnectorView>> {
    let one = match args.value(0) {
        Value::Null => None,
        _ => Some(id(args, 0)?),
    };
    let read = || {
        let count = u16::try_from(Connectors::<Runtime>::count()).unwrap_or(u16::MAX);
        let all = (1..=count).map(ConnectorId);
        let asked = all.filter(|connector| one.is_none_or(|one| one == *connector));
        asked.filter_map(view).collect::<Vec<_>>()
    };
    let mut views = context.deps.chain.read(read).map_err(chain)?;
    if let Some(workers) = &context.deps.node.workers {
        for view in &mut views {
            view.worker = workers.worker(&view.endpoint);
        }
    }
    Ok(views)
}

/// Reads the state.
fn view(connector: ConnectorId) -> Option<ConnectorView> {
    let Connector { terms, status, registered, updated } = Connectors::<Runtime>::get(connector)?;
    Some(ConnectorView {
        connector,
        kind: terms.kind,
        endpoint: terms.endpoint.to_string(),
        format: terms.format.to_string(),
        topics: terms.topics.into(),
        scenes: match terms.scenes {
            SceneFilter::All => None,
            SceneFilter::Only(scenes) => Some(scenes.into_inner()),
        },
        acknowledgers: terms.acknowledgers.into_inner(),
        max_refusals: terms.max_refusals,
        max_waiting: terms.max_waiting,
        status: match status {
            ConnectorStatus::Active => "active",
            ConnectorStatus::Paused => "paused",
            ConnectorStatus::Retired => "retired",
        }
        .to_owned(),
        registered: registered.into(),
        updated: updated.into(),
        entries: tally(Outbox::tally(connector)),
        oldest: Outbox::pending(connector, None).next().map(|(seq, entry)| OldestView {
            seq,
            block: entry.block,
            time: entry.moment,
        }),
        lease: Leases::<Runtime>::get(connector).map(lease),
        worker: None,
    })
}

fn tally(tally: Tally) -> TallyView {
    let Tally { last, waiting, dead, acknowledged, discarded, omitted, omitted_at } = tally;
    let omitted_at = (omitted > 0).then_some(omitted_at);
    TallyView { last, waiting, dead, acknowledged, discarded, omitted, omitted_at }
}

fn lease(lease: Lease) -> LeaseView {
    let Lease { holder, since, until, until_block } = lease;
    LeaseView { holder, since: since.into(), until, until_block }
}
