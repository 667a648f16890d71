/** The session document, and the requests that create or change one. */
import * as z from "zod/mini";
import { compile } from "../regex/pattern.ts";
import { formatText } from "../text.ts";
import { refusedDomainError } from "./domain-name.ts";
import { isLoopback, isPrivateHost } from "./host-name.ts";
import { MAX_PATTERN_TEXT, MAX_PATTERNS, MAX_REPLACEMENT, patternTotals } from "./session-limits.ts";
import { sessionNameError } from "./session-name.ts";

export type SessionKind = "tunneled" | "isolated" | "preview";

export interface Rewrite {
  source: string;
  target: string;
}

export interface Service {
  name: string;
  /** http(s) URL; only its scheme, host and port are used. At the local server also `h2c:`, HTTP/2 without TLS. */
  location: string;
  rewrites: Rewrite[];
  /** Ours: forward the client's `Host` instead of the service's own address. */
  preserve_host?: boolean | undefined;
}

export interface Route {
  path: string;
  service: string;
}

export interface Domain {
  domain: string;
  default_service: string;
  routes: Route[];
}

/** The routing of a session: the part that a toggle changes. */
export interface Routing {
  services: Service[];
  domains: Domain[];
  cache_routes: string[];
  /** Ours: false when the session must not be remembered by a cookie. */
  session_cookie?: boolean | undefined;
  /** Ours: false to neither add nor accept the session in `baggage`. */
  baggage?: boolean | undefined;
}

export interface Session extends Routing {
  kind: SessionKind;
  session_token: string;
}

/** A list that may be missing or null; both mean empty. */
const list = <T extends z.core.$ZodType>(item: T) =>
  z.pipe(
    z.optional(z.nullable(z.array(item))),
    z.transform((items) => items ?? []),
  );

/** Names stand in headers, where a line break would begin another one. */
const name = z
  .string()
  .check(
    z.minLength(1, "must not be empty"),
    z.regex(/^\P{Cc}*$/u, "must not contain line breaks or other control characters"),
  );

const pattern = z.string().check(
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
const publicLocation = locationOf("an http or https", isHttpUrl);
/** Where the local server can. */
const anyLocation = locationOf("an http, https or h2c", (value) => httpOrigin(value) !== undefined);

const replacement = z
  .string()
  .check(z.maxLength(MAX_REPLACEMENT, `must have at most ${MAX_REPLACEMENT} characters`));

const serviceAt = (location: typeof anyLocation) =>
  z.object({
    name,
    location,
    rewrites: list(z.object({ source: pattern, target: replacement })),
    preserve_host: z.optional(z.boolean()),
  });

const domainName = name.check(
  z.superRefine((domain, context) => {
    const error = refusedDomainError(domain);
    if (domain !== "" && error) context.addIssue({ code: "custom", message: error, input: domain });
  }),
);

const domain = z.object({
  domain: domainName,
  default_service: name,
  routes: list(z.object({ path: pattern, service: name })),
});

const routingAt = (location: typeof anyLocation) => ({
  services: z.array(serviceAt(location)).check(z.minLength(1, "must have at least one service")),
  domains: z.array(domain).check(z.minLength(1, "must have at least one domain")),
  cache_routes: list(pattern),
  session_cookie: z.optional(z.boolean()),
  baggage: z.optional(z.boolean()),
});

/** Every domain's default service and every route's service must be one of the session's. */
const servicesExist = z.superRefine<Routing>((session, context) => {
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
  for (const [d, domain] of session.domains.entries()) {
    check(domain.default_service, ["domains", d, "default_service"]);
    for (const [r, route] of domain.routes.entries())
      check(route.service, ["domains", d, "routes", r, "service"]);
  }
});

/** Most errors that are reported for one document. */
const MAX_ERRORS = 50;

const patternsWithinLimits = z.superRefine<Routing>((session, context) => {
  const sources = [
    ...session.services.flatMap(({ rewrites }) => rewrites.map(({ source }) => source)),
    ...session.domains.flatMap(({ routes }) => routes.map(({ path }) => path)),
    ...session.cache_routes,
  ];
  const { count, length } = patternTotals(sources);
  const report = (message: string) => context.addIssue({ code: "custom", message, input: session });
  if (count > MAX_PATTERNS)
    report(`The session has ${count} regular expressions; at most ${MAX_PATTERNS} are allowed.`);
  if (length > MAX_PATTERN_TEXT)
    report(
      `The regular expressions have ${length} characters in total; at most ${MAX_PATTERN_TEXT} are allowed.`,
    );
});

const sessionSchema = z
  .object({
    kind: z._default(z.enum(["tunneled", "isolated", "preview"]), "tunneled"),
    session_token: z.string(),
    ...routingAt(anyLocation),
  })
  .check(servicesExist, patternsWithinLimits);

const sessionName = z.string().check(
  z.superRefine((name, context) => {
    const problem = sessionNameError(name);
    if (problem) context.addIssue({ code: "custom", message: formatText(problem), input: name });
  }),
);

const upsertSchema = z
  .object({
    ...routingAt(publicLocation),
    desired_name: z.optional(z.nullable(sessionName)),
    name_kind: z.optional(z.nullable(z.enum(["animal", "six_char"]))),
    session_token: z.optional(z.nullable(z.string())),
    /** Ours, for a Worker on this machine only: where this session's local server listens. */
    tunnel_url: z.optional(z.nullable(publicLocation)),
  })
  .check(servicesExist, patternsWithinLimits);

/** Whether a session's name can be guessed. */
export type SessionAccess = "public" | "unguessable";

/** A request to create or change a session, named (`desired_name`) or not. */
export interface UpsertRequest extends Routing {
  /** Ours: `unguessable` adds random characters to the name. */
  access?: SessionAccess | null | undefined;
  desired_name?: string | null | undefined;
  name_kind?: "animal" | "six_char" | null | undefined;
  session_token?: string | null | undefined;
  tunnel_url?: string | null | undefined;
  /** Ours: seconds until the session is deleted, counted from the request. */
  expires_in?: number | null | undefined;
}

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
  return parse(sessionSchema as unknown as z.ZodMiniType<Session>, json);
}

export function parseUpsert(json: unknown): ParseResult<UpsertRequest> {
  return parse(upsertSchema as unknown as z.ZodMiniType<UpsertRequest>, json);
}

/** The routing as JSON: empty lists are null, as the original Linkup writes them. */
export function serializeRouting(routing: Routing) {
  const orNull = <T>(items: T[]) => (items.length > 0 ? items : null);
  return {
    services: routing.services.map(({ name, location, rewrites, preserve_host }) => ({
      name,
      location,
      rewrites: orNull(rewrites),
      ...(preserve_host === undefined ? {} : { preserve_host }),
    })),
    domains: routing.domains.map(({ domain, default_service, routes }) => ({
      domain,
      default_service,
      routes: orNull(routes),
    })),
    cache_routes: orNull(routing.cache_routes),
    ...(routing.session_cookie === undefined ? {} : { session_cookie: routing.session_cookie }),
    ...(routing.baggage === undefined ? {} : { baggage: routing.baggage }),
  };
}

/** The session document as JSON; `parseSession` is the inverse. */
export function serializeSession(session: Session) {
  return { kind: session.kind, session_token: session.session_token, ...serializeRouting(session) };
}

/**
 * `http://host:port` of an http(s) URL, without credentials and path; undefined for anything else. `h2c` becomes `http`,
 * the scheme that requests over HTTP/2 without TLS have.
 */
export function httpOrigin(location: string): string | undefined {
  const match = /^(https?|h2c)(:\/\/)(?:[^/?#@]*@)?([^/?#\s]+)/i.exec(location);
  if (!match) return undefined;
  const scheme = match[1]!.toLowerCase();
  return (scheme === "h2c" ? "http" : scheme) + match[2]! + match[3]!;
}

export function isHttpUrl(url: string): boolean {
  return /^https?:/i.test(url) && httpOrigin(url) !== undefined;
}

/** True when the service speaks HTTP/2 without TLS and without negotiation ("prior knowledge", RFC 9113, 3.3). */
export function isH2c(location: string): boolean {
  return /^h2c:/i.test(location);
}

/** True when only the session's own machine reaches the location: it is there, or in a private network (a virtual machine, a container). */
export function needsLaptop(location: string): boolean {
  const origin = httpOrigin(location);
  return origin !== undefined && isPrivateHost(origin.slice(origin.indexOf("//") + 2));
}

/** True when the location is on the machine that uses it. */
export function isLocal(location: string): boolean {
  const origin = httpOrigin(location);
  return origin !== undefined && isLoopback(origin.slice(origin.indexOf("//") + 2));
}
