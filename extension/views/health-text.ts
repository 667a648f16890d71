/** The page of Doctor, as Markdown: every check, its finding, and its fixes. */
import {
  type CheckState,
  type DoctorCheck,
  type HealthReport,
  reportedHealth,
} from "../../manager/doctor/report.ts";
import { isCommand } from "../ids.ts";
import { code, codeBlock, commandLink, escaped, escapedLines } from "../markdown.ts";
import { t, translated } from "../words.ts";

export function healthText(report: HealthReport): string {
  const { checks, versions, home, healthy } = report;
  const of = (state: CheckState) => checks.filter((check) => check.state === state);
  return [
    `# ${t("Linkup Doctor")}`,
    healthy
      ? t("No problems found.")
      : t("{0} broken, {1} warnings, {2} fine", of("broken").length, of("warning").length, of("ok").length),
    ...[...of("broken"), ...of("warning")].map(findingText),
    `## ${t("Fine")}`,
    of("ok")
      .map(({ id, subject, text }) => `- **${nameOf(id, subject)}** ${escaped(translated(text))}`)
      .join("\n"),
    `Linkup ${versions.linkup}, Node ${versions.node}, ${versions.platform}, ${code(home)}`,
    `## JSON`,
    t("You can copy this into an issue: it contains no secrets."),
    codeBlock("json", JSON.stringify(reportedHealth(report), null, 2)),
    "",
  ].join("\n\n");
}

function findingText({ id, subject, state, text, fixes }: DoctorCheck): string {
  const helps = fixes.map(({ command, title, terminal }) => {
    const name = isCommand(command) ? commandLink(command, t(title)) : t(title);
    return `- ${name}${terminal ? `: ${code(terminal)}` : ""}`;
  });
  return [
    `## ${state === "broken" ? "✗" : "⚠"} ${nameOf(id, subject)}`,
    escapedLines(translated(text)),
    helps.join("\n"),
  ].join("\n\n");
}

function nameOf(id: DoctorCheck["id"], subject: string | undefined): string {
  return subject ? `${id}: ${escaped(subject)}` : id;
}
