//! A bureau with its operators, each a real service on a port of the system's choice.

use billchain_crypto::{container::Secret as Password, sm3::sm3};
use billchain_oprf::{IdType, Identity, KeyShare, PublicKeys, keys};
use billchain_references::{
    auth::{self, CODE, REQUESTER, Signed, TIME},
    client::{Client, ClientConfig},
    journal::{Bounds, Entry, Journal},
    keyfile::{Held, write_private},
    limits::Limits,
    service::{Config, EVALUATE, Service, now_ms},
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

/// More than any test asks.
pub const WIDE: Limits = Limits { per_second: 1000, burst: 1000, per_day: 100_000 };
const PASSWORD: &[u8] = b"test";

pub fn zhang() -> Identity {
    Identity::new(IdType::RESIDENT_CARD, "000000198803120011").unwrap()
}

pub fn li() -> Identity {
    Identity::new(IdType::RESIDENT_CARD, "00000019620718006X").unwrap()
}

pub fn passport(n: u32) -> Identity {
    Identity::new(IdType::new("02").unwrap(), &format!("E{n:08}")).unwrap()
}

/// The key of a requester.
pub fn key(id: &str) -> auth::Key {
    auth::Key::new(sm3(id.as_bytes()))
}

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

pub struct Bureau {
    pub keys: PublicKeys,
    directory: TempDir,
    operators: Vec<Running>,
}

impl Bureau {
    pub async fn new(threshold: u8, operators: u8, requesters: &[(&str, Limits)]) -> Self {
        let (keys, shares) = keys::generate(threshold, operators).unwrap();
        Self::of(keys, shares, requesters).await
    }

    pub async fn of(
        keys: PublicKeys,
        shares: Vec<KeyShare>,
        requesters: &[(&str, Limits)],
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for (id, Limits { per_second, burst, per_day }) in requesters {
            let key = hex::encode(&key(id)[..]);
            text += &format!(
                "[[requester]]\nid = \"{id}\"\nkey = \"{key}\"\nper_second = {per_second}\n\
                 burst = {burst}\nper_day = {per_day}\n"
            );
        }
        write_private(&directory.path().join("requesters.toml"), text.as_bytes()).unwrap();
        write_private(&directory.path().join("password"), PASSWORD).unwrap();
        let mut bureau = Self { keys, directory, operators: Vec::new() };
        for (at, share) in shares.into_iter().enumerate() {
            bureau.add_key(at, bureau.keys.clone(), share, "key");
            let running = bureau.start(at, &["key"]).await;
            bureau.operators.push(running);
        }
        bureau
    }

    fn path(&self, at: usize) -> PathBuf {
        self.directory.path().join(format!("operator-{at}"))
    }

    pub fn add_key(&self, at: usize, keys: PublicKeys, share: KeyShare, name: &str) {
        std::fs::create_dir_all(self.path(at)).unwrap();
        let password = Password::password(PASSWORD).unwrap();
        Held::new(keys, share).unwrap().write(&self.path(at).join(name), &password).unwrap();
    }

    async fn start(&self, at: usize, keys: &[&str]) -> Running {
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            password_file: self.directory.path().join("password"),
            keys: keys.iter().map(|name| self.path(at).join(name)).collect(),
            requesters_file: self.directory.path().join("requesters.toml"),
            log_dir: self.log(at),
            log: Bounds::default(),
            workers: 2,
        };
        let service = Service::open(&config).await.unwrap();
        let address = service.address;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            service.run(stopped).await.unwrap();
        });
        Running { address, stop: Some(stop), task: Some(task) }
    }

    pub async fn stop(&mut self, at: usize) {
        let running = &mut self.operators[at];
        drop(running.stop.take());
        if let Some(task) = running.task.take() {
            task.await.unwrap();
        }
    }

    pub async fn restart(&mut self, at: usize) {
        self.restart_with(at, &["key"]).await;
    }

    pub async fn restart_with(&mut self, at: usize, keys: &[&str]) {
        self.stop(at).await;
        self.operators[at] = self.start(at, keys).await;
    }

    /// A server that answers with the answer of another operator's share.
    pub async fn replace_by_liar(&mut self, at: usize) {
        self.stop(at).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let id = self.keys.id();
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = vec![0; 8192];
                let mut length = 0;
                // One element: the whole question is short.
                while !asked[..length].ends_with(b"]}") {
                    length += stream.read(&mut asked[length..]).await.unwrap();
                }
                let text = String::from_utf8_lossy(&asked[..length]).into_owned();
                let body = text.split("\r\n\r\n").nth(1).unwrap();
                let question =
                    billchain_references::wire::Question::from_json(body.as_bytes()).unwrap();
                let (keys, shares) = keys::generate(2, 4).unwrap();
                let mut answer =
                    billchain_oprf::Evaluation::answer(&keys, &shares[1], &question.elements)
                        .unwrap();
                answer.index = 2;
                let body = billchain_references::wire::answer_to_json(&id, &answer);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
            }
        });
        self.operators[at] = Running { address, stop: None, task: Some(task) };
    }

    pub fn log(&self, at: usize) -> PathBuf {
        self.path(at).join("asked")
    }

    pub fn entries(&self, at: usize, see: impl FnMut(&Entry)) {
        Journal::open(&self.log(at), Bounds::default(), see).unwrap();
    }

    pub fn config(&self, requester: &str) -> ClientConfig {
        let address = |running: &Running| format!("http://{}", running.address).parse().unwrap();
        ClientConfig {
            keys: self.keys.clone(),
            requester: requester.to_owned(),
            key: key(requester),
            operators: self.operators.iter().map(address).collect(),
            cache: None,
        }
    }

    pub fn client(&self, requester: &str) -> Client {
        Client::new(self.config(requester)).unwrap()
    }

    /// Asks with this body, rightly signed.
    pub async fn ask(&self, requester: &str, body: &[u8]) -> (u16, String) {
        let time_ms = now_ms();
        let signed = Signed { path: EVALUATE, requester, time_ms, body };
        let headers = vec![
            (REQUESTER, requester.to_owned()),
            (TIME, time_ms.to_string()),
            (CODE, hex::encode(signed.code(&key(requester)))),
        ];
        self.post(0, &headers, body).await
    }

    pub async fn post(
        &self,
        at: usize,
        headers: &[(&'static str, String)],
        body: &[u8],
    ) -> (u16, String) {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let head = format!("POST {EVALUATE} HTTP/1.1\r\n{headers}content-length: {length}\r\n");
        self.exchange(at, &head, body).await
    }

    pub async fn get(&self, at: usize, path: &str) -> String {
        let (status, text) = self.exchange(at, &format!("GET {path} HTTP/1.1\r\n"), b"").await;
        assert_eq!(status, 200, "{path}: {text}");
        text
    }

    async fn exchange(&self, at: usize, head: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.operators[at].address).await.unwrap();
        let head = format!("{head}host: refs\r\nconnection: close\r\n\r\n");
        // A service that refuses a body's length may close before it is sent.
        let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        (status, answer)
    }
}

/// Where a test keeps files of its own.
pub fn file(bureau: &Bureau, name: &str) -> PathBuf {
    let path: &Path = bureau.directory.path();
    path.join(name)
}
