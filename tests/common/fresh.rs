// SPDX-License-Identifier: Apache-2.0
//! Images that nobody has pushed before, made by hand: a program that pushes takes longer than a test.

use sha2::Digest as _;

use super::{Image, Reply, exchange};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Images without layers in a repository of their own, by their digests. The last one has the tag
/// `latest`.
pub(crate) fn fresh_images(host: &str, repository: &str, count: usize) -> Vec<Image> {
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[]}},"author":"{repository}"}}"#
    );
    let session = send(host, ("POST", &format!("/v2/{repository}/blobs/uploads/")), "", "");
    let session = session.header("location").unwrap().to_owned();
    let session = match session.split_once(host) {
        Some((_, path)) => path.to_owned(),
        None => session,
    };
    let digest = sha256(&config);
    let glue = if session.contains('?') { '&' } else { '?' };
    let path = format!("{session}{glue}digest={digest}");
    let stored = send(host, ("PUT", &path), "application/octet-stream", &config);
    assert_eq!(stored.status, 201, "the config");
    let size = config.len();
    let image = |number: usize| {
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{size}}},"layers":[],"annotations":{{"number":"{number}"}}}}"#
        );
        let digest = sha256(&manifest);
        let name = if number == count { "latest" } else { &digest };
        let path = format!("/v2/{repository}/manifests/{name}");
        let stored = send(host, ("PUT", &path), MANIFEST, &manifest);
        assert_eq!(stored.status, 201, "the manifest");
        Image { host: host.to_owned(), repository: repository.to_owned(), digest }
    };
    (1..=count).map(image).collect()
}

/// One request with a body, by hand.
pub(crate) fn send(host: &str, (method, path): (&str, &str), kind: &str, body: &str) -> Reply {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let raw = exchange(host, &request).unwrap();
    Reply::parse(&raw).unwrap()
}

/// The digest of `text`, with the algorithm.
pub(crate) fn sha256(text: &str) -> String {
    format!("sha256:{}", hex::encode(sha2::Sha256::digest(text)))
}
