//! The old fiscal bill system (原财政电子票据系统), in the form of the ministry's public service
//! interface (财政电子票据公共服务接口规范): POST of a form with `app_id`, `message` and `sign`.

use billchain_crypto::sm3::{hmac_sm3, sm3};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use super::Knowledge;
use crate::{
    effects::{Effect, Effects},
    server::{Call, Reply, System},
};

/// Most bills of one page.
const MAX_PAGE: u64 = 1_000;
const SUCCESS: &str = "0000";
const MALFORMED: &str = "1001";
const BAD_SIGN: &str = "1003";
const NOT_FOUND: &str = "2001";
const INTERNAL: &str = "9999";

/// A bill as the old system has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OldBill {
    bill_code: String,
    bill_number: String,
    #[serde(default)]
    check_code: String,
    /// As the chain's: `normal`, `locked` and the like.
    status: String,
    /// Version on the chain that was written back last; 0: none was.
    #[serde(default)]
    version: u32,
    #[serde(default)]
    total_fen: i64,
    #[serde(default)]
    reimbursed_fen: i64,
    #[serde(default)]
    issue_date: String,
    /// When it was changed, in milliseconds since 1970.
    #[serde(default)]
    changed: u64,
}

impl OldBill {
    fn key(&self) -> String {
        format!("{}-{}", self.bill_code, self.bill_number)
    }

    /// What the nightly comparison hashes.
    fn line(&self) -> String {
        format!("{}|{}|{}\n", self.key(), self.status, self.reimbursed_fen)
    }
}

/// The system.
pub struct OldBills {
    knowledge: Knowledge,
    bills: Mutex<BTreeMap<String, OldBill>>,
}

impl OldBills {
    /// Without a bill.
    pub fn new(knowledge: Knowledge) -> Self {
        Self { knowledge, bills: Mutex::default() }
    }

    fn sign(&self, fields: &BTreeMap<String, String>) -> String {
        let text: Vec<String> = fields
            .iter()
            .filter(|(name, _)| name.as_str() != "sign")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        hex::encode(hmac_sm3(self.knowledge.app_key.as_bytes(), text.join("&").as_bytes()))
    }

    fn reply(&self, request_id: &str, code: &str, msg: &str, message: &Value) -> Reply {
        let message = message.to_string();
        let mut fields: BTreeMap<String, String> = [
            ("code", code),
            ("msg", msg),
            ("request_id", request_id),
            ("message", message.as_str()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        fields.insert("sign".to_owned(), self.sign(&fields));
        Reply::json(200, &json!(fields))
    }

    /// The fields of a request whose signature holds.
    fn checked(&self, call: &Call) -> Result<BTreeMap<String, String>, (&'static str, String)> {
        if !call.header("content-type").starts_with("application/x-www-form-urlencoded") {
            return Err((MALFORMED, "content-type: expected a form".to_owned()));
        }
        let fields: BTreeMap<String, String> =
            form_urlencoded::parse(&call.body).into_owned().collect();
        for name in ["app_id", "message", "request_id", "sign", "timestamp", "version"] {
            if !fields.contains_key(name) {
                return Err((MALFORMED, format!("{name}: missing")));
            }
        }
        if fields["app_id"] != self.knowledge.app_id {
            return Err(("1002", "app_id: unknown".to_owned()));
        }
        if fields["sign"] != self.sign(&fields) {
            return Err((BAD_SIGN, "sign: does not fit".to_owned()));
        }
        Ok(fields)
    }

    fn write_back(
        &self,
        service: &str,
        fields: &BTreeMap<String, String>,
        effects: &Effects,
    ) -> Reply {
        let id = &fields["request_id"];
        let Ok(body) = serde_json::from_str::<Value>(&fields["message"]) else {
            return self.reply(id, MALFORMED, "message: no JSON", &Value::Null);
        };
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let subject = format!("{}-{}", text("bill_code"), text("bill_number"));
        let version = body["version"].as_u64().and_then(|version| u32::try_from(version).ok());
        let known = [
            "normal",
            "locked",
            "partly_reimbursed",
            "reimbursed",
            "red_reversed",
            "voided",
            "pre_issued",
        ];
        let (Some(version), true) = (version, known.contains(&text("status").as_str())) else {
            return self.reply(id, MALFORMED, "version or status: not as expected", &Value::Null);
        };
        if subject.len() != 19 {
            return self.reply(id, MALFORMED, "bill_code or bill_number: length", &Value::Null);
        }
        let effect =
            Effect { number: 0, key: id.clone(), kind: service.to_owned(), subject, version, body };
        match effects.once(effect, |effect| self.recall(effect)) {
            Ok(seen) => {
                self.reply(id, SUCCESS, "成功", &json!({"serial": seen.number().to_string()}))
            }
            Err(error) => self.reply(id, INTERNAL, &error.to_string(), &Value::Null),
        }
    }

    fn query(&self, fields: &BTreeMap<String, String>, service: &str) -> Reply {
        let id = &fields["request_id"];
        let body: Value = serde_json::from_str(&fields["message"]).unwrap_or_default();
        let key = format!(
            "{}-{}",
            body["bill_code"].as_str().unwrap_or_default(),
            body["bill_number"].as_str().unwrap_or_default()
        );
        let bills = self.bills.lock();
        let found = bills.get(&key).filter(|bill| {
            !bill.check_code.is_empty() && body["check_code"].as_str() == Some(&bill.check_code)
        });
        match (found, service) {
            (None, _) => self.reply(id, NOT_FOUND, "票据不存在", &Value::Null),
            (Some(bill), "bill_query") => self.reply(id, SUCCESS, "成功", &json!(bill)),
            (Some(bill), _) => Reply {
                status: 200,
                content_type: "application/x-zip-compressed",
                body: zip(&format!("{key}.xml"), original(bill).as_bytes()),
            },
        }
    }

    fn range(&self, fields: &BTreeMap<String, String>, service: &str) -> Reply {
        let id = &fields["request_id"];
        let body: Value = serde_json::from_str(&fields["message"]).unwrap_or_default();
        let after = body["after"].as_str().unwrap_or_default().to_owned();
        let last = body["to"].as_str().unwrap_or("~").to_owned();
        let bills = self.bills.lock();
        if after >= last {
            return self.reply(id, MALFORMED, "to: not behind after", &Value::Null);
        }
        let range = bills.range::<String, _>((Bound::Excluded(&after), Bound::Included(&last)));
        if service == "bill_compare" {
            let mut count = 0u64;
            let mut text = String::new();
            for (_, bill) in range {
                count += 1;
                text.push_str(&bill.line());
            }
            let digest = hex::encode(sm3(text.as_bytes()));
            return self.reply(id, SUCCESS, "成功", &json!({"count": count, "digest": digest}));
        }
        let limit = body["limit"].as_u64().unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
        let page: Vec<&OldBill> =
            range.take(usize::try_from(limit).unwrap_or(1)).map(|(_, bill)| bill).collect();
        self.reply(id, SUCCESS, "成功", &json!({"bills": page}))
    }
}

impl System for OldBills {
    fn answer(&self, call: &Call, effects: &Effects) -> Reply {
        let Some(service) = call.path.strip_prefix("/public/") else { return Reply::not_found() };
        if call.method != "POST" {
            return Reply::json(405, &json!({"error": "expected POST"}));
        }
        let fields = match self.checked(call) {
            Ok(fields) => fields,
            Err((code, problem)) => {
                effects.count_refused();
                return self.reply("", code, &problem, &Value::Null);
            }
        };
        match service {
            "bill_status" | "bill_account" => self.write_back(service, &fields, effects),
            "bill_query" | "bill_download" => self.query(&fields, service),
            "bill_compare" | "bill_list" => self.range(&fields, service),
            "ping" => self.reply(&fields["request_id"], SUCCESS, "成功", &json!({})),
            _ => Reply::not_found(),
        }
    }

    fn recall(&self, effect: &Effect) {
        let mut bills = self.bills.lock();
        if effect.kind == "seed" {
            let seeded = serde_json::from_value::<Vec<OldBill>>(effect.body.clone());
            bills.extend(seeded.unwrap_or_default().into_iter().map(|bill| (bill.key(), bill)));
            return;
        }
        let body = &effect.body;
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let bill = bills.entry(effect.subject.clone()).or_insert_with(|| OldBill {
            bill_code: text("bill_code"),
            bill_number: text("bill_number"),
            check_code: text("check_code"),
            status: String::new(),
            version: 0,
            total_fen: body["total_fen"].as_i64().unwrap_or_default(),
            reimbursed_fen: 0,
            issue_date: text("issue_date"),
            changed: 0,
        });
        if effect.version >= bill.version {
            bill.status = text("status");
            bill.version = effect.version;
            bill.reimbursed_fen = body["reimbursed_fen"].as_i64().unwrap_or_default();
            bill.changed = body["time"].as_u64().unwrap_or_default();
        }
    }

    /// `POST /bills`: a list of bills that are there from before; `GET /bills/CODE-NUMBER`;
    /// `PUT /bills/CODE-NUMBER`: somebody changes one by hand; `DELETE` takes one away.
    fn look(&self, call: &Call, effects: &Effects) -> Option<Reply> {
        if call.method == "POST" && call.path == "/bills" {
            let effect = Effect {
                number: 0,
                key: format!("seed {}", hex::encode(sm3(&call.body))),
                kind: "seed".to_owned(),
                subject: String::new(),
                version: 0,
                body: call.json(),
            };
            let seen = effects.once(effect, |effect| self.recall(effect));
            return Some(match seen {
                Ok(_) => Reply::json(200, &json!({"bills": self.bills.lock().len()})),
                Err(error) => Reply::json(500, &json!({"error": error.to_string()})),
            });
        }
        if call.method == "GET" && call.path == "/bills" {
            let bills = self.bills.lock();
            let mut statuses = HashMap::<&str, u64>::new();
            bills.values().for_each(|bill| *statuses.entry(&bill.status).or_default() += 1);
            return Some(Reply::json(200, &json!({"bills": bills.len(), "statuses": statuses})));
        }
        let key = call.path.strip_prefix("/bills/")?;
        let mut bills = self.bills.lock();
        Some(match call.method.as_str() {
            "GET" => match bills.get(key) {
                Some(bill) => Reply::json(200, &json!(bill)),
                None => Reply::not_found(),
            },
            "PUT" => match serde_json::from_slice::<OldBill>(&call.body) {
                Ok(bill) if bill.key() == key => {
                    bills.insert(key.to_owned(), bill);
                    Reply::json(200, &json!({}))
                }
                _ => Reply::json(400, &json!({"error": "expected that bill"})),
            },
            "DELETE" => Reply::json(200, &json!({"had": bills.remove(key).is_some()})),
            _ => return None,
        })
    }
}

/// The XML original of an old bill.
fn original(bill: &OldBill) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><EInvoice><EInvoiceData><Main>\
         <EInvoiceCode>{}</EInvoiceCode><EInvoiceNumber>{}</EInvoiceNumber>\
         <RandomNumber>{}</RandomNumber><TotalAmount>{}.{:02}</TotalAmount></Main>\
         </EInvoiceData></EInvoice>",
        bill.bill_code,
        bill.bill_number,
        bill.check_code,
        bill.total_fen / 100,
        bill.total_fen % 100
    )
}

/// A ZIP archive of one file that is stored as it is (PKWARE APPNOTE 6.3, method 0).
fn zip(name: &str, data: &[u8]) -> Vec<u8> {
    let crc = crc32(data);
    let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    let mut common = Vec::new();
    // Version 2.0, no flags, stored, 2020-01-01 00:00.
    for word in [20u16, 0, 0, 0, 0x5021] {
        common.extend(word.to_le_bytes());
    }
    for word in [crc, size, size] {
        common.extend(word.to_le_bytes());
    }
    common.extend(length.to_le_bytes());
    common.extend(0u16.to_le_bytes());
    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend(&common);
    archive.extend(name.as_bytes());
    archive.extend(data);
    let directory = u32::try_from(archive.len()).unwrap_or(u32::MAX);
    archive.extend(b"PK\x01\x02");
    archive.extend(20u16.to_le_bytes());
    archive.extend(&common);
    // Comment's length, disk, internal attributes; external attributes, offset.
    archive.extend([0; 6]);
    archive.extend([0; 8]);
    archive.extend(name.as_bytes());
    let end = u32::try_from(archive.len()).unwrap_or(u32::MAX);
    archive.extend(b"PK\x05\x06");
    archive.extend([0; 4]);
    archive.extend([1, 0, 1, 0]);
    archive.extend((end - directory).to_le_bytes());
    archive.extend(directory.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

fn crc32(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_that_of_zip() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }
}
