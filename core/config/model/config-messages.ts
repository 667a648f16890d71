/** What the editor and the CLI say about linkup.yaml. `{0}`, `{1}`… are filled in; see core/text.ts. */
export const CONFIG_MESSAGES = {
  emptyFile: 'The file is empty. It needs the keys "linkup", "services" and "domains".',
  wrongValue: "{0} {1}.",
  missingKey: 'The key "{0}" is missing.',
  missingKeyIn: 'The key "{0}" is missing in {1}.',
  unknownKey: 'Unknown key "{0}".',
  unknownKeyLike: 'Unknown key "{0}". Did you mean "{1}"?',
  unknownKeyAmong: 'Unknown key "{0}". The keys here are: {1}.',
  morePlaces: "{0} more places in this file have problems, which are not shown.",

  namedService: 'service "{0}"',
  numberedService: "service {0}",
  namedDomain: 'domain "{0}"',
  numberedDomain: "domain {0}",
  partOf: '"{0}" of {1}',
  mustBeMap: "must be a map of keys and values",
  mustBeOfType: "must be of type {0}",
  mustBeDifferent: "has an invalid value",

  unknownService: 'There is no service "{0}". The services are: {1}.',
  unknownServiceLike: 'There is no service "{0}". Did you mean "{1}"?',
  noServices: 'There is no service "{0}". The file lists no services.',
  duplicateService: 'Two services are named "{0}".',
  duplicateDomain: 'The domain "{0}" is listed twice.',
  firstPlace: "First used here.",

  notAHostName: '"{0}" is not a host name. Write it without scheme, port and path, such as example.com.',
  notAHostNameLike: '"{0}" is not a host name. Did you mean "{1}"?',
  singleLabel:
    '"{0}" is a single label. Use a domain of your own such as example.com, or localhost or a name below it.',
  publicSuffix:
    '"{0}" is a public suffix, under which others register domains. Use a domain of your own such as example.{0}.',
  sessionAddress:
    '"{0}" is the address of a session named "{1}" on "{2}". Write the domain without the session\'s name.',
  possibleSessionAddress:
    'A session named "{0}" would have this address on "{1}", so Linkup refuses that session name.',
  parentDomain: "The domain below which the session would be.",

  invalidUrl: "{0} is not a valid URL: {1}.",
  portTooHigh: "{0} has port {1}, and the highest port is {2}.",
  sameLocation: "The local and the remote URL are the same, so switching this service changes nothing.",
  remotePlace: "The remote URL.",
  sharedPort: 'The service "{0}" uses the same port on this machine.',
  otherService: "The other service.",
  unknownTarget: 'The service has no target "{0}". Its targets are: {1}.',
  unknownTargetLike: 'The service has no target "{0}". Did you mean "{1}"?',
  invalidTargetName:
    '"{0}" cannot name a target: use letters, digits, "-", "_" and ".", and neither local, remote, auto nor session.',
  tokenVariable: "Only variables whose names start with LINKUP_ are read here, not {0}. Use {1}.",

  invalidPattern: "Invalid regular expression: {0}",
  groupsPlace: "The pattern with the groups.",
  neverMatches: 'No path can match: a path starts with "/" and does not include the query.',
  shadowedRoute: "This route is never used: the earlier route {0} matches all its paths.",
  earlierRoute: "The earlier route.",
  tooManyPatterns: "The file has {0} regular expressions; a session can have at most {1}.",
  patternsTooLong: "The regular expressions have {0} characters in total; a session can have at most {1}.",
} as const;

/** What the schema requires of a value: the end of CONFIG_MESSAGES.wrongValue. */
export const SCHEMA_MESSAGES = {
  httpUrl: "must be an http or https URL, such as https://example.com",
  localUrl: "must be an http, https or h2c URL, such as http://localhost:3000",
  aUrl: "must be a URL",
  aText: "must be text",
  aDefaultTarget: 'must be "auto", "local" or "remote"',
  notEmpty: "must not be empty",
  oneLine: "must not contain line breaks or other control characters",
  anAccess: 'must be "public", "unguessable" or "private", or a map with "mode" and "open"',
  anAccessMode: 'must be "public", "unguessable" or "private"',
  aPattern: "must be a regular expression",
  aPath: "must be a path",
  aCommand: "must be a command",
  aStatus: "must be a status code",
  statusList: "must be a list of status codes",
  rewriteList: "must be a list of rewrites",
  aBoolean: "must be true or false",
  routeList: "must be a list of routes",
  patternList: "must be a list of regular expressions",
  textList: "must be a list of texts",
  serviceList: "must be a list of services",
  oneService: "must have at least one service",
  domainList: "must be a list of domains",
  oneDomain: "must have at least one domain",
} as const;
