//! Messages over a pipe: frames with a Content-Length, JSON in them. What is broken is said so, and the next message is read.

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::io::{self, BufRead, Read, Write};

/// What came through the pipe.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Message),
    /// Something that is none.
    Broken(Broken),
}

/// What is wrong with something that is no message.
#[derive(Debug)]
pub struct Broken {
    /// Whether it is JSON at all.
    code: ErrorCode,
    why: String,
}

/// No line of a header is longer, and no message.
const LONGEST_HEADER: u64 = 16 * 1024;
const LONGEST_MESSAGE: u64 = 512 * 1024 * 1024;

/// Reads one message; `None` at the end of the pipe.
///
/// # Errors
/// What the operating system says.
pub fn read(from: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if from.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().ok();
        }
    }
    let Some(length) = length else { return Ok(Some(broken(ErrorCode::ParseError, "there is no Content-Length before this message"))) };
    let mut body = from.by_ref().take(length);
    if length > LONGEST_MESSAGE {
        io::copy(&mut body, &mut io::sink())?;
        return Ok(Some(broken(ErrorCode::InvalidRequest, "this message is longer than any message is")));
    }
    let mut bytes = Vec::new();
    if (body.read_to_end(&mut bytes)? as u64) < length {
        return Ok(None);
    }
    Ok(Some(message(&bytes)))
}

fn message(bytes: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return broken(ErrorCode::ParseError, format!("this message is no JSON: {error}")),
    };
    let has_id = value.get("id").is_some();
    match serde_json::from_value(value) {
        // An id that is neither a number nor a text.
        Ok(Message::Notification(_)) if has_id => broken(ErrorCode::InvalidRequest, "this request has an id that no answer can name"),
        Ok(message) => Incoming::Message(message),
        Err(_) => broken(ErrorCode::InvalidRequest, "this is neither a request nor a notification nor a response"),
    }
}

fn broken(code: ErrorCode, why: impl Into<String>) -> Incoming {
    Incoming::Broken(Broken { code, why: why.into() })
}

/// Sends one message. A client that is gone is found out by whoever reads.
pub fn send(message: impl Into<Message>) {
    let mut bytes = Vec::new();
    if message.into().write(&mut bytes).is_ok() {
        write(&bytes);
    }
}

/// Answers a request.
pub fn answer(id: RequestId, result: impl serde::Serialize) {
    match serde_json::to_value(result) {
        Ok(result) => send(Response { id, response_result: Ok(result) }),
        Err(error) => refuse(id, ErrorCode::InternalError, error.to_string()),
    }
}

/// Answers a request that cannot be answered.
pub fn refuse(id: RequestId, code: ErrorCode, why: impl Into<String>) {
    send(Response::new_err(id, code as i32, why.into()));
}

/// Answers something that is no message: without an id, since it has none.
pub fn complain(broken: &Broken) {
    let error = json!({ "code": broken.code as i32, "message": broken.why });
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string();
    write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
}

/// Tells the client something.
pub fn notify(method: &str, params: impl serde::Serialize) {
    if let Ok(params) = serde_json::to_value(params) {
        send(Notification { method: method.to_owned(), params });
    }
}

/// Asks the client something; the answer is of no interest.
pub fn request(id: &str, method: &str, params: impl serde::Serialize) {
    if let Ok(params) = serde_json::to_value(params) {
        send(Request { id: RequestId::from(id.to_owned()), method: method.to_owned(), params });
    }
}

fn write(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(bytes: &str) -> Vec<String> {
        let mut from = io::Cursor::new(bytes);
        std::iter::from_fn(|| read(&mut from).ok().flatten())
            .map(|incoming| match incoming {
                Incoming::Message(Message::Request(request)) => format!("request {}", request.method),
                Incoming::Message(Message::Notification(notification)) => format!("notification {}", notification.method),
                Incoming::Message(Message::Response(_)) => "response".to_owned(),
                Incoming::Broken(broken) => broken.why,
            })
            .collect()
    }

    fn frame(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn behind_what_is_broken_the_next_message_is_read() {
        let good = frame(r#"{"jsonrpc":"2.0","method":"exit"}"#);
        for broken in ["{", "[]", "3", r#"{"id":1}"#, r#"{"id":1.5,"method":"shutdown"}"#, "", "\u{0}"] {
            let words = words(&format!("{}{good}", frame(broken)));
            assert_eq!(words.len(), 2, "{broken:?}: {words:?}");
            assert_eq!(words[1], "notification exit", "{broken:?}");
        }
        assert_eq!(words(&format!("X-Nonsense\r\n\r\n{good}")).len(), 2);
        assert_eq!(words(&format!("content-length:  {}\nX: y\n\n{}", 33, r#"{"jsonrpc":"2.0","method":"exit"}"#)), ["notification exit"]);
    }

    #[test]
    fn a_message_that_is_cut_off_is_the_end() {
        assert_eq!(words("Content-Length: 30\r\n\r\n{}"), [""; 0]);
        assert_eq!(words("Content-Len"), [""; 0]);
    }
}
