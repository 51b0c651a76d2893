// SPDX-License-Identifier: Apache-2.0
//! Loading trust material from files and flags.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::SystemTime;

    use ambisign_host::{Clock, Env, Explain as _, Host, Net, NetOptions};
    use ambisign_sigstore::trust::{Error, RekorVersion, Trust, TrustOptions};
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use url::Url;

    fn vector(name: &str) -> PathBuf {
        let roots = "tests/vectors/roots/production";
        Path::new(env!("CARGO_MANIFEST_DIR")).join(roots).join(name)
    }

    fn root() -> Option<PathBuf> {
        Some(vector("trusted_root.json"))
    }

    fn config() -> Option<PathBuf> {
        Some(vector("signing_config.v0.2.json"))
    }

    fn host() -> Host {
        let now = humantime::parse_rfc3339("2026-11-25T00:00:00Z").unwrap();
        host_at(now)
    }

    fn host_at(now: SystemTime) -> Host {
        let (env, clock) = (Env::default(), Clock::fixed(now));
        let net = Net::new(&env, clock, NetOptions::default());
        let root = "/".into();
        Host { env, net, clock, root }
    }

    async fn load(options: TrustOptions) -> Result<Trust, Error> {
        Trust::load(&host(), &options).await
    }

    fn url(text: &str) -> Option<Url> {
        Some(Url::parse(text).unwrap())
    }

    /// A file with both halves.
    fn both(name: &str) -> PathBuf {
        let read = |path: Option<PathBuf>| -> Value {
            serde_json::from_slice(&fs::read(path.unwrap()).unwrap()).unwrap()
        };
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let both = json!({
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": read(root()), "signingConfig": read(config()),
        });
        fs::write(&path, both.to_string()).unwrap();
        path
    }

    #[tokio::test]
    async fn reads_two_files() {
        let options = TrustOptions {
            trusted_root: root(),
            signing_config: config(),
            ..TrustOptions::default()
        };
        let trust = load(options).await.unwrap();
        let services = trust.services();
        assert_eq!(services.fulcio.url.as_str(), "https://fulcio.sigstore.dev/");
        assert_eq!(services.logs[0].version, 1);
        assert_eq!(services.authorities.len(), 1);
        assert_eq!(trust.root().log_ids().count(), 2);
    }

    #[tokio::test]
    async fn one_file_with_both_is_enough() {
        let file = both("both.json");
        let as_root = TrustOptions { trusted_root: Some(file.clone()), ..TrustOptions::default() };
        let as_config = TrustOptions { signing_config: Some(file), ..TrustOptions::default() };
        for options in [as_root, as_config] {
            assert_eq!(load(options).await.unwrap().services().logs.len(), 1);
        }
    }

    #[tokio::test]
    async fn says_what_is_missing() {
        let none = TrustOptions::default();
        let no_root = TrustOptions { signing_config: config(), ..none.clone() };
        let no_services = TrustOptions { trusted_root: root(), ..none.clone() };
        let no_log = TrustOptions { fulcio_url: url("https://ca.test"), ..no_services.clone() };
        let unreadable = TrustOptions { trusted_root: Some("/nowhere".into()), ..none.clone() };
        for (options, code) in [
            (none, "trust/missing"),
            (no_root, "trust/missing-root"),
            (no_services, "trust/missing-service"),
            (no_log, "trust/missing-service"),
            (unreadable, "trust/read"),
        ] {
            let error = load(options).await.unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.fix().is_some());
        }
    }

    #[tokio::test]
    async fn a_url_replaces_services_of_its_kind_only() {
        let options = TrustOptions {
            trusted_root: root(),
            signing_config: config(),
            rekor_url: url("https://log.test/"),
            rekor_version: RekorVersion::V2,
            ..TrustOptions::default()
        };
        let trust = load(options.clone()).await.unwrap();
        assert_eq!(trust.services().logs[0].url.as_str(), "https://log.test/");
        assert_eq!(trust.services().logs[0].version, 2);
        assert_eq!(trust.services().fulcio.url.as_str(), "https://fulcio.sigstore.dev/");
        assert_eq!(trust.services().authorities.len(), 1);
        let plain = TrustOptions { rekor_url: url("http://log.test/"), ..options };
        assert_eq!(load(plain).await.unwrap_err().code(), "trust/url");
    }

    #[tokio::test]
    async fn rekor_v2_needs_a_timestamp_authority() {
        let options = TrustOptions {
            trusted_root: root(),
            fulcio_url: url("https://ca.test"),
            rekor_url: url("https://log.test"),
            rekor_version: RekorVersion::V2,
            ..TrustOptions::default()
        };
        let error = load(options.clone()).await.unwrap_err();
        assert_eq!(error.code(), "trust/no-timestamp-authority");
        let with = TrustOptions { tsa_url: url("https://tsa.test"), ..options };
        assert!(load(with).await.is_ok());
    }

    #[tokio::test]
    async fn a_root_that_is_over_is_refused() {
        let options = TrustOptions {
            trusted_root: root(),
            signing_config: config(),
            fulcio_url: url("https://ca.test"),
            ..TrustOptions::default()
        };
        let later = humantime::parse_rfc3339("2035-12-01T00:00:00Z").unwrap();
        let error = Trust::load(&host_at(later), &options).await.unwrap_err();
        assert_eq!(error.code(), "trust/insufficient");
    }

    #[tokio::test]
    async fn files_have_limits() {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("long.json");
        for (length, code) in [(256 * 1024, "trust/malformed"), (256 * 1024 + 1, "trust/file-size")]
        {
            fs::write(&path, vec![b' '; length]).unwrap();
            let options = TrustOptions {
                trusted_root: root(),
                signing_config: Some(path.clone()),
                ..TrustOptions::default()
            };
            assert_eq!(load(options).await.unwrap_err().code(), code);
        }
        for (length, code) in [(1 << 20, "trust/malformed"), ((1 << 20) + 1, "trust/file-size")] {
            fs::write(&path, vec![b' '; length]).unwrap();
            let options =
                TrustOptions { trusted_root: Some(path.clone()), ..TrustOptions::default() };
            assert_eq!(load(options).await.unwrap_err().code(), code);
        }
    }

    /// A log that gives every request the same status, and the request it got.
    async fn log(status: &'static str) -> (Url, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/base/", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request[..length].to_vec()).unwrap()
        });
        (Url::parse(&url).unwrap(), served)
    }

    #[tokio::test]
    async fn asks_a_log_for_its_version() {
        for (status, expected) in [
            ("200 OK", Ok(1)),
            ("404 Not Found", Ok(2)),
            ("403 Forbidden", Err("trust/unknown-log")),
        ] {
            let (base, served) = log(status).await;
            let options = TrustOptions {
                trusted_root: root(),
                signing_config: config(),
                rekor_url: Some(base),
                ..TrustOptions::default()
            };
            let found = match load(options).await {
                Ok(trust) => Ok(trust.services().logs[0].version),
                Err(error) => Err(error.code().into_owned()),
            };
            assert_eq!(found.as_ref().map_err(String::as_str), expected.as_ref().map_err(|e| *e));
            let request = served.await.unwrap();
            assert!(request.starts_with("GET /base/api/v1/log HTTP/1.1\r\n"), "{request}");
        }
    }
}
