// A trader takes the proof of a receipt home, and a stranger without an account checks it in a browser: what was altered
// proves nothing, and nothing is uploaded.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, binary, browser, looks, picture, scratch, serve, watchedPage } from "./support/site.mjs";

const PASSWORD = "correct horse battery staple";
const DECLARATION = JSON.stringify({
  functional_reference_id: "PROOF-1",
  type_code: "IMA",
  declaration_office_id: "NL000396",
  declarant: { id: "NL0001" },
  goods_shipment: { government_agency_goods_item: [{ commodity: { description: "chargers" } }] },
});

/** @type {import("playwright-core").Browser} */
let chrome;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {import("playwright-core").BrowserContext} */
let stranger;
const folder = scratch();
const proof = join(folder, "receipt.tlog-proof");
const original = join(folder, "declaration.json");

before(async () => {
  const data = join(folder, "data");
  const add = ["--quiet", "user", "add", "tom", "--role", "trader", "--party", "NL0001", "--data", data];
  execFileSync(binary(), add, { input: `${PASSWORD}\n`, stdio: ["pipe", "pipe", "pipe"] });
  const token = execFileSync(binary(), ["--quiet", "user", "token", "tom", "--label", "test", "--data", data], { encoding: "utf8" }).trim();
  site = await serve(data);
  chrome = await browser();
  stranger = await chrome.newContext({ reducedMotion: "reduce", viewport: { width: 1440, height: 900 }, locale: "en-GB" });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const lodged = await fetch(`${site.url}/api/v1/declarations`, { method: "POST", headers, body: DECLARATION });
  assert.equal(lodged.status, 201, await lodged.clone().text());
  const { mrn } = /** @type {{ mrn: string }} */ (await lodged.json());
  const file = await fetch(`${site.url}/api/v1/declarations/${mrn}/proofs/receipt`, { headers });
  assert.equal(file.status, 200);
  writeFileSync(proof, await file.text());
  writeFileSync(original, DECLARATION);
});

after(async () => {
  await chrome?.close();
  await site?.stop();
});

/** What the page says; its texts stand hidden beside it. @param {import("playwright-core").Page} page */
function outcome(page) {
  return page.locator("[data-outcome]");
}

test("a stranger sees that a receipt is proven, and that the document is the one that was lodged", async () => {
  const { page, faults } = await watchedPage(stranger);
  await page.goto(`${site.url}/verify`);
  await accessible(page, "the page that checks proofs");
  await page.locator("#proof").setInputFiles(proof);
  await page.getByRole("heading", { name: "This is proven" }).waitFor();
  await outcome(page).getByText("Yes: nothing that was recorded later takes it back.").waitFor();
  await outcome(page).getByText("PROOF-1", { exact: true }).waitFor();
  await page.locator("#document").setInputFiles(original);
  await outcome(page).getByText("is the one that was lodged").waitFor();
  await accessible(page, "a proof that holds");
  await picture(page, "verify-proven");
  assert.deepEqual(faults, []);
  await page.close();
});

test("whatever is altered proves nothing, and the page says what is wrong", async () => {
  const { page, faults } = await watchedPage(stranger);
  const good = readFileSync(proof, "utf8");
  const extra = (/** @type {string} */ text) =>
    good.replace(/^extra (.*)$/m, (_, base64) => `extra ${Buffer.from(Buffer.from(base64, "base64").toString("utf8").replace("PROOF-1", text)).toString("base64")}`);
  /** @type {[string, string, RegExp][]} */
  const cases = [
    ["another payload", extra("PROOF-2"), /not what was recorded/],
    ["another index", good.replace(/^index (\d+)$/m, (_, index) => `index ${Number(index) + 1}`), /not in the log|damaged/],
    ["another size", good.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`), /not in the log|signature/],
    ["no proof at all", "hello\n\nworld", /does not begin with/],
    ["half a file", good.slice(0, good.length / 2), /damaged|not in the log/],
  ];
  for (const [what, text, why] of cases) {
    const file = { name: "x.tlog-proof", mimeType: "text/plain", buffer: Buffer.from(text) };
    await page.goto(`${site.url}/verify`);
    await page.locator("#proof").setInputFiles(file);
    await page.getByRole("heading", { name: "This proves nothing" }).waitFor();
    assert.match((await page.locator("[data-outcome]").textContent()) ?? "", why, what);
  }
  await page.goto(`${site.url}/verify`);
  await page.locator("#proof").setInputFiles(proof);
  await page.locator("#document").setInputFiles({ name: "other.json", mimeType: "application/json", buffer: Buffer.from("{}") });
  await outcome(page).getByText("its hash is another").waitFor();
  await picture(page, "verify-altered");
  assert.deepEqual(faults, []);
  await page.close();
});

test("the page that checks proofs in every size and theme", async () => {
  const { page, faults } = await watchedPage(stranger);
  for (const look of looks) {
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
    await page.goto(`${site.url}/verify`);
    await page.locator("#proof").setInputFiles(proof);
    await page.getByRole("heading", { name: "This is proven" }).waitFor();
    await accessible(page, `a proof, ${look.name}`);
    await picture(page, `verify-${look.name}`);
  }
  assert.deepEqual(faults, []);
  await page.close();
});
