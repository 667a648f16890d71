// Makes the README's pictures of linkup.yaml in the editor: diagnostics, completion, hover, code lens and the test of a
// route, in light, dark and high contrast, from the packaged extension in a real VS Code with the example system behind it.
// Run: node test/e2e/language-pictures.ts [light] [dark] [hc]
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench } from "./workbench.ts";

const images = join(root, "docs", "images");
const all = ["light", "dark", "hc"] as const;
const themes = all.filter((theme) => process.argv.length === 2 || process.argv.includes(theme));
const size = { width: 1000, height: 620 };

await mkdir(images, { recursive: true });
const shop = await Shop.start();
const config = withoutComments(await shop.config());
try {
  for (const theme of themes) await takePictures(theme);
} finally {
  await shop.stop();
}

/** Space and lists as in the example, without what explains them to its readers. */
function withoutComments(text: string): string {
  return text.replace(/^ *#.*\n/gm, "").replace(/\n{2,}/g, "\n");
}

async function takePictures(theme: (typeof all)[number]): Promise<void> {
  await writeFile(shop.configPath, config);
  const window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [shop.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    colorTheme: theme,
    size,
    settings: {
      "workbench.layoutControl.enabled": false,
      "workbench.activityBar.location": "hidden",
      "workbench.sideBar.location": "right",
      "breadcrumbs.enabled": false,
      "editor.stickyScroll.enabled": false,
      "files.autoSave": "off",
    },
  });
  const { page } = window;
  const picture = async (name: string) => {
    const path = join(images, `editor-${name}-${theme}.png`);
    await page.screenshot({ path, animations: "disabled" });
    console.log(`editor-${name}-${theme}.png`);
  };
  const shown = (what: string, selector: string) =>
    window.until(what, async () => (await page.locator(`${selector}:visible`).count()) > 0);
  /** Puts the cursor behind the first place of that text in the open file. */
  const cursorBehind = async (text: string, file = config) => {
    const lines = file.slice(0, file.indexOf(text) + text.length).split("\n");
    await window.press("ControlOrMeta+G");
    await window.quickInput(`:${lines.length},${lines.at(-1)!.length + 1}`);
  };
  try {
    await window.openFile("linkup.yaml");
    await window.command("View: Toggle Primary Side Bar Visibility");
    await window.command("Linkup: Start");
    await shown("the code lenses", ".codelens-decoration");
    await window.until("their health", async () =>
      (await page.locator(".codelens-decoration").first().textContent())?.includes("ms"),
    );
    await picture("code-lens");

    await cursorBehind("name: web");
    await window.command("Show or Focus Hover");
    await shown("the hover", ".monaco-hover .hover-contents");
    await picture("hover");
    await window.press("Escape");

    await window.command("Linkup: Test Route…");
    await shown("the first result", ".quick-input-message:has-text('→')");
    await page.keyboard.type("/auth/whoami");
    await window.until("the result", async () =>
      (await page.locator(".quick-input-message").textContent())?.includes("→ auth"),
    );
    await picture("test-route");
    await window.press("Escape");

    const route = "      - path: /api\n        service: ";
    const unfinished = config.replace("service: auth\n", `service: auth\n${route}\n`);
    await writeFile(shop.configPath, unfinished);
    await window.until("the unfinished route", async () => (await page.getByText("/api").count()) > 0);
    await cursorBehind(route, unfinished);
    const suggestions = page.locator(".suggest-widget .monaco-list-row:visible");
    const details = page.locator(".suggest-details-container:visible");
    for (const wanted of [suggestions, details])
      await window.until("the completions, with what they mean", async () => {
        if ((await wanted.count()) === 0) await window.press("ControlOrMeta+Space");
        await wanted.first().waitFor({ timeout: 2000 });
        return true;
      });
    await picture("completion");
    await window.press("Escape");

    const bad = config
      .replace("default_service: web", "default_service: wep")
      .replace("path: ^/auth/.*", "path: ^/auth/(.*")
      .replace("health:", "heath:");
    await writeFile(shop.configPath, bad);
    await shown("the squiggles", ".squiggly-error");
    await window.problems();
    // Not that of the line that was being completed.
    await window.toast(/"wep"/);
    await window.command("Notifications: Clear All Notifications");
    await cursorBehind("default_service: w");
    await window.command("Show or Focus Hover");
    await shown("the hover", ".monaco-hover .hover-contents");
    await picture("diagnostics");
  } finally {
    await window.stop();
  }
}
