// SPDX-License-Identifier: Apache-2.0
//! GitHub's list of the artifacts that earlier steps of a job made.

use std::io;
use std::path::Path;

use ambisign_host::file::read_in_run;
use ambisign_sigstore::digest::Digest;
use serde::Deserialize;

use super::Error;
use super::named::{Named, Place, Writer};

/// The longest accepted list, in bytes. The runner accepts 1 MiB from each step and 500 entries per job.
const LONGEST: u64 = 8 * 1024 * 1024;
/// Its name in messages.
const LIST: &str = "`GITHUB_ARTIFACTS_LIST`";

#[derive(Deserialize)]
struct List {
    version: u64,
    subjects: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: String,
    kind: String,
}

/// Reads the images in the list at `path`. The file may not exist, although the runner names it.
///
/// # Errors
/// The list cannot be read, is malformed, or has no image.
pub(super) async fn read(path: &Path) -> Result<Vec<Named>, Error> {
    match read_in_run(path, LONGEST).await {
        Ok(bytes) => parse(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => parse(b""),
        Err(source) => Err(Error::Read { what: LIST.to_owned(), source }),
    }
}

/// The images in `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Named>, Error> {
    let nothing = || Error::Nothing { what: format!("{LIST}, and nowhere else") };
    let malformed = |why: String| Error::Malformed { what: LIST.to_owned(), why };
    if bytes.trim_ascii().is_empty() {
        return Err(nothing());
    }
    let list: List =
        ambisign_host::json::parse(bytes).map_err(|error| malformed(error.to_string()))?;
    if list.version != 1 {
        return Err(malformed("its `version` is not 1".to_owned()));
    }
    let mut named = Vec::new();
    for (subject, at) in list.subjects.into_iter().zip(1_usize..) {
        if subject.kind != "oci" {
            continue;
        }
        let digest = Digest::parse(&subject.digest).ok_or_else(|| {
            malformed(format!("the digest of its subject {at} is not a SHA-256 digest"))
        })?;
        named.push(Named {
            text: subject.name,
            place: Place { writer: Writer::Tagger, name: format!("subject {at} of {LIST}") },
            digest: Some(digest),
        });
    }
    if named.is_empty() {
        return Err(nothing());
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use ambisign_host::Explain as _;
    use ambisign_sigstore::digest::Digest;

    use super::parse;

    #[test]
    fn names_images_among_other_things() {
        let digest = Digest::of(b"");
        let list = format!(
            r#"{{"version":1,"subjects":[
                {{"name":"dist/a.tar","digest":"sha512:00","kind":"file"}},
                {{"name":"ghcr.io/acme/app","digest":"{digest}","kind":"oci"}}]}}"#
        );
        let named = parse(list.as_bytes()).unwrap();
        assert_eq!(named.len(), 1);
        assert_eq!(named[0].digest, Some(digest));
        assert_eq!(named[0].place.name, "subject 2 of `GITHUB_ARTIFACTS_LIST`");
    }

    #[test]
    fn may_name_none_and_must_be_a_list() {
        for (text, code) in [
            ("", "images/nothing"),
            ("\n", "images/nothing"),
            (r#"{"version":1,"subjects":[]}"#, "images/nothing"),
            (r#"{"version":2,"subjects":[]}"#, "images/malformed"),
            (
                r#"{"version":1,"subjects":[{"name":"a","digest":"latest","kind":"oci"}]}"#,
                "images/malformed",
            ),
            ("[]", "images/malformed"),
            (r#"{"version":1,"subjects":["#, "images/malformed"),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().code(), code, "{text}");
        }
    }
}
