// SPDX-License-Identifier: Apache-2.0
//! The bundles of `tests/vectors` that are to be believed.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ambisign_sigstore::bundle::Bundle;
use ambisign_sigstore::certificate::SigningCertificate;
use ambisign_sigstore::content::ContentRef;
use ambisign_sigstore::digest::Digest;
use ambisign_sigstore::trust::TrustedRoot;
use ambisign_sigstore::verify::{self, Expected, VerifiedBundle};
use serde_json::Value;

/// A bundle with everything that is needed to verify it.
pub struct Vector {
    /// The name of the case.
    pub name: String,
    /// The bundle as it was read.
    pub bytes: Vec<u8>,
    /// The bundle as JSON.
    pub json: Value,
    /// The bundle, parsed.
    pub bundle: Bundle,
    /// The trusted root.
    pub root: TrustedRoot,
    /// What was signed.
    pub artifact: Digest,
    identity: String,
    issuer: String,
}

impl Vector {
    /// The signing certificate.
    pub fn certificate(&self) -> SigningCertificate {
        let der = self.bundle.certificate().expect("a certificate");
        SigningCertificate::parse(der).expect("a signing certificate")
    }

    /// What was signed, as logs have it.
    pub fn content(&self) -> ContentRef<'_> {
        ContentRef::of(self.bundle.content(), &self.artifact)
    }

    /// Verifies `bytes` with the expectations of this case.
    ///
    /// # Errors
    /// As [`verify::bundle`].
    pub fn verify(&self, bytes: Vec<u8>) -> Result<VerifiedBundle, verify::Error> {
        let expected = Expected {
            artifact: &self.artifact,
            identity: &self.identity,
            issuer: &self.issuer,
            predicate_type: None,
            public_key: None,
            entries: 1,
            timestamps: 0,
        };
        verify::bundle(bytes, &self.root, &expected)
    }
}

/// The folder `tests/vectors`, from the workspace and from `fuzz/`.
pub fn folder() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = crates.ancestors().map(|above| above.join("tests/vectors"));
    found.find(|path| path.is_dir()).expect("tests/vectors")
}

/// A file of `tests/vectors`.
pub fn read(path: &str) -> Vec<u8> {
    std::fs::read(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The cases of the index.
pub fn index() -> Vec<Value> {
    serde_json::from_slice(&read("index.json")).expect("an index")
}

/// Every case that passes and was not signed with a bare key.
pub fn all() -> &'static [Vector] {
    static ALL: LazyLock<Vec<Vector>> = LazyLock::new(|| {
        let good = |case: &&Value| case["expect"] == "pass" && case["key"].is_null();
        index().iter().filter(good).map(vector).collect()
    });
    &ALL
}

/// The case with this name.
pub fn named(name: &str) -> &'static Vector {
    all().iter().find(|vector| vector.name == name).expect(name)
}

fn vector(case: &Value) -> Vector {
    let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
    let root = match case["trusted_root"].as_str().expect("a root") {
        name @ ("production" | "staging") => format!("roots/{name}/trusted_root.json"),
        path => path.to_owned(),
    };
    let bytes = read(&text("bundle"));
    Vector {
        name: text("name"),
        json: serde_json::from_slice(&bytes).expect("JSON"),
        bundle: Bundle::parse(&bytes).expect("a bundle"),
        root: TrustedRoot::parse(&read(&root)).expect("a root"),
        artifact: Digest::parse(&text("digest")).expect("a digest"),
        identity: text("identity"),
        issuer: text("issuer"),
        bytes,
    }
}
