// SPDX-License-Identifier: Apache-2.0
//! Extracts the reason of a failure from the output of a credential helper, for messages.
//!
//! The output may contain secrets, so it is filtered: no JSON answer, no line of a single word, no word
//! that may be a token, and no secret that is known or in a variable of the job.

use ambisign_host::{Host, Net};

/// Replaces a secret.
const MASK: &str = "***";

/// The suffixes of the names of variables with secrets.
const SECRETS: [&str; 5] = ["ACCESS_KEY", "API_KEY", "PASSWORD", "SECRET", "TOKEN"];

/// Shorter values of such variables, such as `true`, are not treated as secrets.
const SHORTEST_VALUE: usize = 8;

/// A word of letters and digits of at least this length may be a token.
const SHORTEST_TOKEN: usize = 20;

/// The reasons in `outputs` of a helper, most likely first; empty if there are none.
pub(super) fn reason(host: &Host, outputs: &[&[u8]]) -> String {
    let mut lines = Vec::new();
    for output in outputs {
        let text = hidden(host, &String::from_utf8_lossy(output));
        let shown = text.lines().map(str::trim).filter(|line| is_prose(line));
        lines.extend(shown.map(masked));
    }
    excerpt(&host.net, &lines.join(" "))
}

fn excerpt(net: &Net, text: &str) -> String {
    // A message quotes it.
    net.excerpt(text.as_bytes()).replace('`', "'")
}

/// `text` without the values of variables that hold secrets.
fn hidden(host: &Host, text: &str) -> String {
    let mut text = text.to_owned();
    for (name, value) in host.env.iter() {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            continue;
        };
        let is_secret = SECRETS.iter().any(|end| name.ends_with(end));
        if is_secret && value.len() >= SHORTEST_VALUE {
            text = text.replace(value, MASK);
        }
    }
    text
}

/// Whether `line` may be a sentence. One word alone may be the secret, and so may a part of an answer.
fn is_prose(line: &str) -> bool {
    let is_json = line.starts_with(['{', '[', '"', '}', ']']) || line.contains("\"Secret\"");
    !is_json && line.split_whitespace().nth(1).is_some()
}

/// `line` without words that may be tokens.
fn masked(line: &str) -> String {
    let ends = |c: char| c.is_whitespace() || "\"'`:=,;()<>".contains(c);
    let parts = line.split_inclusive(ends).map(|part| {
        let word = part.trim_end_matches(ends);
        if is_token(word) { part.replace(word, MASK) } else { part.to_owned() }
    });
    parts.collect()
}

/// Letters and digits without the dots of a host and not a path.
fn is_token(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+/_-".contains(c);
    word.len() >= SHORTEST_TOKEN
        && !word.starts_with('/')
        && word.chars().all(is_part)
        && word.contains(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ambisign_host::{Clock, Env, Host, Net, NetOptions};

    use super::reason;

    fn host() -> Host {
        let env = Env::from_iter([
            ("AWS_SECRET_ACCESS_KEY", "short c4n4ry"),
            ("SOME_TOKEN", "true"),
            ("PLAIN", "shown as it is"),
        ]);
        let clock = Clock::system();
        let net = Net::new(&env, clock, NetOptions::default());
        net.guard("hunter2");
        let root = PathBuf::from("/");
        Host { net, env, clock, root }
    }

    #[test]
    fn a_reason_is_shown_and_no_secret() {
        let host = host();
        for (outputs, expected) in [
            (["", ""], ""),
            (["hunter3\n", ""], ""),
            (
                ["error getting credentials\n", "exit status 1\n"],
                "error getting credentials exit status 1",
            ),
            (["bad \u{1b}[31mcolour\u{7}\nsecond line\n", ""], "bad [31mcolour second line"),
            (["the password hunter2 is wrong", ""], "the password *** is wrong"),
            (["used short c4n4ry here", "it is true"], "used *** here it is true"),
            ([r#"{"Username":"a","Secret":"b c"}"#, "it `failed` twice"], "it 'failed' twice"),
            (["{\n \"Secret\": \"b c\"\n}", ""], ""),
            (["token=ghp_0123456789abcdefghij was refused", ""], "token=*** was refused"),
            (["key wJalrXUtnFEMI/K7MDENG/bPxRfiCY refused", ""], "key *** refused"),
            (
                ["no login for 123456789012.dkr.ecr.eu-central-1.amazonaws.com", ""],
                "no login for 123456789012.dkr.ecr.eu-central-1.amazonaws.com",
            ),
            (
                ["open /home/runner1/.docker/config-of-a-job: denied", ""],
                "open /home/runner1/.docker/config-of-a-job: denied",
            ),
            (
                ["arn:aws:sts::123456789012:assumed-role/build/session may not", ""],
                "arn:aws:sts::123456789012:assumed-role/build/session may not",
            ),
        ] {
            let outputs = outputs.map(str::as_bytes);
            assert_eq!(reason(&host, &outputs), expected);
        }
        let long = "word ".repeat(200);
        assert_eq!(reason(&host, &[long.as_bytes()]).len(), 256);
    }
}
