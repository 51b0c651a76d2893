// SPDX-License-Identifier: Apache-2.0
//! What the built binary does when the world is wrong: bad tokens, bad files, bad names, services
//! that fail, stall and lie. Each row is one run against real services, and says which error code
//! and exit code it must end with, and what must not exist afterwards.

#[path = "refuse/answers.rs"]
mod answers;
#[path = "refuse/bend.rs"]
mod bend;
mod common;
#[path = "refuse/lasting.rs"]
mod lasting;
#[path = "refuse/lies.rs"]
mod lies;
#[path = "refuse/once.rs"]
mod once;
#[path = "refuse/registry.rs"]
mod registry;
#[path = "refuse/scene.rs"]
mod scene;
#[path = "refuse/settings.rs"]
mod settings;
#[path = "refuse/tokens.rs"]
mod tokens;
