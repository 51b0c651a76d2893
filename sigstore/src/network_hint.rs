// SPDX-License-Identifier: Apache-2.0
//! The fix when a service of Sigstore cannot be reached.
//!
//! A build without internet access (a private pool, a perimeter) fails at the first host. The fix names
//! all of them, so that an administrator can allow them at once.

use std::borrow::Cow;

use ambisign_host::{HttpError, HttpReason};
use url::Url;

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

#[cfg(test)]
mod tests {
    use ambisign_host::{HttpError, HttpReason};
    use reqwest::Method;

    use super::{LET_OUT, fix};

    #[test]
    fn only_the_public_instance_is_known() {
        let unreachable = || HttpReason::Unreachable {
            why: "dns error".to_owned(),
            sent: false,
        };
        for (url, reason, known) in [
            ("https://tuf-repo-cdn.sigstore.dev/1", unreachable(), true),
            ("https://sigstore.dev.example.com/1", unreachable(), false),
            ("https://fulcio.example.com/1", unreachable(), false),
            ("https://fulcio.sigstore.dev/1", HttpReason::Deadline, false),
        ] {
            let http = HttpError {
                method: Method::GET,
                url: url.into(),
                tries: 1,
                sent: false,
                proxy: None,
                reason,
            };
            assert_eq!(fix(&http).as_deref() == Some(LET_OUT), known, "{url}");
            assert!(fix(&http).is_some(), "{url}");
        }
    }
}
