//! The files of a development network: one operator with the whole key, and an asker.
//! Keys and passwords are well known: never for anything but development.

use crate::keyfile::{Held, write_private};
use anyhow::{Context, Result, ensure};
use billchain_crypto::{container::Secret as Password, sm3::sm3};
use billchain_oprf::{Element, KeyShare, PublicKeys, Purpose, Secret};
use std::{fs, net::SocketAddr, path::Path};

/// Password of the development keys: there is nothing to protect.
const PASSWORD: &str = "development";
/// Who asks on a development network.
const REQUESTER: &str = "hospital";

/// The development key: everybody knows it, so that samples have one reference each.
pub fn development_key() -> Result<Held> {
    let secret = Secret::from_bytes(&sm3(b"BillChain development references"))?;
    let public = secret.times(&Element::GENERATOR);
    let keys = PublicKeys::new(Purpose::Evaluate, 1, public, vec![public])?;
    Held::new(keys, KeyShare { index: 1, secret })
}

/// Makes the files in `directory`: `service.toml` for `billchain-refs run`, `client.toml`
/// for `billchain bill --references`.
///
/// # Errors
/// If the directory holds such files already, and what the system says.
pub fn development(directory: &Path, listen: SocketAddr) -> Result<()> {
    let shown = directory.display();
    let client = directory.join("client.toml");
    ensure!(!client.exists(), "{shown} holds a development service already");
    fs::create_dir_all(directory).with_context(|| format!("cannot make {shown}"))?;
    let held = development_key()?;
    write_private(&directory.join("password"), PASSWORD.as_bytes())?;
    held.write(&directory.join("operator.key"), &Password::password(PASSWORD.as_bytes())?)?;
    let key = hex::encode(sm3(b"BillChain development requester"));
    let requesters = format!(
        "[[requester]]\nid = \"{REQUESTER}\"\nkey = \"{key}\"\nper_second = 2000\nburst = 10000\n\
         per_day = 1000000\n"
    );
    write_private(&directory.join("requesters.toml"), requesters.as_bytes())?;
    write_private(&directory.join("requester.key"), key.as_bytes())?;
    let service = format!(
        "listen = \"{listen}\"\npassword_file = \"password\"\nkeys = [\"operator.key\"]\n\
         requesters_file = \"requesters.toml\"\nlog_dir = \"asked\"\n"
    );
    fs::write(directory.join("service.toml"), service)?;
    let text = format!(
        "public_keys = \"{}\"\nrequester = \"{REQUESTER}\"\nkey_file = \"requester.key\"\n\
         operators = [\"http://{listen}\"]\ncache = \"references.cache\"\n",
        hex::encode(held.keys.to_bytes())
    );
    // Last: its presence says that the files are complete.
    fs::write(client, text)?;
    Ok(())
}
