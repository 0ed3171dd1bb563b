//! One pass over the document that keeps the text of the known elements.

use super::{
    MAX_DEPTH, MAX_LINES, MAX_TEXT,
    error::{EInvoiceError, shortened},
};
use billchain_primitives::{Fen, bill::InvalidField};
use core::str::FromStr;
use quick_xml::{
    Reader,
    errors::SyntaxError,
    events::{BytesRef, BytesStart, Event},
};
use std::collections::HashMap;

/// Paths of the elements that are read.
pub(super) mod element {
    macro_rules! main {
        ($rest:literal) => {
            concat!("EInvoice/EInvoiceData/Main/", $rest)
        };
    }

    pub const ROOT: &str = "EInvoice";
    pub const TAG: &str = "EInvoice/Header/EInvoiceTag";
    pub const NAME: &str = main!("EInvoiceName");
    pub const CODE: &str = main!("EInvoiceCode");
    pub const NUMBER: &str = main!("EInvoiceNumber");
    pub const CHECK_CODE: &str = main!("RandomNumber");
    pub const TOTAL: &str = main!("TotalAmount");
    pub const ISSUE_DATE: &str = main!("IssueDate");
    pub const ISSUE_TIME: &str = main!("IssueTime");
    pub const ISSUER_CODE: &str = main!("InvoicingParty/InvoicingPartyCode");
    pub const ISSUER_NAME: &str = main!("InvoicingParty/InvoicingPartyName");
    pub const PAYER_TYPE: &str = main!("PayerParty/PayerPartyType");
    pub const PAYER_CODE: &str = main!("PayerParty/PayerPartyCode");
    pub const PAYER_NAME: &str = main!("PayerParty/PayerPartyName");
    pub const BIZ_CODE: &str = main!("BizCode");
    pub const RELATED_CODE: &str = main!("MainExt/RelatedInvoiceCode");
    pub const RELATED_NUMBER: &str = main!("MainExt/RelatedInvoiceNumber");
    pub const ITEM: &str = "EInvoice/EInvoiceData/Details/Item";
    pub const ITEM_AMOUNT: &str = "EInvoice/EInvoiceData/Details/Item/ItemAmount";
    pub const LINE: &str = "EInvoice/EInvoiceData/AuxDetails/AuxItem";
    pub const LINE_AMOUNT: &str = "EInvoice/EInvoiceData/AuxDetails/AuxItem/AuxItemAmount";

    /// Elements that may stand once.
    pub const SINGLE: [&str; 16] = [
        TAG,
        NAME,
        CODE,
        NUMBER,
        CHECK_CODE,
        TOTAL,
        ISSUE_DATE,
        ISSUE_TIME,
        ISSUER_CODE,
        ISSUER_NAME,
        PAYER_TYPE,
        PAYER_CODE,
        PAYER_NAME,
        BIZ_CODE,
        RELATED_CODE,
        RELATED_NUMBER,
    ];
}

/// What was found.
#[derive(Default)]
pub(super) struct Fields {
    texts: HashMap<&'static str, String>,
    /// Number of charge items.
    pub items: usize,
    /// Number of detail lines.
    pub lines: usize,
    /// Sum of the items, in fen.
    pub sum: i128,
    /// Whether the current item's amount was seen.
    item_has_amount: bool,
}

impl Fields {
    /// Text of a required element, without surrounding white space.
    pub fn text(&self, path: &'static str) -> Result<&str, EInvoiceError> {
        match self.texts.get(path).map(|text| text.trim()) {
            None => Err(EInvoiceError::MissingElement { path }),
            Some("") => Err(EInvoiceError::EmptyElement { path }),
            Some(text) => Ok(text),
        }
    }

    /// A required element as a checked value.
    pub fn parse<T: FromStr<Err = InvalidField>>(
        &self,
        path: &'static str,
    ) -> Result<T, EInvoiceError> {
        checked(path, self.text(path)?)
    }

    /// An element that may be absent or empty.
    pub fn optional<T: FromStr<Err = InvalidField>>(
        &self,
        path: &'static str,
    ) -> Result<Option<T>, EInvoiceError> {
        match self.texts.get(path).map(|text| text.trim()) {
            None | Some("") => Ok(None),
            Some(text) => checked(path, text).map(Some),
        }
    }
}

fn checked<T: FromStr<Err = InvalidField>>(
    path: &'static str,
    text: &str,
) -> Result<T, EInvoiceError> {
    text.parse().map_err(|e: InvalidField| EInvoiceError::invalid(path, e.expected, text))
}

/// Reads the whole document.
pub(super) fn read(text: &str) -> Result<Fields, EInvoiceError> {
    let mut walk = Walk::default();
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    loop {
        let event = reader.read_event().map_err(|e| walk.syntax_error(&reader, &e))?;
        match event {
            Event::Start(start) => walk.open(&start, reader.buffer_position())?,
            Event::Empty(start) => {
                walk.open(&start, reader.buffer_position())?;
                walk.close()?;
            }
            Event::End(_) => walk.close()?,
            Event::Text(piece) => {
                let piece = piece.decode().map_err(|e| malformed(&reader, &e))?;
                walk.append(&piece, reader.buffer_position())?;
            }
            Event::CData(piece) => {
                let piece = piece.decode().map_err(|e| malformed(&reader, &e))?;
                walk.append(&piece, reader.buffer_position())?;
            }
            Event::GeneralRef(reference) => {
                let character = walk.resolve(&reference)?;
                walk.append(character.encode_utf8(&mut [0; 4]), reader.buffer_position())?;
            }
            Event::DocType(_) => return Err(EInvoiceError::DocumentType),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    walk.finish()
}

fn malformed(reader: &Reader<&[u8]>, error: &dyn core::fmt::Display) -> EInvoiceError {
    EInvoiceError::Malformed { at: reader.buffer_position(), reason: error.to_string() }
}

/// Where the reader stands.
#[derive(Default)]
struct Walk {
    /// Path of the open element, its parts joined with `/`.
    path: String,
    depth: usize,
    /// The known element that is open, and its text so far.
    current: Option<(&'static str, String)>,
    seen_root: bool,
    fields: Fields,
}

impl Walk {
    fn open(&mut self, start: &BytesStart<'_>, at: u64) -> Result<(), EInvoiceError> {
        let name = start.local_name();
        // The reader works on text that was decoded already.
        let name = core::str::from_utf8(name.as_ref()).unwrap_or_default();
        // The reader takes all up to a space for the name, and a name of
        // several parts would pass for elements within one another.
        if name.is_empty() || name.contains('/') {
            let reason = format!("no element can be called \"{}\"", shortened(name));
            return Err(EInvoiceError::Malformed { at, reason });
        }
        if self.depth == 0 && (self.seen_root || name != element::ROOT) {
            return Err(EInvoiceError::WrongRoot { found: shortened(name) });
        }
        if self.depth == MAX_DEPTH {
            return Err(EInvoiceError::TooDeep { max: MAX_DEPTH, path: shortened(&self.path) });
        }
        self.seen_root = true;
        self.depth += 1;
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(name);
        self.on_open()
    }

    fn on_open(&mut self) -> Result<(), EInvoiceError> {
        if let Some((path, _)) = &self.current {
            let inner = self.path.rsplit('/').next().unwrap_or_default();
            return Err(EInvoiceError::invalid(path, "text alone", &format!("<{inner}>")));
        }
        match self.path.as_str() {
            element::ITEM => {
                self.fields.items += 1;
                self.fields.item_has_amount = false;
                bounded(element::ITEM, self.fields.items)
            }
            element::LINE => {
                self.fields.lines += 1;
                bounded(element::LINE, self.fields.lines)
            }
            element::ITEM_AMOUNT => {
                self.begin(element::ITEM_AMOUNT);
                Ok(())
            }
            element::LINE_AMOUNT => {
                self.begin(element::LINE_AMOUNT);
                Ok(())
            }
            path => match element::SINGLE.iter().find(|known| **known == path) {
                Some(known) if self.fields.texts.contains_key(known) => {
                    Err(EInvoiceError::RepeatedElement { path: known })
                }
                Some(known) => {
                    self.begin(known);
                    Ok(())
                }
                None => Ok(()),
            },
        }
    }

    fn begin(&mut self, path: &'static str) {
        self.current = Some((path, String::new()));
    }

    fn append(&mut self, piece: &str, at: u64) -> Result<(), EInvoiceError> {
        if self.depth == 0 && !piece.trim().is_empty() {
            let reason = "text outside the outermost element".to_owned();
            return Err(EInvoiceError::Malformed { at, reason });
        }
        let Some((path, text)) = &mut self.current else { return Ok(()) };
        if text.len() + piece.len() > MAX_TEXT {
            return Err(EInvoiceError::TextTooLong { path, max: MAX_TEXT });
        }
        text.push_str(piece);
        Ok(())
    }

    fn resolve(&self, reference: &BytesRef<'_>) -> Result<char, EInvoiceError> {
        let refused = || EInvoiceError::Entity {
            path: shortened(&self.path),
            name: shortened(&String::from_utf8_lossy(reference)),
        };
        if let Some(character) = reference.resolve_char_ref().map_err(|_| refused())? {
            return Ok(character);
        }
        match reference.as_ref() {
            b"amp" => Ok('&'),
            b"lt" => Ok('<'),
            b"gt" => Ok('>'),
            b"quot" => Ok('"'),
            b"apos" => Ok('\''),
            _ => Err(refused()),
        }
    }

    fn close(&mut self) -> Result<(), EInvoiceError> {
        let is_current = self.current.as_ref().is_some_and(|(path, _)| *path == self.path);
        if is_current && let Some((path, text)) = self.current.take() {
            self.on_text(path, text)?;
        }
        if self.path == element::ITEM && !self.fields.item_has_amount {
            return Err(EInvoiceError::MissingElement { path: element::ITEM_AMOUNT });
        }
        self.depth = self.depth.saturating_sub(1);
        let parent = self.path.rfind('/').unwrap_or(0);
        self.path.truncate(parent);
        Ok(())
    }

    fn on_text(&mut self, path: &'static str, text: String) -> Result<(), EInvoiceError> {
        match path {
            element::ITEM_AMOUNT => {
                if self.fields.item_has_amount {
                    return Err(EInvoiceError::RepeatedElement { path });
                }
                self.fields.item_has_amount = true;
                self.fields.sum += i128::from(checked::<Fen>(path, text.trim())?.get());
            }
            // A detail line may leave its amount to its item.
            element::LINE_AMOUNT if text.trim().is_empty() => {}
            element::LINE_AMOUNT => {
                checked::<Fen>(path, text.trim())?;
            }
            _ => {
                self.fields.texts.insert(path, text);
            }
        }
        Ok(())
    }

    /// A syntax error at the very end is a document that was cut off.
    fn syntax_error(&self, reader: &Reader<&[u8]>, error: &quick_xml::Error) -> EInvoiceError {
        match error {
            quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype) => EInvoiceError::DocumentType,
            quick_xml::Error::Syntax(SyntaxError::InvalidBangMarkup) => malformed(reader, error),
            quick_xml::Error::Syntax(_) => EInvoiceError::Truncated { open: self.innermost() },
            _ => malformed(reader, error),
        }
    }

    fn finish(self) -> Result<Fields, EInvoiceError> {
        if self.depth > 0 {
            return Err(EInvoiceError::Truncated { open: self.innermost() });
        }
        if !self.seen_root {
            return Err(EInvoiceError::MissingElement { path: element::ROOT });
        }
        Ok(self.fields)
    }

    fn innermost(&self) -> String {
        if self.path.is_empty() { element::ROOT.to_owned() } else { shortened(&self.path) }
    }
}

fn bounded(path: &'static str, found: usize) -> Result<(), EInvoiceError> {
    if found > MAX_LINES {
        return Err(EInvoiceError::TooManyLines { path, max: MAX_LINES });
    }
    Ok(())
}
