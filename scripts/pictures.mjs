// Takes the README's pictures of the example's page in the running demo, before and after a toggle.
//   node scripts/run.mjs pictures      needs Chromium
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { CHROMIUM, CHROMIUM_FLAGS } from "../test/support/chromium.ts";

const root = resolve(import.meta.dirname, "..");
const images = join(root, "docs", "images");
mkdirSync(images, { recursive: true });

const demo = spawn(process.execPath, [join(root, "scripts/demo.mjs")], {
  stdio: ["ignore", "pipe", "inherit"],
});
const lines = createInterface({ input: demo.stdout });
let url;
let route;
for await (const line of lines) {
  url ??= /^ {4}(http:\S+)$/.exec(line)?.[1];
  route ??= /^ {4}(.*) route local api --session (\S+)$/.exec(line);
  if (line.startsWith("Ctrl-C")) break;
}
const [, command, session] = route;
/** The command as the demo prints it: variables first, then the program. */
function toggle(target, service) {
  const words = command.split(" ");
  const variables = Object.fromEntries(
    words.filter((word) => word.includes("=")).map((word) => word.split("=", 2)),
  );
  execFileSync(
    process.execPath,
    [join(root, "dist/cli.js"), "route", target, service, "--session", session],
    {
      env: { ...process.env, ...variables },
    },
  );
}

const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_FLAGS] });
try {
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({
      viewport: { width: 1180, height: 680 },
      colorScheme,
      reducedMotion: "reduce",
    });
    toggle("remote", "api");
    await page.goto(url);
    await shown(page, "remote");
    await page.screenshot({ path: join(images, `page-before-${colorScheme}.png`) });
    toggle("local", "api");
    await shown(page, "local");
    await page.screenshot({ path: join(images, `page-after-${colorScheme}.png`) });
    await page.close();
  }
} finally {
  await browser.close();
  demo.kill("SIGINT");
  lines.resume();
  await once(demo, "exit");
}

/** The page shows api's answers from this copy, and a few of its live messages. */
async function shown(page, copy) {
  await page.locator(`#api[data-copy="${copy}"]`).waitFor();
  await page.locator(`#live[data-copy="${copy}"]`).waitFor();
  await page.waitForFunction(() => Number(document.querySelector("#live .n")?.textContent) >= 5);
}
