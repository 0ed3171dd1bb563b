//! What the explorer counts, for Prometheus.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::time::Duration;

/// A route's answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    status: u16,
    code: String,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    route: String,
}

/// The metrics.
pub struct Metrics {
    registry: Registry,
    /// Answers by route, status and code of the refusal.
    answers: Family<Answered, Counter>,
    /// Seconds until an answer began.
    seconds: Family<Asked, Histogram>,
    /// Sessions that last.
    pub sessions: Gauge,
    /// Exports under way.
    pub exports: Gauge,
    /// Lines of server-sent events that are open.
    pub lines: Gauge,
    /// Certificates or answers of nodes that the chain refuted.
    pub refuted: Counter,
    /// Entries of the access log written since the start.
    pub logged: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("billchain_explorer");
        let answers = Family::default();
        let seconds = Family::<Asked, Histogram>::new_with_constructor(|| {
            Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 10.0])
        });
        let (sessions, exports, lines) = (Gauge::default(), Gauge::default(), Gauge::default());
        let (refuted, logged) = (Counter::default(), Counter::default());
        registry.register(
            "answers",
            "Answers by route, status and code of the refusal",
            answers.clone(),
        );
        registry.register("answer_seconds", "Seconds until an answer began", seconds.clone());
        registry.register("sessions", "Sessions that last", sessions.clone());
        registry.register("exports", "Exports under way", exports.clone());
        registry.register("event_lines", "Open lines of server-sent events", lines.clone());
        registry.register(
            "refuted_answers",
            "Answers of nodes that the chain refuted",
            refuted.clone(),
        );
        registry.register(
            "access_log_entries",
            "Entries of the access log since the start",
            logged.clone(),
        );
        Self { registry, answers, seconds, sessions, exports, lines, refuted, logged }
    }
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, route: &str, status: u16, code: &str, took: Duration) {
        let answered = Answered { route: route.to_owned(), status, code: code.to_owned() };
        self.answers.get_or_create(&answered).inc();
        self.seconds.get_or_create(&Asked { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// All of it as text, without the end mark.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text.truncate(text.trim_end_matches("# EOF\n").len());
        text
    }
}
