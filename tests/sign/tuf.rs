// SPDX-License-Identifier: Apache-2.0
//! Trust by TUF: what a mirror is asked, what is kept of it, and that a run works wherever nothing
//! can be kept.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::common::{Cosign, Image, Log, Mirror, Program, Registry, Stack};
use crate::job::Job;

const ROOT: &str = "trusted_root.json";
const CONFIG: &str = "signing_config.v0.2.json";

/// Files that are no cache of this mirror, as a function of a good one.
type Damage = (&'static str, fn(&Path));

fn an_image(stack: &Stack) -> Image {
    stack.push(Registry::Referrers, "tuf/app", 1)
}

/// A job that believes the stack's own mirror and remembers it in `home`.
fn job(stack: &Stack, home: &Path) -> Job {
    let job = Job::by_mirror(stack.var("TUF_MIRROR_URL"), stack.var("TUF_ROOT_FILE"));
    job.token(&stack.token("github", &[])).env("HOME", home)
}

/// The paths that the stack's mirror was asked for.
fn asked(stack: &Stack) -> Vec<String> {
    let journal = stack.journal().into_iter();
    let tuf = journal.filter(|asked| asked.service == "tuf" && asked.method == "GET");
    tuf.map(|asked| asked.path).collect()
}

/// The one file that is kept below `home`.
fn state(home: &Path) -> PathBuf {
    let base = home.join(".cache/ambisign/tuf");
    let mut mirrors = std::fs::read_dir(base).unwrap();
    mirrors.next().unwrap().unwrap().path().join("state.json")
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_mirror_and_its_root_are_all_that_a_run_needs() {
    let stack = Stack::alone();
    let root = Path::new(stack.var("TRUSTED_ROOT"));
    for log in Log::ALL {
        let mirror = Mirror::with(&stack, &[(ROOT, root), (CONFIG, log.signing_config(&stack))]);
        let image = an_image(&stack);
        stack.reset_journal();
        let document = Job::by_mirror(&mirror.url(), mirror.root())
            .token(&stack.token("github", &[]))
            .image(&image)
            .document(0);
        assert_eq!(document["instance"]["tuf"]["mirror"], mirror.url());
        assert_eq!(document["instance"]["tuf"]["root_version"], 1);
        let service = match log {
            Log::V1 => "rekor",
            Log::V2 => "rekor2",
        };
        assert!(stack.made().contains_key(service), "{log:?}");
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_mirror_that_is_known_is_asked_twice() {
    let (stack, home) = (Stack::alone(), TempDir::new().unwrap());
    let image = an_image(&stack);
    stack.reset_journal();
    job(&stack, home.path()).image(&image).run().expect(0);
    let cold = asked(&stack);
    assert_eq!(cold.len(), 6, "{cold:?}");
    stack.reset_journal();
    let run = job(&stack, home.path()).image(&image).run().expect(0);
    let mut warm = asked(&stack);
    warm.sort_unstable();
    assert_eq!(warm, ["/2.root.json", "/timestamp.json"]);
    assert!(run.stderr.contains(", root version 1\n"), "{run}");
}

/// The printed command is enough for somebody who knows nothing of the mirror.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn cosign_asks_the_same_mirror_as_told() {
    let (stack, home) = (Stack::alone(), TempDir::new().unwrap());
    let image = an_image(&stack);
    let document = job(&stack, home.path()).image(&image).document(0);
    let command = document["images"][0]["verify_command"].as_str().unwrap();
    let bin = stack.var("REALSTACK_BIN");
    stack.reset_journal();
    Program::new("/bin/sh")
        .args(["-c", command])
        .env("HOME", home.path())
        .env("PATH", format!("{bin}:/usr/bin:/bin"))
        .run()
        .expect(0);
    assert!(asked(&stack).iter().any(|path| path == "/timestamp.json"));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn variables_of_cosign_keep_their_meaning() {
    let (stack, folder) = (Stack::alone(), TempDir::new().unwrap());
    let image = an_image(&stack);
    let program = || {
        Program::ambisign()
            .args(["sign", "--dry-run", &image.reference()])
            .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
            .env("TUF_MIRROR", stack.var("TUF_MIRROR_URL"))
            .env("TUF_ROOT_JSON", stack.var("TUF_ROOT_FILE"))
            .env("TUF_ROOT", folder.path())
    };
    let run = program().run().expect(0);
    for name in ["TUF_MIRROR", "TUF_ROOT_JSON", "TUF_ROOT"] {
        assert!(run.stderr.contains(&format!("(from {name})")), "{run}");
    }
    let inside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().collect();
    let names: Vec<_> = inside.iter().map(std::fs::DirEntry::file_name).collect();
    assert_eq!(names, ["ambisign"]);
    stack.reset_journal();
    let refused = program().arg("--public-instance").run().expect(2);
    assert!(refused.stderr.contains("code: settings/decides;"), "{refused}");
    assert!(stack.journal().is_empty());
}

/// With nothing said, the public instance is asked, and its root is the one that the program brings
/// along: the stack in its place is found out before any token leaves.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_default_is_the_public_instance_and_cannot_be_imitated() {
    let stack = Stack::alone();
    for (flag, name) in [
        (None, "tuf-repo-cdn.sigstore.dev:443"),
        (Some("--staging"), "tuf-repo-cdn.sigstage.dev:443"),
    ] {
        let image = an_image(&stack);
        stack.reset_journal();
        let run = Program::ambisign()
            .args(["sign", &image.reference()])
            .args(flag)
            .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
            .env("HTTPS_PROXY", stack.var("PROXY"))
            .env("SSL_CERT_FILE", stack.var("PROXY_CA"))
            .run()
            .expect(4);
        assert!(run.stderr.contains("code: tuf/signature; exit 4;"), "{run}");
        let journal = stack.journal();
        let proxy = journal.iter().filter(|asked| asked.service == "proxy");
        let names: Vec<&str> = proxy.map(|asked| asked.path.as_str()).collect();
        assert!(!names.is_empty() && names.iter().all(|seen| *seen == name), "{names:?}");
        let counts = stack.made();
        assert_eq!((counts.get("fulcio"), counts.get("oidc")), (None, None), "{counts:?}");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_run_needs_no_place_to_remember() {
    let stack = Stack::alone();
    let (image, empty) = (an_image(&stack), TempDir::new().unwrap());
    let (file, nowhere) = (empty.path().join("file"), empty.path().join("no/home"));
    std::fs::write(&file, "").unwrap();
    let with = |job: Job| job.args(["--dry-run"]).image(&image).run().expect(0);
    let here = |home: &str| job(&stack, Path::new(home));
    for run in [
        with(here("/proc")),
        with(here(nowhere.to_str().unwrap())),
        with(here(file.to_str().unwrap())),
        with(here("/proc").env("XDG_CACHE_HOME", "relative")),
        with(here("")),
    ] {
        assert!(!run.stderr.contains("warning"), "{run}");
    }
    assert!(!nowhere.exists());
    let (mirror, root) = (stack.var("TUF_MIRROR_URL"), stack.var("TUF_ROOT_FILE"));
    let update = Program::ambisign()
        .args(["trust", "update", "--tuf-mirror", mirror])
        .args(["--tuf-root", root]);
    let run = update.env("HOME", "/proc").run().expect(0);
    assert!(run.stdout.contains("\n  kept nowhere: "), "{run}");
    // A disk on which not one byte can be written.
    let script = r#"trap '' XFSZ; ulimit -f 0; exec "$@""#;
    let token = stack.token("github", &[]);
    let run = Program::new("/bin/sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_ambisign")])
        .args(["sign", "--dry-run", "--tuf-mirror", stack.var("TUF_MIRROR_URL")])
        .args(["--tuf-root", stack.var("TUF_ROOT_FILE"), &image.reference()])
        .env("SIGSTORE_ID_TOKEN", token)
        .env("HOME", empty.path())
        .run()
        .expect(0);
    assert!(!run.stderr.contains("warning"), "{run}");
    assert!(!state(empty.path()).exists());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_damaged_cache_is_told_and_replaced() {
    let (stack, home) = (Stack::alone(), TempDir::new().unwrap());
    let image = an_image(&stack);
    let dry = || job(&stack, home.path()).args(["--dry-run"]).image(&image).run().expect(0);
    let root = Path::new(stack.var("TRUSTED_ROOT"));
    let other = Mirror::with(&stack, &[(ROOT, root)]);
    let other_home = TempDir::new().unwrap();
    let run = Job::by_mirror(&other.url(), other.root()).env("HOME", other_home.path());
    run.token(&stack.token("github", &[])).image(&image).refused(4, "trust/missing-config");
    let foreign = std::fs::read(state(other_home.path())).unwrap();
    dry();
    let path = state(home.path());
    let damages: &[Damage] = &[
        ("empty", |path| std::fs::write(path, "").unwrap()),
        ("text", |path| std::fs::write(path, "<html>").unwrap()),
        ("half", |path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("a version that nobody signed", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            let changed = text.replacen(r#"\"version\": 1"#, r#"\"version\": 7"#, 9);
            let changed = changed.replace(r#"\"version\":1"#, r#"\"version\":7"#);
            assert_ne!(text, changed);
            std::fs::write(path, changed).unwrap();
        }),
        ("a pipe", |path| {
            std::fs::remove_file(path).unwrap();
            let path = path.to_str().unwrap();
            Program::new("/usr/bin/mkfifo").arg(path).run().expect(0);
        }),
    ];
    let check = |name: &str| {
        let run = dry();
        assert!(run.stderr.contains("warning: the TUF cache `"), "{name}: {run}");
        stack.reset_journal();
        let run = dry();
        assert!(!run.stderr.contains("warning"), "{name}: {run}");
        assert_eq!(asked(&stack).len(), 2, "{name}");
    };
    for (name, damage) in damages {
        damage(&path);
        check(name);
    }
    std::fs::write(&path, foreign).unwrap();
    check("belongs to another mirror");
}

/// A cache that knows the mirror does not help somebody who has no root of it.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_kept_root_anchors_nothing() {
    let (stack, home) = (Stack::alone(), TempDir::new().unwrap());
    let (image, url) = (an_image(&stack), stack.var("TUF_MIRROR_URL"));
    let root = Path::new(stack.var("TRUSTED_ROOT"));
    let dry = || job(&stack, home.path()).args(["--dry-run"]).image(&image);
    dry().run().expect(0);
    let other = Mirror::with(&stack, &[(ROOT, root)]);
    let wrong = Job::by_mirror(url, other.root()).env("HOME", home.path());
    wrong.token(&stack.token("github", &[])).image(&image).refused(4, "tuf/signature");
    let missing = Job::by_mirror(url, home.path().join("no-root.json")).env("HOME", home.path());
    missing.token(&stack.token("github", &[])).image(&image).refused(4, "trust/read");
    // And the failure did no harm.
    let run = dry().run().expect(0);
    assert!(!run.stderr.contains("warning"), "{run}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn many_runs_share_one_cache() {
    let (stack, home) = (Stack::alone(), TempDir::new().unwrap());
    let image = an_image(&stack);
    let dry = || job(&stack, home.path()).args(["--dry-run"]).image(&image);
    for _ in ["cold", "warm"] {
        let runs: Vec<Job> = (0..20).map(|_| dry()).collect();
        thread::scope(|scope| {
            let started: Vec<_> = runs.into_iter().map(|job| scope.spawn(|| job.run())).collect();
            for one in started {
                let run = one.join().unwrap().expect(0);
                assert!(!run.stderr.contains("warning"), "{run}");
            }
        });
    }
    // Wherever a run is killed, the next one finds what the one before left.
    for wait in 0..40 {
        if wait % 8 == 0 {
            std::fs::remove_file(state(home.path())).unwrap_or_default();
        }
        let killed = dry().map(|program| program.signal_after(Duration::from_millis(wait), "KILL"));
        let _wherever = killed.run();
    }
    let run = dry().run().expect(0);
    assert!(!run.stderr.contains("warning"), "{run}");
    stack.reset_journal();
    dry().run().expect(0);
    assert_eq!(asked(&stack).len(), 2);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn what_a_run_would_believe_is_shown_and_brought_up_to_date() {
    let (stack, home) = (Stack::alone(), TempDir::new().unwrap());
    let program = |command: &str| {
        Program::ambisign()
            .args(["trust", command, "--tuf-mirror", stack.var("TUF_MIRROR_URL")])
            .args(["--tuf-root", stack.var("TUF_ROOT_FILE"), "--output", "json"])
            .env("HOME", home.path())
    };
    let updated = program("update").run().expect(0).json();
    assert_eq!(updated["root"], 1, "{updated}");
    let folder = updated["folder"].as_str().unwrap();
    assert!(Path::new(folder).starts_with(home.path()), "{updated}");
    assert_eq!(asked(&stack).len(), 6);
    stack.reset_journal();
    let shown = program("show").run().expect(0).json();
    // Everything else is remembered.
    assert_eq!(asked(&stack).len(), 2);
    assert_eq!(shown["mirror"]["root"], 1, "{shown}");
    assert_eq!(shown["services"]["fulcio"]["url"], format!("{}/", stack.var("FULCIO_URL")));
    assert_eq!(shown["services"]["rekor"][0]["api_version"], 1);
    for kind in ["certificate_authorities", "certificate_logs", "logs"] {
        assert_eq!(shown[kind][0]["valid_now"], true, "{kind}: {shown}");
    }
    // What a run cannot use is refused here, too, before anybody waits for it in a pipeline.
    let refused = program("show").args(["--fulcio-url", "https://fulcio.example.test"]);
    let refused = refused.run().expect(4);
    assert_eq!(refused.json()["error"]["code"], "trust/unknown", "{refused}");
    assert!(refused.stderr.contains("ambisign trust create"), "{refused}");
    let refused = program("update").args(["--trusted-root", "root.json"]).run();
    assert!(refused.expect(2).stderr.contains("settings/conflict"));
}
