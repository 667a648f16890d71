import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import type { Row } from "../../../extension/views/rows.ts";
import { configFile, editor, openWindow, SESSION } from "../../support/extension-window.ts";
import { endTasks } from "../../support/vscode.ts";

const root = mkdtempSync(join(tmpdir(), "linkup-run-service-"));
afterAll(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, "web"));
writeFileSync(join(root, "pnpm-lock.yaml"), "");
writeFileSync(join(root, "web", "package.json"), JSON.stringify({ scripts: { start: "x", dev: "y" } }));
const file = join(root, "linkup.yaml");

async function listening(): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return server;
}

async function freePort(): Promise<number> {
  const server = await listening();
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A window whose service `web` has this command and port. */
function windowWith(port: number, run?: string) {
  const local = `http://127.0.0.1:${port}`;
  const configured = { name: "web", remote: "https://web.example.com", local, ...(run ? { run } : {}) };
  const session = { ...SESSION, configPath: file, services: [{ ...SESSION.services[0]!, local }] };
  const window = openWindow({
    snapshot: { sessions: [session], components: [], problems: [] },
    configs: [configFile(file, { services: [{ ...configured, directory: "./web" }] })],
  });
  const row = { subject: { is: "service", session, service: session.services[0]! } } as unknown as Row;
  return { ...window, row };
}
const commands = () =>
  editor.tasks.map((task) => {
    const { execution } = task as { execution: { commandLine: string; options: { cwd: string } } };
    return [execution.commandLine, execution.options.cwd];
  });

test("a command is shown before it runs, once until it changes, and runs once at a time", async () => {
  const port = await freePort();
  const { run, row } = windowWith(port, "make web");
  await run("runService", row);
  expect(editor.shown).toMatchObject([{ text: "Run this command for the service web?" }]);
  expect(editor.shown[0]!.detail).toBe(`make web\n\nin ${join(root, "web")}`);
  expect(commands()).toEqual([]);
  editor.answers.push("Run");
  await run("runService", row);
  await run("runService", row);
  expect(commands()).toEqual([["make web", join(root, "web")]]);
  endTasks();
  await run("runService", row);
  expect(commands()).toHaveLength(2);
  expect(editor.shown).toHaveLength(2);
});

test("without a command of its own, the development script of its folder runs", async () => {
  const { run, row } = windowWith(await freePort());
  editor.answers.push("Run");
  await run("runService", row);
  expect(commands()).toEqual([["pnpm run dev", join(root, "web")]]);
});

test("in Restricted Mode nothing runs and nothing is asked but for trust", async () => {
  const { run, row } = windowWith(await freePort(), "rm -rf /");
  editor.trusted = false;
  await run("runService", row);
  await run("runAndRouteService", row);
  await run("openTerminal", row);
  expect([editor.tasks, editor.terminals]).toEqual([[], []]);
});

test("Run and Route to Local waits until the service listens", async () => {
  const server = await listening();
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const { run, row, asked } = windowWith(port, "make web");
  editor.answers.push("Run");
  const routed = run("runAndRouteService", row);
  await expect.poll(() => editor.titles).toEqual([`Waiting until web listens on 127.0.0.1:${port}`]);
  expect(asked).toEqual([]);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await routed;
  expect(asked).toEqual(['route {"name":"slim-gecko"} ["web"] "local"']);
});

test("a service that listens already is routed, and not started again", async () => {
  const { port } = (await listening()).address() as AddressInfo;
  const { run, row, asked } = windowWith(port, "make web");
  await run("runAndRouteService", row);
  expect([editor.tasks.length, asked.length]).toEqual([0, 1]);
});

test("a command that ends before the service listens is told, and nothing is routed", async () => {
  const { run, row, asked } = windowWith(await freePort(), "make web");
  editor.answers.push("Run");
  const routed = run("runAndRouteService", row);
  await expect.poll(() => editor.titles.length).toBe(1);
  endTasks();
  await routed;
  await expect.poll(() => editor.shown.at(-1)?.text).toMatch(/^The command of the service web ended before/);
  expect(asked).toEqual([]);
});

test("a terminal opens in the service's directory", async () => {
  const { run, row } = windowWith(await freePort());
  await run("openTerminal", row);
  expect(editor.terminals).toMatchObject([{ options: { name: "web", cwd: join(root, "web") } }]);
});
