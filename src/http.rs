//! Asking servers of the web: one way for all who do, with a time limit, the system's certificates and proxies, and errors that hold no secret.

use crate::problem::io_words;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{RootCerts, TlsConfig};

/// What a server has answered, whatever it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status: 200 to 299 is yes.
    pub status: u16,
    /// What stands behind it; nothing if that is no text.
    pub body: String,
}

impl Answer {
    /// Whether it is a yes.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Those who ask, with a time limit for each question.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    timeout: Duration,
}

impl Client {
    /// Follows no redirections: a message is for whom it was sent to.
    pub fn new(timeout: Duration) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder().timeout_global(Some(timeout)).max_redirects(0).tls_config(tls).http_status_as_error(false);
        Self { agent: config.build().new_agent(), timeout }
    }

    /// Sends JSON, or nothing but the question.
    ///
    /// # Errors
    /// Why there was no answer, in words that leave out the address: it may hold a secret.
    pub fn ask(&self, method: &str, url: &str, headers: &[(&str, &str)], body: Option<&str>) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(url).header("user-agent", "lockkeeper");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => request.header("content-type", "application/json").body(body).map(|request| self.agent.run(request)),
            None => request.body(()).map(|request| self.agent.run(request)),
        };
        match answer {
            Ok(Ok(mut answer)) => {
                Ok(Answer { status: answer.status().as_u16(), body: answer.body_mut().read_to_string().unwrap_or_default() })
            }
            Ok(Err(error)) => Err(self.words(error)),
            Err(_) => Err("this is no address that can be asked".to_owned()),
        }
    }

    fn words(&self, error: ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => format!("it does not answer within {} s", self.timeout.as_secs_f64()),
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Io(error) => io_words(&error),
            // Whatever else it is, its words may hold the address.
            _ => "the message cannot be sent".to_owned(),
        }
    }
}
