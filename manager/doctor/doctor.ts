/** Checks everything that a session depends on: what is broken, why, and what helps. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../core/config/model/config-model.ts";
import { text } from "../../core/text.ts";
import { startOf } from "../../node/process-identity.ts";
import { readAuthority } from "../components/certificates/authority-files.ts";
import { localDnsStatus } from "../components/local-dns/local-dns.ts";
import type { RequestLogClient } from "../components/local-server/control-client.ts";
import { findCloudflared } from "../components/tunnel/cloudflared-binary.ts";
import { readConfig } from "../files/config-file.ts";
import { problemOf, textOf } from "../model/problem.ts";
import { isDesired } from "../model/records.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { endProcess } from "../process/child.ts";
import type { ProcessEntry } from "../process/list.ts";
import type { Observations } from "../reconcile/snapshot-of.ts";
import { checkLocalDns } from "./local-dns-check.ts";
import {
  checkEnvFiles,
  checkOrphans,
  checkPort,
  checkProcesses,
  checkState,
  filesOf,
  findOrphans,
} from "./machine-checks.ts";
import {
  capabilitiesOnce,
  checkAddresses,
  checkPendingDeletions,
  checkServices,
  checkTunnels,
  checkWorkerOfFile,
  checkWorkers,
  needsCloudflared,
} from "./network-checks.ts";
import { propagationChecks } from "./propagation-check.ts";
import { broken, type DoctorCheck, type HealthReport, ok } from "./report.ts";
import { withProblems } from "./with-problems.ts";

export interface DoctorInput extends Pick<Observations, "state" | "server"> {
  home: string;
  version: string;
  env: NodeJS.ProcessEnv;
  snapshot: Snapshot;
  requestLog: RequestLogClient;
  /** The linkup.yaml of this folder, if any. */
  configPath: string | undefined;
  /** Rejects with a LinkupError without a token, and for a Worker that the user has not confirmed. */
  workerToken(config: Config): Promise<string>;
  /** Do not ask the Worker of a file whose session does not run. */
  offline?: boolean;
}

export async function examine(examined: DoctorInput): Promise<HealthReport> {
  const { home, version, env, snapshot, state, server, configPath, workerToken, offline } = examined;
  const running = state.sessions.filter(isDesired);
  const paths = new Set(
    [configPath, ...running.map(({ config_path }) => config_path)].flatMap((path) => path ?? []),
  );
  const orphans = await findOrphans(home, state, server);
  const capabilitiesOf = capabilitiesOnce();
  const fileToAsk = offline ? undefined : configPath;
  const checks = await Promise.all([
    checkState(home, state),
    checkConfigs([...paths]),
    checkProcesses(state, server, version),
    checkPort(server, await rememberedPort(home)),
    checkTunnels(state, env, home, needsCloudflared(fileToAsk, workerToken, capabilitiesOf)),
    checkWorkers(running, version, capabilitiesOf),
    checkWorkerOfFile(fileToAsk, running, version, workerToken, capabilitiesOf),
    checkPendingDeletions(state),
    checkServices(snapshot.sessions),
    checkLocalDns(home, snapshot.sessions),
    checkAddresses(snapshot.sessions, await readAuthority(home)),
    checkEnvFiles(home, state),
    checkOrphans(orphans),
    propagationChecks(examined.requestLog),
  ]);
  const all = withProblems(checks.flat(), snapshot.problems);
  return {
    schema: 1,
    at: Date.now(),
    healthy: !all.some(({ state }) => state === "broken"),
    versions: {
      linkup: version,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
    },
    home,
    ...(await existingShape(examined, orphans)),
    checks: all,
    snapshot,
  };
}

type ExistingShape = Pick<HealthReport, "linkup" | "background_services" | "local_dns">;

async function existingShape(
  { home, version, env, state, server }: DoctorInput,
  orphans: readonly ProcessEntry[],
): Promise<ExistingShape> {
  const { installed, domains } = await localDnsStatus({ home });
  const running = (process: { pid: number } | null | undefined) => process && { Running: process.pid };
  const connectors = state.sessions.flatMap(({ connector }) => connector?.process ?? []);
  const hasCloudflared = await findCloudflared(env, home).then(
    () => true,
    () => false,
  );
  return {
    linkup: {
      version,
      config_location: home,
      config_exists: existsSync(home),
      config_content: await filesOf(home),
    },
    background_services: {
      linkup_server: running(server) ?? "Stopped",
      cloudflared: running(connectors[0]) ?? (hasCloudflared ? "Stopped" : "NotInstalled"),
      dns_server: running(state.local_dns.process) ?? (installed ? "Stopped" : "NotInstalled"),
      possible_orphan_processes: orphans.map(({ pid, command }) => ({ pid, cmd: command.slice(0, 120) })),
    },
    local_dns: { is_installed: installed, resolvers: domains },
  };
}

/** Ends orphaned processes of this home; returns their pids. */
export async function endOrphans({
  home,
  state,
  server,
}: Pick<DoctorInput, "home" | "state" | "server">): Promise<number[]> {
  const ended: number[] = [];
  for (const { pid } of await findOrphans(home, state, server)) {
    const started = await startOf(pid);
    if (started !== undefined) await endProcess({ pid, started });
    ended.push(pid);
  }
  return ended;
}

async function checkConfigs(paths: string[]): Promise<DoctorCheck[]> {
  const checks = paths.map(async (path) => {
    try {
      const { services, domains } = await readConfig(path);
      return ok("config", text("{0} services, {1} domains.", services.length, domains.length), {
        subject: path,
      });
    } catch (error) {
      const found = problemOf(error, "config-invalid");
      return broken("config", textOf(found), { subject: path, code: found.code, fixes: found.actions });
    }
  });
  return Promise.all(checks);
}

/** The port that the local server last listened on. */
async function rememberedPort(home: string): Promise<number | undefined> {
  const text = await readFile(join(home, "browser-port"), "utf8").catch(() => "");
  return Number(text.trim()) || undefined;
}
