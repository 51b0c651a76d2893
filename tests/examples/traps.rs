// SPDX-License-Identifier: Apache-2.0
//! What goes wrong in Cloud Build, each with the sentence that helps.
