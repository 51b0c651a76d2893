// SPDX-License-Identifier: Apache-2.0
//! Runs the work of a command: builds the host, applies the deadline and signals, and returns how the work
//! ended.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ambisign_host::{
    Clock, Env, Event, Explain, Failure, Host, Net, NetOptions, Observer, SettingNames,
};
use futures_util::FutureExt;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use crate::outcome::exit::RunError;
use crate::outcome::{End, Signal};
use crate::report::{Console, Reporter, Waits};
use crate::settings::{RunSettings, SettingsError, TrustSettings};

/// The `User-Agent` of every request. Harbor's content trust hides unsigned images except from clients
/// whose name contains `cosign`.
const USER_AGENT: &str = concat!("ambisign/", env!("CARGO_PKG_VERSION"), " (cosign-compatible)");

/// The time after the deadline before the work is stopped. Requests end at the deadline by themselves, with
/// their own errors.
const GRACE: Duration = Duration::from_secs(1);

/// After this many turns of tasks, the runtime looks at timers and signals. In one turn, a peer that sends faster than we
/// read can make us read 50 megabytes.
const EVENT_INTERVAL: u32 = 1;

/// The outside world of a run.
pub fn host(
    env: Env,
    trust: &TrustSettings,
    run: &RunSettings,
    console: &Arc<Console>,
) -> Arc<Host> {
    let clock = Clock::system();
    let env = env.hide(ambisign_providers::secret_variables());
    Arc::new_cyclic(|host| {
        let options = NetOptions {
            user_agent: USER_AGENT.to_owned(),
            ca_file: trust.ca_file.clone(),
            deadline: Some(Instant::now() + run.timeout),
            observer: Some(observer(host.clone(), Arc::clone(console), run.verbose)),
            root: PathBuf::from("/"),
            names: SettingNames { timeout: Some("--timeout"), ca_file: Some("--ca-file") },
        };
        let net = Net::new(&env, clock, options);
        Host { env, net, clock, root: PathBuf::from("/") }
    })
}

/// Reads the CA certificates before the first request. Warnings about them join those about settings.
///
/// # Errors
/// A CA file cannot be used.
pub fn check(host: &Host, run: &mut RunSettings) -> Result<(), SettingsError> {
    run.warnings.extend(host.net.check()?);
    Ok(())
}

/// A `Net` that is only used for its redactor, before the settings are known.
pub fn no_net(env: &Env) -> Net {
    Net::new(env, Clock::system(), NetOptions::default())
}

/// Shows the events of the HTTP core, with the redactor of the same `host`. Waits for the same host share
/// one line, unless each request is shown.
fn observer(host: Weak<Host>, console: Arc<Console>, verbose: bool) -> Observer {
    let waits = Waits::default();
    Arc::new(move |event: Event<'_>| {
        let is_news = match event {
            Event::Waiting { host, wait, .. } => {
                verbose || waits.is_news(host, wait, Instant::now().into_std())
            }
            Event::Answered { .. } | _ => true,
        };
        if let (true, Some(host)) = (is_news, host.upgrade()) {
            Reporter::new(&console, &host.net).event(event, verbose);
        }
    })
}

/// Runs `work` on a runtime of its own until it ends, panics, times out or a signal arrives.
pub fn supervise(timeout: Duration, work: impl Future<Output = Result<(), impl Explain>>) -> End {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // The deadline and signals must not wait for many turns of peers that send faster than we can read.
    match runtime.enable_all().event_interval(EVENT_INTERVAL).build() {
        Ok(runtime) => {
            let end = runtime.block_on(supervised(timeout, work));
            // Do not wait for a read of standard input that may never end.
            runtime.shutdown_background();
            end
        }
        Err(error) => failed(RunError::Start(error)),
    }
}

async fn supervised(
    timeout: Duration,
    work: impl Future<Output = Result<(), impl Explain>>,
) -> End {
    let (interrupt, terminate) =
        match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
            (Err(error), _) | (_, Err(error)) => return failed(RunError::Start(error)),
        };
    let deadline = Instant::now() + timeout + GRACE;
    tokio::select! {
        biased;
        signal = first(interrupt, terminate) => End::Interrupted(signal),
        ended = AssertUnwindSafe(work).catch_unwind() => match ended {
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
    End::Failed(Failure::of(&error))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ambisign_host::{Child, Env, spawn};
    use clap::Parser;

    use super::host;
    use crate::cli::{Cli, Command};
    use crate::report::Console;
    use crate::settings::Settings;

    #[tokio::test]
    async fn no_child_process_sees_the_credentials_of_the_job() {
        let vars = [("PATH", "/usr/bin:/bin"), ("ACTIONS_RUNTIME_TOKEN", "c4n4ry")];
        let env: Env = vars.into_iter().collect();
        let cli = Cli::try_parse_from(["ambisign", "sign", "a/b"]).unwrap();
        let Command::Sign(args) = cli.command else {
            panic!("not the command `sign`");
        };
        let signing = Settings::resolve(*args, &env).unwrap().signing;
        let console = Arc::new(Console::process(&env));
        let host = host(env, &signing.trust, &signing.run, &console);
        let child = Child {
            program: "env",
            args: &[],
            input: b"",
            limit: Duration::from_secs(10),
            sees: &["*"],
            needs: &[],
        };
        let output =
            String::from_utf8_lossy(&spawn(&host, child).await.unwrap().stdout).into_owned();
        assert!(output.contains("PATH=") && !output.contains("c4n4ry"), "{output}");
    }
}
