// Makes the pictures of the Requests view: light, dark and high contrast, wide and narrow. Needs the example's ports.
// Run: node test/e2e/requests-pictures.ts [light] [dark] [hc]
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./install.ts";
import { Shop, TOKEN } from "./shop.ts";
import { Workbench } from "./workbench.ts";

const images = join(root, "docs", "images");
const themes = (["light", "dark", "hc"] as const).filter(
  (theme) => process.argv.length === 2 || process.argv.includes(theme),
);
const WIDTHS = { wide: 1400, narrow: 700 };

await mkdir(images, { recursive: true });
const shop = await Shop.start("example");
try {
  for (const theme of themes) await takePictures(theme);
} finally {
  await shop.stop();
}

async function takePictures(theme: (typeof themes)[number]): Promise<void> {
  const window = await Workbench.start({
    vsix: join(root, "linkup.vsix"),
    folders: [shop.folder],
    env: { LINKUP_WORKER_TOKEN: TOKEN },
    colorTheme: theme,
    size: { width: WIDTHS.wide, height: 700 },
    settings: { "workbench.layoutControl.enabled": false },
  });
  const view = window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
  const row = (text: string) => view.locator(".row", { hasText: text });
  try {
    await window.showView();
    await window.command("Linkup: Start");
    await window.until("the session", async () => (await window.tree()).includes("of 3 local"), 60_000);
    await window.inlineAction("api", "Route to Local");
    await window.until("api to be local", async () => (await window.tree()).includes("1 of 3 local"));
    const host = new URL(/http:\S+/.exec(await window.tree())![0]).hostname;
    const api = host.replace(".", ".api.");
    await window.command("View: Close Primary Side Bar");
    await window.command("Linkup: Show Requests");
    await window.command("View: Toggle Maximized Panel");
    const headers = { "user-agent": "Mozilla/5.0 Firefox/145.0", cookie: "sid=4711" };
    await window.until("the Worker to report", async () => {
      await shop.ask(host, "/", headers);
      return (await row("remote").count()) > 0;
    });
    await view.getByText("Clear").click();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (const path of ["/", "/page.css", "/page.js", "/icon.svg"]) await shop.ask(host, path, headers);
    await shop.ask(api, "/health", { ...headers, origin: `http://${host}:${shop.workerPort}` });
    await shop.ask(host, "/auth/whoami", { ...headers, traceparent });
    await shop.ask(host, "/orders/17", headers);
    await shop.ask("api.shop.localhost", "/invoices", { traceparent, "user-agent": "billing/1.4" });
    await shop.ask(api, "/", { ...headers, traceparent });
    await row("lost the session").waitFor();
    await row(host.replace(".", ".api.")).last().click();
    await view.getByText("Worker and tunnel").waitFor();
    for (const [name, width] of Object.entries(WIDTHS)) {
      await window.page.setViewportSize({ width, height: 700 });
      await window.page.mouse.move(width - 4, 4);
      await window.until(
        "the width",
        async () =>
          (await view.locator("linkup-requests").evaluate((element) => element.clientWidth)) <= width,
      );
      await window.page.screenshot({
        path: join(images, `requests-${name}-${theme}.png`),
        animations: "disabled",
      });
      console.log(`requests-${name}-${theme}.png`);
    }
    await window.page.setViewportSize({ width: WIDTHS.wide, height: 700 });
    await window.command("Linkup: Stop");
  } finally {
    await window.stop();
  }
}
