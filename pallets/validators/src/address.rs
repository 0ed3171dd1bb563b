//! Where the nodes of validators and observers are reached.

use crate::{Addresses, Config, Error, MAX_HOST_NAME, Observers, Pallet, PeerIdBytes, Validators};
use billchain_primitives::AccountId;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};
use frame::{prelude::*, try_runtime::TryRuntimeError};
use scale_info::TypeInfo;

/// Where a node is reached: TCP for consensus, UDP of the same port for transactions.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct NodeAddress {
    /// The machine.
    pub host: Host,
    /// The port; not 0.
    pub port: u16,
}

/// How a machine is named.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Host {
    /// An IPv4 address.
    V4([u8; 4]),
    /// An IPv6 address.
    V6([u8; 16]),
    /// A name of the DNS in ASCII, without a dot at its end.
    Name(BoundedVec<u8, ConstU32<MAX_HOST_NAME>>),
}

/// Why a text is no address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotAnAddress(String);

impl fmt::Display for NotAnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = "expected HOST:PORT with an IPv4 address, an IPv6 address in brackets, or a \
                        name of the DNS, and a port from 1 to 65535";
        write!(f, "{expected}; found {}", self.0)
    }
}

impl core::error::Error for NotAnAddress {}

impl NodeAddress {
    /// Whether somebody can be reached there: a port that is not 0, a host that is one
    /// machine's, and of a name labels of letters, digits and inner hyphens.
    pub fn is_well_formed(&self) -> bool {
        self.port > 0
            && match &self.host {
                Host::V4(octets) => {
                    let ip = Ipv4Addr::from(*octets);
                    !(ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast())
                }
                Host::V6(octets) => {
                    let ip = Ipv6Addr::from(*octets);
                    !(ip.is_unspecified() || ip.is_multicast())
                }
                Host::Name(name) => is_name(name),
            }
    }
}

/// A name whose last label is all digits would be read as an IPv4 address.
fn is_name(name: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
    };
    let is_number = |label: &[u8]| label.iter().all(u8::is_ascii_digit);
    let mut labels = name.split(|byte| *byte == b'.');
    let last = labels.clone().next_back().unwrap_or_default();
    labels.all(is_label) && !is_number(last)
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::V4(octets) => write!(f, "{}", Ipv4Addr::from(*octets))?,
            Host::V6(octets) => write!(f, "[{}]", Ipv6Addr::from(*octets))?,
            Host::Name(name) => f.write_str(&String::from_utf8_lossy(name))?,
        }
        write!(f, ":{}", self.port)
    }
}

impl FromStr for NodeAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let wrong = || NotAnAddress(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        // A sign would be taken as part of the number.
        let port = port.parse().ok().filter(|_| !port.starts_with('+')).ok_or_else(wrong)?;
        let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match (in_brackets, host.parse::<Ipv4Addr>()) {
            (Some(host), _) => Host::V6(host.parse::<Ipv6Addr>().map_err(|_| wrong())?.octets()),
            (None, Ok(ip)) => Host::V4(ip.octets()),
            (None, Err(_)) => Host::Name(host.as_bytes().to_vec().try_into().map_err(|_| wrong())?),
        };
        let address = Self { host, port };
        if address.is_well_formed() { Ok(address) } else { Err(wrong()) }
    }
}

impl<T: Config> Pallet<T> {
    /// Where the node with this identity is reached, if the chain says.
    pub fn address_of(peer_id: &PeerIdBytes) -> Option<NodeAddress> {
        Addresses::<T>::get(peer_id)
    }

    /// That the operator of the validator with this identity asks, or who administers.
    pub(crate) fn ensure_may_move(origin: OriginFor<T>, peer_id: &PeerIdBytes) -> DispatchResult {
        let operates = |who: &AccountId| {
            let validators = Validators::<T>::get();
            validators.iter().any(|one| one.operator == *who && one.peer_id == *peer_id)
        };
        match ensure_signed(origin.clone()) {
            Ok(who) if operates(&who) => Ok(()),
            _ => {
                T::AdminOrigin::ensure_origin(origin)?;
                Ok(())
            }
        }
    }

    /// Takes the address of a member, or forgets it.
    pub(crate) fn put_address(
        peer_id: &PeerIdBytes,
        address: Option<&NodeAddress>,
    ) -> DispatchResult {
        ensure!(Self::is_member(peer_id), Error::<T>::NotFound);
        ensure!(address.is_none_or(NodeAddress::is_well_formed), Error::<T>::InvalidAddress);
        Addresses::<T>::set(peer_id, address.cloned());
        Ok(())
    }

    /// A node with another identity is where it was.
    pub(crate) fn hand_address_on(from: &PeerIdBytes, to: &PeerIdBytes) {
        if let Some(address) = Addresses::<T>::take(from) {
            Addresses::<T>::insert(to, address);
        }
    }

    fn is_member(peer_id: &PeerIdBytes) -> bool {
        Validators::<T>::get().iter().any(|one| one.peer_id == *peer_id)
            || Observers::<T>::get().iter().any(|one| one.peer_id == *peer_id)
    }

    /// That addresses are sound and of members.
    pub(crate) fn check_addresses() -> Result<(), TryRuntimeError> {
        for (peer_id, address) in Addresses::<T>::iter() {
            ensure!(address.is_well_formed(), "an address is not well formed");
            ensure!(Self::is_member(&peer_id), "an address is of no member");
        }
        Ok(())
    }
}
