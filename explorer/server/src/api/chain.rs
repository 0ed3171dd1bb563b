//! Lists and single things of the chain.

use crate::{
    Answer, Call, Refusal,
    answers::ListOf,
    given::Given,
    index::{Part, Rows, hash},
    json,
    lists::Name,
    store::{Action, LookedAt},
};
use serde_json::Value;

/// Rows of a page without a limit.
const ROWS: u32 = 20;

/// Which part of a list is asked for.
///
/// # Errors
/// Never: the limit was checked.
pub fn part(given: &Given) -> Result<Part, Refusal> {
    let limit = given.number("limit").map_or(Ok(ROWS), u32::try_from).map_err(Refusal::internal)?;
    Ok(Part { cursor: given.text("cursor").map(str::to_owned), limit })
}

/// The answer of a list.
///
/// # Errors
/// Never.
pub fn page(rows: &Rows) -> Answer {
    json(&ListOf { items: rows.items.clone(), next: rows.next.clone(), total: None })
}

/// Rows of a list that everybody who may ask sees whole.
async fn open(call: Call, name: Name) -> Answer {
    let part = part(&call.given)?;
    page(&call.app.index.rows(name, &call.given, None, &part).await?)
}

/// Rows of a list that participants see their part of.
async fn own(call: Call, name: Name) -> Answer {
    let part = part(&call.given)?;
    let scope = call.scope()?;
    page(&call.app.index.rows(name, &call.given, scope, &part).await?)
}

/// Blocks.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn blocks(call: Call) -> Answer {
    open(call, Name::Blocks).await
}

/// Transactions.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn transactions(call: Call) -> Answer {
    own(call, Name::Transactions).await
}

/// Participants.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn participants(call: Call) -> Answer {
    open(call, Name::Participants).await
}

/// Access nodes.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn nodes(call: Call) -> Answer {
    open(call, Name::Nodes).await
}

/// Scenes.
///
/// # Errors
/// If the index fails.
pub async fn scenes(call: Call) -> Answer {
    open(call, Name::Scenes).await
}

/// Policies.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn policies(call: Call) -> Answer {
    open(call, Name::Policies).await
}

/// Grants.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn grants(call: Call) -> Answer {
    own(call, Name::Grants).await
}

/// Cases.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn disputes(call: Call) -> Answer {
    own(call, Name::Disputes).await
}

/// Motions.
///
/// # Errors
/// If a parameter is wrong, or the index fails.
pub async fn motions(call: Call) -> Answer {
    open(call, Name::Motions).await
}

/// The thing, or that there is none.
fn found(what: &str, answer: Option<Value>) -> Answer {
    json(&answer.ok_or_else(|| Refusal::not_found(what))?)
}

/// A block.
///
/// # Errors
/// If there is none.
pub async fn block(call: Call) -> Answer {
    found("block", call.app.index.block(call.given.needed("id")).await?)
}

/// A transaction; a participant sees its own, and those that touched a bill of its concern.
///
/// # Errors
/// If there is none that the asker may see.
pub async fn transaction(call: Call) -> Answer {
    let id = call.given.needed("id");
    let none = || Refusal::not_found("transaction");
    let hash = hash(id).ok_or_else(|| Refusal::malformed("id", "0x and 64 hexadecimal digits"))?;
    let mut transaction = call.app.index.transaction(&hash).await?.ok_or_else(none)?;
    if let Some(did) = call.scope()?
        && transaction["signer"].as_str() != Some(did)
        && !concerns_one(&call, &transaction["bills"], did).await?
    {
        return Err(none());
    }
    if let Some(first) = transaction["bills"].get(0) {
        let at = LookedAt { bill: super::bills::key_text(first), issuer: None };
        call.log(Action::Transaction, id, at).await?;
    }
    let user = call.user()?;
    let own = user.did.is_some() && transaction["signer"].as_str() == user.did.as_deref();
    if !own && !user.role.sees_payers() {
        hide_payers(&mut transaction);
        transaction["raw"] = "".into();
    }
    json(&transaction)
}

/// Takes payers' references out of whatever holds them.
fn hide_payers(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(hide_payers),
        Value::Object(all) => {
            for (name, value) in all {
                if name == "payer_ref" {
                    *value = "".into();
                } else {
                    hide_payers(value);
                }
            }
        }
        _ => {}
    }
}

/// Whether one of these bills concerns a participant; the first hundred are looked at.
async fn concerns_one(call: &Call, bills: &Value, did: &str) -> Result<bool, Refusal> {
    let bills = bills.as_array().map(Vec::as_slice).unwrap_or_default();
    for bill in bills.iter().take(100) {
        let Some(key) = super::bills::key_text(bill) else { continue };
        if call.app.index.concerns(&super::bills::key(&key)?, did).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A participant.
///
/// # Errors
/// If there is none.
pub async fn participant(call: Call) -> Answer {
    let asked = call.given.needed("did");
    let account = match hash(asked) {
        Some(account) => call.app.index.participant_by_account(&account).await?,
        None => None,
    };
    let did = account.as_ref().and_then(|row| row["did"].as_str()).unwrap_or(asked);
    let mut answer = call.app.index.participant(did).await?;
    // How much others issued and hold is for those who check.
    if let (Some(own), Some(answer)) = (call.scope()?, &mut answer)
        && answer["did"].as_str() != Some(own)
    {
        answer["issued"] = Value::from(0);
        answer["held"] = Value::from(0);
    }
    found("participant", answer)
}

/// An access node.
///
/// # Errors
/// If there is none.
pub async fn node(call: Call) -> Answer {
    found("access node", call.app.index.access_node(call.given.needed("did")).await?)
}

fn number<T: TryFrom<i64>>(call: &Call) -> Result<T, Refusal> {
    let number = call.given.number("id").unwrap_or_default();
    T::try_from(number).map_err(|_| Refusal::malformed("id", "a smaller number"))
}

/// A scene.
///
/// # Errors
/// If there is none.
pub async fn scene(call: Call) -> Answer {
    found("scene", call.app.index.scene(number(&call)?).await?)
}

/// A policy.
///
/// # Errors
/// If there is none.
pub async fn policy(call: Call) -> Answer {
    found("policy", call.app.index.policy(number(&call)?).await?)
}

/// The rules.
///
/// # Errors
/// If there is no such version.
pub async fn rules(call: Call) -> Answer {
    let version =
        call.given.number("version").map(u32::try_from).transpose().map_err(Refusal::internal)?;
    let rules = call.app.index.rules(version).await?;
    if rules["newest"].as_u64() < version.map(u64::from) {
        return Err(Refusal::not_found("version of the rules"));
    }
    json(&rules)
}

/// A grant; a participant sees those that it gave and got.
///
/// # Errors
/// If there is none that the asker may see.
pub async fn grant(call: Call) -> Answer {
    let id = call.given.needed("id").to_ascii_lowercase();
    let none = || Refusal::not_found("grant");
    let grant = call.app.index.grant(&id).await?.ok_or_else(none)?;
    if let Some(did) = call.scope()?
        && [&grant["holder"], &grant["subject"]].iter().all(|party| party.as_str() != Some(did))
    {
        return Err(none());
    }
    let at =
        LookedAt { bill: grant["bills"].get(0).and_then(super::bills::key_text), issuer: None };
    call.log(Action::Grant, id, at).await?;
    json(&grant)
}

/// A case; a participant sees those that it is a party of, or whose bill concerns it.
///
/// # Errors
/// If there is none that the asker may see.
pub async fn dispute(call: Call) -> Answer {
    let none = || Refusal::not_found("case");
    let case = call.app.index.dispute(number(&call)?).await?.ok_or_else(none)?;
    let bill = super::bills::key_text(&case);
    if let Some(did) = call.scope()? {
        let party = case["parties"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one.as_str() == Some(did)));
        let concerned = match &bill {
            Some(bill) if !party => call.app.index.concerns(&super::bills::key(bill)?, did).await?,
            _ => party,
        };
        if !concerned {
            return Err(none());
        }
    }
    call.log(Action::Dispute, case["case"].to_string(), LookedAt { bill, issuer: None }).await?;
    json(&case)
}

/// A motion.
///
/// # Errors
/// If there is none.
pub async fn motion(call: Call) -> Answer {
    found("motion", call.app.index.motion(call.given.needed("id")).await?)
}

/// Those who decide blocks.
///
/// # Errors
/// If the index fails.
pub async fn validators(call: Call) -> Answer {
    json(&call.app.index.validators().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn payers_are_hidden_wherever_they_stand() {
        let mut value =
            json!({"args": {"bills": [{"payer_ref": "0x12", "total": 1}]}, "payer_ref": {"a": 1}});
        hide_payers(&mut value);
        assert_eq!(
            value,
            json!({"args": {"bills": [{"payer_ref": "", "total": 1}]}, "payer_ref": ""})
        );
    }
}
