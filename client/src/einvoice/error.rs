//! What can be wrong with an XML original.

use super::{MAX_ATTRIBUTES, MAX_NAME, MAX_NAMESPACES, MAX_TEXT, XmlEncoding};
use billchain_primitives::Fen;

/// Why a document is not a usable bill. Every variant says where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EInvoiceError {
    /// Nothing was delivered.
    #[error("the document is empty; expected an EInvoice XML document")]
    Empty,
    /// More bytes than a bill may have.
    #[error("the document has {found} bytes; at most {max} are accepted")]
    TooLarge {
        /// The bound.
        max: usize,
        /// Length of the document.
        found: usize,
    },
    /// The XML declaration names an encoding that bills do not use.
    #[error(
        "XML declaration: expected encoding UTF-8, GBK, GB2312, GB18030 or UTF-16, found \"{found}\""
    )]
    UnsupportedEncoding {
        /// What it names.
        found: String,
    },
    /// The XML declaration names one encoding and the bytes show another.
    #[error(
        "the XML declaration says encoding {declared}, but {evidence}; \
         was the document re-encoded on its way?"
    )]
    EncodingContradiction {
        /// What the declaration names.
        declared: String,
        /// What the bytes show.
        evidence: &'static str,
    },
    /// UTF-16 without the mark that tells its byte order.
    #[error("the document is in UTF-16 and has no byte order mark, which XML 1.0 requires")]
    NoByteOrderMark,
    /// The bytes are not text in their encoding.
    #[error(
        "the bytes are not {expected} text at byte {at}, which the XML declaration or the byte \
         order mark says they are; was the document re-encoded on its way?"
    )]
    NotInEncoding {
        /// The encoding.
        expected: XmlEncoding,
        /// Offset in the document.
        at: usize,
    },
    /// Something stands before the XML declaration.
    #[error(
        "the XML declaration must be the first thing in the document; \
         found white space of {before} characters before it"
    )]
    DeclarationNotFirst {
        /// Length of the white space.
        before: usize,
    },
    /// A character that no XML 1.0 document has, written as itself or as a
    /// reference.
    #[error("line {line}, column {column}: U+{code:04X} is no character of XML 1.0")]
    NoCharacter {
        /// Where it stands, from one.
        line: u64,
        /// The same.
        column: u64,
        /// Its number.
        code: u32,
    },
    /// An element or attribute whose prefix stands for no namespace.
    #[error(
        "line {line}, column {column}: the prefix of {name} is not declared; \
         expected xmlns:prefix=\"…\" on the element or around it"
    )]
    UndeclaredPrefix {
        /// Where it stands, from one.
        line: u64,
        /// The same.
        column: u64,
        /// Its name.
        name: String,
    },
    /// Not well-formed XML 1.0, or not by Namespaces in XML 1.0.
    #[error("line {line}, column {column}: the XML is not well-formed: {reason}")]
    Malformed {
        /// Where the reader stopped, from one.
        line: u64,
        /// The same.
        column: u64,
        /// What the reader says.
        reason: String,
    },
    /// An element that carries more than any bill's.
    #[error(
        "line {line}, column {column}: the element is too large; accepted are {MAX_ATTRIBUTES} \
         attributes of {MAX_TEXT} bytes, {MAX_NAMESPACES} namespaces and names of {MAX_NAME} bytes"
    )]
    ElementTooLarge {
        /// Where it stands, from one.
        line: u64,
        /// The same.
        column: u64,
    },
    /// More elements than any bill has.
    #[error("the document has more than {max} elements")]
    TooManyElements {
        /// The bound.
        max: usize,
    },
    /// A signed bill carries its issuer's and its supervisor's signature.
    #[error(
        "EInvoice/EInvoiceSignature: expected two signatures, the issuer's and the \
         supervision's; found {found}"
    )]
    SignatureCount {
        /// Number of `Signature` elements.
        found: usize,
    },
    /// The document ends before its elements do.
    #[error("the document is cut off: element {open} is not closed")]
    Truncated {
        /// Path of the innermost open element.
        open: String,
    },
    /// A document type, whose entities could expand without bound.
    #[error("document types (<!DOCTYPE …>) are refused")]
    DocumentType,
    /// A reference to something other than a character or one of XML's five
    /// entities.
    #[error(
        "{path}: entity &{name}; is refused; only &amp; &lt; &gt; &quot; &apos; and character references are accepted"
    )]
    Entity {
        /// Path of the element.
        path: String,
        /// Name of the entity.
        name: String,
    },
    /// Elements nest deeper than any bill's.
    #[error("elements nest deeper than {max} at {path}")]
    TooDeep {
        /// The bound.
        max: usize,
        /// Path down to the bound.
        path: String,
    },
    /// The outermost element is not `EInvoice`.
    #[error("expected the outermost element EInvoice, found \"{found}\"")]
    WrongRoot {
        /// Its name.
        found: String,
    },
    /// A required element is absent.
    #[error("{path}: the element is missing")]
    MissingElement {
        /// Its path.
        path: &'static str,
    },
    /// A required element has no text.
    #[error("{path}: the element is empty")]
    EmptyElement {
        /// Its path.
        path: &'static str,
    },
    /// An element that may stand once stands twice, so its value is ambiguous.
    #[error("{path}: the element stands more than once")]
    RepeatedElement {
        /// Its path.
        path: &'static str,
    },
    /// An element's text is too long.
    #[error("{path}: the text is longer than {max} bytes")]
    TextTooLong {
        /// Its path.
        path: &'static str,
        /// The bound.
        max: usize,
    },
    /// An element's text breaks its rule.
    #[error("{path}: expected {expected}, found \"{found}\"")]
    Invalid {
        /// Its path.
        path: &'static str,
        /// The rule in words.
        expected: &'static str,
        /// The text, shortened.
        found: String,
    },
    /// More items or lines than a bill may have.
    #[error("{path}: more than {max} of them")]
    TooManyLines {
        /// Path of the repeated element.
        path: &'static str,
        /// The bound.
        max: usize,
    },
    /// The items do not add up to the total.
    #[error(
        "EInvoice/EInvoiceData/Main/TotalAmount says {total}, but the {items} items \
         (Details/Item/ItemAmount) add up to {sum_fen} fen"
    )]
    SumMismatch {
        /// The printed total.
        total: Fen,
        /// Number of items.
        items: usize,
        /// Their sum, in fen.
        sum_fen: i128,
    },
}

impl EInvoiceError {
    pub(super) fn invalid(path: &'static str, expected: &'static str, found: &str) -> Self {
        Self::Invalid { path, expected, found: shortened(found) }
    }
}

/// At most 80 characters, control characters escaped.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut short: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}
