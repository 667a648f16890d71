/** The Worker: its API, the proxy for everything else, and a sweep by the clock. */
import type { RequestHead } from "../core/request.ts";
import { callApi, isApiCall } from "./api.ts";
import type { Env } from "./env.ts";
import { failureResponse } from "./failure.ts";
import { malformed, workerFailed } from "./failures.ts";
import { proxy } from "./proxy.ts";
import { sweep } from "./sweep.ts";

export { DirectoryObject } from "./directory-object.ts";
export { SessionObject } from "./session-object.ts";

export default {
  fetch(request, env, context) {
    return serve(request, env, context).catch((error) => {
      // The log has the details; they are nobody's business outside.
      console.error(error);
      return failureResponse(workerFailed, request);
    });
  },

  async scheduled(_controller, env) {
    await sweep(env);
  },
} satisfies ExportedHandler<Env>;

function serve(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const head = headOf(request);
  if (!head) return Promise.resolve(failureResponse(malformed, request));
  return isApiCall(head) ? serveApi(request, head, env, context) : proxy(request, head, env, context);
}

async function serveApi(
  request: Request,
  head: RequestHead,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  const url = URL.parse(request.url);
  if (!url) return failureResponse(malformed, request);
  return (await callApi(request, url, env)) ?? proxy(request, head, env, context);
}

/** Undefined for a target without a path, as `OPTIONS *` has it: nothing tells where the host ends. */
function headOf({ url, headers }: Request): RequestHead | undefined {
  const host = url.indexOf("//") + 2;
  const path = url.indexOf("/", host);
  if (path === -1) return undefined;
  return { host: url.slice(host, path), target: url.slice(path), header: (name) => headers.get(name) };
}
