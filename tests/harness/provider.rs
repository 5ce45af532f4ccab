//! A real OpenID provider on loopback, and how somebody signs in there.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::Answer;

/// The provider, which ends with this value.
pub struct Provider {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub issuer: String,
}

impl Provider {
    pub fn start() -> Provider {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/provider.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It warns that it is for development.
            .stderr(Stdio::null())
            .spawn()
            .expect("node is there: tests/run installs it");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut provider = Provider { process, input, output, issuer: String::new() };
        provider.issuer = provider.line()["issuer"].as_str().unwrap().to_owned();
        provider
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("the provider: {error}"))
    }

    /// The settings by which a gateway knows it as `uni`; their secret goes into a file at `path`.
    pub fn settings(&self, path: &std::path::Path) -> String {
        std::fs::write(path, "sesame\n").unwrap();
        format!(
            "[sign_in.providers.uni]\nissuer = \"{}\"\ntitle = \"Orrin\"\n\
             client_id = \"hydrant\"\nclient_secret_file = \"{}\"\nallow_private = true\n",
            self.issuer,
            path.display()
        )
    }

    /// Lets it know the gateway at that address.
    pub fn knows(&mut self, gateway: &str) {
        let redirect = format!("{gateway}/sign-in/with/uni/callback");
        let told = json!({ "redirect": redirect });
        writeln!(self.input.as_mut().unwrap(), "{told}").unwrap();
        assert_eq!(self.line(), told);
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// Opens `address` in a browser of its own, signs in there as `login` and consents; returns the
/// address outside the provider to which it is sent in the end.
pub fn sign_in_there(issuer: &str, address: &str, login: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let jar = folder.path().join("jar");
    let fetch = |address: &str, form: &[String]| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "30", "-w", "\n%{redirect_url}"]);
        curl.arg("-b").arg(&jar).arg("-c").arg(&jar);
        for field in form {
            curl.args(["--data-urlencode", field]);
        }
        let ended = super::ended(curl.arg(address).output().unwrap());
        assert_eq!(ended.code, 0, "{address}: {}", ended.stderr);
        let (page, redirect) = ended.stdout.rsplit_once('\n').unwrap();
        (page.to_owned(), redirect.to_owned())
    };
    let mut address = address.to_owned();
    let mut form = Vec::new();
    for _ in 0..12 {
        let (page, redirect) = fetch(&address, &form);
        form.clear();
        if !redirect.is_empty() {
            if !redirect.starts_with(issuer) {
                return redirect;
            }
            address = redirect;
        } else if page.contains("value=\"login\"") {
            form = vec!["prompt=login".into(), format!("login={login}"), "password=x".into()];
        } else if page.contains("value=\"consent\"") {
            form = vec!["prompt=consent".into()];
        } else {
            panic!("the provider shows at {address}: {page}");
        }
    }
    panic!("the provider asks for more and more at {address}");
}

/// The address of the link on the page from which a browser goes on to a provider.
#[track_caller]
pub fn way_there(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{}", page.text());
    let link = page.text().split_once("<a href=\"http").expect("the page has a link").1;
    let address = format!("http{}", link.split('"').next().unwrap()).replace("&amp;", "&");
    // Browsers that show pages go on by themselves, by no form that `form-action` would hold.
    assert_eq!(page.field("refresh"), Some(format!("0; url={address}").as_str()));
    let policy = page.field("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self'; "), "{policy}");
    address
}

/// The value of a field of an address.
pub fn part(address: &str, name: &str) -> String {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let found = form_urlencoded::parse(query.as_bytes()).find(|(field, _)| field == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[track_caller]
pub fn leads_to(answer: &Answer, expected: &str) {
    let found = (answer.status, answer.field("location"));
    assert_eq!(found, (303, Some(expected)), "{}", answer.text());
}
