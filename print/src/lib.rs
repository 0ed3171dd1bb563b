//! Prints certificates of bills (链上凭证) and reports: PDF pages in Chinese and English.
//!
//! [`print`] takes what a certificate proves and its bytes, and gives a PDF that holds the
//! page, the certificate itself as an attached file, and a QR code with the [`Locator`] that
//! names that file. [`attached`] takes the certificate out of such a PDF again. The page is
//! for reading: what proves is the file, checked with [`billchain_verifier::verify`].
//!
//! The same certificate and the same font give the same bytes: no clock, no randomness. The
//! [`Font`] is a file of the machine, of which the PDF carries the glyphs that it shows.
//! Nothing that a bill holds can break a page: text is bounded, and a character that cannot be
//! shown is shown as its code. `docs/certificates.md`, "Printed form", has the locator.

#![forbid(unsafe_code)]

mod amount;
mod attachment;
mod error;
mod font;
mod layout;
mod locator;
mod pdf;
mod report;
mod sheet;
mod text;
mod time;
mod wrap;

pub use attachment::{NotAttached, attached};
pub use error::Unprintable;
pub use font::Font;
pub use locator::{Locator, NoLocator};
pub use report::{Column, Report, Section};

use billchain_verifier::{Digest, Proved};
use sm3::{Digest as _, Sm3};

/// The printed form of a certificate: a PDF file.
///
/// `proved` is what [`billchain_verifier::verify`] said of `certificate`.
///
/// # Errors
/// If the statement has no printed form, it was checked from a checkpoint, or the font cannot be
/// used.
pub fn print(proved: &Proved<'_>, certificate: &[u8], font: &Font) -> Result<Vec<u8>, Unprintable> {
    if proved.from.hash != proved.genesis {
        return Err(Unprintable::Checkpoint { block: proved.from.number });
    }
    let locator = Locator::of(proved, certificate)?;
    let face = font.face()?;
    let sheet = sheet::Sheet::new(proved, &locator, certificate.len(), &face)?;
    let pages = layout::pages(&sheet, &face)?;
    pdf::write(&pages, &locator, certificate, font, &face)
}

fn sm3(bytes: &[u8]) -> Digest {
    Sm3::digest(bytes).into()
}
