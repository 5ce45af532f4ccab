// A browser that a test drives: Chromium with one page, which notices whatever goes wrong in it.
// What else a test needs (a link, a letter) it asks of tests/browser.rs, a line of JSON each way.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const replies = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const base = process.argv[3];

// Asks the test for something and waits for the answer.
export async function ask(what, mail) {
  console.log(JSON.stringify({ ask: what, mail }));
  const { value, done } = await replies.next();
  assert(!done, "the test has ended");
  return JSON.parse(value);
}

export class Tab {
  // A page that asks nobody but the gateway, and the hosts of `others`.
  static async open(options = {}, others = []) {
    const tab = new Tab();
    tab.browser = await chromium.launch({
      executablePath: process.env.HYDRANT_TEST_CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
    tab.wrong = [];
    tab.context = await tab.browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
    tab.context.setDefaultTimeout(30_000);
    tab.page = await tab.context.newPage();
    const known = [new URL(base).host, ...others];
    tab.page.on("console", (message) => {
      // That an answer is a refusal the test itself looks at.
      const isRefusal = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isRefusal) tab.wrong.push(`console: ${message.text()}`);
    });
    tab.page.on("pageerror", (error) => tab.wrong.push(`script: ${error}`));
    tab.page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:" && !known.includes(url.host)) tab.wrong.push(`request to ${url.host}`);
    });
    return tab;
  }

  async go(path) {
    const answer = await this.page.goto(base + path);
    return answer.status();
  }

  async signIn(mail) {
    await this.go(await ask("invite", mail));
    await this.press("Sign in");
    await this.page.waitForURL(`${base}/account`);
  }

  // Presses the one button of that name within `where`.
  async press(name, where = this.page.locator("main")) {
    await where.getByRole("button", { name, exact: true }).click();
  }

  async fill(label, value, where = this.page) {
    await where.getByLabel(label, { exact: true }).fill(value);
  }

  async heading(text) {
    await this.page.getByRole("heading", { level: 1, name: text, exact: true }).waitFor();
  }

  async text() {
    return await this.page.locator("main").innerText();
  }

  // No page may keep anybody out.
  async accessible() {
    await this.page.evaluate(axeSource);
    const found = await this.page.evaluate(() => globalThis.axe.run(document));
    const told = found.violations.map((one) => {
      return `${one.id}: ${one.help}\n  ${one.nodes.map((node) => node.html).join("\n  ")}`;
    });
    assert.deepEqual(told, [], `${this.page.url()}\n${told.join("\n")}`);
  }

  async close() {
    assert.deepEqual(this.wrong, []);
    await this.browser.close();
  }
}
