// SPDX-License-Identifier: Apache-2.0
//! Flags and variables in, references or the error out. No file is read here.

use ambisign_host::{Failure, Warning};
use clap::Parser as _;

use super::{Error, built, listed, origin, references};
use crate::cli::{Cli, Command};
use crate::settings::{ImageSettings, Names, Settings};

const A: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
const B: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

type Env<'a> = &'a [(&'a str, &'a str)];

fn settings(flags: &[&str], env: Env<'_>) -> Result<Settings, Failure> {
    let flags = ["ambisign", "sign"].iter().chain(flags).copied();
    let Command::Sign(args) = Cli::try_parse_from(flags).unwrap().command else {
        panic!("not the command `sign`");
    };
    let env = env.iter().copied().collect();
    Settings::resolve(*args, &env).map_err(|error| Failure::of(&error))
}

fn named(settings: &ImageSettings) -> Result<Vec<super::Named>, Error> {
    match &settings.names {
        Names::Given(lists) => Ok(lists.iter().flat_map(listed).collect()),
        Names::Metadata(things, from) => built(things, from),
        Names::Artifacts(_) | Names::File(_) => panic!("a file"),
    }
}

fn read(flags: &[&str], env: Env<'_>) -> Result<(Vec<String>, Vec<Warning>), Failure> {
    let settings = settings(flags, env)?;
    let named = named(&settings.images).map_err(|error| Failure::of(&error))?;
    let read = references(named, &settings.images).map_err(|error| Failure::of(&error));
    let (references, mut warnings) = read?;
    warnings.extend(settings.signing.run.warnings);
    Ok((references.iter().map(ToString::to_string).collect(), warnings))
}

#[track_caller]
fn texts(flags: &[&str], env: Env<'_>) -> Vec<String> {
    let (texts, warnings) = read(flags, env).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    texts
}

#[track_caller]
fn refused(flags: &[&str], env: Env<'_>, code: &str, what: &str) {
    let failure = read(flags, env).unwrap_err();
    assert_eq!(failure.code, code, "{failure:?}");
    assert!(failure.what.contains(what), "{failure:?}");
    assert_eq!(failure.class, ambisign_host::Class::Usage);
    assert!(failure.fix.is_some(), "{failure:?}");
}

fn by(repository: &str, digest: &str) -> String {
    format!("{repository}@{digest}")
}

#[test]
fn a_variable_lists_them_by_newlines_blanks_and_commas() {
    let env = [("AMBISIGN_IMAGES", "\n a.io/b:1,c.io/d:2 \t e.io/f:3\r\na.io/b:1\n")];
    assert_eq!(texts(&[], &env), ["a.io/b:1", "c.io/d:2", "e.io/f:3"]);
    // The command line is another list.
    assert_eq!(texts(&["x.io/y:1"], &env), ["x.io/y:1"]);
}

#[test]
fn a_digest_is_for_all_that_have_none() {
    let one = format!("a.io/b:1 c.io/d@{A} e.io/f");
    let env = [("AMBISIGN_IMAGES", one.as_str()), ("AMBISIGN_DIGEST", A)];
    let all = [by("a.io/b:1", A), by("c.io/d", A), by("e.io/f", A)];
    assert_eq!(texts(&[], &env), all);
    assert_eq!(texts(&["--require-digest"], &env), all);
    let flags = [&format!("c.io/d@{A}"), "--digest", B];
    let what = format!("image 1 of the command line has the digest {A}, but --digest has {B}");
    refused(&flags, &[], "images/digest", &what);
    refused(&["a.io/b", "--digest", "latest"], &[], "settings/value", "--digest");
    refused(&[A, "--digest", A], &[], "images/no-repository", "image 1");
    let id = A.trim_start_matches("sha256:");
    refused(&[id], &[], "images/no-repository", "image 1");
    let env = [("AMBISIGN_REQUIRE_DIGEST", "true")];
    refused(&["a.io/b:1"], &env, "settings/tag", "a.io/b:1");
    refused(&["a.io/b", "--digest", ""], &[], "settings/empty", "--digest");
}

#[test]
fn tags_become_repositories() {
    let tags = "a.io/b:1\na.io/b:latest\nc.io/d:1";
    let repositories = [by("a.io/b", A), by("c.io/d", A)];
    assert_eq!(texts(&["--tags", tags, "--digest", A], &[]), repositories);
    let env = [("AMBISIGN_TAGS", tags), ("AMBISIGN_DIGEST", A)];
    let with = [by("x.io/y", A), by("a.io/b", A), by("c.io/d", A)];
    assert_eq!(texts(&["x.io/y"], &env), with);
    refused(&["--tags", tags], &[], "settings/incomplete", "--tags");
    refused(&["--tags", " \n", "--digest", A], &[], "settings/empty", "--tags");
    let metadata = format!(r#"{{"containerimage.digest":"{A}","image.name":"z.io/z:1"}}"#);
    assert_eq!(texts(&["--tags", tags, "--metadata", &metadata], &[]), repositories);
}

#[test]
fn metadata_names_images_where_nothing_else_does() {
    let built = |digest: &str, names: &str| {
        format!(r#"{{"containerimage.digest":"{digest}","image.name":"{names}"}}"#)
    };
    let metadata = built(A, "docker.io/Acme/app:1,ghcr.io/Acme/app:1,ghcr.io/acme/app:2");
    let env = [("AMBISIGN_METADATA", metadata.as_str())];
    let (texts_, warnings) = read(&[], &env).unwrap();
    assert_eq!(texts_, [by("index.docker.io/acme/app", A), by("ghcr.io/acme/app", A)]);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!(warnings[0].code, "images/lower-case");
    assert_eq!(texts(&["a.io/b:1"], &env), [by("a.io/b:1", A)]);
    refused(&["a.io/b", "--digest", B], &env, "images/digest", "AMBISIGN_METADATA");
    refused(&[&by("a.io/b", B)], &env, "images/digest", "image 1");
    let nameless = built(A, "");
    let env = [("AMBISIGN_METADATA", nameless.as_str())];
    refused(&[], &env, "images/nothing", "`AMBISIGN_METADATA`");
    let bake = format!(r#"{{"app":{},"web":{}}}"#, built(A, "a.io/app"), built(B, "a.io/web"));
    let env = [("AMBISIGN_METADATA", bake.as_str())];
    assert_eq!(texts(&[], &env), [by("a.io/app", A), by("a.io/web", B)]);
    assert_eq!(texts(&[&by("a.io/b", B)], &env), [by("a.io/b", B)]);
    refused(&["a.io/b"], &env, "images/several-digests", "image 1");
    // Which of the two it is, is said once.
    assert_eq!(texts(&["a.io/b", "--digest", B], &env), [by("a.io/b", B)]);
    for broken in ["{", "digest", "[]", r#"{"containerimage.digest":"x"}"#] {
        refused(&[], &[("AMBISIGN_METADATA", broken)], "settings/value", "METADATA");
    }
}

#[test]
fn the_order_is_fixed_and_what_is_not_read_is_told() {
    let metadata = format!(r#"{{"containerimage.digest":"{A}","image.name":"m.io/m"}}"#);
    let all = [
        ("AMBISIGN_IMAGES", "v.io/v"),
        ("AMBISIGN_IMAGES_FILE", "images.txt"),
        ("AMBISIGN_METADATA", metadata.as_str()),
        ("GITHUB_ARTIFACTS_LIST", "list.json"),
    ];
    let named = |from: usize| {
        let settings = settings(&[], &all[from..]).unwrap();
        (settings.signing.run.warnings.len(), origin(&settings.images))
    };
    assert_eq!(named(0), (1, Some("from `AMBISIGN_IMAGES`".to_owned())));
    assert_eq!(named(1), (0, Some("from images.txt".to_owned())));
    assert_eq!(named(2), (0, Some("from the metadata of a build".to_owned())));
    let (_, artifacts) = named(3);
    assert!(artifacts.unwrap().contains("because nothing else names an image"));
    let line = settings(&["c.io/c"], &all).unwrap();
    assert_eq!(origin(&line.images), None);
    assert!(line.signing.run.warnings[0].message.contains("AMBISIGN_IMAGES_FILE"));
    let failure = settings(&[], &all[4..]).unwrap_err();
    assert_eq!(failure.code, "settings/no-images");
    for way in ["AMBISIGN_IMAGES", "--images-file", "--metadata", "--tags"] {
        assert!(failure.fix.as_ref().unwrap().contains(way), "{failure:?}");
    }
    assert_eq!(settings(&[], &[("AMBISIGN_IMAGES", "")]).unwrap_err().code, "settings/no-images");
    assert_eq!(settings(&[], &[("AMBISIGN_IMAGES", " ,\n")]).unwrap_err().code, "settings/empty");
}

#[test]
fn upper_case_owners_are_those_of_workflows() {
    let env = [("AMBISIGN_IMAGES", "ghcr.io/Acme/App:RC1")];
    let (texts, warnings) = read(&[], &env).unwrap();
    assert_eq!(texts, ["ghcr.io/acme/app:RC1"]);
    assert!(warnings[0].message.starts_with("image 1 of `AMBISIGN_IMAGES`"), "{warnings:?}");
    refused(&["ghcr.io/Acme/App"], &[], "reference/repository", "image 1");
    let env = [("AMBISIGN_IMAGES", "User:hunter2@ghcr.io/acme/app")];
    let failure = read(&[], &env).unwrap_err();
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
}

#[test]
fn what_is_no_reference_is_refused_with_its_place() {
    for (text, code) in [
        ("a.io/b:", "reference/tag"),
        ("a.io/b@", "reference/digest"),
        ("--staging", "reference/repository"),
        ("-a.io/b", "reference/registry"),
        ("$(touch x)", "reference/repository"),
        ("`id`", "reference/repository"),
        ("a.io/b;id", "reference/repository"),
        ("::set-output name=x::y", "reference/tag"),
        ("\"a.io/b\"", "reference/registry"),
        ("a.io/b\u{1b}[31m", "reference/repository"),
        ("a.io/b\0", "reference/repository"),
        ("https://a.io/b", "reference/scheme"),
    ] {
        let env = [("AMBISIGN_IMAGES", text)];
        refused(&[], &env, code, "image 1 of `AMBISIGN_IMAGES`");
    }
    let fix = read(&["a.io/b:"], &[]).unwrap_err().fix.unwrap();
    assert!(fix.contains("$$") && fix.contains("$BUILD_ID"), "{fix}");
}
