// SPDX-License-Identifier: Apache-2.0
//! Names of images from everywhere but the command line that cannot be used: nothing in them is
//! executed, and nobody is asked.

use tempfile::TempDir;

use crate::common::{Log, Registry, Stack};
use crate::place::{Watch, each};
use crate::scene::{Peer, Scene};

const ONE: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const OTHER: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/// Variables, one of which ends the run with a code.
type Row = (Vec<(&'static str, String)>, &'static str);

fn row(env: &[(&'static str, &str)], code: &'static str) -> Row {
    let env = env.iter().map(|(name, value)| (*name, (*value).to_owned()));
    (env.collect(), code)
}

/// Plays each row, with no image on the command line.
fn play(rows: &[Row]) {
    let stack = Stack::alone();
    let watch = Watch::start(&stack);
    each(
        6,
        rows,
        |(env, code)| format!("{env:?} {code}"),
        |(env, code)| {
            let scene = Scene::new(Log::V1, Registry::Fallback).unnamed();
            let scene = env.iter().fold(scene, |scene, (name, value)| scene.env(name, value));
            let played = scene.play(&stack);
            played.refused(code, 2);
            for peer in Peer::ALL {
                assert_eq!(played.seen(peer).len(), 0, "{peer:?}: {}", played.run);
            }
            let left = std::fs::read_dir(&played.run.dir).unwrap().count();
            assert_eq!(left, 0, "files: {}", played.run);
            // What is written there is shown on one line, if at all.
            let commands = |line: &&str| line.starts_with("::") || line.contains('\u{1b}');
            assert_eq!(played.run.stderr.lines().filter(commands).count(), 0);
        },
    );
    watch.nothing_logged();
}

#[test]
#[ignore = "needs the real stack: tests/run"]
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn lists_that_cannot_be_used() {
    let images = |text: &str, code| row(&[("AMBISIGN_IMAGES", text)], code);
    let good = format!("HOST/app@{ONE}");
    let strict = ("AMBISIGN_REQUIRE_DIGEST", "true");
    let mut rows = vec![
        row(&[], "settings/no-images"),
        images("", "settings/no-images"),
        images(" \n,\t\r\n", "settings/empty"),
        images("HOST/app:", "reference/tag"),
        images("HOST/app@", "reference/digest"),
        images("HOST/$_IMAGE:1", "reference/repository"),
        images("$(touch executed)", "reference/repository"),
        images("`touch,executed`", "reference/repository"),
        images("HOST/app;touch", "reference/repository"),
        images("HOST/app|cat", "reference/repository"),
        images("'HOST/app'", "reference/registry"),
        images("\"HOST/app\"", "reference/registry"),
        images("::set-output name=digest::x", "reference/tag"),
        images("::error::x", "reference/tag"),
        images("##[error]x", "reference/repository"),
        images("--fulcio-url=https://x.example", "reference/scheme"),
        images("-r", "reference/repository"),
        images("--", "reference/repository"),
        images("HOST/app\u{1b}[2Jx", "reference/repository"),
        images("HOST/app\u{7}", "reference/repository"),
        images("HOST/app\u{85}x", "reference/repository"),
        images("HOST/app\u{202e}x", "reference/repository"),
        images("https://HOST/app", "reference/scheme"),
        images(ONE, "images/no-repository"),
        row(&[("AMBISIGN_IMAGES", "HOST/app:1"), strict], "settings/tag"),
        row(&[("AMBISIGN_IMAGES", "HOST/app"), strict], "settings/tag"),
        row(&[("AMBISIGN_IMAGES", &good), ("AMBISIGN_DIGEST", OTHER)], "images/digest"),
        row(&[("AMBISIGN_IMAGES", "HOST/app"), ("AMBISIGN_DIGEST", "latest")], "settings/value"),
        row(&[("AMBISIGN_IMAGES", "HOST/app"), ("AMBISIGN_DIGEST", "$(x)")], "settings/value"),
        row(&[("AMBISIGN_DIGEST", ONE)], "settings/no-images"),
        row(&[("AMBISIGN_TAGS", "HOST/app:1")], "settings/incomplete"),
        row(&[("AMBISIGN_TAGS", "\n"), ("AMBISIGN_DIGEST", ONE)], "settings/empty"),
        row(&[("AMBISIGN_TAGS", "$(x)"), ("AMBISIGN_DIGEST", ONE)], "reference/repository"),
        row(&[("AMBISIGN_IMAGES", &good), ("AMBISIGN_RECURSIVE", "yes")], "settings/value"),
    ];
    // One bad name among 500 is enough.
    let mut many: Vec<String> = (0..499).map(|at| format!("HOST/app{at}@{ONE}")).collect();
    many.push("HOST/app:".to_owned());
    rows.push(images(&many.join("\n"), "reference/tag"));
    for text in ["key", "=value", "a=1\na=2", "a=\u{1b}]0;x", "a=1\n$(touch executed)"] {
        let code = if text.starts_with("a=1\na") { "settings/twice" } else { "settings/value" };
        rows.push(row(&[("AMBISIGN_IMAGES", &good), ("AMBISIGN_ANNOTATIONS", text)], code));
    }
    play(&rows);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
#[rustfmt::skip] // One row a line, or the table cannot be read.
fn metadata_and_files_that_cannot_be_used() {
    let dir = TempDir::new().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let (absent, folder) = (
        dir.path().join("absent").display().to_string(),
        dir.path().display().to_string(),
    );
    let verdict = br#"{"schema":"urn:ambisign:verdict:v1","images":[]}"#;
    let subject = |digest: &str, name: &str| {
        format!(r#"{{"version":1,"subjects":[{{"name":"{name}","digest":"{digest}","kind":"oci"}}]}}"#)
    };
    let built = |digest: &str| format!(r#"{{"containerimage.digest":"{digest}","image.name":"HOST/app"}}"#);
    let bake = format!(r#"{{"a":{},"b":{}}}"#, built(ONE), built(OTHER));
    let metadata = |text: &str, code| row(&[("AMBISIGN_METADATA", text)], code);
    let listed = |path: &str, code| row(&[("AMBISIGN_IMAGES_FILE", path)], code);
    let artifacts = |path: &str, code| row(&[("GITHUB_ARTIFACTS_LIST", path)], code);
    play(&[
        metadata("{", "settings/value"),
        metadata("{}", "settings/value"),
        metadata("metadata.json", "settings/value"),
        metadata(r#"{"containerimage.digest":"$(touch executed)"}"#, "settings/value"),
        metadata(&built("latest"), "settings/value"),
        metadata(&built(ONE).replace("HOST/app", ""), "images/nothing"),
        metadata(&built(ONE).replace("HOST/app", "-x,::y"), "reference/repository"),
        row(&[("AMBISIGN_METADATA", &bake), ("AMBISIGN_IMAGES", "HOST/app")], "images/several-digests"),
        row(&[("AMBISIGN_METADATA", &built(ONE)), ("AMBISIGN_DIGEST", OTHER)], "images/digest"),
        listed(&absent, "images/read"),
        listed(&folder, "images/read"),
        listed("/dev/zero", "images/read"),
        listed(&file("empty", b""), "images/nothing"),
        listed(&file("comments", b"# none\n\n  # at all\n"), "images/nothing"),
        listed(&file("half", br#"{"schema":"urn:ambisign:result:v1","images":[{"#), "images/malformed"),
        listed(&file("verdict", verdict), "images/malformed"),
        listed(&file("utf16", b"\xff\xfea\0/\0b\0"), "images/malformed"),
        listed(&file("nul", b"HOST/app\0"), "reference/repository"),
        listed(&file("shell", b"$(touch executed)\n"), "reference/repository"),
        listed(&file("two", b"a.io/b:1 c.io/d:1\n"), "reference/repository"),
        listed(&file("digest", ONE.as_bytes()), "images/no-repository"),
        listed(&file("command", b"::set-output name=x::y\n"), "reference/tag"),
        artifacts(&absent, "images/nothing"),
        artifacts(&folder, "images/read"),
        artifacts(&file("none", b""), "images/nothing"),
        artifacts(&file("broken", b"{\"version\":1"), "images/malformed"),
        artifacts(&file("version", b"{\"version\":2,\"subjects\":[]}"), "images/malformed"),
        artifacts(&file("no-digest", subject("latest", "a.io/b").as_bytes()), "images/malformed"),
        artifacts(&file("hostile", subject(ONE, "$(touch executed)").as_bytes()), "reference/repository"),
        artifacts(&file("dash", subject(ONE, "-r").as_bytes()), "reference/repository"),
    ]);
}
