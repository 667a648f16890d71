/** The tools that coding agents get: the one source for `linkup mcp`, VS Code's language-model tools and package.json. */
import type { AgentTool } from "./agent-tool.ts";
import { compare, explainRequest, getRequests } from "./request-tools.ts";
import {
  createIsolated,
  createPreview,
  deleteSession,
  routeService,
  startSession,
  stopSession,
  switchOverrides,
} from "./session-tools.ts";
import { share } from "./share-tool.ts";
import { doctor, getStatus, listSessions, logs } from "./status-tools.ts";

export const AGENT_TOOLS: readonly AgentTool[] = [
  getStatus,
  listSessions,
  startSession,
  stopSession,
  routeService,
  switchOverrides,
  share,
  explainRequest,
  getRequests,
  compare,
  createPreview,
  createIsolated,
  deleteSession,
  doctor,
  logs,
];
