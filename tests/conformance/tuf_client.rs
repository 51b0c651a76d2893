// SPDX-License-Identifier: Apache-2.0
//! The TUF client behind the command line that the conformance suite of TUF drives:
//!
//! ```text
//! --metadata-dir D init ROOT
//! --metadata-dir D --metadata-url U refresh
//! --metadata-dir D --metadata-url U --target-name T... --target-dir O --target-base-url B download
//! ```
//!
//! Exit 0, or 1 for any failure. `D/*.json` are copies of what the client keeps in `D/cache`; `D/first`
//! is the root of `init`, which every run starts with. `tests/tuf/` has the cases of the suite; this
//! is for a run of the suite itself.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ambisign_host::{Clock, Env, Host, Net, NetOptions};
use ambisign_sigstore::trust::tuf::{Repository, Source};
use serde_json::Value;
use url::Url;

type Done = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&*error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "what the suite shows of a case that fails")]
fn complain(error: &dyn Error) {
    eprintln!("{error}");
    if let Some(source) = error.source() {
        complain(source);
    }
}

async fn run() -> Done {
    let mut words = std::env::args().skip(1);
    let mut options = BTreeMap::<String, Vec<String>>::new();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--") else {
            let folder = PathBuf::from(one(&options, "metadata-dir")?);
            return match word.as_str() {
                "init" => init(&folder, &words.next().ok_or("init needs a root")?),
                "refresh" | "download" => update(&folder, &options).await,
                _ => Err(format!("no such command: {word}").into()),
            };
        };
        let value = words.next().ok_or("an option needs a value")?;
        options.entry(option.to_owned()).or_default().push(value);
    }
    Err("no command".into())
}

fn one<'a>(options: &'a BTreeMap<String, Vec<String>>, name: &str) -> Result<&'a str, String> {
    let value = options.get(name).and_then(|values| values.first());
    value.map(String::as_str).ok_or_else(|| format!("no --{name}"))
}

fn init(folder: &Path, root: &str) -> Done {
    fs::create_dir_all(folder)?;
    fs::copy(root, folder.join("first"))?;
    fs::copy(root, folder.join("root.json"))?;
    Ok(())
}

/// `refresh`, and `download` when there are names of targets.
async fn update(folder: &Path, options: &BTreeMap<String, Vec<String>>) -> Done {
    let metadata = Url::parse(one(options, "metadata-url")?)?;
    let targets = match one(options, "target-base-url") {
        Ok(url) => Url::parse(url)?,
        Err(_) => metadata.clone(),
    };
    let source = Source {
        metadata,
        targets,
        root: fs::read(folder.join("first"))?,
        cache: Some(folder.join("cache")),
    };
    let (env, clock) = (Env::default(), Clock::system());
    let net = Net::new(&env, clock, NetOptions::default());
    let host = Host { env, net, clock, root: "/".into() };
    let result = download(&host, &source, options).await;
    show_what_is_kept(folder)?;
    result
}

async fn download(host: &Host, source: &Source, options: &BTreeMap<String, Vec<String>>) -> Done {
    let repository = Repository::refresh(host, source).await?;
    for name in options.get("target-name").into_iter().flatten() {
        let bytes = repository.target(name).await?;
        let folder = Path::new(one(options, "target-dir")?);
        let path = folder.join(file_name(name));
        if fs::read(&path).ok().as_ref() != Some(&bytes) {
            fs::write(path, bytes)?;
        }
    }
    Ok(())
}

/// Copies the parts of the cache to files of their own.
fn show_what_is_kept(folder: &Path) -> Done {
    let Ok(state) = fs::read(folder.join("cache/state.json")) else {
        return Ok(());
    };
    let state: Value = serde_json::from_slice(&state)?;
    let number = |version: &&String| version.parse::<u64>().unwrap_or(0);
    let roots = state["roots"].as_object();
    let last = roots.and_then(|roots| roots.keys().max_by_key(number));
    if let Some(version) = last {
        show(folder, "root", &state["roots"][version])?;
    }
    for role in ["timestamp", "snapshot", "targets"] {
        show(folder, role, &state[role])?;
    }
    for (role, text) in state["delegated"].as_object().into_iter().flatten() {
        show(folder, role, text)?;
    }
    Ok(())
}

fn show(folder: &Path, role: &str, text: &Value) -> Done {
    if let Some(text) = text.as_str() {
        fs::write(folder.join(format!("{}.json", file_name(role))), text)?;
    }
    Ok(())
}

/// `name` as one name of a file.
fn file_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let encoded = name.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    encoded.collect()
}
