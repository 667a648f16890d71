/**
 * Runs a service on this machine: its command as a task of VS Code, in its directory. Only in trusted workspaces, and
 * never before the user has seen the command: the author of linkup.yaml has chosen it.
 */
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import { LinkupError } from "../../manager/model/problem.ts";
import type { ServiceView, SessionView } from "../../manager/model/snapshot.ts";
import type { Linkup } from "../linkup.ts";
import type { Row } from "../views/rows.ts";
import { waitForAnswer } from "../waiting.ts";
import { type ConfiguredService, hostOf } from "../window-model.ts";
import { t } from "../words.ts";
import { route } from "./route.ts";
import { requireTrust } from "./start-stop.ts";

const TASK_TYPE = "linkup-service";
const POLL_MS = 200;
const CONNECT_TIMEOUT_MS = 1_000;

interface OwnService {
  configPath: string;
  session: SessionView;
  view: ServiceView;
  configured: ConfiguredService;
}

/** A terminal in the service's directory. */
export async function openTerminal(linkup: Linkup, row?: Row): Promise<void> {
  const service = ownService(linkup, row);
  if (!service || !(await requireTrust())) return;
  const cwd = await folderOf(service);
  if (cwd !== undefined) vscode.window.createTerminal({ name: service.view.name, cwd }).show();
}

export async function runService(linkup: Linkup, memory: vscode.Memento, row?: Row): Promise<void> {
  const service = ownService(linkup, row);
  if (service) await run(service, memory);
}

/** Routes the service here once it listens, whether it was running already or is started. */
export async function runAndRoute(linkup: Linkup, memory: vscode.Memento, row?: Row): Promise<void> {
  const service = ownService(linkup, row);
  if (!service) return;
  const { session, view } = service;
  const looked = t("Checking whether {0} listens on {1}", view.name, hostOf(view.local));
  const isListening = await waitForAnswer(looked, () => listens(view.local));
  if (isListening === undefined) return;
  if (!isListening) {
    const execution = await run(service, memory);
    if (!execution || !(await untilItListens(view, execution))) return;
  }
  await route(linkup, session, [view.name], "local");
}

/** Undefined unless the row is of a service in a linkup.yaml of this workspace. */
function ownService({ model }: Linkup, row: Row | undefined): OwnService | undefined {
  if (row?.subject.is !== "service") return undefined;
  const { session, service: view } = row.subject;
  const config = model.configs.find(({ path }) => path === session.configPath);
  const configured = config?.services.find(({ name }) => name === view.name);
  return config && configured && { configPath: config.path, session, view, configured };
}

/** Undefined when the user cancelled. */
async function folderOf({ configPath, configured }: OwnService): Promise<string | undefined> {
  const root = dirname(configPath);
  if (configured.directory !== undefined) return join(root, configured.directory);
  const { findServices } = await import("../../manager/discovery/find-services.ts");
  const services = await waitForAnswer(t("Looking for services"), () => findServices(root));
  const found = services?.find(({ local }) => hostOf(local) === hostOf(configured.local));
  return services && join(root, found?.directory ?? "");
}

/** Starts the task unless it runs already. Undefined when the user refused or cancelled. */
async function run(service: OwnService, memory: vscode.Memento): Promise<vscode.TaskExecution | undefined> {
  if (!(await requireTrust())) return undefined;
  const { configPath, configured, view } = service;
  const definition = { type: TASK_TYPE, config: configPath, service: view.name };
  const running = vscode.tasks.taskExecutions.find(
    ({ task }) => JSON.stringify(task.definition) === JSON.stringify(definition),
  );
  if (running) return running;
  const cwd = await folderOf(service);
  if (cwd === undefined) return undefined;
  const command = configured.run ?? (await scriptIn(cwd));
  if (command === undefined)
    throw new LinkupError(
      "run-failed",
      t(
        "No command is known that starts the service {0}. Add a run command in linkup.yaml, or a development script to the package.json in its folder.",
        view.name,
      ),
      [{ command: "openConfig", title: t("Open linkup.yaml") }],
    );
  if (!(await isAgreed(view.name, command, cwd, `run:${configPath}:${view.name}`, memory))) return undefined;
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(configPath));
  const shell = new vscode.ShellExecution(command, { cwd });
  const task = new vscode.Task(
    definition,
    folder ?? vscode.TaskScope.Workspace,
    view.name,
    "linkup",
    shell,
    [],
  );
  task.isBackground = true;
  task.presentationOptions = { panel: vscode.TaskPanelKind.Dedicated, echo: true };
  return await vscode.tasks.executeTask(task);
}

async function scriptIn(folder: string): Promise<string | undefined> {
  const { devScript } = await import("../../manager/discovery/find-services.ts");
  return await devScript(folder);
}

/** Shows a command before it is run for the first time, and again when it has changed. */
async function isAgreed(
  service: string,
  command: string,
  cwd: string,
  key: string,
  memory: vscode.Memento,
): Promise<boolean> {
  const shown = `${command}\n${cwd}`;
  if (memory.get(key) === shown) return true;
  const yes = t("Run");
  const detail = t("{0}\n\nin {1}", command, cwd);
  const question = t("Run this command for the service {0}?", service);
  if ((await vscode.window.showInformationMessage(question, { modal: true, detail }, yes)) !== yes)
    return false;
  await memory.update(key, shown);
  return true;
}

/** False when the user cancelled the wait. Rejects when the command ends before. */
async function untilItListens(
  { name, local }: ServiceView,
  execution: vscode.TaskExecution,
): Promise<boolean> {
  let ended = false;
  const watching = vscode.tasks.onDidEndTask((event) => {
    ended ||= event.execution === execution;
  });
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: t("Waiting until {0} listens on {1}", name, hostOf(local)),
    cancellable: true,
  };
  try {
    return await vscode.window.withProgress(options, async (_, cancelled) => {
      while (!(await listens(local))) {
        if (cancelled.isCancellationRequested) return false;
        if (ended)
          throw new LinkupError(
            "run-failed",
            t("The command of the service {0} ended before it listened on {1}.", name, hostOf(local)),
          );
        await sleep(POLL_MS);
      }
      return true;
    });
  } finally {
    watching.dispose();
  }
}

/** True when something accepts connections at this URL's address. */
async function listens(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  return await new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) || (protocol === "https:" ? 443 : 80) });
    const settle = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => settle(false));
    socket.once("connect", () => settle(true)).once("error", () => settle(false));
  });
}
