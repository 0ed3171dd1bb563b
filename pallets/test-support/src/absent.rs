//! Contracts that are not there.

use billchain_primitives::{
    BillKey, Did, GrantId,
    condition::BillFacts,
    seams::{
        AccessNodes, AccessProblem, AllotmentProblem, Allotments, GrantProblem, GrantUse, Grants,
        Policies, PolicyId, PolicyProblem, PolicyRefusal,
    },
};

/// No access nodes, no grants, no numbers allotted and no policies: what asks
/// for one is refused, and no policy refuses anything.
pub struct Absent;

impl AccessNodes for Absent {
    fn ensure_access(_: &Did) -> Result<(), AccessProblem> {
        Err(AccessProblem::NotLinked)
    }
}

impl Grants for Absent {
    fn use_for_lock(_: &GrantId, _: GrantUse<'_>) -> Result<(), GrantProblem> {
        Err(GrantProblem::NotFound)
    }
}

impl Allotments for Absent {
    fn use_number(_: &Did, _: &BillKey) -> Result<(), AllotmentProblem> {
        Err(AllotmentProblem::NotAllotted)
    }
}

impl Policies for Absent {
    fn evaluate(_: &BillFacts<'_>) -> Result<(), PolicyRefusal> {
        Ok(())
    }

    fn effective(_: PolicyId) -> Result<u32, PolicyProblem> {
        Err(PolicyProblem::NotFound)
    }
}
