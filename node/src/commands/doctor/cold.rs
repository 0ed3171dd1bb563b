//! What is wrong with a node's cold segments: their disk, their files, and the second path.

use super::finding::Finding;
use crate::{
    cold::{
        report::{ColdReport, Place, SegmentView},
        second::Second,
    },
    config::Config,
    disk::Room,
};

/// Segments that are named in one finding.
const NAMED: usize = 5;

/// What the configuration names for them.
pub(super) fn paths(config: &Config, found: &mut Vec<Finding>) {
    let about = config.name.as_str();
    let directory = config.cold_directory();
    if let Some(path) = config.storage.cold.path.as_ref().filter(|path| !path.is_dir()) {
        let what = format!("storage.cold_path {} is no directory", path.display());
        let advice = "Mount its disk. Where there is none left, make the directory anew and bring \
                      the files back: docs/runbooks/cold-segment-lost.md.";
        found.push(Finding::critical("cold-path", about, &what, advice));
    } else if let Ok(room) = Room::of(&directory)
        && room.is_low(config.storage.min_free_bytes, false)
    {
        let what = format!(
            "the disk of {} has {} MiB free: no file of a cold segment is written",
            directory.display(),
            room.free >> 20
        );
        let advice = "Make room there; meanwhile the groups stay in the database.";
        found.push(Finding::warning("cold-room", about, &what, advice));
    }
    let advice = "Mount it, or correct storage.cold_second_path and the keys beside it.";
    match Second::open(&config.storage.cold, about) {
        // With this the node does not start.
        Err(error) => {
            found.push(Finding::critical("cold-second-path", about, &format!("{error:#}"), advice));
        }
        Ok(None) => {}
        Ok(Some(second)) => {
            if let Err(error) = second.reach() {
                let what = format!("{error:#}");
                found.push(Finding::warning("cold-second-path", about, &what, advice));
            }
        }
    }
}

/// What a node, or its database, tells of its segments.
pub(super) fn segments(about: &str, report: &ColdReport, found: &mut Vec<Finding>) {
    let lost = named(report.at(Place::Lost));
    if let Some(names) = lost {
        let what = format!(
            "files of cold segments are lost or damaged: {names}; the node stops when it needs one"
        );
        let advice = "Stop it, then billchain cold restore (second path) or billchain cold fetch \
                      (members): docs/runbooks/cold-segment-lost.md.";
        found.push(Finding::critical("cold-lost", about, &what, advice));
    }
    if let Some(names) = named(report.overdue()) {
        let what = format!("cold segments wait for their files for long: {names}");
        let advice = "Look at the disk of storage.cold_path and at the second path: \
                      docs/runbooks/cold-segments-wait.md.";
        found.push(Finding::warning("cold-wait", about, &what, advice));
    }
    if let Some(failing) = &report.failing {
        let what = format!("the thread of cold segments fails: {failing}");
        let advice = "Remove the cause; it tries again by itself.";
        found.push(Finding::warning("cold-failing", about, &what, advice));
    }
}

/// The first of some segments, and how many more; `None` without any.
fn named<'a>(segments: impl Iterator<Item = &'a SegmentView>) -> Option<String> {
    let names: Vec<String> = segments.map(SegmentView::name).collect();
    let first = names.get(..names.len().min(NAMED))?.join(", ");
    match names.len() {
        0 => None,
        count if count > NAMED => Some(format!("{first} and {} more", count - NAMED)),
        _ => Some(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use billchain_primitives::Hash;

    fn segment(index: u32, place: Place, ended_at: u32) -> SegmentView {
        SegmentView {
            run: 1,
            index,
            groups: 10,
            active: 9,
            root: Hash::repeat_byte(1),
            ended_at: Some(ended_at),
            place,
            file: None,
        }
    }

    fn found(segments: Vec<SegmentView>, failing: Option<&str>) -> Vec<Finding> {
        let report =
            ColdReport { head: 10_000, segments, left_out: 0, failing: failing.map(str::to_owned) };
        let mut found = Vec::new();
        super::segments("node-1", &report, &mut found);
        found
    }

    #[test]
    fn a_node_whose_files_are_there_is_well() {
        let segments = vec![
            segment(0, Place::File, 100),
            segment(1, Place::Database, 9_990),
            segment(2, Place::Growing, 0),
        ];
        assert_eq!(found(segments, None), []);
    }

    #[test]
    fn lost_files_are_critical_and_a_bounded_number_is_named() {
        let lost = (0..9).map(|index| segment(index, Place::Lost, 100)).collect();
        let found = found(lost, None);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, "cold-lost");
        assert!(found[0].what.contains("1/0, 1/1, 1/2, 1/3, 1/4 and 4 more"), "{found:?}");
    }

    #[test]
    fn files_that_do_not_come_and_a_thread_that_fails_are_warnings() {
        let found = found(vec![segment(3, Place::Database, 100)], Some("no space"));
        let codes: Vec<&str> = found.iter().map(|one| one.code).collect();
        assert_eq!(codes, ["cold-wait", "cold-failing"]);
        assert!(found[0].what.ends_with("1/3") && found[1].what.ends_with("no space"), "{found:?}");
    }
}
