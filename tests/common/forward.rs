// SPDX-License-Identifier: Apache-2.0
//! A proxy on loopback, of HTTP and of SOCKS5 at once, that does as a test says.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What the proxy answers where a login is missing or wrong.
const LOGIN: &str = "HTTP/1.1 407 Proxy Authentication Required\r\n\
    Proxy-Authenticate: Basic realm=\"corp\"\r\nContent-Length: 12\r\n\r\nlog in first";
/// The first byte of SOCKS5 (RFC 1928 3).
const SOCKS: u8 = 5;
/// The method of user and password (RFC 1929).
const PASSWORD: u8 = 2;
/// That no method is acceptable.
const NONE: u8 = 0xff;

/// How the proxy answers a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    /// Nothing, until the client gives up.
    Hang,
    /// The connection ends without a word.
    HangUp,
    /// The reply of SOCKS5 (RFC 1928 6), and the connection ends.
    Reply(u8),
    /// These bytes, and the connection ends.
    Say(&'static str),
}

/// Where a proxy sends what it lets through.
#[derive(Clone, Debug)]
enum Way {
    /// Nowhere.
    None(Does),
    /// Tunnels to this proxy of HTTP.
    Proxy(String),
    /// Requests in plain HTTP to this server, whatever host they name.
    Server(String),
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxied {
    /// The method; `SOCKS5`.
    pub(crate) method: String,
    /// What is asked for: a URL, or `host:port`.
    pub(crate) target: String,
    /// `user:password`, if they came.
    pub(crate) login: Option<String>,
}

/// A running proxy. It goes on until the test process ends.
pub(crate) struct Forward {
    address: String,
    state: Arc<State>,
}

struct State {
    way: Way,
    /// `user:password` that it wants.
    login: Option<&'static str>,
    seen: Mutex<Vec<Proxied>>,
}

impl Forward {
    /// A proxy that lets nothing through.
    pub(crate) fn that(does: Does) -> Self {
        Self::start(Way::None(does), None)
    }

    /// A proxy that lets tunnels through to another one, for those with this login.
    pub(crate) fn before(proxy: &str, login: Option<&'static str>) -> Self {
        let proxy = proxy.trim_start_matches("http://");
        Self::start(Way::Proxy(proxy.to_owned()), login)
    }

    /// A proxy that lets requests in plain HTTP through to `server`, for those with this login.
    pub(crate) fn of(server: &str, login: Option<&'static str>) -> Self {
        Self::start(Way::Server(server.to_owned()), login)
    }

    fn start(way: Way, login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State { way, login, seen: Mutex::default() });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that goes away has its reasons.
                thread::spawn(move || state.serve(stream));
            }
        });
        Self { address, state }
    }

    /// `address:port`.
    pub(crate) fn host(&self) -> &str {
        &self.address
    }

    /// The URL of the proxy with `scheme`.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// What was asked so far.
    pub(crate) fn seen(&self) -> Vec<Proxied> {
        self.state.seen.lock().unwrap().clone()
    }
}

impl State {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut first = [0];
        stream.peek(&mut first)?;
        if first == [SOCKS] && !matches!(self.way, Way::None(Does::Say(_) | Does::HangUp)) {
            return self.socks(stream);
        }
        let mut reader = BufReader::new(stream.try_clone()?);
        let head = if first[0].is_ascii_alphabetic() {
            Head::read(&mut reader)?
        } else {
            // Another protocol; what stays unread would reset the connection.
            reader.fill_buf()?;
            Head::default()
        };
        let login = head.login();
        self.note(&head.word(0), &head.word(1), login.clone());
        if self.login.is_some_and(|wanted| login.as_deref() != Some(wanted)) {
            return (&stream).write_all(LOGIN.as_bytes());
        }
        match &self.way {
            Way::None(does) => does.to(&stream),
            Way::Proxy(proxy) => {
                let target = head.word(1);
                tunnel(&stream, proxy, &target, b"HTTP/1.1 200 ok\r\n\r\n")
            }
            Way::Server(server) => forward(&stream, server, &head, reader),
        }
    }

    fn socks(&self, mut stream: TcpStream) -> io::Result<()> {
        let methods = counted(&mut stream, 1)?;
        let wanted = if self.login.is_some() { PASSWORD } else { 0 };
        let taken = if methods.contains(&wanted) { wanted } else { NONE };
        stream.write_all(&[SOCKS, taken])?;
        let mut login = None;
        if taken == PASSWORD {
            let (user, password) = (counted(&mut stream, 1)?, counted(&mut stream, 0)?);
            let text = |bytes| String::from_utf8(bytes).unwrap();
            login = Some(format!("{}:{}", text(user), text(password)));
            let is_right = login.as_deref() == self.login;
            stream.write_all(&[1, u8::from(!is_right)])?;
        }
        let mut head = [0; 4];
        if stream.read_exact(&mut head).is_err() {
            self.note("SOCKS5", "", login);
            return Ok(());
        }
        assert_eq!(head, [SOCKS, 1, 0, 3], "only names are sent to this proxy");
        let name = String::from_utf8(counted(&mut stream, 0)?).unwrap();
        let mut port = [0; 2];
        stream.read_exact(&mut port)?;
        let target = format!("{name}:{}", u16::from_be_bytes(port));
        self.note("SOCKS5", &target, login);
        let reply = |code| [SOCKS, code, 0, 1, 0, 0, 0, 0, 0, 0];
        match &self.way {
            Way::None(Does::Reply(code)) => stream.write_all(&reply(*code)),
            Way::None(does) => does.to(&stream),
            Way::Proxy(proxy) => tunnel(&stream, proxy, &target, &reply(0)),
            Way::Server(_) => stream.write_all(&reply(2)),
        }
    }

    fn note(&self, method: &str, target: &str, login: Option<String>) {
        self.seen.lock().unwrap().push(Proxied {
            method: method.to_owned(),
            target: target.to_owned(),
            login,
        });
    }
}

impl Does {
    fn to(self, mut stream: &TcpStream) -> io::Result<()> {
        match self {
            Self::Hang => {
                thread::sleep(Duration::from_secs(600));
                Ok(())
            }
            Self::HangUp => Ok(()),
            Self::Reply(_) => panic!("a reply of SOCKS5 to a client of HTTP"),
            Self::Say(text) => stream.write_all(text.as_bytes()),
        }
    }
}

/// The head of a request.
#[derive(Default)]
struct Head {
    lines: Vec<String>,
}

impl Head {
    fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Self> {
        let mut head = Self::default();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim_end() {
                "" => return Ok(head),
                line => head.lines.push(line.to_owned()),
            }
        }
    }

    /// A word of the first line.
    fn word(&self, at: usize) -> String {
        let first = self.lines.first().map(String::as_str).unwrap_or_default();
        first.split(' ').nth(at).unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.lines.iter().skip(1);
        let mut pairs = headers.filter_map(|line| line.split_once(": "));
        let found = pairs.find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    fn login(&self) -> Option<String> {
        let login = self.header("proxy-authorization")?.strip_prefix("Basic ")?;
        String::from_utf8(STANDARD.decode(login).ok()?).ok()
    }
}

/// Bytes with their count before them, after `skip` bytes.
fn counted(stream: &mut TcpStream, skip: usize) -> io::Result<Vec<u8>> {
    let mut head = vec![0; skip + 1];
    stream.read_exact(&mut head)?;
    let mut bytes = vec![0; usize::from(head[skip])];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Joins `client` with `target` by way of `proxy`, after `done`.
fn tunnel(mut client: &TcpStream, proxy: &str, target: &str, done: &[u8]) -> io::Result<()> {
    let mut server = TcpStream::connect(proxy)?;
    server.write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes())?;
    let mut reader = BufReader::new(server.try_clone()?);
    let answer = Head::read(&mut reader)?;
    if answer.word(1) != "200" {
        return client.write_all(b"HTTP/1.1 502 no way\r\nContent-Length: 0\r\n\r\n");
    }
    client.write_all(done)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let there = thread::spawn(move || {
        let _ended = io::copy(&mut from, &mut to);
        to.shutdown(Shutdown::Write)
    });
    let _ended = io::copy(&mut reader, &mut client);
    let _ended = client.shutdown(Shutdown::Write);
    let _ended = there.join();
    Ok(())
}

/// Sends one request on to `server`, as a server wants it, and the answer back.
fn forward(
    mut client: &TcpStream,
    server: &str,
    head: &Head,
    mut reader: BufReader<TcpStream>,
) -> io::Result<()> {
    let target = head.word(1);
    let path = target.splitn(4, '/').nth(3).unwrap_or_default();
    let mut text = format!("{} /{path} HTTP/1.1\r\nConnection: close\r\n", head.word(0));
    for line in head.lines.iter().skip(1) {
        let name = line.split(':').next().unwrap_or_default().to_lowercase();
        if name != "connection" && !name.starts_with("proxy-") {
            text = format!("{text}{line}\r\n");
        }
    }
    let length = head.header("content-length").unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body)?;
    let mut server = TcpStream::connect(server)?;
    server.write_all(format!("{text}\r\n").as_bytes())?;
    server.write_all(&body)?;
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}
