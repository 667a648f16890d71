/** The sessions of the benchmark, and the requests for them. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { WebSocket } from "ws";
import type { NewInvite } from "../../../core/api/access-api.ts";

/** Deployed Workers refuse shorter ones. */
export const TOKEN = "token-of-the-benchmark";
const DOMAIN = "example.com";

/** How much there is in a session's document. */
export type Size = "small" | "large";

/** `private` is the value of `access`, as in linkup.yaml. */
export async function createSession(
  url: string,
  name: string,
  location: string,
  { size = "small", access = "public" }: { size?: Size; access?: "public" | "private" } = {},
): Promise<void> {
  await call(url, "/linkup/v2/sessions/preview", {
    desired_name: name,
    session_token: "bench",
    access,
    ...(size === "small" ? smallDocument(location) : largeDocument(location)),
  });
}

function smallDocument(location: string) {
  return {
    services: [
      { name: "web", location, rewrites: [{ source: "^/old/(.*)", target: "/$1" }] },
      { name: "api", location },
    ],
    domains: [
      { domain: DOMAIN, default_service: "web", routes: [{ path: "^/api/.*", service: "api" }] },
      { domain: `api.${DOMAIN}`, default_service: "api" },
    ],
  };
}

/**
 * 200 services, 50 domains, 500 routes. Half of the routes belong to the domain that is asked for, and none of them matches:
 * all have to be looked at.
 */
function largeDocument(location: string) {
  const services = Array.from({ length: 200 }, (_, n) => ({
    name: `service-${n}`,
    location,
    rewrites: [{ source: `^/old-${n}/(.*)`, target: "/$1" }],
  }));
  const routes = (count: number) =>
    Array.from({ length: count }, (_, n) => ({
      path: n % 10 === 9 ? `/area-${n}/.*\\.json$` : `^/area-${n}/.*`,
      service: `service-${n % 200}`,
    }));
  const domains = Array.from({ length: 50 }, (_, n) => ({
    domain: n === 0 ? DOMAIN : `team-${n}.${DOMAIN}`,
    default_service: `service-${n}`,
    routes: routes(n === 0 ? 255 : 5),
  }));
  return { services, domains };
}

/** The cookie of a browser that has opened an invite. */
export async function accessCookie(url: string, name: string): Promise<string> {
  const invite: NewInvite = JSON.parse(await call(url, `/linkup/v2/sessions/${name}/invites`, {}));
  const asked = request(`${url}/linkup/join`, {
    method: "POST",
    headers: { host: `${name}.${DOMAIN}`, "content-type": "application/x-www-form-urlencoded" },
  }).end(`token=${new URL(invite.url!).hash.slice(1)}`);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  const cookie = response.headers["set-cookie"]?.[0]?.split(";", 1)[0];
  if (cookie === undefined) throw new Error(`No cookie was set: ${response.statusCode}`);
  return cookie;
}

/** Somebody who watches the session: ends with this process. */
export async function watch(url: string, name: string): Promise<void> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/linkup/v2/sessions/${name}/watch`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  await once(socket, "open");
}

/** The response's text; rejects unless it is a 2xx. */
async function call(url: string, path: string, body: object): Promise<string> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}

/** A request for a file of a page, as Chrome sends it. */
export function requestHead(name: string, cookie?: string): string {
  const others = "sid=s%3A0f8fad5bd9cb469fa16570867728950e; _ga=GA1.1.1403208452.1710268946; theme=dark";
  return [
    "GET /assets/index-B2xk1.js?v=1 HTTP/1.1",
    `Host: ${name}.${DOMAIN}`,
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Accept: */*",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: no-cors",
    "Sec-Fetch-Dest: script",
    `Referer: https://${name}.${DOMAIN}/app/dashboard`,
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9",
    `Cookie: ${cookie === undefined ? others : `${others}; ${cookie}`}`,
    "\r\n",
  ].join("\r\n");
}
