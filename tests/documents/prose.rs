// SPDX-License-Identifier: Apache-2.0
//! The prose in Rust sources: comments and string literals.

use regex_lite::Regex;

/// A comment or a literal. Characters are matched so that a quotation mark in one begins no string.
const TOKEN: &str = concat!(
    r"(?s)//[^\n]*|/\*.*?\*/",
    r##"|b?r#".*?"#|b?r".*?"|[bc]?"(?:\\.|[^"\\])*""##,
    r"|b?'(?:\\(?:x..|u\{[^}]*\}|.)|[^'\\\n])'",
);

/// The beginning of a module of tests, which house style puts last in a file.
const TESTS: &str = r"#\[cfg\(test\)\]\n(pub(\(crate\))? )?mod \w+ \{";

/// The comments and string literals of `source`, without those of a test module at its end. Consecutive
/// lines of comments are one text. Examples in comments and names in backticks are left out, and so are
/// literals that are a single word.
pub(crate) fn of_rust(source: &str) -> Vec<String> {
    let tests = Regex::new(TESTS).unwrap().find(source);
    let source = &source[..tests.map_or(source.len(), |tests| tests.start())];
    let mut texts: Vec<String> = Vec::new();
    let mut comment_end = None;
    for token in Regex::new(TOKEN).unwrap().find_iter(source) {
        let text = token.as_str();
        if text.starts_with("//") || text.starts_with("/*") {
            let text = text.trim_start_matches(['/', '*', '!']);
            let is_next_line = |end: usize| {
                let between = &source[end..token.start()];
                between.trim().is_empty() && between.matches('\n').count() == 1
            };
            match texts.last_mut() {
                Some(last) if comment_end.is_some_and(is_next_line) => {
                    last.push('\n');
                    last.push_str(text);
                }
                _ => texts.push(text.to_owned()),
            }
            comment_end = Some(token.end());
        } else if text.ends_with(['"', '#']) {
            let text = Regex::new(r"\\\n\s*").unwrap().replace_all(text, "");
            texts.extend(text.contains(' ').then(|| text.into_owned()));
        }
    }
    texts.iter().map(|text| without_code(text)).collect()
}

/// `text` without code blocks, and with all names in backticks replaced by one.
fn without_code(text: &str) -> String {
    let outside: String = text.split("```").step_by(2).collect();
    let names = Regex::new("`[^`]*`").unwrap();
    names.replace_all(&outside, "`x`").into_owned()
}

#[test]
fn comments_and_literals_of_rust_are_prose() {
    let source = r##"//! One
//! two.

/// Three.
///
/// ```
/// code
/// ```
fn f() -> char {
    // Four `told`
    let lifetime: &'static str = "five \
                                  six";
    g('"', r#"seven "eight" nine"#, "ten", b'\'') // eleven
}

#[cfg(test)]
mod tests {
    // twelve
}
"##;
    let texts = of_rust(source);
    let texts: Vec<_> = texts.iter().map(|text| text.trim()).collect();
    let expected = [
        "One\n two.",
        "Three.",
        "Four `x`",
        "\"five six\"",
        "r#\"seven \"eight\" nine\"#",
        "eleven",
    ];
    assert_eq!(texts, expected);
}
