/** A tool for coding agents: what it is called, takes and returns. Adapters serve it over MCP and in VS Code. */
import * as z from "zod/mini";
import type { Manager, Selector, StartRequest } from "../manager/manager.ts";
import type { SessionView } from "../manager/model/snapshot.ts";
import { boundedText } from "./untrusted.ts";

/** What a tool needs from the program that serves it. The optional members are those of one call: not every client has them. */
export interface AgentToolHost {
  manager: Pick<
    Manager,
    | "look"
    | "refresh"
    | "route"
    | "setOverrides"
    | "explain"
    | "create"
    | "stop"
    | "remove"
    | "health"
    | "requestLog"
    | "compare"
    | "otherUsers"
    | "workerSessions"
    | "setAccess"
    | "invite"
    | "invites"
    | "revokeInvite"
    | "onDidChange"
  >;
  /** The folder that holds all state, with the logs. */
  home: string;
  /** The absolute path of the linkup.yaml to use: the named one, else the program's own choice. Rejects without one. */
  configPath(named: string | undefined): Promise<string>;
  /** The session to use: the named one, else that of the linkup.yaml. Rejects without one. */
  selector(named: SessionChoice, choose?: Choose): Promise<Selector>;
  start(request: StartRequest, signal: AbortSignal): Promise<SessionView>;
  /** Set where nothing outside this machine may be asked. */
  offline?: boolean;
  /** Tells the client what is waited for. */
  progress?(message: string): void;
  /** Asks the user. False when the user refuses. */
  confirm?(question: string): Promise<boolean>;
  choose?: Choose;
}

/** Lets the user choose one of several; undefined when the user chose none. */
export type Choose = (question: string, choices: readonly string[]) => Promise<string | undefined>;

export interface SessionChoice {
  session?: string | undefined;
  config?: string | undefined;
}

export interface AgentTool {
  name: string;
  title: string;
  /** For the model. */
  description: string;
  /** False: the user has to agree before it runs. */
  readOnly: boolean;
  /** True when it ends or deletes something that others may be using. */
  destructive?: boolean;
  /** Where the program cannot ask the user, the tool refuses, and says how the user does it: `in a terminal by linkup share`. */
  insteadOfAsking?: string;
  /** JSON Schema, draft 2020-12, of the arguments and of the structured result. */
  inputSchema: ToolSchema;
  outputSchema: ToolSchema;
  /** Rejects with a sentence for the model: an argument that is wrong, or a LinkupError. */
  run(host: AgentToolHost, input: unknown, signal: AbortSignal): Promise<AgentToolResult>;
}

export interface AgentToolResult {
  /** For the model to read. */
  text: string;
  /** The same as data, in the shape of `outputSchema`. */
  structured: Record<string, unknown>;
}

export interface ToolSchema {
  type: "object";
  [key: string]: unknown;
}

/** Characters of why a tool failed. */
const MAX_REASON = 1_000;

interface Definition<In extends z.ZodMiniType<object>, Out extends z.ZodMiniType<object>>
  extends Omit<AgentTool, "inputSchema" | "outputSchema" | "run"> {
  input: In;
  output: Out;
  run(host: AgentToolHost, input: z.output<In>, signal: AbortSignal): Promise<z.input<Out>>;
  /** What the user is asked before it runs, where the client can ask; undefined when there is nothing to ask. */
  question?(host: AgentToolHost, input: z.output<In>): Promise<string | undefined>;
  /** Default: the data as JSON. */
  text?(output: z.input<Out>): string;
}

/** A tool that checks its arguments. The schemas are made when they are first asked for. */
export function agentTool<In extends z.ZodMiniType<object>, Out extends z.ZodMiniType<object>>({
  input,
  output,
  run,
  question,
  text = (output) => JSON.stringify(output, null, 1),
  ...tool
}: Definition<In, Out>): AgentTool {
  return {
    ...tool,
    get inputSchema() {
      return toolSchema(input);
    },
    get outputSchema() {
      return toolSchema(output);
    },
    async run(program, given, signal) {
      // The user chooses once: what the question names is what the tool changes.
      let selected: Promise<Selector> | undefined;
      const host: AgentToolHost = {
        ...program,
        selector: (named, choose) => (selected ??= program.selector(named, choose)),
      };
      const parsed = input.safeParse(given ?? {});
      if (!parsed.success) throw new Error(argumentErrors(input, given, parsed.error.issues));
      const call = async (data: z.output<In>) => {
        const asked = host.confirm || tool.insteadOfAsking ? await question?.(host, data) : undefined;
        if (asked && !host.confirm)
          throw new Error(
            `The user has to agree, and this client cannot ask. Let the user do it: ${tool.insteadOfAsking}. The question was: ${asked}`,
          );
        if (asked && !(await host.confirm?.(asked)))
          throw new Error("The user refused. Nothing has changed.");
        return await run(host, data, signal);
      };
      // Reasons may be the words of a Worker or a service.
      const result = await call(parsed.data as z.output<In>).catch((error: Error) => {
        throw new Error(boundedText(error.message, MAX_REASON), { cause: error });
      });
      return { text: text(result), structured: result as Record<string, unknown> };
    },
  };
}

function toolSchema(schema: z.ZodMiniType): ToolSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return { ...rest, type: "object" };
}

/** A sentence for each argument that is wrong. */
function argumentErrors(schema: z.ZodMiniType, input: unknown, issues: readonly z.core.$ZodIssue[]): string {
  const known = Object.keys(toolSchema(schema).properties ?? {});
  return issues.flatMap((issue) => issueSentences(issue, input, known)).join(" ");
}

function issueSentences(issue: z.core.$ZodIssue, input: unknown, known: readonly string[]): string[] {
  const name = `"${issue.path.join(".")}"`;
  const value = valueAt(input, issue.path);
  if (issue.code === "unrecognized_keys") {
    const takes = known.length > 0 ? `takes ${known.join(", ")}` : "takes no arguments";
    return issue.keys.map((key) => `There is no argument ${shown(key)}: this tool ${takes}.`);
  }
  if (issue.path.length === 0) return [`The arguments must be an object, not ${shown(input)}.`];
  if (value === undefined) return [`${name} is missing: it must be ${expectation(issue)}.`];
  return [`${name} must be ${expectation(issue)}, not ${shown(value)}.`];
}

const TYPES: Record<string, string> = {
  boolean: "true or false",
  string: "a string",
  int: "a whole number",
  number: "a number",
  record: "an object",
  object: "an object",
};

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return issue.values.map((value) => JSON.stringify(value)).join(" or ");
    case "too_small":
      return issue.origin === "string" ? "a string that is not empty" : `at least ${issue.minimum}`;
    case "invalid_format":
      return "a session's name: a–z, 0–9 and -";
    case "too_big":
      return issue.origin === "string"
        ? `a string of at most ${issue.maximum} characters`
        : `at most ${issue.maximum}`;
    default:
      return "valid";
  }
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], input);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
