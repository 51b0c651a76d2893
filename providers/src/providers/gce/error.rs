// SPDX-License-Identifier: Apache-2.0
//! The errors of the metadata server.

use ambisign_host::errors;

use crate::RequestError;

errors! {
    /// The metadata server returned no token.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        #[error("Cloud Build's default service account cannot get identity tokens")]
        DefaultBuildAccount = "gce/default-build-account", Identity {
            what: "This build uses Cloud Build's default account, which cannot get identity tokens.",
            why: "Google gives identity tokens to accounts of the project only.",
            advice: "Give the build its own `serviceAccount:`, or set `GOOGLE_SERVICE_ACCOUNT_NAME` to an account that it may impersonate.",
        },
        #[error("the metadata server answered with an empty identity token")]
        Empty = "gce/empty", Identity {
            what: "The metadata server answered without a token.",
            why: "Another server answers in its place, or it is not ready yet.",
            advice: "Run again after a few seconds; if that fails too, check what answers at the metadata address.",
        },
        #[error("{host} does not answer like a Google metadata server")]
        Flavor { host: String } = "gce/flavor", Identity {
            what: "The server at the metadata address is not Google's.",
            why: "Google's server marks each answer with a header; a proxy or another cloud does not.",
            advice: "Run on Google Cloud, and check that nothing else answers at this address; elsewhere unset the `GCE_METADATA_*` variables.",
        },
        #[error("`{variable}` points to `{host}`, which cannot be a metadata server")]
        Host { variable: &'static str, host: String } = "gce/host", Identity {
            fix: format!("unset `{variable}`, or name a loopback, link-local or private address"),
            what: "A variable names an address where no metadata server can be.",
            why: "The answers are not encrypted, so only addresses on or near the machine are accepted.",
            advice: "Unset the variable, or name a loopback, link-local or private address.",
        },
        /// The request failed.
        #[error("the metadata server gave no usable answer")]
        Http(#[from] error: RequestError) = request error in "gce" { fix: error.fix() },
        #[error("`GCE_METADATA_MTLS_MODE` is `strict`, which is not supported")]
        MutualTls = "gce/mutual-tls", Identity {
            what: "The metadata server requires client certificates, which are not supported.",
            why: "`GCE_METADATA_MTLS_MODE` requires it.",
            advice: "Set `GCE_METADATA_MTLS_MODE` to `default`, or impersonate with a key file.",
        },
        #[error("the metadata server has no identity token for {account}")]
        NoIdentity { account: String } = "gce/no-identity", Identity {
            what: "The metadata server knows the account but has no identity token for it.",
            why: "Some machines and builds provide only access tokens.",
            advice: "Set `GOOGLE_SERVICE_ACCOUNT_NAME` to an account that this one may impersonate.",
        },
        #[error("this Google machine has no service account attached")]
        NoServiceAccount = "gce/no-service-account", Identity {
            what: "The machine has no service account.",
            why: "It was created without one, or its account was removed.",
            advice: "Attach a service account to the machine, the instance template or the pod.",
        },
        #[error("{account} may not mint identity tokens for itself (the metadata server says 404)")]
        NotGranted { account: String } = "gce/not-granted", Identity {
            fix: format!("grant {account} `roles/iam.serviceAccountOpenIdTokenCreator` on itself, which works after two to five minutes, or set `GOOGLE_SERVICE_ACCOUNT_NAME`"),
            what: "The account may not create identity tokens for itself.",
            why: "In Cloud Build an account needs a grant on itself for that.",
            advice: "Grant the account the role to create identity tokens on itself, and wait a few minutes.",
        },
        #[error("this pod may not act as {account}")]
        NotImpersonable { account: String } = "gce/not-impersonable", Identity {
            fix: format!("grant the Kubernetes account `roles/iam.workloadIdentityUser` on {account}"),
            what: "The pod may not act as its Google account.",
            why: "The Kubernetes account names the Google account, and the Google account does not allow it.",
            advice: "Grant the Kubernetes account the workload identity user role on the Google account.",
        },
        #[error("the Kubernetes account of this pod is not linked to a Google service account")]
        NotLinked {
            /// The audience that a projected token should have.
            audience: String,
            file: String,
        } = "gce/not-linked", Identity {
            fix: format!("mount a projected token with audience `{audience}` at `{file}`"),
            what: "The Kubernetes account of this pod is not linked to a Google account.",
            why: "Its annotation is missing.",
            advice: "Annotate the Kubernetes account with the e-mail address of the Google account, or mount a projected token.",
        },
        #[error("the metadata server refused: HTTP {status} `{excerpt}`")]
        Refused { status: u16, excerpt: String } = "gce/refused", Identity {
            what: "The metadata server refused the request.",
            why: "The message shows its answer; usually the account or the scope is the reason.",
            advice: "Act on the answer in the message, then run again.",
        },
        #[error("the answer of the metadata server cannot be read: {shape}")]
        Unreadable { shape: String } = "gce/unreadable", Identity {
            what: "The metadata server's answer contains no token.",
            why: "Another server answers at its address.",
            advice: "Check that nothing else answers at the address of the metadata server.",
        },
    }
}

impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}
