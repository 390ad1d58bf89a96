/**
 * The public names of every subpath of package.json, written out.
 *
 * Adding, renaming or removing a public name turns this file red: change the one list of its subpath in `pins`, and
 * CHANGELOG.md. The lists are literals on purpose: a pin computed from the code would agree with any mistake.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { exportedTypes, exportedValues, typeNames } from './support/public-surface.ts';
import { builtPath, packageJson, root, sourceOf } from './support/repository.ts';

interface Pin {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** Subpath of package.json -> its public names, in alphabetical order (capitals first, as sort() has it). */
const pins: Readonly<Record<string, Pin>> = {
  '.': {
    values: [
      'BadArgError',
      'CallError',
      'ChannelFullError',
      'ExitedError',
      'FunctionClauseError',
      'NoProcError',
      'NotTransferableError',
      'Pid',
      'StartError',
      'SystemLimitError',
      'TaskError',
      'UndefError',
      'abcast',
      'agent',
      'application',
      'applicationController',
      'changeCallbackModule',
      'channels',
      'checkResponse',
      'child',
      'continueWith',
      'countChildren',
      'deleteChild',
      'describeExit',
      'ensureAllStarted',
      'enterLoop',
      'errorExit',
      'eventHandler',
      'eventTimeout',
      'genEvent',
      'genServer',
      'genStatem',
      'genericTimeout',
      'getChildSpec',
      'hibernate',
      'idleTimeout',
      'ignore',
      'initOk',
      'initState',
      'isErrorExit',
      'isNormalExit',
      'keepState',
      'keepStateAndData',
      'multiCall',
      'name',
      'nextEvent',
      'nextState',
      'noreply',
      'partitionSupervisor',
      'pg',
      'popCallbackModule',
      'pushCallbackModule',
      'receiveResponse',
      'registry',
      'removeHandler',
      'removeHandlerReply',
      'repeatState',
      'repeatStateAndData',
      'reply',
      'replyTo',
      'reqidsAdd',
      'reqidsNew',
      'reqidsSize',
      'reqidsToList',
      'restartChild',
      'startApplication',
      'startChild',
      'startChildAtOnce',
      'startSystem',
      'stateTimeout',
      'stop',
      'stopAndReply',
      'stopApplication',
      'stopInit',
      'stopReply',
      'stopServer',
      'supervisor',
      'swapHandler',
      'swapHandlerReply',
      'sys',
      'systemClock',
      'task',
      'taskSupervisor',
      'terminateChild',
      'transfer',
      'waitResponse',
      'whichApplications',
      'whichChildren',
    ],
    types: [
      'AddResult',
      'Agent',
      'AgentInit',
      'AgentProtocol',
      'Alias',
      'AliasOptions',
      'Application',
      'ApplicationCallbacks',
      'ApplicationInfo',
      'ApplicationProtocol',
      'ApplicationReport',
      'ApplicationResult',
      'ApplicationStart',
      'AutoShutdown',
      'Bag',
      'Behaviour',
      'BootApplication',
      'Call',
      'CallContext',
      'CallExit',
      'CallOptions',
      'CallPayload',
      'CallReply',
      'CallResult',
      'CallTag',
      'ChildCount',
      'ChildInfo',
      'ChildOptions',
      'ChildResult',
      'ChildSpec',
      'Clock',
      'ComputeFault',
      'Context',
      'CounterUpdate',
      'CrashReport',
      'DebugEvent',
      'DebugFunction',
      'Dest',
      'EnterAction',
      'EnterLoop',
      'ErrorData',
      'ErrorExit',
      'EventAction',
      'EventHandler',
      'EventHandlerCallbacks',
      'EventHandlerReport',
      'EventProtocol',
      'EventResult',
      'EventType',
      'ExitReason',
      'From',
      'GenEvent',
      'GenServer',
      'GenServerCallbacks',
      'GenStatem',
      'GenStatemCallbacks',
      'HandlerCallResult',
      'HandlerProtocol',
      'HandlerRef',
      'HandlerReply',
      'HandlerResult',
      'HandlerState',
      'HandlerSwap',
      'InitOk',
      'InitResult',
      'LabelledOutcome',
      'MailboxPolicy',
      'MailboxWarning',
      'MaybePromise',
      'MessageLost',
      'Messaging',
      'ModuleMeta',
      'MultiCallResult',
      'Name',
      'NewTable',
      'Next',
      'OpenTable',
      'OrderedTable',
      'Outcome',
      'PartitionKey',
      'PartitionOptions',
      'PartitionSupervisor',
      'Payload',
      'Pg',
      'PgEvent',
      'Placement',
      'Port',
      'ProcessExitEvent',
      'ProcessFunction',
      'ProcessInfo',
      'ProcessOptions',
      'ProcessStart',
      'ProgressReport',
      'Protocol',
      'ReceivedMessage',
      'Ref',
      'Registry',
      'RegistryEntry',
      'RegistryListenerInfo',
      'RegistryOptions',
      'ReplyAction',
      'ReportedChild',
      'RequestId',
      'RequestIds',
      'ResourceLimits',
      'Response',
      'RestartType',
      'RowMatch',
      'Shutdown',
      'SortedRange',
      'SpecError',
      'StartChildResult',
      'StartMonitorResult',
      'StartOptions',
      'StartResult',
      'StatemAction',
      'StatemEnterResult',
      'StatemEventResult',
      'StatemInit',
      'StatemProtocol',
      'StatemResult',
      'Strategy',
      'SupervisorFlags',
      'SupervisorProtocol',
      'SupervisorReport',
      'Swapped',
      'Sys',
      'SysStatistics',
      'SysStatus',
      'SysTrace',
      'System',
      'SystemInfo',
      'SystemOptions',
      'Table',
      'TableContinuation',
      'TableInfo',
      'TableOptions',
      'TablePage',
      'TableTransfer',
      'TableType',
      'Tag',
      'Task',
      'TaskApi',
      'TaskExit',
      'TaskFunction',
      'TaskOutcome',
      'TaskStreamOptions',
      'TaskSupervisor',
      'TaskSupervisorOptions',
      'TaskWait',
      'ThreadExit',
      'ThreadGroupOptions',
      'ThreadsOptions',
      'Tid',
      'TimeoutOptions',
      'TimeoutTime',
      'TimeoutType',
      'TimerHandle',
      'TreeNode',
      'UnexpectedMessage',
      'UniqueRegistry',
      'ViaCaller',
      'ViaName',
      'ViaRegistry',
      'WorkersOptions',
      'YieldManyOptions',
    ],
  },
  './testing': {
    values: ['SimulationError', 'deepFreeze', 'settle', 'simulate', 'simulatedClock'],
    types: ['SimulateOptions', 'SimulatedClock', 'SimulatedKills', 'SimulatedRun', 'Victim'],
  },
  './compute': {
    values: ['compute', 'computePool'],
    types: ['ComputeOptions', 'ComputePoolOptions', 'ComputePoolProtocol'],
  },
  './compute/job': {
    values: ['computeJob'],
    types: ['ComputeJob', 'JobFunction', 'JobThread'],
  },
  './mcp': {
    values: [
      'DefinitionError',
      'HEADER_MISMATCH',
      'INTERNAL_ERROR',
      'INVALID_PARAMS',
      'INVALID_REQUEST',
      'MCP_LIMITS',
      'METHOD_NOT_FOUND',
      'MISSING_REQUIRED_CLIENT_CAPABILITY',
      'McpError',
      'PARSE_ERROR',
      'RESOURCE_NOT_FOUND',
      'UNSUPPORTED_PROTOCOL_VERSION',
      'URL_ELICITATION_REQUIRED',
      'assistantMessage',
      'audio',
      'changeServer',
      'content',
      'elicit',
      'elicitUrl',
      'embeddedResource',
      'fromModule',
      'image',
      'isMcpServer',
      'isMountedServer',
      'listRoots',
      'mcpNode',
      'mcpServer',
      'mountedServer',
      'prompt',
      'resource',
      'resourceLink',
      'resourceTemplate',
      'resourceUpdated',
      'sample',
      'structured',
      'text',
      'tool',
      'toolError',
      'userMessage',
    ],
    types: [
      'ArgumentsOf',
      'AudioContent',
      'Complete',
      'ContentAnnotations',
      'ContentBlock',
      'ElicitAnswer',
      'ElicitUrlAnswer',
      'EmbeddedResource',
      'Era',
      'Icon',
      'ImageContent',
      'InputAnswers',
      'InputQuestion',
      'JsonSchema',
      'LogLevel',
      'McpLimits',
      'McpNodeSpec',
      'McpServer',
      'MountFactory',
      'MountSpec',
      'MountTransport',
      'MountableServer',
      'MountedServer',
      'Prompt',
      'PromptArgument',
      'PromptArguments',
      'PromptDefinition',
      'PromptFunction',
      'PromptMessage',
      'PromptResult',
      'PromptSpec',
      'RequestContext',
      'RequestId',
      'Resource',
      'ResourceContents',
      'ResourceDefinition',
      'ResourceFunction',
      'ResourceLink',
      'ResourceResult',
      'ResourceSpec',
      'ResourceTemplate',
      'ResourceTemplateFunction',
      'ResourceTemplateSpec',
      'RootsAnswer',
      'SampleAnswer',
      'SampleSpec',
      'SamplingContent',
      'SamplingMessage',
      'Served',
      'ServerAddress',
      'ServerChange',
      'ServerInfo',
      'ServerSpec',
      'TaskSupport',
      'TemplateDefinition',
      'TextContent',
      'Tool',
      'ToolAnnotations',
      'ToolContext',
      'ToolDefinition',
      'ToolFunction',
      'ToolResult',
      'ToolSpec',
    ],
  },
  './mcp/client': {
    values: ['CLIENT_LIMITS', 'MCP_CLIENT_CHANNEL', 'clientOf', 'mcpClient'],
    types: [
      'Agreed',
      'CallToolOptions',
      'CallbackContext',
      'ClientHandlers',
      'ClientLimits',
      'ClientStatus',
      'CompletionReference',
      'CompletionResult',
      'ElicitationRequest',
      'ElicitationResult',
      'LogLevel',
      'McpClient',
      'McpClientEvent',
      'McpClientSpec',
      'McpFailure',
      'Negotiation',
      'Progress',
      'PromptInfo',
      'PromptResult',
      'Reply',
      'RequestOptions',
      'ResourceInfo',
      'ResourceTemplateInfo',
      'Root',
      'SamplingRequest',
      'SamplingResult',
      'ServerNotification',
      'ToolInfo',
    ],
  },
  './mcp/client/oauth': {
    values: ['oauthTokens'],
    types: [
      'Application',
      'Authorization',
      'AuthorizationProtocol',
      'Authorized',
      'Challenge',
      'OAuthSpec',
      'OAuthState',
      'Registration',
      'Tokens',
    ],
  },
  './transports/client': {
    values: [
      'CARRIER_LIMITS',
      'CHILD_PROCESS_LIMITS',
      'HTTP_CLIENT_LIMITS',
      'SOCKET_CLIENT_LIMITS',
      'WEB_SOCKET_CLIENT_LIMITS',
      'childProcess',
      'http2Client',
      'httpClient',
      'memoryClient',
      'tcpClient',
      'webSocketClient',
    ],
    types: [
      'CarrierLimits',
      'ChildProcessLimits',
      'ChildProcessOptions',
      'ClientTransport',
      'Http2ClientOptions',
      'HttpClientLimits',
      'HttpClientOptions',
      'MemoryClientOptions',
      'SocketClientLimits',
      'TcpClientOptions',
      'TlsClientOptions',
      'WebSocketClientLimits',
      'WebSocketClientOptions',
    ],
  },
  './transports/stdio': {
    values: ['StdioConnection', 'stdio'],
    types: ['StdioOptions'],
  },
  './transports/http': {
    values: ['HTTP_LIMITS', 'TransportOptionError', 'listenerName', 'mountHttp', 'streamableHttp'],
    types: ['HttpAddress', 'HttpLimits', 'HttpListenerProtocol', 'HttpOptions', 'MountedHttp', 'StreamableHttpOptions'],
  },
  './transports/tcp': {
    values: ['SOCKET_LIMITS', 'TransportOptionError', 'tcp', 'tcpListenerName'],
    types: ['SocketLimits', 'TcpAddress', 'TcpListenerProtocol', 'TcpOptions', 'TlsOptions'],
  },
  './transports/http2': {
    values: ['HTTP2_LIMITS', 'TransportOptionError', 'http2ListenerName', 'streamableHttp2'],
    types: [
      'Http2Limits',
      'HttpAddress',
      'HttpListenerProtocol',
      'HttpOptions',
      'StreamableHttp2Options',
      'TlsOptions',
    ],
  },
  './transports/websocket': {
    values: ['TransportOptionError', 'WEB_SOCKET_LIMITS', 'webSocket', 'webSocketListenerName'],
    types: ['TlsOptions', 'WebSocketAddress', 'WebSocketLimits', 'WebSocketListenerProtocol', 'WebSocketOptions'],
  },
  './transports/memory': {
    values: ['MemoryConnectError', 'MemoryConnection', 'MemoryListener', 'connectMemory', 'memory'],
    types: ['MemoryClient', 'MemoryOptions'],
  },
};

/** Packages that only some subpaths need. The root entry must start without them. */
const notAtTheRoot = ['ajv', 'oauth4webapi', 'pino', 'piscina', 're2js', 'ws'];

const subpaths = Object.entries(packageJson().exports).filter(([, target]) => target.endsWith('.js'));

for (const [subpath, target] of subpaths) {
  test(`${subpath} exports what is pinned`, async () => {
    const built = builtPath(sourceOf(target));
    const pin = pins[subpath];
    const found = { values: await exportedValues(built), types: exportedTypes(built.replace(/\.js$/, '.d.ts')) };
    assert.ok(pin, `${subpath} has no pin; add it to test/exports.test.ts:\n${JSON.stringify(found)}`);
    assert.deepEqual(found, pin, `the public names of ${subpath} changed: edit its pin in test/exports.test.ts`);
  });
}

test('every pin belongs to a subpath', () => {
  const known = subpaths.map(([subpath]) => subpath);
  assert.deepEqual(
    Object.keys(pins).filter((subpath) => !known.includes(subpath)),
    [],
  );
});

test('types are read from declarations, and wildcards are refused', () => {
  const text = [
    "export { call, type Call, type Old as New } from './a.ts';",
    "export type { Pid,\n  Ref } from './b.ts';",
    'export interface Context<P> {}',
    'export declare const x: number;',
    'export type Next = string;',
    '// export type Commented = 1;',
  ].join('\n');
  assert.deepEqual(typeNames(text), ['Context', 'Next', 'Call', 'New', 'Pid', 'Ref']);
  assert.throws(() => typeNames("export * from './a.ts';"), /not wildcards/);
});

test('the root entry loads no package that only other subpaths need', () => {
  const entry = builtPath(sourceOf(packageJson().exports['.']!));
  const scripts = loadedScripts(`await import('${pathToFileURL(entry).href}')`);
  assert.ok(scripts.includes(pathToFileURL(entry).href), 'the list of loaded scripts is incomplete');
  assert.deepEqual(
    packagesOf(scripts).filter((name) => notAtTheRoot.includes(name)),
    [],
  );
});

test('the entry for jobs loads a handful of small files: each thread starts with it', () => {
  const entry = builtPath(sourceOf(packageJson().exports['./compute/job']!));
  const scripts = loadedScripts(`await import('${pathToFileURL(entry).href}')`).filter((url) => url.endsWith('.js'));
  assert.deepEqual(packagesOf(scripts), []);
  const files = scripts.map((url) => url.slice(url.lastIndexOf('/') + 1)).sort();
  assert.deepEqual(files, ['arguments.js', 'errors.js', 'exit.js', 'job.js', 'pid.js']);
});

test('the list of loaded scripts sees packages', () => {
  assert.deepEqual(packagesOf(loadedScripts("await import('fast-check')")).includes('fast-check'), true);
});

/** The URL of every script that a child process has loaded by its end: V8's coverage report names them all. */
function loadedScripts(code: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'beamish-loaded-'));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    const child = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: root,
      env,
      encoding: 'utf8',
    });
    assert.equal(child.status, 0, child.stderr);
    return readdirSync(folder).flatMap((file) => {
      const report = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] };
      return report.result.map(({ url }) => url);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The packages among loaded scripts: 'file:///…/node_modules/@a/b/c.js' -> '@a/b'. */
function packagesOf(urls: readonly string[]): string[] {
  const names = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]);
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}
