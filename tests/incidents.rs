// SPDX-License-Identifier: Apache-2.0
//! What went wrong in signers and verifiers before, by the id that `INCIDENTS.md` has: what no other
//! test has already.

#[cfg(test)]
mod common;
#[cfg(test)]
#[path = "../fuzz/src/lib.rs"]
pub mod fuzz;

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use ambisign::commands::session::supervise;
    use ambisign::outcome::End;
    use ambisign::outcome::exit::RunError;
    use ambisign_host::{Class, Explain as _};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::common::fault::{At, Fault, FaultProxy, Rule};
    use super::common::{Finished, Program, closed_url};
    use super::fuzz::der::{self, Content, Node};
    use super::fuzz::targets;
    use super::fuzz::vectors::{self, Vector};

    /// `ok` or the code of the error.
    fn judged(vector: &Vector, bundle: &Value) -> String {
        match vector.verify(bundle.to_string().into_bytes()) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.code().into_owned(),
        }
    }

    fn entries(bundle: &mut Value) -> &mut Value {
        &mut bundle["verificationMaterial"]["tlogEntries"]
    }

    /// The body of the only entry.
    fn body(bundle: &mut Value) -> &mut Value {
        &mut entries(bundle)[0]["canonicalizedBody"]
    }

    fn in_body(bundle: &mut Value, change: impl FnOnce(&mut Value)) {
        let body = body(bundle);
        let bytes = STANDARD.decode(body.as_str().unwrap()).unwrap();
        let mut inner = serde_json::from_slice(&bytes).unwrap();
        change(&mut inner);
        *body = STANDARD.encode(inner.to_string()).into();
    }

    /// The body of the only entry, as JSON.
    fn inner(bundle: &Value) -> Value {
        let text = body(&mut bundle.clone()).as_str().unwrap().to_owned();
        serde_json::from_slice(&STANDARD.decode(text).unwrap()).unwrap()
    }

    /// All places of `value`, itself included.
    fn places(value: &Value, pointer: &str) -> Vec<String> {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.replace('/', "~1"), value)).collect()
            }
            Value::Array(items) => (0..).map(|at: u32| at.to_string()).zip(items).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        let below =
            below.into_iter().flat_map(|(name, value)| places(value, &format!("{pointer}/{name}")));
        std::iter::once(pointer.to_owned()).chain(below).collect()
    }

    /// The code of the program, without tests: paths and texts.
    fn sources() -> Vec<(String, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        let mut folders: Vec<_> =
            ["host/src", "providers/src", "registry/src", "sigstore/src", "src"]
                .map(|folder| root.join(folder))
                .into();
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with("tests") || path.ends_with("tests.rs") {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let path = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.push((path.to_owned(), code.to_owned()));
            }
        }
        found.sort();
        found
    }

    /// CVE-2026-22703: a log entry was verified, but not that it is of this artifact, this signature
    /// and this key: any entry that the log has would do.
    #[test]
    fn ghsa_whqx_f9j3_ch6m_an_entry_of_another_artifact() {
        // Of each bundle with the whole entry of the next.
        let all = vectors::all();
        let mut swapped = 0;
        for (one, other) in all.iter().zip(all.iter().skip(1)) {
            if one.artifact == other.artifact {
                continue;
            }
            let mut bundle = one.json.clone();
            *entries(&mut bundle) = entries(&mut other.json.clone()).clone();
            let code = judged(one, &bundle);
            let known = ["rekor/body", "rekor/unknown-log", "rekor/outside-validity"];
            assert!(known.contains(&&*code), "{} {}: {code}", one.name, other.name);
            swapped += usize::from(code == "rekor/body");
        }
        assert!(swapped >= 40, "{swapped} pairs of one log");

        // A part of the entry at a time.
        let own = vectors::named("happy-path-v0.3");
        let other = vectors::named("release-3.12.0");
        for (what, part) in [
            ("digest", "/spec/data"),
            ("signature", "/spec/signature/content"),
            ("certificate", "/spec/signature/publicKey"),
            ("everything", ""),
        ] {
            let theirs = inner(&other.json).pointer(part).unwrap().clone();
            let mut bundle = own.json.clone();
            in_body(&mut bundle, |body| *body.pointer_mut(part).unwrap() = theirs);
            assert_eq!(judged(own, &bundle), "rekor/body", "{what}");
        }
        for (kind, version) in
            [("dsse", "0.0.1"), ("hashedrekord", "0.0.2"), ("intoto", "0.0.2"), ("rekord", "0.0.1")]
        {
            let mut bundle = own.json.clone();
            entries(&mut bundle)[0]["kindVersion"] = json!({"kind": kind, "version": version});
            assert_eq!(judged(own, &bundle), "rekor/body", "{kind} {version}");
            in_body(&mut bundle, |body| {
                body["kind"] = kind.into();
                body["apiVersion"] = version.into();
            });
            assert_eq!(judged(own, &bundle), "rekor/body", "{kind} {version}");
        }
        let ids: Vec<_> = own.root.log_ids().map(|id| STANDARD.encode(id)).collect();
        assert_eq!(ids.len(), 2);
        let codes = ids.iter().map(|id| {
            let mut bundle = own.json.clone();
            entries(&mut bundle)[0]["logId"]["keyId"] = id.as_str().into();
            judged(own, &bundle)
        });
        assert!(codes.eq(["ok", "rekor/checkpoint"]), "another log");
    }

    /// Seven panics of one release: what a log or a signer says was taken apart without looking.
    #[test]
    fn cosign_4648_malformed_bodies() {
        // The hash of an envelope may be in another spelling; but the log has another body then.
        let known = ["rekor/body", "rekor/inclusion", "rekor/malformed"];
        for name in ["happy-path-v0.3", "happy-path-intoto-in-dsse-v3", "rekor2-happy-path"] {
            let vector = vectors::named(name);
            let good = inner(&vector.json);
            let mut bodies = ["", "null", "0", "\"\"", "[]", "{}", "{", "\u{feff}{}"]
                .map(str::to_owned)
                .to_vec();
            for place in places(&good, "") {
                for value in [
                    Value::Null,
                    json!(""),
                    json!(0),
                    json!([]),
                    json!({}),
                    json!([[]]),
                    json!([null]),
                ] {
                    let mut body = good.clone();
                    *body.pointer_mut(&place).unwrap() = value;
                    bodies.push(body.to_string());
                }
            }
            for text in bodies {
                let mut bundle = vector.json.clone();
                *body(&mut bundle) = STANDARD.encode(&text).into();
                let code = judged(vector, &bundle);
                assert!(known.contains(&&*code), "{text}: {code}");
            }
        }
    }

    /// The same for what is in an envelope.
    #[test]
    fn cosign_4649_malformed_payloads() {
        let vector = vectors::named("happy-path-intoto-in-dsse-v3");
        for payload in
            ["", "null", "0", "[]", "{}", "{", r#"{"subject":null}"#, r#"{"subject":[null]}"#]
        {
            let mut bundle = vector.json.clone();
            bundle["dsseEnvelope"]["payload"] = STANDARD.encode(payload).into();
            assert_eq!(judged(vector, &bundle), "rekor/body", "{payload}");
            targets::statement(payload.as_bytes());
        }
        for (member, value, expected) in [
            ("payload", json!(null), "bundle/malformed"),
            ("payload", json!("!"), "bundle/malformed"),
            ("payloadType", json!(null), "bundle/malformed"),
            ("payloadType", json!("text/plain"), "verify/signature"),
            ("signatures", json!(null), "bundle/malformed"),
            ("signatures", json!([]), "bundle/malformed"),
            ("signatures", json!([null]), "bundle/malformed"),
            ("signatures", json!([{}]), "bundle/malformed"),
            ("signatures", json!([{"sig": ""}]), "rekor/body"),
            ("signatures", json!([{"sig": "AA=="}, {"sig": "AA=="}]), "bundle/malformed"),
        ] {
            let mut bundle = vector.json.clone();
            bundle["dsseEnvelope"][member] = value.clone();
            assert_eq!(judged(vector, &bundle), expected, "{member}: {value}");
        }
    }

    /// The response in the first timestamp of a bundle, as a tree.
    fn response(bundle: &Value) -> Vec<Node> {
        let stamps = &bundle["verificationMaterial"]["timestampVerificationData"];
        let text = stamps["rfc3161Timestamps"][0]["signedTimestamp"].as_str();
        der::read(&STANDARD.decode(text.unwrap()).unwrap()).unwrap()
    }

    /// The same bundle with these responses as its timestamps.
    fn stamped(bundle: &Value, responses: &[&[Node]]) -> Value {
        let stamp =
            |nodes: &&[Node]| json!({"signedTimestamp": STANDARD.encode(der::write(nodes))});
        let stamps: Vec<Value> = responses.iter().map(stamp).collect();
        let mut bundle = bundle.clone();
        bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] =
            stamps.into();
        bundle
    }

    /// The values inside of the value at `path`.
    fn inside<'a>(nodes: &'a mut Vec<Node>, path: &[usize]) -> &'a mut Vec<Node> {
        let Some((first, rest)) = path.split_first() else {
            return nodes;
        };
        match &mut nodes[*first].content {
            Content::Nodes(inner) => inside(inner, rest),
            Content::Bytes(_) => panic!("no list"),
        }
    }

    /// In a `TimeStampResp`: the certificates that come with the token, and its one signer.
    const CERTIFICATES: [usize; 5] = [0, 1, 1, 0, 3];
    const SIGNER: [usize; 6] = [0, 1, 1, 0, 4, 0];

    const STAMPED: &str = "rekor2-timestamp-with-embedded-cert";

    /// CVE-2026-39984: a second certificate in the bag was the one whose purpose was looked at, while
    /// another had signed.
    #[test]
    fn ghsa_xm5m_wgh2_rrg3_another_certificate_in_the_bag() {
        let vector = vectors::named(STAMPED);
        let another = vector.certificate();
        let another = der::read(another.der()).unwrap().remove(0);
        let good = response(&vector.json);
        assert_eq!(judged(vector, &stamped(&vector.json, &[&good])), "ok");
        // Beside the right one it changes nothing, wherever it stands: the trusted root decides.
        for first in [false, true] {
            let mut nodes = good.clone();
            let bag = inside(&mut nodes, &CERTIFICATES);
            let at = if first { 0 } else { bag.len() };
            bag.insert(at, another.clone());
            assert_eq!(judged(vector, &stamped(&vector.json, &[&nodes])), "ok", "{first}");
        }
        let mut nodes = good;
        *inside(&mut nodes, &CERTIFICATES) = vec![another];
        let code = judged(vector, &stamped(&vector.json, &[&nodes]));
        assert_eq!(code, "timestamp/untrusted-chain");
    }

    /// A timestamp more than needed either made a good signature bad, or made a bad one good.
    #[test]
    fn sigstore_python_1492_timestamps_beyond_the_needed_one() {
        let vector = vectors::named(STAMPED);
        let good = response(&vector.json);
        // Of somebody whom nobody knows: the serial number that the signer names is another.
        let mut unknown = good.clone();
        let id = inside(&mut unknown, &[&SIGNER[..], &[1]].concat());
        id.last_mut().unwrap().content = Content::Bytes(vec![1]);
        // Of the authority, and wrong.
        let mut broken = good.clone();
        let signature = inside(&mut broken, &SIGNER).last_mut().unwrap();
        let Content::Bytes(bytes) = &mut signature.content else {
            panic!("no signature");
        };
        *bytes.last_mut().unwrap() ^= 1;
        let other = response(&vectors::named("rekor2-happy-path").json);
        let rows: [(&str, &[&[Node]], &str); 8] = [
            ("none", &[], "verify/no-time"),
            ("unknown", &[&unknown], "timestamp/untrusted-chain"),
            ("good, unknown", &[&good, &unknown], "ok"),
            ("unknown, good", &[&unknown, &good], "ok"),
            ("good, broken", &[&good, &broken], "timestamp/signature"),
            ("broken, good", &[&broken, &good], "timestamp/signature"),
            ("good, of something else", &[&good, &other], "timestamp/imprint"),
            ("good, good", &[&good, &good], "bundle/too-many"),
        ];
        for (what, stamps, expected) in rows {
            assert_eq!(judged(vector, &stamped(&vector.json, stamps)), expected, "{what}");
        }
    }

    /// Memory that grew with what a stranger sent. 256 MiB of address space hold the whole program.
    #[test]
    fn ghsa_88jx_383q_w4qc_memory_is_bounded() {
        let limited = |arguments: &[&str]| -> Finished {
            let script = r#"ulimit -v 262144; exec "$@""#;
            let bin = env!("CARGO_BIN_EXE_ambisign");
            let program = Program::new("/bin/sh").args(["-c", script, "sh", bin]);
            program.args(arguments).run()
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = root.join("tests/vectors/roots/production/trusted_root.json");
        let root = root.to_str().unwrap();
        let who = ["--certificate-identity", "x", "--certificate-oidc-issuer", "y"];
        let digest = format!("sha256:{}", "0".repeat(64));
        let blob = |bundle: &str, root: &str| {
            let flags = ["verify-blob", "--bundle", bundle, "--trusted-root", root, &digest];
            limited(&[&flags[..], &who].concat())
        };
        blob("/dev/zero", root).expect(8);
        blob(root, "/dev/zero").expect(4);
        let rules = |path| {
            let nothing = Rule::on("GET", At::Any, Fault::Status(404, &[], ""));
            vec![Rule::on("GET", At::Contains(path), Fault::Endless), nothing]
        };
        for path in ["/manifests/", "/referrers/"] {
            let registry = FaultProxy::start(&closed_url(), rules(path));
            let image = format!("{}/app@{digest}", registry.host());
            let flags = ["verify", "--timeout", "20s", "--trusted-root", root, &image];
            let run = limited(&[&flags[..], &who].concat());
            assert!(registry.seen().iter().any(|seen| seen.rule.is_some()), "{run}");
            assert!(run.stderr.contains("ambisign: code: registry/"), "{run}");
            assert!(!run.stderr.contains("alloc"), "{run}");
        }
        let mirror = FaultProxy::start(&closed_url(), rules("/"));
        let vector = vectors::folder().join("tuf/production/15.root.json");
        let run = limited(&[
            "trust",
            "show",
            "--tuf-mirror",
            &mirror.url(),
            "--tuf-root",
            vector.to_str().unwrap(),
        ]);
        assert!(run.stderr.contains("code: tuf/too-large; exit 5"), "{run}");
    }

    /// CVE-2026-44310: a panic was caught, and the program ended with success.
    #[test]
    fn cve_2026_44310_a_panic_is_no_success() {
        let bug = async {
            let check: Result<(), RunError> = Ok(());
            assert!(check.is_err(), "for a test");
            check
        };
        let end = supervise(Duration::from_secs(9), bug);
        let End::Failed(failure) = end else {
            panic!("{end:?}");
        };
        assert_eq!((&*failure.code, failure.class), ("run/panicked", Class::Bug));
        // No other place of the program goes on after a panic.
        let catching: Vec<_> = sources()
            .into_iter()
            .filter(|(_, code)| code.contains("catch_unwind"))
            .map(|(path, _)| path)
            .collect();
        assert_eq!(catching, ["src/commands/session.rs", "src/main.rs"]);
    }

    /// Where nothing may be dropped: what verifies.
    const VERIFIERS: [&str; 10] = [
        "sigstore/src/bundle/",
        "sigstore/src/certificate/",
        "sigstore/src/fulcio/",
        "sigstore/src/log/",
        "sigstore/src/pki/",
        "sigstore/src/statement/",
        "sigstore/src/timestamp/",
        "sigstore/src/trust/root.rs",
        "sigstore/src/verify/",
        "sigstore/src/witness/",
    ];

    /// CVE-2026-39395: the error of a check was dropped, and the check with it. The compiler warns of a
    /// result that nobody looks at, but not of one with a name that nobody reads.
    #[test]
    fn ghsa_w6c6_c85g_mmv6_no_error_is_dropped() {
        let mut looked = 0;
        for (path, code) in sources() {
            assert!(!code.contains("let _ = "), "{path} drops a value");
            if VERIFIERS.iter().any(|part| path.starts_with(part)) {
                looked += 1;
                assert!(!code.contains("let _"), "{path} drops a value");
                let dropped = |line: &&str| line.ends_with(".ok();") && !line.contains("let ");
                let line = code.lines().map(str::trim).find(dropped);
                assert_eq!(line, None, "{path} drops an error");
            }
        }
        assert!(looked > 20, "{looked} files");
    }

    /// CVE-2026-44309: what was verified was not what was read. JSON that names a member twice, or that is
    /// deep without an end, means different things to different readers: one parser refuses both, and
    /// what reads JSON in another way reads what that one has read.
    #[test]
    fn cve_2026_44309_one_parser_reads_all_json() {
        const PARSER: &str = "host/src/json.rs";
        // It takes nothing from the file, and asks what any other reader would find there.
        const LENIENT: &str = "sigstore/src/lookalike/payload.rs";
        let marks = ["serde_json::from_", "serde_json::Deserializer", "StreamDeserializer"];
        let found: Vec<_> = sources()
            .into_iter()
            .filter(|(_, code)| marks.iter().any(|mark| code.contains(mark)))
            .map(|(path, _)| path)
            .collect();
        assert_eq!(found, [PARSER, LENIENT]);
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"a":1}}]"#, &deep] {
            let read = ambisign_host::json::parse::<Value>(text.as_bytes());
            assert!(read.is_err(), "{text:.30}");
        }
    }

    /// cosign 4917, 3486 and 2283, go-containerregistry 2396, 1632 and 1627: data races. A program
    /// without unsafe code has none.
    #[test]
    fn cosign_4917_no_data_races() {
        let manifest = include_str!("../Cargo.toml");
        assert!(manifest.contains("unsafe_code = \"forbid\""));
        for (path, code) in sources() {
            assert!(!code.contains("unsafe "), "{path}");
        }
    }
}
