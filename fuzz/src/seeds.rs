// SPDX-License-Identifier: Apache-2.0
//! Seed inputs: the parts of `tests/vectors`, and answers of services.

use ambisign_sigstore::dsse;
use ambisign_sigstore::log::{LogEntry, merkle};
use serde_json::{Value, json};

use super::vectors;

/// Inputs for the target with this name.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let texts =
        |texts: &[&str]| -> Vec<_> { texts.iter().map(|text| text.as_bytes().to_vec()).collect() };
    match target {
        "bundle" => bundles(),
        "certificate" => certificates(),
        "challenge" => texts(CHALLENGES),
        "docker_config" => texts(DOCKER_CONFIGS),
        "fulcio_answer" => fulcio_answers(),
        "image_list" => texts(IMAGE_LISTS),
        "image_reference" => texts(REFERENCES),
        "legacy_signature" => legacy_signatures(),
        "log_entry" => log_entries(),
        "lookalike" => lookalikes(),
        "merkle" => (0_u8..8).map(choices).collect(),
        "mutated_bundle" => (0_u8..64).map(choices).collect(),
        "note" => checkpoints(),
        "provider_answer" => provider_answers(),
        "registry_answer" => texts(REGISTRY_ANSWERS),
        "signing_config" => {
            files(&["signing_config.v0.2.json", "signing_config_rekor_v2.v0.2.json"])
        }
        "statement" => statements(),
        "timestamp" => timestamps(),
        "token" => tokens(),
        "trusted_root" => trusted_roots(),
        "tuf_metadata" => {
            let roots = [TUF_PRODUCTION, TUF_STAGING].map(<[u8]>::to_vec);
            roots.into_iter().chain(texts(TUF)).collect()
        }
        other => panic!("no seeds for {other}"),
    }
}

/// The embedded root of the public instance.
pub const TUF_PRODUCTION: &[u8] =
    include_bytes!("../../sigstore/src/trust/tuf/anchors/production.json");
/// The embedded root of the staging instance.
pub const TUF_STAGING: &[u8] = include_bytes!("../../sigstore/src/trust/tuf/anchors/staging.json");

/// Metadata in the form of the public instance's, without signatures.
const TUF: &[&str] = &[
    r#"{"signatures":[{"keyid":"00","sig":"00"}],"signed":{"_type":"timestamp","spec_version":"1.0","version":7,"expires":"2027-01-01T00:00:00Z","meta":{"snapshot.json":{"version":7,"length":10,"hashes":{"sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}}}}}"#,
    r#"{"signatures":[],"signed":{"_type":"snapshot","spec_version":"1.0","version":7,"expires":"2027-01-01T00:00:00Z","meta":{"targets.json":{"version":7},"npm.example.org.json":{"version":5}}}}"#,
    r#"{"signatures":[],"signed":{"_type":"targets","spec_version":"1.0","version":7,"expires":"2027-01-01T00:00:00Z","targets":{"trusted_root.json":{"length":2,"hashes":{"sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"custom":{"sigstore":{"status":"Active"}}}},"delegations":{"keys":{},"roles":[{"name":"npm.example.org","keyids":[],"threshold":1,"terminating":true,"paths":["npm.example.org/*"]},{"name":"x","keyids":[],"threshold":1,"terminating":false,"path_hash_prefixes":["00"]}]}}}"#,
];

const CHALLENGES: &[&str] = &[
    r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="insufficient_scope""#,
    r#"Basic realm="x, y""#,
    r#"Basic realm="x", Bearer realm="https://a/t""#,
    r#"Bearer service="a\"b",realm="https://a/t?x=1""#,
    r#"BEARER REALM=https://a/t , service = s"#,
    r#"Negotiate abc==, Basic realm=x"#,
    r#"</v2/a?n=1&last=b>; rel="next""#,
    r#"<x>; rel="prev", <y>; title=a; rel=next"#,
];

const DOCKER_CONFIGS: &[&str] = &[
    r#"{"auths":{"registry.example":{"auth":"dXNlcjpwYXNz"},"https://index.docker.io/v1/":{"auth":"YTpi"}}}"#,
    r#"{"auths":{"registry.example/acme":{"username":"u","password":"p"},"x":null},"HttpHeaders":{"a":"b"}}"#,
    r#"{"auths":{"registry.example":{"identitytoken":"t","auth":"AAAA"},"y":{"registrytoken":"r"}}}"#,
    r#"{"credHelpers":{"registry.example":"gcloud"},"credsStore":"desktop"}"#,
    "{}",
];

const IMAGE_LISTS: &[&str] = &[
    "# pushed\r\nghcr.io/acme/app:1@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a # x\n",
    r#"{"schema":"urn:ambisign:result:v1","images":[{"requested":["a"],"repository":"b.io/a","digest":null}]}"#,
    r#"{"version":1,"subjects":[{"name":"ghcr.io/acme/app","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","kind":"oci"}]}"#,
    r#"{"containerimage.digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","image.name":"a.io/b:1,c.io/d"}"#,
    r#"{"buildx.build.warnings":[],"app":{"containerimage.digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}}"#,
];

const REFERENCES: &[&str] = &[
    "alpine",
    "docker.io/library/alpine:3.20",
    "ghcr.io/acme/app@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "ghcr.io/acme/app:v1@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "127.0.0.1:5000/a/b__c-d--e.f/g:T_1",
    "[::1]:5000/app:x",
    "localhost/app",
];

const REGISTRY_ANSWERS: &[&str] = &[
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"size":1}]}"#,
    r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{},"layers":[]}"#,
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"annotations":{"a":"b"}}]}"#,
    r#"{"schemaVersion":2,"manifests":null,"annotations":{"x":"y"}}"#,
    r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[]}"#,
    r#"{"token":"t","access_token":"t","expires_in":300}"#,
];

fn bundles() -> Vec<Vec<u8>> {
    let cases = vectors::index();
    let paths = cases.iter().filter_map(|case| case["bundle"].as_str());
    paths.map(vectors::read).collect()
}

fn certificates() -> Vec<Vec<u8>> {
    let all = vectors::all().iter();
    let mut found: Vec<_> = all.map(|vector| vector.certificate().der().to_vec()).collect();
    for vector in vectors::all() {
        let chains = vector.root.authorities().iter().flat_map(|found| found.chain());
        found.extend(chains.map(|certificate| certificate.der().to_vec()));
    }
    found.sort();
    found.dedup();
    found
}

fn fulcio_answers() -> Vec<Vec<u8>> {
    let pem = vectors::named("happy-path-v0.3").certificate().pem();
    let pem = pem.expect("PEM");
    let chain = json!({"chain": {"certificates": [pem, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"]}});
    let answers = [
        json!({"signedCertificateEmbeddedSct": chain}),
        json!({"signedCertificateDetachedSct": chain}),
        json!({"code": 3, "message": "The signature supplied in the request could not be verified", "details": []}),
        json!({"issuers": [{"issuerUrl": "https://token.actions.githubusercontent.com", "audience": "sigstore"},
            {"wildcardIssuerUrl": "https://*.example", "audience": "x"}]}),
        json!({"chains": [{"certificates": chain["chain"]["certificates"]}]}),
        json!({"signedTreeHead": "log.example - 1\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u{2014} log.example AAAAAAA=\n", "treeSize": 1}),
    ];
    answers.iter().map(|answer| answer.to_string().into_bytes()).collect()
}

fn log_entries() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for vector in vectors::all() {
        let wires = vector.json.pointer("/verificationMaterial/tlogEntries");
        for (wire, entry) in
            wires.and_then(Value::as_array).into_iter().flatten().zip(vector.bundle.entries())
        {
            found.push(wire.to_string().into_bytes());
            if entry.has_promise() && entry.proof().is_some() {
                found.push(answer_of_v1(wire, entry).to_string().into_bytes());
            }
        }
    }
    found
}

fn legacy_signatures() -> Vec<Vec<u8>> {
    let vector = vectors::named("happy-path-v0.3");
    let wire = vector.json.pointer("/verificationMaterial/tlogEntries/0");
    let (wire, entry) = (wire.expect("an entry"), &vector.bundle.entries()[0]);
    let kept = json!({
        "SignedEntryTimestamp": wire["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": wire["canonicalizedBody"], "integratedTime": 1, "logIndex": entry.index(),
            "logID": hex(entry.log_id()),
        },
    });
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": "registry.example/app"},
            "image": {"docker-manifest-digest": vector.artifact.to_string()},
            "type": "cosign container image signature",
        },
        "optional": {"env": "prod"},
    });
    let stamp = json!({"SignedRFC3161Timestamp": "MAMCAQA="});
    let annotations = json!({
        "dev.cosignproject.cosign/signature": "MAYCAQECAQI=",
        "dev.sigstore.cosign/certificate": vector.certificate().pem().expect("PEM"),
        "dev.sigstore.cosign/bundle": kept.to_string(),
        "dev.sigstore.cosign/rfc3161timestamp": stamp.to_string(),
    });
    let layer = json!({"payload": payload.to_string(), "annotations": annotations});
    let found = [layer, kept, payload];
    found.iter().map(|json| json.to_string().into_bytes()).collect()
}

fn lookalikes() -> Vec<Vec<u8>> {
    let payload = legacy_signatures().pop().expect("a payload");
    let statement = statements().into_iter().next().expect("a statement");
    let encoded = dsse::pae(dsse::IN_TOTO, &statement);
    vec![payload, encoded, statement, b"1\x1e0\x18\x06\x09".to_vec(), b"a file\n".to_vec()]
}

fn answer_of_v1(wire: &Value, entry: &LogEntry) -> Value {
    let proof = entry.proof().expect("a proof");
    let id = format!("{:016x}{}", 7, hex(&merkle::leaf_hash(entry.body())));
    json!({id: {
        "body": wire["canonicalizedBody"],
        "integratedTime": wire["integratedTime"],
        "logID": hex(entry.log_id()),
        "logIndex": entry.index(),
        "verification": {
            "inclusionProof": {
                "checkpoint": proof.checkpoint,
                "hashes": proof.hashes.iter().map(hex).collect::<Vec<_>>(),
                "logIndex": proof.index,
                "rootHash": hex(&proof.root),
                "treeSize": proof.size,
            },
            "signedEntryTimestamp": wire["inclusionPromise"]["signedEntryTimestamp"],
        },
    }})
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn choices(start: u8) -> Vec<u8> {
    (0_u8..48).map(|n| start.wrapping_mul(37).wrapping_add(n.wrapping_mul(start | 1))).collect()
}

fn checkpoints() -> Vec<Vec<u8>> {
    let entries = vectors::all().iter().flat_map(|vector| vector.bundle.entries());
    let proofs = entries.filter_map(LogEntry::proof);
    proofs.map(|proof| proof.checkpoint.clone().into_bytes()).collect()
}

fn provider_answers() -> Vec<Vec<u8>> {
    let names = ["value", "access_token", "id_token", "token"];
    let token = tokens().pop().and_then(|token| String::from_utf8(token).ok());
    let answer = |name: &str| json!({name: token, "expires_in": 3600, "count": 7}).to_string();
    let refusal = json!({"error": {"code": 403, "details": [{"reason": "SERVICE_DISABLED"}]}});
    let answers = names.into_iter().map(answer).chain([refusal.to_string()]);
    answers.map(String::into_bytes).collect()
}

fn files(names: &[&str]) -> Vec<Vec<u8>> {
    let folders = ["roots/production", "roots/staging"].into_iter();
    folders
        .flat_map(|folder| names.iter().map(move |name| vectors::read(&format!("{folder}/{name}"))))
        .collect()
}

fn trusted_roots() -> Vec<Vec<u8>> {
    let mut found = files(&["trusted_root.json"]);
    let cases = vectors::index();
    let paths = cases.iter().filter_map(|case| case["trusted_root"].as_str());
    found.extend(paths.filter(|path| path.ends_with(".json")).map(vectors::read));
    found.sort();
    found.dedup();
    found
}

fn statements() -> Vec<Vec<u8>> {
    use ambisign_sigstore::content::Content;

    let contents = vectors::all().iter().map(|vector| vector.bundle.content());
    let payloads = contents.filter_map(|content| match content {
        Content::Envelope(envelope) => Some(envelope.payload.clone()),
        Content::Message { .. } => None,
    });
    payloads.collect()
}

fn timestamps() -> Vec<Vec<u8>> {
    let all = vectors::all().iter().flat_map(|vector| vector.bundle.timestamps());
    all.cloned().collect()
}

fn tokens() -> Vec<Vec<u8>> {
    let claims = json!({
        "iss": "https://token.actions.githubusercontent.com", "aud": "sigstore",
        "sub": "repo:acme/app:ref:refs/heads/main", "exp": 1_795_000_300, "iat": 1_795_000_000, "nbf": 1_794_999_000,
        "job_workflow_ref": "acme/app/.github/workflows/release.yml@refs/heads/main", "job_workflow_sha": "0", "sha": "0",
        "event_name": "push", "repository": "acme/app", "workflow": "release", "ref": "refs/heads/main",
        "runner_environment": "github-hosted", "repository_id": "1", "repository_owner": "acme",
        "repository_owner_id": "2", "repository_visibility": "private", "workflow_ref": "x", "workflow_sha": "0",
        "run_id": "3", "run_attempt": "1"});
    let google = json!({"iss": "https://accounts.google.com", "aud": ["sigstore"], "sub": "1", "email": "a@b.example",
        "email_verified": true, "exp": 1_795_000_300.5, "iat": 1_795_000_000});
    let raw = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoic2lnc3RvcmUiLCJzdWIiOiJhIiwiZXhwIjoxNzk1MDAwMzAwfQ.c2ln";
    let marked = |claims: &Value| [&[0], claims.to_string().as_bytes()].concat();
    vec![marked(&claims), marked(&google), raw.as_bytes().to_vec()]
}
