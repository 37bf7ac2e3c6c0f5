// Builds what the binary embeds. Every file directly in `src/` (TypeScript) and in `src/styles/` (CSS) is an
// entry point and becomes one file of the same name in `dist/`; what they share stands in sub-folders. Names are
// stable, because pages refer to them by name and the binary states their hash.
//
//   node build.mjs           builds once, minified, and fails when a script is over its budget
//   node build.mjs --watch   builds again whenever a source changes

import { build, context } from "esbuild";
import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

/** Compressed JavaScript an ordinary page may load, in bytes, all its scripts together. */
const PAGE_BUDGET_BYTES = 150_000;
/** Compressed size of one island that is loaded only where it is used, in bytes. */
const ISLAND_BUDGET_BYTES = 250_000;

/** The scripts of islands that are loaded only where they are used. */
const islands = new Set(["report.js", "plan.js", "draft.js", "verify.js"]);

/** Files of other people's packages that are served as they are: a script, and the licences of what is bundled. */
const copied = [
  { from: "node_modules/htmx.org/dist/htmx.min.js", to: "htmx.min.js" },
  { from: "node_modules/htmx.org/LICENSE", to: "licences/htmx.txt" },
];

/**
 * The entry points directly in a folder, none where the folder is missing.
 * @param {string} folder
 * @param {string} extension
 */
async function entriesOf(folder, extension) {
  const path = join(here, folder);
  const files = await readdir(path, { withFileTypes: true }).catch(() => []);
  return files
    .filter((file) => file.isFile() && extname(file.name) === extension && !file.name.endsWith(".d.ts"))
    .map((file) => join(path, file.name))
    .sort();
}

/** @param {boolean} minify @returns {Promise<import("esbuild").BuildOptions>} */
async function options(minify) {
  return {
    absWorkingDir: here,
    entryPoints: [...(await entriesOf("src", ".ts")), ...(await entriesOf("src/styles", ".css"))],
    entryNames: "[name]",
    outdir: dist,
    bundle: true,
    minify,
    // One classic script a file: it also works inside a report that is opened from a disk.
    format: "iife",
    target: ["es2022", "chrome105", "firefox110", "safari16"],
    charset: "utf8",
    legalComments: "external",
    loader: { ".svg": "dataurl", ".woff2": "dataurl" },
    logLevel: "info",
  };
}

async function copyFixed() {
  for (const { from, to } of copied) await cp(join(here, from), join(dist, to));
  await cp(join(here, "static"), dist, { recursive: true }).catch((error) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** Prints what each script weighs compressed; throws where a page or an island is over its budget. */
async function weigh() {
  let page = 0;
  for (const name of (await readdir(dist)).sort()) {
    if (extname(name) !== ".js") continue;
    const bytes = gzipSync(await readFile(join(dist, name)), { level: 9 }).length;
    console.log(`${name.padEnd(20)} ${(bytes / 1000).toFixed(1).padStart(7)} kB compressed`);
    if (!islands.has(name)) page += bytes;
    else if (bytes > ISLAND_BUDGET_BYTES) throw new Error(`${name} weighs ${bytes} bytes, its budget is ${ISLAND_BUDGET_BYTES}`);
  }
  if (page > PAGE_BUDGET_BYTES) throw new Error(`a page loads ${page} bytes of script, its budget is ${PAGE_BUDGET_BYTES}`);
}

const watching = process.argv.includes("--watch");
await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await copyFixed();
if (watching) {
  await (await context(await options(false))).watch();
} else {
  await build(await options(true));
  await weigh();
}
