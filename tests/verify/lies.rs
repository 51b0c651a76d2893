// SPDX-License-Identifier: Apache-2.0
//! Registries that refuse, fail and lie: whatever they do, nothing is verified that should not be,
//! and a registry that only fails is not taken for one without signatures.

use crate::common::fault::Fault::{self, *};
use crate::common::fault::{At, FaultProxy, Rule, Turn};
use crate::common::{Image, Log, Registry, Stack};
use crate::reader::Reader;

/// What happens to which requests, and how the run ends: its exit code and its code.
type Row = (&'static str, Vec<Rule>, i32, &'static str);

fn on(path: &'static str, fault: Fault) -> Rule {
    Rule::on("GET", At::Contains(path), fault)
}

/// The image's own manifest is asked for first, those of signatures after it.
fn image(fault: Fault) -> Rule {
    on("/manifests/sha256:", fault).turn(Turn::First(1))
}

fn manifest(fault: Fault) -> Rule {
    on("/manifests/sha256:", fault).turn(Turn::After(1))
}

fn referrers(fault: Fault) -> Rule {
    on("/referrers/", fault)
}

fn index(fault: Fault) -> Rule {
    on("/manifests/sha256-", fault)
}

fn blob(fault: Fault) -> Rule {
    on("/blobs/", fault)
}

fn longer(body: &mut Vec<u8>) {
    body.push(b' ');
}

fn status(status: u16) -> Fault {
    Status(status, &[("content-type", "text/html")], "<html>no</html>")
}

fn listed(body: &'static str) -> Fault {
    Status(200, &[("content-type", "application/vnd.oci.image.index.v1+json")], body)
}

/// A page that says that there is another, which is the same.
fn forever() -> Fault {
    let headers = &[
        ("content-type", "application/vnd.oci.image.index.v1+json"),
        ("link", "<?page=next>; rel=\"next\""),
    ];
    Status(200, headers, r#"{"schemaVersion":2,"manifests":[]}"#)
}

#[rustfmt::skip] // One row a line, or the table cannot be read.
fn rows() -> Vec<Row> {
    vec![
        ("no image", vec![image(status(404))], 6, "registry/not-found"),
        ("another image", vec![image(Alter(longer))], 5, "registry/digest-mismatch"),
        ("an image in HTML", vec![image(Html)], 5, "registry/digest-mismatch"),
        ("an image that is refused", vec![image(status(403))], 6, "registry/unauthorized"),
        ("another manifest", vec![manifest(Alter(longer))], 8, "verify/none-acceptable"),
        ("another bundle", vec![blob(Alter(longer))], 8, "verify/none-acceptable"),
        ("no bundle", vec![blob(status(404))], 8, "verify/none-acceptable"),
        ("an endless bundle", vec![blob(Endless)], 8, "verify/none-acceptable"),
        ("an empty bundle", vec![blob(Empty)], 8, "verify/none-acceptable"),
        ("a bundle elsewhere", vec![blob(Redirect("http://169.254.169.254/blob".to_owned()))], 8, "verify/none-acceptable"),
        ("lists without an end", vec![referrers(forever()), index(status(404))], 5, "verify/unfinished"),
        ("endless lists", vec![referrers(Endless), index(status(404))], 5, "registry/too-large"),
        ("HTML for lists", vec![referrers(Html), index(status(404))], 8, "verify/no-signatures"),
        ("JSON of another shape", vec![referrers(listed("[]")), index(status(404))], 5, "registry/index-unreadable"),
        ("HTML under the tags", vec![referrers(status(404)), index(Html)], 5, "registry/index-unreadable"),
        ("empty lists", vec![referrers(listed("{}")), index(status(404))], 8, "verify/no-signatures"),
        ("lists that are refused", vec![referrers(status(403)), index(status(404))], 6, "registry/unauthorized"),
        ("lists that fail", vec![referrers(status(503)), index(status(404))], 75, "registry/unreachable"),
        ("signatures that fail", vec![manifest(status(503))], 75, "registry/unreachable"),
        ("bundles that fail", vec![blob(ResetBefore)], 75, "registry/unreachable"),
    ]
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn nothing_that_a_registry_does_verifies_an_image() {
    let stack = Stack::shared();
    let signed = signed(&stack);
    std::thread::scope(|scope| {
        for row in rows() {
            let (stack, signed) = (&*stack, &signed);
            scope.spawn(move || {
                let (name, rules, exit, code) = row;
                let proxy = FaultProxy::start(&signed.host, rules);
                let run = Reader::ready(stack)
                    .args(["--timeout", "20s"])
                    .image(&signed.through(&proxy.host()))
                    .run();
                let line = format!("ambisign: code: {code}; exit {exit}; nothing was verified");
                assert!(run.stderr.contains(&line), "{name}: no `{line}` in {run}");
                assert!(run.stdout.is_empty(), "{name}: {run}");
                run.expect(exit);
            });
        }
    });
}

/// What is wrong elsewhere does not matter where one signature is acceptable.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn one_good_signature_is_enough() {
    let stack = Stack::shared();
    let signed = signed(&stack);
    for rules in [
        vec![],
        vec![index(Html)],
        vec![index(status(503))],
        vec![index(status(403))],
        vec![index(status(429)).turn(Turn::First(1))],
        vec![blob(ResetBefore).turn(Turn::First(1))],
        vec![blob(status(502)).turn(Turn::First(2))],
    ] {
        let proxy = FaultProxy::start(&signed.host, rules);
        let image = signed.through(&proxy.host());
        Reader::ready(&stack).image(&image).accepted(&[&image.reference()]);
    }
}

/// In a registry with the referrers API.
fn signed(stack: &Stack) -> Image {
    let image = stack.push(Registry::Referrers, "verify/lies", 1);
    let sign = stack.signing("sign", Log::V1);
    sign.arg(image.reference()).run().expect(0);
    image
}
