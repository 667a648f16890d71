/** The event that started the workflow. The pull request's author writes parts of it: only numbers and states are used. */
import { readFile } from "node:fs/promises";
import * as z from "zod/mini";

export interface PullRequestEvent {
  /** `owner/name` */
  repository: string;
  number: number;
  isClosed: boolean;
  fromFork: boolean;
  /** GitHub's API. */
  apiUrl: string;
}

const payload = z.object({
  action: z.string(),
  repository: z.object({ full_name: z.string().check(z.regex(/^[\w.-]+\/[\w.-]+$/)) }),
  pull_request: z.object({
    number: z.int().check(z.positive()),
    state: z.string(),
    /** Null when the fork was deleted. */
    head: z.object({ repo: z.nullable(z.object({ full_name: z.string() })) }),
  }),
});

/** Throws an Error for an event of another kind. */
export async function readEvent(env: NodeJS.ProcessEnv): Promise<PullRequestEvent> {
  const { GITHUB_EVENT_NAME: kind = "", GITHUB_EVENT_PATH: path = "" } = env;
  if (kind !== "pull_request" && kind !== "pull_request_target")
    throw new Error(
      `This action makes previews of pull requests, and was started by the event "${kind}". Use it on pull_request.`,
    );
  const event = payload.safeParse(JSON.parse(await readFile(path, "utf8")));
  if (!event.success) {
    const [issue] = event.error.issues;
    throw new Error(`The event is not as GitHub sends it: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { action, repository, pull_request } = event.data;
  return {
    repository: repository.full_name,
    number: pull_request.number,
    isClosed: action === "closed" || pull_request.state === "closed",
    fromFork: pull_request.head.repo?.full_name !== repository.full_name,
    apiUrl: env.GITHUB_API_URL || "https://api.github.com",
  };
}
