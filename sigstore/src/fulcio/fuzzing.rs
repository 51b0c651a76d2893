// SPDX-License-Identifier: Apache-2.0
//! Access to the private parsers of Fulcio's answers, for `fuzz/` and its test only.

use super::wire;

/// The signing certificate of an answer, in DER.
pub fn leaf(body: &[u8]) -> Option<Vec<u8>> {
    wire::leaf(body)
}

/// The number of issuers in a configuration.
pub fn issuers(body: &[u8]) -> Option<usize> {
    wire::issuers(body).map(|issuers| issuers.len())
}

/// The message of an error answer.
pub fn message(body: &[u8]) -> Option<String> {
    wire::message(body)
}
