/** Tells the error of Cloudflare's edge, when no cloudflared is connected to a tunnel, from a service's own response. */
import { isTunnelErrorPage, TUNNEL_ERROR_STATUS } from "../../core/routing/tunnel-error.ts";
import { ANSWERED_HEADER } from "./response.ts";

/** The edge's error page is smaller. */
const MAX_ERROR_PAGE_BYTES = 64 * 1024;

/** Consumes the body when it is the edge's error; otherwise the response can be passed on. */
export async function isTunnelError(response: Response): Promise<boolean> {
  if (response.status !== TUNNEL_ERROR_STATUS || response.headers.has(ANSWERED_HEADER)) return false;
  const length = Number(response.headers.get("content-length") ?? 0);
  if (length > MAX_ERROR_PAGE_BYTES || !response.body) return false;
  const isError = isTunnelErrorPage(await beginning(response.clone()));
  if (isError) await response.body.cancel();
  return isError;
}

async function beginning({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body!) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ERROR_PAGE_BYTES) break;
  }
  return text;
}
