/** Checks of this machine: files, processes, ports. */
import { constants, existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { access, readdir, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import type { ServerStatus } from "../../core/api/control-api.ts";
import { isOlder } from "../../core/version.ts";
import { isRunning } from "../../node/process-identity.ts";
import { EnvFiles } from "../components/env-files/env-files.ts";
import { isDesired, needsThisMachine } from "../model/records.ts";
import type { State } from "../model/state.ts";
import { isOurs, listProcesses, type ProcessEntry } from "../process/list.ts";
import { broken, type DoctorCheck, ok, warning } from "./report.ts";

/** Free disk space below which the next write may fail. */
const MIN_FREE_BYTES = 10 * 1024 * 1024;

export async function checkState(home: string, state: State): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const { message, code } of state.set_aside) checks.push(warning("state", message, { code }));
  try {
    const { mode } = await stat(home);
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
    if (process.platform !== "win32" && (mode & 0o077) !== 0)
      checks.push(
        warning("state", `Other users of this machine can read ${home}. Restrict it: chmod 700 ${home}`),
      );
    const { bavail, bsize } = await statfs(home);
    if (bavail * bsize < MIN_FREE_BYTES)
      checks.push(broken("state", `The disk of ${home} is nearly full.`, { code: "state-unusable" }));
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? whyUnmakeable(home) : (error as Error).message;
    if (why === undefined) return [ok("state", `${home} will be created when it is needed.`)];
    return [broken("state", `${home} cannot be used: ${why}`, { code: "state-unusable" })];
  }
  if (checks.length > 0) return checks;
  const files = await filesOf(home);
  return [ok("state", `${home} can be used. It contains ${files.join(", ") || "nothing"}.`)];
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
  const needed = state.sessions.some((record) => isDesired(record) && needsThisMachine(record));
  const restart = [{ command: "restart", title: "Restart", terminal: "linkup start" }];
  const checks: DoctorCheck[] = [];
  if (server && isOlder(server.version, version))
    checks.push(
      warning("local-server", `Version ${server.version} is running; this is ${version}.`, {
        fixes: restart,
      }),
    );
  else if (server)
    checks.push(ok("local-server", `It answers (pid ${server.pid}, version ${server.version}).`));
  else if (needed) {
    const why = state.local_server.problem?.message ?? "It does not answer.";
    checks.push(broken("local-server", why, { code: "local-server-failed", fixes: restart }));
  } else checks.push(ok("local-server", "No session needs it."));

  if (needed) {
    const { keeper } = state;
    const runs = keeper !== null && (await isRunning(keeper));
    checks.push(
      runs
        ? ok("keeper", `It supervises the sessions (pid ${keeper.pid}).`)
        : broken("keeper", "It does not run, so nothing is restarted unless a window is open.", {
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
      ...state.sessions.flatMap(({ connector }) => [connector?.process, connector?.log_writer]),
    ].flatMap((id) => (id ? [id.pid] : [])),
  );
  return (await listProcesses()).filter((listed) => isOurs(listed, home) && !known.has(listed.pid));
}

export function checkOrphans(orphans: readonly ProcessEntry[]): DoctorCheck[] {
  if (orphans.length === 0) return [ok("orphans", "No orphaned processes.")];
  const list = orphans.map(({ pid, command }) => `${pid} (${command.slice(0, 120)})`).join(", ");
  return [
    broken("orphans", `Orphaned processes: ${list}.`, {
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
      broken("env-files", `${path} still has the block of a session that ended.`, { subject: path, fixes }),
    ),
    ...refused.map(({ message, code }) => warning("env-files", message, { code })),
    ...(left.length + refused.length === 0 && entries.length > 0
      ? [ok("env-files", `${entries.length} contain a session's variables.`)]
      : []),
  ];
}

/** Checks that the remembered browser port is free while the local server does not run. */
export async function checkPort(
  server: ServerStatus | undefined,
  remembered: number | undefined,
): Promise<DoctorCheck[]> {
  if (server) return [ok("port", `Browsers connect to 127.0.0.1:${server.browser_port}.`)];
  if (remembered === undefined || (await isFree(remembered))) return [];
  return [
    warning(
      "port",
      `Port ${remembered} of isolated sessions is used by another program; their URLs will get another port.`,
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
