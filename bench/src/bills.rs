//! Bills that nobody has: the development chain's issuers, new numbers.

use billchain_crypto::sm3;
use billchain_primitives::{
    BillCode, BillKey, BillKind, BillNumber, BillSummary, CheckCode, Did, Fen, IssueDate,
    IssueTime, PayerType, SceneId, Uscc,
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// Makes bills with numbers that no earlier run used.
pub(crate) struct Maker {
    next: AtomicU64,
}

impl Maker {
    pub(crate) fn new() -> Self {
        // Ten digits: the hundredths of a second of the last three years.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = (now.as_millis() as u64 / 10) % 10_000_000_000;
        Self { next: AtomicU64::new(start) }
    }

    /// A new outpatient bill of `issuer`.
    pub(crate) fn bill(&self, issuer: &Did) -> BillSummary {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let hash = |purpose: u8| sm3::sm3(&[&n.to_le_bytes()[..], &[purpose]].concat());
        let number = format!("{:010}", n % 10_000_000_000);
        // Literals and ten digits keep the rules of their types.
        BillSummary {
            key: BillKey {
                code: valid::<BillCode>("31060126"),
                number: valid::<BillNumber>(&number),
            },
            check_code: valid::<CheckCode>("aZ09bY"),
            kind: BillKind::Blue,
            issue_date: IssueDate::new(20260105).expect("a real date; qed"),
            issue_time: IssueTime::new(93015).expect("a time of day; qed"),
            total: Fen::new(1 + (n % 1_000_000) as i64).expect("a small amount; qed"),
            issuer: issuer.clone(),
            issuer_uscc: valid::<Uscc>("91350100M000100Y43"),
            payer_type: PayerType::Person,
            payer_ref: hash(1),
            scene: SceneId(1),
            biz_no_hash: hash(2),
            xml_hash: hash(3),
            pdf_hash: [0; 32],
            location_hash: [0; 32],
            related: None,
        }
    }
}

fn valid<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("the texts here keep the rules of their types; qed")
}
