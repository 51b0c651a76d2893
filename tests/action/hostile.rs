// SPDX-License-Identifier: Apache-2.0
//! Inputs, and variables of earlier steps, that were meant to do more than to name an image: nothing is
//! run, nothing gets out, and each has its message. The job may not sign, so nothing is asked for.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::common::{Program, assert_no_canary};
use crate::step::{Ran, Step};

const IMAGE: &str =
    "ghcr.io/acme/app@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Text that does something in a shell, in a log, in a file of outputs or in a page.
const HOSTILE: [&str; 17] = [
    "$(touch PWNED)",
    "`touch PWNED`",
    "; touch PWNED #",
    "' ; touch PWNED ; '",
    "\" ; touch PWNED ; \"",
    "| touch PWNED",
    "&& touch PWNED",
    "${IFS}touch${IFS}PWNED",
    "x\n::set-output name=signed-count::9",
    "::add-mask::x",
    "  ::error::x",
    "x ##[error]y",
    "x\r\n::stop-commands::x",
    "\u{1b}[2J\u{202e}x",
    "x\nghadelimiter_0\nsigned-count<<X\n9\nX",
    "--fulcio-url=https://evil.example.com",
    "x\u{ad}\u{180e}\u{3164}\u{fe0f}\u{fff9}\u{e0041}y",
];

/// Characters of these texts that no log and no page shows as they are.
const UNSEEN: [char; 9] = [
    '\u{1b}',
    '\r',
    '\u{202e}',
    '\u{ad}',
    '\u{180e}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{fff9}',
    '\u{e0041}',
];

/// Nothing but annotations of ours are commands, and nothing was run.
#[track_caller]
fn assert_harmless(ran: &Ran, input: &str) {
    let of_ours = |line: &String| {
        line.starts_with("::error title=ambisign%3A ")
            || line.starts_with("::warning title=ambisign%3A ")
    };
    for line in ran.commands() {
        assert!(of_ours(&line) && !line.contains("##["), "{input}: `{line}` in {}", ran.run);
    }
    assert!(ran.left.is_empty(), "{input}: {:?} was made", ran.left);
    for c in UNSEEN {
        let outputs: String = ran.outputs.values().map(String::as_str).collect();
        let text = format!("{}{}{}{outputs}", ran.run.stdout, ran.run.stderr, ran.summary);
        assert!(!text.contains(c), "{input}: {c:?} in {}", ran.run);
    }
    if let Some(count) = ran.outputs.get("signed-count") {
        assert_eq!(count, "0", "{input}");
    }
    let outputs = [
        ("log".to_owned(), format!("{}{}", ran.run.stdout, ran.run.stderr).into_bytes()),
        ("summary".to_owned(), ran.summary.clone().into_bytes()),
        ("outputs".to_owned(), format!("{:?}", ran.outputs).into_bytes()),
    ];
    assert_no_canary(&["canary-of-the-job"], &outputs);
}

#[test]
fn whatever_an_input_holds_is_a_value() {
    // One of each kind: lists, JSON, paths, URLs, switches, times, names.
    let inputs = [
        "annotations",
        "audience",
        "ca-file",
        "digest",
        "fulcio-url",
        "images",
        "images-file",
        "metadata",
        "require-identity",
        "staging",
        "tags",
        "timeout",
    ];
    for input in inputs {
        for text in HOSTILE {
            let step = Step::new();
            let step = if ["images", "images-file"].contains(&input) {
                step
            } else {
                step.input("images", IMAGE)
            };
            let ran = step.input(input, text).run();
            let row = format!("{input}: {text:?}");
            assert_harmless(&ran, &row);
            assert!(matches!(ran.run.code, Some(2..=4)), "{row}: {}", ran.run);
            assert!(!ran.run.stderr.is_empty() || !ran.run.stdout.is_empty(), "{row}");
        }
    }
}

#[test]
fn what_is_no_image_has_its_message() {
    let many = |name: &str| -> String {
        let image = |at: usize| format!("ghcr.io/acme/{at}{name}\n");
        (0..500).map(image).collect()
    };
    let rows = [
        ("", "settings/no-images", 2),
        (" \n,\n ", "settings/empty", 2),
        ("ghcr.io/acme/app:v1", "settings/tag", 2),
        ("ghcr.io/acme/app", "settings/tag", 2),
        ("-a", "reference/", 2),
        ("--help", "reference/", 2),
        ("https://ghcr.io/acme/app", "reference/", 2),
        ("ghcr.io/acme/app@sha256:00", "reference/", 2),
        (&many(":v1"), "settings/tag", 2),
        (&many(&IMAGE["ghcr.io/acme/app".len()..]), "github/not-permitted", 3),
    ];
    for (images, code, exit) in rows {
        let ran = Step::new().input("images", images).run();
        assert_harmless(&ran, images);
        let found = ran.document()["error"]["code"].as_str().unwrap_or_default().to_owned();
        assert!(found.starts_with(code), "{images}: {found} in {}", ran.run);
        if !code.ends_with('/') {
            ran.refused(exit, code);
        }
        assert_eq!(ran.run.code, Some(exit), "{images}: {}", ran.run);
        // As many images as there are, one cause is one annotation.
        assert_eq!(ran.commands().len(), 1, "{images}: {}", ran.run);
        assert!(ran.summary.starts_with("### Not signed\n"), "{}", ran.summary);
    }
}

#[test]
fn the_missing_permission_is_said_on_the_workflow() {
    let ran = Step::new().input("images", IMAGE).run();
    ran.refused(3, "github/not-permitted");
    let [command] = &ran.commands()[..] else { panic!("{}", ran.run) };
    let start =
        "::error title=ambisign%3A github/not-permitted,file=.github/workflows/release.yml::";
    assert!(command.starts_with(start), "{command}");
    assert!(command.contains("permissions: {id-token: write}"), "{command}");
    assert!(ran.summary.contains("`permissions: {id-token: write}`"), "{}", ran.summary);
}

#[test]
fn what_earlier_steps_set_decides_nothing() {
    // Ours are set by the step, so they do not even count as tried.
    let evil = "https://evil.example.com";
    for (name, value) in [
        ("AMBISIGN_FULCIO_URL", evil),
        ("AMBISIGN_REKOR_URL", evil),
        ("AMBISIGN_TSA_URL", evil),
        ("AMBISIGN_TUF_MIRROR", evil),
        ("AMBISIGN_STAGING", "true"),
        ("AMBISIGN_YES", "true"),
        ("AMBISIGN_ALLOW_PRIVATE_REPOSITORY", "true"),
        ("AMBISIGN_TRUSTED_ROOT", "/tmp/evil.json"),
        ("AMBISIGN_CA_FILE", "/tmp/evil.pem"),
        ("AMBISIGN_IDENTITY_TOKEN", "e30.e30.e30"),
        ("AMBISIGN_OIDC_PROVIDER", "google-adc"),
        ("AMBISIGN_OUTPUT", "json"),
        ("AMBISIGN_PUBLIC_INSTANCE", "false"),
        ("FLAG_FULCIO_URL", evil),
        ("PROGRAM", "/bin/false"),
        ("BASH_ENV", "/dev/stdin"),
        ("ENV", "/dev/stdin"),
        // The provider is pinned.
        ("SIGSTORE_ID_TOKEN", "e30.e30.e30"),
        ("SIGSTORE_IDENTITY_TOKEN", "e30.e30.e30"),
        ("GOOGLE_SERVICE_ACCOUNT_NAME", "evil@example.com"),
        ("GITLAB_CI", "true"),
        // A proxy cannot read TLS.
        ("HTTPS_PROXY", evil),
        ("GITHUB_OUTPUT", "/tmp/evil-output"),
        ("GITHUB_STEP_SUMMARY", "/tmp/evil-summary"),
    ] {
        let ran = Step::new().input("images", IMAGE).job(name, value).run();
        assert_harmless(&ran, name);
        ran.refused(3, "github/not-permitted");
    }
    // Those of others, which count without a flag, stop the run.
    for name in [
        "GCE_METADATA_HOST",
        "GCE_METADATA_IP",
        "GCE_METADATA_ROOT",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TUF_MIRROR",
        "TUF_ROOT",
        "TUF_ROOT_JSON",
    ] {
        let ran = Step::new().input("images", IMAGE).job(name, evil).run();
        assert_harmless(&ran, name);
        ran.refused(2, "settings/decides");
        let message = ran.document()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(name), "{message}");
    }
    // The request token does not go to a host that an earlier step names, once or twice.
    for server in ["https://github.com", evil] {
        let ran = Step::new()
            .input("images", IMAGE)
            .job("ACTIONS_ID_TOKEN_REQUEST_URL", evil)
            .job("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary-of-the-request")
            .job("GITHUB_SERVER_URL", server)
            .run();
        ran.refused(3, "github/host");
        assert!(!format!("{}{}", ran.run.stderr, ran.summary).contains("canary"), "{}", ran.run);
    }
}

/// A proxy that cannot be understood is not left out.
#[test]
fn a_proxy_of_an_earlier_step_is_used_or_refused() {
    for (name, value) in
        [("HTTPS_PROXY", "ftp://proxy"), ("https_proxy", "http://"), ("ALL_PROXY", "://")]
    {
        let ran = Step::new().input("images", IMAGE).job(name, value).run();
        assert_harmless(&ran, name);
        ran.refused(2, "settings/network");
    }
}

/// A workflow that hands on an input of its own hands on nothing when it has none.
#[test]
fn an_empty_input_is_the_default() {
    let empty = || {
        let step = Step::new().input("public-instance", "");
        step.input("require-digest", "")
    };
    let ran = empty().input("images", "ghcr.io/acme/app:v1").run();
    ran.refused(2, "settings/tag");
    let ran = empty().input("images", IMAGE).job("TUF_MIRROR", "https://evil.example.com");
    ran.run().refused(2, "settings/decides");
}

/// An older runner has no list of artifacts, so an earlier step could name one.
#[test]
fn the_list_of_artifacts_counts_when_it_is_asked_for() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let (name, digest) = IMAGE.split_once('@').unwrap();
    let subjects = serde_json::json!([{"name": name, "digest": digest, "kind": "oci"}]);
    let text = serde_json::json!({"version": 1, "subjects": subjects});
    std::fs::write(list.path(), text.to_string()).unwrap();
    let step = || Step::new().job("GITHUB_ARTIFACTS_LIST", list.path().to_str().unwrap());
    step().run().refused(2, "settings/no-images");
    let ran = step().input("artifacts", "true").run();
    ran.refused(3, "github/not-permitted");
    assert!(ran.run.stderr.contains("GITHUB_ARTIFACTS_LIST"), "{}", ran.run);
}

#[test]
fn inputs_that_decide_still_count() {
    let root = "/absent/trusted_root.json";
    let ran = Step::new().input("images", IMAGE).input("trusted-root", root).run();
    let notice = format!("not default {root} (from --trusted-root)");
    assert!(ran.run.stderr.contains(&notice), "{}", ran.run);
    ran.refused(3, "github/not-permitted");
    let ran = Step::new().input("images", IMAGE).input("staging", "true").run();
    assert!(ran.run.stderr.contains("the staging instance (from --staging)"), "{}", ran.run);
    let ran = Step::new().input("images", IMAGE).input("staging", "yes").run();
    ran.refused(2, "settings/value");
    assert!(ran.run.stderr.contains("`staging` is not `true` or `false`"), "{}", ran.run);
}

/// The provider is not pinned then; there is nobody to ask on this port.
#[test]
fn a_token_that_was_given_needs_no_provider() {
    let image = IMAGE.replace("ghcr.io", "127.0.0.1:9");
    for (input, text) in
        [("identity-token", "e30.e30.canary-of-the-job"), ("identity-token-file", "$(touch PWNED)")]
    {
        let step = Step::new().input("images", image.as_str()).input("timeout", "1s");
        let ran = step.input(input, text).run();
        assert_harmless(&ran, input);
        let error = &ran.document()["images"][0]["error"]["code"];
        assert_eq!(error, "registry/unreachable", "{}", ran.run);
    }
}

/// Text of a registry, of the command line and of a file's name is neutralised too.
#[test]
fn the_program_alone_is_as_careful() {
    for text in HOSTILE {
        let run =
            Program::ambisign().env("GITHUB_ACTIONS", "true").args(["sign-blob", "--", text]).run();
        let log = format!("{}{}", run.stdout, run.stderr);
        for line in log.lines().filter(|line| line.trim_start().starts_with("::")) {
            assert!(line.starts_with("::error title=ambisign%3A "), "{text:?}: {run}");
        }
        assert!(!log.contains("##[") && !log.contains(UNSEEN), "{text:?}: {run}");
    }
}

/// A registry that refuses everything with `message`, until the test ends.
fn registry(message: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let body = serde_json::json!({"errors": [{"code": message, "message": message}]}).to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _asked = stream.read(&mut [0; 4096]);
            let length = body.len();
            let _told = write!(
                stream,
                "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
        }
    });
    host
}

#[test]
fn what_a_registry_says_is_text() {
    for text in HOSTILE {
        let host = registry(text);
        let ran = Step::new()
            .input("images", IMAGE.replace("ghcr.io", &host))
            .input("identity-token", "e30.e30.canary-of-the-job")
            .input("trusted-root", "/absent")
            .input("signing-config", "/absent")
            .run();
        assert_harmless(&ran, text);
        assert_eq!(ran.run.code, Some(6), "{text:?}: {}", ran.run);
        let shown = text.split(['\n', '\r', '\u{1b}', '\u{ad}']).next();
        let shown = shown.unwrap_or_default().trim();
        let log = ran.run.stderr.replace('\\', "");
        assert!(log.contains(shown), "{shown:?} is not shown in {}", ran.run);
    }
}
