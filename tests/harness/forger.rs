//! An OpenID provider on loopback that gives out whatever tokens a test wants, properly signed or
//! not, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const SECRET: &str = "a secret that the gateway and the provider share";

/// How a token is signed.
#[derive(Clone, Copy, Debug)]
pub enum Signed {
    /// As it should be, by the RSA key.
    Rs256,
    /// As it should be, by the elliptic key.
    Es256,
    /// Not at all, and it says so.
    None,
    /// By the RSA key, and then the signature was taken away.
    Stripped,
    /// By what both sides know.
    WithSecret,
    /// By what everybody knows.
    WithPublicKey,
    /// By another elliptic key under the name of the known one.
    ByStranger,
}

/// What it gives out.
#[derive(Clone)]
pub struct Plan {
    pub signed: Signed,
    /// Of the ID token.
    pub claims: Value,
    /// Of the page that says more; `None`: there is no such page.
    pub more: Option<Value>,
    /// What the exchange of a code answers instead of tokens: status and body.
    pub refusal: Option<(u16, String)>,
    /// What its description of itself answers instead, as a whole answer of HTTP.
    pub description: Option<Vec<u8>>,
    /// Whether it claims to name itself in each answer.
    pub names_itself: bool,
}

/// The provider; it runs until the test's process ends.
pub struct Forger {
    pub issuer: String,
    plan: Arc<Mutex<Plan>>,
    asked: Arc<Mutex<Vec<String>>>,
}

struct Keys {
    rsa: RsaKeyPair,
    elliptic: EcdsaKeyPair,
    stranger: EcdsaKeyPair,
}

impl Forger {
    pub fn start() -> Forger {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let plan = Plan {
            signed: Signed::Rs256,
            claims: json!({}),
            more: None,
            refusal: None,
            description: None,
            names_itself: false,
        };
        let forger = Forger {
            issuer: issuer.clone(),
            plan: Arc::new(Mutex::new(plan)),
            asked: Arc::default(),
        };
        let (plan, asked) = (Arc::clone(&forger.plan), Arc::clone(&forger.asked));
        let keys = Arc::new(Keys::new());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (plan, asked) = (Arc::clone(&plan), Arc::clone(&asked));
                let (keys, issuer) = (Arc::clone(&keys), issuer.clone());
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let request = request(&mut stream);
                    asked.lock().unwrap().push(request.clone());
                    let plan = plan.lock().unwrap().clone();
                    let _ = stream.write_all(&answer(&issuer, &keys, &plan, &request));
                });
            }
        });
        forger
    }

    /// Behaves so from now on.
    pub fn plans(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock().unwrap());
    }

    /// The codes and verifiers that it was asked to change for tokens.
    pub fn exchanges(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|request| request.starts_with("POST /token")).cloned().collect()
    }

    /// How often it was asked.
    pub fn questions(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Keys {
    fn new() -> Keys {
        let random = SystemRandom::new();
        let elliptic = || {
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random).unwrap()
        };
        let rsa = include_bytes!("../data/provider/rsa.pk8");
        let rsa = RsaKeyPair::from_pkcs8(rsa).unwrap();
        Keys { rsa, elliptic: elliptic(), stranger: elliptic() }
    }

    fn published(&self) -> Value {
        let PublicKeyComponents { n, e }: PublicKeyComponents<Vec<u8>> = self.rsa.public().into();
        // 4, and then both coordinates.
        let point = &self.elliptic.public_key().as_ref()[1..];
        json!({ "keys": [
            { "kty": "RSA", "kid": "rsa", "use": "sig", "n": url(&n), "e": url(&e) },
            { "kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "x": url(&point[..32]),
              "y": url(&point[32..]) },
        ] })
    }

    /// The RSA key as everybody who attacks so writes it down.
    fn public_text(&self) -> String {
        let bytes = BASE64_STANDARD.encode(self.rsa.public().as_ref());
        format!("-----BEGIN RSA PUBLIC KEY-----\n{bytes}\n-----END RSA PUBLIC KEY-----\n")
    }
}

fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head
        .to_lowercase()
        .split_once("content-length: ")
        .map(|(_, rest)| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn answer(issuer: &str, keys: &Keys, plan: &Plan, request: &str) -> Vec<u8> {
    let path = request.split(' ').nth(1).unwrap_or_default();
    match path {
        "/.well-known/openid-configuration" => match &plan.description {
            Some(whole) => whole.clone(),
            None => json_answer(200, &description(issuer, plan).to_string()),
        },
        "/keys" => json_answer(200, &keys.published().to_string()),
        "/token" => match &plan.refusal {
            Some((status, body)) => json_answer(*status, body),
            None => {
                let tokens = json!({
                    "access_token": "open more",
                    "token_type": "Bearer",
                    "id_token": token(keys, plan),
                });
                json_answer(200, &tokens.to_string())
            }
        },
        "/more" => match &plan.more {
            Some(more) => json_answer(200, &more.to_string()),
            None => json_answer(404, "{}"),
        },
        _ => json_answer(404, "{}"),
    }
}

fn description(issuer: &str, plan: &Plan) -> Value {
    let mut said = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        "authorization_response_iss_parameter_supported": plan.names_itself,
    });
    if plan.more.is_some() {
        said["userinfo_endpoint"] = format!("{issuer}/more").into();
    }
    said
}

fn token(keys: &Keys, plan: &Plan) -> String {
    let (algorithm, kid) = match plan.signed {
        Signed::Rs256 | Signed::Stripped => ("RS256", "rsa"),
        Signed::Es256 | Signed::ByStranger => ("ES256", "ec"),
        Signed::None => ("none", "rsa"),
        Signed::WithSecret | Signed::WithPublicKey => ("HS256", "rsa"),
    };
    let header = json!({ "alg": algorithm, "kid": kid, "typ": "JWT" });
    let parts = [header, plan.claims.clone()].map(|part| url(part.to_string().as_bytes()));
    let signed = parts.join(".");
    let signature = match plan.signed {
        Signed::Rs256 => {
            let mut signature = vec![0; keys.rsa.public().modulus_len()];
            let random = SystemRandom::new();
            keys.rsa
                .sign(
                    &ring::signature::RSA_PKCS1_SHA256,
                    &random,
                    signed.as_bytes(),
                    &mut signature,
                )
                .unwrap();
            signature
        }
        Signed::Es256 => elliptic(&keys.elliptic, &signed),
        Signed::ByStranger => elliptic(&keys.stranger, &signed),
        Signed::None | Signed::Stripped => Vec::new(),
        Signed::WithSecret => shared(SECRET, &signed),
        Signed::WithPublicKey => shared(&keys.public_text(), &signed),
    };
    format!("{signed}.{}", url(&signature))
}

fn elliptic(key: &EcdsaKeyPair, signed: &str) -> Vec<u8> {
    key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec()
}

fn shared(secret: &str, signed: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub fn json_answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close");
    format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The challenge that a verifier answers (RFC 7636, S256).
pub fn challenge_of(verifier: &str) -> String {
    url(&Sha256::digest(verifier))
}
