/** The last changes of the list of names: who has a recent version of a long list needs nothing else. In memory. */
import { randomName } from "../../core/session/session-name.ts";

const MAX_CHANGES = 1_000;

export class NameChanges {
  /** Versions of another life of the object mean nothing here. */
  readonly #life = randomName(10);
  #count = 0;
  /** The names of the last changes, oldest first; null where no name came or went. */
  readonly #names: (string | null)[] = [];

  get version(): string {
    return `${this.#life}.${this.#count}`;
  }

  /** Call when this name came or went, or with null when something else that goes with the list changed. */
  add(name: string | null): void {
    this.#count++;
    this.#names.push(name);
    if (this.#names.length > MAX_CHANGES) this.#names.shift();
  }

  /** The names that came or went since this version, each once; undefined when that is not known any more. */
  since(version: string | null): string[] | undefined {
    const [life, count] = version?.split(".") ?? [];
    const changes = this.#count - Number(count);
    if (life !== this.#life || !(changes >= 0 && changes <= this.#names.length)) return undefined;
    const names = new Set(this.#names.slice(this.#names.length - changes));
    names.delete(null);
    return [...names] as string[];
  }
}
