// SPDX-License-Identifier: Apache-2.0
//! `ambisign-sandbox`: starts a sandbox, mints its tokens, or demonstrates a whole signing.

mod demo;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ambisign_sandbox::{Clock, Lie, Options, Sandbox, mint, push};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// A small Sigstore and an OCI registry in one process, on loopback.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything, sign a tiny image with `ambisign`, verify it, and show each step
    Demo,
    /// List the lies
    Lies,
    /// Put a tiny image into the registry of a sandbox that `serve` started, and print its name
    Push {
        /// The folder of the sandbox
        dir: PathBuf,
        /// NAME or NAME:TAG
        #[arg(default_value = "acme/app:1")]
        image: String,
    },
    /// Start every service and wait for SIGINT or SIGTERM
    Serve {
        /// Where trust material, keys and env.sh go
        #[arg(long)]
        dir: PathBuf,
        /// First of nine ports in a row [default: any free ones]
        #[arg(long)]
        port: Option<u16>,
        /// What keys are made of
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How long Fulcio's certificates live, in seconds
        #[arg(long, default_value_t = 600)]
        life: u64,
        /// What a service is wrong about; repeatable
        #[arg(long = "lie", value_name = "NAME")]
        lies: Vec<Lie>,
    },
    /// Print an OIDC token of a sandbox that `serve` started
    Token {
        /// The folder of the sandbox
        dir: PathBuf,
        /// email, google, dex or github
        issuer: String,
        /// claim=value (JSON when it parses; null removes the claim)
        claims: Vec<String>,
        /// The audience
        #[arg(long = "aud", default_value = "sigstore")]
        audience: String,
        /// Lifetime in seconds
        #[arg(long, default_value_t = 600, allow_negative_numbers = true)]
        ttl: i64,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo => demo::run(&mut io::stdout().lock()),
        Command::Lies => lies(),
        Command::Push { dir, image } => push(&dir, &image)
            .map_err(Into::into)
            .and_then(|name| Ok(writeln!(io::stdout(), "{name}")?)),
        Command::Serve { dir, port, seed, life, lies } => serve(Options {
            seed,
            lies,
            port,
            dir: Some(dir),
            clock: Clock::system(),
            life: Duration::from_secs(life),
        }),
        Command::Token { dir, issuer, claims, audience, ttl } => {
            let claims = claims.iter().map(|claim| {
                let (name, text) = claim.split_once('=').unwrap_or((claim, ""));
                (name.to_owned(), serde_json::from_str(text).unwrap_or_else(|_| text.into()))
            });
            mint(&dir, &issuer, claims.collect(), &audience, ttl)
                .map_err(Into::into)
                .and_then(|token| Ok(writeln!(io::stdout(), "{token}")?))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without a standard error, the message cannot be shown.
            let _ = writeln!(io::stderr(), "ambisign-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whatever stops a command.
type Failure = Box<dyn std::error::Error>;

fn lies() -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for lie in Lie::ALL {
        writeln!(out, "{:<32} {}", lie.name(), lie.says())?;
    }
    Ok(())
}

/// What to do with a sandbox once `env.sh` is read: push an image, sign it, verify it.
const LINES: [&str; 3] = [
    r#"IMAGE=$(ambisign-sandbox push "$SANDBOX")"#,
    "SIGSTORE_ID_TOKEN=$(ambisign-sandbox token \"$SANDBOX\" github) \\\n    \
     ambisign sign \"$IMAGE\"",
    "ambisign verify --certificate-identity \"$CERTIFICATE_IDENTITY\" \\\n    \
     --certificate-oidc-issuer \"$CERTIFICATE_OIDC_ISSUER\" \"$IMAGE\"",
];

/// Lets the shell that reads `env` find this program and the `ambisign` that was built with it.
fn find_programs(env: &Path) -> Result<(), Failure> {
    let program = std::env::current_exe()?;
    let folder = program.parent().unwrap_or(&program).display();
    let mut env = OpenOptions::new().append(true).open(env)?;
    writeln!(env, "export PATH='{folder}':\"$PATH\"")?;
    Ok(())
}

fn serve(options: Options) -> Result<(), Failure> {
    let lies: Vec<&str> = options.lies.iter().map(|lie| lie.name()).collect();
    let dir = options.dir.clone().unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // The handlers first: who waits for the lines below may signal at once.
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let sandbox = Sandbox::start(options)?;
        let mut out = io::stdout();
        for (name, value) in sandbox.env() {
            writeln!(out, "{name:<22} {value}")?;
        }
        if !lies.is_empty() {
            writeln!(out, "{:<22} {}", "lies", lies.join(" "))?;
        }
        let env = dir.join("env.sh");
        find_programs(&env)?;
        // In one write: who waits for the first of these lines may close the pipe after it.
        let mut ready = format!("up; in another shell:\n  . {}\n", env.display());
        for line in LINES {
            ready += &format!("  {line}\n");
        }
        out.write_all(ready.as_bytes())?;
        out.flush()?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}
