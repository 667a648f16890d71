/** Stands for Cloudflare's cache, as workerd asks it for what `caches` is asked. */
import type { IncomingMessage, ServerResponse } from "node:http";

interface Kept {
  status: number;
  headers: [string, string][];
  body: Buffer;
}

export class CacheStandIn {
  readonly #kept = new Map<string, Kept>();
  /** How often it was asked, and answered with what it had. */
  asked = 0;
  hits = 0;
  /** Answers nothing but errors. */
  broken = false;

  /** How many answers are kept for hosts that begin so. */
  count(hosts: string): number {
    return Array.from(this.#kept.keys()).filter((place) => place.split(" ")[1]!.startsWith(hosts)).length;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const place = `${request.headers["cf-cache-namespace"]} ${request.headers.host}${request.url}`;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (this.broken) request.socket.destroy();
    else if (request.method === "PUT") {
      this.#kept.set(place, parse(Buffer.concat(parts)));
      response.writeHead(204).end();
    } else this.#match(request, response, this.#kept.get(place));
  }

  #match(request: IncomingMessage, response: ServerResponse, kept: Kept | undefined): void {
    this.asked++;
    if (request.headers["cache-control"] !== "only-if-cached")
      throw new Error("This is no look into the cache.");
    if (!kept) {
      response.writeHead(504, { "cf-cache-status": "MISS" }).end();
      return;
    }
    this.hits++;
    const etag = kept.headers.find(([name]) => name.toLowerCase() === "etag")?.[1];
    const same = etag !== undefined && request.headers["if-none-match"] === etag;
    response.writeHead(same ? 304 : kept.status, [...kept.headers.flat(), "cf-cache-status", "HIT"]);
    response.end(same ? undefined : kept.body);
  }
}

/** An HTTP/1.1 response as text, which is how workerd hands one over. */
function parse(bytes: Buffer): Kept {
  const end = bytes.indexOf("\r\n\r\n");
  const [status = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  return {
    status: Number(status.split(" ")[1]),
    headers: lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
    body: bytes.subarray(end + 4),
  };
}
