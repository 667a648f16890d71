/** Health checks of services: over the proxy's own connections, so that a service is healthy when the proxy can serve it. */
import type { ProbeRequest, ProbeResponse } from "../../core/api/control-api.ts";
import { FAILURE_HEADER, isOwnFailure } from "../../core/routing/own-failure.ts";
import { isH2c } from "../../core/session/host-name.ts";
import { httpOrigin } from "../../core/session/session-document.ts";
import { HeaderLines } from "../http/fields.ts";
import type { ResponseHead } from "../http/response-parser.ts";
import type { Pool } from "../upstream/pool.ts";
import type { UpstreamRequest, UpstreamStream } from "../upstream/upstream-stream.ts";

const HEADERS = new HeaderLines(["user-agent", "linkup-health", "accept", "*/*"]);
/** A session's start asks many services at once. */
const MAX_TIMEOUT_MS = 10_000;

/** Undefined unless it is well-formed. */
export function parseProbe(body: unknown): ProbeRequest | undefined {
  const { location, path, timeout_ms } = (body ?? {}) as Partial<Record<keyof ProbeRequest, unknown>>;
  if (typeof location !== "string" || !httpOrigin(location) || !URL.canParse(location)) return undefined;
  if (typeof path !== "string" || !/^\/[!-~]*$/.test(path)) return undefined;
  if (typeof timeout_ms !== "number" || !(timeout_ms > 0)) return undefined;
  return { location, path, timeout_ms: Math.min(timeout_ms, MAX_TIMEOUT_MS) };
}

/** Never rejects. The response's body is not read, but for the beginning of one that may be Linkup's own. */
export function probe(pool: Pool, { location, path, timeout_ms }: ProbeRequest): Promise<ProbeResponse> {
  const { promise, resolve } = Promise.withResolvers<ProbeResponse>();
  const origin = httpOrigin(location)!;
  const h2c = isH2c(location);
  let upstream: UpstreamStream | undefined;
  let giveUp = () => {};
  const finish = (response: ProbeResponse) => {
    clearTimeout(timer);
    upstream?.abort();
    giveUp();
    resolve(response);
  };
  const failed = (error: NodeJS.ErrnoException, timedOut = false) =>
    finish({ error: { message: error.message, code: error.code, timed_out: timedOut } });
  const timer = setTimeout(() => failed(new Error("it did not answer in time"), true), timeout_ms);

  let retried = false;
  let head: ResponseHead | undefined;
  const answered = (body: string) =>
    finish({
      status: head!.status,
      own_failure: isOwnFailure(head!.status, head!.fields.get(FAILURE_HEADER), body),
    });
  const start = (fresh: boolean) => {
    giveUp = pool.acquire(origin, { retriable: true, fresh, upgrade: false, h2c }, (error, stream) => {
      if (!stream) return failed(error!);
      upstream = stream;
      send(stream);
    });
  };
  const send = (stream: UpstreamStream) => {
    stream.request(request(origin, h2c, path), {
      information() {},
      head(response) {
        head = response;
        if (response.status !== 422 && response.status !== 404) answered("");
      },
      data(chunk, done) {
        const text = chunk.toString("latin1");
        done();
        answered(text);
      },
      end: () => answered(""),
      caughtUp() {},
      switched: (_head, socket) => socket.destroy(),
      drained() {},
      failed(error, stale) {
        if (!stale || retried) return failed(error);
        retried = true;
        start(true);
      },
    });
    stream.finish([]);
  };
  start(false);
  return promise;
}

function request(origin: string, h2c: boolean, path: string): UpstreamRequest {
  return {
    origin,
    h2c,
    method: "GET",
    target: path,
    host: origin.slice(origin.indexOf("//") + 2),
    lines: HEADERS,
    traceparent: undefined,
    hop: undefined,
    acceptsTrailers: false,
    trailer: undefined,
    upgrade: undefined,
    body: "none",
  };
}
