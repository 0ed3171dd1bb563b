//! The chain's totals against the tables': the state proves how many bills there are and over how
//! much, by kind and status, and which ones (their mark).

use crate::{
    block::{Follower, decided_root},
    fetch::in_order,
    ledger::TallyName,
    lie::Lie,
    node::Node,
    tables::Tables,
};
use billchain_primitives::totals::Tally;
use billchain_verifier::value_of;
use codec::DecodeAll;
use serde_json::json;
use sqlx::Row;
use std::sync::Arc;

/// Keys that a node proves at a time.
pub(crate) const AT_ONCE: usize = 64;

/// Totals that changed since they were proved, at most [`AT_ONCE`], as the tables have them.
pub(crate) async fn unproved(tables: &Tables) -> Result<Vec<(TallyName, Tally)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT sort, name, tally FROM tallies WHERE changed > proved \
         ORDER BY changed, sort, name LIMIT $1",
    )
    .bind(i64::try_from(AT_ONCE).unwrap_or_default())
    .fetch_all(tables.pool())
    .await?;
    rows.iter().map(tally_of).collect()
}

/// A row of `tallies`: sort, name and totals.
pub(crate) fn tally_of(row: &sqlx::any::AnyRow) -> Result<(TallyName, Tally), sqlx::Error> {
    let (sort, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let sort = if sort == "month" { "month" } else { "number" };
    let bytes: Vec<u8> = row.try_get(2)?;
    let tally =
        Tally::decode_all(&mut &bytes[..]).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok((TallyName { sort, name }, tally))
}

/// What the state proves of totals after the block at which the follower stands; `None`: no node's
/// head is that block now.
pub(crate) async fn ask(
    nodes: &[Arc<Node>],
    follower: &Follower,
    names: &[TallyName],
) -> Option<Vec<Tally>> {
    let keys: Vec<Vec<u8>> = names.iter().map(TallyName::key).collect::<Option<_>>()?;
    for node in in_order(nodes, follower.number() as usize) {
        let Ok((at, proofs)) = node.proof(&keys).await else { continue };
        if at != follower.hash() {
            continue;
        }
        let Ok(decided) = node.decided(json!(at)).await else { continue };
        match read(follower, &decided, &keys, &proofs) {
            Ok(tallies) => return Some(tallies),
            Err(lie) => {
                node.failed(&lie.into());
            }
        }
    }
    None
}

fn read(
    follower: &Follower,
    decided: &[u8],
    keys: &[Vec<u8>],
    proofs: &[Vec<u8>],
) -> Result<Vec<Tally>, Lie> {
    let block = follower.number();
    let wrong = |reason: String| Lie::Proof { block, reason };
    let read = billchain_verifier::DecidedHeader::read(decided)
        .map_err(|refusal| wrong(refusal.to_string()))?;
    // The hash is that of the block that was taken, so the header needs no other check.
    if read.block().hash != follower.hash().0 {
        return Err(wrong("the header is of another block".into()));
    }
    let root = read.state_root();
    keys.iter()
        .zip(proofs)
        .map(|(key, proof)| {
            let value =
                value_of(proof, key, &root).map_err(|refusal| wrong(refusal.to_string()))?;
            let Some(mut value) = value else { return Ok(Tally::default()) };
            Tally::decode_all(&mut value).map_err(|error| wrong(error.to_string()))
        })
        .collect()
}

/// What a head proves of keys, for who stands behind it: the head's number, and the values.
pub(crate) async fn at_head(
    node: &Node,
    follower: &Follower,
    keys: &[Vec<u8>],
) -> Result<(u32, Vec<Option<Vec<u8>>>), crate::lie::Failure> {
    let (at, proofs) = node.proof(keys).await?;
    let decided = node.decided(json!(at)).await?;
    let (number, hash, root) = decided_root(follower, &decided)?;
    let wrong = |reason: String| Lie::Proof { block: number, reason };
    if hash != at {
        return Err(wrong("the header is of another block".into()).into());
    }
    let values: Result<Vec<_>, Lie> = keys
        .iter()
        .zip(&proofs)
        .map(|(key, proof)| {
            let value =
                value_of(proof, key, &root).map_err(|refusal| wrong(refusal.to_string()))?;
            Ok(value.map(<[u8]>::to_vec))
        })
        .collect();
    Ok((number, values?))
}

/// Who told the blocks since totals were proved last, without a proof of their events.
pub(crate) async fn tellers(tables: &Tables, name: &TallyName) -> Result<Vec<String>, sqlx::Error> {
    let since: Option<i64> =
        sqlx::query_scalar("SELECT proved FROM tallies WHERE sort = $1 AND name = $2")
            .bind(name.sort)
            .bind(name.name.clone())
            .fetch_optional(tables.pool())
            .await?;
    sqlx::query_scalar(
        "SELECT DISTINCT node FROM provenance WHERE block > $1 AND belief < 2 ORDER BY node LIMIT 16",
    )
    .bind(since.unwrap_or_default())
    .fetch_all(tables.pool())
    .await
}
