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

/**
 * Chairs that are declared before they are here.
 * @param {string} reference @param {string} party
 */
function lodgedEarly(reference, party) {
  return `<MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">
  <Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">
    <FunctionCode>9</FunctionCode>
    <FunctionalReferenceID>${reference}</FunctionalReferenceID>
    <TypeCode>IMD</TypeCode>
    <GoodsItemQuantity>1</GoodsItemQuantity>
    <DeclarationOfficeID>10</DeclarationOfficeID>
    <BorderTransportMeans><ModeCode>1</ModeCode></BorderTransportMeans>
    <Declarant><ID>${party}</ID></Declarant>
    <Exporter><ID>VN0001</ID></Exporter>
    <GoodsShipment>
      <ExportCountry><ID>VN</ID></ExportCountry>
      <GovernmentAgencyGoodsItem>
        <SequenceNumeric>1</SequenceNumeric>
        <CustomsValueAmount currencyID="EUR">12600.50</CustomsValueAmount>
        <Commodity>
          <Description>wooden kitchen chairs</Description>
          <Classification><ID>940161</ID></Classification>
          <GoodsMeasure><GrossMassMeasure>1200</GrossMassMeasure><NetNetWeightMeasure>1000</NetNetWeightMeasure></GoodsMeasure>
        </Commodity>
        <GovernmentProcedure><CurrentCode>40</CurrentCode><PreviousCode>00</PreviousCode></GovernmentProcedure>
        <Origin><CountryCode>VN</CountryCode></Origin>
      </GovernmentAgencyGoodsItem>
      <Importer><ID>${party}</ID></Importer>
    </GoodsShipment>
  </Declaration>
</MetaData>`;
}

/** That the goods are here. @param {string} reference @param {string} mrn */
function presentation(reference, mrn) {
  return `<MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"><Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">
  <FunctionCode>13</FunctionCode><FunctionalReferenceID>${reference}</FunctionalReferenceID><ID>${mrn}</ID><TypeCode>GPR</TypeCode>
</Declaration></MetaData>`;
}

/** @param {import("playwright-core").Page} page @param {string} text */
async function handIn(page, text) {
  await page.goto(`${site.url}/own/file`);
  await page.setInputFiles("#file", { name: "message.xml", mimeType: "application/xml", buffer: Buffer.from(text) });
  await page.click("main form button.primary");
}

for (const look of looks) {
  test(`a declaration that is lodged early is presented by a file, and its notifications are listed: ${look.name}`, async () => {
    const { name, colorScheme, ...viewport } = look;
    const { context, page, faults } = await signedIn("trader", { viewport, colorScheme });
    const session = await (await page.request.get(`${site.url}/api/v1/session`)).json();
    const reference = `EARLY-${name}`;
    await handIn(page, lodgedEarly(reference, session.party));
    await page.waitForURL(/\/own\/[^/]+\/receipt$/);
    const mrn = page.url().split("/").at(-2) ?? "";
    // The same answer as the house gives to a number that is nobody's.
    await handIn(page, presentation(`${reference}-0`, `${mrn}X`));
    await page.waitForURL(/\/own\/files$/);
    assert.match((await page.textContent(".notice.bad")) ?? "", /declaration_unknown/);
    faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes("404")));
    await handIn(page, presentation(`${reference}-1`, mrn));
    await page.waitForSelector(".notice.good");
    await accessible(page, `a message that was followed (${name})`);
    await picture(page, `own-file-${name}`);
    await page.click(`main a[href="/own/${mrn}"]`);
    await page.waitForURL(new RegExp(`/own/${mrn}$`));
    assert.equal(await page.textContent("h1"), reference);
    assert.match((await page.textContent(".notifications")) ?? "", /DMSRCV/);
    await page.locator(".timeline li", { hasText: /presented/i }).first().waitFor();
    await accessible(page, `notifications (${name})`);
    await picture(page, `own-notified-${name}`);
    assert.deepEqual(faults, []);
    await context.close();
  });
}

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
    for (const path of ["/own", "/own/new", "/own/check", "/own/file", row ?? "/own", `${row ?? ""}/receipt`, "/account", "/clients", "/webhooks", "/conformance", "/help"]) {
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
