//! Time-outs, bounds, and what is refused before it is sent. A real socket on the other side.

use super::*;
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Instant,
};

/// Answers each connection with these bytes after a while; its URL.
fn server(answer: Vec<u8>, after: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request);
            thread::sleep(after);
            let _ = stream.write_all(&answer);
        }
    });
    url
}

fn http(change: impl FnOnce(&mut HttpSettings)) -> Http {
    let mut settings = HttpSettings { plain: true, ..HttpSettings::default() };
    change(&mut settings);
    Http::new(settings).unwrap()
}

#[tokio::test]
async fn an_answer_has_its_status_headers_and_body() {
    let url = server(
        b"HTTP/1.1 503 Busy\r\nX-Why: backup\r\nContent-Length: 4\r\n\r\nlate".to_vec(),
        Duration::ZERO,
    );
    let answer = http(|_| {}).send(Request::get(url)).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (503, &b"late"[..]));
    assert_eq!(answer.header("x-why"), Some("backup"));
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let url = server(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), Duration::from_secs(5));
    let began = Instant::now();
    let refused = http(|it| it.request_ms = 200).send(Request::get(url)).await;
    assert_eq!(refused, Err(HttpProblem::TimedOut(Duration::from_millis(200))));
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn an_answer_is_bounded_whether_it_says_its_length_or_not() {
    let said = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".to_vec();
    let unsaid = [&b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"[..], &[b'x'; 100_000]].concat();
    for answer in [said, unsaid] {
        let url = server(answer, Duration::ZERO);
        let refused = http(|it| it.max_answer_bytes = 1_000).send(Request::get(url)).await;
        assert_eq!(refused, Err(HttpProblem::TooLong(1_000)));
    }
}

#[tokio::test]
async fn redirects_are_answers_and_nobody_there_is_a_problem() {
    let url = server(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
            .to_vec(),
        Duration::ZERO,
    );
    assert_eq!(http(|_| {}).send(Request::get(url)).await.unwrap().status, 302);
    let gone = http(|_| {}).send(Request::get("http://127.0.0.1:1/")).await;
    assert!(matches!(gone, Err(HttpProblem::Unreachable(_))), "{gone:?}");
}

#[tokio::test]
async fn plain_http_is_refused_unless_it_was_allowed() {
    let url = server(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), Duration::ZERO);
    let refused = http(|it| it.plain = false).send(Request::get(url)).await;
    assert!(matches!(refused, Err(HttpProblem::Malformed(_))), "{refused:?}");
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let missing = HttpSettings { authorities: Some("/nowhere.pem".into()), ..Default::default() };
    let problem = Http::new(missing).unwrap_err().to_string();
    assert!(problem.starts_with("http.authorities: /nowhere.pem"), "{problem}");
    let none = HttpSettings { request_ms: 0, ..Default::default() };
    assert!(Http::new(none).is_err());
}
