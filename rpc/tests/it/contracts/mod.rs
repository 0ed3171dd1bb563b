//! Every call and every error of every contract has a test, and what
//! `docs/contracts.md` names exists.
//!
//! Calls and errors are the runtime's metadata; tests are the sources of the
//! contracts. A call counts as tested where a test asserts its success, an error
//! where a test asserts a refusal with it: see [`sources`] for what is read as
//! such. Nothing is listed by hand, so a new error without a test fails here.

mod document;
mod sources;

use billchain_runtime::Runtime;
use frame_metadata::{RuntimeMetadata, v14::RuntimeMetadataV14};
use scale_info::TypeDef;
use sources::{Crate, Tested};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

fn metadata() -> RuntimeMetadataV14 {
    let RuntimeMetadata::V14(metadata) = Runtime::metadata().1 else { panic!("not version 14") };
    metadata
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `AccessNode` is in `pallets/access-node`.
fn directory(pallet: &str) -> String {
    let mut name = String::new();
    for (index, letter) in pallet.char_indices() {
        if index > 0 && letter.is_uppercase() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Names of an enum's variants.
fn variants(metadata: &RuntimeMetadataV14, id: Option<u32>) -> BTreeSet<String> {
    let Some(id) = id else { return BTreeSet::new() };
    match &metadata.types.resolve(id).expect("metadata holds its types").type_def {
        TypeDef::Variant(found) => found.variants.iter().map(|v| v.name.clone()).collect(),
        other => panic!("an enum, found {other:?}"),
    }
}

/// Calls and errors of one contract.
struct Interface {
    calls: BTreeSet<String>,
    errors: BTreeSet<String>,
}

/// What the contracts' tests share; no contract.
const SUPPORT: &str = "test-support";

/// The contracts of this project by the names of their directories.
fn contracts() -> BTreeMap<String, (String, Interface)> {
    let metadata = metadata();
    let pallets = root().join("pallets");
    let contracts: BTreeMap<_, _> = metadata
        .pallets
        .iter()
        .filter(|pallet| pallets.join(directory(&pallet.name)).is_dir())
        .map(|pallet| {
            let calls = variants(&metadata, pallet.calls.as_ref().map(|calls| calls.ty.id));
            let errors = variants(&metadata, pallet.error.as_ref().map(|error| error.ty.id));
            (directory(&pallet.name), (pallet.name.clone(), Interface { calls, errors }))
        })
        .collect();
    let is_contract = |name: std::ffi::OsString| name != SUPPORT;
    let directories = pallets
        .read_dir()
        .expect("there are contracts")
        .filter(|entry| is_contract(entry.as_ref().expect("it can be read").file_name()))
        .count();
    assert_eq!(contracts.len(), directories, "every directory in pallets/ is in the runtime");
    contracts
}

#[test]
fn every_call_and_every_error_of_every_contract_is_tested() {
    let contracts = contracts();
    let mut tested: BTreeMap<String, Tested> = BTreeMap::new();
    for (directory, (name, _)) in &contracts {
        let found = Crate::read(&root().join("pallets").join(directory).join("src"), name).tested();
        for (owner, one) in found {
            // Another contract's error may be asserted here, as `pallet_x::Error`.
            let owner = owner.unwrap_or_else(|| directory.clone());
            let of_owner = tested.entry(owner).or_default();
            of_owner.calls.extend(one.calls);
            of_owner.errors.extend(one.errors);
        }
    }
    let mut missing = Vec::new();
    for (directory, (_, interface)) in &contracts {
        let found = tested.remove(directory).unwrap_or_default();
        for call in interface.calls.difference(&found.calls) {
            missing.push(format!("{directory}: no test shows that call {call} succeeds"));
        }
        for error in interface.errors.difference(&found.errors) {
            missing.push(format!("{directory}: no test shows a refusal with error {error}"));
        }
    }
    assert!(missing.is_empty(), "{} missing:\n{}", missing.len(), missing.join("\n"));
}
