// A running binary with a data folder of its own, and a browser that forgives nothing: an error on the console, a
// breach of the content security policy or a failed request fails the test.

import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Where screenshots go. */
export const shots = process.env["TIDEWAITER_SHOTS"] ?? fileURLToPath(new URL("../../test-results", import.meta.url));

/** The binary under test. */
export function binary() {
  const path = process.env["TIDEWAITER_BIN"];
  if (!path) throw new Error("TIDEWAITER_BIN must name the tidewaiter binary; `cargo xtask test` sets it");
  return path;
}

/** A folder that goes when the tests do. */
export function scratch() {
  const path = mkdtempSync(join(tmpdir(), "tidewaiter-ui-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Runs a command of the binary to its end. @param {string[]} args */
export function run(...args) {
  return execFileSync(binary(), ["--quiet", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/**
 * Starts the binary on a free port and answers once it says where it listens.
 * @param {string} data the data folder
 */
export function serve(data) {
  return started(["serve", "--data", data], 60_000);
}

/**
 * Starts a simulated country in a sandbox on a free port and answers once it is served.
 * @param {string} data the data folder
 * @param {string} declarations how many its history has
 * @param {string} password of everybody in it
 */
export function demo(data, declarations, password) {
  return started(["--quiet", "demo", "--data", data, "--declarations", declarations, "--password", password], 180_000);
}

/**
 * @param {string[]} command
 * @param {number} patience in milliseconds
 * @returns {Promise<{ url: string, setUp: string | undefined, stop: () => Promise<void> }>}
 */
async function started(command, patience) {
  const child = spawn(binary(), [...command, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const ended = new Promise((resolve) => child.on("exit", resolve));
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the binary did not start in ${patience / 1000} s:\n${said}`)), patience);
    /** @param {Buffer} text */
    const listen = (text) => {
      said += text.toString();
      if (/Serving on http:\/\/127\.0\.0\.1:\d+/.test(said)) setTimeout(resolve, 100);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.on("exit", (code) => reject(new Error(`the binary ended with ${code}:\n${said}`)));
    child.on("spawn", () => timer.unref());
  });
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? "";
  return {
    url,
    setUp: /http:\/\/\S+\/set-up\?token=\w+/.exec(said)?.[0],
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** A browser for all tests of a file. */
export function browser() {
  return chromium.launch({ executablePath: process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium" });
}

/** @typedef {{ name: string, width: number, height: number, colorScheme: "light" | "dark" }} Look */

/** The sizes and themes in which every page is looked at. @type {Look[]} */
export const looks = [
  { name: "wide-light", width: 1440, height: 900, colorScheme: "light" },
  { name: "wide-dark", width: 1440, height: 900, colorScheme: "dark" },
  { name: "phone-light", width: 390, height: 844, colorScheme: "light" },
  { name: "phone-dark", width: 390, height: 844, colorScheme: "dark" },
];

/**
 * A page that notes whatever goes wrong in it.
 * @param {import("playwright-core").BrowserContext} context
 */
export async function watchedPage(context) {
  const page = await context.newPage();
  /** @type {string[]} */
  const faults = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    // A request that a newer one replaces, or that a page left behind, did not fail.
    if (reason !== "net::ERR_ABORTED") faults.push(`${request.url()}: ${reason}`);
  });
  return { page, faults };
}

/**
 * No violation of WCAG 2.2 AA and axe's good practice, and nothing wider than the screen.
 * @param {import("playwright-core").Page} page
 * @param {string} where
 */
export async function accessible(page, where) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const options = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
    // @ts-expect-error axe is there since the line above
    const result = await window.axe.run(document, options);
    return result.violations.map((/** @type {any} */ violation) => ({
      rule: violation.id,
      nodes: violation.nodes.slice(0, 3).map((/** @type {any} */ node) => `${node.html.slice(0, 160)} | ${node.failureSummary}`),
    }));
  });
  assert.deepEqual(violations, [], `accessibility of ${where}`);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wider <= 1, `${where} is ${wider} px wider than the screen`);
}

/**
 * A picture of a page, whole. Carets stay: hiding them writes styles into the fields, and htmx, swapping a page that
 * refreshes itself at that moment, would carry them over as attributes that the content security policy refuses.
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
export async function picture(page, name) {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true, caret: "initial" });
}
