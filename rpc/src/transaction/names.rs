//! Names and documentation of errors and events, from the runtime's metadata.

use billchain_rpc_types::FailureView;
use billchain_runtime::Runtime;
use codec::Decode;
use frame_metadata::RuntimeMetadata;
use scale_info::{Field, PortableRegistry, TypeDef, TypeDefPrimitive, form::PortableForm};
use sp_runtime::{DispatchError, ModuleError};
use std::{collections::BTreeMap, sync::LazyLock};

/// Deepest nesting of what an error carries, which is at most three bytes.
const MAX_DEPTH: u8 = 4;

#[derive(Clone)]
struct Variant {
    /// Its names in the catalogue of Chinese texts, the outermost first.
    keys: Vec<String>,
    name: String,
    docs: String,
    fields: Vec<Field<PortableForm>>,
}

/// Variants of an enum by index.
type Variants = BTreeMap<u8, Variant>;

struct Pallet {
    name: String,
    errors: Variants,
    events: Variants,
}

#[derive(Default)]
struct Names {
    pallets: BTreeMap<u8, Pallet>,
    types: Option<PortableRegistry>,
}

static NAMES: LazyLock<Names> = LazyLock::new(read);

fn read() -> Names {
    // The runtime gives version 14 by this call; another version would only
    // cost the names.
    let RuntimeMetadata::V14(metadata) = Runtime::metadata().1 else { return Names::default() };
    let types = &metadata.types;
    let pallets = metadata
        .pallets
        .iter()
        .map(|pallet| {
            let of = |id: Option<u32>| {
                id.map(|id| variants(types, id, &pallet.name)).unwrap_or_default()
            };
            let entry = Pallet {
                name: pallet.name.clone(),
                errors: of(pallet.error.as_ref().map(|error| error.ty.id)),
                events: of(pallet.event.as_ref().map(|event| event.ty.id)),
            };
            (pallet.index, entry)
        })
        .collect();
    Names { pallets, types: Some(metadata.types) }
}

/// The variants of the enum `id`, which the catalogue calls `of`.
fn variants(types: &PortableRegistry, id: u32, of: &str) -> Variants {
    let Some(TypeDef::Variant(definition)) = types.resolve(id).map(|ty| &ty.type_def) else {
        return Variants::new();
    };
    definition
        .variants
        .iter()
        .map(|variant| {
            let docs = variant.docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
            let (name, docs) = (variant.name.clone(), docs.trim().to_owned());
            let keys = vec![format!("{of}.{name}")];
            (variant.index, Variant { keys, name, docs, fields: variant.fields.clone() })
        })
        .collect()
}

/// Fields and their values as text for people; `None` if there are none or
/// the bytes are of other types.
/// An [`ErrorIndex`] among them is one of `errors`.
///
/// [`ErrorIndex`]: billchain_primitives::ErrorIndex
fn fields(
    fields: &[Field<PortableForm>],
    bytes: &mut &[u8],
    depth: u8,
    errors: &Variants,
) -> Option<String> {
    let shown: Option<Vec<_>> = fields
        .iter()
        .map(|field| {
            let value = value(field.ty.id, bytes, depth, errors)?;
            Some(match field.name.as_ref().or(field.type_name.as_ref()) {
                Some(name) => format!("{name}: {value}"),
                None => value,
            })
        })
        .collect();
    shown.filter(|shown| !shown.is_empty()).map(|shown| shown.join(", "))
}

/// A number, an enum's variant, or a structure of such.
fn value(id: u32, bytes: &mut &[u8], depth: u8, errors: &Variants) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let ty = NAMES.types.as_ref()?.resolve(id)?;
    if ty.path.segments.last().is_some_and(|name| name == "ErrorIndex") {
        let index = u8::decode(bytes).ok()?;
        let name = errors.get(&index).map(|error| error.name.clone());
        return Some(name.unwrap_or_else(|| index.to_string()));
    }
    match &ty.type_def {
        TypeDef::Primitive(TypeDefPrimitive::Bool) => Some(bool::decode(bytes).ok()?.to_string()),
        TypeDef::Primitive(TypeDefPrimitive::U8) => Some(u8::decode(bytes).ok()?.to_string()),
        TypeDef::Primitive(TypeDefPrimitive::U16) => Some(u16::decode(bytes).ok()?.to_string()),
        TypeDef::Composite(composite) => match &composite.fields[..] {
            [only] if only.name.is_none() => value(only.ty.id, bytes, depth, errors),
            several => fields(several, bytes, depth, errors),
        },
        TypeDef::Variant(definition) => {
            let index = u8::decode(bytes).ok()?;
            let variant = definition.variants.iter().find(|variant| variant.index == index)?;
            Some(match fields(&variant.fields, bytes, depth, errors) {
                Some(shown) => format!("{} ({shown})", variant.name),
                None => variant.name.clone(),
            })
        }
        _ => None,
    }
}

/// The error within an error: one whose only field is an enum that ends in
/// `Problem`, as `Grant(GrantProblem)`, is named with it, as `Grant.Revoked`.
fn innermost(outer: &Variant, bytes: &mut &[u8]) -> Variant {
    let mut found = outer.clone();
    for _ in 0..MAX_DEPTH {
        let [only] = &found.fields[..] else { break };
        let Some(problem) = problem(only, bytes) else { break };
        found = Variant {
            keys: [found.keys, problem.keys].concat(),
            name: format!("{}.{}", found.name, problem.name),
            docs: format!("{} {}", found.docs, problem.docs),
            fields: problem.fields,
        };
    }
    found
}

/// The variant of a `Problem` that `bytes` begin with; `None` if the field is
/// of another type.
fn problem(field: &Field<PortableForm>, bytes: &mut &[u8]) -> Option<Variant> {
    let types = NAMES.types.as_ref()?;
    let ty = types.resolve(field.ty.id)?;
    let name = ty.path.segments.last().filter(|name| name.ends_with("Problem"))?;
    let variant = variants(types, field.ty.id, name).remove(bytes.first()?)?;
    *bytes = &bytes[1..];
    Some(variant)
}

/// Why a call failed, in words.
pub(crate) fn failure(error: &DispatchError) -> FailureView {
    if let DispatchError::Module(ModuleError { index, error, .. }) = error
        && let Some(pallet) = NAMES.pallets.get(index)
        && let Some(variant) = pallet.errors.get(&error[0])
    {
        let mut bytes = &error[1..];
        let Variant { keys, name, docs, fields: carried } = innermost(variant, &mut bytes);
        return FailureView {
            pallet: pallet.name.clone(),
            name,
            docs,
            details: fields(&carried, &mut bytes, MAX_DEPTH, &pallet.errors),
            zh: billchain_words::contract(keys.iter().map(String::as_str)),
        };
    }
    let (name, docs) = in_words(error);
    let zh = billchain_words::contract([dispatch_key(error)]);
    FailureView { pallet: "System".into(), name, docs: docs.into(), details: None, zh }
}

/// Name and meaning of an error that is no contract's.
fn in_words(error: &DispatchError) -> (String, &'static str) {
    let docs = match error {
        DispatchError::BadOrigin => {
            "The sender may not make this call; its documentation says who may, for instance the \
             council or an administrator."
        }
        DispatchError::CannotLookup => "The account that the call names cannot be looked up.",
        DispatchError::Exhausted => "The block has no resources left for this call.",
        DispatchError::Corruption => "The state is corrupt: tell the operators.",
        DispatchError::Unavailable => "What the call needs is not available now.",
        DispatchError::RootNotAllowed => "The call is not for the root origin.",
        DispatchError::Module(_) => "An error that this node's metadata does not name.",
        // The words of the kind: which limit of arithmetic, for instance.
        other => (*other).into(),
    };
    (format!("{error:?}"), docs)
}

/// The key of an error that is no contract's in the catalogue of Chinese texts.
fn dispatch_key(error: &DispatchError) -> &'static str {
    match error {
        DispatchError::BadOrigin => "Dispatch.BadOrigin",
        DispatchError::CannotLookup => "Dispatch.CannotLookup",
        DispatchError::Exhausted => "Dispatch.Exhausted",
        DispatchError::Corruption => "Dispatch.Corruption",
        DispatchError::Unavailable => "Dispatch.Unavailable",
        DispatchError::RootNotAllowed => "Dispatch.RootNotAllowed",
        DispatchError::Module(_) => "Dispatch.Module",
        DispatchError::Other(_) => "Dispatch.Other",
        DispatchError::ConsumerRemaining => "Dispatch.ConsumerRemaining",
        DispatchError::NoProviders => "Dispatch.NoProviders",
        DispatchError::TooManyConsumers => "Dispatch.TooManyConsumers",
        DispatchError::Token(_) => "Dispatch.Token",
        DispatchError::Arithmetic(_) => "Dispatch.Arithmetic",
        DispatchError::Transactional(_) => "Dispatch.Transactional",
        DispatchError::Trie(_) => "Dispatch.Trie",
    }
}

/// Names of the contract and of the event that begins with these two bytes.
pub(crate) fn event(pallet: u8, variant: u8) -> (String, String) {
    match NAMES.pallets.get(&pallet) {
        Some(entry) => {
            let name = entry.events.get(&variant).map(|variant| variant.name.clone());
            (entry.name.clone(), name.unwrap_or_else(|| variant.to_string()))
        }
        None => (pallet.to_string(), variant.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_runtime::{ArithmeticError, TokenError, TransactionalError, proving_trie::TrieError};
    use std::collections::BTreeSet;

    /// Every key that an error of a contract, a problem within one, or any other dispatch error has.
    fn keys_of_all() -> BTreeSet<String> {
        let types = NAMES.types.as_ref().expect("metadata");
        let contracts = NAMES.pallets.values().flat_map(|pallet| pallet.errors.values());
        let mut keys: BTreeSet<_> = contracts.flat_map(|error| error.keys.clone()).collect();
        for ty in &types.types {
            let Some(name) = ty.ty.path.segments.last() else { continue };
            // Those that a contract's error carries, whichever carries which.
            if name.ends_with("Problem") && ty.ty.path.segments.iter().any(|part| part == "seams") {
                keys.extend(variants(types, ty.id, name).into_values().flat_map(|one| one.keys));
            }
        }
        let others = [
            DispatchError::Other(""),
            DispatchError::CannotLookup,
            DispatchError::BadOrigin,
            DispatchError::Module(ModuleError { index: 255, error: [0; 4], message: None }),
            DispatchError::ConsumerRemaining,
            DispatchError::NoProviders,
            DispatchError::TooManyConsumers,
            DispatchError::Token(TokenError::Frozen),
            DispatchError::Arithmetic(ArithmeticError::Overflow),
            DispatchError::Transactional(TransactionalError::NoLayer),
            DispatchError::Exhausted,
            DispatchError::Corruption,
            DispatchError::Unavailable,
            DispatchError::RootNotAllowed,
            DispatchError::Trie(TrieError::InvalidStateRoot),
        ];
        keys.extend(others.iter().map(|error| dispatch_key(error).to_owned()));
        keys
    }

    #[test]
    fn every_error_of_every_contract_has_a_chinese_text_and_no_text_is_left_over() {
        let known: BTreeSet<_> =
            billchain_words::CONTRACTS.keys().map(|key| (*key).to_owned()).collect();
        let all = keys_of_all();
        let missing: Vec<_> = all.difference(&known).collect();
        assert!(missing.is_empty(), "without a Chinese text: {missing:?}");
        let left: Vec<_> = known.difference(&all).collect();
        assert!(left.is_empty(), "texts of no error: {left:?}");
    }

    #[test]
    fn an_error_within_an_error_is_told_in_chinese_too() {
        let error = pallet_bill_update::Error::<Runtime>::Grant(
            billchain_primitives::seams::GrantProblem::Revoked,
        );
        let told = failure(&error.into()).zh.expect("a text");
        assert!(told.contains("用票授权不能使用：授权已撤回"), "{told}");
    }

    #[test]
    fn every_error_of_every_contract_is_named_documented_and_shows_what_it_carries() {
        let mut errors = 0;
        for (pallet, names) in &NAMES.pallets {
            for (index, variant) in &names.errors {
                // The first value of whatever an error carries is all zeros.
                let error = [*index, 0, 0, 0];
                let found = failure(&DispatchError::Module(ModuleError {
                    index: *pallet,
                    error,
                    message: None,
                }));
                let Variant { name, fields, .. } = innermost(variant, &mut &[0; 3][..]);
                assert_eq!((&found.pallet, &found.name), (&names.name, &name));
                assert!(!found.docs.is_empty(), "{}.{name}", names.name);
                assert_eq!(found.details.is_some(), !fields.is_empty(), "{}.{name}", names.name);
                errors += 1;
            }
        }
        assert!(errors > 200, "{errors}");
    }

    #[test]
    fn what_an_error_carries_is_named_down_to_the_reason_of_an_item() {
        let error = pallet_bill_register::Error::<Runtime>::BatchItem {
            index: 258,
            problem: billchain_primitives::seams::SummaryProblem::DateInFuture,
        };
        let found = failure(&error.into());
        assert_eq!((found.pallet.as_str(), found.name.as_str()), ("BillRegister", "BatchItem"));
        assert_eq!(found.details.as_deref(), Some("index: 258, problem: DateInFuture"));
    }

    #[test]
    fn an_error_within_an_error_is_named_and_documented() {
        use billchain_primitives::{
            SummaryField,
            seams::{GrantProblem, ParticipantProblem, SummaryProblem},
        };
        use pallet_bill_update::Error;
        let cases: [(Error<Runtime>, &str, &str, Option<&str>); 5] = [
            (Error::Grant(GrantProblem::Revoked), "Grant.Revoked", "revoked", None),
            (Error::Sender(ParticipantProblem::Frozen), "Sender.Frozen", "frozen", None),
            (Error::Holder(ParticipantProblem::NotFound), "Holder.NotFound", "hold the lock", None),
            (
                Error::RedBill(SummaryProblem::DateInFuture),
                "RedBill.DateInFuture",
                "later than tomorrow",
                None,
            ),
            (
                Error::FieldMissing(SummaryField::PdfHash),
                "FieldMissing",
                "which the bill lacks",
                Some("SummaryField: PdfHash"),
            ),
        ];
        for (error, name, words, details) in cases {
            let found = failure(&error.into());
            assert_eq!((found.name.as_str(), found.details.as_deref()), (name, details));
            assert!(found.docs.contains(words), "{name}: {}", found.docs);
        }
    }

    #[test]
    fn errors_that_are_no_contracts_are_in_words_too() {
        for (error, name, words) in [
            (DispatchError::BadOrigin, "BadOrigin", "may not make this call"),
            (DispatchError::CannotLookup, "CannotLookup", "account"),
            (DispatchError::Other("beaten"), "Other(\"beaten\")", "beaten"),
            (DispatchError::Exhausted, "Exhausted", "no resources"),
            (DispatchError::Corruption, "Corruption", "corrupt"),
            (DispatchError::Unavailable, "Unavailable", "not available"),
            (DispatchError::RootNotAllowed, "RootNotAllowed", "root"),
            (
                DispatchError::Arithmetic(ArithmeticError::Overflow),
                "Arithmetic(Overflow)",
                "overflow",
            ),
            (
                DispatchError::Transactional(TransactionalError::LimitReached),
                "Transactional(LimitReached)",
                "transactional layers",
            ),
        ] {
            let found = failure(&error);
            assert_eq!((found.pallet.as_str(), found.name.as_str()), ("System", name));
            assert!(found.docs.contains(words), "{name}: {}", found.docs);
        }
        let unknown = ModuleError { index: 255, error: [0; 4], message: None };
        assert!(failure(&DispatchError::Module(unknown)).docs.contains("does not name"));
    }
}
