// SPDX-License-Identifier: Apache-2.0
//! Text from outside inside of GitHub's Markdown, where it must stay text.

/// `text` without markup, for a paragraph or a cell of a table: punctuation that could begin any is
/// escaped (CommonMark 2.4), and of links that need no markup (GFM 6.9) the sign that makes them so.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let is_dot_of_link = c == '.' && out.ends_with(['w', 'W']);
        if is_dot_of_link || r"\`*_{}[]<>()#|~&:@$!".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A message: what stands between its backticks is code, and the rest is plain.
pub(super) fn prose(text: &str) -> String {
    let parts: Vec<_> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let parts = parts.into_iter().enumerate();
    parts.map(|(at, part)| if at.is_multiple_of(2) { plain(part) } else { code(part) }).collect()
}

/// `text` as code on one line, in a table or outside: between more backticks than it has in a row
/// (CommonMark 6.1). A cell ends at `|` even there (GFM 4.10), and no escape is safe behind a backslash
/// of the text, so that sign is shown as its number.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", text.replace('|', r"\u{7c}"))
}

/// Lines of `language` as a block of code (CommonMark 4.5). A line break in a line is one of ours.
pub(super) fn block(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    let lines = lines.join("\n");
    format!("{fence}{language}\n{lines}\n{fence}\n")
}

/// `text` as a link to `url`, or unchanged if `url` cannot be written in Markdown.
pub(super) fn link(text: &str, url: Option<&str>) -> String {
    let is_safe = |url: &&str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/?=%:[]".contains(c);
        (url.starts_with("https://") || url.starts_with("http://")) && url.chars().all(is_plain)
    };
    match url.filter(is_safe) {
        Some(url) => format!("[{}](<{url}>)", plain(text)),
        None => plain(text),
    }
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{block, code, link, plain, prose};

    #[test]
    fn punctuation_is_escaped() {
        assert_eq!(plain("a | b"), r"a \| b");
        assert_eq!(plain("<b>*x*</b>"), r"\<b\>\*x\*\</b\>");
        assert_eq!(plain("[x](https://e.example)"), r"\[x\]\(https\://e.example\)");
        assert_eq!(plain("www.example.com"), r"www\.example.com");
        assert_eq!(plain("answered 0.9 s, 50%"), "answered 0.9 s, 50%");
    }

    #[test]
    fn code_ends_where_it_should() {
        assert_eq!(code("ghcr.io/a"), "`ghcr.io/a`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a|"), r"`` `a\u{7c} ``");
        assert_eq!(code(""), "");
        let lines = ["a ```".to_owned(), "b".to_owned()];
        assert_eq!(block("sh", &lines), "````sh\na ```\nb\n````\n");
        assert_eq!(block("", &[]), "```\n\n```\n");
    }

    #[test]
    fn messages_have_code_in_them() {
        assert_eq!(prose("`a_b` is not *c*"), r"`a_b` is not \*c\*");
        assert_eq!(prose("add `x: y`"), "add `x: y`");
        assert_eq!(prose("one ` <b>"), r"one \` \<b\>");
    }

    #[test]
    fn links_lead_where_they_say() {
        let url = "https://search.sigstore.dev/?logIndex=7";
        assert_eq!(link("v1 #7", Some(url)), format!(r"[v1 \#7](<{url}>)"));
        for odd in ["javascript:x", "https://e.example/>x", "https://e.example/a b"] {
            assert_eq!(link("x", Some(odd)), "x");
        }
    }
}
