/** A health report as text. */
import type { DoctorCheck, HealthReport } from "../../manager/doctor/report.ts";
import { coloured } from "./output.ts";

const SIGNS = {
  ok: { sign: "✓", colour: "green" },
  warning: { sign: "!", colour: "yellow" },
  broken: { sign: "✗", colour: "red" },
} as const;

export function healthText({ checks, versions, home, healthy }: HealthReport): string {
  const count = (wanted: DoctorCheck["state"]) => checks.filter(({ state }) => state === wanted).length;
  const summary = !healthy
    ? coloured("red", `${count("broken")} broken.`)
    : count("warning") > 0
      ? coloured(
          "yellow",
          `Nothing is broken; ${count("warning")} ${count("warning") === 1 ? "warning" : "warnings"}.`,
        )
      : coloured("green", "Everything is healthy.");
  return [
    `linkup ${versions.linkup}, Node ${versions.node}, ${versions.platform}, state in ${home}\n\n`,
    ...checks.map(checkText),
    `\n${summary}\n`,
  ].join("");
}

function checkText({ id, subject, state, found, fixes }: DoctorCheck): string {
  const { sign, colour } = SIGNS[state];
  const about = subject === undefined ? id : `${id} ${subject}`;
  const lines = found.split("\n").join("\n    ");
  const hints = fixes.flatMap(({ title, terminal }) =>
    terminal ? [`    ${title}: ${coloured("bold", terminal)}\n`] : [],
  );
  return `${coloured(colour, sign)} ${about}: ${lines}\n${hints.join("")}`;
}
