// SPDX-License-Identifier: Apache-2.0
//! Links between the documents: the file exists, and the heading in it.

use std::path::{Path, PathBuf};

use crate::{documents, read, root};

/// The most lines of the README.
const README_LINES: usize = 150;

/// The targets of the links of `text`, outside of code blocks.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|prose| prose.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .collect()
}

/// The anchors that GitHub gives to the headings of `text`.
fn anchors(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            heading.chars().filter(kept).collect::<String>()
        })
        .map(|heading| heading.replace(' ', "-"))
        .collect()
}

/// The file that `link` of a document in `folder` leads to, and the anchor in it.
fn target<'a>(document: &Path, link: &'a str) -> (PathBuf, Option<&'a str>) {
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (link, None),
    };
    let file =
        if path.is_empty() { document.to_owned() } else { document.parent().unwrap().join(path) };
    (file, anchor)
}

#[test]
fn the_links_of_the_documents_lead_somewhere() {
    for document in documents() {
        let text = read(&document);
        let is_ours = |link: &&str| !link.contains("://") && !link.starts_with("mailto:");
        for link in links(&text).into_iter().filter(is_ours) {
            let (file, anchor) = target(&root().join(&document), link);
            assert!(file.exists(), "{document} links to {link}");
            let Some(anchor) = anchor else { continue };
            let headings = anchors(&read(&file));
            assert!(
                headings.iter().any(|heading| heading == anchor),
                "{document} links to {link}; the headings are {headings:?}"
            );
        }
    }
}

#[test]
fn the_readme_is_short_and_leads_to_every_page() {
    let readme = read("README.md");
    let lines = readme.lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines");
    let linked = links(&readme);
    for page in documents() {
        if page.starts_with("docs/") {
            assert!(linked.contains(&page.as_str()), "README.md lacks {page}");
        }
    }
}
