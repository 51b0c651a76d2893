// SPDX-License-Identifier: Apache-2.0
//! What the built binary does when the world is wrong: bad tokens, bad files, bad names, services
//! that fail, stall and lie. Each row is one run against real services, and says which error code
//! and exit code it must end with, and what must not exist afterwards.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops; a sandbox is a child process; tables are long"
)]

#[path = "refuse/answers.rs"]
mod answers;
#[path = "refuse/bend.rs"]
mod bend;
mod common;
#[path = "refuse/deployments.rs"]
mod deployments;
#[path = "refuse/entries.rs"]
mod entries;
#[path = "refuse/field.rs"]
mod field;
#[path = "refuse/inputs.rs"]
mod inputs;
#[path = "refuse/keyed.rs"]
mod keyed;
#[path = "refuse/lasting.rs"]
mod lasting;
#[path = "refuse/lies.rs"]
mod lies;
#[path = "refuse/logins.rs"]
mod logins;
#[path = "refuse/once.rs"]
mod once;
#[path = "refuse/place.rs"]
mod place;
#[path = "refuse/played.rs"]
mod played;
#[path = "refuse/registry.rs"]
mod registry;
#[path = "refuse/scene.rs"]
mod scene;
#[path = "refuse/secrets.rs"]
mod secrets;
#[path = "refuse/settings.rs"]
mod settings;
#[path = "refuse/tokens.rs"]
mod tokens;
#[path = "refuse/tuf.rs"]
mod tuf;
