// SPDX-License-Identifier: Apache-2.0
//! An OCI registry (distribution spec 1.1) in memory, with or without the referrers API, and with or
//! without a token login.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::Method;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::World;
use crate::http::{Reply, Request, Service, failed, reply, reply_json, with};
use crate::lie::Lie;
use crate::login::Login;
use crate::push;
use crate::store::{MANIFEST, Manifest, State, digest};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// How a registry behaves.
#[derive(Clone, Copy)]
pub(crate) struct Flavour {
    /// The name in the journal.
    pub(crate) name: &'static str,
    /// Whether it has the referrers API.
    pub(crate) referrers: bool,
    /// Whether it wants a token, which [`crate::login::LOGIN`] buys.
    pub(crate) login: bool,
}

/// The registry.
pub(crate) struct Registry {
    flavour: Flavour,
    login: Login,
    state: Mutex<State>,
    world: World,
}

impl Registry {
    /// An empty registry at `address`.
    pub(crate) fn new(flavour: Flavour, address: String, world: &World) -> Self {
        let login = Login::new(address, world);
        Self { flavour, login, state: Mutex::default(), world: world.clone() }
    }

    /// What is there.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
                self.keep(&mut state, name, request.query("digest").unwrap_or_default(), bytes)
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
        let neighbour = request.query("from").and_then(|from| state.repositories.get(from));
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
            return failed(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        let repository = state.repositories.entry(name.to_owned()).or_default();
        repository.blobs.insert(asked.to_owned(), self.distort(bytes.into()));
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
        let blob = state.repositories.get(name).and_then(|repository| repository.blobs.get(asked));
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
                let digest = repository.tags.get(reference).map_or(reference, String::as_str);
                let Some(found) = repository.manifests.get(digest) else {
                    return unknown();
                };
                let mut reply =
                    with(reply(200, MANIFEST, found.bytes.clone()), "content-type", &found.kind);
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
                if gone { reply(202, "text/plain", "") } else { unknown() }
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
            return failed(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        if let Some(missing) = repository.missing(&document) {
            return failed(
                404,
                "MANIFEST_BLOB_UNKNOWN",
                &format!("{missing} is unknown to registry"),
            );
        }
        let current = repository.tags.get(reference).map(|digest| format!("\"{digest}\""));
        let expected = request.header("if-match");
        if expected.is_some_and(|expected| current.as_deref() != Some(expected)) {
            return failed(412, "DENIED", "the tag has changed");
        }
        if !self.world.tell(Lie::RegistryKeepsNothing) {
            let kind = request.header("content-type").unwrap_or(MANIFEST).to_owned();
            let manifest = Manifest { kind, bytes: self.distort(request.body.clone()) };
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
        let all = state.repositories.get(name).into_iter().flat_map(|one| one.manifests.values());
        let listed = all.filter_map(|manifest| manifest.descriptor(subject));
        let listed: Vec<Value> = listed
            .filter(|one| {
                wanted.is_none_or(|kind| one.get("artifactType").is_some_and(|t| t == kind))
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed});
        let reply = reply(200, INDEX, index.to_string());
        if wanted.is_some() { with(reply, "oci-filters-applied", "artifactType") } else { reply }
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
            [push::IMAGES, name @ .., tag] if request.method == Method::POST => {
                let digest = self.state().push_image(&name.join("/"), tag);
                return reply(201, "text/plain", digest);
            }
            ["token"] if self.flavour.login => return self.login.token(request),
            ["v2"] => (String::new(), vec![]),
            ["v2", name @ .., "blobs", "uploads"] => (name.join("/"), vec!["blobs", "uploads"]),
            ["v2", name @ .., "blobs", "uploads", id] => {
                (name.join("/"), vec!["blobs", "uploads", id])
            }
            ["v2", name @ .., what, which] => (name.join("/"), vec![*what, *which]),
            _ => return failed(404, "NOT_FOUND", "not found"),
        };
        if self.flavour.login
            && let Some(challenge) = self.login.challenge(request, &name)
        {
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

fn no_upload() -> Reply {
    failed(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
}

fn stored(location: &str, digest: &str) -> Reply {
    with(with(reply(201, "text/plain", ""), "location", location), "docker-content-digest", digest)
}
