/** How responses of Linkup itself are told from those of services. */

/** The code of a failure, on responses of Linkup itself. */
export const FAILURE_HEADER = "linkup-error";

/** How Linkup's own 422 and 404 begin, the existing Linkup's included, which has no such header. */
const CONTRACT_BEGINNING =
  /^(?:Linkup was unable to determine the session origin|The request belonged to a session, but there was no target)/;

/** True when Linkup responded in a service's place. `body`: its beginning. */
export function isOwnFailure(status: number, header: string | undefined, body: string): boolean {
  return header !== undefined || ((status === 422 || status === 404) && CONTRACT_BEGINNING.test(body));
}
