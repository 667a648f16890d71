/** Deploy, update and destroy the Worker at Cloudflare: a plan to read, one question, then step by step. */
import * as vscode from "vscode";
import type { InfraOptions, Proposal } from "../../infra/deployment.ts";
import type { Linkup } from "../linkup.ts";
import { readSecret } from "../read-secret.ts";
import { askInSteps, askMany, askOne, askText, BACK, type StepPlace } from "../steps.ts";
import { planText } from "../views/plan-text.ts";
import { waitForAnswer } from "../waiting.ts";
import { t } from "../words.ts";
import { storedToken, storeToken } from "../worker-token-storage.ts";
import { deploymentChanges } from "./deployment-edits.ts";
import type { Documents } from "./markdown-pages.ts";
import { requireTrust } from "./start-stop.ts";

const CREDENTIALS_KEY = "cloudflare-api-token";
const WAIT_MS = 10 * 60_000;
const LOCATION = vscode.ProgressLocation.Notification;

export interface WorkerCommandContext {
  linkup: Linkup;
  documents: Documents;
  secrets: vscode.SecretStorage;
  /** The extension's own folder. */
  root: string;
  version: string;
}

/** Also updates one that is there. */
export async function deployWorker(context: WorkerCommandContext): Promise<void> {
  const { secrets, linkup } = context;
  const { conflicts, newWorkerToken, proposeDeploy } = await import("../../infra/deployment.ts");
  const title = t("Deploy Worker");
  const chosen = await askForPlan(context, title, proposeDeploy, ({ plan, zones }) => ({
    question: t("Deploy the Worker to {0}?", zones.join(", ")),
    yes: t("Deploy"),
    detail:
      conflicts(plan).length > 0
        ? t("{0} conflicts stay as they are.", conflicts(plan).length)
        : t("The plan is open beside this question."),
  }));
  if (!chosen) return;
  const { options, proposal, isToDo } = chosen;
  const workerUrl = `https://linkup.${proposal.zones[0]}`;
  if (isToDo === "nothing") {
    await vscode.window.showInformationMessage(t("The Worker is up to date."));
    return await offerConfig(linkup, workerUrl, proposal.zones);
  }
  if (isToDo === "by-the-user") return await tellConflicts();
  const token = proposal.needsWorkerToken ? newWorkerToken() : undefined;
  // Before the script gets it: a deployment that fails half way may have set it already.
  if (token) await storeToken(secrets, workerUrl, token);
  await carriedOut(proposal, t("Deploying the Worker"), token);
  // The user has just made it: it need not be asked about.
  await (await linkup.manager).confirmWorker(workerUrl);
  if (token) void offerToken(token);
  // Both at once: names and certificates do not wait for an answer.
  const known = token ?? (await storedToken(secrets, workerUrl));
  await Promise.all([offerConfig(linkup, workerUrl, proposal.zones), waitedFor(options, proposal, known)]);
}

export async function destroyWorker(context: WorkerCommandContext): Promise<void> {
  const { proposeDestroy } = await import("../../infra/deployment.ts");
  const chosen = await askForPlan(context, t("Destroy Worker"), proposeDestroy, ({ zones }) => ({
    question: t("Remove the Worker from {0}?", zones.join(", ")),
    yes: t("Remove"),
    detail: t("All its sessions end, for everyone."),
  }));
  if (!chosen) return;
  const { isToDo, proposal } = chosen;
  if (isToDo === "nothing")
    await vscode.window.showInformationMessage(
      t("There is nothing to remove: Linkup created none of the resources."),
    );
  else if (isToDo === "by-the-user") await tellConflicts();
  else await carriedOut(proposal, t("Removing the Worker"), undefined);
}

async function tellConflicts(): Promise<void> {
  await vscode.window.showWarningMessage(t("The plan has conflicts that only you can resolve."));
}

interface AgreedPlan {
  options: InfraOptions;
  proposal: Proposal;
  /** What only the user can resolve, and nothing, need no agreement. */
  isToDo: "nothing" | "by-the-user" | "the-plan";
}

/** The API token unless there is one, the zones, and whether the plan is right. Undefined when the user cancelled. */
async function askForPlan(
  { secrets, documents, root, version }: WorkerCommandContext,
  title: string,
  propose: (options: InfraOptions) => Promise<Proposal>,
  confirmation: (proposal: Proposal) => { question: string; yes: string; detail: string },
): Promise<AgreedPlan | undefined> {
  if (!(await requireTrust())) return undefined;
  const { env } = process;
  const { credentialsOf, InfraError, isDone, zonesOf } = await import("../../infra/deployment.ts");
  const stored = await readSecret(secrets, CREDENTIALS_KEY);
  let credentials = credentialsOf(env) ?? (stored ? { apiToken: stored } : undefined);
  let picked: readonly { label: string }[] = [];
  let chosen: AgreedPlan | undefined;
  const totalSteps = credentials ? 2 : 3;
  const askToken = async () => {
    const apiToken = await askForToken({ title, step: 1, totalSteps });
    if (typeof apiToken !== "string") return apiToken;
    credentials = { apiToken };
    await secrets.store(CREDENTIALS_KEY, apiToken);
    return true as const;
  };
  const askZones = async () => {
    const zones = await waitForAnswer(t("Reading your Cloudflare zones"), () =>
      zonesOf(credentials!, env),
    ).catch(async (error) => {
      // A token that is no longer good is asked for again the next time; one that could not be tried is kept.
      const isRefused =
        error instanceof InfraError && ["credentials-refused", "rights-missing"].includes(error.code);
      if (isRefused) await secrets.delete(CREDENTIALS_KEY);
      throw error;
    });
    if (!zones) return undefined;
    const items = zones.map(({ name, status }) => ({
      label: name,
      description: status === "active" ? "" : status,
    }));
    const before = picked.map(({ label }) => label);
    const answer = await askMany({
      title,
      step: totalSteps - 1,
      totalSteps,
      placeholder: t("The zones whose host names sessions use. Tunnels use the first one."),
      items,
      picked: items.length === 1 ? items : items.filter(({ label }) => before.includes(label)),
      least: 1,
    });
    if (answer === undefined || answer === BACK) return answer;
    picked = answer;
    return true as const;
  };
  const askAgreement = async () => {
    const zones = picked.map(({ label }) => label);
    const options = { root, version, env, credentials: credentials!, zones };
    const proposal = await waitForAnswer(t("Reading your Cloudflare account"), () => propose(options));
    if (!proposal) return undefined;
    const { plan } = proposal;
    await documents.show({ title: t("Linkup Worker"), markdown: planText(plan) });
    const isToDo = isDone(plan)
      ? "nothing"
      : plan.resources.some(({ step }) => step)
        ? "the-plan"
        : "by-the-user";
    chosen = { options, proposal, isToDo };
    if (isToDo !== "the-plan") return true as const;
    const { question, yes, detail } = confirmation(proposal);
    const items = [{ label: yes, detail }];
    const answer = await askOne({ title, step: totalSteps, totalSteps, placeholder: question, items });
    return answer === undefined || answer === BACK ? answer : (true as const);
  };
  const steps = [...(credentials ? [] : [askToken]), askZones, askAgreement];
  return (await askInSteps((index) => steps[index])) ? chosen : undefined;
}

async function askForToken(place: StepPlace): Promise<string | typeof BACK | undefined> {
  const { tokenPage } = await import("../../infra/deployment.ts");
  const token = await askText({
    ...place,
    prompt: t(
      "The Cloudflare API token. The button above opens Cloudflare's page with the permissions filled in. The token is kept in VS Code's secret storage.",
    ),
    isSecret: true,
    validate: (text) => (text.trim() ? undefined : t("Enter the token.")),
    button: {
      iconPath: new vscode.ThemeIcon("link-external"),
      tooltip: t("Create Token…"),
      run: () => void vscode.env.openExternal(vscode.Uri.parse(tokenPage())),
    },
  });
  return typeof token === "string" ? token.trim() : token;
}

/** Cancelling takes effect between two resources; the error then says what is done. */
async function carriedOut(proposal: Proposal, title: string, workerToken: string | undefined): Promise<void> {
  const steps = proposal.plan.resources.filter(({ step }) => step).length;
  await vscode.window.withProgress(
    { location: LOCATION, title, cancellable: true },
    async (progress, cancellation) => {
      const abort = new AbortController();
      cancellation.onCancellationRequested(() => abort.abort());
      await proposal.apply({
        workerToken,
        signal: abort.signal,
        progress: ({ kind, name }, state) =>
          progress.report({
            message: `${kind} ${name}`,
            ...(state === "done" ? { increment: 100 / steps } : {}),
          }),
      });
    },
  );
}

/** The team needs the token too, and it can be read nowhere afterwards. */
async function offerToken(token: string): Promise<void> {
  const copy = t("Copy Token");
  const choice = await vscode.window.showInformationMessage(
    t(
      "The Worker has a new token. It is stored in this VS Code; everyone else in your team has to enter it once.",
    ),
    copy,
  );
  if (choice === copy) await vscode.env.clipboard.writeText(token);
}

/** Writes `worker_url`, and domains of zones that have none, into the workspace's linkup.yaml, when the user agrees. */
async function offerConfig({ configs }: Linkup, workerUrl: string, zones: readonly string[]): Promise<void> {
  await configs.ready();
  const [file] = configs.files;
  if (!file) return;
  const document = await vscode.workspace.openTextDocument(file.path);
  const { parseConfig } = await import("../../core/config/parse-config.ts");
  const source = document.getText();
  const { changes, domains } = deploymentChanges(source, parseConfig(source), workerUrl, zones);
  if (changes.length === 0) return;
  const write = t("Update linkup.yaml");
  const question =
    domains.length > 0
      ? t(
          "The Worker is running at {0}. Set this URL and the domain {1} in linkup.yaml?",
          workerUrl,
          domains.join(", "),
        )
      : t("The Worker is running at {0}. Set this URL in linkup.yaml?", workerUrl);
  if ((await vscode.window.showInformationMessage(question, write)) !== write) return;
  const edit = new vscode.WorkspaceEdit();
  for (const { start, end, text } of changes)
    edit.replace(document.uri, new vscode.Range(start.line, start.column, end.line, end.column), text);
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document.uri);
}

/** DNS records and certificates take some minutes: says what is missing, until the Worker is live. */
async function waitedFor(
  options: InfraOptions,
  proposal: Proposal,
  workerToken: string | undefined,
): Promise<void> {
  const { waitForDeployment } = await import("../../infra/deployment.ts");
  const missing = await vscode.window.withProgress(
    // In the status bar: questions about the deployment are open, and nothing has to be waited for.
    { location: vscode.ProgressLocation.Window, title: t("Waiting for the Worker") },
    (progress) =>
      waitForDeployment({ ...options, workerToken }, proposal, {
        timeoutMs: WAIT_MS,
        onMissing: ({ name }) => progress.report({ message: name }),
      }),
  );
  const [first] = missing;
  if (first)
    await vscode.window.showWarningMessage(
      t("The Worker is not live yet. {0}: {1}", first.name, first.detail),
    );
  else await vscode.window.showInformationMessage(t("The Worker is live."));
}
