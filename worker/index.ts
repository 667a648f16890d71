/** The Worker: its API, the proxy for everything else, and a sweep by the clock. */
import { callApi, isApiPath } from "./api.ts";
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
  // A target without a path, as `OPTIONS *` has it: nothing tells where the host ends.
  if (!request.url.includes("/", "https://".length))
    return Promise.resolve(failureResponse(malformed, request));
  // Almost every request is one for the proxy, and needs no parsed URL.
  if (!request.url.includes("/linkup")) return proxy(request, env, context);
  return serveEither(request, env, context);
}

async function serveEither(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const url = URL.parse(request.url);
  if (!url) return failureResponse(malformed, request);
  const answer = isApiPath(url.pathname) ? await callApi(request, url, env) : undefined;
  return answer ?? proxy(request, env, context);
}
