// SPDX-License-Identifier: Apache-2.0
//! An OCI registry (distribution spec 1.1) in memory: with the referrers API or without, open or
//! behind a token login.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::World;
use crate::http::{Reply, Request, Service, reply, reply_json, with};
use crate::keys::sha256;
use crate::lie::Lie;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Name and password of the registry that wants a login.
pub(crate) const LOGIN: &str = "sandbox:sandbox-password";

/// How a registry behaves.
#[derive(Clone, Copy)]
pub(crate) struct Flavour {
    /// The name in the journal.
    pub(crate) name: &'static str,
    /// Whether it has the referrers API.
    pub(crate) referrers: bool,
    /// Whether it wants a token, which [`LOGIN`] buys.
    pub(crate) login: bool,
}

/// The registry.
pub(crate) struct Registry {
    flavour: Flavour,
    /// `host:port`.
    address: String,
    /// What tokens are made of.
    secret: [u8; 32],
    state: Mutex<State>,
    world: World,
}

#[derive(Default)]
struct State {
    repositories: BTreeMap<String, Repository>,
    uploads: HashMap<String, Vec<u8>>,
    /// Number of the next upload session.
    count: u64,
}

#[derive(Default)]
struct Repository {
    blobs: HashMap<String, Bytes>,
    /// By the digest under which they were sent.
    manifests: BTreeMap<String, Manifest>,
    tags: BTreeMap<String, String>,
}

#[derive(Clone)]
struct Manifest {
    kind: String,
    bytes: Bytes,
}

impl Registry {
    /// An empty registry at `address`.
    pub(crate) fn new(flavour: Flavour, address: String, world: &World) -> Self {
        let (secret, state) = (world.seed.bytes("registry tokens"), Mutex::default());
        Self {
            flavour,
            address,
            secret,
            state,
            world: world.clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a tiny image there, whatever the lies are, and returns its digest.
    pub(crate) fn push_image(&self, name: &str, tag: &str) -> String {
        // Two blocks of zeros: the end of a tar file that holds nothing.
        let layer = Bytes::from_static(&[0; 1024]);
        let config = json!({"architecture": "amd64", "os": "linux", "author": format!("{name}:{tag}"),
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]}});
        let config = Bytes::from(config.to_string());
        let part = |kind: &str, blob: &Bytes| json!({"mediaType": kind, "size": blob.len(), "digest": digest(blob)});
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": part("application/vnd.oci.image.config.v1+json", &config),
            "layers": [part("application/vnd.oci.image.layer.v1.tar", &layer)]});
        let bytes = Bytes::from(manifest.to_string());
        let digest_of_image = digest(&bytes);
        let mut state = self.state();
        let repository = state.repositories.entry(name.to_owned()).or_default();
        repository
            .blobs
            .extend([config, layer].map(|blob| (digest(&blob), blob)));
        let manifest = Manifest {
            kind: MANIFEST.to_owned(),
            bytes,
        };
        repository
            .manifests
            .insert(digest_of_image.clone(), manifest);
        repository
            .tags
            .insert(tag.to_owned(), digest_of_image.clone());
        digest_of_image
    }

    /// The first layer of everything that names `subject`: the bundles.
    pub(crate) fn attached(&self, name: &str, subject: &str) -> Vec<Vec<u8>> {
        let state = self.state();
        let Some(repository) = state.repositories.get(name) else {
            return Vec::new();
        };
        let manifests = repository.manifests.values().map(Manifest::json);
        let ours =
            manifests.filter(|one| one.pointer("/subject/digest").is_some_and(|d| d == subject));
        ours.filter_map(|one| {
            let layer = one.pointer("/layers/0/digest")?.as_str()?;
            Some(repository.blobs.get(layer)?.to_vec())
        })
        .collect()
    }

    /// None when the request may pass; else the challenge.
    fn challenge(&self, request: &Request, name: &str) -> Option<Reply> {
        let read = matches!(request.method.as_str(), "GET" | "HEAD");
        let action = if read { "pull" } else { "push" };
        let granted = request.bearer().and_then(|token| {
            let (scopes, mark) = token.split_once('.')?;
            let scopes = String::from_utf8(hex::decode(scopes).ok()?).ok()?;
            (mark == self.mark(&scopes)).then_some(scopes)
        });
        let allowed = granted.is_some_and(|scopes| {
            let wanted = format!("repository:{name}:");
            let actions = scopes
                .split(' ')
                .filter_map(|scope| scope.strip_prefix(&wanted));
            name.is_empty()
                || actions
                    .flat_map(|all| all.split(','))
                    .any(|one| one == action)
        });
        if !self.flavour.login || allowed {
            return None;
        }
        let mut header = format!(
            r#"Bearer realm="http://{}/token",service="sandbox""#,
            self.address
        );
        if !name.is_empty() {
            let actions = if read { "pull" } else { "pull,push" };
            header.push_str(&format!(r#",scope="repository:{name}:{actions}""#));
        }
        let reply = failed(401, "UNAUTHORIZED", "authentication required");
        Some(with(reply, "www-authenticate", &header))
    }

    fn mark(&self, scopes: &str) -> String {
        hex::encode(sha256(&[&self.secret, scopes.as_bytes()]))
    }

    /// The token endpoint: all scopes that were asked for go to who knows the password.
    fn token(&self, request: &Request) -> Reply {
        let expected = format!("Basic {}", BASE64_STANDARD.encode(LOGIN));
        if request.header("authorization") != Some(&expected) {
            return failed(401, "UNAUTHORIZED", "wrong name or password");
        }
        let scopes = request.query.iter().filter(|(name, _)| name == "scope");
        let scopes = scopes
            .map(|(_, scope)| scope.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        let token = format!("{}.{}", hex::encode(&scopes), self.mark(&scopes));
        reply_json(
            200,
            &json!({"token": token, "access_token": token, "expires_in": 300}),
        )
    }

    fn upload(&self, request: &Request, name: &str, id: Option<&str>) -> Reply {
        let mut state = self.state();
        match (request.method.as_str(), id) {
            ("POST", None) => self.start(&mut state, request, name),
            ("PATCH", Some(id)) => {
                let Some(upload) = state.uploads.get_mut(id) else {
                    return no_upload();
                };
                upload.extend_from_slice(&request.body);
                let end = upload.len().saturating_sub(1);
                let reply = with(reply(202, "text/plain", ""), "range", &format!("0-{end}"));
                with(reply, "location", &format!("/v2/{name}/blobs/uploads/{id}"))
            }
            ("PUT", Some(id)) => {
                let Some(mut bytes) = state.uploads.remove(id) else {
                    return no_upload();
                };
                bytes.extend_from_slice(&request.body);
                self.keep(
                    &mut state,
                    name,
                    request.query("digest").unwrap_or_default(),
                    bytes,
                )
            }
            ("GET", Some(id)) if state.uploads.contains_key(id) => reply(204, "text/plain", ""),
            ("DELETE", Some(id)) if state.uploads.remove(id).is_some() => {
                reply(204, "text/plain", "")
            }
            (_, Some(_)) => no_upload(),
            (_, None) => failed(405, "UNSUPPORTED", "the operation is unsupported"),
        }
    }

    /// Opens a session, unless the blob comes along or is mounted from a neighbour.
    fn start(&self, state: &mut State, request: &Request, name: &str) -> Reply {
        let neighbour = request
            .query("from")
            .and_then(|from| state.repositories.get(from));
        let mounted = request
            .query("mount")
            .and_then(|digest| Some((digest.to_owned(), neighbour?.blobs.get(digest)?.clone())));
        if let Some((digest, blob)) = mounted {
            state
                .repositories
                .entry(name.to_owned())
                .or_default()
                .blobs
                .insert(digest.clone(), blob);
            return stored(&format!("/v2/{name}/blobs/{digest}"), &digest);
        }
        if let Some(digest) = request.query("digest") {
            return self.keep(state, name, digest, request.body.to_vec());
        }
        state.count += 1;
        let id = format!("upload-{}", state.count);
        state.uploads.insert(id.clone(), Vec::new());
        let reply = with(reply(202, "text/plain", ""), "range", "0-0");
        with(reply, "location", &format!("/v2/{name}/blobs/uploads/{id}"))
    }

    fn keep(&self, state: &mut State, name: &str, asked: &str, bytes: Vec<u8>) -> Reply {
        if digest(&bytes) != asked {
            return failed(
                400,
                "DIGEST_INVALID",
                "provided digest did not match uploaded content",
            );
        }
        let repository = state.repositories.entry(name.to_owned()).or_default();
        repository
            .blobs
            .insert(asked.to_owned(), self.distort(bytes.into()));
        stored(&format!("/v2/{name}/blobs/{asked}"), asked)
    }

    /// What the registry keeps of bytes that a client pushed. JSON stays JSON.
    fn distort(&self, bytes: Bytes) -> Bytes {
        if self.world.tell(Lie::RegistryKeepsOtherBytes) {
            [&bytes, &b"\n"[..]].concat().into()
        } else {
            bytes
        }
    }

    fn blob(&self, request: &Request, name: &str, asked: &str) -> Reply {
        let state = self.state();
        let blob = state
            .repositories
            .get(name)
            .and_then(|repository| repository.blobs.get(asked));
        match (request.method.as_str(), blob) {
            ("GET" | "HEAD", Some(blob)) => with(
                reply(200, "application/octet-stream", blob.clone()),
                "docker-content-digest",
                asked,
            ),
            ("GET" | "HEAD", None) => failed(404, "BLOB_UNKNOWN", "blob unknown to registry"),
            _ => failed(405, "UNSUPPORTED", "the operation is unsupported"),
        }
    }

    fn manifest(&self, request: &Request, name: &str, reference: &str) -> Reply {
        let mut state = self.state();
        let unknown = || failed(404, "MANIFEST_UNKNOWN", "manifest unknown");
        match request.method.as_str() {
            "PUT" => self.put_manifest(&mut state, request, name, reference),
            "GET" | "HEAD" => {
                let Some(repository) = state.repositories.get(name) else {
                    return unknown();
                };
                let digest = repository
                    .tags
                    .get(reference)
                    .map_or(reference, String::as_str);
                let Some(found) = repository.manifests.get(digest) else {
                    return unknown();
                };
                let mut reply = with(
                    reply(200, MANIFEST, found.bytes.clone()),
                    "content-type",
                    &found.kind,
                );
                reply = with(reply, "etag", &format!("\"{digest}\""));
                with(reply, "docker-content-digest", digest)
            }
            "DELETE" => {
                let Some(repository) = state.repositories.get_mut(name) else {
                    return unknown();
                };
                let gone = repository.tags.remove(reference).is_some()
                    | repository.manifests.remove(reference).is_some();
                repository.tags.retain(|_, digest| digest != reference);
                if gone {
                    reply(202, "text/plain", "")
                } else {
                    unknown()
                }
            }
            _ => failed(405, "UNSUPPORTED", "the operation is unsupported"),
        }
    }

    fn put_manifest(
        &self,
        state: &mut State,
        request: &Request,
        name: &str,
        reference: &str,
    ) -> Reply {
        let found = digest(&request.body);
        let repository = state.repositories.entry(name.to_owned()).or_default();
        let Some(document) = request.json().filter(Value::is_object) else {
            return failed(400, "MANIFEST_INVALID", "manifest invalid");
        };
        if reference.contains(':') && reference != found {
            return failed(
                400,
                "DIGEST_INVALID",
                "provided digest did not match uploaded content",
            );
        }
        if let Some(missing) = repository.missing(&document) {
            return failed(
                404,
                "MANIFEST_BLOB_UNKNOWN",
                &format!("{missing} is unknown to registry"),
            );
        }
        let current = repository
            .tags
            .get(reference)
            .map(|digest| format!("\"{digest}\""));
        let expected = request.header("if-match");
        if expected.is_some_and(|expected| current.as_deref() != Some(expected)) {
            return failed(412, "DENIED", "the tag has changed");
        }
        if !self.world.tell(Lie::RegistryKeepsNothing) {
            let kind = request
                .header("content-type")
                .unwrap_or(MANIFEST)
                .to_owned();
            let manifest = Manifest {
                kind,
                bytes: self.distort(request.body.clone()),
            };
            repository.manifests.insert(found.clone(), manifest);
            if reference != found {
                repository.tags.insert(reference.to_owned(), found.clone());
            }
        }
        let reply = stored(&format!("/v2/{name}/manifests/{found}"), &found);
        match document.pointer("/subject/digest").and_then(Value::as_str) {
            Some(subject) if self.flavour.referrers => with(reply, "oci-subject", subject),
            Some(_) | None => reply,
        }
    }

    fn referrers(&self, request: &Request, name: &str, subject: &str) -> Reply {
        if self.world.tell(Lie::ReferrersAnswerHtml) {
            return reply(200, "text/html", "<html><body>Welcome!</body></html>");
        }
        if !self.flavour.referrers {
            return failed(404, "NOT_FOUND", "not found");
        }
        let state = self.state();
        let wanted = request.query("artifactType");
        let all = state
            .repositories
            .get(name)
            .into_iter()
            .flat_map(|one| one.manifests.values());
        let listed = all.filter_map(|manifest| manifest.descriptor(subject));
        let listed: Vec<Value> = listed
            .filter(|one| {
                wanted.is_none_or(|kind| one.get("artifactType").is_some_and(|t| t == kind))
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed});
        let reply = reply(200, INDEX, index.to_string());
        if wanted.is_some() {
            with(reply, "oci-filters-applied", "artifactType")
        } else {
            reply
        }
    }

    fn tags(&self, name: &str) -> Reply {
        match self.state().repositories.get(name) {
            Some(repository) => {
                let tags: Vec<_> = repository.tags.keys().collect();
                reply_json(200, &json!({"name": name, "tags": tags}))
            }
            None => failed(404, "NAME_UNKNOWN", "repository name not known to registry"),
        }
    }
}

impl Service for Registry {
    fn name(&self) -> &'static str {
        self.flavour.name
    }

    fn answer(&self, request: &Request) -> Reply {
        let parts = request.parts();
        let (name, rest) = match parts.as_slice() {
            ["token"] if self.flavour.login => return self.token(request),
            ["v2"] => (String::new(), vec![]),
            ["v2", name @ .., "blobs", "uploads"] => (name.join("/"), vec!["blobs", "uploads"]),
            ["v2", name @ .., "blobs", "uploads", id] => {
                (name.join("/"), vec!["blobs", "uploads", id])
            }
            ["v2", name @ .., what, which] => (name.join("/"), vec![*what, *which]),
            _ => return failed(404, "NOT_FOUND", "not found"),
        };
        if let Some(challenge) = self.challenge(request, &name) {
            return challenge;
        }
        match rest.as_slice() {
            [] => reply_json(200, &json!({})),
            ["blobs", "uploads"] => self.upload(request, &name, None),
            ["blobs", "uploads", id] => self.upload(request, &name, Some(id)),
            ["blobs", digest] => self.blob(request, &name, digest),
            ["manifests", reference] => self.manifest(request, &name, reference),
            ["referrers", subject] => self.referrers(request, &name, subject),
            ["tags", "list"] => self.tags(&name),
            _ => failed(404, "NOT_FOUND", "not found"),
        }
    }
}

impl Repository {
    /// The first thing that a manifest needs and that is not there. A subject may be missing.
    fn missing(&self, manifest: &Value) -> Option<String> {
        let listed = |name: &str| {
            manifest
                .get(name)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        let blobs = manifest.get("config").into_iter().chain(listed("layers"));
        let digest = |part: &Value| Some(part.get("digest")?.as_str()?.to_owned());
        let blobs = blobs
            .filter_map(digest)
            .find(|digest| !self.blobs.contains_key(digest));
        let children = listed("manifests").filter_map(digest);
        blobs.or_else(|| {
            children
                .into_iter()
                .find(|digest| !self.manifests.contains_key(digest))
        })
    }
}

impl Manifest {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// How the referrers API lists it, if it refers to `subject`.
    fn descriptor(&self, subject: &str) -> Option<Value> {
        let document = self.json();
        (document.pointer("/subject/digest")? == subject).then_some(())?;
        let kind = document
            .get("artifactType")
            .or_else(|| document.pointer("/config/mediaType"));
        let mut descriptor = json!({"mediaType": self.kind, "size": self.bytes.len(),
            "digest": digest(&self.bytes), "artifactType": kind});
        if let (Some(annotations), Some(all)) =
            (document.get("annotations"), descriptor.as_object_mut())
        {
            all.insert("annotations".to_owned(), annotations.clone());
        }
        Some(descriptor)
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(sha256(&[bytes])))
}

fn failed(status: u16, code: &str, message: &str) -> Reply {
    reply_json(
        status,
        &json!({"errors": [{"code": code, "message": message, "detail": null}]}),
    )
}

fn no_upload() -> Reply {
    failed(
        404,
        "BLOB_UPLOAD_UNKNOWN",
        "blob upload unknown to registry",
    )
}

fn stored(location: &str, digest: &str) -> Reply {
    with(
        with(reply(201, "text/plain", ""), "location", location),
        "docker-content-digest",
        digest,
    )
}
