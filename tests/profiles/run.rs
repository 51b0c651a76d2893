// SPDX-License-Identifier: Apache-2.0
//! The two programs, about to run against one registry.

use tempfile::TempDir;

use crate::common::fault::FaultProxy;
use crate::common::{
    Cosign, Finished, GITHUB_IDENTITY, Image, Log, Program, Service, Stack, signing_config_with,
};

/// The end of a run that waits for what does not come.
const TIMEOUT: &str = "100s";

/// Somebody who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The stack's `github`.
    Us,
    /// The stack's `email`.
    Another,
}

impl Who {
    fn issuer(self) -> &'static str {
        match self {
            Self::Us => "github",
            Self::Another => "email",
        }
    }

    fn identity(self) -> &'static str {
        match self {
            Self::Us => GITHUB_IDENTITY,
            Self::Another => "dev@example.test",
        }
    }
}

/// A token for each.
pub(crate) struct Tokens([String; 2]);

impl Tokens {
    pub(crate) fn new(stack: &Stack) -> Self {
        Self([Who::Us, Who::Another].map(|who| stack.token(who.issuer(), &[])))
    }

    fn of(&self, who: Who) -> &str {
        let [us, another] = &self.0;
        match who {
            Who::Us => us,
            Who::Another => another,
        }
    }
}

/// A run of `ambisign sign` that is over.
pub(crate) struct Signing {
    pub(crate) run: Finished,
    /// How many certificates it asked for.
    pub(crate) certificates: usize,
}

/// `ambisign sign` for `images`, with more `args`.
pub(crate) fn sign(
    (stack, tokens): (&Stack, &Tokens),
    who: Who,
    images: &[Image],
    args: &[&str],
) -> Signing {
    let folder = TempDir::new().unwrap();
    let fulcio = FaultProxy::start(stack.var("FULCIO_URL"), Vec::new());
    let config = Log::V1.signing_config(stack);
    let config = signing_config_with(config, folder.path(), Service::Fulcio, &fulcio.url());
    let run = Program::ambisign()
        .env("SIGSTORE_ID_TOKEN", tokens.of(who))
        .args(["sign", "--output", "json", "--timeout", TIMEOUT])
        .args(["--trusted-root", stack.var("TRUSTED_ROOT")])
        .arg("--signing-config")
        .arg(config)
        .args(args)
        .args(images.iter().map(Image::reference))
        .run();
    let asked = fulcio.seen().into_iter();
    Signing { certificates: asked.filter(|seen| seen.method == "POST").count(), run }
}

/// `ambisign doctor` for `images`, with what [`sign`] has.
pub(crate) fn doctor((stack, tokens): (&Stack, &Tokens), images: &[Image]) -> Finished {
    Program::ambisign()
        .env("SIGSTORE_ID_TOKEN", tokens.of(Who::Us))
        .args(["doctor", "--trusted-root", stack.var("TRUSTED_ROOT")])
        .arg("--signing-config")
        .arg(Log::V1.signing_config(stack))
        .args(images.iter().map(Image::reference))
        .run()
}

/// Whether `cosign verify` finds a signature of `who` for each of `images`: `Err` with what it says.
pub(crate) fn verify(
    stack: &Stack,
    who: Who,
    images: &[Image],
    signatures: Option<&str>,
) -> Result<(), String> {
    let issuer = stack.issuer(who.issuer());
    let mut cosign = Cosign::Three
        .program(stack)
        .args(["verify", "--output", "json", "--trusted-root"])
        .args([stack.var("TRUSTED_ROOT"), "--certificate-identity", who.identity()])
        .args(["--certificate-oidc-issuer", &issuer]);
    if let Some(repository) = signatures {
        cosign = cosign.env("COSIGN_REPOSITORY", repository);
    }
    let run = cosign.args(images.iter().map(Image::reference)).run();
    if run.code == Some(0) {
        return Ok(());
    }
    Err(format!("cosign finds nothing of {who:?}: {run}"))
}

/// Whether cosign itself signs `image` and finds it.
pub(crate) fn cosign_signs((stack, tokens): (&Stack, &Tokens), who: Who, image: &Image) -> bool {
    let run = Cosign::Three
        .program(stack)
        .env("SIGSTORE_ID_TOKEN", tokens.of(who))
        .args(["sign", "--yes", "--trusted-root", stack.var("TRUSTED_ROOT")])
        .arg("--signing-config")
        .arg(Log::V1.signing_config(stack))
        .arg(image.reference())
        .run();
    run.code == Some(0) && verify(stack, who, std::slice::from_ref(image), None).is_ok()
}
