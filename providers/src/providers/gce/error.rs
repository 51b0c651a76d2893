// SPDX-License-Identifier: Apache-2.0
//! Why the metadata server gives no token.

use ambisign_host::errors;

use crate::RequestError;

errors! {
    /// Why the metadata server gives no token.
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        /// The build runs as Cloud Build's default account.
        #[error("Cloud Build's default service account cannot get identity tokens")]
        DefaultBuildAccount = "gce/default-build-account", Identity {
            what: "This build runs as Cloud Build's own account, which has no identity tokens.",
            why: "Google gives identity tokens to accounts of the project only.",
            advice: "Give the build its own `serviceAccount:`, or set `GOOGLE_SERVICE_ACCOUNT_NAME` to an account that it may impersonate.",
        },
        /// The answer holds an empty token.
        #[error("the metadata server answered with an empty identity token")]
        Empty = "gce/empty", Identity {
            what: "The metadata server answered without a token.",
            why: "Another server answers in its place, or it is not ready yet.",
            advice: "Run again after some seconds; if it stays, check what answers at the metadata address.",
        },
        /// What answered is something else.
        #[error("{host} does not answer as a Google metadata server does")]
        Flavor {
            /// Its host.
            host: String,
        } = "gce/flavor", Identity {
            what: "What answers at the metadata address is not Google's server.",
            why: "The real one marks each answer with a header. A proxy or another cloud does not.",
            advice: "Run on Google Cloud, and check that nothing else answers at this address; elsewhere unset the `GCE_METADATA_*` variables.",
        },
        /// The variable names a machine outside of its surroundings.
        #[error("`{variable}` points to `{host}`, which cannot be a metadata server")]
        Host {
            /// The variable.
            variable: &'static str,
            /// What it names.
            host: String,
        } = "gce/host", Identity {
            fix: format!("unset `{variable}`, or name a loopback, link-local or private address"),
            what: "A variable names an address where no metadata server can be.",
            why: "The answers are not encrypted, so only addresses on or near the machine are accepted.",
            advice: "Unset the variable, or name a loopback, link-local or private address.",
        },
        /// No whole answer.
        #[error("the metadata server gave no usable answer")]
        Http(#[from] error: RequestError) = request error in "gce" { fix: error.fix() },
        /// The metadata server asks for client certificates.
        #[error("`GCE_METADATA_MTLS_MODE` is `strict`, which is not supported")]
        MutualTls = "gce/mutual-tls", Identity {
            what: "The metadata server must be asked with client certificates, which is not supported.",
            why: "`GCE_METADATA_MTLS_MODE` demands it.",
            advice: "Set `GCE_METADATA_MTLS_MODE` to `default`, or impersonate with a key file.",
        },
        /// There is an account, but no identity for it.
        #[error("the metadata server has no identity token for {account}")]
        NoIdentity {
            /// The account.
            account: String,
        } = "gce/no-identity", Identity {
            what: "The metadata server knows the account but has no identity token for it.",
            why: "Some machines and builds hand out access tokens alone.",
            advice: "Set `GOOGLE_SERVICE_ACCOUNT_NAME` to an account that this one may impersonate.",
        },
        /// The machine has no account.
        #[error("this Google machine has no service account attached")]
        NoServiceAccount = "gce/no-service-account", Identity {
            what: "The machine runs without a service account.",
            why: "It was created so, or its account was removed.",
            advice: "Attach a service account to the machine, the instance template or the pod.",
        },
        /// The account of the build may not mint tokens for itself.
        #[error("{account} may not mint identity tokens for itself (the metadata server says 404)")]
        NotGranted {
            /// The account.
            account: String,
        } = "gce/not-granted", Identity {
            fix: format!("grant {account} `roles/iam.serviceAccountOpenIdTokenCreator` on itself, which works after two to five minutes, or set `GOOGLE_SERVICE_ACCOUNT_NAME`"),
            what: "The account may not create identity tokens for itself.",
            why: "In Cloud Build an account needs a grant on itself for that.",
            advice: "Grant the account the role to create identity tokens on itself, and wait some minutes.",
        },
        /// The Kubernetes account of the pod may not act as the Google account.
        #[error("this pod may not act as {account}")]
        NotImpersonable {
            /// The account.
            account: String,
        } = "gce/not-impersonable", Identity {
            fix: format!("grant the Kubernetes account `roles/iam.workloadIdentityUser` on {account}"),
            what: "The pod may not act as its Google account.",
            why: "The Kubernetes account names the Google account, and the Google account does not allow it.",
            advice: "Grant the Kubernetes account the role of a workload identity user on the Google account.",
        },
        /// The Kubernetes account of the pod stands for no Google account.
        #[error("the Kubernetes account of this pod is not linked to a Google service account")]
        NotLinked {
            /// The audience that a projected token should have.
            audience: String,
            /// Where it can be mounted.
            file: String,
        } = "gce/not-linked", Identity {
            fix: format!("mount a projected token with audience `{audience}` at `{file}`"),
            what: "The Kubernetes account of this pod stands for no Google account.",
            why: "Its annotation is missing.",
            advice: "Annotate the Kubernetes account with the e-mail address of the Google account, or mount a projected token.",
        },
        /// The metadata server says no.
        #[error("the metadata server refused: HTTP {status} `{excerpt}`")]
        Refused {
            /// The status.
            status: u16,
            /// The beginning of the answer.
            excerpt: String,
        } = "gce/refused", Identity {
            what: "The metadata server refused the request.",
            why: "Its answer, which is shown, has the reason; mostly the account or the scope.",
            advice: "Act on the answer in the message, then run again.",
        },
        /// The answer is not what a metadata server answers.
        #[error("the answer of the metadata server was not understood: {shape}")]
        Unreadable {
            /// Its length and type.
            shape: String,
        } = "gce/unreadable", Identity {
            what: "The metadata server's answer holds no token.",
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
