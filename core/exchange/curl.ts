/** A request of the log as a command for a shell. A stranger may have sent it: it must be safe to paste. */
import type { ExchangeDetails } from "../api/request-log-api.ts";
import { isToken } from "../http-token.ts";

/** Headers that curl sends by itself. */
const SENT_BY_CURL: ReadonlySet<string> = new Set(["host", "content-length", "accept-encoding"]);

/**
 * Repeats the request through the local server at this port, whatever the host's name resolves to. Secrets are `***`, to be
 * filled in. A body that was not kept is a comment.
 */
export function curlCommand(exchange: ExchangeDetails, browserPort: number): string {
  const { method, secure, host, target, request_headers, request_body, request_bytes } = exchange;
  // Of any other name curl could make something else: headers from a file where it begins with `@`.
  const headers = request_headers.filter(([name]) => isToken(name) && !SENT_BY_CURL.has(name.toLowerCase()));
  const words = [
    // `--globoff`: brackets and braces in the URL are no ranges.
    `curl --globoff --url ${quoted(`${secure ? "https" : "http"}://${host}${target}`)}`,
    `--connect-to ${quoted(`::127.0.0.1:${browserPort}`)}`,
    ...(method === "GET" ? [] : method === "HEAD" ? ["--head"] : [`--request ${quoted(method)}`]),
    // `name;` makes curl send an empty header.
    ...headers.map(([name, value]) => `--header ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`),
    ...(request_headers.some(([name]) => name.toLowerCase() === "accept-encoding") ? ["--compressed"] : []),
    // Not `--data-binary`, which reads a file where the body begins with `@`.
    ...(request_body?.text === undefined ? [] : [`--data-raw ${quoted(request_body.text)}`]),
  ];
  const whole = request_body?.text !== undefined && !request_body.cut;
  const note = request_bytes > 0 && !whole ? `# The body of ${request_bytes} bytes was not kept.\n` : "";
  return `${note}${words.join(" \\\n  ")}\n`;
}

/**
 * One word for bash, zsh and others. Control characters, which a terminal would obey while they are pasted, and whatever is
 * not ASCII are escaped: `$'…'` is what these shells know for that.
 */
function quoted(text: string): string {
  if (/^[ -~]*$/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = text.replace(/['\\]|[^ -~]+/gu, (characters) => {
    if (characters === "'" || characters === "\\") return `\\${characters}`;
    return [...new TextEncoder().encode(characters)]
      .map((byte) => `\\${byte.toString(8).padStart(3, "0")}`)
      .join("");
  });
  return `$'${escaped}'`;
}
