// SPDX-License-Identifier: Apache-2.0
//! The demo: one command, no account, no network, and one screen that says what happened.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ambisign_sandbox::{IDENTITY, Options, Sandbox};
use serde_json::Value;

use crate::Failure;

/// The repository of the demo's image.
const REPOSITORY: &str = "demo/app";
/// The screen that it fits: columns, and how many of them are left for the text of a step.
const COLUMNS: usize = 80;
const TEXT: usize = COLUMNS - 12;
/// How much of the signer's log is shown, in lines: what a run that goes well has.
const LOG: usize = 11;

/// Starts a sandbox, then signs and verifies an image in it with the `ambisign` in the folder of this
/// program.
pub(crate) fn run(out: &mut impl Write) -> Result<(), Failure> {
    let ambisign = sibling()?;
    let dir = Folder::new()?;
    let sandbox = Sandbox::start(Options { dir: Some(dir.0.clone()), ..Options::default() })?;
    let urls = sandbox.urls().clone();
    let mut step = |name: &str, text: &str| writeln!(out, "{name:>10}  {}", cut(text));

    step("sandbox", "Sigstore and a registry in this process; nothing leaves this machine")?;
    let digest = sandbox.push_image(&urls.registry_referrers, REPOSITORY, "1");
    let digest = digest.ok_or("the registry is gone")?;
    let image = format!("{}/{REPOSITORY}@{digest}", urls.registry_referrers);
    step("image", &image)?;
    step("job", "no variables but GitHub's, as with `permissions: id-token: write`")?;
    step("run", "ambisign sign --trusted-root FILE --signing-config FILE IMAGE")?;
    let signed = sign(&ambisign, &sandbox, &image)?;
    // The verify command at the end of the log is for other machines than this one.
    let log = String::from_utf8_lossy(&signed.stderr);
    let shown = log.lines().filter(|line| !line.starts_with("not default"));
    for line in shown.take_while(|line| !line.starts_with("Verify with")).take(LOG) {
        step("|", line)?;
    }
    if !signed.status.success() {
        return Err(format!("`ambisign sign` ended with {}", signed.status).into());
    }
    for (at, line) in asked(&sandbox).iter().enumerate() {
        step(if at == 0 { "asked" } else { "" }, line)?;
    }
    let bundles = sandbox.attached(&urls.registry_referrers, REPOSITORY, &digest);
    let bundle =
        bundles.into_iter().next().ok_or("the registry holds no signature of the image")?;
    step("read back", &format!("one bundle of {} bytes from the registry", bundle.len()))?;
    let issuer = format!("{}/github", urls.oidc);
    let said = verify(&ambisign, &sandbox, &image, &issuer)?;
    step("verified", &said)?;
    let (workflow, at) = IDENTITY.split_at(IDENTITY.find('@').unwrap_or(IDENTITY.len()));
    step("by", workflow)?;
    step("", at)?;
    step("issuer", &issuer)?;
    Ok(())
}

/// Verifies the image as any verifier would, and prints the result.
fn verify(
    ambisign: &Path,
    sandbox: &Sandbox,
    image: &str,
    issuer: &str,
) -> Result<String, Failure> {
    let mut command = program(ambisign);
    command.args(["verify", "--output", "json"]);
    command.args(["--trusted-root", &sandbox.var("TRUSTED_ROOT")]);
    command.args(["--certificate-identity", IDENTITY]);
    command.args(["--certificate-oidc-issuer", issuer, image]);
    let verified = command.output()?;
    if !verified.status.success() {
        return Err(format!("`ambisign verify` ended with {}", verified.status).into());
    }
    let document: Value = serde_json::from_slice(&verified.stdout)?;
    let signature = &document["artifacts"][0]["signatures"][0];
    let count = |member: &str| signature[member].as_array().map_or(0, Vec::len);
    let (entries, stamps) = (count("log"), count("timestamps"));
    Ok(format!("certificate, SCT, {stamps} timestamp, {entries} log entry, signature, digest"))
}

/// Runs `ambisign sign` as a GitHub job would.
fn sign(ambisign: &Path, sandbox: &Sandbox, image: &str) -> Result<Output, Failure> {
    let mut command = program(ambisign);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_SERVER_URL", "https://github.com");
    command.env("GITHUB_REPOSITORY", "acme/app").env("GITHUB_REF", "refs/heads/main");
    command.env("ACTIONS_ID_TOKEN_REQUEST_URL", sandbox.var("GITHUB_TOKEN_URL"));
    command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", ambisign_sandbox::REQUEST_TOKEN);
    command.args(["sign", "--trusted-root", &sandbox.var("TRUSTED_ROOT")]);
    command.args(["--signing-config", &sandbox.var("SIGNING_CONFIG_V1"), image]);
    Ok(command.output()?)
}

/// The program at `path`, with nothing in its environment and nothing to read.
fn program(path: &Path) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "the demo is the one that starts a program; its environment is empty"
    )]
    let mut command = Command::new(path);
    command.env_clear().stdin(Stdio::null());
    command
}

/// `text` on one line of the screen.
fn cut(text: &str) -> String {
    if text.chars().count() <= TEXT {
        return text.to_owned();
    }
    let kept: String = text.chars().take(TEXT - 3).collect();
    format!("{kept}...")
}

/// The services as the pipeline asks them; the registry, by any name, comes first.
const ORDER: [&str; 4] = ["oidc", "fulcio", "tsa", "rekor"];

/// Which services were asked where and how often, in the order of the pipeline, two on a line.
fn asked(sandbox: &Sandbox) -> Vec<String> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for record in sandbox.journal() {
        match counts.iter_mut().find(|(service, _)| *service == record.service) {
            Some((_, count)) => *count += 1,
            None => counts.push((record.service, 1)),
        }
    }
    // Registry and token endpoint are asked together: the order of the first request varies.
    counts.sort_by_key(|(service, _)| ORDER.iter().position(|known| known == service));
    let urls = sandbox.urls();
    let called = |service: &'static str| match service {
        "oidc" => ("GitHub", &urls.oidc),
        "fulcio" => ("Fulcio", &urls.fulcio),
        "tsa" => ("TSA", &urls.tsa),
        "rekor" => ("Rekor", &urls.rekor),
        _ => ("registry", &urls.registry_referrers),
    };
    let tell = |(service, count): &(&'static str, usize)| {
        let (name, url) = called(service);
        format!("{name} {count}x at {}", host(url))
    };
    let told: Vec<String> = counts.iter().map(tell).collect();
    told.chunks(2).map(|pair| pair.join(", ")).collect()
}

/// Host and port of `url`.
fn host(url: &str) -> &str {
    let rest = url.trim_start_matches("http://");
    rest.split('/').next().unwrap_or(rest)
}

/// The `ambisign` that was built with this program.
fn sibling() -> Result<PathBuf, Failure> {
    let path = std::env::current_exe()?.with_file_name("ambisign");
    if !path.exists() {
        let path = path.display();
        return Err(
            format!("`{path}` is not there; build it: cargo build --workspace --release").into()
        );
    }
    Ok(path)
}

/// A folder that is removed when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("ambisign-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the temporary folder of the system goes with it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
