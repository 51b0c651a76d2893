// SPDX-License-Identifier: Apache-2.0
//! The description of a service: `url=URL,KEY=VALUE,...`, with the keys of `cosign trusted-root
//! create` and `cosign signing-config create`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use ambisign_host::plain_http_allowed;
use url::Url;

use super::error::Error;

/// The keys of every description.
const COMMON: [&str; 4] = ["url", "start-time", "end-time", "operator"];

/// A parsed description.
pub(super) struct Spec {
    flag: &'static str,
    description: String,
    pub(super) url: Url,
    values: BTreeMap<String, String>,
}

impl Spec {
    /// Parses `description`, which may have the common keys and those in `more`.
    pub(super) fn parse(
        flag: &'static str,
        description: &str,
        more: &[&str],
    ) -> Result<Self, Error> {
        let wrong = |why: String| Error::Spec { flag, description: description.to_owned(), why };
        let mut values = BTreeMap::new();
        for pair in description.split(',') {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(wrong(format!("`{pair}` is not of the form KEY=VALUE")));
            };
            let (key, value) = (key.trim(), value.trim());
            if !COMMON.contains(&key) && !more.contains(&key) {
                return Err(wrong(format!("unknown key `{key}`")));
            }
            if value.is_empty() {
                return Err(wrong(format!("`{key}` is empty")));
            }
            if values.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(wrong(format!("`{key}` is repeated")));
            }
        }
        let url = values.get("url").and_then(|url| Url::parse(url).ok());
        let url = url.filter(|url| plain_http_allowed(url) && url.query().is_none());
        let url = url.ok_or_else(|| wrong("`url` is not an https URL".to_owned()))?;
        Ok(Self { flag, description: description.to_owned(), url, values })
    }

    /// The URL without a trailing slash.
    pub(super) fn base(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }

    /// A required path.
    pub(super) fn path(&self, key: &'static str) -> Result<PathBuf, Error> {
        let path = self.values.get(key).map(PathBuf::from);
        path.ok_or_else(|| self.wrong(format!("`{key}` is missing")))
    }

    /// The window in which the service is trusted: as given, or from `start` on.
    pub(super) fn window(
        &self,
        start: SystemTime,
    ) -> Result<(SystemTime, Option<SystemTime>), Error> {
        let start = self.time("start-time")?.unwrap_or(start);
        let end = self.time("end-time")?;
        if end.is_some_and(|end| end < start) {
            return Err(self.wrong("`end-time` is before `start-time`".to_owned()));
        }
        Ok((start, end))
    }

    fn time(&self, key: &str) -> Result<Option<SystemTime>, Error> {
        let wrong =
            |_cause| self.wrong(format!("`{key}` is not a time such as 2026-01-31T00:00:00Z"));
        let text = self.values.get(key);
        let time = text.map(|text| humantime::parse_rfc3339(text)).transpose();
        time.map_err(wrong)
    }

    /// The version of the API; 1 by default.
    pub(super) fn version(&self) -> Result<u32, Error> {
        match self.values.get("api-version").map(String::as_str) {
            None | Some("1") => Ok(1),
            Some("2") if self.flag == "rekor" => Ok(2),
            Some(_) => Err(self.wrong("unknown `api-version`".to_owned())),
        }
    }

    /// The origin line of the log's checkpoints.
    pub(super) fn origin(&self) -> Option<&str> {
        self.values.get("origin").map(String::as_str)
    }

    /// The operator: as given, or the host name.
    pub(super) fn operator(&self) -> &str {
        let named = self.values.get("operator").map(String::as_str);
        named.or_else(|| self.url.host_str()).unwrap_or_default()
    }

    fn wrong(&self, why: String) -> Error {
        Error::Spec { flag: self.flag, description: self.description.clone(), why }
    }
}
