use super::*;
use crate::commands::doctor::testing::{healthy, key};

/// What four nodes' answers show.
fn of_four(change: impl Fn(&mut [Asked])) -> Vec<Finding> {
    let mut asked: Vec<Asked> = (1..=4)
        .map(|number| Asked {
            url: format!("http://{number}"),
            asker: None,
            said: Ok(Said { status: healthy(number), ahead: 0, uncertainty: 2 }),
        })
        .collect();
    change(&mut asked);
    findings(&speaking(&asked))
}

fn said(asked: &mut Asked) -> &mut Said {
    match &mut asked.said {
        Ok(said) => said,
        Err(finding) => panic!("{finding:?}"),
    }
}

fn status(asked: &mut Asked) -> &mut ConsensusStatusView {
    &mut said(asked).status
}

/// Has nobody see votes of validator `number` for `ms`.
fn silence(asked: &mut [Asked], number: u8, ms: u64) {
    for one in asked {
        let status = status(one);
        let at = status.node.time - ms;
        let of = status.validators.iter_mut().find(|one| one.key == key(number)).unwrap();
        of.last.as_mut().unwrap().at = at;
    }
}

fn codes(found: &[Finding]) -> Vec<(Severity, &'static str, &str)> {
    found.iter().map(|one| (one.severity, one.code, one.about.as_str())).collect()
}

#[test]
fn four_healthy_nodes_have_nothing() {
    assert_eq!(codes(&of_four(|_| {})), []);
}

#[test]
fn a_validator_that_nobody_sees_is_named_once_with_height_and_round() {
    let found = of_four(|asked| silence(asked, 4, 60_000));
    assert_eq!(codes(&found), [(Severity::Warning, "vote-missing", "node-4")]);
    for part in ["its votes are missing", "height 100, round 0, 60 s ago", "node-1 (http://1)"] {
        assert!(found[0].what.contains(part), "{part}: {}", found[0].what);
    }
    // Its own node does not hear itself: that one is not asked about it.
    assert!(!found[0].what.contains("node-4 (http://4)"), "{}", found[0].what);
    let two = of_four(|asked| {
        silence(asked, 3, 60_000);
        silence(asked, 4, 60_000);
    });
    let last = two.last().unwrap();
    assert_eq!((last.severity, last.code, two.len()), (Severity::Critical, "quorum", 3));
}

#[test]
fn a_vote_that_some_see_is_a_way_that_is_broken() {
    let found = of_four(|asked| silence(&mut asked[..1], 4, 60_000));
    assert_eq!(codes(&found), [(Severity::Warning, "vote-missing", "node-4")]);
    assert!(found[0].what.starts_with("some do not see its votes: node-1"), "{}", found[0].what);
}

#[test]
fn another_chain_and_another_release_are_found() {
    let found = of_four(|asked| {
        status(&mut asked[1]).chain.genesis = H256::zero();
        status(&mut asked[2]).chain.release = 4;
        status(&mut asked[3]).node.version = "0.2.0".into();
    });
    let of = |code: &str| found.iter().find(|one| one.code == code).unwrap();
    assert_eq!(of("other-chain").severity, Severity::Critical);
    assert!(of("other-chain").about.starts_with("node-2"));
    assert_eq!(
        (of("release").severity, of("version").severity),
        (Severity::Warning, Severity::Note)
    );
    assert_eq!(found.len(), 3);
}

#[test]
fn a_clock_is_judged_by_the_others_and_by_how_sure_it_is() {
    let with = |ahead: i64, uncertainty: u64| {
        let found = of_four(|asked| {
            let said = said(&mut asked[2]);
            (said.ahead, said.uncertainty) = (ahead, uncertainty);
        });
        found.first().map(|one| (one.severity, one.code, one.about.clone()))
    };
    let of_third = |severity| Some((severity, "clock", "node-3 (http://3)".to_owned()));
    assert_eq!(with(1_000, 0), None);
    assert_eq!(with(1_500, 600), None, "the answer took long");
    assert_eq!(with(-2_000, 2), of_third(Severity::Warning));
    assert_eq!(with(300_000, 2), of_third(Severity::Critical));
    assert_eq!(with(i64::MIN, 2), of_third(Severity::Critical));
    let here = of_four(|asked| asked.iter_mut().for_each(|one| said(one).ahead = 7_000));
    assert_eq!(codes(&here), [(Severity::Critical, "clock", "this machine")]);
}

#[test]
fn one_key_or_identity_in_two_nodes_is_found() {
    let found = of_four(|asked| status(&mut asked[3]).node.key = Some(key(1)));
    assert_eq!(codes(&found), [(Severity::Critical, "key-twice", "node-4 (http://4)")]);
    let found = of_four(|asked| status(&mut asked[3]).node.peer_id = "peer-1".into());
    assert_eq!(codes(&found), [(Severity::Critical, "identity-twice", "node-4 (http://4)")]);
    let twice = of_four(|asked| {
        asked[3].url = "http://1".into();
        *status(&mut asked[3]) = healthy(1);
    });
    assert_eq!(codes(&twice), [], "one node, named twice");
}

#[test]
fn a_node_that_is_behind_is_found_and_one_that_boasts_is_not_believed() {
    let found = of_four(|asked| status(&mut asked[0]).chain.number = 79);
    assert_eq!(codes(&found), [(Severity::Warning, "behind", "node-1 (http://1)")]);
    let found = of_four(|asked| status(&mut asked[0]).chain.number = u32::MAX);
    assert_eq!(codes(&found), []);
}

#[test]
fn validators_that_one_node_makes_up_are_not_looked_for() {
    let found = of_four(|asked| {
        let status = status(&mut asked[0]);
        let made_up = status.validators[0].clone();
        for number in 0..1_000 {
            let mut more = made_up.clone();
            (more.key, more.power) = (H256::from_low_u64_be(number), u64::MAX);
            more.last = None;
            status.validators.push(more);
        }
    });
    assert_eq!(codes(&found), []);
}
