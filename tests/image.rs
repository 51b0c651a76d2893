// SPDX-License-Identifier: Apache-2.0
//! The container image and the files of a release: taken apart, run by users that CI systems run it
//! as, and judged by others.
#![cfg(test)]

#[path = "image/checks.rs"]
mod checks;
mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use common::{
    Container, Cosign, Finished, Flavour, GITHUB_IDENTITY, Log, NONROOT, Program, Registry, Stack,
    assert_no_canary, finish, release, released,
};

/// A user that no image knows.
const STRANGER: u32 = 12_345;
/// The largest image, unpacked, in bytes.
const SIZE: u64 = 12_000_000;
/// Any time.
const EPOCH: &str = "1700000000";

/// `ambisign sign` in the image, with files of the stack mounted and a fresh token.
fn sign(stack: &Stack, container: &Container, program: Program) -> Program {
    let trusted_root = container.mount(stack.var("TRUSTED_ROOT"));
    let signing_config = container.mount(Log::V1.signing_config(stack));
    program
        .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]))
        .args(["/ambisign", "sign", "--trusted-root", &trusted_root])
        .args(["--signing-config", &signing_config])
}

/// The builder that a file names, as `rust:VERSION-bookworm@sha256:...`.
fn builder(file: &str) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let words = text.split_whitespace();
    let mut builders = words.filter(|word| word.starts_with("rust:"));
    let builder = builders.next().unwrap().to_owned();
    assert_eq!(builders.next(), None, "{file}");
    builder
}

#[test]
fn engine_workflow_and_gate_use_the_toolchain_of_the_project_on_debian_12() {
    let toolchain = include_str!("../rust-toolchain.toml");
    let channel = toolchain.split('"').nth(1).unwrap();
    let version = channel.rsplit_once('.').unwrap().0;
    let docker = builder("Dockerfile");
    assert!(docker.starts_with(&format!("rust:{version}-bookworm@sha256:")));
    assert_eq!(docker, builder(".github/workflows/release.yml"));
    // The real stack needs Debian 12, and root, which a container has.
    assert_eq!(docker, builder(".github/workflows/ci.yml"));
}

/// Every path below `folder`, as seen from there.
fn paths(folder: &Path, below: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = Path::new(below).join(entry.file_name());
        let path = path.to_str().unwrap();
        found.insert(path.to_owned());
        if entry.file_type().unwrap().is_dir() {
            found.extend(paths(folder, path));
        }
    }
    found
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_image_is_the_program_and_what_it_reads() {
    let container = Container::unpack(Flavour::Scratch);
    let found: Vec<_> = paths(container.path(), "").into_iter().collect();
    let expected = [
        "ambisign",
        "etc",
        "etc/group",
        "etc/passwd",
        "etc/ssl",
        "etc/ssl/certs",
        "etc/ssl/certs/ca-certificates.crt",
        "home",
        "home/nonroot",
        "root",
        "tmp",
    ];
    assert_eq!(found, expected);
    let shell = container.run_as(0).args(["/bin/sh", "-c", "true"]).run();
    assert_eq!(shell.code, Some(127), "{shell}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_image_runs_as_anybody() {
    let container = Container::unpack(Flavour::Scratch);
    let version = format!("ambisign {}\n", env!("CARGO_PKG_VERSION"));
    for user in [0, NONROOT, STRANGER] {
        for program in [container.run_as(user), container.read_only(user)] {
            let run = program.args(["/ambisign", "--version"]).run().expect(0);
            assert_eq!(run.stdout, version);
        }
        let env = container.run_as(user).args(["/ambisign", "env"]);
        assert!(env.run().expect(0).stdout.contains("AMBISIGN_OUTPUT"));
    }
}

/// The reason for which the image runs as root, and another one does not: docs/install.md.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn only_root_reads_what_a_ci_system_mounts_for_root() {
    let container = Container::unpack(Flavour::Scratch);
    let workspace = container.path().join("workspace");
    fs::create_dir(&workspace).unwrap();
    fs::write(workspace.join("images.txt"), "ghcr.io/acme/app:v1\n").unwrap();
    fs::set_permissions(&workspace, fs::Permissions::from_mode(0o700)).unwrap();
    let run = |user| {
        let words =
            ["/ambisign", "sign", "--require-digest", "--images-file", "/workspace/images.txt"];
        container.without_network(user).args(words).run().expect(2)
    };
    // The list was read: it names a tag.
    let as_root = run(0);
    assert!(as_root.stderr.contains("code: settings/tag;"), "{as_root}");
    let as_nonroot = run(NONROOT);
    assert!(as_nonroot.stderr.contains("Permission denied"), "{as_nonroot}");
    assert!(as_nonroot.stderr.contains("/workspace/images.txt"), "{as_nonroot}");
}

#[test]
fn the_manual_says_as_whom_each_image_runs_and_why() {
    let manual = include_str!("../docs/install.md");
    let row = |tag: &str| {
        let mut rows = manual.lines().filter(|line| line.starts_with(&format!("| `:1.2.3{tag}`")));
        rows.next().unwrap_or_else(|| panic!("no row for `{tag}`")).to_owned()
    };
    let nonroot = NONROOT.to_string();
    for (tag, user) in [("", "root"), ("-nonroot", &nonroot), ("-shell", "root")] {
        let columns: Vec<_> = row(tag).split('|').map(|cell| cell.trim().to_owned()).collect();
        assert!(columns[3].ends_with(user), "{tag}: {columns:?}");
        assert!(!columns[4].is_empty(), "{tag}: {columns:?}");
    }
    assert!(manual.contains("`:latest` runs as root because "), "{manual}");
    // The engine builds the same: one stage has a user, and the last one is another.
    let docker = include_str!("../Dockerfile");
    let users: Vec<_> = docker.lines().filter(|line| line.starts_with("USER ")).collect();
    assert_eq!(users, [format!("USER {NONROOT}:{NONROOT}")]);
    assert!(docker.trim_end().ends_with("\nFROM program"), "{docker}");
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_image_signs_as_anybody() {
    let (stack, container) = (Stack::shared(), Container::unpack(Flavour::Scratch));
    let rows = [
        ("root", container.run_as(0).env("HOME", "/root")),
        ("nonroot", container.run_as(NONROOT).env("HOME", "/home/nonroot")),
        // Without `HOME`, and nothing can be written.
        ("stranger", container.read_only(STRANGER)),
    ];
    for (name, program) in rows {
        let image = stack.push(Registry::Fallback, &format!("image/{name}"), 1);
        // What is mounted was there before: the root may be read-only.
        let run = sign(&stack, &container, program).arg(image.reference());
        run.run().expect(0);
        Cosign::Three.verify(&stack, &image, &[]).expect(0);
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_image_without_network_says_so_and_ends() {
    let (stack, container) = (Stack::shared(), Container::unpack(Flavour::Scratch));
    let token = stack.token("github", &[]);
    let run = container
        .without_network(NONROOT)
        .env("SIGSTORE_ID_TOKEN", &token)
        .args(["/ambisign", "sign", "--timeout", "20s"])
        .arg(format!("registry.example.com/app@sha256:{}", "0".repeat(64)))
        .run()
        .expect(75);
    assert!(run.stderr.contains("code: registry/unreachable; exit 75"), "{run}");
    assert!(run.stderr.contains("nothing was signed or uploaded"), "{run}");
    assert_no_canary(&[&token], &run.outputs());
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_shell_flavour_runs_commands() {
    let container = Container::unpack(Flavour::Shell);
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let script = "set -eu; cd $(mktemp -d); ambisign --version | tee said; test -s said; env | grep -q ^PATH=";
    for user in [0, STRANGER] {
        let run = container.run_as(user).env("PATH", path);
        let run = run.args(["sh", "-c", script]).run().expect(0);
        assert_eq!(run.stdout, format!("ambisign {}\n", env!("CARGO_PKG_VERSION")));
    }
    // Every name leads to something that busybox knows.
    let names = "for link in /bin/*; do echo ${link##*/}; done; /bin/busybox --list";
    let run = container.run_as(0).env("PATH", path);
    let said = run.args(["sh", "-c", names]).run().expect(0).stdout;
    let all: Vec<_> = said.lines().collect();
    let unique: BTreeSet<_> = all.iter().collect();
    let links = fs::read_dir(container.path().join("bin")).unwrap().count();
    assert_eq!(all.len() - unique.len(), links);
}

/// An OCI layout with every flavour, and the `(digest, tag)` of each.
fn layout(folder: &Path, source: &str) -> Vec<(String, String)> {
    layout_of(released().parent().unwrap(), folder, source)
}

/// The same with the programs in the folder `binaries`.
fn layout_of(binaries: &Path, folder: &Path, source: &str) -> Vec<(String, String)> {
    let mut image = release("image");
    image.arg("build").arg(folder).arg("--binaries");
    image.arg(binaries);
    image.args(["--version", "1.2.3", "--revision", "abc", "--source", source]);
    image.env("SOURCE_DATE_EPOCH", EPOCH);
    let said = finish(image);
    let pairs = said.lines().map(|line| line.split_once(' ').unwrap());
    pairs.map(|(digest, tag)| (digest.to_owned(), tag.to_owned())).collect()
}

fn blob(layout: &Path, descriptor: &Value) -> Value {
    let digest = descriptor["digest"].as_str().unwrap().replace(':', "/");
    serde_json::from_slice(&fs::read(layout.join("blobs").join(digest)).unwrap()).unwrap()
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn two_builds_of_the_image_are_one() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let built = layout(one.path(), "https://example.com/ambisign");
    assert_eq!(built, layout(two.path(), "https://example.com/ambisign"));
    let tags: Vec<_> = built.iter().map(|(_, tag)| tag.as_str()).collect();
    assert_eq!(tags, ["1.2.3", "1.2.3-nonroot", "1.2.3-shell"]);
    let differ = Program::new("/usr/bin/diff").arg("-r");
    differ.arg(one.path()).arg(two.path()).run().expect(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_image_says_what_it_is_and_is_small() {
    let folder = TempDir::new().unwrap();
    layout(folder.path(), "https://example.com/ambisign");
    let index: Value =
        serde_json::from_slice(&fs::read(folder.path().join("index.json")).unwrap()).unwrap();
    let flavours = [
        (serde_json::json!(["/ambisign"]), Value::Null),
        (serde_json::json!(["/ambisign"]), Value::from("65532:65532")),
        (Value::Null, Value::Null),
    ];
    for (flavour, (entrypoint, user)) in index["manifests"].as_array().unwrap().iter().zip(flavours)
    {
        let list = blob(folder.path(), flavour);
        let manifest = blob(folder.path(), &list["manifests"][0]);
        let config = blob(folder.path(), &manifest["config"]);
        assert_eq!(config["config"]["Entrypoint"], entrypoint);
        assert_eq!(config["config"]["User"], user);
        let labels = &config["config"]["Labels"];
        assert_eq!(labels, &manifest["annotations"]);
        assert_eq!(labels, &list["annotations"]);
        for (name, value) in [
            ("created", "2023-11-14T22:13:20Z"),
            ("revision", "abc"),
            ("source", "https://example.com/ambisign"),
            ("title", "ambisign"),
            ("version", "1.2.3"),
        ] {
            assert_eq!(labels[format!("org.opencontainers.image.{name}")], value);
        }
    }
    for flavour in [Flavour::Scratch, Flavour::Shell] {
        let container = Container::unpack(flavour);
        let files = paths(container.path(), "").into_iter();
        let sizes = files.map(|path| fs::symlink_metadata(container.path().join(path)).unwrap());
        let size: u64 = sizes.filter(fs::Metadata::is_file).map(|file| file.len()).sum();
        assert!(size <= SIZE, "{flavour:?}: {size} bytes");
    }
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_images_are_pushed_as_built_and_signed_before_they_are_tagged() {
    let (stack, folder) = (Stack::alone(), TempDir::new().unwrap());
    let built = layout(&folder.path().join("image"), "https://example.com/ambisign");
    let host = Registry::Fallback.host(&stack);
    let insecure = format!("[[registry]]\nlocation = \"{host}\"\ninsecure = true\n");
    let settings = folder.path().join(".config/containers");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("registries.conf"), insecure).unwrap();
    let mut push = release("push");
    push.arg(folder.path().join("image"))
        .arg(format!("{host}/image/ambisign"))
        .arg(released())
        .args(["--trusted-root", stack.var("TRUSTED_ROOT")])
        .arg("--signing-config")
        .arg(Log::V1.signing_config(&stack))
        .env("HOME", folder.path())
        .env("SIGSTORE_ID_TOKEN", stack.token("github", &[]));
    finish(push);

    let crane = |arguments: [&str; 3]| stack.program("crane").args(arguments).run().expect(0);
    let tagged = |tag: &str| format!("{host}/image/ambisign:{tag}");
    for (digest, tag) in &built {
        let names = match tag.strip_prefix("1.2.3") {
            Some("") => vec!["1.2.3".to_owned(), "1.2".into(), "1".into(), "latest".into()],
            Some(suffix) => ["1.2.3", "1.2", "1"]
                .map(|version| format!("{version}{suffix}"))
                .into_iter()
                .chain([suffix.trim_start_matches('-').to_owned()])
                .collect(),
            None => panic!("{tag}"),
        };
        for name in names {
            let found = crane(["digest", "--insecure", &tagged(&name)]).stdout;
            assert_eq!(found.trim(), digest, "{name}");
        }
        stack
            .program("crane")
            .args(["validate", "--insecure", "--remote", &tagged(tag)])
            .run()
            .expect(0);
    }
    let journal = stack.journal();
    let last = |needle: &str| journal.iter().rposition(|asked| asked.path.contains(needle));
    let tag = journal
        .iter()
        .position(|asked| asked.method == "PUT" && asked.path.ends_with("/manifests/1.2.3"));
    assert!(last("log/entries") < tag, "the tag is there before the signature");
}

/// cosign on a file of the release.
fn verdict(stack: &Stack, folder: &Path, file: &str) -> Finished {
    let issuer = stack.issuer("github");
    Cosign::Three
        .program(stack)
        .args(["verify-blob", "--trusted-root", stack.var("TRUSTED_ROOT")])
        .args(["--certificate-identity", GITHUB_IDENTITY])
        .args(["--certificate-oidc-issuer", &issuer])
        .args(["--bundle", &format!("{file}.sigstore.json"), file])
        .dir(folder)
        .run()
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_files_of_a_release_are_signed_by_the_release() {
    let (stack, folder) = (Stack::shared(), TempDir::new().unwrap());
    let program = released().file_name().unwrap().to_str().unwrap();
    fs::copy(released(), folder.path().join(program)).unwrap();
    let mut pack = release("pack");
    pack.arg(folder.path()).env("SOURCE_DATE_EPOCH", EPOCH);
    finish(pack);
    let mut sign = release("sign");
    sign.arg(folder.path()).env("SIGSTORE_ID_TOKEN", stack.token("github", &[]));
    sign.args(["--trusted-root", stack.var("TRUSTED_ROOT"), "--signing-config"]);
    sign.arg(Log::V1.signing_config(&stack));
    finish(sign);
    let (archive, bill) = (format!("{program}.tar.gz"), format!("{program}.cdx.json"));
    for file in [program, &archive, &bill, "SHA256SUMS"] {
        verdict(&stack, folder.path(), file).expect(0);
    }

    let list = Program::new("/bin/tar").arg("-tf").arg(folder.path().join(archive));
    let list = list.env("PATH", "/usr/bin:/bin").run().expect(0).stdout;
    for part in ["ambisign", "LICENSE", "man/ambisign-sign.1", "completions/ambisign.bash"] {
        assert!(list.lines().any(|line| line == format!("{program}/{part}")), "{list}");
    }
    let bill = fs::read(folder.path().join(bill)).unwrap();
    let bill: Value = serde_json::from_slice(&bill).unwrap();
    let parts = bill["components"].as_array().unwrap();
    let named = |name: &str| parts.iter().any(|part| part["name"] == name);
    assert!(named("aws-lc-sys") && named("ambisign-providers"));
    // Other members of the workspace link it, and other targets.
    assert!(!named("ring") && !named("ambisign-sandbox"));
}
