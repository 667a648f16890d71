/** The page of Show Status, as Markdown: a pure function of the model. */
import { addressOf, reportedSnapshot, type SessionView } from "../../manager/model/snapshot.ts";
import { isCommand } from "../ids.ts";
import {
  accessWord,
  componentDetail,
  componentName,
  componentState,
  healthReason,
  healthWord,
  kindWord,
  placeWord,
  problemMessage,
  stateWord,
} from "../labels.ts";
import { code, codeBlock, commandLink, escaped, escapedLines, link, table } from "../markdown.ts";
import { idleConfigs, type WindowModel } from "../window-model.ts";
import { t } from "../words.ts";

export function statusText(model: WindowModel): string {
  const { snapshot, trusted } = model;
  const nothing = snapshot.sessions.length === 0 ? [t("No session is running.")] : [];
  return [
    `# ${t("Linkup Status")}`,
    ...(trusted
      ? []
      : [t("This workspace is in Restricted Mode: Linkup shows its configuration and starts nothing.")]),
    ...snapshot.problems.map(
      (problem) =>
        `> **${t(problem.title)}.** ${escapedLines(problemMessage(problem)).replaceAll("\n", "\n> ")}${problem.actions.map(({ command, title }) => ` ${isCommand(command) ? commandLink(command, t(title)) : `→ ${t(title)}`}`).join("")}`,
    ),
    ...nothing,
    ...snapshot.sessions.map(sessionText),
    ...idleConfigs(model).map(
      ({ path, errors }) =>
        `- ${code(path)}: ${errors === 0 ? t("stopped") : errors === 1 ? t("1 error") : t("{0} errors", errors)}`,
    ),
    ...(snapshot.components.length > 0 ? [`## ${t("Components")}`, componentsText(model)] : []),
    `## JSON`,
    t("You can copy this into an issue: it contains no secrets."),
    codeBlock("json", JSON.stringify(reportedSnapshot(snapshot), null, 2)),
    "",
  ].join("\n\n");
}

function sessionText(session: SessionView): string {
  const { name, kind, state, access, configPath, urls, services } = session;
  const rows = services.map((service) => [
    escaped(service.name),
    placeWord(service),
    code(addressOf(service)),
    escaped(healthReason(service) ?? healthWord(service.health)),
  ]);
  return [
    `## ${name ?? kindWord(kind)}`,
    [
      kindWord(kind),
      ...(access ? [accessWord(access)] : []),
      stateWord(state),
      ...(configPath ? [code(configPath)] : []),
    ].join(" · "),
    urls.map((url) => `- ${link(url)}`).join("\n"),
    table([t("Service"), t("Target"), t("Address"), t("Health")], rows),
  ].join("\n\n");
}

function componentsText({ snapshot }: WindowModel): string {
  const rows = snapshot.components.map((component) => [
    componentName(component.id),
    componentState(component.state),
    component.pid === undefined ? "" : String(component.pid),
    escaped(componentDetail(component)),
  ]);
  return table([t("Component"), t("State"), t("pid"), t("Details")], rows);
}
