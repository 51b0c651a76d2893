// SPDX-License-Identifier: Apache-2.0
//! The command `ambisign`: gathers the outside world, runs one command, returns its exit code.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ambisign::cli::{self, Cli, Command, SignArgs};
use ambisign::error::{Error, RunError};
use ambisign::outcome::{End, Failure, Report, Signal};
use ambisign::report::{Console, Progress, Reporter};
use ambisign::run::Run;
use ambisign::settings::{self, Mode, Output, Settings};
use ambisign_providers::{Clock, Env, Event, Host, Net, NetOptions, Observer};
use clap::{CommandFactory, Parser};
use clap_complete::Shell;
use futures_util::FutureExt;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

/// The exit code of a bug, and of results that nobody could read.
const BUG: u8 = 1;

/// Every request ends at the deadline by itself and says why; only what is left is cut off.
const GRACE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let env = Env::from_process();
    let console = Arc::new(Console::process(&env));
    let on_panic = Arc::clone(&console);
    std::panic::set_hook(Box::new(move |info| {
        let net = no_net(&Env::default());
        Reporter::new(&on_panic, &net).panicked(info);
    }));
    // The hook has told about it.
    let code = catch_unwind(AssertUnwindSafe(|| command(env, &console))).unwrap_or(BUG);
    ExitCode::from(code)
}

/// Runs the command of the command line.
fn command(env: Env, console: &Arc<Console>) -> u8 {
    let net = no_net(&env);
    let reporter = Reporter::new(console, &net);
    let written = match Cli::try_parse() {
        Err(error) if error.use_stderr() => {
            let mut report = Report::new(Clock::system().now());
            report.end = End::Failed(cli::failure(&error));
            let output = settings::output(&SignArgs::default(), &env);
            return finish(reporter, &report, output);
        }
        Err(help) => reporter.document(&help.render().to_string()),
        Ok(Cli {
            command: Command::Env,
        }) => reporter.document(&ambisign::env::table()),
        Ok(Cli {
            command: Command::Completions { shell },
        }) => reporter.script(&completions(shell)),
        Ok(Cli {
            command: Command::Sign(args),
        }) => return sign(*args, env, console),
    };
    match written {
        Ok(()) => 0,
        // The reader has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => unwritten(reporter, &error, 0),
    }
}

/// Results that nobody can read are no success.
fn unwritten(reporter: Reporter<'_>, error: &io::Error, code: u8) -> u8 {
    reporter.line(&format!(
        "ambisign: error: standard output cannot be written: {error}"
    ));
    if code == 0 { BUG } else { code }
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ambisign", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// A `Net` for its redactor: before the settings are known there is nothing to connect to.
fn no_net(env: &Env) -> Net {
    Net::new(env, Clock::system(), NetOptions::default())
}

fn sign(args: SignArgs, env: Env, console: &Arc<Console>) -> u8 {
    let clock = Clock::system();
    let output = settings::output(&args, &env);
    let mut report = Report::new(clock.now());
    match Settings::resolve(args, &env) {
        Ok(settings) => {
            let host = host(env, &settings, console);
            let reporter = Reporter::new(console, &host.net);
            report.dry_run = settings.mode == Mode::DryRun;
            finish(
                reporter,
                &signed(&host, &settings, reporter, report),
                output,
            )
        }
        Err(error) => {
            let net = no_net(&env);
            report.end = End::Failed(Failure::of(&error));
            finish(Reporter::new(console, &net), &report, output)
        }
    }
}

fn finish(reporter: Reporter<'_>, report: &Report, output: Output) -> u8 {
    match (reporter.finish(report, output), report.exit()) {
        (Ok(()), code) => code,
        (Err(error), code) => unwritten(reporter, &error, code),
    }
}

/// The outside world of a run.
fn host(env: Env, settings: &Settings, console: &Arc<Console>) -> Arc<Host> {
    let clock = Clock::system();
    Arc::new_cyclic(|host| {
        let options = NetOptions {
            user_agent: concat!("ambisign/", env!("CARGO_PKG_VERSION")).to_owned(),
            ca_file: settings.ca_file.clone(),
            deadline: Some(Instant::now() + settings.timeout),
            observer: Some(observer(
                host.clone(),
                Arc::clone(console),
                settings.verbose,
            )),
            root: PathBuf::from("/"),
        };
        let net = Net::new(&env, clock, options);
        if let Some(secret) = settings.secret() {
            net.guard(secret);
        }
        Host {
            env,
            net,
            clock,
            root: PathBuf::from("/"),
        }
    })
}

/// Shows what the HTTP core tells, through the redactor of the same `host`.
fn observer(host: Weak<Host>, console: Arc<Console>, verbose: bool) -> Observer {
    Arc::new(move |event: Event<'_>| {
        if let Some(host) = host.upgrade() {
            Reporter::new(&console, &host.net).event(event, verbose);
        }
    })
}

/// Signs, on a runtime of its own.
fn signed(host: &Host, settings: &Settings, reporter: Reporter<'_>, report: Report) -> Report {
    let started = Instant::now();
    let progress = Progress::new(reporter, report);
    let end = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => {
            let end = runtime.block_on(supervised(host, settings, &progress));
            // A read of standard input may still wait: nobody waits for it.
            runtime.shutdown_background();
            end
        }
        Err(error) => failed(RunError::Start(error)),
    };
    let mut report = progress.report();
    report.took = started.elapsed();
    report.end = end;
    report
}

/// The run, until it ends, panics, its time is over or a signal comes, whichever is first. What is
/// known by then is in `progress`.
async fn supervised(host: &Host, settings: &Settings, progress: &Progress<'_>) -> End {
    let (interrupt, terminate) = match (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
        (Err(error), _) | (_, Err(error)) => return failed(RunError::Start(error)),
    };
    let deadline = Instant::now() + settings.timeout + GRACE;
    let mut rng = UnwrapErr(SysRng);
    let run = Run {
        host,
        settings,
        progress,
    };
    let run = AssertUnwindSafe(run.sign(&mut rng)).catch_unwind();
    tokio::select! {
        biased;
        signal = first(interrupt, terminate) => End::Interrupted(signal),
        ended = run => match ended {
            Ok(Ok(())) => End::Complete,
            Ok(Err(error)) => End::Failed(Failure::of(&error)),
            Err(_told_by_the_hook) => failed(RunError::Panicked),
        },
        () = sleep_until(deadline) => failed(RunError::Deadline),
    }
}

/// The first signal that comes.
async fn first(mut interrupt: Stream, mut terminate: Stream) -> Signal {
    tokio::select! {
        _ = interrupt.recv() => Signal::Interrupt,
        _ = terminate.recv() => Signal::Terminate,
    }
}

fn failed(error: RunError) -> End {
    End::Failed(Failure::of(&Error::from(error)))
}
