// SPDX-License-Identifier: Apache-2.0
//! What a release is checked against before it is signed and before it is pushed. The jobs that build run the build
//! scripts of others, so the jobs that sign and push believe the commit alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::layout_of;
use crate::common::{Finished, GITHUB_IDENTITY, Log, Program, Stack};

const PROGRAMS: [&str; 2] =
    ["ambisign-x86_64-unknown-linux-musl", "ambisign-aarch64-unknown-linux-musl"];

/// A commit with the scripts of a release, and what its jobs built.
struct Commit {
    dir: TempDir,
}

impl Commit {
    /// With these programs for the two machines, and their checksums in the commit.
    fn of(programs: [&[u8]; 2]) -> Self {
        let dir = TempDir::new().unwrap();
        let commit = Self { dir };
        for folder in ["release", "action", "dist"] {
            fs::create_dir(commit.path(folder)).unwrap();
        }
        for name in
            ["release/checksums", "release/image", "release/sign", "release/verify", "Cargo.toml"]
        {
            fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), commit.path(name)).unwrap();
        }
        for (name, program) in PROGRAMS.into_iter().zip(programs) {
            let path = commit.dist(name);
            fs::write(&path, program).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        commit.run("checksums", &["dist"]).expect(0);
        commit.list();
        commit
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn dist(&self, name: &str) -> PathBuf {
        self.path("dist").join(name)
    }

    /// Runs a script of the release.
    fn run(&self, script: &str, args: &[&str]) -> Finished {
        self.script(script).args(args).run()
    }

    fn script(&self, script: &str) -> Program {
        Program::new(self.path("release").join(script))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("SOURCE_DATE_EPOCH", super::EPOCH)
            .dir(self.dir.path())
    }

    /// Writes `SHA256SUMS`, as `release/pack` does.
    fn list(&self) {
        self.shell("cd dist && rm -f SHA256SUMS && sha256sum ambisign-* >SHA256SUMS");
    }

    fn shell(&self, command: &str) {
        Program::new("/bin/sh")
            .args(["-euc", command])
            .env("PATH", "/usr/bin:/bin")
            .dir(self.dir.path())
            .run()
            .expect(0);
    }
}

/// The head of a program for `machine` (`e_machine` of ELF), and something of its own.
fn elf(machine: u8, own: &str) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
    bytes.extend([machine, 0]);
    bytes.extend(own.bytes());
    bytes
}

#[test]
fn what_is_not_of_the_commit_is_not_signed() {
    let commit = Commit::of([b"one", b"two"]);
    let check = || commit.run("checksums", &["--check", "dist"]);
    check().expect(0);
    // An archive with another program beside the right one.
    let name = PROGRAMS[0];
    let archive = |text: &str| {
        commit.shell(&format!(
            "mkdir -p {name} && printf {text} >{name}/ambisign && tar -czf dist/{name}.tar.gz {name}"
        ));
    };
    archive("one");
    check().expect(0);
    archive("malware");
    assert_eq!(check().code, Some(1));
    archive("one");
    fs::write(commit.dist(name), "malware").unwrap();
    let run = check().expect(1);
    assert!(run.stdout.contains("checksums.txt") || run.stdout.contains(name), "{run}");
}

#[test]
fn no_program_runs_before_it_is_known() {
    let script = |text: &str| format!("#!/bin/sh\n: >ran\n# {text}\n");
    let commit = Commit::of([script("of the commit").as_bytes(), b"two"]);
    let verify = || commit.run("verify", &["dist", "--key", "k"]);
    verify().expect(0);
    assert!(commit.dist("ran").exists());
    fs::remove_file(commit.dist("ran")).unwrap();

    fs::write(commit.dist("more"), "a file that nobody listed").unwrap();
    assert!(verify().expect(1).stderr.contains("more is not in SHA256SUMS"));
    for name in ["more", "ran"] {
        let _gone = fs::remove_file(commit.dist(name));
    }
    // The list is of those who built it, and fits.
    fs::write(commit.dist(PROGRAMS[0]), script("of somebody else")).unwrap();
    commit.list();
    verify().expect(1);
    assert!(!commit.dist("ran").exists());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn images_have_the_programs_of_the_release() {
    let programs = [elf(62, "x86"), elf(183, "arm")];
    let commit = Commit::of([&programs[0], &programs[1]]);
    let build = || {
        let folder = commit.path("layout");
        let _gone = fs::remove_dir_all(&folder);
        layout_of(&commit.path("dist"), &folder, "https://example.com/ambisign");
        commit.shell("tar -C layout -cf dist/ambisign-image.tar .");
    };
    build();
    commit.run("checksums", &["--check", "dist"]).expect(0);
    fs::write(commit.dist(PROGRAMS[1]), elf(183, "malware")).unwrap();
    build();
    fs::write(commit.dist(PROGRAMS[1]), &programs[1]).unwrap();
    let run = commit.run("checksums", &["--check", "dist"]).expect(1);
    assert!(run.stderr.contains("1.2.3 for arm64 does not have"), "{run}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_release_is_verified_before_it_goes_anywhere() {
    let stack = Stack::shared();
    let program = fs::read(env!("CARGO_BIN_EXE_ambisign")).unwrap();
    let commit = Commit::of([&program, b"two"]);
    fs::write(commit.dist("ambisign-image.txt"), "stands for an archive").unwrap();
    commit.list();
    commit
        .script("sign")
        .args(["dist", "--trusted-root", stack.var("TRUSTED_ROOT"), "--signing-config"])
        .arg(Log::V1.signing_config(&stack))
        .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
        .run()
        .expect(0);
    let issuer = stack.issuer("github");
    let verify = |identity: &str| {
        let signer = ["--certificate-identity", identity, "--certificate-oidc-issuer", &issuer];
        let root = ["dist", "--trusted-root", stack.var("TRUSTED_ROOT")];
        commit.run("verify", &[&root[..], &signer].concat())
    };
    verify(GITHUB_IDENTITY).expect(0);
    assert_eq!(
        verify("https://github.com/acme/other/.github/workflows/release.yml@refs/heads/main").code,
        Some(8)
    );
    // Changed after it was signed, with a list that fits.
    fs::write(commit.dist("ambisign-image.txt"), "another archive").unwrap();
    commit.list();
    let run = verify(GITHUB_IDENTITY);
    assert_ne!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("ambisign: error:"), "{run}");
}

/// The jobs of the workflow, by name, with the lines of each.
fn job(name: &str) -> String {
    let text = include_str!("../../.github/workflows/release.yml");
    let (_, job) = text.split_once(&format!("\n  {name}:\n")).unwrap();
    let lines = job.lines().take_while(|line| line.is_empty() || line.starts_with("   "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_jobs_with_an_identity_check_before_they_sign_or_push() {
    let sign = job("sign");
    let at = |text: &str, needle: &str| {
        text.find(needle).unwrap_or_else(|| panic!("no `{needle}` in {text}"))
    };
    assert!(at(&sign, "run: diff ") < at(&sign, "run: release/sign "));
    assert!(at(&sign, "run: release/checksums --check ") < at(&sign, "run: release/sign "));
    let image = job("image");
    assert!(at(&image, "name: signed\n") < at(&image, "release/verify signed"));
    assert!(at(&image, "release/verify signed") < at(&image, "release/push "));
    assert_eq!(image.matches("download-artifact").count(), 1, "{image}");
    // Neither builds anything: no build script runs there.
    for job in [&sign, &image] {
        assert!(job.contains("id-token: write"), "{job}");
        assert!(!job.contains("cargo") && !job.contains("release/build"), "{job}");
    }
}
