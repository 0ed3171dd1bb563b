use super::*;
use crate::Sample;
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

fn sample(components: &[u32], micros: u64, reads: u32, writes: u32) -> Sample {
    Sample {
        components: components.to_vec(),
        time: Duration::from_micros(micros),
        read_time: Duration::from_micros(micros / 2),
        commit_time: Duration::from_micros(1_234),
        reads,
        writes,
    }
}

fn component(name: &str, least: u32, most: u32) -> Component {
    Component { name: name.into(), least, most }
}

fn measured() -> Vec<Measured> {
    let batch = [(1, 100), (250, 2_590), (500, 5_090)]
        .map(|(n, micros)| sample(&[n], micros, 4 + 2 * n, n))
        .to_vec();
    let pairs = [(0, 2), (1, 2), (1, 0)].map(|(a, b)| sample(&[a, b], 10, 1, 1)).to_vec();
    let one = |name: &str, components, samples| Measured { name: name.into(), components, samples };
    vec![
        one("link", Vec::new(), vec![sample(&[], 40, 5, 3)]),
        one("pair", vec![component("a", 0, 1), component("b", 0, 2)], pairs),
        one("register_batch", vec![component("n", 1, 500)], batch),
    ]
}

fn text() -> String {
    let origin = Origin {
        command: "billchain benchmark-weights".into(),
        date: "2026-01-31".into(),
        machine: "a machine".into(),
        bills: 1_000_000,
        effort: Effort { steps: 3, repeats: 1 },
    };
    weights_rs(&origin, &measured()).unwrap()
}

#[test]
fn every_benchmark_becomes_a_function_of_its_components() {
    let text = text();
    for part in [
        "//! - Date: 2026-01-31\n",
        "//! - Ledger: 1_000_000 bills; steps: 3, repeats: 1\n",
        "    /// Weight of `link`.\n    fn link() -> Weight;\n",
        "    /// Weight of `register_batch`; `n` is 1 to 500.\n    fn register_batch(n: u32) -> Weight;\n",
        "fn pair(a: u32, b: u32) -> Weight {",
        "        let time = Weight::from_parts(40_000_000, 0);\n        \
         time.saturating_add(T::DbWeight::get().reads_writes(5, 3))\n",
        "        let weight = time.saturating_add(T::DbWeight::get().reads_writes(4, 0));\n        \
         let time = Weight::from_parts(10_000_000, 0);\n        \
         let each = time.saturating_add(T::DbWeight::get().reads_writes(2, 1));\n        \
         weight.saturating_add(each.saturating_mul(n.into()))\n",
        "    // At most: call 40.0 µs, its reads 20.0 µs, commit of its block 1_234.0 µs.\n",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    for part in ["{command}", "{date}", "{declarations}", "{definitions}"] {
        assert!(!text.contains(part), "{part} is left in\n{text}");
    }
}

#[test]
fn rustfmt_leaves_the_text_as_it_is() {
    let text = text();
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path", config])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt is part of the toolchain");
    rustfmt.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = rustfmt.wait_with_output().unwrap();
    assert!(output.status.success(), "rustfmt failed");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
}

#[test]
fn thousands_are_grouped() {
    for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1_000"), (12_345_678, "12_345_678")]
    {
        assert_eq!(digits(number), expected);
    }
}
