use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::*;

/// A server with two places and little patience; its address.
async fn small(patience: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let few = Few { listener, places: Arc::new(Semaphore::new(2)), patience };
    let router = Router::new().route("/", get(|| async { "ok\n" }));
    tokio::spawn(async move { axum::serve(few, router).await });
    address
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";

async fn answered(stream: &mut TcpStream) -> bool {
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = [0; 12];
    let read = timeout(Duration::from_millis(200), stream.read_exact(&mut answer)).await;
    read.is_ok_and(|read| read.is_ok()) && answer == *b"HTTP/1.1 200"
}

#[tokio::test]
async fn a_connection_beyond_the_places_waits_for_one_that_closes() {
    let address = small(Duration::from_secs(60)).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    assert!(answered(&mut first).await && answered(&mut second).await);
    let mut third = TcpStream::connect(address).await.unwrap();
    assert!(!answered(&mut third).await, "two places are taken");
    drop(first);
    let mut answer = [0; 12];
    let read = timeout(Duration::from_secs(10), third.read_exact(&mut answer)).await;
    read.expect("it gets the free place").unwrap();
    assert_eq!(answer, *b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_connection_that_does_not_ask_is_closed_even_if_bytes_drip_in() {
    let address = small(Duration::from_millis(500)).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let dripping = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = dripping.into_split();
    let drip = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\nHost: ".iter().chain([b'a'; 200].iter()) {
            if writer.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let patience = Duration::from_secs(5);
    let mut rest = Vec::new();
    // An end or an error: it is closed.
    let _ = timeout(patience, silent.read_to_end(&mut rest)).await.expect("closed");
    let _ = timeout(patience, reader.read_to_end(&mut rest)).await.expect("closed");
    drip.abort();
}

#[tokio::test]
async fn a_connection_that_asks_again_and_again_stays() {
    let address = small(Duration::from_millis(1_500)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = [0; 4096];
    for _ in 0..6 {
        stream.write_all(REQUEST).await.unwrap();
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
