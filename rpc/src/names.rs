//! Names and documentation of errors and events, from the runtime's metadata.

use billchain_rpc_types::FailureView;
use billchain_runtime::Runtime;
use frame_metadata::RuntimeMetadata;
use scale_info::{PortableRegistry, TypeDef};
use sp_runtime::{DispatchError, ModuleError};
use std::{collections::BTreeMap, sync::LazyLock};

/// Variants of an enum by index: name and documentation.
type Variants = BTreeMap<u8, (String, String)>;

struct Pallet {
    name: String,
    errors: Variants,
    events: Variants,
}

static PALLETS: LazyLock<BTreeMap<u8, Pallet>> = LazyLock::new(read);

fn read() -> BTreeMap<u8, Pallet> {
    // The runtime gives version 14 by this call; another version would only
    // cost the names.
    let RuntimeMetadata::V14(metadata) = Runtime::metadata().1 else { return BTreeMap::new() };
    let types = &metadata.types;
    let of = |id: Option<u32>| id.map(|id| variants(types, id)).unwrap_or_default();
    metadata
        .pallets
        .iter()
        .map(|pallet| {
            let entry = Pallet {
                name: pallet.name.clone(),
                errors: of(pallet.error.as_ref().map(|error| error.ty.id)),
                events: of(pallet.event.as_ref().map(|event| event.ty.id)),
            };
            (pallet.index, entry)
        })
        .collect()
}

fn variants(types: &PortableRegistry, id: u32) -> Variants {
    let Some(TypeDef::Variant(definition)) = types.resolve(id).map(|ty| &ty.type_def) else {
        return Variants::new();
    };
    definition
        .variants
        .iter()
        .map(|variant| {
            let docs = variant.docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
            (variant.index, (variant.name.clone(), docs.trim().to_owned()))
        })
        .collect()
}

/// Why a call failed, in words.
pub(crate) fn failure(error: &DispatchError) -> FailureView {
    if let DispatchError::Module(ModuleError { index, error, .. }) = error
        && let Some(pallet) = PALLETS.get(index)
        && let Some((name, docs)) = pallet.errors.get(&error[0])
    {
        return FailureView { pallet: pallet.name.clone(), name: name.clone(), docs: docs.clone() };
    }
    let docs: &'static str = (*error).into();
    FailureView {
        pallet: "System".into(),
        name: match error {
            DispatchError::BadOrigin => "BadOrigin".into(),
            other => format!("{other:?}"),
        },
        docs: docs.into(),
    }
}

/// Names of the contract and of the event that begins with these two bytes.
pub(crate) fn event(pallet: u8, variant: u8) -> (String, String) {
    match PALLETS.get(&pallet) {
        Some(entry) => {
            let name = entry.events.get(&variant).map(|(name, _)| name.clone());
            (entry.name.clone(), name.unwrap_or_else(|| variant.to_string()))
        }
        None => (pallet.to_string(), variant.to_string()),
    }
}
