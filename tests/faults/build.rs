//! Compiles the shim. Whoever builds the workspace has a C compiler: RocksDB
//! needs one.

use std::{env, path::PathBuf, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=shim.c");
    let out = env::var_os("OUT_DIR").map(PathBuf::from).expect("cargo sets OUT_DIR");
    let shim = out.join("faults.so");
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".into());
    let status = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&shim)
        .args(["shim.c", "-ldl"])
        .status()
        .unwrap_or_else(|error| panic!("cannot run {compiler}: {error}"));
    assert!(status.success(), "{compiler} cannot compile shim.c");
    println!("cargo:rustc-env=FAULTS_SHIM={}", shim.display());
}
