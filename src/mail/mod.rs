//! Letters that leave by SMTP; what is to be sent, and to whom, the directory has written down.
//!
//! One task takes up the letter that has been due longest, sends it, and notes that it is gone. A
//! letter that could not be sent is due again later; one that the server will never take is given
//! up. If the process dies in between, the letter is sent once more. A link is made in the moment
//! in which its letter is taken up, so that no secret ever lies in the database.

mod text;

use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::base::clock::Clock;
use crate::config::{Mail, MailSecurity};
use crate::directory::letter::{self, Letter};
use crate::directory::notice;
use crate::store::{Store, StoreError};

/// How often it is looked whether a letter is due.
const LOOK: Duration = Duration::from_secs(1);

/// How long a server may take for one letter.
const SERVER_MAX: Duration = Duration::from_secs(20);

/// Sends letters until it is dropped.
pub struct Post {
    store: Store,
    clock: Clock,
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Under which address people reach the gateway, without a slash at its end.
    url: String,
}

/// Why a letter did not leave. The server's own words may hold the address, so they are left out.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the letter cannot be put together")]
    Unwritable,
    #[error("the server of mail refused it with {0}")]
    Refused(u16),
    #[error("the server of mail cannot be reached: {0}")]
    Unreachable(&'static str),
}

impl Post {
    /// A post that sends by `mail` what `store` holds; `url` is where people reach the gateway.
    ///
    /// # Errors
    /// A clause for an operator, if TLS cannot be set up.
    pub fn new(store: Store, clock: Clock, mail: &Mail, url: String) -> Result<Post, String> {
        type Server = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match mail.security {
            MailSecurity::Tls => Server::relay(&mail.host),
            MailSecurity::StartTls => Server::starttls_relay(&mail.host),
            MailSecurity::None => Ok(Server::builder_dangerous(&mail.host)),
        };
        let builder = builder.map_err(|error| format!("mail cannot be sent: {error}"))?;
        let mut builder = builder.port(mail.port).timeout(Some(SERVER_MAX));
        if let Some((user, password)) = mail.login.clone() {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Post { store, clock, server: builder.build(), from: mail.from.clone(), url })
    }

    /// Sends what is due, for ever.
    pub async fn run(self) {
        loop {
            match self.send_next().await {
                Ok(true) => {}
                Ok(false) => tokio::time::sleep(LOOK).await,
                Err(error) => {
                    tracing::warn!(%error, "letters cannot be taken up");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    /// Sends the letter that has been due longest; whether there was one.
    async fn send_next(&self) -> Result<bool, StoreError> {
        let now_ms = self.clock.now_ms();
        // A look costs no commit, and most of the time there is nothing to do.
        if !self.store.look(move |tx| notice::due(tx, now_ms, 1)).await?.is_empty() {
            self.store.write(move |tx| notice::write_letters(tx, now_ms)).await?;
        }
        if self.store.look(move |tx| tx.letter_due(now_ms)).await?.is_none() {
            return Ok(false);
        }
        let taken = self.store.write(move |tx| letter::take_up(tx, now_ms)).await?;
        let Some(letter) = taken else { return Ok(true) };
        let id = letter.id;
        match self.send(letter).await {
            Ok(()) => tracing::info!(letter = id, "a letter was sent"),
            Err(error @ (SendError::Unwritable | SendError::Refused(500..))) => {
                tracing::warn!(letter = id, %error, "a letter was given up");
            }
            Err(error) => {
                tracing::warn!(letter = id, %error, "a letter waits for another try");
                return Ok(true);
            }
        }
        self.store.write(move |tx| letter::sent(tx, id)).await?;
        Ok(true)
    }

    async fn send(&self, letter: Letter) -> Result<(), SendError> {
        let (subject, body) = text::of(&letter.content, &self.url);
        let to = letter.mail.parse().map_err(|_| SendError::Unwritable)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|_| SendError::Unwritable)?;
        self.server.send(message).await.map(drop).map_err(|error| match error.status() {
            Some(code) => SendError::Refused(u16::from(code)),
            None if error.is_timeout() => SendError::Unreachable("it takes too long"),
            None if error.is_tls() => SendError::Unreachable("TLS with it fails"),
            None => SendError::Unreachable("the connection fails"),
        })
    }
}
