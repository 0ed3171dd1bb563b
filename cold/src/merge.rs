//! Several segments as one stream of groups, for a segment that takes their place.

use crate::{Activity, ColdError, Group, Segment, scan::Groups, source::Source};

/// The active groups of segments, ascending. Ends after an error.
pub struct Merge<'a, S> {
    inputs: Vec<Input<'a, S>>,
    is_over: bool,
}

struct Input<'a, S> {
    segment: &'a Segment<S>,
    activity: &'a Activity,
    groups: Groups<'a, S>,
    /// The next active group, once it was read.
    next: Option<Group>,
}

/// The active groups of these segments, each given with its activity bits, in the order of
/// shared bytes; groups that are not active are left out. One block of each is in memory.
///
/// # Errors
/// [`ColdError::Bits`] for bits of another number of groups than the segment has. The stream
/// gives [`ColdError::Twice`] for a group that is active in two of them, and what reading gives.
pub fn merge<'a, S: Source>(
    inputs: &[(&'a Segment<S>, &'a Activity)],
) -> Result<Merge<'a, S>, ColdError> {
    for (segment, activity) in inputs {
        if segment.groups() != activity.groups() {
            return Err(ColdError::Bits {
                found: format!("bits of {} groups for {}", activity.groups(), segment.name()),
                expected: segment.groups().to_string(),
            });
        }
    }
    let inputs = inputs.iter().map(|(segment, activity)| Input {
        segment,
        activity,
        groups: segment.iter(),
        next: None,
    });
    Ok(Merge { inputs: inputs.collect(), is_over: false })
}

impl<S: Source> Input<'_, S> {
    /// Reads on to the next active group, if that is not done yet.
    fn fill(&mut self) -> Result<(), ColdError> {
        while self.next.is_none() {
            let Some((position, group)) = self.groups.next().transpose()? else { break };
            if self.activity.is_active(position) {
                self.next = Some(group);
            }
        }
        Ok(())
    }
}

impl<S: Source> Merge<'_, S> {
    fn take(&mut self) -> Result<Option<Group>, ColdError> {
        for input in &mut self.inputs {
            input.fill()?;
        }
        let shared = |input: &Input<'_, S>| input.next.as_ref().map(|group| group.shared.clone());
        let Some(lowest) = self.inputs.iter().filter_map(shared).min() else { return Ok(None) };
        let mut with = self
            .inputs
            .iter_mut()
            .filter(|input| input.next.as_ref().is_some_and(|group| group.shared == lowest));
        let Some(first) = with.next() else { return Ok(None) };
        if let Some(second) = with.next() {
            let (first, second) = (first.segment.name(), second.segment.name());
            return Err(ColdError::Twice { shared: lowest, first, second });
        }
        Ok(first.next.take())
    }
}

impl<S: Source> Iterator for Merge<'_, S> {
    type Item = Result<Group, ColdError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let taken = self.take();
        self.is_over = !matches!(taken, Ok(Some(_)));
        taken.transpose()
    }
}
