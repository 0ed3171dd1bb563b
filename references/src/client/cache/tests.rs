use super::*;

fn reference(n: u8) -> Reference {
    (0..=255)
        .find_map(|m| {
            Reference::from_bytes([[n; 31].as_slice(), &[m]].concat().try_into().unwrap()).ok()
        })
        .unwrap()
}

#[test]
fn what_was_asked_is_there_again_and_no_identity_is_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("references");
    let mut cache = Cache::open(&path).unwrap();
    cache.put("key", b"000000198803120011", reference(1));
    cache.save().unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.len(), 12 + 64 + 32);
    assert!(!bytes.windows(6).any(|window| window == b"198803"));
    for file in ["references", "references.key"] {
        let mode = fs::metadata(directory.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
    let mut again = Cache::open(&path).unwrap();
    assert_eq!(again.get("key", b"000000198803120011"), Some(reference(1)));
    assert_eq!(again.get("other key", b"000000198803120011"), None);
    assert_eq!(again.get("key", b"000000198803120012"), None);
}

#[test]
fn a_damaged_or_foreign_file_is_refused() {
    let key = [7; 32];
    let entries: Vec<_> = (1..4).map(|n| ([n; 32], reference(n))).collect();
    let bytes = encode(&key, &entries);
    assert_eq!(decode(&key, &bytes).unwrap(), entries);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(decode(&key, &changed).is_err(), "byte {at}");
        assert!(decode(&key, &bytes[..at]).is_err(), "{at} bytes");
    }
    assert!(decode(&[8; 32], &bytes).unwrap_err().contains("another key"));
}

#[test]
fn the_format_is_the_documented_one() {
    let bytes = encode(&[7; 32], &[([1; 32], reference(1))]);
    let content = [&b"BCREFS01\0\0\0\x01"[..], &[1; 32], &reference(1).to_bytes()].concat();
    assert_eq!(bytes[..76], content[..]);
    assert_eq!(bytes[76..], hmac_sm3(&[7; 32], &[&b"file"[..], &content].concat()));
}

#[test]
fn the_number_of_entries_has_a_bound() {
    let directory = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(&directory.path().join("references")).unwrap();
    for n in 0..MAX_ENTRIES as u32 + 5 {
        cache.put("key", &n.to_be_bytes(), reference(1));
    }
    assert_eq!(cache.entries.len(), MAX_ENTRIES);
    assert_eq!(cache.get("key", &0u32.to_be_bytes()), None, "the oldest went");
    assert!(cache.get("key", &(MAX_ENTRIES as u32).to_be_bytes()).is_some());
}
