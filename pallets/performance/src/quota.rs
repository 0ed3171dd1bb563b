//! Who may use how much, and counting it.

use crate::{Allowance, Config, Event, OwnQuotas, Pallet, Quota, Quotas, Settings, Usage, Usages};
use billchain_primitives::{Did, RoleSet};
use frame::{prelude::*, traits::Time};

/// The participant's allowance is used up: its transaction waits for a block of
/// the next interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldBack;

impl<T: Config> Pallet<T> {
    /// What the participant may use: its own quota, or the most that any of its
    /// roles gives.
    pub fn quota_of(settings: &Settings, did: &Did, roles: RoleSet) -> Quota {
        let own = if settings.own_quotas == 0 { None } else { OwnQuotas::<T>::get(did) };
        own.unwrap_or_else(|| of_roles(&settings.quotas, roles))
    }

    /// The participant's allowance, if it has one.
    pub fn allowance_of(settings: &Settings, did: &Did, roles: RoleSet) -> Option<Allowance> {
        if settings.is_unmetered() {
            return None;
        }
        Self::quota_of(settings, did, roles).allowance
    }

    /// Counts a transaction of `bytes` bytes against the allowance of its
    /// sender, before it runs and whatever becomes of it.
    pub fn charge(
        settings: &Settings,
        did: &Did,
        allowance: &Allowance,
        bytes: u32,
    ) -> Result<(), HeldBack> {
        let length = settings.quotas.interval_ms.max(1);
        let interval = T::Time::now() / length;
        let mut usage = Usages::<T>::get(did)
            .filter(|usage| usage.interval == interval)
            .unwrap_or(Usage { interval, ..Usage::default() });
        if usage.exhausts(allowance) {
            return Err(HeldBack);
        }
        usage.transactions = usage.transactions.saturating_add(1);
        usage.bytes = usage.bytes.saturating_add(bytes);
        Usages::<T>::insert(did, usage);
        if usage.exhausts(allowance) {
            let until = interval.saturating_add(1).saturating_mul(length);
            Self::deposit_event(Event::HeldBack { did: did.clone(), usage, until });
        }
        Ok(())
    }
}

fn of_roles(quotas: &Quotas, roles: RoleSet) -> Quota {
    let of_role = |role| {
        let own = quotas.roles.iter().find(|of| of.role == role);
        own.map_or(quotas.ordinary, |of| of.quota)
    };
    roles.iter().map(of_role).reduce(Quota::or_more).unwrap_or(quotas.ordinary)
}
