/**
 * The server that the conformance suite expects to find: its tool names, results and schemas are the suite's. What it
 * cannot offer yet stands in `not-built.ts`.
 */

import {
  audio,
  changeServer,
  content,
  embeddedResource,
  image,
  McpError,
  mcpServer,
  type Prompt,
  prompt,
  resource,
  resourceTemplate,
  type Tool,
  type ToolContext,
  text,
  tool,
  userMessage,
} from '../../mcp/index.ts';

const noArguments = { type: 'object' } as const;

/** A picture of one red pixel. */
const redPixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

/** A WAV file without a sample. */
const silence = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

/** Longer than the pause the server keeps between two progress notifications of a request. */
const stepMs = 100;

function pause(ctx: ToolContext): Promise<void> {
  return new Promise((resolve) => {
    ctx.clock.setTimer(resolve, stepMs);
  });
}

/** Looks different after each change: a list that is as it was has not changed. */
function changedTool(ctx: ToolContext): Tool {
  return tool({ description: `Added at ${ctx.clock.now()}.`, input: noArguments }, () => text('added'));
}

function changedPrompt(ctx: ToolContext): Prompt {
  return prompt({ description: `Added at ${ctx.clock.now()}.` }, () => [userMessage('added')]);
}

export default mcpServer('everything', {
  info: { name: 'beamish-conformance', version: '1.0.0' },
  tools: {
    test_simple_text: tool({ description: 'Returns a text.', input: noArguments }, () =>
      text('This is a simple text response for testing.'),
    ),
    test_image_content: tool({ description: 'Returns a picture.', input: noArguments }, () =>
      image(redPixel, 'image/png'),
    ),
    test_audio_content: tool({ description: 'Returns a sound.', input: noArguments }, () =>
      audio(silence, 'audio/wav'),
    ),
    test_embedded_resource: tool({ description: 'Returns a resource.', input: noArguments }, () =>
      embeddedResource({
        uri: 'test://embedded-resource',
        mimeType: 'text/plain',
        text: 'This is an embedded resource content.',
      }),
    ),
    test_multiple_content_types: tool(
      { description: 'Returns a text, a picture and a resource.', input: noArguments },
      () =>
        content([
          text('Multiple content types test:'),
          image(redPixel, 'image/png'),
          embeddedResource({
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: '{"test":"data","value":123}',
          }),
        ]),
    ),
    test_tool_with_progress: tool(
      { description: 'Says three times how far it is.', input: noArguments },
      async (_args, ctx) => {
        ctx.progress(0, 100);
        await pause(ctx);
        ctx.progress(50, 100);
        await pause(ctx);
        ctx.progress(100, 100);
        return text('Done.');
      },
    ),
    test_tool_with_logging: tool({ description: 'Logs three times.', input: noArguments }, async (_args, ctx) => {
      ctx.log('info', 'Tool execution started');
      await pause(ctx);
      ctx.log('info', 'Tool processing data');
      await pause(ctx);
      ctx.log('info', 'Tool execution completed');
      return text('Logged.');
    }),
    test_reconnection: tool(
      { description: 'Sends its client away, and answers when it is back.', input: noArguments },
      async (_args, ctx) => {
        ctx.disconnect(stepMs);
        await pause(ctx);
        return text('Reconnection test completed');
      },
    ),
    test_trigger_tool_change: tool(
      { description: 'Changes the list of tools.', input: noArguments },
      async (_args, ctx) => {
        await changeServer(ctx, ctx.server, { tools: { test_changed: changedTool(ctx) } });
        return text('The tools have changed.');
      },
    ),
    test_trigger_prompt_change: tool(
      { description: 'Changes the list of prompts.', input: noArguments },
      async (_args, ctx) => {
        await changeServer(ctx, ctx.server, { prompts: { test_changed: changedPrompt(ctx) } });
        return text('The prompts have changed.');
      },
    ),
    test_error_handling: tool({ description: 'Throws an error.', input: noArguments }, () => {
      throw new Error('This tool intentionally returns an error for testing');
    }),
    test_missing_capability: tool(
      { description: 'Needs a client that can sample.', input: noArguments },
      (_args, ctx) => {
        if (Object.hasOwn(ctx.clientCapabilities, 'sampling')) return text('The client can sample.');
        const data = { requiredCapabilities: { sampling: {} } };
        throw new McpError(-32021, 'this tool needs the client capability sampling', data);
      },
    ),
    test_streaming_elicitation: tool(
      { description: 'Answers without asking back.', input: noArguments },
      (_args, ctx) => {
        ctx.progress(50, 100);
        return text('Streaming complete');
      },
    ),
    test_logging_tool: tool({ description: 'Logs, if the request asks for it.', input: noArguments }, (_args, ctx) => {
      ctx.log('info', 'Logging evaluated');
      return text('Logging evaluated');
    }),
    test_x_mcp_header: tool(
      {
        description: 'Repeats a region that a header must repeat too.',
        input: {
          type: 'object',
          properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
          required: ['region'],
        },
      },
      ({ region }) => text(region),
    ),
    json_schema_2020_12_tool: tool(
      {
        description: 'Tool with JSON Schema 2020-12 features',
        input: {
          $schema: 'https://json-schema.org/draft/2020-12/schema',
          type: 'object',
          $defs: {
            address: {
              $anchor: 'addressDef',
              type: 'object',
              properties: { street: { type: 'string' }, city: { type: 'string' } },
            },
          },
          properties: {
            name: { type: 'string' },
            address: { $ref: '#/$defs/address' },
            contactMethod: { type: 'string', enum: ['phone', 'email'] },
            phone: { type: 'string' },
            email: { type: 'string' },
          },
          allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
          if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
          then: { required: ['phone'] },
          else: { required: ['email'] },
          additionalProperties: false,
        },
      },
      (args) => text(JSON.stringify(args)),
    ),
  },
  resources: {
    'test://static-text': resource(
      { name: 'static-text', description: 'A text.', mimeType: 'text/plain' },
      () => 'This is the content of the static text resource.',
    ),
    'test://static-binary': resource({ name: 'static-binary', description: 'A picture.', mimeType: 'image/png' }, () =>
      Buffer.from(redPixel, 'base64'),
    ),
    'test://watched-resource': resource(
      { name: 'watched-resource', description: 'Can be subscribed to.', mimeType: 'text/plain' },
      () => 'Watched.',
    ),
  },
  templates: {
    data: resourceTemplate(
      'test://template/{id}/data',
      { description: 'Data by id.', mimeType: 'application/json' },
      ({ id }) => JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
    ),
  },
  prompts: {
    test_simple_prompt: prompt({ description: 'A prompt without arguments.' }, () => [
      userMessage('This is a simple prompt for testing.'),
    ]),
    test_prompt_with_arguments: prompt(
      {
        description: 'A prompt with arguments.',
        arguments: {
          arg1: {
            description: 'First test argument',
            required: true,
            complete: (value) => ['paris', 'park', 'party'].filter((word) => word.startsWith(value)),
          },
          arg2: { description: 'Second test argument', required: true },
        },
      },
      ({ arg1, arg2 }) => [userMessage(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
    ),
    test_prompt_with_embedded_resource: prompt(
      {
        description: 'A prompt with a resource in it.',
        arguments: { resourceUri: { description: 'URI of the resource to embed', required: true } },
      },
      ({ resourceUri }) => [
        userMessage(
          embeddedResource({
            uri: resourceUri,
            mimeType: 'text/plain',
            text: 'Embedded resource content for testing.',
          }),
        ),
        userMessage('Please process the embedded resource above.'),
      ],
    ),
    test_prompt_with_image: prompt({ description: 'A prompt with a picture in it.' }, () => [
      userMessage(image(redPixel, 'image/png')),
      userMessage('Please analyze the image above.'),
    ]),
  },
});
