// SPDX-License-Identifier: Apache-2.0
//! What a build with Docker says of its images: the JSON of `docker buildx --metadata-file`, which
//! docker/build-push-action and docker/bake-action have as their output `metadata`.

use std::collections::BTreeMap;

use ambisign_sigstore::digest::Digest;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What was built for one digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The digest of the image or index.
    pub digest: Digest,
    /// The names under which it was pushed. BuildKit fills them as it likes.
    pub names: Vec<String>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(rename = "containerimage.digest")]
    digest: Option<String>,
    #[serde(rename = "image.name")]
    names: Option<String>,
}

/// Reads the metadata of one build, or of all targets of a bake; `None` for anything else, and when
/// there is no digest in it.
pub(crate) fn read(text: &str) -> Option<Vec<Built>> {
    let one: Target = ambisign_host::json::parse(text.as_bytes()).ok()?;
    if let Some(built) = one.built() {
        return Some(vec![built?]);
    }
    let targets: BTreeMap<String, Box<RawValue>> =
        ambisign_host::json::parse(text.as_bytes()).ok()?;
    let mut all = Vec::new();
    for target in targets.values() {
        // Beside the targets there are warnings and the like, which are of another form.
        let target = ambisign_host::json::parse::<Target>(target.get().as_bytes()).ok();
        if let Some(built) = target.and_then(|target| target.built()) {
            all.push(built?);
        }
    }
    Some(all).filter(|all| !all.is_empty())
}

impl Target {
    /// `None` when nothing was built, `Some(None)` when its digest is none.
    fn built(&self) -> Option<Option<Built>> {
        let digest = self.digest.as_deref()?;
        let names = self.names.as_deref().unwrap_or_default().split(',');
        let names = names.map(str::trim).filter(|name| !name.is_empty());
        Some(Digest::parse(digest).map(|digest| Built {
            digest,
            names: names.map(str::to_owned).collect(),
        }))
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
