// SPDX-License-Identifier: Apache-2.0
//! What needs Rust alone: no request ends a service, and the registries keep to the distribution
//! spec where cosign does not look.
#![expect(clippy::unwrap_used, reason = "the steps of a test may fail wherever they stand")]

use std::io::{Read, Write};
use std::net::TcpStream;

use ambisign_sandbox::{Lie, Options, Sandbox};

/// The whole answer to one request of HTTP/1.1; `path` may be a URL's or come after `host:port`.
fn ask(address: &str, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    let length = body.len();
    let head =
        format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn start(lies: &[Lie]) -> Sandbox {
    Sandbox::start(Options { lies: lies.to_vec(), ..Options::default() }).unwrap()
}

#[test]
fn rubbish_is_refused_and_stops_nothing() {
    let sandbox = start(&[]);
    let urls = sandbox.urls();
    let tsa = urls.tsa.trim_end_matches("/api/v1/timestamp");
    let truncated = b"\x30\x84\xff\xff\xff\xff\x02\x01\x01";
    let json = br#"{"kind":"dsse","apiVersion":"0.0.1","spec":{"proposedContent":{"envelope":"[]","verifiers":[7]}},
        "certificateSigningRequest":"%","hashedRekordRequestV002":{"digest":"","signature":[]}}"#;
    let rekor_paths =
        ["/api/v1/log/entries", "/api/v1/log/entries/%e9", "/api/v1/log/entries?logIndex=-1"];
    let rekor2_paths =
        ["/api/v2/log/entries", "/api/v2/tile/9999999999/x999/999", "/api/v2/tile/entries/000.p/0"];
    let oidc_paths =
        ["/token", "/computeMetadata/v1/", "/v1/projects/-/serviceAccounts/:generateIdToken"];
    let registry =
        ["/v2/a/blobs/uploads/../x", "/v2/a/manifests/sha256:", "/v2///", "/v2/a/referrers/%ff%00"];
    for (address, paths) in [
        (urls.fulcio.as_str(), &["/api/v2/signingCert", "/x"][..]),
        (&urls.rekor, &rekor_paths),
        (&urls.rekor2, &rekor2_paths),
        (tsa, &["/api/v1/timestamp", "/"]),
        (&urls.oidc, &oidc_paths),
        (&urls.registry, &registry),
        (&urls.registry_login, &registry),
        (&urls.proxy, &["/", "fulcio.sigstore.dev"]),
    ] {
        for path in paths {
            // Who writes more than the proxy reads is cut off, not answered.
            let bodies = if *address == *urls.proxy { 1 } else { 5 };
            for body in
                [&b""[..], b"{", b"null", &truncated[..], &json[..]].into_iter().take(bodies)
            {
                for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
                    let kind =
                        "content-type: application/timestamp-query\r\nauthorization: Bearer a.b.c";
                    let head = format!("{method} {path} HTTP/1.1\r\n{kind}");
                    let answer = status(&ask(address, &head, body));
                    // The token endpoint and the metadata server answer some of these, rightly.
                    let right = (200..500).contains(&answer) || matches!(answer, 501 | 502);
                    assert!(right, "{address} {head} {answer}");
                }
            }
        }
    }
    assert_eq!(status(&ask(&urls.fulcio, "GET /healthz HTTP/1.1", b"")), 200);
}

/// The digest of `{}`.
const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/// One request to the repository `a/b`.
fn call(address: &str, method: &str, rest: &str, body: &[u8]) -> String {
    ask(address, &format!("{method} /v2/a/b/{rest} HTTP/1.1"), body)
}

#[test]
fn blobs_come_in_sessions_at_once_and_from_neighbours() {
    let sandbox = start(&[]);
    let address = &*sandbox.urls().registry_referrers;
    let empty = EMPTY;
    assert_eq!(status(&call(address, "HEAD", &format!("blobs/{empty}"), b"")), 404);
    let session = call(address, "POST", "blobs/uploads/", b"");
    assert_eq!(status(&session), 202);
    let location = header(&session, "location").unwrap();
    let put =
        |body| status(&ask(address, &format!("PUT {location}?digest={empty} HTTP/1.1"), body));
    assert_eq!(put(b"{}"), 201);
    assert_eq!(put(b"{}"), 404, "a session ends with its blob");
    let found = call(address, "HEAD", &format!("blobs/{empty}"), b"");
    assert_eq!((status(&found), header(&found, "content-length")), (200, Some("2")));
    assert_eq!(
        status(&call(address, "POST", &format!("blobs/uploads/?digest={empty}"), b"[]")),
        400
    );
    let mount = format!("POST /v2/c/blobs/uploads/?mount={empty}&from=a/b HTTP/1.1");
    assert_eq!(status(&ask(address, &mount, b"")), 201);
}

#[test]
fn manifests_have_conditions_and_referrers() {
    let sandbox = start(&[]);
    let address = &*sandbox.urls().registry_referrers;
    let empty = EMPTY;
    call(address, "POST", &format!("blobs/uploads/?digest={empty}"), b"{}");
    let subject = format!("sha256:{}", "0".repeat(64));
    let manifest = format!(
        r#"{{"config":{{"mediaType":"t","digest":"{empty}"}},"layers":[],"subject":{{"digest":"{subject}"}},"annotations":{{"k":"v"}}}}"#
    );
    let missing = manifest.replace(empty, &subject);
    assert_eq!(status(&call(address, "PUT", "manifests/1", missing.as_bytes())), 404);
    let stored = call(address, "PUT", "manifests/1", manifest.as_bytes());
    assert_eq!((status(&stored), header(&stored, "oci-subject")), (201, Some(&*subject)));
    let etag = header(&stored, "docker-content-digest").unwrap();
    let conditional = |etag: &str| {
        let head = format!("PUT {} HTTP/1.1\r\nif-match: \"{etag}\"", "/v2/a/b/manifests/1");
        status(&ask(address, &head, manifest.as_bytes()))
    };
    assert_eq!((conditional(empty), conditional(etag)), (412, 201));
    let listed = call(address, "GET", &format!("referrers/{subject}?artifactType=t"), b"");
    assert!(listed.contains(etag) && listed.contains(r#""annotations":{"k":"v"}"#), "{listed}");
    assert!(
        !call(address, "GET", &format!("referrers/{subject}?artifactType=u"), b"").contains(etag)
    );
    assert!(call(address, "GET", "tags/list", b"").contains(r#"["1"]"#));
    assert_eq!(status(&call(address, "DELETE", "manifests/1", b"")), 202);
    assert_eq!(status(&call(address, "GET", "manifests/1", b"")), 404);
}

#[test]
fn a_login_is_asked_for_and_the_journal_knows() {
    let sandbox = start(&[]);
    assert!(sandbox.journal().is_empty());
    let login = ask(&sandbox.urls().registry_login, "GET /v2/a/manifests/1 HTTP/1.1", b"");
    let challenge = header(&login, "www-authenticate").unwrap();
    assert!(challenge.ends_with(r#"service="sandbox",scope="repository:a:pull""#), "{challenge}");
    let last = sandbox.journal().pop().unwrap();
    assert_eq!(
        (last.service, &*last.method, &*last.path, last.status),
        ("registry_login", "GET", "/v2/a/manifests/1", 401)
    );
}
