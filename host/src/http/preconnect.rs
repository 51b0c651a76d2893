// SPDX-License-Identifier: Apache-2.0
//! Opens a connection before it is needed, so that the round trips of TCP and TLS overlap with other work.
//!
//! The HTTP client connects only for a request. So a request is started, and this layer around the
//! client's connector keeps the connection for the next one and ends that request before a byte of it is
//! written. The server sees a connection without a request.

use std::any::Any;
use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::Client;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tower_layer::Layer;
use tower_service::Service;
use url::Url;

/// A connection that is older is not used: servers end connections on which nothing comes.
const OLDEST: Duration = Duration::from_secs(4);

type BoxError = Box<dyn Error + Send + Sync>;
/// A connection, of a type that the HTTP client does not name.
type Opened = Box<dyn Any + Send>;

/// The one connection of a client that is kept.
#[derive(Clone)]
pub(super) struct Preconnect {
    state: Arc<Mutex<State>>,
    limit: Duration,
}

enum State {
    /// Nothing is kept.
    Empty,
    /// The next connection is to be kept.
    Wanted,
    /// It is being opened, since then.
    Opening(JoinHandle<Option<Opened>>, Instant),
}

impl Preconnect {
    /// `limit` is the longest time to connect.
    pub(super) fn new(limit: Duration) -> Self {
        Self { state: Arc::new(Mutex::new(State::Empty)), limit }
    }

    /// Begins to open a connection of `client`, which this is the layer of, to `url`.
    pub(super) async fn open(&self, client: &Client, url: Url) {
        self.replace(State::Wanted);
        // It ends at once with the layer's error, and its answer is not needed.
        let _ended = client.get(url).send().await;
    }

    fn replace(&self, state: State) -> State {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *guard, state)
    }
}

impl<S> Layer<S> for Preconnect {
    type Service = Connector<S>;

    fn layer(&self, inner: S) -> Connector<S> {
        Connector { inner, preconnect: self.clone() }
    }
}

/// The client's connector, with one connection in hand.
#[derive(Clone)]
pub(super) struct Connector<S> {
    inner: S,
    preconnect: Preconnect,
}

impl<S, R> Service<R> for Connector<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, to: R) -> Self::Future {
        // Only polled when nothing is in hand: a future that is not polled does nothing.
        let connect = self.inner.call(to);
        match self.preconnect.replace(State::Empty) {
            State::Empty => Box::pin(connect),
            State::Wanted => {
                let limit = self.preconnect.limit;
                let task = async move {
                    let opened = timeout(limit, connect).await.ok()?.ok()?;
                    let opened: Opened = Box::new(opened);
                    Some(opened)
                };
                self.preconnect.replace(State::Opening(tokio::spawn(task), Instant::now()));
                Box::pin(async { Err("the connection is kept for later".into()) })
            }
            State::Opening(task, since) => Box::pin(async move {
                let opened =
                    if since.elapsed() < OLDEST { task.await.ok().flatten() } else { None };
                match opened.and_then(|opened| opened.downcast().ok()) {
                    Some(opened) => Ok(*opened),
                    None => connect.await,
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use reqwest::{Method, Request};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use url::Url;

    use crate::{CallLimits, Clock, Env, Net, NetOptions, Profile};

    const LIMITS: CallLimits = CallLimits {
        profile: Profile::TOKEN_ENDPOINT,
        body: 1024,
        tries: 2,
        each: Duration::from_secs(5),
        all: Duration::from_secs(10),
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(1),
    };

    /// A server that counts connections and requests, and ends the first `hang_ups` connections at
    /// once.
    async fn server(hang_ups: usize) -> (Url, Arc<AtomicUsize>, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let counts = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
        let [connections, requests] = counts.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if connections.fetch_add(1, Ordering::SeqCst) < hang_ups {
                    continue;
                }
                let requests = Arc::clone(&requests);
                tokio::spawn(async move {
                    let mut bytes = [0; 4096];
                    while stream.read(&mut bytes).await.unwrap_or(0) > 0 {
                        requests.fetch_add(1, Ordering::SeqCst);
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                        stream.write_all(answer).await.unwrap();
                    }
                });
            }
        });
        let [connections, requests] = counts;
        (url.parse().unwrap(), connections, requests)
    }

    async fn ask(net: &Net, url: &Url) -> Vec<u8> {
        net.send(&LIMITS, Request::new(Method::GET, url.clone())).await.unwrap().body.clone()
    }

    fn net() -> Net {
        Net::new(&Env::default(), Clock::system(), NetOptions::default())
    }

    #[tokio::test]
    async fn the_next_request_uses_the_connection_and_nothing_was_asked_before() {
        let (url, connections, requests) = server(0).await;
        let net = net();
        net.preconnect(&LIMITS.profile, &url).await;
        while connections.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(requests.load(Ordering::SeqCst), 0);
        assert_eq!(ask(&net, &url).await, b"ok");
        assert_eq!(ask(&net, &url).await, b"ok");
        assert_eq!(connections.load(Ordering::SeqCst), 1);
        assert_eq!(requests.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_connection_that_was_ended_meanwhile_is_replaced() {
        let (url, connections, _) = server(1).await;
        let net = net();
        net.preconnect(&LIMITS.profile, &url).await;
        while connections.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(ask(&net, &url).await, b"ok");
        assert_eq!(connections.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_connection_that_is_there_is_not_asked_over() {
        let (url, _, requests) = server(0).await;
        let net = net();
        assert_eq!(ask(&net, &url).await, b"ok");
        net.preconnect(&LIMITS.profile, &url).await;
        assert_eq!(requests.load(Ordering::SeqCst), 1);
        // No connection is wanted for later either, so none of these is refused one.
        let asked = [ask(&net, &url), ask(&net, &url)];
        futures_util::future::join_all(asked).await;
        assert_eq!(requests.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told_by_the_request() {
        let net = net();
        let url: Url = "http://127.0.0.1:1/".parse().unwrap();
        net.preconnect(&LIMITS.profile, &url).await;
        let error = net.send(&LIMITS, Request::new(Method::GET, url)).await.unwrap_err();
        assert_eq!(error.variant(), "unreachable");
    }
}
