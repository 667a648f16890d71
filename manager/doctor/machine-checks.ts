/** Checks of this machine: files, processes, ports. */
import { constants, existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { access, readdir, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import type { ServerStatus } from "../../core/api/control-api.ts";
import { text } from "../../core/text.ts";
import { isOlder } from "../../core/version-order.ts";
import { isRunning } from "../../node/process-identity.ts";
import { EnvFiles } from "../components/env-files/env-files.ts";
import { textOf } from "../model/problem.ts";
import { isDesired, needsLocalServer } from "../model/records.ts";
import type { State } from "../model/state.ts";
import { isOurProcess, listProcesses, type ProcessEntry } from "../process/list.ts";
import { broken, type DoctorCheck, ok, warning } from "./report.ts";

/** Free disk space below which the next write may fail. */
const MIN_FREE_BYTES = 10 * 1024 * 1024;

export async function checkState(home: string, state: State): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const problem of state.set_aside)
    checks.push(warning("state", textOf(problem), { code: problem.code }));
  try {
    const { mode } = await stat(home);
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
    if (process.platform !== "win32" && (mode & 0o077) !== 0)
      checks.push(
        warning("state", text("Other users of this machine can read {0}. Restrict it: chmod 700 {0}", home)),
      );
    const { bavail, bsize } = await statfs(home);
    if (bavail * bsize < MIN_FREE_BYTES)
      checks.push(broken("state", text("The disk of {0} is nearly full.", home), { code: "state-unusable" }));
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? whyUnmakeable(home) : (error as Error).message;
    if (why === undefined) return [ok("state", text("{0} will be created when it is needed.", home))];
    return [broken("state", text("{0} cannot be used: {1}", home, why), { code: "state-unusable" })];
  }
  if (checks.length > 0) return checks;
  const files = await filesOf(home);
  if (files.length === 0) return [ok("state", text("{0} can be used, and is empty.", home))];
  return [ok("state", text("{0} can be used. It contains {1}.", home, files.join(", ")))];
}

/** The names in the state folder, sorted; empty when there is no such folder. */
export async function filesOf(home: string): Promise<string[]> {
  return (await readdir(home).catch((): string[] => [])).sort();
}

/** Why a missing folder cannot be created; undefined when it can. */
function whyUnmakeable(path: string): string | undefined {
  let above = dirname(path);
  while (!existsSync(above) && dirname(above) !== above) above = dirname(above);
  try {
    rmdirSync(mkdtempSync(join(above, ".linkup-")));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export async function checkProcesses(
  state: State,
  server: ServerStatus | undefined,
  version: string,
): Promise<DoctorCheck[]> {
  const needed = state.sessions.some((record) => isDesired(record) && needsLocalServer(record));
  const restart = [{ command: "restart", title: "Restart", terminal: "linkup start" }];
  const checks: DoctorCheck[] = [];
  if (server && isOlder(server.version, version))
    checks.push(
      warning("local-server", text("Version {0} is running; this is {1}.", server.version, version), {
        fixes: restart,
      }),
    );
  else if (server)
    checks.push(ok("local-server", text("It answers (pid {0}, version {1}).", server.pid, server.version)));
  else if (needed) {
    const { problem } = state.local_server;
    const why = problem ? textOf(problem) : text("It does not answer.");
    checks.push(broken("local-server", why, { code: "local-server-failed", fixes: restart }));
  } else checks.push(ok("local-server", text("No session needs it.")));

  if (needed) {
    const { keeper } = state;
    const runs = keeper !== null && (await isRunning(keeper));
    checks.push(
      runs
        ? ok("keeper", text("It supervises the sessions (pid {0}).", keeper.pid))
        : broken("keeper", text("It is not running, so nothing is restarted unless a window is open."), {
            fixes: restart,
          }),
    );
  }
  return checks;
}

/** Processes of this home that are not in the state, nor the local server or this process. */
export async function findOrphans(
  home: string,
  state: State,
  server: ServerStatus | undefined,
): Promise<ProcessEntry[]> {
  const known = new Set(
    [
      process,
      server,
      state.keeper,
      state.local_server.process,
      state.local_dns.process,
      ...state.sessions.map(({ connector }) => connector?.process),
    ].flatMap((id) => (id ? [id.pid] : [])),
  );
  return (await listProcesses()).filter((listed) => isOurProcess(listed, home) && !known.has(listed.pid));
}

export function checkOrphans(orphans: readonly ProcessEntry[]): DoctorCheck[] {
  if (orphans.length === 0) return [ok("orphans", text("No orphaned processes."))];
  const list = orphans.map(({ pid, command }) => `${pid} (${command.slice(0, 120)})`).join(", ");
  return [
    broken("orphans", text("Orphaned processes: {0}.", list), {
      fixes: [{ command: "endOrphans", title: "End Processes", terminal: "linkup health --end-orphans" }],
    }),
  ];
}

export async function checkEnvFiles(home: string, state: State): Promise<DoctorCheck[]> {
  const running = state.sessions.filter(isDesired);
  const entries = await new EnvFiles(home).entries();
  const left = entries.filter(
    ({ sessions }) => !sessions.some((id) => running.some((record) => record.id === id)),
  );
  const refused = running.flatMap(({ env_files }) => env_files?.problems ?? []);
  const fixes = [{ command: "stop", title: "Restore Env Files", terminal: "linkup stop --all" }];
  return [
    ...left.map(({ path }) =>
      broken("env-files", text("{0} still has the block of a session that ended.", path), {
        subject: path,
        fixes,
      }),
    ),
    ...refused.map((problem) => warning("env-files", textOf(problem), { code: problem.code })),
    ...(left.length + refused.length === 0 && entries.length > 0
      ? [ok("env-files", text("{0} contain a session's variables.", entries.length))]
      : []),
  ];
}

/** Checks that the remembered browser port is free while the local server does not run. */
export async function checkPort(
  server: ServerStatus | undefined,
  remembered: number | undefined,
): Promise<DoctorCheck[]> {
  if (server) return [ok("port", text("Browsers connect to {0}.", `127.0.0.1:${server.browser_port}`))];
  if (remembered === undefined || (await isFree(remembered))) return [];
  return [
    warning(
      "port",
      text(
        "Port {0} of isolated sessions is used by another program; their URLs will get another port.",
        remembered,
      ),
    ),
  ];
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once("error", () => resolve(false));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  return promise;
}
