// SPDX-License-Identifier: Apache-2.0
//! A reverse proxy before one service, which misbehaves by a table.
//!
//! It speaks HTTP/1.1 by hand, because it must be able to speak it wrongly. What no rule asks it to
//! spoil goes through whole, with the client's own `Host`, so that absolute URLs which a service
//! builds from it lead back through the proxy. It needs no keys: lies that need some are not its work.

mod kind;
mod proxy;
mod rule;

pub(crate) use kind::{Condition, Fault, Seen};
pub(crate) use proxy::FaultProxy;
pub(crate) use rule::{At, Rule, Turn};
