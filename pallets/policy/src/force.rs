//! The policies in force: lists that bills are judged by.

use crate::{Compiled, Config, Error, Heads, InForce, Pallet, Policy, Verdict};
use billchain_primitives::{
    condition::{BillFacts, Facts},
    seams::{Policies, PolicyId, PolicyProblem, PolicyRefusal},
};
use frame::prelude::*;

/// What the first policy that says anything decides; `None` if none does.
/// `in_force` is in the order of [`Compiled::rank`].
pub fn decide<'a>(in_force: &'a [Compiled], facts: &impl Facts) -> Option<(&'a Compiled, Verdict)> {
    in_force.iter().find_map(|one| {
        let holds = one.conditions.evaluate(facts).holds;
        one.effect.verdict(holds).map(|verdict| (one, verdict))
    })
}

impl<T: Config> Policies for Pallet<T> {
    fn evaluate(facts: &BillFacts<'_>) -> Result<(), PolicyRefusal> {
        let in_force = InForce::<T>::get(facts.scene(), facts.operation);
        match decide(&in_force, facts) {
            Some((one, Verdict::Refuse)) => {
                Err(PolicyRefusal { policy: one.policy, version: one.version })
            }
            Some((_, Verdict::Allow)) | None => Ok(()),
        }
    }

    fn effective(policy: PolicyId) -> Result<u32, PolicyProblem> {
        let head = Heads::<T>::get(policy).ok_or(PolicyProblem::NotFound)?;
        head.effective.ok_or(PolicyProblem::NotEffective)
    }
}

impl<T: Config> Pallet<T> {
    /// Puts a version onto the lists of its scenes and operations.
    pub(crate) fn enter_force(
        policy: PolicyId,
        version: u32,
        entry: &Policy,
    ) -> Result<(), Error<T>> {
        let Policy { priority, effect, ref conditions, .. } = *entry;
        let compiled =
            Compiled { policy, version, priority, effect, conditions: conditions.clone() };
        for scene in &entry.scenes {
            for operation in &entry.operations {
                InForce::<T>::try_mutate(scene, operation, |list| -> Result<(), Error<T>> {
                    let at = list.partition_point(|one| one.rank() < compiled.rank());
                    list.try_insert(at, compiled.clone())
                        .map_err(|_| Error::SceneFull { scene: scene.0 })?;
                    let steps: u32 = list.iter().map(|one| one.conditions.steps()).sum();
                    let within = steps <= T::MaxStepsPerScene::get();
                    ensure!(within, Error::TooManySteps { scene: scene.0 });
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// Takes a policy off the lists of its scenes and operations.
    pub(crate) fn leave_force(policy: PolicyId, entry: &Policy) {
        for scene in &entry.scenes {
            for operation in &entry.operations {
                InForce::<T>::mutate_exists(scene, operation, |list| {
                    if let Some(entries) = list {
                        entries.retain(|one| one.policy != policy);
                        if entries.is_empty() {
                            *list = None;
                        }
                    }
                });
            }
        }
    }
}
