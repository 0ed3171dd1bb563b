//! What the connections of a server share.

use crate::{budget::Budget, context::Context, lanes::Lanes, method::Method, outbox::WatchedOfAll};
use std::{collections::HashMap, sync::Arc};

/// What the connections of a server share.
pub(super) struct Methods {
    pub(super) context: Arc<Context>,
    by_name: HashMap<&'static str, &'static Method>,
    pub(super) budget: Budget,
    pub(super) lanes: Lanes,
    pub(super) watched: Arc<WatchedOfAll>,
}

impl Methods {
    pub(super) fn new(context: Arc<Context>, all: impl Iterator<Item = &'static Method>) -> Self {
        let config = &context.config;
        let (all_bytes, of_one) = (config.max_bytes_held as usize, config.max_connection_bytes());
        Self {
            budget: Budget::new(all_bytes, of_one, context.metrics.clone()),
            by_name: all.flat_map(|one| one.names().map(move |name| (name, one))).collect(),
            lanes: Lanes::of_the_machine(context.deps.dear.clone()),
            watched: Arc::default(),
            context,
        }
    }

    /// A method and the name that it was called by.
    pub(super) fn named(&self, name: &str) -> Option<(&'static str, &'static Method)> {
        self.by_name.get_key_value(name).map(|(name, method)| (*name, *method))
    }
}
