/** A request of the log as a command for a shell. */
import type { ExchangeDetails } from "../../core/api/request-log-api.ts";

/** What curl says by itself. */
const OWN: ReadonlySet<string> = new Set(["host", "content-length", "accept-encoding"]);

/**
 * Repeats it through the local server at this port, wherever the host's name leads. Secrets are `***`, to be filled in.
 * A body that was not kept is a comment.
 */
export function curlCommand(exchange: ExchangeDetails, browserPort: number): string {
  const { method, secure, host, target, request_headers, request_body, request_bytes } = exchange;
  const words = [
    `curl ${quoted(`${secure ? "https" : "http"}://${host}${target}`)}`,
    `--connect-to ${quoted(`::127.0.0.1:${browserPort}`)}`,
    ...(method === "GET" ? [] : method === "HEAD" ? ["--head"] : [`--request ${quoted(method)}`]),
    ...request_headers
      .filter(([name]) => !OWN.has(name.toLowerCase()))
      // `name;` is how curl is told to send an empty one.
      .map(([name, value]) => `--header ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`),
    ...(request_headers.some(([name]) => name.toLowerCase() === "accept-encoding") ? ["--compressed"] : []),
    ...(request_body?.text === undefined ? [] : [`--data-binary ${quoted(request_body.text)}`]),
  ];
  const whole = request_body?.text !== undefined && !request_body.cut;
  const note =
    request_bytes > 0 && !whole ? `# The body had ${request_bytes} bytes, which were not kept.\n` : "";
  return `${note}${words.join(" \\\n  ")}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
