/**
 * Env files of services: while a session runs, each `.env.*.linkup` of a service's directory is appended to the file of
 * the same name without `.linkup`. A journal is written before a file is, so that a crash at any moment is undone later.
 */

import { constants } from "node:fs";
import { access, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { text } from "../../../core/text.ts";
import { writeAtomically } from "../../../node/atomic-file.ts";
import { IrregularFileError, type RegularFile, readRegularFile } from "../../../node/regular-file.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { appendBlock, hasBlock, MARKER, removeBlock } from "./block.ts";
import { boundaryOf, OutsideError, realPathWithin } from "./boundary.ts";

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

const NO_LINKS = { followLinks: false };
const SOURCE = /^\.env\..*\.linkup$/;
/** Env files are small; what is not may be anything. */
const MAX_BYTES = 1_000_000;
/** Of all sources of one session together. */
const MAX_TOTAL_BYTES = 4 * MAX_BYTES;
const MAX_SOURCES = 100;
/** For taking a block out of a file that has grown, and for the journal. */
const MAX_CHANGED_BYTES = 64_000_000;
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

  /**
   * Appends what these directories have, as far as they and their files are within the repository (or else the folder)
   * of the configuration in `configFolder`. Returns what could not be done, for people; the session runs without it.
   */
  apply(session: string, directories: readonly string[], configFolder: string): Promise<Problem[]> {
    return this.#serialize(() => this.#apply(session, directories, configFolder));
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

  async #apply(session: string, directories: readonly string[], configFolder: string): Promise<Problem[]> {
    const problems = await this.#restore((other) => other === session);
    if (directories.length === 0) return problems;
    const root = await boundaryOf(configFolder);
    let sources = 0;
    let bytes = 0;
    for (const directory of directories) {
      let names: string[];
      try {
        names = await sourcesIn(root, directory);
      } catch (error) {
        problems.push(refused(directory, error as Error));
        continue;
      }
      for (const name of names) {
        const source = join(directory, name);
        try {
          if (++sources > MAX_SOURCES) throw new Error(`there are more than ${MAX_SOURCES} such files`);
          const file = await readRegularFile(await realPathWithin(root, source), MAX_BYTES, NO_LINKS);
          bytes += file.content.length;
          if (bytes > MAX_TOTAL_BYTES) throw new Error("the files before it are too large");
          await this.#append(session, root, file, source.slice(0, -".linkup".length));
        } catch (error) {
          problems.push(refused(source, error as Error));
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

  async #append(session: string, root: string, source: RegularFile, target: string): Promise<void> {
    const content = source.content.toString("latin1");
    const path = await realPathWithin(root, target);
    for (let attempts = MAX_ATTEMPTS; attempts > 0; attempts--) {
      const entries = (await this.#read()) ?? [];
      const others = entries.filter((entry) => entry.path !== path);
      const shared = entries.find((entry) => entry.path === path);
      // The same file for another session: its block follows the source, and is that of both.
      if (shared) await takeOut(shared);
      const existing = await read(path, MAX_BYTES);
      const before = existing && textOf(existing);
      // Ours is taken out, so this one is of the original Linkup.
      if (before !== undefined && hasBlock(before)) return;
      if (before !== undefined) await access(path, constants.W_OK);
      const { text, block } = appendBlock(before ?? "", content);
      const sessions = [...(shared?.sessions ?? []).filter((other) => other !== session), session];
      const existed = shared?.existed ?? before !== undefined;
      await this.#write([...others, { path, sessions, existed, block }]);
      // A link may have taken the place of a folder on the way.
      if ((await realPathWithin(root, target)) !== path) continue;
      if (await replace(path, existing, text, source)) return;
    }
    throw new Error("it is being changed all the time");
  }

  /** Undefined when the journal is not one of ours. */
  async #read(): Promise<EnvFileEntry[] | undefined> {
    const file = await read(this.#journal, MAX_CHANGED_BYTES);
    if (file === undefined) return [];
    try {
      return entries.parse(JSON.parse(file.content.toString("utf8")));
    } catch {
      return undefined;
    }
  }

  async #setAside(): Promise<Problem> {
    const aside = `${this.#journal}.unreadable-${new Date().toISOString().replaceAll(":", "-")}`;
    await rename(this.#journal, aside);
    return problem(
      "journal-set-aside",
      text(
        '{0}, the list of env files that Linkup has changed, could not be read. It is kept as {1}. If an env file still has lines between two lines "{2}" while no session is running, remove them.',
        this.#journal,
        aside,
        MARKER,
      ),
    );
  }

  async #write(entries: EnvFileEntry[]): Promise<void> {
    if (entries.length > 0) await writeAtomically(this.#journal, JSON.stringify(entries, null, 2));
    else await rm(this.#journal, { force: true });
  }
}

async function takeOut({ path, existed, block }: EnvFileEntry): Promise<void> {
  for (let attempts = MAX_ATTEMPTS; attempts > 0; attempts--) {
    const file = await read(path, MAX_CHANGED_BYTES).catch(unlessReplaced);
    if (file === undefined) return;
    const without = removeBlock(textOf(file), block);
    // Somebody took it out already, or changed it beyond recognition: nothing of theirs is touched.
    if (without === undefined) return;
    await access(path, constants.W_OK);
    if (without === "" && !existed) {
      await rm(path, { force: true });
      return;
    }
    if (await replace(path, file, without, file)) return;
  }
  throw new Error("it is being changed all the time");
}

/** Something else lies in the file's place by now, a link for example: it is not ours. */
function unlessReplaced(error: Error): undefined {
  if (!(error instanceof IrregularFileError) && (error as NodeJS.ErrnoException).code !== "ELOOP")
    throw error;
}

/** False when the file is no longer as it was read. A new file gets the rights of the `like` one. */
async function replace(
  path: string,
  before: RegularFile | undefined,
  text: string,
  like: RegularFile,
): Promise<boolean> {
  const now = await read(path, MAX_CHANGED_BYTES);
  if ((now && textOf(now)) !== (before && textOf(before))) return false;
  const { mode, uid, gid } = (now ?? like).stats;
  await writeAtomically(path, Buffer.from(text, "latin1"), { mode: mode & 0o7777, uid, gid });
  return true;
}

/** Undefined when there is no such file. Its path was resolved before: a link that is there now is an attack. */
async function read(path: string, maxBytes: number): Promise<RegularFile | undefined> {
  try {
    return await readRegularFile(path, maxBytes, NO_LINKS);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The file's bytes as latin1, which has a character for each. */
function textOf({ content }: RegularFile): string {
  return content.toString("latin1");
}

async function sourcesIn(root: string, directory: string): Promise<string[]> {
  try {
    return (await readdir(await realPathWithin(root, directory))).filter((name) => SOURCE.test(name)).sort();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

function stuck(path: string, error: Error): Problem {
  return problem(
    "env-file-unwritable",
    text(
      "Linkup's block could not be removed from {0}: {1}. Linkup tries again at the next command.",
      path,
      error.message,
    ),
  );
}

function refused(path: string, error: Error): Problem {
  const isUnsafe = error instanceof IrregularFileError || error instanceof OutsideError;
  return problem(
    isUnsafe ? "env-file-refused" : "env-file-unwritable",
    text("{0} could not be put in place: {1}. The session runs without it.", path, error.message),
  );
}
