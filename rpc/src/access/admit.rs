//! Whether a caller's request is done, for whom, and what is noted of it.

use super::{
    rules::{Rule, rule},
    sight::Sight,
};
use crate::{
    caller::{MAX_KNOWN, Standing, View},
    context::Context,
    error::{self, Answer, Refusal},
    lanes::Lane,
    method::{Args, Bound, Method},
};
use billchain_access::{
    Access, Caller, Class, Denied, Entry, InUse, Outcome, Ticket, code, mask_reference,
};
use billchain_primitives::{Did, Role, seams::ParticipantStatus};
use billchain_runtime::Runtime;
use parking_lot::Mutex;
use serde_json::Value;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Work that one unit of a limit stands for, in what a method's bound counts.
const WORK_OF_A_UNIT: u32 = 128;
/// How many times dearer a request is that reads or computes much.
const HEAVY: u32 = 4;
/// Longest parameters that are read for the log.
const MAX_ABOUT: usize = 4 << 10;

/// A request that may be done.
#[derive(Debug)]
pub(crate) struct Admitted {
    view: View,
    sight: Sight,
    in_use: Option<InUse>,
    ticket: Mutex<Option<Ticket>>,
}

impl Admitted {
    /// Of who sees all, without a limit and a log: the node's own plain listener.
    pub(crate) fn whole() -> Arc<Self> {
        Self::new(View::Whole, Sight::Open, None, None)
    }

    /// What was not judged is nobody's.
    pub(crate) fn nobody() -> Arc<Self> {
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self::new(View::Public(nowhere), Sight::Whole, None, None)
    }

    fn new(view: View, sight: Sight, in_use: Option<InUse>, ticket: Option<Ticket>) -> Arc<Self> {
        Arc::new(Self { view, sight, in_use, ticket: Mutex::new(ticket) })
    }

    /// The parameters of a method, if the caller may have an answer to them.
    pub(crate) fn args(
        &self,
        context: &Context,
        method: &Method,
        params: Option<&[u8]>,
        most: usize,
    ) -> Answer<Args> {
        let args = method.args(params, most)?.seen_by(self.view.clone());
        self.sight.check(context, &args)?;
        Ok(args)
    }

    /// Notes how it ended.
    pub(crate) fn ended(&self, refused: Option<i32>, bytes: usize, took: Duration) {
        if let Some(in_use) = &self.in_use {
            in_use.transferred(bytes);
        }
        if let Some(mut ticket) = self.ticket.lock().take() {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            ticket.ended(Outcome { code: refused.unwrap_or(0), bytes: bytes as u64, ms });
        }
    }
}

/// A caller whose requests are judged: what it is on the chain at this moment.
pub(crate) struct Judge<'a> {
    context: &'a Context,
    caller: &'a Caller,
    view: Result<View, Denied>,
}

impl<'a> Judge<'a> {
    /// Of a caller. Reads what its participant is, at most once a block.
    pub(crate) async fn of(context: &'a Arc<Context>, caller: &'a Caller) -> Self {
        let view = view_of(context, caller).await;
        Self { context, caller, view }
    }

    /// Whether a request may be done. `found` is the method, if there is one of the name.
    pub(crate) fn judge(
        &self,
        found: Option<(&'static str, &'static Method)>,
        params: Option<&[u8]>,
    ) -> Result<Arc<Admitted>, Refusal> {
        let access = &self.context.access;
        let Some((name, method)) = found else {
            // There is no such method: told as such, and noted.
            let ticket = self.ticket("-", None).map_err(|denied| error::denied(&denied))?;
            let nowhere = View::Public(self.caller.address);
            return Ok(Admitted::new(nowhere, Sight::Whole, None, ticket));
        };
        let about = || params.and_then(|params| about(method, params));
        let judged = self.allowed(access, method, params);
        match judged {
            Ok((view, sight, in_use)) => {
                let ticket = self.ticket(name, about()).map_err(|denied| error::denied(&denied))?;
                Ok(Admitted::new(view, sight, in_use, ticket))
            }
            Err(denied) => {
                self.note(name, about(), &denied);
                Err(error::denied(&denied))
            }
        }
    }

    fn allowed(
        &self,
        access: &Access,
        method: &Method,
        params: Option<&[u8]>,
    ) -> Result<(View, Sight, Option<InUse>), Denied> {
        let view = self.view.clone()?;
        let Rule { class, sight } = rule(method.name).unwrap_or(Rule {
            // What is in no table is the machine's alone.
            class: Class::Unsafe,
            sight: Sight::Whole,
        });
        access.permits(self.caller, class)?;
        let in_use = match access.bucket(self.caller, class) {
            None => None,
            Some(bucket) => {
                let limit = access.rules().limit(self.caller.identity.as_deref(), class);
                let taken = bucket.take(&limit, units(&method.bound), Instant::now());
                let in_use = taken.inspect_err(|denied| access.count(denied))?;
                in_use.transferred(params.map_or(0, <[u8]>::len));
                Some(in_use)
            }
        };
        Ok((view, sight, in_use))
    }

    fn ticket(&self, method: &str, about: Option<String>) -> Result<Option<Ticket>, Denied> {
        let Some(log) = self.context.access.log() else { return Ok(None) };
        let ticket = log.ticket(entry(self.caller, method, about));
        ticket.map(Some).inspect_err(|denied| self.context.access.count(denied))
    }

    /// Notes a refusal.
    fn note(&self, method: &str, about: Option<String>, denied: &Denied) {
        note(self.context, entry(self.caller, method, about), denied);
    }
}

/// Notes a refusal of somebody who did not come as far as a method.
pub(crate) fn note_stranger(context: &Context, listener: &str, address: IpAddr, denied: &Denied) {
    let entry = Entry {
        n: 0,
        at: now(),
        who: "-".into(),
        did: None,
        on: listener.into(),
        from: address.to_canonical().to_string(),
        method: "-".into(),
        about: None,
        code: denied.code,
        bytes: 0,
        ms: 0,
    };
    note(context, entry, denied);
}

fn note(context: &Context, entry: Entry, denied: &Denied) {
    let Some(log) = context.access.log() else { return };
    let is_flood = [code::TOO_MANY, code::LOG_UNAVAILABLE].contains(&denied.code)
        || denied.code <= code::PARTICIPANT_INACTIVE;
    if is_flood && !context.standings.is_news(&entry.who, &entry.from, denied.code) {
        return;
    }
    // A refusal that cannot be noted is a refusal all the same.
    if let Ok(mut ticket) = log.ticket(entry) {
        ticket.ended(Outcome { code: denied.code, bytes: 0, ms: 0 });
    }
}

fn entry(caller: &Caller, method: &str, about: Option<String>) -> Entry {
    let identity = caller.identity.as_deref();
    Entry {
        n: 0,
        at: now(),
        who: identity.map_or_else(|| "-".into(), |identity| identity.name.to_string()),
        did: identity.and_then(|identity| identity.participant.clone()),
        on: caller.listener.to_string(),
        from: caller.address.to_canonical().to_string(),
        method: method.into(),
        about,
        code: -1,
        bytes: 0,
        ms: 0,
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Units of a limit that a request takes.
fn units(bound: &Bound) -> u32 {
    let work = 1 + bound.work.most / WORK_OF_A_UNIT;
    if bound.lane == Lane::Heavy { work * HEAVY } else { work }
}

/// What a request is about, as the log has it: a bill, a participant, or a masked reference.
fn about(method: &Method, params: &[u8]) -> Option<String> {
    let params: Value = serde_json::from_slice(params.get(..params.len().min(MAX_ABOUT))?).ok()?;
    let text = |index: usize| {
        let param = method.params.get(index)?;
        let value = match &params {
            Value::Array(list) => list.get(index),
            Value::Object(named) => named.get(param.name),
            _ => None,
        };
        Some((param.name, value?.as_str()?))
    };
    let is_plain = |text: &str| {
        text.len() <= 80
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":.-_".contains(&byte))
    };
    match text(0)? {
        ("code", code) => {
            let (_, number) = text(1)?;
            let digits = |text: &str| text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
            (digits(code) && digits(number)).then(|| format!("{code}/{number}"))
        }
        ("payer_ref", reference) => Some(mask_reference(reference)),
        (
            "issuer" | "holder" | "subject" | "party" | "did" | "participant" | "hash"
            | "transaction",
            text,
        ) => is_plain(text).then(|| text.to_owned()),
        _ => None,
    }
}

/// What a caller sees.
async fn view_of(context: &Arc<Context>, caller: &Caller) -> Result<View, Denied> {
    let participant = caller.identity.as_ref().and_then(|identity| identity.participant.clone());
    let Some(did) = participant else {
        return Ok(match caller.classes.has(Class::Operator) {
            true => View::Whole,
            false => View::Public(caller.address),
        });
    };
    match standing_of(context, &did).await {
        Standing::Active { .. } if caller.classes.has(Class::Operator) => Ok(View::Whole),
        Standing::Active { is_auditor: true } => Ok(View::Whole),
        Standing::Active { is_auditor: false } => did.parse().map(View::member).map_err(|_| {
            Denied::new(code::PARTICIPANT_INACTIVE, format!("\"{did}\" is no identifier"))
        }),
        Standing::Inactive => {
            let words = format!("participant {did} is not active on the chain");
            let denied = Denied::new(code::PARTICIPANT_INACTIVE, words);
            context.access.count(&denied);
            Err(denied)
        }
    }
}

/// What a participant is at the head; read at most once a block.
async fn standing_of(context: &Arc<Context>, did: &str) -> Standing {
    let head = context.deps.chain.head().number;
    {
        let mut known = context.standings.at_head.lock();
        if known.0 != head || known.1.len() >= MAX_KNOWN {
            *known = (head, HashMap::new());
        }
        if let Some(standing) = known.1.get(did) {
            return *standing;
        }
    }
    let (reads, asked) = (context.clone(), did.to_owned());
    let read = tokio::task::spawn_blocking(move || standing(&reads, &asked)).await;
    // What cannot be read is nobody's.
    let standing = read.unwrap_or(Standing::Inactive);
    let mut known = context.standings.at_head.lock();
    if known.0 == head {
        known.1.insert(did.to_owned(), standing);
    }
    standing
}

fn standing(context: &Context, did: &str) -> Standing {
    let Ok(did) = did.parse::<Did>() else { return Standing::Inactive };
    let read = || pallet_participant::Pallet::<Runtime>::resolve(&did);
    match context.deps.chain.read(read) {
        Ok(Some(found)) if found.status == ParticipantStatus::Active => {
            Standing::Active { is_auditor: found.roles.contains(Role::Auditor) }
        }
        Ok(_) => Standing::Inactive,
        Err(error) => {
            tracing::error!(%error, "a participant cannot be read");
            Standing::Inactive
        }
    }
}
