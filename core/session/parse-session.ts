/** Checks session documents, and the requests that create or change one. */
import * as z from "zod/mini";
import { lazy } from "../lazy.ts";
import { compile } from "../regex/pattern.ts";
import { formatText } from "../text.ts";
import { asciiDomain, refusedDomainError } from "./domain-name.ts";
import {
  httpOrigin,
  isHttpUrl,
  OVERRIDE_NAME,
  type Override,
  type Routing,
  SESSION_ACCESS,
  type Session,
  type SessionAccess,
  type UpsertRequest,
} from "./session-document.ts";
import {
  MAX_DOMAINS,
  MAX_NAME,
  MAX_OPEN_PATH,
  MAX_OPEN_PATHS,
  MAX_OVERRIDES,
  MAX_PATTERN_TEXT,
  MAX_PATTERNS,
  MAX_REPLACEMENT,
  patternTotals,
} from "./session-limits.ts";
import { sessionNameError } from "./session-name.ts";

/** A list that may be missing or null; both mean empty. */
const list = <T extends z.core.$ZodType>(item: T) =>
  z.pipe(
    z.optional(z.nullable(z.array(item))),
    z.transform((items) => items ?? []),
  );

/** Names stand in headers, where a line break would begin another one. */
const name = lazy(() =>
  z
    .string()
    .check(
      z.minLength(1, "must not be empty"),
      z.maxLength(MAX_NAME, `must have at most ${MAX_NAME} characters`),
      z.regex(/^\P{Cc}*$/u, "must not contain line breaks or other control characters"),
    ),
);

const pattern = lazy(() =>
  z.string().check(
    z.superRefine((source, context) => {
      const compiled = compile(source);
      if (compiled.ok) return;
      for (const error of compiled.errors)
        context.addIssue({
          code: "custom",
          message: `is not a valid regular expression: ${error.message}`,
          input: source,
        });
    }),
  ),
);

const locationOf = (schemes: string, accepts: (url: string) => boolean) =>
  z.string().check(
    z.superRefine((value, context) => {
      if (!accepts(value) || !URL.canParse(value))
        context.addIssue({
          code: "custom",
          message: `must be ${schemes} URL, not ${JSON.stringify(value)}`,
          input: value,
        });
    }),
  );

/** Where the Worker can send requests. */
const publicLocation = lazy(() => locationOf("an http or https", isHttpUrl));
/** Where the local server can. */
const anyLocation = lazy(() =>
  locationOf("an http, https or h2c", (value) => httpOrigin(value) !== undefined),
);
type Location = ReturnType<typeof locationOf>;

const replacement = lazy(() =>
  z.string().check(z.maxLength(MAX_REPLACEMENT, `must have at most ${MAX_REPLACEMENT} characters`)),
);

const sessionName = lazy(() =>
  z.string().check(
    z.superRefine((name, context) => {
      const problem = sessionNameError(name);
      if (problem) context.addIssue({ code: "custom", message: formatText(problem), input: name });
    }),
  ),
);

const serviceAt = (location: Location) =>
  z.object({
    name: name(),
    location,
    rewrites: list(z.object({ source: pattern(), target: replacement() })),
    preserve_host: z.optional(z.boolean()),
    fallback: z.optional(location),
    session: z.optional(sessionName()),
    fallthrough: z.optional(location),
  });

const tokenText = lazy(() =>
  z.string().check(z.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, "must be an HTTP token")),
);

const overrideAt = (location: Location) =>
  z.object({
    name: z
      .string()
      .check(z.regex(OVERRIDE_NAME, "must consist of letters, digits, dots, hyphens and underscores")),
    service: z.optional(name()),
    domain: z.optional(domainName()),
    path: z.optional(pattern()),
    methods: z.optional(z.array(tokenText()).check(z.maxLength(50, "must have at most 50 methods"))),
    headers: z.optional(
      z
        .array(z.object({ name: tokenText(), pattern: pattern() }))
        .check(z.maxLength(50, "must have at most 50 headers")),
    ),
    location: z.optional(location),
    fallthrough: z.optional(location),
    does: z.optional(z.enum(["respond", "fault"])),
  });

/** As requests name it, however it was written. */
const domainName = lazy(() =>
  z.pipe(
    z.string().check(
      z.superRefine((domain, context) => {
        const error = domainError(domain);
        if (error !== undefined) context.addIssue({ code: "custom", message: error, input: domain });
      }),
    ),
    z.transform((domain) => asciiDomain(domain)!),
  ),
);

function domainError(domain: string): string | undefined {
  if (domain === "") return "must not be empty";
  if (asciiDomain(domain) !== undefined) return refusedDomainError(domain);
  const given = domain.length > MAX_NAME ? `a text of ${domain.length} characters` : JSON.stringify(domain);
  return `must be a host name without scheme, port and path, such as example.com, not ${given}`;
}

const domain = lazy(() =>
  z.object({
    domain: domainName(),
    default_service: name(),
    routes: list(z.object({ path: pattern(), service: name() })),
  }),
);

const routingAt = (location: Location) => ({
  services: z.array(serviceAt(location)).check(z.minLength(1, "must have at least one service")),
  domains: z
    .array(domain())
    .check(
      z.minLength(1, "must have at least one domain"),
      z.maxLength(MAX_DOMAINS, `must have at most ${MAX_DOMAINS} domains`),
    ),
  cache_routes: list(pattern()),
  overrides: z.optional(
    z
      .array(overrideAt(location))
      .check(z.maxLength(MAX_OVERRIDES, `must have at most ${MAX_OVERRIDES} overrides`)),
  ),
  session_cookie: z.optional(z.boolean()),
  baggage: z.optional(z.boolean()),
  share_targets: z.optional(z.boolean()),
});

/** Every domain's default service and every route's service must be one of the session's. */
const servicesExist = lazy(() =>
  z.superRefine<Routing>((session, context) => {
    const names = new Set(session.services.map(({ name }) => name));
    const known = [...names].join(", ");
    const check = (name: string, path: (string | number)[]) => {
      if (names.has(name)) return;
      context.addIssue({
        code: "custom",
        path,
        message: `names the service "${name}", which is not one of the services (${known})`,
        input: name,
      });
    };
    for (const [o, { service }] of (session.overrides ?? []).entries())
      if (service !== undefined) check(service, ["overrides", o, "service"]);
    for (const [d, domain] of session.domains.entries()) {
      check(domain.default_service, ["domains", d, "default_service"]);
      for (const [r, route] of domain.routes.entries())
        check(route.service, ["domains", d, "routes", r, "service"]);
    }
  }),
);

/** Most errors that are reported for one document. */
const MAX_ERRORS = 50;

const patternsWithinLimits = lazy(() =>
  z.superRefine<Routing>((session, context) => {
    const sources = [
      ...session.services.flatMap(({ rewrites }) => rewrites.map(({ source }) => source)),
      ...session.domains.flatMap(({ routes }) => routes.map(({ path }) => path)),
      ...session.cache_routes,
      ...(session.overrides ?? []).flatMap(overridePatterns),
    ];
    const { count, length } = patternTotals(sources);
    const report = (message: string) => context.addIssue({ code: "custom", message, input: session });
    if (count > MAX_PATTERNS)
      report(`The session has ${count} regular expressions; at most ${MAX_PATTERNS} are allowed.`);
    if (length > MAX_PATTERN_TEXT)
      report(
        `The regular expressions have ${length} characters in total; at most ${MAX_PATTERN_TEXT} are allowed.`,
      );
  }),
);

function overridePatterns({ path, headers = [] }: Override): string[] {
  return [...(path === undefined ? [] : [path]), ...headers.map(({ pattern }) => pattern)];
}

const sessionSchema = lazy(() =>
  z
    .object({
      kind: z._default(z.enum(["tunneled", "isolated", "preview"]), "tunneled"),
      session_token: z.string(),
      ...routingAt(anyLocation()),
    })
    .check(servicesExist(), patternsWithinLimits()),
);

const accessValue = lazy(() => z.enum(SESSION_ACCESS));
const openPaths = lazy(() =>
  z
    .array(pattern().check(z.maxLength(MAX_OPEN_PATH, `must have at most ${MAX_OPEN_PATH} characters`)))
    .check(z.maxLength(MAX_OPEN_PATHS, `must have at most ${MAX_OPEN_PATHS} patterns`)),
);

const accessSchema = lazy(() =>
  z.object({ access: accessValue(), open: z.optional(z.nullable(openPaths())) }),
);

/** Of what a target is called: a URL. */
const MAX_TARGET = 8_192;
/** Of an invite's name. */
const MAX_ROUTED_BY = 100;

const routedService = lazy(() =>
  z.object({
    target: z.string().check(z.maxLength(MAX_TARGET, `must have at most ${MAX_TARGET} characters`)),
    by: z.optional(
      z.string().check(z.maxLength(MAX_ROUTED_BY, `must have at most ${MAX_ROUTED_BY} characters`)),
    ),
  }),
);

const upsertSchema = lazy(() =>
  z
    .object({
      ...routingAt(publicLocation()),
      desired_name: z.optional(z.nullable(sessionName())),
      name_kind: z.optional(z.nullable(z.enum(["animal", "six_char"]))),
      session_token: z.optional(z.nullable(z.string())),
      /** Ours, for a Worker on this machine only: where this session's local server listens. */
      tunnel_url: z.optional(z.nullable(publicLocation())),
      /** Ours. */
      access: z.optional(z.nullable(accessValue())),
      access_open: z.optional(z.nullable(openPaths())),
      routed: z.optional(z.nullable(z.record(name(), routedService()))),
    })
    .check(servicesExist(), patternsWithinLimits()),
);

/** Either the value, or all errors as `where: what is wrong`. */
export type ParseResult<T> = { ok: true; value: T } | { ok: false; errors: string[] };

function parse<T>(schema: z.ZodMiniType<T>, json: unknown): ParseResult<T> {
  const result = schema.safeParse(json);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, errors: result.error.issues.slice(0, MAX_ERRORS).map(describeIssue) };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const where = issue.path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i ? "." : ""}${String(key)}`))
    .join("");
  const message = issueMessage(issue);
  return where ? `${where}: ${message}` : message;
}

/** zod/mini has no messages of its own. */
function issueMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") {
    const article = /^[aeiou]/.test(issue.expected) ? "an" : "a";
    return `must be ${article} ${issue.expected}`;
  }
  if (issue.code === "invalid_value")
    return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
  return issue.message;
}

/** Validates a session document from parsed JSON; lists that are null or missing become empty. */
export function parseSession(json: unknown): ParseResult<Session> {
  return parse(sessionSchema() as unknown as z.ZodMiniType<Session>, json);
}

export function parseUpsert(json: unknown): ParseResult<UpsertRequest> {
  return parse(upsertSchema() as unknown as z.ZodMiniType<UpsertRequest>, json);
}

/** `open`: undefined or null leaves the open paths as they are. */
export function parseAccess(
  json: unknown,
): ParseResult<{ access: SessionAccess; open?: string[] | null | undefined }> {
  return parse(accessSchema(), json);
}
