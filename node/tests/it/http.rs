//! HTTP by hand: requests that no client library would send.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends bytes to a port of this machine; what came back until the other side
/// closed.
pub async fn exchange(port: u16, request: &[u8]) -> String {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let mut answer = Vec::new();
    let both = async {
        // A server that has refused closes while the rest is on its way.
        let (_, _) = tokio::join!(writer.write_all(request), reader.read_to_end(&mut answer));
    };
    if timeout(PATIENCE, both).await.is_err() {
        panic!("port {port} neither answered nor closed within {PATIENCE:?}");
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Asks for a path; status and answer.
pub async fn get(port: u16, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    let answer = exchange(port, request.as_bytes()).await;
    (status(&answer), answer)
}

/// Posts a body; status and answer.
pub async fn post(port: u16, content_type: &str, body: &[u8]) -> (u16, String) {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = exchange(port, &[head.as_bytes(), body].concat()).await;
    (status(&answer), answer)
}

fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no HTTP answer: {answer:?}"))
}
