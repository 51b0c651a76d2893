// SPDX-License-Identifier: Apache-2.0
//! ambisign and cosign side by side, in one run, on the real stack: `cargo bench --bench compare`.
//!
//! Absolute times depend on the machine; ratios, requests, memory and size do not. Each number is
//! printed with its target, and a missed target makes the exit code 1.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that prints measurements and stops when it cannot measure"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use common::{
    Asked, Cosign, Finished, GITHUB_IDENTITY, Image, Log, Logs, Program, Registry, Stack,
};

/// One-way delay before every service in milliseconds: a round trip to a far region is 50.
const DELAY: &str = "25";
/// The interval between checkpoints of the Rekor v2 log, in milliseconds. It is short because the wait
/// depends on when a run happens to start, not on the program.
const CHECKPOINT: &str = "100";
/// Measured rounds. In each round, each program signs one image.
const ROUNDS: usize = 9;
/// Rounds of the start-up time, which is short.
const STARTS: usize = 21;

/// Seconds of ours per second of cosign's, for one image.
const WALL_RATIO: f64 = 0.6;
/// The most memory for one image.
const RSS_MIB: f64 = 24.0;
/// The stripped release binary.
const SIZE_MB: f64 = 9.0;
/// `ambisign --version`.
const START_MS: f64 = 10.0;
/// Processor time for one verification of a file, over that of a start.
const VERIFY_CPU_MS: f64 = 15.0;
/// Round trips to a TUF mirror without a cache (a connection, then five requests in sequence) and with
/// one. They include the program's own time.
const TUF_ROUND_TRIPS: [(&str, f64); 2] = [("cold", 6.6), ("warm", 2.6)];
/// How often a program is run for its processor time.
const CPU_RUNS: usize = 20;

fn main() -> ExitCode {
    let mut table = Table::default();
    let size = released_size();
    let stack = Stack::up(Logs::Begun, &["--delay", DELAY, "--checkpoint", CHECKPOINT]);
    println!(
        "one image, fallback tag, {DELAY} ms one-way delay, median of {ROUNDS} rounds in turns\n"
    );
    table.head();
    for log in Log::ALL {
        match measure(&stack, log) {
            Ok(pair) => table.pair(log, &pair),
            Err(why) => table.missing(&format!("Rekor {log:?}"), &why),
        }
    }
    table.bound("binary, stripped (MB)", size, file_mb(cosign(&stack)), SIZE_MB);
    let ours = start_up(|| Program::ambisign().arg("--version"));
    let theirs = start_up(|| stack.program("cosign").arg("version"));
    table.bound("start-up (ms)", ours, theirs, START_MS);
    table.verification(&stack);
    table.mirror(&stack);
    if table.missed == 0 {
        println!("\nevery target is met");
        return ExitCode::SUCCESS;
    }
    println!("\n{} targets are missed", table.missed);
    ExitCode::FAILURE
}

/// The cost of signing one image with a program.
#[derive(Default)]
struct Cost {
    seconds: Vec<f64>,
    /// The same without the log's response time, which for Rekor v2 is mostly the wait for the next
    /// checkpoint.
    seconds_less_log: Vec<f64>,
    peak_mib: f64,
    /// Requests by service, in the last round.
    requests: BTreeMap<String, usize>,
}

impl Cost {
    fn add(&mut self, stack: &Stack, run: &Finished) {
        let (wall, log) = (run.took.as_secs_f64(), log_seconds(stack));
        self.seconds.push(wall);
        self.seconds_less_log.push(wall - log);
        let kib = u32::try_from(run.peak_rss_kib).unwrap();
        self.peak_mib = self.peak_mib.max(f64::from(kib) / 1024.0);
        self.requests = stack.counts();
    }
}

/// The time from the timestamp authority's answer, after which each program contacts the log, to the
/// log's answer.
fn log_seconds(stack: &Stack) -> f64 {
    let journal = stack.journal();
    let answered = |services: &[&str]| {
        let of =
            |asked: &&Asked| asked.method == "POST" && services.contains(&asked.service.as_str());
        journal.iter().rev().find(of).map(|asked| asked.ms)
    };
    match (answered(&["tsa"]), answered(&["rekor", "rekor2"])) {
        (Some(stamped), Some(logged)) => {
            Duration::from_millis(logged.saturating_sub(stamped)).as_secs_f64()
        }
        (_, _) => 0.0,
    }
}

/// The two programs on one log.
#[derive(Default)]
struct Pair {
    ours: Cost,
    theirs: Cost,
}

fn measure(stack: &Stack, log: Log) -> Result<Pair, String> {
    let mut pair = Pair::default();
    let ours = |pair: &mut Cost| {
        sign(stack, pair, |image| stack.signing("sign", log).arg(image.reference()))
    };
    let theirs = |pair: &mut Cost| {
        sign(stack, pair, |image| Cosign::Three.sign(stack, log.signing_config(stack), image))
    };
    // The first of each warms caches and is not counted.
    ours(&mut Cost::default())?;
    theirs(&mut Cost::default())?;
    for round in 0..ROUNDS {
        // The order alternates, so that neither program always finds the caches warmed by the other.
        if round % 2 == 0 {
            ours(&mut pair.ours)?;
            theirs(&mut pair.theirs)?;
        } else {
            theirs(&mut pair.theirs)?;
            ours(&mut pair.ours)?;
        }
    }
    Ok(pair)
}

/// Signs an image that has no signature yet. A run that leaves none is not measured.
fn sign(stack: &Stack, cost: &mut Cost, program: impl Fn(&Image) -> Program) -> Result<(), String> {
    let image = stack.push(Registry::Fallback, "bench/app", 1);
    let program = program(&image).limit(Duration::from_secs(60));
    stack.reset_journal();
    let run = program.run();
    cost.add(stack, &run);
    let verdict = Cosign::Three.verify(stack, &image, &[]);
    match (run.code, verdict.code) {
        (Some(0), Some(0)) => Ok(()),
        (Some(0), _) => Err(format!("cosign does not accept what this signed: {run}")),
        (_, _) => Err(format!("the image was not signed: {run}")),
    }
}

/// The size in megabytes of the released binary. It is built on its own, as for a release, so that no
/// other member of the workspace adds features. The later measurements use this binary.
fn released_size() -> Option<f64> {
    let build = Command::new(env!("CARGO"))
        .args(["build", "--profile", "bench", "--locked", "-p", "ambisign"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    let built = build.is_ok_and(|status| status.success());
    built.then(|| file_mb(env!("CARGO_BIN_EXE_ambisign"))).flatten()
}

fn cosign(stack: &Stack) -> String {
    format!("{}/cosign", stack.var("REALSTACK_BIN"))
}

fn file_mb(path: impl AsRef<Path>) -> Option<f64> {
    let length = std::fs::metadata(path).ok()?.len();
    Some(f64::from(u32::try_from(length).ok()?) / 1e6)
}

/// The median in milliseconds, or `None` when a start failed or printed nothing.
fn start_up(program: impl Fn() -> Program) -> Option<f64> {
    let times = (0..STARTS).map(|_| {
        let run = program().run();
        let spoke = run.code == Some(0) && !(run.stdout.is_empty() && run.stderr.is_empty());
        spoke.then_some(run.took.as_secs_f64() * 1e3)
    });
    Some(median(&times.collect::<Option<Vec<_>>>()?))
}

/// Processor time of one run in milliseconds, averaged by the shell over many; `None` if one fails.
fn cpu(program: &[&str], dir: &Path) -> Option<f64> {
    let script =
        format!("TIMEFORMAT='%3U %3S'; time for run in $(seq {CPU_RUNS}); do \"$@\" || exit; done");
    let run = Program::new("/bin/bash")
        .args(["-c", &script, "bash"])
        .args(program)
        .env("HOME", dir)
        .env("PATH", "/usr/bin:/bin")
        .dir(dir)
        .run();
    let line = run.stderr.lines().last().filter(|_| run.code == Some(0))?;
    let seconds = line.split(' ').map(|part| part.parse::<f64>().ok());
    let seconds: f64 = seconds.collect::<Option<Vec<_>>>()?.iter().sum();
    let runs = u32::try_from(CPU_RUNS).ok()?;
    Some(seconds * 1e3 / f64::from(runs))
}

/// Processor time in milliseconds for one verification of a file by `program`, without its start.
fn verification_ms(stack: &Stack, program: &str, version: &str, dir: &Path) -> Option<f64> {
    let issuer = stack.issuer("github");
    let verify = [
        program,
        "verify-blob",
        "--bundle",
        "bundle",
        "--trusted-root",
        stack.var("TRUSTED_ROOT"),
        "--certificate-identity",
        GITHUB_IDENTITY,
        "--certificate-oidc-issuer",
        &issuer,
        "blob",
    ];
    Some(cpu(&verify, dir)? - cpu(&[program, version], dir)?)
}

/// Runs `trust update`, or the equivalent command of cosign.
fn asks_mirror(stack: &Stack, program: Program, home: &Path) -> Option<f64> {
    let run = program.env("HOME", home).env("PATH", "/usr/bin:/bin").dir(stack_dir(stack)).run();
    (run.code == Some(0)).then_some(run.took.as_secs_f64())
}

fn stack_dir(stack: &Stack) -> &Path {
    Path::new(stack.var("TRUSTED_ROOT")).parent().unwrap()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_owned();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Prints the measurements and counts those that miss their target.
#[derive(Default)]
struct Table {
    missed: usize,
}

impl Table {
    fn head(&self) {
        let (ours, theirs) = ("ambisign", "cosign");
        println!("{:<34}{ours:>10}{theirs:>10}{:>8}{:>9}", "", "ratio", "target");
    }

    fn pair(&mut self, log: Log, pair: &Pair) {
        let name = format!("wall, Rekor {log:?} (s)");
        // The wait for a checkpoint depends on when a run happens to start.
        let (whole, rest) = match log {
            Log::V1 => (Some(WALL_RATIO), None),
            Log::V2 => (None, Some(WALL_RATIO)),
        };
        self.ratio(&name, &pair.ours.seconds, &pair.theirs.seconds, whole);
        let (ours, theirs) = (&pair.ours.seconds_less_log, &pair.theirs.seconds_less_log);
        self.ratio("  less the log's answer", ours, theirs, rest);
        let services = pair.ours.requests.keys().chain(pair.theirs.requests.keys());
        for service in services.collect::<BTreeSet<_>>() {
            let count = |cost: &Cost| cost.requests.get(service).copied().unwrap_or(0);
            let (ours, theirs) = (count(&pair.ours), count(&pair.theirs));
            println!("{:<34}{ours:>10}{theirs:>10}", format!("  requests, {service}"));
        }
        let name = format!("peak memory, Rekor {log:?} (MiB)");
        let theirs = Some(pair.theirs.peak_mib);
        self.bound(&name, Some(pair.ours.peak_mib), theirs, RSS_MIB);
    }

    fn ratio(&mut self, name: &str, ours: &[f64], theirs: &[f64], most: Option<f64>) {
        let (ours, theirs) = (median(ours), median(theirs));
        let ratio = ours / theirs;
        let verdict = most.map(|most| format!("{most:>9.2} {}", self.verdict(ratio <= most)));
        let verdict = verdict.unwrap_or_default();
        println!("{name:<34}{ours:>10.2}{theirs:>10.2}{ratio:>8.2}{verdict}");
    }

    fn bound(&mut self, name: &str, ours: Option<f64>, theirs: Option<f64>, most: f64) {
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            return self.missing(name, "it could not be measured");
        };
        let (ratio, verdict) = (ours / theirs, self.verdict(ours <= most));
        println!("{name:<34}{ours:>10.1}{theirs:>10.1}{ratio:>8.2}{most:>9.1} {verdict}");
    }

    fn verification(&mut self, stack: &Stack) {
        let dir = tempfile::TempDir::new().unwrap();
        std::fs::write(dir.path().join("blob"), b"blob").unwrap();
        let sign = stack.signing("sign-blob", Log::V2).dir(dir.path());
        let signed = sign.args(["--bundle", "bundle", "blob"]).run();
        let ours = (signed.code == Some(0)).then(|| {
            let program = env!("CARGO_BIN_EXE_ambisign");
            verification_ms(stack, program, "--version", dir.path())
        });
        let theirs = verification_ms(stack, &cosign(stack), "version", dir.path());
        let name = "verify a file, over a start (CPU ms)";
        self.bound(name, ours.flatten(), theirs, VERIFY_CPU_MS);
    }

    /// Time with a mirror in round trips of the stack's delay.
    fn mirror(&mut self, stack: &Stack) {
        let (url, root) = (stack.var("TUF_MIRROR_URL"), stack.var("TUF_ROOT_FILE"));
        let home = tempfile::TempDir::new().unwrap();
        let round_trip = 2.0 * DELAY.parse::<f64>().unwrap() / 1e3;
        for (name, most) in TUF_ROUND_TRIPS {
            stack.reset_journal();
            let ours = Program::ambisign()
                .args(["trust", "update", "--tuf-mirror", url])
                .args(["--tuf-root", root]);
            let ours = asks_mirror(stack, ours, home.path());
            let requests = stack.counts();
            let theirs =
                stack.program("cosign").args(["initialize", "--mirror", url, "--root", root]);
            let theirs = asks_mirror(stack, theirs, home.path());
            let trips = |seconds: Option<f64>| seconds.map(|seconds| seconds / round_trip);
            let label = format!("TUF mirror, {name} (round trips)");
            self.bound(&label, trips(ours), trips(theirs), most);
            println!("{:<34}{:>10}", "  requests, tuf", requests["tuf"]);
        }
    }

    fn missing(&mut self, name: &str, why: &str) {
        self.missed += 1;
        println!("{name:<34} NOT MEASURED: {why}");
    }

    fn verdict(&mut self, met: bool) -> &'static str {
        if met {
            return "met";
        }
        self.missed += 1;
        "MISSED"
    }
}
