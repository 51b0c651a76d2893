// SPDX-License-Identifier: Apache-2.0
//! What `fuzz/` asks of every parser of foreign bytes, without a fuzzer: for its seeds, for inputs that
//! are costly on purpose, and for random changes to bundles that are believed.

#[cfg(test)]
#[path = "../fuzz/src/lib.rs"]
pub mod fuzz;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use proptest::collection::vec;
    use proptest::prelude::any;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    use super::fuzz::bend::{self, Choices};
    use super::fuzz::der::{self, Content, Node};
    use super::fuzz::{TARGETS, Target, meaning, seeds, targets, vectors};

    /// How long a check may take in a debug build, on a busy machine. What takes so long for a costly
    /// input takes hours for the longest that is read.
    const LONGEST: Duration = Duration::from_secs(5);

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn read(path: impl AsRef<Path>) -> String {
        std::fs::read_to_string(root().join(path)).unwrap()
    }

    fn run(name: &str, bytes: &[u8]) {
        let is_it = |target: &&Target| target.name == name;
        let target = TARGETS.iter().find(is_it).unwrap();
        let started = Instant::now();
        (target.run)(bytes);
        let took = started.elapsed();

        let start = String::from_utf8_lossy(bytes.get(..40).unwrap_or(bytes));
        assert!(took < LONGEST, "{name}: {took:?} for {start:?}");
    }

    #[test]
    fn every_target_is_there_everywhere() {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        assert!(names.is_sorted());
        let mut files: Vec<String> = std::fs::read_dir(root().join("fuzz/fuzz_targets"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        files.sort();
        assert_eq!(files, names);
        let (manifest, readme) = (read("fuzz/Cargo.toml"), read("fuzz/README.md"));
        for name in names {
            let path = format!("fuzz_targets/{name}.rs");
            assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"{path}\"")));
            let call = format!("ambisign_fuzz::targets::{name}(bytes)");
            assert!(read(format!("fuzz/{path}")).contains(&call), "{path}");
            assert!(readme.contains(&format!("| `{name}` |")), "{name}");
        }
    }

    /// Files of providers parse answers of token services, with this target, unless they are listed
    /// below.
    const PROVIDERS: (&str, &str) = ("providers/src/", "provider_answer");

    /// Where bytes are parsed, and the target that does it; empty with a reason why there is none.
    const PARSERS: &[(&str, &str)] = &[
        ("host/src/http/roots.rs", ""), // files of the machine's and of the user's own
        ("host/src/http/send.rs", "provider_answer"),
        ("host/src/json.rs", "provider_answer"),
        ("providers/src/providers/explicit.rs", "token"),
        ("providers/src/providers/google/adc.rs", ""), // a file of the user's own
        ("sigstore/src/bundle/mod.rs", "bundle"),
        ("sigstore/src/certificate/claims.rs", "certificate"),
        ("sigstore/src/certificate/names.rs", "certificate"),
        ("sigstore/src/certificate/sct.rs", "certificate"),
        ("sigstore/src/fulcio/wire.rs", "fulcio_answer"),
        ("sigstore/src/identity/claims.rs", "token"),
        ("sigstore/src/preflight/authority.rs", "fulcio_answer"),
        ("sigstore/src/preflight/log.rs", "fulcio_answer"),
        ("sigstore/src/service.rs", ""), // whether an answer has one member
        ("src/images/artifacts.rs", "image_list"),
        ("src/images/file.rs", "image_list"),
        ("registry/src/http/auth.rs", "registry_answer"),
        ("registry/src/login/docker_config.rs", "docker_config"),
        ("registry/src/fuzzing.rs", "registry_answer"),
        ("registry/src/login/helper.rs", ""), // two members of a program that the user chose
        ("registry/src/read/index.rs", "registry_answer"),
        ("registry/src/read/signatures.rs", "registry_answer"),
        ("registry/src/read/manifest.rs", "registry_answer"),
        ("registry/src/read/referrers.rs", "registry_answer"),
        ("registry/src/read/tags.rs", "registry_answer"),
        ("src/report/github/outputs.rs", ""), // the document of the run itself
        ("src/settings/metadata.rs", "image_list"),
        ("src/settings/policy.rs", ""), // a file of the user's own
        ("sigstore/src/lookalike/payload.rs", "lookalike"),
        ("sigstore/src/pki/keys.rs", "trusted_root"),
        ("sigstore/src/trust/files.rs", ""), // two documents, each parsed again by itself
        ("sigstore/src/trust/root.rs", "trusted_root"),
        ("sigstore/src/trust/services.rs", "signing_config"),
        ("sigstore/src/pki/names.rs", "certificate"),
        ("sigstore/src/pki/path.rs", ""), // two numbers
        ("sigstore/src/pki/x509.rs", "certificate"),
        ("sigstore/src/trust/create/material.rs", ""), // keys and certificates of files of the user's own
        ("sigstore/src/trust/tuf/cache.rs", ""), // what the program wrote; what it holds is verified again
        ("sigstore/src/trust/tuf/document.rs", "tuf_metadata"),
        ("sigstore/src/verify/legacy.rs", "legacy_signature"),
        ("sigstore/src/statement/read.rs", "statement"),
        ("sigstore/src/log/body.rs", "log_entry"),
        ("sigstore/src/log/entry/form.rs", "log_entry"),
        ("sigstore/src/timestamp/identifier.rs", "timestamp"),
        ("sigstore/src/timestamp/token.rs", "timestamp"),
    ];

    #[test]
    fn every_parser_has_a_target() {
        const MARKS: [&str; 6] = [
            "json::parse",
            ".json()",
            ".json::<",
            "from_der(",
            "serde_json::from_",
            "serde_json::Deserializer",
        ];
        let mut found = BTreeSet::new();
        let mut folders: Vec<_> =
            ["host/src", "providers/src", "registry/src", "sigstore/src", "src"]
                .map(PathBuf::from)
                .into();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
                let path = folder.join(entry.unwrap().file_name());
                let is_test = path.ends_with("tests") || path.ends_with("testing.rs");
                if is_test || path.ends_with("tests.rs") {
                    continue;
                }
                if root().join(&path).is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = read(&path);
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                if MARKS.iter().any(|mark| code.contains(mark)) {
                    found.insert(path.to_str().unwrap().to_owned());
                }
            }
        }
        let listed: BTreeSet<String> = PARSERS.iter().map(|(path, _)| (*path).to_owned()).collect();
        let differ = found.symmetric_difference(&listed);
        let differ: Vec<_> = differ.filter(|path| !path.starts_with(PROVIDERS.0)).collect();
        assert!(differ.is_empty(), "parsers here or in the list alone: {differ:?}");
        for (path, name) in PARSERS.iter().chain([&PROVIDERS]) {
            let known = TARGETS.iter().any(|target| target.name == *name);
            assert!(known || name.is_empty(), "{path}: {name}");
        }
    }

    #[test]
    fn the_seeds_hold() {
        for target in TARGETS {
            let seeds = seeds::of(target.name);
            assert!(!seeds.is_empty(), "{}", target.name);
            for seed in &seeds {
                run(target.name, seed);
            }
        }
    }

    #[test]
    fn changes_that_leave_nothing_are_no_bundle() {
        let choices =
            "ace9262963a0d725262729283a2b2cd1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d12d2effff";
        targets::mutated_bundle(&hex::decode(choices).unwrap());
    }

    /// Changes to the structure of bundles that are believed: bits, members, items, values of DER, parts
    /// of other bundles. Only what `fuzz/src/meaning.rs` lists may differ.
    #[test]
    fn a_changed_bundle_is_refused() {
        const CASES: u32 = 4000;
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut runner = TestRunner::new_with_rng(config, random);
        let believed = Cell::new(0);
        let changes = vec(any::<u8>(), 12..48);
        let outcome = runner.run(&changes, |bytes| {
            let (vector, changed) = bend::bent(&mut Choices(&bytes));
            if targets::judge(vector, changed) {
                believed.set(believed.get() + 1);
            }
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{error}");
        }
        // Were nothing believed, the changes would be too wild to prove anything.
        let believed = believed.get();
        assert!((40..CASES / 10).contains(&believed), "{believed} of {CASES}");
    }

    #[test]
    fn another_bundle_differs() {
        let all = vectors::all();
        for (one, other) in all.iter().zip(all.iter().skip(1)) {
            let itself = one.verify(one.bytes.clone()).unwrap();
            assert_eq!(meaning::difference(one, &itself), None, "{}", one.name);
            let same = one.bundle.certificate() == other.bundle.certificate();
            let differs = meaning::difference(other, &itself).is_some();
            assert!(differs || same, "{} and {}", one.name, other.name);
        }
    }

    #[test]
    fn costly_json_costs_little() {
        const LENGTH: usize = 256 * 1024;
        let keys: String = (0..LENGTH / 10).map(|n| format!("\"k{n}\":1,")).collect();
        let long = "x".repeat(LENGTH);
        let inputs = [
            "[".repeat(LENGTH),
            "{\"a\":".repeat(LENGTH / 5),
            format!("{{{keys}\"k1\":1}}"),
            format!("{{\"a\":{}}}", "9".repeat(LENGTH)),
            format!("{{\"a\":0.{}1e-9999999999}}", "0".repeat(LENGTH)),
            format!("{long:?}"),
            format!("{{{long:?}:1,{long:?}:2}}"),
            format!("{{\"mediaType\":{long:?},\"schemaVersion\":{long:?},\"auths\":{long:?}}}"),
        ];
        for target in TARGETS {
            for input in &inputs {
                run(target.name, input.as_bytes());
            }
        }
    }

    #[test]
    fn costly_text_costs_little() {
        const LENGTH: usize = 64 * 1024;
        let hosts = [
            format!("xn--{}", "9".repeat(LENGTH / 4)),
            format!("xn--{}-{}", "a".repeat(LENGTH / 4), "b".repeat(LENGTH / 4)),
            "\u{fc}".repeat(LENGTH / 2),
            "\u{fc}.".repeat(LENGTH / 3),
        ];
        for host in hosts {
            run("challenge", format!("Bearer realm=\"https://{host}/\"").as_bytes());
            let token = format!("\0{{\"iss\":\"https://{host}/\"}}");
            run("token", token.as_bytes());
            let config = seeds::of("signing_config").remove(0);
            let config = String::from_utf8(config).unwrap();
            run("signing_config", config.replace("fulcio.", &host).as_bytes());
        }
        for text in ["a=b ", "Bearer ", "\\", "\"", ",", "<a>;x,"] {
            let long = text.repeat(LENGTH / text.len());
            run("challenge", long.as_bytes());
            run("challenge", format!("Bearer a=\"{long}").as_bytes());
        }
        for text in ["a/", "a.", "a-", "-", ":", "@", "["] {
            let long = text.repeat(LENGTH / text.len());
            run("image_reference", long.as_bytes());
            run("image_reference", format!("registry.example/a{long}a").as_bytes());
        }
        for text in ["\n\n", "\u{2014} a AAAAAAAA\n"] {
            let long = text.repeat(LENGTH / text.len());
            run("note", format!("a\n1\nx\n\n{long}").as_bytes());
        }
        run("token", ".".repeat(LENGTH).as_bytes());
    }

    fn value(tag: u8, bytes: &[u8]) -> Node {
        Node { tag: vec![tag], content: Content::Bytes(bytes.to_vec()) }
    }

    fn list(tag: u8, nodes: Vec<Node>) -> Node {
        Node { tag: vec![tag], content: Content::Nodes(nodes) }
    }

    /// The values inside of the value at `path`.
    fn inside<'a>(nodes: &'a mut Vec<Node>, path: &[usize]) -> &'a mut Vec<Node> {
        let Some((first, rest)) = path.split_first() else {
            return nodes;
        };
        match &mut nodes[*first].content {
            Content::Nodes(inner) => inside(inner, rest),
            Content::Bytes(_) => panic!("no list"),
        }
    }

    /// As many different object identifiers.
    fn identifiers(count: u16) -> impl Iterator<Item = Node> {
        (0..count).map(|n| {
            let arc = [0x84 | (n >> 14), 0x80 | (n >> 7 & 0x7f), n & 0x7f];
            let arc = arc.map(|digit| u8::try_from(digit).unwrap());
            value(0x06, &[&[0x2a], &arc[..]].concat())
        })
    }

    #[test]
    fn costly_der_costs_little() {
        const MANY: u16 = 40_000;
        let certificate = vectors::named("happy-path-v0.3").certificate();
        let names = || {
            let name = |id| list(0x31, vec![list(0x30, vec![id, value(0x0c, b"x")])]);
            identifiers(MANY).map(name).collect()
        };
        let in_one_set = || {
            let name = |id| list(0x30, vec![id, value(0x0c, b"x")]);
            list(0x31, identifiers(MANY).map(name).collect())
        };
        let mut nodes = der::read(certificate.der()).unwrap();
        let extension = |id| list(0x30, vec![id, value(0x04, b"")]);
        let extensions = identifiers(MANY).map(extension).collect();
        let signed = inside(&mut nodes, &[0, 0]);
        signed.pop();
        signed.push(list(0xa3, vec![list(0x30, extensions)]));
        run("certificate", &der::write(&nodes));

        for issuer in [names(), vec![in_one_set()]] {
            let mut nodes = der::read(certificate.der()).unwrap();
            *inside(&mut nodes, &[0, 0, 3]) = issuer;
            run("certificate", &der::write(&nodes));
        }

        let vector = vectors::named("rekor2-timestamp-with-embedded-cert");
        for reverse in [false, true] {
            let mut nodes = der::read(&vector.bundle.timestamps()[0]).unwrap();
            let attributes = inside(&mut nodes, &[0, 1, 1, 0, 4, 0, 3]);
            let mut values: Vec<_> = identifiers(MANY).collect();
            if reverse {
                values.reverse();
            }
            let unknown = value(0x06, &[0x2a, 3]);
            attributes.push(list(0x30, vec![unknown, list(0x31, values)]));
            run("timestamp", &der::write(&nodes));
        }
        for bytes in [[0x30, 0x80].repeat(100_000), [0x30, 0x84, 0xff, 0xff, 0xff, 0xff].to_vec()] {
            run("timestamp", &bytes);
            run("certificate", &bytes);
        }
    }
}
