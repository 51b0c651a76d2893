// SPDX-License-Identifier: Apache-2.0
//! Other implementations: they judge what we published, and stand beside us in measurements.

use std::path::Path;

use super::{Finished, Image, Log, Program, Stack};

/// What the certificate of the stack's `github` token says.
pub(crate) const GITHUB_IDENTITY: &str =
    "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main";

/// cosign, of one of the two generations in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cosign {
    /// cosign 2, as older consumers have it.
    Two,
    /// cosign 3.
    Three,
}

impl Cosign {
    /// The program, about to run.
    pub(crate) fn program(self, stack: &Stack) -> Program {
        stack.program(match self {
            Self::Two => "cosign2",
            Self::Three => "cosign",
        })
    }

    /// `cosign verify` for the identity of the stack's `github` token. Options such as
    /// `--new-bundle-format` go in `options`.
    pub(crate) fn verify(self, stack: &Stack, image: &Image, options: &[&str]) -> Finished {
        let issuer = stack.issuer("github");
        self.verify_as(stack, image, (&issuer, GITHUB_IDENTITY), options)
    }

    /// `cosign verify` for exactly this issuer and identity.
    pub(crate) fn verify_as(
        self,
        stack: &Stack,
        image: &Image,
        (issuer, identity): (&str, &str),
        options: &[&str],
    ) -> Finished {
        self.program(stack)
            .args(["verify", "--output", "json", "--trusted-root"])
            .args([stack.var("TRUSTED_ROOT"), "--certificate-identity", identity])
            .args(["--certificate-oidc-issuer", issuer])
            .args(options)
            .arg(image.reference())
            .run()
    }

    /// `cosign sign`, ready to run, with a `github` token and with the services of `signing_config`.
    pub(crate) fn sign(self, stack: &Stack, signing_config: &Path, image: &Image) -> Program {
        self.program(stack)
            .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
            .args(["sign", "--yes", "--trusted-root", stack.var("TRUSTED_ROOT")])
            .arg("--signing-config")
            .arg(signing_config)
            .arg(image.reference())
    }

    /// Makes the first entry of a log.
    pub(super) fn begin(stack: &Stack, log: Log) {
        let run = Self::Three
            .program(stack)
            .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
            .args(["sign-blob", "--yes", "--bundle", "bundle.json"])
            .args(["--trusted-root", stack.var("TRUSTED_ROOT")])
            .arg("--signing-config")
            .arg(log.signing_config(stack))
            .arg("/dev/null");
        run.run().expect(0);
    }
}

/// sigstore-python, which keeps its files in `home`.
pub(crate) fn python(stack: &Stack, home: &Path) -> Program {
    let cache = Path::new(stack.var("REALSTACK_BIN")).parent().unwrap();
    Program::new(cache.join("sigstore-python/bin/sigstore")).env("HOME", home).env("COLUMNS", "200")
}

/// sigstore-python's verdict on `bundle` for `digest` and the identity of the stack's `github` token.
pub(crate) fn sigstore_python(stack: &Stack, bundle: &[u8], digest: &str) -> Finished {
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::write(dir.path().join("bundle.json"), bundle).unwrap();
    python(stack, dir.path())
        .arg("--trust-config")
        .arg(stack.var("CLIENT_TRUST_CONFIG_V1"))
        .args(["verify", "identity", "--bundle", "bundle.json"])
        .args(["--cert-identity", GITHUB_IDENTITY, "--cert-oidc-issuer"])
        .arg(stack.issuer("github"))
        .arg(digest)
        .dir(dir.path())
        .run()
}

/// sigstore-js, by the client of `tests/sigstore-js`, in `folder`.
pub(crate) fn javascript(stack: &Stack, folder: &Path) -> Program {
    let cache = Path::new(stack.var("REALSTACK_BIN")).parent().unwrap();
    Program::new("/usr/bin/env")
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .arg("node")
        .arg(cache.join("sigstore-js/client.mjs"))
        .dir(folder)
}

/// sigstore-js's verdict on the file `bundle` of `folder`, and on `file` where it is about one, for
/// the identity of the stack's `github` token.
pub(crate) fn sigstore_js(
    stack: &Stack,
    folder: &Path,
    bundle: &str,
    file: Option<&str>,
) -> Finished {
    // It finds the key of a checkpoint by the name of the log, which must be in the log's URL.
    let root = std::fs::read_to_string(stack.var("TRUSTED_ROOT")).unwrap();
    let root = root.replacen(stack.var("REKOR_URL"), "https://rekor.realstack.test", 1);
    std::fs::write(folder.join("root-for-js.json"), root).unwrap();
    javascript(stack, folder)
        .args(["verify", "root-for-js.json", GITHUB_IDENTITY])
        .arg(stack.issuer("github"))
        .arg(bundle)
        .args(file)
        .run()
}
