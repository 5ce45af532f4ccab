//! The table of all settings: key, meaning, default and what is right; not how one is read.
//! Those of hydration stand in `hydrate`, those whose tables have names are found by `named`.

use super::hydrate::HYDRATE_SETTINGS;
use super::named::NAMED;

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its key: section and name, as in `server.listen`.
    pub key: &'static str,
    /// What it is, for the example file.
    pub about: &'static str,
    /// Its value if nobody says otherwise; empty: none.
    pub default: &'static str,
    /// What a right value looks like, for the message about a wrong one.
    pub right: &'static str,
}

/// The settings that are lists.
pub(super) const LISTS: &[&str] = &["audit.checkpoint_copies"];

/// What stands between the parts of a list where it is one text, as in a variable.
pub(super) const BETWEEN: char = ':';

/// Every setting there is, by section.
pub static SETTINGS: &[Setting] = &[
    Setting {
        key: "environment",
        about: "What this instance is for: dev, staging or prod.",
        default: "dev",
        right: "dev, staging or prod",
    },
    Setting {
        key: "instance",
        about: "The name of this gateway among those on one PostgreSQL database; each has its own. \
                Empty: the name of the machine.",
        default: "",
        right: "at most 63 letters, digits, dots, hyphens and underscores",
    },
    Setting {
        key: "audit.checkpoint_copies",
        about: "Files that get a copy of every checkpoint of the audit log, best on other disks or \
                machines: by them the gateway notices that its database was replaced by an older \
                one. A list like [\"/mnt/nas/hydrant.checkpoint\"]; as a variable with colons \
                between.",
        default: "",
        right: "a list of paths without colons, like [\"/mnt/nas/hydrant.checkpoint\"]",
    },
    Setting {
        key: "audit.checkpoint_seconds",
        about: "How often the head of the audit log is signed, if the log has grown.",
        default: "10",
        right: "a whole number from 1 to 3600",
    },
    Setting {
        key: "audit.key_file",
        about: "The file of the key that signs the audit log, made at the first start; audit.key \
                in the data folder if nothing stands here. Several gateways on one database have \
                the same key.",
        default: "",
        right: "the path of a file",
    },
    Setting {
        key: "audit.origin",
        about: "The name of the audit log, which its checkpoints begin with. It is decided when \
                the key is made, and stays: the host of server.public_url and /log, if nothing \
                stands here.",
        default: "",
        right: "a host and a path, like data.example.org/log, without blanks or a plus",
    },
    Setting {
        key: "data.folder",
        about: "Where releases, the database and the control socket lie; on a local disk. \
                A relative path is relative to the folder in which hydrant is started.",
        default: "hydrant-data",
        right: "the path of a folder",
    },
    Setting {
        key: "data.url",
        about: "The folder of the releases, which several gateways may share. Empty: `releases` \
                in the data folder.",
        default: "",
        right: "the path of a folder; s3:// is not there yet",
    },
    Setting {
        key: "export.compliance_age_hours",
        about: "How many hours ago a list of removals has to have been imported last, so that \
                files of full objects are made. 0: it does not matter.",
        default: "0",
        right: "a whole number from 0 to 8760",
    },
    Setting {
        key: "export.credential",
        about: "The credential of `hydrate.credentials` with which the platform is asked for full \
                objects of datasets that hold bare IDs; its budget is spent. Empty: it is not \
                asked, and such datasets give no objects.",
        default: "",
        right: "the name of a credential",
    },
    Setting {
        key: "export.file_objects_max",
        about: "How many Tweets and Users a file of full objects has at most. What the profile \
                lets a person have in a day may be less.",
        default: "50000",
        right: "a whole number from 1 to 1000000",
    },
    Setting {
        key: "export.folder",
        about: "Where files of full objects are kept until they are fetched; several gateways on \
                one database share it. Empty: `exports` in the data folder.",
        default: "",
        right: "the path of a folder",
    },
    Setting {
        key: "export.fonts",
        about: "Where the fonts of PDF files are: a folder with Noto's, at any depth. In Debian \
                the packages fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji bring \
                them.",
        default: "/usr/share/fonts",
        right: "the path of a folder",
    },
    Setting {
        key: "export.keep_hours",
        about: "For how many hours a file of full objects is kept, from the moment in which it is \
                made.",
        default: "72",
        right: "a whole number from 1 to 8760",
    },
    Setting {
        key: "export.pdf_objects_max",
        about: "How many objects a PDF file holds at most; more come as a zip of such files.",
        default: "5000",
        right: "a whole number from 1 to 1000000",
    },
    Setting {
        key: "export.upload_bytes_max",
        about: "How many bytes a list of IDs may have that somebody uploads to select by.",
        default: "16777216",
        right: "a whole number from 1 to 1073741824",
    },
    Setting {
        key: "log.format",
        about: "How a line of the log on stderr looks: text for people, json for programs.",
        default: "text",
        right: "text or json",
    },
    Setting {
        key: "log.level",
        about: "What is logged: error, warn, info, debug or trace, also by module as in \
                \"info,hydrant::ledger=debug\". The variable RUST_LOG wins over it.",
        default: "info",
        right: "error, warn, info, debug or trace, perhaps by module: info,hydrant::ledger=debug",
    },
    Setting {
        key: "mail.from",
        about: "The address that letters come from.",
        default: "",
        right: "an address like \"hydrant <hydrant@example.org>\"",
    },
    Setting {
        key: "mail.password_file",
        about: "A file whose first line is the password of the user in mail.url.",
        default: "",
        right: "the path of a file",
    },
    Setting {
        key: "mail.url",
        about: "The server that takes letters: links to sign in by, answers to registrations. \
                smtps:// is TLS from the first byte, smtp:// is TLS by STARTTLS, and without TLS \
                on this machine only. Empty: no letters, and links come from \
                `hydrant person invite`.",
        default: "",
        right: "smtps://user@host:465, smtp://user@host:587, or smtp://127.0.0.1:25",
    },
    Setting {
        key: "policy.count",
        about: "Whether an ID that is handed to the same entity again counts again: deliveries (it \
                does), distinct (it counts once, from the last time on), or nothing for what the \
                profile says.",
        default: "",
        right: "deliveries or distinct, or nothing for what the profile says",
    },
    Setting {
        key: "policy.profile",
        about: "The numbers of the platform's policy: a built-in profile, or the path of a file \
                such as ./own-profile.toml. What was in force stays so until `hydrant policy \
                switch`; until then no gateway starts with other numbers.",
        default: "twitter-2020-03",
        right: "a built-in profile, or a path with a slash in it or .toml at its end",
    },
    Setting {
        key: "policy.reminder_days",
        about: "How many days before its end an academic exemption is called to mind, once, if \
                none follows it.",
        default: "30",
        right: "a whole number from 1 to 90",
    },
    Setting {
        key: "privacy.delivery_days",
        about: "How many days after its end a delivery still tells which person asked for it; \
                after that it only tells what was charged to whom. 0: as long as it is kept.",
        default: "0",
        right: "a whole number from 0 to 36500",
    },
    Setting {
        key: "privacy.invitation_days",
        about: "How many days an invitation waits for its person, and how long a proposal that \
                somebody joins an entity is kept when it has ended.",
        default: "30",
        right: "a whole number from 1 to 3650",
    },
    Setting {
        key: "server.connections_max",
        about: "How many connections may be open at once; more wait.",
        default: "1024",
        right: "a whole number from 1 to 65536",
    },
    Setting {
        key: "server.contact",
        about: "Whom people may ask who cannot get in, as the pages say it: a name, an address.",
        default: "",
        right: "one line",
    },
    Setting {
        key: "server.header_seconds_max",
        about: "How long a client may take to send a request's header, from the first moment on.",
        default: "10",
        right: "a whole number from 1 to 300",
    },
    Setting {
        key: "server.idle_seconds_max",
        about: "How long a client may take without accepting a single byte of an answer.",
        default: "30",
        right: "a whole number from 1 to 3600",
    },
    Setting {
        key: "server.listen",
        about: "Address and port to listen on; port 0 lets the system choose one.",
        default: "127.0.0.1:8080",
        right: "an address and a port, like 127.0.0.1:8080 or [::1]:8080",
    },
    Setting {
        key: "server.public_url",
        about: "The address under which people reach the gateway, if it is not the one that it \
                listens on, for instance because a proxy stands in front. Requests under other \
                names are refused.",
        default: "",
        right: "an address like https://data.example.org, without a path",
    },
    Setting {
        key: "server.shutdown_seconds_max",
        about: "How long downloads under way are waited for when the gateway is stopped.",
        default: "30",
        right: "a whole number from 0 to 3600",
    },
    Setting {
        key: "server.trusted_proxies",
        about: "The proxies that stand in front, by address or network, with commas between: what \
                they say in X-Forwarded-For is believed where strangers are slowed down, and \
                nowhere else.",
        default: "",
        right: "addresses and networks, like 127.0.0.1, 10.0.0.0/8",
    },
    Setting {
        key: "session.idle_seconds_max",
        about: "How long somebody stays signed in without doing anything.",
        default: "43200",
        right: "a whole number from 60 to 31536000",
    },
    Setting {
        key: "session.seconds_max",
        about: "How long somebody stays signed in at most.",
        default: "1209600",
        right: "a whole number from 60 to 31536000",
    },
    Setting {
        key: "share.public_url",
        about: "The address under which reviewers open links, if it shall not be the gateway's \
                own, whose name tells them whose gateway it is. It leads here as well, answers \
                for links alone, and links are opened nowhere else then.",
        default: "",
        right: "an address like https://review.example.org, without a path",
    },
    Setting {
        key: "store.url",
        about: "Where the database is: sqlite:PATH for one gateway, or for several \
                postgres://user:password@host:5432/database. TLS is required unless the server is \
                on this machine or the address says otherwise with ?sslmode=. Empty: \
                `hydrant.sqlite` in the data folder.",
        default: "",
        right: "sqlite:PATH or postgres://user:password@host:5432/database",
    },
    Setting {
        key: "store.url_file",
        about: "A file whose first line is the value of store.url, for a password that shall not \
                stand among the settings.",
        default: "",
        right: "the path of a file that holds sqlite:PATH or postgres://…",
    },
    Setting {
        key: "strip.body_bytes_max",
        about: "How many bytes a body may have that is sent to be stripped.",
        default: "4294967296",
        right: "a whole number from 1 to 1099511627776",
    },
    Setting {
        key: "strip.idle_seconds_max",
        about: "How long a client may take for the next 64 KiB of such a body.",
        default: "30",
        right: "a whole number from 1 to 3600",
    },
    Setting {
        key: "strip.running_max",
        about: "How many bodies and upstreams may be stripped at once; more are refused.",
        default: "16",
        right: "a whole number from 1 to 256",
    },
];

/// Every setting whose key is a constant.
pub(super) fn fixed() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().chain(HYDRATE_SETTINGS)
}

/// The setting with that key.
pub(super) fn setting(key: &str) -> Option<&'static Setting> {
    let known = fixed().find(|setting| setting.key == key);
    known.or_else(|| NAMED.iter().find_map(|named| named.parse(key)).map(|(_, setting)| setting))
}

/// A settings file that says what is so anyway, each line with its meaning above it.
pub fn example() -> String {
    let mut text = String::from(
        "# The settings of hydrant with their defaults. Copy this file to hydrant.toml and take\n\
         # away the # in front of what you change. The variable HYDRANT__SERVER__LISTEN wins over\n\
         # server.listen, and so on; flags win over both. `hydrant config check` tests it all,\n\
         # `hydrant config show` tells where each value came from.\n",
    );
    let mut current = String::new();
    let fixed = fixed().map(|setting| {
        let (section, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
        (section.to_owned(), name, setting)
    });
    let in_names = NAMED.iter().flat_map(|named| {
        let section = format!("{}.{}", named.section, named.example);
        named.settings.iter().map(move |setting| (section.clone(), setting.key, setting))
    });
    for (section, name, setting) in fixed.chain(in_names) {
        if section != current {
            text.push_str(&format!("\n[{section}]\n"));
            current = section;
        }
        text.push('\n');
        for line in wrapped(setting.about) {
            text.push_str(&format!("# {line}\n"));
        }
        let default = setting.default;
        let is_bare = default.parse::<u64>().is_ok() || default.parse::<bool>().is_ok();
        let value = match LISTS.contains(&setting.key) {
            true => "[]".to_owned(),
            false if is_bare => default.to_owned(),
            false => format!("\"{default}\""),
        };
        text.push_str(&format!("# {name} = {value}\n"));
    }
    text
}

/// The words of `text` in lines that fit behind a comment sign.
fn wrapped(text: &str) -> Vec<String> {
    const LINE_CHARS_MAX: usize = 90;
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is a line from the start");
        if !last.is_empty() && last.len() + 1 + word.len() > LINE_CHARS_MAX {
            lines.push(word.to_owned());
            continue;
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    lines
}
