// SPDX-License-Identifier: Apache-2.0
//! What users of the library see holds nothing of the HTTP core.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may fail loudly, as the tests themselves"
)]

use std::path::{Path, PathBuf};

/// Types that are how a provider asks, and none of a user's business.
const HIDDEN: [&str; 9] = [
    "Answer",
    "CallLimits",
    "HttpError",
    "HttpReason",
    "Net",
    "NetOptions",
    "Profile",
    "SettingNames",
    "StatusCode",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if !path.ends_with("fuzzing.rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The lines of `text` that are public: declarations, and what stands in public enums.
fn public(text: &str) -> Vec<&str> {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let mut found = Vec::new();
    let mut in_enum = false;
    for line in text.lines() {
        in_enum = (in_enum || line.starts_with("pub enum")) && line != "}";
        if in_enum || line.trim_start().starts_with("pub ") {
            found.push(line);
        }
    }
    found
}

#[test]
fn no_public_item_names_the_http_core() {
    let mut files = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&folder, &mut files);
    let mut count = 0;
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in public(&text) {
            count += 1;
            let mut words = line.split(|c: char| !c.is_alphanumeric());
            let hidden = words.find(|word| HIDDEN.contains(word));
            let is_comment = line.trim_start().starts_with("//");
            assert!(hidden.is_none() || is_comment, "{}: {line}", path.display());
        }
    }
    assert!(
        count > 100,
        "the sources look different: {count} public lines"
    );
}
