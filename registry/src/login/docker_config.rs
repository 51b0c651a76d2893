// SPDX-License-Identifier: Apache-2.0
//! The configuration file of container tools: `config.json` of Docker, `auth.json` of Podman.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::login::error::CredentialError;
use crate::reference::canonical_registry;

/// The longest accepted file, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Base64 with or without padding, because tools differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The members that are about credentials.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct File {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

/// A member of `auths`. It is empty if a helper has the secret.
#[derive(Default, Deserialize, ZeroizeOnDrop)]
pub(crate) struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Reads the file at `path`; `None` if it does not exist.
///
/// # Errors
/// It is not a readable file of at most 1 MiB, or not JSON of the right shape.
pub(crate) fn read(path: &Path) -> Result<Option<File>, CredentialError> {
    let unusable = |why: String| CredentialError::File { path: path.to_owned(), why };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unusable(error.to_string())),
    };
    // A pipe or a device could block the run.
    if !metadata.is_file() {
        return Err(unusable("it is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| unusable(error.to_string()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(unusable("it is longer than 1 MiB".to_owned()));
    }
    parse(&bytes, path).map(Some)
}

/// Parses the content of such a file, from `source`.
///
/// # Errors
/// It is not JSON of the right shape.
pub(crate) fn parse(bytes: &[u8], source: &Path) -> Result<File, CredentialError> {
    // The message of the parser may quote a secret, so show only its position.
    ambisign_host::json::parse(bytes).map_err(|error| CredentialError::File {
        path: source.to_owned(),
        why: format!(
            "it is not the JSON of a container tool (line {}, column {})",
            error.line(),
            error.column()
        ),
    })
}

impl File {
    /// The helper for exactly `registry`: its key in the file, and its name.
    pub(crate) fn helper(&self, registry: &str) -> Option<(&str, &str)> {
        self.cred_helpers
            .iter()
            .flatten()
            .find(|(key, name)| !name.is_empty() && host_of(key).as_deref() == Some(registry))
            .map(|(key, name)| (key.as_str(), name.as_str()))
    }

    /// The helper for every registry.
    pub(crate) fn store(&self) -> Option<&str> {
        self.creds_store.as_deref().filter(|name| !name.is_empty())
    }

    /// The entries for `repository` of `registry`, longest path first and the host alone last.
    pub(crate) fn entries(&self, registry: &str, repository: &str) -> Vec<(&str, &Entry)> {
        let mut found: Vec<(usize, &str, &Entry)> = self
            .auths
            .iter()
            .flatten()
            .filter_map(|(key, entry)| {
                let depth = match_depth(key, registry, repository)?;
                Some((depth, key.as_str(), entry.as_ref()?))
            })
            .collect();
        found.sort_by_key(|(depth, ..)| Reverse(*depth));
        found.into_iter().map(|(_, key, entry)| (key, entry)).collect()
    }
}

impl Entry {
    /// User and password; `Some(None)` if the entry has none, `None` if `auth` is malformed.
    pub(crate) fn pair(&self) -> Option<Option<(String, String)>> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(auth) = filled(&self.auth).map(Zeroizing::new) {
            let bytes = Zeroizing::new(BASE64.decode(auth.trim()).ok()?);
            let text = std::str::from_utf8(&bytes).ok()?;
            let (user, password) = text.split_once(':')?;
            // Old versions of Docker pad with NUL.
            let password = password.trim_end_matches('\0');
            return Some(Some((user.to_owned(), password.to_owned())));
        }
        Some(filled(&self.username).zip(filled(&self.password)))
    }

    /// A refresh token for the token endpoint.
    pub(crate) fn identity_token(&self) -> Option<&str> {
        self.identitytoken.as_deref()
    }

    /// A bearer token for the registry.
    pub(crate) fn registry_token(&self) -> Option<&str> {
        self.registrytoken.as_deref()
    }
}

/// How specific `key` is for the repository: 0 for its registry, otherwise the length of the path;
/// `None` if it does not match.
fn match_depth(key: &str, registry: &str, repository: &str) -> Option<usize> {
    if host_of(key).as_deref() == Some(registry) {
        return Some(0);
    }
    let (host, path) = key.split_once('/')?;
    if path.is_empty() || canonical_registry(host) != registry {
        return None;
    }
    let rest = repository.strip_prefix(path)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(path.len())
}

/// The registry of a key that names a whole registry: a host, or a URL without a path or with the path
/// of an API version.
fn host_of(key: &str) -> Option<String> {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let (host, path) = match bare {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => key.split_once('/').unwrap_or((key, "")),
    };
    let whole = matches!(path, "" | "v1" | "v1/" | "v2" | "v2/");
    (whole && !host.is_empty()).then(|| canonical_registry(host))
}

#[cfg(test)]
mod tests {
    use super::{File, match_depth};
    use crate::reference::DOCKER_HUB;

    fn file(json: &str) -> File {
        ambisign_host::json::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn matches_exact_hosts_only() {
        for (key, registry, depth) in [
            ("registry.example", "registry.example", Some(0)),
            ("REGISTRY.example", "registry.example", Some(0)),
            ("https://registry.example", "registry.example", Some(0)),
            ("https://registry.example/", "registry.example", Some(0)),
            ("https://registry.example/v2/", "registry.example", Some(0)),
            ("registry.example/acme", "registry.example", Some(4)),
            ("registry.example/acme/app", "registry.example", Some(8)),
            ("registry.example/acme/ap", "registry.example", None),
            ("registry.example/acme/app/x", "registry.example", None),
            ("https://registry.example/acme", "registry.example", None),
            ("evil-registry.example", "registry.example", None),
            ("registry.example.evil", "registry.example", None),
            ("example", "registry.example", None),
            ("registry.example:443", "registry.example", None),
            ("registry.example", "registry.example:443", None),
            ("https://registry.example@evil/", "registry.example", None),
            ("", "registry.example", None),
            ("https://index.docker.io/v1/", DOCKER_HUB, Some(0)),
            ("docker.io", DOCKER_HUB, Some(0)),
            ("registry-1.docker.io", DOCKER_HUB, Some(0)),
            ("docker.io/acme", DOCKER_HUB, Some(4)),
        ] {
            assert_eq!(match_depth(key, registry, "acme/app"), depth, "{key} {registry}");
        }
    }

    #[test]
    fn takes_the_longest_path_first() {
        let file = file(
            r#"{"auths":{"r.example":{"auth":"YTox"},"r.example/acme/app":{"auth":"Yjoy"},
                "r.example/acme":{},"other.example":{"auth":"Yzoz"}},"HttpHeaders":{"a":"b"}}"#,
        );
        let keys: Vec<&str> =
            file.entries("r.example", "acme/app").into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["r.example/acme/app", "r.example/acme", "r.example"]);
    }

    #[test]
    fn reads_pairs() {
        let file = file(
            r#"{"auths":{"a":{"auth":"dXNlcjpwYTpzcw=="},"b":{"auth":""},"c":{"auth":"!!"},
                "d":{"username":"u","password":"p"},"e":{"auth":"bm9jb2xvbg=="},"f":null}}"#,
        );
        let pair = |host| file.entries(host, "x").first().unwrap().1.pair();
        assert_eq!(pair("a"), Some(Some(("user".into(), "pa:ss".into()))));
        assert_eq!(pair("b"), Some(None));
        assert_eq!(pair("c"), None);
        assert_eq!(pair("d"), Some(Some(("u".into(), "p".into()))));
        assert_eq!(pair("e"), None);
        assert!(file.entries("f", "x").is_empty());
    }

    #[test]
    fn finds_helpers() {
        let file = file(
            r#"{"credHelpers":{"gcr.io":"gcloud","docker.io":"hub","empty.example":""},
                "credsStore":"desktop"}"#,
        );
        assert_eq!(file.helper("gcr.io"), Some(("gcr.io", "gcloud")));
        assert_eq!(file.helper(DOCKER_HUB), Some(("docker.io", "hub")));
        assert_eq!(file.helper("eu.gcr.io"), None);
        assert_eq!(file.helper("empty.example"), None);
        assert_eq!(file.store(), Some("desktop"));
    }
}
