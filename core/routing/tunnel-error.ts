/** The error of Cloudflare's edge when no cloudflared is connected to a tunnel: other responses may have its status too. */

export const TUNNEL_ERROR_STATUS = 530;
/** As text `error code: 1033`, as a page "Error 1033"; 1016 while the DNS record is new. */
const TUNNEL_ERROR = /\berror(?: code)?:?\s*(?:<[^>]*>\s*)*10(?:33|16)\b/i;

/** True for the beginning of the edge's error page. */
export function isTunnelErrorPage(text: string): boolean {
  return TUNNEL_ERROR.test(text);
}
