// SPDX-License-Identifier: Apache-2.0
//! The proxy.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::super::image::MANIFESTS;
use super::super::message::Message;
use super::kind::{Condition, Fault, Seen};
use super::rule::Rule;

/// A running proxy; it stops when dropped.
pub(crate) struct FaultProxy {
    address: SocketAddr,
    /// The path of the service's URL.
    path: String,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultProxy {
    /// Stands before `service`: a URL with `http`, or `address:port`.
    pub(crate) fn start(service: &str, rules: Vec<Rule>) -> Self {
        let service = service.strip_prefix("http://").unwrap_or(service);
        let (target, path) = service.split_at(service.find('/').unwrap_or(service.len()));
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            target: target.to_owned(),
            hits: Mutex::new(vec![0; rules.len()]),
            rules,
            seen: Mutex::default(),
            cache: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::clone(&state);
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = served.accept(&listener) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, path: path.to_owned(), state, stop: Some(stop), thread: Some(thread) }
    }

    /// `address:port`, as the registry of an image.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The service's URL with the proxy in its place.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// The requests so far, in the order of their arrival.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

struct State {
    target: String,
    rules: Vec<Rule>,
    /// How many requests each rule has matched.
    hits: Mutex<Vec<usize>>,
    seen: Mutex<Vec<Seen>>,
    /// Answers by method and path.
    cache: Mutex<HashMap<String, (Message, Instant)>>,
}

/// What becomes of a connection after an answer.
enum Then {
    Close,
    Continue,
    Reset,
}

impl State {
    async fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            let state = Arc::clone(self);
            tokio::spawn(async move { state.connection(client).await });
        }
    }

    async fn connection(&self, client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut client = BufReader::new(client);
        while let Some(request) = Message::read_request(&mut client).await? {
            let (seen, fault) = self.note(&request);
            let fault = self.struck(&request, &seen, fault).await?;
            match self.answer(&mut client, &request, fault).await? {
                Then::Close => return client.shutdown().await,
                Then::Continue => {}
                Then::Reset => return client.get_ref().set_zero_linger(),
            }
        }
        Ok(())
    }

    /// Records the request and picks its fault.
    fn note(&self, request: &Message) -> (Seen, Option<Fault>) {
        let (method, path) = (request.word(0).to_owned(), request.word(1).to_owned());
        let mut hits = self.hits.lock().unwrap();
        let mut struck = None;
        for (row, (rule, hits)) in self.rules.iter().zip(hits.iter_mut()).enumerate() {
            if rule.matches(&method, &path) {
                *hits += 1;
                struck = struck.or_else(|| rule.turn.strikes(*hits).then_some(row));
            }
        }
        let mut headers = request.headers.clone();
        let mut names: Vec<_> = headers.iter().map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        let mut twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        twice.dedup();
        let twice = twice.into_iter().map(|pair| pair[0].clone()).collect();
        headers.retain(|(name, _)| name != "authorization");
        let seen = Seen {
            method,
            path,
            headers,
            authorized: request.header("authorization").is_some(),
            twice,
            length: request.body.len(),
            rule: struck,
        };
        self.seen.lock().unwrap().push(seen.clone());
        (seen, struck.map(|row| self.rules[row].fault.clone()))
    }

    /// The fault whose conditions hold.
    async fn struck(
        &self,
        request: &Message,
        seen: &Seen,
        mut fault: Option<Fault>,
    ) -> io::Result<Option<Fault>> {
        while let Some(Fault::If(condition, then)) = fault {
            let holds = match condition {
                Condition::Absent => !self.has(request, request.word(1)).await?,
                Condition::Asked(is) => is(seen, &request.body),
                Condition::There(path) => self.has(request, &path(request.word(1))).await?,
            };
            fault = holds.then_some(*then);
        }
        Ok(fault)
    }

    /// Whether the service has something under `path`.
    async fn has(&self, request: &Message, path: &str) -> io::Result<bool> {
        let mut head = request.with_method("HEAD").with_path(path);
        // A registry hides what is of no type that is asked for.
        head.headers.retain(|(name, _)| name != "accept");
        head.headers.push(("accept".to_owned(), MANIFESTS.to_owned()));
        Ok(self.forward(&head).await?.word(1) == "200")
    }

    /// The service's answer, or the one of a moment ago.
    async fn cached(&self, request: &Message, fresh: Duration) -> io::Result<Message> {
        let key = format!("{} {}", request.word(0), request.word(1));
        let known = self.cache.lock().unwrap().get(&key).cloned();
        if let Some((answer, at)) = known
            && at.elapsed() < fresh
        {
            return Ok(answer);
        }
        let answer = self.forward(request).await?;
        let kept = (answer.clone(), Instant::now());
        self.cache.lock().unwrap().insert(key, kept);
        Ok(answer)
    }

    async fn answer(
        &self,
        client: &mut BufReader<TcpStream>,
        request: &Message,
        fault: Option<Fault>,
    ) -> io::Result<Then> {
        if let Some(made) = fault.as_ref().and_then(|fault| fault.alone(request)) {
            return reply(client, request, made).await;
        }
        let answer = match fault {
            Some(Fault::Alter(change)) => {
                let mut answer = self.forward(request).await?;
                change(&mut answer.body);
                answer
            }
            Some(Fault::Cached(fresh)) => self.cached(request, fresh).await?,
            Some(Fault::CommitThenReset) => {
                self.forward(request).await?;
                return Ok(Then::Reset);
            }
            Some(Fault::Drip(pause)) => {
                let answer = self.forward(request).await?;
                return drip(client, &answer, pause).await;
            }
            Some(Fault::Endless) => return endless(client).await,
            Some(Fault::Hang) => {
                client.read_u8().await?;
                return Ok(Then::Close);
            }
            Some(Fault::Raw(bytes)) => {
                client.write_all(bytes).await?;
                return Ok(Then::Close);
            }
            Some(Fault::ResetBefore) => return Ok(Then::Reset),
            Some(Fault::Rewrite(path)) => {
                let rewritten = request.with_path(&path(request.word(1)));
                let answer = self.forward(&rewritten).await?;
                if answer.word(1) == "404" { self.forward(request).await? } else { answer }
            }
            Some(Fault::Slow(delay)) => {
                tokio::time::sleep(delay).await;
                self.forward(request).await?
            }
            Some(Fault::Truncate(length)) => {
                let answer = self.forward(request).await?;
                let bytes = answer.bytes(Some(answer.body.len()));
                let end = bytes.len() - answer.body.len().saturating_sub(length);
                client.write_all(&bytes[..end]).await?;
                return Ok(Then::Close);
            }
            // The others need nobody else.
            Some(_) | None => self.forward(request).await?,
        };
        reply(client, request, answer).await
    }

    /// The service's answer, or 502 when it gives none.
    async fn forward(&self, request: &Message) -> io::Result<Message> {
        match self.ask(request).await {
            Ok(answer) => Ok(answer),
            Err(error) => Ok(Message::made(502, &[], &format!("the service: {error}"))),
        }
    }

    async fn ask(&self, request: &Message) -> io::Result<Message> {
        let mut server = BufReader::new(TcpStream::connect(&self.target).await?);
        let bodiless = request.body.is_empty() && matches!(request.word(0), "GET" | "HEAD");
        let length = (!bodiless).then_some(request.body.len());
        let mut request = request.clone();
        let close = ("connection".to_owned(), "close".to_owned());
        request.drop_hop_by_hop();
        request.headers.push(close);
        let bytes = request.bytes_as_they_are(length);
        server.write_all(&bytes).await?;
        Message::read_answer(&mut server, request.word(0) == "HEAD").await
    }
}

/// Sends a whole answer. One to HEAD has the length of a body that does not come.
async fn reply(
    client: &mut BufReader<TcpStream>,
    request: &Message,
    mut answer: Message,
) -> io::Result<Then> {
    let mut length = Some(answer.body.len());
    if request.word(0) == "HEAD" {
        length = answer.content_length();
        answer.body.clear();
    }
    client.write_all(&answer.bytes(length)).await?;
    Ok(if request.is_last() { Then::Close } else { Then::Continue })
}

async fn drip(
    client: &mut BufReader<TcpStream>,
    answer: &Message,
    pause: Duration,
) -> io::Result<Then> {
    let bytes = answer.bytes(Some(answer.body.len()));
    let (head, body) = bytes.split_at(bytes.len() - answer.body.len());
    client.write_all(head).await?;
    for byte in body {
        tokio::time::sleep(pause).await;
        client.write_all(&[*byte]).await?;
    }
    Ok(Then::Continue)
}

/// Ends with the error of a client that has closed.
async fn endless(client: &mut BufReader<TcpStream>) -> io::Result<Then> {
    let head = b"HTTP/1.1 200 status\r\ntransfer-encoding: chunked\r\n\r\n";
    client.write_all(head).await?;
    let chunk = format!("4000\r\n{:16384}\r\n", "");
    loop {
        client.write_all(chunk.as_bytes()).await?;
    }
}
