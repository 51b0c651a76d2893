// SPDX-License-Identifier: Apache-2.0
//! Writes the man pages and the completion scripts of a release, from the same table as the help:
//! `cargo run --example pages -- FOLDER`.
#![expect(
    clippy::disallowed_methods,
    reason = "a program of the release reads its own command line and writes files"
)]

use std::fs;
use std::io::{Error, Result};
use std::path::PathBuf;

use ambisign::cli::Cli;
use clap::{CommandFactory as _, ValueEnum as _};
use clap_complete::Shell;

fn main() -> Result<()> {
    let usage = || Error::other("usage: pages FOLDER");
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or_else(usage)?);
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(Cli::command(), &man)?;
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut Cli::command(), "ambisign", &completions)?;
    }
    Ok(())
}
