// Makes the README's pictures of linkup.yaml in the editor: diagnostics, completion, hover, code lens and the test of a
// route, from the packaged extension in a real VS Code with the example system behind it.
// Run: node test/vscode/language-pictures.ts
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench } from "./workbench.ts";

const images = join(root, "docs", "images");
const size = { width: 1000, height: 620 };

await mkdir(images, { recursive: true });
const shop = await Shop.start();
const config = withoutComments(await shop.config());
await writeFile(shop.configPath, config);
const window = await Workbench.start({
  vsix: join(root, "linkup.vsix"),
  folders: [shop.folder],
  env: { LINKUP_WORKER_TOKEN: TOKEN },
  colorTheme: "light",
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

/** Space and lists as in the example, without what explains them to its readers. */
function withoutComments(text: string): string {
  return text.replace(/^ *#.*\n/gm, "").replace(/\n{2,}/g, "\n");
}

async function show(text: string): Promise<void> {
  await writeFile(shop.configPath, text);
  await window.openFile("linkup.yaml");
}

async function picture(name: string): Promise<void> {
  await page.screenshot({ path: join(images, `editor-${name}-light.png`), animations: "disabled" });
  console.log(`editor-${name}-light.png`);
}

const shown = (what: string, selector: string) =>
  window.until(what, async () => (await page.locator(`${selector}:visible`).count()) > 0);

/** Puts the cursor behind the first place of that text in the open file. */
async function cursorBehind(text: string): Promise<void> {
  const lines = config.slice(0, config.indexOf(text) + text.length).split("\n");
  await window.press("ControlOrMeta+G");
  await window.quickInput(`:${lines.length},${lines.at(-1)!.length + 1}`);
}

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

  await cursorBehind("service: auth");
  // Not by Enter, which would take a suggestion.
  await window.press("ControlOrMeta+Enter");
  await window.press("Shift+Tab");
  await page.keyboard.type("- path: /api");
  await window.press("ControlOrMeta+Enter");
  await page.keyboard.type("  service: ");
  await shown("the completions", ".suggest-widget .monaco-list-row");
  await window.press("ControlOrMeta+Space");
  await picture("completion");
  await window.press("Escape");
  await window.command("File: Revert File");

  await show(
    config
      .replace("default_service: web", "default_service: wep")
      .replace("path: ^/auth/.*", "path: ^/auth/(.*")
      .replace("health:", "heath:"),
  );
  await shown("the squiggles", ".squiggly-error");
  await window.problems();
  await cursorBehind("default_service: w");
  await window.command("Show or Focus Hover");
  await shown("the hover", ".monaco-hover .hover-contents");
  await picture("diagnostics");
} finally {
  await window.stop();
  await shop.stop();
}
