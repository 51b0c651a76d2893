// SPDX-License-Identifier: Apache-2.0
//! What differs from run to run, whatever the stage.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use snapbox::Redactions;

/// What differs from run to run wherever it stands: the word, and the expression for it. Only the
/// group `redacted` is replaced, where there is one.
const PATTERNS: [(&str, &str); 21] = [
    ("[BYTES]", r"\b(?<redacted>\d{4,}) bytes"),
    ("[COLUMN]", r"at line 1 column (?<redacted>\d+)"),
    ("[DELIMITER]", r"\bghadelimiter_[0-9a-f]{32}"),
    // As a member of the runner's outputs it is one long line; `--output json` shows it.
    ("[DOCUMENT]", r#"(?m)^\{"schema":"urn:ambisign:.*$"#),
    ("[HASH]", r"\b[0-9a-f]{64}\b"),
    ("[HOSTS]", r#"a run talks to (?<redacted>[^"\n]+)"#),
    ("[INDEX]", r#"(index |"index": |#|logIndex=)(?<redacted>\d{3,})"#),
    ("[INDEX]", r"(?m)^\d{4,}$"),
    ("[LEFT]", r"\((?<redacted>\d[^)]*) left\)"),
    ("[MS]", r#"(_ms|\n {8}"[a-z ]+)": (?<redacted>\d+)"#),
    ("[OFFSET]", r"clock of this machine is (?<redacted>.+) (ahead of|behind)"),
    ("[PEM]", r#""pem": "(?<redacted>[^"]+)""#),
    ("[PORT]", r"127\.0\.0\.1\\?:(?<redacted>\d+)"),
    ("[RANDOM]", r"/(\.tmp|\.?ambisign-)(?<redacted>\w{6})\b"),
    ("[RANDOM]", r"127\.0\.0\.1-(?<redacted>[0-9a-f]{16})"),
    // Root is refused otherwise than others are.
    (
        "[REASON]",
        r#"could not be written to (`[^`]+`|a file): (?<redacted>[^"\\\n]+ \(os error \d+\))"#,
    ),
    ("[SECONDS]", r"\b(?<redacted>\d+\.\d\d?)( s|s)\b"),
    ("[SECONDS]", r"(expired|not valid for another) (?<redacted>\d+) s"),
    ("[TIME]", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    ("[VERSION]", r#"(ambisign |"version": ")(?<redacted>\d+\.\d+\.\d+)"#),
    ("[VERSION]", r"(?m)^\d+\.\d+\.\d+$"),
];

static COMMON: LazyLock<Redactions> = LazyLock::new(|| {
    let mut all = Redactions::new();
    for (word, pattern) in PATTERNS {
        all.insert(word, regex::Regex::new(pattern).unwrap()).unwrap();
    }
    all
});

/// `text` with words in the place of times, durations, indices and the like.
pub(crate) fn common(text: &str) -> String {
    COMMON.redact(text)
}

/// A time at which trust material ends that somebody should look at.
pub(crate) fn soon() -> String {
    let soon = SystemTime::now() + Duration::from_secs(3 * 24 * 60 * 60);
    humantime::format_rfc3339_seconds(soon).to_string()
}
