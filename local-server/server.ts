/** The local server: its listeners, its control API, and when it ends. */
import { mkdirSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import type { ServerStatus } from "../core/api/control-api.ts";
import type { Listener } from "../core/routing/request-decision.ts";
import { controlAddress } from "../node/control-address.ts";
import { log } from "../node/log.ts";
import { version } from "../package.json";
import { RequestLog } from "./access-log/log.ts";
import { CertificateStore } from "./certificates.ts";
import { controlApi } from "./control/api.ts";
import { bind } from "./control/socket.ts";
import { Front } from "./downstream/front.ts";
import { Leases } from "./leases.ts";
import { listenOnFirst, listenOnLoopback } from "./listen.ts";
import type { Options } from "./options.ts";
import { preferredPorts, rememberedPort, rememberPort } from "./port.ts";
import { decide } from "./proxy/decide.ts";
import { forward, passOn, refuse } from "./proxy/forward.ts";
import { collectWhenQuiet, Quiet } from "./quiet.ts";
import { Sessions } from "./sessions.ts";
import { HTTP_PORT, HTTPS_PORT, StandardPorts } from "./standard-ports.ts";
import { type Edge, edgeOpener, systemEdge } from "./upstream/edge.ts";
import { Pool } from "./upstream/pool.ts";

/** How often idle connections are closed, and an installation or its end is looked for. */
const SWEEP_MS = 2_000;
/** How long answers under way may take when the server ends. */
const GRACE_MS = 1_000;

/**
 * Starts the local server of this home. False when there is one already.
 * `edge` is where requests go whose host is under a session's domain, and which belong to no session here.
 */
export async function startServer(options: Options, edge: Edge = systemEdge()): Promise<boolean> {
  const { home } = options;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const started = Date.now();
  const sessions = new Sessions();
  const leases = new Leases(() => performance.now());
  const requests = options.requestLog === 0 ? undefined : new RequestLog(options.requestLog);
  const pool = new Pool();
  const edgePool = new Pool(edgeOpener(edge));
  const certificates = new CertificateStore(join(home, "certificates"), () =>
    Array.from(sessions, ({ session }) => session.domains.map(({ domain }) => domain.toLowerCase())).flat(),
  );

  const front = (listener: Listener) =>
    new Front(
      (client, refusal) => {
        const exchange = requests?.begin(client, listener);
        const verdict = refusal ? { failure: refusal } : decide(sessions, listener, client);
        exchange?.decided(verdict);
        if ("failure" in verdict) refuse(client, verdict.failure);
        else if ("publicHost" in verdict) passOn(client, verdict.publicHost, edge.port, edgePool);
        else forward(client, verdict.served, verdict.decision, pool);
      },
      (host) => certificates.for(host),
    );
  const browserFront = front("browser");
  const tunnelFront = front("tunnel");

  // The control address first: whoever has it is the one local server of this home. It answers when all is ready.
  const control = createServer();
  const early: Parameters<RequestListener>[] = [];
  const hold: RequestListener = (...exchange) => early.push(exchange);
  control.on("request", hold);
  if (!(await bind(control, controlAddress(home)))) return false;
  const known = options.browserPort ?? rememberedPort(home);
  const browser = await listenOnFirst(preferredPorts(options), (socket) => browserFront.accept(socket));
  const tunnel = await listenOnLoopback(options.tunnelPort, (socket) => tunnelFront.accept(socket));
  if (options.browserPort === undefined) rememberPort(home, browser.port);
  const standardPorts = new StandardPorts(
    () => certificates.available,
    (socket) => browserFront.accept(socket),
  );
  await standardPorts.adjust();

  let timer: NodeJS.Timeout | undefined;
  /** Comes back when the last lease will have been gone for long enough. */
  const watchLeases = () => {
    clearTimeout(timer);
    const { remaining } = leases;
    if (remaining === 0) return stop("nobody uses it any more");
    if (Number.isFinite(remaining)) timer = setTimeout(watchLeases, Math.min(remaining, 2 ** 30));
  };
  const quiet = new Quiet();
  const sweeper = setInterval(() => {
    collectWhenQuiet(quiet);
    pool.sweep();
    edgePool.sweep();
    void standardPorts.adjust();
  }, SWEEP_MS);

  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) return;
    stopping = true;
    log(`stopping: ${reason}`);
    clearTimeout(timer);
    clearInterval(sweeper);
    browser.close();
    standardPorts.close();
    tunnel.close();
    control.close();
    control.closeIdleConnections();
    pool.clear();
    edgePool.clear();
    const end = () => process.exit(0);
    if (browserFront.open + tunnelFront.open === 0) setImmediate(end);
    else setTimeout(end, GRACE_MS);
  };

  const status = (): ServerStatus => ({
    version,
    pid: process.pid,
    started,
    browser_port: browser.port,
    tunnel_port: tunnel.port,
    missed_port: known && known !== browser.port ? known : null,
    http_port: standardPorts.has(HTTP_PORT) ? HTTP_PORT : browser.port,
    https_port: standardPorts.has(HTTPS_PORT) ? HTTPS_PORT : certificates.available ? browser.port : null,
    sessions: sessions.names,
    leases: leases.ids,
  });
  const api = controlApi({ sessions, leases, log: requests, status, leased: watchLeases, stop });
  control.off("request", hold).on("request", api);
  for (const exchange of early) api(...exchange);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop(`received ${signal}`));
  watchLeases();
  log(`local server ${version} started, process ${process.pid}`);
  log(`browser port ${browser.port}, tunnel port ${tunnel.port}`);
  return true;
}
