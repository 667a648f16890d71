/**
 * An edge that is not ours, for a real cloudflared: CLOUDFLARED_PATH names the program, TUNNEL_EDGE (with TUNNEL_CACERT,
 * TUNNEL_TRANSPORT_PROTOCOL and TUNNEL_NO_PRECHECKS as it wants them) the edge, which must take any tunnel, and
 * LINKUP_EDGE_URL where it takes requests: one with `Host: <tunnel id>.cfargotunnel.com` goes down that tunnel.
 */
import { request } from "node:http";
import type { EdgeAnswer, EdgeRequest, Tunnels } from "./edge.ts";

export const REAL_CLOUDFLARED = process.env.CLOUDFLARED_PATH || undefined;
export const OUTER_EDGE_URL = process.env.LINKUP_EDGE_URL || undefined;

/** What a real cloudflared gets of this process's environment. */
export function realEnvironment(): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(
    ([name]) => name.startsWith("TUNNEL_") || name === "CLOUDFLARED_PATH",
  );
  return Object.fromEntries(passed);
}

export class OuterEdge implements Tunnels {
  readonly #known = new Set<string>();

  createTunnel(id: string): void {
    this.#known.add(id);
  }

  has(tunnel: string): boolean {
    return this.#known.has(tunnel);
  }

  request(tunnel: string, { method, path, headers }: EdgeRequest, body: Buffer): Promise<EdgeAnswer> {
    const { promise, resolve } = Promise.withResolvers<EdgeAnswer>();
    const failed = (error: Error) => resolve({ status: 530, headers: {}, body: Buffer.from(error.message) });
    if (!OUTER_EDGE_URL) {
      failed(new Error("LINKUP_EDGE_URL is not set"));
      return promise;
    }
    const { connection: _, ...rest } = headers;
    request(
      new URL(path, OUTER_EDGE_URL),
      { method, headers: { ...rest, host: `${tunnel}.cfargotunnel.com` }, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", failed);
        answer.on("end", () =>
          resolve({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      },
    )
      .on("error", failed)
      .end(body);
    return promise;
  }
}
