// SPDX-License-Identifier: Apache-2.0
//! What there is to know about the codes of verification.

use super::{Code, REJECTED, USAGE, row};

#[rustfmt::skip] // One part of a row a line.
pub(super) const CODES: &[Code] = &[
    row("verify/key-file", USAGE,
        "The file holds no public key.",
        "It may be the private one, a certificate, or in another form than PEM.",
        "Write the public key in PEM."),
    row("verify/no-signatures", REJECTED,
        "The image has no signature at all.",
        "It was never signed, signed in another repository, or copied without its signatures.",
        "Sign it; copy images together with what refers to them."),
    row("verify/none-acceptable", REJECTED,
        "There are signatures, and none of them is what you require.",
        "The reason of each one is told.",
        "Compare the reasons with what you require."),
    row("verify/read", USAGE,
        "A file for the verification could not be read.",
        "Its name is wrong, or the bundle is not beside the file.",
        "Check the path, or name the bundle with `--bundle`."),
];
