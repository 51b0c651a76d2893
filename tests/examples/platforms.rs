// SPDX-License-Identifier: Apache-2.0
//! Every platform but Cloud Build: the job that builds, the job that signs, the consumer.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{Flavour, NONROOT, Program};
use crate::example::Example;
use crate::place::{Place, Trust, assert_quiet, stack};

/// The login for ghcr.io.
const GITHUB_TOKEN: &str = "realstack-github-token";
/// The login of a GitLab job.
const JOB_TOKEN: &str = "realstack-job-token";

/// The strings of a list, each a line.
fn lines(list: &Value) -> String {
    let lines = list.as_array().unwrap().iter();
    let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    lines.join("\n")
}

fn with(program: Program, variables: &[(&str, &str)]) -> Program {
    let all = variables.iter();
    all.fold(program, |program, (name, value)| program.env(name, value))
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn gitlab() {
    let example = Example::read("gitlab-ci.yml");
    let file = example.yaml(stack());
    let (build, sign) = (&file["build"], &file["sign"]);
    let variables = [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_SERVER_URL", "https://gitlab.com"),
        ("CI_PROJECT_PATH", "acme/app"),
        ("CI_COMMIT_SHORT_SHA", "b0b0b0b0"),
        ("CI_REGISTRY", "registry.gitlab.com"),
        ("CI_REGISTRY_IMAGE", "registry.gitlab.com/acme/app"),
        ("CI_REGISTRY_USER", "gitlab-ci-token"),
        ("CI_REGISTRY_PASSWORD", JOB_TOKEN),
    ];
    let place = Place::new(Flavour::Shell, Trust::ByTest);
    let script = lines(&build["script"]);
    with(place.machine(&script), &variables).run().expect(0);
    let kept = build["artifacts"]["paths"].as_array().unwrap();
    let kept: Vec<&str> = kept.iter().map(|path| path.as_str().unwrap()).collect();
    let folder = place.next_job(&kept);
    // The runner gives its script to the shell of the image.
    let script = format!("set -eo pipefail\n{}\n", lines(&sign["script"]));
    let mut job = place.image(&folder, "/builds/acme/app").args(["/bin/sh"]);
    for (name, token) in sign["id_tokens"].as_object().unwrap() {
        let audience = format!("--aud={}", token["aud"].as_str().unwrap());
        job = job.env(name, stack().token("gitlab", &[&audience]));
    }
    let run = with(job.stdin(script), &variables).run().expect(0);
    assert_quiet(&run);
    assert!(run.stderr.contains("\nprovider    gitlab\n"), "{run}");
    place.assert_verifies(&example);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn buildkite() {
    let example = Example::read("buildkite.yml");
    let file = example.yaml(stack());
    let (build, sign) = (&file["steps"][0], &file["steps"][1]);
    // The upload of the pipeline makes one of two dollar signs.
    let script = |step: &Value| lines(&step["command"]).replace("$$", "$");
    let variables = [
        ("CI", "true"),
        ("BUILDKITE", "true"),
        ("BUILDKITE_COMMIT", "c0c0c0c0"),
        ("BUILDKITE_JOB_ID", "j-1"),
        ("GITHUB_TOKEN", GITHUB_TOKEN),
    ];
    let place = Place::new(Flavour::Scratch, Trust::ByTest);
    let run = with(place.machine(&script(build)), &variables);
    run.run().expect(0);
    let kept = build["artifact_paths"].as_str().unwrap();
    let store = place.folder("state").join("artifacts");
    fs::create_dir(&store).unwrap();
    fs::copy(place.folder("work").join(kept), store.join(kept)).unwrap();
    fs::write(place.folder("state").join("token"), stack().token("buildkite", &[])).unwrap();
    let run = with(place.machine(&script(sign)), &variables);
    assert_quiet(&run.dir(place.next_job(&[])).run().expect(0));
    place.assert_verifies(&example);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn circleci() {
    let example = Example::read("circleci.yml");
    let file = example.yaml(stack());
    let step = |job: &str, name: &str| {
        let steps = file["jobs"][job]["steps"].as_array().unwrap();
        let mut found = steps.iter().filter(|step| !step[name].is_null());
        found.next().unwrap()[name].clone()
    };
    let variables = [
        ("CI", "true"),
        ("CIRCLECI", "true"),
        ("CIRCLE_SHA1", "d0d0d0d0"),
        ("CIRCLE_OIDC_TOKEN", "the token of another audience"),
        ("GITHUB_TOKEN", GITHUB_TOKEN),
    ];
    let place = Place::new(Flavour::Shell, Trust::ByTest);
    let stand_in = fs::read(place.folder("bin").join("circleci")).unwrap();
    place.program("usr/local/bin/circleci", stand_in);
    place.put("harness/token", stack().token("circleci", &[]));
    let script = step("build", "run");
    let script = script["command"].as_str().unwrap();
    with(place.machine(script), &variables).run().expect(0);
    let kept = step("build", "persist_to_workspace");
    assert_eq!(kept["root"], ".");
    let kept: Vec<&str> =
        kept["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    let folder = place.next_job(&kept);
    let script = step("sign", "run");
    let shell = file["jobs"]["sign"]["shell"].as_str().unwrap();
    let job = place.image(&folder, "/root/project").args(shell.split(' '));
    let job = job.args(["-c", script["command"].as_str().unwrap()]);
    assert_quiet(&with(job, &variables).run().expect(0));
    place.assert_verifies(&example);
}

/// The scripts of a Jenkinsfile, in order, without what surrounds them.
fn scripts(text: &str) -> Vec<&str> {
    let parts = text.split("'''");
    // Every other part is inside of the quotes.
    parts.skip(1).step_by(2).collect()
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn jenkins() {
    let example = Example::read("Jenkinsfile");
    let [build, sign] = scripts(&example.text)[..] else {
        panic!("two scripts: {}", example.text);
    };
    let place = Place::new(Flavour::Shell, Trust::ByExample);
    let variables = [
        ("BUILD_NUMBER", "7"),
        ("BUILD_URL", "https://jenkins.example.com/job/app/7/"),
        ("JENKINS_URL", "https://jenkins.example.com/"),
    ];
    // A script that begins with `#!` is a program, any other one goes to `sh -xe`.
    assert!(build.starts_with("#!/bin/bash\n"), "{build}");
    let login = [("REGISTRY_USER", "acme"), ("REGISTRY_PASSWORD", GITHUB_TOKEN)];
    let run = with(place.machine(build), &variables);
    with(run, &login).run().expect(0);
    let trust = place.folder("work").join("trust");
    fs::create_dir(&trust).unwrap();
    for (name, variable) in
        [("trusted_root.json", "TRUSTED_ROOT"), ("signing_config.json", "SIGNING_CONFIG_V2")]
    {
        fs::copy(stack().var(variable), trust.join(name)).unwrap();
    }
    let token = stack().token("uri", &["sub=https://jenkins.example.com/job/app/"]);
    let job = place.image(&place.folder("work"), "/var/jenkins/app");
    let job = with(job.args(["/bin/sh", "-xe", "-c", sign]), &variables)
        .env("SIGSTORE_ID_TOKEN", token)
        .env("AMBISIGN_REGISTRY_USERNAME", "acme")
        .env("AMBISIGN_REGISTRY_PASSWORD", GITHUB_TOKEN);
    assert_quiet(&job.run().expect(0));
    place.assert_verifies(&example);
}

/// Pushes the image of which the references come from another system.
fn pushed(place: &Place, repository: &str) {
    let script = format!(
        "echo \"$GITHUB_TOKEN\" | docker login --username acme --password-stdin ghcr.io
         docker build --tag {repository}:1 .
         docker push {repository}:1
         docker inspect --format '{{{{range .RepoDigests}}}}{{{{println .}}}}{{{{end}}}}' {repository}:1 | \
            grep '^{repository}@' > images.txt"
    );
    let run = place.machine(&script).env("GITHUB_TOKEN", GITHUB_TOKEN);
    run.run().expect(0);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn kubernetes() {
    let example = Example::read("kubernetes.yaml");
    let job = example.yaml(stack());
    let pod = &job["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let place = Place::new(Flavour::Scratch, Trust::ByTest);
    pushed(&place, "ghcr.io/acme/app");
    let steps = example.steps("kubectl");
    let run = place.machine(&steps).env("GITHUB_TOKEN", GITHUB_TOKEN);
    run.run().expect(0);
    assert_eq!(example.told("kubectl").len(), steps.lines().count());
    // What a kubelet does with the volumes.
    for mount in container["volumeMounts"].as_array().unwrap() {
        let volumes = pod["volumes"].as_array().unwrap().iter();
        let volume = volumes.into_iter().find(|volume| volume["name"] == mount["name"]);
        let (path, content) = volume_file(&place, volume.unwrap());
        let folder = mount["mountPath"].as_str().unwrap();
        place.put(&format!("{}/{path}", folder.trim_start_matches('/')), content);
    }
    let security = &pod["securityContext"];
    assert_eq!(security["runAsUser"], NONROOT);
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let mut program = place.container().read_only(NONROOT).arg("/ambisign");
    for argument in container["args"].as_array().unwrap() {
        program = program.arg(argument.as_str().unwrap());
    }
    for variable in container["env"].as_array().unwrap() {
        program =
            program.env(variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap());
    }
    let run = program
        .args(place.flags().split(' '))
        .env("HTTPS_PROXY", stack().var("PROXY"))
        .env("KUBERNETES_SERVICE_HOST", "10.0.0.1")
        .run()
        .expect(0);
    assert_quiet(&run);
    assert!(run.stderr.contains("\nprovider    filesystem\n"), "{run}");
    place.assert_verifies(&example);
}

/// The one file of a volume: its path in there, and its content.
fn volume_file(place: &Place, volume: &Value) -> (String, Vec<u8>) {
    let token = &volume["projected"]["sources"][0]["serviceAccountToken"];
    if let Some(path) = token["path"].as_str() {
        let audience = format!("--aud={}", token["audience"].as_str().unwrap());
        let token = stack().token("kubernetes", &[&audience]);
        return (path.to_owned(), token.into_bytes());
    }
    let read = |path: &Path| fs::read(path).unwrap();
    if let Some(path) = volume["secret"]["items"][0]["path"].as_str() {
        // `kubectl create secret docker-registry` makes what `docker login` makes.
        let login = place.folder("home").join(".docker/config.json");
        return (path.to_owned(), read(&login));
    }
    assert_eq!(volume["configMap"]["name"], "images");
    ("images.txt".to_owned(), read(&place.folder("work").join("images.txt")))
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn plain_shell() {
    let example = Example::read("shell.sh");
    let place = Place::new(Flavour::Scratch, Trust::ByTest);
    let before = "echo \"$GITHUB_TOKEN\" | docker login --username acme --password-stdin ghcr.io
        docker build --tag ghcr.io/acme/app:v1.0.0 .";
    let run = place.machine(before).env("GITHUB_TOKEN", GITHUB_TOKEN);
    run.run().expect(0);
    let command = |arguments: &str| {
        let shell = example.path.display();
        place.machine(&format!("{shell} {arguments}"))
    };
    let run = command("ghcr.io/acme/app v1.0.0").run().expect(2);
    assert!(run.stderr.contains("SIGSTORE_ID_TOKEN"), "{run}");
    let account = format!("email={}", crate::place::BUILD);
    let token = stack().token("google", &[&account]);
    let run = command("ghcr.io/acme/app v1.0.0");
    assert_quiet(&run.env("SIGSTORE_ID_TOKEN", token).run().expect(0));
    place.assert_verifies(&example);
}
