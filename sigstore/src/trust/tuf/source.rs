// SPDX-License-Identifier: Apache-2.0
//! The mirrors, with the roots to start from.

use std::path::PathBuf;

use ambisign_host::Host;
use ambisign_host::request::same_url;
use url::Url;

use crate::digest::Digest;
use crate::trust::options::Mirror;

const PUBLIC_URL: &str = "https://tuf-repo-cdn.sigstore.dev/";
const STAGING_URL: &str = "https://tuf-repo-cdn.sigstage.dev/";

/// The embedded root of the public instance.
const PRODUCTION: &[u8] = include_bytes!("anchors/production.json");
/// The embedded root of the staging instance.
const STAGING: &[u8] = include_bytes!("anchors/staging.json");

/// A mirror, the root to start from, and the folder of its cache.
#[derive(Clone, Debug)]
pub struct Source {
    /// The base of the metadata.
    pub metadata: Url,
    /// The base of the targets.
    pub targets: Url,
    /// The root to start from: the bytes of a `root.json`.
    pub root: Vec<u8>,
    /// The folder of the cache; without one, nothing is cached.
    pub cache: Option<PathBuf>,
}

impl Source {
    /// The mirror at `url`, with the root to start from. Its targets are in its folder `targets`.
    pub fn new(host: &Host, url: &Url, root: Vec<u8>) -> Self {
        let mut metadata = url.clone();
        // `join` treats the part after the last slash as a file name.
        if let Ok(mut segments) = metadata.path_segments_mut() {
            segments.pop_if_empty().push("");
        }
        Self {
            targets: ambisign_host::request::below(&metadata, "targets/"),
            cache: folder(host, &metadata),
            metadata,
            root,
        }
    }

    /// The public instance.
    ///
    /// # Errors
    /// None: its URL is one.
    pub fn public(host: &Host) -> Result<Self, url::ParseError> {
        Ok(Self::new(host, &Url::parse(PUBLIC_URL)?, PRODUCTION.to_vec()))
    }

    /// The staging instance.
    ///
    /// # Errors
    /// None: its URL is one.
    pub fn staging(host: &Host) -> Result<Self, url::ParseError> {
        Ok(Self::new(host, &Url::parse(STAGING_URL)?, STAGING.to_vec()))
    }
}

/// The instance whose mirror is at `url`, if its root is embedded.
pub fn instance_of(url: &Url) -> Option<Mirror> {
    let is = |text| Url::parse(text).is_ok_and(|known| same_url(&known, url));
    if is(PUBLIC_URL) {
        Some(Mirror::Public)
    } else if is(STAGING_URL) {
        Some(Mirror::Staging)
    } else {
        None
    }
}

/// The cache folder of the mirror at `url`: below `TUF_ROOT`, otherwise below the user's cache folder.
/// `None` without either.
///
/// Another client may use `TUF_ROOT` too, so this program uses a subfolder of its own, with one folder
/// for each mirror.
fn folder(host: &Host, url: &Url) -> Option<PathBuf> {
    let path = |name: &str| host.env.get(name).map(PathBuf::from);
    let base = path("TUF_ROOT")
        .map(|base| base.join("ambisign"))
        // A relative path in `XDG_CACHE_HOME` does not count (XDG Base Directory Specification).
        .or_else(|| {
            let caches = path("XDG_CACHE_HOME").filter(|path| path.is_absolute());
            // A home directory that does not exist is not created.
            let home = || host.home().filter(|home| home.is_dir());
            let caches = caches.or_else(|| Some(home()?.join(".cache")));
            Some(caches?.join("ambisign").join("tuf"))
        })?;
    Some(base.join(name(url)))
}

/// The name of a folder: the host, for people, and a hash of the whole URL.
fn name(url: &Url) -> String {
    let host: String = url.host_str().unwrap_or_default().to_owned();
    let host = host.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-', "_");
    let hash = Digest::of(url.as_str().as_bytes()).hex();
    format!("{host}-{}", hash.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use ambisign_host::{Clock, Env, Host, Net, NetOptions};
    use tough::schema::{Root, Signed};
    use url::Url;

    use super::{PRODUCTION, STAGING, Source, folder, instance_of};
    use crate::digest::Digest;
    use crate::trust::options::Mirror;

    fn host(env: &[(&str, &str)]) -> Host {
        let (env, clock) = (env.iter().copied().collect::<Env>(), Clock::system());
        Host { net: Net::new(&env, clock, NetOptions::default()), env, clock, root: "/".into() }
    }

    #[test]
    fn each_mirror_has_a_folder_of_its_own() {
        let place = |env: &[(&str, &str)], url: &str| {
            let folder = folder(&host(env), &Url::parse(url).unwrap())?;
            Some(folder.to_str().unwrap().to_owned())
        };
        let url = "https://tuf.example.com/";
        let home = ("HOME", "/usr");
        for (env, base) in [
            (&[home][..], "/usr/.cache/ambisign/tuf/"),
            (&[home, ("XDG_CACHE_HOME", "/x")], "/x/ambisign/tuf/"),
            (&[home, ("XDG_CACHE_HOME", "x")], "/usr/.cache/ambisign/tuf/"),
            (&[("XDG_CACHE_HOME", "/x")], "/x/ambisign/tuf/"),
            (&[home, ("TUF_ROOT", "/t"), ("XDG_CACHE_HOME", "/x")], "/t/ambisign/"),
        ] {
            let place = place(env, url).unwrap();
            let name = place.strip_prefix(base).unwrap();
            assert!(name.starts_with("tuf.example.com-") && !name.contains('/'), "{place}");
        }
        assert_eq!(place(&[], url), None);
        assert_eq!(place(&[("HOME", "/no/such/home")], url), None);
        let first = place(&[home], url).unwrap();
        let first = first.rsplit('/').next().unwrap();
        let deeper = "https://tuf.example.com/../../a/%2e%2e/..%2f..%2fetc";
        for other in [deeper, "http://[::1]:8080/", "https://tuf.example.com:8443/"] {
            let place = place(&[home], other).unwrap();
            let name = place.strip_prefix("/usr/.cache/ambisign/tuf/").unwrap();
            assert!(!name.contains(['/', ':', '%']) && !name.starts_with('.'), "{place}");
            assert_ne!(name, first);
        }
    }

    #[test]
    fn an_instance_is_known_by_the_url_of_its_mirror() {
        for (url, instance) in [
            ("https://tuf-repo-cdn.sigstore.dev", Some(Mirror::Public)),
            ("https://tuf-repo-cdn.sigstage.dev/", Some(Mirror::Staging)),
            ("https://tuf.example.com/", None),
        ] {
            assert_eq!(instance_of(&Url::parse(url).unwrap()), instance, "{url}");
        }
    }

    #[test]
    fn a_slash_at_the_end_of_the_mirror_does_not_matter() {
        let source = |url: &str| Source::new(&host(&[]), &Url::parse(url).unwrap(), Vec::new());
        for url in ["https://tuf.example.com/a", "https://tuf.example.com/a/"] {
            let source = source(url);
            assert_eq!(source.metadata.as_str(), "https://tuf.example.com/a/");
            assert_eq!(source.targets.as_str(), "https://tuf.example.com/a/targets/");
        }
        assert_eq!(source("https://tuf.example.com").targets.path(), "/targets/");
    }

    /// The hashes are those of `anchors/README.md`, which says where the files come from.
    #[test]
    fn the_anchors_are_the_ones_that_the_readme_names() {
        let readme = include_str!("anchors/README.md");
        for (bytes, version) in [(PRODUCTION, 16), (STAGING, 15)] {
            let root: Signed<Root> = ambisign_host::json::parse(bytes).unwrap();
            root.signed.verify_role(&root).unwrap();
            assert_eq!(root.signed.version.get(), version);
            assert!(root.signed.consistent_snapshot);
            assert!(readme.contains(&Digest::of(bytes).hex()), "version {version}");
        }
    }
}
