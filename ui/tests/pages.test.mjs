// Somebody new starts the binary, makes the first account, sends records, mends some, audits them, and walks through
// every page in both sizes and themes.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, browser, looks, picture, run, scratch, serve, watchedPage } from "./support/site.mjs";

const PASSWORD = "correct horse battery staple";

/** @type {import("playwright-core").Browser} */
let chrome;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {import("playwright-core").BrowserContext} */
let context;
/** What is sent in. */
const records = { declarations: "", outcomes: "" };
/** Places that came to be on the way. */
const found = { batch: "", audit: "", job: "" };

before(async () => {
  const folder = scratch();
  run("country", "--out", join(folder, "country"), "--declarations", "4000", "--seed", "7");
  // Two rows that cannot be used, so that there is something to mend.
  const file = join(folder, "country", "declarations.csv");
  const lines = readFileSync(file, "utf8").split("\n");
  const columns = lines[0]?.split(",") ?? [];
  const date = columns.findIndex((column) => /date|accept/i.test(column));
  for (const at of [10, 20]) {
    const cells = lines[at]?.split(",") ?? [];
    cells[date] = "31.02.2025 or so";
    lines[at] = cells.join(",");
  }
  writeFileSync(file, lines.join("\n"));
  records.declarations = file;
  records.outcomes = join(folder, "country", "outcomes.csv");
  site = await serve(join(folder, "data"));
  chrome = await browser();
  context = await chrome.newContext({ reducedMotion: "reduce", viewport: { width: 1440, height: 900 }, locale: "en-GB" });
});

after(async () => {
  await chrome?.close();
  await site?.stop();
});

test("the first page leads to the set-up, and the token on the console opens it", async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(site.url);
  assert.match(page.url(), /\/set-up$/);
  await accessible(page, "set-up");
  assert.ok(site.setUp, "the console names the address with the token");
  await page.goto(site.setUp);
  await picture(page, "set-up");
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Set up" }).click();
  await page.waitForURL(`${site.url}/`);
  await accessible(page, "overview of an empty house");
  await picture(page, "overview-empty");
  await page.goto(`${site.url}/accounts`);
  for (const [name, role] of [["chen", "chief"], ["oleg", "officer"]]) {
    // The form is folded away: the list comes first.
    await page.locator("main details.card summary").first().click();
    await page.getByLabel("Name").fill(name ?? "");
    await page.locator("#role").selectOption(role ?? "");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Add an account" }).click();
    await page.getByText(name ?? "", { exact: true }).first().waitFor();
  }
  await accessible(page, "accounts");
  await picture(page, "accounts");
  await page.locator("details.menu summary").last().click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(/sign-in/);
  await accessible(page, "sign-in");
  await picture(page, "sign-in");
  assert.deepEqual(faults, []);
  await page.close();
});

test("a chief signs in, sends records, watches them come in, and audits them", { timeout: 300_000 }, async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(`${site.url}/sign-in?next=/pool`);
  await page.getByLabel("Name").fill("chen");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await accessible(page, "sign-in after a wrong password");
  assert.equal(faults.length, 1, "the browser notes the status 401");
  faults.length = 0;
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${site.url}/pool`);
  await accessible(page, "an empty pool");
  await picture(page, "pool-empty");
  await page.getByRole("link", { name: "Send records" }).first().click();
  await accessible(page, "the form to send records");
  await picture(page, "send-records");
  await page.locator("#file").setInputFiles(records.declarations);
  await page.locator("#outcomes").setInputFiles(records.outcomes);
  await page.getByRole("button", { name: /Next/ }).click();
  await page.waitForURL(/\/pool\/uploads\//);
  await accessible(page, "what the columns mean");
  await picture(page, "check-columns");
  await page.getByRole("button", { name: "Admit these records" }).first().click();
  await page.waitForURL(/\/jobs\/\d+|\/pool\/batches\//);
  if (page.url().includes("/jobs/")) found.job = new URL(page.url()).pathname;
  await page.waitForURL(/\/pool\/batches\//, { timeout: 120_000 });
  found.batch = new URL(page.url()).pathname;
  await page.getByRole("link", { name: "Audit this batch" }).click();
  await accessible(page, "the form for an audit");
  await picture(page, "run-audit");
  await page.getByRole("button", { name: "Start the audit" }).click();
  await page.waitForURL(/\/jobs\/\d+|\/audits\//);
  if (page.url().includes("/jobs/")) {
    await accessible(page, "a running task");
    await picture(page, "job");
  }
  await page.waitForURL(/\/audits\/\w{12,}/, { timeout: 240_000 });
  found.audit = new URL(page.url()).pathname;
  assert.deepEqual(faults, []);
  await page.close();
});

test("rows in quarantine are exported, mended and sent again", async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(`${site.url}${found.batch}/quarantine`);
  const waiting = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export as CSV" }).click();
  const path = await (await waiting).path();
  const mended = readFileSync(path, "utf8").replaceAll("31.02.2025 or so", "2025-02-27");
  await page.getByLabel("Mended file").setInputFiles({ name: "mended.csv", mimeType: "text/csv", buffer: Buffer.from(mended) });
  await page.getByRole("button", { name: "Send the mended file" }).click();
  await page.waitForURL(/\/pool\/uploads\//);
  await page.getByRole("button", { name: "Admit these records" }).first().click();
  await page.waitForURL(/\/pool\/batches\//, { timeout: 120_000 });
  await page.goto(`${site.url}${found.batch}/quarantine`);
  await page.getByText("Nothing in quarantine").waitFor();
  assert.deepEqual(faults, []);
  await page.close();
});

/** Every page of somebody who may see them. @returns {[string, string][]} */
function places() {
  return [
    ["overview", "/"],
    ["pool", "/pool"],
    ["batch", found.batch],
    ["rows", `${found.batch}/rows`],
    ["row", `${found.batch}/rows/12`],
    ["quarantine", `${found.batch}/quarantine`],
    ["contract", "/pool/contracts/declarations"],
    ["tags", "/tags"],
    ["tag", "/tags/gross_below_net"],
    ["why", `/tags/gross_below_net/why/${found.batch.split("/").pop()}/12`],
    ["audits", "/audits"],
    ["audit", found.audit],
    ["packs", "/packs"],
    ["pack", "/packs/customs-tags"],
    ["tasks", "/jobs"],
    ["search", "/search?q=new"],
    ["account", "/account"],
    ["help", "/help"],
  ];
}

for (const look of looks) {
  test(`every page, ${look.name}`, { timeout: 300_000 }, async () => {
    const { page, faults } = await watchedPage(context);
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
    for (const [name, place] of places()) {
      const response = await page.goto(`${site.url}${place}`);
      assert.equal(response?.status(), 200, `${name} at ${place}`);
      await accessible(page, `${name}, ${look.name}`);
      await picture(page, `${name}-${look.name}`);
    }
    assert.deepEqual(faults, []);
    await page.close();
  });
}

test("the keyboard finds its way: search, suggestions, rows, help", async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(`${site.url}/tags`);
  await page.keyboard.press("/");
  await page.keyboard.type("gross");
  await page.locator("#suggestions a").first().waitFor();
  await accessible(page, "search suggestions");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/tags\/|\/pool|\/packs/);
  await page.goto(`${site.url}/tags`);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/tags\/\w+/);
  await page.keyboard.press("?");
  await page.waitForURL(/\/help/);
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await page.waitForURL(`${site.url}/pool`);
  assert.deepEqual(faults, []);
  await page.close();
});

test("the report is one file that opens without a network", async () => {
  const offline = await chrome.newContext({ offline: true, reducedMotion: "reduce", viewport: { width: 1440, height: 900 } });
  const { page: signedIn } = await watchedPage(context);
  const answer = await signedIn.request.get(`${site.url}${found.audit}/report.html`);
  await signedIn.close();
  const file = join(scratch(), "report.html");
  writeFileSync(file, await answer.body());
  const { page, faults } = await watchedPage(offline);
  for (const look of looks) {
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
    await page.goto(`file://${file}`);
    await accessible(page, `report, ${look.name}`);
    await picture(page, `report-${look.name}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`file://${file}`);
  await page.getByRole("button", { name: "中文" }).click();
  await page.locator("th button.sort").first().click();
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  await picture(page, "report-print");
  assert.deepEqual(faults, []);
  await offline.close();
});

test("language and theme stay as they were chosen", async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(`${site.url}/pool`);
  await page.locator("details.menu summary").first().click();
  await picture(page, "menu-language");
  await page.getByRole("button", { name: "中文" }).click();
  assert.equal(await page.locator("html").getAttribute("lang"), "zh");
  await accessible(page, "the pool in Chinese");
  await picture(page, "pool-zh");
  await page.locator("details.menu summary").nth(1).click();
  await page.getByRole("button", { name: "深色" }).click();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await page.goto(`${site.url}${found.audit}`);
  assert.equal(await page.locator(".report").getAttribute("data-language"), "zh");
  assert.deepEqual(faults, []);
  await page.close();
});
