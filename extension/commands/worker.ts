/** Deploy, update and destroy the Worker at Cloudflare: a plan to read, one question, then step by step. */
import * as vscode from "vscode";
import type { Credentials, InfraOptions, Proposal } from "../../infra/infra.ts";
import type { Linkup } from "../linkup.ts";
import { planText } from "../views/plan-text.ts";
import { t } from "../words.ts";
import { storedToken, storeToken } from "../worker-token-storage.ts";
import { deploymentChanges } from "./deployment-edits.ts";
import type { Documents } from "./documents.ts";
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
  const { secrets, documents, linkup } = context;
  const options = await infraOptions(context, t("Deploy Worker"));
  if (!options) return;
  const { conflicts, isDone, newWorkerToken, proposeDeploy } = await import("../../infra/infra.ts");
  const proposal = await planned(options, proposeDeploy);
  await documents.show({ title: t("Linkup Worker"), markdown: planText(proposal.plan) });
  const [zone] = proposal.zones;
  const workerUrl = `https://linkup.${zone}`;
  if (isDone(proposal.plan)) {
    await vscode.window.showInformationMessage(t("The Worker is up to date."));
    return await offerConfig(linkup, workerUrl, proposal.zones);
  }
  if (!proposal.plan.resources.some(({ step }) => step)) {
    await vscode.window.showWarningMessage(t("The plan has conflicts that only you can resolve."));
    return;
  }
  const inTheWay = conflicts(proposal.plan).length;
  const detail =
    inTheWay > 0
      ? t("{0} conflicts stay as they are.", inTheWay)
      : t("The plan is open beside this question.");
  if (!(await agreed(t("Deploy the Worker to {0}?", proposal.zones.join(", ")), detail, t("Deploy")))) return;
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
  const options = await infraOptions(context, t("Destroy Worker"));
  if (!options) return;
  const { isDone, proposeDestroy } = await import("../../infra/infra.ts");
  const proposal = await planned(options, proposeDestroy);
  await context.documents.show({ title: t("Linkup Worker"), markdown: planText(proposal.plan) });
  if (isDone(proposal.plan)) {
    await vscode.window.showInformationMessage(t("Linkup made nothing that could be removed."));
    return;
  }
  const detail = t("Every session of it ends, for everyone.");
  const question = t("Remove the Worker from {0}?", proposal.zones.join(", "));
  if (await agreed(question, detail, t("Remove")))
    await carriedOut(proposal, t("Removing the Worker"), undefined);
}

/** Undefined when the user chose not to go on. */
async function infraOptions(
  { secrets, root, version }: WorkerCommandContext,
  title: string,
): Promise<InfraOptions | undefined> {
  if (!(await requireTrust())) return undefined;
  const { env } = process;
  const { credentialsOf, zonesOf } = await import("../../infra/infra.ts");
  const credentials = credentialsOf(env) ?? (await cloudflareToken(secrets, title));
  if (!credentials) return undefined;
  const zones = await vscode.window
    .withProgress({ location: LOCATION, title: t("Reading your Cloudflare zones") }, () =>
      zonesOf(credentials, env),
    )
    .then(undefined, async (error) => {
      // A token that is no longer good is asked for again the next time.
      await secrets.delete(CREDENTIALS_KEY);
      throw error;
    });
  const picked = await vscode.window.showQuickPick(
    zones.map(({ name, status }) => ({
      label: name,
      description: status === "active" ? "" : status,
      picked: zones.length === 1,
    })),
    {
      title,
      placeHolder: t("Zones whose host names sessions use. The first is also that of the tunnels."),
      canPickMany: true,
      ignoreFocusOut: true,
    },
  );
  if (!picked || picked.length === 0) return undefined;
  return { root, version, env, credentials, zones: picked.map(({ label }) => label) };
}

/** The stored API token, or one that the user enters now. */
async function cloudflareToken(
  secrets: vscode.SecretStorage,
  title: string,
): Promise<Credentials | undefined> {
  const stored = await secrets.get(CREDENTIALS_KEY);
  if (stored) return { apiToken: stored };
  const create = t("Create Token…");
  const enter = t("Enter Token");
  const choice = await vscode.window.showInformationMessage(
    t("Linkup needs a Cloudflare API token to deploy the Worker."),
    {
      modal: true,
      detail: t(
        "\"Create Token…\" opens Cloudflare's page with the rights filled in. The token is kept in VS Code's secret storage.",
      ),
    },
    create,
    enter,
  );
  if (choice === undefined) return undefined;
  if (choice === create) {
    const { tokenPage } = await import("../../infra/infra.ts");
    await vscode.env.openExternal(vscode.Uri.parse(tokenPage()));
  }
  const entered = await vscode.window.showInputBox({
    title,
    prompt: t("The Cloudflare API token"),
    password: true,
    ignoreFocusOut: true,
  });
  const apiToken = entered?.trim();
  if (!apiToken) return undefined;
  await secrets.store(CREDENTIALS_KEY, apiToken);
  return { apiToken };
}

function planned(
  options: InfraOptions,
  propose: (options: InfraOptions) => Promise<Proposal>,
): Thenable<Proposal> {
  return vscode.window.withProgress(
    { location: LOCATION, title: t("Looking at your Cloudflare account") },
    () => propose(options),
  );
}

async function agreed(question: string, detail: string, yes: string): Promise<boolean> {
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) === yes;
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
    t("The Worker has a new token. It is stored in this VS Code; your team needs it once."),
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
  const write = t("Write It");
  const question =
    domains.length > 0
      ? t(
          "The Worker answers at {0}. Write that and the domain {1} into linkup.yaml?",
          workerUrl,
          domains.join(", "),
        )
      : t("The Worker answers at {0}. Write that into linkup.yaml?", workerUrl);
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
  const { waitForDeployment } = await import("../../infra/infra.ts");
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
