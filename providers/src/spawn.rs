// SPDX-License-Identifier: Apache-2.0
//! Child processes: one function owns them all.

use std::ffi::OsStr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::Host;

/// Output beyond this is not read, and is an error.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// Variables that no child needs: each is a credential of the job.
const SECRET_VARIABLES: &[&str] = &[
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "BITBUCKET_STEP_OIDC_TOKEN",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
    "CF_OIDC_REQUEST_TOKEN",
    "SIGSTORE_IDENTITY_TOKEN",
];

/// A child process that ended by itself, in time.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output, which may be secret.
    pub stdout: Vec<u8>,
}

/// Why a child process gave no result. Its output is never part of the message.
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
        /// What the system says.
        source: std::io::Error,
    },
    /// It did not end in time and was killed.
    #[error("`{program}` did not end within {} s", limit.as_secs())]
    Time {
        /// The program.
        program: String,
        /// The time it had.
        limit: Duration,
    },
}

/// Runs `program` with `args`, feeds it `input`, and waits at most `limit`.
///
/// The child sees the host's environment without the job's tokens; its standard error is dropped.
/// When the limit is reached the child is killed.
///
/// # Errors
/// The program cannot be started, ends too late or writes too much. A failing exit status is not an
/// error of this function.
pub async fn spawn(
    host: &Host,
    program: &str,
    args: &[&str],
    input: &[u8],
    limit: Duration,
) -> Result<Finished, SpawnError> {
    let start = |source| SpawnError::Start {
        program: program.to_owned(),
        source,
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where child processes start"
    )]
    let mut child = tokio::process::Command::new(program)
        .args(args)
        .env_clear()
        .envs(host.env.iter().filter(|(name, _)| !is_secret(name)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    let mut stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let work = async {
        if let Some(pipe) = &mut stdin {
            // A child that reads nothing closes the pipe early: its exit status tells the rest.
            let _closed = pipe.write_all(input).await;
        }
        drop(stdin);
        let stdout = read_limited(stdout).await.map_err(start)?;
        if stdout.len() > OUTPUT_LIMIT {
            return Err(SpawnError::Output {
                program: program.to_owned(),
            });
        }
        let status = child.wait().await.map_err(start)?;
        Ok(Finished { status, stdout })
    };
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_elapsed) => Err(SpawnError::Time {
            program: program.to_owned(),
            limit,
        }),
    }
}

async fn read_limited(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    if let Some(mut pipe) = pipe {
        // One byte more than allowed is enough to know.
        while out.len() <= OUTPUT_LIMIT && pipe.read_buf(&mut out).await? > 0 {}
    }
    Ok(out)
}

fn is_secret(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        SECRET_VARIABLES.contains(&name)
            || name.ends_with("_ID_TOKEN")
            || name.starts_with("CIRCLE_OIDC_TOKEN")
            // The program's own settings are of no use to a child, and some are secret.
            || name.starts_with("AMBISIGN_")
    })
}
