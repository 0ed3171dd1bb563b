//! `consensus_*`: where the node stands.

use crate::{
    context::Context,
    error::{Answer, internal},
    method::Args,
};
use billchain_rpc_types::ConsensusStatusView;
use bytes::Bytes;
use std::sync::Arc;

/// The method has no parameters.
pub(super) fn nothing(_: &Args) -> Answer<Bytes> {
    Ok(Bytes::new())
}

/// What the node says of itself.
pub(super) async fn status(context: &Arc<Context>, _: Bytes) -> Answer<ConsensusStatusView> {
    match &context.deps.node.status {
        Some(source) => source.status().await.map_err(internal),
        None => Err(internal("no consensus runs here")),
    }
}
