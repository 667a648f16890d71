/** `linkup start` */

import { ConfigError } from "../../manager/files/config-file.ts";
import type { Manager } from "../../manager/manager.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import type { SessionView, Snapshot } from "../../manager/model/snapshot.ts";
import { needConfig, newManager } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { failure } from "../print/failure.ts";
import { spin } from "../print/spinner.ts";
import { sessionText } from "../print/status.ts";

interface Options {
  config?: string;
  isolated?: boolean;
  name?: string;
  detach?: boolean;
  json?: boolean;
}

export async function start(options: Options): Promise<void> {
  const file = needConfig(options.config);
  const manager = newManager({ keep: options.detach ?? false });
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      // Asked twice: at once. What runs is ended by the keeper, or by the next command.
      if (interrupted.signal.aborted) process.exit(EXIT.failed);
      interrupted.abort();
    });
  }

  const configPath = await manager.knownPath(file);
  const request = {
    configPath,
    kind: options.isolated ? ("isolated" as const) : ("tunneled" as const),
    ...(options.name === undefined ? {} : { name: options.name }),
  };
  let began = false;
  let said = false;
  const say = (session: SessionView) => {
    said = true;
    for (const { code, message } of manager.snapshot.problems) {
      if (code === "no-local-dns")
        process.stderr.write(`Note: ${message} \`linkup local-dns install\` helps.\n`);
      if (code === "env-file-unwritable" || code === "env-file-refused")
        process.stderr.write(`Note: ${message}\n`);
    }
    process.stdout.write(options.json ? `${JSON.stringify(startedJson(session))}\n` : sessionText(session));
  };

  if (options.detach) {
    say(await spin("Starting", manager.start(request, interrupted.signal)));
    return;
  }
  manager.onDidChange((snapshot) => {
    if (!began) return;
    const session = ownSession(snapshot, configPath);
    // Stopped from elsewhere.
    if (!session) interrupted.abort();
    else if (!said && session.state === "running") say(session);
  });
  const begin = async () => {
    try {
      say(await spin("Starting", manager.start(request, interrupted.signal)));
    } finally {
      began = true;
    }
  };
  await stay(manager, configPath, begin, interrupted.signal);
  await manager.stop({ configPath }).catch(unlessStopped);
  await manager.dispose();
}

/** Serves until Ctrl-C, or until the session is stopped from elsewhere. */
async function stay(
  manager: Manager,
  configPath: string,
  begin: () => Promise<void>,
  interrupted: AbortSignal,
): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    interrupted.addEventListener("abort", () => resolve(), { once: true });
  });
  manager.watch();
  try {
    await begin();
  } catch (error) {
    if (interrupted.aborted) return;
    if (!comesBack(error)) {
      // One that ran before goes on.
      if (ownSession(await manager.look(), configPath)?.state === "failed")
        await manager.stop({ configPath }).catch(unlessStopped);
      await manager.dispose();
      throw error;
    }
    process.stderr.write(failure(error, false));
    process.stderr.write("Trying again until it answers. Ctrl-C gives up.\n");
  }
  process.stderr.write("Ctrl-C stops the session.\n");
  await ended;
}

/** The file's own session, not one of those beside it. */
function ownSession({ sessions }: Snapshot, configPath: string): SessionView | undefined {
  return sessions.find((session) => session.configPath === configPath && !session.secondary);
}

/** True for what may go away by waiting. */
function comesBack(error: unknown): boolean {
  return (
    error instanceof LinkupError &&
    error.problem.code === "worker-unreachable" &&
    !(error instanceof ConfigError)
  );
}

function unlessStopped(error: unknown): void {
  if (!(error instanceof LinkupError && error.problem.code === "session-unknown")) throw error;
}

/** The one JSON object that `start --json` prints. */
function startedJson({ name, kind, urls, services }: SessionView) {
  return {
    session_name: name,
    kind,
    urls,
    services: services.map(({ name, target, local, remote, health }) => ({
      name,
      target,
      location: target === "local" ? local : remote,
      health,
    })),
  };
}
