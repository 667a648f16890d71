/** The schema of linkup.yaml: validates the file and generates the JSON schema for other editors. */

import * as z from "zod/mini";
import { OVERRIDE_NAME } from "../../session/session-document.ts";
import { MAX_NAME } from "../../session/session-limits.ts";
import { SCHEMA_MESSAGES as MESSAGES } from "./config-messages.ts";

/** The documentation of a key. */
export interface KeyDoc {
  description?: string;
  examples?: unknown[];
  /** The value that applies when the key is missing. */
  default?: unknown;
}

export const keyDocs = z.registry<KeyDoc>();

const described = <T extends z.ZodMiniType>(
  schema: T,
  description: string,
  examples?: unknown[],
  otherwise?: unknown,
): T => {
  keyDocs.add(schema, {
    description,
    ...(examples ? { examples } : {}),
    ...(otherwise === undefined ? {} : { default: otherwise }),
  });
  return schema;
};

const optional = <T extends z.core.$ZodType>(schema: T) => z.optional(z.nullable(schema));

/** Without flags, which a JSON schema cannot express. */
const HTTP_URL = /^[hH][tT][tT][pP][sS]?:\/\/[^/?#\s]+/;
/** `h2c` as well: HTTP/2 without TLS, which gRPC servers speak in development. */
const LOCAL_URL = /^([hH][tT][tT][pP][sS]?|[hH]2[cC]):\/\/[^/?#\s]+/;
const httpUrl = (description: string, example: string) =>
  described(z.string(MESSAGES.aUrl).check(z.regex(HTTP_URL, MESSAGES.httpUrl)), description, [example]);

/** Names stand in headers, host names and on terminals. */
const isOneLine = (text: string) => !/[\p{Cc}\u2028\u2029]/u.test(text);

const name = (description: string, example: string) =>
  described(
    z
      .string(MESSAGES.aText)
      .check(
        z.minLength(1, MESSAGES.notEmpty),
        z.maxLength(MAX_NAME, MESSAGES.nameLength),
        z.refine(isOneLine, MESSAGES.oneLine),
      ),
    description,
    [example],
  );

const pattern = (description: string, example: string) =>
  described(z.string(MESSAGES.aPattern), description, [example]);

const rewrite = described(
  z.strictObject({
    source: pattern(
      "Regular expression, searched anywhere in the path of the request (without the query).",
      "/foo/(.*)",
    ),
    target: described(z.string(MESSAGES.aText), "The replacement of every match; $1, $2… are the groups.", [
      "/bar/$1",
    ]),
  }),
  "A rewrite of the path.",
);

const health = described(
  z.strictObject({
    path: optional(described(z.string(MESSAGES.aPath), "The path to request.", ["/healthz"], "/")),
    statuses: optional(
      described(
        z.array(
          z.int(MESSAGES.aStatus).check(z.gte(100, MESSAGES.aStatus), z.lte(599, MESSAGES.aStatus)),
          MESSAGES.statusList,
        ),
        "The status codes of a healthy service. Default: every status below 500.",
        [[200, 204]],
      ),
    ),
  }),
  "How to check whether the service is healthy.",
  [{ path: "/healthz", statuses: [200] }],
);

export const serviceSchema = described(
  z.strictObject({
    name: name("The service's name, unique in this file.", "web"),
    remote: httpUrl("URL of the shared, deployed copy of the service.", "https://web.example.com"),
    local: described(
      z.string(MESSAGES.aUrl).check(z.regex(LOCAL_URL, MESSAGES.localUrl)),
      "URL of the service when it runs on this machine. `h2c://` for a service that speaks HTTP/2 without TLS, such as a gRPC server.",
      ["http://localhost:3000", "h2c://localhost:50051"],
    ),
    directory: optional(
      described(
        z.string(MESSAGES.aPath),
        "The service's folder, relative to this file. While a session runs, its `.env.*.linkup` files are appended to the env files of the same name.",
        ["./web"],
      ),
    ),
    run: optional(
      described(
        z
          .string(MESSAGES.aCommand)
          .check(z.minLength(1, MESSAGES.notEmpty), z.refine(isOneLine, MESSAGES.oneLine)),
        "The command that starts the service on this machine, in its `directory`. The editor runs it as a task when you ask for it. Default: the development script of the package.json there.",
        ["npm run dev"],
      ),
    ),
    rewrites: optional(
      described(
        z.array(rewrite, MESSAGES.rewriteList),
        "Rewrites of the path, applied in order, each on the result of the one before.",
        [[{ source: "/foo/(.*)", target: "/bar/$1" }]],
        [],
      ),
    ),
    health: optional(health),
    fallthrough: optional(
      described(
        z.boolean(MESSAGES.aBoolean),
        "Go on to the remote copy where the local one answers 404 or refuses the connection. Only for requests without a body, or with one of at most 1 MB.",
        [true],
        false,
      ),
    ),
    preserve_host: optional(
      described(
        z.boolean(MESSAGES.aBoolean),
        "Send the local service the host name that the browser used, instead of localhost and its port.",
        [true],
        false,
      ),
    ),
    targets: optional(
      described(
        z.record(z.string(), z.string(MESSAGES.aUrl).check(z.regex(HTTP_URL, MESSAGES.httpUrl))),
        "Further copies of the service to route to: URLs by name.",
        [{ staging: "https://web.staging.example.com" }],
      ),
    ),
    target: optional(
      described(
        z.string(MESSAGES.aText),
        "Where the service is in a new session: `remote`, `local`, `auto` (local while something listens at its local URL, remote otherwise), or a name of its `targets`.",
        ["auto", "local", "remote"],
      ),
    ),
  }),
  "A part of the system that answers HTTP requests.",
);

const route = described(
  z.strictObject({
    path: pattern(
      "Regular expression, searched anywhere in the path of the request (without the query).",
      "^/api/.*",
    ),
    service: name("The service for these paths.", "api"),
  }),
  "Paths of the domain that go to another service.",
);

export const domainSchema = described(
  z.strictObject({
    domain: name("Host name, without scheme, port and session name.", "example.com"),
    default_service: name("The service for every path that no route matches.", "web"),
    routes: optional(
      described(
        z.array(route, MESSAGES.routeList),
        "Paths that go to other services. The first route that matches wins.",
        [[{ path: "^/api/.*", service: "api" }]],
        [],
      ),
    ),
  }),
  "A host name of the system.",
);

const accessMode = z.enum(["public", "unguessable", "private"], MESSAGES.anAccessMode);

/** The long form of `linkup.access`. */
export const accessSchema = described(
  z.strictObject({
    mode: described(accessMode, "Who can open the session; the same values as the short form of `access`.", [
      "private",
    ]),
    open: optional(
      described(
        z.array(
          pattern("Regular expression, searched anywhere in the path.", "^/webhooks/"),
          MESSAGES.patternList,
        ),
        "Paths of a private session that are open to everyone, such as webhooks.",
        [["^/webhooks/"]],
        [],
      ),
    ),
  }),
  "Who can open the session, and which of its paths are open to everyone.",
);

const linkup = described(
  z.strictObject({
    worker_url: httpUrl("URL of the Linkup Worker.", "https://linkup.example.com"),
    worker_token: optional(
      described(
        z.string(MESSAGES.aText),
        "Bearer token of the Worker's API. Better kept out of this file: omit it and use the editor's secret storage or LINKUP_WORKER_TOKEN, or name a variable as ${env:LINKUP_…}.",
        ["${env:LINKUP_WORKER_TOKEN}"],
      ),
    ),
    access: optional(
      described(
        z.union([accessMode, accessSchema], MESSAGES.anAccess),
        "Who can open the session: everyone who knows its URL (`public`); the same, with ten random characters in its name (`unguessable`); or only those whom you invite (`private`). Default: the Worker's setting, otherwise `public`.",
        ["private", "unguessable"],
      ),
    ),
    cache_routes: optional(
      described(
        z.array(
          pattern("Regular expression, searched anywhere in the path.", "^/static/.*"),
          MESSAGES.patternList,
        ),
        "Paths whose responses keep their caching headers; every other response gets `Cache-Control: no-cache`.",
        [["^/static/.*"]],
        [],
      ),
    ),
    session_cookie: optional(
      described(
        z.boolean(MESSAGES.aBoolean),
        "Set a cookie on the session's pages, to find the session of requests that nothing else identifies, such as OAuth callbacks. With two sessions in one browser the last page visited counts.",
        [false],
        true,
      ),
    ),
    baggage: optional(
      described(
        z.boolean(MESSAGES.aBoolean),
        "Name the session in the `baggage` header too, which OpenTelemetry SDKs forward by default.",
        [false],
        true,
      ),
    ),
  }),
  "How to reach the Linkup Worker.",
);

const defaults = described(
  z.strictObject({
    target: optional(
      described(
        z.enum(["auto", "local", "remote"], MESSAGES.aDefaultTarget),
        "Where services without a `target` are in a new session. `auto`: local while something listens at their local URL, remote otherwise.",
        ["auto", "local", "remote"],
        "remote",
      ),
    ),
  }),
  "Defaults for services that do not set these keys themselves.",
);

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const headerName = z.string(MESSAGES.headerMap).check(z.regex(HEADER_NAME, MESSAGES.headerMap));
const METHODS = /^[A-Za-z-]{1,30}( *, *[A-Za-z-]{1,30}){0,20}$/;
const responseStatus = z
  .int(MESSAGES.aResponseStatus)
  .check(z.gte(200, MESSAGES.aResponseStatus), z.lte(599, MESSAGES.aResponseStatus));

const when = described(
  z.strictObject({
    path: optional(
      pattern("Regular expression, searched anywhere in the path of the request, before rewrites.", "^/pay"),
    ),
    method: optional(
      described(
        z.string(MESSAGES.methodList).check(z.regex(METHODS, MESSAGES.methodList)),
        "The method, or several with commas between them.",
        ["POST", "PUT, PATCH"],
      ),
    ),
    header: optional(
      described(
        z.record(headerName, z.string(MESSAGES.aPattern), MESSAGES.headerMap),
        "Headers that the request must have, and a regular expression for the value of each.",
        [{ "x-user": "^test-" }],
      ),
    ),
  }),
  "Which requests; all of its conditions have to hold. Default: all.",
);

const respond = described(
  z.strictObject({
    status: optional(described(responseStatus, "The status code.", [503], 200)),
    headers: optional(
      described(
        z.record(
          headerName,
          z.string(MESSAGES.aHeaderValue).check(z.refine(isOneLine, MESSAGES.aHeaderValue)),
          MESSAGES.headerMap,
        ),
        "The headers. Without a content-type it follows from the name of the file; `application/json` for a body that is JSON.",
        [{ "content-type": "application/json" }],
      ),
    ),
    body: optional(described(z.string(MESSAGES.aText), "The body.", ['{"paid": false}'])),
    file: optional(
      described(
        z.string(MESSAGES.aPath).check(z.minLength(1, MESSAGES.notEmpty)),
        "The file with the body, relative to this file: in its folder or below, at most 10 MB. Read for each request.",
        ["mocks/pay.json"],
      ),
    ),
  }),
  "A fixed response, without any service.",
);

const fault = described(
  z.strictObject({
    delay_ms: optional(
      described(
        z.int(MESSAGES.aDelay).check(z.gte(0, MESSAGES.aDelay), z.lte(60_000, MESSAGES.aDelay)),
        "Milliseconds to wait first.",
        [2000],
        0,
      ),
    ),
    status: optional(described(responseStatus, "Answer with this status instead of the service.", [500])),
    abort: optional(
      described(z.boolean(MESSAGES.aBoolean), "Close the connection without an answer.", [true], false),
    ),
    share: optional(
      described(
        z.number(MESSAGES.aShare).check(z.gt(0, MESSAGES.aShare), z.lte(1, MESSAGES.aShare)),
        "The fraction of the requests that get the fault, chosen at random; the others go to their service.",
        [0.1],
        1,
      ),
    ),
  }),
  "A fault: a delay, an error or a broken connection.",
);

export const overrideSchema = described(
  z.strictObject({
    name: described(
      z.string(MESSAGES.aText).check(z.regex(OVERRIDE_NAME, MESSAGES.anOverrideName)),
      "The override's name, unique in this file; responses carry it in `linkup-override`.",
      ["payments-down"],
    ),
    enabled: optional(
      described(
        z.boolean(MESSAGES.aBoolean),
        "Whether the override is on in a session until it is switched there.",
        [true],
        false,
      ),
    ),
    service: optional(name("Only requests that are routed to this service.", "api")),
    domain: optional(name("Only requests for this domain.", "example.com")),
    when: optional(when),
    target: optional(
      described(
        z.string(MESSAGES.aText).check(z.minLength(1, MESSAGES.notEmpty)),
        "Where these requests go instead: `local`, `remote`, a URL, or a name among the `targets` of the service.",
        ["local", "remote", "https://staging.example.com"],
      ),
    ),
    fallthrough: optional(
      described(
        z.boolean(MESSAGES.aBoolean),
        "With `target: local`: go on to the remote copy where the local one answers 404 or refuses the connection.",
        [true],
        false,
      ),
    ),
    respond: optional(respond),
    fault: optional(fault),
  }),
  "Requests of a service that go elsewhere, get a fixed response or a fault. Exactly one of `target`, `respond` and `fault`. The first override that is on and matches wins.",
  [{ name: "payments-down", service: "api", when: { path: "^/pay" }, respond: { status: 503 } }],
);

const compare = described(
  z.strictObject({
    ignore: optional(
      described(
        z.array(
          described(z.string(MESSAGES.aText), "A place in a JSON body, or a header.", ["**.updatedAt"]),
          MESSAGES.textList,
        ),
        "Differences to ignore: places in JSON bodies (`updatedAt`, `items.*.id`, `**.requestId`: `*` stands for one step, `**` for any number) and headers (`header:cache-control`).",
        [["**.updatedAt", "items.*.id", "header:set-cookie"]],
        [],
      ),
    ),
  }),
  "How the responses of the local and the remote copy of a service are compared.",
);

export const configSchema = described(
  z.strictObject({
    linkup,
    services: described(
      z.array(serviceSchema, MESSAGES.serviceList).check(z.minLength(1, MESSAGES.oneService)),
      "The services of the system.",
    ),
    domains: described(
      z.array(domainSchema, MESSAGES.domainList).check(z.minLength(1, MESSAGES.oneDomain)),
      "The host names of the system, and their services.",
    ),
    overrides: optional(
      described(
        z.array(overrideSchema, MESSAGES.overrideList),
        "Requests that sessions on this machine send elsewhere, answer themselves or let fail. Each override is off until it is switched on.",
        undefined,
        [],
      ),
    ),
    compare: optional(compare),
    defaults: optional(defaults),
  }),
  "A web system whose services Linkup routes to this machine or to their deployed copies.",
);
