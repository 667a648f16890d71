/** Counts the server-sent events of a stream, as its bytes pass: blocks with a `data` field that end with an empty line. */

const LF = 10;
const CR = 13;
const DATA = [..."data"].map((letter) => letter.charCodeAt(0));

export class EventCounter {
  events = 0;
  /** Bytes of the current line. */
  #length = 0;
  #isData = true;
  #hasData = false;
  #afterCr = false;

  feed(chunk: Uint8Array): void {
    for (const byte of chunk) {
      // CR LF is one end of a line.
      if (byte === LF && this.#afterCr) this.#afterCr = false;
      else if (byte === LF || byte === CR) {
        this.#afterCr = byte === CR;
        this.#endLine();
      } else {
        this.#afterCr = false;
        if (this.#length < DATA.length) this.#isData &&= byte === DATA[this.#length];
        else if (this.#length === DATA.length) this.#isData &&= byte === 58;
        this.#length++;
      }
    }
  }

  #endLine(): void {
    if (this.#length > 0) this.#hasData ||= this.#isData && this.#length >= DATA.length;
    else if (this.#hasData) {
      this.events++;
      this.#hasData = false;
    }
    this.#length = 0;
    this.#isData = true;
  }
}
