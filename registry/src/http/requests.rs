// SPDX-License-Identifier: Apache-2.0
//! The requests that reading and writing share.

use ambisign_sigstore::digest::Digest;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::call::{Call, Elsewhere};
use super::connection::Connection;
use crate::limits::{REGISTRY_READ, REGISTRY_WRITE};

/// The media types that can be signed, as an `Accept` header.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

impl Connection<'_> {
    /// A request to `path` below the repository.
    pub(crate) fn call(&self, method: Method, path: &str, elsewhere: Elsewhere) -> Call {
        let is_read = matches!(method, Method::GET | Method::HEAD);
        Call {
            url: self.url(path),
            headers: HeaderMap::new(),
            body: None,
            hop: if is_read { REGISTRY_READ } else { REGISTRY_WRITE },
            method,
            elsewhere,
        }
    }

    /// A request to read the manifest or index `name`, a tag or a digest. A digest proves content from
    /// another host; a tag does not.
    pub(crate) fn read_manifest(&self, method: Method, name: &str) -> Call {
        let elsewhere =
            if Digest::parse(name).is_some() { Elsewhere::FollowDigest } else { Elsewhere::Refuse };
        let mut call = self.call(method, &format!("manifests/{name}"), elsewhere);
        let accept = HeaderValue::from_static(MANIFESTS);
        call.headers.insert(ACCEPT, accept);
        call
    }

    /// A request to write `bytes` as `name`, a tag or a digest.
    pub(crate) fn write_manifest(
        &self,
        name: &str,
        media_type: &'static str,
        bytes: &[u8],
    ) -> Call {
        let mut call = self.call(Method::PUT, &format!("manifests/{name}"), Elsewhere::Refuse);
        let media_type = HeaderValue::from_static(media_type);
        call.headers.insert(CONTENT_TYPE, media_type);
        call.body = Some(bytes.to_vec());
        call
    }
}
