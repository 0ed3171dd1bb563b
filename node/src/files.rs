//! Open files, shared out at the start.
//!
//! A connection is a file, and so is a table of the database. A system that has
//! no file left for the database ends the node, whoever used them up; so each
//! part has its share, and what strangers can use up, connections to RPC, gets
//! what the others leave.

use crate::metrics;
use anyhow::{Result, bail};
use billchain_consensus::MOST_CONNECTIONS;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Files beside those of storage, peers and RPC: logs, undecided blocks, event
/// queues, sockets that listen, and all connections to the metrics.
const OTHERS: u64 = 80 + metrics::PLACES as u64;
/// Files of the database's second engine, and those that are open for a moment.
const STATE: u64 = 32;
/// Fewest files with which a node runs.
const LEAST: u64 = 256;
/// No part needs more, so a system without a limit is taken for one with this.
const MOST: u64 = 1 << 20;

/// Who may have how many files open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileBudget {
    /// The system's limit for the process.
    pub(crate) limit: u64,
    /// Tables that the database keeps open.
    pub(crate) tables: u32,
    /// Connections of peers, those that begin included.
    pub(crate) peers: u64,
    /// Connections to RPC.
    pub(crate) rpc: u32,
}

impl FileBudget {
    /// Shares out what the system allows, after raising it as far as it lets.
    pub(crate) fn of_process(rpc_wanted: u32) -> Result<Self> {
        let before = getrlimit(Resource::Nofile);
        let wanted = rustix::process::Rlimit { current: before.maximum, ..before };
        if let Err(error) = setrlimit(Resource::Nofile, wanted) {
            tracing::warn!(%error, "cannot raise the limit of open files to the hard limit");
        }
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(MOST).min(MOST);
        Self::share(limit, rpc_wanted)
    }

    fn share(limit: u64, rpc_wanted: u32) -> Result<Self> {
        if limit < LEAST {
            bail!(
                "the system lets this process open {limit} files at once, a node needs {LEAST} \
                 at least, and 4096 in production: raise the hard limit (ulimit -Hn, or \
                 LimitNOFILE= of the service)"
            );
        }
        // A third each for the database and the peers, up to all that they can
        // use, and the rest for RPC.
        let tables = ((limit - OTHERS - STATE) / 3).min(512);
        let peers = ((limit - OTHERS - STATE) / 3).min(MOST_CONNECTIONS as u64);
        let left = limit - OTHERS - STATE - tables - peers;
        let rpc = u64::from(rpc_wanted).min(left);
        Ok(Self { limit, tables: narrow(tables), peers, rpc: narrow(rpc) })
    }

    /// Says in the log how the files are shared out.
    pub(crate) fn report(&self, rpc_wanted: u32) {
        tracing::info!(
            limit = self.limit,
            tables = self.tables,
            peers = self.peers,
            rpc = self.rpc,
            "open files"
        );
        if self.rpc < rpc_wanted {
            tracing::warn!(
                "rpc.max_connections is {rpc_wanted}, the limit of {} open files leaves {}: \
                 raise it (LimitNOFILE= of the service)",
                self.limit,
                self.rpc
            );
        }
    }

    /// Registers the shares.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let mut show = |name: &str, help: &str, value: u64| {
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            registry.register(name, help, gauge);
        };
        show("open_files_limit", "Files the process may have open", self.limit);
        show("open_files_storage", "Tables the database keeps open", self.tables.into());
        show("open_files_peers", "Files for connections of peers", self.peers);
        show("open_files_rpc", "Connections RPC takes", self.rpc.into());
    }
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rpc_gets_what_storage_and_peers_leave() {
        let share = |limit| FileBudget::share(limit, 2_000).unwrap();
        for limit in [256, 1_024, 4_096, 65_536, MOST] {
            let budget = share(limit);
            let used = OTHERS + STATE + u64::from(budget.tables) + budget.peers;
            assert!(used + u64::from(budget.rpc) <= limit, "{budget:?}");
            assert!(budget.rpc >= 32 && budget.tables >= 32, "{budget:?}");
        }
        let wide = share(4_096);
        assert_eq!((wide.tables, wide.peers, wide.rpc), (512, 1_317, 2_000));
        assert_eq!(share(65_536).peers, MOST_CONNECTIONS as u64);
        assert_eq!(share(1_024).rpc, 294);
    }

    #[test]
    fn too_few_files_are_refused_with_the_limit_to_raise() {
        let error = FileBudget::share(40, 2_000).unwrap_err().to_string();
        for part in ["40 files", "256", "ulimit -Hn", "LimitNOFILE="] {
            assert!(error.contains(part), "{error}");
        }
    }
}
