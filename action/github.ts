/** GitHub's API, as far as a preview needs it: one comment, and whether the pull request is still open. */
import * as z from "zod/mini";
import type { PullRequestEvent } from "./event.ts";

const TIMEOUT_MS = 30_000;
const PER_PAGE = 100;
/** Pull requests with more comments get a second one of ours. */
const MAX_PAGES = 30;

const comments = z.array(
  z.object({
    id: z.int(),
    body: z.optional(z.nullable(z.string())),
    user: z.nullable(z.object({ login: z.string(), type: z.string() })),
  }),
);

export class GitHub {
  readonly #event: PullRequestEvent;
  readonly #token: string;

  constructor(event: PullRequestEvent, token: string) {
    this.#event = event;
    this.#token = token;
  }

  async isOpen(): Promise<boolean> {
    const { repository, number } = this.#event;
    const pull = await this.#ask("GET", `/repos/${repository}/pulls/${number}`);
    return z.object({ state: z.string() }).parse(pull).state === "open";
  }

  /** Edits the comment that starts with this mark, or adds it. */
  async comment(mark: string, text: string, ifMissing: "add" | "leave"): Promise<void> {
    const { repository, number } = this.#event;
    const body = `${mark}\n${text}`;
    const existing = await this.#find(mark);
    if (existing?.body === body) return;
    if (existing) await this.#ask("PATCH", `/repos/${repository}/issues/comments/${existing.id}`, { body });
    else if (ifMissing === "add")
      await this.#ask("POST", `/repos/${repository}/issues/${number}/comments`, { body });
  }

  /** Anybody can write a comment with the mark: only one of a bot, or of the token's own user, is edited. */
  async #find(mark: string): Promise<{ id: number; body: string } | undefined> {
    const { repository, number } = this.#event;
    let own: string | undefined;
    for (let page = 1; page <= MAX_PAGES; page++) {
      const path = `/repos/${repository}/issues/${number}/comments?per_page=${PER_PAGE}&page=${page}`;
      const found = comments.parse(await this.#ask("GET", path));
      for (const { id, body, user } of found) {
        if (!body?.startsWith(mark) || !user) continue;
        if (user.type === "Bot") return { id, body };
        own ??= await this.#login();
        if (user.login === own) return { id, body };
      }
      if (found.length < PER_PAGE) return undefined;
    }
    return undefined;
  }

  /** Of the token's user; empty for a workflow's own token, which has none. */
  async #login(): Promise<string> {
    try {
      return z.object({ login: z.string() }).parse(await this.#ask("GET", "/user")).login;
    } catch {
      return "";
    }
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#event.apiUrl}${path}`, {
      method,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${this.#token}`,
        "user-agent": "linkup-preview",
        "x-github-api-version": "2022-11-28",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return response.json();
    await response.body?.cancel();
    const hint = response.status === 403 ? " Does the job have the permission pull-requests: write?" : "";
    throw new Error(`GitHub answered ${response.status} to ${method} ${path}.${hint}`);
  }
}
