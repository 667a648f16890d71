/** Host names as they come in URLs and headers. */

/** Lower case, without port, without the root's dot: `Slim.Example.com.:80` → `slim.example.com`; `[::1]:80` → `[::1]`. */
export function hostname(host: string): string {
  let end = host.length;
  if (host.startsWith("[")) {
    const close = host.indexOf("]");
    if (close !== -1) end = close + 1;
  } else {
    const colon = host.indexOf(":");
    if (colon !== -1) end = colon;
  }
  if (host[end - 1] === ".") end--;
  return host.slice(0, end).trim().toLowerCase();
}

/** The host (with port) of an absolute URL as `Referer` and `Origin` carry it; undefined for anything else (`null`, garbage). */
export function hostOfUrl(url: string): string | undefined {
  const match = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]+)/i.exec(url);
  return match?.[1];
}

/** The first label, when the host has three or more: `slim-gecko` of `slim-gecko.example.com`. */
export function sessionLabel(host: string): string | undefined {
  const name = hostname(host);
  const first = name.indexOf(".");
  return first > 0 && name.indexOf(".", first + 1) !== -1 ? name.slice(0, first) : undefined;
}

/** The host without port and without this session's label: `slim-gecko.example.com:80` → `example.com`. */
export function withoutSession(host: string, session: string): string {
  const name = hostname(host);
  return name.startsWith(session) && name[session.length] === "." ? name.slice(session.length + 1) : name;
}

/** True for `localhost`, `*.localhost`, 127.0.0.0/8, `::1` and the unspecified addresses: they mean "this machine". */
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
