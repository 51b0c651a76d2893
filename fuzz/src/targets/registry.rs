// SPDX-License-Identifier: Apache-2.0
//! What registries, container tools and users say.

use std::collections::BTreeSet;

use ambisign::images;
use ambisign_registry::reference::Reference;
use ambisign_sigstore::digest::Digest;
use serde_json::Value;

use super::super::holds::{check_error, short, strict, text};

/// `WWW-Authenticate` and `Link`.
pub fn challenge(bytes: &[u8]) {
    if let Some(realm) = ambisign_registry::fuzzing::realm(bytes) {
        assert!(realm.has_host());
    }
    if let Some(header) = text(bytes)
        && let Some(target) = ambisign_registry::fuzzing::link(header)
    {
        assert!(header.contains(&format!("<{target}>")));
    }
}

/// Configuration files of container tools.
pub fn docker_config(bytes: &[u8]) {
    for host in ["registry.example", "index.docker.io"] {
        if ambisign_registry::fuzzing::credentials(bytes, host, "acme/app").is_ok() {
            strict(bytes);
        }
    }
}

/// What names images: files, metadata of builds, GitHub's list of artifacts.
pub fn image_list(bytes: &[u8]) {
    match images::fuzzing::file(bytes) {
        Ok(names) => assert!(names.iter().all(|name| !name.contains('\n'))),
        Err(error) => check_error(&error),
    }
    match images::fuzzing::artifacts(bytes) {
        Ok(names) => {
            assert!(!names.is_empty());
            strict(bytes);
        }
        Err(error) => check_error(&error),
    }
    if let Some(input) = text(bytes)
        && let Some(built) = images::fuzzing::metadata(input)
    {
        assert!(built.iter().flat_map(|one| &one.names).all(|name| !name.is_empty()));
        strict(bytes);
    }
}

/// Image references: what is shown can be read again, and means the same.
pub fn image_reference(bytes: &[u8]) {
    let Some(input) = text(bytes) else { return };
    let reference = match Reference::parse(input) {
        Ok(reference) => reference,
        Err(error) => return check_error(&error),
    };
    let shown = reference.to_string();
    assert_eq!(Reference::parse(&shown).as_ref(), Ok(&reference), "{shown}");
    let name = reference.repository();
    assert!(name.len() <= 255 && !name.contains("//") && !name.contains(".."));
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/".contains(&b);
    assert!(name.bytes().all(is_name), "{name}");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    assert!(name.split('/').all(|part| part.starts_with(plain) && part.ends_with(plain)));
    let is_tag = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    assert!(reference.tag().is_none_or(|tag| tag.len() <= 128 && tag.bytes().all(is_tag)));
    // The name as it stands is in the input: nothing is repaired.
    assert!(input.contains(name.strip_prefix("library/").unwrap_or(name)));
    if let Some(digest) = reference.digest() {
        assert!(input.ends_with(&digest.to_string()));
    }
}

/// Manifests, indexes, lists of referrers, and answers of token endpoints.
pub fn registry_answer(bytes: &[u8]) {
    for media_type in [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ] {
        match ambisign_registry::fuzzing::manifest(bytes, media_type) {
            Err(error) => check_error(&error),
            Ok((digest, children)) => {
                strict(bytes);
                assert_eq!(digest, Digest::of(bytes));
                assert!(children.len() <= 1000);
            }
        }
    }
    match ambisign_registry::fuzzing::referrers(bytes) {
        Ok(_) => strict(bytes),
        Err(error) => short(&error.to_string()),
    }
    match ambisign_registry::fuzzing::tags(bytes) {
        Ok(_) => strict(bytes),
        Err(error) => short(&error.to_string()),
    }
    match ambisign_registry::fuzzing::attachment(bytes) {
        Ok(_) => strict(bytes),
        Err(error) => short(&error),
    }
    if ambisign_registry::fuzzing::token(bytes).is_ok() {
        strict(bytes);
    }
    merge(bytes);
}

/// Merging keeps entries of other writers, adds no entry twice, and lists the same entries whatever
/// the order of the writers.
fn merge(bytes: &[u8]) {
    let merge = ambisign_registry::fuzzing::merge;
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    let one = match merge(bytes, &[a]) {
        Ok(one) => one,
        Err(error) => return short(&error),
    };
    strict(bytes);
    strict(one.as_bytes());
    assert_eq!(merge(one.as_bytes(), &[a]).as_ref(), Ok(&one));
    let listed = |text: &str| -> Vec<String> {
        let index: Value = serde_json::from_str(text).expect("an index");
        let list = index["manifests"].as_array().cloned().unwrap_or_default();
        list.iter().map(ToString::to_string).collect()
    };
    let before = listed(text(bytes).expect("text"));
    assert!(listed(&one).starts_with(&before));
    let ab = merge(one.as_bytes(), &[b]).expect("an index");
    let ba = merge(&merge(bytes, &[b]).expect("an index").into_bytes(), &[a]).expect("an index");
    let set = |text: &str| listed(text).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(&ab), set(&ba));
}
