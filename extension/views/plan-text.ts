/** The plan of a deployment, as Markdown. */
import type { DeploymentPlan, PlannedChange } from "../../infra/deployment.ts";
import { code, escaped, table } from "../markdown.ts";
import { t } from "../words.ts";

export function planText({ action, account, worker, resources, warnings, stays }: DeploymentPlan): string {
  const rows = resources.map(({ change, kind, name, why }) => [
    changeWord(change),
    kind,
    code(name),
    escaped(why),
  ]);
  return [
    `# ${action === "deploy" ? t("Linkup Worker: Deployment Plan") : t("Linkup Worker: Removal Plan")}`,
    t(
      "Worker {0} in the Cloudflare account {1}. Nothing changes until you agree.",
      `\`${worker}\``,
      account.name,
    ),
    table([t("Step"), t("Resource"), t("Name"), t("Why")], rows),
    ...warnings.map((warning) => `⚠ ${escaped(warning)}`),
    ...(stays.length > 0
      ? [`## ${t("What stays")}`, stays.map((what) => `- ${escaped(what)}`).join("\n")]
      : []),
    "",
  ].join("\n\n");
}

function changeWord(change: PlannedChange): string {
  return {
    create: t("create"),
    change: t("change"),
    keep: t("keep"),
    remove: t("remove"),
    conflict: t("conflict"),
  }[change];
}
