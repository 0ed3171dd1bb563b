//! What can be wrong with an XML original.

use super::XmlEncoding;
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
    #[error("XML declaration: expected encoding UTF-8, GBK, GB2312 or GB18030, found \"{found}\"")]
    UnsupportedEncoding {
        /// What it names.
        found: String,
    },
    /// The bytes are not text in the encoding the declaration names.
    #[error(
        "the bytes are not {expected} text, which the XML declaration says they are; \
         was the document re-encoded on its way?"
    )]
    NotInEncoding {
        /// The declared encoding.
        expected: XmlEncoding,
    },
    /// Not well-formed XML.
    #[error("the XML is not well-formed at character {at}: {reason}")]
    Malformed {
        /// Byte offset in the decoded text.
        at: u64,
        /// What the reader says.
        reason: String,
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
