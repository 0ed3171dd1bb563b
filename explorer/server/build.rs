//! Puts the built page (`explorer/web/dist`) into the program. It needs no npm: where the page was
//! not built, the program says so instead of showing it.

use flate2::{Compression, Crc, write::GzEncoder};
use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

const NOT_BUILT: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>BillChain</title>\
<p>网页未构建。The page was not built into this program: run <code>npm ci &amp;&amp; npm run build</code> in \
<code>explorer/web</code>, then build <code>billchain-explorer</code> again. The interface under \
<a href=\"/api/v1/openapi.json\">/api/v1</a> answers.</p></html>";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let page = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../web/dist");
    // Watched even while it is empty: a missing one would make every build build this anew.
    fs::create_dir_all(&page)?;
    println!("cargo:rerun-if-changed={}", page.display());
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = Vec::new();
    collect(&page, &page, &mut files)?;
    let built = files.iter().any(|(name, _)| name == "/index.html");
    if !built {
        println!(
            "cargo:warning=the explorer's page was not built (npm ci && npm run build in explorer/web): the program will say so"
        );
        let file = out.join("index.html");
        fs::write(&file, NOT_BUILT)?;
        files = vec![("/index.html".to_owned(), file)];
    }
    files.sort();
    let mut code = format!("/// Whether the page was built.\npub const BUILT: bool = {built};\n");
    code.push_str("/// Its files, by their paths.\npub const FILES: &[File] = &[\n");
    for (at, (name, file)) in files.iter().enumerate() {
        let bytes = fs::read(file)?;
        let mut crc = Crc::new();
        crc.update(&bytes);
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&bytes)?;
        let packed = packed.finish()?;
        let small = out.join(format!("{at}.gz"));
        // What hardly becomes smaller is sent as it is.
        let packed = if packed.len() < bytes.len() / 10 * 9 { packed } else { Vec::new() };
        fs::write(&small, packed)?;
        let tag = format!("{:08x}-{:x}", crc.sum(), bytes.len());
        writeln!(
            code,
            "    File {{ path: {name:?}, tag: {tag:?}, bytes: include_bytes!({:?}), packed: include_bytes!({:?}) }},",
            file.display().to_string(),
            small.display().to_string(),
        )?;
    }
    code.push_str("];\n");
    fs::write(out.join("page.rs"), code)?;
    Ok(())
}

fn collect(
    root: &Path,
    folder: &Path,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Marks of whoever built it.
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Some(name) = path.strip_prefix(root)?.to_str() {
            files.push((format!("/{name}"), path.canonicalize()?));
        }
    }
    Ok(())
}
