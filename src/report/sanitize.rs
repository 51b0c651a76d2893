// SPDX-License-Identifier: Apache-2.0
//! Text from outside, made harmless for terminals, CI systems, JSON readers and shells.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

use super::invisible::is_invisible;

/// One line, whatever `text` holds: nothing in it moves a cursor, ends the line or is a command to
/// the CI system that reads the log.
///
/// A CI command is one at the beginning of a line (`::`, GitHub) or anywhere in it (`##[`, GitHub
/// and Azure; `##vso[`; `##teamcity[`).
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            // Writing to a string cannot fail.
            let _written = write!(out, "{}", c.escape_unicode());
        } else {
            if c == '#' && out.ends_with('#') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    if out.trim_start().starts_with("::") {
        return format!(r"\{out}");
    }
    out
}

/// JSON text with the same meaning, as ASCII where it matters: `#` and invisible characters stand only
/// inside of strings, where an escape means the same (RFC 8259 7).
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("##", "#\\u0023").chars() {
        if is_invisible(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _written = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The message of a workflow command of GitHub Actions.
pub(super) fn command_message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// `document` as JSON on one line. Each text in it passes `redact`, the names of members too: they can
/// come from outside.
pub(super) fn document(document: &impl Serialize, redact: &dyn Fn(&str) -> String) -> String {
    let (mut bytes, string) = (Vec::new(), String::new());
    let redacted = Redacted { redact, string };
    let written = document.serialize(&mut Serializer::with_formatter(&mut bytes, redacted));
    let text = written.ok().and_then(|()| String::from_utf8(bytes).ok());
    // Strings and numbers always become JSON.
    json(&text.unwrap_or_else(|| "null".to_owned()))
}

/// Writes JSON of which each string passes `redact` before it is escaped: a secret that holds a quote
/// would not be recognised afterwards.
struct Redacted<'a> {
    redact: &'a dyn Fn(&str) -> String,
    /// As much of a string as is known, without escapes.
    string: String,
}

impl Formatter for Redacted<'_> {
    fn begin_string<W: ?Sized + io::Write>(&mut self, _to: &mut W) -> io::Result<()> {
        self.string.clear();
        Ok(())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        _to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.string.push_str(fragment);
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        _to: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.string.push(match escape {
            CharEscape::Quote => '"',
            CharEscape::ReverseSolidus => '\\',
            CharEscape::Solidus => '/',
            CharEscape::Backspace => '\u{8}',
            CharEscape::FormFeed => '\u{c}',
            CharEscape::LineFeed => '\n',
            CharEscape::CarriageReturn => '\r',
            CharEscape::Tab => '\t',
            CharEscape::AsciiControl(byte) => char::from(byte),
        });
        Ok(())
    }

    fn end_string<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        let string = (self.redact)(&self.string);
        to.write_all(serde_json::to_string(&string)?.as_bytes())
    }
}

/// A property of a workflow command of GitHub Actions.
pub(super) fn command_property(text: &str) -> String {
    command_message(text).replace(':', "%3A").replace(',', "%2C")
}

/// `word` as one word of a POSIX shell.
pub fn shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{command_message, command_property, document, json, line, shell};

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(line("a\u{1b}[31mb\r\nc\u{9b}"), r"a\u{1b}[31mb\u{d}\u{a}c\u{9b}");
        assert_eq!(line("\u{202e}gnp"), r"\u{202e}gnp");
        assert_eq!(line("café 日本"), "café 日本");
    }

    /// An audit found these in messages: they hide in a name, or a reader of the log takes it for another one.
    #[test]
    fn what_nobody_sees_is_written_out() {
        for c in [
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{180e}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{fff9}',
            '\u{ffff}',
            '\u{e000}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            let text = format!("acme/a{c}pp");
            assert_eq!(line(&text), format!(r"acme/a{}pp", c.escape_unicode()));
            let document = json(&serde_json::json!(text).to_string());
            assert!(document.is_ascii(), "{document}");
            assert_eq!(serde_json::from_str::<String>(&document).unwrap(), text);
        }
    }

    #[test]
    fn ci_commands_are_defused() {
        assert_eq!(line("::add-mask::x"), r"\::add-mask::x");
        assert_eq!(line("  ::error::x"), r"\  ::error::x");
        for command in ["x ##[error]y", "##vso[task.setvariable]", "###[group]", "##teamcity[x]"] {
            let harmless = line(command);
            assert!(!harmless.contains("##"), "{harmless}");
        }
        assert_eq!(line("std::env"), "std::env");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({ "a": "##[error]\u{1b}\u{7f}\u{202e}\u{feff}##\"\\" });
        let text = json(&value.to_string());
        assert!(!text.contains("##") && !text.contains('\u{7f}'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn each_string_of_a_document_is_redacted_and_nothing_else_changes() {
        let secret = "a\"\\/\u{8}\u{c}\n\r\t\u{1}é";
        let redact = |text: &str| text.replace(secret, "***");
        let document_of = |secret: &str| {
            serde_json::json!({ "n": [1, -2, 0.5, null, true, "", "\\\"\n\u{1f}日本"],
                format!("name {secret}"): { "value": format!("{secret}, {secret}") } })
        };
        let text = document(&document_of(secret), &redact);
        assert_eq!(text, document(&document_of("***"), &str::to_owned));
        assert_eq!(text, json(&document_of("***").to_string()));
    }

    #[test]
    fn github_commands_are_encoded() {
        assert_eq!(command_message("50% of\r\nall: x"), "50%25 of%0D%0Aall: x");
        assert_eq!(command_property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(shell("ghcr.io/a/b@sha256:00"), "ghcr.io/a/b@sha256:00");
        assert_eq!(shell(""), "''");
        assert_eq!(shell("a b"), "'a b'");
        assert_eq!(shell("it's $(x)"), r"'it'\''s $(x)'");
    }
}
