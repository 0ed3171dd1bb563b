//! `access.file`: who may ask this node for what, in a file of its own.

use super::{RpcConfig, named::Kind, reader::Reader};
use std::path::PathBuf;

/// The file, if there is one. With it the node's own listener is the machine's alone.
pub(super) fn access_file(r: &mut Reader, rpc: Option<&RpcConfig>) -> Option<PathBuf> {
    let file = r.optional_path("access.file", Kind::File)?;
    if rpc.is_some_and(|rpc| !rpc.listen.ip().is_loopback()) {
        let words =
            "must be a loopback address with access.file, which names the listeners of others";
        r.problem("rpc.listen", words);
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn with_a_file_the_nodes_own_listener_is_the_machines() {
        for (listen, expected) in [
            ("127.0.0.1:9944", &[][..]),
            ("[::1]:9944", &[]),
            ("0.0.0.0:9944", &["rpc.listen: must be a loopback address with access.file"]),
        ] {
            let text = format!("[rpc]\nlisten = \"{listen}\"\n[access]\nfile = \"access.toml\"\n");
            let mut reader = Reader::new(&text, Path::new("/etc")).unwrap();
            let rpc = RpcConfig::read(&mut reader);
            let file = access_file(&mut reader, rpc.as_ref());
            assert_eq!(file.as_deref(), Some(Path::new("/etc/access.toml")));
            let problems = reader.finish();
            assert_eq!(problems.len(), expected.len(), "{problems:?}");
            assert!(problems.iter().zip(expected).all(|(a, b)| a.starts_with(b)), "{problems:?}");
        }
    }
}
