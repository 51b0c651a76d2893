// SPDX-License-Identifier: Apache-2.0
//! `verify-blob`: files alone, no service.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::Program;
use crate::reader::Reader;

const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const DIGEST: &str = "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf";
const BUNDLE: &str = "bundle-verify/happy-path-v0.3/bundle.sigstore.json";
const STATEMENT: &str = "bundle-verify/happy-path-intoto-in-dsse-v3/bundle.sigstore.json";
const KEYED: &str = "bundle-verify/managed-key-happy-path/bundle.sigstore.json";
const KEY: &str = "bundle-verify/managed-key-happy-path/key.pub";

fn vector(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/vectors").join(path)
}

/// With the trusted root of the public instance.
fn blob(bundle: impl AsRef<Path>) -> Reader {
    Reader::of("verify-blob")
        .args(["--trusted-root".into(), vector("roots/production/trusted_root.json")])
        .args([Path::new("--bundle"), bundle.as_ref()])
}

/// Signed by the beacon.
fn beacon(bundle: &str) -> Reader {
    blob(vector(bundle)).signed_by(ISSUER, IDENTITY)
}

fn artifact() -> PathBuf {
    vector("bundle-verify/a.txt")
}

#[test]
fn a_file_or_its_digest_is_enough() {
    for bundle in [BUNDLE, STATEMENT] {
        beacon(bundle).args([artifact()]).accepted(&[DIGEST]);
        beacon(bundle).args([DIGEST]).accepted(&[DIGEST]);
    }
    let run = blob(vector(KEYED)).args(["--key".into(), vector(KEY), artifact()]);
    let run = run.accepted(&[DIGEST]);
    assert!(
        run.stderr
            .contains("#1 accepted  the given key, Rekor v1 index 771488337, 2025-12-18T17:04:39Z"),
        "{run}"
    );
}

#[test]
fn the_bundle_may_lie_beside_the_file_and_the_file_come_by_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    std::fs::copy(artifact(), &file).unwrap();
    let root = vector("roots/production/trusted_root.json");
    let reader = || {
        let reader = Reader::of("verify-blob").signed_by(ISSUER, IDENTITY);
        reader.args([Path::new("--trusted-root"), &root])
    };
    reader().args([&file]).refused(2, "verify/read");
    let bundle = folder.path().join("a.txt.sigstore.json");
    std::fs::copy(vector(BUNDLE), &bundle).unwrap();
    reader().args([&file]).accepted(&[DIGEST]);
    let piped = |reader: Reader| reader.map(|program| program.stdin(std::fs::read(&file).unwrap()));
    piped(reader().args([Path::new("--bundle"), &bundle]).args(["-"])).accepted(&[DIGEST]);
    piped(reader().args(["-"])).refused(2, "settings/incomplete");
}

/// Issue 16: a file that somebody planted decided what `verify-blob sha256:...` verifies.
#[test]
fn a_planted_file_with_the_name_of_a_digest_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(DIGEST), "other").unwrap();
    let verify = |artifact: &str| {
        let reader = beacon(BUNDLE).args([artifact]);
        reader.map(|program| program.dir(folder.path()))
    };
    verify(DIGEST).accepted(&[DIGEST]);
    verify(&format!("./{DIGEST}")).refused(8, "verify/artifact");
}

/// Nothing comes through these pipes, and nobody waits for it beyond the end of the run.
#[test]
fn a_pipe_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    Program::new("/usr/bin/mkfifo").arg(&pipe).run().expect(0);
    let (pipe, bundle) = (pipe.as_path(), vector(BUNDLE));
    let root = vector("roots/production/trusted_root.json");
    let run = |root: &Path, bundle: &Path, artifact: &Path| {
        let reader = Reader::of("verify-blob").args([Path::new("--trusted-root"), root]);
        reader.args([Path::new("--bundle"), bundle, artifact]).args(["--timeout", "200ms"])
    };
    let by_name = |reader: Reader| reader.signed_by(ISSUER, IDENTITY);
    for reader in [
        by_name(run(&root, &bundle, pipe)),
        by_name(run(&root, pipe, &artifact())),
        by_name(run(pipe, &bundle, &artifact())),
        run(&root, &bundle, &artifact()).args([Path::new("--key"), pipe]),
    ] {
        reader.refused(75, "run/deadline");
    }
}

#[test]
fn the_document_says_who_signed_and_when() {
    let document = beacon(BUNDLE).args([artifact()]).document(0);
    assert_eq!(document["schema"], "urn:ambisign:verification:v1");
    assert_eq!(document["status"], "ok");
    let found = &document["artifacts"][0];
    assert_eq!(found["digest"], DIGEST);
    assert_eq!(found["status"], "verified");
    let signature = &found["signatures"][0];
    assert_eq!(signature["identity"], IDENTITY);
    assert_eq!(signature["issuer"], ISSUER);
    assert_eq!(signature["log"][0]["version"], 1);
    assert_eq!(signature["error"], Value::Null);

    let document = beacon(BUNDLE).args(["/dev/null"]).document(8);
    assert_eq!(document["status"], "failed");
    let found = &document["artifacts"][0];
    assert_eq!(found["status"], "failed");
    assert_eq!(found["error"]["code"], "verify/artifact");
    assert_eq!(found["error"]["class"], "rejected");
    assert_eq!(found["signatures"][0]["status"], "rejected");
    assert_eq!(found["signatures"][0]["identity"], Value::Null);
}

#[test]
fn identities_may_be_expressions() {
    let by = |identity: &str, issuer: &str| {
        let args = [
            "--certificate-identity-regexp",
            identity,
            "--certificate-oidc-issuer-regexp",
            issuer,
            DIGEST,
        ];
        blob(vector(BUNDLE)).args(args)
    };
    let start = "https://github.com/sigstore-conformance/";
    by(&format!("^{start}.*@refs/heads/main$"), "https://.*").accepted(&[DIGEST]);
    let run = by(start, ".*").refused(8, "verify/identity");
    assert!(
        run.stderr.contains("ambisign: fix: let the expression begin and end with `.*`"),
        "{run}"
    );
    assert!(!run.stderr.contains("must  "), "{run}");
    let run = by(".*@refs/heads/other", ".*").refused(8, "verify/identity");
    assert!(!run.stderr.contains("begin and end with"), "{run}");
    by(".*", "https://accounts.*").refused(8, "verify/issuer");
}

#[test]
fn workflow_claims_are_compared() {
    let claims = [
        ("trigger", "workflow_dispatch"),
        ("name", "Extremely dangerous OIDC beacon"),
        ("repository", "sigstore-conformance/extremely-dangerous-public-oidc-beacon"),
        ("ref", "refs/heads/main"),
    ];
    let flags = |change: &str| -> Vec<String> {
        let flag = |(name, value): &(&str, &str)| {
            let more = if *name == change { "x" } else { "" };
            format!("--certificate-github-workflow-{name}={value}{more}")
        };
        claims.iter().map(flag).collect()
    };
    beacon(BUNDLE).args(flags("")).args([DIGEST]).accepted(&[DIGEST]);
    for (name, _) in claims {
        beacon(BUNDLE).args(flags(name)).args([DIGEST]).refused(8, "verify/claim");
    }
    let sha = "--certificate-github-workflow-sha=0000000000000000000000000000000000000000";
    beacon(BUNDLE).args([sha, DIGEST]).refused(8, "verify/claim");
}

/// Issue 16: only the five old extensions could be asked for.
#[test]
fn every_claim_of_fulcio_can_be_required() {
    const WORKFLOW: &str = "sigstore-conformance/extremely-dangerous-public-oidc-beacon/\
                            .github/workflows/extremely-dangerous-oidc-beacon.yml";
    const REPOSITORY: &str = "sigstore-conformance/extremely-dangerous-public-oidc-beacon";
    let workflow_at_main = format!("{WORKFLOW}@refs/heads/main");
    for (flag, right, wrong) in [
        ("repo", REPOSITORY, "sigstore-conformance/other"),
        ("owner", "sigstore-conformance", "sigstore"),
        ("signer-repo", REPOSITORY, "sigstore-conformance/extremely"),
        ("signer-workflow", WORKFLOW, "acme/app/.github/workflows/x.yml"),
        ("signer-workflow", &workflow_at_main, "acme/app/.github/workflows/x.yml@refs/heads/main"),
        ("source-ref", "refs/heads/main", "refs/heads/mai"),
        ("certificate-claim", "build-trigger=workflow_dispatch", "build-trigger=push"),
        ("certificate-claim", "source-repository-owner-identifier=131804563", "token-subject=x"),
        (
            "certificate-claim",
            "source-repository-visibility-at-signing=public",
            "run-invocation-uri=x",
        ),
    ] {
        let with =
            |value: &str| beacon(BUNDLE).args([format!("--{flag}={value}").as_str(), DIGEST]);
        with(right).accepted(&[DIGEST]);
        with(wrong).refused(8, "verify/claim");
    }
    beacon(BUNDLE).args(["--deny-self-hosted-runners", DIGEST]).accepted(&[DIGEST]);
    for flag in ["--source-digest", "--signer-digest"] {
        beacon(BUNDLE).args([flag, &"0".repeat(40), DIGEST]).refused(8, "verify/claim");
    }
    let unknown = beacon(BUNDLE).args(["--certificate-claim=runner=x", DIGEST]);
    unknown.refused(2, "settings/value");
}

/// Issue 16: nothing let a verifier ask for more than one log entry.
#[test]
fn more_evidence_can_be_required() {
    let with = |flags: &[&str]| beacon(BUNDLE).args(flags).args([DIGEST]);
    with(&["--min-log-entries=1", "--min-timestamps=0"]).accepted(&[DIGEST]);
    with(&["--min-log-entries=2"]).refused(8, "verify/too-few-entries");
    with(&["--min-timestamps=1"]).refused(8, "verify/too-few-timestamps");
    with(&["--min-log-entries=0"]).refused(2, "settings/value");
}

/// Issue 16: a policy had no defaults of its own, so a verifier that forgot a flag asked for less.
#[test]
fn a_policy_is_narrowed_by_flags_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.json");
    let write = |change: &dyn Fn(&mut Value)| {
        let mut policy = json!({
            "certificate-identity-regexp": "https://github.com/sigstore-conformance/.*@refs/heads/main",
            "certificate-oidc-issuer": ISSUER,
            "certificate-claim": {"source-repository-owner-identifier": "131804563"},
        });
        change(&mut policy);
        std::fs::write(&file, policy.to_string()).unwrap();
    };
    let with = |flags: &[&str]| {
        let reader = blob(vector(BUNDLE)).args([Path::new("--policy"), &file]);
        reader.args(flags).args([DIGEST])
    };
    write(&|_| {});
    with(&[]).accepted(&[DIGEST]);
    with(&["--certificate-identity", IDENTITY, "--min-log-entries=1"]).accepted(&[DIGEST]);
    with(&["--min-timestamps=1"]).refused(8, "verify/too-few-timestamps");
    with(&["--repo=acme/app"]).refused(8, "verify/claim");
    let other = IDENTITY.replace("/main", "/other");
    with(&["--certificate-identity", &other]).refused(2, "settings/wider");
    with(&["--certificate-identity-regexp=.*"]).refused(2, "settings/wider");
    with(&["--certificate-oidc-issuer-regexp=.*"]).refused(2, "settings/wider");
    let key = vector(KEY);
    with(&["--key", key.to_str().unwrap()]).refused(2, "settings/conflict");

    // What flags cannot take back.
    write(&|policy| policy["min-log-entries"] = 2.into());
    with(&[]).refused(8, "verify/too-few-entries");
    with(&["--min-log-entries=1"]).refused(2, "settings/wider");
    write(&|policy| policy["min-timestamps"] = 1.into());
    with(&["--min-timestamps=0"]).refused(2, "settings/wider");
    write(&|policy| policy["predicate-type"] = json!(["https://example.test/a"]));
    with(&[]).refused(8, "verify/predicate-type");
    with(&["--predicate-type=https://example.test/b"]).refused(2, "settings/wider");
    write(&|policy| policy["annotations"] = json!({"env": "prod"}));
    with(&[]).refused(8, "verify/annotation");
    write(&|policy| policy["certificate-claim"]["runner-environment"] = "self-hosted".into());
    with(&[]).refused(8, "verify/claim");
    write(&|policy| policy["format"] = "bundle".into());
    with(&[]).accepted(&[DIGEST]);
    let images = |format: &str| {
        let reader = Reader::of("verify").args([Path::new("--policy"), &file]);
        reader.args(["--format", format, "registry.example/app"])
    };
    images("any").refused(2, "settings/wider");
    images("legacy").refused(2, "settings/wider");

    // A requirement that would not be read.
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 8] = [
        ("settings/policy", |policy| policy["min-logentries"] = 2.into()),
        ("settings/policy", |policy| policy["min-log-entries"] = "2".into()),
        ("settings/policy", |policy| *policy = json!([policy])),
        ("settings/value", |policy| policy["min-log-entries"] = 0.into()),
        ("settings/value", |policy| policy["certificate-claim"] = json!({"owner": "acme"})),
        ("settings/value", |policy| policy["format"] = "new".into()),
        ("settings/empty", |policy| policy["certificate-oidc-issuer"] = "".into()),
        ("settings/conflict", |policy| policy["certificate-identity"] = IDENTITY.into()),
    ];
    for (code, change) in changes {
        write(&change);
        with(&[]).refused(2, code);
    }
    std::fs::remove_file(&file).unwrap();
    with(&[]).refused(2, "settings/policy");
    // Nothing comes through a pipe before the run has a deadline.
    Program::new("/usr/bin/mkfifo").arg(&file).run().expect(0);
    with(&[]).refused(2, "settings/policy");
}

/// Whatever is wrong: the exit code and the code, and never 0.
#[test]
fn everything_else_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let garbage = file("garbage", b"<html>");
    let empty = file("empty", b"");
    let huge = file("huge", &vec![b' '; 16 * 1024 * 1024 + 1]);
    let good = std::fs::read_to_string(vector(BUNDLE)).unwrap();
    let bent = |name: &str, member: &str| {
        let bent = good.replacen('{', &format!("{{{member},"), 1);
        file(name, bent.as_bytes())
    };
    let twice = bent("twice", r#""mediaType":"application/json""#);
    let (open, close) = ("[".repeat(1000), "]".repeat(1000));
    let deep = bent("deep", &format!(r#""x":{open}{close}"#));
    let missing = folder.path().join("missing");
    let signed = |bundle: &Path| blob(bundle).signed_by(ISSUER, IDENTITY).args([DIGEST]);
    let keyed = |key: PathBuf| blob(vector(KEYED)).args(["--key".into(), key]).args([DIGEST]);
    let zero = format!("sha256:{}", "0".repeat(64));
    let staging = vector("roots/staging/trusted_root.json");
    let rooted = |root: &Path| {
        let reader = Reader::of("verify-blob").signed_by(ISSUER, IDENTITY);
        let reader = reader.args(["--bundle".into(), vector(BUNDLE)]);
        reader.args([Path::new("--trusted-root"), root]).args([DIGEST])
    };
    let rows: Vec<(Reader, i32, &str)> = vec![
        (blob(vector(BUNDLE)).signed_by(ISSUER, "x").args([DIGEST]), 8, "verify/identity"),
        (blob(vector(BUNDLE)).signed_by("x", IDENTITY).args([DIGEST]), 8, "verify/issuer"),
        (beacon(BUNDLE).args([&zero]), 8, "verify/artifact"),
        (beacon(STATEMENT).args([&zero]), 8, "verify/artifact"),
        (beacon(STATEMENT).args(["--predicate-type", "x", DIGEST]), 8, "verify/predicate-type"),
        (beacon(BUNDLE).args(["--predicate-type", "x", DIGEST]), 8, "verify/predicate-type"),
        (beacon(KEYED).args([DIGEST]), 8, "verify/key-signed"),
        (keyed(vector("own/other.pub")), 8, "verify/key"),
        (
            blob(vector(BUNDLE)).args(["--key".into(), vector(KEY)]).args([DIGEST]),
            8,
            "verify/certificate-signed",
        ),
        (rooted(&staging), 8, "rekor/unknown-log"),
        (signed(&garbage), 8, "bundle/malformed"),
        (signed(&empty), 8, "bundle/malformed"),
        (signed(&twice), 8, "bundle/malformed"),
        (signed(&deep), 8, "bundle/malformed"),
        (signed(&huge), 8, "bundle/too-many"),
        (signed(Path::new("/dev/zero")), 8, "bundle/too-many"),
        (signed(&missing), 2, "verify/read"),
        (signed(folder.path()), 2, "verify/read"),
        (beacon(BUNDLE).args([&missing]), 2, "verify/read"),
        (beacon(BUNDLE).args(["sha256:00"]), 2, "verify/read"),
        (keyed(missing.clone()), 2, "verify/read"),
        (keyed(garbage.clone()), 2, "verify/key-file"),
        (rooted(&missing), 4, "trust/read"),
        (rooted(&garbage), 4, "trust/malformed"),
        (blob(vector(BUNDLE)).args([DIGEST]), 2, "settings/no-signer"),
        (
            blob(vector(BUNDLE)).args(["--certificate-identity", "x", DIGEST]),
            2,
            "settings/incomplete",
        ),
        (beacon(BUNDLE).args(["--key".into(), vector(KEY)]).args([DIGEST]), 2, "settings/conflict"),
        (
            beacon(BUNDLE).args(["--certificate-identity-regexp", ".*", DIGEST]),
            2,
            "settings/conflict",
        ),
        (
            blob(vector(BUNDLE)).args(["--certificate-identity-regexp", "(", DIGEST]),
            2,
            "settings/value",
        ),
        (blob(vector(BUNDLE)).signed_by(ISSUER, "").args([DIGEST]), 2, "settings/empty"),
    ];
    for (reader, exit, code) in rows {
        reader.refused(exit, code);
    }
}

/// A variable of the environment may not say who is accepted.
#[test]
fn the_environment_accepts_nobody() {
    let run = blob(vector(BUNDLE)).args([DIGEST]).map(|program| {
        program
            .env("AMBISIGN_CERTIFICATE_IDENTITY", IDENTITY)
            .env("AMBISIGN_CERTIFICATE_OIDC_ISSUER", ISSUER)
    });
    run.refused(2, "settings/no-signer");
    let root = vector("roots/production/trusted_root.json");
    let with = |flags: &[&str]| {
        let reader = Reader::of("verify-blob").signed_by(ISSUER, IDENTITY);
        let reader = reader.args(["--bundle".into(), vector(BUNDLE)]).args(flags).args([DIGEST]);
        reader.map(|program| program.env("AMBISIGN_TRUSTED_ROOT", &root))
    };
    with(&[]).accepted(&[DIGEST]);
    with(&["--public-instance"]).refused(2, "settings/decides");
}

/// The protocol of the field's conformance suite.
#[test]
fn the_conformance_client_speaks_its_protocol() {
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/client");
    let run = |args: &[&str]| {
        let client = Program::new(&client).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        client.env("AMBISIGN", env!("CARGO_BIN_EXE_ambisign")).args(args).run().code
    };
    let (bundle, keyed, key) = (vector(BUNDLE), vector(KEYED), vector(KEY));
    let root = vector("roots/production/trusted_root.json");
    let [bundle, keyed, key, root] =
        [&bundle, &keyed, &key, &root].map(|path| path.to_str().unwrap());
    let verify = |identity: &str| {
        run(&[
            "verify-bundle",
            "--bundle",
            bundle,
            "--certificate-identity",
            identity,
            "--certificate-oidc-issuer",
            ISSUER,
            "--trusted-root",
            root,
            DIGEST,
        ])
    };
    assert_eq!(verify(IDENTITY), Some(0));
    assert_eq!(verify("x"), Some(8));
    let verify =
        run(&["verify-bundle", "--bundle", keyed, "--key", key, "--trusted-root", root, DIGEST]);
    assert_eq!(verify, Some(0));
    assert_eq!(run(&["sign-everything"]), Some(2));
    assert_eq!(run(&["sign-bundle", "--bundle", "x", root]), Some(3));
}
