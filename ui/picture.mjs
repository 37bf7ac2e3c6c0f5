// Takes the picture of a report for the README: node picture.mjs REPORT.html PICTURE.png
// The browser is the one of the tests: CHROMIUM_BIN, default /usr/bin/chromium.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [report, picture] = process.argv.slice(2);
if (report === undefined || picture === undefined) {
  console.error("node picture.mjs REPORT.html PICTURE.png");
  process.exit(2);
}
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium" });
try {
  const page = await browser.newPage({
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  await page.goto(pathToFileURL(resolve(report)).href, { waitUntil: "load" });
  await page.screenshot({ path: resolve(picture) });
} finally {
  await browser.close();
}
