// SPDX-License-Identifier: Apache-2.0
//! The fix when a service of Sigstore cannot be reached.
//!
//! A build without internet access (a private pool, a perimeter) fails at the first host. The fix names
//! all of them, so that an administrator can allow them at once.

use std::borrow::Cow;

use ambisign_host::{HttpError, HttpReason};
use url::{Position, Url};

/// The domain of the public instance.
const PUBLIC: &str = ".sigstore.dev";
/// The hosts of the public instance. Rekor v2 logs have a new name each year.
const LET_OUT: &str = "let this machine reach tuf-repo-cdn.sigstore.dev, fulcio.sigstore.dev, \
    timestamp.sigstore.dev, rekor.sigstore.dev and *.rekor.sigstore.dev, directly or by \
    `HTTPS_PROXY`, then run again";

/// The fix for a failed request to a service of Sigstore.
pub(crate) fn fix(http: &HttpError) -> Option<Cow<'static, str>> {
    let public = || {
        let url = Url::parse(&http.url).ok()?;
        Some(url.host_str()?.ends_with(PUBLIC))
    };
    if matches!(http.reason, HttpReason::Unreachable { .. }) && public() == Some(true) {
        Some(LET_OUT.into())
    } else {
        http.fix()
    }
}

/// The fix for a failed request to a TUF mirror if nothing but the trusted root is needed: [`fix`] names
/// hosts that only a signer asks.
pub(crate) fn mirror_alone(http: &HttpError) -> Option<String> {
    let HttpReason::Unreachable { .. } = http.reason else {
        return None;
    };
    let url = Url::parse(&http.url).ok()?;
    let host = &url[Position::BeforeHost..Position::AfterPort];
    Some(format!(
        "let this machine reach {host}, directly or by `HTTPS_PROXY`, or give the trusted root as a \
         file with `--trusted-root`"
    ))
}

#[cfg(test)]
mod tests {
    use ambisign_host::{HttpError, HttpReason};
    use reqwest::Method;

    use super::{LET_OUT, fix, mirror_alone};

    fn failed(url: &str, reason: HttpReason) -> HttpError {
        HttpError {
            method: Method::GET,
            url: url.into(),
            tries: 1,
            sent: false,
            proxy: None,
            reason,
        }
    }

    #[test]
    fn only_the_public_instance_is_known() {
        let unreachable = || HttpReason::Unreachable { why: "dns error".to_owned(), sent: false };
        for (url, reason, known) in [
            ("https://tuf-repo-cdn.sigstore.dev/1", unreachable(), true),
            ("https://sigstore.dev.example.com/1", unreachable(), false),
            ("https://fulcio.example.com/1", unreachable(), false),
            ("https://fulcio.sigstore.dev/1", HttpReason::Deadline, false),
        ] {
            let http = failed(url, reason);
            assert_eq!(fix(&http).as_deref() == Some(LET_OUT), known, "{url}");
            assert!(fix(&http).is_some(), "{url}");
        }
    }

    /// Nobody who verifies asks Fulcio, a log or a timestamp authority.
    #[test]
    fn a_verifier_needs_the_mirror_alone() {
        let unreachable = || HttpReason::Unreachable { why: "dns error".to_owned(), sent: false };
        let of = |url| mirror_alone(&failed(url, unreachable())).unwrap();
        let advice = of("https://tuf-repo-cdn.sigstore.dev/1.root.json");
        assert!(advice.contains("reach tuf-repo-cdn.sigstore.dev,"), "{advice}");
        assert!(!advice.contains("fulcio"), "{advice}");
        assert!(of("https://tuf.example.com:8443/1").contains("tuf.example.com:8443"));
        let late = failed("https://tuf.example.com/", HttpReason::Deadline);
        assert_eq!(mirror_alone(&late), None);
    }
}
