/** Decodes the header blocks of one connection (RFC 7541). */
import { ConnectionError } from "./errors.ts";
import { DEFAULT_TABLE_SIZE, ErrorCode } from "./frames.ts";
import { HeaderField } from "./header-field.ts";
import { decodedLength, decodeHuffman } from "./huffman.ts";
import { STATIC_TABLE } from "./static-table.ts";

/** The table keeps the size that both sides begin with, and no field counts less than 32. */
const SLOTS = DEFAULT_TABLE_SIZE / 32;

/** Takes the fields of a header block. */
export interface FieldReceiver {
  add(field: HeaderField): void;
}

export class HpackDecoder {
  /** The dynamic table: a ring, the newest field at `#newest`. */
  readonly #fields: (HeaderField | undefined)[] = [];
  #newest = 0;
  #count = 0;
  #size = 0;
  #maxSize = DEFAULT_TABLE_SIZE;
  #block: Buffer = EMPTY;
  #at = 0;

  /** Throws ConnectionError: behind a flaw the table is not the client's any more. */
  decode(block: Buffer, receiver: FieldReceiver): void {
    this.#block = block;
    this.#at = 0;
    let mayResize = true;
    while (this.#at < block.length) {
      const first = block[this.#at]!;
      if (first >= 0x80) receiver.add(this.#indexed(this.#integer(0x7f)));
      else if (first >= 0x40) {
        const field = this.#literal(0x3f);
        this.#insert(field);
        receiver.add(field);
      } else if (first >= 0x20) {
        if (!mayResize) throw compressionError("a table size in the middle of a header block");
        this.#resize(this.#integer(0x1f));
        continue;
      } else receiver.add(this.#literal(0x0f));
      mayResize = false;
    }
    this.#block = EMPTY;
  }

  #indexed(index: number): HeaderField {
    if (index <= STATIC_TABLE.length && index > 0) return STATIC_TABLE[index - 1]!;
    const age = index - STATIC_TABLE.length - 1;
    if (index === 0 || age >= this.#count) throw compressionError("an index beyond the tables");
    return this.#fields[(this.#newest + age) % SLOTS]!;
  }

  #literal(mask: number): HeaderField {
    const index = this.#integer(mask);
    const name = index === 0 ? this.#string() : this.#indexed(index).name;
    return new HeaderField(name, this.#string());
  }

  #insert(field: HeaderField): void {
    this.#evict(this.#maxSize - field.size);
    if (field.size > this.#maxSize) return;
    this.#newest = (this.#newest + SLOTS - 1) % SLOTS;
    this.#fields[this.#newest] = field;
    this.#count++;
    this.#size += field.size;
  }

  /** Until the fields have this size at most. */
  #evict(size: number): void {
    while (this.#size > size && this.#count > 0) {
      this.#count--;
      const oldest = (this.#newest + this.#count) % SLOTS;
      this.#size -= this.#fields[oldest]!.size;
      // It would be kept until its slot is used again.
      this.#fields[oldest] = undefined;
    }
  }

  #resize(size: number): void {
    if (size > DEFAULT_TABLE_SIZE) throw compressionError("a table size beyond the limit");
    this.#maxSize = size;
    this.#evict(size);
  }

  /** An integer that begins in the low bits of the next byte; up to 2^28. */
  #integer(mask: number): number {
    const block = this.#block;
    let value = block[this.#at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.#at >= block.length) throw compressionError("a header block that ends in an integer");
      const byte = block[this.#at++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw compressionError("an integer beyond the limit");
  }

  #string(): string {
    const block = this.#block;
    if (this.#at >= block.length) throw compressionError("a header block that ends before a string");
    const isHuffman = block[this.#at]! >= 0x80;
    const length = this.#integer(0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > block.length) throw compressionError("a header block that ends in a string");
    this.#at = end;
    if (!isHuffman) return block.toString("latin1", start, end);
    const space = length <= MAX_SCRATCH ? scratch : Buffer.allocUnsafe(decodedLength(length));
    const decoded = decodeHuffman(block, start, end, space);
    if (decoded === -1) throw compressionError("a malformed Huffman code");
    return space.toString("latin1", 0, decoded);
  }
}

const EMPTY = Buffer.alloc(0);
const MAX_SCRATCH = 5_120;
const scratch = Buffer.alloc(decodedLength(MAX_SCRATCH));

function compressionError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.COMPRESSION_ERROR, message);
}
