//! The actors as the chain knows them.

use crate::words::Actor;
use billchain_crypto::sm2::SecretKey;
use billchain_primitives::{Did, PublicKey, Role, RoleSet};
use billchain_runtime::RuntimeOrigin;
use std::{collections::BTreeMap, sync::OnceLock};

struct Person {
    did: Did,
    secret: SecretKey,
    public: PublicKey,
}

fn person(actor: Actor) -> &'static Person {
    static CAST: OnceLock<BTreeMap<Actor, Person>> = OnceLock::new();
    let cast = CAST.get_or_init(|| {
        Actor::all().into_iter().map(|actor| (actor, Person::playing(actor))).collect()
    });
    cast.get(&actor).expect("the council is nobody")
}

impl Person {
    fn playing(actor: Actor) -> Self {
        let name = match actor {
            Actor::Issuer(n) => format!("hospital-{n}"),
            Actor::User(n) => format!("insurer-{n}"),
            Actor::Admin(n) => format!("admin-{n}"),
            Actor::Platform => "platform".into(),
            Actor::Both => "both".into(),
            Actor::Stranger => "nobody".into(),
            Actor::Council => unreachable!("the council is nobody"),
        };
        let did: Did = format!("did:bill:{name}").parse().expect("plain names");
        let secret = SecretKey::from_seed(did.as_bytes());
        let public = PublicKey::Sm2(secret.public().to_compressed());
        Self { did, secret, public }
    }
}

pub fn did(actor: Actor) -> Did {
    person(actor).did.clone()
}

pub fn secret_of(actor: Actor) -> &'static SecretKey {
    &person(actor).secret
}

pub fn key_of(actor: Actor) -> PublicKey {
    person(actor).public.clone()
}

/// Whose DID this is.
pub fn actor(did: &Did) -> Actor {
    let mut all = Actor::all().into_iter();
    all.find(|actor| person(*actor).did == *did).expect("a known actor")
}

/// How the runtime sees what `actor` sends.
pub fn origin(actor: Actor) -> RuntimeOrigin {
    match actor {
        Actor::Council => pallet_collective::RawOrigin::Members(3, 4).into(),
        actor => RuntimeOrigin::signed(key_of(actor).account_id()),
    }
}

pub fn roles(actor: Actor) -> RoleSet {
    RoleSet::of(match actor {
        Actor::Issuer(_) => &[Role::Issuer],
        Actor::User(_) => &[Role::User],
        Actor::Platform => &[Role::Platform],
        Actor::Admin(_) => &[Role::Admin],
        Actor::Both => &[Role::Issuer, Role::User],
        Actor::Stranger | Actor::Council => &[],
    })
}
