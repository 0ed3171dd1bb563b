//! `[[listener]]`: where callers are taken, and which.

use super::{
    bounded, is_loopback,
    raw::{RawListener, RawTls},
};
use crate::class::{Class, Classes};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

/// Name of the listener of a node's own `rpc.listen`.
pub(crate) const LOCAL: &str = "local";
const MAX_LISTENERS: usize = 16;
const MAX_NETWORKS: usize = 1_024;
const MAX_ORIGINS: usize = 256;

/// Where callers are taken, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Its name in logs and metrics.
    pub name: String,
    /// Its address.
    pub listen: SocketAddr,
    /// What may be called here at all.
    pub classes: Classes,
    /// What may be called by who shows no identity.
    pub anonymous: Classes,
    /// TLS, unless it is plain.
    pub tls: Option<TlsConfig>,
    /// Networks from which alone it is called; all, if empty.
    pub allow: Vec<IpNet>,
    /// Networks from which it is not called.
    pub deny: Vec<IpNet>,
    /// Origins whose pages may call it.
    pub origins: Vec<String>,
    /// Whether pages of this machine may, too.
    pub local_pages: bool,
    /// Most connections.
    pub connections: u32,
    /// Most connections of one address.
    pub connections_per_address: u32,
    /// Whether long answers are compressed for who asks for it.
    pub compress: bool,
}

/// Files of a listener's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Certificates that sign those of clients, PEM.
    pub clients: Option<PathBuf>,
    /// Whether a client must show one.
    pub require_certificate: bool,
}

impl ListenerConfig {
    /// The plain listener of a node's own `rpc.listen`.
    pub(crate) fn local(listen: SocketAddr, connections: u32) -> Self {
        let classes = if is_loopback(listen.ip()) { Classes::ALL } else { Classes::SAFE };
        Self {
            name: LOCAL.into(),
            listen,
            classes,
            anonymous: classes,
            tls: None,
            allow: Vec::new(),
            deny: Vec::new(),
            origins: Vec::new(),
            local_pages: true,
            connections,
            connections_per_address: connections,
            compress: true,
        }
    }

    /// Whether a caller of this address is taken.
    pub fn takes(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let within = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        !within(&self.deny) && (self.allow.is_empty() || within(&self.allow))
    }

    /// Whether pages of this origin may call.
    pub fn takes_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin) || self.local_pages && is_local(origin)
    }
}

/// Whether a page is of this machine.
fn is_local(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("http://") else { return false };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| {
        host.strip_prefix(local).is_some_and(|port| {
            port.is_empty()
                || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

pub(super) fn read(
    raw: Vec<RawListener>,
    base: &Path,
    problems: &mut Vec<String>,
) -> Vec<ListenerConfig> {
    if raw.len() > MAX_LISTENERS {
        problems.push(format!("listener: at most {MAX_LISTENERS}, found {}", raw.len()));
    }
    let mut listeners: Vec<ListenerConfig> = Vec::new();
    for one in raw.into_iter().take(MAX_LISTENERS) {
        let key = format!("listener \"{}\"", one.name.chars().take(32).collect::<String>());
        if let Some(other) = listeners.iter().find(|other| other.name == one.name) {
            problems.push(format!("{key}: another has this name, at {}", other.listen));
        }
        let Some(listener) = listener(&key, one, base, problems) else { continue };
        let same = |other: &&ListenerConfig| {
            other.listen == listener.listen && listener.listen.port() != 0
        };
        if let Some(other) = listeners.iter().find(same) {
            problems.push(format!("{key}.listen: \"{}\" has this address", other.name));
        }
        listeners.push(listener);
    }
    listeners
}

fn listener(
    key: &str,
    mut raw: RawListener,
    base: &Path,
    problems: &mut Vec<String>,
) -> Option<ListenerConfig> {
    if !is_name(&raw.name) || raw.name == LOCAL {
        let expected = "1 to 32 letters, digits, '-' and '_', and not \"local\"";
        problems.push(format!("{key}.name: expected {expected}"));
    }
    let listen = raw.listen.parse::<SocketAddr>();
    if listen.is_err() {
        let found: String = raw.listen.chars().take(64).collect();
        problems.push(format!("{key}.listen: expected <address>:<port>, found \"{found}\""));
    }
    let classes: Classes = raw.classes.iter().copied().collect();
    if classes.is_empty() {
        problems.push(format!("{key}.classes: expected at least one of {:?}", Classes::ALL));
    }
    let usual = Classes::from_iter([Class::Verify]).and(classes);
    let anonymous = raw.anonymous.take();
    let anonymous = anonymous.map_or(usual, |classes| classes.into_iter().collect());
    if anonymous.and(classes) != anonymous {
        problems.push(format!("{key}.anonymous: expected only classes of {key}.classes"));
    }
    beyond_loopback(key, &raw, listen.as_ref().ok(), (classes, anonymous), problems);
    let connections = raw.connections.unwrap_or(256);
    let of_one = raw.connections_per_address.unwrap_or(32).min(connections);
    bounded(&format!("{key}.connections"), u64::from(connections), 1, 65_536, problems);
    bounded(&format!("{key}.connections_per_address"), u64::from(of_one), 1, 65_536, problems);
    let tls = raw.tls.map(|tls| read_tls(key, tls, base, problems));
    let allow = networks(&format!("{key}.allow"), raw.allow, problems);
    let deny = networks(&format!("{key}.deny"), raw.deny, problems);
    let origins = origins(&format!("{key}.origins"), raw.origins, problems);
    Some(ListenerConfig {
        name: raw.name,
        listen: listen.ok()?,
        classes,
        anonymous,
        tls,
        allow,
        deny,
        origins,
        local_pages: false,
        connections,
        connections_per_address: of_one,
        compress: raw.compress.unwrap_or(true),
    })
}

/// What a listener may not be that others reach.
fn beyond_loopback(
    key: &str,
    raw: &RawListener,
    listen: Option<&SocketAddr>,
    (classes, anonymous): (Classes, Classes),
    problems: &mut Vec<String>,
) {
    if !listen.is_some_and(|listen| is_loopback(listen.ip())) {
        if classes.has(Class::Unsafe) {
            problems.push(format!("{key}.classes: unsafe is for loopback addresses alone"));
        }
        if [Class::Write, Class::Operator].into_iter().any(|class| anonymous.has(class)) {
            let words = "write and operator without an identity are for loopback addresses alone";
            problems.push(format!("{key}.anonymous: {words}"));
        }
        if raw.tls.is_none() && !raw.plain {
            let words = "is required beyond loopback; plain = true if a proxy in front has it";
            problems.push(format!("{key}.tls: {words}"));
        }
    }
    if raw.tls.is_some() && raw.plain {
        problems.push(format!("{key}.plain: must not be true with TLS"));
    }
}

fn read_tls(key: &str, raw: RawTls, base: &Path, problems: &mut Vec<String>) -> TlsConfig {
    if raw.require_certificate && raw.clients.is_none() {
        problems.push(format!("{key}.tls.require_certificate: needs {key}.tls.clients"));
    }
    TlsConfig {
        certificate: base.join(raw.certificate),
        key: base.join(raw.key),
        clients: raw.clients.map(|clients| base.join(clients)),
        require_certificate: raw.require_certificate,
    }
}

/// Letters, digits, '-' and '_', 1 to 32.
pub(super) fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn networks(key: &str, raw: Vec<String>, problems: &mut Vec<String>) -> Vec<IpNet> {
    if raw.len() > MAX_NETWORKS {
        problems.push(format!("{key}: at most {MAX_NETWORKS}, found {}", raw.len()));
    }
    let mut read = Vec::new();
    for text in raw.into_iter().take(MAX_NETWORKS) {
        // An address alone is a network of one.
        match text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => read.push(network),
            Err(_) => {
                let found: String = text.chars().take(64).collect();
                problems.push(format!(
                    "{key}: expected an address or a network such as 10.0.0.0/8, found \"{found}\""
                ));
            }
        }
    }
    read
}

fn origins(key: &str, raw: Vec<String>, problems: &mut Vec<String>) -> Vec<String> {
    if raw.len() > MAX_ORIGINS {
        problems.push(format!("{key}: at most {MAX_ORIGINS}, found {}", raw.len()));
    }
    for origin in &raw {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let is_good = host.is_some_and(|host| {
            !host.is_empty()
                && host.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
                })
        });
        if !is_good {
            let found: String = origin.chars().take(64).collect();
            problems.push(format!(
                "{key}: expected https://HOST or https://HOST:PORT, found \"{found}\""
            ));
        }
    }
    raw
}
