/** What can be seen of a deployment without Cloudflare's API: names, certificates, the Worker's own answer. */
import { lookup } from "node:dns/promises";
import { connect } from "node:tls";
import * as z from "zod/mini";

export interface OutsideCheck {
  name: string;
  ok: boolean;
  /** What was found, and what helps when it is not right. */
  detail: string;
}

export interface OutsideOptions {
  zone: string;
  /** Of this Linkup. */
  version: string;
  workerToken: string | undefined;
  env: NodeJS.ProcessEnv;
}

const PATIENCE_MS = 10_000;
const capabilities = z.object({ version: z.string().check(z.maxLength(50)) });

/** The host of a zone that clients use for the Worker's API. */
export function apiHost(zone: string): string {
  return `linkup.${zone}`;
}

/** Each check only when the one before it holds: without a name there is no certificate to look at. */
export async function checkFromOutside({
  zone,
  version,
  workerToken,
}: OutsideOptions): Promise<OutsideCheck[]> {
  const host = apiHost(zone);
  const checks: OutsideCheck[] = [];
  const check = async (name: string, run: () => Promise<string>, help: string): Promise<boolean> => {
    try {
      checks.push({ name: `${name} ${host}`, ok: true, detail: await run() });
      return true;
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      checks.push({ name: `${name} ${host}`, ok: false, detail: `${what}. ${help}` });
      return false;
    }
  };
  const found = await check(
    "DNS",
    async () => (await lookup(host)).address,
    "The zone's name servers must be Cloudflare's, and new records take up to some minutes.",
  );
  if (!found) return checks;
  const trusted = await check(
    "TLS",
    () => certificate(host),
    "A new zone's Universal SSL certificate takes up to 24 hours, mostly minutes.",
  );
  if (!trusted) return checks;
  await check(
    "Worker",
    () => workerVersion(host, version, workerToken),
    "Deploy again; a new route takes some seconds.",
  );
  return checks;
}

function certificate(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 443, servername: host }, () => {
      const { valid_to } = socket.getPeerCertificate();
      socket.destroy();
      resolve(`valid until ${valid_to}`);
    });
    socket.setTimeout(PATIENCE_MS, () =>
      socket.destroy(new Error(`no TLS connection within ${PATIENCE_MS / 1000} s`)),
    );
    socket.on("error", reject);
  });
}

async function workerVersion(host: string, version: string, token: string | undefined): Promise<string> {
  const response = await fetch(`https://${host}/linkup/v2/capabilities`, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    if (response.status === 401 && !token) return "answers, and asks for the worker token";
    throw new Error(`it answers ${response.status}`);
  }
  const { version: deployed } = capabilities.parse(await response.json());
  return deployed === version ? `version ${deployed}` : `version ${deployed}; this Linkup is ${version}`;
}
