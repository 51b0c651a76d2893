// SPDX-License-Identifier: Apache-2.0
//! Where an example runs: a machine of the platform with its programs, and the container image.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::common::{Container, Finished, Flavour, Logs, Program, Stack};
use crate::example::{DIGEST, Example};

/// The account of the stack's metadata server.
pub(crate) const BUILD: &str = "build@my-project.iam.gserviceaccount.com";
/// Where a consumer finds the public instance.
const MIRROR: &str = "https://tuf-repo-cdn.sigstore.dev";
/// The `PATH` of the image.
const IMAGE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The stack of this test binary. Its issuers go by the names that they have in the world.
pub(crate) fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| Stack::up(Logs::Begun, &["--public", "--account", BUILD]))
}

/// Whether the test says whom to believe, or the example does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Flags of the test name the mirror of the stack.
    ByTest,
    /// The example names files of its own.
    ByExample,
}

/// A machine of a platform.
pub(crate) struct Place {
    container: Container,
    machine: TempDir,
    trust: Trust,
}

impl Place {
    /// A new machine, and a new container of the image.
    pub(crate) fn new(flavour: Flavour, trust: Trust) -> Self {
        let (container, machine) = (Container::unpack(flavour), TempDir::new().unwrap());
        for folder in ["bin", "home", "state", "work"] {
            fs::create_dir(machine.path().join(folder)).unwrap();
        }
        let place = Self { container, machine, trust };
        place.furnish(flavour);
        place
    }

    /// The stack's roots take the place of the world's, and its mirror that of the public instance.
    fn furnish(&self, flavour: Flavour) {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples/stand-ins");
        for entry in fs::read_dir(ours).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), self.folder("bin").join(entry.file_name())).unwrap();
        }
        let ca = fs::read(stack().var("PROXY_CA")).unwrap();
        let roots = self.root().join("etc/ssl/certs/ca-certificates.crt");
        fs::write(roots, ca).unwrap();
        self.put("harness/root.json", fs::read(stack().var("TUF_ROOT_FILE")).unwrap());
        if flavour == Flavour::Shell && self.trust == Trust::ByTest {
            let wrapper = format!("#!/bin/sh\nexec /ambisign \"$@\" {}\n", self.flags());
            fs::remove_file(self.root().join("usr/bin/ambisign")).unwrap();
            self.program("usr/bin/ambisign", wrapper);
        }
    }

    /// A file in the image.
    pub(crate) fn put(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A program in the image.
    pub(crate) fn program(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.put(path, content);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The `/` of the image.
    pub(crate) fn root(&self) -> &Path {
        self.container.path()
    }

    /// The image itself.
    pub(crate) fn container(&self) -> &Container {
        &self.container
    }

    /// A folder of the machine: `home`, `state` (of the stand-ins), `work`.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.machine.path().join(name)
    }

    /// Another empty working folder, for another job, with files of the one before.
    pub(crate) fn next_job(&self, files: &[&str]) -> PathBuf {
        let (from, to) = (self.folder("work"), self.folder("work2"));
        fs::create_dir(&to).unwrap();
        for file in files {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
        to
    }

    /// What the commands of the test's own add.
    pub(crate) fn flags(&self) -> String {
        match self.trust {
            Trust::ByTest => format!("--tuf-mirror {MIRROR} --tuf-root /harness/root.json"),
            Trust::ByExample => String::new(),
        }
    }

    /// A script on the machine, by bash as CI systems start it, in `work`.
    pub(crate) fn machine(&self, script: &str) -> Program {
        let bin = stack().var("REALSTACK_BIN");
        let own = self.folder("bin");
        let path = format!("{}:{bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin", own.display());
        Program::new("/bin/bash")
            .args(["-eo", "pipefail", "-c", script])
            .env("PATH", path)
            .env("HOME", self.folder("home"))
            .env("HTTPS_PROXY", stack().var("PROXY"))
            .env("SSL_CERT_FILE", stack().var("PROXY_CA"))
            .env("STAND_IN_STATE", self.folder("state"))
            .env("STAND_IN_ROOT", self.root())
            .env("STAND_IN_TRUST", self.flags())
            .dir(self.folder("work"))
    }

    /// `command` in the image, in `folder` of the machine, seen at `at`.
    pub(crate) fn image(&self, folder: &Path, at: &str) -> Program {
        Program::new("/usr/bin/unshare")
            .arg("--mount")
            .arg(self.folder("bin").join("enter"))
            .arg(self.root())
            .args([at, &format!("{}:{at}", folder.display()), "--"])
            .env("PATH", IMAGE_PATH)
            .env("HTTPS_PROXY", stack().var("PROXY"))
    }

    /// A consumer on another machine runs what the example says, and the same with `ambisign`.
    #[track_caller]
    pub(crate) fn assert_verifies(&self, example: &Example) {
        let images = fs::read_to_string(self.folder("work").join("images.txt")).unwrap();
        let (repository, digest) = images.trim().split_once('@').unwrap();
        let told = example.told("cosign");
        assert!(!told.is_empty(), "{} says how to verify", example.path.display());
        for command in told {
            assert!(
                command.ends_with(&format!("\n{repository}@{DIGEST}")),
                "{command} is about {repository}"
            );
            let command = command.replace(DIGEST, digest);
            let ours = command.replacen("cosign", env!("CARGO_BIN_EXE_ambisign"), 1);
            for command in [command, ours] {
                let run = self.consumer(&command);
                assert!(run.stdout.contains(digest), "{run}");
            }
        }
    }

    fn consumer(&self, command: &str) -> Finished {
        let (bin, home) = (stack().var("REALSTACK_BIN"), TempDir::new().unwrap());
        Program::new("/bin/sh")
            .args(["-euc", command])
            .env("HOME", home.path())
            .env("PATH", format!("{bin}:/usr/bin:/bin"))
            .env("HTTPS_PROXY", stack().var("PROXY"))
            .env("SSL_CERT_FILE", stack().var("PROXY_CA"))
            .env("TUF_MIRROR", stack().var("TUF_MIRROR_URL"))
            .env("TUF_ROOT_JSON", stack().var("TUF_ROOT_FILE"))
            .dir(self.folder("work"))
            .run()
            .expect(0)
    }
}

/// Stops the test when a token is in what a job said.
#[track_caller]
pub(crate) fn assert_quiet(run: &Finished) {
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(!said.contains(".eyJ"), "a token is in {run}");
}
