/** Every command, and what happens when one fails. */
import * as vscode from "vscode";
import { COMMANDS, type Command, commandId } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import type { LogChannels } from "../log-channels.ts";
import { report, solve } from "../report-problem.ts";
import { openHar, showRequests } from "../requests/register-requests.ts";
import type { Row } from "../views/rows.ts";
import type { JoinedSession } from "../window-model.ts";
import { createConfig } from "./create.ts";
import { doctor, endOrphans, installCloudflared } from "./doctor.ts";
import { installLocalDns, undoSystemChanges, uninstallLocalDns } from "./local-dns.ts";
import { showLogs } from "./logs.ts";
import { Documents } from "./markdown-pages.ts";
import { type Manifest, showMenu } from "./menu.ts";
import { copyServiceUrl, copyUrl, openConfig, openService, openSession, revealInConfig } from "./open.ts";
import { registerOverrides } from "./override.ts";
import { routeAll, routeService, routeServiceTo, routeTo, toggleService } from "./route.ts";
import { openTerminal, runAndRoute, runService } from "./run-service.ts";
import { createIsolated, createPreview, deleteSession } from "./sessions.ts";
import { makeAccess, registerShare, shareSession } from "./share.ts";
import { cancelStart, restart, start, stop } from "./start-stop.ts";
import { explainRequest, showStatus } from "./status.ts";
import { setWorkerToken } from "./token.ts";
import type { WorkerCommandContext } from "./worker.ts";

export function registerCommands(
  context: vscode.ExtensionContext,
  linkup: Linkup,
  view: vscode.TreeView<Row>,
  channels: LogChannels,
  testRoute: () => Promise<void>,
): void {
  const documents = new Documents(context.extensionUri);
  const worker: WorkerCommandContext = {
    linkup,
    documents,
    secrets: context.secrets,
    root: context.extensionPath,
    version: String(context.extension.packageJSON.version),
  };
  const handlers: Record<Command, (row: Row | undefined, rows: readonly Row[]) => unknown> = {
    start: (row) => start(linkup, "tunneled", row),
    startPrivate: (row) => start(linkup, "tunneled", row, "private"),
    startIsolated: (row) => start(linkup, "isolated", row),
    stop: (row) => stop(linkup, row),
    restart: (row) => restart(linkup, row),
    cancelStart: (row) => cancelStart(linkup, row),
    routeService: (row) => routeService(linkup, row),
    routeAllLocal: (row) => routeAll(linkup, "local", row),
    routeAllRemote: (row) => routeAll(linkup, "remote", row),
    routeAllAuto: (row) => routeAll(linkup, "auto", row),
    routeServiceTo: (row, rows) => routeServiceTo(linkup, row, rows),
    routeToLocal: (row, rows) => routeTo(linkup, "local", row, rows),
    routeToRemote: (row, rows) => routeTo(linkup, "remote", row, rows),
    toggleService: (row) => toggleService(linkup, view, row),
    openSession: (row) => openSession(linkup, row),
    openUrl: (row) => openSession(linkup, row),
    openService: (row) => openService(row),
    copyServiceUrl: (row) => copyServiceUrl(row),
    revealInConfig: (row) => revealInConfig(linkup, row),
    openTerminal: (row) => openTerminal(linkup, row),
    runService: (row) => runService(linkup, context.workspaceState, row),
    runAndRouteService: (row) => runAndRoute(linkup, context.workspaceState, row),
    openConfig: (row) => openConfig(linkup, row),
    copyUrl: (row) => copyUrl(linkup, row),
    showMenu: () => showMenu(linkup, context.extension.packageJSON as Manifest),
    createPreview: (row) => createPreview(linkup, row),
    createIsolated: (row) => createIsolated(linkup, row),
    deleteSession: (row) => deleteSession(linkup, row),
    shareSession: (row) => shareSession(linkup, documents, row),
    makePrivate: (row) => makeAccess(linkup, "private", row),
    makePublic: (row) => makeAccess(linkup, "public", row),
    joinSession: async () => (await import("./join-session.ts")).joinSession(linkup),
    leaveSession: async (row) => (await import("./join-session.ts")).leaveSession(linkup, row),
    listSessions: async () => (await import("./worker-sessions.ts")).listSessions(linkup),
    doctor: () => doctor(linkup, documents),
    endOrphans: () => endOrphans(linkup),
    installCloudflared: () => installCloudflared(context.extensionPath),
    deployWorker: async () => (await import("./worker.ts")).deployWorker(worker),
    updateWorker: async () => (await import("./worker.ts")).deployWorker(worker),
    destroyWorker: async () => (await import("./worker.ts")).destroyWorker(worker),
    installLocalDns: (row) => installLocalDns(linkup, context.extensionPath, row),
    uninstallLocalDns: () => uninstallLocalDns(context.extensionPath),
    undoSystemChanges: () => undoSystemChanges(documents, context.extensionPath),
    showStatus: () => showStatus(linkup, documents),
    showLogs: (row) => showLogs(channels, row),
    showRequests: () => showRequests(),
    compareRequests: async (row) => {
      const { compare } = await import("../requests/request-actions.ts");
      await compare(linkup, sessionNameOf(row), {});
    },
    openHar: () => openHar(),
    checkPropagation: async (row) => {
      const { checkPropagation } = await import("./check-propagation.ts");
      await checkPropagation(linkup, documents, sessionNameOf(row));
    },
    explainRequest: (row) => explainRequest(linkup, documents, row),
    testRoute,
    createConfig: () => createConfig(linkup),
    confirmWorker: (row) => start(linkup, "tunneled", row),
    setWorkerToken: (row) => setWorkerToken(linkup, context.secrets, row),
    solve: (row) => row?.subject.is === "problem" && solve(row.subject.problem),
  };
  context.subscriptions.push(
    documents,
    registerOverrides(linkup, view),
    linkup.joined.onDidEnd((joined) => void showInviteEnd(linkup, joined)),
  );
  registerShare(context, linkup, documents);
  for (const command of COMMANDS) {
    // VS Code passes the row that was clicked, and all selected ones where it is among them.
    const run = async (row?: unknown, rows?: unknown) => {
      try {
        const clicked = isRow(row) ? row : undefined;
        const selected = Array.isArray(rows) ? rows.filter(isRow) : [];
        await handlers[command](clicked, selected.length > 0 ? selected : clicked ? [clicked] : []);
      } catch (error) {
        // Not awaited: the notification may stay open for long.
        void report(error, linkup);
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(commandId(command), run));
  }
}

async function showInviteEnd(linkup: Linkup, joined: JoinedSession): Promise<void> {
  try {
    await (await import("./join-session.ts")).showInviteEnd(linkup, joined);
  } catch (error) {
    void report(error, linkup);
  }
}

function sessionNameOf(row: Row | undefined): string | null {
  return row?.subject.is === "session" ? (row.subject.session.name ?? null) : null;
}

/** Keybindings and other extensions pass what they like. */
function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && "subject" in value;
}
