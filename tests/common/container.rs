// SPDX-License-Identifier: Apache-2.0
//! The container image without a container engine: its file system in a folder of its own, entered by
//! `chroot`. Needs root. Nothing is mounted in there: no `/proc`, no `/dev`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::Program;

/// The user of the `nonroot` flavour.
pub(crate) const NONROOT: u32 = 65_532;

/// Which image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// The program and what it reads. `nonroot` has the same layers.
    Scratch,
    /// With a shell.
    Shell,
}

/// The file system of an image.
pub(crate) struct Container {
    root: TempDir,
}

impl Container {
    /// A fresh copy of the image with the program as it is released.
    pub(crate) fn unpack(flavour: Flavour) -> Self {
        let root = TempDir::new().unwrap();
        // The folder is the image's `/`, which everybody may enter.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut image = release("image");
        image.arg("rootfs").arg(root.path());
        image.arg("--binary").arg(released());
        image.args(match flavour {
            Flavour::Scratch => ["--flavour", "scratch"],
            Flavour::Shell => ["--flavour", "shell"],
        });
        finish(image);
        Self { root }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// Copies a file to where a volume would be, and returns its path in the image.
    pub(crate) fn mount(&self, file: impl AsRef<Path>) -> String {
        let name = file.as_ref().file_name().unwrap().to_str().unwrap();
        let folder = self.path().join("mounted");
        fs::create_dir_all(&folder).unwrap();
        fs::copy(&file, folder.join(name)).unwrap();
        format!("/mounted/{name}")
    }

    /// Runs what the arguments name, in the image, as `user`.
    pub(crate) fn run_as(&self, user: u32) -> Program {
        self.enter(&["--mount"], "", user)
    }

    /// The same, and nothing can be written.
    pub(crate) fn read_only(&self, user: u32) -> Program {
        let remount = "mount --bind \"$1\" \"$1\"; mount -o remount,bind,ro \"$1\";";
        self.enter(&["--mount"], remount, user)
    }

    /// The same as [`Self::run_as`], and there is no network, not even loopback.
    pub(crate) fn without_network(&self, user: u32) -> Program {
        self.enter(&["--net"], "", user)
    }

    fn enter(&self, namespaces: &[&str], prepare: &str, user: u32) -> Program {
        let chroot = "exec /usr/sbin/chroot --groups= --userspec=\"$2:$2\" \"$1\" \"${@:3}\"";
        Program::new("/usr/bin/unshare")
            .args(namespaces)
            .args(["/bin/bash", "-ec", &format!("{prepare}{chroot}"), "enter"])
            .arg(self.path())
            .arg(user.to_string())
    }
}

/// The program as it is released, for the machine that runs the tests: built once.
pub(crate) fn released() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // The same folder as in `tests/run`.
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/dist");
        let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let mut build = release("build");
        build.arg(&folder).arg(&target);
        finish(build);
        folder.join(format!("ambisign-{target}"))
    })
}

/// A script of the release. It has the environment of the tests: registries are reached as its user
/// reaches them.
pub(crate) fn release(script: &str) -> Command {
    Command::new(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("release")
            .join(script),
    )
}

/// Runs a script to its end, and returns what it printed.
pub(crate) fn finish(mut script: Command) -> String {
    let output = script.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}
