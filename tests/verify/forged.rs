// SPDX-License-Identifier: Apache-2.0
//! Signatures that no honest instance makes (`sandbox/src/forge.rs`): what is said of them here, and by
//! cosign.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ambisign_sandbox::forge::{Content, Forged, Name, Odd, Recipe, forge};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use tempfile::TempDir;

use crate::common::{Program, Stack};
use crate::reader::Reader;

const FILE: &[u8] = b"a file\n";
const ISSUER: &str = "https://issuer.example.test";
const EMAIL: &str = "joe@example.test";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One forgery.
struct Row {
    name: &'static str,
    forged: Forged,
    /// Whom the reader expects.
    identity: &'static str,
    /// The code; nothing if it is accepted.
    refused: Option<&'static str>,
    /// Whether cosign 3 accepts it.
    cosign: Cosign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cosign {
    Accepts,
    Refuses,
}

/// A day ago, so that nothing is in the future.
fn begin() -> SystemTime {
    SystemTime::now() - DAY
}

fn file() -> Content {
    Content::File(FILE.to_vec())
}

/// The name constraints with one subtree: permitted (0) or excluded (1), for e-mail addresses (1) or
/// URIs (6).
fn subtree(list: u8, kind: u8, base: &str) -> Vec<u8> {
    let element = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        assert!(length < 0x80);
        [&[tag, length], content].concat()
    };
    let base = element(0x80 | kind, base.as_bytes());
    element(0x30, &element(0xa0 | list, &element(0x30, &base)))
}

const PERMITTED: u8 = 0;
const EXCLUDED: u8 = 1;
const OF_EMAILS: u8 = 1;
const OF_URIS: u8 = 6;

fn row(
    name: &'static str,
    refused: Option<&'static str>,
    cosign: Cosign,
    change: impl FnOnce(&mut Recipe),
) -> Row {
    let mut recipe = Recipe::new(begin(), file());
    change(&mut recipe);
    let forged = forge(&recipe).unwrap();
    Row { name, forged, identity: EMAIL, refused, cosign }
}

/// The bundle with a part of its JSON changed.
fn bent(
    name: &'static str,
    (refused, cosign): (&'static str, Cosign),
    change: impl FnOnce(&mut Value),
) -> Row {
    let mut row = row(name, Some(refused), cosign, |_| {});
    change(&mut row.forged.bundle);
    row
}

/// A statement about the file, with this digest as its SHA-512.
fn statement(sha512: &str) -> Content {
    let sha256 = hex::encode(Sha256::digest(FILE));
    Content::Statement(json!({"_type": "https://in-toto.io/Statement/v1", "predicateType": "p",
        "subject": [{"name": "a", "digest": {"sha256": sha256, "sha512": sha512}}], "predicate": {}}))
}

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn constrained() -> Vec<Row> {
    use Cosign::{Accepts, Refuses};
    const CHAIN: Option<&str> = Some("fulcio/untrusted-chain");
    let uri = || Name::Uri("https://ci.acme.test/job".to_owned());
    let other = || subtree(PERMITTED, OF_EMAILS, "other.test");
    vec![
        row("no constraints", None, Accepts, |_| {}),
        row("satisfied and critical", None, Accepts, |it| it.constraints[0] = Some((true, subtree(PERMITTED, OF_EMAILS, "example.test")))),
        row("of another kind of name", None, Accepts, |it| it.constraints[0] = Some((true, subtree(PERMITTED, OF_URIS, "other.test")))),
        row("violated and critical", CHAIN, Refuses, |it| it.constraints[0] = Some((true, other()))),
        row("violated and not critical", CHAIN, Refuses, |it| it.constraints[0] = Some((false, other()))),
        row("excluded", CHAIN, Refuses, |it| it.constraints[0] = Some((false, subtree(EXCLUDED, OF_EMAILS, "example.test")))),
        row("violated, of the root", CHAIN, Refuses, |it| it.constraints[1] = Some((false, other()))),
        row("satisfied, of the root", None, Accepts, |it| it.constraints[1] = Some((true, subtree(PERMITTED, OF_EMAILS, "example.test")))),
        Row { identity: "https://ci.acme.test/job", ..row("a URI", None, Accepts, |it| {
            it.name = uri();
            it.constraints[0] = Some((true, subtree(PERMITTED, OF_URIS, "ci.acme.test")));
        }) },
        // RFC 5280 4.2.1.10 takes it for the host alone, programs in Go for the hosts below it as well.
        Row { identity: "https://ci.acme.test/job", ..row("a host below", CHAIN, Accepts, |it| {
            it.name = uri();
            it.constraints[0] = Some((true, subtree(PERMITTED, OF_URIS, "acme.test")));
        }) },
        Row { identity: "https://ci.acme.test/job", ..row("an excluded host below", CHAIN, Refuses, |it| {
            it.name = uri();
            it.constraints[0] = Some((false, subtree(EXCLUDED, OF_URIS, "acme.test")));
        }) },
    ]
}

/// Timestamps by the right key that say something else about it (RFC 3161 2.4.2).
fn stamped() -> Vec<Row> {
    let odd = |name, refused, odd| {
        row(name, refused, Cosign::Accepts, |it: &mut Recipe| it.odd_stamp = odd)
    };
    let chain = Some("timestamp/untrusted-chain");
    let malformed = Some("timestamp/malformed");
    vec![
        odd("nothing odd", None, Odd::Nothing),
        odd("the digest of another certificate", chain, Odd::CertificateId),
        odd("the digest of no certificate", malformed, Odd::NoCertificateId),
        odd("the name of another authority", chain, Odd::Name),
    ]
}

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn others() -> Vec<Row> {
    use Cosign::{Accepts, Refuses};
    const SCT: Option<&str> = Some("fulcio/sct");
    const PROFILE: Option<&str> = Some("fulcio/profile");
    let other = || Some("https://other.example.test".to_owned());
    let (right, wrong) = (hex::encode(Sha512::digest(FILE)), hex::encode(Sha512::digest(b"other")));
    let since = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let twice = |bundle: &mut Value, part: &str, change: &dyn Fn(&mut Value)| {
        let list = bundle["verificationMaterial"].pointer_mut(part).unwrap();
        let mut again = list[0].clone();
        change(&mut again);
        list.as_array_mut().unwrap().push(again);
    };
    vec![
        row("an SCT of 2021 by a retired log", SCT, Accepts, |it| {
            (it.promised, it.ct_end) = (since(1_625_000_000), Some(since(1_650_000_000)));
        }),
        row("an SCT of 2021 by a log in use", SCT, Accepts, |it| it.promised = since(1_625_000_000)),
        row("an SCT of a minute before", None, Accepts, |it| it.promised = it.begin - Duration::from_secs(60)),
        row("an SCT of before", SCT, Accepts, |it| it.promised = it.begin - Duration::from_secs(61)),
        row("an SCT of after the signature", SCT, Accepts, |it| it.promised = it.begin + Duration::from_secs(500)),
        row("issuers that differ", PROFILE, Accepts, |it| it.issuers[0] = other()),
        row("the older issuer alone", None, Accepts, |it| it.issuers[1] = None),
        row("an address in a URI", PROFILE, Accepts, |it| it.name = Name::Uri(EMAIL.to_owned())),
        row("an address as a user name", PROFILE, Accepts, |it| it.name = Name::User(EMAIL.to_owned())),
        row("a right SHA-512", None, Accepts, |it| it.content = statement(&right)),
        row("a wrong SHA-512", Some("verify/statement"), Refuses, |it| it.content = statement(&wrong)),
        row("a malformed SHA-512", Some("verify/statement"), Refuses, |it| it.content = statement("00")),
        row("a certificate of five years", Some("fulcio/lifetime"), Accepts, |it| it.life = DAY * 5 * 365),
        row("a certificate of seven days", None, Accepts, |it| it.life = DAY * 7),
        row("a log entry of 30 days ahead", Some("verify/future"), Accepts, |it| {
            (it.life, it.logged) = (DAY * 60, it.begin + DAY * 31);
        }),
        row("a signature of 30 days ahead", Some("verify/future"), Accepts, |it| {
            let begin = it.begin + DAY * 31;
            *it = Recipe::new(begin, file());
        }),
        row("no promise of the log", None, Accepts, |it| (it.is_promised, it.indices) = (false, vec![77])),
        row("one leaf under two indices", Some("bundle/too-many"), Accepts, |it| {
            (it.is_promised, it.indices) = (false, vec![77, 78]);
        }),
        bent("one timestamp twice", ("bundle/too-many", Accepts), |bundle| {
            twice(bundle, "/timestampVerificationData/rfc3161Timestamps", &|_| {});
        }),
        bent("one timestamp in two frames", ("bundle/too-many", Accepts), |bundle| {
            twice(bundle, "/timestampVerificationData/rfc3161Timestamps", &|again| {
                let mut der = STANDARD.decode(again["signedTimestamp"].as_str().unwrap()).unwrap();
                // The version of SignedData, before its digest algorithms, is not signed.
                let at = der.windows(4).position(|bytes| bytes == [2, 1, 3, 0x31]).unwrap();
                der[at + 2] = 1;
                again["signedTimestamp"] = STANDARD.encode(der).into();
            });
        }),
        bent("an array for an object", ("bundle/malformed", Refuses), |bundle| {
            let certificate = &mut bundle["verificationMaterial"]["certificate"];
            *certificate = json!([certificate["rawBytes"]]);
        }),
        bent("an array for the whole", ("bundle/malformed", Refuses), |bundle| {
            let members = ["mediaType", "verificationMaterial", "messageSignature"];
            *bundle = members.map(|name| bundle[name].clone()).to_vec().into();
        }),
    ]
}

/// The files of a row, in a folder of their own.
fn written(row: &Row, folder: &Path) -> [PathBuf; 3] {
    let folder = folder.join(row.name.replace(' ', "-"));
    std::fs::create_dir(&folder).unwrap();
    let paths = ["bundle.json", "root.json", "file"].map(|name| folder.join(name));
    let [bundle, root, file] = &paths;
    std::fs::write(bundle, row.forged.bundle.to_string()).unwrap();
    std::fs::write(root, row.forged.trusted_root.to_string()).unwrap();
    std::fs::write(file, FILE).unwrap();
    paths
}

fn reader([bundle, root, file]: &[PathBuf; 3], identity: &str) -> Reader {
    Reader::of("verify-blob")
        .args([Path::new("--bundle"), bundle, Path::new("--trusted-root"), root])
        .signed_by(ISSUER, identity)
        .args([file])
}

fn judged(rows: Vec<Row>) {
    let folder = TempDir::new().unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let files = written(&row, folder.path());
        let predicate = row.forged.bundle.get("dsseEnvelope").map(|_| ["--predicate-type", "p"]);
        let run = reader(&files, row.identity).args(predicate.into_iter().flatten()).run();
        let is_right = match row.refused {
            None => run.code == Some(0),
            Some(code) => {
                let line = format!("ambisign: code: {code}; exit 8; nothing was verified");
                run.stderr.contains(&line)
            }
        };
        if !is_right {
            wrong.push(format!("{}: not {:?}: {run}", row.name, row.refused));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn name_constraints_are_evaluated_whether_critical_or_not() {
    judged(constrained());
}

#[test]
fn names_its_certificate_and_authority() {
    judged(stamped());
}

#[test]
fn contradictions_and_times_that_do_not_meet_are_refused() {
    judged(others());
}

/// The log signs the index of an entry of Rekor v1 with its promise alone. Without one, the number of the
/// leaf in its tree is what is proven.
#[test]
fn an_index_that_nobody_signed_is_not_told() {
    let folder = TempDir::new().unwrap();
    let document = |row: Row| {
        let files = written(&row, folder.path());
        let told = reader(&files, row.identity).run().expect(0).stderr;
        let document = reader(&files, row.identity).document(0);
        (told, document["artifacts"][0]["signatures"][0]["log"][0].clone())
    };
    let (told, entry) = document(row("with", None, Cosign::Accepts, |_| {}));
    assert!(told.contains("Rekor v1 index 1001,"), "{told}");
    assert_eq!((&entry["index"], &entry["tree_index"]), (&json!(1001), &json!(1)));
    let (told, entry) = document(row("without", None, Cosign::Accepts, |it| {
        (it.is_promised, it.indices) = (false, vec![77]);
    }));
    assert!(told.contains("Rekor v1 leaf 1 of its tree (the index is not signed),"), "{told}");
    assert_eq!((&entry["index"], &entry["tree_index"]), (&Value::Null, &json!(1)));
}

/// What the tables and `tests/INCIDENTS.md` say of cosign is what it does.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn cosign_judges_the_forgeries_as_the_tables_say() {
    let stack = Stack::shared();
    let folder = TempDir::new().unwrap();
    let mut wrong = Vec::new();
    for row in constrained().into_iter().chain(others()).chain(stamped()) {
        let [bundle, root, file] = written(&row, folder.path());
        let run = Program::new(format!("{}/cosign", stack.var("REALSTACK_BIN")))
            .args(["verify-blob", "--certificate-identity", row.identity])
            .args(["--certificate-oidc-issuer", ISSUER])
            .args([Path::new("--bundle"), &bundle, Path::new("--trusted-root"), &root, &file])
            .run();
        let found = if run.code == Some(0) { Cosign::Accepts } else { Cosign::Refuses };
        if found != row.cosign {
            wrong.push(format!("{}: {found:?} {run}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
