//! Figures of a run, their medians over runs, and ratios of two sides.

use super::record::Record;
use crate::measure::{Better, Figure, median, rounded};
use serde::Serialize;

/// Medians of one measurement.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct CaseSummary {
    /// Name of the measurement.
    pub(crate) case: String,
    /// What was measured, in the order in which it was found: one, or two that
    /// are compared.
    pub(crate) sides: Vec<String>,
    /// Runs of each.
    pub(crate) runs: Vec<usize>,
    pub(crate) figures: Vec<FigureSummary>,
}

/// One figure over all runs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct FigureSummary {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) better: Better,
    /// The median of each side's runs.
    pub(crate) medians: Vec<f64>,
    /// Smallest and largest of each side's runs.
    pub(crate) ranges: Vec<(f64, f64)>,
    /// The first side's median over the second's.
    pub(crate) ratio: Option<f64>,
}

/// Medians of every measurement, in the order in which they were found.
pub(crate) fn summarise(records: &[Record]) -> Vec<CaseSummary> {
    let cases = distinct(records.iter().map(Record::case));
    cases
        .into_iter()
        .map(|case| {
            let of_case: Vec<&Record> =
                records.iter().filter(|record| record.case() == case).collect();
            case_summary(case, &of_case)
        })
        .collect()
}

fn case_summary(case: String, records: &[&Record]) -> CaseSummary {
    let sides = distinct(records.iter().map(|record| record.side()));
    let of_side: Vec<Vec<Vec<Figure>>> = sides
        .iter()
        .map(|side| {
            let of_side = records.iter().filter(|record| record.side() == side);
            of_side.map(|record| record.figures()).collect()
        })
        .collect();
    let named = of_side.iter().flatten().flatten();
    let names = distinct(named.map(|figure| figure.name.as_str()));
    let figures = names.iter().filter_map(|name| figure_summary(name, &of_side)).collect();
    CaseSummary { case, runs: of_side.iter().map(Vec::len).collect(), sides, figures }
}

fn figure_summary(name: &str, of_side: &[Vec<Vec<Figure>>]) -> Option<FigureSummary> {
    let all = || of_side.iter().flatten().flatten().filter(|figure| figure.name == name);
    let first = all().next()?.clone();
    let (mut medians, mut ranges) = (Vec::new(), Vec::new());
    for runs in of_side {
        let values: Vec<f64> = runs
            .iter()
            .flatten()
            .filter(|figure| figure.name == name)
            .map(|figure| figure.value)
            .collect();
        let least = values.iter().copied().reduce(f64::min).unwrap_or(0.0);
        let most = values.iter().copied().reduce(f64::max).unwrap_or(0.0);
        ranges.push((least, most));
        medians.push(rounded(median(values), 3));
    }
    let ratio = match medians[..] {
        [this, other] if other != 0.0 => Some(rounded(this / other, 3)),
        _ => None,
    };
    let Figure { name, unit, better, .. } = first;
    Some(FigureSummary { name, unit, better, medians, ranges, ratio })
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        if !found.iter().any(|known| known == text) {
            found.push(text.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure::Machine, report::record::Values};

    fn record(case: &str, side: &str, rate: f64) -> Record {
        Record::Values(Box::new(Values {
            record: "values".into(),
            case: case.into(),
            side: side.into(),
            commit: String::new(),
            machine: Machine::default(),
            values: vec![Figure::new("rate", "1/s", Better::Higher, rate)],
        }))
    }

    #[test]
    fn runs_become_medians_and_two_sides_a_ratio() {
        let runs = [
            ("mix", "this", 30.0),
            ("mix", "v1", 9.0),
            ("mix", "this", 10.0),
            ("mix", "v1", 11.0),
            ("mix", "this", 20.0),
            ("join", "this", 5.0),
        ];
        let records: Vec<Record> =
            runs.iter().map(|(case, side, rate)| record(case, side, *rate)).collect();
        let summary = summarise(&records);
        assert_eq!(summary.len(), 2);
        let mix = &summary[0];
        assert_eq!((mix.case.as_str(), &mix.runs), ("mix", &vec![3, 2]));
        assert_eq!(mix.sides, ["this", "v1"]);
        assert_eq!(mix.figures[0].medians, [20.0, 10.0]);
        assert_eq!(mix.figures[0].ranges, [(10.0, 30.0), (9.0, 11.0)]);
        assert_eq!(mix.figures[0].ratio, Some(2.0));
        assert_eq!(summary[1].figures[0].ratio, None);
    }

    #[test]
    fn a_record_says_what_it_is() {
        let text = r#"{"record":"values","case":"join","side":"this",
            "values":[{"name":"replay","unit":"1/s","better":"higher","value":12.5}]}"#;
        let record = Record::parse(text).unwrap();
        assert_eq!((record.case(), record.figures()[0].value), ("join", 12.5));
        let error = Record::parse(r#"{"record":"x"}"#).err().unwrap();
        assert!(error.to_string().contains("found \"x\""), "{error}");
    }
}
