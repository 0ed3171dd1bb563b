//! Bills that are older than the chain: by their three codes (以票查票), and their originals.

use billchain_crypto::sm3::sm3;
use billchain_workers::Failure;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{OldBill, OldSystem};
use crate::{
    answer::{by_status, passing, unanswered},
    form::{Outcome, ZIP},
    signed,
};

/// Most bytes of a download.
const MAX_DOWNLOAD: usize = 16 << 20;
/// Fewest bytes of a ZIP archive: its end record alone.
const MIN_ZIP: usize = 22;

/// The three codes (三码).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Codes {
    /// 票据代码.
    pub bill_code: String,
    /// 票据号码.
    pub bill_number: String,
    /// 校验码.
    pub check_code: String,
}

/// An original.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Download {
    /// The ZIP archive.
    pub zip: Vec<u8>,
    /// Its SM3.
    pub digest: [u8; 32],
}

impl OldSystem {
    /// The bill of three codes; none: there is no such, or the check code is another.
    pub async fn query(&self, codes: &Codes) -> Result<Option<OldBill>, Failure> {
        match self.ask::<OldBill>("bill_query", json!(codes)).await? {
            Outcome::NotFound => Ok(None),
            Outcome::Done(bill)
                if bill.bill_code == codes.bill_code && bill.bill_number == codes.bill_number =>
            {
                Ok(Some(bill))
            }
            Outcome::Done(bill) => Err(passing(
                format!("the answer is about {}, not the bill asked for", bill.key()),
                &[],
            )),
        }
    }

    /// The original of a bill: a ZIP archive, or the interface's JSON if there is none, which
    /// the content type tells apart.
    pub async fn download(&self, codes: &Codes) -> Result<Option<Download>, Failure> {
        let message = json!(codes);
        let id =
            signed::question_id(&format!("bill_download {message} {}", self.tools.clock.now()));
        let mut request = self.request("bill_download", &id, &message);
        request.max_answer_bytes = Some(MAX_DOWNLOAD);
        let answer = self.tools.http.send(request).await.map_err(unanswered)?;
        by_status(&answer)?;
        if answer.header("content-type").is_some_and(|kind| kind.starts_with(ZIP)) {
            return checked_zip(answer.body).map(Some);
        }
        match self.caller.read::<serde_json::Value>(&id, &answer)? {
            Outcome::NotFound => Ok(None),
            Outcome::Done(_) => {
                Err(passing("a download answered neither an archive nor a failure", &answer.body))
            }
        }
    }
}

/// An archive that is one from its first to its last record.
pub fn checked_zip(zip: Vec<u8>) -> Result<Download, Failure> {
    let begins = zip.starts_with(b"PK\x03\x04");
    let ends = zip.len() >= MIN_ZIP && zip[zip.len() - MIN_ZIP..].starts_with(b"PK\x05\x06") && {
        let at = zip.len() - MIN_ZIP;
        let number = |from: usize| {
            zip[at + from..at + from + 4]
                .iter()
                .rev()
                .fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte))
        };
        // The directory lies between the files and this record.
        number(12) + number(16) == at as u64
    };
    if !begins || !ends {
        return Err(passing("the download is no whole ZIP archive", &zip));
    }
    let digest = sm3(&zip);
    Ok(Download { zip, digest })
}
