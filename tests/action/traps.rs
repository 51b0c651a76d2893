// SPDX-License-Identifier: Apache-2.0
//! What an earlier step can write to `GITHUB_ENV` so that a later step runs code of its choice: variables of
//! shells, loaders and tools. What runs leaves a mark.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::common::Program;

/// Names that scripts call: builtins, and tools that `action/install.sh` needs. A function takes precedence over both.
/// Special builtins are not among them: as `sh`, bash ends when a function has the name of one.
const CALLED: [&str; 13] = [
    "awk", "cat", "cd", "command", "cut", "dirname", "echo", "env", "mktemp", "mkdir", "printf",
    "sh", "test",
];

/// Programs in the first folder of `PATH`.
const PROGRAMS: [&str; 14] = [
    "awk",
    "bash",
    "cat",
    "curl",
    "cut",
    "dirname",
    "env",
    "mkdir",
    "mktemp",
    "sh",
    "sha256sum",
    "touch",
    "wget",
    "docker-credential-trap",
];

/// Variables with a path of a trap.
const PATHS: [(&str, &str); 31] = [
    ("BASH_ENV", "startup"),
    ("ENV", "startup"),
    ("BASH_LOADABLES_PATH", "bin"),
    ("CDPATH", ""),
    ("CURL_HOME", "home"),
    ("GCONV_PATH", "bin"),
    ("GIT_CONFIG_GLOBAL", "startup"),
    ("GIT_EXEC_PATH", "bin"),
    ("GIT_SSH_COMMAND", "bin/sh"),
    ("HOME", "home"),
    ("HISTFILE", "marks/history"),
    ("INPUTRC", "startup"),
    ("LD_AUDIT", "trap.so"),
    ("LD_DEBUG_OUTPUT", "marks/loader"),
    ("LD_LIBRARY_PATH", "bin"),
    ("LD_PRELOAD", "trap.so"),
    ("LD_PROFILE_OUTPUT", "marks"),
    ("LOCPATH", "bin"),
    ("NODE_PATH", "bin"),
    ("OPENSSL_CONF", "startup"),
    ("OPENSSL_ENGINES", "bin"),
    ("OPENSSL_MODULES", "bin"),
    ("PERL5LIB", "bin"),
    ("PYTHONHOME", "bin"),
    ("PYTHONPATH", "bin"),
    ("PYTHONSTARTUP", "startup"),
    ("TERMINFO", "bin"),
    ("TMPDIR", "marks"),
    ("WGETRC", "home/.curlrc"),
    ("XDG_CONFIG_HOME", "home"),
    ("ZDOTDIR", "home"),
];

/// Variables that change what a shell, a loader or a library does.
const TEXTS: [(&str, &str); 21] = [
    ("BASHOPTS", "extdebug:expand_aliases:lastpipe"),
    ("BASH_COMPAT", "3.1"),
    ("BASH_XTRACEFD", "1"),
    ("EXECIGNORE", "*"),
    ("FUNCNEST", "1"),
    ("GLIBC_TUNABLES", "glibc.malloc.check=3:glibc.rtld.optional_static_tls=1"),
    ("GLOBIGNORE", "*"),
    ("HOSTALIASES", "/etc/passwd"),
    ("IFS", "/"),
    ("LC_ALL", "../../trap"),
    ("LD_BIND_NOW", "1"),
    ("LD_DEBUG", "all"),
    ("LD_PROFILE", "libc.so.6"),
    ("MALLOC_CHECK_", "3"),
    ("OPENSSL_ia32cap", "~0x0:~0x0"),
    ("PERL5OPT", "-MTrap"),
    ("POSIXLY_CORRECT", "1"),
    ("RUST_BACKTRACE", "full"),
    ("SHELLOPTS", "braceexpand:hashall:interactive-comments:xtrace"),
    ("TIMEFORMAT", "%R"),
    ("TZ", ":/etc/passwd"),
];

/// The library that `LD_PRELOAD` names: its mark has the name of the program.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
__attribute__((constructor)) static void trap(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s/loaded-%s", MARKS, program_invocation_short_name);
    open(path, O_CREAT | O_WRONLY, 0644);
}
"#;

/// Files, programs and a library that leave marks.
pub(crate) struct Traps {
    dir: TempDir,
}

impl Traps {
    pub(crate) fn new() -> Self {
        let traps = Self { dir: TempDir::new().unwrap() };
        // Tests run as root, and a trap may run as somebody else.
        for folder in ["", "marks", "bin", "docker", "frozen", "home"] {
            fs::create_dir_all(traps.path(folder)).unwrap();
            fs::set_permissions(traps.path(folder), fs::Permissions::from_mode(0o777)).unwrap();
        }
        fs::write(traps.path("startup"), format!("{}\n", traps.mark("startup"))).unwrap();
        for name in [".bashrc", ".profile", ".bash_profile", ".shinit"] {
            fs::write(traps.path("home").join(name), format!("{}\n", traps.mark(name))).unwrap();
        }
        let output = traps.path("marks").join("curlrc");
        let setting = format!("output = \"{}\"\n", output.display());
        fs::write(traps.path("home/.curlrc"), setting).unwrap();
        for name in PROGRAMS {
            let path = traps.path("bin").join(name);
            let script =
                format!("#!/bin/dash\n{}\nexit 1\n", traps.mark(&format!("program-{name}")));
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        traps.compile();
        traps
    }

    fn compile(&self) {
        let source = self.path("trap.c");
        let marks = format!("#define MARKS \"{}\"\n", self.path("marks").display());
        fs::write(&source, marks + LIBRARY).unwrap();
        Program::new("/usr/bin/cc")
            .env("PATH", "/usr/bin:/bin")
            .args(["-shared", "-fPIC", "-o"])
            .arg(self.path("trap.so"))
            .arg(source)
            .run()
            .expect(0);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command of a shell that leaves the mark `name`. It calls `:` alone.
    fn mark(&self, name: &str) -> String {
        format!(": >'{}'", self.path("marks").join(name).display())
    }

    /// The folder of a configuration of Docker with a trap as the credential helper of `host`.
    pub(crate) fn helper(&self, host: &str) -> PathBuf {
        let text = format!("{{\"credHelpers\":{{\"{host}\":\"trap\"}}}}");
        fs::write(self.path("docker/config.json"), text).unwrap();
        self.path("docker")
    }

    /// The folder of marks.
    pub(crate) fn marks(&self) -> PathBuf {
        self.path("marks")
    }

    /// What ran. The name of each mark says by which variable.
    pub(crate) fn sprung(&self) -> Vec<String> {
        names(&self.marks())
    }

    /// The variables. None of them is one of ambisign, and none ends its run.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.path(name).display().to_string();
        let function = |name: &str| {
            (
                format!("BASH_FUNC_{name}%%"),
                format!("() {{ {}; }}", self.mark(&format!("function-{name}"))),
            )
        };
        let command = |name: &str| (name.to_owned(), format!("$({})", self.mark(name)));
        let functions = CALLED.map(function);
        let commands = ["PROMPT_COMMAND", "PS0", "PS1", "PS4", "PERL5DB"].map(command);
        let paths = PATHS.map(|(name, value)| (name.to_owned(), path(value)));
        let texts = TEXTS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let path = ("PATH".to_owned(), format!("{}:/usr/local/bin:/usr/bin:/bin", path("bin")));
        let all = functions.into_iter().chain(commands).chain(paths).chain(texts).chain([path]);
        all.collect()
    }

    /// A step that keeps the marks as they are, without a shell: what was written to `GITHUB_ENV` is for later steps too.
    pub(crate) fn keep(&self) -> String {
        let (frozen, marks) = (self.path("frozen"), self.marks());
        let empty = ["LD_AUDIT", "LD_DEBUG", "LD_PRELOAD", "LD_PROFILE"];
        let empty: String = empty.iter().map(|name| format!("          {name}: \"\"\n")).collect();
        format!(
            "      - if: always()\n        env:\n{empty}        run: kept\n        shell: /bin/cp -R -t {} {} {{0}}\n",
            frozen.display(),
            marks.display()
        )
    }

    /// What had run when [`Self::keep`] did.
    pub(crate) fn kept(&self) -> Vec<String> {
        names(&self.path("frozen/marks"))
    }

    /// A step that writes `variables` to `GITHUB_ENV`.
    pub(crate) fn step(variables: &[(String, String)]) -> String {
        let mut step = "      - run: |\n".to_owned();
        for (name, value) in variables {
            let line = format!("{name}={value}").replace('\'', r"'\''");
            writeln!(step, "          echo '{line}' >>\"$GITHUB_ENV\"").unwrap();
        }
        step
    }
}

/// The names in `folder`.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
