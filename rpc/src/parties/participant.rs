//! `participant_*`: who acts on the chain, in plain JSON.

use crate::{
    context::Context,
    error::{Answer, chain, invalid},
    method::{Args, cut, decoded_page, show, to_hex},
};
use billchain_primitives::{Did, PublicKey, Signature, seams::ParticipantProblem};
use billchain_rpc_types::{
    IdentityView, Page, ParticipantChangeView, ParticipantRecordView, ParticipantView,
};
use billchain_runtime::Runtime;
use core::ops::RangeInclusive;
use pallet_participant::{Change, HistoryRecord, Participant, ParticipantKind, history_prefix};

type Contract = pallet_participant::Pallet<Runtime>;

/// Lengths of a challenge, in bytes: long enough that it is not signed twice
/// by chance.
const CHALLENGE: RangeInclusive<usize> = 16..=1_024;

fn read<R>(context: &Context, f: impl FnOnce() -> R) -> Answer<R> {
    context.deps.chain.read(f).map_err(chain)
}

/// The participant with a DID; `null` if there is none.
pub(super) fn resolve(context: &Context, args: &Args) -> Answer<Option<ParticipantView>> {
    participant(context, &args.parsed(0, "did")?)
}

/// The participant with this DID.
pub(crate) fn participant(context: &Context, did: &Did) -> Answer<Option<ParticipantView>> {
    let found = read(context, || Contract::resolve(did))?;
    Ok(found.map(|participant| view((did.clone(), participant))))
}

/// The participant whose current key belongs to an account; `null` if there is
/// none.
pub(super) fn by_account(context: &Context, args: &Args) -> Answer<Option<ParticipantView>> {
    let account = args.account(0, "account")?;
    Ok(read(context, || Contract::resolve_account(&account))?.map(view))
}

/// The organisation with the SM3 of a 统一社会信用代码; `null` if there is none,
/// or it is cancelled.
pub(super) fn by_uscc(context: &Context, args: &Args) -> Answer<Option<ParticipantView>> {
    let hash = args.hash(0, "uscc_hash")?;
    Ok(read(context, || Contract::resolve_uscc(&hash))?.map(view))
}

/// All participants, paged; the cursor is a DID.
pub(super) fn list(context: &Context, args: &Args) -> Answer<Page<ParticipantView>> {
    let after: Option<Did> = args.optional(0, "cursor")?;
    let limit = args.limit(1)?;
    let found = read(context, || Contract::participants(after.as_ref(), limit + 1))?;
    let page = cut(found, limit, |(did, _)| did.to_string());
    show(page, |entry| Ok(view(entry)))
}

/// The records of a participant, the first first, paged.
pub(super) fn history(context: &Context, args: &Args) -> Answer<Page<ParticipantRecordView>> {
    let did: Did = args.parsed(0, "did")?;
    decoded_page(context, &history_prefix(&did), args, 1, "record", |value| Ok(record(value)))
}

/// Whether a participant signed a challenge with its current key, and is
/// active.
pub(super) fn verify_identity(context: &Context, args: &Args) -> Answer<IdentityView> {
    let did: Did = args.parsed(0, "did")?;
    let challenge = args.bytes(1, "challenge")?;
    if !CHALLENGE.contains(&challenge.len()) {
        let expected = format!("{} to {} bytes", CHALLENGE.start(), CHALLENGE.end());
        return Err(invalid("challenge", &expected, &format!("{} bytes", challenge.len())));
    }
    let bytes = args.bytes(2, "signature")?;
    let refused = |problem: &str| IdentityView { verified: false, problem: Some(problem.into()) };
    let Some(participant) = read(context, || Contract::resolve(&did))? else {
        return Ok(refused("not_found"));
    };
    let signature = signature(&participant.public_key, &bytes)?;
    let verdict = read(context, || Contract::verify_identity(&did, &challenge, &signature))?;
    Ok(match verdict {
        Ok(true) => IdentityView { verified: true, problem: None },
        Ok(false) => refused("bad_signature"),
        Err(ParticipantProblem::Frozen) => refused("frozen"),
        Err(ParticipantProblem::Cancelled) => refused("cancelled"),
        Err(ParticipantProblem::NotFound) => refused("not_found"),
    })
}

/// The bytes as a signature by the key.
fn signature(key: &PublicKey, bytes: &[u8]) -> Answer<Signature> {
    let of_64 = || <[u8; 64]>::try_from(bytes).ok();
    let signature = match key {
        PublicKey::Sm2(public) => {
            of_64().map(|signature| Signature::Sm2 { public: *public, signature })
        }
        PublicKey::Ed25519(_) => of_64().map(|bytes| Signature::Ed25519(bytes.into())),
        PublicKey::Sr25519(_) => of_64().map(|bytes| Signature::Sr25519(bytes.into())),
        PublicKey::Ecdsa(_) => {
            <[u8; 65]>::try_from(bytes).ok().map(|bytes| Signature::Ecdsa(bytes.into()))
        }
    };
    let expected = "64 bytes as 0x hex (65 for an ECDSA key)";
    signature.ok_or_else(|| invalid("signature", expected, &to_hex(bytes)))
}

fn view((did, participant): (Did, Participant)) -> ParticipantView {
    let account: [u8; 32] = participant.account.into();
    ParticipantView {
        did,
        name: participant.name,
        kind: match participant.kind {
            ParticipantKind::Organisation => "organisation".into(),
            ParticipantKind::Person => "person".into(),
        },
        public_key: participant.public_key,
        account: account.into(),
        roles: participant.roles,
        status: participant.status,
        uscc_hash: participant.uscc_hash,
        version: participant.version,
        history_hash: participant.history_hash,
        registered: participant.registered.into(),
        updated: participant.updated.into(),
    }
}

fn record(record: HistoryRecord) -> ParticipantRecordView {
    ParticipantRecordView {
        version: record.version,
        at: record.stamp.into(),
        operator: record.operator.map(|account| <[u8; 32]>::from(account).into()),
        change: match record.change {
            Change::Registered(registration) => ParticipantChangeView::Registered {
                name: registration.name,
                public_key: registration.public_key,
                roles: registration.roles,
                uscc_hash: registration.uscc_hash,
            },
            Change::Status { from, to, reason } => {
                ParticipantChangeView::Status { from, to, reason: reason.to_string() }
            }
            Change::Key { from, to } => ParticipantChangeView::Key { from, to },
            Change::Info { name, uscc_hash } => ParticipantChangeView::Info { name, uscc_hash },
            Change::Roles { from, to } => ParticipantChangeView::Roles { from, to },
        },
    }
}
