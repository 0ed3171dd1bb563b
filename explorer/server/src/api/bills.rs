//! Bills: their lists and lives, verdicts, certificates, search. Each look goes into the access log
//! before it is answered.

use crate::{
    Answer, Call, Refusal,
    answers::{Element, Verdict},
    auth::{Role, lockout::Whose},
    call::file,
    json,
    lists::Name,
    nodes::Certificate,
    store::{Action, LookedAt},
    time,
};
use billchain_primitives::BillKey;
use serde_json::{Value, json as object};
use subtle::ConstantTimeEq as _;

/// Hits of a search that are shown.
const HITS: usize = 50;

/// The key of a text that was checked: `12345678-1234567890`.
///
/// # Errors
/// If the chain knows no such code.
pub fn key(text: &str) -> Result<BillKey, Refusal> {
    let bad = || Refusal::malformed("bill", "code and number of a bill, 8 digits - 10 digits");
    let (code, number) = text.split_once('-').ok_or_else(bad)?;
    Ok(BillKey {
        code: code.parse().map_err(|_| bad())?,
        number: number.parse().map_err(|_| bad())?,
    })
}

/// Code and number of an object that has both.
pub fn key_text(object: &Value) -> Option<String> {
    Some(format!("{}-{}", object["code"].as_str()?, object["number"].as_str()?))
}

fn at(bill: &Value) -> LookedAt {
    LookedAt { bill: key_text(bill), issuer: bill["issuer"].as_str().map(str::to_owned) }
}

/// Bills; a participant sees those that concern it.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn list(call: Call) -> Answer {
    let part = super::chain::part(&call.given)?;
    let rows = call.app.index.rows(Name::Bills, &call.given, call.scope()?, &part).await?;
    call.log(Action::Bills, call.given.told(), LookedAt::default()).await?;
    super::chain::page(&rows)
}

/// A bill's life.
///
/// # Errors
/// If there is none that the asker may see.
pub async fn life(call: Call) -> Answer {
    let text = call.given.needed("bill").to_owned();
    let key = key(&text)?;
    let life = match call.scope()? {
        Some(did) if !call.app.index.concerns(&key, did).await? => None,
        _ => call.app.index.bill_life(&key).await?,
    };
    let Some(mut life) = life else {
        let looked = LookedAt { bill: Some(text.clone()), issuer: None };
        call.log(Action::BillRefused, text, looked).await?;
        return Err(Refusal::not_found("bill"));
    };
    call.log(Action::Bill, text, at(&life["bill"])).await?;
    hide_payer(&call, &mut life);
    json(&life)
}

/// Takes the payer's reference away from those who may not see it.
fn hide_payer(call: &Call, life: &mut Value) {
    let user = call.user.as_ref();
    let issuer = life["bill"]["issuer"].as_str().unwrap_or_default();
    let own = user
        .is_some_and(|user| user.role == Role::Participant && user.did.as_deref() == Some(issuer));
    if own || user.is_some_and(|user| user.role.sees_payers()) {
        return;
    }
    // Empty: there is one, and it is not shown.
    life["bill"]["payer_ref"] = "".into();
    let versions = life["versions"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    for change in
        versions.iter_mut().filter_map(|version| version["changes"].as_array_mut()).flatten()
    {
        if change["field"].as_str().is_some_and(|field| field.contains("payer_ref")) {
            (change["before"], change["after"]) = (Value::Null, Value::Null);
        }
    }
}

/// A bill that the asker may see without its check code; none otherwise.
async fn seen(call: &Call, key: &BillKey) -> Result<bool, Refusal> {
    if call.user.is_none() {
        return Ok(false);
    }
    match call.scope()? {
        None => Ok(true),
        Some(did) => call.app.index.concerns(key, did).await,
    }
}

/// Who waits after wrong guesses.
fn guesser(call: &Call) -> Whose {
    let address = || call.address.clone();
    Whose::Guesses(call.user.as_ref().map_or_else(address, |user| user.name.clone()))
}

/// The bill, if its check code was given rightly; whoever guesses is slowed.
async fn by_check_code(call: &Call, key: &BillKey, text: &str) -> Result<Option<Value>, Refusal> {
    let given = call
        .given
        .text("check_code")
        .ok_or_else(|| Refusal::malformed("check_code", "6 letters or digits"))?;
    let whose = guesser(call);
    let waits = call.app.lockouts.waits(std::slice::from_ref(&whose), time::now());
    if waits > 0 {
        return Err(Refusal::locked(waits.div_ceil(1000)));
    }
    let bill = call.app.index.bill(key).await?;
    let kept = bill.as_ref().and_then(|bill| bill["check_code"].as_str()).unwrap_or("\0\0\0\0\0\0");
    let right = bill.is_some() && bool::from(kept.as_bytes().ct_eq(given.as_bytes()));
    if right {
        return Ok(bill);
    }
    call.app.lockouts.failed(&whose, time::now());
    call.log(Action::BillRefused, text, LookedAt { bill: Some(text.to_owned()), issuer: None })
        .await?;
    Ok(None)
}

/// Whether a bill is real, and used.
///
/// # Errors
/// If a parameter is wrong, the asker has to wait, or the index fails.
pub async fn verify(call: Call) -> Answer {
    let given = &call.given;
    if given.text("hash").is_some() != given.text("kind").is_some() {
        return Err(Refusal::malformed("kind", "xml or pdf, together with hash"));
    }
    let text = format!("{}-{}", given.needed("code"), given.needed("number"));
    let key = key(&text)?;
    let sees = seen(&call, &key).await?;
    let bill = if sees {
        call.app.index.bill(&key).await?
    } else {
        by_check_code(&call, &key, &text).await?
    };
    let Some(bill) = bill else {
        return json(&Verdict { verdict: "not_found", bill: None, elements: Vec::new() });
    };
    call.log(Action::Verify, text, at(&bill)).await?;
    let elements = compared(&call, &bill);
    let verdict = match bill["status"].as_str().unwrap_or_default() {
        _ if elements.iter().any(|element| !element.matches) => "mismatch",
        "red_reversed" | "voided" | "pre_issued" => "invalid",
        "reimbursed" | "partly_reimbursed" => "used",
        _ => "genuine",
    };
    let five = ["issue_date", "total"]
        .iter()
        .all(|name| elements.iter().any(|e| e.field == *name && e.matches));
    let mut shown =
        if sees { object!({"bill": bill}) } else { object!({"bill": little(&bill, five)}) };
    if sees {
        hide_payer(&call, &mut shown);
    }
    json(&Verdict { verdict, bill: Some(shown["bill"].take()), elements })
}

fn compared(call: &Call, bill: &Value) -> Vec<Element> {
    let given = &call.given;
    let mut elements = Vec::new();
    if let Some(code) = given.text("check_code") {
        elements.push(Element {
            field: "check_code",
            matches: bill["check_code"].as_str() == Some(code),
        });
    }
    if let Some(date) = given.number("issue_date") {
        elements.push(Element {
            field: "issue_date",
            matches: bill["issue_date"].as_i64() == Some(date),
        });
    }
    if let Some(total) = given.number("total_fen") {
        elements
            .push(Element { field: "total", matches: bill["total_fen"].as_i64() == Some(total) });
    }
    if let Some(hash) = given.text("hash") {
        let field = if given.text("kind") == Some("pdf") { "pdf_hash" } else { "xml_hash" };
        let matches = bill[field].as_str().is_some_and(|kept| kept.eq_ignore_ascii_case(hash));
        elements.push(Element { field, matches });
    }
    elements
}

/// What those see who have the bill's paper: whether it is real, and where it stands.
fn little(bill: &Value, five: bool) -> Value {
    let mut shown = object!({});
    for field in ["code", "number", "kind", "status", "issue_date", "updated", "version"] {
        shown[field] = bill[field].clone();
    }
    shown["total_fen"] = if five { bill["total_fen"].clone() } else { Value::Null };
    for field in ["check_code", "issuer", "scene", "holder", "reimbursed_fen", "payer_ref", "lock"]
    {
        shown[field] = Value::Null;
    }
    shown
}

/// The certificate of a bill, checked here, and logged.
async fn certified(call: &Call) -> Result<Certificate, Refusal> {
    let text = call.given.needed("bill").to_owned();
    let bill_key = key(&text)?;
    let none = || Refusal::not_found("bill");
    let looked = if seen(call, &bill_key).await? {
        let bill = call.app.index.bill(&bill_key).await?;
        bill.as_ref().map_or_else(|| LookedAt { bill: Some(text.clone()), issuer: None }, at)
    } else if call.given.text("check_code").is_some() {
        at(&by_check_code(call, &bill_key, &text).await?.ok_or_else(none)?)
    } else if call.user.is_some() {
        return Err(none());
    } else {
        return Err(Refusal::malformed(
            "check_code",
            "6 letters or digits: without a role, the bill's check code is needed",
        ));
    };
    call.log(Action::Certificate, text.clone(), looked).await?;
    let (code, number) = text.split_once('-').unwrap_or_default();
    call.app.nodes.certificate(code, number, call.given.number("version")).await
}

/// The certificate as a file.
///
/// # Errors
/// If there is none that the asker may have, or no node gives one that holds.
pub async fn certificate(call: Call) -> Answer {
    let certificate = certified(&call).await?;
    let name = format!("{}-{}.bcpf", call.given.needed("bill"), certificate.block);
    file("application/octet-stream", &name, certificate.bytes.into())
}

/// The certificate in print.
///
/// # Errors
/// As those of [`certificate`], or if this machine has no font.
pub async fn printed(call: Call) -> Answer {
    let certificate = certified(&call).await?;
    let name = format!("{}-{}.pdf", call.given.needed("bill"), certificate.block);
    let pdf = call.app.nodes.printed(certificate.bytes).await?;
    file("application/pdf", &name, pdf.into())
}

/// What a text may mean.
///
/// # Errors
/// If the index fails.
pub async fn search(call: Call) -> Answer {
    let text = call.given.needed("q").to_owned();
    let mut found = call.app.index.search(&text).await?;
    let hits = found["hits"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let (mut kept, all) = (Vec::new(), hits.len());
    for hit in hits.into_iter().take(HITS) {
        if is_shown(&call, &hit).await? {
            kept.push(hit);
        }
    }
    let looked = found["looked"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let public = call.user.is_none();
    let looked = looked.into_iter().filter(|one| !public || is_public(&one["kind"]));
    let looked: Vec<_> = if kept.len() == all {
        looked.collect()
    } else {
        // What is not shown is not counted.
        let count = |kind: &Value| kept.iter().filter(|hit| hit["kind"] == *kind).count();
        looked.map(|one| object!({"kind": one["kind"], "found": count(&one["kind"])})).collect()
    };
    let bill = kept
        .iter()
        .find(|hit| hit["kind"] == "bill")
        .and_then(|hit| hit["id"].as_str())
        .map(str::to_owned);
    call.log(Action::Search, text, LookedAt { bill, issuer: None }).await?;
    json(&object!({"hits": kept, "looked": looked, "indexed": found["indexed"]}))
}

fn is_public(kind: &Value) -> bool {
    matches!(kind.as_str(), Some("block" | "validator"))
}

/// Whether the asker may see a hit: what it may not open is not told either.
async fn is_shown(call: &Call, hit: &Value) -> Result<bool, Refusal> {
    if call.user.is_none() {
        return Ok(is_public(&hit["kind"]));
    }
    let Some(did) = call.scope()? else { return Ok(true) };
    let id = hit["id"].as_str().unwrap_or_default();
    let index = &call.app.index;
    match hit["kind"].as_str() {
        Some("bill") => index.concerns(&key(id)?, did).await,
        Some("transaction") => match crate::index::hash(id) {
            None => Ok(false),
            Some(hash) => {
                let transaction = index.transaction(&hash).await?;
                Ok(transaction
                    .is_some_and(|transaction| transaction["signer"].as_str() == Some(did)))
            }
        },
        Some("grant") => {
            let grant = index.grant(id).await?.unwrap_or_default();
            Ok([&grant["holder"], &grant["subject"]]
                .iter()
                .any(|party| party.as_str() == Some(did)))
        }
        Some("dispute") => {
            let case = match id.parse() {
                Ok(number) => index.dispute(number).await?.unwrap_or_default(),
                Err(_) => Value::Null,
            };
            Ok(case["parties"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one.as_str() == Some(did))))
        }
        _ => Ok(true),
    }
}
