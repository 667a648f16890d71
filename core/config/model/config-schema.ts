/** The one schema of linkup.yaml: it checks the file and makes the JSON schema for other editors. */

import * as z from "zod/mini";

/** What people are told of a key. */
export interface KeyDoc {
  description?: string;
  examples?: unknown[];
  /** What holds where the key is missing. */
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

/** Without flags, which a JSON schema cannot say. */
const HTTP_URL = /^[hH][tT][tT][pP][sS]?:\/\/[^/?#\s]+/;
const httpUrl = (description: string, example: string) =>
  described(
    z.string("must be a URL").check(z.regex(HTTP_URL, `must be an http or https URL, such as ${example}`)),
    description,
    [example],
  );

const name = (description: string, example: string) =>
  described(z.string("must be text").check(z.minLength(1, "must not be empty")), description, [example]);

const pattern = (description: string, example: string) =>
  described(z.string("must be a regular expression"), description, [example]);

const rewrite = described(
  z.strictObject({
    source: pattern(
      "Regular expression, searched in the path of the request (the query is not included).",
      "/foo/(.*)",
    ),
    target: described(z.string("must be text"), "What every match is replaced by; $1, $2… are the groups.", [
      "/bar/$1",
    ]),
  }),
  "A rewrite of the path.",
);

const health = described(
  z.strictObject({
    path: optional(described(z.string("must be a path"), "The path that is asked.", ["/healthz"], "/")),
    statuses: optional(
      described(
        z.array(
          z
            .int("must be a status code")
            .check(z.gte(100, "must be a status code"), z.lte(599, "must be a status code")),
          "must be a list of status codes",
        ),
        "The statuses that mean healthy. Without it every answer below 500 does.",
        [[200, 204]],
      ),
    ),
  }),
  "How to find out whether the service is up.",
  [{ path: "/healthz", statuses: [200] }],
);

export const serviceSchema = described(
  z.strictObject({
    name: name("The service's name, unique in this file.", "web"),
    remote: httpUrl("Where the shared, deployed copy of the service answers.", "https://web.example.com"),
    local: httpUrl("Where the service answers when it runs on this machine.", "http://localhost:3000"),
    directory: optional(
      described(
        z.string("must be a path"),
        "The service's folder, relative to this file. While a session runs, its `.env.*.linkup` files are appended to the env files of the same name.",
        ["./web"],
      ),
    ),
    rewrites: optional(
      described(
        z.array(rewrite, "must be a list of rewrites"),
        "Rewrites of the path, applied in order, each on the result of the one before.",
        [[{ source: "/foo/(.*)", target: "/bar/$1" }]],
        [],
      ),
    ),
    health: optional(health),
    preserve_host: optional(
      described(
        z.boolean("must be true or false"),
        "Give the local service the host name that the browser used, instead of localhost and its port.",
        [true],
        false,
      ),
    ),
  }),
  "A part of the system that answers HTTP requests.",
);

const route = described(
  z.strictObject({
    path: pattern(
      "Regular expression, found anywhere in the path of the request (the query is not included).",
      "^/api/.*",
    ),
    service: name("The service that serves these paths.", "api"),
  }),
  "Paths of the domain that another service serves.",
);

export const domainSchema = described(
  z.strictObject({
    domain: name("Host name, without scheme, port and session name.", "example.com"),
    default_service: name("The service that serves every path that no route takes.", "web"),
    routes: optional(
      described(
        z.array(route, "must be a list of routes"),
        "Paths that other services serve. The first route whose path matches wins.",
        [[{ path: "^/api/.*", service: "api" }]],
        [],
      ),
    ),
  }),
  "A host name of the system.",
);

const linkup = described(
  z.strictObject({
    worker_url: httpUrl("Where the Linkup Worker answers its API.", "https://linkup.example.com"),
    worker_token: optional(
      described(
        z.string("must be text"),
        "Bearer token of the Worker's API. Better kept out of this file: leave it away and use the editor's secret storage or LINKUP_WORKER_TOKEN, or name a variable as ${env:NAME}.",
        ["${env:LINKUP_WORKER_TOKEN}"],
      ),
    ),
    cache_routes: optional(
      described(
        z.array(
          pattern("Regular expression, found anywhere in the path.", "^/static/.*"),
          "must be a list of regular expressions",
        ),
        "Paths whose responses keep their caching headers; every other response gets `Cache-Control: no-cache`.",
        [["^/static/.*"]],
        [],
      ),
    ),
  }),
  "How to reach the Linkup Worker.",
);

export const configSchema = described(
  z.strictObject({
    linkup,
    services: described(
      z
        .array(serviceSchema, "must be a list of services")
        .check(z.minLength(1, "must have at least one service")),
      "The services of the system.",
    ),
    domains: described(
      z
        .array(domainSchema, "must be a list of domains")
        .check(z.minLength(1, "must have at least one domain")),
      "The host names of the system, and which service serves them.",
    ),
  }),
  "A web system whose services Linkup routes to this machine or to their deployed copies.",
);
