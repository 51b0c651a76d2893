// SPDX-License-Identifier: Apache-2.0
//! Writes the statement that is signed for an image.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::digest::Digest;

/// The predicate type of `cosign sign`, which claims nothing about an image beyond its digest.
pub const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// The bytes of an in-toto statement (v1) about exactly one image digest.
pub struct Payload(Vec<u8>);

impl Payload {
    /// Writes the statement about the image with `digest`, with `annotations`.
    ///
    /// The name of the subject is empty: this publishes no repository name, and readers that require
    /// the member find it.
    ///
    /// # Errors
    /// Never in practice, because strings can always be written as JSON.
    pub fn about(
        digest: &Digest,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, serde_json::Error> {
        let statement = Statement {
            kind: "https://in-toto.io/Statement/v1",
            subject: [Subject { name: "", digest: Sha256 { sha256: digest.hex() }, annotations }],
            predicate_type: SIGN,
            predicate: Predicate {},
        };
        serde_json::to_vec(&statement).map(Self)
    }

    /// The bytes that are signed.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    #[serde(rename = "_type")]
    kind: &'a str,
    subject: [Subject<'a>; 1],
    predicate_type: &'a str,
    predicate: Predicate,
}

#[derive(Serialize)]
struct Subject<'a> {
    name: &'a str,
    digest: Sha256,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Sha256 {
    sha256: String,
}

#[derive(Serialize)]
struct Predicate {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::digest::Digest;
    use crate::statement::Payload;

    #[test]
    fn names_the_digest_and_nothing_else() {
        let none = BTreeMap::new();
        let bytes = Payload::about(&Digest::of(b"ambisign"), &none);
        let bytes = bytes.unwrap().into_bytes();
        let expected = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"","digest":{"sha256":"70f178985473c23b72e403edaa739c9cfae0927db7ad48e67f78db8e9c044b4e"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#;
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
    #[test]
    fn says_what_is_to_be_said() {
        let said = [("env", "prod"), ("a", "x=\"1\",y")];
        let said = said.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let bytes = Payload::about(&Digest::of(b""), &said.into()).unwrap();
        let text = String::from_utf8(bytes.into_bytes()).unwrap();
        let expected = r#""annotations":{"a":"x=\"1\",y","env":"prod"}}],"#;
        assert!(text.contains(expected), "{text}");
    }
}
