//! What pages look like: compared with pictures of them that somebody has looked at.

use crate::samples::{CERTIFICATE, absent, bill, crowded, font, locked, present};
use billchain_pages::{Pdf, Picture};
use billchain_print::{Locator, print};
use billchain_verifier::Proved;
use std::path::PathBuf;

/// Dots an inch of the pictures.
const DOTS: usize = 72;

/// Most that a page may differ from its picture: shades (of 255) of a colour of a tile, and a
/// side of a tile in dots. Another version of the font or of Poppler moves edges by parts of
/// a dot; a word that is missing or in another place changes tiles by more.
const SHADES: usize = 40;
const TILE: usize = 8;

/// Set to make the pictures again, which are then to be looked at.
const RENEW: &str = "BILLCHAIN_RENEW_PICTURES";

fn printed(proved: &Proved<'_>) -> Pdf {
    Pdf::new(&print(proved, CERTIFICATE, &font()).unwrap())
}

fn reference(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pictures").join(format!("{name}.png"))
}

/// Mean red, green and blue of each tile.
fn tiles(picture: &Picture) -> Vec<[usize; 3]> {
    let mean = |left: usize, top: usize| {
        let (right, bottom) = (picture.width.min(left + TILE), picture.height.min(top + TILE));
        let rows = (top..bottom).map(|y| &picture.dots[y * picture.width..][left..right]);
        let dots = rows.flatten().fold([0; 3], |sum: [usize; 3], dot| {
            core::array::from_fn(|colour| sum[colour] + usize::from(dot[colour]))
        });
        dots.map(|sum| sum / ((right - left) * (bottom - top)))
    };
    let rows = (0..picture.height).step_by(TILE);
    rows.flat_map(|top| (0..picture.width).step_by(TILE).map(move |left| mean(left, top))).collect()
}

/// The tile that differs most: by how much, and where it is.
fn difference(left: &Picture, right: &Picture) -> (usize, usize) {
    assert_eq!((left.width, left.height), (right.width, right.height), "another size of page");
    let most = |(left, right): ([usize; 3], [usize; 3])| {
        (0..3).map(|colour| left[colour].abs_diff(right[colour])).max().unwrap()
    };
    tiles(left).into_iter().zip(tiles(right)).map(most).zip(0..).max().unwrap()
}

fn look(name: &str, pdf: &Pdf, page: usize) {
    let picture = pdf.picture(page, DOTS);
    let file = reference(name);
    if std::env::var_os(RENEW).is_some() {
        picture.write(&file);
    }
    let (most, at) = difference(&picture, &Picture::read(&file));
    if most > SHADES {
        let seen = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        picture.write(&seen);
        let across = picture.width.div_ceil(TILE);
        let place = (at % across * TILE, at / across * TILE);
        panic!("{name}: differs by {most} shades at {place:?}: look at {seen:?} and {file:?}");
    }
}

#[test]
fn pages_look_as_they_did_when_somebody_looked_at_them() {
    look("locked", &printed(&present(locked())), 1);
    look("absent", &printed(&absent()), 1);
    let long = printed(&present(crowded(
        "did:bill:insurer-with-a-name-that-is-as-long-as-it-can-be-000001",
    )));
    look("long-1", &long, 1);
    look("long-2", &long, 2);
}

#[test]
fn a_changed_word_is_seen_in_the_picture() {
    let page = |bill| printed(&present(bill)).picture(1, DOTS);
    let before = page(bill());
    assert_eq!(difference(&before, &page(bill())).0, 0);
    let mut other = bill();
    other.status = billchain_verifier::Status::Voided;
    assert!(difference(&before, &page(other)).0 > SHADES);
    let mut other = bill();
    other.issuer = "did:bill:hospital-2";
    // One digit, and the QR code is the same: the certificate's bytes are.
    assert!(difference(&before, &page(other)).0 > 0);
}

#[test]
fn a_scan_of_the_page_gives_the_locator() {
    for proved in [present(locked()), absent()] {
        let pdf = printed(&proved);
        let expected = Locator::of(&proved, CERTIFICATE).unwrap();
        // Fax, screen, office scanner.
        for dots in [150, 200, 300] {
            let mut picture = pdf.picture(1, dots);
            assert_eq!(picture.codes(), [expected.to_string()], "{dots} dots an inch");
            // Paper is grey, ink is pale, and the glass is dirty.
            let dirt = (0_u32..).map(|at| at.wrapping_mul(2_654_435_761) >> 29);
            for (dot, dirt) in picture.dots.iter_mut().zip(dirt) {
                *dot = dot.map(|shade| 60 + shade / 2 + dirt as u8);
            }
            let [text] = &picture.codes()[..] else { panic!("no code at {dots} dots an inch") };
            assert_eq!(text.parse(), Ok(expected.clone()));
        }
    }
}
