// SPDX-License-Identifier: Apache-2.0
//! Cloud Build: its substitutions and steps, the metadata server, and the file system of the image.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::common::{Finished, Flavour, Program};
use crate::example::Example;
use crate::place::{Place, Trust, assert_quiet, stack};

/// The signer of recipe B.
const SIGNER: &str = "signer@my-project.iam.gserviceaccount.com";
/// What Cloud Build says to every build.
const BUILT_IN: [(&str, &str); 2] =
    [("PROJECT_ID", "my-project"), ("BUILD_ID", "b9eb5da1-0000-4000-8000-000000000000")];

/// A build of an example.
pub(crate) struct Build {
    /// The machine; `work` is `/workspace`.
    pub(crate) place: Place,
    /// The metadata server.
    pub(crate) metadata: String,
    example: Example,
    file: Value,
}

impl Build {
    /// A build by the file `name`, with the workspace of root and the login that Cloud Build writes for
    /// steps on its own machine.
    pub(crate) fn of(name: &str) -> Self {
        let example = Example::read(name);
        let place = Place::new(Flavour::Scratch, Trust::ByTest);
        let login = "echo realstack-access-token | docker login --username oauth2accesstoken \
                     --password-stdin europe-docker.pkg.dev";
        place.machine(login).run().expect(0);
        fs::create_dir_all(place.root().join("builder/home")).unwrap();
        Self {
            file: example.yaml(stack()),
            metadata: stack().var("GCE_METADATA").to_owned(),
            place,
            example,
        }
    }

    /// The value of a field with its substitutions.
    fn resolved(&self, text: &str) -> String {
        let own = self.file["substitutions"].as_object().unwrap().iter();
        let own = own.map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
        let mut all: Vec<_> = own.chain(BUILT_IN).collect();
        // The longer name first: one may begin with another.
        all.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let mut text = text.replace("$$", "\0");
        for (name, value) in all {
            text = text.replace(&format!("${{{name}}}"), value);
            text = text.replace(&format!("${name}"), value);
        }
        assert!(!text.contains('$'), "an unknown substitution: {text}");
        text.replace('\0', "$")
    }

    /// The step `id`, about to run.
    pub(crate) fn step(&self, id: &str) -> Program {
        let steps = self.file["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["id"] == id).unwrap();
        let arguments: Vec<String> =
            texts(&step["args"]).iter().map(|text| self.resolved(text)).collect();
        if step["name"] == "gcr.io/cloud-builders/docker" {
            let entrypoint = step["entrypoint"].as_str().unwrap_or("docker");
            let script = "exec \"$@\"";
            return self.place.machine(script).args([id, entrypoint]).args(arguments);
        }
        let workspace = self.place.folder("work");
        let mut program = self
            .place
            .image(&workspace, "/workspace")
            .arg("/ambisign")
            .args(arguments)
            .args(self.place.flags().split(' '))
            .env("HOME", "/builder/home")
            .env("GCE_METADATA_HOST", &self.metadata);
        for variable in texts(&step["env"]) {
            let variable = self.resolved(variable);
            let (name, value) = variable.split_once('=').unwrap();
            program = program.env(name, value);
        }
        program
    }

    /// Where the references of the pushed images are.
    pub(crate) fn images(&self) -> PathBuf {
        self.place.folder("work").join("images.txt")
    }

    /// Builds and pushes.
    pub(crate) fn push(&self) {
        self.step("build").run().expect(0);
        self.step("push").run().expect(0);
        let images = fs::read_to_string(self.images()).unwrap();
        assert!(
            images.starts_with("europe-docker.pkg.dev/my-project/apps/app@sha256:"),
            "{images}"
        );
        assert_eq!(images.lines().count(), 1, "{images}");
    }

    /// All of it, to the consumer.
    #[track_caller]
    fn signs_as(&self, provider: &str, account: &str) -> Finished {
        self.push();
        let run = self.step("sign").run().expect(0);
        assert_quiet(&run);
        assert!(!run.stderr.contains("realstack-access-token"), "{run}");
        let named = format!("\nprovider    {provider}\n");
        assert!(run.stderr.contains(&named), "{run}");
        assert!(run.stderr.contains(&format!("for {account}\n")), "{run}");
        self.place.assert_verifies(&self.example);
        run
    }
}

/// A list of strings that may be missing.
fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_build_signs_as_its_own_account() {
    let build = Build::of("cloudbuild.yaml");
    build.signs_as("google-workload-identity", crate::place::BUILD);
}

#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_build_signs_as_the_account_that_it_may_impersonate() {
    let build = Build::of("cloudbuild-impersonation.yaml");
    build.signs_as("google-impersonate", SIGNER);
}

/// With the login that Cloud Build writes, and in a home that nobody may write.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn a_build_has_the_login_that_the_platform_wrote() {
    let build = Build::of("cloudbuild.yaml");
    let config = fs::read(build.place.folder("home").join(".docker/config.json")).unwrap();
    build.place.put("builder/home/.docker/config.json", config);
    build.signs_as("google-workload-identity", crate::place::BUILD);
}

/// The roles that make it work are those of the file.
#[test]
#[ignore = "needs the real stack: tests/run"]
fn the_grants_are_commands() {
    for (name, signer) in
        [("cloudbuild.yaml", crate::place::BUILD), ("cloudbuild-impersonation.yaml", SIGNER)]
    {
        let example = Example::read(name);
        let place = Place::new(Flavour::Scratch, Trust::ByTest);
        let steps = example.steps("gcloud");
        let script = format!("set -u\n{steps}");
        place.machine(&script).run().expect(0);
        let calls = fs::read_to_string(place.folder("state").join("calls")).unwrap();
        let build = format!("--member=serviceAccount:{}", crate::place::BUILD);
        let identity = format!(
            "gcloud iam service-accounts add-iam-policy-binding {signer} --project=my-project \
             {build} --role=roles/iam.serviceAccountOpenIdTokenCreator"
        );
        let writer = format!(
            "gcloud artifacts repositories add-iam-policy-binding apps --project=my-project \
             --location=europe {build} --role=roles/artifactregistry.writer"
        );
        for call in [identity, writer] {
            assert!(calls.lines().any(|line| line == call), "no {call} in {calls}");
        }
        assert!(calls.contains(&format!("gcloud builds submit --config={name} ")), "{calls}");
    }
}
