//! The node's workers: processes of their own that tell systems outside what the chain decided.
//!
//! The node starts them, listens to their pulses and starts them again; what they do, and what
//! becomes of them, changes nothing in the node. `docs/decisions/0069-workers.md` says why.

use crate::config::Config;
use anyhow::{Context, Result};
use billchain_rpc::WorkerSource;
use billchain_rpc_types::{PulseView, WorkerView};
use billchain_workers::{
    WorkerFile,
    supervisor::{Launch, Supervisor, Workers},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use std::{fmt, net::SocketAddr, sync::Arc};
use tokio::runtime::Handle;

/// Starts the workers that the configuration names, on a runtime of clients. `None`: it names
/// none.
pub(crate) fn start(config: &Config, on: &Handle) -> Result<Option<Supervisor>> {
    let Some(path) = &config.workers else { return Ok(None) };
    let file = WorkerFile::load(path).context("workers.file")?;
    let endpoints = file.connectors.iter().map(|worker| worker.endpoint.clone()).collect();
    let launch = Launch {
        program: std::env::current_exe().context("the node's own program")?,
        file: path.clone(),
        node: url(config.rpc.listen),
    };
    let _on = on.enter();
    Ok(Some(Supervisor::start(&launch, endpoints)))
}

/// Where this machine reaches what listens there.
fn url(listen: SocketAddr) -> String {
    let mut reached = listen;
    if listen.ip().is_unspecified() {
        match listen {
            SocketAddr::V4(_) => reached.set_ip([127, 0, 0, 1].into()),
            SocketAddr::V6(_) => reached.set_ip(std::net::Ipv6Addr::LOCALHOST.into()),
        }
    }
    format!("http://{reached}")
}

/// What workers say of themselves, for clients and Prometheus.
#[derive(Clone, Debug)]
pub(crate) struct Told(Workers);

impl Told {
    /// Of these.
    pub(crate) fn of(supervisor: &Supervisor) -> Self {
        Self(supervisor.workers())
    }

    /// For JSON-RPC.
    pub(crate) fn source(&self) -> Arc<dyn WorkerSource> {
        Arc::new(self.clone())
    }

    /// For Prometheus.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }
}

impl WorkerSource for Told {
    fn worker(&self, endpoint: &str) -> Option<WorkerView> {
        self.0.get(endpoint)
    }
}

/// One worker's number: its name, what it is, whether it only grows, and the number.
type Row = (&'static str, &'static str, MetricType, fn(&PulseView) -> u64);

const ROWS: [Row; 8] = [
    (
        "worker_cursor",
        "Block up to which the worker has looked for entries",
        MetricType::Gauge,
        |it| it.cursor.into(),
    ),
    (
        "worker_holds_lease",
        "Whether the worker does its connector's work",
        MetricType::Gauge,
        |it| it.holds_lease.into(),
    ),
    ("worker_at_hand", "Entries that the worker has at hand", MetricType::Gauge, |it| it.at_hand),
    ("worker_under_way", "Requests of the worker that are under way", MetricType::Gauge, |it| {
        it.under_way
    }),
    (
        "worker_unreported",
        "Entries that were told and are not yet acknowledged on the chain",
        MetricType::Gauge,
        |it| it.unreported,
    ),
    (
        "worker_circuit_open",
        "Whether nothing is sent, because the system outside does not answer",
        MetricType::Gauge,
        |it| (it.circuit != "closed").into(),
    ),
    ("worker_told", "Entries told since the worker's start", MetricType::Gauge, |it| it.told),
    ("worker_failed", "Attempts that failed since the worker's start", MetricType::Gauge, |it| {
        it.failed
    }),
];

impl Collector for Told {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let workers = self.0.all();
        let help = "How often the worker's process was started";
        let mut family =
            encoder.encode_descriptor("worker_starts", help, None, MetricType::Counter)?;
        for (endpoint, view) in &workers {
            let labels = [("endpoint", endpoint.as_str())];
            ConstCounter::new(view.starts).encode(family.encode_family(&labels)?)?;
        }
        let help = "How often the worker's process ended, by reason";
        let mut family =
            encoder.encode_descriptor("worker_ends", help, None, MetricType::Counter)?;
        for (endpoint, view) in &workers {
            for (reason, count) in &view.ends {
                let labels = [("endpoint", endpoint.as_str()), ("reason", reason.as_str())];
                ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
            }
        }
        for (name, help, kind, value) in ROWS {
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (endpoint, view) in &workers {
                let Some(pulse) = &view.pulse else { continue };
                let value = i64::try_from(value(pulse)).unwrap_or(i64::MAX);
                let labels = [("endpoint", endpoint.as_str())];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_reaches_its_node_wherever_it_listens() {
        for (listen, expected) in [
            ("127.0.0.1:9944", "http://127.0.0.1:9944"),
            ("0.0.0.0:9944", "http://127.0.0.1:9944"),
            ("[::]:9944", "http://[::1]:9944"),
            ("10.0.0.7:80", "http://10.0.0.7:80"),
        ] {
            assert_eq!(url(listen.parse().unwrap()), expected);
        }
    }
}
