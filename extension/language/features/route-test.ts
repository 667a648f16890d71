/** The test bench for routes: where a path or URL would go by the file as it stands, and where in the file that is decided. */
import type { Target } from "../../../core/config/model/config-model.ts";
import { type RouteDecision, route } from "../../../core/routing/route-request.ts";
import { headOfUrl } from "../../../core/routing/routing-input.ts";
import { httpOrigin, type Routing } from "../../../core/session/session-document.ts";
import { t } from "../../words.ts";
import type { DocumentModel, Span } from "../document/document-model.ts";
import type { EditorFacts } from "../document/editor-facts.ts";
import type { DomainItem } from "../document/outline.ts";

/** A place that took part in the decision, and what to show behind its line. */
export interface Mark extends Span {
  text: string;
  /** `passed`: a route that was asked and does not match. */
  kind: "won" | "passed";
}

interface RouteTest {
  /** One sentence: what goes where. */
  summary: string;
  marks: Mark[];
}

/** The name that a session without one is given: it appears in no result. */
const NOBODY = "test-session";

/**
 * @param input a URL, or a path, which is asked of the domain at `offset` (else the first)
 * @param offset where the cursor is
 */
export function testRoute(
  model: DocumentModel,
  facts: EditorFacts,
  input: string,
  offset: number,
): RouteTest {
  const { outline } = model;
  const here =
    outline.domains.find(({ node }) => node.start <= offset && offset <= node.end) ?? outline.domains[0];
  const wanted = input.trim();
  const url = wanted.startsWith("/")
    ? `http://${here?.domain.text ?? "example.com"}${wanted}`
    : /^[a-z][a-z0-9+.-]*:\/\//i.test(wanted)
      ? wanted
      : `http://${wanted}`;
  if (!URL.canParse(url)) return { summary: t("{0} is neither a path nor a URL.", wanted), marks: [] };
  const targetOf = (service: string): Target =>
    facts.session?.services.find(({ name }) => name === service)?.target ?? "remote";
  const decision = route(facts.session?.name ?? NOBODY, routing(model, targetOf), headOfUrl(url));
  if (decision.outcome === "no-target") {
    const hosts = decision.hosts.map(({ host }) => host).join(", ");
    return { summary: t("No domain in this file matches {0}: the response would be 404.", hosts), marks: [] };
  }
  const target = `${decision.origin}${decision.target}`;
  const { pathname } = new URL(url);
  return {
    summary: t(
      "{0} → {1} ({2}): {3}",
      wanted,
      decision.service.name,
      targetOf(decision.service.name),
      target,
    ),
    marks: marks(model, decision, pathname, targetOf(decision.service.name), target),
  };
}

/** What can be read of the file, as a session would have it. */
function routing({ outline }: DocumentModel, targetOf: (service: string) => Target): Routing {
  return {
    services: outline.services.flatMap(({ name, local, remote, rewrites }) => {
      const location = (targetOf(name.text) === "local" ? local : remote)?.text ?? local?.text ?? "";
      if (!httpOrigin(location)) return [];
      return [
        {
          name: name.text,
          location,
          rewrites: rewrites.map(({ source, target }) => ({ source: source.text, target })),
        },
      ];
    }),
    domains: outline.domains.map(({ domain, defaultService, routes }) => ({
      domain: domain.text,
      default_service: defaultService?.text ?? "",
      routes: routes.map(({ pattern, service }) => ({ path: pattern.text, service: service?.text ?? "" })),
    })),
    cache_routes: [],
  };
}

function marks(
  { outline }: DocumentModel,
  decision: Extract<RouteDecision, { outcome: "routed" }>,
  path: string,
  target: Target,
  url: string,
): Mark[] {
  const found: Mark[] = [];
  const mark = (at: Span | undefined, text: string, kind: Mark["kind"] = "won") => {
    if (at) found.push({ start: at.start, end: at.end, text, kind });
  };
  const domain = outline.domains.find(({ domain }) => domain.text === decision.match?.domain.domain);
  mark(domain?.domain.node, t("this domain"));
  markRoutes(domain, decision.reason, path, mark);
  const service = outline.services.find(({ name }) => name.text === decision.service.name);
  mark(service?.name.node, t("this service"));
  for (const applied of decision.rewrites) {
    const rewrite = service?.rewrites.find(
      ({ source, target }) => source.text === applied.source && target === applied.target,
    );
    mark(rewrite?.source.node, t("rewrites to {0}", applied.path));
  }
  mark((target === "local" ? service?.local : service?.remote)?.node, `→ ${url}`);
  return found;
}

function markRoutes(
  domain: DomainItem | undefined,
  reason: Extract<RouteDecision, { outcome: "routed" }>["reason"],
  path: string,
  mark: (at: Span | undefined, text: string, kind?: Mark["kind"]) => void,
): void {
  if (!domain) return;
  const winner = reason.by === "route" ? reason.index : domain.routes.length;
  for (const { pattern } of domain.routes.slice(0, winner)) mark(pattern.node, t("no match"), "passed");
  if (reason.by === "route") mark(domain.routes[reason.index]?.pattern.node, t("matches {0}", path));
  if (reason.by === "default") mark(domain.defaultService?.node, t("no route matches {0}", path));
}
