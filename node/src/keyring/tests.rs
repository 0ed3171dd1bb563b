use super::*;
use billchain_crypto::keyfile;
use std::fs;
use tempfile::TempDir;

const PASSWORD: &str = "a password";

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed])
}

/// A directory with a configuration that names `named`, and the directory `keys`.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.path("keys")).unwrap();
        fs::write(home.path("password"), PASSWORD).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, seed: u8, password: &str) {
        let pem = keyfile::encrypt_to_pem(&key(seed), password.as_bytes()).unwrap();
        fs::write(self.path(name), pem.as_bytes()).unwrap();
    }

    fn open(&self, keys: &str) -> Result<(KeyRing, HeldKeys)> {
        let text = format!(
            "name = \"n\"\ndata_dir = \"data\"\nchain_spec = \"chain.json\"\n[keys]\n{keys}\n\
             password_file = \"password\"\nnetwork = \"network.key\"\n[network]\n\
             listen = \"127.0.0.1:1\"\n"
        );
        KeyRing::open(&Config::parse(&text, self.0.path()).unwrap())
    }
}

fn publics(seeds: &[u8]) -> Vec<[u8; 33]> {
    seeds.iter().map(|seed| key(*seed).public().to_compressed()).collect()
}

const BOTH: &str = "consensus = \"consensus.pem\"\ndirectory = \"keys\"";

#[test]
fn keys_come_and_go_with_their_files() {
    let home = Home::new();
    home.put("consensus.pem", 1, PASSWORD);
    home.put("keys/a.pem", 2, PASSWORD);
    let (mut ring, held) = home.open(BOTH).unwrap();
    assert_eq!(held.public_keys(), publics(&[1, 2]));

    home.put("keys/b.pem", 3, PASSWORD);
    // What does not end in .pem is not looked at, nor is a directory.
    home.put("keys/c.bak", 4, PASSWORD);
    fs::create_dir(home.path("keys/d.pem")).unwrap();
    ring.refresh();
    assert_eq!(held.public_keys(), publics(&[1, 2, 3]));

    // The same key in two files is held once.
    home.put("keys/e.pem", 1, PASSWORD);
    fs::remove_file(home.path("keys/a.pem")).unwrap();
    ring.refresh();
    assert_eq!(held.public_keys(), publics(&[1, 3]));

    // A file that is written again is read again.
    fs::remove_file(home.path("keys/b.pem")).unwrap();
    ring.refresh();
    home.put("keys/b.pem", 5, PASSWORD);
    ring.refresh();
    assert_eq!(held.public_keys(), publics(&[1, 5]));
}

#[test]
fn a_bad_file_beside_costs_no_other_key() {
    let home = Home::new();
    home.put("consensus.pem", 1, PASSWORD);
    home.put("keys/a.pem", 2, "another password");
    fs::write(home.path("keys/b.pem"), "no key").unwrap();
    fs::write(home.path("keys/c.pem"), vec![b'x'; MAX_FILE_BYTES as usize + 1]).unwrap();
    home.put("keys/d.pem", 3, PASSWORD);
    let (_, held) = home.open(BOTH).unwrap();
    assert_eq!(held.public_keys(), publics(&[1, 3]));
}

#[test]
fn a_directory_that_does_not_read_leaves_the_keys_of_before() {
    let home = Home::new();
    home.put("consensus.pem", 1, PASSWORD);
    home.put("keys/a.pem", 2, PASSWORD);
    let (mut ring, held) = home.open(BOTH).unwrap();
    fs::rename(home.path("keys"), home.path("away")).unwrap();
    ring.refresh();
    assert!(ring.problem.as_ref().is_some_and(|problem| problem.contains("keys.directory")));
    assert_eq!(held.public_keys(), publics(&[1, 2]));

    // So do more files than a node reads.
    fs::rename(home.path("away"), home.path("keys")).unwrap();
    for number in 0..=MAX_FILES {
        fs::write(home.path(&format!("keys/more-{number}.pem")), "no key").unwrap();
    }
    ring.refresh();
    assert!(ring.problem.as_ref().is_some_and(|problem| problem.contains("more than 16")));
    assert_eq!(held.public_keys(), publics(&[1, 2]));
}

#[test]
fn a_node_starts_with_what_it_names_or_not_at_all() {
    let home = Home::new();
    home.put("keys/a.pem", 2, PASSWORD);
    let (_, held) = home.open("directory = \"keys\"").unwrap();
    assert_eq!(held.public_keys(), publics(&[2]), "from the directory alone");
    let (_, held) = home.open("").unwrap();
    assert!(held.public_keys().is_empty(), "an observer");
    for (keys, expected) in [(BOTH, "consensus.pem"), ("directory = \"none\"", "keys.directory")] {
        let error = home.open(keys).err().expect("refused");
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    }
}
