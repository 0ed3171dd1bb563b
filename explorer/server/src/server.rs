//! The router: routes of the table, the page, and what answers metrics.

use crate::{
    App,
    api::{figures, routes},
    call::json_with,
    http::{connections, headers, page, pipeline},
    route::{Method, Route},
};
use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    middleware,
    response::IntoResponse as _,
    routing::{MethodFilter, MethodRouter, get},
};
use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// Text that the indexer adds to the metrics.
pub type MoreMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Everything that browsers may ask.
pub fn router(app: &Arc<App>) -> Router {
    let mut paths: BTreeMap<String, MethodRouter> = BTreeMap::new();
    for route in routes() {
        let path = paths.remove(route.path).unwrap_or_default();
        paths.insert(
            route.path.to_owned(),
            path.on(filter(route.method), serving(app.clone(), route)),
        );
    }
    let mut api = Router::new();
    for (path, methods) in paths {
        api = api.route(&path, methods.fallback(pipeline::other_method));
    }
    let healthy = app.clone();
    let health = get(move || async move { health(&healthy) });
    Router::new()
        .nest("/api/v1", api)
        .route("/health", health)
        .fallback(|request: Request| async move {
            page::answer(request.method(), request.uri().path(), request.headers())
        })
        .layer(middleware::from_fn_with_state(app.clone(), headers::around))
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Delete => MethodFilter::DELETE,
    }
}

fn serving(
    app: Arc<App>,
    route: &'static Route,
) -> impl Fn(Request) -> futures::future::BoxFuture<'static, axum::response::Response>
+ Clone
+ Send
+ Sync
+ 'static {
    move |request| Box::pin(pipeline::run(app.clone(), route, request))
}

fn health(app: &App) -> axum::response::Response {
    let health = figures::healthy(app);
    let status = if health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_with(status, &health).unwrap_or_else(axum::response::IntoResponse::into_response)
}

/// What Prometheus asks.
pub fn metrics(app: &Arc<App>, more: MoreMetrics) -> Router {
    let (counted, healthy) = (app.clone(), app.clone());
    let text = get(move || async move {
        let sessions = counted.sessions.count(crate::time::now());
        counted.metrics.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
        let text = format!("{}{}# EOF\n", counted.metrics.text(), more());
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        ([(header::CONTENT_TYPE, kind)], text).into_response()
    });
    Router::new()
        .route("/metrics", text)
        .route("/health", get(move || async move { health(&healthy) }))
}

/// Serves until `stop` ends.
pub async fn serve(app: &Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let proxies = app.settings.trusted_proxies.clone();
    connections::serve(listener, router(app), proxies, stop).await;
}

/// Ends when the system asks the program to stop.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "signals cannot be heard: the program ends when it is killed");
            loop {
                tokio::time::sleep(Duration::from_secs(3600)).await;
            }
        }
    }
}
