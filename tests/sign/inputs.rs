// SPDX-License-Identifier: Apache-2.0
//! Every way to say which images are signed.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{Cosign, Finished, Image, Log, Registry, Stack};
use crate::job::Job;

/// `host/repository:tag`.
fn tag(image: &Image, tag: &str) -> String {
    format!("{}/{}:{tag}", image.host, image.repository)
}

/// Two images of two repositories, of which the first has a copy elsewhere.
fn pushed(stack: &Stack, name: &str) -> [Image; 3] {
    let one = stack.push(Registry::Fallback, &format!("inputs/{name}"), 1);
    let copy = stack.copy(&one, Registry::Referrers, &format!("inputs/{name}-copy"));
    let other = stack.push(Registry::Referrers, &format!("inputs/{name}-other"), 1);
    [one, copy, other]
}

#[track_caller]
fn assert_signed(stack: &Stack, run: &Finished, images: &[&Image]) {
    let expected: Vec<String> = images.iter().map(|image| image.reference()).collect();
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), expected, "{run}");
    for image in images {
        Cosign::Three.verify(stack, image, &[]).expect(0);
    }
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn by_a_list_in_a_variable() {
    let stack = Stack::shared();
    let [one, copy, other] = pushed(&stack, "variable");
    let list = format!(
        "\n  {},{}\n\t{}\n{}\n",
        one.reference(),
        copy.reference(),
        other.tagged(),
        one.reference()
    );
    let job = Job::ready(&stack, Log::V1).env("AMBISIGN_IMAGES", list);
    let run = job.run().expect(0);
    assert!(run.stderr.contains("images      from `AMBISIGN_IMAGES`\n"));
    assert_signed(&stack, &run, &[&one, &copy, &other]);
}

/// The owner of `${{ github.repository }}` may have upper-case letters.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn by_names_without_digest_and_a_digest() {
    let stack = Stack::shared();
    let [one, copy, _] = pushed(&stack, "digest");
    let names = [
        tag(&one, "RC1").replace("inputs", "Inputs"),
        format!("{}/{}", copy.host, copy.repository),
    ];
    let job = Job::ready(&stack, Log::V1)
        .env("AMBISIGN_IMAGES", names.join(" "))
        .env("AMBISIGN_DIGEST", &one.digest)
        .env("AMBISIGN_REQUIRE_DIGEST", "true");
    let run = job.run().expect(0);
    assert!(
        run.stderr.contains("warning: image 1 of `AMBISIGN_IMAGES` was converted to lower case"),
        "{run}"
    );
    assert_signed(&stack, &run, &[&one, &copy]);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn by_what_docker_says_of_a_build() {
    let stack = Stack::alone();
    let [one, copy, other] = pushed(&stack, "docker");
    let tags = format!("{}\n{}\n{}", tag(&one, "v1"), tag(&one, "v1.2"), copy.tagged());
    stack.reset_journal();
    let job = Job::ready(&stack, Log::V1).args(["--tags", &tags, "--digest", &one.digest]);
    assert_signed(&stack, &job.run().expect(0), &[&one, &copy]);
    // One digest, one entry.
    assert_eq!(stack.made().get("tsa"), Some(&1));
    let built = |image: &Image, names: &[String]| {
        json!({"buildx.build.ref": "default/default/x", "containerimage.digest": image.digest,
               "image.name": names.join(",")})
    };
    let of_one = built(&one, &[tag(&one, "v1"), tag(&one, "v1.2"), copy.tagged()]);
    let metadata =
        |value: &Value| Job::ready(&stack, Log::V2).env("AMBISIGN_METADATA", value.to_string());
    assert_signed(&stack, &metadata(&of_one).run().expect(0), &[&one, &copy]);
    let bake = json!({"app": of_one, "other": built(&other, &[other.tagged()])});
    let run = metadata(&bake).run().expect(0);
    assert_signed(&stack, &run, &[&one, &copy, &other]);
    // Its digest is of use where others name the image.
    let job = metadata(&built(&other, &[])).args([other.tagged()]);
    assert_signed(&stack, &job.run().expect(0), &[&other]);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn by_a_file() {
    let stack = Stack::shared();
    let [one, copy, other] = pushed(&stack, "file");
    let dir = TempDir::new().unwrap();
    // ko, apko and crane write references; kaniko writes tag and digest.
    let kaniko = format!("{}@{}", copy.tagged(), copy.digest);
    let lines = format!(
        "# pushed\r\n{}\r\n\r\n{kaniko}  # with its tag\n{}",
        one.reference(),
        other.reference()
    );
    let path = write(dir.path(), "images.txt", &lines);
    let all = [&one, &copy, &other];
    let job = Job::ready(&stack, Log::V1).args(["--images-file", &path, "--require-digest"]);
    let run = job.run().expect(0);
    assert!(!run.stderr.contains("is a tag"), "{run}");
    assert_signed(&stack, &run, &all);
    let job = Job::ready(&stack, Log::V1).args(["--images-file", "-"]);
    let run = job.map(|program| program.stdin(lines.clone())).run();
    assert_signed(&stack, &run.expect(0), &all);
    // What an earlier run said, of which one image was not there.
    let missing = format!("{}/{}:absent", one.host, one.repository);
    let document = Job::ready(&stack, Log::V1)
        .args([one.tagged(), missing.clone(), other.reference()])
        .document(7);
    let path = write(dir.path(), "result.json", &document.to_string());
    let again = || Job::ready(&stack, Log::V1).env("AMBISIGN_IMAGES_FILE", &path);
    let run = again().run().expect(7);
    let signed = format!("{}\n{}\n", one.reference(), other.reference());
    assert_eq!(run.stdout, signed, "{run}");
    assert!(run.stderr.contains(&missing), "{run}");
    // Another list counts more, and that is told.
    let run = again().image(&one).run().expect(0);
    assert!(run.stderr.contains("`AMBISIGN_IMAGES_FILE` is not read"), "{run}");
    assert_eq!(run.stdout, format!("{}\n", one.reference()));
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn by_the_artifacts_of_a_github_job() {
    let stack = Stack::shared();
    let [one, _, other] = pushed(&stack, "artifacts");
    let dir = TempDir::new().unwrap();
    let subject = |name: String, digest: &str, kind: &str| json!({"name": name, "digest": digest, "kind": kind});
    let name = |image: &Image| format!("{}/{}", image.host, image.repository);
    let list = json!({"version": 1, "subjects": [
        subject("dist/app.tar.gz".to_owned(), "sha256:00", "file"),
        subject(name(&one), &one.digest, "oci"),
        subject(other.tagged(), &other.digest, "oci"),
    ]});
    let path = write(dir.path(), "artifacts.json", &list.to_string());
    let job = || Job::new(&stack, Log::V1).github(&stack).env("GITHUB_ARTIFACTS_LIST", &path);
    let run = job().run().expect(0);
    let said = "images      from `GITHUB_ARTIFACTS_LIST`, because nothing else names an image\n";
    assert!(run.stderr.contains(said), "{run}");
    assert_signed(&stack, &run, &[&one, &other]);
    let run = job().image(&other).run().expect(0);
    assert_eq!(run.stdout, format!("{}\n", other.reference()));
    assert!(!run.stderr.contains("GITHUB_ARTIFACTS_LIST"), "{run}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn five_hundred_names_of_one_image() {
    let stack = Stack::alone();
    let image = stack.push(Registry::Fallback, "inputs/many", 1);
    let names = |at| format!("{}@{}", tag(&image, &format!("v{at}")), image.digest);
    let names: Vec<String> = (0..500).map(names).collect();
    stack.reset_journal();
    let job = Job::ready(&stack, Log::V1).env("AMBISIGN_IMAGES", names.join("\n"));
    let document = job.document(0);
    assert_eq!(document["images"].as_array().unwrap().len(), 1);
    assert_eq!(document["images"][0]["requested"].as_array().unwrap().len(), 500);
    assert_eq!(stack.made().get("tsa"), Some(&1));
    assert_eq!(image.signatures().len(), 1);
}

/// Text of an input is no command to the runner, in an error either.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn hostile_names_are_no_commands_to_the_runner() {
    let stack = Stack::shared();
    for (text, what) in [
        ("::set-output name=x::y", ":set-output"),
        ("::add-mask::a", ":add-mask"),
        ("a.io/b:x##[error]", "error"),
        ("a.io/\u{1b}[31mb", "b"),
        ("$(touch executed)", "touch"),
    ] {
        let run =
            Job::new(&stack, Log::V1).github(&stack).env("AMBISIGN_IMAGES", text).run().expect(2);
        for line in run.stderr.lines() {
            let own = line.starts_with("::error title=ambisign%3A reference/");
            assert!(own || !line.trim_start().starts_with("::"), "{run}");
            assert!(!line.contains('\u{1b}') && !line.contains("##["), "{run}");
        }
        assert!(run.stderr.contains(what) && run.stdout.is_empty(), "{run}");
        assert_eq!(std::fs::read_dir(&run.dir).unwrap().count(), 0);
    }
}
