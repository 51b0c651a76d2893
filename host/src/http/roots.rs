// SPDX-License-Identifier: Apache-2.0
//! The CA certificates that TLS peers must have theirs from.
//!
//! They come from where the clients in Go and OpenSSL look: a file, which `SSL_CERT_FILE` replaces, and
//! folders, which `SSL_CERT_DIR` replaces.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::setting::{self, ClientError};
use crate::{Env, Warning, file};

/// Where Linux distributions keep the CA roots of the machine; the first that exists is read.
const MACHINE_FILES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The folders of the same distributions. The file contains what they link to, and not what was copied
/// there by hand.
const MACHINE_FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// The longest file of certificates, in bytes. That of a distribution has 200 KiB.
const LONGEST: u64 = 16 * 1024 * 1024;

/// How a certificate in PEM begins (RFC 7468 5.1).
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// Where certificates are.
pub(super) struct Places {
    file: Option<PathBuf>,
    folders: Vec<PathBuf>,
    added: Option<(PathBuf, Option<&'static str>)>,
    root: PathBuf,
}

/// The certificates, as the HTTP client and as the TLS stack take them.
#[derive(Clone)]
pub(super) struct Roots {
    pub(super) certificates: Vec<Certificate>,
    pub(super) store: RootCertStore,
    pub(super) warnings: Vec<Warning>,
}

impl Places {
    /// The places that `env` names; `added` is a file of the program's own, with its setting, and `root` the
    /// prefix of the machine's own paths.
    pub(super) fn new(
        env: &Env,
        added: Option<(PathBuf, Option<&'static str>)>,
        root: PathBuf,
    ) -> Self {
        let set = |name| env.raw(name).filter(|value| !value.is_empty());
        let folders = set(FOLDERS).map(std::env::split_paths);
        let folders = folders.into_iter().flatten();
        Self {
            file: set(FILE).map(PathBuf::from),
            folders: folders.filter(|folder| *folder != *"").collect(),
            added,
            root,
        }
    }

    /// Reads all of them. A machine without certificates is not an error yet: plain HTTP needs none.
    ///
    /// # Errors
    /// A file, or all folders of `SSL_CERT_DIR`, contain no readable certificate.
    pub(super) fn read(&self) -> Result<Roots, ClientError> {
        let mut reading = Reading::default();
        match &self.file {
            Some(path) => reading.named(path, Some(FILE))?,
            None => reading.machine_file(&self.root)?,
        }
        if !self.folders.is_empty() {
            reading.folders(&self.folders)?;
        } else {
            if self.file.is_some() {
                // The folders of the machine have what its file has.
                let _unreadable = reading.machine_file(&self.root);
            }
            reading.dropped_in(&self.root);
        }
        if let Some((path, setting)) = &self.added {
            reading.named(path, *setting)?;
        }
        Ok(reading.roots)
    }
}

#[derive(Default)]
struct Reading {
    roots: Roots,
    seen: HashSet<CertificateDer<'static>>,
}

impl Reading {
    /// A file that must hold a certificate, and the setting that names it.
    fn named(&mut self, path: &Path, setting: Option<&'static str>) -> Result<(), ClientError> {
        let unusable = |why: String| ClientError::CaFile { path: path.to_owned(), setting, why };
        let found = self.file(path).map_err(|error| unusable(reason(&error)))?;
        found.map_err(unusable)
    }

    fn machine_file(&mut self, root: &Path) -> Result<(), ClientError> {
        let paths = MACHINE_FILES.iter().map(|path| below(root, path));
        let Some(path) = paths.into_iter().find(|path| path.exists()) else {
            return Ok(());
        };
        self.named(&path, None)
    }

    /// The files in the folders of the machine that are not links. Some cannot be opened by every user,
    /// and some are not certificates.
    fn dropped_in(&mut self, root: &Path) {
        for folder in MACHINE_FOLDERS.iter().map(|path| below(root, path)) {
            for path in files(&folder, Links::Left).unwrap_or_default() {
                let _read = self.file(&path);
            }
        }
    }

    /// The folders of `SSL_CERT_DIR`.
    fn folders(&mut self, folders: &[PathBuf]) -> Result<(), ClientError> {
        let (mut any, mut troubles) = (false, Vec::new());
        for folder in folders {
            match self.folder(folder) {
                Ok(()) => any = true,
                Err(why) => troubles.push((folder, why)),
            }
        }
        match troubles.first() {
            Some((folder, why)) if !any => Err(ClientError::CaFile {
                path: (*folder).clone(),
                setting: Some(FOLDERS),
                why: why.clone(),
            }),
            _ => {
                let skipped = troubles.iter().map(|(folder, why)| Warning {
                    code: setting::CERTIFICATE,
                    message: format!(
                        "the folder `{}` of `{FOLDERS}` is skipped: {why}",
                        folder.display()
                    ),
                });
                self.roots.warnings.extend(skipped);
                Ok(())
            }
        }
    }

    fn folder(&mut self, folder: &Path) -> Result<(), String> {
        let mut any = false;
        for path in files(folder, Links::Followed).map_err(|error| reason(&error))? {
            match self.file(&path) {
                Ok(found) => any |= found.is_ok(),
                Err(error) => self.roots.warnings.push(Warning {
                    code: setting::CERTIFICATE,
                    message: format!("`{}` is skipped: {}", path.display(), reason(&error)),
                }),
            }
        }
        any.then_some(()).ok_or_else(|| "it contains no certificate".to_owned())
    }

    /// Adds the certificates of the file at `path`, or returns why it has none.
    ///
    /// # Errors
    /// The file cannot be read.
    fn file(&mut self, path: &Path) -> io::Result<Result<(), String>> {
        let bytes = file::read_regular(path, LONGEST)?;
        let (mut count, mut broken) = (0, Vec::new());
        // Only comments can be something else than UTF-8.
        for text in certificates(&String::from_utf8_lossy(&bytes)) {
            count += 1;
            let read = CertificateDer::from_pem_slice(text.as_bytes()).ok();
            if !read.is_some_and(|certificate| self.add(certificate)) {
                broken.push(count.to_string());
            }
        }
        if !broken.is_empty() {
            let which = broken.join(", ");
            let are = if broken.len() == 1 { "is" } else { "are" };
            self.roots.warnings.push(Warning {
                code: setting::CERTIFICATE,
                message: format!(
                    "certificate {which} of {count} in `{}` cannot be read and {are} skipped",
                    path.display()
                ),
            });
        }
        if count == broken.len() {
            return Ok(Err(nothing_in(&bytes, count)));
        }
        Ok(Ok(()))
    }

    /// Adds `certificate` unless it was added before; returns whether it can be used.
    fn add(&mut self, certificate: CertificateDer<'static>) -> bool {
        if self.seen.contains(&certificate) {
            return true;
        }
        let roots = &mut self.roots;
        let (Ok(for_client), Ok(())) =
            (Certificate::from_der(&certificate), roots.store.add(certificate.clone()))
        else {
            return false;
        };
        roots.certificates.push(for_client);
        self.seen.insert(certificate);
        true
    }
}

impl Default for Roots {
    fn default() -> Self {
        Self { certificates: Vec::new(), store: RootCertStore::empty(), warnings: Vec::new() }
    }
}

/// What is done with links to files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    Followed,
    Left,
}

/// The files in `folder`, by name. Links to other files of the folder are left out, as OpenSSL makes them.
fn files(folder: &Path, links: Links) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let is_wanted = kind.is_file()
            || (kind.is_symlink() && links == Links::Followed && leaves(&entry.path(), folder));
        if is_wanted {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Whether the link at `path` leads to a file that is not in `folder` itself.
fn leaves(path: &Path, folder: &Path) -> bool {
    let target = std::fs::read_link(path).unwrap_or_default();
    let stays =
        target.parent().is_none_or(|parent| parent.as_os_str().is_empty() || parent == folder);
    !stays && path.is_file()
}

/// `path` of the machine, below `root`.
fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The parts of `text` that begin like a certificate, each up to the next one, so that one without an
/// end does not spoil the next.
fn certificates(text: &str) -> impl Iterator<Item = &str> {
    let starts: Vec<_> = text.match_indices(BEGIN).map(|(at, _)| at).collect();
    let ends: Vec<_> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    let parts = starts.into_iter().zip(ends);
    parts.filter_map(|(start, end)| text.get(start..end))
}

/// Why a file has no usable certificate.
fn nothing_in(bytes: &[u8], count: usize) -> String {
    if count > 0 {
        "it contains no certificate that can be read".to_owned()
    } else if bytes.first() == Some(&0x30) {
        "it contains no PEM certificate, and looks like DER".to_owned()
    } else {
        "it contains no certificate".to_owned()
    }
}

fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return format!("it has more than {LONGEST} bytes");
    }
    error.to_string()
}

#[cfg(test)]
mod tests;
