/** `linkup start` */
import type { SessionAccess } from "../../core/session/session-document.ts";
import { ConfigError } from "../../manager/files/config-file.ts";
import type { Manager } from "../../manager/manager.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import { addressOf, type SessionView, type Snapshot } from "../../manager/model/snapshot.ts";
import { confirmed, confirmWorker } from "../confirm.ts";
import { needConfig, newManager } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { failureText } from "../print/failure.ts";
import { coloured, print, printNote, printResult } from "../print/output.ts";
import { spin } from "../print/spinner.ts";
import { sessionText } from "../print/status.ts";
import { accessOption } from "./share.ts";

interface Options {
  config?: string;
  isolated?: boolean;
  name?: string;
  access?: SessionAccess;
  private?: boolean;
  public?: boolean;
  detach?: boolean;
  foreground?: boolean;
  json?: boolean;
  yes?: boolean;
}

export async function start(options: Options): Promise<void> {
  if (options.detach && options.foreground)
    throw new UsageError("Use either --detach or --foreground, not both.");
  if (options.private && options.public) throw new UsageError("Use either --private or --public, not both.");
  const access = accessOption(options) ?? options.access;
  if (options.isolated && access !== undefined)
    throw new UsageError("An isolated session is on this machine only: it has no --access.");
  const file = needConfig(options.config);
  // Scripts and CI wait for the end of the command, and have nobody to press Ctrl-C.
  const onTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const detach = options.detach ?? (!options.foreground && !onTerminal);
  const manager = newManager({ keep: detach });
  if (!options.isolated) await confirmWorker(manager, file, options);
  const interrupted = abortOnSignal();
  const configPath = await manager.knownPath(file);
  const request = {
    configPath,
    kind: options.isolated ? ("isolated" as const) : ("tunneled" as const),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(access === undefined ? {} : { access }),
  };
  if (options.isolated && !options.yes && !(await mayEndPublicUrl(manager, configPath))) return;
  const existing = await manager.existingSession(request);
  if (existing)
    printNote(
      `Note: Continuing the session ${existing.name} of the existing Linkup, with its name and targets.\n`,
    );
  const begin = () => spin("Starting", manager.start(request, interrupted));

  if (detach) {
    await printStarted(manager, await begin(), options);
    if (!options.detach) printNote("The session runs until linkup stop.\n");
    return;
  }
  let begun = false;
  let printed = false;
  const stopped = new AbortController();
  manager.onDidChange((snapshot) => {
    if (!begun) return;
    const session = ownSession(snapshot, configPath);
    if (!session) stopped.abort();
    else if (!printed && session.state === "running") {
      printed = true;
      void printStarted(manager, session, options);
    }
  });
  const beginAndPrint = async () => {
    try {
      const session = await begin();
      printed = true;
      await printStarted(manager, session, options);
    } finally {
      begun = true;
    }
  };
  await stay(manager, configPath, beginAndPrint, AbortSignal.any([interrupted, stopped.signal]));
  await manager.stop({ configPath }).catch(unlessStopped);
  await manager.dispose();
}

/** Asks before an isolated session takes the place of one that others may be using. */
async function mayEndPublicUrl(manager: Manager, configPath: string): Promise<boolean> {
  const running = ownSession(await manager.look(), configPath);
  if (running?.kind !== "tunneled" || (running.state !== "running" && running.state !== "starting"))
    return true;
  const question = `${running.name ?? "The session"} is running, and its public URL would stop working for everyone (beside it: linkup sessions create-isolated NAME). Replace it?`;
  return await confirmed(question);
}

/**
 * Aborts at the first signal. The handlers are removed then, so that a second signal ends the process whatever it does: the
 * keeper or the next command cleans up.
 */
function abortOnSignal(): AbortSignal {
  const interrupted = new AbortController();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const abort = () => {
    for (const signal of signals) process.off(signal, abort);
    interrupted.abort();
  };
  for (const signal of signals) process.on(signal, abort);
  return interrupted.signal;
}

async function printStarted(manager: Manager, session: SessionView, { json }: Options): Promise<void> {
  for (const { code, message } of manager.snapshot.problems) {
    if (code === "no-local-dns") printNote(`Note: ${message} To fix it, run: linkup local-dns install\n`);
    if (code === "env-file-unwritable" || code === "env-file-refused") printNote(`Note: ${message}\n`);
  }
  printResult(json, startedJson(session), () => sessionText(session));
  const [url] = session.urls;
  // Where nobody clicks, a link that is good once and for a minute only is of no use.
  if (json || session.access !== "private" || url === undefined || !process.stdout.isTTY) return;
  const link = await manager.ownerUrl(url).catch(() => undefined);
  if (link !== undefined && link !== url)
    print(`This link gives your browser access, once and within a minute:\n  ${coloured("cyan", link)}\n`);
}

/** Serves until `ended` aborts: by Ctrl-C, or because the session was stopped by another program. */
async function stay(
  manager: Manager,
  configPath: string,
  begin: () => Promise<void>,
  ended: AbortSignal,
): Promise<void> {
  manager.watch();
  try {
    await begin();
  } catch (error) {
    if (ended.aborted) return;
    if (!isTransient(error)) {
      // A session that ran before this command stays.
      if (ownSession(await manager.look(), configPath)?.state === "failed")
        await manager.stop({ configPath }).catch(unlessStopped);
      await manager.dispose();
      throw error;
    }
    printNote(failureText(error, false));
    printNote("Retrying until the Worker answers. Press Ctrl-C to give up.\n");
  }
  printNote("Press Ctrl-C to stop the session. To keep it running instead: linkup start --detach\n");
  if (!ended.aborted)
    await new Promise((resolve) => ended.addEventListener("abort", resolve, { once: true }));
}

/** The file's own session, not one of those beside it. */
function ownSession({ sessions }: Snapshot, configPath: string): SessionView | undefined {
  return sessions.find((session) => session.configPath === configPath && !session.secondary);
}

/** True when a retry may succeed. */
function isTransient(error: unknown): boolean {
  return (
    error instanceof LinkupError &&
    error.problem.code === "worker-unreachable" &&
    !(error instanceof ConfigError)
  );
}

function unlessStopped(error: unknown): void {
  if (!(error instanceof LinkupError && error.problem.code === "session-unknown")) throw error;
}

/** What `start --json` prints. */
function startedJson({ name, kind, access, urls, urlsWithoutCertificate, services }: SessionView) {
  return {
    session_name: name,
    kind,
    ...(access === undefined ? {} : { access }),
    urls,
    ...(urlsWithoutCertificate ? { urls_without_certificate: urlsWithoutCertificate } : {}),
    services: services.map((service) => ({
      name: service.name,
      target: service.target,
      location: addressOf(service),
      health: service.health,
    })),
  };
}
