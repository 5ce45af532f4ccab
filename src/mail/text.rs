//! What letters say, word by word.

use crate::directory::letter::Content;

/// Subject and body of a letter from the gateway at `url`.
pub(super) fn of(content: &Content, url: &str) -> (String, String) {
    match content {
        Content::SignIn { name, secret } => {
            let subject = "Your link to sign in".to_owned();
            let link = format!("{url}/sign-in/{}", secret.reveal());
            let body = format!(
                "Hello {name},\n\n\
                 by this link you sign in once, within 15 minutes:\n\n{link}\n\n\
                 If you did not ask for it, nothing happens unless somebody opens it: delete it.\n"
            );
            (subject, body)
        }
        Content::Verification { name, secret } => {
            let subject = "Please confirm your mail address".to_owned();
            let link = format!("{url}/register/{}", secret.reveal());
            let body = format!(
                "Hello {name},\n\n\
                 somebody registered with this address at {url}. If it was you, confirm it within \
                 a day:\n\n{link}\n\n\
                 After that an operator looks at your registration, and you are told.\n\
                 If it was not you, delete this letter, and nothing comes of it.\n"
            );
            (subject, body)
        }
        Content::Notice { subject, text } => {
            (subject.clone(), format!("{text}\n\nSign in: {url}/sign-in\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Secret;

    #[test]
    fn a_letter_brings_its_link_alone_on_a_line() {
        let secret = Secret::generate();
        let revealed = secret.reveal().to_owned();
        let (_, body) = of(&Content::SignIn { name: "Ada".into(), secret }, "https://x.example");
        assert!(body.lines().any(|line| line == format!("https://x.example/sign-in/{revealed}")));
    }
}
