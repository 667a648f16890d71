/** Creates, changes and deletes the preview on the Worker. */
import { realpath } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { sessionNameFrom } from "../core/session/session-name.ts";
import { WorkerClient } from "../manager/components/worker-api/worker-client.ts";
import { readConfig } from "../manager/files/config-file.ts";
import { urlsOnWorker } from "../manager/model/urls.ts";
import { previewUpsert } from "../manager/operations/preview-request.ts";
import { commentMark, previewText, removedText } from "./comment.ts";
import type { PullRequestEvent } from "./event.ts";
import { GitHub } from "./github.ts";
import { type Inputs, notice, setOutput, warn } from "./runner.ts";

/** Rejects with a LinkupError or an Error. A comment that cannot be written is a warning: the preview is there. */
export async function updatePreview(inputs: Inputs, event: PullRequestEvent): Promise<void> {
  const { locations, workerUrl, workerToken, expires: seconds } = inputs;
  const wanted = await previewName(inputs, event);
  const config = await readConfig(await configPath(inputs.config));
  const worker = new WorkerClient(workerUrl, workerToken);
  const { capabilities = [], tunnel } = (await worker.capabilities()) ?? {};
  if (!["expiry", "session-pages"].every((needed) => capabilities.includes(needed)))
    throw new Error(`The Worker at ${workerUrl} is too old for previews of pull requests. Update it.`);
  const isUnguessable = config.linkup.access === "unguessable";
  const [known = wanted] = isUnguessable ? await existingNames(worker, wanted) : [];
  const request = previewUpsert(config, { name: known, locations, expiresIn: seconds });
  const name = (await worker.putPreview(request))?.session_name;
  if (name === undefined || (name !== known && !isUnguessable))
    throw new Error(`The name ${known} belongs to another session on ${workerUrl}. Set the input name.`);

  const github = new GitHub(event, inputs.githubToken);
  // The run of an earlier push may end after the pull request was closed.
  if (inputs.githubToken && !(await stillOpen(github))) {
    await worker.deleteSession(name);
    return notice("The pull request was closed meanwhile: the preview is removed.");
  }

  const urls = urlsOnWorker(name, config.domains, workerUrl, tunnel === "direct");
  const expires = Date.now() + seconds * 1000;
  setOutput("name", name);
  setOutput("url", urls[0] ?? "");
  setOutput("urls", JSON.stringify(urls));
  setOutput("expires", new Date(expires).toISOString());
  notice(`Preview ${name}: ${urls.join(" ")}`);
  await tell(inputs, () =>
    github.comment(commentMark(wanted), previewText({ name, urls, locations, expires }), "add"),
  );
}

/** Deletes the preview of a pull request; nothing is wrong when it is gone already. */
export async function removePreview(inputs: Inputs, event: PullRequestEvent): Promise<void> {
  const wanted = await previewName(inputs, event);
  const worker = new WorkerClient(inputs.workerUrl, inputs.workerToken);
  const deleted: string[] = [];
  for (const name of [wanted, ...(await existingNames(worker, wanted))])
    if (await worker.deleteSession(name)) deleted.push(name);
  notice(
    deleted.length > 0 ? `Removed the preview ${deleted.join(", ")}.` : `There was no preview ${wanted}.`,
  );
  await tell(inputs, () =>
    new GitHub(event, inputs.githubToken).comment(
      commentMark(wanted),
      removedText(deleted[0] ?? wanted),
      "leave",
    ),
  );
}

/** From numbers and the repository's name alone: the pull request's author chooses neither. */
async function previewName({ name }: Inputs, { repository, number }: PullRequestEvent): Promise<string> {
  const wanted = name || `${repository.slice(repository.indexOf("/") + 1)}-pr-${number}`;
  const valid = await sessionNameFrom(wanted);
  if (valid) return valid;
  throw new Error(`name: "${wanted}" has no character that a session name may have`);
}

/** In the checkout: a symbolic link of a pull request must not lead to a file of the runner. */
async function configPath(given: string): Promise<string> {
  const workspace = await realpath(process.env.GITHUB_WORKSPACE ?? process.cwd());
  const names = given ? [given] : ["linkup.yaml", "linkup.yml"];
  for (const name of names) {
    const path = await realpath(resolve(workspace, name)).catch(() => undefined);
    if (path === undefined) continue;
    if (relative(workspace, path).startsWith(".."))
      throw new Error(`config: ${name} is not in the repository`);
    return path;
  }
  throw new Error(
    `config: there is no ${names[0]} in the checkout. Does actions/checkout come before this step?`,
  );
}

/**
 * The names of this pull request's previews: with `access: unguessable` the Worker adds ten random characters, and each push
 * is to change the preview that there is.
 */
async function existingNames(worker: WorkerClient, name: string): Promise<string[]> {
  const { sessions } = await worker.listSessions({ pattern: `${name}-${"?".repeat(10)}`, limit: 10 });
  return sessions
    .filter(({ session_kind }) => session_kind === "preview")
    .map(({ session_name }) => session_name);
}

async function stillOpen(github: GitHub): Promise<boolean> {
  try {
    return await github.isOpen();
  } catch (error) {
    warn(`Whether the pull request is still open is not known: ${(error as Error).message}`);
    return true;
  }
}

async function tell({ comments, githubToken }: Inputs, write: () => Promise<void>): Promise<void> {
  if (!comments || !githubToken) return;
  try {
    await write();
  } catch (error) {
    warn(`The pull request has no comment of the preview: ${(error as Error).message}`);
  }
}
