// SPDX-License-Identifier: Apache-2.0
//! The main entry point: detects a provider and requests a token from it.

use std::path::PathBuf;

use ambisign_host::{Clock, Env, Host, Net, NetOptions, Token};

use crate::{Choice, Error, Options, choose};

/// The `User-Agent` of requests.
const USER_AGENT: &str = concat!("ambisign-providers/", env!("CARGO_PKG_VERSION"));

/// Finds the identity of an environment and requests tokens from it.
///
/// ```no_run
/// # async fn hello() -> Result<(), ambisign_providers::Error> {
/// let token = ambisign_providers::Detector::from_env().token("sigstore").await?;
/// # Ok(())
/// # }
/// ```
///
/// Before a token is requested, only variables are read. Each request has its own limits and ends within
/// 45 seconds; for one deadline for all of them, see [`Detector::new`].
#[derive(Debug)]
pub struct Detector {
    host: Host,
    options: Options,
}

impl Detector {
    /// A detector for the environment of this process.
    ///
    /// HTTP clients are built at their first use, with the proxies and CA certificates of the environment
    /// and the machine.
    pub fn from_env() -> Self {
        let (env, clock, root) = (Env::from_process(), Clock::system(), PathBuf::from("/"));
        let options = NetOptions {
            user_agent: USER_AGENT.to_owned(),
            root: root.clone(),
            ..NetOptions::default()
        };
        let net = Net::new(&env, clock, options);
        let host = Host { env, net, clock, root };
        Self::new(host, Options::default())
    }

    /// A detector for a host that the program has built, with its own deadline, observer of requests and
    /// names of settings.
    ///
    /// ```
    /// use ambisign_host::{Clock, Env, Host, Net, NetOptions};
    /// use ambisign_providers::{Detector, Names, Options};
    /// # use std::io::{Read, Write};
    /// use std::time::Duration;
    /// #
    /// # fn endpoint() -> std::io::Result<String> {
    /// #     let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// #     let url = format!("http://{}/", listener.local_addr()?);
    /// #     std::thread::spawn(move || -> std::io::Result<()> {
    /// #         let (mut stream, _) = listener.accept()?;
    /// #         let mut request = Vec::new();
    /// #         while !request.ends_with(b"\r\n\r\n") {
    /// #             let mut byte = [0];
    /// #             stream.read_exact(&mut byte)?;
    /// #             request.extend(byte);
    /// #         }
    /// #         assert!(request.starts_with(b"GET /?audience=sigstore "));
    /// #         let body = r#"{"value":"header.claims.signature"}"#;
    /// #         write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    /// #     });
    /// #     Ok(url)
    /// # }
    /// #
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let url = endpoint()?;
    ///
    /// // A GitHub job, whose token endpoint is on this machine.
    /// let env: Env = [
    ///     ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
    ///     ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token"),
    /// ]
    /// .into_iter()
    /// .collect();
    /// let clock = Clock::system();
    /// let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    /// let net = NetOptions { deadline: Some(deadline), ..NetOptions::default() };
    /// let net = Net::new(&env, clock, net);
    /// let host = Host { env, net, clock, root: "/".into() };
    ///
    /// const NAMES: &Names = &Names { provider: "--provider", ..Names::FIELDS };
    /// let options = Options { names: NAMES, ..Options::default() };
    /// let token = Detector::new(host, options).token("sigstore").await?;
    /// assert_eq!(token.expose(), "header.claims.signature");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(host: Host, options: Options) -> Self {
        Self { host, options }
    }

    /// Replaces the options.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// The environment.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Chooses the provider for a token for `audience`, without using the network.
    ///
    /// `audience` replaces [`Options::audience`]. If the options name no token variable, it is
    /// `<AUDIENCE>_ID_TOKEN`, in the form that GitLab jobs use: `SIGSTORE_ID_TOKEN` for `sigstore`.
    ///
    /// # Errors
    /// None is detected, several are detected with the same precedence, or the first one is unusable.
    pub fn detect(&self, audience: &str) -> Result<Choice, Error> {
        let mut options = self.options.clone();
        audience.clone_into(&mut options.audience);
        if options.token_variables.is_empty() {
            options.token_variables.push(variable(audience));
        }
        choose(&self.host, &options)
    }

    /// Requests a token for `audience` from the chosen provider.
    ///
    /// # Errors
    /// Those of [`Detector::detect`], or the provider returns no token. No other provider is tried.
    pub async fn token(&self, audience: &str) -> Result<Token, Error> {
        let choice = self.detect(audience)?;
        choice.source.token(&self.host, audience).await
    }
}

/// The variable for a token for `audience`: letters in upper case, digits unchanged, and `_` for all
/// other characters.
fn variable(audience: &str) -> String {
    let upper = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => c.to_ascii_uppercase(),
        _ => '_',
    };
    let name: String = audience.chars().map(upper).collect();
    format!("{name}_ID_TOKEN")
}

#[cfg(test)]
mod tests {
    use super::{Detector, variable};
    use crate::choose::tests::{Place, block_on};
    use crate::{Explain, Options};

    #[test]
    fn the_audience_names_the_variable() {
        assert_eq!(variable("sigstore"), "SIGSTORE_ID_TOKEN");
        assert_eq!(variable("https://a.b/c1"), "HTTPS___A_B_C1_ID_TOKEN");
        let place = Place::new().var("MY_AUD_ID_TOKEN", "a.b.c");
        let detector = Detector::new(place.host(), Options::default());
        let token = block_on(detector.token("my-aud")).unwrap();
        assert_eq!(token.expose(), "a.b.c");
    }

    #[test]
    fn messages_name_no_setting_of_a_program() {
        let places = [
            Place::new(),
            Place::new().file("/.dockerenv", ""),
            Place::new().var("GITLAB_CI", "true"),
            Place::new().var("CIRCLECI", "true"),
            Place::new().var("TRAVIS", "true"),
            Place::new().var("X_ID_TOKEN", ""),
        ];
        let options = |provider: Option<&str>| Options {
            provider: provider.map(str::to_owned),
            ..Options::default()
        };
        for place in places {
            for provider in [None, Some("jenkins"), Some("spiffe")] {
                let detector = Detector::new(place.host(), options(provider));
                let error = detector.detect("x").unwrap_err();
                let fix = error.fix().unwrap();
                assert!(!format!("{error} {fix}").contains("`--"), "{error} {fix}");
            }
        }
    }
}
