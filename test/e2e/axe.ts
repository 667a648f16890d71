// What axe-core finds wrong with a page of ours, or with a frame of VS Code's that shows one.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Frame, Page } from "playwright-core";
import { root } from "./install.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

/**
 * One line each: the rule, the element, and why. Our pages allow no script: axe is put in from outside.
 * @param off rules that do not apply
 */
export async function axeViolations(shown: Frame | Page, off: readonly string[] = []): Promise<string[]> {
  await shown.evaluate(axe);
  const rules = Object.fromEntries(off.map((rule) => [rule, { enabled: false }]));
  const violations = await shown.evaluate<Violation[]>(
    `axe.run(${JSON.stringify({ rules })}).then(({ violations }) => violations)`,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`.replaceAll(/\s+/g, " ")),
  );
}

/** In both color schemes of a web page, which is left in the light one. */
export async function axeViolationsOfSchemes(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    found.push(...(await axeViolations(page)).map((violation) => `${colorScheme} ${violation}`));
  }
  return found;
}

/** Of a document of ours in VS Code. Its frame runs no script, not even a tester's: a copy in a page of its own is looked at. */
export async function axeViolationsOfDocument(frame: Frame): Promise<string[]> {
  const css = readFileSync(join(root, "media", "document.css"), "utf8");
  const html = (await frame.content())
    .replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "")
    .replace(/<link rel="stylesheet"[^>]*document\.css"[^>]*>/, () => `<style>${css}</style>`);
  const copy = await frame.page().context().newPage();
  try {
    await copy.setContent(html);
    return await axeViolations(copy);
  } finally {
    await copy.close();
  }
}
