//! What operators, managers and members decide on pages, and that nobody else can.

mod harness;

use harness::browser::Browser;
use harness::{Answer, Bench, Gateway};

/// 2027-01-15.
const NOW_MS: i64 = 1_800_000_000_000;
const REASON: (&str, &str) = ("reason", "looked at the paper");

/// `uni` with its manager Meg, `acme` with its member Ada, and `host` with an operator.
fn bench() -> (Bench, Gateway) {
    let bench = Bench::with_clock(NOW_MS);
    for (slug, sector) in [("uni", "academic"), ("acme", "commercial"), ("host", "non-profit")] {
        bench.entity(slug, sector);
    }
    bench.done(&["entity", "edit", "uni", "--domain", "uni.example"]);
    let meg = ["person", "add", "meg@uni.example", "--name", "Meg", "--entity", "uni"];
    bench.done(&[&meg[..], &["--role", "manager"]].concat());
    bench.person("ada@acme.example", &["acme"]);
    bench.person("operator@host.example", &["host"]);
    bench.done(&["person", "appoint", "operator@host.example", "--as", "operator"]);
    let gateway = bench.serve();
    (bench, gateway)
}

fn signed_in(bench: &Bench, gateway: &Gateway, mail: &str) -> Browser {
    let mut browser = Browser::default();
    let invited = bench.json(&["person", "invite", mail]);
    browser.sign_in(gateway, invited["path"].as_str().unwrap());
    browser
}

/// Looks at a page, which makes the token of its forms, and sends one of them.
#[track_caller]
fn sent(
    browser: &mut Browser,
    gateway: &Gateway,
    page: &str,
    form: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let shown = browser.get(gateway, page);
    assert_eq!(shown.status, 200, "{page}: {}", shown.text());
    let action = format!("action=\"{form}\"");
    assert!(shown.text().contains(&action), "{page} has no form {form}: {}", shown.text());
    browser.send(gateway, form, fields)
}

/// Sends a form that has to work.
#[track_caller]
fn done(
    browser: &mut Browser,
    gateway: &Gateway,
    page: &str,
    form: &str,
    fields: &[(&str, &str)],
) -> String {
    let answer = sent(browser, gateway, page, form, fields);
    assert_eq!(answer.status, 303, "{form}: {}", answer.text());
    answer.field("location").unwrap().to_owned()
}

#[test]
fn a_letter_of_the_platform_is_entered_and_ended_on_a_page() {
    let (bench, gateway) = bench();
    let mut operator = signed_in(&bench, &gateway, "operator@host.example");
    let digest = "ab".repeat(32);
    let letter = [
        ("entity", "acme"),
        ("issuer", "the platform"),
        ("reference", "letter 7"),
        ("issued_on", "2027-01-02"),
        ("from", "2027-01-10"),
        ("until", "2027-03-31"),
        ("ceiling", "3,000,000"),
        ("document", &digest),
        REASON,
    ];
    let page = "/admin/permissions";
    done(&mut operator, &gateway, page, page, &letter);
    let usage = bench.json(&["usage", "acme"]);
    assert!(usage.to_string().contains("3000000"), "{usage}");
    let shown = operator.get(&gateway, page);
    assert!(shown.text().contains("letter 7") && shown.text().contains("3,000,000"));

    // What is wrong is said, and what was typed stays.
    let mut wrong = letter;
    wrong[6] = ("ceiling", "many");
    let answer = sent(&mut operator, &gateway, page, page, &wrong);
    let said = "The ceiling is `many`; give a whole number, as 3,000,000";
    assert!(answer.status == 400 && answer.text().contains(said), "{}", answer.text());
    assert!(answer.text().contains("value=\"letter 7\""), "{}", answer.text());
    wrong[6] = ("ceiling", "0");
    let answer = sent(&mut operator, &gateway, page, page, &wrong);
    assert!(answer.status == 400 && answer.text().contains("permits nothing"));

    done(&mut operator, &gateway, page, "/admin/permissions/1/revoke", &[REASON]);
    assert!(!bench.json(&["usage", "acme"]).to_string().contains("3000000"));
    let mut ada = signed_in(&bench, &gateway, "ada@acme.example");
    assert_eq!(ada.get(&gateway, page).status, 403);
    assert_eq!(ada.send(&gateway, page, &letter).status, 403);
}

#[test]
fn a_merge_is_shown_before_it_is_done() {
    let (bench, gateway) = bench();
    let mut operator = signed_in(&bench, &gateway, "operator@host.example");
    let preview = "/admin/merge?source=acme&target=uni";
    let shown = operator.get(&gateway, preview);
    assert!(shown.text().contains("1 people come along, 0 belong to both"), "{}", shown.text());
    assert_eq!(bench.json(&["entity", "show", "acme"])["merged_into"], serde_json::Value::Null);
    let pair = [("source", "acme"), ("target", "uni"), REASON];
    let next = done(&mut operator, &gateway, preview, "/admin/merge", &pair);
    assert_eq!(next, "/entities/uni");
    assert!(operator.get(&gateway, &next).text().contains("ada@acme.example"));
    let again = operator.send(&gateway, "/admin/merge", &pair);
    assert_eq!(again.status, 409, "{}", again.text());
    let own =
        operator.send(&gateway, "/admin/merge", &[("source", "host"), ("target", "uni"), REASON]);
    assert!(own.status == 403 && own.text().contains("belong to"), "{}", own.text());
}

#[test]
fn both_sides_consent_on_their_own_page() {
    let (bench, gateway) = bench();
    bench.done(&["person", "join", "ada@acme.example", "--entity", "uni"]);
    let form = "/joins/1/consent";
    let mut meg = signed_in(&bench, &gateway, "meg@uni.example");
    let mut ada = signed_in(&bench, &gateway, "ada@acme.example");
    // Nobody speaks for the other side.
    ada.get(&gateway, "/account");
    let foreign = ada.send(&gateway, form, &[("side", "entity")]);
    assert_eq!(foreign.status, 403, "{}", foreign.text());
    done(&mut meg, &gateway, "/account", form, &[("side", "entity")]);
    assert!(!meg.get(&gateway, "/account").text().contains(form), "it waits for Ada alone");
    assert!(ada.get(&gateway, "/account").text().contains("What waits for your consent"));
    done(&mut ada, &gateway, "/account", form, &[("side", "person")]);
    let shown = bench.json(&["entity", "show", "uni"]);
    assert!(shown["people"].to_string().contains("ada@acme.example"), "{shown}");
    assert_eq!(ada.send(&gateway, form, &[("side", "person")]).status, 409);
    let nothing = ada.send(&gateway, "/joins/1/approve", &[]);
    assert_eq!(nothing.status, 404);
}

#[test]
fn an_operator_records_consents_that_are_on_paper_and_gives_proposals_up() {
    let (bench, gateway) = bench();
    bench.done(&["person", "join", "meg@uni.example", "--entity", "acme"]);
    bench.done(&["person", "join", "ada@acme.example", "--entity", "uni"]);
    let mut operator = signed_in(&bench, &gateway, "operator@host.example");
    let form = "/joins/1/consent";
    let (at, paper) = (("page", "/admin"), ("evidence", "form, binder 7"));
    let bare = sent(&mut operator, &gateway, "/admin", form, &[at, ("side", "person")]);
    assert!(bare.status == 400 && bare.text().contains("theirs to give"), "{}", bare.text());
    done(&mut operator, &gateway, "/admin", form, &[at, paper, ("side", "person")]);
    // `acme` has no manager who could be asked.
    done(&mut operator, &gateway, "/admin", form, &[at, ("side", "entity")]);
    let shown = bench.json(&["entity", "show", "acme"]);
    assert!(shown["people"].to_string().contains("meg@uni.example"), "{shown}");
    done(&mut operator, &gateway, "/admin", "/joins/2/withdraw", &[at, REASON]);
    assert_eq!(bench.json(&["person", "joins"]), serde_json::json!([]));
}

#[test]
fn a_manager_invites_and_proposes_and_an_operator_decides() {
    let (bench, gateway) = bench();
    let mut meg = signed_in(&bench, &gateway, "meg@uni.example");
    let page = "/entities/uni";
    let colleague = [("name", "Cy"), ("mail", "cy@uni.example")];
    done(&mut meg, &gateway, page, "/entities/uni/invitations", &colleague);
    assert!(meg.get(&gateway, page).text().contains("cy@uni.example"));
    done(&mut meg, &gateway, page, "/invitations/1/withdraw", &[]);
    assert!(!meg.get(&gateway, page).text().contains("cy@uni.example"));
    let purpose = ("purpose", "how made-up harbours are spoken of");
    done(&mut meg, &gateway, page, "/entities/uni/use-cases", &[purpose]);
    assert!(meg.get(&gateway, page).text().contains("proposed"));
    let own = meg.send(&gateway, "/admin/use-cases/uni/approve", &[REASON]);
    assert_eq!(own.status, 403, "{}", own.text());

    let mut operator = signed_in(&bench, &gateway, "operator@host.example");
    done(&mut operator, &gateway, "/admin", "/admin/use-cases/uni/approve", &[REASON]);
    assert!(meg.get(&gateway, page).text().contains("approved"));
    bench.entity("state", "government");
    done(&mut operator, &gateway, "/admin", "/admin/use-cases/state/review", &[REASON]);
    assert_eq!(bench.json(&["entity", "show", "state"])["status"], "active");
    let mut ada = signed_in(&bench, &gateway, "ada@acme.example");
    assert_eq!(ada.get(&gateway, page).status, 403);
    assert_eq!(ada.send(&gateway, "/entities/uni/invitations", &colleague).status, 403);
}

#[test]
fn an_application_is_shown_with_its_evidence_and_approved_up_to_a_figure() {
    let (bench, gateway) = bench();
    let apply = ["exemption", "apply", "uni", "--person", "meg@uni.example", "--role", "professor"];
    let signed = ["--non-commercial", "--signed-by", "Meg", "--purpose", "made up"];
    bench.done(&[&apply[..], &signed, &["--until", "2027-06-30"]].concat());
    let mut operator = signed_in(&bench, &gateway, "operator@host.example");
    let page = operator.get(&gateway, "/admin");
    let said = "that uni.example, where the applicant reads mail, is its own";
    assert!(page.text().contains(said), "{}", page.text());
    let form = "/admin/exemptions/1/approve";
    let wrong = sent(&mut operator, &gateway, "/admin", form, &[("ceiling", "much"), REASON]);
    assert!(wrong.status == 400 && wrong.text().contains("whole number"), "{}", wrong.text());
    done(&mut operator, &gateway, "/admin", form, &[("ceiling", "2 000 000"), REASON]);
    let exemptions = bench.json(&["exemption", "list"]);
    assert_eq!(exemptions[0]["ceiling"], 2_000_000, "{exemptions}");
}
