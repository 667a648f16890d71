/**
 * Env files of services: while a session runs, each `.env.*.linkup` of a service's directory is appended to the file of
 * the same name without `.linkup`. A journal is written before a file is, so that a crash at any moment is undone later.
 */
import { constants } from "node:fs";
import { access, readdir, readFile, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import * as z from "zod/mini";
import { writeAtomically } from "../../../node/atomic-file.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { appendBlock, hasBlock, MARKER, removeBlock } from "./block.ts";

/** A file that has, or is about to have, a block of ours. */
interface EnvFileEntry {
  /** The file itself, where links are followed. */
  path: string;
  /** Which sessions have it: several, where their config files name the same directory. */
  sessions: string[];
  /** False when there was no file: it goes again with the block. */
  existed: boolean;
  /** Exactly what was appended, bytes as latin1. */
  block: string;
}

const SOURCE = /^\.env\..*\.linkup$/;
/** Somebody else may write the file between our reading and our writing: then it is read again. */
const MAX_ATTEMPTS = 5;

const entries = z.array(
  z.object({ path: z.string(), sessions: z.array(z.string()), existed: z.boolean(), block: z.string() }),
);

export class EnvFiles {
  readonly #journal: string;
  /** Sessions start side by side, and the journal is one. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(home: string) {
    this.#journal = join(home, "env-files.json");
  }

  /** Appends what these directories have. Returns what could not be done, for people; the session runs without it. */
  apply(session: string, directories: readonly string[]): Promise<Problem[]> {
    return this.#serialize(() => this.#apply(session, directories));
  }

  /**
   * Takes out the blocks that no other session has than those for which this holds, and nothing else.
   * Returns what could not be done: it stays in the journal, to be tried again.
   */
  restore(ended: (session: string) => boolean): Promise<Problem[]> {
    return this.#serialize(() => this.#restore(ended));
  }

  /** The files that have a block of ours, and whose; none when the journal cannot be read. */
  async entries(): Promise<Pick<EnvFileEntry, "path" | "sessions">[]> {
    return (await this.#read()) ?? [];
  }

  #serialize<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => {});
    return result;
  }

  async #apply(session: string, directories: readonly string[]): Promise<Problem[]> {
    const problems = await this.#restore((other) => other === session);
    for (const directory of directories) {
      for (const source of await sourcesIn(directory)) {
        try {
          await this.#append(
            session,
            join(directory, source),
            join(directory, source.slice(0, -".linkup".length)),
          );
        } catch (error) {
          problems.push(refused(join(directory, source), error as Error));
        }
      }
    }
    return problems;
  }

  async #restore(ended: (session: string) => boolean): Promise<Problem[]> {
    const entries = await this.#read();
    if (!entries) return [await this.#setAside()];
    const problems: Problem[] = [];
    let left = entries;
    for (const entry of entries.filter(({ sessions }) => sessions.some(ended))) {
      try {
        const sessions = entry.sessions.filter((session) => !ended(session));
        if (sessions.length === 0) await takeOut(entry);
        left = left.flatMap((other) =>
          other.path !== entry.path ? other : sessions.length > 0 ? { ...entry, sessions } : [],
        );
        await this.#write(left);
      } catch (error) {
        problems.push(stuck(entry.path, error as Error));
      }
    }
    return problems;
  }

  async #append(session: string, source: string, target: string): Promise<void> {
    const content = (await readFile(source)).toString("latin1");
    const path = await followed(target);
    for (let attempts = MAX_ATTEMPTS; ; attempts--) {
      const entries = (await this.#read()) ?? [];
      const others = entries.filter((entry) => entry.path !== path);
      const shared = entries.find((entry) => entry.path === path);
      // The same file for another session: its block follows the source, and is that of both.
      if (shared) await takeOut(shared);
      const before = await read(path);
      // Ours is taken out, so this one is of the original Linkup.
      if (before !== undefined && hasBlock(before)) return;
      if (before !== undefined) await access(path, constants.W_OK);
      const { text, block } = appendBlock(before ?? "", content);
      const sessions = [...(shared?.sessions ?? []).filter((other) => other !== session), session];
      const existed = shared?.existed ?? before !== undefined;
      await this.#write([...others, { path, sessions, existed, block }]);
      if (await replace(path, before, text, source)) return;
      if (attempts === 0) throw new Error("it is being changed all the time");
    }
  }

  /** Undefined when the journal is not one of ours. */
  async #read(): Promise<EnvFileEntry[] | undefined> {
    const text = await read(this.#journal);
    if (text === undefined) return [];
    try {
      return entries.parse(JSON.parse(Buffer.from(text, "latin1").toString("utf8")));
    } catch {
      return undefined;
    }
  }

  async #setAside(): Promise<Problem> {
    const aside = `${this.#journal}.unreadable-${new Date().toISOString().replaceAll(":", "-")}`;
    await rename(this.#journal, aside);
    return problem(
      "journal-set-aside",
      `${this.#journal}, which tells the env files that Linkup has changed, could not be read. It is kept as ${aside}. Where an env file still has lines between two lines "${MARKER}" while no session runs, take them out.`,
    );
  }

  async #write(entries: EnvFileEntry[]): Promise<void> {
    if (entries.length > 0) await writeAtomically(this.#journal, JSON.stringify(entries, null, 2));
    else await rm(this.#journal, { force: true });
  }
}

async function takeOut({ path, existed, block }: EnvFileEntry): Promise<void> {
  for (let attempts = MAX_ATTEMPTS; attempts > 0; attempts--) {
    const text = await read(path);
    if (text === undefined) return;
    const without = removeBlock(text, block);
    // Somebody took it out already, or changed it beyond recognition: nothing of theirs is touched.
    if (without === undefined) return;
    await access(path, constants.W_OK);
    if (without === "" && !existed) {
      await rm(path, { force: true });
      return;
    }
    if (await replace(path, text, without, path)) return;
  }
  throw new Error("it is being changed all the time");
}

/** False when the file is no longer as it was read. A new file gets the rights of the `like` one. */
async function replace(
  path: string,
  before: string | undefined,
  text: string,
  like: string,
): Promise<boolean> {
  const { mode, uid, gid } = await stat(before === undefined ? like : path);
  if ((await read(path)) !== before) return false;
  await writeAtomically(path, Buffer.from(text, "latin1"), { mode: mode & 0o7777, uid, gid });
  return true;
}

/** The file's bytes as latin1; undefined when there is none. */
async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path)).toString("latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The file behind symbolic links, which stay; also behind those whose file does not exist yet. */
async function followed(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  // What a link says counts from the folder that it lies in, which may be behind a link itself.
  const folder = await realpath(dirname(path));
  const link = await readlink(path).catch(() => undefined);
  return link === undefined ? join(folder, basename(path)) : followed(resolve(folder, link));
}

async function sourcesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => SOURCE.test(name)).sort();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

function stuck(path: string, error: Error): Problem {
  return problem(
    "env-file-unwritable",
    `Linkup's block could not be taken out of ${path}: ${error.message}. It is tried again at the next command.`,
  );
}

function refused(source: string, error: Error): Problem {
  return problem(
    "env-file-unwritable",
    `${source} could not be put in place: ${error.message}. The session runs without it.`,
  );
}
