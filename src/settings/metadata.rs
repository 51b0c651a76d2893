// SPDX-License-Identifier: Apache-2.0
//! Docker's metadata of a build: the JSON of `docker buildx --metadata-file`, which is also the output
//! `metadata` of docker/build-push-action and docker/bake-action.

use std::collections::BTreeMap;

use ambisign_sigstore::digest::Digest;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A built image or index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its digest.
    pub digest: Digest,
    /// The names under which it was pushed, in any form that BuildKit writes.
    pub names: Vec<String>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(rename = "containerimage.digest")]
    digest: Option<String>,
    #[serde(rename = "image.name")]
    names: Option<String>,
}

/// Parses the metadata of one build, or of all targets of a bake; `None` for anything else, and if it
/// contains no digest.
pub(crate) fn read(text: &str) -> Option<Vec<Built>> {
    let one: Target = ambisign_host::json::parse(text.as_bytes()).ok()?;
    if let Some(built) = one.built() {
        return Some(vec![built?]);
    }
    let targets: BTreeMap<String, Box<RawValue>> =
        ambisign_host::json::parse(text.as_bytes()).ok()?;
    let mut all = Vec::new();
    for target in targets.values() {
        // The metadata also has warnings and the like, which have another form than targets.
        let target = ambisign_host::json::parse::<Target>(target.get().as_bytes()).ok();
        if let Some(built) = target.and_then(|target| target.built()) {
            all.push(built?);
        }
    }
    Some(all).filter(|all| !all.is_empty())
}

impl Target {
    /// `None` if nothing was built, `Some(None)` if the digest is invalid.
    fn built(&self) -> Option<Option<Built>> {
        let digest = self.digest.as_deref()?;
        let names = self.names.as_deref().unwrap_or_default().split(',');
        let names = names.map(str::trim).filter(|name| !name.is_empty());
        Some(
            Digest::parse(digest)
                .map(|digest| Built { digest, names: names.map(str::to_owned).collect() }),
        )
    }
}

#[cfg(test)]
mod tests {
    use ambisign_sigstore::digest::Digest;

    use super::read;

    #[test]
    fn reads_a_build_and_a_bake() {
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let build = format!(
            r#"{{"buildx.build.ref":"x","containerimage.descriptor":{{"digest":"{one}"}},
                "containerimage.digest":"{one}","image.name":"a/b:1, c.io/d:2"}}"#
        );
        let built = read(&build).unwrap();
        assert_eq!(built[0].digest, one);
        assert_eq!(built[0].names, ["a/b:1", "c.io/d:2"]);
        let bake = format!(
            r#"{{"buildx.build.warnings":[1],"app":{build},"cache":{{}},
                "web":{{"containerimage.digest":"{other}"}}}}"#
        );
        let digests: Vec<_> = read(&bake).unwrap().iter().map(|b| b.digest).collect();
        assert_eq!(digests, [one, other]);
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            "metadata.json",
            r#"{"containerimage.digest":"latest"}"#,
            r#"{"containerimage.digest":7}"#,
            r#"{"image.name":"a"}"#,
            r#"{"a":{"containerimage.digest":"sha256:00"}}"#,
            r#"{"containerimage.digest":"sha256:00"#,
            r#"{"a":{},"a":{}}"#,
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
