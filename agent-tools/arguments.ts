/** Arguments and results that several tools share. */
import * as z from "zod/mini";
import { addressOf, type SessionView } from "../manager/model/snapshot.ts";

/** Characters of one text in a list, and in the details of one thing. */
export const MAX_TEXT = { list: 300, details: 500 };
/** Characters of an answer's list: what does not fit is left out, and said. */
export const MAX_LIST = 40_000;
/** Of a session: a linkup.yaml may list any number. */
export const MAX_SERVICES = 50;

export const described = <T extends z.ZodMiniType>(schema: T, description: string): T => {
  z.globalRegistry.add(schema, { description });
  return schema;
};

export const name = (description: string) =>
  described(z.optional(z.string().check(z.minLength(1), z.maxLength(253))), description);

export const config = described(
  z.optional(z.string().check(z.minLength(1), z.maxLength(4_096))),
  "Absolute path of a linkup.yaml. Default: the workspace's, or the nearest one upwards.",
);

export const session = name("The session's name. Default: the session of the linkup.yaml.");

export const url = z.string().check(z.minLength(1), z.maxLength(8_192));

/** How many of a list. */
export const limit = (initial: number, most: number) =>
  described(
    z.optional(z.int().check(z.gte(1), z.lte(most))),
    `How many. Default ${initial}, at most ${most}.`,
  );

export const sessionOutput = z.object({
  name: z.optional(z.string()),
  kind: z.string(),
  state: z.string(),
  access: described(
    z.optional(z.string()),
    "Who can open it: public, unguessable or private. Missing for an isolated session.",
  ),
  urls: z.array(z.string()),
  services: z.array(z.object({ name: z.string(), target: z.string(), address: z.string() })),
});

/** What a tool says of each session. */
export function sessionFacts({ name, kind, state, access, urls }: SessionView) {
  return {
    ...(name === undefined ? {} : { name }),
    kind,
    state,
    ...(access === undefined ? {} : { access }),
    urls: [...urls],
  };
}

export function sessionData(session: SessionView): z.input<typeof sessionOutput> {
  return {
    ...sessionFacts(session),
    services: session.services.slice(0, MAX_SERVICES).map((service) => ({
      name: service.name,
      target: service.target,
      address: addressOf(service),
    })),
  };
}

export function sessionText({
  name,
  kind,
  state,
  access,
  urls,
  services,
}: z.input<typeof sessionOutput>): string {
  const routed = services.map(({ name, target, address }) => `${name}: ${target}, ${address}`);
  return [
    `Session ${name} (${kind}${access === "private" ? ", private" : ""}) is ${state}: ${urls.join(", ")}`,
    ...routed,
  ].join("\n");
}

/** The first of these whose JSON is together no longer than this. */
export function firstWithin<T>(maxLength: number, items: readonly T[]): T[] {
  let left = maxLength;
  const after = items.findIndex((item) => {
    left -= JSON.stringify(item, null, 1).length;
    return left < 0;
  });
  return after === -1 ? [...items] : items.slice(0, after);
}

/** The last of these whose JSON is together no longer than this. */
export function lastWithin<T>(maxLength: number, items: readonly T[]): T[] {
  return firstWithin(maxLength, items.toReversed()).reverse();
}
