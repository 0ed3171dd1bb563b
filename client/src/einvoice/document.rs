//! A document as a sequence of elements and texts, or why it is no XML 1.0
//! document with namespaces.
//!
//! The parser is the crate `xml`; what it leaves to its user is checked here:
//! the version, characters of the decoded text, names of processing
//! instructions, and declarations of namespaces. What one element may carry and
//! how many there are is bounded. Nothing outside the document is ever read,
//! and a document type ends the reading.

use super::{
    MAX_ATTRIBUTES, MAX_ELEMENTS, MAX_NAME, MAX_NAMESPACES, MAX_TEXT,
    error::{EInvoiceError, shortened},
};
use std::borrow::Cow;
use xml::{
    Encoding, ParserConfig,
    attribute::OwnedAttribute,
    common::{Position, TextPosition, XmlVersion, is_name_start_char, is_xml10_char},
    name::OwnedName,
    namespace::{NS_XML_PREFIX, NS_XML_URI, NS_XMLNS_PREFIX, NS_XMLNS_URI, Namespace},
    reader::{ErrorKind, EventReader, XmlEvent},
};

/// What a document consists of.
pub(super) enum Part {
    Open { name: OwnedName, attributes: Vec<OwnedAttribute> },
    Text(String),
    Close,
}

/// A document that is being read.
pub(super) struct Document<'a> {
    reader: EventReader<&'a [u8]>,
    text: &'a str,
    elements: usize,
}

/// Line ends as the parser must see them (XML 1.0, section 2.11).
pub(super) fn with_line_feeds(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

impl<'a> Document<'a> {
    /// `text` has line feeds alone and no byte order mark.
    pub(super) fn new(text: &'a str) -> Result<Self, EInvoiceError> {
        if let Some((at, character)) = text.char_indices().find(|(_, c)| !is_xml10_char(*c)) {
            let (line, column) = place(text, at);
            return Err(EInvoiceError::NoCharacter { line, column, code: character.into() });
        }
        let config = ParserConfig::new()
            .override_encoding(Some(Encoding::Utf8))
            // The text is decoded already, whatever its declaration says.
            .ignore_invalid_encoding_declarations(true)
            .cdata_to_characters(true)
            .whitespace_to_characters(true)
            .max_entity_expansion_depth(0)
            .max_entity_expansion_length(0)
            .max_attributes(MAX_ATTRIBUTES)
            .max_attribute_length(MAX_TEXT)
            .max_name_length(MAX_NAME);
        let reader = EventReader::new_with_config(text.as_bytes(), config);
        Ok(Self { reader, text, elements: 0 })
    }

    /// The next part; `None` at the end of a sound document. `path` is where
    /// the reader stands, for errors.
    pub(super) fn next(&mut self, path: &str) -> Result<Option<Part>, EInvoiceError> {
        loop {
            let event = self.reader.next().map_err(|e| self.refused(path, &e))?;
            match event {
                XmlEvent::StartDocument { version: XmlVersion::Version11, .. } => {
                    return Err(self.malformed("it is XML 1.1; expected XML 1.0"));
                }
                XmlEvent::StartElement { name, attributes, namespace } => {
                    self.on_element(&namespace)?;
                    self.check_names(&name, &attributes, &namespace)?;
                    return Ok(Some(Part::Open { name, attributes }));
                }
                XmlEvent::EndElement { .. } => return Ok(Some(Part::Close)),
                XmlEvent::Characters(text) | XmlEvent::CData(text) | XmlEvent::Whitespace(text) => {
                    return Ok(Some(Part::Text(text)));
                }
                XmlEvent::ProcessingInstruction { name, .. } if name.contains(':') => {
                    let name = shortened(&name);
                    let reason = format!("a processing instruction cannot be called \"{name}\"");
                    return Err(self.malformed(&reason));
                }
                XmlEvent::Doctype { .. } => return Err(EInvoiceError::DocumentType),
                XmlEvent::StartDocument { .. }
                | XmlEvent::ProcessingInstruction { .. }
                | XmlEvent::Comment(_) => {}
                XmlEvent::EndDocument => {
                    return match fault_of_a_tag(self.text) {
                        None => Ok(None),
                        Some((at, reason)) => {
                            let (line, column) = place(self.text, at);
                            Err(EInvoiceError::Malformed { line, column, reason })
                        }
                    };
                }
            }
        }
    }

    fn on_element(&mut self, namespaces: &Namespace) -> Result<(), EInvoiceError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(EInvoiceError::TooManyElements { max: MAX_ELEMENTS });
        }
        // The parser adds three: the default one and its own two.
        if namespaces.0.len() > MAX_NAMESPACES + 3 {
            return Err(self.excess());
        }
        for (prefix, uri) in namespaces {
            let own = match uri {
                NS_XML_URI => prefix == NS_XML_PREFIX,
                NS_XMLNS_URI => prefix == NS_XMLNS_PREFIX,
                _ => continue,
            };
            if !own {
                let prefix = shortened(prefix);
                return Err(self.malformed(&format!(
                    "no prefix but its own may stand for {uri}, found {prefix}"
                )));
            }
        }
        Ok(())
    }

    /// The part after the colon begins as a name does (NCName); the parser looks
    /// at the first character of the whole.
    fn check_names(
        &self,
        element: &OwnedName,
        attributes: &[OwnedAttribute],
        namespaces: &Namespace,
    ) -> Result<(), EInvoiceError> {
        let attributes = attributes.iter().map(|attribute| attribute.name.local_name.as_str());
        let prefixes = namespaces.into_iter().map(|(prefix, _)| prefix);
        let mut names = attributes.chain(prefixes).chain([element.local_name.as_str()]);
        match names.find(|name| name.starts_with(|first| !is_name_start_char(first))) {
            None => Ok(()),
            Some(name) => {
                let name = shortened(name);
                Err(self.malformed(&format!("after a colon, \"{name}\" is no name")))
            }
        }
    }

    fn malformed(&self, reason: &str) -> EInvoiceError {
        let (line, column) = one_based(self.reader.position());
        EInvoiceError::Malformed { line, column, reason: reason.to_owned() }
    }

    fn excess(&self) -> EInvoiceError {
        let (line, column) = one_based(self.reader.position());
        EInvoiceError::ElementTooLarge { line, column }
    }

    /// The parser gives its reasons as text. Those that users meet get an error
    /// of their own; a test holds each.
    fn refused(&self, path: &str, error: &xml::reader::Error) -> EInvoiceError {
        let (line, column) = one_based(error.position());
        let reason = match error.kind() {
            ErrorKind::UnexpectedEof => return truncated(path),
            ErrorKind::Syntax(reason) => reason.as_ref(),
            other => {
                let reason = format!("{other:?}");
                return EInvoiceError::Malformed { line, column, reason };
            }
        };
        if reason.starts_with("Unexpected end of stream") || reason.starts_with("Unclosed") {
            return truncated(path);
        }
        if let Some(name) = reason.strip_prefix("Unexpected entity: ") {
            return EInvoiceError::Entity { path: shortened(path), name: shortened(name) };
        }
        if let Some(code) = reason.strip_prefix("Invalid character U+")
            && let Ok(code) = u32::from_str_radix(code, 16)
        {
            return EInvoiceError::NoCharacter { line, column, code };
        }
        if let Some(name) = reason.strip_suffix(" prefix is unbound") {
            let name = name.rsplit(' ').next().unwrap_or(name);
            return EInvoiceError::UndeclaredPrefix { line, column, name: shortened(name) };
        }
        if reason.starts_with("This document is larger") {
            return EInvoiceError::ElementTooLarge { line, column };
        }
        EInvoiceError::Malformed { line, column, reason: shortened(reason) }
    }
}

fn truncated(path: &str) -> EInvoiceError {
    let open = if path.is_empty() { super::fields::element::ROOT } else { path };
    EInvoiceError::Truncated { open: shortened(open) }
}

fn one_based(position: TextPosition) -> (u64, u64) {
    (position.row + 1, position.column + 1)
}

/// Line and column of a byte offset, both from one.
fn place(text: &str, at: usize) -> (u64, u64) {
    let before = &text[..at];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    (line as u64 + 1, column as u64 + 1)
}

/// What the parser lets pass in a tag, and where: a namespace declaration that
/// stands twice, and a `<` in the value of an attribute. `text` is well-formed
/// otherwise and has no document type, so that every `<` begins a markup.
fn fault_of_a_tag(text: &str) -> Option<(usize, String)> {
    let mut at = 0;
    while let Some(found) = text[at..].find('<') {
        let markup = at + found;
        let rest = &text[markup..];
        let length = if let Some(comment) = rest.strip_prefix("<!--") {
            "<!--".len() + comment.find("-->")? + 3
        } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
            "<![CDATA[".len() + data.find("]]>")? + 3
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            2 + instruction.find("?>")? + 2
        } else {
            match tag(rest)? {
                Tag::Sound { length } => length,
                Tag::Faulty { at, reason } => return Some((markup + at, reason)),
            }
        };
        at = markup + length;
    }
    None
}

enum Tag {
    Sound { length: usize },
    Faulty { at: usize, reason: String },
}

/// Reads one tag up to its `>`.
fn tag(text: &str) -> Option<Tag> {
    let mut declared: Vec<&str> = Vec::new();
    let mut at = 0;
    loop {
        let found = at + text[at..].find(['>', '"', '\''])?;
        let quote = match text.as_bytes()[found] {
            b'>' => return Some(Tag::Sound { length: found + 1 }),
            b'"' => '"',
            _ => '\'',
        };
        // What stands before the quote is `<element name =` or ` name =`.
        let before = text[at..found].trim_end_matches(['=', ' ', '\t', '\n']);
        let begin = before.rfind([' ', '\t', '\n']).map_or(0, |space| space + 1);
        let name = &before[begin..];
        if name == NS_XMLNS_PREFIX || name.starts_with("xmlns:") {
            if declared.contains(&name) {
                let reason = format!("{} stands twice", shortened(name));
                return Some(Tag::Faulty { at: at + begin, reason });
            }
            declared.push(name);
        }
        let value = found + 1;
        let end = value + text[value..].find(quote)?;
        if let Some(less) = text[value..end].find('<') {
            let reason = format!("a < in the value of {}", shortened(name));
            return Some(Tag::Faulty { at: value + less, reason });
        }
        at = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_lets_pass_is_found_in_its_tag_alone() {
        let table = [
            ("<a xmlns:b='c' xmlns:b='d'/>", Some((15, "xmlns:b stands twice"))),
            ("<a xmlns='c' x='' xmlns = \"d\"></a>", Some((18, "xmlns stands twice"))),
            ("<a x='</a>'/>", Some((6, "a < in the value of x"))),
            ("<a><b\ny=\"'<!-- -->\"/></a>", Some((10, "a < in the value of y"))),
            ("<a xmlns:b='c'><a xmlns:b='d'/></a>", None),
            ("<a xmlns:b='xmlns:b' xmlns:c='xmlns:b='/>", None),
            ("<a><!-- <b xmlns='' xmlns=''> --><![CDATA[<b x='<'>]]></a>", None),
            ("<a><!---><b c='<'> --></a>", None),
            ("<?p xmlns='' xmlns='<'?><a b=\"xmlns='' xmlns=''>\"/>", None),
        ];
        for (text, fault) in table {
            let fault = fault.map(|(at, reason)| (at, reason.to_owned()));
            assert_eq!(fault_of_a_tag(text), fault, "{text}");
        }
    }
}
