// SPDX-License-Identifier: Apache-2.0
//! The commands of the README and of `docs/` that `tests/documents/commands.txt` gives to the sandbox, as
//! a shell runs them, one after the other, in a GitHub job.
#![expect(clippy::disallowed_methods, reason = "a test that runs the commands of the documents")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ambisign_sandbox::{Options, REQUEST_TOKEN, Sandbox};

const LIST: &str = include_str!("../../tests/documents/commands.txt");

/// What the documents call an image and its issuer.
const IMAGE: &str = "ghcr.io/acme/app@sha256:9f2c...";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// A folder with what the commands name, which is gone when the test ends.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the temporary folder of the system goes with it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn folder(sandbox: &Sandbox, image: &str) -> std::io::Result<Folder> {
    let name = format!("ambisign-documents-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let at = |name: &str| folder.0.join(name);
    for below in ["bin", "dist", "trust", "home"] {
        std::fs::create_dir_all(at(below))?;
    }
    let signer = Path::new(env!("CARGO_BIN_EXE_ambisign-sandbox")).with_file_name("ambisign");
    assert!(signer.exists(), "`{}` is missing: run `cargo test --workspace`", signer.display());
    std::os::unix::fs::symlink(signer, at("bin/ambisign"))?;
    std::fs::write(at("images.txt"), format!("{image}\n"))?;
    std::fs::write(at("dist/app.tar.gz"), "an archive")?;
    // `verify-blob` is shown in the folder of the file.
    std::fs::write(at("app.tar.gz"), "an archive")?;
    std::os::unix::fs::symlink("dist/app.tar.gz.sigstore.json", at("app.tar.gz.sigstore.json"))?;
    std::fs::copy(sandbox.var("TRUSTED_ROOT"), at("trust/trusted_root.json"))?;
    std::fs::copy(sandbox.var("SIGNING_CONFIG_V1"), at("trust/signing_config.json"))?;
    Ok(folder)
}

/// What `line` does in a shell, as a step of a GitHub job in `folder` that trusts `sandbox`.
fn step(sandbox: &Sandbox, folder: &Path, line: &str) -> std::io::Result<Output> {
    let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
    Command::new("/bin/sh")
        .args(["-c", line])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.join("home"))
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_REPOSITORY", "acme/app")
        .env("GITHUB_REF", "refs/heads/main")
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", sandbox.var("GITHUB_TOKEN_URL"))
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
        .env("AMBISIGN_TRUSTED_ROOT", sandbox.var("TRUSTED_ROOT"))
        .env("AMBISIGN_SIGNING_CONFIG", sandbox.var("SIGNING_CONFIG_V1"))
        .stdin(Stdio::null())
        .output()
}

#[test]
fn the_commands_of_the_documents_run_on_a_sandbox() {
    let name = format!("ambisign-documents-up-{}", std::process::id());
    let dir = Folder(std::env::temp_dir().join(name));
    let options = Options { dir: Some(dir.0.clone()), ..Options::default() };
    let sandbox = Sandbox::start(options).unwrap();
    let registry = sandbox.urls().registry_referrers.clone();
    let digest = sandbox.push_image(&registry, "acme/app", "1").unwrap();
    let image = format!("{registry}/acme/app@{digest}");
    let issuer = format!("{}/github", sandbox.urls().oidc);
    let folder = folder(&sandbox, &image).unwrap();
    let lines = LIST.lines();
    let commands = lines.filter_map(|line| line.strip_prefix("sandbox | "));
    let mut count = 0;
    for command in commands {
        count += 1;
        let line = command.replace(IMAGE, &image).replace(ISSUER, &issuer);
        let ran = step(&sandbox, &folder.0, &line).unwrap();
        let log = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{command}: {}\n{log}", ran.status);
        assert!(!ran.stdout.is_empty(), "{command} prints no result\n{log}");
    }
    assert!(count > 5, "only {count} commands");
    // Each `sign` that attaches and the `attach` left one signature.
    assert!(sandbox.attached(&registry, "acme/app", &digest).len() > 3);
}
