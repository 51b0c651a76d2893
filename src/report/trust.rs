// SPDX-License-Identifier: Apache-2.0
//! What the commands about trust material tell, as lines for people and as one JSON document, version 1.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use super::reporter::Reporter;
use crate::outcome::time::rfc3339;
use crate::outcome::trust::{Believed, Mirror, Overview, Services, Update, Used};
use crate::settings::Output;

/// Something about trust material that is a document, and lines for people.
pub trait Told: Serialize {
    /// Names the form of the document; not a place to fetch it from.
    const SCHEMA: &'static str;

    /// As lines for people.
    fn lines(&self) -> String;
}

impl Reporter<'_> {
    /// Trust material, on standard output.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn told<T: Told>(&self, told: &T, output: Output) -> io::Result<()> {
        match output {
            Output::Json => self.print(T::SCHEMA, told),
            Output::Text => self.text(&told.lines()),
        }
    }
}

impl Told for Overview {
    const SCHEMA: &'static str = "urn:ambisign:trust:v1";

    fn lines(&self) -> String {
        let mut text = String::new();
        if let Some(mirror) = &self.mirror {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "TUF mirror {}", versions(mirror));
        }
        let _written = writeln!(text, "trusted root sha256:{}", self.trusted_root_sha256);
        for (name, entries) in [
            ("certificate authorities", &self.certificate_authorities),
            ("certificate transparency logs", &self.certificate_logs),
            ("transparency logs", &self.logs),
            ("timestamp authorities", &self.timestamp_authorities),
        ] {
            let _written = writeln!(text, "{name}");
            for entry in entries {
                let Believed { url, id, .. } = entry;
                let start = rfc3339(entry.start);
                let time = match entry.end {
                    Some(end) => format!("from {start} to {}", rfc3339(end)),
                    None => format!("since {start}"),
                };
                let now = if entry.valid_now { "" } else { ", not now" };
                let _written = writeln!(text, "  {url}  {time}{now}\n    {id}");
            }
        }
        let _written = writeln!(text, "a run asks");
        let Services { fulcio, rekor, tsa } = &self.services;
        let fulcio = std::iter::once(("Fulcio", fulcio));
        let rekor = rekor.iter().map(|log| ("Rekor", log));
        let tsa = tsa.iter().map(|authority| ("timestamps", authority));
        for (name, Used { url, api_version }) in fulcio.chain(rekor).chain(tsa) {
            let _written = writeln!(text, "  {name:<10}  {url}  API v{api_version}");
        }
        text
    }
}

impl Told for Update {
    const SCHEMA: &'static str = "urn:ambisign:update:v1";

    fn lines(&self) -> String {
        let kept = self.folder.as_ref().map_or_else(
            || "nowhere: there is no folder that can be written".to_owned(),
            |folder| format!("in {}", folder.display()),
        );
        format!("{}\n  kept {kept}", versions(&self.mirror))
    }
}

/// A mirror and what it has, in two lines.
fn versions(mirror: &Mirror) -> String {
    let Mirror { url, root, timestamp, snapshot, targets } = mirror;
    format!("{url}\n  root {root}, timestamp {timestamp}, snapshot {snapshot}, targets {targets}")
}
