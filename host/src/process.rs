// SPDX-License-Identifier: Apache-2.0
//! Child processes. All of them start in [`spawn`].

use std::ffi::OsStr;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::Host;

/// The most bytes of output that are read; more is an error.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// How much of the standard error of a child is kept, in bytes.
const STDERR_KEPT: usize = 4 * 1024;

/// How long its standard error may stay open after its end: what it has started may hold it.
const STDERR_GRACE: Duration = Duration::from_millis(100);

/// Credentials of registries and other services, which a child process sees only if it needs them.
/// The program hides those of CI systems with [`crate::Env::hide`].
const SECRET_VARIABLES: &[&str] = &[
    "CI_DEPLOY_PASSWORD",
    "CI_JOB_TOKEN",
    "CI_REGISTRY_PASSWORD",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "SIGSTORE_IDENTITY_TOKEN",
    "SYSTEM_ACCESSTOKEN",
];

/// Prefixes of other variables that child processes do not see. They have no use for the program's own
/// settings, some of which are secret.
const PREFIXES: &[&str] =
    &["AMBISIGN_", "CIRCLE_OIDC_TOKEN", "CI_JOB_JWT", "TFC_WORKLOAD_IDENTITY_TOKEN"];

/// Suffixes of further variables that child processes do not see.
const SUFFIXES: &[&str] = &["_ID_TOKEN", "_OIDC_TOKEN"];

/// A child process to run.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: &'a str,
    /// Its arguments.
    pub args: &'a [&'a str],
    /// The bytes on its standard input.
    pub input: &'a [u8],
    /// The longest time it may take.
    pub limit: Duration,
    /// The credentials of the job that it needs and therefore sees.
    pub needs: &'a [&'a str],
}

/// A child process that ended within its limit.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output, which may be secret.
    pub stdout: Vec<u8>,
    /// The beginning of what it wrote to its standard error, which may be secret too.
    pub stderr: Vec<u8>,
}

/// A child process failed to produce a result. The message never contains its output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// It wrote more than 64 KiB.
    #[error("`{program}` wrote more than 64 KiB")]
    Output {
        /// The program.
        program: String,
    },
    /// It could not be started, or its pipes broke.
    #[error("`{program}` could not be run")]
    Start {
        /// The program.
        program: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// It reached its limit and was killed.
    #[error("`{program}` did not end within {} s", limit.as_secs())]
    Time {
        /// The program.
        program: String,
        /// Its limit.
        limit: Duration,
    },
}

/// Runs `child`, and waits for it at most as long as it may take.
///
/// It sees the host's environment without the job's credentials, but for those that it needs. When the
/// limit is reached it is killed.
///
/// # Errors
/// The program cannot be started, ends too late or writes too much. A failing exit status is not an
/// error of this function.
pub async fn spawn(host: &Host, child: Child<'_>) -> Result<Finished, SpawnError> {
    let Child { program, input, limit, .. } = child;
    let failed = |source| SpawnError::Start { program: program.to_owned(), source };
    let mut child = start(host, &child).map_err(failed)?;
    let mut stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let stderr = Mutex::default();
    let listen = listen(child.stderr.take(), &stderr);
    let work = async {
        if let Some(pipe) = &mut stdin {
            // A child that does not read its input closes the pipe early; its exit status shows whether it failed.
            let _closed = pipe.write_all(input).await;
        }
        drop(stdin);
        let stdout = read_limited(stdout).await.map_err(failed)?;
        if stdout.len() > OUTPUT_LIMIT {
            return Err(SpawnError::Output { program: program.to_owned() });
        }
        let status = child.wait().await.map_err(failed)?;
        Ok((status, stdout))
    };
    match tokio::time::timeout(limit, beside(work, listen)).await {
        Ok(result) => {
            let (status, stdout) = result?;
            let stderr = stderr.into_inner().unwrap_or_else(PoisonError::into_inner);
            Ok(Finished { status, stdout, stderr })
        }
        Err(_elapsed) => Err(SpawnError::Time { program: program.to_owned(), limit }),
    }
}

fn start(host: &Host, child: &Child<'_>) -> std::io::Result<tokio::process::Child> {
    let hidden = |name: &OsStr| name.to_str().is_some_and(|name| host.env.is_hidden(name));
    let is_kept = |name: &OsStr| is_secret(name) || hidden(name);
    let seen = |name: &OsStr| !is_kept(name) || child.needs.iter().any(|needed| name == *needed);
    #[expect(clippy::disallowed_methods, reason = "the one place where child processes start")]
    tokio::process::Command::new(child.program)
        .args(child.args)
        .env_clear()
        .envs(host.env.iter().filter(|(name, _)| seen(name)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

async fn read_limited(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    if let Some(mut pipe) = pipe {
        // Reading one byte more than allowed is enough to detect too much output.
        while out.len() <= OUTPUT_LIMIT && pipe.read_buf(&mut out).await? > 0 {}
    }
    Ok(out)
}

/// What `work` comes to, while `listen` goes on, and for a moment longer.
async fn beside<T>(work: impl Future<Output = T>, listen: impl Future<Output = ()>) -> T {
    tokio::pin!(work, listen);
    tokio::select! {
        done = &mut work => {
            let _open = tokio::time::timeout(STDERR_GRACE, listen).await;
            done
        }
        () = &mut listen => work.await,
    }
}

/// Reads `pipe` to its end, so that the child never waits for us, and keeps the beginning.
async fn listen(pipe: Option<impl AsyncRead + Unpin>, kept: &Mutex<Vec<u8>>) {
    let Some(mut pipe) = pipe else { return };
    let mut part = [0; 1024];
    while let Ok(length @ 1..) = pipe.read(&mut part).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = STDERR_KEPT.saturating_sub(kept.len());
        kept.extend(part.iter().take(length.min(room)));
    }
}

fn is_secret(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        SECRET_VARIABLES.contains(&name)
            || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    use super::{Child, SpawnError, spawn};
    use crate::{Clock, Env, Host, Net, NetOptions};

    fn host(vars: &[&str]) -> Host {
        let known = [("PATH", "/usr/bin:/bin"), ("HOME", "/kept")];
        let env =
            Env::from_iter(known.into_iter().chain(vars.iter().map(|name| (*name, "canary"))));
        let clock = Clock::system();
        Host {
            net: Net::new(&env, clock, NetOptions::default()),
            env,
            clock,
            root: PathBuf::from("/"),
        }
    }

    fn child<'a>(program: &'a str, args: &'a [&'a str]) -> Child<'a> {
        Child { program, args, input: b"", limit: Duration::from_secs(10), needs: &[] }
    }

    #[tokio::test]
    async fn a_child_sees_the_credentials_that_it_needs_and_no_other() {
        let host = host(&[
            "AMBISIGN_REGISTRY_PASSWORD",
            "AMBISIGN_REGISTRY_TOKEN",
            "BITBUCKET_STEP_OIDC_TOKEN",
            "CIRCLE_OIDC_TOKEN_V2",
            "CI_JOB_JWT",
            "CI_JOB_JWT_V2",
            "CI_REGISTRY_PASSWORD",
            "GITHUB_TOKEN",
            "SEMAPHORE_OIDC_TOKEN",
            "SIGSTORE_ID_TOKEN",
            "TFC_WORKLOAD_IDENTITY_TOKEN_SIGSTORE",
            "X_REQUEST",
        ]);
        let env = host.env.hide(["X_REQUEST"]);
        let host = Host { env, ..host };
        for (needs, seen) in [(&[][..], 0), (&["GITHUB_TOKEN"][..], 1)] {
            let env = Child { needs, ..child("env", &[]) };
            let done = spawn(&host, env).await.unwrap();
            let output = String::from_utf8(done.stdout).unwrap();
            assert!(output.contains("HOME=/kept"), "{output}");
            assert_eq!(output.matches("canary").count(), seen, "{output}");
        }
    }

    #[tokio::test]
    async fn a_child_that_does_not_end_or_does_not_stop_writing_is_an_error() {
        let host = host(&[]);
        let began = Instant::now();
        let sleep = Child { limit: Duration::from_millis(300), ..child("sleep", &["60"]) };
        let error = spawn(&host, sleep).await;
        assert!(matches!(error, Err(SpawnError::Time { .. })), "{error:?}");
        assert!(began.elapsed() < Duration::from_secs(5));
        let error = spawn(&host, child("yes", &[])).await;
        assert!(matches!(error, Err(SpawnError::Output { .. })), "{error:?}");
    }

    /// What it says to people is kept, as far as it goes, and nobody waits for what it leaves behind.
    #[tokio::test]
    async fn standard_error_is_kept_and_not_waited_for() {
        let host = host(&[]);
        // What goes on holds standard error alone.
        let script = "i=0; while [ $i -lt 9000 ]; do echo line >&2; i=$((i+1)); done; \
                      sleep 5 >&2 & echo done; exit 3";
        let began = Instant::now();
        let done = spawn(&host, child("sh", &["-c", script])).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(4));
        assert_eq!((done.status.code(), done.stdout), (Some(3), b"done\n".to_vec()));
        assert_eq!(done.stderr.len(), 4096);
        assert!(done.stderr.starts_with(b"line\nline\n"));
    }
}
