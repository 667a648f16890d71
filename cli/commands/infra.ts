/** `linkup infra`: the Worker at Cloudflare, planned, deployed, looked at and destroyed. */
import { dirname } from "node:path";
import { MIN_WORKER_TOKEN_LENGTH } from "../../core/api/worker-api.ts";
import { parseDuration } from "../../core/session/duration.ts";
import {
  conflicts,
  type DeploymentPlan,
  type InfraOptions,
  isDone,
  newWorkerToken,
  type PlannedResource,
  type Proposal,
  proposeDeploy,
  proposeDestroy,
  status as readStatus,
  waitForDeployment,
} from "../../infra/deployment.ts";
import { confirmed } from "../confirm.ts";
import { EXIT, UsageError } from "../exit-codes.ts";
import { coloured, print, printJson, printNote } from "../print/output.ts";
import { table } from "../print/table.ts";
import { version } from "../version.ts";

interface Options {
  zone?: string[];
  tunnelZone?: string;
  name?: string;
  allowOlder?: boolean;
  wait?: string;
  yes?: boolean;
  json?: boolean;
  email?: string;
  apiKey?: string;
  accountId?: string;
  zoneIds?: string[];
}

export async function plan(options: Options): Promise<void> {
  printPlanOr(options, (await proposeDeploy(infraOptions(options))).plan);
}

export async function deploy(options: Options): Promise<void> {
  const proposal = await proposeDeploy(infraOptions(options));
  const token = proposal.needsWorkerToken ? workerToken() : undefined;
  if (!(await carriedOut(options, proposal, "Deploy?", token?.value))) return;
  if (options.json) return;
  print(`\nDeployed. In linkup.yaml:\n\n  linkup:\n    worker_url: https://linkup.${proposal.zones[0]}\n`);
  if (token?.made)
    print(
      '\nThe worker token above is shown once only. Set it as LINKUP_WORKER_TOKEN, or in VS Code with "Linkup: Set Worker Token…".\n',
    );
  await waited(options, proposal, token?.value);
}

export async function destroy(options: Options): Promise<void> {
  const proposal = await proposeDestroy(infraOptions(options));
  const question = "Remove all of this, with every session that runs?";
  if (!(await carriedOut(options, proposal, question, undefined)) || options.json) return;
  print("\nRemoved.\n");
}

export async function status(options: Options): Promise<void> {
  const { plan, checks } = await readStatus({
    ...infraOptions(options),
    workerToken: givenToken(),
  });
  if (options.json) printJson({ plan, checks }, 2);
  else {
    printPlan(plan);
    print(
      `\n${table(
        ["from outside", "", ""],
        checks.map(({ name, ok, detail }) => [name, ok ? "ok" : coloured("red", "fails"), detail]),
      )}`,
    );
  }
  if (!isDone(plan) || checks.some(({ ok }) => !ok)) process.exitCode = EXIT.unhealthy;
}

/** On a terminal, or as `--wait` says: DNS records and certificates take some minutes. Ctrl-C ends the waiting alone. */
async function waited(options: Options, proposal: Proposal, token: string | undefined): Promise<void> {
  const seconds = waitSeconds(options.wait ?? (process.stderr.isTTY ? "5m" : "0"));
  const abort = new AbortController();
  const cancel = () => abort.abort();
  process.once("SIGINT", cancel);
  try {
    const missing = await waitForDeployment(
      { ...infraOptions(options), workerToken: token ?? givenToken() },
      proposal,
      {
        timeoutMs: seconds * 1000,
        signal: abort.signal,
        onMissing: ({ name, detail }) => printNote(`Waiting for ${name}: ${detail}\n`),
      },
    );
    for (const { name, detail } of missing) print(`\nNot live yet: ${name}: ${detail}\n`);
    print(
      missing.length === 0
        ? "\nThe Worker is live.\n"
        : "\nRun linkup infra status to see when DNS records and certificates are ready.\n",
    );
  } finally {
    process.removeListener("SIGINT", cancel);
  }
}

function waitSeconds(text: string): number {
  const seconds = text === "0" ? 0 : parseDuration(text);
  if (seconds !== undefined) return seconds;
  throw new UsageError(`--wait takes 0 or a time such as 5m, not "${text}".`);
}

/** Shows the plan, asks, applies it with a line per step. False when there was nothing to do, or the answer was no. */
async function carriedOut(
  options: Options,
  proposal: Proposal,
  question: string,
  token: string | undefined,
): Promise<boolean> {
  const { plan } = proposal;
  if (!options.json) printPlan(plan);
  const inTheWay = conflicts(plan);
  if (isDone(plan)) {
    printPlanOr(options, plan, "Nothing to do.");
    return false;
  }
  if (!plan.resources.some(({ step }) => step)) {
    printPlanOr(options, plan);
    process.exitCode = EXIT.failed;
    return false;
  }
  const asked = inTheWay.length === 0 ? question : `${question} What is in conflict stays as it is.`;
  if (!options.yes && !(await confirmed(asked))) return false;
  const abort = new AbortController();
  const cancel = () => abort.abort();
  process.once("SIGINT", cancel);
  try {
    await proposal.apply({
      workerToken: token,
      signal: abort.signal,
      progress: (resource, state) => {
        if (state === "done") printNote(`${changeOf(resource)} ${resource.kind} ${resource.name}: done\n`);
      },
    });
  } finally {
    process.removeListener("SIGINT", cancel);
  }
  if (options.json) printPlanOr(options, plan);
  if (inTheWay.length > 0) process.exitCode = EXIT.failed;
  return true;
}

/** Without the end of its line: no header could carry that to the Worker. */
function givenToken(): string | undefined {
  return process.env.LINKUP_WORKER_TOKEN?.trim();
}

/**
 * LINKUP_WORKER_TOKEN, else a new one, shown before the script gets it: a deployment that fails half way may have
 * set it already. Only a terminal is shown one: elsewhere it would stand in a log.
 */
function workerToken(): { value: string; made: boolean } {
  const given = givenToken();
  if (given && given.length < MIN_WORKER_TOKEN_LENGTH)
    throw new UsageError(
      `LINKUP_WORKER_TOKEN has ${given.length} characters, and the Worker refuses fewer than ${MIN_WORKER_TOKEN_LENGTH}. Use random ones (openssl rand -base64 32).`,
    );
  if (given) return { value: given, made: false };
  if (!process.stderr.isTTY)
    throw new UsageError(
      "The Worker needs a token: set LINKUP_WORKER_TOKEN to at least 32 random characters (openssl rand -base64 32).",
    );
  const value = newWorkerToken();
  printNote(`The new worker token, for you and your team:\n\n  ${value}\n\n`);
  return { value, made: true };
}

function infraOptions({
  zone = [],
  tunnelZone,
  name,
  allowOlder,
  email,
  apiKey,
  accountId,
  zoneIds,
}: Options): InfraOptions {
  const env = { ...process.env };
  // The original's spellings.
  if (email) env.CLOUDFLARE_EMAIL = email;
  if (apiKey) env.CLOUDFLARE_API_KEY = apiKey;
  if (accountId) env.CLOUDFLARE_ACCOUNT_ID = accountId;
  return { root: dirname(__dirname), version, env, zones: zone, zoneIds, tunnelZone, name, allowOlder };
}

/** The plan as JSON, else this text, else the plan as text. */
function printPlanOr(options: Options, plan: DeploymentPlan, text?: string): void {
  if (options.json) printJson(plan, 2);
  else if (text) print(`\n${text}\n`);
  else printPlan(plan);
}

const COLOURS = { create: "green", change: "yellow", keep: "dim", remove: "red", conflict: "red" } as const;

function changeOf({ change }: PlannedResource): string {
  return coloured(COLOURS[change], change);
}

function printPlan({ account, worker, resources, warnings, stays }: DeploymentPlan): void {
  print(`Worker ${worker} in the account ${account.name}\n\n`);
  print(
    table(
      ["", "what", "name", "why"],
      resources.map((resource) => [changeOf(resource), resource.kind, resource.name, resource.why]),
    ),
  );
  for (const warning of warnings) print(`\n${coloured("yellow", "Note:")} ${warning}\n`);
  for (const what of stays) print(`\nStays: ${what}\n`);
}
