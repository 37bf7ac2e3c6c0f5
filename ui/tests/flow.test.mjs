// A simulated country lives in a sandbox: officials follow its flow, choose on the curve, read entities and the journal;
// everybody reads status and changes.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, browser, demo, looks, picture, scratch, watchedPage } from "./support/site.mjs";

const PASSWORD = "correct horse battery staple";

/** @type {import("playwright-core").Browser} */
let chrome;
/** @type {Awaited<ReturnType<typeof demo>>} */
let site;
/** @type {import("playwright-core").BrowserContext} */
let context;
/** Places that the country has. */
const found = { entity: "", chained: "", event: "", policy: "", replay: "", query: "", reason: "" };

/** @param {string} name */
async function signIn(name) {
  const own = await chrome.newContext({ reducedMotion: "reduce", viewport: { width: 1440, height: 900 }, locale: "en-GB" });
  const page = await own.newPage();
  await page.goto(`${site.url}/sign-in`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/sign-in");
  await page.close();
  return own;
}

/** The first address on a page that begins so. @param {string} place @param {RegExp} wanted */
async function firstLink(place, wanted) {
  const text = await (await context.request.get(`${site.url}${place}`)).text();
  const link = wanted.exec(text)?.[1];
  assert.ok(link, `${place} leads to ${wanted}`);
  return link;
}

before(async () => {
  site = await demo(join(scratch(), "data"), "2000", PASSWORD);
  chrome = await browser();
  context = await signIn("chief");
  found.entity = await firstLink("/entities", /href="(\/entities\/(?!matches)[^"?]+)"/);
  found.chained = await firstLink("/entities/matches?kind=owner", /href="(\/entities\/(?!matches)[^"?]+)"/);
  found.event = await firstLink("/journal", /href="(\/journal\/\d+)"/);
  found.policy = await firstLink("/plan", /href="(\/plan\/policies\/[^"]+)"/);
  found.replay = `${await firstLink("/declarations?source=live&lane=yellow", /href="(\/declarations\/\w+)"/)}/replay`;
  found.query = `${(await firstLink("/tags?sort=-volume", /href="(\/tag-query\?q=\w+)"/))}&of=declarations&from=2020-01-01`;
  found.reason = await firstLink(found.entity, /href="(\/entities\/[^"?]+\/tags\/\w+)"/);
});

after(async () => {
  await chrome?.close();
  await site?.stop();
});

test("every page of the flow, in both sizes and themes", { timeout: 300_000 }, async () => {
  const { page, faults } = await watchedPage(context);
  for (const look of looks) {
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
    for (const [name, place] of [
      ["flow", "/"],
      ["plan", "/plan"],
      ["policy", found.policy],
      ["entities", "/entities"],
      ["entity", found.entity],
      ["matches", "/entities/matches?kind=owner"],
      ["chained", found.chained],
      ["journal", "/journal"],
      ["event", found.event],
      ["changes", "/changes"],
      ["status", "/status"],
      ["help", "/help"],
      ["erasures", "/erasures"],
      ["replay", found.replay],
      ["catalogue", "/tags?sort=-volume"],
      ["tag-query", found.query],
      ["tag-query-wrong", "/tag-query?q=gross_below_ne"],
      ["tag-graph", "/tag-graph"],
      ["warnings", "/warnings"],
      ["own-tags", "/own-tags"],
      ["tag-editor", "/own-tags/new"],
      ["tag-sources", "/tag-sources"],
      ["tag-source", "/tag-sources/customs_value"],
      ["tag-lineage", found.reason],
    ]) {
      const response = await page.goto(`${site.url}${place}`);
      assert.equal(response?.status(), 200, `${name} at ${place}`);
      await page.getByText("SANDBOX", { exact: true }).first().waitFor();
      await accessible(page, `${name}, ${look.name}`);
      await picture(page, `${name}-${look.name}`);
    }
  }
  assert.deepEqual(faults, []);
  await page.close();
});

test("what the planted ring makes more frequent is warned of, on the overview, in the queue and on a page of its own", async () => {
  const { page, faults } = await watchedPage(context);
  for (const place of ["/", "/queue"]) {
    await page.goto(`${site.url}${place}`);
    await page.getByRole("region", { name: "Early warnings" }).getByRole("link", { name: /^Open early warnings: \d+$/ }).waitFor();
  }
  const first = page.getByRole("region", { name: "Early warnings" }).getByRole("listitem").first().getByRole("link");
  const title = await first.innerText();
  await first.click();
  await page.waitForURL(/\/warnings#warning-\w+$/);
  const card = page.locator(page.url().slice(page.url().indexOf("#")));
  await card.getByRole("link", { name: title }).waitFor();
  await card.getByText("open", { exact: true }).waitFor();
  assert.ok((await card.locator("svg.warning-chart rect").count()) > 0, "days that carry it are drawn");
  await card.getByText("What to look at:").waitFor();
  await card.getByRole("link", { name: /declarations with it since then/ }).click();
  await page.getByRole("table").first().waitFor();
  assert.ok((await page.locator("tbody tr").count()) > 0, "the number leads to the rows behind it");
  assert.deepEqual(faults, []);
  await page.close();
});

test("a decision is derived again, in a browser, and is the one that was recorded", async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(`${site.url}${found.replay}`);
  await page.getByRole("button", { name: "Derive it again" }).click();
  await page.getByRole("heading", { name: "It comes out exactly as it was recorded" }).waitFor({ timeout: 60_000 });
  for (const look of looks) {
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
    await accessible(page, `then and now, ${look.name}`);
    await picture(page, `then-and-now-${look.name}`);
  }
  assert.deepEqual(faults, []);
  await page.close();
});

test("a condition is counted as it is written, completed, and narrowed with a click", async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(`${site.url}/tag-query?of=declarations`);
  const counted = page.locator("#counted strong");
  const all = (await counted.textContent()) ?? "";
  await page.locator("#condition").pressSequentially("!gross_below");
  await page.locator("#counted .marked").waitFor();
  await page.locator("#counted .completions a").first().click();
  await page.waitForURL((url) => url.searchParams.get("q")?.startsWith("!gross_below") === true);
  assert.notEqual(all, "");
  await page.getByRole("link", { name: "+ with" }).first().click();
  await page.waitForURL((url) => url.searchParams.get("q")?.includes("&&") === true);
  assert.notEqual(await counted.textContent(), all);
  assert.deepEqual(faults, []);
  await page.close();
});

test("an auditor sees who looked at what", async () => {
  const auditor = await signIn("auditor");
  const { page, faults } = await watchedPage(auditor);
  for (const look of looks) {
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
    const response = await page.goto(`${site.url}/viewings`);
    assert.equal(response?.status(), 200);
    await accessible(page, `who looked, ${look.name}`);
    await picture(page, `viewings-${look.name}`);
  }
  assert.deepEqual(faults, []);
  await page.close();
  await auditor.close();
});

test("the overview keeps up by itself, takes no focus away, and stands still when told to", async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(site.url);
  const link = page.locator("#to-lodged");
  await link.focus();
  const before = await page.locator(".figure-value").first().textContent();
  await page.waitForFunction((old) => document.querySelector(".figure-value")?.textContent !== old, before, { timeout: 30_000 });
  assert.equal(await page.evaluate(() => document.activeElement?.id), "to-lodged", "focus stays where it was");
  await page.getByRole("link", { name: "Pause updates" }).click();
  await page.waitForURL(/updates=off/);
  assert.equal(await page.locator("[data-live]").count(), 0);
  await link.click();
  await page.waitForURL(/\/declarations\?/);
  assert.deepEqual(faults, []);
  await page.close();
});

test("moving along the curve redraws at once, and the address shows the same to whoever follows it", async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(`${site.url}/plan`);
  const told = () => page.locator("[data-told]").allTextContents();
  const slider = page.locator("#curve-at");
  const first = await told();
  await slider.focus();
  await page.keyboard.press("Home");
  const moved = await told();
  assert.notDeepEqual(moved, first);
  assert.match(page.url(), /at=\d+/);
  await page.reload();
  assert.deepEqual(await told(), moved, "the server writes what the island showed");
  await page.locator(".curve-drawing").scrollIntoViewIfNeeded();
  const box = await page.locator(".curve-drawing").boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * 0.9, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 50);
  await page.mouse.up();
  assert.notDeepEqual(await told(), moved);
  assert.deepEqual(faults, []);
  await page.close();
});

test("a tag is tried on history as it is written, proposed by one person and put into force by another", async () => {
  const analyst = await signIn("analyst");
  const { page, faults } = await watchedPage(analyst);
  await page.goto(`${site.url}/own-tags/new`);
  await page.locator("#when").fill("net_mas > 3");
  await page.locator(".tried .marked", { hasText: "net_mass" }).waitFor();
  await page.locator("#when").fill('commodity_code.startsWith("6") && net_mass > 100');
  await page.locator(".tried .lead").waitFor();
  await accessible(page, "a tag that is written");
  await page.locator("#id").fill("office_textiles");
  for (const [field, text] of [["title", "Textiles"], ["hint", "Weigh."], ["description", "Heavy textiles."]]) {
    await page.locator(`#${field}-en`).fill(text ?? "");
    await page.locator(`#${field}-zh`).fill(text ?? "");
  }
  await page.getByRole("button", { name: "Propose this tag" }).click();
  await page.waitForURL(/\/own-tags$/);
  await page.getByText("another person must approve it").waitFor();
  assert.deepEqual(faults, []);
  await page.close();
  await analyst.close();
  const { page: other } = await watchedPage(context);
  await other.goto(`${site.url}/own-tags`);
  await other.getByRole("button", { name: /^Approve/ }).click();
  await other.locator("table a", { hasText: "Textiles" }).click();
  await other.waitForURL(/\/tags\/office_textiles/);
  await other.close();
});

test("the clock of the sandbox moves, and the pace of its world", async () => {
  const { page, faults } = await watchedPage(context);
  await page.goto(`${site.url}/status`);
  const clock = page.locator(".sandbox time");
  const before = Date.parse((await clock.getAttribute("datetime")) ?? "");
  await page.getByRole("button", { name: "+1 hour" }).click();
  await page.waitForURL(/\/status/);
  const moved = Date.parse((await clock.getAttribute("datetime")) ?? "") - before;
  assert.ok(moved >= 3_600_000 && moved < 3_900_000, String(moved));
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.locator('.sandbox button[aria-pressed="true"]', { hasText: "Pause" }).waitFor();
  assert.deepEqual(faults, []);
  await page.close();
});

test("status, changes and the feed are read without signing in", async () => {
  const anybody = await chrome.newContext({ reducedMotion: "reduce", viewport: { width: 390, height: 844 }, locale: "zh-CN" });
  const { page, faults } = await watchedPage(anybody);
  for (const place of ["/status", "/changes"]) {
    assert.equal((await page.goto(`${site.url}${place}`))?.status(), 200);
    await accessible(page, `${place} for everybody, in Chinese`);
    await picture(page, `open${place.replace("/", "-")}-zh`);
  }
  const feed = await anybody.request.get(`${site.url}/changes.atom`);
  const text = await feed.text();
  const entries = await page.evaluate((xml) => {
    const read = new DOMParser().parseFromString(xml, "application/xml");
    return read.querySelector("parsererror") ? -1 : read.querySelectorAll("feed > entry > updated").length;
  }, text);
  assert.ok(entries >= 4, `${entries} entries in ${text.slice(0, 200)}`);
  assert.deepEqual(faults, []);
  await anybody.close();
});
