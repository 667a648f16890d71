/** The Worker: its API, and the proxy for everything else. */
import { text } from "./answer.ts";
import { callApi, isApiPath } from "./api.ts";
import type { Env } from "./env.ts";
import { proxy } from "./proxy.ts";

export { DirectoryObject } from "./directory-object.ts";
export { SessionObject } from "./session-object.ts";

export default {
  async fetch(request, env, context) {
    try {
      const url = new URL(request.url);
      const answer = isApiPath(url.pathname) ? await callApi(request, url, env) : undefined;
      return answer ?? (await proxy(request, env, context));
    } catch (error) {
      // The log has the details; they are nobody's business outside.
      console.error(error);
      return text(500, "Linkup's Worker failed to serve this request. Its log says why.");
    }
  },
} satisfies ExportedHandler<Env>;
