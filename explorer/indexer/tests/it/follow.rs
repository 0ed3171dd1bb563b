//! What it keeps, that it is the same in both databases, and the same whatever dies.

use crate::{
    dump::assert_equal,
    network::{Network, PATIENCE},
    story::{Story, bills, register},
};
use billchain_client::Signer;
use billchain_explorer_indexer::{
    Indexer, Queries, Settings, Tables,
    query::{BillFilter, PageRequest, StatisticsAsk, StatisticsBy, StatisticsWhat},
    recount::recount,
};
use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Indexes up to a block at least.
async fn index_to(settings: &Settings, block: u32) -> Tables {
    let mut indexer = Indexer::open(settings).await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    let status = indexer.status();
    while status.borrow().indexed < block {
        indexer.step().await.unwrap();
        let now = status.borrow().clone();
        assert!(Instant::now() < deadline, "{now:?}");
    }
    indexer.tables().clone()
}

/// Indexes exactly up to a block, which the nodes' head may be beyond: both are compared there.
async fn head_of(network: &Network) -> u32 {
    network
        .client(1)
        .await
        .read("archive_v1_finalizedHeight", vec![])
        .await
        .unwrap()
        .as_u64()
        .unwrap() as u32
}

async fn check_answers(queries: &Queries, story: &Story) {
    let life = queries.bill_life(&story.reimbursed).await.unwrap().unwrap();
    assert_eq!(life.bill.row.status, "reimbursed");
    let causes: Vec<&str> = life.versions.iter().map(|version| version.cause.as_str()).collect();
    assert_eq!(causes, ["register", "lock", "reimburse"]);
    assert!(life.versions[1].changes.iter().any(|change| change.field == "lock.holder"));
    assert_eq!(life.holds.len(), 1);
    assert_eq!(
        (life.holds[0].holder.as_str(), life.holds[0].end.as_str()),
        ("did:bill:insurer-a", "reimbursed")
    );
    assert_eq!(life.holds[0].amount_fen, Some(life.bill.row.total_fen));
    // The double reimbursement that was refused, and why.
    let refused: Vec<String> = life
        .refused
        .iter()
        .map(|row| row.error.as_ref().map(|error| error.name.clone()).unwrap_or_default())
        .collect();
    assert_eq!(life.refused.len(), 2, "{refused:?}");
    assert!(refused.contains(&"LockedByOther".to_owned()), "{refused:?}");
    let life = queries.bill_life(&story.reversed).await.unwrap().unwrap();
    let relations: Vec<&str> =
        life.related.iter().map(|related| related.relation.as_str()).collect();
    assert_eq!(
        (life.bill.row.status.as_str(), relations),
        ("red_reversed", vec!["red", "balance"])
    );
    let red = queries.bill(&story.red).await.unwrap().unwrap();
    assert_eq!((red.row.kind.as_str(), red.row.total_fen), ("red", -life.bill.row.total_fen));

    let filter = BillFilter { holder: Some("did:bill:insurer-a".into()), ..BillFilter::default() };
    let page = queries.bills(&filter, &PageRequest::default()).await.unwrap();
    assert_eq!(page.items.len(), 2);
    // Page by page every bill comes once.
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = PageRequest { cursor, limit: 7, upwards: true };
        let found = queries.bills(&BillFilter::default(), &page).await.unwrap();
        seen.extend(found.items.into_iter().map(|bill| bill.number));
        cursor = found.next;
        if cursor.is_none() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), story.bills);

    let found = queries.search(&story.plain.to_string()).await.unwrap();
    assert_eq!(found.hits.len(), 1, "{found:?}");
    let found = queries.search("示范保险公司甲").await.unwrap();
    assert_eq!(found.hits[0].id, "did:bill:insurer-a", "{found:?}");
    let found = queries.search(&format!("CLAIM-{}", story.reimbursed.number)).await.unwrap();
    assert_eq!(found.hits[0].id, story.reimbursed.to_string());

    let ask = StatisticsAsk {
        by: StatisticsBy::Issuer,
        what: StatisticsWhat::Issued,
        from: 20_000_101,
        to: 29_991_231,
        issuer: None,
        region: None,
        class: None,
        scene: None,
        compare: false,
    };
    let issued = queries.statistics(&ask).await.unwrap();
    assert_eq!(issued.rows[0].key, "did:bill:hospital");
    assert_eq!(usize::try_from(issued.total.count).unwrap(), story.bills - 1, "red ones left out");
    let ask = StatisticsAsk { what: StatisticsWhat::Reimbursed, by: StatisticsBy::Year, ..ask };
    assert_eq!(queries.statistics(&ask).await.unwrap().total.count, 1);
    let cases = queries.disputes(&Default::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(cases.items.len(), 1);
    let validators = queries.validators().await.unwrap();
    assert_eq!(validators.validators.len(), 4);
    assert!(validators.validators.iter().all(|one| one.signed > 0), "{validators:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_is_found_again_in_both_databases_and_recounted() {
    let mut network = Network::started().await;
    let story = Story::play(&network).await;
    let nodes: Vec<String> = (1..=4).map(|node| network.url(node)).collect();
    let head = head_of(&network).await;
    let settings = network.settings(network.sqlite("one"), nodes.clone());
    let one = index_to(&settings, head).await;
    check_answers(&Queries::new(one.clone()), &story).await;

    // One of the nodes is away: another one is asked.
    network.kill(2);
    let later = head + 4;
    index_to(&settings, later).await;
    // The chain stands: with two of four nothing is decided any more.
    network.kill(3);
    let head = head_of(&network).await;
    let one = index_to(&settings, head).await;
    let status = Indexer::open(&settings).await.unwrap();
    drop(status);
    let counted = recount(&settings).await.unwrap();
    assert!(counted.is_right(), "{counted}");
    assert_eq!(usize::try_from(counted.bills).unwrap(), story.bills);
    assert!(
        counted.proved >= 2 && counted.sampled == story.bills && counted.unproved == 0,
        "{counted}"
    );

    // A row that somebody changed is found.
    sqlx::query("UPDATE bills SET total = total + 1 WHERE id = (SELECT MIN(id) FROM bills)")
        .execute(one.pool())
        .await
        .unwrap();
    let counted = recount(&settings).await.unwrap();
    assert!(!counted.is_right());
    let sorts: Vec<&str> = counted.differences.iter().map(|one| one.sort).collect();
    assert!(sorts.contains(&"totals") && sorts.contains(&"state"), "{counted}");
    sqlx::query("UPDATE bills SET total = total - 1 WHERE id = (SELECT MIN(id) FROM bills)")
        .execute(one.pool())
        .await
        .unwrap();

    let Ok(postgres) = std::env::var("BILLCHAIN_TEST_POSTGRES") else {
        println!(
            "BILLCHAIN_TEST_POSTGRES is not set: ./scripts/with-postgres compares both databases"
        );
        return;
    };
    let settings = network.settings(postgres, nodes);
    let other = index_to(&settings, head).await;
    assert_equal(&one, &other).await;
    check_answers(&Queries::new(other), &story).await;
    assert!(recount(&settings).await.unwrap().is_right());
}

/// The process that is killed: this test, run by the next one in a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the next one"]
async fn indexes_until_it_is_killed() {
    let tables = std::env::var("BILLCHAIN_TEST_INDEX").expect("the next test sets it");
    let spec = std::env::var("BILLCHAIN_TEST_SPEC").expect("the next test sets it");
    let nodes = std::env::var("BILLCHAIN_TEST_NODES").expect("the next test sets it");
    let text = std::fs::read_to_string(spec).unwrap();
    let spec = billchain_chain_spec::ChainSpec::from_json(&text).unwrap();
    let nodes = nodes.split(',').map(str::to_owned).collect();
    let settings = Settings { tables, nodes, spec, genesis: None };
    let indexer = Indexer::open(&settings).await.unwrap();
    indexer.run(std::future::pending()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_under_load_it_ends_equal_to_one_that_was_not() {
    let mut network = Network::started().await;
    let story = Story::play(&network).await;
    let nodes: Vec<String> = (1..=4).map(|node| network.url(node)).collect();
    let tables = network.sqlite("killed");
    let seed: u64 = std::env::var("BILLCHAIN_TEST_SEED").map_or_else(
        |_| rand::random(),
        |seed| seed.parse().expect("BILLCHAIN_TEST_SEED is a number"),
    );
    println!("BILLCHAIN_TEST_SEED={seed}");
    let mut chance = seed;
    let client = network.client(1).await;
    let signer = Signer::development("//hospital");
    let mut kills = 0;
    for batch in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "follow::indexes_until_it_is_killed"])
            .env("BILLCHAIN_TEST_INDEX", &tables)
            .env("BILLCHAIN_TEST_SPEC", network.spec())
            .env("BILLCHAIN_TEST_NODES", nodes.join(","))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let call = register(bills("hospital", 100_000 + batch * 400, 400));
        assert_eq!(client.execute(&signer, call, PATIENCE).await.unwrap().success, Some(true));
        // A linear congruential generator (Knuth's constants): the seed repeats the run.
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(chance >> 33 & 0x3ff)).await;
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert_eq!(kills, 12);
    network.kill(2);
    network.kill(3);
    let head = head_of(&network).await;
    let killed = network.settings(tables, nodes.clone());
    let other = network.settings(network.sqlite("whole"), nodes);
    let (killed, whole) = (index_to(&killed, head).await, index_to(&other, head).await);
    assert_equal(&killed, &whole).await;
    let counted = recount(&other).await.unwrap();
    assert!(counted.is_right() && counted.unproved == 0, "{counted}");
    assert_eq!(usize::try_from(counted.bills).unwrap(), story.bills + 12 * 400);
}
