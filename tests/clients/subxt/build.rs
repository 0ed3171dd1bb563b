//! Tells the test which version of subxt it has.

use std::{env, fs, path::Path};

fn main() {
    let lock =
        Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("Cargo.lock");
    println!("cargo:rerun-if-changed={}", lock.display());
    let text = fs::read_to_string(lock).expect("the lock file is there");
    let version = text.split("[[package]]").find(|part| part.contains("\nname = \"subxt\"\n"));
    let version = version.and_then(|part| part.split("version = \"").nth(1)?.split('"').next());
    println!("cargo:rustc-env=SUBXT_VERSION={}", version.expect("subxt is locked"));
}
