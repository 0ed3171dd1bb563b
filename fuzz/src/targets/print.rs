//! What comes from printed certificates: the text of a QR code, and a PDF.

use crate::Verdict;
use billchain_print::{Locator, attached};

/// The locator of a printed certificate, which has one form in capital letters.
pub fn locator(data: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(data) else { return Verdict::Refused };
    let Ok(locator) = text.parse::<Locator>() else { return Verdict::Refused };
    let written = locator.to_string();
    assert_eq!(written, text.to_ascii_uppercase(), "a locator has two forms");
    assert_eq!(written.parse(), Ok(locator), "a locator is not read as it was written");
    Verdict::Accepted
}

/// A PDF that may hold a certificate.
pub fn printed_certificate(data: &[u8]) -> Verdict {
    let attached = attached(data);
    if let Ok(certificate) = attached {
        assert!(certificate.len() < data.len(), "an attachment is longer than its PDF");
    }
    attached.is_ok().into()
}

pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let hash = "0123456789ABCDEF".repeat(4);
    let locator =
        format!("BILLCHAIN:CERT:1:{hash}:31060126-0000000007:7654321:{hash}:{hash}").into_bytes();
    let stream = b"%PDF-1.7\n1 0 obj\n<<\n  /Length 7\n  /Type /EmbeddedFile\n>>\nstream\n\
        BCPF\x02\x01\x00\nendstream\nendobj\n%%EOF";
    match target {
        "locator" => vec![locator.to_ascii_lowercase(), locator],
        "printed_certificate" => vec![stream.to_vec()],
        _ => Vec::new(),
    }
}
