// One declaration of every lane walks through: lodged by a trader, followed by an officer on the Case page, examined,
// decided, released. The officer uses the keyboard; a second officer comes too late.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, binary, browser, looks, picture, scratch, serve, watchedPage } from "./support/site.mjs";

const PASSWORD = "correct horse battery staple";
const PEOPLE = [
  ["anna", "analyst"],
  ["chen", "chief"],
  ["oleg", "officer"],
  ["olga", "officer"],
  ["tom", "trader", "--party", "NL0001"],
  ["tess", "trader", "--party", "GB123456789"],
];
/** An entry summary declaration of that party, against which the public rules have nothing. */
const ENTRY_SUMMARY = new URL("../../crates/customhouse/src/entry_summary/accepted.xml", import.meta.url);
/** Declarations lodged at most until every lane was chosen: a blue one is one in a hundred. */
const LODGED_MAX = 4_000;
const LODGED_AT_ONCE = 50;

/** @typedef {"green" | "blue" | "yellow" | "red"} Lane */
/** @type {Lane[]} */
const LANES = ["green", "blue", "yellow", "red"];

/** @type {import("playwright-core").Browser} */
let chrome;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** One context a person. @type {Map<string, import("playwright-core").BrowserContext>} */
const people = new Map();
/** A declaration of each lane. @type {Map<Lane, string>} */
const found = new Map();

before(async () => {
  const data = join(scratch(), "data");
  for (const [name, role, ...more] of PEOPLE) {
    const command = ["--quiet", "user", "add", name ?? "", "--role", role ?? "", "--data", data, ...more];
    execFileSync(binary(), command, { input: `${PASSWORD}\n`, stdio: ["pipe", "pipe", "pipe"] });
  }
  site = await serve(data);
  chrome = await browser();
  for (const [name] of PEOPLE) people.set(name ?? "", await signedIn(name ?? ""));
});

after(async () => {
  await chrome?.close();
  await site?.stop();
});

/** Somebody who has signed in. @param {string} name */
async function signedIn(name) {
  const context = await chrome.newContext({ reducedMotion: "reduce", viewport: { width: 1440, height: 900 }, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(`${site.url}/sign-in`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((address) => !address.pathname.startsWith("/sign-in"));
  await page.close();
  return context;
}

/** A page of somebody. @param {string} name */
function pageOf(name) {
  const context = people.get(name);
  if (!context) throw new Error(`nobody is called ${name}`);
  return watchedPage(context);
}

/** A declaration as a trader's program sends it; the packages of every third weigh nothing. @param {number} number */
function declaration(number) {
  const gross = number % 3 === 0 ? "10" : "12.5";
  return {
    functional_reference_id: `REF-${number}`,
    type_code: "IMA",
    declaration_office_id: "NL000396",
    declarant: { id: "NL0001" },
    exporter: { id: `CN${number % 40}` },
    border_transport_means: { mode_code: "1" },
    goods_shipment: {
      importer: { id: "NL0001" },
      export_country: "CN",
      government_agency_goods_item: [
        {
          sequence_numeric: 1,
          customs_value_amount: { amount: "1200.50", currency: "EUR" },
          commodity: {
            description: "mobile phones, 128 GB",
            classification: [{ id: "851713" }],
            goods_measure: { gross_mass_measure: gross, net_net_weight_measure: "10" },
          },
          additional_document: [{ category_code: "N", type_code: "935", id: `INV-${number}` }],
          government_procedure: [{ current_code: "40", previous_code: "00" }],
          origin: [{ country_code: "CN" }],
          packaging: [{ quantity_quantity: "10", type_code: "CT" }],
        },
      ],
    },
  };
}

/** Lodges as the trader, from the trader's own page. @param {import("playwright-core").Page} page @param {number} from */
async function lodge(page, from) {
  const bodies = Array.from({ length: LODGED_AT_ONCE }, (_, at) => JSON.stringify(declaration(from + at)));
  const statuses = await page.evaluate(async (all) => {
    const { csrf } = await (await fetch("/api/v1/session")).json();
    const headers = { "content-type": "application/json", "x-csrf-token": csrf };
    const answers = await Promise.all(all.map((body) => fetch("/api/v1/declarations", { method: "POST", headers, body })));
    return answers.map((answer) => answer.status);
  }, bodies);
  assert.ok(statuses.every((status) => status === 201), `lodged: ${statuses}`);
}

test("two people bring the policies into force", async () => {
  const { page: analyst, faults } = await pageOf("anna");
  await analyst.goto(`${site.url}/plan`);
  await analyst.getByRole("button", { name: /Propose/ }).first().click();
  await analyst.waitForLoadState();
  const { page: chief, faults: chiefs } = await pageOf("chen");
  for (const page of [analyst, chief]) {
    await page.goto(`${site.url}/plan`);
    for (let left = 10; left > 0; left -= 1) {
      const approve = page.locator("form[action$='/approve'] button").first();
      if ((await approve.count()) === 0) break;
      await approve.click();
      await page.waitForLoadState();
      await page.goto(`${site.url}/plan`);
    }
  }
  assert.equal(await chief.locator("form[action='/plan/propose']").count(), 0, "nothing is missing");
  assert.deepEqual([...faults, ...chiefs], []);
  await analyst.close();
  await chief.close();
});

test("a trader's program lodges until every lane was chosen", { timeout: 300_000 }, async () => {
  const { page: trader } = await pageOf("tom");
  await trader.goto(`${site.url}/help`);
  const { page: officer, faults } = await pageOf("oleg");
  for (let lodged = 0; lodged < LODGED_MAX && found.size < LANES.length; lodged += LODGED_AT_ONCE) {
    await lodge(trader, lodged);
    for (const lane of LANES.filter((own) => !found.has(own))) {
      await officer.goto(`${site.url}/declarations?lane=${lane}`);
      const first = officer.locator("main tbody a.reference").first();
      if ((await first.count()) > 0) found.set(lane, (await first.textContent())?.trim() ?? "");
    }
  }
  assert.deepEqual([...found.keys()].sort(), [...LANES].sort());
  assert.deepEqual(faults, []);
  await trader.close();
  await officer.close();
});

/** The Case page of the declaration of a lane. @param {Lane} lane */
function place(lane) {
  return `${site.url}/declarations/${found.get(lane)}`;
}

/**
 * What happened, in order. @param {import("playwright-core").Page} page @param {RegExp[]} steps
 */
async function happened(page, steps) {
  const all = (await page.locator(".timeline > li").allTextContents()).join("\n");
  let from = 0;
  for (const step of steps) {
    const at = all.slice(from).search(step);
    assert.ok(at >= 0, `${step} after ${from} in:\n${all}`);
    from += at;
  }
}

test("green: accepted, tagged, chosen and released by policies, each with its law and how to contest it", async () => {
  const { page, faults } = await pageOf("oleg");
  await page.goto(place("green"));
  await page.getByText("Nothing speaks for holding these goods up").waitFor();
  await happened(page, [/Lodged/, /Accepted/, /Tags applied/, /Lane chosen/, /Goods released/]);
  await page.locator(".timeline details summary").last().click();
  await page.locator(".timeline details[open]").getByText("How to contest it").waitFor();
  assert.match((await page.locator(".clock").textContent()) ?? "", /took/);
  assert.deepEqual(faults, []);
  await page.close();
});

test("blue: released at once, and audited afterwards by an officer", async () => {
  const { page, faults } = await pageOf("oleg");
  await page.goto(place("blue"));
  await happened(page, [/Goods released|Audit after release opened/]);
  await page.getByRole("button", { name: "Take", exact: true }).click();
  await page.getByRole("link", { name: "Record the audit" }).click();
  await page.getByLabel(/A1/).check();
  await page.getByRole("button", { name: "Record this result" }).click();
  await page.getByText("A1 · as declared").waitFor();
  await happened(page, [/Taken/, /Audit closed/]);
  assert.deepEqual(faults, []);
  await page.close();
});

/** The trader reads what is wanted and sends it, from its own page. @param {string} number */
async function sendDocuments(number) {
  const { page, faults } = await pageOf("tom");
  await page.goto(`${site.url}/own/${number}`);
  await page.getByText("The invoice, please.").first().waitFor();
  await accessible(page, "documents are wanted");
  await picture(page, "own-documents-wanted");
  const invoice = { name: "invoice.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.4\n%%EOF\n") };
  await page.locator("#documents").setInputFiles(invoice);
  await page.locator("#note").fill("As asked.");
  await page.getByRole("button", { name: "Send the documents" }).click();
  await page.waitForURL(new RegExp(`/own/${number}`));
  assert.equal(await page.locator("#documents").count(), 0, "nothing is wanted any more");
  assert.deepEqual(faults, []);
  await page.close();
}

test("yellow: documents are asked for and sent, examined, and the result taken back before it has effect", async () => {
  const { page, faults } = await pageOf("oleg");
  await page.goto(place("yellow"));
  await page.getByRole("button", { name: "Take", exact: true }).click();
  await page.getByText("Ask for documents", { exact: true }).first().click();
  await page.getByLabel("Which documents").fill("The invoice, please.");
  await page.getByRole("button", { name: "Ask for documents" }).click();
  await page.getByText("Documents are waited for").waitFor();
  await picture(page, "case-yellow-waiting");
  await sendDocuments(found.get("yellow") ?? "");
  await page.reload();
  await happened(page, [/Documents asked for/, /Documents received/]);
  await page.getByText("Sent by the trader").waitFor();
  await picture(page, "case-yellow-received");
  await page.getByRole("link", { name: "Record the result" }).click();
  await page.getByLabel(/A1/).check();
  await page.getByRole("button", { name: "Record this result" }).click();
  await page.locator("[data-until]").waitFor();
  await accessible(page, "a case that is about to be released");
  await page.getByText("Take the result back", { exact: true }).first().click();
  await page.locator("#withdraw_result-why").fill("The wrong invoice.");
  await page.getByRole("button", { name: "Take the result back" }).click();
  await happened(page, [/Documents asked for/, /Result recorded/, /Release scheduled/, /Result taken back/]);
  assert.deepEqual(faults, []);
  await page.close();
});

test("red: from the queue by keyboard alone; what is wrong with the form is said at its field; a second officer is late", async () => {
  const { page, faults } = await pageOf("oleg");
  const { page: late, faults: theirs } = await pageOf("olga");
  await late.goto(place("red"));
  await page.goto(`${site.url}/queue?office=all&kind=physical`);
  const rows = page.locator("#tasks tbody tr");
  const number = found.get("red") ?? "";
  const at = (await rows.locator("a.reference").allTextContents()).findIndex((text) => text.trim() === number);
  assert.ok(at >= 0, "the red one waits in the queue");
  for (let step = 0; step <= at; step += 1) await page.keyboard.press("j");
  await page.keyboard.press("t");
  await page.locator(`#task-${number}`).getByText("oleg").waitFor();
  await late.getByText("This declaration has moved on").waitFor({ timeout: 15_000 });
  await late.getByRole("button", { name: "Take", exact: true }).click();
  await late.getByRole("heading", { name: "Somebody else was faster" }).waitFor();
  await accessible(late, "a conflict");
  await picture(late, "case-conflict");
  for (let step = 0; step <= at; step += 1) await page.keyboard.press("j");
  await page.keyboard.press("r");
  await page.waitForURL(/\/result$/);
  await accessible(page, "the form of a result");
  await page.getByLabel(/B1/).check();
  await page.locator("#recovered").fill("a lot");
  await page.locator("#found-1-commodity_code").fill("852872");
  await page.getByRole("button", { name: "Record this result" }).click();
  await page.locator("#recovered-error").waitFor();
  await accessible(page, "a result that must be mended");
  await picture(page, "result-mend");
  assert.equal(await page.locator("#found-1-commodity_code").inputValue(), "852872", "what was written stands");
  await page.locator("#recovered").fill("310.25");
  await page.locator("#evidence").setInputFiles({ name: "box.png", mimeType: "image/png", buffer: Buffer.from("89504e470d0a1a0a", "hex") });
  await page.getByRole("button", { name: "Record this result" }).click();
  await page.getByText("B1 · not as declared").waitFor();
  await page.getByText("misclassification").waitFor();
  await picture(page, "case-red-irregular");
  await page.getByText("Detain the goods", { exact: true }).first().click();
  await page.locator("#detain-legal_basis").fill("Customs Act, section 12");
  await page.locator("#detain-why").fill("Televisions, not telephones.");
  await page.getByRole("button", { name: "Detain the goods" }).click();
  await happened(page, [/Control ordered/, /Taken/, /Result recorded/, /Goods detained/]);
  // The browser notes the answers 409 and 422 that were asked for.
  assert.equal(theirs.filter((fault) => !/409/.test(fault)).length, 0, theirs.join());
  assert.equal(faults.filter((fault) => !/422/.test(fault)).length, 0, faults.join());
  await page.close();
  await late.close();
});

test("a view is saved, found again and forgotten; the list is exported as it is shown", async () => {
  const { page, faults } = await pageOf("oleg");
  await page.goto(`${site.url}/declarations?lane=red&sort=-value`);
  await page.locator("summary", { hasText: "Save this view" }).click();
  await page.getByLabel("Name of the view").fill("red, dear ones first");
  await page.getByRole("button", { name: "Save this view" }).click();
  await page.goto(`${site.url}/declarations`);
  await page.getByRole("link", { name: "red, dear ones first" }).click();
  await page.waitForURL(/lane=red/);
  const waiting = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export as CSV" }).click();
  const file = await (await waiting).createReadStream();
  let text = "";
  for await (const piece of file) text += piece;
  const lines = text.trim().split("\n");
  assert.ok(lines.length > 1 && lines.slice(1).every((line) => line.includes(",red,")), text.slice(0, 400));
  await page.getByRole("button", { name: /Forget/ }).click();
  assert.equal(await page.getByRole("link", { name: "red, dear ones first" }).count(), 0);
  assert.deepEqual(faults, []);
  await page.close();
});

test("an entry summary is found by an officer, read with its messages, and stopped; its trader sees that", async () => {
  const { page: own, faults: traders } = await pageOf("tess");
  await own.goto(`${site.url}/own/entry-summaries`);
  await own.getByRole("heading", { name: "No entry summaries yet" }).waitFor();
  const good = readFileSync(ENTRY_SUMMARY, "utf8");
  const bad = good.replace("<TotNumOfIteHEA305>1<", "<TotNumOfIteHEA305>2<").replace(">LRN-1<", ">LRN-BAD<");
  const statuses = await own.evaluate(async (bodies) => {
    const { csrf } = await (await fetch("/api/v1/session")).json();
    const headers = { "content-type": "application/xml", "x-csrf-token": csrf };
    const answers = [];
    for (const body of bodies) {
      answers.push(await fetch("/api/v1/entry-summaries", { method: "POST", headers, body }));
    }
    return answers.map((answer) => answer.status);
  }, [good, bad]);
  assert.deepEqual(statuses, [201, 422]);
  const { page, faults } = await pageOf("oleg");
  await page.goto(`${site.url}/entry-summaries`);
  await page.getByLabel("Search").last().fill("LRN");
  await page.getByLabel("State").selectOption("rejected");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("link", { name: "LRN-BAD" }).click();
  await page.getByText("8206").waitFor();
  await page.goto(`${site.url}/entry-summaries?sort=lrn`);
  await page.getByRole("link", { name: "LRN-1", exact: true }).click();
  await page.getByText("CC328A").waitFor();
  await page.locator("summary", { hasText: "Order an intervention" }).click();
  await page.getByLabel("Code (up to four characters)").fill("A002");
  await page.getByLabel("What is to be done").fill("Do not load the goods.");
  await page.getByRole("button", { name: "Order an intervention" }).click();
  await page.getByText("CC351A").waitFor();
  await own.goto(`${site.url}/own/entry-summaries?state=stopped`);
  await own.getByRole("link", { name: "LRN-1" }).click();
  await own.getByText("Do not load the goods.").waitFor();
  // The browser notes the answer to the one that was rejected.
  assert.deepEqual([...faults, ...traders.filter((fault) => !fault.includes("422"))], []);
  for (const look of looks) {
    for (const [watched, name] of /** @type {const} */ ([[page, "official"], [own, "own"]])) {
      await watched.setViewportSize({ width: look.width, height: look.height });
      await watched.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
      const list = name === "own" ? "/own/entry-summaries" : "/entry-summaries";
      await watched.reload();
      await accessible(watched, `entry summary, ${name}, ${look.name}`);
      await picture(watched, `entry-summary-${name}-${look.name}`);
      const one = watched.url();
      await watched.goto(`${site.url}${list}`);
      await accessible(watched, `entry summaries, ${name}, ${look.name}`);
      await picture(watched, `entry-summaries-${name}-${look.name}`);
      await watched.goto(one);
    }
  }
  await page.close();
  await own.close();
});

for (const look of looks) {
  test(`every page of an officer, ${look.name}`, { timeout: 120_000 }, async () => {
    const { page, faults } = await pageOf("oleg");
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
    const places = [
      ["declarations", `${site.url}/declarations?density=compact`],
      ["queue", `${site.url}/queue?office=all`],
      ...LANES.map((lane) => [`case-${lane}`, place(lane)]),
    ];
    for (const [name, address] of places) {
      const response = await page.goto(address ?? "");
      assert.equal(response?.status(), 200, name);
      await accessible(page, `${name}, ${look.name}`);
      await picture(page, `${name}-${look.name}`);
    }
    assert.deepEqual(faults, []);
    await page.close();
  });
}
