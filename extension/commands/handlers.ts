/** What each command does. Read when the first one is run. */
import type * as vscode from "vscode";
import type { Command } from "../ids.ts";
import type { Linkup } from "../linkup.ts";
import type { LogChannels } from "../log-channels.ts";
import { solve } from "../report-problem.ts";
import { openHar, showRequests } from "../requests/register-requests.ts";
import type { Row } from "../views/rows.ts";
import { createConfig } from "./create.ts";
import { doctor, endOrphans, installCloudflared } from "./doctor.ts";
import { installLocalDns, undoSystemChanges, uninstallLocalDns } from "./local-dns.ts";
import { showLogs } from "./logs.ts";
import { Documents } from "./markdown-pages.ts";
import { type Manifest, showMenu } from "./menu.ts";
import { copyServiceUrl, copyUrl, openConfig, openService, openSession, revealInConfig } from "./open.ts";
import { routeAll, routeService, routeServiceTo, routeTo, toggleService } from "./route.ts";
import { openTerminal, runAndRoute, runService } from "./run-service.ts";
import { createIsolated, createPreview, deleteSession } from "./sessions.ts";
import { makeAccess, registerShare, shareSession } from "./share.ts";
import { cancelStart, restart, start, stop } from "./start-stop.ts";
import { explainRequest, showStatus } from "./status.ts";
import { setWorkerToken } from "./token.ts";
import type { WorkerCommandContext } from "./worker.ts";

export type Handlers = Record<Command, (row: Row | undefined, rows: readonly Row[]) => unknown>;

export interface CommandContext {
  context: vscode.ExtensionContext;
  linkup: Linkup;
  view: vscode.TreeView<Row>;
  channels: LogChannels;
  testRoute: () => Promise<void>;
}

/** Also registers the commands of the pages that these commands show. */
export function createHandlers({ context, linkup, view, channels, testRoute }: CommandContext): Handlers {
  const documents = new Documents(context.extensionUri);
  const worker: WorkerCommandContext = {
    linkup,
    documents,
    secrets: context.secrets,
    root: context.extensionPath,
    version: String(context.extension.packageJSON.version),
  };
  context.subscriptions.push(documents);
  registerShare(context, linkup, documents);
  return {
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
}

function sessionNameOf(row: Row | undefined): string | null {
  return row?.subject.is === "session" ? (row.subject.session.name ?? null) : null;
}
