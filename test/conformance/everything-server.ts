/**
 * The server that the conformance suite expects to find: its tool names, results and schemas are the suite's. What it
 * cannot offer yet stands in `not-built.ts`.
 */

import {
  audio,
  changeServer,
  content,
  type ElicitAnswer,
  elicit,
  embeddedResource,
  type InputQuestion,
  image,
  listRoots,
  McpError,
  mcpServer,
  type Prompt,
  prompt,
  resource,
  resourceTemplate,
  type SamplingMessage,
  sample,
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

function pause(ctx: ToolContext, ms = stepMs): Promise<void> {
  return new Promise((resolve) => {
    ctx.clock.setTimer(resolve, ms);
  });
}

function said(what: string): SamplingMessage {
  return { role: 'user', content: { type: 'text', text: what } };
}

/** A question with one text for an answer. */
function asking(message: string, field: string): InputQuestion<ElicitAnswer> {
  return elicit({
    message,
    schema: { type: 'object', properties: { [field]: { type: 'string' } }, required: [field] },
  });
}

function confirming(message: string): InputQuestion<ElicitAnswer> {
  return elicit({
    message,
    schema: { type: 'object', properties: { confirm: { type: 'boolean' } }, required: ['confirm'] },
  });
}

const confirmation = elicit({
  message: 'Please confirm',
  schema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
});

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
      // What it adds is a function, which cannot cross from another thread.
      { description: 'Changes the list of tools.', input: noArguments, run: 'main' },
      async (_args, ctx) => {
        await changeServer(ctx, ctx.server, { tools: { test_changed: changedTool(ctx) } });
        return text('The tools have changed.');
      },
    ),
    test_trigger_prompt_change: tool(
      { description: 'Changes the list of prompts.', input: noArguments, run: 'main' },
      async (_args, ctx) => {
        await changeServer(ctx, ctx.server, { prompts: { test_changed: changedPrompt(ctx) } });
        return text('The prompts have changed.');
      },
    ),
    test_sampling: tool(
      {
        description: 'Asks the model of its client.',
        input: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
      },
      async ({ prompt: asked }, ctx) => {
        const { answer } = await ctx.input({ answer: sample({ messages: [said(asked)], maxTokens: 100 }) });
        return text(`LLM response: ${JSON.stringify(answer.content)}`);
      },
    ),
    test_elicitation: tool(
      {
        description: 'Asks the user of its client.',
        input: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
      },
      async ({ message }, ctx) => {
        const field = (description: string) => ({ type: 'string', description }) as const;
        const schema = {
          type: 'object',
          properties: { username: field("User's response"), email: field("User's email address") },
          required: ['username', 'email'],
        } as const;
        const { user } = await ctx.input({ user: elicit({ message, schema }) });
        return text(`User response: ${JSON.stringify(user)}`);
      },
    ),
    test_elicitation_sep1034_defaults: tool(
      { description: 'Asks with defaults.', input: noArguments },
      async (_args, ctx) => {
        const schema = {
          type: 'object',
          properties: {
            name: { type: 'string', default: 'John Doe' },
            age: { type: 'integer', default: 30 },
            score: { type: 'number', default: 95.5 },
            status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
            verified: { type: 'boolean', default: true },
          },
        } as const;
        const { user } = await ctx.input({ user: elicit({ message: 'Please review.', schema }) });
        return text(`Elicitation completed: ${JSON.stringify(user)}`);
      },
    ),
    test_elicitation_sep1330_enums: tool(
      { description: 'Asks with choices of every kind.', input: noArguments },
      async (_args, ctx) => {
        const options = ['option1', 'option2', 'option3'];
        const titled = ['First', 'Second', 'Third'].map((title, n) => ({ const: `value${n + 1}`, title }));
        const schema = {
          type: 'object',
          properties: {
            untitledSingle: { type: 'string', enum: options },
            titledSingle: { type: 'string', oneOf: titled },
            legacyEnum: {
              type: 'string',
              enum: ['opt1', 'opt2', 'opt3'],
              enumNames: ['Option One', 'Option Two', 'Option Three'],
            },
            untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
            titledMulti: { type: 'array', items: { anyOf: titled } },
          },
        };
        const { user } = await ctx.input({ user: elicit({ message: 'Please choose.', schema }) });
        return text(`Elicitation completed: ${JSON.stringify(user)}`);
      },
    ),
    test_input_required_result_elicitation: tool(
      { description: 'Asks for a name.', input: noArguments },
      async (_args, ctx) => {
        const answers = await ctx.input({ user_name: asking('What is your name?', 'name') });
        return text(`Hello, ${JSON.stringify(answers.user_name)}!`);
      },
    ),
    test_input_required_result_sampling: tool(
      { description: 'Asks a model.', input: noArguments },
      async (_args, ctx) => {
        const capital = sample({ messages: [said('What is the capital of France?')], maxTokens: 100 });
        const answers = await ctx.input({ capital_question: capital });
        return text(JSON.stringify(answers.capital_question.content));
      },
    ),
    test_input_required_result_list_roots: tool(
      { description: 'Asks for folders.', input: noArguments },
      async (_args, ctx) => {
        const { client_roots } = await ctx.input({ client_roots: listRoots() });
        return text(client_roots.roots.map(({ uri }) => uri).join(' '));
      },
    ),
    test_input_required_result_request_state: tool(
      { description: 'Asks for a confirmation.', input: noArguments },
      async (_args, ctx) => {
        const { confirm } = await ctx.input({ confirm: confirmation });
        return text(`state-ok: ${JSON.stringify(confirm)}`);
      },
    ),
    test_input_required_result_tampered_state: tool(
      { description: 'Asks for a confirmation.', input: noArguments },
      async (_args, ctx) => {
        const { confirm } = await ctx.input({ confirm: confirmation });
        return text(JSON.stringify(confirm));
      },
    ),
    test_input_required_result_multiple_inputs: tool(
      { description: 'Asks three things at once.', input: noArguments },
      async (_args, ctx) => {
        const answers = await ctx.input({
          user_name: asking('What is your name?', 'name'),
          greeting: sample({ messages: [said('Generate a greeting')], maxTokens: 50 }),
          client_roots: listRoots(),
        });
        return text(JSON.stringify(answers));
      },
    ),
    test_input_required_result_multi_round: tool(
      { description: 'Asks one thing after the other.', input: noArguments },
      async (_args, ctx) => {
        const { step1 } = await ctx.input({ step1: asking('Step 1: What is your name?', 'name') });
        const { step2 } = await ctx.input({ step2: asking('Step 2: What is your favorite color?', 'color') });
        return text(JSON.stringify([step1, step2]));
      },
    ),
    test_input_required_result_capabilities: tool(
      { description: 'Asks what its client can answer.', input: noArguments },
      async (_args, ctx) => {
        const can = (name: string): boolean => Object.hasOwn(ctx.clientCapabilities, name);
        const answers = await ctx.input({
          ...(can('elicitation') ? { user_name: asking('What is your name?', 'name') } : {}),
          ...(can('sampling') ? { greeting: sample({ messages: [said('Hello?')], maxTokens: 50 }) } : {}),
        });
        return text(JSON.stringify(answers));
      },
    ),
    greet: tool(
      {
        description: 'Greets.',
        input: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
      },
      ({ name }) => text(`Hello, ${name}!`),
    ),
    slow_compute: tool(
      {
        description: 'Takes as long as it is told to.',
        input: { type: 'object', properties: { seconds: { type: 'number' }, label: { type: 'string' } } },
        timeoutMs: 120_000,
        task: 'optional',
      },
      async ({ seconds = 0, label = 'it' }, ctx) => {
        await pause(ctx, seconds * 1_000);
        return text(`Computed ${label}.`);
      },
    ),
    failing_job: tool({ description: 'Fails.', input: noArguments, task: 'required' }, async (_args, ctx) => {
      await pause(ctx, 1_000);
      throw new Error('The job has failed.');
    }),
    protocol_error_job: tool(
      { description: 'Ends with an error of the protocol.', input: noArguments, task: 'required' },
      () => {
        throw new McpError(-32603, 'The job has broken.');
      },
    ),
    confirm_delete: tool(
      {
        description: 'Asks before it deletes.',
        input: { type: 'object', properties: { filename: { type: 'string' } }, required: ['filename'] },
        task: 'required',
      },
      async ({ filename }, ctx) => {
        const { sure } = await ctx.input({ sure: confirming(`Delete ${filename}?`) });
        return text(`${filename}: ${JSON.stringify(sure)}`);
      },
    ),
    multi_input: tool(
      { description: 'Asks two things at once.', input: noArguments, task: 'required' },
      async (_a, ctx) =>
        text(JSON.stringify(await ctx.input({ who: asking('Who?', 'name'), sure: confirming('Sure?') }))),
    ),
    test_tool_with_task: tool(
      { description: 'Asks for a name, then becomes a task.', input: noArguments, task: 'required', asksFirst: true },
      async (_args, ctx) => {
        const { user_name } = await ctx.input({ user_name: asking('What is your name?', 'name') });
        return text(`Hello, ${JSON.stringify(user_name)}!`);
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
    test_input_required_result_prompt: prompt({ description: 'Asks for its context.' }, async (_args, ctx) => {
      const { user_context } = await ctx.input({
        user_context: asking('What context should the prompt use?', 'context'),
      });
      return [userMessage(`Context: ${JSON.stringify(user_context)}`)];
    }),
    test_prompt_with_image: prompt({ description: 'A prompt with a picture in it.' }, () => [
      userMessage(image(redPixel, 'image/png')),
      userMessage('Please analyze the image above.'),
    ]),
  },
});
