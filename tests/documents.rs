// SPDX-License-Identifier: Apache-2.0
//! What the documents name exists: flags, variables, exit codes, error codes, providers, files, links,
//! tests, commands, and an error message. Their English has none of the phrases that were removed once.
//! Needs Rust only.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that reads documents and runs the program may stop"
)]

#[path = "documents/commands.rs"]
mod commands;
#[path = "documents/links.rs"]
mod links;
#[path = "documents/phrases.rs"]
mod phrases;
#[path = "documents/prose.rs"]
mod prose;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use ambisign::cli::variables::VARIABLES;
use ambisign::outcome::Signal;
use ambisign::outcome::exit::{batch_exit, exit};
use ambisign_host::Class;
use ambisign_providers::platforms::PLATFORMS;

/// Flags of cargo, container engines, cosign and the scripts of a release.
const FOREIGN_FLAGS: [&str; 12] = [
    "--bench",
    "--binaries",
    "--example",
    "--insecure-ignore-tlog",
    "--lib",
    "--locked",
    "--new-bundle-format",
    "--release",
    "--target",
    "--test",
    "--tlog-upload",
    "--workspace",
];

/// The section of the README that names what does not exist.
const ABSENT: &str = "## Not there yet";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The path below the root, of every file whose name ends with one of `endings`; not what was built,
/// downloaded or hidden, but for `.github`.
fn files_ending(endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let is_hidden = name.starts_with('.') && name != ".github";
            if path.is_dir() {
                let is_ours = !is_hidden && name != "target" && name != "node_modules";
                folders.extend(is_ours.then_some(path));
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let path = path.strip_prefix(root()).unwrap();
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Every document, by its path.
fn documents() -> Vec<String> {
    files_ending(&[".md"])
}

/// The README and the pages of `docs/`, by path, with their text.
fn manual() -> Vec<(String, String)> {
    let all = documents().into_iter();
    all.filter(|path| path == "README.md" || path.starts_with("docs/"))
        .map(|path| (path.clone(), read(&path)))
        .collect()
}

/// What the program prints for `arguments`, on both streams.
fn said(arguments: &[&str], env: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ambisign"))
        .args(arguments)
        .env_clear()
        .envs(env.iter().copied())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

/// The section of `text` under `heading`, to the next heading of any level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(heading).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// What stands between backticks outside of code blocks.
fn quoted(text: &str) -> Vec<&str> {
    text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

/// The words of `text` that may stand in names of flags, variables, codes and paths.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_*./<>".contains(c);
    text.split(move |c| !is_part(c)).filter(|word| !word.is_empty())
}

/// The cells of the rows of the first table in `text`, without its head.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let table = text.lines().skip_while(|line| !line.starts_with('|'));
    table
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// Every Rust file below `folder`, with what stands before its tests.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = read(&path);
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                found.push((path, code.to_owned()));
            }
        }
    }
    found
}

/// The code of the program, without tests.
fn code() -> Vec<(PathBuf, String)> {
    let is_test = |path: &Path| {
        path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
    };
    let below = |folder| {
        let all = sources(folder).into_iter();
        all.filter(move |(path, _)| !is_test(path.strip_prefix(root()).unwrap()))
    };
    ["host/src", "providers/src", "registry/src", "sigstore/src", "src"]
        .into_iter()
        .flat_map(below)
        .collect()
}

#[test]
fn the_exit_codes_of_the_manual_are_those_of_the_program() {
    let page = read("docs/exit-codes.md");
    let table = rows(section(&page, "## Exit codes"));
    let told: Vec<u8> = table.iter().map(|row| row[0].parse().unwrap()).collect();
    let classes = [
        Class::Bug,
        Class::Usage,
        Class::Identity,
        Class::Trust,
        Class::Untrusted,
        Class::Registry,
        Class::Rejected,
        Class::Temporary,
    ];
    let mut real: Vec<u8> = classes.into_iter().map(exit).collect();
    real.extend([0, batch_exit(1, &[Class::Registry])]);
    real.extend([Signal::Interrupt, Signal::Terminate].map(Signal::exit));
    real.sort_unstable();
    assert_eq!(told, real);

    let helped = |command: &str| -> Vec<Vec<String>> {
        let help = said(&[command, "--help"], &[]);
        let (_, help) = help.split_once("Exit codes:\n").unwrap();
        let rows = help.lines().filter_map(|line| line.trim().split_once(' '));
        let rows = rows.filter(|(code, _)| code.parse::<u8>().is_ok());
        rows.map(|(code, meaning)| vec![code.to_owned(), meaning.trim().to_owned()]).collect()
    };
    let of_signing = table.iter().filter(|row| row[0] != "8");
    let of_signing: Vec<_> = of_signing.cloned().collect();
    let sign = helped("sign");
    assert_eq!(of_signing, sign, "docs/exit-codes.md and `ambisign sign --help` differ");
    for command in ["verify", "verify-blob"] {
        let rows = helped(command);
        let row = table.iter().find(|row| row[0] == "8").unwrap();
        assert!(rows.iter().any(|found| found == row), "`{command} --help`");
    }
}

/// The help of a command and of all commands below it.
fn help_below(path: &[&str]) -> String {
    let help = said(&[path, &["--help"]].concat(), &[]);
    let (_, commands) = help.split_once("\nCommands:\n").unwrap_or_default();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.split_whitespace().next());
    let below: String = names.map(|name| help_below(&[path, &[name]].concat())).collect();
    help + &below
}

#[test]
fn the_flags_of_the_documents_exist_and_the_absent_ones_do_not() {
    let help = help_below(&[]);
    let known: BTreeSet<&str> = words(&help).filter(|word| word.starts_with("--")).collect();
    let is_flag = |word: &&str| {
        let name = word.strip_prefix("--").unwrap_or_default();
        name.starts_with(|c: char| c.is_ascii_lowercase())
    };
    let readme = read("README.md");
    let absent = section(&readme, ABSENT);
    let others = ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
    let others = others.map(|path| (path.to_owned(), read(path)));
    for (name, text) in manual().into_iter().chain(others) {
        for flag in words(&text.replace(absent, "")).filter(is_flag) {
            let flag = flag.trim_end_matches('.');
            assert!(
                known.contains(flag) || FOREIGN_FLAGS.contains(&flag),
                "{name}: there is no {flag}"
            );
        }
    }
    for flag in words(absent).filter(is_flag) {
        assert!(!known.contains(flag), "README.md says that {flag} is not there");
    }
    let commands = said(&["--help"], &[]);
    for command in ["verify", "verify-blob", "attest", "sign-blob", "doctor"] {
        let named = quoted(absent).iter().any(|name| name.ends_with(command));
        let exists = commands.contains(&format!("\n  {command} "));
        assert_eq!(named, !exists, "README.md on `{command}`");
    }
}

#[test]
fn the_variables_of_the_manual_are_in_the_table() {
    let is_name = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.contains('_')
            && !word.contains(|c: char| c.is_ascii_lowercase() || "-./<>".contains(c))
    };
    let mut pages: Vec<String> = manual().into_iter().map(|(_, text)| text).collect();
    pages.push(read("providers/README.md"));
    let names: BTreeSet<&str> = pages.iter().flat_map(|text| words(text)).filter(is_name).collect();
    assert!(names.contains("SIGSTORE_ID_TOKEN"), "{names:?}");
    for name in names {
        let known = |row: &ambisign::cli::variables::Variable| match name.strip_suffix('*') {
            Some(start) => row.name.starts_with(start),
            None => row.name == name,
        };
        let is_passed_on = passed_on().iter().any(|passed| match name.strip_suffix('*') {
            Some(start) => passed.starts_with(start),
            None => passed == name,
        });
        assert!(is_passed_on || VARIABLES.iter().any(known), "{name} is not in `ambisign env`");
    }
}

/// The variables that the sources pass on to credential helpers, with a `*` for the rest of a name.
fn passed_on() -> BTreeSet<String> {
    let literal = regex_lite::Regex::new(r#""(_*[A-Z]+(?:_[A-Z]+)*(?:_?\*)?)""#).unwrap();
    let files = ["host/src/passed_on.rs", "registry/src/login/passed_on.rs"].map(read);
    let found = files.iter().flat_map(|text| literal.captures_iter(text));
    found.map(|found| found[1].to_owned()).collect()
}

/// What the sources pass on to credential helpers is in the manual.
#[test]
fn the_variables_of_helpers_are_in_the_manual() {
    let manual = read("docs/registries.md");
    let files = ["host/src/passed_on.rs", "registry/src/login/passed_on.rs"].map(read);
    let code: String =
        files.iter().map(|text| text.split("#[cfg(test)]").next().unwrap()).collect();
    // What is never passed on by a pattern is not listed one by one.
    let (before, rest) = code.split_once("const SECRET_VARIABLES").unwrap();
    let (_, after) = rest.split_once("const USUAL_FOLDERS").unwrap();
    let listed = format!("{before}{after}");
    let names = passed_on().into_iter().filter(|name| name.contains('_'));
    let names = names.filter(|name| listed.contains(&format!("\"{name}\"")));
    let is_in_manual = |name: &str| {
        let of_gitlab = ["CI_REGISTRY", "CI_DEPLOY_"].iter().any(|start| name.starts_with(start));
        of_gitlab || manual.contains(&format!("`{name}`"))
    };
    let missing: Vec<_> = names.filter(|name| !is_in_manual(name)).collect();
    assert!(missing.is_empty(), "not in docs/registries.md: {missing:?}");
}

/// The other direction, and that of names that the code asks for, is tested beside the table.
#[test]
fn every_variable_of_the_table_is_read() {
    let code = code();
    let is_read = |name: &str| {
        let literal = format!("\"{name}\"");
        let others = code.iter().filter(|(path, _)| *path != root().join("src/cli/variables.rs"));
        others.into_iter().any(|(_, text)| text.contains(&literal))
    };
    for row in VARIABLES.iter() {
        // Each of ours is a field, which the compiler and a unit test watch.
        if !row.name.starts_with("AMBISIGN_") {
            let promised = row.meaning.contains("not read yet");
            assert_eq!(is_read(row.name), !promised, "{}: {}", row.name, row.meaning);
        }
    }
}

#[test]
fn the_providers_of_the_documents_are_those_of_the_program() {
    let real: BTreeSet<&str> = ambisign_providers::names().collect();
    let column = |text: &str, heading: &str, at: usize| -> BTreeSet<String> {
        let names = rows(section(text, heading)).into_iter();
        names
            .filter_map(|row| Some(row[at].strip_prefix('`')?.strip_suffix('`')?.to_owned()))
            .collect()
    };
    let expected: BTreeSet<String> = real.iter().map(|name| (*name).to_owned()).collect();
    let identities = column(&read("docs/identity.md"), "## Order", 2);
    assert_eq!(identities, expected, "docs/identity.md");
    let providers = column(&read("providers/README.md"), "## Providers", 0);
    assert_eq!(providers, expected, "providers/README.md");
    let page = read("providers/README.md");
    let named = page.split_once("Further platforms are recognized").unwrap().1;
    for platform in PLATFORMS {
        let name = platform.name.split(" workload").next().unwrap();
        assert!(named.contains(name), "providers/README.md: {name}");
    }
}

#[test]
fn the_error_of_the_manual_is_what_the_program_says() {
    let page = read("docs/exit-codes.md");
    let shown = section(&page, "## Errors").split("```text\n").nth(1);
    let shown = shown.unwrap().split("```").next().unwrap();
    let image = format!("ghcr.io/acme/app@sha256:{}", "0".repeat(64));
    let told = said(&["sign", &image], &[("GITHUB_ACTIONS", "true")]);
    let told: String = told
        .lines()
        .filter(|line| line.starts_with("ambisign: "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(shown, told);
}

#[test]
fn the_error_codes_of_the_manual_exist() {
    let (pages, code) = (manual(), code());
    let codes: Vec<&str> = pages
        .iter()
        .flat_map(|(_, text)| text.split("code: ").skip(1))
        .filter_map(|rest| words(rest).next())
        .collect();
    assert!(!codes.is_empty());
    for name in codes {
        let literal = format!("\"{name}\"");
        let exists = code.iter().any(|(_, text)| text.contains(&literal));
        assert!(exists, "no error has the code {name}");
    }
}

/// Whether `word` is meant as a path of the repository, seen from the folder of a document.
fn is_path(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    let first = word.split('/').next().unwrap_or_default();
    let is_ours = word.contains('/') && !first.is_empty() && root().join(first).exists();
    let is_file = [".rs", ".md", ".toml"].iter().any(|end| word.ends_with(end));
    plain && first != "target" && (is_ours || is_file)
}

#[test]
fn the_paths_of_the_documents_exist() {
    // The codes of a stage look like paths below the crate of its name.
    let codes = ambisign::explain::codes();
    let is_code = |word: &str| codes.iter().any(|(name, _)| name == word);
    for document in documents() {
        let text = read(&document);
        let folder = root().join(&document).parent().unwrap().to_owned();
        for path in quoted(&text).into_iter().filter(|word| is_path(word)) {
            assert!(
                is_code(path) || folder.join(path).exists() || root().join(path).exists(),
                "{document} names {path}"
            );
        }
    }
}

#[test]
fn the_code_map_knows_every_file() {
    let text = read("ARCHITECTURE.md");
    let map = section(&text, "## Code map");
    let named: BTreeSet<&str> = rows(map).iter().flat_map(|row| quoted(row[0])).collect();
    for folder in [
        "src",
        "host/src",
        "providers/src",
        "registry/src",
        "sandbox/src",
        "sigstore/src",
        "tests",
        "benches",
    ] {
        for (path, _) in sources(folder) {
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap();
            let known = |name: &&str| {
                *name == path
                    || (name.ends_with('/') && path.starts_with(name))
                    || name
                        .strip_suffix(".rs")
                        .is_some_and(|stem| path.starts_with(&format!("{stem}/")))
            };
            // `src/` as a whole would say nothing.
            let named = named.iter().filter(|name| **name != "src/");
            assert!(named.into_iter().any(known), "the map lacks {path}");
        }
    }
}

#[test]
fn the_guards_of_the_invariants_and_promises_exist() {
    let text = read("ARCHITECTURE.md");
    assert!(!text.contains("planned"), "a file or a guard is only planned");
    let folders = ["src", "host", "providers", "registry", "sandbox", "sigstore", "tests"];
    let mut code: String = folders.iter().flat_map(|folder| files(folder)).collect();
    code.push_str(&read("Cargo.toml"));
    let code: BTreeSet<&str> =
        code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let security = read("SECURITY.md");
    let promises = rows(section(&security, "## What it promises"));
    assert!(promises.len() > 10);
    for row in rows(section(&text, "## Invariants")).into_iter().chain(promises) {
        assert!(!quoted(row[1]).is_empty() || row[1] == "review", "{}: nothing holds it", row[0]);
        let guards = quoted(row[1]).into_iter().filter(|name| !is_path(name));
        for part in guards.flat_map(|name| name.split("::")) {
            let part = part.trim_matches(|c: char| "#[]".contains(c));
            assert!(code.contains(part), "{}: there is no {part}", row[0]);
        }
    }
}

/// The names of all tests.
fn tests() -> BTreeSet<String> {
    let folders = ["src", "host", "providers", "registry", "sandbox", "sigstore", "tests"];
    let code: String = folders.iter().flat_map(|folder| files(folder)).collect();
    let mut names = BTreeSet::new();
    let mut is_next = false;
    for line in code.lines().map(str::trim) {
        is_next |= matches!(line, "#[test]" | "#[tokio::test]");
        let name = line.trim_start_matches("async ").strip_prefix("fn ");
        if let Some(name) = name.filter(|_| is_next) {
            names.insert(name.split('(').next().unwrap().to_owned());
            is_next = false;
        }
    }
    names
}

/// A step that is forgotten fails: what fails is named, and exists.
#[test]
fn the_steps_to_a_provider_have_tests() {
    let (text, tests) = (read("CONTRIBUTING.md"), tests());
    let steps = rows(section(&text, "## Add a provider"));
    assert!(!steps.is_empty());
    for step in steps {
        let guards = quoted(step[2]);
        assert!(!guards.is_empty() || step[2] == "review", "{}", step[0]);
        for guard in guards {
            let exists = tests.contains(guard) || root().join(guard).exists();
            assert!(exists, "{}: there is no {guard}", step[0]);
        }
    }
}

/// Whether a test is named after an incident.
fn is_of_incident(name: &str) -> bool {
    let numbered = ["cosign_", "ggcr_", "rekor_", "sigstore_python_"];
    let always = ["cve_", "ghsa_", "oras_go_", "rustsec_", "sigstore_js_"];
    let number = |start: &&str| {
        let rest = name.strip_prefix(*start);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    numbered.iter().any(number) || always.iter().any(|start| name.starts_with(start))
}

#[test]
fn the_tests_of_the_incidents_exist() {
    let (text, tests) = (read("tests/INCIDENTS.md"), tests());
    let mut named = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    let (last, concerned) = sections.split_last().unwrap();
    for row in concerned.iter().flat_map(|section| rows(section)) {
        let of_row = quoted(row[2]);
        assert!(!of_row.is_empty(), "{}: no test", row[0]);
        for name in &of_row {
            assert!(tests.contains(*name), "{}: there is no test {name}", row[0]);
        }
        named.extend(of_row);
        assert!(ids.insert(row[0]), "{}: twice", row[0]);
    }
    assert!(rows(last).iter().all(|row| !row[2].is_empty()));
    // And the other way round: a test with the name of an incident is in the table.
    let is_other = |name: &&String| !named.contains(name.as_str());
    let all = tests.iter().filter(|name| is_of_incident(name));
    let missing: Vec<_> = all.filter(is_other).collect();
    assert!(missing.is_empty(), "not in tests/INCIDENTS.md: {missing:?}");
}

/// Each clause of a specification has a place in the code and a test, or a reason why not.
#[test]
fn the_lines_of_the_specifications_have_places_and_tests() {
    let (text, tests) = (read("docs/verification.md"), tests());
    let mut clauses = 0;
    let lists = text.split("\n## ").filter(|section| section.contains("| clause |"));
    for row in lists.flat_map(rows) {
        let [clause, what, places, evidence] = row[..] else { panic!("{row:?}") };
        assert!(!clause.is_empty() && !what.is_empty() && !evidence.is_empty(), "{row:?}");
        for place in quoted(places) {
            assert!(root().join(place).exists(), "{clause}: {place}");
        }
        let named = quoted(evidence);
        let known = named.iter().filter(|name| tests.contains(**name)).count();
        assert!(places.is_empty() || known > 0, "{clause}: no test");
        let is_test = |name: &&&str| name.contains('_') && !name.contains('/');
        let unknown = named.iter().filter(is_test).find(|name| !tests.contains(**name));
        assert!(unknown.is_none(), "{clause}: there is no test {unknown:?}");
        clauses += 1;
    }
    assert!(clauses > 20, "{clauses}");
}

/// The whole text of every Rust file below `folder`.
fn files(folder: &str) -> Vec<String> {
    sources(folder).into_iter().map(|(path, _)| read(path)).collect()
}
