/**
 * The network of a client's address: what a household or an office has in common. A proof given from there lets requests
 * in that cannot carry one, see `decideAccess`.
 */

/** The IPv4 address, or the first 64 bits of an IPv6 address; undefined for anything else. */
export function clientNetwork(address: string | null | undefined): string | undefined {
  const text = address?.trim() ?? "";
  if (isV4(text)) return text;
  const groups = v6Groups(text.replace(/%.*$/, ""));
  if (!groups) return undefined;
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join(".");
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

function isV4(text: string): boolean {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1);
  return octets?.every((octet) => Number(octet) <= 255) ?? false;
}

/** The eight groups of an IPv6 address; its last two may be written as an IPv4 address. */
function v6Groups(text: string): number[] | undefined {
  const tail = /:([\d.]+\.\d+)$/.exec(text)?.[1];
  if (tail !== undefined) {
    if (!isV4(tail)) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = tail.split(".").map(Number);
    const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    return v6Groups(text.slice(0, -tail.length) + groups);
  }
  const halves = text.split("::");
  if (halves.length > 2 || !text.includes(":")) return undefined;
  const [first = [], last] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - first.length - (last?.length ?? 0);
  if (last === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...first, ...Array.from({ length: last ? missing : 0 }, () => "0"), ...(last ?? [])];
  return all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? all.map((group) => Number.parseInt(group, 16))
    : undefined;
}
