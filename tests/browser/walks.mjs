// What people do in the pages, one walk a function: node walks.mjs WALK ADDRESS [FOLDER].

import assert from "node:assert/strict";
import { Tab, ask, base } from "./browser.mjs";

const walks = {
  // From a stranger to somebody who may receive: a form, a letter, an operator, the documents.
  async registration() {
    const bel = await Tab.open();
    await bel.go("/register");
    await bel.press("Register");
    await bel.page.getByRole("alert").waitFor();
    await bel.accessible();
    assert.equal(await bel.page.getByLabel("Your name").getAttribute("aria-invalid"), "true");
    await bel.fill("Your name", "Bel Corfen");
    await bel.fill("Your mail address", "bel@orrin.example");
    await bel.fill("Your organisation", "University of Orrin");
    await bel.fill("What you want the IDs for", "How harbours were spoken of.");
    await bel.press("Register");
    await bel.heading("Look into your mail");
    await bel.go(await ask("letter", "bel@orrin.example"));
    await bel.accessible();
    await bel.press("Yes, it is mine");
    await bel.heading("Thank you");

    const operator = await Tab.open();
    await operator.signIn("operator@host.example");
    await operator.go("/admin");
    const waiting = operator.page.getByRole("region", { name: "Registration of Bel Corfen" });
    await operator.accessible();
    // Nobody decides for an entity that they belong to.
    await waiting.getByLabel("Entity").selectOption("host");
    await operator.press("Assign", waiting);
    assert.match(await operator.page.getByRole("alert").innerText(), /belong to/);
    await waiting.getByLabel("Entity").selectOption("orrin");
    await operator.press("Assign", waiting);
    await operator.page.getByText("Registrations (0)").waitFor();
    await operator.close();

    assert.equal(await ask("notice", "bel@orrin.example"), "Your registration was accepted");
    await bel.go("/sign-in");
    await bel.fill("Your mail address", "bel@orrin.example");
    await bel.press("Send me a link");
    await bel.go(await ask("letter", "bel@orrin.example"));
    await bel.press("Sign in");
    await bel.page.getByText("accept the documents (4 are missing)").click();
    await bel.heading("Documents");
    await bel.press("Accept");
    assert.match(await bel.page.getByRole("alert").innerText(), /Tick/);
    for (const box of await bel.page.getByRole("checkbox").all()) await box.check();
    await bel.press("Accept");
    await bel.page.getByText("You have accepted all of them.").waitFor();
    await bel.go("/");
    await bel.page.getByRole("link", { name: "Harbour talk" }).click();
    const [download] = await Promise.all([
      bel.page.waitForEvent("download"),
      bel.page.getByRole("link", { name: "Download Tweet IDs" }).click(),
    ]);
    assert.equal(await download.failure(), null);
    await bel.go("/account");
    await bel.page.getByText("1,000 used").waitFor();
    await bel.close();
  },

  // From an application to the exemption.
  async exemption() {
    const ada = await Tab.open();
    await ada.signIn("ada@orrin.example");
    await ada.go("/exemptions/apply");
    await ada.press("Apply");
    await ada.page.getByRole("alert").waitFor();
    await ada.accessible();
    await ada.fill("What you are there", "Professor of linguistics");
    await ada.fill("Your full name, as a signature", "Ada Quill");
    await ada.fill("The research it is for", "How harbours were spoken of");
    await ada.fill("Last day", "2026-06-30");
    await ada.page.getByRole("checkbox").check();
    await ada.press("Apply");
    await ada.page.getByText("Your application is entered.").waitFor();
    await ada.accessible();

    const operator = await Tab.open();
    await operator.signIn("operator@host.example");
    await operator.go("/admin");
    const application = operator.page.getByRole("region", { name: "Application 1" });
    await operator.fill("Reason for approving", "the letter of the dean", application);
    await operator.press("Approve", application);
    await operator.page.getByText("Applications for exemptions (0)").waitFor();
    await operator.close();

    await ada.go("/exemptions/apply");
    await ada.page.getByText("approved").waitFor();
    await ada.go("/account");
    await ada.page.getByText("without a ceiling").waitFor();
    await ada.close();
  },

  // A link from its making to its end, on both sides.
  async review() {
    const maker = await Tab.open();
    await maker.signIn("ada@orrin.example");
    await maker.page.getByRole("link", { name: "Review links" }).click();
    await maker.heading("Links for reviewers");
    await maker.accessible();
    await maker.press("Make the link");
    assert(await maker.page.getByLabel("Your name for it").evaluate((box) => box.validity.valueMissing));
    await maker.fill("Your name for it", "Paper on harbours");
    await maker.page.getByLabel("Dataset", { exact: true }).selectOption("harbour");
    await maker.fill("Last day (optional)", "soon");
    await maker.press("Make the link");
    await maker.page.getByRole("alert").waitFor();
    await maker.accessible();
    await maker.fill("Last day (optional)", "2026-02-28");
    await maker.page.getByText("More: a part of the dataset").click();
    await maker.fill("Passphrase (optional)", "boats at the quay");
    await maker.press("Make the link");
    await maker.heading("The link is made");
    await maker.accessible();
    await maker.page.getByRole("img", { name: "The link as a QR code" }).waitFor();
    const link = await maker.page.locator(".notice .token").innerText();
    assert.match(link, /\/s\/[0-9a-z]{52}$/);

    const reviewer = await Tab.open({ colorScheme: "dark", viewport: { width: 390, height: 800 } });
    await reviewer.page.goto(link);
    await reviewer.heading("Data for peer review");
    await reviewer.accessible();
    const { scroll, width } = await reviewer.page.evaluate(() => {
      const { scrollWidth: scroll, clientWidth: width } = document.documentElement;
      return { scroll, width };
    });
    assert(scroll <= width, `the page is wider than the window: ${scroll} > ${width}`);
    const shown = await reviewer.page.content();
    for (const name of ["Ada", "Quill", "Orrin", "harbour", "Harbour", "Paper on"]) {
      assert(!shown.includes(name), `${name} stands in the page`);
    }
    for (const box of await reviewer.page.getByRole("checkbox").all()) await box.check();
    await reviewer.fill("Passphrase", "ships at the quay");
    await reviewer.press("Accept and download");
    assert.match(await reviewer.page.getByRole("alert").innerText(), /passphrase is another one/);
    await reviewer.accessible();
    for (const box of await reviewer.page.getByRole("checkbox").all()) await box.check();
    await reviewer.fill("Passphrase", "boats at the quay");
    const [download] = await Promise.all([
      reviewer.page.waitForEvent("download"),
      reviewer.press("Accept and download"),
    ]);
    assert.equal(await download.failure(), null);
    assert.equal(download.suggestedFilename(), "tweet-ids.txt");
    assert.deepEqual(await reviewer.context.cookies(), [], "nothing is kept of a reviewer");

    await maker.page.getByRole("link", { name: "Its use, its end, its account" }).click();
    await maker.heading("Paper on harbours");
    await maker.page.getByRole("cell", { name: "2026-01-01" }).waitFor();
    await maker.accessible();
    assert(!(await maker.page.content()).includes(link.slice(-52)), "a link is shown once");
    const [account] = await Promise.all([
      maker.page.waitForEvent("download"),
      maker.page.getByRole("link", { name: "the account as a text" }).click(),
    ]);
    assert.equal(account.suggestedFilename(), "link-account.txt");
    await maker.fill("New last day", "2026-01-15");
    await maker.press("Extend");
    await maker.page.getByRole("alert").waitFor();
    await maker.accessible();
    await maker.fill("New last day", "2026-05-31");
    await maker.press("Extend");
    await maker.page.getByText("to the end of 2026-05-31 (UTC)").waitFor();

    await maker.press("Make it a page with names");
    await maker.page.getByText("published").waitFor();
    await reviewer.page.goto(link);
    await reviewer.heading("Harbour talk of 2018");
    assert.match(await reviewer.text(), /Ada Quill, University of Orrin/);
    assert.equal(await reviewer.page.getByRole("button").count(), 0);
    await reviewer.accessible();
    await maker.press("Revoke the link");
    await maker.page.getByText("revoked").first().waitFor();
    assert.equal((await reviewer.page.goto(link)).status(), 410);
    await reviewer.heading("This link is closed");
    await reviewer.accessible();
    assert.equal((await reviewer.page.goto(`${base}/s/none`)).status(), 404);
    await reviewer.accessible();
    await maker.close();
    await reviewer.close();
  },

  // Pictures of both sides of a link, for the README.
  async reviewPictures() {
    const folder = process.argv[4];
    const options = { colorScheme: "light", viewport: { width: 1000, height: 640 } };
    const maker = await Tab.open(options);
    await maker.signIn("ada@orrin.example");
    await maker.go("/shares");
    await maker.fill("Your name for it", "Paper on harbours");
    await maker.press("Make the link");
    const link = await maker.page.locator(".notice .token").innerText();
    await maker.page.screenshot({ path: `${folder}/link.png` });
    const reviewer = await Tab.open(options);
    await reviewer.page.goto(link);
    const bytes = await reviewer.page.screenshot({ path: `${folder}/review.png` });
    assert(bytes.length > 10_000, "the page shows nothing");
    await reviewer.close();
    await maker.close();
  },

  // A spreadsheet: selected, planned, made, confirmed, fetched; with scripts and without.
  async exports() {
    const folder = process.argv[4];
    const size = { colorScheme: "light", viewport: { width: 1000, height: 800 } };
    for (const javaScriptEnabled of [true, false]) {
      const ada = await Tab.open({ ...size, javaScriptEnabled });
      // What looks for mistakes is a script itself.
      const accessible = async () => javaScriptEnabled && (await ada.accessible());
      await ada.signIn("ada@orrin.example");
      await ada.go("/datasets/letters");
      await ada.page.getByRole("link", { name: "Select what you need" }).click();
      await ada.heading("Select from Letters home");
      await accessible();
      await ada.page.getByLabel("A sample").check();
      await ada.press("Count and plan");
      await ada.page.getByRole("alert").waitFor();
      await accessible();
      await ada.fill("How many", "1,200");
      await ada.press("Count and plan");
      await ada.heading("Export of Letters home");
      await accessible();
      assert.match(await ada.text(), /tweet_id, permalink, created_at/);
      await ada.press("Make file 1");
      const fetch = ada.page.getByRole("link", { name: "Fetch file 1" });
      await fetch.waitFor();
      await accessible();
      if (folder && javaScriptEnabled) {
        const bytes = await ada.page.screenshot({ path: `${folder}/exports.png` });
        assert(bytes.length > 10_000, "the page shows nothing");
      }
      await fetch.click();
      await ada.heading("Fetch 1,200 objects");
      await accessible();
      const [download] = await Promise.all([
        ada.page.waitForEvent("download"),
        ada.press("Fetch these 1,200 objects"),
      ]);
      assert.equal(await download.failure(), null);
      assert.match(download.suggestedFilename(), /^letters-export-\d+-1\.xlsx$/);
      // The confirmation was for that time.
      await ada.press("Fetch these 1,200 objects");
      await ada.heading("This confirmation was for another time");
      await accessible();
      await ada.go("/exports");
      await ada.page.getByRole("cell", { name: "1 fetched" }).first().waitFor();
      await accessible();
      await ada.close();
    }
  },

  // A key and a session, without a mouse.
  async keyboard() {
    const ada = await Tab.open();
    await ada.go(await ask("invite", "ada@orrin.example"));
    await ada.page.keyboard.press("Tab");
    assert.equal(await focused(ada), "Skip to content");
    await ada.page.keyboard.press("Enter");
    await tabTo(ada, "Sign in");
    await ada.page.keyboard.press("Enter");
    await ada.page.waitForURL(`${base}/account`);
    await tabTo(ada, "What it is for");
    await ada.page.keyboard.type("my laptop");
    await ada.page.keyboard.press("Tab");
    await ada.page.keyboard.press("ArrowDown");
    await tabTo(ada, "Make a key");
    await ada.page.keyboard.press("Enter");
    const token = await ada.page.locator(".notice .token").innerText();
    assert.match(token, /^hydrant_\w{49}$/);
    await ada.accessible();
    await ada.go("/account");
    assert(!(await ada.text()).includes(token), "a key is shown once");
    await tabTo(ada, "Revoke the key my laptop");
    const outline = await ada.page.evaluate(() => {
      return getComputedStyle(document.activeElement).outlineStyle;
    });
    assert.equal(outline, "solid", "what has the focus is seen");
    await ada.page.keyboard.press("Enter");
    await ada.page.waitForURL(/account#keys$/);
    assert(!(await ada.text()).includes("my laptop"));
    await tabTo(ada, "Sign out");
    await ada.page.keyboard.press("Enter");
    await ada.page.getByRole("link", { name: "Register" }).waitFor();
    await ada.close();
  },

  // By an account at a provider: linked by a letter and a button, used, and unlinked.
  async elsewhere() {
    const issuer = await ask("issuer", "");
    // Its own pages ask for a font of somebody else's.
    const font = "fonts.googleapis.com";
    const ada = await Tab.open({}, [new URL(issuer).host, font]);
    await ada.context.route(`https://${font}/**`, (route) => route.abort());
    await ada.go("/sign-in");
    await ada.accessible();
    await tabTo(ada, "Sign in with Orrin");
    await ada.page.keyboard.press("Enter");
    await ada.page.locator("input[name=login]").fill("subject-of-ada");
    await ada.page.locator("input[name=password]").fill("x");
    await ada.page.locator("button[type=submit]").click();
    await ada.page.getByRole("button", { name: "Continue" }).click();
    await ada.heading("This account is not linked yet");
    await ada.accessible();
    await ada.press("Send me a link");
    await ada.heading("Look into your mail");
    await ada.go(await ask("letter", "ada@orrin.example"));
    await ada.press("Sign in");
    await ada.page.waitForURL(`${base}/account`);
    await ada.accessible();
    await ada.press("Link it");
    await ada.page.waitForURL(/account#identities$/);
    assert.equal(await ask("notice", "ada@orrin.example"), "Another way to sign in");
    await ada.accessible();
    await ada.page.getByRole("button", { name: "Sign out" }).click();
    const banner = ada.page.getByRole("banner");
    await banner.getByRole("link", { name: "Sign in", exact: true }).click();
    // The provider knows this browser still, and sends it back by itself.
    await ada.press("Sign in with Orrin");
    await ada.page.waitForURL(`${base}/account`);
    await ada.page.getByText("Ada Quill").first().waitFor();
    await ada.press("Unlink subject-of-ada at Orrin");
    await ada.page.getByText("No account elsewhere is linked to yours.").waitFor();
    await ada.close();
  },

  // Every page, by day and by night and on a telephone.
  async accessibility() {
    const options = [
      { colorScheme: "light" },
      { colorScheme: "dark", viewport: { width: 390, height: 800 } },
    ];
    for (const option of options) {
      const tab = await Tab.open(option);
      for (const path of ["/", "/datasets/harbour", "/sign-in", "/register", "/nowhere"]) {
        await tab.go(path);
        if (path !== "/nowhere") await tab.accessible();
      }
      await tab.go(await ask("invite", "operator@host.example"));
      await tab.accessible();
      await tab.press("Sign in");
      const paths = [
        "/", "/account", "/documents", "/exemptions/apply", "/shares", "/admin",
        "/exports", "/exports/new?dataset=harbour", "/entities/orrin",
        "/datasets/harbour",
      ];
      for (const path of paths) {
        assert.equal(await tab.go(path), 200, path);
        await tab.accessible();
        const { scroll, width } = await tab.page.evaluate(() => {
          const { scrollWidth: scroll, clientWidth: width } = document.documentElement;
          return { scroll, width };
        });
        assert(scroll <= width, `${path} is wider than the window: ${scroll} > ${width}`);
      }
      assert.equal(await tab.go("/datasets/none"), 404);
      await tab.accessible();
      await tab.close();
    }
  },

  // Pictures of three pages, for the README.
  async pictures() {
    const folder = process.argv[4];
    const tab = await Tab.open({ colorScheme: "light", viewport: { width: 1000, height: 640 } });
    const shoot = async (name) => {
      const bytes = await tab.page.screenshot({ path: `${folder}/${name}.png` });
      assert(bytes.length > 10_000, `${name} shows nothing`);
    };
    await tab.signIn("ada@orrin.example");
    await shoot("account");
    await tab.go("/");
    await shoot("datasets");
    await tab.go("/sign-in");
    const operator = await Tab.open({ viewport: { width: 1000, height: 640 } });
    await operator.signIn("operator@host.example");
    await operator.go("/admin");
    await operator.page.screenshot({ path: `${folder}/operators.png` });
    await operator.close();
    await tab.close();
  },
};

// What has the focus, as a screen reader would say it.
async function focused(tab) {
  return await tab.page.evaluate(() => {
    const element = document.activeElement;
    const label = element.labels?.[0]?.innerText;
    return element.getAttribute("aria-label") ?? label ?? element.innerText ?? "";
  });
}

async function tabTo(tab, name) {
  for (let step = 0; step < 60; step += 1) {
    await tab.page.keyboard.press("Tab");
    if ((await focused(tab)).trim() === name) return;
  }
  assert.fail(`the keyboard does not come to ${name}`);
}

await walks[process.argv[2]]();
process.exit(0);
