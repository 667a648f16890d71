/** The Worker: its API, the proxy for everything else, and a sweep by the clock. */
import type { RequestHead } from "../core/routing/routing-input.ts";
import { callApi, isApiCall } from "./api/api.ts";
import type { Env } from "./env.ts";
import { failureResponse } from "./proxy/failure.ts";
import { failed, malformed } from "./proxy/failures.ts";
import { proxy } from "./proxy/proxy.ts";
import { sweep } from "./sweep.ts";

export { DirectoryObject } from "./objects/directory-object.ts";
export { SessionObject } from "./objects/session-object.ts";

export default {
  fetch(request, env, context) {
    const head = headOf(request);
    if (!head) return failureResponse(malformed, request);
    return isApiCall(head) ? serveApi(request, head, env, context) : proxy(request, head, env, context);
  },

  async scheduled(_controller, env) {
    await sweep(env);
  },
} satisfies ExportedHandler<Env>;

async function serveApi(
  request: Request,
  head: RequestHead,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  const url = URL.parse(request.url);
  if (!url) return failureResponse(malformed, request);
  try {
    return (await callApi(request, url, env)) ?? proxy(withoutToken(request), head, env, context);
  } catch (error) {
    return failed(error, request);
  }
}

/** A path under /linkup that is no call of the API belongs to a service, and the Worker's token is not for services. */
function withoutToken(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  return new Request(request, { headers });
}

/** Undefined for a target without a path, as `OPTIONS *` has it: nothing tells where the host ends. */
function headOf({ url, headers }: Request): RequestHead | undefined {
  const host = url.indexOf("//") + 2;
  const path = url.indexOf("/", host);
  if (path === -1) return undefined;
  // Asked for by each step; every look into the headers leaves JavaScript.
  const destination = headers.get("linkup-destination");
  return {
    host: url.slice(host, path),
    target: url.slice(path),
    header: (name) => (name === "linkup-destination" ? destination : headers.get(name)),
  };
}
