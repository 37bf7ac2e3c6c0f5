// A trader's pages in a browser: what is typed is kept, comes back after a reload and without a connection, is checked,
// lodged and followed; every page is accessible in every size and theme.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, browser, demo, looks, picture, scratch, watchedPage } from "./support/site.mjs";

const PASSWORD = "correct horse battery";
/** @type {Awaited<ReturnType<typeof demo>>} */
let site;
/** @type {import("playwright-core").Browser} */
let chromium;

before(async () => {
  site = await demo(join(scratch(), "data"), "1500", PASSWORD);
  chromium = await browser();
});
after(async () => {
  await chromium?.close();
  await site?.stop();
});

/**
 * Somebody signed in, in a browser of their own.
 * @param {string} name
 * @param {import("playwright-core").BrowserContextOptions} options
 */
async function signedIn(name, options = {}) {
  const context = await chromium.newContext(options);
  const { page, faults } = await watchedPage(context);
  await page.goto(`${site.url}/sign-in`);
  await page.fill("#name", name);
  await page.fill("#password", PASSWORD);
  await page.click("button.primary");
  await page.waitForURL(/\/(own)?$/);
  return { context, page, faults };
}

/** @param {import("playwright-core").Page} page @param {string} name @param {string} value */
function type(page, name, value) {
  return page.fill(`[id="${name}"]`, value);
}

test("what is typed is kept as it is typed, checked, lodged and followed", async () => {
  const { context, page, faults } = await signedIn("trader");
  await page.goto(`${site.url}/own/new`);
  const reference = `UI-${Date.now()}`;
  await type(page, "reference", reference);
  await page.waitForURL(/\/own\/drafts\/d-/);
  assert.match((await page.textContent("[data-saved]")) ?? "", /saved \d/);
  await type(page, "1.description", "wooden kitchen chairs");
  await page.waitForResponse((answer) => answer.request().method() === "POST" && answer.ok());
  await page.reload();
  assert.equal(await page.inputValue('[id="1.description"]'), "wooden kitchen chairs");
  await page.click("button[value=add]");
  await page.waitForURL(/#item-2$/);
  await page.click(".foot button[value=check]");
  await page.waitForURL(/check=true$/);
  const finding = page.locator('.notice a[href="#2.code"]');
  await finding.click();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "2.code");
  await page.click("button[value=remove-2]");
  const good = { office: "10", currency: "EUR", "1.code": "940161", "1.origin": "VN", "1.value": "12600.50", "1.gross": "12", "1.net": "10" };
  for (const [name, value] of Object.entries(good)) await type(page, name, value);
  await page.click(".foot button[value=lodge]");
  await page.waitForURL(/\/receipt$/);
  await page.click("text=Follow it");
  assert.equal(await page.textContent("h1"), reference);
  assert.ok((await page.locator(".timeline li").count()) >= 2);
  await page.goto(`${site.url}/own`);
  assert.equal(await page.locator(`text=${reference}`).count(), 1);
  assert.deepEqual(faults, []);
  await context.close();
});

test("a message is checked before it is sent, each finding beside its element", async () => {
  const message = `<CC315A>
  <HEAHEA>
    <RefNumHEA4>LRN-1</RefNumHEA4>
    <TotNumOfIteHEA305>2</TotNumOfIteHEA305>
  </HEAHEA>
  <GOOITEGDS>
    <IteNumGDS7>1</IteNumGDS7>
  </GOOITEGDS>
</CC315A>`;
  for (const look of looks) {
    const { name, colorScheme, ...viewport } = look;
    const { context, page, faults } = await signedIn("trader", { viewport, colorScheme });
    await page.goto(`${site.url}/own`);
    await page.click('a[href="/own/check"]');
    await page.setInputFiles("#file", { name: "summary.xml", mimeType: "application/xml", buffer: Buffer.from(message) });
    await page.click("main form button.primary");
    await page.waitForURL(/\/own\/check\/file$/);
    const total = page.locator(".placed li", { hasText: "8206" });
    assert.equal(await total.locator("mark").textContent(), "<TotNumOfIteHEA305>2</TotNumOfIteHEA305>");
    assert.equal(await total.locator(".line-number").textContent(), "4");
    await accessible(page, `a checked message (${name})`);
    await picture(page, `own-check-${name}`);
    assert.deepEqual(faults, []);
    await context.close();
  }
});

test("without a connection a draft stays in the browser and is saved when the connection is back", async () => {
  const { context, page } = await signedIn("trader");
  await page.goto(`${site.url}/own/new`);
  await type(page, "reference", "UI-OFFLINE");
  await page.waitForURL(/\/own\/drafts\/d-/);
  await context.setOffline(true);
  await type(page, "1.description", "typed in the tunnel");
  await page.waitForSelector('[data-state="notSaved"]');
  await context.setOffline(false);
  await page.waitForSelector('[data-state="savedAt"]');
  await page.reload();
  assert.equal(await page.inputValue('[id="1.description"]'), "typed in the tunnel");
  await context.close();
});

test("without scripts items come and go, and what was typed stays", async () => {
  const { context, page } = await signedIn("trader", { javaScriptEnabled: false });
  await page.goto(`${site.url}/own/new`);
  await type(page, "1.description", "first");
  await page.click("button[value=add]");
  await type(page, "2.description", "second");
  await page.click("button[value=remove-1]");
  assert.equal(await page.inputValue('[id="1.description"]'), "second");
  await context.close();
});

for (const look of looks) {
  test(`a trader's pages and the accounts are accessible: ${look.name}`, async () => {
    const { name, colorScheme, ...viewport } = look;
    const { context, page, faults } = await signedIn("trader", { viewport, colorScheme });
    const row = await page.getAttribute("main tbody a", "href");
    for (const path of ["/own", "/own/new", "/own/check", "/own/file", row ?? "/own", `${row ?? ""}/receipt`, "/account", "/clients", "/webhooks"]) {
      await page.goto(site.url + path);
      await accessible(page, `${path} (${name})`);
    }
    await page.goto(`${site.url}/own/new`);
    await page.click(".foot button[value=check]");
    await page.waitForURL(/check=true$/);
    await accessible(page, `a form with findings (${name})`);
    assert.deepEqual(faults, []);
    await context.close();
    const admin = await signedIn("admin", { viewport, colorScheme });
    await admin.page.goto(`${site.url}/accounts`);
    await accessible(admin.page, `/accounts (${name})`);
    await admin.page.click("td a");
    await accessible(admin.page, `an account (${name})`);
    assert.deepEqual(admin.faults, []);
    await admin.context.close();
  });
}
