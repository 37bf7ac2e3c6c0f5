// Colours and sizes stand in the tokens and nowhere else, so that a theme is one file.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const styles = fileURLToPath(new URL("../src/styles", import.meta.url));

test("no style sheet but the tokens states a colour or a size", () => {
  const files = readdirSync(styles, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".css") && file !== "tokens.css");
  assert.ok(files.length >= 4, String(files));
  for (const file of files) {
    readFileSync(join(styles, file), "utf8")
      .split("\n")
      // Breakpoints cannot be tokens, and the whole screen is no size of ours.
      .filter((line) => !line.includes("@media") && !/\b100v[hw]\b/.test(line))
      .forEach((line, at) => assert.doesNotMatch(line, /(?<![\w-])\d*\.?\d+(px|rem|em|pt|vh|vw)\b|#[0-9a-f]{3,8}\b|rgba?\(/, `${file}: line ${at + 1}`));
  }
});
