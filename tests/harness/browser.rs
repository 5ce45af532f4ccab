//! A browser as far as HTTP goes: cookies, and forms with the token of their page.

use super::{Answer, Gateway};

/// A browser as far as these tests need one: its cookies and the form token of its last page.
#[derive(Clone, Default)]
pub struct Browser {
    pub cookies: Vec<(String, String)>,
    pub token: String,
}

impl Browser {
    pub fn get(&mut self, gateway: &Gateway, path: &str) -> Answer {
        self.ask(gateway, "GET", path, &[], "")
    }

    pub fn ask(
        &mut self,
        gateway: &Gateway,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut fields = more.to_vec();
        if !cookies.is_empty() {
            fields.push(("Cookie", &cookies));
        }
        let answer = gateway.ask(method, path, &fields, body.as_bytes());
        self.keep(&answer);
        answer
    }

    /// Sends a form as a browser would that shows a page of the gateway.
    pub fn send(&mut self, gateway: &Gateway, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = gateway.url("");
        self.send_from(gateway, path, fields, &[("Origin", &origin)])
    }

    pub fn send_from(
        &mut self,
        gateway: &Gateway,
        path: &str,
        fields: &[(&str, &str)],
        more: &[(&str, &str)],
    ) -> Answer {
        let mut body = format!("form={}", self.token);
        for (name, value) in fields {
            body += &format!("&{name}={}", encoded(value));
        }
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        self.ask(gateway, "POST", path, &[&[kind], more].concat(), &body)
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.head.lines() {
            let Some(set) =
                line.to_ascii_lowercase().starts_with("set-cookie:").then(|| &line[11..])
            else {
                continue;
            };
            let (name, value) = set.split(';').next().unwrap().trim().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !set.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let text = String::from_utf8_lossy(&answer.body);
        if let Some((_, rest)) = text.split_once("name=\"form\" value=\"") {
            self.token = rest.split('"').next().unwrap().to_owned();
        }
    }

    pub fn session(&self) -> Option<&str> {
        let found = self.cookies.iter().find(|(name, _)| name == "hydrant-session");
        found.map(|(_, value)| value.as_str())
    }

    /// Opens a link and presses its button.
    pub fn sign_in(&mut self, gateway: &Gateway, path: &str) {
        assert_eq!(self.get(gateway, path).status, 200);
        let answer = self.send(gateway, path, &[]);
        assert_eq!((answer.status, answer.field("location")), (303, Some("/account")));
    }
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => (byte as char).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
