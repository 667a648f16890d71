/** What an override does in place of its service: a fixed response, or a fault. */
import { STATUS_CODES } from "node:http";
import type { Routed } from "../../core/routing/route-request.ts";
import { routingTable } from "../../core/routing/routing-table.ts";
import type { InjectedFault, OverrideAction } from "../../core/session/override-action.ts";
import type { Client } from "../downstream/client.ts";
import { Fields } from "../http/fields.ts";
import { overrideFailed } from "../http/local-failures.ts";
import type { Served } from "../served-sessions.ts";
import { serviceResponse } from "./downstream-response.ts";
import type { ExchangeRecorder } from "./exchange-recorder.ts";
import { refuse } from "./forward.ts";
import { contentTypeOf, readResponseFile } from "./response-file.ts";
import { type RequestContext, serviceRequest } from "./upstream-request.ts";

export interface OverriddenExchange {
  client: Client;
  recorder: ExchangeRecorder | undefined;
  served: Served;
  decision: Routed;
  arrival: RequestContext;
}

interface Response {
  status: number;
  headers: readonly [string, string][];
  body: Buffer;
}

/** `goOn`: sends the request to its service. */
export function performOverride(
  action: OverrideAction,
  exchange: OverriddenExchange,
  goOn: (decision: Routed) => void,
): void {
  const { client, recorder, decision } = exchange;
  if ("fault" in action) {
    disturb(action.fault, exchange, goOn);
    return;
  }
  const { status = 200, headers = {}, body = "", file } = action.respond;
  const given = Object.entries(headers).map(([name, value]): [string, string] => [name, asBytes(value)]);
  const hasType = given.some(([name]) => name.toLowerCase() === "content-type");
  const answer = (content: Buffer, type: string) =>
    respond(exchange, {
      status,
      headers: hasType ? given : [...given, ["content-type", type]],
      body: content,
    });
  if (file === undefined) {
    answer(Buffer.from(body), isJson(body) ? "application/json" : "text/plain; charset=utf-8");
    return;
  }
  let gone = false;
  client.onGone = () => {
    gone = true;
    leave(recorder);
  };
  readResponseFile(exchange.served.configPath, file).then(
    (content) => {
      if (!gone) answer(content, contentTypeOf(file));
    },
    (error: Error) => {
      if (!gone) refuse(client, recorder, overrideFailed(decision.override!, error));
    },
  );
}

function disturb(fault: InjectedFault, exchange: OverriddenExchange, goOn: (decision: Routed) => void): void {
  const { client, recorder, decision } = exchange;
  const { override } = decision;
  const { delay_ms = 0, status, abort, share = 1 } = fault;
  if (Math.random() >= share) {
    const undisturbed = withoutOverride(exchange);
    recorder?.decided({ served: exchange.served, decision: undisturbed });
    goOn(undisturbed);
    return;
  }
  const go = () => {
    if (abort) {
      recorder?.aborted("service", `override ${override}`);
      client.break();
      recorder?.end();
    } else if (status !== undefined) {
      const body = Buffer.from(`${STATUS_CODES[status] ?? status}, by the override ${override}.\n`);
      respond(exchange, { status, headers: [["content-type", "text/plain; charset=utf-8"]], body });
    } else goOn(decision);
  };
  if (delay_ms === 0) {
    go();
    return;
  }
  const timer = setTimeout(go, delay_ms);
  client.onGone = () => {
    clearTimeout(timer);
    leave(recorder);
  };
}

/** The decision as it would be without the override, which is not to act this time. */
function withoutOverride({ served, decision }: OverriddenExchange): Routed {
  const { override, does, ...undisturbed } = decision;
  const { service, origin } = routingTable(served.session).services.get(decision.service.name)!;
  return { ...undisturbed, service, origin };
}

/** As if its service had sent it: pages of the session may read it, and it is logged. */
function respond(
  { client, recorder, served, decision, arrival }: OverriddenExchange,
  response: Response,
): void {
  const { status, headers, body } = response;
  const hasBody = client.method !== "HEAD" && status !== 204 && status !== 205 && status !== 304;
  const raw = [...headers.filter(([name]) => !FRAMING.has(name.toLowerCase())).flat()];
  if (hasBody) raw.push("content-length", String(body.length));
  const head = {
    status,
    reason: STATUS_CODES[status] ?? "",
    fields: new Fields(raw),
    hasBody,
    length: hasBody ? body.length : undefined,
  };
  const request = serviceRequest(client, served, decision, arrival);
  const forwarded = serviceResponse(client, served, request, arrival, head);
  client.onGone = () => leave(recorder);
  if (client.hasBody) client.read({ data() {}, end() {} });
  client.resume();
  client.respond(forwarded);
  recorder?.respond(forwarded.status, head);
  if (forwarded.hasBody) {
    client.write(body, () => {});
    recorder?.received(body);
  }
  client.end([]);
  recorder?.end();
}

/** Ours to set. */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "connection"]);

/** Its client has gone before it had an answer. */
export function leave(recorder: ExchangeRecorder | undefined): void {
  recorder?.aborted("client", "it disconnected before its response was complete");
  recorder?.end();
}

/** UTF-8, a character for each byte: header fields are bytes, which Node reads and writes as Latin-1. */
function asBytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function isJson(body: string): boolean {
  if (!/^\s*[[{]/.test(body)) return false;
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
