// SPDX-License-Identifier: Apache-2.0
//! Compares a log's signed tree state with the trusted root.

use ambisign_host::{Answer, Warning, excerpt};
use serde::Deserialize;

use super::error::{Error, OTHER_HASH};
use crate::log::checkpoint::Checkpoint;
use crate::trust::root::Log;
use crate::trust::{Service, TrustedRoot};

/// The answer of `GET /api/v1/log`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogInfo {
    signed_tree_head: String,
}

/// Whether the log `service`, which gave `answer` to the question for its tree, signs with a key of
/// `root`; with what is odd about it. An answer that cannot be read says nothing.
///
/// # Errors
/// [`Error::OtherLog`]
pub fn head(
    answer: &Answer,
    service: &Service,
    root: &TrustedRoot,
) -> Result<Option<Warning>, Error> {
    let text = match service.version {
        2 => Some(String::from_utf8_lossy(&answer.body).into_owned()),
        _ => answer.json().map(|info: LogInfo| info.signed_tree_head),
    };
    let text = text.unwrap_or_default();
    let Some(checkpoint) = Checkpoint::parse(&text) else {
        return Ok(None);
    };
    judge(&checkpoint, service, root)
}

fn judge(
    checkpoint: &Checkpoint<'_>,
    service: &Service,
    root: &TrustedRoot,
) -> Result<Option<Warning>, Error> {
    let (logs, _) = root.logs();
    let version = service.version;
    let name = match version {
        2 => checkpoint.origin,
        _ => checkpoint.origin.split(' ').next().unwrap_or_default(),
    };
    let signed = |log: &&Log| checkpoint.is_signed_by(log, name, version);
    let Some(log) = logs.iter().find(signed) else {
        return Err(other(service, unsigned(checkpoint, logs, name)));
    };
    let origin = log.origin();
    if version == 2 && origin.as_deref() != Some(checkpoint.origin) {
        let why = format!(
            "it signs as {:?}, and the URL of its key in the trusted root has the host {:?}",
            excerpt(checkpoint.origin),
            origin.unwrap_or_default()
        );
        return Err(other(service, why));
    }
    let as_named = checkpoint.is_signed_by(log, name, 2);
    Ok((!as_named).then(|| Warning {
        code: OTHER_HASH,
        message: format!(
            "the log {} signs with SHA-256, and the trusted root names another hash: cosign 3 refuses \
             signatures that are logged there",
            service.url
        ),
    }))
}

/// Why no log of the trusted root signed.
fn unsigned(checkpoint: &Checkpoint<'_>, logs: &[Log], name: &str) -> String {
    let hints = checkpoint.hints_of(name);
    let known = logs.iter().any(|log| hints.contains(&log.hint()));
    if known {
        return "its signature does not verify with the key of this ID".to_owned();
    }
    let list = |hints: Vec<[u8; 4]>| {
        let hints: Vec<_> = hints.iter().map(hex::encode).collect();
        if hints.is_empty() { "none".to_owned() } else { hints.join(", ") }
    };
    format!(
        "it signs with a key whose ID begins with {}, and the trusted root has {}",
        list(hints),
        list(logs.iter().map(Log::hint).collect())
    )
}

fn other(service: &Service, why: String) -> Error {
    Error::OtherLog { url: service.url.to_string(), why }
}
