/** The local server: its listeners, its control API, and when it ends. */
import { mkdirSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import type { ServerStatus } from "../core/api/control-api.ts";
import type { Listener } from "../core/routing/request-decision.ts";
import { controlAddress } from "../node/control-address.ts";
import { log as logEvent } from "../node/log.ts";
import { version } from "../package.json";
import { AccessLog } from "./access-log/access-log.ts";
import { askByConnecting } from "./auto/ask-by-connecting.ts";
import { LocalCopies } from "./auto/local-copies.ts";
import { preferredPorts, rememberedPort, rememberPort } from "./browser-port.ts";
import { CertificateStore } from "./certificates.ts";
import { bindSocket } from "./control/bind-socket.ts";
import { controlApi } from "./control/control-routes.ts";
import { RequestLog } from "./control/request-log.ts";
import { TunnelLogs } from "./control/tunnel-logs.ts";
import { DownstreamListener } from "./downstream/downstream-listener.ts";
import type { SplicedPair } from "./downstream/splice.ts";
import { freeSpareOutput } from "./http2/output.ts";
import { collectWhenIdle, IdleDetector } from "./idle-detector.ts";
import { Leases } from "./leases.ts";
import { listenOnFirst, listenOnLoopback } from "./listen.ts";
import type { Options } from "./options.ts";
import { proxy } from "./proxy/proxy.ts";
import { Sessions } from "./served-sessions.ts";
import { HTTP_PORT, HTTPS_PORT, StandardPorts } from "./standard-ports.ts";
import { Pool } from "./upstream/pool.ts";
import { type PublicOrigins, publicOriginOpener, systemPublicOrigins } from "./upstream/public-origin.ts";
import { freeSpareBuffers } from "./upstream/service-socket.ts";

/** How often idle connections are closed, and ports 80 and 443 are taken or released. */
const SWEEP_MS = 5_000;
/** How long responses in flight may take when the server stops, and how often it is looked whether all are complete. */
const GRACE_MS = 3_000;
const DRAIN_POLL_MS = 50;

/**
 * Starts the local server of this home. False when there is one already.
 * Requests for a host under a session's domain that belongs to no session here go to its public origin.
 */
export async function startServer(
  options: Options,
  publicOrigins: PublicOrigins = systemPublicOrigins(),
): Promise<boolean> {
  const { home } = options;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const started = Date.now();
  const sessions = new Sessions();
  const localCopies = new LocalCopies(askByConnecting, () => sessions.resolve());
  sessions.stateOf = (location) => localCopies.stateOf(location);
  const leases = new Leases(() => performance.now());
  const log = options.requestLog === 0 ? undefined : new AccessLog(options.requestLog);
  const pool = new Pool();
  const publicPool = new Pool(publicOriginOpener(publicOrigins));
  const certificates = new CertificateStore(join(home, "certificates"), () =>
    Array.from(sessions, ({ session }) => session.domains.map(({ domain }) => domain.toLowerCase())).flat(),
  );

  const pagePorts = [HTTP_PORT, HTTPS_PORT];
  const tunnels = new Set<SplicedPair>();
  const newListener = (listener: Listener) =>
    new DownstreamListener(
      proxy(listener, {
        sessions,
        pool,
        publicPool,
        publicPort: publicOrigins.port,
        pagePorts,
        tunnels,
        log,
        localCopies,
      }),
      (host) => certificates.for(host),
    );
  const browserListener = newListener("browser");
  const tunnelListener = newListener("tunnel");

  // The control address first: its holder is the only local server of this home. It responds when everything is ready.
  const control = createServer();
  const early: Parameters<RequestListener>[] = [];
  const hold: RequestListener = (...call) => early.push(call);
  control.on("request", hold);
  if (!(await bindSocket(control, controlAddress(home)))) return false;
  const known = options.browserPort ?? rememberedPort(home);
  const browser = await listenOnFirst(preferredPorts(options), (socket) => browserListener.accept(socket));
  pagePorts.push(browser.port);
  const tunnel = await listenOnLoopback(options.tunnelPort, (socket) => tunnelListener.accept(socket));
  if (options.browserPort === undefined) rememberPort(home, browser.port);
  const standardPorts = new StandardPorts(
    () => certificates.available,
    (socket) => browserListener.accept(socket),
  );
  await standardPorts.adjust();

  let timer: NodeJS.Timeout | undefined;
  /** Runs again when the grace period after the last lease is over. */
  const watchLeases = () => {
    clearTimeout(timer);
    const { remaining } = leases;
    if (remaining === 0) return stop("no lease is left");
    timer = setTimeout(watchLeases, remaining);
  };
  const idleDetector = new IdleDetector();
  const sweeper = setInterval(() => {
    collectWhenIdle(idleDetector, () => {
      freeSpareBuffers();
      freeSpareOutput();
    });
    pool.sweep();
    publicPool.sweep();
    void standardPorts.adjust();
  }, SWEEP_MS);

  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) return;
    stopping = true;
    logEvent(`stopping: ${reason}`);
    clearTimeout(timer);
    clearInterval(sweeper);
    localCopies.close();
    browser.close();
    standardPorts.close();
    tunnel.close();
    control.close();
    control.closeIdleConnections();
    for (const tunnel of tunnels) tunnel.goAway();
    const deadline = performance.now() + GRACE_MS;
    const drain = () => {
      browserListener.close();
      tunnelListener.close();
      if (browserListener.open + tunnelListener.open > 0 && performance.now() < deadline)
        setTimeout(drain, DRAIN_POLL_MS);
      else setImmediate(() => process.exit(0));
    };
    drain();
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
    lease_files: leases.files,
    ...(localCopies.states ? { auto: localCopies.states, auto_waits: localCopies.waits } : {}),
  });
  const requestLog = log && new RequestLog(log, sessions, options.requestLog, pagePorts);
  const tunnelLogs = new TunnelLogs(home);
  const api = controlApi({
    sessions,
    leases,
    localCopies,
    pool,
    log: requestLog,
    tunnelLogs,
    pagePorts,
    status,
    leasesChanged: watchLeases,
    stop,
  });
  control.off("request", hold).on("request", api);
  control.on("upgrade", (...call) => tunnelLogs.accept(...call));
  for (const call of early) api(...call);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop(`received ${signal}`));
  watchLeases();
  logEvent(`local server ${version} started, process ${process.pid}`);
  logEvent(`browser port ${browser.port}, tunnel port ${tunnel.port}`);
  // Otherwise loaded for the first connection that needs it. With local DNS that is a page, which would wait.
  if (certificates.available) process.getBuiltinModule("node:tls");
  return true;
}
