// Chromium, as the tests want it: no request of its own, and a user who has never been here.
import { type BrowserContext, chromium as playwright } from "playwright-core";
import { CHROMIUM_FLAGS, chromium } from "./install.ts";

/**
 * A new browser with one user in it. Close it by `context.browser().close()`.
 * @param mark put into the environment of its processes, by which the tests find what is left of them
 * @param flags more of Chromium's
 */
export async function newContext(
  mark: string,
  viewport: { width: number; height: number },
  flags: readonly string[] = [],
): Promise<BrowserContext> {
  const browser = await playwright.launch({
    executablePath: chromium(),
    // Root has no sandbox to give.
    args: [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), ...CHROMIUM_FLAGS, ...flags],
    env: { ...process.env, LINKUP_TEST_FOLDER: mark } as Record<string, string>,
  });
  return await browser.newContext({
    reducedMotion: "reduce",
    viewport,
    permissions: ["clipboard-read", "clipboard-write"],
    // code-server would compress the workbench anew for each user, which takes two seconds of a core.
    extraHTTPHeaders: { "accept-encoding": "identity" },
  });
}
