// SPDX-License-Identifier: Apache-2.0
//! The in-toto statement inside an envelope (in-toto attestation specification, v1).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::dsse::{Envelope, IN_TOTO};
use crate::protojson::nullable;

/// The types of statements. The differences of version 0.1 do not matter here.
const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
const MOST_SUBJECTS: usize = 1024;
const MOST_DIGESTS: usize = 32;

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
    pub(crate) fn about(self, artifact: &Digest) -> Option<SignedClaims> {
        let wanted = artifact.hex();
        let mut all = self.subject.into_iter();
        let found = all.find(|found| found.digest.get("sha256") == Some(&wanted))?;
        Some(SignedClaims {
            predicate_type: Some(self.predicate_type),
            annotations: found.annotations,
        })
    }
}

#[cfg(test)]
mod tests {
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
        let about = |text: &str, artifact: &Digest| read(text).unwrap().about(artifact);
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
}
