/** Why a request goes where it goes, as Markdown. */
import type { Explanation } from "../../core/api/control-api.ts";
import type { NameSource } from "../../core/routing/identify-session.ts";
import type { NotRouted, Routed } from "../../core/routing/route-request.ts";
import { t } from "../words.ts";

export function explanationText(
  url: string,
  headers: Record<string, string>,
  { candidates, session, decision, public_host, failure }: Explanation,
): string {
  const request = [`GET ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  return [
    `# ${t("Linkup Explanation")}`,
    `\`\`\`http\n${request.join("\n")}\n\`\`\``,
    `## ${t("Session")}`,
    candidates.length === 0
      ? t("Nothing in the request names a session.")
      : candidates
          .map(({ name, source, known }) => {
            const verdict =
              name === session
                ? t("this session")
                : known
                  ? t("known, but a better one was found")
                  : t("no such session");
            return `- \`${name}\` (${sourceWord(source)}): ${verdict}`;
          })
          .join("\n"),
    ...(public_host
      ? [
          t(
            "The host is under a domain of a session here, so the local server passes the request on to where it really is: {0}",
            `\`https://${public_host}\``,
          ),
        ]
      : []),
    ...(failure?.code === "misdirected"
      ? [
          `**421** — ${t("The host belongs to no running session's domains: the local server does not serve it to browsers.")}`,
        ]
      : []),
    ...(session || public_host
      ? []
      : [
          `**422** — ${t("Give the request the session's host name, or pass on its tracestate, Referer or Origin header.")}`,
        ]),
    ...(decision ? (decision.outcome === "routed" ? routedText(decision) : noTargetText(decision)) : []),
    "",
  ].join("\n\n");
}

function routedText({ service, reason, match, rewrites, origin, target, gaveUp }: Routed): string[] {
  const why =
    reason.by === "destination"
      ? t("An earlier hop chose it: the header linkup-destination names it.")
      : reason.by === "route"
        ? t("Route {0} of the domain matches the path: {1}", reason.index + 1, `\`${reason.pattern}\``)
        : t("No route of the domain matches: it is the default service.");
  return [
    `## ${t("Service {0}", service.name)}`,
    ...(match ? [t("Domain {0}, by {1}.", `\`${match.domain.domain}\``, sourceWord(match.source))] : []),
    why,
    ...(rewrites.length > 0
      ? [
          `${t("Rewrites:")}\n\n${rewrites.map((rewrite) => `- \`${rewrite.source}\` → \`${rewrite.target}\`: \`${rewrite.path}\``).join("\n")}`,
        ]
      : []),
    ...gaveUp.map((pattern) =>
      t("This pattern took too long and counts as not matching: {0}", `\`${pattern}\``),
    ),
    `→ \`${origin}${target}\``,
  ];
}

function noTargetText({ hosts }: NotRouted): string[] {
  return [
    `**404** — ${t("None of the request's hosts is one of the session's domains:")}`,
    hosts.map(({ host, source }) => `- \`${host}\` (${sourceWord(source)})`).join("\n"),
    t("Use one of the session's domains, or add the host to the domains in linkup.yaml."),
  ];
}

function sourceWord(source: NameSource): string {
  return {
    host: t("the request's host"),
    "x-forwarded-host": "x-forwarded-host",
    referer: "Referer",
    origin: "Origin",
    tracestate: "tracestate",
  }[source];
}
