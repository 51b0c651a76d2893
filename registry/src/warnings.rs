// SPDX-License-Identifier: Apache-2.0
//! The warnings about registries, images and logins.

use ambisign_host::codes;

codes! {
    /// The warnings of the stage `registry`.
    pub WARNINGS {
        pub CUT = "registry/cut" {
            what: "The image has more attachments than were inspected.",
            why: "The number is limited, so that no one can make a verification endless.",
            advice: "Remove attachments that are not needed.",
        },
        pub DRIFT = "registry/drift" {
            what: "While the image was signed, its tag moved to another image.",
            why: "Someone pushed. The signature is for the image that the tag named at the beginning.",
            advice: "Sign by digest, and sign the new image too if it is yours.",
        },
        pub HELPER_MISSING = "registry/helper-missing" {
            what: "A credential helper of the Docker config is not installed; the job's own login is used.",
            why: "Small images have no helpers; the config often comes from a larger one.",
            advice: "Do nothing if the login in the message is the right one; otherwise install the helper.",
        },
        pub LOGIN_UNREADABLE = "registry/login-unreadable" {
            what: "This user may not read a login file in a default place, so it is ignored.",
            why: "It belongs to another user of the machine, such as root, and the image runs as someone else.",
            advice: "Make it readable, or point `DOCKER_CONFIG` to a folder of this user.",
        },
        pub PLAIN_HTTP = "registry/plain-http" {
            what: "A registry is used without TLS, as `--allow-http-registry` allows.",
            why: "Others on the network can read the login and change what the registry serves.",
            advice: "Set up TLS for the registry, and give its CA with `--ca-file`.",
        },
        pub REMOVED = "registry/removed" {
            what: "A list of signatures named a manifest that no longer exists; the entry was removed.",
            why: "A cleanup of the registry deleted the manifest and left the list. The registry rejects a list with such an entry.",
            advice: "Keep signatures when you clean up: delete them with their image.",
        },
        pub SCOPED_LOGIN = "registry/scoped-login" {
            what: "The login is in a folder that is for Buildx only.",
            why: "docker/login-action puts it there if it has the input `scope`.",
            advice: "Remove `scope` from the step that logs in, so that every program finds the login.",
        },
        pub TAG = "registry/tag" {
            what: "The image was named by tag.",
            why: "A tag can move between push and signature. It was resolved once, and that digest is signed.",
            advice: "Name images by digest; `--require-digest` enforces it.",
        },
    }
}
