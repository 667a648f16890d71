// Runs the Mocha suite of `suite/` inside the extension host of a real VS Code, against the extension as it
// is in this repository (build it first). Prints what the tests print.
import { cpSync, globSync, mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { newContext } from "./browser.ts";
import { root } from "./install.ts";
import { Server } from "./server.ts";
import { PREFIX } from "./suite/prefix.ts";

interface SuiteOptions {
  /** The folder with the extension's package.json. */
  extension: string;
  /** The folder with `*.test.ts`. */
  suite: string;
  /** Copied, and opened by VS Code: tests may change it. */
  workspace?: string;
  /** For the whole run, in ms. */
  timeout?: number;
}

/** @returns the exit code of the extension host: 0 only when all passed */
export async function runSuite(options: SuiteOptions): Promise<number> {
  const tests = await bundle(options.suite);
  const server = await Server.start({});
  try {
    const workspace = join(server.folder, "home", basename(options.workspace ?? "workspace"));
    mkdirSync(workspace);
    if (options.workspace) cpSync(options.workspace, workspace, { recursive: true });
    const remote = (path: string) => `vscode-remote://${new URL(server.url).host}${path}`;
    const payload = [
      ["extensionDevelopmentPath", remote(options.extension)],
      ["extensionTestsPath", remote(join(tests, "index.js"))],
    ];
    const query = new URLSearchParams({ folder: workspace, payload: JSON.stringify(payload) });
    return await inBrowser(server, `${server.url}/?${query}`, options.timeout ?? 300_000);
  } finally {
    await server.stop();
    await rm(tests, { recursive: true, force: true });
  }
}

/** Opens the page and resolves with the exit code that VS Code reports to it. */
async function inBrowser(server: Server, url: string, timeout: number): Promise<number> {
  const context = await newContext(server.folder, { width: 1200, height: 800 });
  try {
    const page = await context.newPage();
    // A VS Code that is not a development build runs no tests, unless its page says that it is driven.
    await page.route(`${server.url}/?*`, async (route) => {
      const response = await route.fetch();
      const options = "&quot;developmentOptions&quot;:{";
      const body = (await response.text()).replace(
        options,
        `${options}&quot;enableSmokeTestDriver&quot;:true,`,
      );
      await route.fulfill({ response, body });
    });
    const ended = new Promise<number>((done, fail) => {
      const limit = `The suite did not end within ${timeout / 1000} s.`;
      const timer = setTimeout(() => fail(new Error(`${limit}\n${server.logs()}`)), timeout);
      const exit = (code: number) => {
        clearTimeout(timer);
        done(code);
      };
      const exposed = [
        page.exposeFunction("codeAutomationLog", (_type: string, [line]: unknown[]) => print(line)),
        page.exposeFunction("codeAutomationExit", exit),
      ];
      Promise.all(exposed)
        .then(() => page.goto(url))
        .catch(fail);
    });
    return await ended;
  } finally {
    await context.browser()?.close();
  }
}

/** The suite's own lines; the workbench logs to the same console. */
function print(line: unknown): void {
  if (typeof line === "string" && line.startsWith(PREFIX)) console.log(line.slice(PREFIX.length));
}

/** Bundles each test file, and `index.ts` that runs them, as CommonJS below the repository, where `mocha` is found. */
export async function bundle(suite: string): Promise<string> {
  const outdir = join(root, "test-results", "vscode", `suite-${process.pid}`);
  await build({
    entryPoints: [join(import.meta.dirname, "suite", "index.ts"), ...globSync(join(suite, "*.test.ts"))],
    entryNames: "[name]",
    outdir,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node22",
    sourcemap: "inline",
    external: ["vscode", "mocha"],
    logLevel: "warning",
  });
  return outdir;
}
