// SPDX-License-Identifier: Apache-2.0
//! The verification vectors of the field, against the library (see `vectors/README.md`).

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use ambisign_host::Explain as _;
    use ambisign_sigstore::digest::Digest;
    use ambisign_sigstore::pki::keys::PublicKey;
    use ambisign_sigstore::trust::TrustedRoot;
    use ambisign_sigstore::verify::policy::{Identity, Match, Signer};
    use ambisign_sigstore::verify::{self, Policy, SignedBy};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::Deserialize;
    use serde_json::Value;

    const ACCEPTED: &str = "accepted";

    #[derive(Deserialize)]
    struct Case {
        name: String,
        expect: String,
        code: Option<String>,
        bundle: String,
        artifact: Option<String>,
        digest: String,
        forms: Vec<String>,
        trusted_root: String,
        identity: Option<String>,
        issuer: Option<String>,
        key: Option<String>,
    }

    fn read(path: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
        fs::read(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn cases() -> Vec<Case> {
        serde_json::from_slice(&read("index.json")).unwrap()
    }

    impl Case {
        fn root(&self) -> Vec<u8> {
            match self.trusted_root.as_str() {
                name @ ("production" | "staging") => {
                    read(&format!("roots/{name}/trusted_root.json"))
                }
                path => read(path),
            }
        }

        fn artifact(&self, form: &str) -> Digest {
            match (form, &self.artifact) {
                ("path", Some(path)) => Digest::of(&read(path)),
                ("digest", _) => Digest::parse(&self.digest).unwrap(),
                other => panic!("{}: form {other:?}", self.name),
            }
        }

        /// [`ACCEPTED`] or the code of the error.
        fn verify(&self, bundle: Vec<u8>, form: &str) -> String {
            let root = match TrustedRoot::parse(&self.root()) {
                Ok(root) => root,
                Err(error) => return error.code().into_owned(),
            };
            let artifact = self.artifact(form);
            let policy = Policy::of(self.signer());
            match verify::verify(&bundle, &root, &artifact, &policy) {
                Ok(accepted) => {
                    assert_eq!(accepted.artifact(), &artifact);
                    self.check_signer(accepted.signed_by());
                    ACCEPTED.to_owned()
                }
                Err(error) => error.code().into_owned(),
            }
        }

        fn signer(&self) -> Signer {
            let exact = |text: &Option<String>| Match::Exact(text.clone().unwrap());
            match &self.key {
                Some(path) => {
                    let pem = String::from_utf8(read(path)).unwrap();
                    Signer::Key(PublicKey::from_pem(&pem).unwrap())
                }
                None => Signer::Identity(Identity {
                    san: exact(&self.identity),
                    issuer: exact(&self.issuer),
                    claims: Vec::new(),
                }),
            }
        }

        fn check_signer(&self, signed_by: &SignedBy) {
            match signed_by {
                SignedBy::Certificate(certificate) => {
                    assert_eq!(Some(certificate.san()), self.identity.as_deref());
                    assert_eq!(Some(certificate.issuer()), self.issuer.as_deref());
                }
                SignedBy::Key(key) => {
                    let pem = String::from_utf8(read(self.key.as_ref().unwrap())).unwrap();
                    assert_eq!(Some(key), PublicKey::from_pem(&pem).as_ref());
                }
            }
        }
    }

    #[test]
    fn every_case_comes_out_right() {
        let mut wrong = Vec::new();
        let (mut accepts, mut rejects) = (0, 0);
        for case in cases() {
            let wanted = match (case.expect.as_str(), &case.code) {
                ("pass", None) => ACCEPTED,
                ("fail", Some(code)) => code.as_str(),
                other => panic!("{}: {other:?}", case.name),
            };
            for form in &case.forms {
                let found = case.verify(read(&case.bundle), form);
                if wanted == ACCEPTED {
                    accepts += 1;
                } else {
                    rejects += 1;
                }
                if found != wanted {
                    wrong.push(format!("{} ({form}): {found} instead of {wanted}", case.name));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!((accepts, rejects), (80, 88));
    }

    /// Changes that may be believed, because nobody signs that part or it says nothing: the case,
    /// the member, the change.
    const FREE: &[(&str, &str, &[&str])] = &[
        // A key ID decides nothing.
        ("intoto-with-custom-trust-root", "/keyid", &["removed"]),
        // A promise may be missing where there is a timestamp.
        ("intoto-with-custom-trust-root", "/signedEntryTimestamp", &["removed"]),
        // Zero and nothing are the same.
        ("intoto-with-custom-trust-root", "/inclusionProof/logIndex", &["removed"]),
        // The frame of a timestamp: list of digest algorithms, list of certificates, versions.
        (
            "intoto-with-custom-trust-root",
            "/signedTimestamp",
            &["byte 40", "byte 50", "byte 170", "byte 180"],
        ),
        ("rekor2-dsse-happy-path", "/signedTimestamp", &["byte 48"]),
        ("managed-key-happy-path", "/signedTimestamp", &["byte 48"]),
        ("managed-key-happy-path", "/signedEntryTimestamp", &["removed"]),
        ("rekor2-timestamp-with-embedded-cert", "/signedTimestamp", &["byte 44", "byte 792"]),
    ];

    /// Whether the change is in a line of a checkpoint after that of the log: a witness's.
    fn is_of_witness(envelope: &Value, what: &str) -> bool {
        let lines = envelope.as_str().unwrap().match_indices('\u{2014}');
        let at = what.strip_prefix("byte ").map(|at| at.parse::<usize>().unwrap());
        let second = lines.map(|(start, _)| start).nth(1);
        second.is_some_and(|second| at.is_some_and(|at| at > second))
    }

    /// Every member of a bundle that is believed must matter: change it, and the bundle is refused.
    #[test]
    fn every_member_matters() {
        const NAMES: &[&str] = &[
            "happy-path-intoto-in-dsse-v3",
            "happy-path-v0.3",
            "managed-key-happy-path",
            "intoto-with-custom-trust-root",
            "rekor2-dsse-happy-path",
            "rekor2-timestamp-with-embedded-cert",
        ];
        let mut believed = Vec::new();
        for case in cases().iter().filter(|case| NAMES.contains(&case.name.as_str())) {
            let bundle: Value = serde_json::from_slice(&read(&case.bundle)).unwrap();
            for pointer in leaves(&bundle, "") {
                let original = bundle.pointer(&pointer).unwrap();
                for (what, changed) in changes(original) {
                    let mut bundle = bundle.clone();
                    *bundle.pointer_mut(&pointer).unwrap() = changed;
                    let bytes = serde_json::to_vec(&bundle).unwrap();
                    let free = FREE.iter().any(|(name, member, changes)| {
                        *name == case.name
                            && pointer.ends_with(member)
                            && changes.contains(&what.as_str())
                    });
                    let witness =
                        pointer.ends_with("/checkpoint/envelope") && is_of_witness(original, &what);
                    // The reader brings the key: what the bundle says of it decides nothing.
                    let free = free || pointer.ends_with("/publicKey/hint");
                    let accepted = case.verify(bytes, "digest") == ACCEPTED;
                    assert!(accepted || !free, "{}: {pointer} {what}", case.name);
                    if accepted && !free && !witness {
                        believed.push(format!("{}: {pointer} {what}", case.name));
                    }
                }
            }
        }
        assert!(believed.is_empty(), "{believed:#?}");
    }

    fn leaves(value: &Value, pointer: &str) -> Vec<String> {
        match value {
            Value::Object(members) => members
                .iter()
                .flat_map(|(name, value)| leaves(value, &format!("{pointer}/{name}")))
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .flat_map(|(index, value)| leaves(value, &format!("{pointer}/{index}")))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                vec![pointer.to_owned()]
            }
        }
    }

    /// A leaf with one bit changed here and there, and without it.
    fn changes(leaf: &Value) -> Vec<(String, Value)> {
        let text = leaf.as_str().unwrap();
        let mut changed = vec![("removed".to_owned(), Value::Null)];
        let decoded = STANDARD.decode(text).ok().filter(|bytes| bytes.len() > 15);
        let bytes = decoded.clone().unwrap_or_else(|| text.as_bytes().to_vec());
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 60) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            let text = if decoded.is_some() {
                STANDARD.encode(&bytes)
            } else {
                String::from_utf8_lossy(&bytes).into_owned()
            };
            changed.push((format!("byte {at}"), Value::String(text)));
        }
        changed
    }
}
