// SPDX-License-Identifier: Apache-2.0
//! What is said about an image and signed with it: readers can insist on it.

use serde_json::json;

use crate::common::{
    Cosign, Finished, GITHUB_IDENTITY, Image, Log, Program, Registry, Stack, sigstore_js,
    sigstore_python,
};
use crate::job::Job;

/// `ambisign verify` that insists on `annotations`.
fn read(stack: &Stack, image: &Image, annotations: &[&str]) -> Finished {
    let issuer = stack.issuer("github");
    Program::ambisign()
        .args(["verify", "--trusted-root", stack.var("TRUSTED_ROOT")])
        .args(["--certificate-identity", GITHUB_IDENTITY])
        .args(["--certificate-oidc-issuer", &issuer])
        .args(annotations)
        .arg(image.reference())
        .run()
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn readers_can_insist_on_annotations() {
    let stack = Stack::shared();
    for registry in Registry::ALL {
        let image = stack.push(registry, "annotations/app", 1);
        let document = Job::ready(&stack, Log::V1)
            .args(["-a", "env=prod", "--annotations", "build=7=8"])
            .image(&image)
            .document(0);
        assert_eq!(document["annotations"], json!({"build": "7=8", "env": "prod"}));
        let signature = &image.signatures()[0];
        sigstore_python(&stack, &signature.bundle, &image.digest).expect(0);
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("bundle.json"), &signature.bundle).unwrap();
        sigstore_js(&stack, folder.path(), "bundle.json", None).expect(0);
        let command = document["images"][0]["verify_command"].as_str().unwrap();
        assert!(command.contains(" -a env=prod "), "{command}");
        for (wanted, cosign, ambisign) in [
            (&["-a", "env=prod"][..], 0, 0),
            (&["-a", "env=prod", "-a", "build=7=8"], 0, 0),
            (&["-a", "env=test"], 1, 8),
            (&["-a", "build=7"], 1, 8),
            (&["-a", "other=prod"], 1, 8),
            (&[], 0, 0),
        ] {
            let run = Cosign::Three.verify(&stack, &image, wanted);
            assert_eq!(run.code == Some(0), cosign == 0, "{wanted:?} {run}");
            read(&stack, &image, wanted).expect(ambisign);
        }
    }
}

/// Whatever a value holds, the printed command is one that the reader can run.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_printed_command_insists_on_them() {
    let stack = Stack::shared();
    let image = stack.push(Registry::Referrers, "annotations/printed", 1);
    let said = "env=prod\nnote=a \"b\", c=d; $(touch executed)\n::set-output name=x::y=1\n";
    let run = Job::ready(&stack, Log::V2)
        .env("AMBISIGN_ANNOTATIONS", said)
        .args(["--output", "json"])
        .image(&image)
        .run()
        .expect(0);
    assert!(!run.stderr.lines().any(|line| line.starts_with("::")), "{run}");
    assert!(run.stderr.contains("including commas"), "{run}");
    let document = run.json();
    assert_eq!(document["annotations"]["note"], "a \"b\", c=d; $(touch executed)");
    let command = document["images"][0]["verify_command"].as_str().unwrap();
    let shell = |command: &str| {
        let bin = stack.var("REALSTACK_BIN");
        Program::new("/bin/sh")
            .args(["-c", command])
            .env("PATH", format!("{bin}:/usr/bin:/bin"))
            .run()
    };
    let verified = shell(command).expect(0);
    assert_eq!(std::fs::read_dir(&verified.dir).unwrap().count(), 0);
    assert_ne!(shell(&command.replace("c=d", "c=e")).code, Some(0));
}
