/** Checks over the network: the Worker, the tunnel, session addresses, services. */

import { readFile } from "node:fs/promises";
import type { Config } from "../../core/config/model/config-model.ts";
import { FAILURE_HEADER, isOwnFailure } from "../../core/routing/own-failure.ts";
import { isTunnelErrorPage, TUNNEL_ERROR_STATUS } from "../../core/routing/tunnel-error.ts";
import type { SessionKind } from "../../core/session/session-document.ts";
import { type Text, text } from "../../core/text.ts";
import { isOlder } from "../../core/version-order.ts";
import { readBeginning } from "../../node/http.ts";
import type { Authority } from "../components/certificates/authority-files.ts";
import { findCloudflared } from "../components/tunnel/cloudflared-binary.ts";
import { cloudflaredVersion, NEEDED_VERSION } from "../components/tunnel/connector-process.ts";
import { WorkerClient } from "../components/worker-api/worker-client.ts";
import { readConfig } from "../files/config-file.ts";
import { networkReason } from "../model/network-reason.ts";
import { LinkupError, textOf, updateWorker, verbatim } from "../model/problem.ts";
import { isDesired } from "../model/records.ts";
import { isLocalNow, type SessionView } from "../model/snapshot.ts";
import type { SessionRecord, State } from "../model/state.ts";
import { broken, type DoctorCheck, ok, warning } from "./report.ts";

const TIMEOUT_MS = 5_000;

/** What a Worker can do; undefined of one of the original. Rejects with a LinkupError. */
export type CapabilitiesOf = (client: WorkerClient) => ReturnType<WorkerClient["capabilities"]>;

/** Asks each Worker once, however many checks want to know. */
export function capabilitiesOnce(): CapabilitiesOf {
  const asked = new Map<string, ReturnType<WorkerClient["capabilities"]>>();
  return (client) => {
    const capabilities = asked.get(client.url) ?? client.capabilities();
    asked.set(client.url, capabilities);
    return capabilities;
  };
}

/** Each Worker once, with the token that its sessions use. */
export async function checkWorkers(
  records: readonly SessionRecord[],
  version: string,
  capabilitiesOf: CapabilitiesOf,
): Promise<DoctorCheck[]> {
  const byUrl = new Map(
    records
      .filter(({ kind }) => kind !== "isolated")
      .map((record) => [record.config.linkup.worker_url, record]),
  );
  const checks = [...byUrl].map(([url, { worker_token }]) =>
    checkWorker(url, worker_token ?? "", version, capabilitiesOf),
  );
  return (await Promise.all(checks)).flat();
}

/**
 * Checks the Worker of a file whose session does not run; the next start needs it unless it is isolated.
 * `tokenOf`: rejects with a LinkupError when the Worker must not be asked.
 */
export async function checkWorkerOfFile(
  path: string | undefined,
  running: readonly SessionRecord[],
  version: string,
  tokenOf: (config: Config) => Promise<string>,
  capabilitiesOf: CapabilitiesOf,
): Promise<DoctorCheck[]> {
  if (path === undefined || running.some(({ config_path }) => config_path === path)) return [];
  // Errors in the file are reported by its own check.
  const config = await readConfig(path).catch(() => undefined);
  if (!config) return [];
  const url = config.linkup.worker_url;
  if (running.some((record) => record.kind !== "isolated" && record.config.linkup.worker_url === url))
    return [];
  const checks = await tokenOf(config).then(
    (token) => checkWorker(url, token, version, capabilitiesOf),
    (error) => [failedCheck("worker", url, error)],
  );
  return checks.map((check) => (check.state === "broken" ? { ...check, state: "warning" } : check));
}

async function checkWorker(
  url: string,
  token: string,
  version: string,
  capabilitiesOf: CapabilitiesOf,
): Promise<DoctorCheck[]> {
  try {
    const client = new WorkerClient(url, token, TIMEOUT_MS);
    const worker = await capabilitiesOf(client);
    if (!worker) {
      const found = text(
        "An original Worker: it creates no origin secret for the tunnel, so anyone who knows the tunnel's URL reaches this machine, and sessions and previews expire instead of being deleted.",
      );
      return [warning("worker", found, { subject: url, fixes: [updateWorker] })];
    }
    if (worker.version.split(".", 2).join() !== version.split(".", 2).join()) {
      const found = text("It has version {0}; this is {1}.", worker.version, version);
      return [warning("worker", found, { subject: url, fixes: [updateWorker] })];
    }
    const checks = [
      ok("worker", text("It answers (version {0}) and accepts the token.", worker.version), { subject: url }),
    ];
    const problem = worker.capabilities.includes("tunnel-check") ? await client.tunnelProblem() : null;
    if (problem !== null)
      checks.push(
        broken("worker", text("It can make no tunnels: {0}", problem), {
          subject: url,
          fixes: [updateWorker],
        }),
      );
    return checks;
  } catch (error) {
    return [failedCheck("worker", url, error)];
  }
}

/** Pending deletions of ended sessions. */
export function checkPendingDeletions({ pending_deletions }: State): DoctorCheck[] {
  return pending_deletions.map(({ worker_url, problem }) =>
    warning("worker", textOf(problem), { subject: worker_url, code: problem.code }),
  );
}

/** `isNeeded`: the next start of a file's session needs cloudflared. */
export async function checkTunnels(
  { sessions }: State,
  env: NodeJS.ProcessEnv,
  home: string,
  isNeeded: Promise<boolean>,
): Promise<DoctorCheck[]> {
  const tunneled = sessions.filter(
    (record) =>
      isDesired(record) && record.kind === "tunneled" && record.worker && record.worker.tunnel !== "direct",
  );
  if (tunneled.length === 0 && !(await isNeeded)) return [];
  const checks: DoctorCheck[] = [];
  try {
    checks.push(await checkBinary(await findCloudflared(env, home)));
  } catch (error) {
    checks.push(failedCheck("cloudflared", undefined, error));
  }
  for (const { name, connector, tunnel } of tunneled) {
    const subject = name ?? undefined;
    const pid = connector?.process?.pid;
    if (connector?.ready)
      checks.push(ok("tunnel", connectedText(tunnel?.url ?? "", pid), { ...(subject ? { subject } : {}) }));
    else
      checks.push(
        broken("tunnel", connector?.problem ? textOf(connector.problem) : disconnectedText(pid), {
          ...(subject ? { subject } : {}),
          code: "tunnel-failed",
        }),
      );
  }
  return checks;
}

function connectedText(url: string, pid: number | undefined): Text {
  return pid === undefined
    ? text("Connected: {0}", url)
    : text("Connected: {0} (cloudflared, pid {1})", url, pid);
}

function disconnectedText(pid: number | undefined): Text {
  return pid === undefined
    ? text("It is not connected.")
    : text("It is not connected (cloudflared, pid {0}).", pid);
}

async function checkBinary(path: string): Promise<DoctorCheck> {
  const version = await cloudflaredVersion(path);
  const fixes = [
    { command: "installCloudflared", title: "Install cloudflared", terminal: "linkup cloudflared install" },
  ];
  if (version === undefined)
    return broken(
      "cloudflared",
      text("{0} does not say its version: it is not cloudflared, or cannot be run.", path),
      {
        fixes,
      },
    );
  if (isOlder(version, NEEDED_VERSION))
    return broken(
      "cloudflared",
      text("{0} has version {1}; Linkup needs {2} or later.", path, version, NEEDED_VERSION),
      {
        fixes,
      },
    );
  return ok("cloudflared", text("{0} (version {1}).", path, version));
}

/** Whether the next start of this file's session needs cloudflared, as far as its Worker says. */
export async function needsCloudflared(
  path: string | undefined,
  tokenOf: (config: Config) => Promise<string>,
  capabilitiesOf: CapabilitiesOf,
): Promise<boolean> {
  if (path === undefined) return false;
  try {
    const config = await readConfig(path);
    const worker = new WorkerClient(config.linkup.worker_url, await tokenOf(config), TIMEOUT_MS);
    return (await capabilitiesOf(worker))?.tunnel !== "direct";
  } catch {
    // What is wrong with the file or the Worker is told by their own checks.
    return false;
  }
}

/**
 * Checks the session URLs from this machine: name, certificate and response. Node does not read the system's trust
 * store, so the local server is verified against `authority`; the trust stores have their own checks.
 */
export async function checkAddresses(
  sessions: readonly SessionView[],
  authority: Authority | undefined,
): Promise<DoctorCheck[]> {
  const running = sessions.filter(({ state }) => state === "running");
  const ca = authority && (await readFile(authority.file, "utf8"));
  const refused = running.flatMap(({ urlsWithoutCertificate = [] }) => urlsWithoutCertificate);
  const checks = await Promise.all(
    running.flatMap((session) =>
      session.urls.map((url) => checkAddress(url, session, session.kind === "isolated" ? ca : undefined)),
    ),
  );
  return [...checks, ...refused.map(noCertificate)];
}

/** The operator of the zone can help, or the author of the domains. */
function noCertificate(url: string): DoctorCheck {
  const { hostname } = new URL(url);
  const parent = hostname.slice(hostname.indexOf(".") + 1);
  const found = text(
    "Browsers refuse it: Cloudflare's own certificates cover a zone and one label below it, and this host is two below. The zone's operator can order an advanced certificate for *.{0} (Advanced Certificate Manager), or linkup.yaml can name a domain directly below the zone. Requests of other services that pass on the session reach {0} all the same.",
    parent,
  );
  return warning("address", found, { subject: url });
}

async function checkAddress(
  url: string,
  { kind, access }: Pick<SessionView, "kind" | "access">,
  ca: string | undefined,
): Promise<DoctorCheck> {
  // Browsers resolve names under localhost to this machine; the operating system may not.
  const target = new URL(url);
  const host = target.host;
  if (target.hostname.endsWith(".localhost")) target.hostname = "127.0.0.1";
  try {
    const answer = await readBeginning(target.href, { headers: { host }, timeoutMs: TIMEOUT_MS, ca });
    const { status, text: body } = answer;
    const own = answer.headers[FAILURE_HEADER]?.toString();
    if (status === TUNNEL_ERROR_STATUS && isTunnelErrorPage(body))
      return broken("address", text("Cloudflare finds no tunnel for it (530)."), {
        subject: url,
        code: "tunnel-failed",
      });
    // The question of a private session, which we do not answer here.
    if (access === "private" && status === 401 && own !== undefined)
      return ok("address", text("It is private: only those who are invited are let in (401)."), {
        subject: url,
      });
    if (isOwnFailure(status, own, body))
      return broken(
        "address",
        text("Linkup answers in the service's place ({0}): {1}", status, firstLine(body)),
        {
          subject: url,
        },
      );
    return ok("address", text("It answers ({0}).", status), { subject: url });
  } catch (error) {
    return broken("address", addressReason(error as NodeJS.ErrnoException, kind), { subject: url });
  }
}

function firstLine(body: string): string {
  return body.slice(0, 200).split("\n", 1)[0]!;
}

function addressReason(error: NodeJS.ErrnoException, kind: SessionKind): Text {
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|SSL/.test(error.code ?? ""))
    return text("Its certificate is not accepted: {0}.", error.message);
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN")
    return kind === "isolated"
      ? text("Its name does not resolve on this machine.")
      : text("Its name is not in DNS: the zone needs proxied records for * and the domain.");
  return text("It cannot be reached: {0}.", networkReason(error));
}

export function checkServices(sessions: readonly SessionView[]): DoctorCheck[] {
  return sessions.flatMap(({ name, services }) =>
    services.map((service) => {
      const subject = `${name ?? "(starting)"}: ${service.name} (${service.target})`;
      if (service.health !== "unhealthy")
        return ok(
          "service",
          service.latencyMs === undefined
            ? text("Not checked yet.")
            : text("Healthy, {0} ms.", service.latencyMs),
          { subject },
        );
      const other = isLocalNow(service) ? "remote" : "local";
      return broken("service", text("{0}.", service.reasonText ?? verbatim(service.reason ?? "")), {
        subject,
        code: "service-unhealthy",
        fixes: [
          { command: "route", title: `Route to ${other}`, terminal: `linkup route ${other} ${service.name}` },
        ],
      });
    }),
  );
}

function failedCheck(id: "worker" | "cloudflared", subject: string | undefined, error: unknown): DoctorCheck {
  if (!(error instanceof LinkupError)) throw error;
  const { code, actions } = error.problem;
  const details = { ...(subject === undefined ? {} : { subject }), code, fixes: actions };
  return broken(id, textOf(error.problem), details);
}
