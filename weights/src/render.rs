//! A pallet's `weights.rs`, from what was measured.
//!
//! Every statement has a line of its own, so the text is as rustfmt leaves it
//! whatever the numbers are.

use crate::{Component, Cost, Effort, Measured, WeightsError, fit, fit::Each};
use std::{fmt::Write, time::Duration};

/// The file's frame; a name in braces stands for what is put there.
const TEMPLATE: &str = include_str!("weights.template");

/// Where measurements come from; it stands at the head of the file.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The command that measured.
    pub command: String,
    /// The day, `yyyy-mm-dd`.
    pub date: String,
    /// Processor and system.
    pub machine: String,
    /// Bills of the ledger.
    pub bills: u32,
    /// How often each benchmark ran.
    pub effort: Effort,
}

/// The text of a pallet's `weights.rs`.
pub fn weights_rs(origin: &Origin, benchmarks: &[Measured]) -> Result<String, WeightsError> {
    let (mut declarations, mut definitions) = (String::new(), String::new());
    for measured in benchmarks {
        let cost = fit(measured)?;
        declarations += &declaration(measured);
        definitions += &definition(measured, &cost);
    }
    let Origin { command, date, machine, bills, effort } = origin;
    Ok(TEMPLATE
        .replace("{command}", command)
        .replace("{date}", date)
        .replace("{machine}", machine)
        .replace("{bills}", &digits((*bills).into()))
        .replace("{steps}", &effort.steps.to_string())
        .replace("{repeats}", &effort.repeats.to_string())
        .replace("{declarations}", &declarations)
        .replace("{definitions}", &definitions))
}

fn declaration(measured: &Measured) -> String {
    let Measured { name, components, .. } = measured;
    let mut ranges = String::new();
    for Component { name, least, most } in components {
        let (least, most) = (digits((*least).into()), digits((*most).into()));
        let _ = write!(ranges, "; `{name}` is {least} to {most}");
    }
    format!("    /// Weight of `{name}`{ranges}.\n    {};\n", signature(measured))
}

fn definition(measured: &Measured, cost: &Cost) -> String {
    let mut body = String::new();
    let Cost { time, reads, writes, each } = cost;
    let _ = writeln!(body, "    // {}", seen(measured));
    let _ = writeln!(body, "    {} {{", signature(measured));
    let _ = writeln!(body, "        let time = Weight::from_parts({}, 0);", digits(*time));
    let fixed = format!("time.saturating_add(T::DbWeight::get().reads_writes({reads}, {writes}))");
    if each.is_empty() {
        let _ = writeln!(body, "        {fixed}");
    } else {
        let _ = writeln!(body, "        let weight = {fixed};");
    }
    for (at, Each { component, time, reads, writes }) in each.iter().enumerate() {
        let _ = writeln!(body, "        let time = Weight::from_parts({}, 0);", digits(*time));
        let _ = writeln!(
            body,
            "        let each = \
             time.saturating_add(T::DbWeight::get().reads_writes({reads}, {writes}));"
        );
        let sum = format!("weight.saturating_add(each.saturating_mul({component}.into()))");
        if at + 1 == each.len() {
            let _ = writeln!(body, "        {sum}");
        } else {
            let _ = writeln!(body, "        let weight = {sum};");
        }
    }
    body + "    }\n"
}

fn signature(measured: &Measured) -> String {
    let parameters: Vec<String> =
        measured.components.iter().map(|component| format!("{}: u32", component.name)).collect();
    format!("fn {}({}) -> Weight", measured.name, parameters.join(", "))
}

/// The middle of the times with all components at their most, for whoever
/// reads the file.
fn seen(measured: &Measured) -> String {
    let most: Vec<u32> = measured.components.iter().map(|component| component.most).collect();
    let at_most: Vec<_> =
        measured.samples.iter().filter(|sample| sample.components == most).collect();
    let middle = |time: fn(&crate::Sample) -> Duration| {
        let mut times: Vec<Duration> = at_most.iter().map(|sample| time(sample)).collect();
        times.sort();
        micros(times.get(times.len() / 2).copied().unwrap_or_default())
    };
    format!(
        "At most: call {} µs, its reads {} µs, commit of its block {} µs.",
        middle(|sample| sample.time),
        middle(|sample| sample.read_time),
        middle(|sample| sample.commit_time)
    )
}

fn micros(time: Duration) -> String {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    format!("{}.{}", digits(nanos / 1_000), nanos / 100 % 10)
}

/// The number with `_` between its thousands.
fn digits(number: u64) -> String {
    let plain = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in plain.chars().enumerate() {
        if at > 0 && (plain.len() - at).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests;
