//! Origins of the three administrators (三员), for the calls that a single
//! administrator may make.

use crate::{Config, Pallet};
use billchain_primitives::{AccountId, AdminRole};
use frame::prelude::*;

/// The system administrator's role (系统管理员), for [`EnsureAdministrator`].
pub struct SystemAdmin;
/// The security administrator's role (安全管理员), for [`EnsureAdministrator`].
pub struct SecurityAdmin;
/// The auditor's role (审计员), for [`EnsureAdministrator`].
pub struct Auditor;

impl Get<AdminRole> for SystemAdmin {
    fn get() -> AdminRole {
        AdminRole::SystemAdmin
    }
}

impl Get<AdminRole> for SecurityAdmin {
    fn get() -> AdminRole {
        AdminRole::SecurityAdmin
    }
}

impl Get<AdminRole> for Auditor {
    fn get() -> AdminRole {
        AdminRole::Auditor
    }
}

/// A transaction signed with the current key of an active participant that
/// holds the office `R`. Succeeds with the account.
pub struct EnsureAdministrator<T, R>(PhantomData<(T, R)>);

impl<T: Config, R: Get<AdminRole>> EnsureOrigin<T::RuntimeOrigin> for EnsureAdministrator<T, R> {
    type Success = AccountId;

    fn try_origin(origin: T::RuntimeOrigin) -> Result<AccountId, T::RuntimeOrigin> {
        match ensure_signed(origin.clone()) {
            Ok(account) if Pallet::<T>::admin_role(&account) == Some(R::get()) => Ok(account),
            _ => Err(origin),
        }
    }
}
