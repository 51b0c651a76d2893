// SPDX-License-Identifier: Apache-2.0
//! The command `ambisign`: gathers the outside world, runs one command, returns its exit code.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use ambisign::cli::{self, Cli, Command, TrustCommand, Unread};
use ambisign::commands::session::no_net;
use ambisign::commands::{
    BUG, action, attach, doctor, env, explain, shown, sign, trust, unreadable, verify,
};
use ambisign::report::{Console, Reporter};
use ambisign_host::{Env, keep_memory_private};
use clap::CommandFactory;
use clap_complete::Shell;

fn main() -> ExitCode {
    keep_memory_private();
    let env = Env::from_process();
    let console = Arc::new(Console::process(&env));
    let on_panic = Arc::clone(&console);
    std::panic::set_hook(Box::new(move |info| {
        let net = no_net(&Env::default());
        Reporter::new(&on_panic, &net).panicked(info);
    }));
    // The panic hook has reported it.
    let code = catch_unwind(AssertUnwindSafe(|| started(env, &console))).unwrap_or(BUG);
    ExitCode::from(code)
}

/// Runs the command of the command line, or the step of the GitHub Action.
fn started(env: Env, console: &Arc<Console>) -> u8 {
    let words: Vec<OsString> = std::env::args_os().collect();
    if !action::is_step(&words, &env) {
        return run(&words, env, console);
    }
    match action::sign(env.clone()) {
        Ok((words, env)) => run(&words, env, console),
        Err(failure) => {
            let net = no_net(&env);
            unreadable(&words, failure, &env, Reporter::new(console, &net))
        }
    }
}

/// Runs the command of these words.
fn run(words: &[OsString], env: Env, console: &Arc<Console>) -> u8 {
    let net = no_net(&env);
    let reporter = Reporter::new(console, &net);
    let (command, env) = match cli::read(words, env.clone()) {
        Ok(read) => read,
        Err(Unread::Mistake(failure)) => return unreadable(words, *failure, &env, reporter),
        Err(Unread::Help(text)) => return shown(reporter, reporter.text(&text)),
    };
    match command {
        Command::Sign(args) => sign::images(*args, env, console),
        Command::SignBlob(args) => sign::blobs(*args, env, console),
        Command::Attach(args) => attach::bundles(*args, env, console),
        Command::Doctor(args) => doctor::examine(*args, env, console),
        Command::Verify(args) => verify::images(*args, env, console),
        Command::VerifyBlob(args) => verify::blob(*args, env, console),
        Command::Trust(TrustCommand::Create(args)) => trust::create(args, reporter),
        Command::Trust(TrustCommand::Show(args)) => trust::show(*args, env, console),
        Command::Trust(TrustCommand::Update(args)) => trust::update_mirror(*args, env, console),
        Command::Env => env::show(&env, &net, reporter),
        Command::Explain { code } => explain::explain(code.as_deref(), reporter),
        Command::Schema => shown(reporter, reporter.script(ambisign::report::SCHEMA)),
        Command::Completions { shell } => shown(reporter, reporter.script(&completions(shell))),
    }
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ambisign", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
