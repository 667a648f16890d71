/** An explanation of a request's way as text. */
import type { Explanation } from "../../core/api/control-api.ts";
import type { Routed } from "../../core/routing/route-request.ts";
import { coloured } from "./colour.ts";

export function explanationText(url: string, explanation: Explanation): string {
  const { candidates, session, decision, public_host, failure } = explanation;
  const lines = [url];
  for (const { name, source, known } of candidates) {
    lines.push(`  ${source} names "${name}": ${known ? "a running session" : "no running session"}`);
  }
  if (public_host !== undefined) {
    lines.push(
      "  no session of this machine, but a host of its sessions' domains: passed on to where it really is",
    );
    lines.push(`${coloured("green", "→")} https://${public_host}`);
  } else if (failure && OTHERS[failure.code]) {
    lines.push(`${coloured("red", String(failure.status))}: ${OTHERS[failure.code]}`);
  } else if (session === null || decision === null) {
    lines.push(`${coloured("red", "422")}: no session. Give the request the host name of one, or the header`);
    lines.push("  tracestate: linkup-session=<name>");
  } else if (decision.outcome === "no-target") {
    lines.push(`${coloured("red", "404")}: session ${session}, but none of its domains:`);
    for (const { host, source } of decision.hosts) lines.push(`  ${host} (${source})`);
  } else {
    lines.push(...routedLines(session, decision));
  }
  return `${lines.join("\n")}\n`;
}

/** Answers that have nothing to do with how requests are routed. */
const OTHERS: Record<string, string> = {
  misdirected:
    "the host belongs to no running session's domains, and no foreign page may read what is served here",
  loop: "it goes round in circles: a service's location leads back to Linkup",
  forbidden: "it came through the tunnel without the secret of its session",
  "bad-request": "it is not as HTTP has it",
};

function routedLines(
  session: string,
  { service, reason, match, rewrites, origin, target, gaveUp }: Routed,
): string[] {
  const domain = match ? `domain ${match.domain.domain} (${match.source})` : "no domain";
  return [
    `  session ${session}, ${domain}`,
    `  service ${coloured("bold", service.name)}: ${
      reason.by === "destination"
        ? "named by linkup-destination"
        : reason.by === "route"
          ? `route ${reason.index + 1} (${reason.pattern})`
          : "the domain's default"
    }`,
    ...rewrites.map(({ source, target, path }) => `  rewrite ${source} → ${target}: ${path}`),
    ...gaveUp.map((pattern) => `  the pattern ${pattern} took too long and counted as not matching`),
    `${coloured("green", "→")} ${origin}${target}`,
  ];
}
