// SPDX-License-Identifier: Apache-2.0
//! Signatures that no honest instance makes (`sandbox/src/forge.rs`): what is said of them here, and by
//! cosign.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ambisign_sandbox::forge::{Content, Forged, Name, Recipe, forge};
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
    for row in rows {
        let files = written(&row, folder.path());
        let run = reader(&files, row.identity).run();
        match row.refused {
            None => assert_eq!(run.code, Some(0), "{}: {run}", row.name),
            Some(code) => {
                let line = format!("ambisign: code: {code}; exit 8; nothing was verified");
                assert!(run.stderr.contains(&line), "{}: no `{line}` in {run}", row.name);
            }
        }
    }
}

#[test]
fn name_constraints_are_evaluated_whether_critical_or_not() {
    judged(constrained());
}

/// What the tables and `tests/INCIDENTS.md` say of cosign is what it does.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn cosign_judges_the_forgeries_as_the_tables_say() {
    let stack = Stack::shared();
    let folder = TempDir::new().unwrap();
    let mut wrong = Vec::new();
    for row in constrained() {
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
