// SPDX-License-Identifier: Apache-2.0
//! Runs one program: nothing in its environment but what the test names, everything it says
//! captured, and a hard end.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::schema;

/// How long a program may run when the test does not say: far beyond any deadline of its own.
const LIMIT: Duration = Duration::from_secs(120);
/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(1);
/// How long a pipe may stay open after the program's end: a grandchild may hold it.
const DRAIN: Duration = Duration::from_secs(2);

/// A program that is about to run.
pub(crate) struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    dir: Option<PathBuf>,
    stdin: Vec<u8>,
    limit: Duration,
    signal: Option<(Due, &'static str)>,
}

/// When a signal is sent.
enum Due {
    After(Duration),
    When(Box<dyn Fn() -> bool + Send>),
}

/// A program that has ended, by itself or by the limit.
pub(crate) struct Finished {
    /// What was run, for messages.
    pub(crate) line: String,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// The exit code, or `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Whether the limit ended it: then it hung.
    pub(crate) hung: bool,
    /// From start to end.
    pub(crate) took: Duration,
    /// From the signal that the test asked for to the end.
    pub(crate) after_signal: Option<Duration>,
    /// The most memory it held at once, in KiB, as seen by polling `/proc`; 0 when it was too short.
    pub(crate) peak_rss_kib: u64,
    /// Its working directory: empty before, so whatever is in it now was written by the program.
    pub(crate) dir: PathBuf,
    _scratch: Option<TempDir>,
}

impl Program {
    /// The binary under test.
    pub(crate) fn ambisign() -> Self {
        Self::new(env!("CARGO_BIN_EXE_ambisign"))
    }

    /// Any other program.
    pub(crate) fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            args: Vec::new(),
            env: BTreeMap::new(),
            dir: None,
            stdin: Vec::new(),
            limit: LIMIT,
            signal: None,
        }
    }

    /// One argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Several arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.args.extend(args);
        self
    }

    /// One environment variable. There are no others.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let (name, value) = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.env.insert(name, value);
        self
    }

    /// Runs in `dir` and not in an empty folder of its own.
    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Feeds `bytes` to its standard input, which is empty otherwise.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Kills it after `limit`.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sends it `signal` (`INT`, `TERM`) after `wait`.
    pub(crate) fn signal_after(mut self, wait: Duration, signal: &'static str) -> Self {
        self.signal = Some((Due::After(wait), signal));
        self
    }

    /// Sends it `signal` as soon as `due` says so.
    pub(crate) fn signal_when(
        mut self,
        due: impl Fn() -> bool + Send + 'static,
        signal: &'static str,
    ) -> Self {
        self.signal = Some((Due::When(Box::new(due)), signal));
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Finished {
        let line = self.to_string();
        let scratch = self.dir.is_none().then(|| TempDir::new().unwrap());
        let own = || scratch.as_ref().unwrap().path().to_owned();
        let dir = self.dir.clone().unwrap_or_else(own);
        let began = Instant::now();
        let mut child = Command::new(&self.path)
            .args(&self.args)
            .env_clear()
            .envs(&self.env)
            .current_dir(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("`{line}` does not start: {error}"));
        let (stdout, stderr) =
            (collect(child.stdout.take().unwrap()), collect(child.stderr.take().unwrap()));
        let (mut pipe, input) = (child.stdin.take().unwrap(), std::mem::take(&mut self.stdin));
        // A program that reads nothing closes the pipe early: its exit code tells the rest.
        thread::spawn(move || pipe.write_all(&input));
        let (mut peak_rss_kib, mut hung, mut signalled) = (0, false, None);
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            peak_rss_kib = peak_rss_kib.max(peak_rss(child.id()));
            if began.elapsed() > self.limit && !hung {
                hung = true;
                child.kill().unwrap();
            }
            let due = |(due, _): &mut (Due, _)| due.is_now(began);
            if let Some((_, signal)) = self.signal.take_if(due) {
                signalled = Some(Instant::now());
                send(child.id(), signal);
            }
            thread::sleep(POLL);
        };
        let (stdout, stderr) = (stdout.text(), stderr.text());
        if self.path == Path::new(env!("CARGO_BIN_EXE_ambisign")) {
            assert_explained(&stdout, &stderr);
        }
        Finished {
            took: began.elapsed(),
            after_signal: signalled.map(|at: Instant| at.elapsed()),
            line,
            stdout,
            stderr,
            code: status.code(),
            signal: status.signal(),
            hung,
            peak_rss_kib,
            dir,
            _scratch: scratch,
        }
    }
}

impl Due {
    fn is_now(&self, began: Instant) -> bool {
        match self {
            Self::After(wait) => began.elapsed() > *wait,
            Self::When(due) => due(),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        write!(f, "{}", name.display())?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", arg.display()))
    }
}

impl Finished {
    /// Stops the test, with everything that the program said, unless it ended with `code` in time.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert!(self.code == Some(code) && !self.hung, "expected exit code {code} of {self}");
        self
    }

    /// Its standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let document = serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("standard output is not one JSON document, {error}: {self}")
        });
        if self.line.starts_with(env!("CARGO_BIN_EXE_ambisign")) {
            schema::hold(&document);
        }
        document
    }

    /// Everything that it said and wrote, for [`assert_no_canary`].
    pub(crate) fn outputs(&self) -> Vec<(String, Vec<u8>)> {
        let mut outputs = vec![
            ("stdout".to_owned(), self.stdout.clone().into_bytes()),
            ("stderr".to_owned(), self.stderr.clone().into_bytes()),
        ];
        files(&self.dir, &mut outputs);
        outputs
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "`{}`", self.line)?;
        writeln!(
            f,
            "code {:?}, signal {:?}, hung {}, took {:?}",
            self.code, self.signal, self.hung, self.took
        )?;
        write!(f, "--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// Stops the test when the output has a code that `ambisign explain` does not know.
fn assert_explained(stdout: &str, stderr: &str) {
    let of_errors =
        stderr.lines().filter_map(|line| line.strip_prefix("ambisign: code: ")?.split(';').next());
    let of_documents = stdout.split("\"code\":").skip(1);
    let of_documents =
        of_documents.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    // What a registry answered has codes of its own, such as `DENIED`.
    let of_documents = of_documents.filter(|code| code.contains('/'));
    let told: BTreeSet<&str> = of_errors.chain(of_documents).collect();
    if !told.is_empty() {
        let rows = ambisign::explain::codes();
        let known: BTreeSet<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
        let unknown: Vec<_> = told.difference(&known).collect();
        assert!(unknown.is_empty(), "not explained: {unknown:?}");
    }
}

/// Stops the test when one of `canaries` (secrets that the test made up) is in one of `outputs`, as
/// it is, in base64, or as the part of a JWT that signs.
#[track_caller]
pub(crate) fn assert_no_canary(canaries: &[&str], outputs: &[(String, Vec<u8>)]) {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    for canary in canaries {
        assert!(canary.len() >= 8, "a canary must not occur by chance");
        let signature = canary.rsplit_once('.').map(|(_, last)| last.to_owned());
        let forms = [
            Some((*canary).to_owned()),
            Some(STANDARD_NO_PAD.encode(canary)),
            Some(URL_SAFE_NO_PAD.encode(canary)),
            signature,
        ];
        for form in forms.iter().flatten() {
            for (name, bytes) in outputs {
                let found = bytes.windows(form.len()).any(|part| part == form.as_bytes());
                assert!(!found, "a secret is in {name}");
            }
        }
    }
}

/// A pipe that is read by a thread of its own until it closes.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: mpsc::Receiver<()>,
}

impl Collected {
    fn text(&self) -> String {
        let _closed = self.closed.recv_timeout(DRAIN);
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> Collected {
    let (bytes, (done, closed)) = (Arc::<Mutex<Vec<u8>>>::default(), mpsc::channel());
    let sink = Arc::clone(&bytes);
    thread::spawn(move || {
        let mut part = [0; 8192];
        while let Ok(length @ 1..) = pipe.read(&mut part) {
            sink.lock().unwrap().extend_from_slice(&part[..length]);
        }
        let _waiting = done.send(());
    });
    Collected { bytes, closed }
}

/// `VmHWM` only grows, so the last look before the end is the peak but for that last millisecond.
fn peak_rss(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

fn send(pid: u32, signal: &str) {
    let status = Command::new("kill").args(["-s", signal, &pid.to_string()]).status();
    assert!(status.unwrap().success(), "the signal could not be sent");
}

fn files(dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&path, found),
            Ok(kind) if kind.is_file() => {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path.display().to_string(), bytes));
            }
            Ok(_) | Err(_) => {}
        }
    }
}
