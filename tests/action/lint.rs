// SPDX-License-Identifier: Apache-2.0
//! Linters find nothing in the action, the workflows, the examples and the scripts, and the spelling check
//! nothing in any file.

use std::path::{Path, PathBuf};

use crate::common::{Program, Stack};
use crate::root;

/// A program that `tests/run` installed.
fn linter(name: &str) -> Program {
    let stack = Stack::shared();
    let cache = Path::new(stack.var("REALSTACK_BIN")).parent().unwrap();
    let bin = cache.join("linters/bin");
    Program::new(bin.join(name))
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("HOME", std::env::temp_dir())
        .dir(root())
}

/// The files of `folder` whose name ends so.
fn files(folder: &str, ends: &[&str]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let ends_so = |path: &PathBuf| ends.iter().any(|end| path.to_string_lossy().ends_with(end));
    paths.filter(ends_so).collect()
}

fn workflows() -> Vec<PathBuf> {
    let mut found = files(".github/workflows", &[".yml"]);
    let examples = files("ci-examples", &[".yml"]).into_iter();
    found.extend(examples.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("github")
    }));
    found
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn zizmor_finds_nothing() {
    for persona in ["regular", "pedantic", "auditor"] {
        let run = linter("zizmor")
            .args(["--offline", "--no-progress", "--strict-collection", "--persona", persona])
            .args(["action.yml", ".github/dependabot.yml"])
            .args(workflows())
            .run()
            .expect(0);
        assert!(run.stdout.contains("No findings to report"), "{persona}: {run}");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn actionlint_finds_nothing() {
    let run = linter("actionlint")
        .args(["-config-file", ".github/actionlint.yaml"])
        .args(workflows())
        .run()
        .expect(0);
    assert_eq!(run.stdout, "", "{run}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn shellcheck_finds_nothing() {
    let scripts = files("action", &[".sh"]);
    linter("shellcheck").args(scripts).run().expect(0);
    // bash calls some functions of these by a trap or by name.
    let own = [".ci/run", "tests/mutants", "tests/run"];
    let run = linter("shellcheck").args(["--severity", "warning"]).args(own);
    run.run().expect(0);
}

/// Words that are right here and wrong elsewhere are in `typos.toml`.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn typos_finds_nothing() {
    let run = linter("typos").args(["--format", "brief"]).run().expect(0);
    assert_eq!(run.stdout, "", "{run}");
}
