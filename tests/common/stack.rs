// SPDX-License-Identifier: Apache-2.0
//! A stack of real services for one test binary: up at the first use, down when the binary ends,
//! however it ends.
//!
//! A watcher process owns the stack. It holds the read end of a pipe whose write end is ours alone,
//! so it learns of our end even when we are killed, and takes the stack down.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::{Cosign, Program};

/// What starts and stops the services; its README beside it has the details.
const LAUNCHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/realstack/realstack");
/// Where the search for free ports begins.
const FIRST_PORT: u16 = 24_000;
/// How many ports a stack takes.
const PORTS: u16 = 30;
/// Stacks start in two seconds on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How often a start is tried: another program may take a port in the meantime.
const TRIES: usize = 3;

/// Arguments: launcher, folder, options of `up`. A handler, not `trap ''`, because an ignored signal
/// would be ignored by the services too.
const WATCHER: &str = r#"
trap : HUP INT TERM
launcher=$1 dir=$2
shift 2
"$launcher" up "$dir" "$@" </dev/null || exit 1
: >"$dir/ready"
cat >/dev/null
"$launcher" down "$dir"
rm -rf "$dir"
"#;

/// Running services.
pub(crate) struct Stack {
    dir: PathBuf,
    vars: BTreeMap<String, String>,
    turn: RwLock<()>,
    watcher: Child,
    lifeline: Option<ChildStdin>,
}

/// Whether the logs have entries when the test begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logs {
    /// They are new: the next entry has index 0, which protobuf JSON leaves out and sigstore-python
    /// then misses.
    Empty,
    /// They have an entry.
    Begun,
}

/// One of the two transparency logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// Rekor v1.
    V1,
    /// Rekor v2.
    V2,
}

impl Log {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// The stack's signing config that names this log.
    pub(crate) fn signing_config(self, stack: &Stack) -> &Path {
        Path::new(stack.var(match self {
            Self::V1 => "SIGNING_CONFIG_V1",
            Self::V2 => "SIGNING_CONFIG_V2",
        }))
    }
}

/// A request that a service of the stack was asked, as the journal has it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Asked {
    /// Milliseconds since the stack began, when the answer went back.
    pub(crate) ms: u64,
    /// The service: `fulcio`, `rekor`, `rekor2`, `tsa`, `registry`, `registry_referrers`, `tuf`,
    /// `oidc`, `proxy`.
    pub(crate) service: String,
    /// The request method; `CONNECT` marks a new connection and is no request.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// The status code.
    pub(crate) status: u16,
}

/// A test's time with the shared stack.
pub(crate) struct Visit {
    stack: &'static Stack,
    _turn: Turn,
}

enum Turn {
    Alone { _guard: RwLockWriteGuard<'static, ()> },
    Shared { _guard: RwLockReadGuard<'static, ()> },
}

impl Deref for Visit {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        self.stack
    }
}

static SHARED: OnceLock<Stack> = OnceLock::new();

impl Stack {
    /// The stack of this test binary, beside other tests.
    pub(crate) fn shared() -> Visit {
        let stack = SHARED.get_or_init(|| Self::up(Logs::Begun, &[]));
        let guard = stack.turn.read().unwrap_or_else(PoisonError::into_inner);
        Visit { stack, _turn: Turn::Shared { _guard: guard } }
    }

    /// The stack of this test binary, with no other test at work and an empty journal: for counting.
    pub(crate) fn alone() -> Visit {
        let stack = SHARED.get_or_init(|| Self::up(Logs::Begun, &[]));
        let guard = stack.turn.write().unwrap_or_else(PoisonError::into_inner);
        stack.reset_journal();
        Visit { stack, _turn: Turn::Alone { _guard: guard } }
    }

    /// A stack of its own, down when dropped. `options` are those of `realstack up`, without the port.
    pub(crate) fn up(logs: Logs, options: &[&str]) -> Self {
        let mut port = FIRST_PORT;
        for _ in 0..TRIES {
            let (claimed, log) = claim(port);
            if let Some(stack) = Self::start(claimed, log, options) {
                if logs == Logs::Begun {
                    stack.begin_logs();
                }
                return stack;
            }
            port = claimed + PORTS;
        }
        let log = std::fs::read_to_string(base().join(format!("{}.log", port - PORTS)));
        panic!("the stack does not start: {}", log.unwrap_or_default());
    }

    fn start(port: u16, log: File, options: &[&str]) -> Option<Self> {
        let dir = base().join(port.to_string());
        let mut watcher = Command::new("bash")
            .args(["-c", WATCHER, "watcher", LAUNCHER])
            .arg(&dir)
            .args(["--port", &port.to_string()])
            .args(options)
            .stdin(Stdio::piped())
            // The lock on the ports goes with the file, so it lasts as long as the watcher.
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let lifeline = watcher.stdin.take();
        let began = Instant::now();
        while !dir.join("ready").exists() {
            let ended = watcher.try_wait().unwrap().is_some();
            if ended || began.elapsed() > START_LIMIT {
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Some(Self {
            vars: variables(&dir.join("env.sh")),
            dir,
            turn: RwLock::new(()),
            watcher,
            lifeline,
        })
    }

    /// A variable of `env.sh`.
    #[track_caller]
    pub(crate) fn var(&self, name: &str) -> &str {
        let value = self.vars.get(name).map(String::as_str);
        value.unwrap_or_else(|| panic!("the stack has no `{name}`"))
    }

    /// One of the programs that came with the stack.
    pub(crate) fn program(&self, name: &str) -> Program {
        let bin = self.var("REALSTACK_BIN");
        // Peers keep settings and caches in HOME; the one of the machine is none of their business.
        Program::new(Path::new(bin).join(name))
            .env("HOME", &self.dir)
            .env("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin"))
    }

    /// `ambisign` with a `command` that signs, about to run: by the services of this stack, with a
    /// fresh token of its `github`.
    pub(crate) fn signing(&self, command: &str, log: Log) -> Program {
        Program::ambisign()
            .env("SIGSTORE_ID_TOKEN", self.token("github", &[]))
            .args([command, "--trusted-root", self.var("TRUSTED_ROOT")])
            .arg("--signing-config")
            .arg(log.signing_config(self))
    }

    /// The URL of one of the stack's issuers.
    pub(crate) fn issuer(&self, name: &str) -> String {
        format!("{}/{name}", self.var("OIDC_URL"))
    }

    /// A fresh identity token of the local `issuer`, with `claims` (`name=value`) replaced; options
    /// of `realstack token` (`--alg=ES256`) can stand among them.
    pub(crate) fn token(&self, issuer: &str, claims: &[&str]) -> String {
        let mut launcher = Program::new(LAUNCHER);
        for name in ["HOME", "PATH", "REALSTACK_CACHE"] {
            if let Some(value) = std::env::var_os(name) {
                launcher = launcher.env(name, value);
            }
        }
        let run = launcher.arg("token").arg(&self.dir).arg(issuer).args(claims).run();
        run.expect(0).stdout.trim().to_owned()
    }

    /// What the services were asked since the last reset, in the order of their answers.
    pub(crate) fn journal(&self) -> Vec<Asked> {
        let text = std::fs::read_to_string(self.dir.join("journal.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How many requests each service was asked; connections are no requests.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for asked in self.journal().into_iter().filter(|asked| asked.method != "CONNECT") {
            *counts.entry(asked.service).or_insert(0) += 1;
        }
        counts
    }

    /// The same without what the services are asked about themselves: how often each was asked for a
    /// certificate, a timestamp of a signature or an entry.
    pub(crate) fn made(&self) -> BTreeMap<String, usize> {
        let mut counts = self.counts();
        for asked in self.journal() {
            let is_service = ["fulcio", "rekor", "rekor2", "tsa"].contains(&asked.service.as_str());
            // A run that reads the trust bundle also asks the authority for a timestamp of random bytes.
            let comes_with_trial = asked.path.ends_with("/api/v2/trustBundle");
            let trial = comes_with_trial.then(|| "tsa".to_owned());
            let about_itself = (is_service && asked.method == "GET").then_some(asked.service);
            for service in about_itself.into_iter().chain(trial) {
                if let Some(count) = counts.get_mut(&service) {
                    *count = count.saturating_sub(1);
                }
            }
        }
        counts.retain(|_, count| *count > 0);
        counts
    }

    /// Empties the journal.
    pub(crate) fn reset_journal(&self) {
        // The front appends, so a shorter file stays consistent.
        File::create(self.dir.join("journal.jsonl")).unwrap();
    }

    fn begin_logs(&self) {
        for log in Log::ALL {
            Cosign::begin(self, log);
        }
        self.reset_journal();
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _status = self.watcher.wait();
    }
}

/// The folder of this user's stacks: short, because paths of Unix sockets are limited to 107 bytes.
fn base() -> PathBuf {
    let user = std::fs::metadata("/proc/self").unwrap().uid();
    let base = std::env::temp_dir().join(format!("ambisign-stacks-{user}"));
    std::fs::create_dir_all(&base).unwrap();
    base.canonicalize().unwrap()
}

/// The first free range of ports from `first` on, and the file whose lock keeps it ours.
fn claim(first: u16) -> (u16, File) {
    let (mut port, end) = (first, first_ephemeral_port());
    while port + PORTS <= end {
        let file = File::options()
            .create(true)
            .append(true)
            .open(base().join(format!("{port}.log")))
            .unwrap();
        if file.try_lock().is_ok() {
            sweep(&base().join(port.to_string()));
            let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
            if (port..port + PORTS).all(free) {
                file.set_len(0).unwrap();
                return (port, file);
            }
        }
        port += PORTS;
    }
    panic!("no {PORTS} free ports in a row from {first} to {end}");
}

/// Ports from here on are given to outgoing connections.
fn first_ephemeral_port() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range.ok().and_then(|text| text.split_whitespace().next()?.parse().ok());
    first.unwrap_or(32_768)
}

/// Ends what a killed watcher left behind in `dir`. A process number may have gone to somebody else
/// since, so only processes that still work in `dir` are left in the list.
fn sweep(dir: &Path) {
    let list = dir.join("pids");
    if let Ok(pids) = std::fs::read_to_string(&list) {
        let ours = |line: &&str| {
            let pid = line.split(' ').next().unwrap_or_default();
            std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == dir)
        };
        let kept: Vec<_> = pids.lines().filter(ours).map(|line| format!("{line}\n")).collect();
        std::fs::write(&list, kept.concat()).unwrap();
        let _down = Command::new(LAUNCHER).arg("down").arg(dir).status();
    }
    let _gone = std::fs::remove_dir_all(dir);
}

/// Reads lines of the form `export NAME='value'`.
fn variables(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
        .collect()
}
