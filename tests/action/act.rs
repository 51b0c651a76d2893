// SPDX-License-Identifier: Apache-2.0
//! `act` runs workflows of a repository that is made for the test, without a container engine: the
//! action lies in it, and so do stand-ins for the actions of others.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Finished, Program, Stack, assert_no_canary};
use crate::{read, root};

/// The number that act gives to every run.
const ACT_RUN: &str = "1";
/// Stands for the commit that act runs, in options.
const COMMIT: &str = "[COMMIT]";

/// What the stack's token endpoint wants to hear.
pub(crate) const REQUEST_TOKEN: &str = "realstack-request-token";

/// Puts an image into the stack's registry where docker/build-push-action would have built one.
const PUSH: &str = r#"name: push
description: A stand-in
inputs:
  push: { description: "", default: "" }
  tags: { description: "", default: "" }
outputs:
  digest: { description: "", value: "${{ steps.push.outputs.digest }}" }
runs:
  using: composite
  steps:
    - id: push
      shell: sh
      env: { TAGS: "${{ inputs.tags }}" }
      run: |
        echo "$TAGS" >layer.txt
        tar -cf layer.tar layer.txt
        echo "digest=$(crane append --insecure -f layer.tar -t "$TAGS" | sed 's/.*@//')" >>"$GITHUB_OUTPUT"
"#;

/// Stands for actions that do nothing here: there is no login on loopback.
const NOTHING: &str = r#"name: nothing
description: A stand-in
inputs:
  registry: { description: "", default: "" }
  username: { description: "", default: "" }
  password: { description: "", default: "" }
runs:
  using: composite
  steps:
    - shell: sh
      run: ":"
"#;

/// Stand for the actions that hand files from job to job.
const UPLOAD: &str = r#"name: upload
description: A stand-in
inputs:
  name: { description: "", default: "" }
  path: { description: "", default: "" }
  if-no-files-found: { description: "", default: "" }
  retention-days: { description: "", default: "" }
runs:
  using: composite
  steps:
    - shell: sh
      env: { FROM: "${{ inputs.path }}" }
      run: mkdir -p "$KEPT/artifacts" && cp -R "$FROM/." "$KEPT/artifacts"
"#;
const DOWNLOAD: &str = r#"name: download
description: A stand-in
inputs:
  pattern: { description: "", default: "" }
  path: { description: "", default: "" }
  merge-multiple: { description: "", default: "" }
runs:
  using: composite
  steps:
    - shell: sh
      env: { TO: "${{ inputs.path }}" }
      run: mkdir -p "$TO" && cp -R "$KEPT/artifacts/." "$TO"
"#;

/// The call of docker that an example makes, by crane. As soon as the index is there, somebody else moves the tag.
const DOCKER: &str = r#"#!/bin/sh
set -eu
case "$1 $2 $3 $4 $6" in
  'buildx imagetools create --metadata-file --tag')
    case "$8 $9" in *@sha256:*' '*@sha256:*) ;; *) echo "not by digest: $8 $9" >&2; exit 1 ;; esac
    crane index append --insecure -t "$7" -m "$8" -m "$9"
    printf '{"containerimage.descriptor":{"digest":"%s"}}\n' "$(crane digest --insecure "$7")" >"$5"
    crane tag --insecure "$8" "${7##*:}" ;;
  *) exit 1 ;;
esac
"#;

/// `act` says who it is, and ambisign that `act` has no tokens; the runner of GitHub does not. No shell stands before
/// the program here either, and Python reads no variable.
const PROGRAM: &str = r#"#!/usr/bin/python3 -I
import os, sys
os.environ.pop("ACT", None)
os.execv("[PROGRAM]", sys.argv)
"#;

/// Runs a command where `/bin/sh` is the shell that is named first, for all its children and nobody else.
const WITH_SHELL: &str = r#"mount --bind "$1" "$(readlink -f /bin/sh)" && shift && exec "$@""#;

/// A repository with the action in `ambisign/`.
pub(crate) struct Repository {
    dir: TempDir,
    /// What `/bin/sh` is, if it is not what the machine has.
    sh: Option<&'static str>,
}

/// A workflow that ran.
pub(crate) struct Ran {
    pub(crate) run: Finished,
    /// The outputs of the step `sign`.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The job summary.
    pub(crate) summary: String,
    /// How many groups the log has.
    pub(crate) groups: usize,
    /// What the steps said, line by line.
    pub(crate) log: Vec<String>,
    /// The annotations: command, title, file, message.
    pub(crate) annotations: Vec<Annotation>,
}

/// An annotation as the runner understood it.
#[derive(Debug)]
pub(crate) struct Annotation {
    pub(crate) command: String,
    pub(crate) title: String,
    pub(crate) file: Option<String>,
    pub(crate) message: String,
}

impl Repository {
    pub(crate) fn new(stack: &Stack) -> Self {
        let dir = TempDir::new().unwrap();
        let repository = Self { dir, sh: None };
        repository.write("ambisign/action.yml", &read("action.yml"));
        for name in ["install.sh", "install.ps1", "version", "checksums.txt"] {
            repository.write(&format!("ambisign/action/{name}"), &read(&format!("action/{name}")));
        }
        repository.write("push/action.yml", PUSH);
        repository.write("nothing/action.yml", NOTHING);
        repository.write("upload/action.yml", UPLOAD);
        repository.write("download/action.yml", DOWNLOAD);
        repository.script("bin/docker", DOCKER);
        repository
            .script("bin/ambisign", &PROGRAM.replace("[PROGRAM]", env!("CARGO_BIN_EXE_ambisign")));
        for name in ["TRUSTED_ROOT", "SIGNING_CONFIG_V1", "SIGNING_CONFIG_V2"] {
            fs::copy(stack.var(name), repository.path(name)).unwrap();
        }
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("app").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Another file.
    pub(crate) fn add(&self, name: &str, text: &str) {
        self.write(name, text);
    }

    fn script(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The inputs that lead the action to the stack, for `with:` at this depth.
    pub(crate) fn inputs(&self, depth: usize) -> String {
        let path = |name| self.path(name).display().to_string();
        let inputs = [
            ("binary", path("bin/ambisign")),
            ("trusted-root", path("TRUSTED_ROOT")),
            ("signing-config", path("SIGNING_CONFIG_V2")),
        ];
        let inputs = inputs.map(|(name, value)| format!("{}{name}: {value}\n", " ".repeat(depth)));
        inputs.concat()
    }

    /// Puts a script in the place of the program.
    pub(crate) fn replace_program(&self, script: &str) {
        self.script("bin/ambisign", script);
    }

    /// The same, with another `/bin/sh`.
    pub(crate) fn sh(mut self, shell: &'static str) -> Self {
        self.sh = Some(shell);
        self
    }

    /// A workflow that signs `images` with further inputs, after the steps `before`.
    pub(crate) fn signing(&self, images: &str, with: &str, before: &str) -> String {
        let images = images.replace('\n', "\n            ");
        let inputs = self.inputs(10);
        format!(
            "name: release\non: push\njobs:\n  sign:\n    runs-on: ubuntu-latest\n    permissions:\n      \
             id-token: write\n    steps:\n      - uses: actions/checkout@v5\n{before}      - id: sign\n        \
             uses: ./ambisign\n        with:\n          images: |\n            {images}\n{inputs}{with}"
        )
    }

    /// Runs `workflow` with the token endpoint of the stack.
    pub(crate) fn permitted(&self, stack: &Stack, workflow: &str) -> Ran {
        let endpoint = stack.var("GITHUB_TOKEN_URL");
        let url = format!("ACTIONS_ID_TOKEN_REQUEST_URL={endpoint}&run_id={ACT_RUN}&sha={COMMIT}");
        let token = format!("ACTIONS_ID_TOKEN_REQUEST_TOKEN={REQUEST_TOKEN}");
        self.run(stack, workflow, &["--env", &url, "--env", &token])
    }

    /// Runs `workflow`, whose steps leave behind what [`KEEP`] says.
    pub(crate) fn run(&self, stack: &Stack, workflow: &str, options: &[&str]) -> Ran {
        let file = ".github/workflows/release.yml";
        self.write(file, workflow);
        let app = self.path("");
        let git = |args: &[&str]| {
            Program::new("/usr/bin/env")
                .env("PATH", "/usr/local/bin:/usr/bin:/bin")
                .env("HOME", self.dir.path())
                .args(["git", "-c", "user.name=a", "-c", "user.email=a@example.com"])
                .args(args)
                .dir(&app)
                .run()
                .expect(0)
        };
        git(&["init", "-q", "-b", "main"]);
        git(&["add", "-A"]);
        git(&["commit", "-qm", "a"]);
        git(&["tag", "-f", "v1.0.0"]);
        if !read_or_empty(&app.join(".git/config")).contains("acme/app") {
            git(&["remote", "add", "origin", "https://github.com/acme/app"]);
        }
        // The token is of the commit that act runs.
        let commit = git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
        let options = options.iter().map(|option| option.replace(COMMIT, &commit));
        let bin = stack.var("REALSTACK_BIN");
        let path = format!("{}:{bin}:/usr/local/bin:/usr/bin:/bin", self.path("bin").display());
        let act = Path::new(bin).join("act");
        let act = match self.sh {
            Some(shell) => Program::new("/usr/bin/unshare")
                .args(["--mount", "/bin/bash", "-euc", WITH_SHELL, "bash", shell])
                .arg(act),
            None => Program::new(act),
        };
        let mut act = act
            .env("PATH", path)
            .env("HOME", self.dir.path())
            .arg("push")
            .args(["--json", "-W", file, "--no-cache-server", "--defaultbranch", "main"])
            .args([
                "--env",
                "GITHUB_WORKFLOW_REF=acme/app/.github/workflows/release.yml@refs/heads/main",
            ])
            .args(options)
            .limit(Duration::from_secs(240));
        for label in ["ubuntu-latest", "ubuntu-24.04", "ubuntu-24.04-arm"] {
            act = act.arg("-P").arg(format!("{label}=-self-hosted"));
        }
        let kept = self.dir.path().join("kept");
        fs::create_dir_all(&kept).unwrap();
        let run = act
            .env("KEPT", &kept)
            .arg("--env")
            .arg(format!("KEPT={}", kept.display()))
            .dir(&app)
            .run();
        Ran::of(run, &kept)
    }
}

/// The last step of a workflow that keeps what the step `sign` wrote.
pub(crate) const KEEP: &str = r#"
      - if: always()
        env:
          OUTPUTS: ${{ toJSON(steps.sign.outputs) }}
        run: |
          printf '%s' "$OUTPUTS" >"$KEPT/outputs.json"
"#;

impl Ran {
    fn of(run: Finished, kept: &Path) -> Self {
        let lines = run.stdout.lines().chain(run.stderr.lines());
        let events: Vec<Value> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
        let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let said = events.iter().filter(|event| event["raw_output"] == true);
        let log = said.map(|event| text(event, "msg").trim_end().to_owned()).collect();
        let is_annotation = |event: &&Value| {
            ["error", "warning", "notice"].iter().any(|name| event["command"] == *name)
        };
        let annotations = events.iter().filter(is_annotation).map(|event| Annotation {
            command: text(event, "command"),
            title: text(&event["kvPairs"], "title"),
            file: event["kvPairs"]["file"].as_str().map(str::to_owned),
            message: text(event, "arg"),
        });
        // `act` empties the file after each step and tells what was in it.
        let page = events.iter().find(|event| event["command"] == "summary");
        let output = |event: &Value| {
            (event["command"] == "set-output").then(|| (text(event, "name"), text(event, "arg")))
        };
        let told: BTreeMap<_, _> = events.iter().filter_map(output).collect();
        let ran = Self {
            outputs: serde_json::from_str(&read_or_empty(&kept.join("outputs.json")))
                .unwrap_or(told),
            summary: page.map(|event| text(event, "content")).unwrap_or_default(),
            groups: events.iter().filter(|event| event["command"] == "group").count(),
            log,
            annotations: annotations.collect(),
            run,
        };
        let outputs = [
            ("log".to_owned(), ran.run.stdout.clone().into_bytes()),
            ("summary".to_owned(), ran.summary.clone().into_bytes()),
        ];
        assert_no_canary(&[REQUEST_TOKEN], &outputs);
        ran
    }

    /// Stops the test unless the job went through.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.run.code, Some(code), "{}\n{}", self.log.join("\n"), self.run);
        self
    }
}

fn read_or_empty(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// An example of the repository, with the stack in the place of ghcr.io and the stand-ins in the place
/// of what others publish. Nothing else of it is changed, and what is kept is added.
pub(crate) fn example(repository: &Repository, host: &str, name: &str) -> String {
    let text = fs::read_to_string(root().join("ci-examples").join(name)).unwrap();
    let lines = text.lines().map(|line| {
        let Some((before, used)) = line.split_once("uses: ") else {
            return line.replace("ghcr.io/", &format!("{host}/"));
        };
        let name = used.split('@').next().unwrap_or_default();
        let before = before.replace(
            "- ",
            &format!("- {}", if name == "OWNER/ambisign" { "id: sign\n        " } else { "" }),
        );
        match name {
            "actions/checkout" => line.to_owned(),
            "docker/build-push-action" => format!("{before}uses: ./push"),
            "docker/login-action" | "docker/setup-buildx-action" => {
                format!("{before}uses: ./nothing")
            }
            "actions/upload-artifact" => format!("{before}uses: ./upload"),
            "actions/download-artifact" => format!("{before}uses: ./download"),
            "OWNER/ambisign" => format!("{before}uses: ./ambisign"),
            other => panic!("no stand-in for {other}"),
        }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    // The action is in the repository here, so every job needs it.
    let checkout = "    steps:\n      - uses: actions/checkout@v5\n";
    let text = text.replace("    steps:\n", checkout);
    let (before, with) = text.rsplit_once("uses: ./ambisign\n        with:\n").unwrap();
    let inputs = repository.inputs(10);
    format!("{before}uses: ./ambisign\n        with:\n{inputs}{with}{KEEP}")
}
