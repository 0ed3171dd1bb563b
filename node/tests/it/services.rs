//! The units of `ops/systemd` and the program agree: on the command line, and on the exit
//! code after which a service manager leaves a node down.

use crate::{
    command::{Outcome, billchain},
    network::Network,
};
use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

/// One node, and one node that goes over to the next release by itself.
const UNITS: [&str; 2] = ["billchain@.service", "billchain-release@.service"];
/// The program, as the units name it.
const PROGRAM: &str = "/usr/local/bin/billchain";
/// Keys in which the two units differ.
const OWN: [&str; 4] = ["Description", "After", "Conflicts", "ExecStart"];

fn unit(name: &str) -> String {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ops/systemd").join(name);
    fs::read_to_string(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()))
}

/// The settings of a unit, without its comments and without those that are its own.
fn shared(unit: &str) -> BTreeSet<&str> {
    let is_own = |line: &str| OWN.iter().any(|key| line.starts_with(&format!("{key}=")));
    let settings = unit.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    settings.filter(|line| !is_own(line)).collect()
}

fn value<'a>(unit: &'a str, key: &str) -> &'a str {
    let mut found = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let value = found.next().unwrap_or_else(|| panic!("no {key}= in {unit}"));
    assert_eq!(found.next(), None, "{key}= stands twice");
    value
}

/// What a unit gives the program, for a node whose files lie in `home`.
fn command_line(unit: &str, home: &Path) -> Vec<String> {
    let line = value(unit, "ExecStart").strip_prefix(PROGRAM).expect("it runs the program");
    let home = home.to_str().expect("the paths here are UTF-8");
    line.replace("/etc/billchain/%i", home).split_whitespace().map(str::to_owned).collect()
}

/// What a node that needs a release leaves in its data directory.
fn needed(rules: u32) -> String {
    format!("{{\"rules\": {rules}, \"height\": 7, \"manifest\": null}}")
}

/// Installs a program as a release: it says how it was called, and does the rest.
fn install(releases: &Path, rules: u32, rest: &str) {
    let directory = releases.join(rules.to_string());
    fs::create_dir_all(&directory).unwrap();
    let program = directory.join("billchain");
    fs::write(&program, format!("#!/bin/sh\necho \"called with $*\"\n{rest}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_units_differ_in_what_they_run_alone() {
    let [plain, release] = UNITS.map(unit);
    assert_eq!(shared(&plain), shared(&release));
    assert!(shared(&plain).len() > 30, "{plain}");
    assert_eq!(value(&release, "Conflicts"), UNITS[0].replace('@', "@%i"));
    assert!(value(&release, "After").contains(value(&release, "Conflicts")));
}

#[test]
fn the_program_takes_the_units_command_lines() {
    let home = tempfile::tempdir().unwrap();
    let [plain, release] = UNITS.map(|name| command_line(&unit(name), home.path()));
    // The command line is read before the configuration, which is not there.
    let words = ["node.toml", "cannot read it"];
    billchain(&plain).refused(1, &words);
    billchain(&release).refused(1, &words);
    // What stands behind -- is for the release's own `run`.
    let behind = release.iter().position(|word| word == "--").expect("options of run") + 1;
    let options = &release[behind..];
    assert!(!options.is_empty(), "{release:?}");
    let config = home.path().join("node.toml");
    let run = ["run", "--config", config.to_str().unwrap()].map(str::to_owned);
    billchain([&run[..], options].concat()).refused(1, &words);
    let unknown = ["--no-such-option".to_owned()];
    billchain([&run[..], &unknown[..]].concat()).refused(2, &["--no-such-option"]);
}

#[tokio::test]
async fn a_node_whose_release_is_missing_ends_with_the_code_that_the_units_leave_down() {
    let network = Network::new("").await;
    let home = network.home(1);
    let (data, releases) = (home.join("data"), home.join("releases"));
    let units = UNITS.map(unit);
    let code: i32 = value(&units[0], "RestartPreventExitStatus").parse().unwrap();
    assert_eq!(value(&units[1], "RestartPreventExitStatus"), code.to_string());
    let supervised = || -> Outcome { billchain(command_line(&units[1], &home)) };

    // Nothing is installed: that is a mistake, and no release that is needed.
    supervised().refused(1, &["cannot read", "releases"]);
    fs::create_dir(&releases).unwrap();
    supervised().refused(1, &["has no release: expected directories named by rules"]);
    fs::create_dir(&data).unwrap();
    let file = data.join("release.json");
    fs::write(&file, needed(9)).unwrap();
    supervised().refused(code, &["the chain needs the release with rules 9", "install it"]);

    // One that is installed is given the unit's options, and its end is the unit's.
    install(&releases, 9, "exit 3");
    let said = supervised();
    said.refused(3, &["running the release with rules 9"]);
    let config = network.config(1);
    let called = format!("called with run --config {} --log-format json", config.display());
    assert!(said.stdout.contains(&called), "{said}");
    // One that ends for want of the next makes way for it, which is missing.
    let rest = format!("echo '{}' > '{}'; exit {code}", needed(10), file.display());
    install(&releases, 9, &rest);
    supervised().refused(code, &["the chain needs the release with rules 10"]);
}
