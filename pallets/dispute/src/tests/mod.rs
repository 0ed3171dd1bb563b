//! Contention within a block, and cases.

mod cases;
mod contention;

use crate::mock::*;
use frame::traits::Hooks;

#[test]
fn integrity_holds() {
    Dispute::integrity_test();
}
