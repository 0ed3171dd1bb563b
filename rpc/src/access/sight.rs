//! Sights: how an answer is kept to what its caller may see.

use crate::{
    bill,
    caller::View,
    context::Context,
    error::{self, Answer, chain, invalid},
    method::Args,
    visible::Seen,
};
use billchain_access::{Denied, code};
use billchain_primitives::{Did, GrantId};
use billchain_runtime::{Dispute, Runtime};
use frame_support::storage::storage_prefix;
use serde_json::Value;

/// How an answer is kept to what its caller may see. Parameters are named by their place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sight {
    /// It tells nothing of bills.
    Open,
    /// For who sees all: auditors and operators.
    Whole,
    /// The handler itself leaves out what the caller does not see.
    Filtered,
    /// The handler gives the public a verdict alone, and slows guesses.
    Verdict,
    /// Code and number first: a bill that the caller sees.
    Bill,
    /// The same, and sees as a party: with the payer's reference.
    Party,
    /// The first one is a participant: the caller.
    Own,
    /// The first one is a grant that the caller gave or got.
    Grant,
    /// The first one is a case about a bill that the caller sees.
    Case,
    /// The first one is a key of the state, or the beginning of one.
    Key,
    /// The first one is a list of keys of the state.
    Keys,
    /// This one is a list of items with a `key`.
    Items(usize),
    /// This one names a runtime API.
    Api(usize),
}

/// Pallets whose state tells nothing of bills.
const OPEN_PALLETS: [&str; 13] = [
    "AccessLog",
    "Timestamp",
    "Participant",
    "Scene",
    "Permissions",
    "Policy",
    "Validators",
    "Participation",
    "Upgrade",
    "AccessNode",
    "Council",
    "CouncilMembership",
    "Performance",
];
/// Entries of `System` that tell nothing of bills: its events do.
const OPEN_SYSTEM: [&str; 8] = [
    "Account",
    "Number",
    "ParentHash",
    "BlockHash",
    "Digest",
    "LastRuntimeUpgrade",
    "ExtrinsicCount",
    "BlockWeight",
];
/// Runtime APIs that tell nothing of bills.
const OPEN_APIS: [&str; 6] = [
    "Core_version",
    "Metadata_",
    "AccountNonceApi_",
    "TransactionPaymentApi_",
    "TransactionPaymentCallApi_",
    "GenesisBuilder_preset",
];

fn not_visible(what: &str) -> Denied {
    let words = format!(
        "{what}: there is none, or the caller is no party to it, holds no grant for it and no \
         scene allows it"
    );
    Denied::new(code::NOT_VISIBLE, words)
}

impl Sight {
    /// Whether the caller may have an answer to these parameters.
    pub(crate) fn check(self, context: &Context, args: &Args) -> Answer<()> {
        if let View::Whole = args.view() {
            return Ok(());
        }
        let seen = match self {
            Self::Open | Self::Filtered | Self::Verdict => return Ok(()),
            Self::Whole => Err("this method"),
            Self::Bill => is_seen(context, args, Seen::WithoutPayer),
            Self::Party => is_seen(context, args, Seen::All),
            Self::Own => own(args)?,
            Self::Grant => grant(context, args)?,
            Self::Case => case(context, args)?,
            Self::Key => key(args.value(0)),
            Self::Keys => keys(args.value(0))?,
            Self::Items(index) => items(args.value(index))?,
            Self::Api(index) => api(args.value(index)),
        };
        let refused = seen.err().map(|what| error::denied(&not_visible(what)));
        refused.map_or(Ok(()), Err)
    }
}

type Judged = Result<(), &'static str>;

fn is_seen(context: &Context, args: &Args, least: Seen) -> Judged {
    // What is malformed the method itself refuses.
    let Ok(key) = bill::key(args, 0) else { return Ok(()) };
    let seen = bill::bill(context, &key).and_then(|found| match found {
        Some(bill) => args.view().seen(context, &bill),
        None => Ok(Seen::Nothing),
    });
    // That the node failed is told no differently here; the log of the node has it.
    if seen.unwrap_or(Seen::Nothing) >= least { Ok(()) } else { Err("bill") }
}

fn own(args: &Args) -> Answer<Judged> {
    let did: Did = args.parsed(0, "did")?;
    Ok(match args.view() {
        View::Member(member) if member.did == did => Ok(()),
        _ => Err("participant"),
    })
}

fn grant(context: &Context, args: &Args) -> Answer<Judged> {
    let id = GrantId(args.hash(0, "grant")?);
    let read = || pallet_authorization::Pallet::<Runtime>::grant(&id);
    let found = context.deps.chain.read(read).map_err(chain)?;
    Ok(match (args.view(), found) {
        (View::Member(member), Some(grant))
            if [&grant.terms.holder, &grant.terms.subject].contains(&&member.did) =>
        {
            Ok(())
        }
        _ => Err("grant"),
    })
}

fn case(context: &Context, args: &Args) -> Answer<Judged> {
    let id = args.number(0, "case")?;
    let found = context.deps.chain.read(|| Dispute::case(id)).map_err(chain)?;
    let Some(case) = found else { return Ok(Err("case")) };
    let Some(bill) = bill::bill(context, &case.bill)? else { return Ok(Err("case")) };
    let seen = args.view().seen(context, &bill)?;
    Ok(if seen >= Seen::WithoutPayer { Ok(()) } else { Err("case") })
}

fn key(value: &Value) -> Judged {
    const WHAT: &str = "key of the state";
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    // Longer than what decides is left alone.
    let digits = digits.and_then(|digits| digits.get(..digits.len().min(64)));
    let Some(begins) = digits.and_then(|digits| hex::decode(digits).ok()) else { return Err(WHAT) };
    let of = |pallet: &str, entry: &str| storage_prefix(pallet.as_bytes(), entry.as_bytes());
    let is_open = OPEN_PALLETS.iter().any(|name| begins.starts_with(&of(name, "")[..16]))
        || OPEN_SYSTEM.iter().any(|name| begins.starts_with(&of("System", name)))
        // What stands in for the code, and tells which runtime a block has.
        || begins == b":code";
    if is_open { Ok(()) } else { Err(WHAT) }
}

fn keys(value: &Value) -> Answer<Judged> {
    let list = value.as_array();
    let list =
        list.ok_or_else(|| invalid("keys", "an array of keys in hex", &value.to_string()))?;
    Ok(list.iter().try_for_each(key))
}

fn items(value: &Value) -> Answer<Judged> {
    let list = value.as_array();
    let list = list.ok_or_else(|| invalid("items", "an array of items", &value.to_string()))?;
    Ok(list.iter().try_for_each(|item| key(item.get("key").unwrap_or(&Value::Null))))
}

fn api(value: &Value) -> Judged {
    let name = value.as_str().unwrap_or_default();
    let is_open = OPEN_APIS.iter().any(|open| name.starts_with(open));
    if is_open { Ok(()) } else { Err("runtime API") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::to_hex;

    fn of(pallet: &str, entry: &str) -> Value {
        to_hex(&storage_prefix(pallet.as_bytes(), entry.as_bytes())).into()
    }

    #[test]
    fn keys_of_what_tells_of_bills_are_not_open() {
        for open in
            [of("System", "Account"), of("Participant", "Participants"), of("Scene", "Scenes")]
        {
            assert_eq!(key(&open), Ok(()), "{open}");
        }
        let system = Value::from(to_hex(&storage_prefix(b"System", b"")[..16]));
        for closed in [
            of("BillRegister", "Bills"),
            of("BillRegister", "BillLinks"),
            of("Authorization", "Grants"),
            of("Dispute", "Cases"),
            of("System", "Events"),
            of("System", "ExtrinsicData"),
            system,
            Value::from("0x"),
            Value::from("0x26"),
            Value::from("0xzz"),
            Value::Null,
        ] {
            assert!(key(&closed).is_err(), "{closed}");
        }
    }

    #[test]
    fn one_closed_key_closes_a_list() {
        let (open, closed) = (of("System", "Account"), of("BillRegister", "Bills"));
        assert_eq!(keys(&Value::from(vec![open.clone()])).unwrap(), Ok(()));
        assert!(keys(&Value::from(vec![open.clone(), closed.clone()])).unwrap().is_err());
        assert!(keys(&open).is_err());
        let item = |key: &Value| serde_json::json!({ "key": key, "type": "descendantsValues" });
        assert_eq!(items(&Value::from(vec![item(&open)])).unwrap(), Ok(()));
        assert!(items(&Value::from(vec![item(&open), item(&closed)])).unwrap().is_err());
    }

    #[test]
    fn only_apis_that_tell_nothing_of_bills_are_open() {
        for (name, is_open) in [
            ("Metadata_metadata_at_version", true),
            ("AccountNonceApi_account_nonce", true),
            ("Core_version", true),
            ("Core_execute_block", false),
            ("BlockBuilder_apply_extrinsic", false),
            ("", false),
        ] {
            assert_eq!(api(&name.into()).is_ok(), is_open, "{name}");
        }
    }
}
