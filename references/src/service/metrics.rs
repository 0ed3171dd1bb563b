//! What Prometheus reads. Labels have as many values as there are requesters.

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use std::time::Duration;

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(super) enum Outcome {
    /// With an answer.
    Answered,
    /// It had not the form of a question, or named an unknown key.
    Malformed,
    /// It came from nobody who is known.
    Unauthorized,
    /// Its requester has reached a bound.
    Limited,
    /// The operator could not.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    /// Empty for whoever is not known.
    requester: String,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    requester: String,
}

pub(super) struct Metrics {
    registry: Registry,
    /// Questions, by requester and outcome.
    questions: Family<Asked, Counter>,
    /// Elements that were evaluated, by requester.
    elements: Family<By, Counter>,
    /// Seconds of work on a question.
    seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("billchain_refs");
        let questions = Family::<Asked, Counter>::default();
        let elements = Family::<By, Counter>::default();
        let seconds = Histogram::new([0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5]);
        registry.register("questions", "Questions, by requester and outcome", questions.clone());
        registry.register(
            "elements",
            "Elements that were evaluated, by requester",
            elements.clone(),
        );
        registry.register("evaluation_seconds", "Work on a question", seconds.clone());
        Self { registry, questions, elements, seconds }
    }
}

impl Metrics {
    pub(super) fn asked(&self, requester: &str, outcome: Outcome) {
        let labels = Asked { requester: requester.to_owned(), outcome };
        self.questions.get_or_create(&labels).inc();
    }

    pub(super) fn evaluated(&self, requester: &str, elements: u32, took: Duration) {
        let labels = By { requester: requester.to_owned() };
        self.elements.get_or_create(&labels).inc_by(elements.into());
        self.seconds.observe(took.as_secs_f64());
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
