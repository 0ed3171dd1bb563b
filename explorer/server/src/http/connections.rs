//! Takes connections: so many in all and by address, each with a time for its request.

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    future::Future,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

/// Connections in all, and of one address that is no trusted proxy.
const PLACES: usize = 4096;
const OF_ONE: usize = 512;
/// How long the head of a request may take, silence between requests included.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long connections may end their answers when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Connections by address.
type Counts = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// A connection's place.
struct Place {
    _of_all: OwnedSemaphorePermit,
    counts: Counts,
    address: IpAddr,
}

impl Place {
    /// A place for an address; none if it has as many as it may.
    fn take(
        of_all: OwnedSemaphorePermit,
        counts: &Counts,
        address: IpAddr,
        most: usize,
    ) -> Option<Self> {
        let mut by_address = counts.lock();
        let count = by_address.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(by_address);
        Some(Self { _of_all: of_all, counts: counts.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// Serves connections until `stop` ends.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    proxies: Vec<IpAddr>,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(PLACES));
    let counts = Counts::default();
    let (ending, ended) = watch::channel(false);
    let mut open = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = places.clone().acquire_owned() => permit,
        };
        let permit = permit.expect("nobody closes the semaphore; qed");
        let (stream, address) = tokio::select! {
            () = &mut stop => break,
            taken = listener.accept() => match taken {
                Ok(taken) => taken,
                Err(error) => {
                    // No open files, for instance: others end meanwhile.
                    tracing::warn!(%error, "a connection cannot be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        while open.try_join_next().is_some() {}
        let most = if proxies.contains(&address.ip()) { PLACES } else { OF_ONE };
        let Some(place) = Place::take(permit, &counts, address.ip(), most) else { continue };
        open.spawn(one(stream, address, router.clone(), place, ended.clone()));
    }
    // Nobody listens to it if there is no connection.
    let _ = ending.send(true);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, all).await.is_err() {
        open.shutdown().await;
    }
}

async fn one(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    place: Place,
    mut ended: watch::Receiver<bool>,
) {
    // Small answers go at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        let service = TowerToHyperService::new(router.clone());
        hyper::service::Service::call(&service, request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ending = async {
        // Gone is ended, too.
        let _ = ended.wait_for(|ended| *ended).await;
    };
    tokio::select! {
        _ = connection.as_mut() => {}
        () = ending => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    drop(place);
}
