//! Takes the certificate out of a printed one.

/// What a certificate begins with, and what is in front of it in a PDF.
const BEGINNINGS: [&[u8]; 2] = [b"stream\nBCPF", b"stream\r\nBCPF"];

/// Length of `BCPF`.
const MAGIC: usize = 4;

/// Longest description of a stream that is looked at.
const DESCRIPTION: usize = 256;

/// Why a PDF gives no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAttached {
    /// It is no PDF.
    #[error("it does not begin with %PDF-: expected a PDF")]
    NotAPdf,
    /// Nothing in it begins as a certificate does.
    #[error(
        "no certificate is attached to the PDF, or another program has compressed it: take the \
         attachment out with a PDF viewer or with pdfdetach, and check that file"
    )]
    Nothing,
    /// Two things in it begin as a certificate does.
    #[error(
        "more than one certificate is attached to the PDF: take them out with a PDF viewer or \
         with pdfdetach, and check each"
    )]
    Several,
}

/// The certificate that a PDF of [`print`](crate::print) carries, as it was put in. Whether it
/// proves anything, and that it says what the page says, is for the checker to see.
///
/// # Errors
/// If there is none, or more than one, or if another program has stored it in another way.
pub fn attached(pdf: &[u8]) -> Result<&[u8], NotAttached> {
    if !pdf.starts_with(b"%PDF-") {
        return Err(NotAttached::NotAPdf);
    }
    let (certificate, end) = next(pdf, 0).ok_or(NotAttached::Nothing)?;
    // What looks like one within a certificate is text of a bill.
    if next(pdf, end).is_some() { Err(NotAttached::Several) } else { Ok(certificate) }
}

/// The next stream that begins as a certificate does, and where it ends.
fn next(pdf: &[u8], from: usize) -> Option<(&[u8], usize)> {
    (from..pdf.len()).find_map(|at| {
        let beginning = BEGINNINGS.iter().find(|beginning| pdf[at..].starts_with(beginning))?;
        let start = at + beginning.len() - MAGIC;
        let end = start.checked_add(length(&pdf[at.saturating_sub(DESCRIPTION)..at])?)?;
        let (stream, rest) = (pdf.get(start..end)?, &pdf[end..]);
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        rest.starts_with(b"endstream").then_some((stream, end))
    })
}

/// The length that a stream's description names last.
fn length(description: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"/Length ";
    let at = description.windows(NAME.len()).rposition(|part| part == NAME)? + NAME.len();
    let digits = description[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    str::from_utf8(&description[at..at + digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pdf(parts: &[&[u8]]) -> Vec<u8> {
        [&[&b"%PDF-1.7\n"[..]], parts].concat().concat()
    }

    #[test]
    fn the_length_that_is_named_counts_and_not_what_looks_like_the_end() {
        let stream = b"<< /Length 17 >>\nstream\nBCPF\nendstream\n\0\0\nendstream";
        assert_eq!(attached(&pdf(&[stream])), Ok(&b"BCPF\nendstream\n\0\0"[..]));
        let stream = b"<</Length 5/Type/EmbeddedFile>>stream\r\nBCPF1\r\nendstream";
        assert_eq!(attached(&pdf(&[stream])), Ok(&b"BCPF1"[..]));
    }

    #[test]
    fn what_looks_like_a_certificate_within_one_is_not_taken_for_another() {
        let inner = b"<< /Length 5 >>\nstream\nBCPF1\nendstream";
        let certificate = [&b"BCPF"[..], inner].concat();
        let described = format!("<< /Length {} >>\nstream\n", certificate.len());
        let pdf = pdf(&[described.as_bytes(), &certificate, b"\nendstream"]);
        assert_eq!(attached(&pdf), Ok(certificate.as_slice()));
    }

    #[test]
    fn a_pdf_without_one_certificate_gives_none() {
        let good: &[u8] = b"<< /Length 5 >>\nstream\nBCPF1\nendstream\n";
        assert!(attached(&pdf(&[good])).is_ok());
        assert_eq!(attached(b"BCPF"), Err(NotAttached::NotAPdf));
        assert_eq!(attached(b""), Err(NotAttached::NotAPdf));
        assert_eq!(attached(&pdf(&[])), Err(NotAttached::Nothing));
        assert_eq!(attached(&pdf(&[good, good])), Err(NotAttached::Several));
        assert_eq!(attached(&pdf(&[b"stream\nBCPF ", good])), Ok(&b"BCPF1"[..]));
        for broken in [
            &b"<< >>\nstream\nBCPF1\nendstream"[..],
            b"<< /Length >>\nstream\nBCPF1\nendstream",
            b"<< /Length 4 >>\nstream\nBCPF1\nendstream",
            b"<< /Length 6000 >>\nstream\nBCPF1\nendstream",
            b"<< /Length 12 0 R >>\nstream\nBCPF1\nendstream",
            b"<< /Length 18446744073709551615 >>\nstream\nBCPF1\nendstream",
            b"<< /Length 99999999999999999999999 >>\nstream\nBCPF1\nendstream",
            b"stream\nBCPF",
        ] {
            assert_eq!(attached(&pdf(&[broken])), Err(NotAttached::Nothing), "{broken:?}");
        }
        let whole = pdf(&[good]);
        for end in 0..whole.len() - b"endstream\n".len() {
            assert!(attached(&whole[..end]).is_err(), "{end} bytes");
        }
    }
}
