//! What settings are taken, which win, and what is said about wrong ones.

use super::*;

fn read(file: &str, variables: &[(&str, &str)], flags: Vec<Flag>) -> (tempfile::TempDir, Raw) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.toml");
    std::fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    (dir, Raw::read(Some(&path), variables, flags))
}

#[test]
fn the_defaults_are_right() {
    let settings = Raw::default().check().unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.server.public_url, None);
    assert_eq!(settings.profile.name, "twitter-2020-03");
    assert_eq!(settings.environment, Environment::Dev);
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = "environment = \"prod\"\n\n[server]\nlisten = \"0.0.0.0:1\"\n\
                connections_max = 1_000\nidle_seconds_max = 7\n";
    let variables = [("HYDRANT__SERVER__LISTEN", "0.0.0.0:2"), ("HYDRANT_OTHER", "x")];
    let flag = Flag { name: "--listen", key: "server.listen", value: "0.0.0.0:3".into() };
    let (dir, raw) = read(file, &variables, vec![flag]);
    let origin = |key| raw.effective_of(key).origin.to_string();
    let path = dir.path().join("own.toml").display().to_string();
    assert_eq!(origin("server.listen"), "flag --listen");
    assert_eq!(origin("server.idle_seconds_max"), format!("{path} line 6"));
    assert_eq!(origin("log.level"), "default");
    let settings = raw.check().unwrap();
    assert_eq!(settings.server.listen.port(), 3);
    assert_eq!(settings.server.connections_max, 1_000);
    assert_eq!(settings.environment, Environment::Prod);

    let (_dir, raw) = read(file, &variables, Vec::new());
    assert_eq!(raw.check().unwrap().server.listen.port(), 2);
}

#[test]
fn all_mistakes_are_told_at_once_with_key_value_place_and_what_is_right() {
    let file = "[server]\nlisten = 8080\nidle_seconds_max = 0\nheader_seconds_max = [1]\n\
                lisen = \"x\"\n[policy]\ncount = \"twice\"\nprofile = \"twiter\"\n\
                [zebra]\nstripes = 3\n[log]\nlevel = \"loud\"\n";
    let variables =
        [("HYDRANT__ENVIRONMENT", "production"), ("HYDRANT__SERVER__PUBLIC_URL", "example.org")];
    let flag = Flag { name: "--data", key: "data.folder", value: String::new() };
    let (dir, raw) = read(file, &variables, vec![flag]);
    let path = dir.path().join("own.toml").display().to_string();
    let told = raw.check().unwrap_err().mistakes.join("\n").replace(&path, "FILE");
    let told = told.replace(": needs", ":\n  needs");
    insta::assert_snapshot!(told, @r#"
    server.lisen (FILE line 5) is no setting; did you mean server.listen?
    zebra.stripes (FILE line 10) is no setting; `hydrant config show` lists what can be set
    server.listen = "8080" (FILE line 2):
      needs an address and a port, like 127.0.0.1:8080 or [::1]:8080
    server.public_url = "example.org" (variable HYDRANT__SERVER__PUBLIC_URL):
      needs an address like https://data.example.org, without a path
    server.header_seconds_max = "a list" (FILE line 4):
      needs a whole number from 1 to 300
    server.idle_seconds_max = "0" (FILE line 3):
      needs a whole number from 1 to 3600
    data.folder = "" (flag --data):
      needs the path of a folder
    policy.profile = "twiter" (FILE line 8):
      needs one of twitter-2020-03, x-2025-10, or the path of a profile's file
    policy.count = "twice" (FILE line 7):
      needs deliveries or distinct, or nothing for what the profile says
    environment = "production" (variable HYDRANT__ENVIRONMENT):
      needs dev, staging or prod
    log.level = "loud" (FILE line 12):
      needs error, warn, info, debug or trace, perhaps by module: info,hydrant::ledger=debug
    "#);
}

#[test]
fn a_store_is_named_once_and_its_password_is_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("url");
    std::fs::write(&file, "postgres://ada:secret@db.example/h\nmore\n").unwrap();
    let file = file.to_str().unwrap();
    let (url, url_file) = ("HYDRANT__STORE__URL", "HYDRANT__STORE__URL_FILE");
    let check = |variables: &[(&str, &str)]| {
        let (_dir, raw) = read("", variables, Vec::new());
        let shown: Vec<_> = raw.effective().iter().map(|setting| setting.shown()).collect();
        assert!(!shown.concat().contains("secret"), "{shown:?}");
        raw.check().map(|settings| settings.store.map(|place| place.to_string()))
    };
    assert_eq!(check(&[]), Ok(None));
    let server = Some("postgres://db.example:5432/h".to_owned());
    assert_eq!(check(&[(url, "postgres://ada:secret@db.example/h")]), Ok(server.clone()));
    assert_eq!(check(&[(url_file, file)]), Ok(server));
    for (variables, told) in [
        (&[(url, "sqlite:x"), (url_file, file)][..], "store.url is set too"),
        (&[(url_file, "no-such-file")], "the file cannot be read"),
        (&[(url, "mysql://ada:secret@db.example/h")], "\"mysql://ada:…@db.example/h\""),
        (&[(url, "postgres://ada:secret@/h?sslmode=perhaps")], "postgres://ada:…@/h"),
    ] {
        let mistakes = check(variables).unwrap_err().mistakes;
        assert!(mistakes[0].contains(told) && !mistakes[0].contains("secret"), "{mistakes:?}");
    }
}

#[test]
fn an_instance_is_called_after_its_machine_unless_it_has_a_name() {
    let name = |name: &str| {
        let (_dir, raw) = read("", &[("HYDRANT__INSTANCE", name)], Vec::new());
        raw.check().map(|settings| settings.instance)
    };
    assert_eq!(name("left.example-1"), Ok("left.example-1".to_owned()));
    assert!(!name("").unwrap().is_empty());
    for wrong in ["two words", "a/b", &"x".repeat(64)] {
        assert!(name(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_setting_of_the_count_wins_over_the_profile_and_nothing_leaves_it_alone() {
    use crate::policy::Count;
    for (said, expected) in [
        (None, Count::Deliveries),
        (Some(""), Count::Deliveries),
        (Some("deliveries"), Count::Deliveries),
        (Some("distinct"), Count::Distinct),
    ] {
        let variables: Vec<_> =
            said.map(|word| ("HYDRANT__POLICY__COUNT", word)).into_iter().collect();
        let (_dir, raw) = read("", &variables, Vec::new());
        assert_eq!(raw.check().unwrap().profile.count, expected, "{said:?}");
    }
}

#[test]
fn a_file_that_is_not_there_or_not_toml_is_a_mistake_only_if_it_was_named() {
    assert!(Raw::read(None, [], Vec::new()).check().is_ok());
    let missing = Raw::read(Some("no-such-file.toml".as_ref()), [], Vec::new()).check();
    assert!(missing.unwrap_err().mistakes[0].starts_with("cannot read no-such-file.toml: "));
    let (_dir, raw) = read("environment = \"dev\"\n[server\nlisten = \n", &[], Vec::new());
    let mistakes = raw.check().unwrap_err().mistakes;
    assert!(mistakes[0].contains("line 2 is not TOML: "), "{mistakes:?}");
}

#[test]
fn a_public_url_is_scheme_and_host() {
    for (url, expected) in [
        ("https://data.example.org", Some("https://data.example.org")),
        ("https://data.example.org/", Some("https://data.example.org")),
        ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
        ("ftp://example.org", None),
        ("https://example.org/path", None),
        ("https://example.org/?a", None),
        ("https://me@example.org", None),
        ("https://", None),
        ("/", None),
    ] {
        let (_dir, raw) = read("", &[("HYDRANT__SERVER__PUBLIC_URL", url)], Vec::new());
        let public_url = raw.check().ok().and_then(|settings| settings.server.public_url);
        assert_eq!(public_url.as_deref(), expected, "{url}");
    }
}

#[test]
fn a_list_of_files_is_a_list_in_the_file_and_has_colons_as_a_variable() {
    let copies = |file: &str, variables: &[(&str, &str)]| {
        let (_dir, raw) = read(file, variables, Vec::new());
        let settings = raw.check().ok()?;
        let paths = settings.audit.checkpoint_copies;
        Some(paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" "))
    };
    let variable = |value| [("HYDRANT__AUDIT__CHECKPOINT_COPIES", value)];
    for (file, expected) in [
        ("", Some("")),
        ("[audit]\ncheckpoint_copies = []", Some("")),
        ("[audit]\ncheckpoint_copies = [\"/a b\", \"c\"]", Some("/a b c")),
        ("[audit]\ncheckpoint_copies = [\"\"]", None),
        ("[audit]\ncheckpoint_copies = [\"/a:b\"]", None),
        ("[audit]\ncheckpoint_copies = [1]", None),
    ] {
        assert_eq!(copies(file, &[]).as_deref(), expected, "{file}");
    }
    for (value, expected) in [("/a:b", Some("/a b")), ("/a", Some("/a")), ("/a::b", None)] {
        assert_eq!(copies("", &variable(value)).as_deref(), expected, "{value}");
    }
}

#[test]
fn an_own_profile_is_read_and_its_mistakes_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.toml");
    let variable = ("HYDRANT__POLICY__PROFILE".to_owned(), path.display().to_string());
    let told = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Raw::read(None, [variable.clone()], Vec::new()).check()
    };
    let built_in = include_str!("../../schema/profiles/twitter-2020-03.toml");
    let own = built_in.replace("name = \"twitter-2020-03\"", "name = \"own\"");
    assert_eq!(told(&own).unwrap().profile.name, "own");
    assert!(told("name = 3").unwrap_err().mistakes.len() > 1);
}

#[test]
fn the_example_file_is_the_table() {
    let written = include_str!("../../deploy/hydrant.example.toml");
    if written != example() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/hydrant.example.toml");
        std::fs::write(path, example()).unwrap();
        panic!("deploy/hydrant.example.toml was not what the table says; it is written anew");
    }
    // With its comment signs taken away it holds the defaults and is right.
    let lines = written.lines().map(|line| match line.strip_prefix("# ") {
        Some(setting) if setting.contains(" = ") => setting,
        _ => line,
    });
    let (_dir, raw) = read(&lines.collect::<Vec<_>>().join("\n"), &[], Vec::new());
    assert!(raw.effective().iter().all(|effective| effective.origin != Origin::Default));
    raw.check().unwrap();
}

#[test]
fn an_upstream_is_read_with_its_secret_and_never_shown_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "Bearer sesame\n").unwrap();
    let file = format!(
        "[upstreams.archive]\nurl = \"https://archive.example.org/t.gz?a=b\"\n\
         secret_file = \"{}\"\nidle_seconds_max = 7\n[upstreams.off]\nurl = \"\"\n",
        secret.display()
    );
    let digest = "ab".repeat(32);
    let variable = ("HYDRANT__UPSTREAMS__ARCHIVE__SHA256", digest.as_str());
    let (_dir, raw) = read(&file, &[variable], Vec::new());
    let shown = raw.effective_of("upstreams.archive.idle_seconds_max");
    assert_eq!(shown.value, "7");
    assert!(raw.effective().iter().all(|effective| !effective.value.contains("sesame")));
    let settings = raw.check().unwrap();
    assert_eq!(settings.upstreams.keys().collect::<Vec<_>>(), ["archive"]);
    let upstream = &settings.upstreams["archive"];
    assert_eq!(upstream.sha256, Some([0xab; 32]));
    assert_eq!(upstream.reach, Reach::Public);
    assert_eq!(upstream.idle_max, Duration::from_secs(7));
    let (header, value) = upstream.secret.as_ref().unwrap();
    assert_eq!((header.as_str(), value.to_str().unwrap()), ("authorization", "Bearer sesame"));
    assert!(!format!("{settings:?}").contains("sesame"));
}

#[test]
fn an_upstream_that_could_reach_inwards_is_a_mistake() {
    let file = "[upstreams.a]\nurl = \"file:///etc/passwd\"\n[upstreams.b]\n\
                url = \"http://169.254.169.254/latest\"\n[upstreams.c]\nsha256 = \"abc\"\n\
                [upstreams.d]\nurl = \"http://[::1]:1/x\"\nallow_private = true\n\
                secret_file = \"/no/such/file\"\n[upstreams.e]\nurll = \"x\"\n";
    let (dir, raw) = read(file, &[], Vec::new());
    let path = dir.path().join("own.toml").display().to_string();
    let told = raw.check().unwrap_err().mistakes.join("\n").replace(&path, "FILE");
    insta::assert_snapshot!(told.replace(": needs", ":\n  needs"), @r#"
    upstreams.e.urll (FILE line 12) is no setting; did you mean upstreams.e.url?
    upstreams.a.url = "file:///etc/passwd" (FILE line 2):
      needs an address like https://archive.example.org/tweets.jsonl.gz, without user or #
    upstreams.b.url = "http://169.254.169.254/latest" (FILE line 4): lies in a private network, which allow_private = true would allow
    upstreams.c.url = "" (default): an upstream needs an address
    upstreams.c.sha256 = "abc" (FILE line 6):
      needs 64 hexadecimal digits
    upstreams.d.secret_file = "/no/such/file" (FILE line 10):
      needs the path of a file that holds one line
    "#);
}

#[test]
fn proxies_are_addresses_and_networks_with_commas_between() {
    for (text, expected) in [
        ("", Some(vec![])),
        ("127.0.0.1, 10.0.0.0/8", Some(vec!["127.0.0.1/32", "10.0.0.0/8"])),
        ("fd00::/8", Some(vec!["fd00::/8"])),
        ("proxy.example", None),
        ("10.0.0.0/40", None),
        ("10.0.0.1;10.0.0.2", None),
    ] {
        let (_dir, raw) = read("", &[("HYDRANT__SERVER__TRUSTED_PROXIES", text)], Vec::new());
        let proxies = raw.check().ok().map(|settings| settings.server.trusted_proxies);
        let proxies =
            proxies.map(|proxies| proxies.iter().map(ToString::to_string).collect::<Vec<_>>());
        let expected =
            expected.map(|networks| networks.iter().map(|text| text.to_string()).collect());
        assert_eq!(proxies, expected, "{text}");
    }
}
