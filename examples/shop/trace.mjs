/**
 * The headers that a service passes on from the request it is answering to each request it makes itself.
 *
 * This is all that a system needs so that a request stays in its session behind the first hop: `tracestate`
 * carries `linkup-session=<name>` beside whatever else is in there. A system with W3C Trace Context
 * (OpenTelemetry, most APM agents) does this already.
 *
 * `linkup-destination` and `x-forwarded-host` are left out on purpose: they say where *this* request was
 * going, and the next one goes elsewhere.
 *
 * @param {import("node:http").IncomingHttpHeaders} incoming headers of the request being answered
 * @returns {Record<string, string>} those of `traceparent` and `tracestate` that were there
 */
export function traceHeaders(incoming) {
  const outgoing = {};
  for (const name of ["traceparent", "tracestate"]) {
    if (incoming[name]) outgoing[name] = String(incoming[name]);
  }
  return LOSSES[process.env.LOSE]?.(outgoing) ?? outgoing;
}

/** The mistakes that `start.mjs --lose` plants, for `linkup check-propagation` to find. */
export const LOSSES = {
  tracestate: ({ traceparent }) => (traceparent ? { traceparent } : {}),
  member: (headers) => ({ ...headers, tracestate: "linkup-session=nobody" }),
  all: () => ({}),
};
