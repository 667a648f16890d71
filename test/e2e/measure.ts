// Measures what a user waits for, in a real VS Code with the example system: prints medians for docs/contribute/performance.md.
// Run after `npm run package`: node test/e2e/measure.ts [rounds]
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench } from "./workbench.ts";

const rounds = Number(process.argv[2] ?? 5);
const times: Record<string, number[]> = {};
const note = (what: string, ms: number) => {
  times[what] ??= [];
  times[what].push(ms);
};

const shop = await Shop.start();
try {
  for (let round = 0; round < rounds; round++) await measure();
} finally {
  await shop.stop();
}
for (const [what, all] of Object.entries(times)) {
  const sorted = all.toSorted((a, b) => a - b);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  console.log(
    `${what}: median ${ms(sorted[sorted.length >> 1]!)} (${ms(least)} to ${ms(most)}, ${all.length} rounds)`,
  );
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

async function measure(): Promise<void> {
  const window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [shop.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    // The list of running extensions has the slow ones first: all of it has to be in view.
    size: { width: 1200, height: 1600 },
  });
  try {
    await window.showView();
    note("activation", await activation(window));
    const status = async () => (await window.statusBar("session"))?.text ?? "";

    // From the click on Start to the URL that answers and the name that is shown.
    await window.button("Start");
    const start = performance.now();
    while (!/^\$\(link\) [a-z]+-[a-z]+$/.test(await status())) await sleep(5);
    note("Start to the session in the status bar", performance.now() - start);
    const name = (await status()).replace("$(link) ", "");

    for (const target of ["Local", "Remote"]) {
      const button = window.row("api").locator(`.actions a.action-label[aria-label^="Route to ${target}"]`);
      // Rows move while the session's own appear.
      await window.until("the button of the row", async () => {
        await window.row("api").hover();
        return button.isVisible();
      });
      const before = performance.now();
      const clicked = button.click();
      const wanted = `${target.toLowerCase()} api`;
      while ((await shop.ask(`${name}.api.shop.localhost`, "/api/whoami")).by !== wanted) await sleep(2);
      note("toggle click to the first request that follows", performance.now() - before);
      await clicked;
      while (!(await window.tree()).includes(`api  ${target.toLowerCase()} ·`)) await sleep(5);
      note("toggle click to the tree that shows it", performance.now() - before);
    }

    await window.command("Linkup: Stop");
    const stop = performance.now();
    while ((await status()) !== "$(link) Linkup") await sleep(5);
    note("Stop to the status bar that shows it", performance.now() - stop);
  } finally {
    await window.stop();
  }
}

/** As VS Code itself measures it: loading the code, and the call of `activate`. */
async function activation(window: Workbench): Promise<number> {
  const editor = window.page.locator(".runtime-extensions-editor");
  const row = editor.locator(".monaco-list-row", { hasText: "Linkup" }).first();
  const text = await window.until("the activation time", async () => {
    // While a window is still loading, a choice in the palette may come to nothing.
    if ((await editor.count()) === 0) await window.command("Developer: Show Running Extensions");
    await row.waitFor({ timeout: 5000 });
    return /Activation: (\d+)ms/.exec((await row.textContent()) ?? "");
  });
  await window.press("Escape");
  return Number(text[1]);
}
