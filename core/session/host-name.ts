/** Host names as they appear in URLs and headers. */

/** Lower case, without port, without the root's dot: `Slim.Example.com.:80` → `slim.example.com`; `[::1]:80` → `[::1]`. */
export function hostname(host: string): string {
  // Several steps ask for the host of the request at hand.
  if (host === lastHost) return lastName;
  let end = host.length;
  if (host.startsWith("[")) {
    const close = host.indexOf("]");
    if (close !== -1) end = close + 1;
  } else {
    const colon = host.indexOf(":");
    if (colon !== -1) end = colon;
  }
  if (host[end - 1] === ".") end--;
  lastName = host.slice(0, end).trim().toLowerCase();
  lastHost = host;
  return lastName;
}
let lastHost = "";
let lastName = "";

/**
 * The host (with port) of a URL as `Referer` and `Origin` carry it, with or without its scheme (`example.com/path`);
 * undefined for anything else, such as `null`.
 */
export function hostOfUrl(url: string): string | undefined {
  const match =
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]+)/i.exec(url) ??
    /^([a-z0-9_-]+(?:\.[a-z0-9_-]+)+\.?(?::\d{1,5})?)(?:[/?#]|$)/i.exec(url);
  return match?.[1];
}

/**
 * The first label of a host with three or more: `slim-gecko` of `slim-gecko.example.com`. Two are enough below
 * `localhost`, the one domain of a single label.
 */
export function sessionLabel(host: string): string | undefined {
  if (host !== lastLabelled) {
    const name = hostname(host);
    const first = name.indexOf(".");
    const isLabelled = first > 0 && (name.indexOf(".", first + 1) !== -1 || name.endsWith(".localhost"));
    lastLabel = isLabelled ? name.slice(0, first) : undefined;
    lastLabelled = host;
  }
  return lastLabel;
}
// As above. The same string each time, so that maps need not hash it anew.
let lastLabelled = "";
let lastLabel: string | undefined;

/** The host without port and without this session's label: `slim-gecko.example.com:80` → `example.com`. */
export function withoutSession(host: string, session: string): string {
  if (host !== lastWith || session !== lastSession) {
    const name = hostname(host);
    const isLabelled = name.startsWith(session) && name[session.length] === ".";
    lastWithout = isLabelled ? name.slice(session.length + 1) : name;
    lastWith = host;
    lastSession = session;
  }
  return lastWithout;
}
let lastWith = "";
let lastSession = "";
let lastWithout = "";

/** True for the names and addresses of this machine: `localhost`, `*.localhost`, 127.0.0.0/8, `::1` and the unspecified ones. */
export function isLoopback(host: string): boolean {
  const name = hostname(host);
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    /^127(?:\.\d{1,3}){3}$/.test(name) ||
    name === "[::1]" ||
    name === "[::]" ||
    name === "0.0.0.0"
  );
}

/** True when the service speaks HTTP/2 without TLS and without negotiation ("prior knowledge", RFC 9113, 3.3). */
export function isH2c(location: string): boolean {
  return /^h2c:/i.test(location);
}

/** Names that only resolve inside a private network. */
const PRIVATE_NAMES =
  /(?:^|\.)(?:internal|local|localdomain|localhost|lan|home|corp|intranet|private|home\.arpa)$/;

/**
 * True for addresses and names of private networks, which a machine on the network reaches (a virtual machine, a
 * container) and the internet does not. Host names in other notations than the URL standard's are not recognised.
 */
export function isPrivateHost(host: string): boolean {
  const name = hostname(host);
  if (name.startsWith("[")) return isPrivateV6(name.slice(1, -1));
  const octets = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(name)?.slice(1).map(Number);
  if (octets) return isPrivateV4(octets);
  return !name.includes(".") || PRIVATE_NAMES.test(name);
}

/** The ranges of IANA's special-purpose registry that are not globally reachable. */
function isPrivateV4([a = 0, b = 0, c = 0]: number[]): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 198 && (b === 18 || b === 19)) ||
    (a === 198 && b === 51 && c === 100) ||
    (a === 203 && b === 0 && c === 113) ||
    a >= 224
  );
}

/** Only 2000::/3 is global, without the ranges that embed an IPv4 address or are for documentation. */
function isPrivateV6(address: string): boolean {
  const first = Number.parseInt(address.split(":")[0] || "0", 16);
  const second = Number.parseInt(address.split(":")[1] || "0", 16);
  if (first < 0x2000 || first > 0x3fff) return true;
  return first === 0x2002 || (first === 0x2001 && (second === 0 || second === 0xdb8));
}
