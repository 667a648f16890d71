// linkup.yaml in the editor of a real VS Code, as its user sees it: what is drawn, clicked and typed.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench } from "./workbench.ts";

let shop: Shop;
let window: Workbench;

afterEach(async () => {
  await window?.stop();
  await shop?.stop();
});

test("lenses that route, a route that is tested, a problem that is explained, a key that is completed", async () => {
  shop = await Shop.start();
  window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [shop.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    settings: { "files.autoSave": "off" },
  });
  const { page } = window;
  const texts = async (selector: string) =>
    (await page.locator(`${selector}:visible`).allInnerTexts()).map((text) =>
      text.replace(/\s+/g, " ").trim(),
    );
  const lenses = () => texts(".codelens-decoration");

  await window.openFile("linkup.yaml");
  expect(await lenses()).toEqual([]);
  await window.command("Linkup: Start");
  await window.until("the lens of a service", async () =>
    (await lenses())[0]?.match(/^remote · healthy, \d+ ms ?\| ?route local ?\| ?route to…$/),
  );
  await page.locator(".codelens-decoration a", { hasText: "route local" }).first().click();
  await window.until("the lens to follow", async () =>
    (await lenses())[0]?.match(/^local · healthy, \d+ ms ?\| ?route remote ?\| ?route to…$/),
  );
  const session = (await window.statusBar("session"))!.text.replace("$(link) ", "").split(" · ")[0];
  expect(await shop.ask(`${session}.shop.localhost`, "/")).toMatchObject({ by: "local web" });

  await window.command("Linkup: Test Route…");
  const result = page.locator(".quick-input-message");
  await window.until("the first result", async () =>
    (await result.textContent())?.includes("/ → web (local)"),
  );
  await page.keyboard.type("/auth/whoami");
  await window.until("the result", async () =>
    (await result.textContent())?.includes("/auth/whoami → auth (remote)"),
  );
  await page.keyboard.press("Enter");
  const marks = () => page.evaluate<string[]>(MARKS);
  await window.until("the marks", async () =>
    (await marks()).some((text) => text.includes("matches /auth/whoami")),
  );

  await window.typeText("");
  await window.press("ControlOrMeta+End");
  await window.typeText("  - dom");
  await window.until(
    "no marks after an edit",
    async () => !(await marks()).some((text) => /matches/.test(text)),
  );
  await window.until("the completion", async () =>
    (await texts(".suggest-widget .monaco-list-row")).some((text) => /^domain/.test(text)),
  );
  await window.press("Escape");

  await window.press("ControlOrMeta+Home");
  await window.typeText("xyz: 1\n");
  const unknown = 'Unknown key "xyz"';
  await window.until("the problem", async () =>
    (await window.problems()).some((text) => text.includes(unknown)),
  );
  await page.locator(".markers-panel a", { hasText: "unknown-key" }).click();
  await window.until(
    "the page of problems",
    async () => (await page.locator('.tab.active[aria-label^="problems.md"]').count()) > 0,
  );
  await window.until("its line", async () =>
    (await texts(".view-line")).some((text) => text.replaceAll("\u00a0", " ") === "### unknown-key"),
  );
  // On disk nothing has changed.
  expect(await readFile(shop.configPath, "utf8")).toBe(await shop.config());
});

test("folders with a linkup.yaml each: every file has its own services and problems", async () => {
  shop = await Shop.start();
  const config = await shop.config();
  const folders = ["alpha", "beta"].map((name) => join(shop.folder, name));
  for (const folder of folders) await mkdir(folder);
  await writeFile(join(folders[0]!, "linkup.yaml"), config.replaceAll("api", "billing"));
  await writeFile(
    join(folders[1]!, "linkup.yaml"),
    config.replace("default_service: web", "default_service: billing"),
  );
  window = await Workbench.start({ vsix: join(root, "linkup.vsix"), folders });
  for (const [name, count] of [
    ["alpha", 1],
    ["beta", 2],
  ] as const) {
    await window.press("ControlOrMeta+P");
    await window.page.locator(".quick-input-widget input.input").fill(`${name}/linkup.yaml`);
    // Not that of the other folder, which was open last.
    await window.until("the file", async () =>
      new RegExp(`^linkup\\.yaml ${name}\\b`).test((await window.quickPickItems())[0] ?? ""),
    );
    await window.press("Enter");
    await window.until(`${count} editors`, async () => (await window.page.locator(".tab").count()) === count);
  }
  await window.until("the problem", async () => (await window.problems()).length > 0);
  expect(await window.problems()).toEqual([
    // Of alpha's file, with the same services under other names, nothing.
    expect.stringContaining("1 problems in file linkup.yaml"),
    expect.stringContaining('There is no service "billing"'),
  ]);
});

/** What decorations write behind lines; evaluated in the page. */
const MARKS = `[...document.querySelectorAll(".view-line span")]
  .map((element) => getComputedStyle(element, "::after").content)
  .filter((content) => content !== "none")`;
