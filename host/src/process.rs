// SPDX-License-Identifier: Apache-2.0
//! Child processes. All of them start in [`spawn`].

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroize as _;

use crate::Host;
use crate::passed_on::{self, Found};

/// The most bytes of output that are read; more is an error.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// How much of the standard error of a child is kept, in bytes.
const STDERR_KEPT: usize = 4 * 1024;

/// How long its standard error may stay open after its end: what it has started may hold it.
const STDERR_GRACE: Duration = Duration::from_millis(100);

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
    /// The variables that it sees in addition to those that any program may need: names, or the beginning of names
    /// with a `*` at its end. They pass on no known credential.
    pub sees: &'a [&'a str],
    /// The credentials of the job that it needs and therefore sees, by their names.
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

/// Wipes what it wrote.
impl Drop for Finished {
    fn drop(&mut self) {
        self.stdout.zeroize();
        self.stderr.zeroize();
    }
}

/// A child process failed to produce a result. The message never contains its output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// It is in no folder of `PATH`.
    #[error("`{program}` is in no folder of `PATH`")]
    Missing {
        /// The program.
        program: String,
    },
    /// It is only in a folder that `PATH` names by an empty or relative path, where the sources of a job may be.
    #[error(
        "`{program}` is only in a folder that `PATH` names by a relative path, and such folders are not searched"
    )]
    Relative {
        /// The program.
        program: String,
    },
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
/// It sees the variables that any program may need, those that it names, and no others. A program without `/` in its
/// name is looked for in the folders of `PATH` with an absolute path. When the limit is reached it is killed.
///
/// # Errors
/// The program is not found, cannot be started, ends too late or writes too much. A failing exit status is not an
/// error of this function.
pub async fn spawn(host: &Host, child: Child<'_>) -> Result<Finished, SpawnError> {
    let Child { program, input, limit, .. } = child;
    let failed = |source| SpawnError::Start { program: program.to_owned(), source };
    let path = located(host, program)?;
    let mut child = start(host, &path, &child).map_err(failed)?;
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

/// The path of `program`.
///
/// # Errors
/// It is in no folder of `PATH` that is searched.
fn located(host: &Host, program: &str) -> Result<PathBuf, SpawnError> {
    if passed_on::is_path(program) {
        return Ok(PathBuf::from(program));
    }
    let program = program.to_owned();
    match passed_on::find(&host.env, &program) {
        Found::At(path) => Ok(path),
        Found::InRelativeFolder => Err(SpawnError::Relative { program }),
        Found::Nowhere => Err(SpawnError::Missing { program }),
    }
}

fn start(host: &Host, path: &Path, child: &Child<'_>) -> std::io::Result<tokio::process::Child> {
    #[expect(clippy::disallowed_methods, reason = "the one place where child processes start")]
    tokio::process::Command::new(path)
        .args(child.args)
        .env_clear()
        .envs(passed_on::variables(&host.env, child.sees, child.needs))
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
        Child { program, args, input: b"", limit: Duration::from_secs(10), sees: &[], needs: &[] }
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
            let output = String::from_utf8_lossy(&done.stdout).into_owned();
            assert!(output.contains("HOME=/kept"), "{output}");
            assert_eq!(output.matches("canary").count(), seen, "{output}");
        }
    }

    /// The working directory holds the sources, so their authors could put a program there in place of a helper.
    #[tokio::test]
    async fn a_program_that_is_only_in_a_relative_folder_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("helper");
        std::fs::write(&path, "#!/bin/sh\necho ran\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
        let here = std::env::current_dir().unwrap();
        let up: String = here.ancestors().skip(1).map(|_| "../").collect();
        let relative = format!("{up}{}", folder.path().strip_prefix("/").unwrap().display());
        let place = |path: &str| Host { env: Env::from_iter([("PATH", path)]), ..host(&[]) };
        let error = spawn(&place(&relative), child("helper", &[])).await;
        assert!(matches!(error, Err(SpawnError::Relative { .. })), "{error:?}");
        let error = spawn(&place("/nowhere"), child("helper", &[])).await;
        assert!(matches!(error, Err(SpawnError::Missing { .. })), "{error:?}");
        let both = format!("{relative}:{}", folder.path().display());
        let done = spawn(&place(&both), child("helper", &[])).await.unwrap();
        assert_eq!(done.stdout, b"ran\n");
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
        assert_eq!((done.status.code(), &done.stdout[..]), (Some(3), &b"done\n"[..]));
        assert_eq!(done.stderr.len(), 4096);
        assert!(done.stderr.starts_with(b"line\nline\n"));
    }
}
