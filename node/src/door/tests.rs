use super::*;
use billchain_chain_spec::ChainSpec;
use billchain_executor::BuildParams;
use billchain_storage::{Storage, StorageOptions};
use std::time::Instant;

fn chain(directory: &Path) -> Chain {
    let storage = Storage::open(directory, StorageOptions::default()).unwrap();
    let state = ChainSpec::development().genesis_state().unwrap();
    let chain = Chain::with_genesis(Arc::new(storage), &state).unwrap();
    for number in 1..=3_u8 {
        let params = BuildParams {
            timestamp_ms: 1_800_000_000_000 + u64::from(number),
            max_block_bytes: 1 << 20,
            deadline: Instant::now() + Duration::from_secs(60),
        };
        let built = chain.build(params, &mut std::iter::empty()).unwrap();
        chain.commit(built.block, vec![number]).unwrap();
    }
    chain
}

fn places(data: &Path) -> Places {
    let segments = data.join("chain/cold");
    Places { files: data.join("staging"), cold: segments.join("staging"), segments }
}

/// A door in a directory whose path is too long for a socket's.
fn opened() -> (tempfile::TempDir, PathBuf, Arc<Door>, JoinHandle<()>) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("a-long-name/".repeat(9));
    fs::create_dir_all(&data).unwrap();
    let listener = bind(&data.join("door")).unwrap();
    let door = Arc::new(Door {
        chain: chain(&data.join("chain")),
        cold: Watch::default(),
        staging: places(&data),
        one: Mutex::new(()),
        metrics: DoorMetrics::default(),
    });
    let serving = tokio::spawn(serve(listener, door.clone()));
    (directory, data, door, serving)
}

fn connect(data: &Path) -> Lease {
    let (place, _directory) = short(&data.join("door")).unwrap();
    let stream = Stream::connect(place).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    Lease { stream: BufReader::new(stream) }
}

async fn gone(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while path.exists() {
        assert!(Instant::now() < deadline, "{} stays", path.display());
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_lasts_as_long_as_its_connection_and_there_is_one_at_a_time() {
    let (_directory, data, door, _serving) = opened();
    let mode = fs::metadata(data.join("door")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let staging = data.join("staging");
    let mut lease = connect(&data);
    let Answer::Staged(subject) = lease.ask(Request::Stage).unwrap() else { panic!("refused") };
    assert_eq!((subject.height, subject.hash), (3, door.chain.head().hash));
    assert!(staging.join("db/CURRENT").is_file() && staging.join("commitment").is_dir());
    assert_eq!(door.metrics.height.get(), 3);

    let Answer::Refused(reason) = connect(&data).ask(Request::Stage).unwrap() else {
        panic!("a second one at once")
    };
    assert!(reason.starts_with("another snapshot"), "{reason}");
    assert!(staging.exists());

    assert!(lease.end(false).unwrap());
    gone(&staging).await;
    // One that goes without a word.
    drop(staged(&data));
    gone(&staging).await;
    // And the next one finds the door free.
    drop(staged(&data));
}

/// Asks until the door is free, a moment after who had it has gone.
fn staged(data: &Path) -> Lease {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let mut lease = connect(data);
        if matches!(lease.ask(Request::Stage).unwrap(), Answer::Staged(_)) {
            return lease;
        }
        assert!(Instant::now() < deadline, "the door stays closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_and_takes_no_place() {
    let (_directory, data, door, _serving) = opened();
    for line in [&b"{\"stage\":1}\n"[..], b"stage\n", b"\"stop\"\n", &[b'x'; 300]] {
        let mut connection = connect(&data);
        connection.stream.get_mut().write_all(line).unwrap();
        let mut answer = String::new();
        connection.stream.read_line(&mut answer).unwrap();
        assert!(answer.contains("refused"), "{answer}");
    }
    // More connections that say nothing than there are places: they give way.
    let silent: Vec<Lease> = (0..2 * PLACES).map(|_| connect(&data)).collect();
    drop(silent);
    let mut lease = connect(&data);
    assert!(matches!(lease.ask(Request::Stage).unwrap(), Answer::Staged(_)));
    assert_eq!(door.metrics.stages.get(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cold_segments_are_told_at_once_even_while_a_stage_is_read() {
    let (_directory, data, _door, _serving) = opened();
    let _stage = staged(&data);
    let Answer::Cold(report) = connect(&data).ask(Request::Cold).unwrap() else {
        panic!("refused")
    };
    assert_eq!((report.head, report.segments.len(), report.left_out), (3, 0, 0));
    assert_eq!(report.failing, None);
}
