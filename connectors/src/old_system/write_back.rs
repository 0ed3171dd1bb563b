//! Writing a change back (状态回写, 入账反馈).

use billchain_primitives::outbox::Topic;
use billchain_rpc_types::BillVersionView;
use billchain_workers::{Content, Failure, Notice, Told};
use serde::Deserialize;
use serde_json::{Value, json};

use super::OldSystem;
use crate::{
    answer::{refused, unanswered},
    event::topic_text,
    form::Outcome,
};

/// What the old system says of a change that it has.
#[derive(Deserialize)]
struct Done {
    /// Its own number of the change.
    serial: String,
}

/// Which service takes a change, and as what.
const fn service(topic: Topic) -> (&'static str, Option<&'static str>) {
    match topic {
        Topic::BillReimbursed => ("bill_account", Some("account")),
        Topic::BillUseReversed => ("bill_account", Some("reverse")),
        _ => ("bill_status", None),
    }
}

/// What is told of a version.
fn message(topic: Topic, version: &BillVersionView) -> Value {
    let bill = &version.bill;
    let mut message = json!({
        "bill_code": bill.code,
        "bill_number": bill.number,
        "check_code": bill.check_code,
        "operation": topic_text(topic),
        "status": bill.status,
        "version": version.version,
        "version_hash": version.hash,
        "issue_date": bill.issue_date.get().to_string(),
        "total_fen": bill.total_fen,
        "reimbursed_fen": bill.reimbursed_fen,
        "operator": version.operator,
        "reason": version.reason,
        "time": version.time,
        "retold": matches!(topic, Topic::BillRetold),
    });
    if let Some(lock) = &bill.lock {
        message["lock"] = json!({
            "holder": lock.holder, "scene": lock.scene, "claim_no": lock.claim_no,
            "expires": lock.expires,
        });
    }
    if let (_, Some(account_type)) = service(topic) {
        message["account_type"] = json!(account_type);
    }
    message
}

impl OldSystem {
    /// Tells one change.
    pub(super) async fn write_back(&self, notice: &Notice) -> Result<Told, Failure> {
        let Content::Bill(version) = &notice.content else {
            return Err(refused("the old system takes changes of bills only", &[]));
        };
        let (service, _) = service(notice.entry.topic);
        let id = notice.key_hex();
        let request = self.request(service, &id, &message(notice.entry.topic, version));
        let answer = self.tools.http.send(request).await.map_err(unanswered)?;
        match self.caller.read::<Done>(&id, &answer)? {
            Outcome::Done(Done { serial }) if !serial.is_empty() => {
                Ok(Told { answer: answer.body })
            }
            Outcome::Done(_) => Err(crate::answer::passing("serial: empty", &answer.body)),
            Outcome::NotFound => Err(refused("the old system has no such bill", &answer.body)),
        }
    }
}
