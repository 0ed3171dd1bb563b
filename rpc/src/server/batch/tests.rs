use super::{super::tests::*, slice::*, *};
use crate::{
    config::RpcConfig,
    method::{Bound, Handler, Method, Waiting, method, of},
};
use bytes::Bytes;
use serde_json::Value;
use std::{thread::sleep, time::Duration};
use tokio::{sync::Notify, time::timeout};

const MILLISECOND: Duration = Duration::from_millis(1);
/// Length of a long result.
const LONG: usize = 12_000;

/// Methods of these tests; each test has signals of its own.
static METHODS: &[Method] = &[
    read("reads_slowly", |_, _| {
        sleep(MILLISECOND);
        Ok("\"1\"".into())
    }),
    read("reads_for_beside", |_, _| {
        BESIDE.notify_one();
        Ok("\"2\"".into())
    }),
    read("dear_for_beside", |_, _| {
        BESIDE.notify_one();
        Ok("\"3\"".into())
    })
    .within(Bound::ONE.heavy()),
    waits("waits_for_reads", |_, _, _| {
        Box::pin(async {
            // A light read and a dear one.
            BESIDE.notified().await;
            BESIDE.notified().await;
            Ok("\"4\"".into())
        })
    }),
    read("reads_long", |_, args| match args.answer_bytes() < LONG {
        true => {
            CUT.notify_one();
            Err(crate::error::answer_too_long(args.answer_bytes()))
        }
        false => Ok(format!("\"{}\"", "5".repeat(LONG - 2))),
    })
    .within(Bound::ONE.answer_kib(16).heavy()),
    waits("waits_for_cut", |_, _, _| {
        Box::pin(async {
            CUT.notified().await;
            Ok("\"6\"".into())
        })
    })
    .within(Bound::ONE.answer_kib(12)),
];

static BESIDE: Notify = Notify::const_new();
static CUT: Notify = Notify::const_new();

const fn read(
    name: &'static str,
    answer: fn(&crate::context::Context, &crate::method::Args) -> crate::method::Written,
) -> Method {
    method(name, "", &[], of::<Value>, Handler::Read(answer))
}

const fn waits(
    name: &'static str,
    answer: fn(
        std::sync::Arc<crate::context::Context>,
        Bytes,
        usize,
    ) -> crate::method::Later<crate::method::Written>,
) -> Method {
    let waiting = Waiting { read: |_| Ok(Bytes::new()), answer };
    method(name, "", &[], of::<Value>, Handler::Wait(waiting))
}

fn entries(methods: &[&str]) -> Vec<Entry> {
    let call = |(id, method): (usize, &&str)| {
        let (id, method) = (id.to_string(), (*method).to_owned());
        let admitted = crate::access::Admitted::whole();
        Entry::Call(super::super::envelope::Call { id, method, params: None, admitted })
    };
    methods.iter().enumerate().map(call).collect()
}

/// The first characters of the results, in the order of the answers.
async fn ask(session: &Session, methods: &[&str]) -> Result<String, i32> {
    let asked = timeout(PATIENCE, answer(session, entries(methods)));
    let reply = asked.await.expect("it does not end").map_err(|refused| refused.error.code())?;
    let answers: Vec<Value> = serde_json::from_str(&reply.unwrap().text).unwrap();
    assert!(answers.iter().enumerate().all(|(id, one)| one["id"] == id), "{answers:?}");
    let first = |one: &Value| one["result"].as_str()?.chars().next();
    Ok(answers.iter().filter_map(first).collect())
}

#[tokio::test]
async fn light_reads_of_a_batch_give_up_their_turn_after_some_milliseconds() {
    let (session, _directory) = session(RpcConfig::default(), METHODS.iter());
    let Sorted { light, .. } = Sorted::of(&session, entries(&["reads_slowly"; 20]));
    let mut slice = Slice::new(session.methods.clone(), light, 16 << 20);
    slice.run();
    // Each takes a millisecond at least.
    let most = SLICE.as_millis() as usize;
    assert!((1..=most).contains(&slice.answered.len()), "{}", slice.answered.len());
    assert_eq!(slice.answered.len() + slice.waiting.len(), 20);
    assert!(SLICE < Duration::from_millis(10));
    assert_eq!(ask(&session, &["reads_slowly"; 20]).await, Ok("1".repeat(20)));
}

#[tokio::test]
async fn reads_run_beside_what_waits_and_answers_keep_their_order() {
    let (session, _directory) = session(RpcConfig::default(), METHODS.iter());
    let asked = ["reads_slowly", "waits_for_reads", "dear_for_beside", "reads_for_beside"];
    assert_eq!(ask(&session, &asked).await, Ok("1432".into()));
}

#[tokio::test]
async fn a_read_that_finds_no_room_beside_what_others_may_answer_waits_for_them() {
    let config = RpcConfig { max_response_bytes: 16_000, ..RpcConfig::default() };
    let (session, _directory) = session(config, METHODS.iter());
    assert_eq!(ask(&session, &["reads_long", "waits_for_cut"]).await, Ok("56".into()));
    // Together they are too long for a message.
    let asked = ["reads_long", "reads_long", "reads_slowly"];
    assert_eq!(ask(&session, &asked).await, Err(billchain_rpc_types::code::BATCH_ANSWER_TOO_LONG));
}
