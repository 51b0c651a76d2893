// SPDX-License-Identifier: Apache-2.0
//! The first thing that a newcomer runs: the demo ends well, on one screen, and says what went where.
#![expect(clippy::disallowed_methods, reason = "a test that runs the program of this package")]

use std::path::Path;
use std::process::{Command, Stdio};

/// The steps, in their order, each with a word of what it says.
const STEPS: [(&str, &str); 12] = [
    ("sandbox", "nothing leaves this machine"),
    ("image", "127.0.0.1:"),
    ("job", "id-token: write"),
    ("run", "ambisign sign"),
    ("| ", "provider    github-actions"),
    ("| ", "certificate"),
    ("| ", "timestamp"),
    ("| ", "log entry"),
    ("| ", "attached"),
    ("asked", "127.0.0.1:"),
    ("read back", "one bundle"),
    ("verified", "certificate, SCT, 1 timestamp, 1 log entry, signature"),
];

#[test]
fn the_demo_fits_one_screen_and_names_each_step() {
    let demo = Path::new(env!("CARGO_BIN_EXE_ambisign-sandbox"));
    let signer = demo.with_file_name("ambisign");
    assert!(
        signer.exists(),
        "`{}` is not there, so there is nothing to demonstrate: run `cargo test --workspace`",
        signer.display()
    );
    let ran = Command::new(demo).arg("demo").env_clear().stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(ran.stdout).unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}\n{shown}\n{told}", ran.status);
    assert!(told.is_empty(), "{told}");

    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines.len() <= 24, "{} lines:\n{shown}", lines.len());
    for line in &lines {
        let width = line.chars().count();
        assert!(width <= 80, "{width} columns: {line}");
    }
    let mut rest = lines.iter();
    for (name, says) in STEPS {
        let is = |line: &&str| line.trim_start().starts_with(name) && line.contains(says);
        assert!(rest.any(is), "no `{name}` with `{says}` in its place:\n{shown}");
    }
    for service in ["registry ", "GitHub 1", "Fulcio 3", "TSA 2", "Rekor 2"] {
        let (_, asked) = shown.split_once("asked").unwrap_or_default();
        let count = asked.split_once(service).map(|(_, rest)| rest);
        assert!(
            count.is_some_and(|rest| rest.contains("x at 127.0.0.1:")),
            "{service} is not said to be asked:\n{shown}"
        );
    }

    assert_eq!(
        masked(&pictured()),
        masked(&shown),
        "docs/demo.svg shows another demo: renew it with `docs/terminal`"
    );
}

/// The lines of the picture in the README.
fn pictured() -> String {
    let picture = include_str!("../../docs/demo.svg");
    let (_, transcript) = picture.split_once("<g id=\"transcript\">").unwrap_or_default();
    let lines = transcript.lines().filter(|line| line.starts_with("<text "));
    let plain = |line: &str| {
        let mut text = String::new();
        for part in line.split('<').skip(1) {
            text.push_str(part.split_once('>').unwrap_or_default().1);
        }
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    lines.map(|line| plain(line) + "\n").collect()
}

/// `text` without what differs from run to run: numbers, and hexadecimal digits of digests.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    for (at, part) in text.split("sha256:").enumerate() {
        let digits = part.chars().take_while(char::is_ascii_hexdigit).count();
        let digits = if at == 0 { 0 } else { digits };
        let rest = part.get(digits..).unwrap_or_default();
        masked.push_str(if at == 0 { "" } else { "sha256:#" });
        for c in rest.chars() {
            if !c.is_ascii_digit() {
                masked.push(c);
            } else if !masked.ends_with('#') {
                masked.push('#');
            }
        }
    }
    masked
}
