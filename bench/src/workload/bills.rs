//! Bills that nobody has: the load model's kinds and amounts, new numbers.

use super::random::Chance;
use billchain_primitives::{
    BillCode, BillKey, BillKind, BillNumber, BillSummary, CheckCode, Did, Fen, IssueDate,
    IssueTime, PayerType, SceneId, Uscc,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// Numbers that the finance bureau hands to an issuer at a time (票据号段).
const SEGMENT: u64 = 1_000;
/// Numbers there are.
const NUMBERS: u64 = 10_000_000_000;
/// 开票日期 of all bills, yyyymmdd.
pub(crate) const ISSUED: u32 = 20_260_105;
/// Share of bills over nothing.
const ZERO_SHARE: f64 = 0.01;

/// Codes with their shares; amounts are lognormal with this median, in yuan,
/// and deviation.
const KINDS: [(&str, f64, f64, f64); 3] = [
    ("31060126", 0.82, 110.0, 1.2),
    ("31060226", 0.015, 6_000.0, 1.04),
    // Other medical bills: amounts as of outpatient ones.
    ("31060326", 0.165, 110.0, 1.2),
];

/// Makes the bills of a run, each under a number of its own.
pub(crate) struct Maker {
    chance: Chance,
    codes: [BillCode; 3],
    uscc: Uscc,
    issuers: Vec<Issuer>,
    next_segment: u64,
}

struct Issuer {
    did: Did,
    /// Numbers at hand.
    numbers: std::ops::Range<u64>,
}

/// First number of a run that nobody chose one for: the hundredths of a second
/// of the last three years, so that runs on one chain do not meet.
pub(crate) fn first_number() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_millis() as u64 / 10) % NUMBERS
}

/// DID of the development chain's issuer `//hospital-<number + 1>`.
pub(crate) fn issuer_did(number: usize) -> Did {
    valid(&format!("did:bill:hospital-{}", number + 1))
}

/// Code of most bills: outpatient ones.
pub(crate) fn outpatient() -> BillCode {
    valid(KINDS[0].0)
}

/// A number, of whose digits the last ten count.
pub(crate) fn bill_number(number: u64) -> BillNumber {
    valid(&format!("{:010}", number % NUMBERS))
}

/// The month in which all bills are issued, yyyymm.
pub(crate) fn issue_month() -> String {
    format!("{:06}", ISSUED / 100)
}

impl Maker {
    /// Bills of the first `issuers` of the development chain, numbered from
    /// `first`.
    pub(crate) fn new(seed: u64, issuers: usize, first: u64) -> Self {
        let issuers =
            (0..issuers).map(|number| Issuer { did: issuer_did(number), numbers: 0..0 }).collect();
        Self {
            chance: Chance::new(seed, "bills"),
            codes: KINDS.map(|(code, ..)| valid(code)),
            uscc: valid("91350100M000100Y43"),
            issuers,
            next_segment: first,
        }
    }

    /// First number that no issuer has yet.
    pub(crate) fn next_number(&self) -> u64 {
        self.next_segment
    }

    /// A new bill of an issuer.
    pub(crate) fn bill(&mut self, issuer: usize) -> BillSummary {
        let mut draw = self.chance.unit();
        let mut kind = KINDS.len() - 1;
        for (at, (_, share, ..)) in KINDS.iter().enumerate() {
            if draw < *share {
                kind = at;
                break;
            }
            draw -= share;
        }
        let (_, _, median, sigma) = KINDS[kind];
        let yuan = match self.chance.happens(ZERO_SHARE) {
            true => 0.0,
            false => self.chance.lognormal(median, sigma),
        };
        let total = Fen::new((yuan * 100.0).round() as i64).unwrap_or(Fen::ZERO);
        self.with(issuer, self.codes[kind], total)
    }

    /// The red bill that takes `blue` back.
    pub(crate) fn red(&mut self, issuer: usize, blue: &BillSummary) -> BillSummary {
        let mut red = self.with(issuer, blue.key.code, blue.total.negated());
        red.kind = BillKind::Red;
        red.related = Some(blue.key);
        red
    }

    /// The bill over what is not refunded of `blue`.
    pub(crate) fn balance(&mut self, issuer: usize, blue: &BillSummary) -> BillSummary {
        let part = (blue.total.get() as f64 * self.chance.unit()) as i64;
        let total = Fen::new(part.min(blue.total.get())).unwrap_or(Fen::ZERO);
        let mut balance = self.with(issuer, blue.key.code, total);
        balance.related = Some(blue.key);
        balance
    }

    fn with(&mut self, issuer: usize, code: BillCode, total: Fen) -> BillSummary {
        let number = self.number(issuer);
        let payer_type = match self.chance.happens(0.98) {
            true => PayerType::Person,
            false => PayerType::Organisation,
        };
        BillSummary {
            key: BillKey { code, number: bill_number(number) },
            check_code: check_code(&mut self.chance),
            kind: BillKind::Blue,
            issue_date: IssueDate::new(ISSUED).expect("a real date; qed"),
            issue_time: IssueTime::new(93015).expect("a time of day; qed"),
            total,
            issuer: self.issuers[issuer].did.clone(),
            issuer_uscc: self.uscc,
            payer_type,
            payer_ref: self.chance.hash(),
            scene: SceneId(1),
            biz_no_hash: self.chance.hash(),
            xml_hash: self.chance.hash(),
            pdf_hash: self.chance.hash(),
            location_hash: self.chance.hash(),
            related: None,
        }
    }

    fn number(&mut self, issuer: usize) -> u64 {
        let numbers = &mut self.issuers[issuer].numbers;
        if numbers.is_empty() {
            *numbers = self.next_segment..self.next_segment + SEGMENT;
            self.next_segment += SEGMENT;
        }
        let number = numbers.start;
        numbers.start += 1;
        number % NUMBERS
    }
}

fn check_code(chance: &mut Chance) -> CheckCode {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let code: String = (0..6).map(|_| char::from(ALPHABET[chance.below(ALPHABET.len())])).collect();
    valid(&code)
}

fn valid<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("the texts here keep the rules of their types; qed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SEED: u64 = 4;

    fn many(count: usize) -> Vec<BillSummary> {
        let mut maker = Maker::new(SEED, 51, 0);
        (0..count).map(|at| maker.bill(at % 51)).collect()
    }

    #[test]
    fn no_two_bills_have_one_number_and_issuers_have_segments() {
        let bills = many(60_000);
        let keys: BTreeSet<_> = bills.iter().map(|bill| bill.key.number).collect();
        assert_eq!(keys.len(), bills.len());
        let first: Vec<&BillSummary> = bills.iter().filter(|b| b.issuer == issuer_did(0)).collect();
        let numbers: Vec<String> = first.iter().map(|bill| bill.key.number.to_string()).collect();
        assert_eq!(numbers[0], "0000000000");
        assert_eq!(numbers[999], "0000000999");
        // The next segment comes when every issuer has taken its first.
        assert_eq!(numbers[1_000], "0000051000");
    }

    #[test]
    fn numbers_begin_where_they_are_told_and_end_at_the_last() {
        let mut maker = Maker::new(SEED, 1, NUMBERS - 1);
        assert_eq!(maker.bill(0).key.number.to_string(), "9999999999");
        assert_eq!(maker.bill(0).key.number.to_string(), "0000000000");
        assert!(first_number() < NUMBERS);
    }

    #[test]
    fn kinds_and_amounts_are_the_load_models() {
        let bills = many(100_000);
        let share = |code: &str| {
            let count = bills.iter().filter(|b| b.key.code.to_string() == code).count();
            count as f64 / bills.len() as f64
        };
        assert!((share("31060126") - 0.82).abs() < 0.005);
        assert!((share("31060226") - 0.015).abs() < 0.002);
        assert!((share("31060326") - 0.165).abs() < 0.005);
        let zero = bills.iter().filter(|bill| bill.total == Fen::ZERO).count();
        assert!((zero as f64 / bills.len() as f64 - 0.01).abs() < 0.002, "{zero}");
        for (code, median) in [("31060126", 11_000.0), ("31060226", 600_000.0)] {
            let mut fen: Vec<i64> = bills
                .iter()
                .filter(|bill| bill.key.code.to_string() == code && bill.total > Fen::ZERO)
                .map(|bill| bill.total.get())
                .collect();
            fen.sort_unstable();
            let found = fen[fen.len() / 2] as f64;
            assert!((found / median - 1.0).abs() < 0.1, "{code}: {found}");
        }
    }

    #[test]
    fn red_and_balance_bills_fit_their_original() {
        let mut maker = Maker::new(SEED, 2, 0);
        for _ in 0..200 {
            let blue = maker.bill(1);
            let (red, balance) = (maker.red(1, &blue), maker.balance(1, &blue));
            assert_eq!((red.kind, red.total), (BillKind::Red, blue.total.negated()));
            assert!(balance.total >= Fen::ZERO && balance.total <= blue.total);
            assert_eq!((red.related, balance.related), (Some(blue.key), Some(blue.key)));
            assert_eq!((red.issuer, balance.issuer), (blue.issuer.clone(), blue.issuer.clone()));
        }
    }
}
