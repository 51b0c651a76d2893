// SPDX-License-Identifier: Apache-2.0
//! Writes the seeds of a target as files: `seeds TARGET FOLDER`.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_program, target, folder] = arguments.as_slice() else {
        return Err("usage: seeds TARGET FOLDER".into());
    };
    std::fs::create_dir_all(folder)?;
    for (number, seed) in ambisign_fuzz::seeds::of(target).iter().enumerate() {
        std::fs::write(Path::new(folder).join(format!("seed-{number:03}")), seed)?;
    }
    Ok(())
}
