// SPDX-License-Identifier: Apache-2.0
//! The in-toto statement inside an envelope (in-toto attestation specification, v1).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ambisign_host::file;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha384, Sha512};

use crate::digest::Digest;
use crate::dsse::{Envelope, IN_TOTO};
use crate::protojson::nullable;

/// The types of statements. The differences of version 0.1 do not matter here.
const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
const MOST_SUBJECTS: usize = 1024;
const MOST_DIGESTS: usize = 32;
/// The number of bytes to read at once.
const CHUNK: usize = 64 * 1024;

/// A payload is not a usable statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Unusable {
    /// The problem.
    pub(crate) why: &'static str,
}

/// The signed claims about the artifact. A message has none.
#[derive(Default)]
pub(crate) struct SignedClaims {
    /// The predicate type of the statement; `None` if the signed content is not a statement.
    pub(crate) predicate_type: Option<String>,
    /// The annotations of the signer.
    pub(crate) annotations: BTreeMap<String, Value>,
}

/// What a statement says, as far as it is used here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Artifact>,
    predicate_type: String,
}

/// An in-toto subject.
#[derive(Debug, Deserialize)]
struct Artifact {
    digest: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "nullable")]
    annotations: BTreeMap<String, Value>,
}

/// Algorithms other than SHA-256 (in-toto attestation specification, `DigestSet`), and how many digits their
/// digests have.
const OTHERS: [(&str, usize); 2] = [("sha384", 96), ("sha512", 128)];

/// The digests of an artifact by other algorithms than SHA-256, in lower-case hexadecimal digits. Those
/// of an image are not known: its reference has one digest.
#[derive(Clone, Debug, Default)]
pub struct OtherDigests(BTreeMap<&'static str, String>);

impl OtherDigests {
    /// The digests of everything that `reader` returns.
    ///
    /// # Errors
    /// Reading fails.
    pub fn of_reader(reader: &mut dyn Read) -> io::Result<Self> {
        let (mut sha384, mut sha512) = (Sha384::new(), Sha512::new());
        let mut chunk = vec![0; CHUNK];
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => {
                    let read = chunk.get(..length).unwrap_or_default();
                    sha384.update(read);
                    sha512.update(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let sha512 = ("sha512", hex::encode(sha512.finalize()));
        Ok(Self([("sha384", hex::encode(sha384.finalize())), sha512].into()))
    }

    /// The digests of the file at `path`. None are known of standard input and of pipes, which have been read
    /// already.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn of_file(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        file::aside(move || match std::fs::metadata(&path) {
            Ok(found) if found.is_file() => Self::of_reader(&mut File::open(path)?),
            Ok(_) | Err(_) => Ok(Self::default()),
        })
        .await
    }

    /// Whether the digests that a statement `named` for the artifact are those that are known, and have
    /// the form of their algorithm.
    fn agree(&self, named: &BTreeMap<String, String>) -> bool {
        OTHERS.iter().all(|(name, digits)| {
            let is_digit = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
            named.get(*name).is_none_or(|found| {
                let has_form = found.len() == *digits && found.bytes().all(is_digit);
                has_form && self.0.get(name).is_none_or(|known| known == found)
            })
        })
    }
}

impl Statement {
    /// Reads the statement in `envelope`.
    pub(crate) fn read(envelope: &Envelope) -> Result<Self, Unusable> {
        let wrong = |why| Unusable { why };
        if envelope.payload_type != IN_TOTO {
            return Err(wrong("its payload is of another type"));
        }
        let statement: Self = ambisign_host::json::parse(&envelope.payload)
            .map_err(|_json| wrong("it has another form"))?;
        if !TYPES.contains(&statement.kind.as_str()) {
            return Err(wrong("it is of another version"));
        }
        let subjects = &statement.subject;
        let digests = subjects.iter().map(|artifact| artifact.digest.len());
        let mut unusual = digests.filter(|count| *count == 0 || *count > MOST_DIGESTS);
        if subjects.is_empty() || subjects.len() > MOST_SUBJECTS || unusual.next().is_some() {
            return Err(wrong("it has no artifact, or too many"));
        }
        Ok(statement)
    }

    /// The SHA-256 digests of its artifacts.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        let all = self.subject.iter().filter_map(|one| one.digest.get("sha256"));
        all.filter_map(|hex| Digest::parse(&format!("sha256:{hex}"))).collect()
    }

    /// The claims about `artifact`; `None` if the statement does not name it. Its digest must be in
    /// lower-case digits. If the statement names it several times, the first one counts.
    ///
    /// # Errors
    /// The statement names another artifact with it: a digest of `others` differs.
    pub(crate) fn about(
        self,
        artifact: &Digest,
        others: &OtherDigests,
    ) -> Result<Option<SignedClaims>, Unusable> {
        let wanted = artifact.hex();
        let mut all = self.subject.into_iter();
        let Some(found) = all.find(|found| found.digest.get("sha256") == Some(&wanted)) else {
            return Ok(None);
        };
        if !others.agree(&found.digest) {
            return Err(Unusable { why: "its digests of the artifact contradict each other" });
        }
        Ok(Some(SignedClaims {
            predicate_type: Some(self.predicate_type),
            annotations: found.annotations,
        }))
    }

    /// Whether it names an artifact with a digest that [`OtherDigests`] can have.
    pub(crate) fn has_other_digests(&self) -> bool {
        let names = |artifact: &Artifact, name: &str| artifact.digest.contains_key(name);
        self.subject.iter().any(|artifact| OTHERS.iter().any(|(name, _)| names(artifact, name)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use serde_json::{Map, json};

    use super::OtherDigests;
    use crate::digest::Digest;
    use crate::dsse::{Envelope, IN_TOTO};
    use crate::statement::Statement;

    fn read(payload: &str) -> Option<Statement> {
        let envelope = Envelope {
            payload_type: IN_TOTO.to_owned(),
            payload: payload.as_bytes().to_vec(),
            signature: Vec::new(),
        };
        Statement::read(&envelope).ok()
    }

    #[test]
    fn names_artifacts_by_sha256() {
        let artifact = Digest::of(b"x");
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","predicate":{{}},
            "subject":[{{"digest":{{"sha512":"00"}}}},{{"name":"","digest":{{"sha256":"{}"}},
            "annotations":{{"env":"prod"}}}}]}}"#,
            artifact.hex()
        );
        let about = |text: &str, artifact: &Digest| {
            read(text).unwrap().about(artifact, &OtherDigests::default()).unwrap()
        };
        let said = about(&text, &artifact).unwrap();
        assert_eq!(said.predicate_type.as_deref(), Some("p"));
        assert_eq!(said.annotations["env"], "prod");
        assert!(about(&text, &Digest::of(b"y")).is_none());
        let upper = text.replace(&artifact.hex(), &artifact.hex().to_uppercase());
        assert!(about(&upper, &artifact).is_none());
        assert!(read(&text.replace("Statement/v1", "Statement/v2")).is_none());
        assert!(read(&text.replace(r#""subject""#, r#""subject":[],"subject""#)).is_none());
        assert!(read(&text.replace(r#"{"sha512":"00"}"#, "{}")).is_none());
    }

    #[test]
    fn has_artifacts_with_digests_and_not_too_many() {
        let subject = |digests: usize| {
            let digests = (0..digests).map(|number| (format!("d{number}"), "00".into()));
            json!({"digest": digests.collect::<Map<_, _>>()})
        };
        for (subjects, good) in [
            (vec![], false),
            (vec![subject(0)], false),
            (vec![subject(1), subject(0)], false),
            (vec![subject(1)], true),
            (vec![subject(32)], true),
            (vec![subject(33)], false),
            (vec![subject(1); 1024], true),
            (vec![subject(1); 1025], false),
        ] {
            let count = subjects.len();
            let statement = json!({"_type": "https://in-toto.io/Statement/v1",
                "predicateType": "p", "predicate": {}, "subject": subjects});
            assert_eq!(read(&statement.to_string()).is_some(), good, "{count}");
        }
    }

    #[test]
    fn tells_the_sha256_of_every_artifact() {
        let (one, two) = (Digest::of(b"x"), Digest::of(b"y"));
        let statement = json!({"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "p",
            "subject": [{"digest": {"sha256": one.hex()}}, {"digest": {"sha512": "00"}},
                {"digest": {"sha256": "00"}}, {"digest": {"sha256": two.hex()}}]});
        assert_eq!(read(&statement.to_string()).unwrap().digests(), [one, two]);
        let envelope = Envelope {
            payload_type: "application/json".to_owned(),
            payload: statement.to_string().into_bytes(),
            signature: Vec::new(),
        };
        assert!(Statement::read(&envelope).is_err());
    }

    /// Pipes were read already when their digests are asked for.
    #[tokio::test]
    async fn digests_are_those_of_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"x").unwrap();
        let of_bytes = OtherDigests::of_reader(&mut &b"x"[..]).unwrap();
        assert_eq!(of_bytes.0["sha384"].len(), 96);
        assert_eq!(of_bytes.0["sha512"].len(), 128);
        assert_eq!(OtherDigests::of_file(&path).await.unwrap().0, of_bytes.0);
        for other in [folder.path(), &folder.path().join("none")] {
            assert!(OtherDigests::of_file(other).await.unwrap().0.is_empty());
        }
    }

    #[test]
    fn an_interruption_is_no_end_of_the_other_digests() {
        struct Broken(Vec<io::Result<usize>>);
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                self.0.pop().unwrap_or(Ok(0))
            }
        }
        let interrupted = || Err(io::ErrorKind::Interrupted.into());
        let found = OtherDigests::of_reader(&mut Broken(vec![Ok(1), interrupted()])).unwrap();
        assert_eq!(found.0, OtherDigests::of_reader(&mut &[0][..]).unwrap().0);
        let failed = Err(io::ErrorKind::UnexpectedEof.into());
        assert!(OtherDigests::of_reader(&mut Broken(vec![failed, Ok(1)])).is_err());
    }

    /// cosign compares all of them, too.
    #[test]
    fn digests_of_one_artifact_do_not_contradict_each_other() {
        let artifact = Digest::of(b"x");
        let others = OtherDigests::of_reader(&mut &b"x"[..]).unwrap();
        let other = OtherDigests::of_reader(&mut &b"y"[..]).unwrap();
        let about = |name: &str, digest: &str, others: &OtherDigests| {
            let text = format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","predicate":{{}},
                "subject":[{{"digest":{{"{name}":"{digest}","sha256":"{}"}}}}]}}"#,
                artifact.hex()
            );
            let statement = read(&text).unwrap();
            assert_eq!(statement.has_other_digests(), name.starts_with("sha"));
            statement.about(&artifact, others).map(|found| found.is_some()).ok()
        };
        for name in ["sha384", "sha512"] {
            let digest = others.0[name].as_str();
            assert_eq!(about(name, digest, &others), Some(true));
            assert_eq!(about(name, digest, &other), None);
            assert_eq!(about(name, digest, &OtherDigests::default()), Some(true));
            for odd in ["", "00", &digest.to_uppercase(), &digest.replace('a', "x")] {
                assert_eq!(about(name, odd, &OtherDigests::default()), None, "{odd}");
            }
        }
        assert_eq!(about("gitCommit", "00", &others), Some(true));
    }
}
