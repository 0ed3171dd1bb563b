//! Reads printed pages as others do, for tests: PDFs with Poppler's programs (Debian:
//! poppler-utils), QR codes as a scanner.
//!
//! What fails here fails the test that asked.

#![forbid(unsafe_code)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A PDF in a folder of its own.
pub struct Pdf {
    folder: TempDir,
}

/// A page as a picture: red, green and blue of each dot, by rows.
pub struct Picture {
    /// Dots of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The dots.
    pub dots: Vec<[u8; 3]>,
}

impl Pdf {
    /// Takes the bytes of a PDF.
    pub fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("page.pdf"), bytes).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a program of Poppler prints about it. Whatever it complains of is a failure: it
    /// says so when it has to mend a file.
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program)
            .current_dir(self.folder.path())
            .args(arguments)
            .output()
            .unwrap_or_else(|error| panic!("{program} (Debian: poppler-utils): {error}"));
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && complaints.is_empty(), "{program}: {complaints}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Its text, as it is laid out.
    pub fn text(&self) -> String {
        self.run("pdftotext", &["-layout", "page.pdf", "-"])
    }

    /// Number of pages.
    pub fn pages(&self) -> usize {
        let info = self.run("pdfinfo", &["page.pdf"]);
        let pages = info.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap();
        pages.trim().parse().unwrap()
    }

    /// What is known of it: title, dates and others.
    pub fn info(&self) -> String {
        self.run("pdfinfo", &["page.pdf"])
    }

    /// Its fonts, a line each.
    pub fn fonts(&self) -> Vec<String> {
        let list = self.run("pdffonts", &["page.pdf"]);
        list.lines().skip(2).map(str::to_owned).collect()
    }

    /// Its only attachment: name and bytes.
    pub fn attachment(&self) -> (String, Vec<u8>) {
        let list = self.run("pdfdetach", &["-list", "page.pdf"]);
        assert!(list.starts_with("1 embedded files"), "{list}");
        self.run("pdfdetach", &["-save", "1", "-o", "attachment", "page.pdf"]);
        let name = list.lines().nth(1).unwrap().split(": ").nth(1).unwrap();
        (name.to_owned(), fs::read(self.path("attachment")).unwrap())
    }

    /// A page as a picture of so many dots an inch.
    pub fn picture(&self, page: usize, dots: usize) -> Picture {
        let (page, dots) = (page.to_string(), dots.to_string());
        let range = ["-f", &page, "-l", &page, "-r", &dots];
        let form = ["-png", "-singlefile", "page.pdf", "page"];
        self.run("pdftoppm", &[&range[..], &form].concat());
        Picture::read(&self.path("page.png"))
    }
}

impl Picture {
    /// Reads a PNG of 8 bits for each of three colours.
    pub fn read(file: &Path) -> Self {
        let opened = fs::File::open(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let mut reader = png::Decoder::new(std::io::BufReader::new(opened)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let form = (info.color_type, info.bit_depth);
        assert_eq!(form, (png::ColorType::Rgb, png::BitDepth::Eight));
        let (dots, []) = bytes.as_chunks() else { panic!("{file:?}: a part of a dot") };
        let dots = dots.to_vec();
        Self { width: info.width as usize, height: info.height as usize, dots }
    }

    /// Writes it as a PNG.
    pub fn write(&self, file: &Path) {
        let file = fs::File::create(file).unwrap();
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        encoder.write_header().unwrap().write_image_data(self.dots.as_flattened()).unwrap();
    }

    /// The texts of the QR codes that are seen.
    pub fn codes(&self) -> Vec<String> {
        let dot = |x: usize, y: usize| self.dots[y * self.width + x][1];
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(self.width, self.height, dot);
        image.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
    }
}
