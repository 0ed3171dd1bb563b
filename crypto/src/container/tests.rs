use super::*;

const NAME: &str = "db/000012.sst";

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 7 + at / CHUNK) as u8).collect()
}

fn secret() -> Secret {
    Secret::key([9; 32])
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut sealer = Sealer::new(Vec::new(), &Unlocked::new(&secret()).unwrap(), NAME).unwrap();
    sealer.write_all(plain).unwrap();
    sealer.finish().unwrap()
}

fn opened_as(sealed: &[u8], secret: &Secret, name: &str) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    Opener::new(sealed, secret, &mut None, name)?.read_to_end(&mut plain)?;
    Ok(plain)
}

fn opened(sealed: &[u8]) -> io::Result<Vec<u8>> {
    opened_as(sealed, &secret(), NAME)
}

#[test]
fn what_was_written_is_read_at_every_length_around_a_chunk() {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17] {
        let plain = content(length);
        let file = sealed(&plain);
        let chunks = length.div_ceil(CHUNK).max(1);
        assert_eq!(file.len(), HEADER_LEN + length + chunks * TAG_LEN, "{length}");
        assert_eq!(opened(&file).unwrap(), plain, "{length}");
        assert_ne!(sealed(&plain), file, "no two files are the same");
    }
}

#[test]
fn a_cut_is_found_wherever_it_is() {
    let file = sealed(&content(2 * CHUNK + 5));
    let one = CHUNK + TAG_LEN;
    let between = [HEADER_LEN + one, HEADER_LEN + 2 * one];
    for length in between.into_iter().chain([0, 1, 44, 45, 46, 60, 61, 1000, file.len() - 1]) {
        assert!(opened(&file[..length]).is_err(), "cut to {length}");
    }
    let longer = [&file[..], &[0]].concat();
    assert!(opened(&longer).is_err());
    // A whole file with its first chunk once more.
    let longer = [&file[..], &file[HEADER_LEN..HEADER_LEN + one]].concat();
    assert!(opened(&longer).is_err());
}

#[test]
fn chunks_in_another_order_are_found() {
    let file = sealed(&content(3 * CHUNK + 5));
    let one = CHUNK + TAG_LEN;
    let chunk = |at: usize| &file[HEADER_LEN + at * one..][..one];
    let last = &file[HEADER_LEN + 3 * one..];
    for order in [[1, 0, 2], [0, 0, 2], [0, 2, 1], [2, 1, 0]] {
        let mut other = file[..HEADER_LEN].to_vec();
        order.iter().for_each(|at| other.extend_from_slice(chunk(*at)));
        other.extend_from_slice(last);
        assert!(opened(&other).is_err(), "{order:?}");
    }
    let mut without = file[..HEADER_LEN].to_vec();
    without.extend_from_slice(chunk(0));
    without.extend_from_slice(chunk(2));
    without.extend_from_slice(last);
    assert!(opened(&without).is_err(), "one left out");
}

#[test]
fn every_changed_byte_is_found_and_none_of_it_read() {
    let plain = content(CHUNK + 40);
    let file = sealed(&plain);
    let places = (0..HEADER_LEN + 4).chain(CHUNK - 2..CHUNK + 120).chain([file.len() - 1]);
    for at in places.filter(|at| *at < file.len()) {
        let mut bad = file.clone();
        bad[at] ^= 1;
        let mut read = Vec::new();
        let outcome = Opener::new(&bad[..], &secret(), &mut None, NAME)
            .and_then(|mut opener| opener.read_to_end(&mut read));
        assert!(outcome.is_err(), "changed at {at}");
        assert!(plain.starts_with(&read), "changed at {at}");
    }
}

#[test]
fn another_name_another_key_and_a_password_do_not_open_it() {
    let file = sealed(b"content");
    let error = |outcome: io::Result<Vec<u8>>| outcome.unwrap_err().to_string();
    assert!(error(opened_as(&file, &secret(), "db/000013.sst")).contains("chunk 0"));
    assert!(error(opened_as(&file, &Secret::key([8; 32]), NAME)).contains("chunk 0"));
    let password = Secret::password(b"secret").unwrap();
    let refused = error(opened_as(&file, &password, NAME));
    assert_eq!(refused, "it is encrypted with a key, and a password was given");
    assert!(Secret::password(b"").is_err());
    assert!(
        error(opened(b"no such file, but longer than a header would be....")).contains("BCENC001")
    );
}

#[test]
fn a_password_is_stretched_once_for_many_files_and_not_for_an_hour() {
    let secret = Secret::password("口令".as_bytes()).unwrap();
    let key = Unlocked::new(&secret).unwrap();
    let mut files = Vec::new();
    for name in ["a", "b"] {
        let mut sealer = Sealer::new(Vec::new(), &key, name).unwrap();
        sealer.write_all(name.as_bytes()).unwrap();
        files.push((name, sealer.finish().unwrap()));
    }
    let mut known = None;
    for (name, file) in &files {
        let mut plain = String::new();
        let mut opener = Opener::new(&file[..], &secret, &mut known, name).unwrap();
        opener.read_to_string(&mut plain).unwrap();
        assert_eq!(plain, *name);
    }
    for iterations in [1_u32, 9_999, 10_000_001, u32::MAX] {
        let mut file = files[0].1.clone();
        file[8..12].copy_from_slice(&iterations.to_be_bytes());
        let error = opened_as(&file, &secret, "a").unwrap_err().to_string();
        assert!(error.contains(&format!("{iterations} PBKDF2 iterations")), "{error}");
    }
}

/// A file of this version, written once: its key, name and content stay readable.
#[test]
fn a_file_of_the_first_version_opens() {
    let file = include_bytes!("../../tests/fixtures/container-v1.bin");
    assert_eq!(
        opened_as(file, &Secret::key([0x42; 32]), "db/CURRENT").unwrap(),
        b"MANIFEST-000005\n"
    );
}
