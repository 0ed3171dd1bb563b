//! What the QR code of a printed certificate says: which file it was printed from.

use crate::{Unprintable, sm3};
use billchain_verifier::{Block, Digest, Proved, Statement};
use std::{fmt, str::FromStr};

/// What a locator begins with: a scheme, what it locates, and its format.
const PREFIX: &str = "BILLCHAIN:CERT:1:";

/// Longest locator: the prefix, three hashes, code and number, a block's number, and the signs
/// between them.
const LONGEST: usize = PREFIX.len() + 64 + 1 + 19 + 1 + 10 + 1 + 64 + 1 + 64;

/// Names the file of a certificate, and what it says: enough to find it, and to know that it
/// is the one that was printed.
///
/// ```
/// use billchain_print::Locator;
///
/// let hash = "0123456789ABCDEF".repeat(4);
/// let text = format!("BILLCHAIN:CERT:1:{hash}:31060126-0000000007:20:{hash}:{hash}");
/// let locator: Locator = text.parse().unwrap();
/// assert_eq!(locator.block.number, 20);
/// assert_eq!(locator.to_string(), text);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator {
    /// Hash of the chain's genesis.
    pub genesis: Digest,
    /// 票据代码, 8 digits.
    pub code: String,
    /// 票据号码, 10 digits.
    pub number: String,
    /// The block after which it was so.
    pub block: Block,
    /// SM3 of the certificate's file.
    pub file: Digest,
}

/// Why a text is no locator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no locator of a certificate: {field}: expected {expected}")]
pub struct NoLocator {
    /// What is wrong.
    pub field: &'static str,
    /// What was expected there.
    pub expected: &'static str,
}

impl Locator {
    /// The locator of a certificate that proves what `proved` says.
    ///
    /// # Errors
    /// If that is neither that a bill is there nor that it is not.
    pub fn of(proved: &Proved<'_>, certificate: &[u8]) -> Result<Self, Unprintable> {
        let (code, number) = if let Statement::Present { bill, .. } = &proved.statement {
            (bill.code, bill.number)
        } else if let Statement::Absent { code, number } = &proved.statement {
            (*code, *number)
        } else {
            return Err(Unprintable::Statement);
        };
        Ok(Self {
            genesis: proved.genesis,
            code: code.to_owned(),
            number: number.to_owned(),
            block: proved.block,
            file: sm3(certificate),
        })
    }

    /// What another locator says otherwise, first of all; nothing if both are the same.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        [
            (self.genesis != other.genesis, "the genesis"),
            ((&self.code, &self.number) != (&other.code, &other.number), "the bill"),
            (self.block != other.block, "the block"),
            (self.file != other.file, "SM3 of the certificate"),
        ]
        .into_iter()
        .find_map(|(differs, what)| differs.then_some(what))
    }
}

impl fmt::Display for Locator {
    /// In capital letters: a QR code holds them in 5.5 bits each, others in 8.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { genesis, code, number, block, file } = self;
        let [genesis, hash, file] = [genesis, &block.hash, file].map(hex::encode_upper);
        write!(f, "{PREFIX}{genesis}:{code}-{number}:{}:{hash}:{file}", block.number)
    }
}

impl FromStr for Locator {
    type Err = NoLocator;

    fn from_str(text: &str) -> Result<Self, NoLocator> {
        let wrong = |field, expected| NoLocator { field, expected };
        if text.len() > LONGEST {
            return Err(wrong("the whole", "at most 242 characters"));
        }
        let rest = text
            .get(..PREFIX.len())
            .filter(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
            .map(|prefix| &text[prefix.len()..])
            .ok_or_else(|| wrong("the beginning", "billchain:cert:1:"))?;
        let parts: Vec<&str> = rest.split(':').collect();
        let [genesis, bill, block, hash, file] = parts[..] else {
            return Err(wrong("the parts", "five behind the beginning, with a colon between them"));
        };
        let (code, number) = bill
            .split_once('-')
            .filter(|(code, number)| digits(code, 8) && digits(number, 10))
            .ok_or_else(|| wrong("the bill", "8 digits, a hyphen and 10 digits"))?;
        Ok(Self {
            genesis: digest(genesis, "the genesis' hash")?,
            code: code.to_owned(),
            number: number.to_owned(),
            block: Block { number: height(block)?, hash: digest(hash, "the block's hash")? },
            file: digest(file, "SM3 of the certificate")?,
        })
    }
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn digest(text: &str, field: &'static str) -> Result<Digest, NoLocator> {
    let mut digest = Digest::default();
    hex::decode_to_slice(text, &mut digest)
        .map_err(|_| NoLocator { field, expected: "64 hexadecimal digits" })?;
    Ok(digest)
}

/// A number in its one form: digits alone, the first of more than one is not 0.
fn height(text: &str) -> Result<u32, NoLocator> {
    text.parse().ok().filter(|number: &u32| number.to_string() == text).ok_or(NoLocator {
        field: "the block's number",
        expected: "a number below 2^32, without a sign or zeros in front",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locator() -> Locator {
        Locator {
            genesis: [0xab; 32],
            code: "31060126".to_owned(),
            number: "0000000007".to_owned(),
            block: Block { number: u32::MAX, hash: [0x12; 32] },
            file: core::array::from_fn(|at| at as u8),
        }
    }

    #[test]
    fn a_locator_is_read_as_it_was_written() {
        let text = locator().to_string();
        assert_eq!(
            text,
            format!(
                "BILLCHAIN:CERT:1:{}:31060126-0000000007:4294967295:{}:{}",
                "AB".repeat(32),
                "12".repeat(32),
                "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
            )
        );
        assert_eq!(text.len(), LONGEST);
        assert_eq!(text.parse(), Ok(locator()));
        // Those who pass it on may have changed the case of a scheme, or of all.
        assert_eq!(text.to_lowercase().parse(), Ok(locator()));
        let zero = Locator { block: Block { number: 0, ..locator().block }, ..locator() };
        assert_eq!(zero.to_string().parse(), Ok(zero));
    }

    #[test]
    fn what_is_no_locator_is_refused_with_the_field() {
        let text = locator().to_string();
        let replaced = |from: &str, to: &str| text.replacen(from, to, 1);
        for (wrong, field) in [
            (String::new(), "the beginning"),
            (replaced("BILLCHAIN", "BILLCHAIM"), "the beginning"),
            (replaced(":1:", ":2:"), "the beginning"),
            (text[1..].to_owned(), "the beginning"),
            ("票".repeat(60), "the beginning"),
            (format!("{text} "), "the whole"),
            (replaced(":4294967295", ""), "the parts"),
            (replaced("4294967295", "1:2"), "the parts"),
            (replaced("AB", ""), "the genesis' hash"),
            (replaced("AB", "XY"), "the genesis' hash"),
            (replaced("31060126", "3106012"), "the bill"),
            (replaced("0000000007", "000000000a"), "the bill"),
            (replaced("-0000000007", "0000000007"), "the bill"),
            (replaced("4294967295", "4294967296"), "the block's number"),
            (replaced("4294967295", "007"), "the block's number"),
            (replaced("4294967295", "+7"), "the block's number"),
            (replaced("4294967295", ""), "the block's number"),
            (replaced("1212", "121"), "the block's hash"),
            (text[..text.len() - 1].to_owned(), "SM3 of the certificate"),
        ] {
            let refused = wrong.parse::<Locator>().unwrap_err();
            assert_eq!(refused.field, field, "{wrong}");
        }
        for end in 0..text.len() {
            assert!(text[..end].parse::<Locator>().is_err(), "{end} characters");
        }
    }

    #[test]
    fn each_difference_is_named() {
        let same = locator();
        assert_eq!(same.difference(&locator()), None);
        let block = same.block;
        for (other, what) in [
            (Locator { genesis: [0; 32], ..locator() }, "the genesis"),
            (Locator { code: "31060127".to_owned(), ..locator() }, "the bill"),
            (Locator { number: "0000000008".to_owned(), ..locator() }, "the bill"),
            (Locator { block: Block { number: 1, ..block }, ..locator() }, "the block"),
            (Locator { block: Block { hash: [0; 32], ..block }, ..locator() }, "the block"),
            (Locator { file: [0; 32], ..locator() }, "SM3 of the certificate"),
        ] {
            assert_eq!(same.difference(&other), Some(what));
        }
    }
}
