// SPDX-License-Identifier: Apache-2.0
//! Reads an example: its commands, and what its comments say to do.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Program, Stack};

/// Where the digest of an image stands in a command for consumers.
pub(crate) const DIGEST: &str = "sha256:...";

/// The examples' folder.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ci-examples")
}

/// A file that people copy.
pub(crate) struct Example {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) text: String,
}

impl Example {
    /// The example `name`.
    pub(crate) fn read(name: &str) -> Self {
        let path = folder().join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        Self { path, text }
    }

    /// Its content as a YAML parser of its own has it.
    pub(crate) fn yaml(&self, stack: &Stack) -> Value {
        let cache = Path::new(stack.var("REALSTACK_BIN")).parent().unwrap();
        let read = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
        let python = Program::new(cache.join("venv/bin/python")).args(["-c", read]);
        python.stdin(self.text.as_bytes()).run().expect(0).json()
    }

    /// The commands in its comments that begin with `word`, joined over backslashes.
    pub(crate) fn told(&self, word: &str) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        let mut open = false;
        for line in self.comments() {
            if open && let Some(last) = told.last_mut() {
                last.push('\n');
                last.push_str(line);
            } else if line.split(' ').next() == Some(word) {
                told.push(line.to_owned());
            } else {
                continue;
            }
            open = line.ends_with('\\');
        }
        told
    }

    /// The lines of its comments that are commands to run in order: those of `word`, and the
    /// variables that they use.
    pub(crate) fn steps(&self, word: &str) -> String {
        let steps: Vec<&str> =
            self.comments().filter(|line| line.starts_with(word) || is_assignment(line)).collect();
        steps.join("\n")
    }

    fn comments(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines().filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("#").or_else(|| line.strip_prefix("//"))
        });
        lines.map(str::trim_start)
    }
}

/// Whether a line sets a variable and does nothing else: `B="build@$P"`.
fn is_assignment(line: &str) -> bool {
    let mut name = line.split('=').next().unwrap_or_default().chars();
    line.contains('=')
        && name.next().is_some_and(|c| c.is_ascii_uppercase())
        && name.next().is_none()
}
