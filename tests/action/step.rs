// SPDX-License-Identifier: Apache-2.0
//! The step that signs, run as the runner runs it: its own variables over those of the job. `act` does
//! the same for whole workflows, and takes its time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Finished, Program};
use crate::traps::names;
use crate::{read, root};

/// The outputs of `action.yml`, by name.
pub(crate) type Outputs = BTreeMap<String, String>;

/// Reads the part of YAML that `action.yml` is written in.
pub(crate) struct Action {
    text: String,
}

impl Action {
    pub(crate) fn read() -> Self {
        Self { text: read("action.yml") }
    }

    /// The lines below the line `heading`, as far as they are indented deeper.
    fn below(&self, heading: &str) -> Vec<&str> {
        let depth = |line: &str| line.len() - line.trim_start().len();
        let mut lines = self.text.lines().skip_while(|line| *line != heading);
        let first = lines.next().unwrap_or_else(|| panic!("no line `{heading}`"));
        let deeper = |line: &&str| line.is_empty() || depth(line) > depth(first);
        lines.take_while(deeper).collect()
    }

    /// The names of the inputs, with their defaults.
    pub(crate) fn inputs(&self) -> BTreeMap<String, String> {
        let mut inputs = BTreeMap::new();
        let mut name = None;
        for line in self.below("inputs:") {
            if let Some(found) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
                name = found.strip_suffix(':').map(str::to_owned);
            }
            if let (Some(name), Some(value)) = (&name, line.strip_prefix("    default: ")) {
                inputs.insert(name.clone(), value.trim_matches('"').to_owned());
            }
        }
        inputs
    }

    /// The names of the outputs, with their values.
    pub(crate) fn outputs(&self) -> BTreeMap<String, String> {
        let lines = self.below("outputs:");
        let values = lines.iter().filter_map(|line| line.strip_prefix("    value: "));
        let names = lines.iter().filter(|line| !line.starts_with("   "));
        let names = names.filter_map(|line| line.trim().strip_suffix(':'));
        names.map(str::to_owned).zip(values.map(|value| (*value).to_owned())).collect()
    }

    /// The variables of the step with `id`, as they are written.
    pub(crate) fn env(&self, id: &str) -> BTreeMap<String, String> {
        let heading = format!("    - id: {id}");
        let (_, step) = self.text.split_once(&format!("{heading}\n")).unwrap();
        let step = step.split("    - id: ").next().unwrap();
        let pairs = step.lines().filter_map(|line| line.strip_prefix("        "));
        let pairs =
            pairs.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_once(": "));
        pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
    }

    /// The lines of the step with `id`.
    fn step(&self, id: &str) -> Vec<&str> {
        let mut lines = self.text.lines().skip_while(|line| *line != format!("    - id: {id}"));
        lines.next().unwrap_or_else(|| panic!("no step `{id}`"));
        lines.take_while(|line| !line.starts_with("    - ")).collect()
    }

    /// What starts the step with `id`, as it is written.
    pub(crate) fn shell(&self, id: &str) -> String {
        let mut values =
            self.step(id).into_iter().filter_map(|line| line.strip_prefix("      shell: "));
        values
            .next()
            .unwrap_or_else(|| panic!("`{id}` has no shell"))
            .split(" # ")
            .next()
            .unwrap()
            .trim()
            .to_owned()
    }

    /// The script of the step with `id`.
    pub(crate) fn script(&self, id: &str) -> String {
        let mut lines =
            self.step(id).into_iter().skip_while(|line| !line.starts_with("      run: "));
        match lines.next().and_then(|line| line.strip_prefix("      run: ")) {
            Some("|") => {
                let script =
                    lines.take_while(|line| line.is_empty() || line.starts_with("        "));
                script.map(|line| format!("{}\n", line.trim_start())).collect()
            }
            Some(line) => line.to_owned(),
            None => panic!("`{id}` runs nothing"),
        }
    }
}

/// A step with the action, about to run.
pub(crate) struct Step {
    inputs: BTreeMap<String, String>,
    job: BTreeMap<String, String>,
    /// What the runner finds when it looks for `sh`.
    sh: &'static str,
}

/// A step that ran.
pub(crate) struct Ran {
    pub(crate) run: Finished,
    pub(crate) outputs: Outputs,
    pub(crate) summary: String,
    /// What is in the folder that it ran in.
    pub(crate) left: Vec<String>,
}

impl Step {
    pub(crate) fn new() -> Self {
        let binary = env!("CARGO_BIN_EXE_ambisign");
        let inputs = BTreeMap::from([("binary".to_owned(), binary.to_owned())]);
        let job = [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_WORKFLOW_REF", "acme/app/.github/workflows/release.yml@refs/heads/main"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("RUNNER_ARCH", "X64"),
            ("RUNNER_OS", "Linux"),
        ];
        let job = job.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { inputs, job: job.into(), sh: "/bin/sh" }
    }

    pub(crate) fn input(mut self, name: &str, value: impl Into<String>) -> Self {
        self.inputs.insert(name.to_owned(), value.into());
        self
    }

    /// A variable of the job, as an earlier step can set it by `GITHUB_ENV`.
    pub(crate) fn job(mut self, name: &str, value: impl Into<String>) -> Self {
        self.job.insert(name.to_owned(), value.into());
        self
    }

    /// On a machine whose `sh` is this program.
    pub(crate) fn sh(mut self, program: &'static str) -> Self {
        self.sh = program;
        self
    }

    /// Only the step that installs.
    pub(crate) fn install(self) -> Ran {
        self.step("install", &TempDir::new().unwrap(), &Outputs::new())
    }

    /// The step that signs, with the program under test.
    pub(crate) fn run(self) -> Ran {
        let program = env!("CARGO_BIN_EXE_ambisign").to_owned();
        let installed = Outputs::from([("program".to_owned(), program)]);
        self.step("sign", &TempDir::new().unwrap(), &installed)
    }

    fn step(&self, id: &str, dir: &TempDir, installed: &Outputs) -> Ran {
        let work = dir.path().join("work");
        let temporary = dir.path().join("temporary");
        for folder in [&work, &temporary] {
            fs::create_dir_all(folder).unwrap();
        }
        let file = |name: &str, text: &str| {
            let path = dir.path().join(format!("{name}-{id}"));
            fs::write(&path, text).unwrap();
            path
        };
        let (output, summary) = (file("output", ""), file("summary", ""));
        let script = file("script", &Action::read().script(id));
        let mut words = self.words(id, installed, &script).into_iter();
        let mut program = Program::new(words.next().unwrap()).args(words);
        for (name, value) in &self.job {
            program = program.env(name, value);
        }
        for (name, written) in Action::read().env(id) {
            program = program.env(name, self.value(&written, installed));
        }
        // What the runner sets itself, nobody else can.
        for (name, path) in [
            ("GITHUB_OUTPUT", output.as_path()),
            ("GITHUB_STEP_SUMMARY", &summary),
            ("RUNNER_TEMP", &temporary),
            ("GITHUB_ACTION_PATH", root()),
        ] {
            program = program.env(name, path);
        }
        let run = program.dir(&work).run();
        Ran {
            run,
            outputs: outputs(&output),
            summary: fs::read_to_string(summary).unwrap(),
            left: names(&work),
        }
    }

    /// What the runner starts: the words of `shell:`, with the path of the script for `{0}`. `sh` and `bash` alone
    /// stand for what the documentation of GitHub says, and the first word is looked for in folders of the
    /// machine.
    fn words(&self, id: &str, installed: &Outputs, script: &Path) -> Vec<String> {
        let shell = match Action::read().shell(id).as_str() {
            "sh" => "sh -e {0}".to_owned(),
            "bash" => "bash --noprofile --norc -e -o pipefail {0}".to_owned(),
            other => other.to_owned(),
        };
        let shell = match shell.split_once(" }} ") {
            Some((expression, rest)) => {
                format!("{} {rest}", self.value(&format!("{expression} }}}}"), installed))
            }
            None => shell,
        };
        let mut words: Vec<_> =
            shell.split(' ').map(|word| word.replace("{0}", script.to_str().unwrap())).collect();
        if words[0] == "sh" {
            words[0] = self.sh.to_owned();
        }
        words
    }

    /// What the runner makes of an expression.
    fn value(&self, written: &str, installed: &Outputs) -> String {
        let Some(expression) = written.strip_prefix("${{ ") else {
            return written.to_owned();
        };
        let expression = expression.strip_suffix(" }}").unwrap();
        if let Some(name) = expression.strip_prefix("steps.install.outputs.") {
            let (name, absent) = name.split_once(" || ").unwrap_or((name, ""));
            let absent = absent.trim_matches('\'');
            return installed.get(name).map_or(absent, String::as_str).to_owned();
        }
        let Some(name) = expression.strip_prefix("inputs.") else {
            return match expression {
                "github.action_repository" => String::new(),
                "github.token" => "canary-of-the-job".to_owned(),
                other => panic!("who sets {other}?"),
            };
        };
        let inputs = Action::read().inputs();
        let default = inputs.get(name).unwrap_or_else(|| panic!("no input {name}"));
        match self.inputs.get(name) {
            Some(value) => value.clone(),
            None => self.value(default, installed),
        }
    }
}

impl Ran {
    /// Stops the test unless it ended with `exit` and an error with `code`.
    #[track_caller]
    pub(crate) fn refused(&self, exit: i32, code: &str) {
        let run = &self.run;
        assert_eq!(run.code, Some(exit), "{run}");
        let line = format!("ambisign: code: {code}; exit {exit}; nothing was signed or uploaded");
        assert!(run.stderr.contains(&line), "no `{line}` in {run}");
        let title = format!("::error title=ambisign%3A {code}");
        assert!(run.stderr.contains(&title), "no annotation in {run}");
        assert_eq!(self.document()["error"]["code"], code);
        assert_eq!(self.outputs["signed-count"], "0");
    }

    /// The document among the outputs.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.outputs["result-json"]).unwrap()
    }

    /// The lines of the log that are commands to the runner: at the beginning of a line, after blanks,
    /// and in the older form anywhere.
    pub(crate) fn commands(&self) -> Vec<String> {
        let log = format!("{}\n{}", self.run.stdout, self.run.stderr);
        let is_command = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[");
        log.lines().filter(is_command).map(str::to_owned).collect()
    }
}

/// The file of outputs, read as the runner reads it.
fn outputs(path: &Path) -> Outputs {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let mut found = Outputs::new();
    while let Some(line) = lines.next() {
        let (name, value) = match (line.split_once("<<"), line.split_once('=')) {
            (Some((name, delimiter)), _) if !name.contains('=') => {
                let value: Vec<_> = lines.by_ref().take_while(|line| *line != delimiter).collect();
                (name, value.join("\n"))
            }
            (_, Some((name, value))) => (name, value.to_owned()),
            (_, None) => panic!("the runner refuses `{line}`"),
        };
        assert!(found.insert(name.to_owned(), value).is_none(), "{name} twice");
    }
    found
}
