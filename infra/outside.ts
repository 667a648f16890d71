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
  /** As Cloudflare says: `active` once the zone's name servers are Cloudflare's. */
  zoneStatus: string;
  /** Of this Linkup. */
  version: string;
  workerToken: string | undefined;
}

/** The network, which tests stand in for. All reject with Node's error. */
export interface OutsideNetwork {
  /** Returns an address. */
  resolve(host: string): Promise<string>;
  /** Until when its certificate is valid. */
  certificate(host: string): Promise<string>;
  get(url: string, token: string | undefined): Promise<{ status: number; headers: Headers; text: string }>;
}

const PATIENCE_MS = 10_000;
const MAX_ANSWER = 100_000;
const capabilities = z.object({
  version: z.string().check(z.maxLength(50)),
  capabilities: z.array(z.string()),
});
const tunnelCheck = z.object({ problem: z.nullable(z.string()) });

/** The host of a zone that clients use for the Worker's API. */
export function apiHost(zone: string): string {
  return `linkup.${zone}`;
}

/** Each check only when the one before it holds: without a name there is no certificate to look at. */
export async function checkFromOutside(
  { zone, zoneStatus, version, workerToken }: OutsideOptions,
  network: OutsideNetwork = internet,
): Promise<OutsideCheck[]> {
  const host = apiHost(zone);
  const checks: OutsideCheck[] = [];
  const check = async <T>(
    name: string,
    ask: () => Promise<T>,
    detail: (found: T) => string,
    help: (error: NodeJS.ErrnoException) => string,
  ): Promise<T | undefined> => {
    try {
      const found = await ask();
      checks.push({ name: `${name} ${host}`, ok: true, detail: detail(found) });
      return found;
    } catch (error) {
      const { message } = error as Error;
      checks.push({ name: `${name} ${host}`, ok: false, detail: `${message}. ${help(error as Error)}` });
      return undefined;
    }
  };
  if (zoneStatus !== "active") {
    const detail = `The zone is ${zoneStatus}. At the registrar of ${zone}, set the name servers that Cloudflare shows for it; that takes up to 24 hours.`;
    return [{ name: `zone ${zone}`, ok: false, detail }];
  }
  const address = await check(
    "DNS",
    () => network.resolve(host),
    (found) => found,
    () =>
      "New records take some minutes; resolvers that asked before remember for up to an hour that there was none.",
  );
  if (address === undefined) return checks;
  const validTo = await check(
    "TLS",
    () => network.certificate(host),
    (found) => `valid until ${found}`,
    certificateHelp,
  );
  if (validTo === undefined) return checks;
  const url = `https://${host}/linkup/v2`;
  const worker = await check(
    "Worker",
    async () => workerOf(await network.get(`${url}/capabilities`, workerToken), workerToken),
    (found) => versionText(found?.version, version),
    () => "A new route takes some seconds; if it stays, deploy again.",
  );
  if (worker?.capabilities.includes("tunnel-check"))
    await check(
      "tunnels of",
      async () => {
        const { problem } = tunnelCheck.parse(
          JSON.parse((await network.get(`${url}/tunnel-check`, workerToken)).text),
        );
        if (problem !== null) throw new Error(problem.replace(/\.$/, ""));
      },
      () => "the Worker's own token may manage them",
      () =>
        'It needs "Account · Cloudflare Tunnel · Edit" and "Zone · DNS · Edit" of the tunnel zone: set another one as the Worker\'s secret CLOUDFLARE_API_TOKEN.',
    );
  return checks;
}

/** Cloudflare's edge refuses the handshake for names that have no certificate yet. */
function certificateHelp({ code = "", message }: NodeJS.ErrnoException): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return "The certificate is not for this name: Universal SSL covers a zone and one label below it; a host two labels below needs Advanced Certificate Manager.";
  if (/handshake|EPROTO|ECONNRESET|alert/i.test(`${code} ${message}`))
    return "Universal SSL is pending: a new zone's certificate takes up to 24 hours, mostly minutes.";
  return "Is the DNS record proxied (the orange cloud)? Only then is the certificate Cloudflare's.";
}

/** Undefined when the Worker asks for a token, and none is known. Throws an Error for another's answer. */
function workerOf(
  { status, headers, text }: Awaited<ReturnType<OutsideNetwork["get"]>>,
  token: string | undefined,
): z.infer<typeof capabilities> | undefined {
  if (status === 401 && !token && text === "Unauthorized") return undefined;
  if (status === 401) throw new Error(token ? "it refuses the worker token" : "it answers 401");
  if (!headers.has("cf-ray"))
    throw new Error(
      "the answer is not Cloudflare's: the DNS record is not proxied, so requests pass the Worker by",
    );
  if (status !== 200) throw new Error(`it answers ${status}`);
  return capabilities.parse(JSON.parse(text));
}

function versionText(deployed: string | undefined, ours: string): string {
  if (deployed === undefined) return "answers, and asks for the worker token";
  return deployed === ours ? `version ${deployed}` : `version ${deployed}; this Linkup is ${ours}`;
}

const internet: OutsideNetwork = {
  async resolve(host) {
    return (await lookup(host)).address;
  },
  certificate(host) {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port: 443, servername: host }, () => {
        const { valid_to } = socket.getPeerCertificate();
        socket.destroy();
        resolve(valid_to);
      });
      socket.setTimeout(PATIENCE_MS, () =>
        socket.destroy(new Error(`no TLS connection within ${PATIENCE_MS / 1000} s`)),
      );
      socket.on("error", reject);
    });
  },
  async get(url, token) {
    const response = await fetch(url, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return {
      status: response.status,
      headers: response.headers,
      text: (await response.text()).slice(0, MAX_ANSWER),
    };
  },
};
