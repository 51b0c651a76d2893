// SPDX-License-Identifier: Apache-2.0
//! What goes wrong in Cloud Build, each with the sentence that helps. The builds are those of the
//! examples, and what is wrong is around them.

use std::fs;

use crate::cloud_build::Build;
use crate::common::fault::{At, Fault, FaultProxy, Rule};
use crate::common::{Finished, Program};
use crate::place::{BUILD, assert_quiet, stack};

const OWN: &str = "cloudbuild.yaml";
const OTHER: &str = "cloudbuild-impersonation.yaml";
/// What every answer of a metadata server has.
const FLAVOR: &[(&str, &str)] = &[("metadata-flavor", "Google"), ("content-type", "text/plain")];

/// The step ends with `code` and exit `exit`, nothing is signed, and the fix has these words.
#[track_caller]
fn refused(step: Program, exit: i32, code: &str, words: &[&str]) -> Finished {
    let run = step.run().expect(exit);
    assert_quiet(&run);
    let line = format!("ambisign: code: {code}; exit {exit}; nothing was signed or uploaded");
    assert!(run.stderr.contains(&line), "no `{line}` in {run}");
    let fix = run.stderr.lines().find(|line| line.starts_with("ambisign: fix: "));
    for word in words {
        assert!(fix.is_some_and(|fix| fix.contains(word)), "no {word:?} in {run}");
    }
    run
}

/// A pushed image, and a metadata server with these answers.
fn by_metadata(name: &str, answers: Vec<(&'static str, Fault)>) -> (Build, FaultProxy) {
    let rules = answers.into_iter();
    let rules = rules.map(|(path, fault)| Rule::on("GET", At::Contains(path), fault));
    let metadata = FaultProxy::start(stack().var("GCE_METADATA"), rules.collect());
    let mut build = Build::of(name);
    build.metadata = metadata.host();
    build.push();
    (build, metadata)
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_image_that_images_would_push_later() {
    let build = Build::of(OWN);
    let missing = format!("europe-docker.pkg.dev/my-project/apps/app@sha256:{}\n", "1".repeat(64));
    fs::write(build.images(), missing).unwrap();
    let words = ["push the image before this step", "`images:` of Cloud Build"];
    refused(build.step("sign"), 6, "registry/not-found", &words);
}

/// `$COMMIT_SHA` in a build that was submitted by hand, or a variable of the shell with one dollar sign.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_variable_that_is_empty() {
    let build = Build::of(OWN);
    for (end, code) in [(":", "reference/tag"), ("@", "reference/digest")] {
        let image = format!("europe-docker.pkg.dev/my-project/apps/app{end}\n");
        fs::write(build.images(), image).unwrap();
        refused(build.step("sign"), 2, code, &["`$BUILD_ID`", "`$$NAME`"]);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_default_account() {
    let email = "123456@cloudbuild.gserviceaccount.com";
    let (build, _metadata) = by_metadata(
        OWN,
        vec![
            ("/identity", Fault::Status(404, FLAVOR, "not found")),
            ("/email", Fault::Status(200, FLAVOR, email)),
        ],
    );
    let words = ["`serviceAccount:`", "`GOOGLE_SERVICE_ACCOUNT_NAME`"];
    refused(build.step("sign"), 3, "gce/default-build-account", &words);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_account_without_the_grant_on_itself() {
    let (build, _metadata) =
        by_metadata(OWN, vec![("/identity", Fault::Status(404, FLAVOR, "not found"))]);
    let words =
        [BUILD, "`roles/iam.serviceAccountOpenIdTokenCreator` on itself", "two to five minutes"];
    refused(build.step("sign"), 3, "gce/not-granted", &words);
}

/// The standard format of an identity has no e-mail address, whatever is asked for.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_token_of_the_standard_format() {
    let token = stack().token("google", &["email=null", "email_verified=null"]);
    let (build, _metadata) =
        by_metadata(OWN, vec![("/identity", Fault::Status(200, FLAVOR, token.leak()))]);
    let words = ["`includeEmail`", "`format=full`"];
    refused(build.step("sign"), 3, "identity/missing-claim", &words);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_account_that_may_not_be_impersonated() {
    let build = Build::of(OTHER);
    build.push();
    let step = |name: &str| {
        let account = format!("{name}@my-project.iam.gserviceaccount.com");
        let step = build.step("sign");
        step.env("GOOGLE_SERVICE_ACCOUNT_NAME", account)
    };
    let role = "`roles/iam.serviceAccountOpenIdTokenCreator` on denied@";
    refused(step("denied"), 3, "impersonation/denied", &[BUILD, role]);
    let api = "enable `iamcredentials.googleapis.com`";
    refused(step("api-off"), 3, "impersonation/api", &[api]);
    let name = "`NAME@PROJECT.iam.gserviceaccount.com`";
    refused(step("absent"), 3, "impersonation/not-found", &[name]);
    refused(step("not an account"), 3, "impersonation/name", &[name]);
    // A grant that is minutes old: the same answer, and the next run works.
    let patience = "a new grant works after two to five minutes";
    refused(step("denied-yet"), 3, "impersonation/denied", &[patience]);
    step("denied-yet").run().expect(0);
}

/// A private pool, or a perimeter: Google can be reached, the world cannot.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_pool_without_the_internet() {
    let build = Build::of(OWN);
    build.push();
    let step = build.step("sign").env("NO_PROXY", ".sigstore.dev");
    let hosts = [
        "tuf-repo-cdn.sigstore.dev",
        "fulcio.sigstore.dev",
        "rekor.sigstore.dev",
        "timestamp.sigstore.dev",
    ];
    refused(step, 75, "tuf/unreachable", &hosts);
}

/// Another project's repository, where the build's account may read and not write.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_registry_that_wants_another_account() {
    let (build, _metadata) = by_metadata(
        OWN,
        vec![(
            "/token",
            Fault::Status(
                200,
                FLAVOR,
                r#"{"access_token":"canary-token","expires_in":9,"token_type":"Bearer"}"#,
            ),
        )],
    );
    let run = build.step("sign").run().expect(6);
    assert!(run.stderr.contains("roles/artifactregistry."), "{run}");
    assert!(!run.stderr.contains("canary-token"), "{run}");
}

/// The metadata server is a neighbour: it is never asked through a proxy.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_proxy_for_http_too() {
    let build = Build::of(OWN);
    build.push();
    let step = build.step("sign").env("HTTP_PROXY", "http://127.0.0.1:1");
    // The stack's own services are at loopback addresses, by plain HTTP.
    step.env("NO_PROXY", "127.0.0.1").run().expect(0);
}
