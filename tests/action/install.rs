// SPDX-License-Identifier: Apache-2.0
//! `action/install.sh`: which program is used, and which is not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::common::{Finished, Program};
use crate::root;
use crate::step::Step;

/// A release, its commit, and a machine: what is pinned, what is served, what is cached.
struct Machine {
    dir: TempDir,
}

const ASSET: &str = "ambisign-x86_64-unknown-linux-musl";

impl Machine {
    /// `pinned` is the release as the commit knows it, `served` what the download gives.
    fn new(pinned: Option<&str>, served: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        for folder in ["action", "bin", "temporary", "work"] {
            fs::create_dir(path(folder)).unwrap();
        }
        fs::copy(root().join("action/install.sh"), path("action/install.sh")).unwrap();
        fs::write(path("action/version"), "1.2.3\n").unwrap();
        let line = pinned.map(|text| format!("{}  {ASSET}\n", hex(text))).unwrap_or_default();
        let other = format!("{}  ambisign-aarch64-unknown-linux-musl\n", hex("other"));
        fs::write(path("action/checksums.txt"), line + &other).unwrap();
        fs::write(path("served"), served).unwrap();
        // It leaves its arguments behind, and a copy of what is served.
        let curl = "#!/bin/sh\necho \"$@\" >>\"$ASKED\"\nwhile [ \"$1\" != -o ]; do shift; done\ncp \"$SERVED\" \"$2\"\n";
        fs::write(path("bin/curl"), curl).unwrap();
        fs::set_permissions(path("bin/curl"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn cached(&self) -> PathBuf {
        self.path("tools/ambisign/1.2.3/x86_64-unknown-linux-musl/ambisign")
    }

    fn run(&self, architecture: &str) -> Finished {
        fs::write(self.path("output"), "").unwrap();
        Program::new("/bin/sh")
            .arg("-e")
            .arg(self.path("action/install.sh"))
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", architecture)
            .env("RUNNER_TEMP", self.path("temporary"))
            .env("RUNNER_TOOL_CACHE", self.path("tools"))
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("ACTION_REPOSITORY", "acme/ambisign")
            .env("ASKED", self.path("asked"))
            .env("SERVED", self.path("served"))
            .dir(self.path("work"))
            .run()
    }

    fn output(&self) -> String {
        fs::read_to_string(self.path("output")).unwrap()
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.path("asked")).unwrap_or_default()
    }
}

fn hex(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_executable(path: &Path) -> bool {
    path.metadata().unwrap().permissions().mode() & 0o111 == 0o111
}

#[test]
fn a_release_is_downloaded_once() {
    let machine = Machine::new(Some("release"), "release");
    let run = machine.run("X64").expect(0);
    assert!(run.stdout.contains("downloaded, SHA-256 ok"), "{run}");
    let url = format!("https://github.com/acme/ambisign/releases/download/v1.2.3/{ASSET}\n");
    assert!(machine.asked().ends_with(&url), "{}", machine.asked());
    // Without the settings of a user, over TLS alone, and again if it fails.
    let how = "-q --proto =https --tlsv1.2 --retry 5 ";
    assert!(machine.asked().starts_with(how), "{}", machine.asked());
    let expected =
        format!("program={}\nversion=1.2.3\ncache-hit=false\n", machine.cached().display());
    assert_eq!(machine.output(), expected);
    assert!(is_executable(&machine.cached()));

    let run = machine.run("X64").expect(0);
    assert!(run.stdout.contains("from the cache, SHA-256 ok"), "{run}");
    assert!(machine.output().ends_with("cache-hit=true\n"));
    assert_eq!(machine.asked().lines().count(), 1);
}

#[test]
fn what_is_not_the_release_is_not_used() {
    let machine = Machine::new(Some("release"), "malware");
    let run = machine.run("X64").expect(1);
    assert!(run.stdout.contains("is not the release that this commit pins"), "{run}");
    assert_eq!(machine.output(), "");
    assert!(!machine.cached().exists());

    // A cache that others can write is believed no more than the network.
    let machine = Machine::new(Some("release"), "release");
    machine.run("X64").expect(0);
    fs::write(machine.cached(), "malware").unwrap();
    let run = machine.run("X64").expect(0);
    assert!(
        run.stdout.contains("::warning title=ambisign%3A action/install::the cached program"),
        "{run}"
    );
    assert_eq!(fs::read_to_string(machine.cached()).unwrap(), "release");
}

#[test]
fn a_cache_that_cannot_be_written_is_done_without() {
    let machine = Machine::new(Some("release"), "release");
    fs::write(machine.path("tools"), "a file").unwrap();
    machine.run("X64").expect(0);
    let output = machine.output();
    let program = output.lines().next().unwrap().strip_prefix("program=").unwrap();
    assert!(program.starts_with(machine.path("temporary").to_str().unwrap()), "{output}");
    assert!(is_executable(Path::new(program)));
}

#[test]
fn without_a_release_there_is_the_input_binary() {
    for (pinned, architecture) in [(None, "X64"), (Some("release"), "X86"), (Some("release"), "")] {
        let machine = Machine::new(pinned, "release");
        let run = machine.run(architecture).expect(1);
        assert!(run.stdout.starts_with("::error title=ambisign%3A action/install::"), "{run}");
        assert!(run.stdout.contains("in the input `binary`"), "{run}");
        assert_eq!(machine.asked(), "", "{run}");
    }
    // This commit, as it is.
    let ran = Step::new().input("binary", "").install();
    let pinned = fs::read_to_string(root().join("action/checksums.txt")).unwrap();
    if pinned.is_empty() {
        assert!(
            ran.run.stdout.contains("pins no release of ambisign for Linux X64"),
            "{}",
            ran.run
        );
    }
}

/// The runner splits what starts a step at blanks, and braces mean something to it.
#[test]
fn a_path_that_the_runner_would_split_has_another_name() {
    let folder = TempDir::new().unwrap();
    for name in
        ["with blank", "with{0}brace", "with\"quote", "with'quote", "with$dollar", "with\\slash"]
    {
        let path = folder.path().join(name);
        fs::copy(env!("CARGO_BIN_EXE_ambisign"), &path).unwrap();
        let ran = Step::new().input("binary", path.to_str().unwrap()).install();
        assert_eq!(ran.run.code, Some(0), "{name}: {}", ran.run);
        let program = &ran.outputs["program"];
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._+-".contains(c);
        assert!(program.chars().all(is_plain), "{name}: {program}");
        assert_eq!(fs::canonicalize(program).unwrap(), path);
        fs::remove_dir_all(Path::new(program).parent().unwrap()).unwrap();
    }
}

#[test]
fn the_input_binary_is_a_program() {
    let ran = Step::new().install();
    assert_eq!(ran.run.code, Some(0), "{}", ran.run);
    assert_eq!(ran.outputs["program"], env!("CARGO_BIN_EXE_ambisign"));
    assert_eq!(ran.outputs["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(ran.outputs["cache-hit"], "false");
    for (binary, message) in [
        ("/absent", "names no program"),
        ("/etc/passwd", "names no program"),
        ("/", "names no program"),
        ("$(touch PWNED)", "names no program"),
        ("-c", "names no program"),
        ("::set-output name=program::/bin/sh", "names no program"),
        ("/bin/true\nprogram=/bin/sh", "has a line break"),
        ("/bin/false", "does not start"),
        ("/bin/echo", "is not ambisign"),
    ] {
        let ran = Step::new().input("binary", binary).install();
        assert_eq!(ran.run.code, Some(1), "{binary}: {}", ran.run);
        let line = format!("the input `binary` {message}");
        let other = format!("the program of the input `binary` {message}");
        let said = &ran.run.stdout;
        assert!(said.contains(&line) || said.contains(&other), "{binary}: {}", ran.run);
        assert!(ran.outputs.is_empty(), "{binary}: {:?}", ran.outputs);
        assert!(ran.left.is_empty(), "{binary}: {:?}", ran.left);
        assert_eq!(ran.commands().len(), 1, "{binary}: {}", ran.run);
    }
}
