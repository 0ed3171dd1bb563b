//! Random sequences of changes against a plain restatement of the rules.
//!
//! The model keeps only what the rules speak of and shares no code with the
//! contract. proptest prints the failing case and its seed; set
//! `PROPTEST_CASES` for more.

use crate::mock::*;
use billchain_primitives::{BillStatus, SceneId};
use frame::prelude::DispatchResult;
use proptest::prelude::*;

/// A claim that stands: who, scene, number, last moment.
#[derive(Clone, Debug)]
struct Held {
    who: u8,
    scene: SceneId,
    claim: u8,
    until: u64,
}

/// One bill over 10,000 fen as the rules see it.
#[derive(Clone, Debug, Default)]
struct Model {
    now: u64,
    reversed: bool,
    held: Option<Held>,
    admin_lock: bool,
    paid: Vec<(u8, SceneId, i64, bool)>,
}

#[derive(Clone, Debug)]
enum Step {
    Lock { who: u8, scene: SceneId, claim: u8 },
    Unlock { who: u8 },
    Reimburse { who: u8, amount: i64 },
    ReverseUse { who: u8 },
    AdminLock,
    AdminUnlock,
    Expire,
    RedReverse,
    Wait { ms: u64 },
}

impl Model {
    fn sum(&self) -> i64 {
        self.paid.iter().map(|(_, _, amount, _)| amount).sum()
    }

    /// An exclusive claim, or all of the money, ends it.
    fn is_done(&self) -> bool {
        self.paid.last().is_some_and(|(_, _, _, closing)| *closing)
    }

    fn status(&self) -> BillStatus {
        if self.reversed {
            BillStatus::RedReversed
        } else if self.admin_lock || self.held.is_some() {
            BillStatus::Locked
        } else if self.is_done() {
            BillStatus::Reimbursed
        } else if self.paid.is_empty() {
            BillStatus::Normal
        } else {
            BillStatus::PartlyReimbursed
        }
    }

    /// Whether the step is allowed; does it if so.
    fn step(&mut self, step: &Step) -> bool {
        if let Step::Wait { ms } = step {
            self.now += ms;
            return true;
        }
        if self.reversed {
            return false;
        }
        let expired = self.held.as_ref().is_some_and(|held| self.now > held.until);
        let before = self.clone();
        if expired {
            self.held = None;
        }
        let allowed = self.live_step(step, expired);
        if !allowed {
            // A refused transaction leaves the lock to expire another time.
            *self = before;
        }
        allowed
    }

    fn live_step(&mut self, step: &Step, expired: bool) -> bool {
        let free = self.held.is_none() && !self.admin_lock;
        match *step {
            Step::Lock { who, scene, claim } => {
                if let Some(held) = &self.held {
                    return held.who == who && held.scene == scene && held.claim == claim;
                }
                let fits = self.paid.is_empty()
                    || scene != EXCLUSIVE && self.paid.iter().all(|(_, s, _, _)| *s != scene);
                let allowed = free && !self.is_done() && fits;
                if allowed {
                    self.held = Some(Held { who, scene, claim, until: self.now + PERIOD });
                }
                allowed
            }
            Step::Unlock { who } => {
                let allowed = self.held.as_ref().is_some_and(|held| held.who == who);
                if allowed {
                    self.held = None;
                }
                allowed
            }
            Step::Reimburse { who, amount } => {
                let Some(held) = self.held.clone().filter(|held| held.who == who) else {
                    return false;
                };
                let allowed = amount > 0 && self.sum() + amount <= 10_000;
                if allowed {
                    let closing = held.scene == EXCLUSIVE || self.sum() + amount == 10_000;
                    self.paid.push((who, held.scene, amount, closing));
                    self.held = None;
                }
                allowed
            }
            Step::ReverseUse { who } => {
                let allowed = free && self.paid.last().is_some_and(|(payer, ..)| *payer == who);
                if allowed {
                    self.paid.pop();
                }
                allowed
            }
            Step::AdminLock => {
                let allowed = free && !self.is_done();
                self.admin_lock |= allowed;
                allowed
            }
            Step::AdminUnlock => {
                let allowed = !free;
                (self.held, self.admin_lock) = (None, false);
                allowed
            }
            Step::Expire => expired,
            Step::RedReverse => {
                let allowed = free && self.paid.is_empty();
                self.reversed = allowed;
                allowed
            }
            Step::Wait { .. } => true,
        }
    }
}

fn perform(step: &Step) -> DispatchResult {
    match *step {
        Step::Lock { who, scene, claim } => change(who, 1, lock(scene, &format!("c{claim}"))),
        Step::Unlock { who } => change(who, 1, unlock()),
        Step::Reimburse { who, amount } => change(who, 1, reimburse(amount)),
        Step::ReverseUse { who } => change(who, 1, reverse_use()),
        Step::AdminLock => change(ADMIN, 1, admin_lock()),
        Step::AdminUnlock => change(ADMIN, 1, admin_unlock()),
        Step::Expire => change(AUDITOR, 1, crate::StatusChange::ExpireLock),
        Step::RedReverse => {
            let (key, red, reason) = (key(1), red(2, &bill(1)), reason());
            let (expected_version, balance) = (None, None);
            send(
                HOSPITAL,
                crate::Call::<Test>::red_reverse { key, expected_version, red, balance, reason },
            )
        }
        Step::Wait { ms } => {
            pass(ms);
            Ok(())
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = prop_oneof![Just(INSURER_A), Just(INSURER_B)];
    let scene = prop_oneof![1 => Just(EXCLUSIVE), 3 => Just(SHARED), 3 => Just(SHARED_TOO)];
    let amount = prop_oneof![-1_i64..=10_001, Just(4_000), Just(6_000), Just(10_000)];
    let step = prop_oneof![
        8 => (who.clone(), scene, 0_u8..2)
            .prop_map(|(who, scene, claim)| Step::Lock { who, scene, claim }),
        2 => who.clone().prop_map(|who| Step::Unlock { who }),
        6 => (who.clone(), amount).prop_map(|(who, amount)| Step::Reimburse { who, amount }),
        2 => who.prop_map(|who| Step::ReverseUse { who }),
        1 => Just(Step::AdminLock),
        2 => Just(Step::AdminUnlock),
        1 => Just(Step::Expire),
        1 => Just(Step::RedReverse),
        2 => (1_u64..=PERIOD + 1).prop_map(|ms| Step::Wait { ms }),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn the_contract_decides_as_the_rules_do(steps in steps()) {
        run(|| {
            register(bill(1));
            let mut model = Model { now: NOW, ..Model::default() };
            for (index, step) in steps.iter().enumerate() {
                let before = model.clone();
                let (expected, version) = (model.step(step), stored(1).state.version);
                let result = perform(step);
                assert_eq!(result.is_ok(), expected, "step {index} {step:?}: {result:?}\n{before:?}");
                let bill = stored(1);
                assert_eq!(bill.state.status, model.status(), "after step {index} {step:?}");
                assert_eq!(bill.reimbursed().get(), model.sum());
                assert!(bill.reimbursed() <= bill.summary.total);
                if !expected {
                    assert_eq!(bill.state.version, version, "a refusal makes no version");
                }
                pallet_bill_register::Pallet::<Test>::do_try_state().expect("the state is sound");
                Totals::do_try_state().expect("the totals are those of the bills");
            }
        });
    }
}
