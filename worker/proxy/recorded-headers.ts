/** Headers that note how they are changed. */

/** Reading all headers again costs more than this: each access to them is a call out of JavaScript. */
export class RecordedHeaders extends Headers {
  /** Lower-case names and what they were set to; null for those that were deleted. */
  readonly changes = new Map<string, string | null>();

  override set(name: string, value: string): void {
    this.changes.set(name.toLowerCase(), value);
    super.set(name, value);
  }

  override delete(name: string): void {
    this.changes.set(name.toLowerCase(), null);
    super.delete(name);
  }
}
