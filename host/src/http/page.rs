// SPDX-License-Identifier: Apache-2.0
//! The words of an HTML page, for messages, because firewalls and login portals answer with such pages.

/// Elements whose content is not visible.
const UNREAD: [&str; 4] = ["head", "script", "style", "svg"];

/// The text of an HTML page without its tags; `None` if `text` is not an HTML page.
///
/// For a page without words, this is its title. Character references are unchanged.
pub(super) fn words(text: &str) -> Option<String> {
    let start: String = text.trim_start().chars().take(15).collect();
    let start = start.to_ascii_lowercase();
    let begins = ["<!doctype html", "<html", "<head", "<body"];
    if !begins.iter().any(|begin| start.starts_with(begin)) {
        return None;
    }
    let read = readable(text);
    Some(if read.is_empty() {
        format!("a page of HTML {}", title(text)).trim_end().to_owned()
    } else {
        read
    })
}

/// The text between the tags, with one space where a tag or white space was.
fn readable(text: &str) -> String {
    let mut read = String::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        read.push_str(before);
        read.push(' ');
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        let inside = tag.split_once('>').map_or("", |(_, inside)| inside);
        rest = if UNREAD.contains(&name.as_str()) { behind(inside, &name) } else { inside };
    }
    read.push_str(rest);
    read.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands behind the end of the element `name`.
fn behind<'a>(inside: &'a str, name: &str) -> &'a str {
    let end = format!("</{name}");
    let lower = inside.to_ascii_lowercase();
    let end = lower.find(&end).and_then(|end| inside.get(end..));
    end.and_then(|end| end.split_once('>')).map_or("", |(_, behind)| behind)
}

fn title(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let from = lower.find("<title").and_then(|from| text.get(from..));
    let inside = from.and_then(|from| from.split_once('>'));
    let title = inside.and_then(|(_, inside)| inside.split_once('<'));
    title.map_or_else(String::new, |(title, _)| {
        let words: Vec<_> = title.split_whitespace().collect();
        format!("({})", words.join(" "))
    })
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn tells_what_a_firewall_says() {
        let page = "\n<!DOCTYPE html>\n<html><head><title>Blocked</title><style>p{}</style></head>\
            <body><h1>Access  denied</h1><script>if (a<b) {}</script><p>Category:\n<b>new</b></p></body>";
        assert_eq!(words(page).as_deref(), Some("Access denied Category: new"));
        let empty = "<HTML><head><Title>Please log in</title></head><body onload=\"go()\"></body>";
        assert_eq!(words(empty).as_deref(), Some("a page of HTML (Please log in)"));
        assert_eq!(words("<html>").as_deref(), Some("a page of HTML"));
        for cut in ["<html><script>", "<html><", "<html><p", "<body><head>x"] {
            assert!(words(cut).is_some(), "{cut}");
        }
        for other in ["", "no", "<?xml version=\"1.0\"?>", "{\"message\":\"<html>\"}"] {
            assert_eq!(words(other), None, "{other}");
        }
    }
}
