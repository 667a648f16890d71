/** The Worker: its API, the proxy for all other requests, and a scheduled sweep. */
import { JOIN_PATH } from "./api/access.ts";
import { callApi, isUnderLinkup } from "./api/call-api.ts";
import { bearerToken, isWorkerToken } from "./api/caller.ts";
import type { Env } from "./env.ts";
import { serveJoin } from "./page/join-page.ts";
import { isPageHost, servePage } from "./page/page.ts";
import { proxy } from "./proxy/proxy.ts";
import { headOf, type ReceivedHead } from "./proxy/received-head.ts";
import { failureResponse, malformed, workerFailed } from "./proxy/worker-failures.ts";
import { sweep } from "./sweep.ts";

export { DirectoryObject } from "./objects/directory-object.ts";
export { SessionObject } from "./objects/session-object.ts";

export default {
  fetch(request, env, context) {
    const head = headOf(request);
    if (!head) return failureResponse(malformed, request);
    if (isPageHost(head.host, env)) return serveOwnHost(request, env, context);
    return isUnderLinkup(head) ? serveApi(request, head, env, context) : proxy(request, head, env, context);
  },

  async scheduled(_controller, env) {
    await sweep(env);
  },
} satisfies ExportedHandler<Env>;

async function serveApi(
  request: Request,
  head: ReceivedHead,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  const url = URL.parse(request.url);
  if (!url) return failureResponse(malformed, request);
  try {
    const response =
      (await callApi(request, url, env, context)) ??
      (url.pathname === JOIN_PATH ? await serveJoin(request, url, head, env, context) : undefined);
    return response ?? proxy(await withoutWorkerToken(request, env), head, env, context);
  } catch (error) {
    return workerFailed(error, request);
  }
}

/** The API and the operators' page, and nothing else. */
async function serveOwnHost(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const url = URL.parse(request.url);
  if (!url) return failureResponse(malformed, request);
  try {
    return (await callApi(request, url, env, context)) ?? (await servePage(request, url, env, context));
  } catch (error) {
    return workerFailed(error, request);
  }
}

/** A path under /linkup that is no API call belongs to a service, and services must not see the Worker's tokens. */
async function withoutWorkerToken(request: Request, env: Env): Promise<Request> {
  const token = bearerToken(request.headers);
  if (token === undefined || !(await isWorkerToken(token, env))) return request;
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  return new Request(request, { headers });
}
