//! What the doctor finds, and how it is told.

use crate::shown;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write;

/// Longest text of a finding that a node's answer may have a part in.
const MAX_TEXT: usize = 400;
/// Findings that are told, the worst: a node may name any number of peers.
const MAX_FINDINGS: usize = 200;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    /// To be known; nothing is wrong.
    Note,
    /// One node is not well, or soon will not be; the chain goes on.
    Warning,
    /// A node does not do its work, or nodes contradict each other.
    Critical,
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// Stable name of the kind.
    pub(super) code: &'static str,
    /// Whom it is about.
    pub(super) about: String,
    /// What was found.
    pub(super) what: String,
    /// What to do, in one line.
    pub(super) advice: String,
}

impl Finding {
    /// `about` and `what` may have been said by a node.
    pub(super) fn new(
        severity: Severity,
        code: &'static str,
        about: &str,
        what: &str,
        advice: &str,
    ) -> Self {
        Self { severity, code, about: clean(about), what: clean(what), advice: advice.to_owned() }
    }

    pub(super) fn note(code: &'static str, about: &str, what: &str, advice: &str) -> Self {
        Self::new(Severity::Note, code, about, what, advice)
    }

    pub(super) fn warning(code: &'static str, about: &str, what: &str, advice: &str) -> Self {
        Self::new(Severity::Warning, code, about, what, advice)
    }

    pub(super) fn critical(code: &'static str, about: &str, what: &str, advice: &str) -> Self {
        Self::new(Severity::Critical, code, about, what, advice)
    }
}

/// What a node said, as it may be shown.
pub(super) fn clean(text: &str) -> String {
    shown::clean(text, MAX_TEXT)
}

/// Everything that was found.
#[derive(Debug, Default, Serialize)]
pub(super) struct Diagnosis {
    /// A line for each node that was asked.
    pub(super) nodes: Vec<Value>,
    pub(super) findings: Vec<Finding>,
}

impl Diagnosis {
    /// The worst of what was found.
    pub(super) fn worst(&self) -> Severity {
        self.findings.iter().map(|one| one.severity).max().unwrap_or(Severity::Note)
    }

    /// Brings the worst to the front, and keeps no more than are told.
    pub(super) fn sort(&mut self) {
        self.findings.sort_by_key(|one| std::cmp::Reverse(one.severity));
        let more = self.findings.len().saturating_sub(MAX_FINDINGS);
        if more > 0 {
            self.findings.truncate(MAX_FINDINGS);
            let what = format!("{more} more findings are left out");
            let advice = "Ask fewer nodes at once.";
            self.findings.push(Finding::note("more", "the doctor", &what, advice));
        }
    }

    /// One JSON object.
    pub(super) fn json(&self) -> Value {
        json!({ "worst": self.worst(), "nodes": self.nodes, "findings": self.findings })
    }

    /// For a person.
    pub(super) fn text(&self, lines: &[String]) -> String {
        let mut text = String::new();
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
        for Finding { severity, code, about, what, advice } in &self.findings {
            let _ = writeln!(text, "{} [{code}] {about}: {what}", severity.word());
            let _ = writeln!(text, "    {advice}");
        }
        let count = |severity| self.findings.iter().filter(|one| one.severity == severity).count();
        let (critical, warnings) = (count(Severity::Critical), count(Severity::Warning));
        let _ = match critical + warnings {
            0 => writeln!(text, "healthy: nothing is wrong"),
            _ => writeln!(text, "{critical} critical, {warnings} warnings"),
        };
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_first_and_is_counted() {
        let findings = vec![
            Finding::note("a", "n", "w", "x"),
            Finding::critical("b", "n", "w", "x"),
            Finding::warning("c", "n", "w", "x"),
        ];
        let mut diagnosis = Diagnosis { findings, ..Diagnosis::default() };
        diagnosis.sort();
        assert_eq!(diagnosis.worst(), Severity::Critical);
        let text = diagnosis.text(&["node-1".to_owned()]);
        assert!(text.starts_with("node-1\nCRITICAL [b] n: w\n    x\nWARNING [c]"), "{text}");
        assert!(text.ends_with("1 critical, 1 warnings\n"), "{text}");
        assert!(Diagnosis::default().text(&[]).starts_with("healthy"));
        assert_eq!(diagnosis.json()["findings"][0]["severity"], "critical");
        let many = vec![Finding::warning("c", "n", "w", "x"); 10 * MAX_FINDINGS];
        diagnosis.findings.extend(many);
        diagnosis.sort();
        assert_eq!(diagnosis.findings.len(), MAX_FINDINGS + 1);
        assert_eq!(diagnosis.findings[0].code, "b");
    }
}
