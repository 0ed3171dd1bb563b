//! One pass over the document that keeps the text of the known elements.
//!
//! An element belongs to the form if its namespace is the outermost element's.
//! One of another namespace is skipped with all that is in it, like an element
//! that the form does not know.

use super::{
    MAX_DEPTH, MAX_LINES, MAX_TEXT,
    document::{Document, Part},
    error::{EInvoiceError, shortened},
    fields::{Fields, checked, element, single},
    signature::{self, Parts},
};
use billchain_primitives::Fen;
use xml::{attribute::OwnedAttribute, name::OwnedName};

/// Reads the whole document, whose line ends are line feeds.
pub(super) fn read(text: &str) -> Result<Fields, EInvoiceError> {
    let mut walk = Walk::default();
    let mut document = Document::new(text)?;
    while let Some(part) = document.next(&walk.path)? {
        match part {
            Part::Open { name, attributes } => walk.open(&name, &attributes)?,
            Part::Text(text) => walk.append(&text)?,
            Part::Close => walk.close()?,
        }
    }
    if !walk.seen_root {
        return Err(EInvoiceError::MissingElement { path: element::ROOT });
    }
    Ok(walk.fields)
}

/// Where the reader stands.
#[derive(Default)]
struct Walk {
    /// Path of the open element of the form, its parts joined with `/`.
    path: String,
    /// Open elements of any namespace.
    depth: usize,
    /// How many of them are within one of another namespace, itself included.
    foreign: usize,
    /// Namespace of the form.
    namespace: Option<String>,
    /// The known element that is open, and its text so far.
    current: Option<(&'static str, String)>,
    /// The signature that is open.
    signature: Option<Parts>,
    seen_root: bool,
    seen_signatures: bool,
    item_has_amount: bool,
    fields: Fields,
}

impl Walk {
    fn open(
        &mut self,
        name: &OwnedName,
        attributes: &[OwnedAttribute],
    ) -> Result<(), EInvoiceError> {
        if self.depth == 0 && (self.seen_root || name.local_name != element::ROOT) {
            return Err(EInvoiceError::WrongRoot { found: shortened(&name.local_name) });
        }
        if self.depth == MAX_DEPTH {
            return Err(EInvoiceError::TooDeep { max: MAX_DEPTH, path: shortened(&self.path) });
        }
        if let Some((path, _)) = &self.current {
            let inner = format!("<{}>", shortened(&name.borrow().repr_display().to_string()));
            return Err(EInvoiceError::invalid(path, "text alone", &inner));
        }
        if self.depth == 0 {
            self.seen_root = true;
            self.namespace.clone_from(&name.namespace);
        }
        self.depth += 1;
        if self.foreign > 0 || name.namespace != self.namespace {
            self.foreign += 1;
            return Ok(());
        }
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(&name.local_name);
        self.on_open(attributes)
    }

    fn on_open(&mut self, attributes: &[OwnedAttribute]) -> Result<(), EInvoiceError> {
        match self.path.as_str() {
            element::ITEM => {
                self.fields.items += 1;
                self.item_has_amount = false;
                return bounded(element::ITEM, self.fields.items);
            }
            element::LINE => {
                self.fields.lines += 1;
                return bounded(element::LINE, self.fields.lines);
            }
            element::ITEM_AMOUNT => self.begin(element::ITEM_AMOUNT),
            element::LINE_AMOUNT => self.begin(element::LINE_AMOUNT),
            signature::element::SIGNATURES => {
                let path = signature::element::SIGNATURES;
                if std::mem::replace(&mut self.seen_signatures, true) {
                    return Err(EInvoiceError::RepeatedElement { path });
                }
            }
            signature::element::SIGNATURE => self.signature = Some(Parts::default()),
            path => {
                if let Some(known) = single(path) {
                    if self.fields.texts.contains_key(known) {
                        return Err(EInvoiceError::RepeatedElement { path: known });
                    }
                    self.begin(known);
                } else if let Some(known) = Parts::known(path) {
                    self.begin_of_signature(known, attributes)?;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, path: &'static str) {
        self.current = Some((path, String::new()));
    }

    fn begin_of_signature(
        &mut self,
        path: &'static str,
        attributes: &[OwnedAttribute],
    ) -> Result<(), EInvoiceError> {
        if self.signature.as_mut().is_some_and(|parts| parts.has(path)) {
            return Err(EInvoiceError::RepeatedElement { path });
        }
        self.begin(path);
        // Some systems say what is signed in an attribute, as XML signatures do.
        if path == signature::element::REFERENCE
            && let Some(uri) = attributes.iter().find(|a| a.name.local_name == "URI")
        {
            self.append(&uri.value)?;
        }
        Ok(())
    }

    fn append(&mut self, piece: &str) -> Result<(), EInvoiceError> {
        if self.foreign > 0 {
            return Ok(());
        }
        let Some((path, text)) = &mut self.current else { return Ok(()) };
        let max = match *path {
            signature::element::VALUE => signature::MAX_VALUE_TEXT,
            _ => MAX_TEXT,
        };
        if text.len() + piece.len() > max {
            return Err(EInvoiceError::TextTooLong { path, max });
        }
        text.push_str(piece);
        Ok(())
    }

    fn close(&mut self) -> Result<(), EInvoiceError> {
        self.depth = self.depth.saturating_sub(1);
        if self.foreign > 0 {
            self.foreign -= 1;
            return Ok(());
        }
        // Nothing opens within a known element, so that this one closes it.
        if let Some((path, text)) = self.current.take() {
            self.on_text(path, text)?;
        }
        match self.path.as_str() {
            element::ITEM if !self.item_has_amount => {
                return Err(EInvoiceError::MissingElement { path: element::ITEM_AMOUNT });
            }
            signature::element::SIGNATURE => {
                if let Some(parts) = self.signature.take() {
                    self.fields.signatures.push(parts.finish()?);
                }
            }
            _ => {}
        }
        let parent = self.path.rfind('/').unwrap_or(0);
        self.path.truncate(parent);
        Ok(())
    }

    fn on_text(&mut self, path: &'static str, text: String) -> Result<(), EInvoiceError> {
        match path {
            element::ITEM_AMOUNT => {
                if self.item_has_amount {
                    return Err(EInvoiceError::RepeatedElement { path });
                }
                self.item_has_amount = true;
                self.fields.sum += i128::from(checked::<Fen>(path, text.trim())?.get());
            }
            // A detail line may leave its amount to its item.
            element::LINE_AMOUNT if text.trim().is_empty() => {}
            element::LINE_AMOUNT => {
                checked::<Fen>(path, text.trim())?;
            }
            _ => match &mut self.signature {
                Some(parts) => parts.set(path, text),
                None => {
                    self.fields.texts.insert(path, text);
                }
            },
        }
        Ok(())
    }
}

fn bounded(path: &'static str, found: usize) -> Result<(), EInvoiceError> {
    if found > MAX_LINES {
        return Err(EInvoiceError::TooManyLines { path, max: MAX_LINES });
    }
    Ok(())
}
