// SPDX-License-Identifier: Apache-2.0
//! Each way to an identity gives exactly that identity.

use std::path::Path;

use crate::common::{Cosign, GITHUB_IDENTITY, Image, Log, Program, Registry, Stack, Visit};
use crate::job::{Job, MACHINE};

/// The account that is impersonated.
const SIGNER: &str = "signer@demo.iam.gserviceaccount.com";
/// The account of the stack's key file.
const KEY_FILE: &str = "sa@demo.iam.gserviceaccount.com";
/// The hosts that Google's part of the proxy answers for.
const IAM: &str = "iamcredentials.googleapis.com:443";
const TOKENS: &str = "oauth2.googleapis.com:443";

fn an_image(stack: &Stack) -> Image {
    stack.push(Registry::Referrers, "providers/app", 1)
}

/// Signs an image of its own with `job`, as `provider`; cosign accepts exactly this identity.
#[track_caller]
fn assert_signs_as(stack: &Stack, job: Job, provider: &str, (issuer, identity): (&str, &str)) {
    let image = an_image(stack);
    let document = job.image(&image).document(0);
    assert_eq!(document["identity"]["provider"], provider);
    assert_eq!(document["images"][0]["certificate"]["identity"], identity);
    let verdict = Cosign::Three.verify_as(stack, &image, (issuer, identity), &[]);
    verdict.expect(0);
    assert_eq!(image.signatures().len(), 1);
}

/// The names that the program asked the proxy for.
fn through_the_proxy(stack: &Stack) -> Vec<String> {
    let asked = stack.journal().into_iter();
    let names = asked.filter(|asked| asked.service == "proxy");
    names.map(|asked| asked.path).collect()
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn tokens_of_every_issuer_are_taken_from_the_environment() {
    let stack = Stack::shared();
    for (issuer, identity) in [
        ("buildkite", "https://buildkite.com/acme/app"),
        ("email", "dev@example.test"),
        ("github", GITHUB_IDENTITY),
        ("gitlab", "https://gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main"),
        ("kubernetes", "https://kubernetes.io/namespaces/ci/serviceaccounts/signer"),
        ("spiffe", "spiffe://example.test/ci/signer"),
        ("uri", "http://127.0.0.1/users/1"),
    ] {
        let job = Job::new(&stack, Log::V1).token(&stack.token(issuer, &[]));
        assert_signs_as(&stack, job, "envvar", (&stack.issuer(issuer), identity));
    }
    // Dex passes another issuer's identity on, and the certificate says whose.
    let job = Job::new(&stack, Log::V1).token(&stack.token("dex", &[]));
    let who = ("https://github.com/login/oauth", "dev@example.test");
    assert_signs_as(&stack, job, "envvar", who);
}

/// A client wrote the name of the job into the certificate request, where other letters than those of
/// ASCII have no place, and Fulcio refused it.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn sigstore_python_1507_names_beyond_ascii() {
    let stack = Stack::shared();
    for (issuer, claim, who) in [
        ("github", "sub=repo:acme/app:environment:pr\u{f6}d\u{2013}1", GITHUB_IDENTITY),
        ("email", "sub=d\u{e9}v\u{202e}", "dev@example.test"),
    ] {
        let job = Job::new(&stack, Log::V1).token(&stack.token(issuer, &[claim]));
        assert_signs_as(&stack, job, "envvar", (&stack.issuer(issuer), who));
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_token_is_taken_from_wherever_a_flag_says() {
    let stack = Stack::shared();
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("token");
    let token = stack.token("github", &[]);
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let path = file.to_str().unwrap();
    let job = || Job::new(&stack, Log::V1).secret(&token);
    let piped = |program: Program| program.stdin(format!("{token}\n"));
    let github = stack.issuer("github");
    for job in [
        job().args(["--identity-token", &token]),
        job().args(["--identity-token", path]),
        job().args(["--identity-token-file", path]),
        job().args(["--identity-token-file", "-"]).map(piped),
        job().env("AMBISIGN_IDENTITY_TOKEN", &token),
        job().env("AMBISIGN_IDENTITY_TOKEN_FILE", path),
        // The flag is more definite than anything in the environment.
        job().args(["--identity-token-file", path]).token(&stack.token("email", &[])),
    ] {
        assert_signs_as(&stack, job, "identity-token", (&github, GITHUB_IDENTITY));
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_token_may_be_signed_by_another_algorithm() {
    let stack = Stack::shared();
    let token = stack.token("email", &["--alg=ES256"]);
    let job = || Job::new(&stack, Log::V1);
    let who = (&*stack.issuer("email"), "dev@example.test");
    assert_signs_as(&stack, job().token(&token), "envvar", who);
    let job = job().secret(&token).args(["--identity-token", &token]);
    assert_signs_as(&stack, job, "identity-token", who);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn an_unusable_token_is_refused_before_fulcio() {
    let stack = Stack::alone();
    let (image, other) = (an_image(&stack), stack.token("github", &["--aud=somebody"]));
    let old = stack.token("github", &["--ttl=-10"]);
    let old_file = tempfile::NamedTempFile::new().unwrap();
    stack.reset_journal();
    let job = || Job::new(&stack, Log::V1).image(&image);
    let empty = job().env("SIGSTORE_ID_TOKEN", "").machine(&stack);
    empty.refused(3, "env-var/empty");
    let empty = job().args(["--identity-token-file".as_ref(), old_file.path()]);
    empty.refused(3, "file/empty");
    let none = job().args(["--identity-token-file", "/none"]);
    none.refused(3, "file/unreadable");
    job().token(&old).refused(3, "identity/expired");
    job().token(&other).refused(3, "identity/audience");
    let opaque = "s3cr3t-s3cr3t-s3cr3t";
    let job = job().token(opaque);
    job.refused(3, "identity/not-a-jwt");
    let counts = stack.made();
    assert_eq!(counts.get("fulcio"), None, "{counts:?}");
    assert_eq!(counts.get("oidc"), None, "{counts:?}");
    assert!(image.signatures().is_empty());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_job_of_github_signs_as_its_workflow() {
    let stack = Stack::alone();
    let github = stack.issuer("github");
    let who = (&*github, GITHUB_IDENTITY);
    stack.reset_journal();
    let job = Job::new(&stack, Log::V1).github(&stack);
    assert_signs_as(&stack, job, "github-actions", who);
    assert!(through_the_proxy(&stack).is_empty());
    // The endpoint's real name, which the stack's proxy answers for.
    let host = "run-actions-1-azure-eastus.actions.githubusercontent.com";
    let url = format!("https://{host}/actions/token?api-version=2.0");
    let job = Job::new(&stack, Log::V1).proxy(&stack).github_at(&url);
    assert_signs_as(&stack, job, "github-actions", who);
    assert_eq!(through_the_proxy(&stack), [format!("{host}:443")]);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_google_machine_signs_as_its_account() {
    let stack = Stack::alone();
    stack.reset_journal();
    let image = an_image(&stack);
    let job = Job::new(&stack, Log::V1).machine(&stack).image(&image);
    let run = job.run().expect(0);
    let named = "\nprovider    google-workload-identity\n";
    assert!(run.stderr.contains(named), "{run}");
    let certified = format!("for {}\n", MACHINE.1);
    assert!(run.stderr.contains(&certified), "{run}");
    assert!(run.stderr.contains("not of a job"), "{run}");
    let who = (&*stack.issuer(MACHINE.0), MACHINE.1);
    Cosign::Three.verify_as(&stack, &image, who, &[]).expect(0);
    let asked = stack.journal();
    let identities = asked.iter().filter(|asked| asked.path.contains("/identity?"));
    assert_eq!(identities.count(), 1, "{asked:?}");
}

fn impersonating(stack: &Stack, account: &str) -> Job {
    let job = Job::new(stack, Log::V1).proxy(stack);
    job.env("GOOGLE_SERVICE_ACCOUNT_NAME", account)
}

fn with_key_file(stack: &Stack, job: Job) -> Job {
    let file = stack.var("SERVICE_ACCOUNT");
    let text = std::fs::read(Path::new(file)).unwrap();
    let account: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let key = account["private_key"].as_str().unwrap();
    let line = key.lines().nth(3).unwrap();
    job.secret(line).env("GOOGLE_APPLICATION_CREDENTIALS", file)
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn impersonation_signs_as_the_account_that_is_named() {
    let stack: Visit = Stack::alone();
    let google = stack.issuer("google");
    let machine = impersonating(&stack, SIGNER).machine(&stack);
    let file = with_key_file(&stack, impersonating(&stack, SIGNER));
    // The file is more definite than the machine it lies on.
    let both = with_key_file(&stack, impersonating(&stack, SIGNER).machine(&stack));
    let own = with_key_file(&stack, impersonating(&stack, KEY_FILE));
    for (job, account, hosts) in [
        (machine, SIGNER, &[IAM][..]),
        (file, SIGNER, &[TOKENS, IAM]),
        (both, SIGNER, &[TOKENS, IAM]),
        (own, KEY_FILE, &[TOKENS]),
    ] {
        stack.reset_journal();
        assert_signs_as(&stack, job, "google-impersonate", (&google, account));
        assert_eq!(through_the_proxy(&stack), hosts, "{account}");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn impersonation_never_falls_back_to_the_machine() {
    let stack = Stack::alone();
    let image = an_image(&stack);
    stack.reset_journal();
    let job = |account| impersonating(&stack, account).image(&image);
    job(SIGNER).refused(3, "impersonation/no-caller");
    let job = job("not an account").machine(&stack);
    job.refused(3, "impersonation/name");
    let counts = stack.made();
    assert_eq!(counts.get("fulcio"), None, "{counts:?}");
    assert!(image.signatures().is_empty());
}
