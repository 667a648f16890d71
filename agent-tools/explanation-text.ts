/** Why a request goes where it goes, in words: the one source for the terminal, the editor and agents. */

import type { Explanation } from "../core/routing/explain-request.ts";
import type { NameSource } from "../core/routing/identify-session.ts";
import type { NotRouted, Routed } from "../core/routing/route-request.ts";
import type { Service } from "../core/session/session-document.ts";
import type { ExplainedRequest } from "../manager/operations/explain.ts";
import { fallbackText } from "./fallback-text.ts";

/** How a reader is given it. */
export interface ExplanationStyle {
  /** Translates a message and fills in its places. */
  t: (message: string, ...values: (string | number)[]) => string;
  /** A name, path or pattern that others wrote. */
  code(text: string): string;
}

export interface ExplanationText {
  /** Names that were found in the request, a line each; one line that says so when there are none. */
  candidates: string[];
  /** Steps from the session to the answer. */
  steps: string[];
  /** Where it goes; undefined when it is refused. */
  target: string | undefined;
  /** Why it is answered without a service, and what helps. */
  failure: { status: number; lines: string[] } | undefined;
  service: string | undefined;
}

export function explanationText(explanation: ExplainedRequest, style: ExplanationStyle): ExplanationText {
  const { public_host, ...routing } = explanation;
  const { session, decision, failure } = routing;
  const text = {
    candidates: candidateLines(explanation, style),
    steps: accessLines(explanation, style),
    target: undefined,
    failure: undefined,
    service: undefined,
  };
  if (public_host !== undefined) {
    const { t } = style;
    const step = t("No session of this machine serves this host: it is forwarded to its public origin.");
    // What the Worker did there is known while somebody follows the log.
    if (decision?.outcome === "routed") {
      const { steps, ...routed } = explanationText(routing, style);
      return { ...routed, steps: [step, ...steps] };
    }
    return { ...text, steps: [step], target: `https://${public_host}` };
  }
  const refusal = failure && refusals(style)[failure.code];
  if (refusal) return { ...text, failure: { status: failure.status, lines: [refusal] } };
  if (session === null || decision === null) {
    const help = style.t(
      "No session was found. Give the request the session's host name, or pass on its tracestate, Referer or Origin header.",
    );
    return { ...text, failure: { status: failure?.status ?? 422, lines: [help] } };
  }
  if (decision.outcome === "no-target")
    return { ...text, failure: { status: 404, lines: noTargetLines(decision, style) } };
  return {
    ...text,
    steps: [...text.steps, ...routedLines(decision, style)],
    target: decision.does === "respond" ? undefined : decision.origin + decision.target,
    service: decision.service.name,
  };
}

/** Whether a private session lets it in. */
function accessLines({ access }: ExplainedRequest, { t, code }: ExplanationStyle): string[] {
  if (!access) return [];
  const { decision, unchecked } = access;
  if (decision.allowed && decision.by === "open-path")
    return [
      t("The session is private, and this path is open to everyone: {0} matches it.", code(decision.pattern)),
    ];
  if (decision.allowed)
    return [
      t(
        "The session is private, and the request is allowed: it carries the proof of access that services pass on.",
      ),
    ];
  if (unchecked)
    return [
      t("The session is private: only the Worker can tell whether the request's cookie or token is valid."),
    ];
  return [
    decision.why === "no-proof"
      ? t(
          "The session is private: from outside this machine the request gets 401, because it has no proof of access.",
        )
      : t(
          "The session is private: from outside this machine the request gets 401, because its proof of access is not valid.",
        ),
  ];
}

function candidateLines({ candidates, session }: Explanation, { t, code }: ExplanationStyle): string[] {
  if (candidates.length === 0) return [t("Nothing in the request names a session.")];
  return candidates.map(({ name, source, known }) => {
    const found =
      name === session
        ? t("this session")
        : known
          ? t("ignored: an earlier source names another session")
          : t("no such session");
    return `${code(name)} (${sourceText(source, { t, code })}): ${found}`;
  });
}

/** Answers that have nothing to do with routing, by the code of the failure. */
function refusals({ t }: ExplanationStyle): Record<string, string> {
  return {
    misdirected: t(
      "The host belongs to no running session's domains: the local server does not serve it to browsers.",
    ),
    loop: t("Request loop detected: a service's URL leads back to Linkup."),
    forbidden: t("It came through the tunnel without the secret of its session."),
    "bad-request": t("Malformed HTTP request."),
  };
}

function routedLines(
  { service, reason, match, rewrites, gaveUp, override, does }: Routed,
  style: ExplanationStyle,
): string[] {
  const { t, code } = style;
  const why =
    reason.by === "destination"
      ? t("An earlier hop chose it: the header linkup-destination names it.")
      : reason.by === "route"
        ? t("Route {0} of the domain matches the path: {1}", reason.index + 1, code(reason.pattern))
        : t("No route of the domain matches: it is the default service.");
  return [
    ...(match ? [t("Domain {0}, by {1}.", code(match.domain.domain), sourceText(match.source, style))] : []),
    why,
    ...placeLines(service, style),
    ...(override === undefined ? [] : [overrideLine(override, does, style)]),
    ...rewrites.map(({ source, target, path }) =>
      t("Rewrite {0} to {1}: {2}", code(source), code(target), code(path)),
    ),
    ...gaveUp.map((pattern) =>
      t("This pattern took too long and counts as not matching: {0}", code(pattern)),
    ),
  ];
}

/** Why the service has its target, unless that is local or remote by choice. */
function placeLines({ auto, session, fell_back }: Service, { t, code }: ExplanationStyle): string[] {
  if (session !== undefined && fell_back !== undefined)
    return [fallbackText(fell_back, code(session), t), t("So it goes to the remote copy.")];
  if (session !== undefined)
    return [
      t(
        "It goes through the Worker to where the session {0} has this service, or to the remote copy if that cannot be reached.",
        code(session),
      ),
    ];
  switch (auto) {
    case "local":
      return [t("The service is routed automatically: a program is listening at its local address.")];
    case "remote":
      return [t("The service is routed automatically: nothing is listening at its local address.")];
    case "restarting":
      return [
        t(
          "The service is routed automatically: its local copy keeps exiting, and has to stay up for a while first.",
        ),
      ];
    default:
      return [];
  }
}

function overrideLine(override: string, does: Routed["does"], { t, code }: ExplanationStyle): string {
  if (does === "respond")
    return t("Override {0} answers the request; its service does not receive it.", code(override));
  if (does === "fault") return t("Override {0} injects a fault on the way to the service.", code(override));
  return t("Override {0} routes it differently from the service's other requests.", code(override));
}

function noTargetLines({ hosts }: NotRouted, style: ExplanationStyle): string[] {
  const { t, code } = style;
  return [
    t("None of the request's hosts is one of the session's domains:"),
    ...hosts.map(({ host, source }) => `${code(host)} (${sourceText(source, style)})`),
    t("Use one of the session's domains, or add the host to the domains in linkup.yaml."),
  ];
}

function sourceText(source: NameSource, { t }: ExplanationStyle): string {
  const names: Partial<Record<NameSource, string>> = {
    host: t("the request's host"),
    cookie: t("the session cookie"),
    referer: "Referer",
    origin: "Origin",
  };
  return names[source] ?? source;
}
