/** Session names: the grammar, and the three ways to make one. */
import { hex } from "../hex.ts";
import { type Text, text } from "../text.ts";

/** One DNS label: 1–63 of a–z, 0–9 and `-`, not starting or ending with `-`. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function isSessionName(text: string): boolean {
  return LABEL.test(text);
}

const MAX_NAME_LENGTH = 63;
const CUT_HASH_LENGTH = 6;

/**
 * The session name that a branch, a request's number or another text stands for: `PR_123` → `pr-123`. Empty when nothing of
 * it can stand in a name. The same text gives the same name; one that is cut ends in a hash of the whole.
 */
export async function sessionNameFrom(text: string): Promise<string> {
  const name = text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  if (name.length <= MAX_NAME_LENGTH) return name;
  const start = name.slice(0, MAX_NAME_LENGTH - 1 - CUT_HASH_LENGTH).replace(/-+$/, "");
  return `${start}-${await contentName(text)}`;
}

/** Why a name is invalid, for the person who typed it; undefined when it is valid. */
export function sessionNameError(name: string): Text | undefined {
  if (isSessionName(name)) return undefined;
  if (name === "") return text("A session name must not be empty.");
  if (name.length > 63)
    return text("A session name has at most 63 characters, this one has {0}.", name.length);
  if (/^-|-$/.test(name)) return text('The session name "{0}" must not start or end with "-".', name);
  return text(
    'The session name "{0}" may only have the characters a–z, 0–9 and "-", because it becomes a part of host names.',
    name,
  );
}

/** A source of randomness: fills and returns the array, as `crypto.getRandomValues` does. */
export type RandomSource = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;

const cryptoRandom: RandomSource = (bytes) => crypto.getRandomValues(bytes);

function randomBelow(limit: number, fill: RandomSource): number {
  const bytes = fill(new Uint8Array(4));
  const value = ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
  return value % limit;
}

/** `slim-gecko`: one of about 14,000 pairs. */
export function animalName(fill: RandomSource = cryptoRandom): string {
  const adjective = ADJECTIVES[randomBelow(ADJECTIVES.length, fill)]!;
  const animal = ANIMALS[randomBelow(ANIMALS.length, fill)]!;
  return `${adjective}-${animal}`;
}

/** True for the names that `animalName` makes. */
export function isAnimalName(text: string): boolean {
  const [adjective = "", animal = "", ...rest] = text.split("-");
  return rest.length === 0 && ADJECTIVES.includes(adjective) && ANIMALS.includes(animal);
}

const ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Lower-case alphanumerics; 6 is a `six_char` name, 10 carry 51 bits. */
export function randomName(length = 6, fill: RandomSource = cryptoRandom): string {
  let name = "";
  for (let i = 0; i < length; i++) name += ALPHANUMERIC[randomBelow(ALPHANUMERIC.length, fill)]!;
  return name;
}

/**
 * The name of a preview session: the first 6 hex characters of the SHA-256 over its content,
 * with every key sorted, so that the same content gives the same name. Lists are in the caller's order.
 */
export async function contentName(content: unknown): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(content)));
  return hex(new Uint8Array(digest, 0, 3));
}

/** JSON with sorted keys; `null`, `undefined` and missing members are the same. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== null && member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

// Short, friendly, easy to spell on the phone.
const ADJECTIVES =
  "able agile amber ample azure bold brave brief bright brisk broad calm candid chill civil classy clean clear clever cosy cool crisp curly cute daring dapper deft eager early easy elegant equal exact fair famous fancy fast fine firm fit fleet fluffy fond frank free fresh funny gentle giant glad golden good grand great green handy happy hardy hazel honest humble ideal jolly jovial keen kind large light lively loyal lucid lucky lunar magic major mellow merry mighty mild modest neat new nice nimble noble novel olive open optimal patient plain pleasant plucky plush polite prime proud pure quick quiet rapid rare ready regal rich robust rosy round royal ruby rustic safe sharp shiny silent silver simple sleek slick slim smart smooth snappy snug social soft solar solid sonic speedy spry stable steady stellar still stout strong sturdy sunny super sweet swift tall tame teal tender tidy tiny top tough true trusty upbeat urban useful valid vivid vocal warm wild wise witty young zany zesty".split(
    " ",
  );

const ANIMALS =
  "alpaca ant antelope badger bat bear beaver bee bison boar bobcat buffalo camel cat cheetah cobra cod coyote crab crane cricket crow deer dingo dog dolphin donkey dove duck eagle eel egret elk emu falcon ferret finch firefly fish flamingo fox frog gannet gazelle gecko gibbon giraffe gnu goat goose gopher grouse gull hamster hare hawk heron hippo hornet horse husky ibex ibis iguana impala jackal jaguar jay kite kiwi koala koi lark lemming lemur leopard lion lizard llama lobster lynx macaw magpie mallard mamba manatee marlin marmot marten mole mongoose moose moth mouse mule narwhal newt ocelot octopus okapi opossum orca oryx osprey ostrich otter owl ox panda panther parrot pelican penguin pheasant pigeon pika pony possum puffin puma quail rabbit raccoon ram raven robin rooster salmon seal shark sheep shrew shrimp skink skunk sloth snail snake sparrow spider squid stork swan swift tapir termite tern tiger toad toucan trout tuna turkey turtle viper vole walrus warbler wasp weasel whale wolf wombat wren yak zebra".split(
    " ",
  );
