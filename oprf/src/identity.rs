//! Identity numbers, checked and in one form, so that one person has one reference.
//!
//! | `id_type` | document | rule |
//! | --- | --- | --- |
//! | 01 | 居民身份证 | GB 11643: 18 characters, a date, a check digit; the 15 digits of before 1999 become the 18 that replaced them |
//! | 50 | 统一社会信用代码 | GB 32100: 18 characters and a check character |
//! | any other two digits | passports and the like | 1 to 32 letters and digits |
//!
//! Before the check, blanks around the number go, full-width characters become ASCII and
//! letters upper case. In types other than 01 and 50, blanks and hyphens within it go too.

use core::fmt;
use zeroize::Zeroizing;

/// Longest number, in characters, as it is given.
pub const MAX_NUMBER: usize = 64;
/// Longest number of a type without a rule of its own.
const MAX_OTHER: usize = 32;
/// What an input of the function begins with: no other use of the key has it.
const DOMAIN: &[u8] = b"BillChain payer reference 1:";

/// Characters of a 统一社会信用代码, by their value.
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Weights of its first 17 characters: powers of 3 modulo 31.
const CREDIT_WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Weights of a resident card's first 17 digits: powers of 2 modulo 11.
const RESIDENT_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Its check digit, by the weighted sum modulo 11.
const RESIDENT_CHECK: &[u8; 11] = b"10X98765432";

/// Sort of identity document, two digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdType([u8; 2]);

impl IdType {
    /// 居民身份证, the default for a person.
    pub const RESIDENT_CARD: IdType = IdType(*b"01");
    /// 统一社会信用代码, the default for a unit.
    pub const UNIFIED_CREDIT_CODE: IdType = IdType(*b"50");

    /// Another type, two digits.
    ///
    /// # Errors
    /// [`IdentityError::Type`] for anything else.
    pub fn new(code: &str) -> Result<Self, IdentityError> {
        match code.as_bytes() {
            [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Ok(Self([*a, *b])),
            _ => Err(IdentityError::Type),
        }
    }
}

impl fmt::Display for IdType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", char::from(self.0[0]), char::from(self.0[1]))
    }
}

/// Why a number is not taken. No message has the number in it: messages reach logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// No type of document.
    #[error("id_type: expected two digits, such as 01 (居民身份证) or 50 (统一社会信用代码)")]
    Type,
    /// A wrong number of characters.
    #[error("identity number of type {id_type}: {found} characters, expected {expected}")]
    Length {
        /// The type of document.
        id_type: IdType,
        /// How many are right.
        expected: &'static str,
        /// How many were given.
        found: usize,
    },
    /// A character that the type does not have.
    #[error("identity number of type {id_type}: character {at} is not {expected}")]
    Character {
        /// The type of document.
        id_type: IdType,
        /// Which one, from 1.
        at: usize,
        /// What may stand there.
        expected: &'static str,
    },
    /// A date that is none.
    #[error("identity number of type 01: characters 7 to 14 are no date from 1800 to 2199")]
    Date,
    /// A check digit that belongs to another number.
    #[error("identity number of type {id_type}: its check digit belongs to another number")]
    CheckDigit {
        /// The type of document.
        id_type: IdType,
    },
}

/// An identity: type of document and number, checked, in its one form.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    id_type: IdType,
    number: Zeroizing<String>,
}

impl fmt::Debug for Identity {
    /// Without the number, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("id_type", &self.id_type).finish_non_exhaustive()
    }
}

impl Identity {
    /// Checks a number.
    ///
    /// # Errors
    /// An [`IdentityError`] that says which rule it breaks.
    pub fn new(id_type: IdType, number: &str) -> Result<Self, IdentityError> {
        let plain = plain(id_type, number)?;
        let number = match id_type {
            IdType::RESIDENT_CARD => resident(&plain)?,
            IdType::UNIFIED_CREDIT_CODE => credit(&plain)?,
            _ => other(id_type, &plain)?,
        };
        Ok(Self { id_type, number })
    }

    /// The type of document.
    pub fn id_type(&self) -> IdType {
        self.id_type
    }

    /// What the function is evaluated at: a tag of this use, the type, the number. The
    /// type always has two bytes, so that type and number cannot be confused.
    pub fn input(&self) -> Vec<u8> {
        [DOMAIN, &self.id_type.0, self.number.as_bytes()].concat()
    }
}

/// ASCII in upper case, without blanks around it.
fn plain(id_type: IdType, number: &str) -> Result<Zeroizing<String>, IdentityError> {
    let found = number.chars().take(MAX_NUMBER + 1).count();
    if found > MAX_NUMBER {
        return Err(IdentityError::Length { id_type, expected: "at most 64", found });
    }
    let ascii = |c: char| match c {
        // Full-width forms are as far from ASCII as their block is.
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c).to_ascii_uppercase()
        }
        '\u{3000}' => ' ',
        c => c.to_ascii_uppercase(),
    };
    let mut plain = Zeroizing::new(String::with_capacity(MAX_NUMBER * 4));
    plain.extend(number.trim().chars().map(ascii));
    Ok(plain)
}

/// Position of the first character that is not as `is_right` says.
fn every(
    id_type: IdType,
    number: &str,
    expected: &'static str,
    is_right: impl Fn(usize, char) -> bool,
) -> Result<(), IdentityError> {
    let wrong = number.chars().zip(1..).find(|(c, at)| !is_right(*at, *c));
    wrong.map_or(Ok(()), |(_, at)| Err(IdentityError::Character { id_type, at, expected }))
}

fn resident(number: &str) -> Result<Zeroizing<String>, IdentityError> {
    let id_type = IdType::RESIDENT_CARD;
    let found = number.chars().count();
    if found != 15 && found != 18 {
        return Err(IdentityError::Length { id_type, expected: "18, or 15 of before 1999", found });
    }
    every(id_type, number, "a digit (the last may be X)", |at, c| {
        c.is_ascii_digit() || (at == 18 && c == 'X')
    })?;
    let mut whole = Zeroizing::new(String::with_capacity(18));
    if found == 15 {
        // The century that the short form leaves out, and the check digit.
        whole.extend([&number[..6], "19", &number[6..]]);
        let check = resident_check(&whole);
        whole.push(check);
    } else {
        whole.push_str(number);
    }
    if !is_date(&whole[6..14]) {
        return Err(IdentityError::Date);
    }
    if whole.ends_with(resident_check(&whole)) {
        Ok(whole)
    } else {
        Err(IdentityError::CheckDigit { id_type })
    }
}

/// The check digit of the first 17 digits.
fn resident_check(number: &str) -> char {
    let digits = number.bytes().map(|b| u32::from(b - b'0'));
    let sum: u32 = digits.zip(RESIDENT_WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    char::from(RESIDENT_CHECK[(sum % 11) as usize])
}

/// Whether eight digits are a date of a person's birth.
fn is_date(digits: &str) -> bool {
    let part = |range: core::ops::Range<usize>| digits[range].parse::<u32>().unwrap_or(0);
    let (year, month, day) = (part(0..4), part(4..6), part(6..8));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1800..2200).contains(&year) && (1..=days).contains(&day)
}

fn credit(number: &str) -> Result<Zeroizing<String>, IdentityError> {
    let id_type = IdType::UNIFIED_CREDIT_CODE;
    let found = number.chars().count();
    if found != 18 {
        return Err(IdentityError::Length { id_type, expected: "18", found });
    }
    let value = |b: u8| CREDIT_ALPHABET.iter().position(|c| *c == b);
    every(id_type, number, "a digit or a letter other than I, O, S, V and Z", |_, c| {
        u8::try_from(c).is_ok_and(|b| value(b).is_some())
    })?;
    let values: Vec<u32> =
        number.bytes().filter_map(value).filter_map(|value| u32::try_from(value).ok()).collect();
    let sum: u32 = values.iter().zip(CREDIT_WEIGHTS).map(|(value, weight)| value * weight).sum();
    if values.last() != Some(&((31 - sum % 31) % 31)) {
        return Err(IdentityError::CheckDigit { id_type });
    }
    Ok(Zeroizing::new(number.to_owned()))
}

fn other(id_type: IdType, number: &str) -> Result<Zeroizing<String>, IdentityError> {
    let mut kept = Zeroizing::new(String::with_capacity(MAX_NUMBER));
    kept.extend(number.chars().filter(|c| !matches!(c, ' ' | '-')));
    let found = kept.chars().count();
    if found == 0 || found > MAX_OTHER {
        return Err(IdentityError::Length { id_type, expected: "1 to 32", found });
    }
    every(id_type, &kept, "a letter or a digit", |_, c| c.is_ascii_alphanumeric())?;
    Ok(kept)
}
