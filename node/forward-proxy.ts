/** The proxy by which this machine reaches others, as HTTPS_PROXY and NO_PROXY name it: that of a company's network. */
import { BlockList, isIP } from "node:net";

/** As an entry of NO_PROXY. */
const THIS_MACHINE = "localhost,127.0.0.0/8,0.0.0.0,[::1],[::]";

/** Of an https URL; undefined where no proxy leads there: always for this machine, and for proxies that do not speak HTTP. */
export function forwardProxy(target: string, env: NodeJS.ProcessEnv = process.env): URL | undefined {
  const named = env.https_proxy || env.HTTPS_PROXY || env.all_proxy || env.ALL_PROXY;
  if (!named || !target.startsWith("https:")) return undefined;
  const { hostname, port } = new URL(target);
  const direct = `${THIS_MACHINE},${env.no_proxy || env.NO_PROXY || ""}`;
  if (isExcluded(hostname.replace(/\.$/, ""), port || "443", direct)) return undefined;
  const text = /^[a-z][a-z\d+.-]*:\/\//i.test(named) ? named : `http://${named}`;
  if (!URL.canParse(text)) return undefined;
  const proxy = new URL(text);
  return proxy.protocol === "http:" || proxy.protocol === "https:" ? proxy : undefined;
}

/** The same, and none to a name that leads to this machine, by a hosts file or local DNS: no proxy knows of those. */
export async function forwardProxyTo(target: string): Promise<URL | undefined> {
  const proxy = forwardProxy(target);
  if (!proxy) return undefined;
  const { lookup } = process.getBuiltinModule("node:dns").promises;
  // In a network with a proxy its names alone may be known.
  const addresses = await lookup(new URL(target).hostname, { all: true }).catch(() => []);
  const isHere = addresses.some(({ address, family }) =>
    isExcluded(family === 6 ? `[${address}]` : address, "443", THIS_MACHINE),
  );
  return isHere ? undefined : proxy;
}

/** Entries: `*`, a host and all below it (with or without `.` or `*.` before it, or a port after it), a network (`10.0.0.0/8`). */
function isExcluded(name: string, port: string, list: string): boolean {
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === "*" || isInNetwork(name, entry)) return true;
    const [, suffix = "", entryPort] =
      /^(?:\*?\.)?(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (suffix === "" || (entryPort !== undefined && entryPort !== port)) return false;
    return name === suffix || name.endsWith(`.${suffix}`);
  });
}

function isInNetwork(name: string, entry: string): boolean {
  const [address = "", bits = ""] = entry.split("/");
  const family = isIP(address);
  const own = name.replace(/^\[|\]$/g, "");
  if (family === 0 || isIP(own) !== family || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 4 ? 32 : 128)) return false;
  const network = new BlockList();
  const type = family === 4 ? "ipv4" : "ipv6";
  network.addSubnet(address, Number(bits), type);
  return network.check(own, type);
}

/** The value of `Proxy-Authorization`; undefined when the proxy's URL names no user. */
export function proxyAuthorization({ username, password }: URL): string | undefined {
  if (username === "") return undefined;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

/** For this process's `fetch` and `WebSocket` as well, where Node can do that (24.14). */
export function proxyFetch(env: NodeJS.ProcessEnv = process.env): void {
  const proxy = forwardProxy("https://linkup.invalid", { ...env, NO_PROXY: "", no_proxy: "" });
  if (!proxy) return;
  const { setGlobalProxyFromEnv }: { setGlobalProxyFromEnv?: (env: Record<string, string>) => unknown } =
    process.getBuiltinModule("node:http");
  const direct = `localhost,127.0.0.1,[::1],${env.no_proxy || env.NO_PROXY || ""}`;
  setGlobalProxyFromEnv?.({ HTTPS_PROXY: proxy.href, NO_PROXY: direct });
}
