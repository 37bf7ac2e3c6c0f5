// Takes the pictures for the README.
//   node picture.mjs REPORT.html PICTURE.png
//   node picture.mjs http://localhost:8420/declarations/MRN PICTURE.png NAME PASSWORD    a page of a running demo
// The browser is the one of the tests: CHROMIUM_BIN, default /usr/bin/chromium.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [page, picture, name, password] = process.argv.slice(2);
if (page === undefined || picture === undefined) {
  console.error("node picture.mjs REPORT.html|URL PICTURE.png [NAME PASSWORD]");
  process.exit(2);
}
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium" });
try {
  const tab = await browser.newPage({
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  const address = /^https?:/.test(page) ? page : pathToFileURL(resolve(page)).href;
  await tab.goto(address, { waitUntil: "load" });
  if (name !== undefined && password !== undefined) {
    await tab.fill("#name", name);
    await tab.fill("#password", password);
    await tab.click("button.primary");
    await tab.goto(address, { waitUntil: "load" });
  }
  await tab.screenshot({ path: resolve(picture) });
} finally {
  await browser.close();
}
