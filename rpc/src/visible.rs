//! What a caller sees of a bill.

use crate::{
    caller::{Member, View},
    context::Context,
    error::{Answer, chain, storage},
    method::decode,
};
use billchain_primitives::{Bill, GrantId};
use billchain_rpc_types::BillView;
use billchain_runtime::{BillRegister, Runtime, Timestamp};
use pallet_authorization::{BY_SUBJECT, Grant, GrantStatus, party_prefix};
use sp_core::H256;

/// Most grants of one participant that are looked through, the oldest first.
const MAX_GRANTS: usize = 8_192;

/// How much of a bill is seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Seen {
    Nothing,
    /// All but who paid.
    WithoutPayer,
    All,
}

impl View {
    /// How much of a bill is seen.
    pub(crate) fn seen(&self, context: &Context, bill: &Bill) -> Answer<Seen> {
        match self {
            Self::Whole => Ok(Seen::All),
            Self::Public(_) => Ok(Seen::Nothing),
            Self::Member(member) => member.seen(context, bill),
        }
    }

    /// Whether anything of a bill is seen.
    pub(crate) fn sees(&self, context: &Context, bill: &Bill) -> Answer<bool> {
        Ok(self.seen(context, bill)? > Seen::Nothing)
    }

    /// The bill as it is seen, if it is.
    pub(crate) fn show(&self, context: &Context, bill: &Bill) -> Answer<Option<BillView>> {
        Ok(match self.seen(context, bill)? {
            Seen::All => Some(BillView::from(bill)),
            Seen::WithoutPayer => {
                Some(BillView { payer_ref: H256::zero(), ..BillView::from(bill) })
            }
            Seen::Nothing => None,
        })
    }
}

impl Member {
    fn seen(&self, context: &Context, bill: &Bill) -> Answer<Seen> {
        let Bill { summary, state, .. } = bill;
        let is_party = summary.issuer == self.did
            || state.lock.as_ref().is_some_and(|lock| lock.holder == self.did)
            || state.reimbursements.iter().any(|paid| paid.payer == self.did);
        if is_party {
            return Ok(Seen::All);
        }
        let (is_linked, is_allowed) = context
            .deps
            .chain
            .read(|| {
                let links = BillRegister::links(&summary.key).links;
                let scene = (summary.scene, self.did.clone());
                let is_allowed = pallet_permissions::Whitelist::<Runtime>::contains_key(scene);
                (links.iter().any(|link| link.party == self.did), is_allowed)
            })
            .map_err(chain)?;
        if is_linked || self.grants(context)?.iter().any(|one| one.terms.scope.covers(summary)) {
            return Ok(Seen::All);
        }
        Ok(if is_allowed { Seen::WithoutPayer } else { Seen::Nothing })
    }

    /// The grants that it may use now.
    fn grants(&self, context: &Context) -> Answer<&[Grant]> {
        if let Some(grants) = self.grants.get() {
            return Ok(grants);
        }
        let prefix = party_prefix(BY_SUBJECT, &self.did);
        let store = context.deps.chain.storage();
        let found = store.offchain_prefix(&prefix, None, MAX_GRANTS).map_err(storage)?;
        let ids = found.iter().map(|(_, id)| decode::<GrantId>("grant id", id));
        let ids = ids.collect::<Answer<Vec<_>>>()?;
        let now = context.deps.chain.read(Timestamp::get).map_err(chain)?;
        let usable = |grant: &Grant| {
            let terms = &grant.terms;
            grant.status == GrantStatus::Active
                && (terms.valid_from..=terms.valid_until).contains(&now)
        };
        let contract = pallet_authorization::Pallet::<Runtime>::grant;
        let read = || ids.iter().filter_map(contract).filter(usable).collect();
        let grants = context.deps.chain.read(read).map_err(chain)?;
        Ok(self.grants.get_or_init(|| grants))
    }
}
