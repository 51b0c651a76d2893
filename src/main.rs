// SPDX-License-Identifier: Apache-2.0
//! The command `ambisign`: gathers the outside world, runs one command, returns its exit code.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use ambisign::cli::{
    self, Cli, Command, CreateArgs, RunArgs, SignArgs, SignBlobArgs, TrustCommand,
};
use ambisign::error::{Error, exit};
use ambisign::outcome::{End, Failure, Report};
use ambisign::report::{Block, Console, Progress, Reporter};
use ambisign::run::Run;
use ambisign::session::{self, no_net, supervise};
use ambisign::settings::{self, BlobSettings, Mode, Output, Settings, SettingsError, Signing};
use ambisign::trust::create::Deployment;
use ambisign_providers::{Clock, Env, Host};
use clap::{CommandFactory, Parser};
use clap_complete::Shell;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use tokio::time::Instant;

/// The exit code of a bug, and of results that nobody could read.
const BUG: u8 = 1;

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
            let output = settings::output(&RunArgs::default(), &env);
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
        Ok(Cli {
            command: Command::SignBlob(args),
        }) => return sign_blob(*args, env, console),
        Ok(Cli {
            command: Command::Trust(TrustCommand::Create(args)),
        }) => return create_trust(args, reporter),
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

fn sign(args: SignArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.signing.run, &env);
    let settings = match Settings::resolve(args, &env) {
        Ok(settings) => settings,
        Err(error) => return refused(&error, output, &env, console),
    };
    let host = session::host(env, &settings.signing.trust, &settings.signing.run, console);
    if let Some(secret) = settings.registry.secret() {
        host.net.guard(secret);
    }
    signed(&host, &settings.signing, console, async |run| {
        run.sign(&settings, &mut UnwrapErr(SysRng)).await
    })
}

fn sign_blob(args: SignBlobArgs, env: Env, console: &Arc<Console>) -> u8 {
    let output = settings::output(&args.signing.run, &env);
    let settings = match BlobSettings::resolve(args, &env) {
        Ok(settings) => settings,
        Err(error) => return refused(&error, output, &env, console),
    };
    let host = session::host(env, &settings.signing.trust, &settings.signing.run, console);
    signed(&host, &settings.signing, console, async |run| {
        run.sign_blobs(&settings, &mut UnwrapErr(SysRng)).await
    })
}

/// Settings that cannot be used.
fn refused(error: &SettingsError, output: Output, env: &Env, console: &Console) -> u8 {
    let mut report = Report::new(Clock::system().now());
    report.end = End::Failed(Failure::of(error));
    finish(Reporter::new(console, &no_net(env)), &report, output)
}

/// Signs by `work`, and reports.
fn signed(
    host: &Host,
    signing: &Signing,
    console: &Console,
    work: impl AsyncFnOnce(Run<'_>) -> Result<(), Error>,
) -> u8 {
    let reporter = Reporter::new(console, &host.net);
    let mut report = Report::new(host.clock.now());
    report.dry_run = signing.mode == Mode::DryRun;
    let started = Instant::now();
    let progress = Progress::new(reporter, report);
    let run = Run {
        host,
        settings: signing,
        progress: &progress,
    };
    let end = supervise(signing.run.timeout, work(run));
    let mut report = progress.report();
    report.took = started.elapsed();
    report.end = end;
    finish(reporter, &report, signing.run.output)
}

fn create_trust(args: CreateArgs, reporter: Reporter<'_>) -> u8 {
    let deployment = Deployment {
        fulcio: args.fulcio,
        ctfe: args.ctfe,
        rekor: args.rekor,
        tsa: args.tsa,
        oidc: args.oidc_provider,
    };
    let made = deployment.documents(Clock::system().now());
    let made = made.and_then(|made| Ok((made.write(&args.out_dir)?, made.lines)));
    let (paths, lines) = match made {
        Ok(made) => made,
        Err(error) => {
            let failure = Failure::of(&error);
            let code = exit(failure.class);
            let last = format!("exit {code}; no file was overwritten");
            reporter.failures(&[Block { failure, last }]);
            return code;
        }
    };
    lines.iter().for_each(|line| reporter.line(line));
    let paths: String = paths
        .iter()
        .map(|path| format!("{}\n", path.display()))
        .collect();
    match reporter.document(&paths) {
        Ok(()) => 0,
        Err(error) => unwritten(reporter, &error, 0),
    }
}

fn finish(reporter: Reporter<'_>, report: &Report, output: Output) -> u8 {
    match (reporter.finish(report, output), report.exit()) {
        (Ok(()), code) => code,
        (Err(error), code) => unwritten(reporter, &error, code),
    }
}
