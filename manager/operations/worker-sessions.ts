/** The sessions on a Worker, no matter who started them. */
import { text } from "../../core/text.ts";
import { hasCertificate } from "../components/worker-api/edge-certificates.ts";
import { WorkerClient } from "../components/worker-api/worker-client.ts";
import type { SessionIntent } from "../model/intents.ts";
import { LinkupError, updateWorker } from "../model/problem.ts";
import { isBeyondCertificates, urlsOnWorker } from "../model/urls.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";

/** Which sessions to list: names that match the pattern (`*` for any characters), and come after this one. */
export interface SessionQuery {
  pattern?: string;
  after?: string;
  /** At most 1,000; a Worker of an earlier version sends all. */
  limit: number;
}

export type WorkerSessionPage = Awaited<ReturnType<WorkerClient["listSessions"]>>;
export type ListedWorkerSession = WorkerSessionPage["sessions"][number];
export type WorkerSession = NonNullable<Awaited<ReturnType<WorkerClient["session"]>>> & {
  /** Those that browsers accept: one for each domain whose host has a certificate. */
  urls: string[];
};

export async function listWorkerSessions(
  intent: SessionIntent,
  { pattern, after, limit }: SessionQuery,
): Promise<WorkerSessionPage> {
  const { worker, capabilities } = await capable(intent, "list-sessions");
  const paged = capabilities.includes("session-pages");
  return worker.listSessions({
    ...(pattern === undefined ? {} : { pattern }),
    ...(paged ? { limit } : {}),
    ...(paged && after !== undefined ? { after } : {}),
  });
}

export async function workerSession(intent: SessionIntent, name: string): Promise<WorkerSession> {
  const { worker, tunnel } = await capable(intent, "inspect-session");
  const found = await worker.session(name);
  if (!found) throw unknown(name, worker);
  const isDirect = tunnel === "direct";
  const urls = urlsOnWorker(name, found.domains, worker.url, isDirect);
  const works = await Promise.all(urls.map((url) => isDirect || browsersAccept(new URL(url).hostname)));
  return { ...found, urls: urls.filter((_, i) => works[i]) };
}

/** True when Cloudflare has a certificate for the host. */
async function browsersAccept(host: string): Promise<boolean> {
  return !isBeyondCertificates(host) || (await hasCertificate(host));
}

/** The state of this machine follows, when the session is a preview of it. */
export async function extendWorkerSession(
  { store }: ControlLoop,
  intent: SessionIntent,
  name: string,
  seconds: number | null,
): Promise<ListedWorkerSession> {
  const { worker } = await capable(intent, "extend-session");
  const extended = await worker.extendSession(name, seconds);
  if (!extended) throw unknown(name, worker);
  await store.transaction(() =>
    store.change(({ sessions }) => {
      for (const record of sessions) {
        if (record.kind !== "preview" || record.name !== name) continue;
        if (seconds === null) delete record.expires_at;
        else record.expires_at = extended.expires;
      }
    }),
  );
  return extended;
}

async function capable({ config, workerToken }: SessionIntent, needed: string) {
  const worker = new WorkerClient(config.linkup.worker_url, workerToken ?? "");
  const { capabilities = [], tunnel } = (await worker.capabilities()) ?? {};
  if (capabilities.includes(needed)) return { worker, capabilities, tunnel };
  throw new LinkupError(
    "worker-failed",
    text("The Worker at {0} is too old for this: it lacks {1}.", worker.url, needed),
    [updateWorker],
  );
}

function unknown(name: string, { url }: WorkerClient): LinkupError {
  return new LinkupError(
    "session-unknown",
    text('There is no session "{0}" on the Worker at {1}.', name, url),
  );
}
