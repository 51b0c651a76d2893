// SPDX-License-Identifier: Apache-2.0
//! What users of the library see holds nothing of the HTTP core.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may fail loudly, as the tests themselves"
)]

use std::path::{Path, PathBuf};

use ambisign_providers::explanations;

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
    // The line that ends the enum.
    let mut end: Option<String> = None;
    for line in text.lines() {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        if rest.starts_with("pub enum") {
            end = Some(format!("{indent}}}"));
        }
        if end.as_deref() == Some(line) {
            end = None;
        }
        let is_text = ["what: ", "why: ", "advice: "].map(|part| rest.starts_with(part));
        if (end.is_some() || rest.starts_with("pub ")) && !is_text.contains(&true) {
            found.push(line);
        }
    }
    found
}

#[test]
fn a_public_enum_is_seen_inside_of_a_macro() {
    let text = "errors! {\n    enum Own {\n        A(Net),\n    }\n    pub enum Error {\n        \
                B(HttpError),\n    }\n}\nstruct Other(Net);";
    let seen: Vec<_> = public(text).into_iter().map(str::trim).collect();
    assert_eq!(seen, ["pub enum Error {", "B(HttpError),"]);
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
    assert!(count > 100, "the sources look different: {count} public lines");
}

/// What programs call their settings is an option, and what a token is for is their business.
#[test]
fn no_explanation_names_a_program() {
    for code in explanations().flat_map(|table| table.codes) {
        let text = format!("{} {} {}", code.what, code.why, code.advice);
        for name in ["`--", "ambisign", "SIGSTORE", "sigstore"] {
            assert!(!text.contains(name), "{}: {text}", code.name);
        }
    }
}
